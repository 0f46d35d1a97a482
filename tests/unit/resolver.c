/* SPDX-License-Identifier: Apache-2.0 */
/* resolver.c - tests of server/resolver.c against a DNS of our own. */
#include "server/resolver.h"

#include "model/text.h"
#include "tests/unit/names.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_long ahead_s; /* of the real clock */

/* In the C library's place: time passes when a test says so. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
        const int r = (int)syscall(SYS_clock_gettime, clock, ret);

        ret->tv_sec += atomic_load(&ahead_s);
        return r;
}

#define GUARD_MS 20000 /* a test that waits so long has failed */

struct world {
        struct resolver *resolver;
        struct inbox inbox;
        int answers;
};

struct question {
        struct resolution resolution; /* first: its letter is the question's */
        struct world *world;
};

static void count(struct letter *letter)
{
        ((struct question *)(void *)letter)->world->answers++;
}

static struct question question(struct world *world, const char *host)
{
        struct question q = {.world = world, .resolution = {.reply = &world->inbox, .letter.run = count}};

        assert_true(text_copy(q.resolution.host, sizeof q.resolution.host, host));
        return q;
}

static void await(struct world *world, int answers)
{
        struct pollfd in = {.fd = world->inbox.fd, .events = POLLIN};

        while (world->answers < answers) {
                assert_int_equal(poll(&in, 1, GUARD_MS), 1);
                inbox_run(&world->inbox);
        }
        assert_int_equal(world->answers, answers);
}

static void begin(struct world *world, int threads)
{
        *world = (struct world){0};
        assert_int_equal(inbox_init(&world->inbox, NULL), ERR_OK);
        assert_int_equal(resolver_start(threads, &world->resolver, NULL), ERR_OK);
}

static void end(struct world *world)
{
        resolver_stop(world->resolver);
        inbox_done(&world->inbox);
}

static void a_literal_address_is_its_own_answer(void **state)
{
        static const char *const literals[][2] = {
                {"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"2001:DB8:0::5", "2001:db8::5"}};
        int asked = names_asked();
        struct world world;

        (void)state;
        begin(&world, 1);
        for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
                struct question q = question(&world, literals[i][0]);

                assert_true(resolver_ask(world.resolver, &q.resolution));
                assert_int_equal(q.resolution.n, 1);
                assert_string_equal(q.resolution.addresses[0], literals[i][1]);
        }
        assert_int_equal(names_asked(), asked);
        end(&world);
}

static void an_answer_comes_by_letter_and_is_then_remembered(void **state)
{
        struct world world;
        struct question first, second;
        int asked = names_asked();

        (void)state;
        begin(&world, 2);
        first = question(&world, "two.test");
        assert_false(resolver_ask(world.resolver, &first.resolution));
        await(&world, 1);
        assert_int_equal(first.resolution.n, 2);
        assert_string_equal(first.resolution.addresses[0], "127.0.0.2");
        assert_string_equal(first.resolution.addresses[1], "127.0.0.1");
        second = question(&world, "TWO.test");
        assert_true(resolver_ask(world.resolver, &second.resolution));
        assert_int_equal(second.resolution.n, 2);
        assert_int_equal(names_asked(), asked + 1);
        end(&world);
}

static void a_refusal_tells_why_and_is_remembered_for_a_second(void **state)
{
        struct world world;
        struct question q;
        int64_t begun_ms = time_boot_ms();

        (void)state;
        begin(&world, 1);
        q = question(&world, "missing.test");
        assert_false(resolver_ask(world.resolver, &q.resolution));
        await(&world, 1);
        assert_int_equal(q.resolution.n, 0);
        assert_string_equal(q.resolution.trouble, gai_strerror(EAI_NONAME));
        while (resolver_ask(world.resolver, &q.resolution)) {
                assert_int_equal(q.resolution.n, 0);
                assert_true(time_boot_ms() - begun_ms < GUARD_MS);
                poll(NULL, 0, 10); /* the passing of time is what is tested */
        }
        assert_true(time_boot_ms() - begun_ms >= 1000);
        await(&world, 2);
        end(&world);
}

static void a_name_that_hangs_delays_nobody_else_and_is_asked_for_once(void **state)
{
        struct world world;
        struct question hanging[3], other;
        int asked = names_asked();

        (void)state;
        begin(&world, 2);
        names_hold();
        for (int i = 0; i < 3; i++) {
                hanging[i] = question(&world, "hang.test");
                assert_false(resolver_ask(world.resolver, &hanging[i].resolution));
        }
        names_await_hanging(1);
        other = question(&world, "platform.test");
        assert_false(resolver_ask(world.resolver, &other.resolution));
        await(&world, 1);
        assert_int_equal(other.resolution.n, 1);
        names_release();
        await(&world, 4);
        for (int i = 0; i < 3; i++)
                assert_int_equal(hanging[i].resolution.n, 0);
        assert_int_equal(names_asked(), asked + 2);
        end(&world);
}

static void a_stop_answers_who_waits_and_leaves_a_hanging_thread_behind(void **state)
{
        struct world world;
        struct question first, second;

        (void)state;
        begin(&world, 1);
        names_hold();
        first = question(&world, "hang1.test");
        assert_false(resolver_ask(world.resolver, &first.resolution));
        names_await_hanging(1);
        second = question(&world, "hang2.test");
        assert_false(resolver_ask(world.resolver, &second.resolution));
        resolver_stop(world.resolver);
        inbox_run(&world.inbox);
        assert_int_equal(world.answers, 2);
        assert_int_equal(first.resolution.n, 0);
        assert_string_equal(first.resolution.trouble, "stopping");
        assert_int_equal(second.resolution.n, 0);
        inbox_done(&world.inbox);
        names_release();
}

/* Asks for `n<from>.test` up to `n<to>.test`, one after the other; how many were known. */
static int ask_numbered(struct world *world, int from, int to)
{
        int known = 0;
        char host[32];

        for (int i = from; i <= to; i++) {
                struct question q;

                snprintf(host, sizeof host, "n%d.test", i);
                q = question(world, host);
                if (resolver_ask(world->resolver, &q.resolution))
                        known++;
                else
                        await(world, world->answers + 1);
                assert_int_equal(q.resolution.n, 1);
        }
        return known;
}

static void the_oldest_name_is_forgotten_when_there_are_too_many(void **state)
{
        struct world world;

        (void)state;
        begin(&world, 1);
        assert_int_equal(ask_numbered(&world, 1, 512), 0);
        assert_int_equal(ask_numbered(&world, 1, 512), 512);
        assert_int_equal(ask_numbered(&world, 513, 513), 0);
        assert_int_equal(ask_numbered(&world, 2, 513), 512);
        assert_int_equal(ask_numbered(&world, 1, 1), 0);
        end(&world);
}

static void when_every_remembered_name_still_waits_a_new_one_is_refused(void **state)
{
        static struct question waiting[512];
        struct world world;
        struct question more;
        char host[32];

        (void)state;
        begin(&world, 1);
        names_hold();
        for (int i = 0; i < 512; i++) {
                snprintf(host, sizeof host, "hang%d.test", i);
                waiting[i] = question(&world, host);
                assert_false(resolver_ask(world.resolver, &waiting[i].resolution));
        }
        more = question(&world, "platform.test");
        assert_true(resolver_ask(world.resolver, &more.resolution));
        assert_int_equal(more.resolution.n, 0);
        assert_string_equal(more.resolution.trouble, "no room for another name");
        names_release();
        await(&world, 512);
        end(&world);
}

/* Asks for turn.test, which leads to 127.0.0.1 first, then elsewhere; what is known at once, or NULL. */
static const char *ask_turn(struct world *world, struct question *q)
{
        *q = question(world, "turn.test");
        return resolver_ask(world->resolver, &q->resolution) ? q->resolution.addresses[0] : NULL;
}

static void an_old_answer_is_told_while_it_is_asked_for_again(void **state)
{
        struct world world;
        struct question q;
        int asked;

        (void)state;
        names_turn_back();
        begin(&world, 1);
        assert_null(ask_turn(&world, &q));
        await(&world, 1);
        asked = names_asked();
        atomic_fetch_add(&ahead_s, 29);
        assert_string_equal(ask_turn(&world, &q), "127.0.0.1");
        assert_int_equal(names_asked(), asked);
        atomic_fetch_add(&ahead_s, 60);
        assert_string_equal(ask_turn(&world, &q), "127.0.0.1");
        while (!streq(ask_turn(&world, &q), "127.0.0.2"))
                poll(NULL, 0, 1); /* another thread is at it */
        assert_int_equal(names_asked(), asked + 1);
        atomic_fetch_add(&ahead_s, 91);
        assert_null(ask_turn(&world, &q)); /* too old */
        await(&world, 2);
        end(&world);
}

static void where_dns_is_away_the_last_answer_stands_for_ten_minutes(void **state)
{
        struct world world;
        struct question q;

        (void)state;
        names_turn_back();
        begin(&world, 1);
        assert_null(ask_turn(&world, &q));
        await(&world, 1);
        names_away(true);
        atomic_fetch_add(&ahead_s, 91);
        assert_null(ask_turn(&world, &q));
        await(&world, 2);
        assert_string_equal(q.resolution.addresses[0], "127.0.0.1");
        for (int s = 91; s < 500; s += 100) {
                atomic_fetch_add(&ahead_s, 100);
                assert_string_equal(ask_turn(&world, &q), "127.0.0.1"); /* nobody waits for it any more */
        }
        atomic_fetch_add(&ahead_s, 100);
        assert_null(ask_turn(&world, &q));
        await(&world, 3);
        assert_int_equal(q.resolution.n, 0);
        names_away(false);
        end(&world);
}

static void names_of_strangers_leave_room_and_threads_for_ours(void **state)
{
        static struct question waiting[512];
        struct world world;
        struct question ours, more;
        char host[32];

        (void)state;
        begin(&world, 4);
        names_hold();
        for (int i = 0; i < 512; i++) {
                snprintf(host, sizeof host, "hang%d.test", i);
                waiting[i] = question(&world, host);
                waiting[i].resolution.guarded = true;
                assert_false(resolver_ask(world.resolver, &waiting[i].resolution));
        }
        more = question(&world, "n1.test");
        more.resolution.guarded = true;
        assert_true(resolver_ask(world.resolver, &more.resolution));
        assert_string_equal(more.resolution.trouble, "no room for another name");
        ours = question(&world, "platform.test");
        assert_false(resolver_ask(world.resolver, &ours.resolution));
        await(&world, 1);
        assert_int_equal(ours.resolution.n, 1);
        names_await_hanging(2);
        names_release();
        await(&world, 513);
        end(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_literal_address_is_its_own_answer),
                cmocka_unit_test(an_answer_comes_by_letter_and_is_then_remembered),
                cmocka_unit_test(a_refusal_tells_why_and_is_remembered_for_a_second),
                cmocka_unit_test(a_name_that_hangs_delays_nobody_else_and_is_asked_for_once),
                cmocka_unit_test(a_stop_answers_who_waits_and_leaves_a_hanging_thread_behind),
                cmocka_unit_test(the_oldest_name_is_forgotten_when_there_are_too_many),
                cmocka_unit_test(when_every_remembered_name_still_waits_a_new_one_is_refused),
                cmocka_unit_test(an_old_answer_is_told_while_it_is_asked_for_again),
                cmocka_unit_test(where_dns_is_away_the_last_answer_stands_for_ten_minutes),
                cmocka_unit_test(names_of_strangers_leave_room_and_threads_for_ours),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
