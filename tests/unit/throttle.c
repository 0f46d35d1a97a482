/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - sixty wrong keys a minute from one address, and memory that has an end. */
#include "server/throttle.h"

#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <stdio.h>

#define NOW INT64_C(1000000)

static int open_throttle(void **state)
{
        struct throttle *t = NULL;

        if (throttle_new(&t, NULL) != ERR_OK)
                return -1;
        *state = t;
        return 0;
}

static int close_throttle(void **state)
{
        throttle_free(*state);
        return 0;
}

#define THROTTLE_TEST(name) cmocka_unit_test_setup_teardown(name, open_throttle, close_throttle)

/* So many wrong keys at this time; whether the last was too many. */
static bool guess(struct throttle *t, const char *address, int n, int64_t now_ms)
{
        bool too_many = false;

        for (int i = 0; i < n; i++)
                too_many = throttle_wrong(t, address, now_ms);
        return too_many;
}

TEST(sixty_wrong_keys_a_minute_are_let_pass)
{
        struct throttle *t = *state;

        assert_int_equal(THROTTLE_WRONG_MAX, 60);
        assert_false(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX, NOW));
        assert_true(guess(t, "192.0.2.1", 1, NOW));
        assert_true(guess(t, "192.0.2.1", 1000, NOW));
}

TEST(each_address_counts_for_itself)
{
        struct throttle *t = *state;

        assert_true(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX + 1, NOW));
        assert_false(guess(t, "192.0.2.11", 1, NOW));
        assert_false(guess(t, "2001:db8:85a3:1234:5678:8a2e:370:7334", THROTTLE_WRONG_MAX, NOW));
        assert_true(guess(t, "2001:db8:85a3:1234:5678:8a2e:370:7334", 1, NOW));
}

TEST(an_ipv6_network_is_one_customers)
{
        struct throttle *t = *state;
        char address[INET6_ADDRSTRLEN];

        for (int i = 0; i < THROTTLE_WRONG_MAX; i++) {
                snprintf(address, sizeof address, "2001:db8:85a3:1234:%x::%x", i, i * i);
                assert_false(guess(t, address, 1, NOW));
        }
        assert_true(guess(t, "2001:db8:85a3:1234:ffff:ffff:ffff:ffff", 1, NOW));
        assert_false(guess(t, "2001:db8:85a3:1235::1", 1, NOW));
        assert_false(guess(t, "2001:db8:85a3:1233:ffff::", 1, NOW));
        assert_false(guess(t, "::1", 1, NOW));
}

TEST(a_minute_after_the_first_the_count_begins_anew)
{
        struct throttle *t = *state;

        assert_false(guess(t, "192.0.2.1", 1, NOW));
        assert_true(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX, NOW + THROTTLE_WINDOW_MS - 1));
        assert_false(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX, NOW + THROTTLE_WINDOW_MS));
        assert_true(guess(t, "192.0.2.1", 1, NOW + THROTTLE_WINDOW_MS));
}

TEST(who_waits_a_minute_may_try_again)
{
        struct throttle *t = *state;

        assert_true(guess(t, "192.0.2.1", 5 * THROTTLE_WRONG_MAX, NOW));
        assert_false(guess(t, "192.0.2.1", 1, NOW + THROTTLE_WINDOW_MS));
}

TEST(it_says_for_how_long)
{
        struct throttle *t = *state;

        guess(t, "192.0.2.1", THROTTLE_WRONG_MAX, NOW);
        assert_int_equal(throttle_wrong(t, "192.0.2.1", NOW), THROTTLE_WINDOW_MS);
        assert_int_equal(throttle_wrong(t, "192.0.2.1", NOW + 59000), 1000);
}

TEST(the_longest_address_is_known_again)
{
        static const char mapped[] = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
        struct throttle *t = *state;

        assert_int_equal(sizeof mapped, 46);
        assert_false(guess(t, mapped, THROTTLE_WRONG_MAX, NOW));
        assert_true(guess(t, mapped, 1, NOW));
}

TEST(a_flood_of_addresses_forgets_but_does_not_grow)
{
        struct throttle *t = *state;
        char address[32];

        assert_true(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX + 1, NOW));
        for (int i = 0; i < 1 << 15; i++) {
                snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16 & 255, i >> 8 & 255, i & 255);
                assert_false(guess(t, address, 1, NOW));
        }
        assert_false(guess(t, "192.0.2.1", 1, NOW));
        assert_true(guess(t, "192.0.2.1", THROTTLE_WRONG_MAX, NOW)); /* and counts on */
}

TEST(freeing_nothing_is_fine)
{
        throttle_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                THROTTLE_TEST(sixty_wrong_keys_a_minute_are_let_pass),
                THROTTLE_TEST(each_address_counts_for_itself),
                THROTTLE_TEST(an_ipv6_network_is_one_customers),
                THROTTLE_TEST(a_minute_after_the_first_the_count_begins_anew),
                THROTTLE_TEST(who_waits_a_minute_may_try_again),
                THROTTLE_TEST(it_says_for_how_long),
                THROTTLE_TEST(the_longest_address_is_known_again),
                THROTTLE_TEST(a_flood_of_addresses_forgets_but_does_not_grow),
                cmocka_unit_test(freeing_nothing_is_fine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
