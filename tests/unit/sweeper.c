/* SPDX-License-Identifier: Apache-2.0 */
/* sweeper.c - what has expired goes by itself, and personal data in its time: all of it, and nothing else. */
#include "server/sweeper.h"

#include "model/restaurant.h"
#include "server/log.h"
#include "server/process.h"
#include "tests/unit/records.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR_MS INT64_C(3600000)
#define KEEP_MS (24 * HOUR_MS)

struct world {
        char folder[32];
        struct store *store;
        struct sweeper *sweeper;
        struct inbox inbox;
        int out; /* jobs that are not back */
};

static _Atomic int64_t clock_ms = NOW_MS;

static int64_t now(void)
{
        return clock_ms;
}

static void came_back(struct letter *letter)
{
        ((struct world *)((struct job *)letter)->arg)->out--;
}

static struct job a_job(struct world *w)
{
        w->out++;
        return (struct job){.letter.run = came_back, .reply = &w->inbox, .arg = w};
}

static void await(struct world *w)
{
        struct pollfd wait = {.fd = w->inbox.fd, .events = POLLIN};

        store_kick(w->store);
        while (w->out > 0) {
                assert_int_equal(poll(&wait, 1, 20000), 1);
                inbox_run(&w->inbox);
        }
}

static int begin(void **state)
{
        struct world *w = calloc(1, sizeof *w);
        struct store_options options = {.now = now};
        CLEAN(json_put_at) struct json_object *body = parse("{'name':'x','restaurantId':'" OWN_ID "'}");
        struct view view = view_of(body);
        struct store_put put = {0};
        char where[64];

        assert_non_null(w);
        log_set_level(LOG_ERROR);
        clock_ms = NOW_MS;
        snprintf(w->folder, sizeof w->folder, "/tmp/sweeper-XXXXXX");
        assert_non_null(mkdtemp(w->folder));
        snprintf(where, sizeof where, "sqlite:%s/kurye.db", w->folder);
        options.where = where;
        assert_int_equal(inbox_init(&w->inbox, NULL), ERR_OK);
        assert_int_equal(store_open(&options, &w->store, NULL), ERR_OK);
        assert_int_equal(restaurant_make(&view, NOW_MS, &put.record, NULL), ERR_OK);
        put.job = a_job(w);
        store_put(w->store, &put);
        await(w);
        assert_int_equal(put.job.err, ERR_OK);
        store_put_done(&put);
        *state = w;
        return 0;
}

static int end(void **state)
{
        static const char *const files[] = {"kurye.db", "kurye.db-wal", "kurye.db-shm", "kurye.db-lock"};
        struct world *w = *state;
        char path[64];

        sweeper_stop(w->sweeper);
        store_close(w->store);
        sweeper_free(w->sweeper);
        inbox_done(&w->inbox);
        for (size_t i = 0; i < COUNT(files); i++) {
                snprintf(path, sizeof path, "%s/%s", w->folder, files[i]);
                unlink(path);
        }
        rmdir(w->folder);
        free(w);
        return 0;
}

/* So many orders that go after `life_ms`; 0: they stay. */
static void make_orders(struct world *w, int n, int64_t life_ms)
{
        CLEAN(json_put_at)
        struct json_object *body =
                parse("{'platform':'phone','price':1,'paymentMethod':'cash','orderType':'gel_al'}");
        struct view view = view_of(body);
        struct store_create *creates = calloc((size_t)n, sizeof *creates);

        assert_non_null(creates);
        for (int i = 0; i < n; i++) {
                creates[i].job = a_job(w);
                creates[i].job.access.restaurant = read_id(OWN_ID);
                creates[i].life_ms = life_ms;
                assert_int_equal(order_read(&view, &creates[i].order, NULL), ERR_OK);
                store_create(w->store, &creates[i]);
        }
        await(w);
        for (int i = 0; i < n; i++) {
                assert_int_equal(creates[i].job.err, ERR_OK);
                store_create_done(&creates[i]);
        }
        free(creates);
}

/* How many there are, up to a page; `erased`: without personal data. */
static int count_of(struct world *w, bool erased)
{
        struct store_list list = {.limit = LIST_MAX};
        int n = 0;

        list.job = a_job(w);
        store_list(w->store, &list);
        await(w);
        assert_int_equal(list.job.err, ERR_OK);
        for (int i = 0; i < list.n; i++)
                n += !erased || list.orders[i]->erased_ms;
        store_list_done(&list);
        return n;
}

static int count(struct world *w)
{
        return count_of(w, false);
}

static int count_erased(struct world *w)
{
        return count_of(w, true);
}

static void await_erased(struct world *w, int n)
{
        const int64_t until_ms = time_boot_ms() + 20000;

        while (count_erased(w) != n)
                assert_true(time_boot_ms() < until_ms);
}

static void await_count(struct world *w, int n)
{
        const int64_t until_ms = time_boot_ms() + 20000;

        while (count(w) != n)
                assert_true(time_boot_ms() < until_ms);
}

static void start_believing(struct world *w, int64_t pause_ms, int64_t belief_ms)
{
        assert_int_equal(sweeper_start(w->store, pause_ms, KEEP_MS, belief_ms, &w->sweeper, NULL), ERR_OK);
}

static void start(struct world *w, int64_t pause_ms)
{
        start_believing(w, pause_ms, HOUR_MS);
}

/* Looks so often that it would have come up. */
static void assert_stays(struct world *w, int n, int n_erased)
{
        for (int i = 0; i < 100; i++) {
                assert_int_equal(count(w), n);
                assert_int_equal(count_erased(w), n_erased);
        }
}

TEST(a_clock_that_leaps_ahead_takes_nothing_away)
{
        struct world *w = *state;

        start(w, 1);
        make_orders(w, 2, HOUR_MS);
        make_orders(w, 3, 0);
        clock_ms += 2 * KEEP_MS;
        assert_stays(w, 5, 0);
        clock_ms -= 2 * KEEP_MS; /* it was wrong */
        assert_stays(w, 5, 0);
        clock_ms += HOUR_MS;
        await_count(w, 3);
}

TEST(one_that_stays_there_is_believed)
{
        struct world *w = *state;

        start_believing(w, 1, 200);
        make_orders(w, 3, 0);
        clock_ms += 2 * KEEP_MS;
        await_erased(w, 3);
}

TEST(all_that_has_expired_goes_at_once_and_nothing_else)
{
        struct world *w = *state;

        make_orders(w, 2 * SWEEP_MAX + 50, 1000);
        make_orders(w, 3, 2000);
        make_orders(w, 4, 0);
        clock_ms += 1000;
        start(w, HOUR_MS);
        await_count(w, 7);
}

TEST(it_comes_back)
{
        struct world *w = *state;

        make_orders(w, 3, 2000);
        make_orders(w, 1, 1000);
        clock_ms += 1000;
        start(w, 1);
        await_count(w, 3);
        clock_ms += 1000;
        await_count(w, 0);
}

TEST(personal_data_goes_in_its_time_and_the_order_stays)
{
        struct world *w = *state;

        make_orders(w, 2 * ERASE_MAX + 5, 0);
        clock_ms += 1;
        make_orders(w, 3, 0);
        clock_ms += KEEP_MS - 1;
        start(w, 1);
        await_erased(w, 2 * ERASE_MAX + 5);
        for (int i = 0; i < 100; i++) /* each is a turn of the store's in which an erasure could have come */
                assert_int_equal(count_erased(w), 2 * ERASE_MAX + 5);
        clock_ms += 1;
        await_erased(w, 2 * ERASE_MAX + 8);
        assert_int_equal(count(w), 2 * ERASE_MAX + 8);
}

TEST(all_personal_data_goes_at_once)
{
        struct world *w = *state;

        make_orders(w, 2 * ERASE_MAX + 5, 0);
        clock_ms += KEEP_MS;
        start(w, HOUR_MS);
        await_erased(w, 2 * ERASE_MAX + 5);
}

TEST(without_anything_to_do_it_stops_at_once)
{
        struct world *w = *state;

        start(w, HOUR_MS);
        await_count(w, 0);
}

TEST(memory_that_is_free_goes_though_something_stands_behind_it)
{
        enum { PIECES = 1024, PIECE_BYTES = 32 << 10 };
        static void *pieces[PIECES];
        struct world *w = *state;
        struct process now;
        int64_t high;
        int turns = 0;

        for (int i = 0; i < PIECES; i++)
                assert_non_null(pieces[i] = calloc(1, PIECE_BYTES));
        for (int i = 0; i < PIECES; i++)
                memset(pieces[i], i, PIECE_BYTES);
        process_look(&now);
        high = now.resident_bytes;
        for (int i = 0; i < PIECES - 1; i++)
                free(pieces[i]);
        start(w, 1);
        do {
                await_count(w, 0);
                process_look(&now);
        } while (mallinfo2().fordblks > 0 /* else it is a sanitizer's malloc */ &&
                 now.resident_bytes > high - PIECES * PIECE_BYTES / 2 && turns++ < 5000);
        assert_true(turns < 5000);
        free(pieces[PIECES - 1]);
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, end)
        static const struct CMUnitTest tests[] = {
                IN_A_WORLD(all_that_has_expired_goes_at_once_and_nothing_else),
                IN_A_WORLD(it_comes_back),
                IN_A_WORLD(personal_data_goes_in_its_time_and_the_order_stays),
                IN_A_WORLD(all_personal_data_goes_at_once),
                IN_A_WORLD(a_clock_that_leaps_ahead_takes_nothing_away),
                IN_A_WORLD(one_that_stays_there_is_believed),
                IN_A_WORLD(without_anything_to_do_it_stops_at_once),
                IN_A_WORLD(memory_that_is_free_goes_though_something_stands_behind_it),
        };

        return cmocka_run_group_tests_name("sweeper", tests, NULL, NULL);
}
