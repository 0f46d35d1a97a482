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

/* ---- walks ---- */

#define WALKS 2000
#define ROUNDS 60

/* A platform that keeps its rules and counts who breaks them. */
struct pretend {
        int64_t verified_ms, prepared_ms;
        int status;
        int broken;
};

static unsigned draw(uint64_t *seed, unsigned n)
{
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)(*seed >> 33) % n;
}

/* Takes a step as Getir would; each by the state it leads to. */
static void take(struct pretend *platform, const struct story *s, const struct step *step)
{
        const bool prepares = streq(step->path, "/food-orders/*/prepare");
        const int to = step->number == 10 ? 500 : prepares ? 550 : step->number == 30 ? 600 : 900;
        const int from = to == 500 ? 400 : to == 550 ? 500 : 550;
        const int64_t since_ms = prepares ? platform->verified_ms : to == 900 ? platform->prepared_ms : 0;

        if (step->number == 60) {
                platform->broken += platform->status >= 900;
                platform->status = 1600;
                return;
        }
        platform->broken += platform->status != from || s->now < since_ms + WAIT ||
                            (to == 600 && !s->order.platform_courier) ||
                            (to == 900 && s->order.platform_courier);
        platform->status = to;
        if (to == 500)
                platform->verified_ms = s->now;
        if (to == 550)
                platform->prepared_ms = s->now;
}

static int show(const struct pretend *platform, char *to, size_t size)
{
        return snprintf(to, size, "{\"status\":%d%s%s%s}", platform->status,
                        platform->verified_ms ? ",\"verifyDate\":\"a\"" : "",
                        platform->prepared_ms ? ",\"prepareDate\":\"b\"" : "",
                        platform->status == 600 ? ",\"handoverDate\":\"c\"" : "");
}

/* One look as an errand does it; what is lost may have got through or not. */
static void look(struct story *s, struct pretend *platform, uint64_t *seed, bool fine)
{
        const struct next n = next(s);
        const unsigned fate = fine ? 2 : draw(seed, 6); /* 0: lost before, 1: lost after */
        struct answer answer = {.http = 200, .retry_after_ms = -1, .trouble = "timeout"};
        struct judgement j = {.verdict = VERDICT_NOTHING, .definite = true};
        struct settlement change;
        char body[128] = "{\"result\":true}";

        if (n.kind == NEXT_CALL && fate > 0)
                take(platform, s, n.step);
        if (n.kind == NEXT_CHECK)
                show(platform, body, sizeof body);
        answer.carried = fate < 2 ? CARRIED_UNSURE : CARRIED_ANSWERED;
        answer.body = body;
        answer.length = strlen(body);
        if (n.kind == NEXT_WAIT)
                j = (struct judgement){
                        .verdict = VERDICT_WAIT, .definite = true, .wait_ms = n.until_ms - s->now};
        if (n.kind == NEXT_CHECK)
                dialect_judge_check(dialect, &s->order, &answer, &j);
        if (n.kind == NEXT_CALL)
                dialect_judge(dialect, &s->order, n.step, s->target->unsure, &answer, &j);
        change = settle(s, n.kind == NEXT_CALL ? n.step : NULL, &j);
        target_apply(s->target, &change);
        if (!fine && draw(seed, 8) == 0) /* a server that died */
                s->target->unsure = true;
}

static void walk(uint64_t seed, bool getirs)
{
        struct pretend platform = {.status = 400};
        struct story s;

        begin_here(&s, STATUS_NEW);
        s.order.platform_courier = getirs;
        for (int round = 0; round < ROUNDS + 40; round++) {
                const bool fine = round >= ROUNDS;
                const unsigned most = getirs ? 1 : STATUS_COUNT - 1 - s.order.status;

                s.now += draw(&seed, 30) * SECOND;
                if (!status_is_final(s.order.status) && (fine || draw(&seed, 4) == 0))
                        fact(&s, (enum status)(s.order.status + 1 + (int)draw(&seed, most)));
                else if (s.target->dead[0])
                        replay(&s);
                else if (s.target->at_ms > s.now)
                        s.now = s.target->at_ms;
                if (s.target->at_ms != TARGET_NOT_DUE)
                        look(&s, &platform, &seed, fine);
                assert_int_equal(platform.broken, 0);
        }
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
        assert_string_equal(s.target->dead, "");
        if (s.order.status == STATUS_CANCELLED)
                assert_int_equal(platform.status, 1600);
        else
                assert_int_equal(platform.status, getirs ? 600 : 900);
}

static void whatever_is_lost_no_step_is_early_or_out_of_turn_or_forgotten(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= WALKS; seed++)
                walk(seed, seed % 2);
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
                cmocka_unit_test(whatever_is_lost_no_step_is_early_or_out_of_turn_or_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
