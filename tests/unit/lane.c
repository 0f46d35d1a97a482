/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - so many calls at once, one while it keeps failing, none while it asked for quiet. */
#include "server/lane.h"

#include "tests/unit/check.h"

#define NOW INT64_C(1000000)

static void begin_many(struct lane *lane, int n)
{
        for (int i = 0; i < n; i++)
                lane_begin(lane);
}

static void fail_many(struct lane *lane, int n)
{
        for (int i = 0; i < n; i++)
                lane_heard(lane, /* answered= */ false);
}

TEST(a_new_lane_has_room_for_as_many_as_the_design_says)
{
        struct lane lane = {0};

        assert_int_equal(LANE_CALLS_MAX, 64);
        assert_int_equal(lane_room(&lane, NOW), LANE_CALLS_MAX);
        assert_false(lane_is_open(&lane));
}

TEST(each_call_takes_a_place_and_gives_it_back)
{
        struct lane lane = {0};

        begin_many(&lane, LANE_CALLS_MAX - 1);
        assert_int_equal(lane_room(&lane, NOW), 1);
        lane_begin(&lane);
        assert_int_equal(lane_room(&lane, NOW), 0);
        lane_end(&lane);
        assert_int_equal(lane_room(&lane, NOW), 1);
}

TEST(ten_failures_in_a_row_open_the_breaker)
{
        struct lane lane = {0};

        fail_many(&lane, LANE_FAILURES_MAX - 1);
        assert_false(lane_is_open(&lane));
        assert_int_equal(lane_room(&lane, NOW), LANE_CALLS_MAX);
        fail_many(&lane, 1);
        assert_int_equal(LANE_FAILURES_MAX, 10);
        assert_true(lane_is_open(&lane));
        assert_int_equal(lane_room(&lane, NOW), 1);
}

TEST(an_answer_starts_the_count_anew)
{
        struct lane lane = {0};

        fail_many(&lane, LANE_FAILURES_MAX - 1);
        lane_heard(&lane, /* answered= */ true);
        fail_many(&lane, LANE_FAILURES_MAX - 1);
        assert_false(lane_is_open(&lane));
}

TEST(an_open_lane_runs_one_call_at_a_time)
{
        struct lane lane = {0};

        fail_many(&lane, LANE_FAILURES_MAX);
        assert_true(lane_room(&lane, NOW) > 0);
        lane_begin(&lane);
        assert_int_equal(lane_room(&lane, NOW), 0);
        lane_end(&lane);
        lane_heard(&lane, /* answered= */ false);
        assert_true(lane_is_open(&lane));
        assert_int_equal(lane_room(&lane, NOW), 1);
}

TEST(calls_that_ran_when_it_opened_leave_no_room_until_they_end)
{
        struct lane lane = {0};

        begin_many(&lane, 5);
        fail_many(&lane, LANE_FAILURES_MAX);
        assert_int_equal(lane_room(&lane, NOW), 0);
        for (int i = 0; i < 5; i++)
                lane_end(&lane);
        assert_int_equal(lane_room(&lane, NOW), 1);
}

TEST(one_call_that_gets_through_closes_it)
{
        struct lane lane = {0};

        fail_many(&lane, 3 * LANE_FAILURES_MAX);
        lane_heard(&lane, /* answered= */ true);
        assert_false(lane_is_open(&lane));
        assert_int_equal(lane_room(&lane, NOW), LANE_CALLS_MAX);
}

TEST(nobody_calls_while_it_is_held_back)
{
        struct lane lane = {0};

        lane_hold(&lane, NOW, 5000);
        assert_int_equal(lane_room(&lane, NOW), 0);
        assert_int_equal(lane_room(&lane, NOW + 4999), 0);
        assert_true(lane_room(&lane, NOW + 5000) > 0);
}

TEST(the_longer_hold_counts)
{
        struct lane lane = {0};

        lane_hold(&lane, NOW, 5000);
        lane_hold(&lane, NOW + 1000, 1000); /* ends sooner */
        assert_int_equal(lane_room(&lane, NOW + 4999), 0);
        lane_hold(&lane, NOW + 1000, 9000);
        assert_int_equal(lane_room(&lane, NOW + 9999), 0);
        assert_true(lane_room(&lane, NOW + 10000) > 0);
}

TEST(whoever_finds_no_room_knows_when_to_come_again)
{
        struct lane lane = {0};

        begin_many(&lane, LANE_CALLS_MAX);
        assert_int_equal(lane_wait_ms(&lane, NOW), LANE_WAIT_MS);
        fail_many(&lane, LANE_FAILURES_MAX);
        assert_true(lane_wait_ms(&lane, NOW) > LANE_WAIT_MS); /* it takes longer where one goes at a time */
        lane_hold(&lane, NOW, 90000);
        assert_int_equal(lane_wait_ms(&lane, NOW + 1000), 89000);
}

TEST(it_is_idle_when_it_knows_nothing_more)
{
        struct lane lane = {0};

        assert_true(lane_is_idle(&lane, NOW));
        lane_begin(&lane);
        assert_false(lane_is_idle(&lane, NOW));
        lane_end(&lane);
        lane_heard(&lane, /* answered= */ false);
        assert_false(lane_is_idle(&lane, NOW));
        lane_heard(&lane, /* answered= */ true);
        lane_hold(&lane, NOW, 5000);
        assert_false(lane_is_idle(&lane, NOW + 4999));
        assert_true(lane_is_idle(&lane, NOW + 5000));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_lane_has_room_for_as_many_as_the_design_says),
                cmocka_unit_test(each_call_takes_a_place_and_gives_it_back),
                cmocka_unit_test(ten_failures_in_a_row_open_the_breaker),
                cmocka_unit_test(an_answer_starts_the_count_anew),
                cmocka_unit_test(an_open_lane_runs_one_call_at_a_time),
                cmocka_unit_test(calls_that_ran_when_it_opened_leave_no_room_until_they_end),
                cmocka_unit_test(one_call_that_gets_through_closes_it),
                cmocka_unit_test(nobody_calls_while_it_is_held_back),
                cmocka_unit_test(the_longer_hold_counts),
                cmocka_unit_test(whoever_finds_no_room_knows_when_to_come_again),
                cmocka_unit_test(it_is_idle_when_it_knows_nothing_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
