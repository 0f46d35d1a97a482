/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_records.c - restaurants, tokens, integrations, connections: rows of one table, found by id or by a digest. */
#include "model/store_sqlite.h"

#include <string.h>

static enum err read_record(struct conn *conn, sqlite3_stmt *s, enum record_kind kind, struct record *ret,
                            struct why *why)
{
        char *document = sql_copy(conn, s, 5);

        if (!document)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        *ret = (struct record){.kind = kind,
                               .restaurant = sql_id(s, 1),
                               .rev = sqlite3_column_int64(s, 2),
                               .created_ms = sqlite3_column_int64(s, 3),
                               .updated_ms = sqlite3_column_int64(s, 4),
                               .document = document};
        text_copy(ret->id, sizeof ret->id, sql_text(s, 0));
        ret->n_looks = sqlite3_column_bytes(s, 6) / (int)sizeof(struct digest);
        if (ret->n_looks > RECORD_LOOKS_MAX)
                ret->n_looks = RECORD_LOOKS_MAX;
        if (ret->n_looks > 0)
                memcpy(ret->looks, sqlite3_column_blob(s, 6), (size_t)ret->n_looks * sizeof(struct digest));
        return ERR_OK;
}

static enum err read_one(struct conn *conn, sqlite3_stmt *s, enum record_kind kind, struct record *ret,
                         struct why *why)
{
        enum err e = ERR_OK;

        if (sql_row(conn, s)) {
                e = read_record(conn, s, kind, ret, why);
                sqlite3_reset(s);
        }
        return conn->failed && e == ERR_OK ? sql_failed(conn, why) : e;
}

enum err sqlite_record_get(void *arg, enum record_kind kind, const char *id, struct record *ret,
                           struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, SQL_RECORD_GET);

        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)kind);
        sql_bind_text(s, 2, id);
        return read_one(conn, s, kind, ret, why);
}

enum err sqlite_record_look(void *arg, enum record_kind kind, const struct digest *look, struct record *ret,
                            struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, SQL_RECORD_LOOK);

        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)kind);
        sqlite3_bind_blob(s, 2, look->bytes, sizeof look->bytes, SQLITE_TRANSIENT);
        return read_one(conn, s, kind, ret, why);
}

static void bind_looks(sqlite3_stmt *s, int i, const struct record *record)
{
        sqlite3_bind_blob(s, i, record->looks, record->n_looks * (int)sizeof(struct digest),
                          SQLITE_TRANSIENT);
}

/* The digests by which it is found follow the record in the same transaction. */
static enum err write_looks(struct conn *conn, const struct record *record, struct why *why)
{
        sqlite3_stmt *s = sql(conn, SQL_LOOK_CLEAR);

        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)record->kind);
        sql_bind_text(s, 2, record->id);
        if (!sql_done(conn, s, NULL))
                return sql_failed(conn, why);
        for (int i = 0; i < record->n_looks; i++) {
                s = sql(conn, SQL_LOOK_INSERT);
                if (!s)
                        return sql_failed(conn, why);
                sqlite3_bind_blob(s, 1, record->looks[i].bytes, sizeof record->looks[i].bytes,
                                  SQLITE_TRANSIENT);
                sqlite3_bind_int(s, 2, (int)record->kind);
                sql_bind_text(s, 3, record->id);
                if (!sql_done(conn, s, NULL))
                        return sql_failed(conn, why);
        }
        return ERR_OK;
}

/* Whether one of its digests is another record's: asked first, because a constraint that breaks half-way would leave the
 * other half in the transaction that it shares. */
static enum err find_rival(struct conn *conn, const struct record *record, bool *ret, struct why *why)
{
        *ret = false;
        for (int i = 0; i < record->n_looks && !*ret; i++) {
                sqlite3_stmt *s = sql(conn, SQL_LOOK_RIVAL);

                if (!s)
                        return sql_failed(conn, why);
                sqlite3_bind_blob(s, 1, record->looks[i].bytes, sizeof record->looks[i].bytes,
                                  SQLITE_TRANSIENT);
                sqlite3_bind_int(s, 2, (int)record->kind);
                sql_bind_text(s, 3, record->id);
                *ret = sql_row(conn, s);
                sqlite3_reset(s);
        }
        return conn->failed ? sql_failed(conn, why) : ERR_OK;
}

enum err sqlite_record_insert(void *arg, const struct record *record, enum insert *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s;
        bool taken;
        enum err e;

        e = find_rival(conn, record, &taken, why);
        if (e != ERR_OK)
                return e;
        if (taken) {
                *ret = INSERT_TAKEN;
                return ERR_OK;
        }
        s = sql(conn, SQL_RECORD_INSERT);
        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)record->kind);
        sql_bind_text(s, 2, record->id);
        sql_bind_id(s, 3, &record->restaurant);
        sqlite3_bind_int64(s, 4, record->rev);
        sqlite3_bind_int64(s, 5, record->created_ms);
        sqlite3_bind_int64(s, 6, record->updated_ms);
        sql_bind_text(s, 7, record->document);
        bind_looks(s, 8, record);
        if (!sql_done(conn, s, &taken))
                return sql_failed(conn, why);
        *ret = taken ? INSERT_TAKEN : INSERT_NEW;
        return taken ? ERR_OK : write_looks(conn, record, why);
}

enum err sqlite_record_update(void *arg, const struct record *record, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s;
        bool rival;
        enum err e;

        e = find_rival(conn, record, &rival, why);
        if (e != ERR_OK)
                return e;
        if (rival)
                return FAIL(why, ERR_INTERNAL, "a digest of record %s is another's", record->id);
        s = sql(conn, SQL_RECORD_UPDATE);
        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)record->kind);
        sql_bind_text(s, 2, record->id);
        sqlite3_bind_int64(s, 3, record->rev);
        sqlite3_bind_int64(s, 4, record->updated_ms);
        sql_bind_text(s, 5, record->document);
        bind_looks(s, 6, record);
        if (!sql_done(conn, s, NULL))
                return sql_failed(conn, why);
        *ret = sqlite3_changes(conn->db) == 1;
        return *ret ? write_looks(conn, record, why) : ERR_OK;
}

enum err sqlite_record_delete(void *arg, enum record_kind kind, const char *id, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        struct record looks = {.kind = kind};
        sqlite3_stmt *s = sql(conn, SQL_RECORD_DELETE);

        if (!s)
                return sql_failed(conn, why);
        sqlite3_bind_int(s, 1, (int)kind);
        sql_bind_text(s, 2, id);
        if (!sql_done(conn, s, NULL))
                return sql_failed(conn, why);
        *ret = sqlite3_changes(conn->db) == 1;
        text_copy(looks.id, sizeof looks.id, id);
        return write_looks(conn, &looks, why);
}

enum err sqlite_record_page(void *arg, enum record_kind kind, const struct page *page, int max,
                            struct record *ret, int *ret_n, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, page->restaurant ? SQL_RECORD_PAGE : SQL_RECORD_PAGE_ANY);
        enum err e = ERR_OK;

        if (!s)
                return sql_failed(conn, why);
        if (page->restaurant)
                sql_bind_id(s, 1, page->restaurant);
        sqlite3_bind_int(s, 2, (int)kind);
        sqlite3_bind_int64(s, 3, page->before_ms);
        sql_bind_text(s, 4, page->before_id);
        sqlite3_bind_int(s, 5, max);
        *ret_n = 0;
        while (e == ERR_OK && sql_row(conn, s)) {
                e = read_record(conn, s, kind, &ret[*ret_n], why);
                *ret_n += e == ERR_OK;
        }
        sqlite3_reset(s);
        return conn->failed && e == ERR_OK ? sql_failed(conn, why) : e;
}
