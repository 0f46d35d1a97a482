/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - a question on its way: whether it may be asked now, login, call, judgement, and back to who asked. */
#include "server/query.h"

#include "server/errand.h"
#include "server/log.h"

#include <stddef.h>
#include <string.h>
#include <sys/param.h>

#define CALLS 4 /* login, call, and where the token is refused, both once more */

static void call(struct query *query);

/* --- back to who asked --- */

static void handed_back(struct letter *letter)
{
        struct query *query = (struct query *)letter;

        query->done(query);
}

/* The last that is done to it here: the asker may free it at once. */
static void hand_back(struct query *query)
{
        struct outbound *outbound = query->outbound;

        query->letter.run = handed_back;
        inbox_push(query->reply, &query->letter);
        atomic_fetch_sub(&outbound->n_queries, 1);
}

static void end(struct query *query)
{
        struct session *session = query->session;
        const struct due due = {.platform = session->platform};

        session_note(session, query->connection, &query->judgement);
        lane_end(&query->outbound->lanes[session->platform]);
        if (*outbound_missed(query->outbound, &due))
                outbound_look_by(query->outbound, query->outbound->look_again_ms);
        reminders_by(query->outbound, time_boot_ms());
        LIST_REMOVE(query, entry);
        session->active--;
        session_leave(session, time_boot_ms());
        connection_secrets_done(&query->secrets);
        hand_back(query);
}

static void end_as(struct query *query, enum verdict verdict, const char *reason)
{
        judge(&query->judgement, verdict, reason);
        end(query);
}

/* --- login --- */

static void logged_in(struct login_waiter *waiter, const struct judgement *judgement)
{
        struct query *query = (struct query *)((char *)waiter - offsetof(struct query, waiter));

        query->waiting = false;
        query->judgement = *judgement;
        if (judgement->verdict == VERDICT_DONE && query->build)
                call(query);
        else
                end(query);
}

static void log_in(struct query *query)
{
        query->waiting = true;
        query->waiter.run = logged_in;
        session_login(query->session, &query->secrets, &query->waiter);
}

void queries_expire(struct outbound *outbound, int64_t now_ms)
{
        struct query *query = LIST_FIRST(&outbound->queries);
        struct query *next;

        for (; query; query = next) {
                next = LIST_NEXT(query, entry);
                if (!query->waiting || query->until_ms > now_ms)
                        continue;
                session_abandon(query->session, &query->waiter);
                end_as(query, VERDICT_RETRY, "timeout");
        }
}

int64_t queries_until(const struct outbound *outbound, int64_t until_ms)
{
        const struct query *query;

        LIST_FOREACH(query, &outbound->queries, entry)
                if (query->waiting && query->until_ms < until_ms)
                        until_ms = query->until_ms;
        return until_ms;
}

/* --- the call --- */

static void answered(struct call *made)
{
        struct query *query = (struct query *)((char *)made - offsetof(struct query, call));
        struct session *session = query->session;

        dialect_judge_question(query->dialect, &made->answer, &query->judgement);
        outbound_heard(query->outbound, &query->outbound->lanes[session->platform], 0, &made->answer, false);
        if (query->judgement.verdict == VERDICT_WAIT)
                query->judgement.wait_ms =
                        answer_hold_ms(&made->answer, query->outbound->options.floor_ms[session->platform]);
        if (made->answer.carried != CARRIED_ANSWERED && query->until_ms <= time_boot_ms())
                judge(&query->judgement, VERDICT_RETRY, "timeout");
        if (query->judgement.verdict != VERDICT_LOGIN) {
                end(query);
                return;
        }
        session_forget_token(session);
        if (query->renewed) {
                end_as(query, VERDICT_RETRY, "unauthorized");
                return;
        }
        query->renewed = true;
        call_done(made);
        log_in(query);
}

static void call(struct query *query)
{
        const struct account account = session_account(query->session, &query->secrets);
        const int64_t left_ms = query->until_ms - time_boot_ms();
        struct why why = {0};
        enum err e;

        if (left_ms <= 0 || atomic_load(&query->outbound->draining)) {
                end_as(query, left_ms <= 0 ? VERDICT_RETRY : VERDICT_WAIT,
                       left_ms <= 0 ? "timeout" : "stopping");
                return;
        }
        memset(&query->call, 0, sizeof query->call);
        query->call.timeout_ms = MIN(left_ms, query->outbound->options.timeout_ms);
        query->call.reply = &query->outbound->in;
        query->call.done = answered;
        if (query->build)
                e = query->build(query, &account, &query->call.message, &why);
        else
                e = query->dialect->probe(&account, &query->call.message, &why);
        if (e == ERR_OK) {
                client_submit(query->outbound->client, &query->call);
                return;
        }
        judge_unbuilt(&query->judgement, e, &why);
        end(query);
}

/* --- may it be asked --- */

/* False where it is not even begun, and the judgement says why. */
static bool may_begin(struct query *query, enum platform platform)
{
        struct outbound *outbound = query->outbound;
        const bool is_full = lane_room(&outbound->lanes[platform], time_boot_ms()) == 0;
        const bool tests = !query->build;

        query->dialect = dialect_of(platform);
        if (atomic_load(&outbound->draining))
                judge(&query->judgement, VERDICT_WAIT, "stopping");
        else if (!query->dialect || !outbound->options.urls[platform] ||
                 (tests && !query->dialect->login && !query->dialect->probe))
                judge(&query->judgement, VERDICT_GIVE_UP, "untestable");
        else if (!tests && !connection_is_enabled(query->connection))
                judge(&query->judgement, VERDICT_GIVE_UP, "not_connected");
        else if (query->patient && is_full)
                judge(&query->judgement, VERDICT_WAIT, "busy");
        else
                return true;
        return false;
}

/* False where the account has no room, or there is no memory. */
static bool take_session(struct query *query, enum platform platform)
{
        struct outbound *outbound = query->outbound;
        const struct due due = {.restaurant = query->connection->restaurant, .platform = platform};
        struct session *session = session_need(outbound, &due);

        if (!session || session->active >= SESSION_CALLS_MAX)
                return false;
        query->session = session;
        session->active++;
        LIST_INSERT_HEAD(&outbound->queries, query, entry);
        lane_begin(&outbound->lanes[platform]);
        query->until_ms = time_boot_ms() +
                          (query->timeout_ms > 0 ? query->timeout_ms : CALLS * outbound->options.timeout_ms);
        return true;
}

static void begin(struct letter *letter)
{
        struct query *query = (struct query *)letter;
        enum platform platform = PLATFORM_PHONE;
        struct why why;
        bool has_token;

        if (!connection_platform(query->connection, &platform))
                judge(&query->judgement, VERDICT_GIVE_UP, "not_connected");
        else if (may_begin(query, platform) && !take_session(query, platform))
                judge(&query->judgement, VERDICT_WAIT, "busy");
        if (!query->session) {
                hand_back(query);
                return;
        }
        if (connection_open(query->connection, query->dialect, query->outbound->options.keyring,
                            &query->secrets, &why) != ERR_OK) {
                log_limited(LOG_ERROR, "credentials_unreadable",
                            LOG_ID("restaurantId", &query->connection->restaurant),
                            LOG_TEXT("reason", why.text));
                end_as(query, VERDICT_GIVE_UP, "credentials_unreadable");
                return;
        }
        has_token = session_has_token(query->session, &query->secrets, time_boot_ms());
        if (query->dialect->login && (!query->build || !has_token))
                log_in(query);
        else
                call(query);
}

void query_submit(struct outbound *outbound, struct query *query)
{
        query->outbound = outbound;
        atomic_fetch_add(&outbound->n_queries, 1);
        if (atomic_load(&outbound->stopping)) { /* the thread may be gone */
                judge(&query->judgement, VERDICT_WAIT, "stopping");
                hand_back(query);
                return;
        }
        query->letter.run = begin;
        inbox_push(&outbound->in, &query->letter);
}

void query_done(struct query *query)
{
        call_done(&query->call);
}
