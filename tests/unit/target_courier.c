/* SPDX-License-Identifier: Apache-2.0 */
/* target_courier.c - what an order owes its courier firm: when it is dispatched, when its cancel is told, how it is shown. */
#include "tests/unit/story.h"

#define MINUTE (60 * SECOND)

/* An accepted order whose firm was chosen. */
static struct order fresh(void)
{
        struct order order = {.platform = PLATFORM_PHONE, .status = STATUS_ACCEPTED, .prep_minutes = 30};
        struct target *t = &order.targets[PARTY_COURIER];

        order.moves[order.n_moves++] = (struct move){.to = STATUS_ACCEPTED, .at_ms = BEGAN};
        *t = (struct target){.want = STEP_OF(STATUS_ACCEPTED), .at_ms = BEGAN, .calls = 1};
        t->firm.bytes[0] = 1;
        return order;
}

/* A fact as a store writes it: ranks 4 and 5 leave the firm's target alone. */
static void fact_of(struct order *order, enum status to)
{
        struct target *t = &order->targets[PARTY_COURIER];

        order->status = to;
        order->moves[order->n_moves++] = (struct move){.to = to, .at_ms = BEGAN};
        if (to == STATUS_ON_THE_WAY || to == STATUS_DELIVERED)
                return;
        t->want = STEP_OF((int)to);
        t->at_ms = BEGAN;
        t->tries = 0;
}

static struct next next_of(const struct order *order)
{
        return target_next(order, PARTY_COURIER, dialect_for(order, PARTY_COURIER), 0, BEGAN);
}

static const char *call_of(const struct order *order)
{
        const struct next n = next_of(order);

        return n.kind == NEXT_CALL ? n.step->name : n.kind == NEXT_WAIT ? "wait" : "nothing";
}

/* Takes this for the answer to what is next. */
static enum settle_kind answer_of(struct order *order, const struct judgement *j)
{
        static const struct retry retry = {.delays_ms = delays, .n = 3};
        const struct next n = next_of(order);
        const struct settlement s = target_settle(order, PARTY_COURIER, dialect_for(order, PARTY_COURIER),
                                                  n.kind == NEXT_CALL ? n.step : NULL, j, &retry, BEGAN);

        target_apply(&order->targets[PARTY_COURIER], &s);
        return s.kind;
}

static void shown_as(const struct order *order, enum delivery state, const char *step_name)
{
        const struct step *step = NULL;
        enum delivery got;

        assert_true(target_state(order, PARTY_COURIER, BEGAN, &got, &step));
        assert_string_equal(delivery_word(got), delivery_word(state));
        assert_string_equal(step ? step->name : "none", step_name);
}

static const struct judgement nothing = {.verdict = VERDICT_NOTHING, .definite = true};

static void it_is_dispatched_once_and_stays_told(void **state)
{
        struct order order = fresh();

        (void)state;
        shown_as(&order, DELIVERY_PENDING, "dispatch");
        assert_string_equal(call_of(&order), "dispatch");
        assert_int_equal(answer_of(&order, &done), SETTLE_DONE);
        for (int to = STATUS_COOKING; to <= STATUS_DELIVERED; to++) {
                fact_of(&order, (enum status)to);
                assert_string_equal(call_of(&order), "nothing");
                shown_as(&order, DELIVERY_DONE, "dispatch");
        }
}

static void nobody_is_shown_before_a_firm_was_chosen(void **state)
{
        struct order order = fresh();
        const struct step *step = NULL;
        enum delivery got;

        (void)state;
        order.targets[PARTY_COURIER].firm = (struct id){0};
        assert_string_equal(call_of(&order), "nothing");
        assert_false(target_state(&order, PARTY_COURIER, BEGAN, &got, &step));
}

static void on_the_way_nobody_is_called_any_more(void **state)
{
        struct order order = fresh();

        (void)state;
        assert_int_equal(answer_of(&order, &refused), SETTLE_RETRY);
        fact_of(&order, STATUS_ON_THE_WAY);
        assert_string_equal(call_of(&order), "nothing");
        assert_int_equal(answer_of(&order, &nothing), SETTLE_DONE);
        shown_as(&order, DELIVERY_SKIPPED, "none");
}

static void a_scheduled_order_waits_for_its_time(void **state)
{
        struct order order = fresh();
        struct next n;

        (void)state;
        order.scheduled_ms = BEGAN + 120 * MINUTE;
        n = next_of(&order);
        assert_int_equal(n.kind, NEXT_WAIT);
        assert_int_equal(n.until_ms, BEGAN + 75 * MINUTE); /* less 30 min in the kitchen, and 15 */
        shown_as(&order, DELIVERY_PENDING, "dispatch");
        order.scheduled_ms = BEGAN + 45 * MINUTE;
        assert_string_equal(call_of(&order), "dispatch");
}

static void a_cancel_is_told_to_whom_may_know_of_the_order(void **state)
{
        struct order told = fresh(), unsure = fresh(), unknown = fresh();

        (void)state;
        answer_of(&told, &done);
        answer_of(&unsure, &lost);
        answer_of(&unknown, &never_sent);
        fact_of(&told, STATUS_CANCELLED);
        fact_of(&unsure, STATUS_CANCELLED);
        fact_of(&unknown, STATUS_CANCELLED);
        assert_string_equal(call_of(&told), "dispatch-cancel");
        assert_string_equal(call_of(&unsure), "dispatch-cancel");
        assert_string_equal(call_of(&unknown), "nothing");
        shown_as(&told, DELIVERY_PENDING, "dispatch-cancel");
        assert_int_equal(answer_of(&told, &done), SETTLE_DONE);
        shown_as(&told, DELIVERY_DONE, "dispatch-cancel");
}

static void a_doubt_outlives_the_way_and_is_cancelled(void **state)
{
        struct order order = fresh();

        (void)state;
        answer_of(&order, &lost);
        fact_of(&order, STATUS_ON_THE_WAY);
        answer_of(&order, &nothing);
        fact_of(&order, STATUS_CANCELLED);
        assert_string_equal(call_of(&order), "dispatch-cancel");
}

static void a_cancel_that_the_firm_need_not_hear_leaves_it_as_it_was_told(void **state)
{
        struct order order = fresh();

        (void)state;
        answer_of(&order, &done);
        fact_of(&order, STATUS_CANCELLED);
        assert_int_equal(answer_of(&order, &nothing), SETTLE_DONE);
        shown_as(&order, DELIVERY_DONE, "dispatch");
        assert_int_equal(order.targets[PARTY_COURIER].told, STEP_OF(STATUS_ACCEPTED));
}

static void neither_pick_up_nor_the_platforms_courier_needs_a_firm(void **state)
{
        struct order pickup = fresh(), theirs = fresh();

        (void)state;
        pickup.pickup = true;
        theirs.platform_courier = true;
        assert_string_equal(call_of(&pickup), "nothing");
        assert_string_equal(call_of(&theirs), "nothing");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_dispatched_once_and_stays_told),
                cmocka_unit_test(nobody_is_shown_before_a_firm_was_chosen),
                cmocka_unit_test(on_the_way_nobody_is_called_any_more),
                cmocka_unit_test(a_scheduled_order_waits_for_its_time),
                cmocka_unit_test(a_cancel_is_told_to_whom_may_know_of_the_order),
                cmocka_unit_test(a_doubt_outlives_the_way_and_is_cancelled),
                cmocka_unit_test(a_cancel_that_the_firm_need_not_hear_leaves_it_as_it_was_told),
                cmocka_unit_test(neither_pick_up_nor_the_platforms_courier_needs_a_firm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
