/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what a process says of itself is what it is. */
#include "server/process.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <unistd.h>

TEST(descriptors_are_counted_whichever_way)
{
        const int64_t before = process_count_fds();
        struct process now;
        int fds[3];

        for (size_t i = 0; i < COUNT(fds); i++)
                assert_true((fds[i] = dup(1)) >= 0);
        close(fds[1]); /* a hole */
        process_look(&now);
        assert_int_equal(process_count_fds(), before + 2);
        assert_int_equal(now.open_fds, before + 2);
        close(fds[0]);
        close(fds[2]);
}

TEST(it_began_before_now_and_at_the_same_time_whenever_it_is_asked)
{
        struct process first, second;

        process_look(&first);
        process_look(&second);
        assert_true(first.started_ms > 0 && first.started_ms <= time_now_ms());
        assert_int_equal(first.started_ms, second.started_ms);
        assert_true(first.cpu_us >= 0 && first.cpu_us <= second.cpu_us);
}

TEST(it_has_one_thread_and_less_memory_than_addresses)
{
        struct process now;

        process_look(&now);
        assert_true(now.threads >= 1);
        assert_true(now.resident_bytes > 0 && now.resident_bytes < now.virtual_bytes);
        assert_true(now.max_fds >= now.open_fds);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(descriptors_are_counted_whichever_way),
                cmocka_unit_test(it_began_before_now_and_at_the_same_time_whenever_it_is_asked),
                cmocka_unit_test(it_has_one_thread_and_less_memory_than_addresses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
