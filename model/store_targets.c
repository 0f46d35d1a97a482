/* SPDX-License-Identifier: Apache-2.0 */
/* store_targets.c - what the verbs of targets mean: due, claim, settle, release, replay. */
#include "model/verbs.h"

#include "model/clean.h"
#include "model/connection.h"

#include <stdlib.h>

enum err run_due(struct store *store, void *conn, struct job *job)
{
        struct store_due *due = (struct store_due *)job;

        due->n = 0;
        due->next_ms = 0;
        return store->ops->due(conn, due, &job->why);
}

enum err run_claim(struct store *store, void *conn, struct job *job)
{
        struct store_claim *claim = (struct store_claim *)job;
        char id[RECORD_ID_SIZE];
        enum err e;

        store_claim_done(claim);
        claim->claimed = false;
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

enum err run_probe(struct store *store, void *conn, struct job *job)
{
        struct store_probe *probe = (struct store_probe *)job;

        probe->now_ms = store_now(store);
        return store->ops->oldest_due(conn, &probe->oldest_due_ms, &job->why);
}
