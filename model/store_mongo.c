/* SPDX-License-Identifier: Apache-2.0 */
/* store_mongo.c - the store in a MongoDB that other servers share: threads, readiness, time.
 *
 * Each thread keeps one client of libmongoc's pool and runs one job at a time. Every wait has an end: a command's whole
 * way is bounded by a part of the job's deadline, so that a failure leaves time for a repeat. A job whose outcome is
 * unknown, or that met a server which is not primary any more, is run again until its deadline; each recognises by itself
 * what its earlier run did. The driver's own retry is off: it knows neither the deadline nor the job.
 *
 * One more thread asks the server every second how it is and what time it is. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 32      /* jobs at once, unless the URI's maxPoolSize says otherwise; a guess */
#define THREADS_MAX 256 /* a guess */
#define BEAT_MS 1000    /* between two looks at the server */
#define LOST_MS 250     /* the same while it does not answer */
#define PAUSE_MS 20     /* before the first repeat, doubled with each */
#define PAUSE_MAX_MS 500
#define SHARES 4       /* of the workers, so many rounds of results are on their way at once; a guess */
#define GATHER_US 2000 /* nor does a result wait longer for others if somebody comes by; a guess */

struct worker {
        struct mongo_conn conn;
        pthread_t thread;
        bool started;
};

struct mongo {
        struct store *store;
        mongoc_client_pool_t *pool;
        char *database;
        struct mongo_conn heart;
        char reason[160]; /* why it is not ready, as it was told; the heart's */
        int64_t told_ms;
        pthread_t heart_thread;
        bool heart_started;
        struct worker *workers;
        int n_workers;
        pthread_mutex_t lock; /* over what follows */
        pthread_cond_t work;  /* there is a job, or the end has come */
        pthread_cond_t beat;  /* the heart shall look at once, or the end has come */
        pthread_cond_t end;
        struct letter *first;
        struct letter **last;
        int unheard; /* submitted since the last kick */
        /* done, and not yet given back */
        struct letter *done;
        struct letter **last_done;
        int n_done;
        int64_t done_us; /* when the first of them was */
        int idle;
        bool stopping;
        bool hurried;
        atomic_bool ready;
        atomic_bool prepared; /* the indexes are there, and the keys are the store's */
        struct mongo_clock clock;
};

/* ---- the driver's log ---- */

static void quiet(mongoc_log_level_t level, const char *domain, const char *text, void *arg)
{
        (void)level;
        (void)domain;
        (void)text;
        (void)arg;
}

static void hear_driver(mongoc_log_level_t level, const char *domain, const char *text, void *arg)
{
        (void)domain;
        if (level <= MONGOC_LOG_LEVEL_WARNING)
                store_note(arg, NOTE_DRIVER, text);
}

static void begin_driver(void)
{
        mongoc_log_set_handler(quiet, NULL); /* it would write to the terminal */
        mongoc_init();
}

static void init_driver(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, begin_driver);
}

/* ---- the URI ---- */

static void uri_free_at(mongoc_uri_t **at)
{
        mongoc_uri_destroy(*at);
}

static const char *mongo_wrong(const char *where)
{
        CLEAN(uri_free_at) mongoc_uri_t *uri = NULL;
        bson_error_t ignored; /* it quotes the URI, and with it a password */

        init_driver();
        uri = mongoc_uri_new_with_error(where, &ignored);
        if (!uri)
                return "is no URI that libmongoc understands";
        return mongoc_uri_get_database(uri) ? NULL : "must name a database behind the host: …/NAME";
}

/* No longer than this, whatever the URI says. */
static void bound(mongoc_uri_t *uri, const char *option, int32_t max_ms)
{
        const int32_t set = mongoc_uri_get_option_as_int32(uri, option, 0);

        if (set <= 0 || set > max_ms)
                mongoc_uri_set_option_as_int32(uri, option, max_ms);
}

/* Two fifths of a deadline to find a server, two for an answer: a first failure leaves time for more. */
static void set_limits(mongoc_uri_t *uri, int32_t deadline_ms, int threads)
{
        const int32_t part_ms = BSON_MAX(deadline_ms * 2 / 5, 1);
        mongoc_write_concern_t *concern = mongoc_write_concern_new();
        mongoc_read_concern_t *reads = mongoc_read_concern_new();

        bound(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, part_ms);
        bound(uri, MONGOC_URI_CONNECTTIMEOUTMS, part_ms);
        bound(uri, MONGOC_URI_SOCKETTIMEOUTMS, part_ms);
        mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, threads + 1);
        mongoc_uri_set_option_as_int32(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, part_ms);
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
        mongoc_write_concern_set_wmajority(concern, BSON_MAX(part_ms * 3 / 4, 1));
        mongoc_write_concern_set_journal(concern, true);
        mongoc_uri_set_write_concern(uri, concern);
        mongoc_write_concern_destroy(concern);
        mongoc_read_concern_set_level(reads, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
        mongoc_uri_set_read_concern(uri, reads);
        mongoc_read_concern_destroy(reads);
        if (!mongoc_uri_get_appname(uri))
                mongoc_uri_set_appname(uri, "kuryed");
}

/* ---- connections ---- */

static bool conn_open(struct mongo *mongo, struct mongo_conn *conn)
{
        static const char *const collections[RECORD_KIND_COUNT] = {[RECORD_RESTAURANT] = "restaurants",
                                                                   [RECORD_TOKEN] = "tokens",
                                                                   [RECORD_INTEGRATION] = "integrations",
                                                                   [RECORD_CONNECTION] = "connections",
                                                                   [RECORD_POLL] = "polls",
                                                                   [RECORD_ERASURE] = "erasures",
                                                                   [RECORD_KEY] = "keys"};

        conn->store = mongo->store;
        conn->mongo = mongo;
        conn->clock = &mongo->clock;
        conn->patience_ms = (int32_t)BSON_MAX(store_deadline(mongo->store) * 3 / 10, 1);
        conn->client = mongoc_client_pool_pop(mongo->pool);
        if (!conn->client)
                return false;
        conn->primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
        conn->database = mongoc_client_get_database(conn->client, mongo->database);
        conn->orders = mongoc_database_get_collection(conn->database, "orders");
        for (int i = 0; i < RECORD_KIND_COUNT; i++)
                conn->records[i] = mongoc_database_get_collection(conn->database, collections[i]);
        return true;
}

static void conn_close(struct mongo_conn *conn)
{
        if (!conn->client)
                return;
        mongoc_collection_destroy(conn->orders);
        for (int i = 0; i < RECORD_KIND_COUNT; i++)
                mongoc_collection_destroy(conn->records[i]);
        mongoc_database_destroy(conn->database);
        mongoc_read_prefs_destroy(conn->primary);
        mongoc_client_pool_push(conn->mongo->pool, TAKE(conn->client));
}

/* ---- the heart ---- */

/* Whether a primary answers, and by its clock what time it is. `isMaster` is what every version knows. */
static enum err greet(struct mongo_conn *conn, struct why *why)
{
        CLEAN(bson_free_at) bson_t *command = BCON_NEW("isMaster", BCON_INT32(1));
        const int64_t asked_ms = time_boot_ms();
        bson_error_t error = {0};
        int64_t took_ms, there_ms;
        bson_t reply;
        enum err e = ERR_OK;

        if (!mongoc_client_command_simple(conn->client, "admin", command, conn->primary, &reply, &error))
                e = mongo_failed(conn, "isMaster", &error, &reply, why);
        took_ms = time_boot_ms() - asked_ms;
        there_ms = mongo_time(&reply, "localTime", 0);
        if (e == ERR_OK && there_ms > 0)
                mongo_clock_read(conn, there_ms, asked_ms, took_ms);
        bson_destroy(&reply);
        return e;
}

static enum err look(struct mongo *mongo, struct why *why)
{
        enum err e = greet(&mongo->heart, why);

        if (e == ERR_OK && !atomic_load(&mongo->prepared)) {
                e = mongo_make_indexes(&mongo->heart, why);
                if (e == ERR_OK)
                        e = store_admit_keys(mongo->store, &mongo->heart, why);
                if (e == ERR_OK)
                        e = mongo_clock_begin_orders(&mongo->heart, why);
                atomic_store(&mongo->prepared, e == ERR_OK);
        }
        return e == ERR_OK ? mongo_clock_follow(&mongo->heart, why) : e;
}

/* A new reason is told as well, once a second: what came back may be refused for another one. */
static void tell(struct mongo *mongo, bool ready, const char *reason)
{
        const bool news = atomic_exchange(&mongo->ready, ready) != ready;
        const int64_t now_ms = time_boot_ms();

        if (!news && (ready || streq(reason, mongo->reason) || now_ms < mongo->told_ms + BEAT_MS))
                return;
        mongo->told_ms = now_ms;
        text_copy(mongo->reason, sizeof mongo->reason, reason);
        store_note(mongo->store, ready ? NOTE_RECOVERED : NOTE_BROKEN, reason);
}

/* So long at most, with `mongo->lock` held. */
static void wait_for(pthread_cond_t *cond, struct mongo *mongo, int64_t ms)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
        }
        pthread_cond_timedwait(cond, &mongo->lock, &until);
}

static void *heart_loop(void *arg)
{
        struct mongo *mongo = arg;
        struct why why;
        enum err e;

        pthread_mutex_lock(&mongo->lock);
        while (!mongo->stopping) {
                if (!mongo->hurried)
                        wait_for(&mongo->beat, mongo, atomic_load(&mongo->ready) ? BEAT_MS : LOST_MS);
                mongo->hurried = false;
                if (mongo->stopping)
                        break;
                pthread_mutex_unlock(&mongo->lock);
                e = look(mongo, &why);
                tell(mongo, e == ERR_OK, e == ERR_OK ? "" : why.text);
                pthread_mutex_lock(&mongo->lock);
        }
        pthread_mutex_unlock(&mongo->lock);
        return NULL;
}

/* ---- the workers ---- */

/* Somebody got no answer: the heart shall find out whether it was the server. */
static void hurry(struct mongo *mongo)
{
        pthread_mutex_lock(&mongo->lock);
        mongo->hurried = true;
        pthread_cond_signal(&mongo->beat);
        pthread_mutex_unlock(&mongo->lock);
}

/* True unless the end came meanwhile. */
static bool pause_for(struct mongo *mongo, int64_t ms)
{
        bool stopping;

        pthread_mutex_lock(&mongo->lock);
        if (!mongo->stopping)
                wait_for(&mongo->end, mongo, ms);
        stopping = mongo->stopping;
        pthread_mutex_unlock(&mongo->lock);
        return !stopping;
}

static void run_job(struct worker *worker, struct job *job)
{
        struct mongo_conn *conn = &worker->conn;
        struct mongo *mongo = conn->mongo;
        int64_t pause_ms = PAUSE_MS;

        if (!atomic_load(&mongo->prepared) || time_boot_ms() >= job->by_ms) {
                job->changed = false;
                job->err = FAIL(&job->why, ERR_BUSY, "MongoDB does not answer, or too many wait for it");
                return;
        }
        for (;;) {
                conn->again = conn->gone = false;
                store_run(mongo->store, conn, job);
                if (job->err != ERR_STORE_BROKEN || !conn->again)
                        return;
                if (conn->gone)
                        hurry(mongo);
                job->repeated = true;
                if (!job_may_repeat(job) || time_boot_ms() + pause_ms >= job->by_ms ||
                    !pause_for(mongo, pause_ms))
                        return;
                pause_ms = BSON_MIN(2 * pause_ms, PAUSE_MAX_MS);
        }
}

/* While others wait for a worker anyway, results go back together: each wake-up costs whoever asked a look at all of its
 * connections, on cores that MongoDB may have to live on, too. What waits too long mongo_kick() gives back, which comes by
 * every 10 ms while anybody waits for an answer. The last one to work finds nobody waiting, and leaves nothing behind. */
static void add_done(struct mongo *mongo, struct letter *letter)
{
        if (mongo->n_done++ == 0)
                mongo->done_us = time_boot_us();
        *mongo->last_done = letter;
        mongo->last_done = &letter->next;
}

/* Called with the lock, which it lets go meanwhile. */
static void give_back(struct mongo *mongo)
{
        struct letter *done = mongo->done;

        if (!done)
                return;
        mongo->done = NULL;
        mongo->last_done = &mongo->done;
        mongo->n_done = 0;
        pthread_mutex_unlock(&mongo->lock);
        store_finish(mongo->store, done);
        pthread_mutex_lock(&mongo->lock);
}

static void *work_loop(void *arg)
{
        struct worker *worker = arg;
        struct mongo *mongo = worker->conn.mongo;
        struct letter *letter;

        pthread_mutex_lock(&mongo->lock);
        for (;;) {
                mongo->idle++;
                while (!mongo->first && !mongo->stopping)
                        pthread_cond_wait(&mongo->work, &mongo->lock);
                mongo->idle--;
                letter = mongo->first;
                if (!letter)
                        break;
                mongo->first = letter->next;
                if (!mongo->first)
                        mongo->last = &mongo->first;
                pthread_mutex_unlock(&mongo->lock);
                letter->next = NULL;
                run_job(worker, (struct job *)letter);
                pthread_mutex_lock(&mongo->lock);
                add_done(mongo, letter);
                if (!mongo->first || mongo->n_done >= mongo->n_workers / SHARES)
                        give_back(mongo);
        }
        pthread_mutex_unlock(&mongo->lock);
        return NULL;
}

/* ---- the door ---- */

static void mongo_submit(void *state, struct job *job, bool writes)
{
        struct mongo *mongo = state;

        (void)writes;
        job->by_ms = job->submitted_us / 1000 + store_deadline(mongo->store);
        job->letter.next = NULL;
        pthread_mutex_lock(&mongo->lock);
        *mongo->last = &job->letter;
        mongo->last = &job->letter.next;
        mongo->unheard++;
        pthread_mutex_unlock(&mongo->lock);
}

static void mongo_kick(void *state)
{
        struct mongo *mongo = state;

        pthread_mutex_lock(&mongo->lock);
        for (int i = BSON_MIN(mongo->unheard, mongo->idle); i > 0; i--)
                pthread_cond_signal(&mongo->work);
        mongo->unheard = 0;
        if (mongo->n_done > 0 && time_boot_us() - mongo->done_us >= GATHER_US)
                give_back(mongo);
        pthread_mutex_unlock(&mongo->lock);
}

static bool mongo_is_ready(const void *state)
{
        return atomic_load(&((const struct mongo *)state)->ready);
}

static int64_t mongo_now(const void *state)
{
        return mongo_clock_now(&((const struct mongo *)state)->clock);
}

/* ---- its beginning and end ---- */

static void mongo_stop(void *state)
{
        struct mongo *mongo = state;

        pthread_mutex_lock(&mongo->lock);
        mongo->stopping = true;
        pthread_cond_broadcast(&mongo->work);
        pthread_cond_broadcast(&mongo->beat);
        pthread_cond_broadcast(&mongo->end);
        pthread_mutex_unlock(&mongo->lock);
        for (int i = 0; i < mongo->n_workers; i++) {
                if (mongo->workers[i].started)
                        pthread_join(mongo->workers[i].thread, NULL);
                conn_close(&mongo->workers[i].conn);
        }
        if (mongo->heart_started)
                pthread_join(mongo->heart_thread, NULL);
        conn_close(&mongo->heart);
        if (mongo->pool)
                mongoc_client_pool_destroy(mongo->pool);
        mongoc_log_set_handler(quiet, NULL);
        pthread_cond_destroy(&mongo->end);
        pthread_cond_destroy(&mongo->beat);
        pthread_cond_destroy(&mongo->work);
        pthread_mutex_destroy(&mongo->lock);
        free(mongo->workers);
        free(mongo->database);
        free(mongo);
}

static enum err open_pool(struct mongo *mongo, const char *where, struct why *why)
{
        CLEAN(uri_free_at) mongoc_uri_t *uri = mongoc_uri_new(where);
        bson_error_t error = {0};
        int threads;

        if (!uri)
                return FAIL(why, ERR_INTERNAL, "the store's URI does not read");
        threads = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, THREADS);
        mongo->n_workers = threads < 1 ? 1 : BSON_MIN(threads, THREADS_MAX);
        set_limits(uri, (int32_t)store_deadline(mongo->store), mongo->n_workers);
        mongo->database = strdup(mongoc_uri_get_database(uri));
        mongo->workers = calloc((size_t)mongo->n_workers, sizeof *mongo->workers);
        if (!mongo->database || !mongo->workers)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a store");
        mongo->pool = mongoc_client_pool_new_with_error(uri, &error);
        if (!mongo->pool)
                return FAIL(why, ERR_INTERNAL, "MongoDB: %s", error.message);
        mongoc_client_pool_set_error_api(mongo->pool, MONGOC_ERROR_API_VERSION_2);
        mongo_watch_commands(mongo->pool, mongo->store);
        return ERR_OK;
}

static enum err start_threads(struct mongo *mongo, struct why *why)
{
        bool ok = true;

        for (int i = 0; i < mongo->n_workers && ok; i++) {
                struct worker *worker = &mongo->workers[i];

                ok = conn_open(mongo, &worker->conn) &&
                     pthread_create(&worker->thread, NULL, work_loop, worker) == 0;
                worker->started = ok;
                if (ok)
                        pthread_setname_np(worker->thread, "store");
        }
        mongo->heart_started = ok && pthread_create(&mongo->heart_thread, NULL, heart_loop, mongo) == 0;
        if (!mongo->heart_started)
                return FAIL(why, ERR_NO_MEMORY, "cannot start the store's threads");
        pthread_setname_np(mongo->heart_thread, "store-heart");
        return ERR_OK;
}

static void init_cond(pthread_cond_t *cond)
{
        pthread_condattr_t monotonic;

        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &monotonic);
        pthread_condattr_destroy(&monotonic);
}

static enum err start(struct mongo *mongo, const char *where, struct why *why)
{
        enum err e = open_pool(mongo, where, why);
        struct why reason;

        if (e != ERR_OK)
                return e;
        if (!conn_open(mongo, &mongo->heart))
                return FAIL(why, ERR_NO_MEMORY, "no client for MongoDB");
        /* What will not pass by itself is said at once: a login that is refused, an index in the way, a wrong key. */
        e = look(mongo, &reason);
        if (e != ERR_OK && !mongo->heart.again)
                return FAIL(why, ERR_INTERNAL, "%s", reason.text);
        tell(mongo, e == ERR_OK, e == ERR_OK ? "" : reason.text);
        return start_threads(mongo, why);
}

static enum err mongo_start(struct store *store, const char *where, void **ret, struct why *why)
{
        struct mongo *mongo = calloc(1, sizeof *mongo);
        enum err e;

        if (!mongo)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a store");
        init_driver();
        mongoc_log_set_handler(hear_driver, store);
        mongo->store = store;
        mongo->last = &mongo->first;
        mongo->last_done = &mongo->done;
        pthread_mutex_init(&mongo->lock, NULL);
        init_cond(&mongo->work);
        init_cond(&mongo->beat);
        init_cond(&mongo->end);
        atomic_store(&mongo->ready, true); /* so that the first failure is told */
        mongo_clock_begin(&mongo->clock);
        *ret = mongo; /* the first look goes by the store's clock already */
        e = start(mongo, where, why);
        if (e != ERR_OK)
                mongo_stop(mongo);
        return e;
}

const struct backend backend_mongo = {
        .wrong = mongo_wrong,
        .open = mongo_start,
        .close = mongo_stop,
        .submit = mongo_submit,
        .kick = mongo_kick,
        .is_ready = mongo_is_ready,
        .now = mongo_now,
        .record_get = mongo_record_get,
        .record_look = mongo_record_look,
        .record_insert = mongo_record_insert,
        .record_update = mongo_record_update,
        .record_delete = mongo_record_delete,
        .record_page = mongo_record_page,
        .order_insert = mongo_order_insert,
        .order_get = mongo_order_get,
        .order_find = mongo_order_find,
        .order_move = mongo_order_move,
        .order_rewrite = mongo_order_rewrite,
        .order_scan = mongo_order_scan,
        .due = mongo_due,
        .claim = mongo_claim,
        .settle = mongo_settle,
        .release = mongo_release,
        .replay = mongo_replay,
        .replay_all = mongo_replay_all,
        .oldest_due = mongo_oldest_due,
        .count = mongo_count,
        .choose = mongo_choose,
        .call = mongo_call,
        .sweep = mongo_sweep,
        .find_personal = mongo_find_personal,
        .order_erase = mongo_order_erase,
        .order_wipe = mongo_order_wipe,
        .changes = mongo_changes,
};
