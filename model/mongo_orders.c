/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_orders.c - an order as one document: born whole, moved by one findAndModify. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <stdlib.h>
#include <string.h>

#define MOVE_ROUNDS 3 /* the order came or went between the two questions of a move; docs/design.md 5 */

/* ---- to a document ---- */

static void append_move(bson_t *to, const char *key, const struct move *move)
{
        bson_t row;

        BSON_APPEND_DOCUMENT_BEGIN(to, key, &row);
        BSON_APPEND_UTF8(&row, "status", status_word(move->to));
        BSON_APPEND_DATE_TIME(&row, "at", move->at_ms);
        BSON_APPEND_UTF8(&row, "by", actor_word(move->by));
        if (move->op[0])
                BSON_APPEND_UTF8(&row, "op", move->op);
        if (!id_is_zero(&move->integration))
                BSON_APPEND_OID(&row, "integrationId", oid_of(&move->integration));
        if (move->reason[0])
                BSON_APPEND_UTF8(&row, "reasonId", move->reason);
        if (move->note)
                BSON_APPEND_UTF8(&row, "note", move->note);
        bson_append_document_end(to, &row);
}

/* `until` is always there: `$lte` does not match what is absent. */
static bool append_target(bson_t *to, enum party party, const struct target *target)
{
        bool ok;
        bson_t part;

        BSON_APPEND_DOCUMENT_BEGIN(to, party_word(party), &part);
        BSON_APPEND_INT32(&part, "want", target->want);
        BSON_APPEND_INT32(&part, "told", target->told);
        if (target->told_at_ms)
                BSON_APPEND_DATE_TIME(&part, "toldAt", target->told_at_ms);
        BSON_APPEND_BOOL(&part, "unsure", target->unsure);
        BSON_APPEND_INT32(&part, "try", target->tries);
        if (target->at_ms != TARGET_NOT_DUE)
                BSON_APPEND_DATE_TIME(&part, "at", target->at_ms);
        BSON_APPEND_DATE_TIME(&part, "until", 0);
        if (target->dead[0])
                BSON_APPEND_UTF8(&part, "dead", target->dead);
        if (!id_is_zero(&target->firm))
                BSON_APPEND_OID(&part, "firm", oid_of(&target->firm));
        if (target->calls)
                BSON_APPEND_INT32(&part, "calls", target->calls);
        ok = mongo_append_json(&part, "log", target->log);
        bson_append_document_end(to, &part);
        return ok;
}

static void append_head(bson_t *to, const struct order *order)
{
        BSON_APPEND_OID(to, "_id", oid_of(&order->id));
        BSON_APPEND_OID(to, "restaurantId", oid_of(&order->restaurant));
        BSON_APPEND_UTF8(to, "platform", platform_word(order->platform));
        BSON_APPEND_UTF8(to, "platformOrderId", order->platform_order_id);
        BSON_APPEND_UTF8(to, "status", status_word(order->status));
        BSON_APPEND_INT32(to, "rank", (int32_t)order->status);
        BSON_APPEND_INT64(to, "rev", order->rev);
        BSON_APPEND_DATE_TIME(to, "createdAt", order->created_ms);
        BSON_APPEND_DATE_TIME(to, "updatedAt", order->updated_ms);
        BSON_APPEND_DATE_TIME(to, "seenAt", order->updated_ms);
        BSON_APPEND_UTF8(to, "courierType", order->platform_courier ? "platform" : "restaurant");
        BSON_APPEND_UTF8(to, "orderType", order->pickup ? "gel_al" : "paket_servis");
        BSON_APPEND_INT32(to, "hazirlanmaSuresiDk", order->prep_minutes);
        if (order->scheduled_ms)
                BSON_APPEND_DATE_TIME(to, "scheduledDate", order->scheduled_ms);
        if (order->expires_ms)
                BSON_APPEND_DATE_TIME(to, "expiresAt", order->expires_ms);
        if (order->erased_ms)
                BSON_APPEND_DATE_TIME(to, "erasedAt", order->erased_ms);
        BSON_APPEND_UTF8(to, "phone", order->phone);
}

/* NULL without memory, or where a text of it is no JSON. */
static bson_t *order_document(const struct order *order)
{
        CLEAN(bson_free_at) bson_t *to = bson_new();
        bson_t part;
        char text[16];
        const char *key;
        bool ok = true;

        append_head(to, order);
        BSON_APPEND_ARRAY_BEGIN(to, "history", &part);
        for (int i = 0; i < order->n_moves; i++) {
                bson_uint32_to_string((uint32_t)i, &key, text, sizeof text);
                append_move(&part, key, &order->moves[i]);
        }
        bson_append_array_end(to, &part);
        BSON_APPEND_DOCUMENT_BEGIN(to, "out", &part);
        for (int party = 0; party < PARTY_COUNT; party++)
                ok &= append_target(&part, (enum party)party, &order->targets[party]);
        bson_append_document_end(to, &part);
        ok &= mongo_append_json(to, "document", order->document);
        return ok ? TAKE(to) : NULL;
}

/* ---- from a document ---- */

static enum err read_move(const bson_t *row, struct move *ret, struct why *why)
{
        const char *note = mongo_text(row, "note");
        struct move move = {.at_ms = mongo_time(row, "at", 0)};

        if (!status_find(mongo_text(row, "status"), &move.to) ||
            !actor_find(mongo_text(row, "by"), &move.by) ||
            !text_copy(move.op, sizeof move.op, mongo_text(row, "op")) ||
            !text_copy(move.reason, sizeof move.reason, mongo_text(row, "reasonId")))
                return FAIL(why, ERR_DAMAGED, "a row of a history is not what was written");
        mongo_id(row, "integrationId", &move.integration);
        move.note = note[0] ? strdup(note) : NULL;
        if (note[0] && !move.note)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        *ret = move;
        return ERR_OK;
}

static enum err read_history(const bson_t *from, struct order *order, struct why *why)
{
        bson_t rows, row;
        char text[16];
        const char *key;

        if (!mongo_part(from, "history", &rows))
                return FAIL(why, ERR_DAMAGED, "an order has no history");
        for (int i = 0; i < MOVES_MAX; i++) {
                enum err e;

                bson_uint32_to_string((uint32_t)i, &key, text, sizeof text);
                if (!mongo_part(&rows, key, &row))
                        break;
                e = read_move(&row, &order->moves[i], why);
                if (e != ERR_OK)
                        return e;
                order->n_moves = i + 1;
        }
        return order->n_moves ? ERR_OK : FAIL(why, ERR_DAMAGED, "an order's history is empty");
}

static bool is_of(const bson_t *from, const char *key, bson_type_t type)
{
        bson_iter_t at;

        return bson_iter_init_find(&at, from, key) && bson_iter_type(&at) == type;
}

/* False: its marks are not such that a settlement could match them, or be added to them. */
static bool read_target(const bson_t *out, enum party party, struct target *ret)
{
        bson_t from;

        if (!mongo_part(out, party_word(party), &from))
                return !bson_has_field(out, party_word(party));
        *ret = (struct target){.want = (int)mongo_int(&from, "want", 0),
                               .told = (int)mongo_int(&from, "told", 0),
                               .told_at_ms = mongo_time(&from, "toldAt", 0),
                               .unsure = mongo_bool(&from, "unsure"),
                               .tries = (int)mongo_int(&from, "try", 0),
                               .at_ms = mongo_time(&from, "at", TARGET_NOT_DUE),
                               .calls = (int)mongo_int(&from, "calls", 0),
                               .log = mongo_json(&from, "log")};
        mongo_id(&from, "firm", &ret->firm);
        text_copy(ret->dead, sizeof ret->dead, mongo_text(&from, "dead"));
        return mongo_int(&from, "want", -1) >= 0 && mongo_int(&from, "told", -1) >= 0 &&
               (!bson_has_field(&from, "log") || (is_of(&from, "log", BSON_TYPE_ARRAY) && ret->log));
}

static enum err read_order(const bson_t *from, bool whole, struct order **ret, struct why *why)
{
        CLEAN(order_free_at) struct order *o = calloc(1, sizeof *o);
        bson_t out;
        enum err e;

        if (!o)
                return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        if (!mongo_id(from, "_id", &o->id) || !mongo_id(from, "restaurantId", &o->restaurant) ||
            !platform_find(mongo_text(from, "platform"), &o->platform) ||
            !status_find(mongo_text(from, "status"), &o->status) || mongo_int(from, "rev", 0) < 1 ||
            !mongo_part(from, "out", &out))
                return FAIL(why, ERR_DAMAGED, "its document does not read");
        o->platform_order_id = strdup(mongo_text(from, "platformOrderId"));
        if (!o->platform_order_id)
                return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        o->rev = mongo_int(from, "rev", 0);
        o->created_ms = mongo_time(from, "createdAt", 0);
        o->updated_ms = mongo_time(from, "updatedAt", 0);
        o->seen_ms = mongo_time(from, "seenAt", o->updated_ms);
        o->platform_courier = streq(mongo_text(from, "courierType"), "platform");
        o->pickup = streq(mongo_text(from, "orderType"), "gel_al");
        o->prep_minutes = (int)mongo_int(from, "hazirlanmaSuresiDk", 0);
        o->scheduled_ms = mongo_time(from, "scheduledDate", 0);
        o->expires_ms = mongo_time(from, "expiresAt", 0);
        o->erased_ms = mongo_time(from, "erasedAt", 0);
        for (int party = 0; party < PARTY_COUNT; party++)
                if (!read_target(&out, (enum party)party, &o->targets[party]))
                        return FAIL(why, ERR_DAMAGED, "what it owes does not read, or there is no memory");
        o->document = mongo_json(from, "document");
        if ((whole || bson_has_field(from, "document")) &&
            !(o->document && is_of(from, "document", BSON_TYPE_DOCUMENT)))
                return FAIL(why, ERR_DAMAGED, "its content does not read, or there is no memory");
        e = read_history(from, o, why);
        if (e == ERR_OK)
                *ret = TAKE(o);
        return e;
}

enum err mongo_order_read(struct mongo_conn *conn, const bson_t *from, bool whole, struct order **ret,
                          struct why *why)
{
        const enum err e = read_order(from, whole, ret, why);
        char text[ID_TEXT_SIZE] = "";
        struct why how = *why;
        struct id id;

        if (e != ERR_DAMAGED)
                return e;
        if (mongo_id(from, "_id", &id))
                id_write(&id, text);
        store_damaged(conn->store, "order", text, how.text, why);
        return e; /* not what the call gave, which is the same: an analyzer shall see that it is no success */
}

static enum err read_one(struct mongo_conn *conn, bson_t *filter, struct order **ret, struct why *why)
{
        CLEAN(bson_free_at) bson_t *found = NULL;
        enum err e = mongo_find_one(conn, conn->orders, filter, NULL, &found, why);

        return e == ERR_OK && found ? mongo_order_read(conn, found, /* whole= */ true, ret, why) : e;
}

/* ---- get, find, insert ---- */

bson_t *mongo_order_filter(const struct id *restaurant, const struct id *id)
{
        bson_t *filter = BCON_NEW("_id", BCON_OID(oid_of(id)));

        if (restaurant)
                BSON_APPEND_OID(filter, "restaurantId", oid_of(restaurant));
        return filter;
}

enum err mongo_order_get(void *conn, const struct id *restaurant, const struct id *id, struct order **ret,
                         struct why *why)
{
        return read_one(conn, mongo_order_filter(restaurant, id), ret, why);
}

enum err mongo_order_find(void *conn, const struct order *like, struct order **ret, struct why *why)
{
        return read_one(conn,
                        BCON_NEW("restaurantId", BCON_OID(oid_of(&like->restaurant)), "platform",
                                 BCON_UTF8(platform_word(like->platform)), "platformOrderId",
                                 BCON_UTF8(like->platform_order_id)),
                        ret, why);
}

enum err mongo_order_insert(void *arg, const struct order *order, enum insert *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        CLEAN(order_free_at) struct order *same = NULL;
        bool taken = false;
        enum err e = mongo_insert(conn, conn->orders, order_document(order), &taken, why);

        *ret = INSERT_NEW;
        if (e != ERR_OK || !taken)
                return e;
        e = mongo_order_find(conn, order, &same, why);
        *ret = same ? INSERT_SAME : INSERT_TAKEN;
        return e;
}

/* ---- moves ---- */

static bson_t *move_filter(const struct store_move *move)
{
        bson_t *filter = mongo_order_filter(&move->job.restaurant, &move->order);

        BCON_APPEND(filter, "rank", "{", "$lt", BCON_INT32((int32_t)status_bound(move->to)), "}",
                    "history.op", "{", "$ne", BCON_UTF8(move->op), "}");
        return filter;
}

/* model: fact */
static bson_t *move_update(const struct store_move *move, const struct move *row)
{
        const int32_t want = STEP_OF((int32_t)move->to);
        struct mongo_change change;

        mongo_change_begin(&change);
        BSON_APPEND_UTF8(&change.set, "status", status_word(move->to));
        BSON_APPEND_INT32(&change.set, "rank", (int32_t)move->to);
        BSON_APPEND_DATE_TIME(&change.set, "updatedAt", row->at_ms);
        if (move->prep_minutes)
                BSON_APPEND_INT32(&change.set, "hazirlanmaSuresiDk", move->prep_minutes);
        BSON_APPEND_INT64(&change.inc, "rev", 1);
        append_move(&change.push, "history", row);
        BSON_APPEND_INT32(&change.set, "out.platform.want", want);
        BSON_APPEND_INT32(&change.set, "out.platform.try", 0);
        BSON_APPEND_UTF8(&change.unset, "out.platform.dead", ""); /* model: a new life */
        if (move->told)
                BSON_APPEND_INT32(&change.max, "out.platform.told", want); /* model: told */
        else
                BSON_APPEND_DATE_TIME(&change.min, "out.platform.at", row->at_ms); /* model: due at once */
        if (move_concerns_courier(move->to)) {
                BSON_APPEND_INT32(&change.set, "out.courier.want", want);
                BSON_APPEND_INT32(&change.set, "out.courier.try", 0);
                BSON_APPEND_UTF8(&change.unset, "out.courier.dead", "");
                BSON_APPEND_DATE_TIME(&change.min, "out.courier.at", row->at_ms);
        }
        change.seen = true;
        return mongo_change_end(&change);
}

/* Whether there ever is anything to call, and nobody is about it: who is will find that `want` has moved. */
static bool can_be_due(const bson_t *found, enum party party, int64_t now_ms)
{
        bson_t out, target;

        return mongo_part(found, "out", &out) && mongo_part(&out, party_word(party), &target) &&
               mongo_time(&target, "at", TARGET_NOT_DUE) != TARGET_NEVER &&
               mongo_time(&target, "until", 0) <= now_ms;
}

static enum err note_change(struct store_move *move, const bson_t *before, struct why *why)
{
        struct due what = {.order = move->order, .restaurant = move->job.restaurant};
        enum status status;

        if (!status_find(mongo_text(before, "status"), &status) ||
            !platform_find(mongo_text(before, "platform"), &what.platform))
                return FAIL(why, ERR_STORE_BROKEN, "an order's document does not read");
        job_changed(&move->job, &what, mongo_int(before, "rev", 0) + 1, status, move->to);
        return ERR_OK;
}

/* True when it moved. */
static enum err try_move(struct mongo_conn *conn, struct store_move *move, const struct move *row,
                         bool *ret_moved, struct why *why)
{
        CLEAN(bson_free_at) bson_t *before = NULL;
        enum err e = mongo_modify(conn, move_filter(move), move_update(move, row),
                                  BCON_NEW("status", BCON_BOOL(true), "platform", BCON_BOOL(true), "rev",
                                           BCON_BOOL(true), "out.platform.at", BCON_BOOL(true),
                                           "out.platform.until", BCON_BOOL(true), "out.courier.at",
                                           BCON_BOOL(true), "out.courier.until", BCON_BOOL(true)),
                                  /* after= */ false, &before, why);

        *ret_moved = before != NULL;
        if (e != ERR_OK || !before)
                return e;
        move->outcome = MOVE_MOVED;
        move->status = move->to;
        move->at_ms = row->at_ms;
        e = note_change(move, before, why);
        move->job.change.due[PARTY_PLATFORM] = can_be_due(before, PARTY_PLATFORM, row->at_ms) && !move->told;
        move->job.change.due[PARTY_COURIER] =
                can_be_due(before, PARTY_COURIER, row->at_ms) && move_concerns_courier(move->to);
        return e;
}

/* The platform knows already, though nothing moved. */
static enum err raise_told(struct mongo_conn *conn, struct store_move *move, int64_t now_ms, struct why *why)
{
        const int32_t told = STEP_OF((int32_t)move->to);
        CLEAN(bson_free_at) bson_t *before = NULL;
        bson_t *filter = mongo_order_filter(&move->job.restaurant, &move->order);
        struct mongo_change change;
        enum err e;

        BCON_APPEND(filter, "out.platform.told", "{", "$lt", BCON_INT32(told), "}");
        mongo_change_begin(&change);
        BSON_APPEND_INT32(&change.max, "out.platform.told", told);
        BSON_APPEND_DATE_TIME(&change.set, "updatedAt", now_ms);
        if (move->outcome == MOVE_SAME) /* nothing is owed any more, be it given up or not */
                BSON_APPEND_UTF8(&change.unset, "out.platform.dead", "");
        BSON_APPEND_INT64(&change.inc, "rev", 1);
        change.seen = true;
        e = mongo_modify(
                conn, filter, mongo_change_end(&change),
                BCON_NEW("status", BCON_BOOL(true), "platform", BCON_BOOL(true), "rev", BCON_BOOL(true)),
                /* after= */ false, &before, why);
        if (e != ERR_OK || !before)
                return e;
        e = note_change(move, before, why);
        move->job.change.after = move->job.change.before;
        return e;
}

/* It moved when this ran before: nobody was told of it then. */
static void note_repeat(struct store_move *move, const struct order *order)
{
        const struct due what = {
                .order = order->id, .restaurant = order->restaurant, .platform = order->platform};

        job_changed(&move->job, &what, order->rev,
                    order->n_moves > 1 ? order->moves[order->n_moves - 2].to : STATUS_NEW, move->to);
        for (int party = 0; party < PARTY_COUNT; party++)
                move->job.change.due[party] = order->targets[party].at_ms > TARGET_NEVER;
}

/* Why it did not move: asked by a write that changes nothing, so that the answer too is a majority's. */
static enum err explain(struct mongo_conn *conn, struct store_move *move, const struct move *row,
                        bool *ret_explained, struct why *why)
{
        CLEAN(bson_free_at) bson_t *found = NULL;
        CLEAN(order_free_at) struct order *order = NULL;
        enum err e = mongo_modify(conn, mongo_order_filter(&move->job.restaurant, &move->order),
                                  BCON_NEW("$max", "{", "rev", BCON_INT64(0), "}"),
                                  BCON_NEW("document", BCON_BOOL(false)), /* after= */ true, &found, why);

        *ret_explained = true;
        move->outcome = MOVE_UNKNOWN;
        if (e != ERR_OK || !found)
                return e;
        e = mongo_order_read(conn, found, /* whole= */ false, &order, why);
        if (e != ERR_OK)
                return e;
        move_explain(order, row->op, move);
        if (move->outcome == MOVE_MOVED && move->job.repeated && order->status == move->to)
                note_repeat(move, order);
        /* It came between the two questions: it could have been moved. */
        *ret_explained = move->outcome == MOVE_MOVED || move->outcome == MOVE_KEY_REUSED ||
                         order->status >= status_bound(move->to);
        if (move_tells(move))
                return raise_told(conn, move, row->at_ms, why);
        return ERR_OK;
}

enum err mongo_order_move(void *conn, struct store_move *move, const struct move *row, struct why *why)
{
        bool over = false;
        enum err e = ERR_OK;

        for (int round = 0; round < MOVE_ROUNDS && e == ERR_OK && !over; round++) {
                e = try_move(conn, move, row, &over, why);
                if (e == ERR_OK && !over)
                        e = explain(conn, move, row, &over, why);
        }
        return e == ERR_OK && !over ? FAIL(why, ERR_BUSY, "an order came and went while it was moved") : e;
}

/* ---- another content ---- */

enum err mongo_order_rewrite(void *arg, struct store_rewrite *rewrite, int64_t now_ms, bool *ret,
                             struct why *why)
{
        const struct order *content = rewrite->content;
        struct due what = {.order = rewrite->order, .restaurant = rewrite->job.restaurant};
        CLEAN(bson_free_at) bson_t *before = NULL;
        bson_t *filter = mongo_order_filter(&rewrite->job.restaurant, &rewrite->order);
        struct mongo_change change;
        bool fits;
        enum err e;

        BSON_APPEND_INT32(filter, "rank", STATUS_NEW);
        mongo_change_begin(&change);
        fits = mongo_append_json(&change.set, "document", content->document);
        BSON_APPEND_UTF8(&change.set, "phone", content->phone);
        BSON_APPEND_UTF8(&change.unset, "erasedAt", "");
        BSON_APPEND_DATE_TIME(&change.set, "updatedAt", now_ms);
        if (content->scheduled_ms)
                BSON_APPEND_DATE_TIME(&change.set, "scheduledDate", content->scheduled_ms);
        else
                BSON_APPEND_UTF8(&change.unset, "scheduledDate", "");
        BSON_APPEND_INT64(&change.inc, "rev", 1);
        change.seen = true;
        e = mongo_modify(arg, filter, fits ? mongo_change_end(&change) : NULL,
                         BCON_NEW("platform", BCON_BOOL(true), "rev", BCON_BOOL(true)), /* after= */ false,
                         &before, why);
        *ret = before != NULL;
        if (e != ERR_OK || !before)
                return e;
        if (!platform_find(mongo_text(before, "platform"), &what.platform))
                return FAIL(why, ERR_STORE_BROKEN, "an order's document does not read");
        job_changed(&rewrite->job, &what, mongo_int(before, "rev", 0) + 1, STATUS_NEW, STATUS_NEW);
        return ERR_OK;
}
