/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c - a good secret is remembered for five seconds and not past its end, and forgotten on a word. */
#include "model/admission.h"

#include "tests/unit/check.h"

#include <string.h>

#define NOW INT64_C(1730817000000)
#define LIFE_MS 5000 /* docs/design.md 2 */

static int open_admission(void **state)
{
        struct admission *a = NULL;

        if (admission_new(&a, NULL) != ERR_OK)
                return -1;
        *state = a;
        return 0;
}

static int close_admission(void **state)
{
        admission_free(*state);
        return 0;
}

#define ADMISSION_TEST(name) cmocka_unit_test_setup_teardown(name, open_admission, close_admission)

static struct access key_of(int number)
{
        struct access access = {.kind = ACCESS_KEY};

        memcpy(access.digest.bytes, &number, sizeof number);
        return access;
}

static struct caller caller_of(int number)
{
        struct caller caller = {.known = true, .until_ms = INT64_MAX};

        memcpy(caller.restaurant.bytes, &number, sizeof number);
        memcpy(caller.integration.bytes + 6, &number, sizeof number);
        return caller;
}

/* Whether it is remembered; *ret (may be NULL) what was. */
static bool knows(struct admission *a, struct access access, int64_t now_ms, struct caller *ret)
{
        struct caller caller;
        uint64_t generation;

        return admission_find(a, &access, now_ms, ret ? ret : &caller, &generation);
}

/* What a look-up that found it does. */
static void keep(struct admission *a, struct access access, int64_t now_ms, struct caller caller)
{
        struct caller ignored;
        uint64_t generation;

        admission_find(a, &access, now_ms, &ignored, &generation);
        admission_keep(a, &access, now_ms, &caller, generation);
}

TEST(what_was_not_kept_is_not_known)
{
        assert_false(knows(*state, key_of(1), NOW, NULL));
}

TEST(what_was_kept_is_known_as_it_was)
{
        const struct caller kept = caller_of(7);
        struct caller caller = {0};

        keep(*state, key_of(1), NOW, kept);
        assert_true(knows(*state, key_of(1), NOW, &caller));
        assert_true(caller.known);
        assert_true(id_equal(&caller.restaurant, &kept.restaurant));
        assert_true(id_equal(&caller.integration, &kept.integration));
        assert_false(knows(*state, key_of(2), NOW, NULL));
}

TEST(it_is_known_for_five_seconds)
{
        keep(*state, key_of(1), NOW, caller_of(7));
        assert_true(knows(*state, key_of(1), NOW + LIFE_MS - 1, NULL));
        assert_false(knows(*state, key_of(1), NOW + LIFE_MS, NULL));
}

TEST(being_asked_for_does_not_make_it_last)
{
        for (int i = 0; i < 4; i++)
                keep(*state, key_of(1), NOW, caller_of(7));
        assert_true(knows(*state, key_of(1), NOW + LIFE_MS - 1, NULL));
        assert_false(knows(*state, key_of(1), NOW + LIFE_MS, NULL));
        keep(*state, key_of(1), NOW + LIFE_MS, caller_of(8)); /* looked up anew */
        assert_true(knows(*state, key_of(1), NOW + 2 * LIFE_MS - 1, NULL));
}

TEST(it_is_not_known_past_its_own_end)
{
        struct caller caller = caller_of(7);

        caller.until_ms = NOW + 100;
        keep(*state, key_of(1), NOW, caller);
        assert_true(knows(*state, key_of(1), NOW + 99, NULL));
        assert_false(knows(*state, key_of(1), NOW + 100, NULL));
}

TEST(a_clock_that_went_back_makes_nothing_last)
{
        keep(*state, key_of(1), NOW, caller_of(7));
        assert_false(knows(*state, key_of(1), NOW - 1, NULL));
}

TEST(a_secret_is_known_as_what_it_is)
{
        struct access as_token = key_of(1);

        as_token.kind = ACCESS_TOKEN;
        keep(*state, key_of(1), NOW, caller_of(7));
        assert_false(knows(*state, as_token, NOW, NULL));
}

TEST(on_a_word_all_is_forgotten)
{
        keep(*state, key_of(1), NOW, caller_of(7));
        keep(*state, key_of(2), NOW, caller_of(8));
        admission_forget(*state);
        assert_false(knows(*state, key_of(1), NOW, NULL));
        assert_false(knows(*state, key_of(2), NOW, NULL));
        keep(*state, key_of(1), NOW, caller_of(7));
        assert_true(knows(*state, key_of(1), NOW, NULL));
}

TEST(what_was_looked_up_before_the_word_is_not_kept_after_it)
{
        const struct access access = key_of(1);
        const struct caller stale = caller_of(7);
        struct caller caller;
        uint64_t generation;

        assert_false(admission_find(*state, &access, NOW, &caller, &generation));
        admission_forget(*state); /* while the record is read */
        admission_keep(*state, &access, NOW, &stale, generation);
        assert_false(knows(*state, access, NOW, NULL));
}

TEST(a_flood_of_good_secrets_is_bounded_and_still_served)
{
        for (int i = 0; i < 40000; i++)
                keep(*state, key_of(i), NOW, caller_of(i));
        assert_false(knows(*state, key_of(0), NOW, NULL));
        assert_true(knows(*state, key_of(39999), NOW, NULL));
}

TEST(freeing_nothing_is_fine)
{
        admission_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ADMISSION_TEST(what_was_not_kept_is_not_known),
                ADMISSION_TEST(what_was_kept_is_known_as_it_was),
                ADMISSION_TEST(it_is_known_for_five_seconds),
                ADMISSION_TEST(being_asked_for_does_not_make_it_last),
                ADMISSION_TEST(it_is_not_known_past_its_own_end),
                ADMISSION_TEST(a_clock_that_went_back_makes_nothing_last),
                ADMISSION_TEST(a_secret_is_known_as_what_it_is),
                ADMISSION_TEST(on_a_word_all_is_forgotten),
                ADMISSION_TEST(what_was_looked_up_before_the_word_is_not_kept_after_it),
                ADMISSION_TEST(a_flood_of_good_secrets_is_bounded_and_still_served),
                cmocka_unit_test(freeing_nothing_is_fine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
