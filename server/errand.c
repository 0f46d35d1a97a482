/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c - the life of one claimed target: what is next, login, check or call, judgement, settlement, what is next.
 *
 * Each accepted step is settled before the next one starts, which renews the lease; no request starts without a timeout
 * and the slack left on it, so that nobody else can hold the target while our request may still arrive. What the store
 * cannot write now is offered again until the lease has run out. */
#include "server/errand.h"

#include "server/log.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 500    /* between two offers to a store that fails; a guess */
#define LOOK_AGAIN_MS 5 /* after a slot came free that others waited for: one look serves several; a guess */

static void go_on(struct errand *d);

/* --- birth and death --- */

static struct lane *lane_of(const struct errand *d)
{
        return &d->outbound->lanes[d->claim.due.platform];
}

static struct target *target_of(const struct errand *d)
{
        return &d->claim.order->targets[d->claim.due.party];
}

static void forget_all(struct errand *d)
{
        call_done(&d->call);
        connection_secrets_done(&d->secrets);
        store_settle_done(&d->settle);
        store_claim_done(&d->claim);
}

static void end(struct errand *d)
{
        struct outbound *outbound = d->outbound;
        struct session *session = d->session;

        lane_end(lane_of(d));
        if (lane_of(d)->missed)
                outbound_look_by(outbound, time_boot_ms() + LOOK_AGAIN_MS);
        session->active--;
        session_leave(session, time_boot_ms());
        *d->previous = d->next;
        if (d->next)
                d->next->previous = d->previous;
        outbound->n_errands--;
        forget_all(d);
        free(d);
}

static int64_t lease_ms(const struct errand *d)
{
        return 2 * d->outbound->options.timeout_ms + d->outbound->options.lease_slack_ms;
}

/* --- to the store: settle, release --- */

static void submit(struct errand *d, struct job *job, void (*run)(struct letter *letter))
{
        job->letter.run = run;
        job->reply = &d->outbound->in;
        job->arg = d;
}

/* The store failed; the outcome is unknown, and writing the same once more is safe. */
static bool offer_again(struct errand *d, const struct job *job, int what)
{
        if (job->err == ERR_OK)
                return false;
        log_limited(LOG_WARN, "settle_failed", LOG_TEXT("reason", job->why.text));
        if (time_boot_ms() + AGAIN_MS > d->lease_until_ms || atomic_load(&d->outbound->stopping))
                return false;
        d->hand_back = what == HAND_BACK_SETTLE ? HAND_BACK_SETTLE : HAND_BACK_RELEASE;
        d->again_ms = time_boot_ms() + AGAIN_MS;
        return true;
}

void errand_again(struct errand *d, int64_t now_ms)
{
        if (d->again_ms == 0 || d->again_ms > now_ms)
                return;
        d->again_ms = 0;
        if (d->hand_back == HAND_BACK_SETTLE)
                store_settle(d->outbound->store, &d->settle);
        else
                store_release(d->outbound->store, &d->release);
}

static void released(struct letter *letter)
{
        struct errand *d = ((struct job *)letter)->arg;

        if (!offer_again(d, &d->release.job, HAND_BACK_RELEASE))
                end(d);
}

static void release(struct errand *d)
{
        memset(&d->release, 0, sizeof d->release);
        d->release.due = d->claim.due;
        d->release.lease = d->claim.lease;
        d->release.unsure = target_of(d)->unsure;
        submit(d, &d->release.job, released);
        store_release(d->outbound->store, &d->release);
}

static void log_dead(const struct errand *d)
{
        log_event(LOG_WARN, "delivery_failed", LOG_ID("orderId", &d->claim.due.order),
                  LOG_ID("restaurantId", &d->claim.due.restaurant),
                  LOG_TEXT("platform", platform_word(d->claim.due.platform)),
                  LOG_TEXT("step", d->step ? d->step->name : "check"),
                  LOG_TEXT("reason", d->settle.settlement.dead));
}

static void settled(struct letter *letter)
{
        struct errand *d = ((struct job *)letter)->arg;
        const struct settlement *change = &d->settle.settlement;
        struct outbound *outbound = d->outbound;
        const struct due due = d->claim.due;
        const bool overtaken = d->settle.job.err == ERR_OK && d->settle.outcome == SETTLE_OVERTAKEN;

        if (offer_again(d, &d->settle.job, HAND_BACK_SETTLE))
                return;
        if (d->settle.job.err == ERR_OK && d->settle.outcome == SETTLE_WRITTEN &&
            change->kind == SETTLE_MORE) {
                go_on(d);
                return;
        }
        if (d->settle.job.err == ERR_OK && d->settle.outcome == SETTLE_WRITTEN && change->kind == SETTLE_DEAD)
                log_dead(d);
        if (change->at_ms != TARGET_NOT_DUE)
                outbound_look_by(outbound, time_boot_ms() + change->at_ms - time_now_ms());
        end(d);
        if (overtaken)
                outbound_consider(outbound, &due);
}

/* What the platform said to the credentials is shown with the connection; written only where it is news. */
struct verdict_edit {
        struct store_edit edit;
        struct connection_verdict verdict;
};

static void verdict_written(struct letter *letter)
{
        struct verdict_edit *e = (struct verdict_edit *)letter;

        store_edit_done(&e->edit);
        free(e);
}

static void note_credentials(struct errand *d, const struct judgement *judgement)
{
        const bool refused =
                judgement->verdict == VERDICT_GIVE_UP && streq(judgement->reason, "login_failed");
        struct connection_verdict verdict = {.ok = !refused};
        struct verdict_edit *e;

        if (!refused && judgement->verdict != VERDICT_DONE)
                return;
        if (refused)
                text_copy(verdict.error, sizeof verdict.error, judgement->reason);
        if (!d->claim.connection.document || !connection_needs_verdict(&d->claim.connection, &verdict))
                return;
        e = calloc(1, sizeof *e);
        if (!e)
                return;
        e->verdict = verdict;
        e->edit.job.letter.run = verdict_written;
        e->edit.job.reply = &d->outbound->in;
        e->edit.kind = RECORD_CONNECTION;
        e->edit.edit = connection_judge;
        e->edit.arg = &e->verdict;
        text_copy(e->edit.id, sizeof e->edit.id, d->claim.connection.id);
        store_edit(d->outbound->store, &e->edit);
}

static double jitter(void)
{
        uint32_t drawn;

        return crypto_random(&drawn, sizeof drawn) ? (double)drawn / UINT32_MAX : 0.5;
}

static void settle(struct errand *d, const struct judgement *judgement)
{
        const int64_t now_ms = time_now_ms();
        struct retry retry = d->outbound->options.retry;

        retry.jitter = jitter();
        note_credentials(d, judgement);
        store_settle_done(&d->settle);
        memset(&d->settle, 0, sizeof d->settle);
        d->settle.due = d->claim.due;
        d->settle.lease = d->claim.lease;
        d->settle.lease_ms = lease_ms(d);
        d->settle.want = target_of(d)->want;
        d->settle.settlement = target_settle(d->claim.order, d->claim.due.party, d->dialect, d->step,
                                             judgement, &retry, now_ms);
        if (judgement->verdict != VERDICT_NOTHING)
                d->settle.row = called_write(d->step, judgement, now_ms);
        target_apply(target_of(d), &d->settle.settlement);
        if (d->settle.settlement.kind == SETTLE_MORE)
                d->lease_until_ms = time_boot_ms() + lease_ms(d);
        submit(d, &d->settle.job, settled);
        store_settle(d->outbound->store, &d->settle);
}

static void settle_as(struct errand *d, enum verdict verdict, const char *reason)
{
        struct judgement judgement = {0};

        judge(&judgement, verdict, reason);
        settle(d, &judgement);
}

/* --- the call --- */

struct account errand_account(const struct errand *d)
{
        struct account account = {.url = d->outbound->options.urls[d->claim.due.platform],
                                  .token = d->session->token};

        for (int i = 0; i < CREDENTIALS_MAX; i++)
                account.values[i] = d->secrets.values[i];
        return account;
}

static void answered(struct call *call)
{
        struct errand *d = (struct errand *)((char *)call - offsetof(struct errand, call));
        struct judgement judgement = {0};

        if (d->step)
                dialect_judge(d->dialect, d->claim.order, d->step, target_of(d)->unsure, &call->answer,
                              &judgement);
        else
                dialect_judge_check(d->dialect, d->claim.order, &call->answer, &judgement);
        outbound_heard(d->outbound, d->claim.due.platform, &call->answer, judgement.verdict == VERDICT_WAIT);
        call_done(call);
        if (judgement.verdict != VERDICT_LOGIN) {
                settle(d, &judgement);
                return;
        }
        session_forget_token(d->session);
        if (d->renewed || !d->dialect->login) {
                judge(&judgement, VERDICT_RETRY, "unauthorized");
                settle(d, &judgement);
                return;
        }
        d->renewed = true;
        session_login(d->session, d);
}

/* No request starts without a timeout and the slack left on the lease. */
static bool has_time(const struct errand *d)
{
        return d->lease_until_ms - time_boot_ms() >=
               d->outbound->options.timeout_ms + d->outbound->options.lease_slack_ms;
}

static void call(struct errand *d)
{
        const struct account account = errand_account(d);
        struct judgement judgement = {0};
        struct why why = {0};
        enum err e;

        if (!has_time(d) || atomic_load(&d->outbound->draining)) {
                release(d);
                return;
        }
        memset(&d->call, 0, sizeof d->call);
        d->call.timeout_ms = d->outbound->options.timeout_ms;
        d->call.reply = &d->outbound->in;
        d->call.done = answered;
        e = d->step ? d->dialect->build(d->claim.order, d->step, &account, &d->call.message, &why)
                    : d->dialect->check(d->claim.order, &account, &d->call.message, &why);
        if (e == ERR_OK) {
                client_submit(d->outbound->client, &d->call);
                return;
        }
        call_done(&d->call);
        judge(&judgement, e == ERR_BAD_FIELD ? VERDICT_GIVE_UP : VERDICT_RETRY,
              e == ERR_BAD_FIELD ? "cannot be sent: " : "no_memory");
        if (e == ERR_BAD_FIELD)
                strncat(judgement.reason, why.field, sizeof judgement.reason - strlen(judgement.reason) - 1);
        settle(d, &judgement);
}

void errand_logged_in(struct errand *d, const struct judgement *judgement)
{
        if (judgement->verdict == VERDICT_DONE)
                call(d);
        else
                settle(d, judgement);
}

/* --- what is next --- */

static enum err open_secrets(struct errand *d, struct why *why)
{
        connection_secrets_done(&d->secrets);
        return connection_open(&d->claim.connection, d->dialect, d->outbound->options.keyring, &d->secrets,
                               why);
}

static void begin_call(struct errand *d)
{
        struct why why;

        if (!connection_is_enabled(&d->claim.connection)) {
                settle_as(d, VERDICT_GIVE_UP, "not_connected");
                return;
        }
        if (open_secrets(d, &why) != ERR_OK) {
                log_limited(LOG_ERROR, "credentials_unreadable",
                            LOG_ID("restaurantId", &d->claim.due.restaurant), LOG_TEXT("reason", why.text));
                settle_as(d, VERDICT_GIVE_UP, "credentials_unreadable");
                return;
        }
        d->renewed = false;
        if (d->dialect->login && !session_has_token(d->session, &d->secrets, time_boot_ms()))
                session_login(d->session, d);
        else
                call(d);
}

static void go_on(struct errand *d)
{
        struct next next;

        if (atomic_load(&d->outbound->draining)) {
                release(d);
                return;
        }
        next = target_next(d->claim.order, d->claim.due.party, d->dialect, time_now_ms());
        d->step = next.kind == NEXT_CHECK ? NULL : next.step;
        switch (next.kind) {
        case NEXT_NOTHING: settle_as(d, VERDICT_NOTHING, ""); return;
        case NEXT_WAIT: {
                struct judgement judgement = {0};

                judge(&judgement, VERDICT_WAIT, "too_early");
                judgement.wait_ms = next.until_ms - time_now_ms();
                settle(d, &judgement);
                return;
        }
        case NEXT_CHECK:
        case NEXT_CALL: begin_call(d); return;
        }
}

static void claimed(struct letter *letter)
{
        struct errand *d = ((struct job *)letter)->arg;

        if (d->claim.job.err != ERR_OK || !d->claim.claimed) {
                end(d);
                return;
        }
        d->dialect = dialect_for(d->claim.order, d->claim.due.party);
        go_on(d);
}

bool errand_begin(struct outbound *outbound, const struct due *due, struct session *session)
{
        struct errand *d = calloc(1, sizeof *d);

        if (!d)
                return false;
        d->outbound = outbound;
        d->session = session;
        d->next = outbound->errands;
        d->previous = &outbound->errands;
        if (d->next)
                d->next->previous = &d->next;
        outbound->errands = d;
        outbound->n_errands++;
        session->active++;
        d->claim.due = *due;
        lane_begin(lane_of(d));
        d->lease_until_ms = time_boot_ms() + lease_ms(d);
        d->claim.lease_ms = lease_ms(d);
        submit(d, &d->claim.job, claimed);
        store_claim(outbound->store, &d->claim);
        return true;
}
