/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_updates.c - the least that a durable move can cost in a MongoDB: the change that model/mongo_orders.c makes for "on
 * the way", asked by as many threads as may ask at once there, each with a client of libmongoc's pool, until all are moved.
 * usage: mongo_updates URI ORDERS THREADS [FIRST]   URI names the database, which holds orders with the ids 1, 2, … of one
 * restaurant; the first is moved first. Prints updates a second and microseconds of CPU an update. */
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define RESTAURANT "507f1f77bcf86cd799439011"
#define INTEGRATION "507f1f77bcf86cd799439012"
#define PATIENCE_MS 3000
#define THREADS_MAX 256

static mongoc_client_pool_t *pool;
static const char *database;
static long orders;
static long first = 1;
static atomic_long taken;
static pthread_barrier_t ready;

static void fail(const char *text)
{
        fprintf(stderr, "mongo_updates: %s\n", text);
        exit(1);
}

static double seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu(void)
{
        struct rusage used;

        getrusage(RUSAGE_SELF, &used);
        return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- one update; bench/run compares what it leaves with what kuryed leaves ---- */

static bson_t *filter_of(const bson_oid_t *id, const bson_oid_t *restaurant, const char *op)
{
        return BCON_NEW("_id", BCON_OID(id), "restaurantId", BCON_OID(restaurant), "rank", "{", "$lt",
                        BCON_INT32(4), "}", "history.op", "{", "$ne", BCON_UTF8(op), "}");
}

static bson_t *change_of(const bson_oid_t *integration, const char *op)
{
        const int64_t at_ms = now_ms();

        return BCON_NEW("$set", "{", "status", "teslim-edilecek", "rank", BCON_INT32(4), "updatedAt",
                        BCON_DATE_TIME(at_ms), "out.platform.want", BCON_INT32(40), "out.platform.try",
                        BCON_INT32(0), "}", "$unset", "{", "out.platform.dead", "", "}", "$min", "{",
                        "out.platform.at", BCON_DATE_TIME(at_ms), "}", "$inc", "{", "rev", BCON_INT64(1), "}",
                        "$push", "{", "history", "{", "status", "teslim-edilecek", "at",
                        BCON_DATE_TIME(at_ms), "by", "courier", "op", BCON_UTF8(op), "integrationId",
                        BCON_OID(integration), "}", "}", "$currentDate", "{", "seenAt", BCON_BOOL(true), "}");
}

static mongoc_find_and_modify_opts_t *options_of(bson_t *change)
{
        mongoc_find_and_modify_opts_t *options = mongoc_find_and_modify_opts_new();
        bson_t *fields =
                BCON_NEW("status", BCON_BOOL(true), "platform", BCON_BOOL(true), "rev", BCON_BOOL(true),
                         "out.platform.at", BCON_BOOL(true), "out.courier.at", BCON_BOOL(true));

        mongoc_find_and_modify_opts_set_update(options, change);
        mongoc_find_and_modify_opts_set_fields(options, fields);
        mongoc_find_and_modify_opts_set_max_time_ms(options, PATIENCE_MS);
        bson_destroy(fields);
        return options;
}

static void move(mongoc_collection_t *collection, long n)
{
        char text[40];
        bson_oid_t id, restaurant, integration;
        bson_t *filter, *change, reply;
        mongoc_find_and_modify_opts_t *options;
        bson_error_t error;
        bson_iter_t at;

        snprintf(text, sizeof text, "%024ld", n);
        bson_oid_init_from_string(&id, text);
        bson_oid_init_from_string(&restaurant, RESTAURANT);
        bson_oid_init_from_string(&integration, INTEGRATION);
        snprintf(text, sizeof text, "%032lx", (unsigned long)n);
        filter = filter_of(&id, &restaurant, text);
        change = change_of(&integration, text);
        options = options_of(change);
        if (!mongoc_collection_find_and_modify_with_opts(collection, filter, options, &reply, &error))
                fail(error.message);
        if (!bson_iter_init_find(&at, &reply, "value") || !BSON_ITER_HOLDS_DOCUMENT(&at))
                fail("an order did not move");
        bson_destroy(&reply);
        bson_destroy(filter);
        bson_destroy(change);
        mongoc_find_and_modify_opts_destroy(options);
}

/* ---- all of them ---- */

/* A kuryed has long connected when the webhooks come. */
static void connect_to_server(mongoc_client_t *client)
{
        bson_t *ping = BCON_NEW("ping", BCON_INT32(1));
        bson_error_t error;

        if (!mongoc_client_command_simple(client, "admin", ping, NULL, NULL, &error))
                fail(error.message);
        bson_destroy(ping);
}

static void *work(void *arg)
{
        mongoc_client_t *client = mongoc_client_pool_pop(pool);
        mongoc_collection_t *collection = mongoc_client_get_collection(client, database, "orders");

        connect_to_server(client);
        pthread_barrier_wait(&ready);
        for (long n = taken++; n < orders; n = taken++)
                move(collection, first + n);
        mongoc_collection_destroy(collection);
        mongoc_client_pool_push(pool, client);
        return arg;
}

/* As kuryed makes them. */
static void open_pool(const char *where, int threads)
{
        mongoc_uri_t *uri = mongoc_uri_new(where);
        mongoc_write_concern_t *concern = mongoc_write_concern_new();

        if (!uri || !mongoc_uri_get_database(uri))
                fail("a URI with a database is needed");
        mongoc_write_concern_set_wmajority(concern, PATIENCE_MS);
        mongoc_write_concern_set_journal(concern, true);
        mongoc_uri_set_write_concern(uri, concern);
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
        mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, threads);
        database = strdup(mongoc_uri_get_database(uri));
        pool = mongoc_client_pool_new(uri);
        if (!pool)
                fail("the URI makes no pool");
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
        mongoc_write_concern_destroy(concern);
        mongoc_uri_destroy(uri);
}

int main(int argc, char **argv)
{
        pthread_t threads[THREADS_MAX];
        int n;
        double began, used;

        if (argc < 4 || argc > 5 || sscanf(argv[2], "%ld", &orders) != 1 || sscanf(argv[3], "%d", &n) != 1 ||
            (argc == 5 && sscanf(argv[4], "%ld", &first) != 1) || orders < 1 || n < 1 || n > THREADS_MAX)
                return 2;
        mongoc_init();
        open_pool(argv[1], n);
        pthread_barrier_init(&ready, NULL, (unsigned)n + 1);
        for (int i = 0; i < n; i++)
                if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                        fail("no thread");
        pthread_barrier_wait(&ready);
        began = seconds();
        used = cpu();
        for (int i = 0; i < n; i++)
                pthread_join(threads[i], NULL);
        printf("%.0f %.2f\n", (double)orders / (seconds() - began), (cpu() - used) * 1e6 / (double)orders);
        return 0;
}
