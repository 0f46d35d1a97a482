/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_getiryemek.c - tests of what only model/dialect_getiryemek.c has: its waits and the two kinds of couriers. */
#include "model/clean.h"
#include "tests/unit/story.h"

#define WAIT (60 * SECOND)

static const struct dialect *const dialect = &dialect_getiryemek;

static void begin_here(struct story *s, enum status status)
{
        begin(s, PLATFORM_GETIRYEMEK, status);
        s->retry.step_wait_ms = WAIT;
        s->order.created_ms = s->now;
}

static void waits_until(const struct story *s, const char *step, int64_t until_ms)
{
        const struct next n = next(s);

        assert_int_equal(n.kind, NEXT_WAIT);
        assert_string_equal(n.step->name, step);
        assert_int_equal(n.until_ms, until_ms);
}

/* Nothing is called a millisecond too early, and then it is called. */
static enum settle_kind after_the_wait(struct story *s, const char *step, int64_t until_ms)
{
        waits_until(s, step, until_ms);
        s->now = until_ms - 1;
        waits_until(s, step, until_ms);
        s->now = until_ms;
        assert_string_equal(next_name(s), step);
        return answer(s, done);
}

static void a_minute_lies_between_verify_prepare_and_deliver(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_NEW);
        s.now += HOUR;
        fact(&s, STATUS_DELIVERED);
        assert_int_equal(answer(&s, done), SETTLE_DONE);
        assert_int_equal(s.target->at_ms, s.now + WAIT);
        assert_int_equal(after_the_wait(&s, "on-the-way", s.now + WAIT), SETTLE_DONE);
        assert_int_equal(s.target->at_ms, s.now + WAIT);
        is_shown(&s, DELIVERY_PENDING, "delivered");
        assert_int_equal(after_the_wait(&s, "delivered", s.now + WAIT), SETTLE_DONE);
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
        assert_string_equal(s.calls, "accept on-the-way delivered");
        is_shown(&s, DELIVERY_DONE, "delivered");
}

static void delivered_within_a_second_is_told_a_minute_later(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_ACCEPTED);
        s.now += HOUR;
        fact(&s, STATUS_ON_THE_WAY);
        assert_int_equal(answer(&s, done), SETTLE_DONE);
        s.now += SECOND;
        fact(&s, STATUS_DELIVERED);
        after_the_wait(&s, "delivered", s.now - SECOND + WAIT);
        assert_string_equal(s.calls, "on-the-way delivered");
}

static void for_getirs_courier_ready_is_two_calls(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_NEW);
        s.order.platform_courier = true;
        fact(&s, STATUS_ACCEPTED);
        answer(&s, done);
        s.now += SECOND;
        fact(&s, STATUS_READY);
        is_shown(&s, DELIVERY_PENDING, "ready");
        assert_int_equal(after_the_wait(&s, "ready", s.now - SECOND + WAIT), SETTLE_MORE);
        assert_int_equal(answer(&s, done), SETTLE_DONE);
        fact(&s, STATUS_DELIVERED);
        assert_string_equal(next_name(&s), "nothing");
        assert_string_equal(s.calls, "accept ready handover");
}

static void the_restaurants_courier_has_no_ready(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_ACCEPTED);
        fact(&s, STATUS_READY);
        assert_string_equal(next_name(&s), "nothing");
        is_shown(&s, DELIVERY_SKIPPED, "accept");
}

static void a_cancel_waits_for_nothing(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_NEW);
        fact(&s, STATUS_ON_THE_WAY);
        answer(&s, done);
        fact(&s, STATUS_CANCELLED);
        assert_string_equal(next_name(&s), "cancel");
}

/* An order that came in accepted, with this reference, is told of as "on the way". */
static void prepare_waits_until(const char *document, int64_t until_ms)
{
        char text[128];
        struct story s;

        assert_true(text_copy(text, sizeof text, document));
        begin_here(&s, STATUS_ACCEPTED);
        s.order.document = text;
        fact(&s, STATUS_ON_THE_WAY);
        waits_until(&s, "on-the-way", until_ms);
}

static void who_verified_before_us_is_counted_from_then_or_from_the_creation(void **state)
{
        struct story s;

        (void)state; /* BEGAN is 2024-11-05T14:13:20Z */
        prepare_waits_until("{\"platformRef\":{\"verifiedAt\":\"2024-11-05T14:13:00Z\"}}",
                            BEGAN + WAIT - 20 * SECOND);
        prepare_waits_until("{\"platformRef\":{\"verifiedAt\":\"2024-11-05T17:13:10\"}}",
                            BEGAN + WAIT - 10 * SECOND);
        prepare_waits_until("{\"platformRef\":{\"verifiedAt\":\"2024-11-05T15:13:00Z\"}}", BEGAN + WAIT);
        prepare_waits_until("{\"platformRef\":{\"verifiedAt\":7}}", BEGAN + WAIT);
        prepare_waits_until("{\"platformRef\":{}}", BEGAN + WAIT);
        prepare_waits_until("{}", BEGAN + WAIT);
        begin_here(&s, STATUS_ON_THE_WAY);
        fact(&s, STATUS_DELIVERED);
        waits_until(&s, "delivered", BEGAN + WAIT);
}

static void too_early_is_counted_anew_and_uses_no_try(void **state)
{
        const struct judgement early = {
                .verdict = VERDICT_WAIT, .definite = true, .http = 400, .wait_ms = WAIT_A_STEP};
        struct story s;

        (void)state;
        begin_here(&s, STATUS_ACCEPTED);
        s.now += 2 * WAIT;
        fact(&s, STATUS_ON_THE_WAY);
        for (int i = 0; i < 5; i++) {
                assert_int_equal(answer(&s, early), SETTLE_WAIT);
                assert_int_equal(s.target->at_ms, s.now + WAIT);
                s.now = s.target->at_ms;
        }
        assert_int_equal(s.target->tries, 0);
        assert_int_equal(answer(&s, done), SETTLE_DONE);
}

static void a_prepare_that_a_check_finds_is_counted_from_the_check(void **state)
{
        struct story s;

        (void)state;
        begin_here(&s, STATUS_ACCEPTED);
        s.now += HOUR / 2;
        fact(&s, STATUS_DELIVERED);
        answer(&s, lost);
        s.now += 10 * SECOND;
        assert_int_equal(answer(&s, found(STEP_OF(STATUS_ON_THE_WAY))), SETTLE_DONE);
        after_the_wait(&s, "delivered", s.now + WAIT);
        assert_string_equal(s.calls, "on-the-way check delivered");
}

static void what_a_check_finds_goes_by_whose_courier_it_is(void **state)
{
        static const struct {
                const char *body;
                int own, getirs;
        } cases[] = {{"{\"status\":500,\"verifyDate\":\"a\"}", 10, 10},
                     {"{\"status\":550,\"verifyDate\":\"a\",\"prepareDate\":\"b\"}", 40, 29},
                     {"{\"status\":600,\"prepareDate\":\"b\",\"handoverDate\":\"c\"}", 40, 30},
                     {"{\"status\":700,\"handoverDate\":\"c\"}", 40, 30},
                     {"{\"status\":900,\"deliverDate\":\"d\"}", 50, 50}};

        (void)state;
        for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
                struct order order = {.platform = PLATFORM_GETIRYEMEK, .platform_courier = i % 2};
                struct answer answer = {
                        .http = 200, .retry_after_ms = -1, .body = cases[i / 2].body, .trouble = ""};
                struct judgement j;

                answer.length = strlen(answer.body);
                dialect_judge_check(dialect, &order, &answer, &j);
                assert_int_equal(j.verdict, VERDICT_DONE);
                assert_int_equal(j.told, i % 2 ? cases[i / 2].getirs : cases[i / 2].own);
        }
}

static void a_scheduled_order_has_a_verify_of_its_own(void **state)
{
        static const struct account account = {
                .url = "http://getir.test", .values = {"a", "b"}, .token = "jeton"};
        CLEAN(message_done) struct message m = {0};
        char id[] = "65aa0c1f2b3d4e5f60718293";
        struct order order = {.platform_order_id = id, .scheduled_ms = BEGAN};

        (void)state;
        assert_int_equal(dialect->build(&order, dialect_step(dialect, 10), &account, &m, NULL), ERR_OK);
        assert_string_equal(m.url, "http://getir.test/food-orders/65aa0c1f2b3d4e5f60718293/verify-scheduled");
}

static void the_note_of_a_cancel_is_sent(void **state)
{
        static const struct account account = {
                .url = "http://getir.test", .values = {"a", "b"}, .token = "jeton"};
        CLEAN(message_done) struct message m = {0};
        char id[] = "65aa0c1f2b3d4e5f60718293", note[] = "Fırın \"bozuk\"";
        struct order order = {.platform_order_id = id, .n_moves = 1};

        (void)state;
        order.moves[0] = (struct move){.to = STATUS_CANCELLED, .note = note};
        assert_true(text_copy(order.moves[0].reason, CANCEL_REASON_SIZE, id));
        assert_int_equal(dialect->build(&order, dialect_step(dialect, 60), &account, &m, NULL), ERR_OK);
        assert_string_equal(m.body, "{\"cancelNote\":\"Fırın \\\"bozuk\\\"\","
                                    "\"cancelReasonId\":\"65aa0c1f2b3d4e5f60718293\",\"productId\":\"\"}");
}

static void a_reference_is_refused_where_its_time_is_none(void **state)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct view ref = view_of(document);

        (void)state;
        assert_int_equal(dialect->accepts("65aa0c1f2b3d4e5f60718293", &ref, NULL), ERR_OK);
        assert_true(json_add_text(document, "verifiedAt", "2024-11-05T14:13:00Z"));
        assert_int_equal(dialect->accepts("65aa0c1f2b3d4e5f60718293", &ref, NULL), ERR_OK);
        assert_true(json_add_text(document, "verifiedAt", "dün"));
        assert_int_equal(dialect->accepts("65aa0c1f2b3d4e5f60718293", &ref, NULL), ERR_BAD_FIELD);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_minute_lies_between_verify_prepare_and_deliver),
                cmocka_unit_test(delivered_within_a_second_is_told_a_minute_later),
                cmocka_unit_test(for_getirs_courier_ready_is_two_calls),
                cmocka_unit_test(the_restaurants_courier_has_no_ready),
                cmocka_unit_test(a_cancel_waits_for_nothing),
                cmocka_unit_test(who_verified_before_us_is_counted_from_then_or_from_the_creation),
                cmocka_unit_test(too_early_is_counted_anew_and_uses_no_try),
                cmocka_unit_test(a_prepare_that_a_check_finds_is_counted_from_the_check),
                cmocka_unit_test(what_a_check_finds_goes_by_whose_courier_it_is),
                cmocka_unit_test(a_scheduled_order_has_a_verify_of_its_own),
                cmocka_unit_test(the_note_of_a_cancel_is_sent),
                cmocka_unit_test(a_reference_is_refused_where_its_time_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
