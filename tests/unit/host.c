/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - one lane for each host that firms are called at, and none kept for ever. */
#include "server/errand.h"

#include "tests/unit/check.h"

#define HOUR_MS INT64_C(3600000)

static void fail_many(struct lane *lane, int n)
{
        for (int i = 0; i < n; i++)
                lane_heard(lane, /* answered= */ false);
}

TEST(a_host_has_one_lane_whatever_the_path)
{
        static struct outbound outbound;
        struct lane *lane = host_lane(&outbound, "https://Firm.test/a?b#c");

        assert_ptr_equal(host_lane(&outbound, "https://firm.TEST/d"), lane);
        assert_ptr_equal(host_lane(&outbound, "https://firm.test"), lane);
        assert_string_equal(host_name(lane), "firm.test");
        assert_ptr_not_equal(host_lane(&outbound, "https://firm.test:444/a"), lane);
        assert_ptr_not_equal(host_lane(&outbound, "https://other.test/a"), lane);
        hosts_free(&outbound);
}

TEST(one_that_does_not_fail_is_forgotten_at_once)
{
        static struct outbound outbound;
        struct lane *lane = host_lane(&outbound, "https://firm.test/");

        lane_begin(lane);
        hosts_sweep(&outbound, time_boot_ms() + 2 * HOUR_MS);
        assert_int_equal(HASH_COUNT(outbound.hosts), 1); /* it is being called */
        lane_end(lane);
        hosts_sweep(&outbound, time_boot_ms());
        assert_int_equal(HASH_COUNT(outbound.hosts), 0);
}

TEST(one_that_fails_is_remembered_for_an_hour)
{
        static struct outbound outbound;

        fail_many(host_lane(&outbound, "https://once.test/"), 1);
        fail_many(host_lane(&outbound, "https://often.test/"), LANE_FAILURES_MAX);
        hosts_sweep(&outbound, time_boot_ms() + HOUR_MS / 2);
        assert_int_equal(HASH_COUNT(outbound.hosts), 2);
        assert_true(lane_is_open(host_lane(&outbound, "https://often.test/")));
        hosts_sweep(&outbound, time_boot_ms() + 2 * HOUR_MS);
        assert_int_equal(HASH_COUNT(outbound.hosts), 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_host_has_one_lane_whatever_the_path),
                cmocka_unit_test(one_that_does_not_fail_is_forgotten_at_once),
                cmocka_unit_test(one_that_fails_is_remembered_for_an_hour),
        };

        return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
