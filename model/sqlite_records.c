/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_records.c - restaurants, tokens, integrations, connections: rows of one table, found by id or by a digest. */
#include "model/store_sqlite.h"

#include "model/clean.h"

#include <string.h>

enum {
        COLUMN_ID,
        COLUMN_RESTAURANT,
        COLUMN_REV,
        COLUMN_CREATED,
        COLUMN_UPDATED,
        COLUMN_DOCUMENT,
        COLUMN_LOOKS
};

static enum err read_record(struct conn *conn, sqlite3_stmt *s, enum record_kind kind, struct record *ret,
                            struct why *why)
{
        char *document = sql_copy(conn, s, COLUMN_DOCUMENT);

        if (!document)
                return sql_failed(conn, why);
        *ret = (struct record){.kind = kind,
                               .restaurant = sql_id(s, COLUMN_RESTAURANT),
                               .rev = sqlite3_column_int64(s, COLUMN_REV),
                               .created_ms = sqlite3_column_int64(s, COLUMN_CREATED),
                               .updated_ms = sqlite3_column_int64(s, COLUMN_UPDATED),
                               .document = document};
        text_copy(ret->id, sizeof ret->id, sql_text(conn, s, COLUMN_ID));
        for (int i = 0; i < RECORD_LOOKS_MAX; i++)
                if (sqlite3_column_bytes(s, COLUMN_LOOKS + i) == (int)sizeof(struct digest))
                        memcpy(&ret->looks[ret->n_looks++], sqlite3_column_blob(s, COLUMN_LOOKS + i),
                               sizeof(struct digest));
        return ERR_OK;
}

static enum err read_one(struct conn *conn, sqlite3_stmt *s, enum record_kind kind, struct record *ret,
                         struct why *why)
{
        enum err e = ERR_OK;

        sqlite3_bind_int(s, 1, (int)kind);
        if (sql_row(conn, s))
                e = read_record(conn, s, kind, ret, why);
        return sql_end(conn, s, e, why);
}

enum err sqlite_record_get(void *conn, enum record_kind kind, const char *id, struct record *ret,
                           struct why *why)
{
        sqlite3_stmt *s = sql(conn, SQL_RECORD_GET);

        sql_bind_text(s, 2, id);
        return read_one(conn, s, kind, ret, why);
}

enum err sqlite_record_look(void *conn, enum record_kind kind, const struct digest *look, struct record *ret,
                            struct why *why)
{
        sqlite3_stmt *s = sql(conn, SQL_RECORD_LOOK);

        sqlite3_bind_blob(s, 2, look->bytes, sizeof look->bytes, SQLITE_STATIC);
        return read_one(conn, s, kind, ret, why);
}

/* What is written of a new record and of an edited one alike. */
static sqlite3_stmt *bind_record(struct conn *conn, enum statement which, const struct record *record)
{
        sqlite3_stmt *s = sql(conn, which);

        sqlite3_bind_int(s, 1, (int)record->kind);
        sql_bind_text(s, 2, record->id);
        sqlite3_bind_int64(s, 3, record->rev);
        sqlite3_bind_int64(s, 4, record->updated_ms);
        sql_bind_text(s, 5, record->document);
        for (int i = 0; i < record->n_looks; i++)
                sqlite3_bind_blob(s, 6 + i, record->looks[i].bytes, sizeof record->looks[i].bytes,
                                  SQLITE_STATIC);
        return s;
}

enum err sqlite_record_insert(void *arg, const struct record *record, enum insert *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = bind_record(conn, SQL_RECORD_INSERT, record);
        bool taken = false;
        enum err e;

        sqlite3_bind_int64(s, 8, record->created_ms);
        sql_bind_id(s, 9, &record->restaurant);
        e = sql_run(conn, s, &taken, why);
        *ret = taken || sqlite3_changes(conn->db) == 0 ? INSERT_TAKEN : INSERT_NEW;
        return e;
}

enum err sqlite_record_update(void *arg, const struct record *record, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        bool refused = false;
        enum err e = sql_run(conn, bind_record(conn, SQL_RECORD_UPDATE, record), &refused, why);

        if (refused)
                return FAIL(why, ERR_INTERNAL, "a digest of record %s is another's", record->id);
        *ret = sqlite3_changes(conn->db) == 1;
        return e;
}

enum err sqlite_record_delete(void *arg, enum record_kind kind, const char *id, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, SQL_RECORD_DELETE);
        enum err e;

        sqlite3_bind_int(s, 1, (int)kind);
        sql_bind_text(s, 2, id);
        e = sql_run(conn, s, NULL, why);
        *ret = e == ERR_OK && sqlite3_changes(conn->db) == 1;
        return e;
}

static bool is_damaged(struct conn *conn, const struct record *record, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const enum err e = record_read(record, &document, why);

        return e == ERR_INTERNAL && record_damaged(conn->store, record->kind, record->id, why->text, why);
}

enum err sqlite_record_page(void *conn, enum record_kind kind, const struct page *page, int max,
                            struct record *ret, int *ret_n, struct why *why)
{
        sqlite3_stmt *s = sql(conn, page->restaurant ? SQL_RECORD_PAGE : SQL_RECORD_PAGE_ANY);
        enum err e = ERR_OK;

        sqlite3_bind_int(s, 1, (int)kind);
        if (page->restaurant)
                sql_bind_id(s, 2, page->restaurant);
        sqlite3_bind_int64(s, 3, page->before_ms);
        sql_bind_text(s, 4, page->before_id);
        sqlite3_bind_int(s, 5, max);
        for (*ret_n = 0; e == ERR_OK && sql_row(conn, s);) {
                e = read_record(conn, s, kind, &ret[*ret_n], why);
                if (e == ERR_OK && is_damaged(conn, &ret[*ret_n], why))
                        record_done(&ret[*ret_n]);
                else
                        *ret_n += e == ERR_OK;
        }
        return sql_end(conn, s, e, why);
}
