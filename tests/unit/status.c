/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - the words of an order's life, and that it only goes forward. */
#include "model/status.h"
#include "tests/unit/check.h"

/* The words as scripts know them, by rank: written down again, because they may never change. */
static const char *const words[] = {
        "yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi", "cancelled"};

static bool may_move(enum status from, enum status to)
{
        return from < status_bound(to);
}

TEST(each_rank_has_the_word_that_scripts_know)
{
        assert_int_equal(STATUS_COUNT, COUNT(words));
        for (int i = 0; i < STATUS_COUNT; i++)
                assert_string_equal(status_word((enum status)i), words[i]);
        assert_string_equal(status_word(STATUS_ON_THE_WAY), "teslim-edilecek");
        assert_string_equal(status_word(STATUS_DELIVERED), "teslim-edildi");
        assert_string_equal(status_word(STATUS_CANCELLED), "cancelled");
}

TEST(each_word_finds_its_rank)
{
        for (int i = 0; i < STATUS_COUNT; i++) {
                enum status found = STATUS_COUNT;

                assert_true(status_find(words[i], &found));
                assert_int_equal(found, i);
        }
}

TEST(another_word_finds_nothing)
{
        static const char *const bad[] = {"",      "Yeni", "YENI", "hazirla", "hazirlaniyo", "teslim_edildi",
                                          "yeni ", "1"};
        enum status found = STATUS_READY;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_case(!status_find(bad[i], &found), bad[i]);
        assert_false(status_find(NULL, &found));
        assert_int_equal(found, STATUS_READY);
}

TEST(only_delivered_and_cancelled_are_final)
{
        for (int i = 0; i < STATUS_COUNT; i++)
                assert_int_equal(status_is_final((enum status)i),
                                 i == STATUS_DELIVERED || i == STATUS_CANCELLED);
}

TEST(a_move_goes_forward_and_may_skip_steps)
{
        for (int from = STATUS_NEW; from < STATUS_DELIVERED; from++)
                for (int to = from + 1; to <= STATUS_DELIVERED; to++)
                        assert_true(may_move((enum status)from, (enum status)to));
}

TEST(a_backward_move_is_refused)
{
        for (int from = STATUS_NEW; from <= STATUS_DELIVERED; from++)
                for (int to = STATUS_NEW; to < from; to++)
                        assert_false(may_move((enum status)from, (enum status)to));
}

TEST(a_move_to_where_it_is_is_none)
{
        for (int i = 0; i < STATUS_COUNT; i++)
                assert_false(may_move((enum status)i, (enum status)i));
}

TEST(an_order_is_cancelled_from_any_state_but_delivered)
{
        for (int from = STATUS_NEW; from < STATUS_DELIVERED; from++)
                assert_true(may_move((enum status)from, STATUS_CANCELLED));
        assert_false(may_move(STATUS_DELIVERED, STATUS_CANCELLED));
}

TEST(nothing_leaves_a_final_state)
{
        for (int to = 0; to < STATUS_COUNT; to++) {
                assert_false(may_move(STATUS_DELIVERED, (enum status)to));
                assert_false(may_move(STATUS_CANCELLED, (enum status)to));
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_rank_has_the_word_that_scripts_know),
                cmocka_unit_test(each_word_finds_its_rank),
                cmocka_unit_test(another_word_finds_nothing),
                cmocka_unit_test(only_delivered_and_cancelled_are_final),
                cmocka_unit_test(a_move_goes_forward_and_may_skip_steps),
                cmocka_unit_test(a_backward_move_is_refused),
                cmocka_unit_test(a_move_to_where_it_is_is_none),
                cmocka_unit_test(an_order_is_cancelled_from_any_state_but_delivered),
                cmocka_unit_test(nothing_leaves_a_final_state),
        };

        return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
