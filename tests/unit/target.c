/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - tests of model/target.c: what is owed, in which order, and how it is shown. */
#include "model/target.h"

#include "model/clean.h"
#include "tests/unit/story.h"

/* ---- which steps, in which order ---- */

static void a_2_without_a_1_sends_the_steps_between_in_order(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_DELIVERED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "on-the-way delivered");
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_ACCEPTED);
        fact(&s, STATUS_DELIVERED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "ready on-the-way delivered");
        is_shown(&s, DELIVERY_DONE, "delivered");
}

static void a_1_on_an_order_never_accepted_accepts_it_first(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ON_THE_WAY);
        is_shown(&s, DELIVERY_PENDING, "accept");
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept on-the-way");
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        fact(&s, STATUS_ON_THE_WAY);
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept ready on-the-way");
}

static void a_1_and_then_a_2_are_told_once_each(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_ON_THE_WAY);
        all_goes_well(&s);
        fact(&s, STATUS_DELIVERED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "on-the-way delivered");
}

static void each_step_but_the_last_leads_to_the_next_at_once(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        fact(&s, STATUS_DELIVERED);
        for (int i = 0; i < 3; i++) {
                s.now += SECOND;
                assert_int_equal(answer(&s, done), SETTLE_MORE);
                assert_int_equal(s.target->told_at_ms, s.now);
                assert_int_equal(s.target->at_ms, BEGAN);
                assert_false(s.target->unsure);
        }
        assert_int_equal(answer(&s, done), SETTLE_DONE);
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
}

static void what_the_platform_has_no_call_for_is_settled_without_one(void **state)
{
        const struct judgement nothing = {.verdict = VERDICT_NOTHING, .definite = true};
        struct settlement change;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        fact(&s, STATUS_COOKING);
        assert_string_equal(next_name(&s), "nothing");
        is_shown(&s, DELIVERY_SKIPPED, "accept");
        change = settle(&s, NULL, &nothing);
        assert_int_equal(change.kind, SETTLE_DONE);
        target_apply(s.target, &change);
        assert_int_equal(s.target->told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
        is_shown(&s, DELIVERY_SKIPPED, "accept");
}

static void a_phone_order_owes_nobody_anything(void **state)
{
        const struct step *step = NULL;
        enum delivery got;
        struct story s;

        (void)state;
        begin(&s, PLATFORM_PHONE, STATUS_NEW);
        fact(&s, STATUS_DELIVERED);
        assert_string_equal(next_name(&s), "nothing");
        assert_false(target_state(&s.order, PARTY_PLATFORM, s.now, &got, &step));
        assert_false(target_state(&s.order, PARTY_COURIER, s.now, &got, &step));
}

/* ---- cancels ---- */

static void a_cancel_asks_for_nothing_but_itself(void **state)
{
        struct story s;

        (void)state;
        for (int at = STATUS_NEW; at < STATUS_DELIVERED; at++) {
                begin(&s, PLATFORM_TRENDYOLYEMEK, (enum status)at);
                fact(&s, STATUS_CANCELLED);
                all_goes_well(&s);
                assert_string_equal(s.calls, "cancel");
                is_shown(&s, DELIVERY_DONE, "cancel");
        }
}

static void a_cancel_overtakes_an_accept_that_is_pending(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        assert_int_equal(answer(&s, never_sent), SETTLE_RETRY);
        fact(&s, STATUS_CANCELLED);
        assert_int_equal(s.target->at_ms, s.now);
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept cancel");
        assert_int_equal(s.target->told, STEP_OF(STATUS_CANCELLED));
}

static void a_cancel_after_a_lost_accept_checks_first(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        answer(&s, lost);
        fact(&s, STATUS_CANCELLED);
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_ACCEPTED))), SETTLE_MORE);
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept check cancel");
}

static void a_cancel_that_is_refused_is_a_failed_delivery(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ON_THE_WAY);
        fact(&s, STATUS_CANCELLED);
        assert_int_equal(answer(&s, hopeless), SETTLE_DEAD);
        is_shown(&s, DELIVERY_FAILED, "cancel");
}

/* ---- facts that the platform knows already ---- */

static void a_fact_from_the_platform_is_never_sent_back(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        fact_from_platform(&s, STATUS_ON_THE_WAY);
        assert_string_equal(next_name(&s), "nothing");
        is_shown(&s, DELIVERY_DONE, "on-the-way");
        fact(&s, STATUS_DELIVERED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "delivered");
}

static void what_was_owed_before_it_counts_as_done(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        answer(&s, hopeless);
        is_shown(&s, DELIVERY_FAILED, "accept");
        fact_from_platform(&s, STATUS_READY);
        assert_string_equal(next_name(&s), "nothing");
        fact(&s, STATUS_ON_THE_WAY);
        assert_string_equal(next_name(&s), "on-the-way");
}

/* ---- the platform's own courier ---- */

static void the_platforms_own_courier_reports_itself(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        s.order.platform_courier = true;
        fact(&s, STATUS_DELIVERED);
        assert_string_equal(next_name(&s), "nothing");
        is_shown(&s, DELIVERY_SKIPPED, "none");
}

static void for_it_only_what_was_done_is_told(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        s.order.platform_courier = true;
        fact(&s, STATUS_READY); /* never accepted: not filled in */
        assert_string_equal(next_name(&s), "ready");
        fact(&s, STATUS_ON_THE_WAY); /* pending still */
        assert_string_equal(next_name(&s), "ready");
        all_goes_well(&s);
        assert_string_equal(s.calls, "ready");
        is_shown(&s, DELIVERY_SKIPPED, "ready");
}

static void for_it_a_cancel_is_told(void **state)
{
        struct story s;

        (void)state;
        begin(&s, PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        s.order.platform_courier = true;
        is_shown(&s, DELIVERY_DONE, "accept");
        fact(&s, STATUS_CANCELLED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "cancel");
        is_shown(&s, DELIVERY_DONE, "cancel");
}

/* ---- words and rows ---- */

static void a_call_is_one_row_of_the_log(void **state)
{
        CLEAN(free_at) char *row = NULL;

        (void)state;
        row = called_write(dialect_step(&dialect_dukkango, 40), &broken, BEGAN);
        assert_string_equal(row,
                            "{\"step\":\"on-the-way\",\"at\":\"2024-11-05T14:13:20.000Z\",\"httpStatus\":500,"
                            "\"result\":\"retry\",\"reason\":\"server_error\"}");
        free(row);
        row = called_write(NULL, &(struct judgement){.verdict = VERDICT_DONE}, BEGAN);
        assert_string_equal(row,
                            "{\"step\":\"check\",\"at\":\"2024-11-05T14:13:20.000Z\",\"httpStatus\":null,"
                            "\"result\":\"done\",\"reason\":null}");
}

static void a_delivery_is_found_by_its_word(void **state)
{
        enum delivery got = DELIVERY_COUNT;

        (void)state;
        for (int i = 0; i < DELIVERY_COUNT; i++) {
                assert_true(delivery_find(delivery_word((enum delivery)i), &got));
                assert_int_equal(got, i);
        }
        assert_false(delivery_find("kayıp", &got));
        assert_false(delivery_find(NULL, &got));
        assert_string_equal(party_word(PARTY_PLATFORM), "platform");
        assert_string_equal(party_word(PARTY_COURIER), "courier");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_2_without_a_1_sends_the_steps_between_in_order),
                cmocka_unit_test(a_1_on_an_order_never_accepted_accepts_it_first),
                cmocka_unit_test(a_1_and_then_a_2_are_told_once_each),
                cmocka_unit_test(each_step_but_the_last_leads_to_the_next_at_once),
                cmocka_unit_test(what_the_platform_has_no_call_for_is_settled_without_one),
                cmocka_unit_test(a_phone_order_owes_nobody_anything),
                cmocka_unit_test(a_cancel_asks_for_nothing_but_itself),
                cmocka_unit_test(a_cancel_overtakes_an_accept_that_is_pending),
                cmocka_unit_test(a_cancel_after_a_lost_accept_checks_first),
                cmocka_unit_test(a_cancel_that_is_refused_is_a_failed_delivery),
                cmocka_unit_test(a_fact_from_the_platform_is_never_sent_back),
                cmocka_unit_test(what_was_owed_before_it_counts_as_done),
                cmocka_unit_test(the_platforms_own_courier_reports_itself),
                cmocka_unit_test(for_it_only_what_was_done_is_told),
                cmocka_unit_test(for_it_a_cancel_is_told),
                cmocka_unit_test(a_call_is_one_row_of_the_log),
                cmocka_unit_test(a_delivery_is_found_by_its_word),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
