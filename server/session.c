/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one login for all errands and queries of an account, never two at once, and no storm where it is refused;
 * and what the platform says to its credentials. */
#include "server/errand.h"

#include "model/clean.h"
#include "server/log.h"
#include "server/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED_MS 60000 /* wrong credentials are not tried again sooner; a guess: long enough for no storm */
#define LOGINS_MS 60000  /* what logins_max counts in */
#define MARGIN_MS \
        30000 /* a token is renewed this long before its end, so that it does not end under a call; a guess */

/* The connection's; what is owed to a restaurant's courier firms, which have no login, counts together. */
static void session_id(const struct due *due, char to[RECORD_ID_SIZE])
{
        char text[ID_TEXT_SIZE];

        if (due->party == PARTY_PLATFORM)
                connection_id(&due->restaurant, due->platform, to);
        else
                snprintf(to, RECORD_ID_SIZE, "%s-%s", id_write(&due->restaurant, text),
                         party_word(due->party));
}

struct session *session_need(struct outbound *outbound, const struct due *due)
{
        char id[RECORD_ID_SIZE];
        struct session *session;

        session_id(due, id);
        HASH_FIND_STR(outbound->sessions, id, session);
        if (session)
                return session;
        session = calloc(1, sizeof *session);
        if (!session)
                return NULL;
        text_copy(session->id, sizeof session->id, id);
        session->outbound = outbound;
        session->restaurant = due->restaurant;
        session->platform = due->platform;
        HASH_ADD_STR(outbound->sessions, id, session);
        if (!session->hh.tbl) {
                free(session);
                return NULL;
        }
        return session;
}

static void session_drop(struct session *session)
{
        HASH_DEL(session->outbound->sessions, session);
        explicit_bzero(session->token, sizeof session->token);
        free(session->known);
        free(session);
}

/* Until when the last `nth` logins were within a minute; 0: there were not so many. */
static int64_t login_free_ms(const struct session *session, int64_t nth)
{
        return nth > 0 && session->n_logins >= nth
                       ? session->logins_ms[(session->n_logins - nth) % LOGINS_KEPT] + LOGINS_MS
                       : 0;
}

void session_leave(struct session *session, int64_t now_ms)
{
        const bool counts = session->outbound->options.logins_max[session->platform] > 0;

        if (session->active == 0 && !session->logging_in && session->token_until_ms <= now_ms &&
            session->refused_until_ms <= now_ms && (!counts || login_free_ms(session, 1) <= now_ms))
                session_drop(session);
}

void sessions_sweep(struct outbound *outbound, int64_t now_ms)
{
        struct session *session;
        struct session *next;

        HASH_ITER(hh, outbound->sessions, session, next)
                session_leave(session, now_ms);
}

void sessions_free(struct outbound *outbound)
{
        struct session *session;
        struct session *next;

        HASH_ITER(hh, outbound->sessions, session, next)
                session_drop(session);
}

/* A digest, so that no second copy of the secrets stands in memory. False without memory. */
static bool digest_of(const struct connection_secrets *secrets, struct digest *ret)
{
        struct digest chained[2] = {0};

        for (int i = 0; i < CREDENTIALS_MAX && secrets->values[i]; i++)
                if (!crypto_sha256(secrets->values[i], strlen(secrets->values[i]), &chained[1]) ||
                    !crypto_sha256(chained, sizeof chained, &chained[0]))
                        return false;
        *ret = chained[0];
        return true;
}

bool session_has_token(struct session *session, const struct connection_secrets *secrets, int64_t now_ms)
{
        struct digest digest;

        if (!digest_of(secrets, &digest))
                return false;
        if (!crypto_equal(&digest, &session->credentials, sizeof digest)) {
                session->credentials = digest;
                session->refused_until_ms = 0;
                free(TAKE(session->known));
                session_forget_token(session);
        }
        return session->token_until_ms > now_ms;
}

static bool is_known(const struct session *session, const struct record *connection)
{
        return session->known && connection->document && streq(session->known, connection->document);
}

void session_know(struct session *session, const struct record *connection)
{
        if (is_known(session, connection))
                return;
        free(session->known);
        session->known = strdup(connection->document);
        session->is_noted = false;
}

bool session_may_call(const struct session *session, const struct record *connection, int64_t now_ms)
{
        return session->token_until_ms > now_ms && is_known(session, connection);
}

void session_forget_token(struct session *session)
{
        session->token_until_ms = 0;
        explicit_bzero(session->token, sizeof session->token);
}

/* All who waited go on, in whatever way the login went. */
static void settle_waiting(struct session *session, const struct judgement *judgement)
{
        struct login_waiter *waiter = session->waiting;
        struct login_waiter *next;

        session->waiting = NULL;
        session->logging_in = false;
        for (; waiter; waiter = next) {
                next = waiter->next;
                waiter->run(waiter, judgement);
        }
}

static void refused(struct session *session, const struct judgement *judgement, int64_t now_ms)
{
        session->refused_until_ms = now_ms + REFUSED_MS;
        log_limited(LOG_WARN, "login_failed", LOG_ID("restaurantId", &session->restaurant),
                    LOG_CAUSE("platform", platform_word(session->platform)),
                    LOG_TEXT("reason", judgement->reason));
}

static void logged_in(struct call *call)
{
        struct session *session = (struct session *)((char *)call - offsetof(struct session, login));
        const int64_t floor_ms = session->outbound->options.floor_ms[session->platform];
        const int64_t now_ms = time_boot_ms();
        struct judgement judgement = {0};
        int64_t life_ms = 0;

        dialect_judge_login(dialect_of(session->platform), &call->answer, &judgement, session->token,
                            &life_ms);
        if (judgement.verdict == VERDICT_WAIT)
                judgement.wait_ms = answer_hold_ms(&call->answer, floor_ms);
        outbound_heard(session->outbound, &session->outbound->lanes[session->platform], floor_ms,
                       &call->answer, judgement.verdict == VERDICT_WAIT && session->owes);
        metrics_login(session->platform, judgement.verdict);
        if (!crypto_equal(&session->asked, &session->credentials, sizeof session->asked))
                judge(&judgement, VERDICT_RETRY, "credentials_changed");
        if (judgement.verdict == VERDICT_DONE)
                session->token_until_ms =
                        now_ms + (life_ms > 2 * MARGIN_MS ? life_ms - MARGIN_MS : life_ms / 2);
        else if (judgement.verdict == VERDICT_GIVE_UP)
                refused(session, &judgement, now_ms);
        call_done(call);
        settle_waiting(session, &judgement);
}

struct account session_account(const struct session *session, const struct connection_secrets *secrets)
{
        struct account account = {.url = session->outbound->options.urls[session->platform],
                                  .token = session->token};

        for (int i = 0; i < CREDENTIALS_MAX; i++)
                account.values[i] = secrets->values[i];
        return account;
}

void session_abandon(struct session *session, const struct login_waiter *waiter)
{
        struct login_waiter **at = &session->waiting;

        while (*at != waiter)
                at = &(*at)->next;
        *at = waiter->next;
}

void session_login(struct session *session, const struct connection_secrets *secrets,
                   struct login_waiter *waiter)
{
        const struct account account = session_account(session, secrets);
        const struct dialect *dialect = dialect_of(session->platform);
        const int64_t now_ms = time_boot_ms();
        const int64_t free_ms =
                login_free_ms(session, session->outbound->options.logins_max[session->platform]);
        struct judgement judgement = {0};
        struct why why = {0};
        enum err e;

        if (atomic_load(&session->outbound->draining)) {
                judge(&judgement, VERDICT_WAIT, "stopping");
                waiter->run(waiter, &judgement);
                return;
        }
        if (session->refused_until_ms > now_ms) {
                judge(&judgement, VERDICT_GIVE_UP, "login_failed");
                waiter->run(waiter, &judgement);
                return;
        }
        if (!session->logging_in && free_ms > now_ms) {
                judge(&judgement, VERDICT_WAIT, "too_many_logins");
                judgement.wait_ms = free_ms - now_ms;
                waiter->run(waiter, &judgement);
                return;
        }
        session->owes = waiter->owes || (session->logging_in && session->owes);
        waiter->next = session->waiting;
        session->waiting = waiter;
        if (session->logging_in)
                return;
        session->logging_in = true;
        session->logins_ms[session->n_logins++ % LOGINS_KEPT] = now_ms;
        memset(&session->login, 0, sizeof session->login);
        session->login.timeout_ms = session->outbound->options.timeout_ms;
        session->login.reply = &session->outbound->in;
        session->login.done = logged_in;
        e = digest_of(secrets, &session->asked) ? dialect->login(&account, &session->login.message, &why)
                                                : FAIL(&why, ERR_NO_MEMORY, "no memory for a login");
        if (e == ERR_OK) {
                client_submit(session->outbound->client, &session->login);
                return;
        }
        message_done(&session->login.message);
        judge_unbuilt(&judgement, e, &why);
        settle_waiting(session, &judgement);
}

/* --- what is said to the credentials --- */

static bool is_noted(const struct session *session, const struct record *connection)
{
        return session->is_noted && is_known(session, connection);
}

void session_note(struct session *session, const struct record *connection, const struct judgement *judgement)
{
        const bool refused =
                judgement->verdict == VERDICT_GIVE_UP && streq(judgement->reason, "login_failed");
        struct connection_verdict verdict = {.rev = connection->rev, .ok = !refused};

        if (!refused && (judgement->verdict != VERDICT_DONE || is_noted(session, connection)))
                return;
        if (refused)
                text_copy(verdict.error, sizeof verdict.error, judgement->reason);
        if (connection->document && connection_needs_verdict(connection, &verdict))
                outbound_note(session->outbound, connection, connection_judge, &verdict, sizeof verdict);
        else if (!refused && is_known(session, connection))
                session->is_noted = true;
}
