/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_records.c - restaurants, tokens, integrations, connections: a collection each, found by id or by a digest. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <assert.h>
#include <string.h>

/* Left out where there are none: an empty array would count as a value that is unique. */
static void append_looks(bson_t *to, const struct record *record)
{
        static const char *const keys[RECORD_LOOKS_MAX] = {"0", "1"};
        bson_t looks;

        assert(record->n_looks <= RECORD_LOOKS_MAX);
        if (record->n_looks == 0)
                return;
        BSON_APPEND_ARRAY_BEGIN(to, "looks", &looks);
        for (int i = 0; i < record->n_looks; i++)
                BSON_APPEND_BINARY(&looks, keys[i], BSON_SUBTYPE_BINARY, record->looks[i].bytes,
                                   sizeof record->looks[i].bytes);
        bson_append_array_end(to, &looks);
}

/* What an edit changes; false without memory, or where the document is no JSON. */
static bool append_content(bson_t *to, const struct record *record)
{
        BSON_APPEND_INT64(to, "rev", record->rev);
        BSON_APPEND_DATE_TIME(to, "updatedAt", record->updated_ms);
        append_looks(to, record);
        return mongo_append_json(to, "document", record->document);
}

static void read_looks(const bson_t *from, struct record *ret)
{
        const uint8_t *bytes;
        bson_t looks;
        bson_iter_t at;
        uint32_t n;

        if (!mongo_part(from, "looks", &looks) || !bson_iter_init(&at, &looks))
                return;
        while (ret->n_looks < RECORD_LOOKS_MAX && bson_iter_next(&at)) {
                if (!BSON_ITER_HOLDS_BINARY(&at))
                        continue;
                bson_iter_binary(&at, NULL, &n, &bytes);
                if (n == sizeof ret->looks->bytes)
                        memcpy(ret->looks[ret->n_looks++].bytes, bytes, n);
        }
}

static enum err read_record(struct mongo_conn *conn, const bson_t *from, enum record_kind kind,
                            struct record *ret, struct why *why)
{
        struct record record = {.kind = kind,
                                .rev = mongo_int(from, "rev", 0),
                                .created_ms = mongo_time(from, "createdAt", 0),
                                .updated_ms = mongo_time(from, "updatedAt", 0)};
        struct id id;

        if (mongo_id(from, "_id", &id))
                id_write(&id, record.id);
        else
                text_copy(record.id, sizeof record.id, mongo_text(from, "_id"));
        if (!record.id[0] || !mongo_id(from, "restaurantId", &record.restaurant))
                return record_damaged(conn->store, kind, record.id, "its document does not read", why);
        read_looks(from, &record);
        record.document = mongo_json(from, "document");
        if (!record.document || record.document[0] != '{') {
                free(record.document);
                return record_damaged(conn->store, kind, record.id, "it does not read, or there is no memory",
                                      why);
        }
        *ret = record;
        return ERR_OK;
}

static enum err read_one(struct mongo_conn *conn, enum record_kind kind, bson_t *filter, struct record *ret,
                         struct why *why)
{
        CLEAN(bson_free_at) bson_t *found = NULL;
        enum err e = mongo_find_one(conn, conn->records[kind], filter, NULL, &found, why);

        return e == ERR_OK && found ? read_record(conn, found, kind, ret, why) : e;
}

enum err mongo_record_get(void *conn, enum record_kind kind, const char *id, struct record *ret,
                          struct why *why)
{
        bson_t *filter = bson_new();

        mongo_append_id(filter, "_id", id);
        return read_one(conn, kind, filter, ret, why);
}

enum err mongo_record_look(void *conn, enum record_kind kind, const struct digest *look, struct record *ret,
                           struct why *why)
{
        bson_t *filter = bson_new();

        BSON_APPEND_BINARY(filter, "looks", BSON_SUBTYPE_BINARY, look->bytes, sizeof look->bytes);
        return read_one(conn, kind, filter, ret, why);
}

enum err mongo_record_insert(void *arg, const struct record *record, enum insert *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        CLEAN(bson_free_at) bson_t *document = bson_new();
        bool taken = false;
        enum err e;

        mongo_append_id(document, "_id", record->id);
        BSON_APPEND_OID(document, "restaurantId", oid_of(&record->restaurant));
        BSON_APPEND_DATE_TIME(document, "createdAt", record->created_ms);
        if (!append_content(document, record))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        e = mongo_insert(conn, conn->records[record->kind], TAKE(document), &taken, why);
        *ret = taken ? INSERT_TAKEN : INSERT_NEW;
        return e;
}

enum err mongo_record_update(void *arg, const struct record *record, bool *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        bson_t *filter = bson_new();
        struct mongo_change change;
        int64_t changed = 0;
        bool taken = false, ok;
        bson_t *update;
        enum err e;

        mongo_append_id(filter, "_id", record->id);
        BSON_APPEND_OID(filter, "restaurantId", oid_of(&record->restaurant));
        BSON_APPEND_INT64(filter, "rev", record->rev - 1);
        mongo_change_begin(&change);
        ok = append_content(&change.set, record);
        if (record->n_looks == 0)
                BSON_APPEND_UTF8(&change.unset, "looks", "");
        update = mongo_change_end(&change);
        if (!ok) {
                bson_destroy(filter);
                bson_destroy(update);
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        }
        e = mongo_update(conn, conn->records[record->kind], filter, update, /* many= */ false, &changed,
                         &taken, why);
        if (taken)
                return FAIL(why, ERR_INTERNAL, "a digest of record %s is another's", record->id);
        *ret = changed == 1;
        return e;
}

enum err mongo_record_delete(void *arg, enum record_kind kind, const char *id, bool *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        bson_t *filter = bson_new();

        mongo_append_id(filter, "_id", id);
        return mongo_delete(conn, conn->records[kind], filter, ret, why);
}

enum err mongo_record_page(void *arg, enum record_kind kind, const struct page *page, int max,
                           struct record *ret, int *ret_n, struct why *why)
{
        struct mongo_conn *conn = arg;
        mongoc_cursor_t *cursor;
        const bson_t *found;
        enum err e = ERR_OK;

        cursor = mongo_find(conn, conn->records[kind], mongo_page_filter(page),
                            BCON_NEW("sort", "{", "createdAt", BCON_INT32(-1), "_id", BCON_INT32(-1), "}",
                                     "limit", BCON_INT64(max)),
                            /* anywhere= */ false);
        for (*ret_n = 0; e == ERR_OK && mongoc_cursor_next(cursor, &found);) {
                e = read_record(conn, found, kind, &ret[*ret_n], why);
                *ret_n += e == ERR_OK;
                if (e == ERR_DAMAGED)
                        e = ERR_OK;
        }
        return mongo_end(conn, cursor, e, why);
}
