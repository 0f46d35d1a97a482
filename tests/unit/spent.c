/* SPDX-License-Identifier: Apache-2.0 */
/* spent.c - each ticket once, for as long as it is good. */
#include "server/spent.h"

#include "tests/unit/check.h"

static struct spent *spent;

static int begin(__attribute__((unused)) void **state)
{
        return spent_new(&spent, NULL);
}

static int end(__attribute__((unused)) void **state)
{
        spent_free(spent);
        return 0;
}

TEST(a_ticket_is_taken_once)
{
        assert_int_equal(spent_take(spent, 1, 100, 0, NULL), ERR_OK);
        assert_int_equal(spent_take(spent, 2, 100, 0, NULL), ERR_OK);
        assert_int_equal(spent_take(spent, 1, 100, 99, NULL), ERR_UNAUTHORIZED);
        assert_int_equal(spent_take(spent, 2, 100, 99, NULL), ERR_UNAUTHORIZED);
}

TEST(it_is_remembered_no_longer_than_it_is_good)
{
        assert_int_equal(spent_take(spent, 1, 100, 0, NULL), ERR_OK);
        assert_int_equal(spent_take(spent, 1, 200, 100, NULL),
                         ERR_OK); /* whoever let it in did not look at the time */
}

TEST(too_many_are_told_to_come_again)
{
        uint64_t n = 0;

        while (spent_take(spent, n, 100, 0, NULL) == ERR_OK)
                assert_true(++n < 1000000);
        assert_int_equal(spent_take(spent, n, 100, 0, NULL), ERR_BUSY);
        assert_int_equal(spent_take(spent, 1, 100, 0, NULL), ERR_UNAUTHORIZED);
        assert_int_equal(spent_take(spent, n, 300, 200, NULL), ERR_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_ticket_is_taken_once, begin, end),
                cmocka_unit_test_setup_teardown(it_is_remembered_no_longer_than_it_is_good, begin, end),
                cmocka_unit_test_setup_teardown(too_many_are_told_to_come_again, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
