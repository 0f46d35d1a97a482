/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_migrosyemek.c - tests of what only model/dialect_migrosyemek.c has: two ways to cancel, a store, a secret of 32
 * characters, and a check that does not show every order. */
#include "model/clean.h"
#include "tests/unit/story.h"

static const struct dialect *const dialect = &dialect_migrosyemek;
static const struct account account = {.url = "http://migros.test",
                                       .values = {"anahtar", "0123456789abcdefghijklmnopqrstuv"}};
static char number[] = "123", document[] = "{\"platformRef\":{\"storeId\":45}}";

/* Encrypted apart, as in tests/contract/fixture_migrosyemek.h. */
/* {"orderId":123,"storeId":45,"orderStatus":"Rejected","cancelReasonId":7} */
#define REJECTED \
        "retJt7ZIb2NdedmHKAmjq4NffkE/booyCI0aZa/xzyveHa1puSKq4/TIgp4LuYQc0vN//uL+Hd+AKB1/dE9P1JUIFotNq+L7XkOndr1AFTk="
/* {"orderId":123,"storeId":45,"cancelReasonId":7,"notifyUser":true} */
#define CANCELLED \
        "retJt7ZIb2NdedmHKAmjq7oynP5eQKs1y9Lcof4kKIHJLCn33gsDVFGxr9kH6WYBIS/pJfYnMbTVAmkBuD5seL72OfPHzKHZtChwGCPzxME="

/* A story that begins as `status`, of an order that can be sent. */
static void begin_migros(struct story *s, enum status status)
{
        begin(s, PLATFORM_MIGROSYEMEK, status);
        s->order.platform_order_id = number;
        s->order.document = document;
}

static void cancel(struct story *s)
{
        fact(s, STATUS_CANCELLED);
        assert_true(text_copy(s->order.moves[s->order.n_moves - 1].reason, CANCEL_REASON_SIZE, "7"));
}

/* The cancel that is next goes there, and says that. */
static void cancels_by(const struct story *s, const char *url, const char *body)
{
        CLEAN(message_done) struct message m = {0};
        const struct next n = next(s);

        assert_int_equal(n.kind, NEXT_CALL);
        assert_int_equal(dialect->build(&s->order, n.step, &account, &m, NULL), ERR_OK);
        assert_string_equal(m.url, url);
        assert_non_null(strstr(m.body, body));
}

static void is_rejected(const struct story *s)
{
        cancels_by(s, "http://migros.test/Order/v2/UpdateOrderStatus", REJECTED);
}

static void is_cancelled(const struct story *s)
{
        cancels_by(s, "http://migros.test/Order/v2/CancelOrder", CANCELLED);
}

/* What an answer of the check means for this story. */
static struct judgement looked(const struct story *s, const char *data)
{
        struct judgement j = {0};
        char body[256];
        int length = snprintf(body, sizeof body, "{\"success\":true,\"data\":%s}", data);
        const struct answer got = {.http = 200, .retry_after_ms = -1, .body = body, .length = (size_t)length};

        assert_string_equal(next_name(s), "check");
        dialect_judge_check(dialect, &s->order, &got, &j);
        return j;
}

static void before_the_approval_an_order_is_rejected_and_after_it_cancelled(void **state)
{
        struct story s;

        (void)state;
        begin_migros(&s, STATUS_NEW);
        cancel(&s);
        is_rejected(&s);
        for (int rank = STATUS_ACCEPTED; rank <= STATUS_ON_THE_WAY; rank++) {
                begin_migros(&s, (enum status)rank);
                cancel(&s);
                is_cancelled(&s);
        }
        begin_migros(&s, STATUS_NEW);
        fact(&s, STATUS_ACCEPTED);
        answer(&s, never_sent);
        cancel(&s);
        is_rejected(&s);
}

static void with_an_approval_in_doubt_the_active_orders_decide(void **state)
{
        static const struct {
                const char *data;
                void (*goes)(const struct story *s);
        } cases[] = {{"[{\"id\":123,\"status\":1}]", is_cancelled},
                     {"[{\"id\":123,\"status\":3}]", is_cancelled},
                     {"[{\"id\":123,\"status\":0}]", is_rejected},
                     {"[{\"id\":124,\"status\":1}]", is_rejected},
                     {"[]", is_rejected}};
        struct story s;

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                begin_migros(&s, STATUS_NEW);
                fact(&s, STATUS_ACCEPTED);
                answer(&s, lost);
                cancel(&s);
                assert_int_equal(answer(&s, looked(&s, cases[i].data)), SETTLE_MORE);
                cases[i].goes(&s);
                assert_int_equal(answer(&s, done), SETTLE_DONE);
                assert_string_equal(s.calls, "accept check cancel");
        }
}

static void what_is_not_active_any_more_is_called_again_and_believed(void **state)
{
        const struct answer conflict = {.http = 409, .retry_after_ms = -1, .body = ""};
        struct judgement j = {0};
        struct story s;
        struct next n;

        (void)state;
        begin_migros(&s, STATUS_ON_THE_WAY);
        fact(&s, STATUS_DELIVERED);
        answer(&s, lost);
        assert_int_equal(answer(&s, looked(&s, "[]")), SETTLE_MORE);
        n = next(&s);
        assert_string_equal(n.step->name, "delivered");
        dialect_judge(dialect, &s.order, n.step, s.target->unsure, &conflict, &j);
        assert_int_equal(answer(&s, j), SETTLE_DONE);
        assert_string_equal(s.calls, "delivered check delivered");
        is_shown(&s, DELIVERY_DONE, "delivered");
}

static void missing_steps_are_filled_in_for_the_restaurants_courier_alone(void **state)
{
        struct story s;

        (void)state;
        begin_migros(&s, STATUS_NEW);
        fact(&s, STATUS_DELIVERED);
        all_goes_well(&s);
        assert_string_equal(s.calls, "accept ready on-the-way delivered");
        begin_migros(&s, STATUS_NEW);
        s.order.platform_courier = true;
        fact(&s, STATUS_READY);
        all_goes_well(&s);
        fact(&s, STATUS_DELIVERED);
        assert_string_equal(next_name(&s), "nothing");
        assert_string_equal(s.calls, "ready");
}

static void the_store_must_be_named_by_a_whole_number(void **state)
{
        static const struct {
                const char *ref;
                enum err err;
        } cases[] = {{"{\"storeId\":45}", ERR_OK},          {"{\"storeId\":0}", ERR_OK},
                     {"{\"storeId\":4.5e1}", ERR_OK},       {"{\"storeId\":4.5}", ERR_BAD_FIELD},
                     {"{\"storeId\":-1}", ERR_BAD_FIELD},   {"{\"storeId\":\"45\"}", ERR_BAD_FIELD},
                     {"{\"storeId\":null}", ERR_BAD_FIELD}, {"{}", ERR_BAD_FIELD}};

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                CLEAN(json_put_at) struct json_object *ref = NULL;
                struct view v;
                struct why why = {0};

                assert_int_equal(json_read(cases[i].ref, strlen(cases[i].ref), &ref, NULL), ERR_OK);
                v = view_of(ref);
                snprintf(v.path, sizeof v.path, "platformRef");
                assert_int_equal(dialect->accepts("123", &v, &why), cases[i].err);
                assert_string_equal(why.field, cases[i].err ? "platformRef.storeId" : "");
        }
}

static void a_secret_has_32_characters(void **state)
{
        static const char *const wrong[] = {"", "0123456789abcdefghijklmnopqrstu",
                                            "0123456789abcdefghijklmnopqrstuvw"};
        struct story s;

        (void)state;
        begin_migros(&s, STATUS_NEW);
        assert_true(dialect->fits("integratorSecret", account.values[1]));
        assert_true(dialect->fits("apiKey", "a"));
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                CLEAN(message_done) struct message m = {0};
                struct account with = account;
                struct why why = {0};

                with.values[1] = wrong[i];
                assert_false(dialect->fits("integratorSecret", wrong[i]));
                assert_int_equal(dialect->check(&s.order, &with, &m, &why), ERR_BAD_FIELD);
                assert_string_equal(why.field, "credentials.integratorSecret");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(before_the_approval_an_order_is_rejected_and_after_it_cancelled),
                cmocka_unit_test(with_an_approval_in_doubt_the_active_orders_decide),
                cmocka_unit_test(what_is_not_active_any_more_is_called_again_and_believed),
                cmocka_unit_test(missing_steps_are_filled_in_for_the_restaurants_courier_alone),
                cmocka_unit_test(the_store_must_be_named_by_a_whole_number),
                cmocka_unit_test(a_secret_has_32_characters),
        };

        return cmocka_run_group_tests_name("dialect_migrosyemek", tests, NULL, NULL);
}
