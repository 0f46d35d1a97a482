/* SPDX-License-Identifier: Apache-2.0 */
/* store_erase.c - what the verb of an erasure means: which orders, one after the other, and who hears of it.
 *
 * An order is read, changed and written by its rev, as a record is edited, so that what moves it meanwhile is not lost. */
#include "model/verbs.h"

#include "model/clean.h"

#define ERASE_ROUNDS 100 /* somebody changed the order meanwhile; a guess that nobody reaches */

/* Which they are is decided once: what a repeat finds erased at this very time, an earlier run of it did. */
static enum err choose(struct store *store, void *conn, struct store_erase *erase)
{
        const int64_t now_ms = erase->now_ms ? erase->now_ms : store_now(store);
        enum err e = ERR_OK;

        if (erase->at_ms)
                return ERR_OK;
        erase->n = 0;
        if (!id_is_zero(&erase->order))
                erase->found[erase->n++] = (struct due){.order = erase->order};
        else
                e = store->ops->find_personal(conn, erase, now_ms, &erase->job.why);
        if (e == ERR_OK)
                erase->at_ms = now_ms;
        return e;
}

static void note_erased(struct store_erase *erase, const struct order *order)
{
        erase->changes[erase->erased++] =
                (struct change){.order = order->id,
                                .restaurant = order->restaurant,
                                .platform = order->platform,
                                .rev = order->rev,
                                .before = order->status,
                                .after = order->status,
                                .due[PARTY_COURIER] = order->targets[PARTY_COURIER].at_ms > TARGET_NEVER};
}

/* Of one that does not read: whoever watches it cannot be shown it anyway. */
static enum err wipe(struct store *store, void *conn, struct store_erase *erase, const struct due *what)
{
        bool wiped = false;
        enum err e = store->ops->order_wipe(conn, what, erase->at_ms, &wiped, &erase->job.why);

        if (e == ERR_OK && wiped)
                note_erased(erase, &(struct order){.id = what->order, .restaurant = what->restaurant});
        return e;
}

static enum err erase_one(struct store *store, void *conn, struct store_erase *erase, const struct due *what)
{
        struct why *why = &erase->job.why;
        bool erased = false;

        for (int round = 0; round < ERASE_ROUNDS && !erased; round++) {
                CLEAN(order_free_at) struct order *order = NULL;
                enum err e =
                        store->ops->order_get(conn, id_is_zero(&what->restaurant) ? NULL : &what->restaurant,
                                              &what->order, &order, why);

                if (e == ERR_DAMAGED || (e == ERR_OK && !order))
                        return wipe(store, conn, erase, what);
                if (e != ERR_OK)
                        return e;
                if (order_is_erased(order)) {
                        if (erase->job.repeated && order->erased_ms == erase->at_ms)
                                note_erased(erase, order);
                        return ERR_OK;
                }
                e = order_erase(order, erase->at_ms, why);
                if (e == ERR_OK)
                        e = store->ops->order_erase(conn, order, &erased, why);
                if (e != ERR_OK)
                        return e;
                if (erased)
                        note_erased(erase, order);
        }
        return erased ? ERR_OK : FAIL(why, ERR_BUSY, "an order changed again and again while it was erased");
}

enum err run_erase(struct store *store, void *conn, struct job *job)
{
        struct store_erase *erase = (struct store_erase *)job;
        enum err e;

        erase->erased = 0;
        if (job->access.kind != ACCESS_TRUSTED)
                return FAIL(&job->why, ERR_FORBIDDEN, "only ourselves and the admin erase");
        e = choose(store, conn, erase);
        for (int i = 0; i < erase->n && e == ERR_OK; i++)
                e = erase_one(store, conn, erase, &erase->found[i]);
        job->changes = erase->changes;
        job->n_changes = erase->erased;
        return e;
}
