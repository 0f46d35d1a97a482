/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_lists.c - orders by pages, newest first, and those that changed. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <stdio.h>

/* `seenAt` is MongoDB's time of a change, `updatedAt` ours for it: no farther apart, unless its clock was set. */
#define APART_MS (INT64_C(24) * 60 * 60 * 1000)

/* ---- pages ---- */

/* Of either party; takes the condition over. */
static void append_either(bson_t *filter, const char *member, bson_t *condition_)
{
        CLEAN(bson_free_at) bson_t *condition = condition_;
        char platform[32], courier[32];

        snprintf(platform, sizeof platform, "out.platform.%s", member);
        snprintf(courier, sizeof courier, "out.courier.%s", member);
        BCON_APPEND(filter, "$and", "[", "{", "$or", "[", "{", platform, BCON_DOCUMENT(condition), "}", "{",
                    courier, BCON_DOCUMENT(condition), "}", "]", "}", "]");
}

/* What a list leaves out shall not have to be read: the words of an index stand in it, so that few orders are where there
 * are many that are over. */
static bson_t *scan_filter(const struct store_list *list, const struct page *page)
{
        bson_t *filter = mongo_page_filter(page);

        if (list->has_status)
                BSON_APPEND_UTF8(filter, "status", status_word(list->status));
        if (list->has_status && !status_is_final(list->status)) /* as the index has it */
                BCON_APPEND(filter, "rank", "{", "$lt", BCON_INT32(STATUS_DELIVERED), "}");
        if (list->has_platform)
                BSON_APPEND_UTF8(filter, "platform", platform_word(list->platform));
        if (list->since_ms)
                BCON_APPEND(filter, "updatedAt", "{", "$gt", BCON_DATE_TIME(list->since_ms), "}", "seenAt",
                            "{", "$gt", BCON_DATE_TIME(list->since_ms - APART_MS), "}");
        if (list->has_delivery && list->delivery == DELIVERY_FAILED)
                append_either(filter, "dead", BCON_NEW("$exists", BCON_BOOL(true)));
        if (list->has_delivery && list->delivery == DELIVERY_PENDING)
                append_either(filter, "at", BCON_NEW("$gt", BCON_DATE_TIME(0)));
        return filter;
}

static bson_t *scan_options(const struct store_list *list)
{
        bson_t *options = BCON_NEW("sort", "{", "createdAt", BCON_INT32(-1), "_id", BCON_INT32(-1), "}",
                                   "batchSize", BCON_INT32(ORDER_BATCH));

        if (!list->documents)
                BCON_APPEND(options, "projection", "{", "document", BCON_BOOL(false), "}");
        if (!list->has_delivery) /* else some are passed over, which the server cannot know */
                BCON_APPEND(options, "limit", BCON_INT64(list->limit + 1));
        return options;
}

enum err mongo_order_scan(void *arg, const struct store_list *list, const struct page *page,
                          order_visit_fn *visit, void *visit_arg, struct why *why)
{
        struct mongo_conn *conn = arg;
        struct id before;
        mongoc_cursor_t *cursor;
        const bson_t *found;
        bool more = true;
        enum err e = ERR_OK;

        if (page->before_id[0] && !id_read(page->before_id, &before))
                return FAIL_FIELD(why, "after", "not a cursor of ours");
        cursor = mongo_find(conn, conn->orders, scan_filter(list, page), scan_options(list),
                            /* anywhere= */ true);
        while (more && e == ERR_OK && mongoc_cursor_next(cursor, &found)) {
                CLEAN(order_free_at) struct order *order = NULL;

                e = mongo_order_read(conn, found, list->documents, &order, why);
                if (e == ERR_OK)
                        more = visit(visit_arg, &order);
                if (e == ERR_DAMAGED)
                        e = ERR_OK;
        }
        return mongo_end(conn, cursor, e, why);
}

/* ---- what changed ---- */

static bson_t *changes_filter(const struct store_changes *changes)
{
        bson_t *filter = bson_new();
        bson_t within, list;
        char text[16];
        const char *key;

        BSON_APPEND_DOCUMENT_BEGIN(filter, "restaurantId", &within);
        BSON_APPEND_ARRAY_BEGIN(&within, "$in", &list);
        for (int i = 0; i < changes->n_restaurants; i++) {
                bson_uint32_to_string((uint32_t)i, &key, text, sizeof text);
                BSON_APPEND_OID(&list, key, oid_of(&changes->restaurants[i]));
        }
        bson_append_array_end(&within, &list);
        bson_append_document_end(filter, &within);
        BCON_APPEND(filter, "seenAt", "{", "$gte", BCON_DATE_TIME(changes->after_ms), "}", "$or", "[", "{",
                    "seenAt", "{", "$gt", BCON_DATE_TIME(changes->after_ms), "}", "}", "{", "_id", "{", "$gt",
                    BCON_OID(oid_of(&changes->after)), "}", "}", "]");
        return filter;
}

enum err mongo_changes(void *arg, struct store_changes *changes, struct why *why)
{
        struct mongo_conn *conn = arg;
        mongoc_cursor_t *cursor =
                mongo_find(conn, conn->orders, changes_filter(changes),
                           BCON_NEW("sort", "{", "seenAt", BCON_INT32(1), "_id", BCON_INT32(1), "}", "limit",
                                    BCON_INT64(changes->max), "batchSize", BCON_INT32(changes->max),
                                    "projection", "{", "restaurantId", BCON_BOOL(true), "rev",
                                    BCON_BOOL(true), "seenAt", BCON_BOOL(true), "}"),
                           /* anywhere= */ false);
        const bson_t *found;

        while (changes->n < changes->max && mongoc_cursor_next(cursor, &found)) {
                struct seen *seen = &changes->found[changes->n];

                seen->rev = mongo_int(found, "rev", 0);
                seen->at_ms = mongo_time(found, "seenAt", 0);
                if (mongo_id(found, "_id", &seen->order) &&
                    mongo_id(found, "restaurantId", &seen->restaurant))
                        changes->n++;
        }
        return mongo_end(conn, cursor, ERR_OK, why);
}
