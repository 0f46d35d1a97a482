/* SPDX-License-Identifier: Apache-2.0 */
/* store_targets.c - what the verbs of targets mean: due, claim, settle, release, replay, call. */
#include "model/verbs.h"

#include "model/clean.h"
#include "model/connection.h"
#include "model/integration.h"
#include "model/restaurant.h"

#include <stdlib.h>

enum err run_due(struct store *store, void *conn, struct job *job)
{
        struct store_due *due = (struct store_due *)job;

        due->n = 0;
        due->next_ms = 0;
        return store->ops->due(conn, due, &job->why);
}

/* That of this restaurant; document NULL: there is none. */
static enum err load_firm(struct store *store, void *conn, const struct id *restaurant, const struct id *firm,
                          struct record *ret, struct why *why)
{
        char id[ID_TEXT_SIZE];
        enum err e = store->ops->record_get(conn, RECORD_INTEGRATION, id_write(firm, id), ret, why);

        if (e == ERR_OK && ret->document && !id_equal(&ret->restaurant, restaurant))
                record_done(ret);
        return e;
}

/* That which new orders go to; document NULL: none, or it cannot be dispatched to. */
static enum err load_chosen_firm(struct store *store, void *conn, const struct id *restaurant,
                                 struct record *ret, struct id *ret_firm, struct why *why)
{
        CLEAN(record_done) struct record owner = {0};
        char id[ID_TEXT_SIZE];
        enum err e;

        e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(restaurant, id), &owner, why);
        if (e != ERR_OK || !owner.document || !restaurant_dispatch(&owner, ret_firm))
                return e;
        e = load_firm(store, conn, restaurant, ret_firm, ret, why);
        if (e == ERR_OK && ret->document && !integration_can_dispatch(ret))
                record_done(ret);
        return e;
}

/* Of a claimed order that awaits one. Whoever calls one by hand meanwhile takes the lease. */
static enum err choose_firm(struct store *store, void *conn, struct store_claim *claim)
{
        struct target *target = &claim->order->targets[PARTY_COURIER];
        struct id firm;
        enum err e = load_chosen_firm(store, conn, &claim->due.restaurant, &claim->account, &firm,
                                      &claim->job.why);

        if (e != ERR_OK || !claim->account.document)
                return e;
        e = store->ops->choose(conn, claim, &firm, &claim->claimed, &claim->job.why);
        target->firm = firm;
        target->calls = 1;
        target->unsure = false; /* nobody was called yet, whoever let a lease run out */
        return e;
}

static enum err claim_courier(struct store *store, void *conn, struct store_claim *claim)
{
        enum err e = store->ops->claim(conn, claim, &claim->job.why);
        const struct target *target;

        if (e != ERR_OK || !claim->claimed)
                return e;
        target = &claim->order->targets[PARTY_COURIER];
        if (order_awaits_firm(claim->order))
                e = choose_firm(store, conn, claim);
        else if (!id_is_zero(&target->firm))
                e = load_firm(store, conn, &claim->due.restaurant, &target->firm, &claim->account,
                              &claim->job.why);
        return e;
}

enum err run_claim(struct store *store, void *conn, struct job *job)
{
        struct store_claim *claim = (struct store_claim *)job;
        char id[RECORD_ID_SIZE];
        enum err e;

        store_claim_done(claim);
        claim->claimed = false;
        if (claim->due.party == PARTY_COURIER)
                return claim_courier(store, conn, claim);
        /* First, so that nothing is left claimed for nobody where it fails. */
        connection_id(&claim->due.restaurant, claim->due.platform, id);
        e = store->ops->record_get(conn, RECORD_CONNECTION, id, &claim->account, &job->why);
        return e == ERR_OK ? store->ops->claim(conn, claim, &job->why) : e;
}

void store_claim_done(struct store_claim *claim)
{
        order_free(TAKE(claim->order));
        record_done(&claim->account);
}

enum err run_settle(struct store *store, void *conn, struct job *job)
{
        return store->ops->settle(conn, (struct store_settle *)job, &job->why);
}

void store_settle_done(struct store_settle *settle)
{
        free(TAKE(settle->row));
}

enum err run_release(struct store *store, void *conn, struct job *job)
{
        return store->ops->release(conn, (struct store_release *)job, &job->why);
}

enum err run_replay(struct store *store, void *conn, struct job *job)
{
        struct store_replay *replay = (struct store_replay *)job;
        CLEAN(order_free_at) struct order *order = NULL;
        const struct step *step;
        enum delivery state;
        bool replayed = false;
        enum err e;

        store_replay_done(replay);
        replay->outcome = REPLAY_UNKNOWN;
        e = store->ops->order_get(conn, scope_of(job), &replay->order, &order, &job->why);
        if (e != ERR_OK || !order || !target_state(order, replay->party, store_now(store), &state, &step))
                return e;
        replay->begun |= state == DELIVERY_FAILED;
        e = store->ops->replay(conn, order, replay->party, &replayed, &job->why);
        if (e != ERR_OK)
                return e;
        /* Of the run before nobody heard, but it had found it failed. */
        if (!replayed && !(job->repeated && replay->begun)) {
                replay->outcome = REPLAY_NOT_FAILED;
                return ERR_OK;
        }
        replay->outcome = REPLAY_DONE;
        e = store->ops->order_get(conn, &order->restaurant, &replay->order, &replay->stored, &job->why);
        if (e != ERR_OK || !replay->stored)
                return e;
        job_changed(job, &(struct due){order->id, order->restaurant, order->platform, replay->party},
                    replay->stored->rev, order->status, order->status);
        job->change.due[replay->party] = true;
        return ERR_OK;
}

void store_replay_done(struct store_replay *replay)
{
        order_free(TAKE(replay->stored));
}

enum err run_replay_all(struct store *store, void *conn, struct job *job)
{
        struct store_replay_all *replay = (struct store_replay_all *)job;
        enum err e;

        replay->replayed = 0;
        e = store->ops->replay_all(conn, replay, &job->why);
        replay->more = replay->replayed == REPLAY_ALL_MAX;
        job->changed = e == ERR_OK && replay->replayed > 0; /* an order of zeros: somebody look what is due */
        job->change = (struct change){.due = {[PARTY_PLATFORM] = true, [PARTY_COURIER] = true}};
        return e;
}

/* --- a courier firm is called by hand --- */

#define CALL_ROUNDS 3 /* somebody changed the order meanwhile */

static bool call_refuses(const struct order *order, enum call_outcome *ret)
{
        if (order->pickup)
                *ret = CALL_PICKUP;
        else if (order->platform_courier)
                *ret = CALL_PLATFORM_COURIER;
        else if (order->status >= STATUS_ON_THE_WAY)
                *ret = CALL_TOO_LATE;
        else
                return false;
        return true;
}

/* Whether the target's firm has the order, will soon have it, or may have it. */
static bool is_called(const struct target *target)
{
        return !id_is_zero(&target->firm) &&
               (target->told >= STEP_OF(STATUS_ACCEPTED) || target->at_ms > TARGET_NEVER || target->unsure);
}

static void call_made(struct store_call *call, const struct order *order, const struct id *firm, int64_t rev)
{
        call->outcome = CALL_CALLED;
        call->firm = *firm;
        job_changed(&call->job, &(struct due){order->id, order->restaurant, order->platform, PARTY_COURIER},
                    rev, order->status, order->status);
        call->job.change.due[PARTY_COURIER] = true;
}

/* *ret_over false: the order is not any more as it is given. */
static enum err try_call(struct store *store, void *conn, struct store_call *call, const struct order *order,
                         bool *ret_over)
{
        const struct target *target = &order->targets[PARTY_COURIER];
        const bool given = !id_is_zero(&call->firm), failed = target->dead[0];
        struct id firm = given ? call->firm : target->firm;
        const bool same = !id_is_zero(&firm) && id_equal(&firm, &target->firm);
        CLEAN(record_done) struct record record = {0};
        struct why *why = &call->job.why;
        enum err e;

        *ret_over = true;
        if (same && is_called(target) && !failed) {
                call->outcome = CALL_SAME;
                call->firm = firm;
                if (call->job.repeated && target->at_ms > TARGET_NEVER) /* of the run before nobody heard */
                        call_made(call, order, &firm, order->rev);
                return ERR_OK;
        }
        e = id_is_zero(&firm) ? load_chosen_firm(store, conn, &order->restaurant, &record, &firm, why)
                              : load_firm(store, conn, &order->restaurant, &firm, &record, why);
        if (e != ERR_OK)
                return e;
        call->outcome = !record.document && given                    ? CALL_UNKNOWN
                        : !integration_can_dispatch(&record)         ? CALL_NO_ADDRESS
                        : !same && is_called(target) && !call->again ? CALL_OTHER_FIRM
                                                                     : CALL_CALLED;
        if (call->outcome != CALL_CALLED)
                return ERR_OK;
        e = same && failed ? store->ops->replay(conn, order, PARTY_COURIER, ret_over, why)
                           : store->ops->call(conn, order, &firm, ret_over, why);
        if (e == ERR_OK && *ret_over)
                call_made(call, order, &firm, order->rev + 1);
        return e;
}

enum err run_call(struct store *store, void *conn, struct job *job)
{
        struct store_call *call = (struct store_call *)job;
        bool over = false;

        for (int round = 0; round < CALL_ROUNDS && !over; round++) {
                CLEAN(order_free_at) struct order *order = NULL;
                enum err e = store->ops->order_get(conn, scope_of(job), &call->order, &order, &job->why);

                if (e != ERR_OK)
                        return e;
                call->outcome = CALL_UNKNOWN;
                if (!order || call_refuses(order, &call->outcome))
                        return ERR_OK;
                e = try_call(store, conn, call, order, &over);
                if (e != ERR_OK)
                        return e;
        }
        return over ? ERR_OK : FAIL(&job->why, ERR_BUSY, "an order changed while a courier firm was called");
}

enum err run_probe(struct store *store, void *conn, struct job *job)
{
        struct store_probe *probe = (struct store_probe *)job;

        enum err e;

        probe->now_ms = store_now(store);
        e = store->ops->oldest_due(conn, &probe->oldest_due_ms, &job->why);
        for (int party = 0; party < PARTY_COUNT && probe->counts && e == ERR_OK; party++) {
                e = store->ops->count(conn, (enum party)party, /* failed= */ false, PROBE_COUNT_MAX,
                                      &probe->owed[party], &job->why);
                if (e == ERR_OK)
                        e = store->ops->count(conn, (enum party)party, /* failed= */ true, PROBE_COUNT_MAX,
                                              &probe->failed[party], &job->why);
        }
        return e;
}
