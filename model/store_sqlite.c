/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c - the embedded store: one file, one writer, shared commits.
 *
 * One thread and one connection does every write and every checkpoint: SQLite before 3.51.3 can corrupt its log when two
 * connections write or checkpoint at once (docs/facts.md 4), and one writer never waits for a lock. All that waits
 * when a commit ends shares the next one, so that a flush of the disk serves whole rounds of requests. Readers have
 * connections of their own, read-only.
 *
 * A transaction that fails is rolled back, the connection opened anew and the whole batch run once more, each job by itself,
 * so that one which meets damaged data fails alone; every job is safe to repeat. If that fails too, its jobs fail and a
 * heartbeat row is written every second until it works again. */
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
#define HEARTBEAT_MS 1000 /* while broken */
#define STUCK_MS 5000     /* a disk that takes so long for one commit does not work; a guess */
#define EARLY 32 /* jobs with which the writer begins, while more are handed over: docs/performance.md */

struct worker {
        struct sqlite *sqlite;
        struct conn conn;
        struct inbox in;
        pthread_mutex_t held; /* over a reader's connection, which the writer may have to close */
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
        atomic_uint posted; /* to the writer, ever */
        int64_t emptied_ms; /* the writer's: when it last tried to empty the log */
        atomic_bool ready;
        atomic_bool doubtful; /* what lies in the log was perhaps never made safe: nobody may read it */
        atomic_llong
                since_ms; /* CLOCK_BOOTTIME: since when the writer has been at jobs, or they wait; 0: neither */
        atomic_bool stopping;
};

/* --- the writer --- */

static enum err open_writer(struct sqlite *sqlite, struct why *why)
{
        enum err e = ERR_OK;

        if (sqlite->writer.conn.db)
                return ERR_OK;
        if (atomic_load(&sqlite->doubtful))
                e = log_make_safe(sqlite->path, why);
        if (e != ERR_OK)
                return e;
        atomic_store(&sqlite->doubtful, false);
        return conn_open(&sqlite->writer.conn, sqlite->path, /* writes= */ true, why);
}

/* After a flush that failed nothing that it called written need be there, of the log or of what was brought from there into
 * the file. So all let go of it; the log is written once more, and read by SQLite from its beginning. */
static void let_go(struct sqlite *sqlite)
{
        struct why ignored;

        for (int i = 0; i < READERS; i++) {
                pthread_mutex_lock(&sqlite->readers[i].held);
                conn_drop(&sqlite->readers[i].conn);
        }
        conn_drop(&sqlite->writer.conn);
        sqlite->writer.conn.unflushed = false;
        atomic_store(&sqlite->doubtful, log_make_safe(sqlite->path, &ignored) != ERR_OK);
        for (int i = 0; i < READERS; i++)
                pthread_mutex_unlock(&sqlite->readers[i].held);
}

static bool commit(struct sqlite *sqlite, int jobs)
{
        struct conn *conn = &sqlite->writer.conn;
        const int64_t began_us = time_boot_us();

        if (sql_run(conn, sql(conn, SQL_COMMIT), NULL, NULL) != ERR_OK)
                return false;
        store_commit(sqlite->store, jobs, time_boot_us() - began_us);
        conn->ahead_ms = conn->ahead_now_ms;
        leases_commit(conn, true);
        return true;
}

/* Begins, runs, commits. False: rolled back, nothing of it stands (or, after a failed commit, nobody knows). */
static bool try_batch(struct sqlite *sqlite, struct letter *jobs, void (*run)(struct conn *, struct job *))
{
        struct conn *conn = &sqlite->writer.conn;
        struct why ignored;
        int n = 0;

        if (open_writer(sqlite, &ignored) != ERR_OK)
                return false;
        conn->failed = false;
        if (sql_run(conn, sql(conn, SQL_BEGIN), NULL, NULL) != ERR_OK)
                return false;
        for (struct letter *letter = jobs; letter && !conn->failed; letter = letter->next, n++)
                run(conn, (struct job *)letter);
        return !conn->failed && commit(sqlite, n);
}

static void roll_back(struct sqlite *sqlite, struct why *why)
{
        struct conn *conn = &sqlite->writer.conn;

        if (conn->db) {
                FAIL(why, ERR_STORE_BROKEN, "SQLite: %s (%d)", sqlite3_errmsg(conn->db),
                     sqlite3_extended_errcode(conn->db));
                conn->unflushed |= conn_is_unflushed(conn);
                if (!sqlite3_get_autocommit(conn->db))
                        sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
        }
        leases_commit(conn, false);
        if (conn->unflushed)
                let_go(sqlite);
        else
                conn_drop(conn);
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
                done = try_batch(sqlite, jobs, attempt == 0 ? sqlite_run : sqlite_run_apart);
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
        conn->unflushed |= conn->erased && conn_is_unflushed(conn);
        sqlite3_busy_timeout(conn->db, CONN_BUSY_MS);
}

/* Whether writing works again. */
static void heartbeat(struct sqlite *sqlite)
{
        struct conn *conn = &sqlite->writer.conn;
        struct why why;

        if (open_writer(sqlite, &why) != ERR_OK)
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
                if (worker->conn.unflushed) {
                        let_go(sqlite);
                        set_ready(sqlite, false, "the log could not be brought into the file");
                }
        }
}

/* --- the readers --- */

/* False: it failed. */
static bool try_read(struct worker *worker, struct job *job)
{
        struct conn *conn = &worker->conn;

        if (!conn->db && !atomic_load(&worker->sqlite->doubtful))
                job->err = conn_open(conn, worker->sqlite->path, /* writes= */ false, &job->why);
        conn->failed = !conn->db;
        if (conn->failed)
                job->err = ERR_STORE_BROKEN;
        else
                store_run(worker->sqlite->store, conn, job);
        if (conn->failed && job->err == ERR_OK)
                job->err = sql_failed(conn, &job->why);
        if (conn->failed)
                conn_close(conn);
        return !conn->failed;
}

static void run_read(struct worker *worker, struct job *job)
{
        pthread_mutex_lock(&worker->held);
        if (!try_read(worker, job))
                try_read(worker, job);
        pthread_mutex_unlock(&worker->held);
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
        if (writes && atomic_fetch_add(&sqlite->posted, 1) % EARLY == EARLY - 1)
                inbox_ring(&worker->in);
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
        for (int i = 0; i < READERS; i++)
                pthread_mutex_destroy(&sqlite->readers[i].held);
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

        conn->store = sqlite->store;
        e = take_lock(sqlite, why);
        if (e == ERR_OK)
                e = open_writer(sqlite, why);
        if (e == ERR_OK)
                e = conn_make_ready(conn, sqlite->path, why);
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
        atomic_store(&sqlite->doubtful, true);
        for (int i = 0; i < READERS; i++)
                pthread_mutex_init(&sqlite->readers[i].held, NULL);
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
        .order_wipe = sqlite_order_wipe,
        .changes = sqlite_changes,
};
