/* SPDX-License-Identifier: Apache-2.0 */
/* target_settle.c - tests of model/target.c: what an answer changes, in good times, in doubt and after failures. */
#include "tests/unit/story.h"

/* ---- what happens while a call is under way ---- */

/* As a store does where `want` is not what it was at the claim: `told` rises and the target stays due. */
static void overtaken(struct story *s, const struct settlement *change)
{
        s->target->told = change->told > s->target->told ? change->told : s->target->told;
        s->target->unsure = change->unsure;
}

static void a_late_answer_counts_though_a_further_fact_came_meanwhile(void **state)
{
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        change = settle(&s, next(&s).step, &done);
        fact(&s, STATUS_ON_THE_WAY);
        overtaken(&s, &change);
        assert_string_equal(next_name(&s), "on-the-way");
        is_shown(&s, DELIVERY_PENDING, "on-the-way");
}

static void a_late_answer_does_not_stop_the_cancel_that_came_meanwhile(void **state)
{
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        change = settle(&s, next(&s).step, &done);
        fact(&s, STATUS_CANCELLED);
        overtaken(&s, &change);
        assert_string_equal(next_name(&s), "cancel");
}

static void a_platforms_own_cancel_during_a_call_ends_what_is_owed(void **state)
{
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        change = settle(&s, next(&s).step, &lost);
        fact_from_platform(&s, STATUS_CANCELLED);
        overtaken(&s, &change);
        assert_int_equal(s.target->told, STEP_OF(STATUS_CANCELLED));
        assert_string_equal(next_name(&s), "nothing");
        is_shown(&s, DELIVERY_DONE, "cancel");
}

static void told_never_sinks(void **state)
{
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        change = settle(&s, next(&s).step, &done);
        s.target->told = STEP_OF(STATUS_ON_THE_WAY);
        target_apply(s.target, &change);
        assert_int_equal(s.target->told, STEP_OF(STATUS_ON_THE_WAY));
}

/* ---- doubt ---- */

static void what_is_in_doubt_is_checked_before_anything_else(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, lost), SETTLE_RETRY);
        assert_true(s.target->unsure);
        assert_int_equal(next(&s).kind, NEXT_CHECK);
        assert_string_equal(next(&s).step->name, "on-the-way");
        fact(&s, STATUS_DELIVERED);
        assert_int_equal(next(&s).kind, NEXT_CHECK);
        is_shown(&s, DELIVERY_PENDING, "on-the-way");
}

static void it_is_checked_though_no_step_is_asked(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_ACCEPTED);
        fact(&s, STATUS_COOKING);
        s.target->unsure = true;
        assert_int_equal(next(&s).kind, NEXT_CHECK);
        assert_null(next(&s).step);
        is_shown(&s, DELIVERY_PENDING, "accept");
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_ACCEPTED))), SETTLE_DONE);
        assert_false(s.target->unsure);
}

static void where_nothing_is_wanted_there_is_nothing_to_check(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        s.target->unsure = true;
        assert_string_equal(next_name(&s), "nothing");
}

static void without_a_check_the_step_itself_is_repeated(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_true(s.target->unsure);
        all_goes_well(&s);
        assert_false(s.target->unsure);
        assert_string_equal(s.calls, "on-the-way on-the-way");
}

static void a_check_that_finds_the_step_done_sends_no_repeat(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_ON_THE_WAY))), SETTLE_DONE);
        assert_int_equal(s.target->told, STEP_OF(STATUS_ON_THE_WAY));
        assert_int_equal(s.target->told_at_ms, s.now);
        assert_int_equal(s.target->tries, 0);
        assert_string_equal(s.calls, "on-the-way check");
        is_shown(&s, DELIVERY_DONE, "on-the-way");
}

static void a_check_that_finds_more_leads_to_what_is_left(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        fact(&s, STATUS_DELIVERED);
        answer(&s, lost);
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_ON_THE_WAY))), SETTLE_MORE);
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept check delivered");
}

static void a_check_that_finds_more_than_wanted_is_enough(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_DELIVERED))), SETTLE_DONE);
        assert_int_equal(s.target->told, STEP_OF(STATUS_DELIVERED));
}

static void a_check_that_finds_another_end_gives_up_and_raises_nothing(void **state)
{
        const struct judgement cancelled = {
                .verdict = VERDICT_GIVE_UP, .definite = true, .reason = "cancelled"};
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_int_equal(answer(&s, cancelled), SETTLE_DEAD);
        assert_int_equal(s.target->told, STEP_OF(STATUS_READY));
        assert_string_equal(s.target->dead, "cancelled");
        is_shown(&s, DELIVERY_FAILED, "on-the-way");
        replay(&s);
        assert_int_equal(next(&s).kind, NEXT_CHECK);
}

static void a_check_that_does_not_show_the_order_leaves_the_doubt_and_the_call_is_made(void **state)
{
        static const struct judgement nothing_seen = {.verdict = VERDICT_DONE, .http = 200};
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_int_equal(answer(&s, nothing_seen), SETTLE_MORE);
        assert_true(s.target->unsure);
        assert_int_equal(s.target->tries, 1);
        assert_int_equal(answer(&s, refused), SETTLE_RETRY);
        assert_true(s.target->unsure);
        assert_int_equal(answer(&s, nothing_seen), SETTLE_MORE);
        assert_int_equal(answer(&s, done), SETTLE_DONE);
        assert_false(s.target->unsure);
        assert_string_equal(s.calls, "on-the-way check on-the-way check on-the-way");
}

static void a_check_that_fails_uses_a_try_and_keeps_the_doubt(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, lost);
        assert_int_equal(answer(&s, refused), SETTLE_RETRY);
        assert_true(s.target->unsure);
        assert_int_equal(answer(&s, broken), SETTLE_RETRY);
        assert_true(s.target->unsure);
        assert_int_equal(answer(&s, refused), SETTLE_DEAD);
        assert_string_equal(s.calls, "on-the-way check check check");
}

static void check_and_failing_call_do_not_take_turns_for_ever(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_READY);
        fact(&s, STATUS_ON_THE_WAY);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(answer(&s, broken), SETTLE_RETRY);
                assert_int_equal(answer(&s, found(STEP_OF(STATUS_READY))), SETTLE_MORE);
        }
        assert_int_equal(answer(&s, broken), SETTLE_DEAD);
}

static void only_success_ends_a_doubt(void **state)
{
        static const struct {
                const struct judgement *j;
                bool before, after;
        } cases[] = {{&lost, false, true},        {&lost, true, true},       {&broken, false, true},
                     {&never_sent, false, false}, {&never_sent, true, true}, {&refused, false, false},
                     {&refused, true, true},      {&hopeless, false, false}, {&hopeless, true, true},
                     {&too_early, false, false},  {&too_early, true, true},  {&done, true, false}};
        struct story s;

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
                fact(&s, STATUS_ON_THE_WAY);
                s.target->unsure = cases[i].before;
                answer(&s, *cases[i].j);
                assert_int_equal(s.target->unsure, cases[i].after);
        }
}

/* ---- failures ---- */

static void three_repeats_are_made_after_growing_waits(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(answer(&s, broken), SETTLE_RETRY);
                assert_int_equal(s.target->tries, i + 1);
                assert_int_equal(s.target->at_ms, s.now + delays[i]);
                is_shown(&s, DELIVERY_PENDING, "on-the-way");
                s.now = s.target->at_ms;
        }
        assert_int_equal(answer(&s, broken), SETTLE_DEAD);
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
        assert_int_equal(s.target->told, STEP_OF(STATUS_ACCEPTED));
        assert_string_equal(s.target->dead, "server_error");
        is_shown(&s, DELIVERY_FAILED, "on-the-way");
}

static void up_to_a_fifth_is_added_to_a_wait(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        s.retry.jitter = 1;
        answer(&s, refused);
        assert_int_equal(s.target->at_ms, s.now + 1200);
        s.retry.jitter = 0.5;
        answer(&s, refused);
        assert_int_equal(s.target->at_ms, s.now + 5500);
}

static void a_new_fact_revives_what_was_given_up_with_fresh_tries(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        while (answer(&s, refused) != SETTLE_DEAD)
                continue;
        fact(&s, STATUS_DELIVERED);
        is_shown(&s, DELIVERY_PENDING, "on-the-way");
        assert_int_equal(answer(&s, refused), SETTLE_RETRY);
        assert_int_equal(s.target->tries, 1);
        s.now = s.target->at_ms;
        all_goes_well(&s);
        assert_int_equal(s.target->tries, 0);
}

static void a_replay_starts_where_it_stopped(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, done), SETTLE_MORE);
        while (answer(&s, refused) != SETTLE_DEAD)
                continue;
        assert_int_equal(s.target->told, STEP_OF(STATUS_ACCEPTED));
        is_shown(&s, DELIVERY_FAILED, "on-the-way");
        s.now += 24 * HOUR;
        replay(&s);
        s.calls[0] = '\0';
        all_goes_well(&s);
        assert_string_equal(s.calls, "on-the-way");
}

static void the_second_step_has_tries_of_its_own(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ON_THE_WAY);
        for (int i = 0; i < 3; i++)
                assert_int_equal(answer(&s, refused), SETTLE_RETRY);
        assert_int_equal(answer(&s, done), SETTLE_MORE);
        for (int i = 0; i < 3; i++)
                assert_int_equal(answer(&s, refused), SETTLE_RETRY);
        assert_int_equal(answer(&s, refused), SETTLE_DEAD);
}

static void giving_up_needs_no_repeat(void **state)
{
        const struct judgement wordless = {.verdict = VERDICT_GIVE_UP, .definite = true};
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, hopeless), SETTLE_DEAD);
        assert_string_equal(s.target->dead, "not_found");
        replay(&s);
        answer(&s, wordless);
        is_shown(&s, DELIVERY_FAILED, "on-the-way"); /* whoever gave no reason, it is dead all the same */
}

/* ---- waits ---- */

static void a_wait_uses_no_try(void **state)
{
        struct judgement later = too_early;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        s.now += HOUR;
        for (int i = 0; i < 10; i++)
                assert_int_equal(answer(&s, too_early), SETTLE_WAIT);
        assert_int_equal(s.target->at_ms, BEGAN);
        later.wait_ms = 45 * SECOND;
        assert_int_equal(answer(&s, later), SETTLE_WAIT);
        assert_int_equal(s.target->at_ms, s.now + 45 * SECOND);
        assert_int_equal(s.target->tries, 0);
        is_shown(&s, DELIVERY_PENDING, "on-the-way");
}

static void not_yet_is_no_try_however_late(void **state)
{
        const struct judgement not_yet = {
                .verdict = VERDICT_NOTHING, .definite = true, .wait_ms = 60 * SECOND};
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, lost), SETTLE_RETRY);
        s.now += 2 * HOUR;
        change = settle(&s, NULL, &not_yet);
        assert_int_equal(change.kind, SETTLE_WAIT);
        assert_int_equal(change.at_ms, s.now + 60 * SECOND);
        assert_int_equal(change.tries, 1);
        assert_true(change.unsure);
}

static void a_doubt_outlives_that_nothing_is_to_be_called(void **state)
{
        const struct judgement nothing = {.verdict = VERDICT_NOTHING, .definite = true};
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, lost), SETTLE_RETRY);
        change = settle(&s, NULL, &nothing);
        assert_int_equal(change.at_ms, TARGET_NOT_DUE);
        assert_true(change.unsure);
}

static void an_hour_after_the_fact_a_wait_is_a_try(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        s.now += 5 * HOUR;
        fact(&s, STATUS_ON_THE_WAY);
        s.now += HOUR + 1;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(answer(&s, too_early), SETTLE_RETRY);
                assert_int_equal(s.target->at_ms, s.now + delays[i]);
        }
        assert_int_equal(answer(&s, too_early), SETTLE_DEAD);
        assert_string_equal(s.target->dead, verdict_word(VERDICT_WAIT));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_late_answer_counts_though_a_further_fact_came_meanwhile),
                cmocka_unit_test(a_late_answer_does_not_stop_the_cancel_that_came_meanwhile),
                cmocka_unit_test(a_platforms_own_cancel_during_a_call_ends_what_is_owed),
                cmocka_unit_test(told_never_sinks),
                cmocka_unit_test(what_is_in_doubt_is_checked_before_anything_else),
                cmocka_unit_test(it_is_checked_though_no_step_is_asked),
                cmocka_unit_test(where_nothing_is_wanted_there_is_nothing_to_check),
                cmocka_unit_test(without_a_check_the_step_itself_is_repeated),
                cmocka_unit_test(a_check_that_finds_the_step_done_sends_no_repeat),
                cmocka_unit_test(a_check_that_finds_more_leads_to_what_is_left),
                cmocka_unit_test(a_check_that_finds_more_than_wanted_is_enough),
                cmocka_unit_test(a_check_that_finds_another_end_gives_up_and_raises_nothing),
                cmocka_unit_test(a_check_that_does_not_show_the_order_leaves_the_doubt_and_the_call_is_made),
                cmocka_unit_test(a_check_that_fails_uses_a_try_and_keeps_the_doubt),
                cmocka_unit_test(check_and_failing_call_do_not_take_turns_for_ever),
                cmocka_unit_test(only_success_ends_a_doubt),
                cmocka_unit_test(three_repeats_are_made_after_growing_waits),
                cmocka_unit_test(up_to_a_fifth_is_added_to_a_wait),
                cmocka_unit_test(a_new_fact_revives_what_was_given_up_with_fresh_tries),
                cmocka_unit_test(a_replay_starts_where_it_stopped),
                cmocka_unit_test(the_second_step_has_tries_of_its_own),
                cmocka_unit_test(giving_up_needs_no_repeat),
                cmocka_unit_test(a_wait_uses_no_try),
                cmocka_unit_test(not_yet_is_no_try_however_late),
                cmocka_unit_test(a_doubt_outlives_that_nothing_is_to_be_called),
                cmocka_unit_test(an_hour_after_the_fact_a_wait_is_a_try),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
