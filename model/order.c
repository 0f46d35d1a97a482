/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - an order's birth and death, its history as kept, and how it and what it owes are shown. */
#include "model/order.h"

#include "model/clean.h"
#include "model/dialect.h"

#include <assert.h>
#include <string.h>

#define ACTOR_WORD(name, word) word,
static const char *const actor_words[ACTOR_COUNT] = {ACTOR_TABLE(ACTOR_WORD)};
#undef ACTOR_WORD

/* ---- birth and death ---- */

enum err order_begin(struct order *order, const struct id *restaurant, enum actor by, int64_t now_ms,
                     struct why *why)
{
        struct target *targets = order->targets;
        char number[ID_TEXT_SIZE];

        if (id_is_zero(&order->id) && !id_make(now_ms, &order->id))
                return FAIL(why, ERR_INTERNAL, "no randomness for an id");
        if (!order->platform_order_id) {
                order->platform_order_id = strdup(id_write(&order->id, number));
                if (!order->platform_order_id)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        }
        order->restaurant = *restaurant;
        order->rev = 1;
        order->created_ms = order->updated_ms = now_ms;
        order->moves[0] = (struct move){.to = order->status, .at_ms = now_ms, .by = by};
        order->n_moves = 1;
        /* Whoever sent it knows its status; a courier knows nothing of it, and nobody calls one yet. */
        for (int party = 0; party < PARTY_COUNT; party++)
                targets[party] = (struct target){.want = STEP_OF(order->status), .at_ms = TARGET_NEVER};
        targets[PARTY_PLATFORM].told = targets[PARTY_PLATFORM].want;
        if (dialect_of(order->platform))
                targets[PARTY_PLATFORM].at_ms = TARGET_NOT_DUE;
        return ERR_OK;
}

static void free_notes(struct move *moves, int n)
{
        for (int i = 0; i < n; i++)
                free(TAKE(moves[i].note));
}

void order_free(struct order *order)
{
        if (!order)
                return;
        free_notes(order->moves, order->n_moves);
        for (int party = 0; party < PARTY_COUNT; party++)
                free(order->targets[party].log);
        free(order->platform_order_id);
        free(order->document);
        free(order);
}

void order_free_at(struct order **at)
{
        order_free(*at);
}

const struct move *order_last_move(const struct order *order)
{
        assert(order->n_moves > 0);
        return &order->moves[order->n_moves - 1];
}

const struct move *order_find_move(const struct order *order, enum status status)
{
        for (int i = 0; i < order->n_moves; i++)
                if (order->moves[i].to == status)
                        return &order->moves[i];
        return NULL;
}

/* ---- history, as a store keeps it ---- */

static const char *text_or_null(const char *text)
{
        return text && text[0] ? text : NULL;
}

static bool add_id_or_null(struct json_object *to, const char *key, const struct id *id)
{
        return id_is_zero(id) ? json_add(to, key, NULL) : json_add_id(to, key, id);
}

/* Appends and takes the item's ownership in every case; NULL is what could not be made. */
static bool append(struct json_object *array, struct json_object *item)
{
        if (item && json_object_array_add(array, item) == 0)
                return true;
        json_object_put(item);
        return false;
}

/* What is empty is left out: a row is read and written with every move. */
static struct json_object *write_move(const struct move *move)
{
        CLEAN(json_put_at) struct json_object *row = json_object_new_object();

        if (!row || !json_add_int(row, "s", (int64_t)move->to) || !json_add_int(row, "at", move->at_ms) ||
            !json_add_int(row, "by", (int64_t)move->by))
                return NULL;
        if (move->op[0] && !json_add_text(row, "op", move->op))
                return NULL;
        if (!id_is_zero(&move->integration) && !json_add_id(row, "i", &move->integration))
                return NULL;
        if (move->reason[0] && !json_add_text(row, "r", move->reason))
                return NULL;
        if (move->note && !json_add_text(row, "n", move->note))
                return NULL;
        return TAKE(row);
}

char *move_write(const struct move *move)
{
        CLEAN(json_put_at) struct json_object *row = write_move(move);

        return row ? json_text(row) : NULL;
}

char *moves_write(const struct move *moves, int n)
{
        CLEAN(json_put_at) struct json_object *rows = json_object_new_array();

        for (int i = 0; i < n; i++)
                if (!rows || !append(rows, write_move(&moves[i])))
                        return NULL;
        return rows ? json_text(rows) : NULL;
}

/* A text that may be absent, into a bounded place. */
static bool read_text(struct json_object *row, const char *key, char *to, size_t size)
{
        const char *text = json_get_text(row, key);

        return text_copy(to, size, text ? text : "");
}

static enum err read_move(struct json_object *row, struct move *ret, struct why *why)
{
        int64_t to = json_get_int(row, "s", -1), by = json_get_int(row, "by", -1);
        const char *integration = json_get_text(row, "i"), *note = json_get_text(row, "n");
        struct move move = {.at_ms = json_get_int(row, "at", -1)};

        if (to < 0 || to >= STATUS_COUNT || by < 0 || by >= ACTOR_COUNT || move.at_ms < 0 ||
            !read_text(row, "op", move.op, sizeof move.op) ||
            !read_text(row, "r", move.reason, sizeof move.reason) ||
            (integration && !id_read(integration, &move.integration)))
                return FAIL(why, ERR_STORE_BROKEN, "a row of a history is not what was written");
        move.to = (enum status)to;
        move.by = (enum actor)by;
        if (note) {
                move.note = strdup(note);
                if (!move.note)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        }
        *ret = move;
        return ERR_OK;
}

enum err moves_read(struct order *order, const char *text, struct why *why)
{
        CLEAN(json_put_at) struct json_object *rows = NULL;
        struct move moves[MOVES_MAX];
        size_t n;
        enum err e = json_read_any(text, strlen(text), &rows, NULL);

        if (e == ERR_NO_MEMORY)
                return FAIL(why, e, "no memory for a history");
        if (e || !json_object_is_type(rows, json_type_array))
                return FAIL(why, ERR_STORE_BROKEN, "a history is no array");
        n = json_object_array_length(rows);
        if (n < 1 || n > MOVES_MAX)
                return FAIL(why, ERR_STORE_BROKEN, "a history has %zu rows", n);
        for (size_t i = 0; i < n; i++) {
                e = read_move(json_object_array_get_idx(rows, i), &moves[i], why);
                if (e) {
                        free_notes(moves, (int)i);
                        return e;
                }
        }
        free_notes(order->moves, order->n_moves);
        memcpy(order->moves, moves, n * sizeof *moves);
        order->n_moves = (int)n;
        return ERR_OK;
}

/* ---- a delivery, as it is shown ---- */

/* The log's array, empty where there is none; NULL without memory. */
static struct json_object *write_log(const struct target *target)
{
        struct json_object *rows = NULL;
        enum err e = target->log ? json_read_any(target->log, strlen(target->log), &rows, NULL) : ERR_OK;

        if (e == ERR_NO_MEMORY)
                return NULL;
        if (json_object_is_type(rows, json_type_array))
                return rows;
        json_object_put(rows);
        return json_object_new_array();
}

static bool add_delivery_id(struct json_object *to, const struct order *order, enum party party)
{
        char text[ID_TEXT_SIZE + 16];
        size_t n;

        id_write(&order->id, text);
        n = strlen(text);
        text[n] = '-';
        return text_copy(text + n + 1, sizeof text - n - 1, party_word(party)) &&
               json_add_text(to, "deliveryId", text) && json_add_id(to, "orderId", &order->id);
}

/* The log's newest row tells why it still waits, and since when it is so. */
static bool add_course(struct json_object *to, const struct order *order, const struct target *target,
                       enum delivery state)
{
        CLEAN(json_put_at) struct json_object *rows = write_log(target);
        struct json_object *last;
        const char *reason = NULL, *at;
        size_t n;

        if (!rows)
                return false;
        n = json_object_array_length(rows);
        last = n > 0 ? json_object_array_get_idx(rows, n - 1) : NULL;
        at = json_get_text(last, "at");
        if (target->dead[0])
                reason = target->dead;
        else if (state == DELIVERY_PENDING && target->tries > 0)
                reason = json_get_text(last, "reason");
        if (!(state == DELIVERY_PENDING && target->at_ms > 0 ? json_add_time(to, "nextTryAt", target->at_ms)
                                                             : json_add(to, "nextTryAt", NULL)))
                return false;
        if (!json_add_text(to, "reason", reason))
                return false;
        if (!(at ? json_add_text(to, "updatedAt", at) : json_add_time(to, "updatedAt", order->updated_ms)))
                return false;
        return json_add(to, "log", TAKE(rows));
}

struct json_object *delivery_write(const struct order *order, enum party party, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *delivery = json_object_new_object();
        const struct target *target = &order->targets[party];
        const struct step *step = NULL;
        enum delivery state = DELIVERY_SKIPPED;

        target_state(order, party, now_ms, &state, &step);
        if (!delivery || !add_delivery_id(delivery, order, party))
                return NULL;
        /* No firm is called yet, so that none can be named. */
        if (!(party == PARTY_PLATFORM ? json_add_text(delivery, "platform", platform_word(order->platform))
                                      : json_add(delivery, "integrationId", NULL)))
                return NULL;
        if (!json_add_text(delivery, "state", delivery_word(state)) ||
            !json_add_text(delivery, "step", step ? step->name : NULL) ||
            !json_add_int(delivery, "tries", target->tries) || !add_course(delivery, order, target, state))
                return NULL;
        return TAKE(delivery);
}

static struct json_object *write_deliveries(const struct order *order, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *deliveries = json_object_new_array();

        if (!deliveries)
                return NULL;
        for (int party = 0; party < PARTY_COUNT; party++) {
                enum delivery state;
                const struct step *step;

                if (!target_state(order, (enum party)party, now_ms, &state, &step))
                        continue;
                if (!append(deliveries, delivery_write(order, (enum party)party, now_ms)))
                        return NULL;
        }
        return TAKE(deliveries);
}

/* ---- an order, as it is shown ---- */

static struct json_object *write_row(const struct move *move)
{
        CLEAN(json_put_at) struct json_object *row = json_object_new_object();

        if (!row || !json_add_text(row, "status", status_word(move->to)) ||
            !json_add_time(row, "at", move->at_ms) || !json_add_text(row, "by", actor_words[move->by]) ||
            !add_id_or_null(row, "integrationId", &move->integration) ||
            !json_add_text(row, "reasonId", text_or_null(move->reason)) ||
            !json_add_text(row, "note", move->note))
                return NULL;
        return TAKE(row);
}

static struct json_object *write_history(const struct order *order)
{
        CLEAN(json_put_at) struct json_object *rows = json_object_new_array();

        for (int i = 0; i < order->n_moves; i++)
                if (!rows || !append(rows, write_row(&order->moves[i])))
                        return NULL;
        return TAKE(rows);
}

static bool add_head(struct json_object *to, const struct order *order)
{
        return json_add_id(to, "orderId", &order->id) &&
               json_add_id(to, "restaurantId", &order->restaurant) &&
               json_add_text(to, "platform", platform_word(order->platform)) &&
               json_add_text(to, "platformOrderId", order->platform_order_id) &&
               json_add_text(to, "status", status_word(order->status)) &&
               json_add_text(to, "courierType", order->platform_courier ? "platform" : "restaurant") &&
               json_add_text(to, "orderType", order->pickup ? "gel_al" : "paket_servis") &&
               json_add_int(to, "hazirlanmaSuresiDk", order->prep_minutes) &&
               (order->scheduled_ms ? json_add_time(to, "scheduledDate", order->scheduled_ms)
                                    : json_add(to, "scheduledDate", NULL)) &&
               json_add_int(to, "rev", order->rev) && json_add_time(to, "createdAt", order->created_ms) &&
               json_add_time(to, "updatedAt", order->updated_ms);
}

static bool add_document(struct json_object *to, const char *text)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct json_object_iterator at, end;

        if (!text)
                return true;
        if (json_read(text, strlen(text), &document, NULL))
                return false;
        at = json_object_iter_begin(document);
        for (end = json_object_iter_end(document); !json_object_iter_equal(&at, &end);
             json_object_iter_next(&at))
                if (!json_add(to, json_object_iter_peek_name(&at),
                              json_object_get(json_object_iter_peek_value(&at))))
                        return false;
        return true;
}

struct json_object *order_write(const struct order *order, bool whole, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *out = json_object_new_object();
        struct json_object *rows;

        if (!out || !add_head(out, order) || !add_document(out, order->document))
                return NULL;
        if (!whole)
                return TAKE(out);
        rows = write_history(order);
        if (!rows || !json_add(out, "history", rows))
                return NULL;
        rows = write_deliveries(order, now_ms);
        if (!rows || !json_add(out, "deliveries", rows))
                return NULL;
        return TAKE(out);
}
