/* SPDX-License-Identifier: Apache-2.0 */
/* store_orders.c - what the verbs of orders mean: create, move, read, list, sweep. */
#include "model/verbs.h"

#include "model/clean.h"
#include "model/dialect.h"
#include "model/restaurant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where new orders go to no firm nobody need look: that costs a claim and a settlement. Should one be chosen later, the
 * order's next rank asks again. */
static enum err look_for_firm(struct store *store, void *conn, struct order *order, struct why *why)
{
        CLEAN(record_done) struct record restaurant = {0};
        char id[ID_TEXT_SIZE];
        struct id firm;
        enum err e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&order->restaurant, id),
                                            &restaurant, why);

        if (e == ERR_OK && !(restaurant.document && restaurant_dispatch(&restaurant, &firm)))
                order->targets[PARTY_COURIER].at_ms = TARGET_NOT_DUE;
        return e;
}

static enum err begin_order(struct store *store, void *conn, struct store_create *create)
{
        struct order *order = create->order;
        enum err e =
                order_begin(order, &create->job.restaurant, create->by, store_now(store), &create->job.why);

        if (e != ERR_OK)
                return e;
        order->targets[PARTY_COURIER].firm = create->firm;
        order->targets[PARTY_COURIER].calls = !id_is_zero(&create->firm);
        order->expires_ms = create->life_ms ? order->created_ms + create->life_ms : 0;
        return order_awaits_firm(order) ? look_for_firm(store, conn, order, &create->job.why) : ERR_OK;
}

enum err run_create(struct store *store, void *conn, struct job *job)
{
        struct store_create *create = (struct store_create *)job;
        CLEAN(order_free_at) struct order *same = NULL;
        struct order *order = create->order;
        enum insert insert;
        enum err e;

        e = order->n_moves == 0 ? begin_order(store, conn, create) : ERR_OK;
        if (e != ERR_OK)
                return e;
        e = store->ops->order_insert(conn, order, &insert, &job->why);
        if (e != ERR_OK)
                return e;
        if (insert == INSERT_SAME) {
                e = store->ops->order_find(conn, order, &same, &job->why);
                if (e != ERR_OK)
                        return e;
                if (!same)
                        return FAIL(&job->why, ERR_BUSY, "the same order went away while it was looked at");
                /* Ours, where nobody knew what came of the first run. */
                if (job->repeated && id_equal(&same->id, &order->id) && same->created_ms == order->created_ms)
                        insert = INSERT_NEW;
                order_free(create->order);
                order = create->order = TAKE(same);
        }
        create->outcome = insert == INSERT_NEW    ? CREATE_NEW
                          : insert == INSERT_SAME ? CREATE_SAME
                                                  : CREATE_TAKEN;
        if (insert != INSERT_NEW)
                return ERR_OK;
        job_changed(job, &(struct due){order->id, order->restaurant, order->platform, PARTY_COURIER},
                    order->rev, STATUS_COUNT, order->status);
        job->change.due[PARTY_COURIER] = order->targets[PARTY_COURIER].at_ms > TARGET_NEVER;
        return ERR_OK;
}

void store_create_done(struct store_create *create)
{
        order_free(TAKE(create->order));
}

/* A repeat must be recognised by the same key of the same integration; without a key, only by our own repeat of this job,
 * whose commit may have stood though the disk said that it failed. */
static enum err make_op(struct store_move *move, struct why *why)
{
        uint8_t text[sizeof(struct id) + IDEMPOTENCY_KEY_SIZE];
        const size_t n = strlen(move->idempotency_key);
        struct digest digest;

        if (move->op[0])
                return ERR_OK;
        if (n == 0) {
                if (!crypto_unique(digest.bytes))
                        return FAIL(why, ERR_INTERNAL, "no randomness");
        } else {
                memcpy(text, &move->job.integration, sizeof(struct id));
                memcpy(text + sizeof(struct id), move->idempotency_key, n);
                if (!crypto_sha256(text, sizeof(struct id) + n, &digest))
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a digest");
        }
        hex_write(digest.bytes, (OP_TEXT_SIZE - 1) / 2, move->op);
        return ERR_OK;
}

/* A cancel needs a reason: the platform's "other" where none is given and it has one. */
static enum err fill_reason(struct store *store, void *conn, struct store_move *move)
{
        CLEAN(order_free_at) struct order *order = NULL;
        const struct dialect *dialect;
        enum err e;

        if (move->to != STATUS_CANCELLED || move->reason[0] || move->told)
                return ERR_OK;
        e = store->ops->order_get(conn, scope_of(&move->job), &move->order, &order, &move->job.why);
        if (e != ERR_OK || !order)
                return e;
        dialect = dialect_of(order->platform);
        if (!dialect || status_is_final(order->status))
                return ERR_OK;
        if (!dialect->other_reason)
                return FAIL_FIELD(&move->job.why, "reasonId", "%s has no other reason",
                                  platform_word(order->platform));
        text_copy(move->reason, sizeof move->reason, dialect->other_reason);
        return ERR_OK;
}

bool move_concerns_courier(enum status to)
{
        return to != STATUS_ON_THE_WAY && to != STATUS_DELIVERED;
}

bool move_tells(const struct store_move *move)
{
        if (!move->told || move->outcome == MOVE_SAME)
                return move->told;
        return move->by == ACTOR_PLATFORM && move->to < STATUS_CANCELLED &&
               (move->outcome == MOVE_PAST || move->outcome == MOVE_FINAL);
}

void move_explain(const struct order *order, const char *op, struct store_move *move)
{
        const struct move *row = NULL;

        for (int i = 0; i < order->n_moves; i++)
                if (streq(order->moves[i].op, op))
                        row = &order->moves[i];
        if (row)
                move->outcome = row->to == move->to ? MOVE_MOVED : MOVE_KEY_REUSED;
        else if (status_is_final(order->status) && (order->status != move->to || move->by == ACTOR_COURIER))
                move->outcome = MOVE_FINAL;
        else
                move->outcome = order->status == move->to ? MOVE_SAME : MOVE_PAST;
        if (!row)
                row = order_find_move(order, order->status);
        move->status = row ? row->to : order->status;
        move->at_ms = row ? row->at_ms : order->updated_ms;
}

enum err run_move(struct store *store, void *conn, struct job *job)
{
        struct store_move *move = (struct store_move *)job;
        struct move row = {
                .to = move->to, .at_ms = store_now(store), .by = move->by, .integration = job->integration};
        enum err e;

        store_move_done(move);
        e = make_op(move, &job->why);
        if (e == ERR_OK)
                e = fill_reason(store, conn, move);
        if (e != ERR_OK)
                return e;
        text_copy(row.op, sizeof row.op, move->op);
        text_copy(row.reason, sizeof row.reason, move->reason);
        if (move->note) {
                row.note = strdup(move->note);
                if (!row.note)
                        return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a note");
        }
        e = store->ops->order_move(conn, move, &row, &job->why);
        free(row.note);
        if (e != ERR_OK || !move->want_order || move->outcome == MOVE_UNKNOWN)
                return e;
        return store->ops->order_get(conn, scope_of(job), &move->order, &move->stored, &job->why);
}

void store_move_done(struct store_move *move)
{
        order_free(TAKE(move->stored));
}

enum err run_rewrite(struct store *store, void *conn, struct job *job)
{
        struct store_rewrite *rewrite = (struct store_rewrite *)job;
        CLEAN(order_free_at) struct order *order = NULL;
        bool written = false;
        enum err e = store->ops->order_rewrite(conn, rewrite, store_now(store), &written, &job->why);

        if (e == ERR_OK && !written)
                e = store->ops->order_get(conn, scope_of(job), &rewrite->order, &order, &job->why);
        rewrite->outcome = written ? REWRITE_DONE : order ? REWRITE_LATE : REWRITE_UNKNOWN;
        return e;
}

enum err run_read(struct store *store, void *conn, struct job *job)
{
        struct store_read *read = (struct store_read *)job;

        store_read_done(read);
        return store->ops->order_get(conn, scope_of(job), &read->order, &read->stored, &job->why);
}

void store_read_done(struct store_read *read)
{
        order_free(TAKE(read->stored));
}

#define LIST_BYTES_MAX (4 << 20)

/* --- pages: a cursor is `<created>-<id>` of the last one shown --- */

struct collector {
        struct store_list *list;
        int64_t now_ms;
        size_t bytes;
};

static bool has_delivery(const struct order *order, enum delivery wanted, int64_t now_ms)
{
        const struct step *step;
        enum delivery state;

        for (int party = 0; party < PARTY_COUNT; party++)
                if (target_state(order, (enum party)party, now_ms, &state, &step) && state == wanted)
                        return true;
        return false;
}

static bool collect(void *arg, struct order **order)
{
        struct collector *c = arg;
        struct store_list *list = c->list;
        char id[ID_TEXT_SIZE];

        if (list->has_delivery && !has_delivery(*order, list->delivery, c->now_ms))
                return true;
        if (list->n == list->limit || c->bytes > LIST_BYTES_MAX) {
                const struct order *last = list->orders[list->n - 1];

                cursor_write(list->next, last->created_ms, id_write(&last->id, id));
                return false;
        }
        if ((*order)->document)
                c->bytes += strlen((*order)->document);
        list->orders[list->n++] = TAKE(*order);
        return true;
}

enum err run_list(struct store *store, void *conn, struct job *job)
{
        struct store_list *list = (struct store_list *)job;
        struct collector collector = {.list = list, .now_ms = store_now(store)};
        struct page page;
        enum err e;

        store_list_done(list);
        e = page_of(job, list->after, &page, &job->why);
        if (e != ERR_OK)
                return e;
        list->orders = calloc((size_t)list->limit, sizeof *list->orders);
        if (!list->orders)
                return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a page");
        return store->ops->order_scan(conn, list, &page, collect, &collector, &job->why);
}

void store_list_done(struct store_list *list)
{
        for (int i = 0; i < list->n; i++)
                order_free(list->orders[i]);
        free(TAKE(list->orders));
        list->n = 0;
        list->next[0] = '\0';
}

enum err run_changes(struct store *store, void *conn, struct job *job)
{
        struct store_changes *changes = (struct store_changes *)job;

        store_changes_done(changes);
        if (job->access.kind != ACCESS_TRUSTED)
                return FAIL(&job->why, ERR_FORBIDDEN, "only ourselves look at what changed");
        changes->found = calloc((size_t)changes->max, sizeof *changes->found);
        if (!changes->found)
                return FAIL(&job->why, ERR_NO_MEMORY, "no memory for what changed");
        return store->ops->changes(conn, changes, &job->why);
}

void store_changes_done(struct store_changes *changes)
{
        free(TAKE(changes->found));
        changes->n = 0;
}

enum err run_sweep(struct store *store, void *conn, struct job *job)
{
        struct store_sweep *sweep = (struct store_sweep *)job;

        sweep->swept = 0;
        return store->ops->sweep(conn, sweep, &job->why);
}
