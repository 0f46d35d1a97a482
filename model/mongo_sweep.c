/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_sweep.c - what goes away: orders that have expired, and personal data out of the others.
 *
 * An order has personal data as long as its document has a customer, whoever wrote it: an older server, which knows nothing
 * of `phone` and `erasedAt`, writes that, too. What it wrote gets its `phone` here before anybody is looked for by one. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <stdio.h>

#define CUSTOMER "document.customer.details" /* of the indexes, too */

static bson_t *expired_by(int64_t now_ms)
{
        return BCON_NEW("expiresAt", "{", "$gt", BCON_DATE_TIME(0), "$lte", BCON_DATE_TIME(now_ms), "}");
}

enum err mongo_sweep(void *arg, struct store_sweep *sweep, struct why *why)
{
        struct mongo_conn *conn = arg;
        mongoc_cursor_t *cursor = mongo_find(
                conn, conn->orders, expired_by(sweep->now_ms ? sweep->now_ms : store_now(conn->store)),
                BCON_NEW("sort", "{", "expiresAt", BCON_INT32(1), "}", "limit", BCON_INT64(sweep->max),
                         "projection", "{", "restaurantId", BCON_BOOL(true), "}"),
                /* anywhere= */ false);
        struct id id, restaurant;
        const bson_t *found;
        enum err e = ERR_OK;

        while (e == ERR_OK && mongoc_cursor_next(cursor, &found)) {
                bool deleted = false;

                if (!mongo_id(found, "_id", &id) || !mongo_id(found, "restaurantId", &restaurant))
                        continue;
                e = mongo_delete(conn, conn->orders, mongo_order_filter(&restaurant, &id), &deleted, why);
                sweep->swept += deleted;
        }
        return mongo_end(conn, cursor, e, why);
}

/* ---- personal data ---- */

/* The filter's orders, into erase->found. */
static enum err find(struct mongo_conn *conn, bson_t *filter, struct store_erase *erase, struct why *why)
{
        mongoc_cursor_t *cursor = mongo_find(conn, conn->orders, filter,
                                             BCON_NEW("limit", BCON_INT64(ERASE_MAX), "projection", "{",
                                                      "restaurantId", BCON_BOOL(true), "}"),
                                             /* anywhere= */ false);
        const bson_t *found;

        while (erase->n < ERASE_MAX && mongoc_cursor_next(cursor, &found)) {
                struct due *due = &erase->found[erase->n];

                if (mongo_id(found, "_id", &due->order) && mongo_id(found, "restaurantId", &due->restaurant))
                        erase->n++;
        }
        erase->more |= erase->n == ERASE_MAX;
        return mongo_end(conn, cursor, ERR_OK, why);
}

static bson_t *filter_old(int64_t by_ms)
{
        return BCON_NEW(CUSTOMER, "{", "$exists", BCON_BOOL(true), "}", "createdAt", "{", "$lte",
                        BCON_DATE_TIME(by_ms), "}", "$or", "[",
                        /* over since then */
                        "{", "history", "{", "$elemMatch", "{", "status", "{", "$in", "[",
                        BCON_UTF8(status_word(STATUS_DELIVERED)), BCON_UTF8(status_word(STATUS_CANCELLED)),
                        "]", "}", "at", "{", "$lte", BCON_DATE_TIME(by_ms), "}", "}", "}", "}",
                        /* left alone since then, and not for later */
                        "{", "updatedAt", "{", "$lte", BCON_DATE_TIME(by_ms), "}", "$or", "[", "{",
                        "scheduledDate", "{", "$exists", BCON_BOOL(false), "}", "}", "{", "scheduledDate",
                        "{", "$lte", BCON_DATE_TIME(by_ms), "}", "}", "{", "createdAt", "{", "$lte",
                        BCON_DATE_TIME(by_ms - SCHEDULED_MAX_MS), "}", "}", "]", "}", "]");
}

static enum err fill_phone(struct mongo_conn *conn, const bson_t *lacking, struct why *why)
{
        struct id id, restaurant;
        bson_t document, customer, details, *filter;
        char phone[PHONE_KEY_SIZE] = "";
        int64_t changed;

        if (!mongo_id(lacking, "_id", &id) || !mongo_id(lacking, "restaurantId", &restaurant))
                return ERR_OK;
        if (mongo_part(lacking, "document", &document) && mongo_part(&document, "customer", &customer) &&
            mongo_part(&customer, "details", &details))
                phone_key(mongo_text(&details, "phone"), phone);
        filter = mongo_order_filter(&restaurant, &id);
        BSON_APPEND_INT64(filter, "rev", mongo_int(lacking, "rev", 0));
        return mongo_update(conn, conn->orders, filter, BCON_NEW("$set", "{", "phone", BCON_UTF8(phone), "}"),
                            /* many= */ false, &changed, NULL, why);
}

/* As many as an erasure takes; where there may be more, it is asked again. */
static enum err fill_phones(struct mongo_conn *conn, struct store_erase *erase, struct why *why)
{
        mongoc_cursor_t *cursor = mongo_find(
                conn, conn->orders,
                BCON_NEW(CUSTOMER, "{", "$exists", BCON_BOOL(true), "}", "phone", BCON_NULL),
                BCON_NEW("limit", BCON_INT64(ERASE_MAX), "projection", "{", "restaurantId", BCON_BOOL(true),
                         "rev", BCON_BOOL(true), CUSTOMER ".phone", BCON_BOOL(true), "}"),
                /* anywhere= */ false);
        const bson_t *lacking;
        enum err e = ERR_OK;
        int n = 0;

        for (; e == ERR_OK && mongoc_cursor_next(cursor, &lacking); n++)
                e = fill_phone(conn, lacking, why);
        erase->more = n == ERASE_MAX;
        return mongo_end(conn, cursor, e, why);
}

enum err mongo_find_personal(void *conn, struct store_erase *erase, int64_t now_ms, struct why *why)
{
        enum err e = fill_phones(conn, erase, why);

        if (e != ERR_OK)
                return e;
        return find(conn,
                    erase->phone[0] ? BCON_NEW(CUSTOMER, "{", "$exists", BCON_BOOL(true), "}", "phone",
                                               BCON_UTF8(erase->phone))
                                    : filter_old(now_ms - erase->keep_ms),
                    erase, why);
}

/* All that an erasure writes but the rev. False without memory. */
static bool change_erase(struct mongo_change *change, const struct order *order)
{
        const int64_t at_ms = order->targets[PARTY_COURIER].at_ms;
        char note[32];
        bool fits;

        mongo_change_begin(change);
        fits = mongo_append_json(&change->set, "document", order->document);
        BSON_APPEND_DATE_TIME(&change->set, "erasedAt", order->erased_ms);
        BSON_APPEND_DATE_TIME(&change->set, "updatedAt", order->updated_ms);
        BSON_APPEND_UTF8(&change->unset, "phone", "");
        for (int i = 0; i < order->n_moves; i++) {
                snprintf(note, sizeof note, "history.%d.note", i);
                BSON_APPEND_UTF8(&change->unset, note, "");
        }
        if (at_ms > TARGET_NEVER)
                BSON_APPEND_DATE_TIME(&change->min, "out.courier.at", at_ms);
        change->seen = true;
        return fits;
}

enum err mongo_order_erase(void *arg, const struct order *order, bool *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        bson_t *filter = mongo_order_filter(&order->restaurant, &order->id);
        struct mongo_change change;
        int64_t changed = 0;
        bson_t *update;
        bool fits;
        enum err e;

        BSON_APPEND_INT64(filter, "rev", order->rev - 1);
        fits = change_erase(&change, order);
        BSON_APPEND_INT64(&change.inc, "rev", 1);
        update = mongo_change_end(&change);
        if (!fits) {
                bson_destroy(filter);
                bson_destroy(update);
                return FAIL(why, ERR_NO_MEMORY, "no memory for an erasure");
        }
        e = mongo_update(conn, conn->orders, filter, update, /* many= */ false, &changed, NULL, why);
        *ret = changed == 1;
        return e;
}

/* What does not read is written anew: the content as far as it goes, and no note. */
enum err mongo_order_wipe(void *arg, const struct due *what, int64_t now_ms, bool *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        const struct id *restaurant = id_is_zero(&what->restaurant) ? NULL : &what->restaurant;
        CLEAN(bson_free_at) bson_t *found = NULL;
        CLEAN(free_at) char *document = NULL;
        struct order order = {.n_moves = MOVES_MAX};
        struct mongo_change change;
        int64_t changed = 0;
        bson_t *update;
        bool fits;
        enum err e = mongo_find_one(conn, conn->orders, mongo_order_filter(restaurant, &what->order), NULL,
                                    &found, why);

        *ret = false;
        if (e != ERR_OK || !found)
                return e;
        platform_find(mongo_text(found, "platform"), &order.platform);
        order.document = mongo_json(found, "document");
        e = order_erase(&order, now_ms, why);
        document = order.document;
        if (e != ERR_OK)
                return e;
        fits = change_erase(&change, &order);
        BSON_APPEND_INT64(mongo_int(found, "rev", 0) > 0 ? &change.inc : &change.set, "rev", 1);
        update = mongo_change_end(&change);
        if (!fits) {
                bson_destroy(update);
                return FAIL(why, ERR_NO_MEMORY, "no memory for an erasure");
        }
        e = mongo_update(conn, conn->orders, mongo_order_filter(restaurant, &what->order), update,
                         /* many= */ false, &changed, NULL, why);
        *ret = changed == 1;
        return e;
}
