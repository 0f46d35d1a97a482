/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c - the life of one claimed target: what is next, login, check or call, judgement, settlement, what is next.
 *
 * Each accepted step is settled before the next one starts, which renews the lease; no request starts without a timeout
 * and the slack left on it, so that nobody else can hold the target while our request may still arrive. What the store
 * cannot write now is offered again until the lease has run out. */
#include "server/errand.h"

#include "server/log.h"
#include "server/metrics.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 500        /* between two offers to a store that fails; a guess */
#define CLAIM_AGAIN_MS 1000 /* the same for a claim; a guess */
#define FIRM_PAUSE_MS 1000  /* after a firm's 429 that names no time; a guess */
#define GATHER_MS 5         /* after a slot came free: one pass over who waits serves several; a guess */

static void go_on(struct errand *errand);
static void logged_in(struct login_waiter *waiter, const struct judgement *judgement);

/* --- birth and death --- */

static struct target *target_of(const struct errand *errand)
{
        return &errand->claim.order->targets[errand->claim.due.party];
}

static void forget_all(struct errand *errand)
{
        call_done(&errand->call);
        connection_secrets_done(&errand->secrets);
        dispatch_done(&errand->dispatch);
        store_settle_done(&errand->settle);
        store_claim_done(&errand->claim);
}

static void end(struct errand *errand)
{
        struct outbound *outbound = errand->outbound;
        struct session *session = errand->session;
        const struct due due = errand->claim.due;
        const bool hinted = errand->hinted;

        if (errand->lane)
                lane_end(errand->lane);
        if (*outbound_missed(outbound, &due))
                outbound_look_by(outbound, outbound->look_again_ms);
        reminders_by(outbound, time_boot_ms() + GATHER_MS);
        session->active--;
        session_leave(session, time_boot_ms());
        HASH_DEL(outbound->errands, errand);
        outbound->n_firms -= due.party == PARTY_COURIER;
        forget_all(errand);
        free(errand);
        if (hinted)
                outbound_consider(outbound, &due);
}

static int64_t lease_ms(const struct errand *errand)
{
        return 2 * errand->outbound->options.timeout_ms + errand->outbound->options.lease_slack_ms;
}

/* --- to the store: settle, release --- */

static void submit(struct errand *errand, struct job *job, void (*run)(struct letter *letter))
{
        job->letter.run = run;
        job->reply = &errand->outbound->in;
        job->arg = errand;
}

/* The store failed; the outcome is unknown, and writing the same once more is safe. */
static bool offer_again(struct errand *errand, const struct job *job)
{
        if (job->err == ERR_OK)
                return false;
        log_limited(LOG_WARN, "settle_failed", LOG_TEXT("reason", job->why.text));
        if (time_boot_ms() + AGAIN_MS > errand->lease_until_ms || atomic_load(&errand->outbound->stopping))
                return false;
        errand->again_ms = time_boot_ms() + AGAIN_MS;
        LIST_INSERT_HEAD(&errand->outbound->failed, errand, entry);
        return true;
}

void errands_again(struct outbound *outbound, int64_t now_ms)
{
        struct errand *errand = LIST_FIRST(&outbound->failed);
        struct errand *next;

        for (; errand; errand = next) {
                next = LIST_NEXT(errand, entry);
                if (errand->again_ms > now_ms)
                        continue;
                LIST_REMOVE(errand, entry);
                if (errand->releasing)
                        store_release(outbound->store, &errand->release);
                else
                        store_settle(outbound->store, &errand->settle);
        }
}

int64_t errands_until(const struct outbound *outbound, int64_t until_ms)
{
        const struct errand *errand;

        LIST_FOREACH(errand, &outbound->failed, entry)
                if (errand->again_ms < until_ms)
                        until_ms = errand->again_ms;
        return until_ms;
}

static void released(struct letter *letter)
{
        struct errand *errand = ((struct job *)letter)->arg;

        if (!offer_again(errand, &errand->release.job))
                end(errand);
}

static void release(struct errand *errand)
{
        errand->releasing = true;
        errand->hinted = true; /* it is as due as before */
        memset(&errand->release, 0, sizeof errand->release);
        errand->release.due = errand->claim.due;
        errand->release.lease = errand->claim.lease;
        errand->release.unsure = target_of(errand)->unsure;
        submit(errand, &errand->release.job, released);
        store_release(errand->outbound->store, &errand->release);
}

static void log_dead(const struct errand *errand)
{
        log_limited(LOG_WARN, "delivery_failed", LOG_ID("orderId", &errand->claim.due.order),
                    LOG_ID("restaurantId", &errand->claim.due.restaurant),
                    LOG_CAUSE("platform", platform_word(errand->claim.due.platform)),
                    LOG_CAUSE("party", party_word(errand->claim.due.party)),
                    LOG_TEXT("step", errand->step ? errand->step->name : "check"),
                    LOG_CAUSE("reason", errand->settle.settlement.dead));
}

static int callee(const struct errand *errand)
{
        return metrics_callee(errand->claim.due.platform, errand->claim.due.party);
}

static void settled(struct letter *letter)
{
        struct errand *errand = ((struct job *)letter)->arg;
        const struct settlement *change = &errand->settle.settlement;
        const bool fine = errand->settle.job.err == ERR_OK;
        const bool written = fine && errand->settle.outcome == SETTLE_WRITTEN;

        if (offer_again(errand, &errand->settle.job))
                return;
        if (written && change->kind == SETTLE_MORE) {
                go_on(errand);
                return;
        }
        if (written && change->kind == SETTLE_DEAD) {
                metrics_dead(callee(errand));
                log_dead(errand);
        }
        if (written && change->at_ms != TARGET_NOT_DUE)
                reminder_put(errand->outbound, &errand->claim.due, change->at_ms);
        errand->hinted |= fine && errand->settle.outcome == SETTLE_OVERTAKEN;
        end(errand);
}

/* What the platform wants between two steps about one order, and after a 429; firms are held to what they say. */
static int64_t step_wait_ms(const struct errand *errand)
{
        const struct due *due = &errand->claim.due;

        return due->party == PARTY_PLATFORM ? errand->outbound->options.step_wait_ms[due->platform] : 0;
}

static int64_t floor_ms(const struct errand *errand)
{
        const struct due *due = &errand->claim.due;

        return due->party == PARTY_PLATFORM ? errand->outbound->options.floor_ms[due->platform]
                                            : FIRM_PAUSE_MS;
}

/* What was filled in because the platform wants every step is no fact, and was not late. */
static void count_told(const struct errand *errand, int64_t now_ms)
{
        const struct due *due = &errand->claim.due;
        const int rank = errand->step->number / STEP_OF(1);
        const struct move *fact = order_find_move(errand->claim.order, (enum status)rank);

        if (due->party == PARTY_PLATFORM && errand->step->number == STEP_OF(rank) && fact)
                metrics_lag(due->platform, now_ms - fact->at_ms);
}

/* What memory failed to read is not known to be wrong. */
static struct judgement doubted(const struct judgement *judgement)
{
        struct judgement retry = *judgement;

        if (err_starved() && judgement->verdict == VERDICT_GIVE_UP) {
                retry.verdict = VERDICT_RETRY;
                text_copy(retry.reason, sizeof retry.reason, "no_memory");
        }
        return retry;
}

static void settle(struct errand *errand, const struct judgement *given)
{
        const struct judgement held = doubted(given), *judgement = &held;
        const int64_t now_ms = store_now(errand->outbound->store);
        struct retry retry = errand->outbound->options.retry;

        metrics_delivery(callee(errand), judgement->verdict);
        if (judgement->verdict == VERDICT_DONE && errand->step)
                count_told(errand, now_ms);
        retry.step_wait_ms = step_wait_ms(errand);
        retry.jitter = (double)rand_r(&errand->outbound->seed) / INT32_MAX;
        if (errand->claim.due.party == PARTY_PLATFORM)
                session_note(errand->session, &errand->claim.account, judgement);
        store_settle_done(&errand->settle);
        memset(&errand->settle, 0, sizeof errand->settle);
        errand->settle.due = errand->claim.due;
        errand->settle.lease = errand->claim.lease;
        errand->settle.lease_ms = lease_ms(errand);
        errand->settle.want = target_of(errand)->want;
        errand->settle.settlement = target_settle(errand->claim.order, errand->claim.due.party,
                                                  errand->dialect, errand->step, judgement, &retry, now_ms);
        if (judgement->verdict != VERDICT_NOTHING)
                errand->settle.row = called_write(errand->step, judgement, now_ms);
        target_apply(target_of(errand), &errand->settle.settlement);
        if (errand->settle.settlement.kind == SETTLE_MORE)
                errand->lease_until_ms = time_boot_ms() + lease_ms(errand);
        submit(errand, &errand->settle.job, settled);
        store_settle(errand->outbound->store, &errand->settle);
}

static void settle_as(struct errand *errand, enum verdict verdict, const char *reason)
{
        struct judgement judgement = {0};

        judge(&judgement, verdict, reason);
        settle(errand, &judgement);
}

/* --- the call --- */

/* Once a claim: the connection is as it was claimed. False: they cannot be opened, and it is settled. */
static bool open_secrets(struct errand *errand)
{
        struct why why;

        if (errand->secrets.values[0] ||
            connection_open(&errand->claim.account, errand->dialect, errand->outbound->options.keyring,
                            &errand->secrets, &why) == ERR_OK)
                return true;
        log_limited(LOG_ERROR, "credentials_unreadable",
                    LOG_ID("restaurantId", &errand->claim.due.restaurant), LOG_TEXT("reason", why.text));
        settle_as(errand, VERDICT_GIVE_UP, "credentials_unreadable");
        return false;
}

static void log_in(struct errand *errand)
{
        errand->waiter.run = logged_in;
        errand->waiter.owes = true;
        session_login(errand->session, &errand->secrets, &errand->waiter);
}

static void answered(struct call *call)
{
        struct errand *errand = (struct errand *)((char *)call - offsetof(struct errand, call));
        struct judgement judgement = {0};

        if (errand->step)
                dialect_judge(errand->dialect, errand->claim.order, errand->step, target_of(errand)->unsure,
                              &call->answer, &judgement);
        else
                dialect_judge_check(errand->dialect, errand->claim.order, &call->answer, &judgement);
        metrics_try(callee(errand), call->took_ms);
        outbound_heard(errand->outbound, errand->lane, floor_ms(errand), &call->answer,
                       judgement.verdict == VERDICT_WAIT);
        if (errand->dispatch.url && call->answer.http == 410)
                dispatch_gone(errand);
        call_done(call);
        if (judgement.verdict != VERDICT_LOGIN) {
                settle(errand, &judgement);
                return;
        }
        metrics_delivery(callee(errand), VERDICT_LOGIN);
        session_forget_token(errand->session);
        if (errand->renewed || !errand->dialect->login) {
                judge(&judgement, VERDICT_RETRY, "unauthorized");
                settle(errand, &judgement);
                return;
        }
        errand->renewed = true;
        if (open_secrets(errand))
                log_in(errand);
}

/* No request starts without a timeout and the slack left on the lease. model: time left */
static bool has_time(const struct errand *errand)
{
        return errand->lease_until_ms - time_boot_ms() >=
               errand->outbound->options.timeout_ms + errand->outbound->options.lease_slack_ms;
}

/* model: call */
static void call(struct errand *errand)
{
        struct account account = session_account(errand->session, &errand->secrets);
        struct judgement judgement = {0};
        struct why why = {0};
        enum err e;

        errand->dispatch.now_ms = store_now(errand->outbound->store);
        if (!has_time(errand) || atomic_load(&errand->outbound->draining)) {
                release(errand);
                return;
        }
        memset(&errand->call, 0, sizeof errand->call);
        errand->call.timeout_ms = errand->outbound->options.timeout_ms;
        errand->call.reply = &errand->outbound->in;
        errand->call.done = answered;
        account.dispatch = errand->dispatch.url ? &errand->dispatch : NULL;
        e = errand->step ? errand->dialect->build(errand->claim.order, errand->step, &account,
                                                  &errand->call.message, &why)
                         : errand->dialect->check(errand->claim.order, &account, &errand->call.message, &why);
        if (e == ERR_OK) {
                client_submit(errand->outbound->client, &errand->call);
                return;
        }
        call_done(&errand->call);
        judge_unbuilt(&judgement, e, &why);
        settle(errand, &judgement);
}

static void logged_in(struct login_waiter *waiter, const struct judgement *judgement)
{
        struct errand *errand = (struct errand *)((char *)waiter - offsetof(struct errand, waiter));

        if (judgement->verdict == VERDICT_DONE || atomic_load(&errand->outbound->draining))
                call(errand);
        else
                settle(errand, judgement);
}

/* --- what is next --- */

static void begin_call(struct errand *errand)
{
        struct judgement judgement = {0};

        errand->renewed = false;
        if (errand->claim.due.party == PARTY_COURIER) {
                if (dispatch_open(errand, &judgement))
                        call(errand);
                else
                        settle(errand, &judgement);
                return;
        }
        if (session_may_call(errand->session, &errand->claim.account, time_boot_ms())) {
                call(errand);
                return;
        }
        if (!connection_is_enabled(&errand->claim.account)) {
                settle_as(errand, VERDICT_GIVE_UP, "not_connected");
                return;
        }
        if (!open_secrets(errand))
                return;
        if (errand->dialect->login && !session_has_token(errand->session, &errand->secrets, time_boot_ms())) {
                log_in(errand);
                return;
        }
        session_know(errand->session, &errand->claim.account);
        call(errand);
}

static void go_on(struct errand *errand)
{
        const int64_t now_ms = store_now(errand->outbound->store);
        struct next next;

        if (atomic_load(&errand->outbound->draining)) {
                release(errand);
                return;
        }
        next = target_next(errand->claim.order, errand->claim.due.party, errand->dialect,
                           step_wait_ms(errand), now_ms);
        errand->step = next.kind == NEXT_CHECK ? NULL : next.step;
        switch (next.kind) {
        case NEXT_NOTHING: settle_as(errand, VERDICT_NOTHING, ""); return;
        case NEXT_WAIT: {
                struct judgement judgement = {0};

                judge(&judgement, VERDICT_NOTHING, "");
                judgement.wait_ms = next.until_ms - now_ms;
                settle(errand, &judgement);
                return;
        }
        case NEXT_CHECK:
        case NEXT_CALL: begin_call(errand); return;
        }
}

static void claimed(struct letter *letter)
{
        struct errand *errand = ((struct job *)letter)->arg;
        struct outbound *outbound = errand->outbound;
        const bool failed = errand->claim.job.err != ERR_OK;
        const bool won = !failed && errand->claim.claimed;

        metrics_claim(failed ? CLAIM_FAILED : won ? CLAIM_WON : CLAIM_LOST);
        if (failed)
                reminder_put(outbound, &errand->claim.due, store_now(outbound->store) + CLAIM_AGAIN_MS);
        if (!won) {
                end(errand);
                return;
        }
        /* A fact that the claim has not seen has moved `want`, and settling will tell. */
        errand->hinted = false;
        errand->dialect = dialect_for(errand->claim.order, errand->claim.due.party);
        go_on(errand);
}

struct errand *errand_find(const struct outbound *outbound, const struct due *due)
{
        struct errand *errand;

        HASH_FIND(hh, outbound->errands, due, sizeof *due, errand);
        return errand;
}

void errand_enter(struct errand *errand, struct lane *lane)
{
        errand->lane = lane;
        lane_begin(lane);
}

bool errand_begin(struct outbound *outbound, const struct due *due, struct session *session)
{
        struct errand *errand = calloc(1, sizeof *errand);

        if (!errand)
                return false;
        errand->claim.due = *due;
        HASH_ADD(hh, outbound->errands, claim.due, sizeof errand->claim.due, errand);
        if (!errand->hh.tbl) {
                free(errand);
                return false;
        }
        errand->outbound = outbound;
        errand->session = session;
        outbound->n_firms += due->party == PARTY_COURIER;
        session->active++;
        if (due->party == PARTY_PLATFORM)
                errand_enter(errand, &outbound->lanes[due->platform]);
        errand->lease_until_ms = time_boot_ms() + lease_ms(errand);
        errand->claim.lease_ms = lease_ms(errand);
        submit(errand, &errand->claim.job, claimed);
        store_claim(outbound->store, &errand->claim);
        return true;
}
