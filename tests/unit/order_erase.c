/* SPDX-License-Identifier: Apache-2.0 */
/* order_erase.c - nothing that says who the customer is stays in an order, and all that its calls need does. */
#include "model/dialect.h"
#include "model/integration.h"
#include "model/yandex_order.h"
#include "tests/unit/bodies.h"
#include "tests/unit/check.h"

static const struct id restaurant = {{1}};

static struct order *begun(const char *body, const char *at, const char *value)
{
        struct order *order = read_order(body, at, value);

        assert_int_equal(order_begin(order, &restaurant, ACTOR_RESTAURANT, NOW_MS, NULL), ERR_OK);
        return order;
}

static void erase(struct order *order)
{
        assert_false(order_is_erased(order));
        assert_int_equal(order_erase(order, NOW_MS + 1, NULL), ERR_OK);
        assert_true(order_is_erased(order));
}

/* Each text and number in there is nowhere in the order any more. */
static void assert_gone(struct json_object *value, const char *document)
{
        const char *text = json_object_get_string(value);

        if (json_object_is_type(value, json_type_object)) {
                struct json_object_iterator at = json_object_iter_begin(value);
                const struct json_object_iterator end = json_object_iter_end(value);

                for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                        assert_gone(json_object_iter_peek_value(&at), document);
        } else if (value && strstr(document, text)) {
                fail_msg("%s is still in %s", text, document);
        }
}

TEST(the_customer_and_all_notes_go)
{
        static const char *const gone[] = {"/customer", "/orderNote", "/courierNote", "/items/0/note"};
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        CLEAN(json_put_at) struct json_object *before = parse(order->document);
        CLEAN(json_put_at) struct json_object *after = NULL;

        order->moves[0].note = strdup("Ahmet Yılmaz");
        erase(order);
        after = parse(order->document);
        for (size_t i = 0; i < COUNT(gone); i++) {
                struct json_object *value = NULL;

                assert_int_equal(json_pointer_get(before, gone[i], &value), 0);
                assert_gone(value, order->document);
                assert_member(after, gone[i], "null");
                assert_int_equal(json_pointer_set(&before, gone[i], NULL), 0);
        }
        assert_int_equal(json_pointer_set(&before, "/platformRef", NULL), 0);
        assert_true(json_object_equal(before, after));
        assert_null(order->moves[0].note);
}

TEST(it_is_a_change_of_the_order)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);
        CLEAN(json_put_at) struct json_object *shown = NULL;

        erase(order);
        assert_int_equal(order->rev, 2);
        assert_int_equal(order->updated_ms, NOW_MS + 1);
        shown = show(order, NOW_MS + 2);
        assert_member(shown, "/erasedAt", "\"2024-11-05T14:30:00.001Z\"");
        assert_member(shown, "/customer", "null");
        assert_member(shown, "/history/0/note", "null");
}

/* Whatever else a restaurant put there goes. */
TEST(of_the_platforms_reference_stays_what_its_calls_need)
{
        static const struct {
                const char *platform, *number, *kept;
        } cases[] = {{"getiryemek", "507f1f77bcf86cd799439012", "{\"verifiedAt\":\"2024-11-05T14:30:00Z\"}"},
                     {"yemeksepeti", "k7",
                      "{\"callbackUrls\":{\"orderAcceptedUrl\":\"https://a.me.restaurant-partners.com/7\"}}"},
                     {"trendyolyemek", "77", "{\"packageItemIds\":[\"5f1a\"]}"},
                     {"migrosyemek", "45", "{\"storeId\":45}"},
                     {"dukkango", "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e", "null"},
                     {"phone", "7", "null"},
                     {"yandex", "7", "null"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(free_at) char *body = NULL;
                CLEAN(order_free_at) struct order *order = NULL;
                CLEAN(json_put_at) struct json_object *after = NULL;
                CLEAN(json_put_at) struct json_object *kept = NULL;
                struct json_object *left = NULL;
                const bool is_kept = cases[i].kept[0] == '{';

                assert_true(
                        asprintf(
                                &body,
                                "{\"platform\":\"%s\",\"platformOrderId\":\"%s\",\"orderType\":\"gel_al\","
                                "\"price\":1,\"paymentMethod\":\"cash\",\"platformRef\":{\"who\":\"Ahmet\"%s%s}",
                                cases[i].platform, cases[i].number, is_kept ? "," : "}",
                                is_kept ? cases[i].kept + 1 : "") > 0);
                order = begun(body, NULL, NULL);
                erase(order);
                after = parse(order->document);
                kept = parse(cases[i].kept);
                assert_int_equal(json_pointer_get(after, "/platformRef", &left), 0);
                assert_case(json_object_equal(left, kept), cases[i].platform);
        }
}

TEST(yandex_eats_reads_nothing_back)
{
        CLEAN(order_free_at)
        struct order *order = begun(
                "{\"platform\":\"yandex\",\"platformOrderId\":\"1\",\"orderType\":\"gel_al\",\"price\":1,"
                "\"paymentMethod\":\"cash\",\"platformRef\":{\"eatsId\":\"1\"}}",
                NULL, NULL);
        char *text = NULL;

        assert_int_equal(yandex_order_write(order, &text, NULL), ERR_OK);
        free(text);
        erase(order);
        assert_int_equal(yandex_order_write(order, &text, NULL), ERR_NOT_FOUND);
}

TEST(what_is_damaged_goes_as_a_whole)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);

        free(order->document);
        order->document = strdup("{\"customer\":\"Ahmet");
        erase(order);
        assert_null(strstr(order->document, "Ahmet"));
        free(order->document);
        order->document = NULL;
        erase(order);
        assert_non_null(order->document);
}

/* Its time does not matter any more: that it cannot be sent is told now. A cancel needs nobody's name. */
TEST(a_dispatch_is_due_at_once_and_a_cancel_can_be_built)
{
        static char url[] = "https://kurye.example/siparis",
                    secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        const struct dispatch dispatch = {.url = url, .secrets = {secret}, .now_ms = NOW_MS};
        const struct account account = {.url = url, .dispatch = &dispatch};
        const struct step *step = dialect_step(&dialect_courier, STEP_OF(STATUS_ACCEPTED));
        static const char *const members[] = {"/customer/details/name",
                                              "/customer/details/phone",
                                              "/customer/address/detailedAddress",
                                              "/customer/address/location",
                                              "/orderNote",
                                              "/courierNote"};
        CLEAN(order_free_at)
        struct order *order = begun(sample, "/scheduledDate", "\"2030-01-01T00:00:00Z\"");
        CLEAN(json_put_at) struct json_object *body = NULL;
        CLEAN(message_done) struct message m = {0};

        order->targets[PARTY_COURIER].firm = restaurant;
        order->targets[PARTY_COURIER].at_ms = NOW_MS + 1000000;
        assert_true(dialect_courier.not_before(order, step) > NOW_MS);
        erase(order);
        assert_int_equal(order->targets[PARTY_COURIER].at_ms, NOW_MS + 1);
        assert_int_equal(dialect_courier.not_before(order, step), 0);
        step = dialect_step(&dialect_courier, STEP_OF(STATUS_CANCELLED));
        assert_int_equal(dialect_courier.build(order, step, &account, &m, NULL), ERR_OK);
        body = parse(m.body);
        for (size_t i = 0; i < COUNT(members); i++)
                assert_member(body, members[i], "null");
}

TEST(what_is_not_owed_stays_so)
{
        static const int64_t times[] = {TARGET_NEVER, TARGET_NOT_DUE, NOW_MS};

        for (size_t i = 0; i < COUNT(times); i++) {
                CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);

                order->targets[PARTY_COURIER].at_ms = times[i];
                erase(order);
                assert_int_equal(order->targets[PARTY_COURIER].at_ms, times[i]);
        }
}

TEST(the_phone_is_found_in_the_document)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        char key[PHONE_KEY_SIZE];

        assert_true(order_phone(order->document, key));
        assert_string_equal(key, "5551234567");
        erase(order);
        assert_false(order_phone(order->document, key));
        assert_string_equal(key, "");
        assert_false(order_phone("{\"customer\":{\"details\":{\"phone\":5551234567}}}", key));
        assert_false(order_phone("no document", key));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_customer_and_all_notes_go),
                cmocka_unit_test(it_is_a_change_of_the_order),
                cmocka_unit_test(of_the_platforms_reference_stays_what_its_calls_need),
                cmocka_unit_test(yandex_eats_reads_nothing_back),
                cmocka_unit_test(what_is_damaged_goes_as_a_whole),
                cmocka_unit_test(a_dispatch_is_due_at_once_and_a_cancel_can_be_built),
                cmocka_unit_test(what_is_not_owed_stays_so),
                cmocka_unit_test(the_phone_is_found_in_the_document),
        };

        return cmocka_run_group_tests_name("order_erase", tests, NULL, NULL);
}
