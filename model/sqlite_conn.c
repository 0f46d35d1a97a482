/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_conn.c - one connection to the embedded store's file, and the file made ready for use. */
#include "model/store_sqlite.h"

#include "model/clean.h"

#include <stdio.h>

#define LOG_BYTES_KEPT (16 << 20)
#define LOG_PAGES_MAX 1000 /* before they are brought into the file; SQLite's own default */

#define NOW "CAST(86400000 * (julianday('now') - 2440587.5) AS INTEGER)"

/* Each makes the version after its place out of the one before; what was released is not changed any more. */
static const char *const schemas[] = {
        "BEGIN IMMEDIATE;"
        "CREATE TABLE heart (beat INTEGER NOT NULL) STRICT;"
        "INSERT INTO heart VALUES (0);"
        "CREATE TABLE records (kind INTEGER NOT NULL, id TEXT NOT NULL, rid BLOB NOT NULL, rev INTEGER NOT NULL,"
        " made INTEGER NOT NULL, changed INTEGER NOT NULL, doc TEXT NOT NULL, look_a BLOB, look_b BLOB,"
        " PRIMARY KEY (kind, id)) STRICT;"
        "CREATE INDEX records_page ON records (kind, rid, made, id);"
        "CREATE INDEX records_all ON records (kind, made, id);"
        "CREATE UNIQUE INDEX records_look_a ON records (look_a) WHERE look_a IS NOT NULL;"
        "CREATE UNIQUE INDEX records_look_b ON records (look_b) WHERE look_b IS NOT NULL;"
        "CREATE TABLE orders (id BLOB PRIMARY KEY, rid BLOB NOT NULL, plat INTEGER NOT NULL, pid TEXT NOT NULL,"
        " st INTEGER NOT NULL, rev INTEGER NOT NULL, made INTEGER NOT NULL, seen INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, prep INTEGER NOT NULL, scheduled INTEGER NOT NULL, hist TEXT NOT NULL,"
        " p_want INTEGER NOT NULL, p_told INTEGER NOT NULL, p_told_at INTEGER NOT NULL DEFAULT 0,"
        " p_unsure INTEGER NOT NULL DEFAULT 0, p_try INTEGER NOT NULL DEFAULT 0, p_at INTEGER, p_dead TEXT, p_log TEXT,"
        " c_want INTEGER NOT NULL, c_told INTEGER NOT NULL, c_told_at INTEGER NOT NULL DEFAULT 0,"
        " c_unsure INTEGER NOT NULL DEFAULT 0, c_try INTEGER NOT NULL DEFAULT 0, c_at INTEGER, c_dead TEXT, c_log TEXT"
        ") STRICT, WITHOUT ROWID;"
        "CREATE UNIQUE INDEX orders_platform ON orders (rid, plat, pid);"
        "CREATE INDEX orders_page ON orders (rid, made, id);"
        "CREATE INDEX orders_all ON orders (made, id);"
        "CREATE INDEX orders_due ON orders (plat, p_at) WHERE p_at > 0;"
        "CREATE INDEX orders_due_courier ON orders (plat, c_at) WHERE c_at > 0;"
        "CREATE INDEX orders_failed ON orders (rid, seen) WHERE p_dead IS NOT NULL;"
        "CREATE INDEX orders_failed_courier ON orders (rid, seen) WHERE c_dead IS NOT NULL;"
        "CREATE TABLE documents (id BLOB PRIMARY KEY, doc TEXT NOT NULL) STRICT;"
        "PRAGMA user_version = 1;"
        "COMMIT",

        "BEGIN IMMEDIATE;"
        "ALTER TABLE orders ADD COLUMN c_firm BLOB;"
        "ALTER TABLE orders ADD COLUMN c_calls INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE orders ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX orders_expiring ON orders (expires) WHERE expires > 0;"
        "PRAGMA user_version = 2;"
        "COMMIT",

        "BEGIN IMMEDIATE;"
        "ALTER TABLE orders ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX orders_personal ON orders (made, id) WHERE erased = 0;"
        "ALTER TABLE documents ADD COLUMN phone TEXT;"
        "UPDATE documents SET phone = phone_key(json_extract(doc, '$.customer.details.phone')) WHERE json_valid(doc);"
        "CREATE INDEX documents_phone ON documents (phone) WHERE phone IS NOT NULL;"
        "PRAGMA user_version = 3;"
        "COMMIT",

        /* What is not over, 0, or when it changed last, so that screens find both without going through all there ever was. */
        "BEGIN IMMEDIATE;"
        "ALTER TABLE orders ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;"
        "UPDATE orders SET ended = seen WHERE st >= 5;"
        "CREATE INDEX orders_ended ON orders (rid, ended, made, id);"
        "DROP INDEX orders_failed;"
        "DROP INDEX orders_failed_courier;"
        "CREATE INDEX orders_failed ON orders (rid, made, id) WHERE p_dead IS NOT NULL;"
        "CREATE INDEX orders_failed_courier ON orders (rid, made, id) WHERE c_dead IS NOT NULL;"
        "PRAGMA user_version = 4;"
        "COMMIT"};
#define SCHEMA_VERSION ((int64_t)(sizeof schemas / sizeof *schemas))

void conn_close(struct conn *conn)
{
        for (int i = 0; i < SQL_COUNT; i++) {
                sqlite3_finalize(conn->statements[i]);
                conn->statements[i] = NULL;
        }
        sqlite3_close(conn->db);
        conn->db = NULL;
}

void conn_drop(struct conn *conn)
{
        if (conn->db)
                sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        conn_close(conn);
}

bool conn_is_unflushed(const struct conn *conn)
{
        const int code = sqlite3_extended_errcode(conn->db);

        return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

/* As SQLite would by itself, but that what comes of it is looked at. */
static int committed(void *arg, sqlite3 *db, const char *name, int pages)
{
        struct conn *conn = arg;

        if (pages >= LOG_PAGES_MAX &&
            sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
                conn->unflushed |= conn_is_unflushed(conn);
        return SQLITE_OK;
}

enum err conn_open(struct conn *conn, const char *path, bool writes, struct why *why)
{
        const int flags = SQLITE_OPEN_NOMUTEX |
                          (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
        char text[160];

        conn->failed = conn->unflushed = false;
        if (sqlite3_open_v2(path, &conn->db, flags, NULL) != SQLITE_OK) {
                enum err e = FAIL(why, ERR_INTERNAL, "cannot open %s: %s", path, sqlite3_errmsg(conn->db));

                conn_close(conn);
                return e;
        }
        sqlite3_busy_timeout(conn->db, CONN_BUSY_MS);
        if (writes)
                sqlite3_wal_hook(conn->db, committed, conn);
        snprintf(text, sizeof text,
                 "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = %d",
                 LOG_BYTES_KEPT);
        if (sqlite3_exec(conn->db, text, NULL, NULL, NULL) == SQLITE_OK)
                return ERR_OK;
        FAIL(why, ERR_INTERNAL, "cannot use %s: %s", path, sqlite3_errmsg(conn->db));
        conn_close(conn);
        return ERR_INTERNAL;
}

/* The number that this query gives; -1 when it gives none. */
static int64_t ask(struct conn *conn, const char *text)
{
        sqlite3_stmt *s = NULL;
        int64_t value = -1;

        if (sqlite3_prepare_v2(conn->db, text, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
                value = sqlite3_column_int64(s, 0);
        sqlite3_finalize(s);
        return value;
}

enum err conn_check(struct conn *conn, const char *path, int64_t *ret_version, struct why *why)
{
        const int64_t version = ask(conn, "PRAGMA user_version");
        const int64_t tables = ask(conn, "SELECT count(*) FROM sqlite_schema");
        const int64_t hearts = ask(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'heart'");

        if (version < 0 || tables < 0 || hearts < 0)
                return FAIL(why, ERR_INTERNAL, "cannot read %s: %s", path, sqlite3_errmsg(conn->db));
        if (tables > 0 && hearts == 0)
                return FAIL(why, ERR_INTERNAL, "%s is another program's database", path);
        if (version > SCHEMA_VERSION)
                return FAIL(
                        why, ERR_INTERNAL,
                        "%s has schema version %lld, this kuryed knows up to %lld: it was made by a newer one",
                        path, (long long)version, (long long)SCHEMA_VERSION);
        *ret_version = version;
        return ERR_OK;
}

/* phone_key() for the schema's sake: of what is no text it is NULL. */
static void sql_phone_key(sqlite3_context *context, int n, sqlite3_value **values)
{
        const char *phone = n == 1 ? (const char *)sqlite3_value_text(values[0]) : NULL;
        char key[PHONE_KEY_SIZE];

        if (phone && phone_key(phone, key))
                sqlite3_result_text(context, key, -1, SQLITE_TRANSIENT);
}

enum err conn_make_ready(struct conn *conn, const char *path, struct why *why)
{
        int64_t version = 0;
        bool ok;
        enum err e = conn_check(conn, path, &version, why);

        if (e != ERR_OK)
                return e;
        /* The mode stays in the file. */
        ok = sqlite3_exec(conn->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK;
        ok = ok && sqlite3_create_function(conn->db, "phone_key", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                           sql_phone_key, NULL, NULL) == SQLITE_OK;
        for (; ok && version < SCHEMA_VERSION; version++)
                ok = sqlite3_exec(conn->db, schemas[version], NULL, NULL, NULL) == SQLITE_OK;
        if (!ok)
                return FAIL(why, ERR_INTERNAL, "cannot make the schema in %s: %s", path,
                            sqlite3_errmsg(conn->db));
        /* What changed in the time to come did so before the clock was set back, and shall not wait for that time again. */
        if (sqlite3_exec(conn->db,
                         "UPDATE orders SET p_at = " NOW " WHERE p_at > 0 AND p_at > " NOW " AND seen > " NOW
                         ";"
                         "UPDATE orders SET c_at = " NOW " WHERE c_at > 0 AND c_at > " NOW " AND seen > " NOW
                         " AND scheduled <= " NOW,
                         NULL, NULL, NULL) != SQLITE_OK)
                return FAIL(why, ERR_INTERNAL, "cannot write to %s: %s", path, sqlite3_errmsg(conn->db));
        /* Whatever was owed when the last process ended may have been called without our hearing the answer. Not so a
         * courier firm that was not chosen, or whose time has not come; it would be told of the end of what it never heard of. model:
         * doubt at start */
        if (sqlite3_exec(
                    conn->db,
                    "UPDATE orders SET p_unsure = 1 WHERE p_at > 0 AND p_unsure = 0;"
                    "UPDATE orders SET c_unsure = 1 WHERE c_at > 0 AND c_unsure = 0 AND c_firm IS NOT NULL"
                    " AND c_at <= " NOW,
                    NULL, NULL, NULL) != SQLITE_OK)
                return FAIL(why, ERR_INTERNAL, "cannot write to %s: %s", path, sqlite3_errmsg(conn->db));
        if (ask(conn, "SELECT EXISTS (SELECT 1 FROM orders WHERE p_at > 0 AND p_unsure = 1)"
                      " OR EXISTS (SELECT 1 FROM orders WHERE c_at > 0 AND c_unsure = 1)") != 0)
                conn->quiet_until_ms = store_lease_now(conn->store) + store_calls(conn->store);
        return ERR_OK;
}
