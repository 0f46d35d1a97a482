/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c - the embedded store: one file, one writer, shared commits.
 *
 * One thread and one connection does every write and every checkpoint: SQLite before 3.51.3 can corrupt its log when two
 * connections write or checkpoint at once (docs/facts.md 4), and one writer never waits for a lock. All that waits
 * when a commit ends shares the next one, so that a flush of the disk serves whole rounds of requests. Readers have
 * connections of their own, read-only.
 *
 * A transaction that fails is rolled back, the connection opened anew and the whole batch run once more; every job is safe
 * to repeat. If that fails too, its jobs fail and a heartbeat row is written every second until it works again. */
#include "model/store_sqlite.h"

#include "model/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define READERS 2
#define BUSY_MS 2000      /* readers open while the writer commits */
#define HEARTBEAT_MS 1000 /* while broken */
#define STUCK_MS 5000     /* a disk that takes so long for one commit does not work; a guess */
#define LOG_BYTES_KEPT (16 << 20)

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
        "UPDATE documents SET phone = phone_key(json_extract(doc, '$.customer.details.phone'));"
        "CREATE INDEX documents_phone ON documents (phone) WHERE phone IS NOT NULL;"
        "PRAGMA user_version = 3;"
        "COMMIT"};
#define SCHEMA_VERSION ((int64_t)(sizeof schemas / sizeof *schemas))

struct worker {
        struct sqlite *sqlite;
        struct conn conn;
        struct inbox in;
        pthread_t thread;
        bool started;
};

struct sqlite {
        struct store *store;
        char *path;
        int lock_fd;
        struct worker writer;
        struct worker readers[READERS];
        atomic_uint turn;   /* which reader is next */
        int64_t emptied_ms; /* the writer's: when it last tried to empty the log */
        atomic_bool ready;
        atomic_llong
                since_ms; /* CLOCK_BOOTTIME: since when the writer has been at jobs, or they wait; 0: neither */
        atomic_bool stopping;
};

/* --- connections --- */

void conn_close(struct conn *conn)
{
        for (int i = 0; i < SQL_COUNT; i++) {
                sqlite3_finalize(conn->statements[i]);
                conn->statements[i] = NULL;
        }
        sqlite3_close(conn->db);
        conn->db = NULL;
}

enum err conn_open(struct conn *conn, const char *path, bool writes, struct why *why)
{
        const int flags = SQLITE_OPEN_NOMUTEX |
                          (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
        char text[160];

        conn->failed = false;
        if (sqlite3_open_v2(path, &conn->db, flags, NULL) != SQLITE_OK) {
                enum err e = FAIL(why, ERR_INTERNAL, "cannot open %s: %s", path, sqlite3_errmsg(conn->db));

                conn_close(conn);
                return e;
        }
        sqlite3_busy_timeout(conn->db, BUSY_MS);
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

static enum err make_ready(struct conn *conn, const char *path, struct why *why)
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
        /* Whatever was owed when the last process ended may have been called without our hearing the answer. Not so a
         * courier firm whose time has not come; it would be told of the end of what it never heard of. model:
         * doubt at start */
        if (sqlite3_exec(conn->db,
                         "UPDATE orders SET p_unsure = 1 WHERE p_at > 0 AND p_unsure = 0;"
                         "UPDATE orders SET c_unsure = 1 WHERE c_at > 0 AND c_unsure = 0"
                         " AND c_at <= 86400000 * (julianday('now') - 2440587.5)",
                         NULL, NULL, NULL) != SQLITE_OK)
                return FAIL(why, ERR_INTERNAL, "cannot write to %s: %s", path, sqlite3_errmsg(conn->db));
        return ERR_OK;
}

/* --- the writer --- */

static bool commit(struct sqlite *sqlite, int jobs)
{
        struct conn *conn = &sqlite->writer.conn;
        const int64_t began_us = time_boot_us();

        if (sql_run(conn, sql(conn, SQL_COMMIT), NULL, NULL) != ERR_OK)
                return false;
        store_commit(sqlite->store, jobs, time_boot_us() - began_us);
        if (conn->leases)
                leases_commit(conn, true);
        return true;
}

/* Begins, runs, commits. False: rolled back, nothing of it stands (or, after a failed commit, nobody knows). */
static bool try_batch(struct sqlite *sqlite, struct letter *jobs)
{
        struct conn *conn = &sqlite->writer.conn;
        struct why ignored;
        int n = 0;

        if (!conn->db && conn_open(conn, sqlite->path, /* writes= */ true, &ignored) != ERR_OK)
                return false;
        conn->failed = false;
        if (sql_run(conn, sql(conn, SQL_BEGIN), NULL, NULL) != ERR_OK)
                return false;
        for (struct letter *letter = jobs; letter && !conn->failed; letter = letter->next, n++)
                store_run(sqlite->store, conn, (struct job *)letter);
        return !conn->failed && commit(sqlite, n);
}

static void roll_back(struct sqlite *sqlite, struct why *why)
{
        struct conn *conn = &sqlite->writer.conn;

        if (conn->db) {
                FAIL(why, ERR_STORE_BROKEN, "SQLite: %s (%d)", sqlite3_errmsg(conn->db),
                     sqlite3_extended_errcode(conn->db));
                if (!sqlite3_get_autocommit(conn->db))
                        sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
        }
        leases_commit(conn, false);
        conn_close(conn);
}

static void set_ready(struct sqlite *sqlite, bool ready, const char *text)
{
        if (atomic_exchange(&sqlite->ready, ready) != ready)
                store_note(sqlite->store, ready ? NOTE_RECOVERED : NOTE_BROKEN, text);
}

static void run_batch(struct sqlite *sqlite, struct letter *jobs)
{
        struct why why = {.text = "the file cannot be opened"};
        bool done = false;

        for (int attempt = 0; attempt < 2; attempt++) {
                done = try_batch(sqlite, jobs);
                if (done)
                        break;
                roll_back(sqlite, &why);
                for (struct letter *letter = jobs; letter; letter = letter->next)
                        ((struct job *)letter)->repeated = true;
        }
        set_ready(sqlite, done, why.text);
        for (struct letter *letter = jobs; letter && !done; letter = letter->next) {
                struct job *job = (struct job *)letter;

                job->changed = false;
                job->why = why;
                job->err = ERR_STORE_BROKEN;
        }
        store_finish(sqlite->store, jobs);
}

/* What was erased shall not stand in the log either. Whoever reads is not waited for: then it is tried again. */
static void empty_log(struct sqlite *sqlite)
{
        struct conn *conn = &sqlite->writer.conn;

        if (!conn->db || time_boot_ms() < sqlite->emptied_ms + HEARTBEAT_MS)
                return;
        sqlite->emptied_ms = time_boot_ms();
        sqlite3_busy_timeout(conn->db, 0);
        conn->erased = sqlite3_wal_checkpoint_v2(conn->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
                       SQLITE_OK;
        sqlite3_busy_timeout(conn->db, BUSY_MS);
}

/* Whether writing works again. */
static void heartbeat(struct sqlite *sqlite)
{
        struct conn *conn = &sqlite->writer.conn;
        struct why why;

        if (!conn->db && conn_open(conn, sqlite->path, /* writes= */ true, &why) != ERR_OK)
                return;
        conn->failed = false;
        if (sql_run(conn, sql(conn, SQL_BEAT), NULL, NULL) == ERR_OK)
                set_ready(sqlite, true, "");
        else
                roll_back(sqlite, &why);
}

/* Not at all once it is to stop: the wake that said so may have been taken together with the last jobs. */
static void wait_for_jobs(struct worker *worker, int timeout_ms)
{
        struct pollfd wait = {.fd = worker->in.fd, .events = POLLIN};

        poll(&wait, 1, atomic_load(&worker->sqlite->stopping) ? 0 : timeout_ms);
}

static void *write_loop(void *arg)
{
        struct worker *worker = arg;
        struct sqlite *sqlite = worker->sqlite;
        struct letter *jobs;

        for (;;) {
                wait_for_jobs(worker,
                              atomic_load(&sqlite->ready) && !worker->conn.erased ? -1 : HEARTBEAT_MS);
                jobs = inbox_take(&worker->in);
                if (jobs) {
                        atomic_store(&sqlite->since_ms, time_boot_ms());
                        run_batch(sqlite, jobs);
                        atomic_store(&sqlite->since_ms, 0); /* what came meanwhile is taken at once */
                } else if (atomic_load(&sqlite->stopping)) {
                        return NULL;
                } else if (!atomic_load(&sqlite->ready)) {
                        heartbeat(sqlite);
                }
                if (worker->conn.erased)
                        empty_log(sqlite);
        }
}

/* --- the readers --- */

static void run_read(struct worker *worker, struct job *job)
{
        struct conn *conn = &worker->conn;

        conn->failed = false;
        if (!conn->db)
                job->err = conn_open(conn, worker->sqlite->path, /* writes= */ false, &job->why);
        if (!conn->db)
                job->err = ERR_STORE_BROKEN;
        else
                store_run(worker->sqlite->store, conn, job);
        if (conn->failed)
                conn_close(conn);
        job->letter.next = NULL;
        store_finish(worker->sqlite->store, &job->letter);
}

static void *read_loop(void *arg)
{
        struct worker *worker = arg;
        struct letter *jobs;
        struct letter *next;

        for (;;) {
                wait_for_jobs(worker, -1);
                jobs = inbox_take(&worker->in);
                if (!jobs && atomic_load(&worker->sqlite->stopping))
                        return NULL;
                for (; jobs; jobs = next) {
                        next = jobs->next;
                        run_read(worker, (struct job *)jobs);
                }
        }
}

/* --- the door --- */

static void sqlite_submit(void *state, struct job *job, bool writes)
{
        struct sqlite *sqlite = state;
        struct worker *worker = &sqlite->writer;
        long long none = 0;

        if (writes && atomic_load(&sqlite->since_ms) == 0)
                atomic_compare_exchange_strong(&sqlite->since_ms, &none, time_boot_ms());
        if (!writes)
                worker = &sqlite->readers[atomic_fetch_add(&sqlite->turn, 1) % READERS];
        inbox_post(&worker->in, &job->letter);
}

static void sqlite_kick(void *state)
{
        struct sqlite *sqlite = state;

        inbox_ring(&sqlite->writer.in);
        for (int i = 0; i < READERS; i++)
                inbox_ring(&sqlite->readers[i].in);
}

static bool sqlite_is_ready(const void *state)
{
        const struct sqlite *sqlite = state;
        const int64_t since_ms = atomic_load(&sqlite->since_ms);

        return atomic_load(&sqlite->ready) && (since_ms == 0 || time_boot_ms() - since_ms < STUCK_MS);
}

static enum err worker_start(struct sqlite *sqlite, struct worker *worker, void *(*loop)(void *),
                             const char *name, struct why *why)
{
        enum err e;

        worker->sqlite = sqlite;
        worker->conn.store = sqlite->store;
        e = inbox_init(&worker->in, why);
        if (e != ERR_OK)
                return e;
        worker->started = pthread_create(&worker->thread, NULL, loop, worker) == 0;
        if (!worker->started) {
                inbox_done(&worker->in);
                return FAIL(why, ERR_NO_MEMORY, "cannot start the store's threads");
        }
        pthread_setname_np(worker->thread, name);
        return ERR_OK;
}

static void worker_stop(struct worker *worker)
{
        if (!worker->started)
                return;
        inbox_ring(&worker->in);
        worker->in.wake(worker->in.arg); /* also where nothing was posted: it must see that it is to stop */
        pthread_join(worker->thread, NULL);
        inbox_done(&worker->in);
        conn_close(&worker->conn);
}

static void sqlite_stop(void *state)
{
        struct sqlite *sqlite = state;

        atomic_store(&sqlite->stopping, true);
        for (int i = 0; i < READERS; i++)
                worker_stop(&sqlite->readers[i]);
        worker_stop(&sqlite->writer); /* closes the last connection, which empties the log into the file */
        leases_free(&sqlite->writer.conn);
        conn_close(&sqlite->writer.conn);
        if (sqlite->lock_fd >= 0)
                close(sqlite->lock_fd);
        free(sqlite->path);
        free(sqlite);
}

static enum err take_lock(struct sqlite *sqlite, struct why *why)
{
        CLEAN(free_at) char *path = NULL;

        if (asprintf(&path, "%s.lock", sqlite->path) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a path");
        sqlite->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (sqlite->lock_fd < 0)
                return FAIL(why, ERR_INTERNAL, "cannot open %s: %s", path, strerror(errno));
        if (flock(sqlite->lock_fd, LOCK_EX | LOCK_NB) == 0)
                return ERR_OK;
        return FAIL(why, ERR_INTERNAL, "%s is in use by another kuryed", sqlite->path);
}

static enum err start(struct sqlite *sqlite, struct why *why)
{
        struct conn *conn = &sqlite->writer.conn;
        enum err e;

        e = take_lock(sqlite, why);
        if (e == ERR_OK)
                e = conn_open(conn, sqlite->path, /* writes= */ true, why);
        if (e == ERR_OK)
                e = make_ready(conn, sqlite->path, why);
        if (e == ERR_OK)
                e = store_admit_keys(sqlite->store, conn, why);
        if (e == ERR_OK)
                e = worker_start(sqlite, &sqlite->writer, write_loop, "store-writer", why);
        for (int i = 0; i < READERS && e == ERR_OK; i++)
                e = worker_start(sqlite, &sqlite->readers[i], read_loop, "store-reader", why);
        return e;
}

#define SCHEME "sqlite:"

static const char *sqlite_wrong(const char *where)
{
        return where[strlen(SCHEME)] ? NULL : "must be sqlite:PATH";
}

/* SQLite counts its memory under a lock that all connections share, and nobody asks for the count. */
static void count_nothing(void)
{
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err sqlite_start(struct store *store, const char *where, void **ret, struct why *why)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct sqlite *sqlite = calloc(1, sizeof *sqlite);
        enum err e;

        pthread_once(&once, count_nothing);
        if (!sqlite)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a store");
        sqlite->store = store;
        sqlite->lock_fd = -1;
        atomic_store(&sqlite->ready, true);
        sqlite->path = strdup(where + strlen(SCHEME));
        e = sqlite->path ? start(sqlite, why) : FAIL(why, ERR_NO_MEMORY, "no memory for a path");
        if (e != ERR_OK) {
                sqlite_stop(sqlite);
                return e;
        }
        *ret = sqlite;
        return ERR_OK;
}

const struct backend backend_sqlite = {
        .wrong = sqlite_wrong,
        .open = sqlite_start,
        .close = sqlite_stop,
        .submit = sqlite_submit,
        .kick = sqlite_kick,
        .is_ready = sqlite_is_ready,
        .record_get = sqlite_record_get,
        .record_look = sqlite_record_look,
        .record_insert = sqlite_record_insert,
        .record_update = sqlite_record_update,
        .record_delete = sqlite_record_delete,
        .record_page = sqlite_record_page,
        .order_insert = sqlite_order_insert,
        .order_get = sqlite_order_get,
        .order_find = sqlite_order_find,
        .order_move = sqlite_order_move,
        .order_rewrite = sqlite_order_rewrite,
        .order_scan = sqlite_order_scan,
        .due = sqlite_due,
        .claim = sqlite_claim,
        .settle = sqlite_settle,
        .release = sqlite_release,
        .replay = sqlite_replay,
        .replay_all = sqlite_replay_all,
        .oldest_due = sqlite_oldest_due,
        .count = sqlite_count,
        .choose = sqlite_choose,
        .call = sqlite_call,
        .sweep = sqlite_sweep,
        .find_personal = sqlite_find_personal,
        .order_erase = sqlite_order_erase,
        .changes = sqlite_changes,
};
