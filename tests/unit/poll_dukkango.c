/* SPDX-License-Identifier: Apache-2.0 */
/* poll_dukkango.c - what Dükkango's list of orders becomes: orders by our rules, and none lost for a long note. */
#include "model/poll.h"

#include "tests/unit/bodies.h"
#include "tests/unit/check.h"

#define KEY "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e"

/* As the reference shows one; the tail of the address was never seen whole. */
/* clang-format off */ /* its versions differ about macros between strings */
static const char shown[] =
        "{\"id\":1031,\"status_id\":1,\"status_text\":\"RECEIVED\",\"shipping_method\":\"delivery\","
        "\"payment_key\":\"" KEY
        "\",\"payment_method\":\"Nakit\",\"note\":\"İnce hamur, az acılı 🌶️\","
        "\"total\":125.5,\"discount\":0,\"date\":\"2026-01-15 17:55:00\",\"restaurant_id\":7,"
        "\"restaurant_name\":\"Deneme Lokantası\",\"courier_type\":\"restaurant\",\"courier_fee\":0,"
        "\"scheduled_date\":\"\",\"order_tip\":0,"
        "\"customer\":{\"name\":\"Şükrü Çağlayangil\",\"phone\":\"+90 555 123 45 67\"},"
        "\"address\":{\"address\":\"Bağdat Caddesi No: 123, Kadıköy\",\"description\":\"Kapı kodu: 1234\","
        "\"apartment_no\":8,\"city_id\":34}}";
/* clang-format on */

static enum err read_page(const char *text, struct polled *ret, struct why *why)
{
        const struct answer answer = {.http = 200, .body = text, .length = strlen(text)};

        return polls_dukkango.read(&answer, ret, why);
}

/* A page of the order with one member changed: `at` is a JSON pointer (NULL: none), `value` JSON. */
static struct polled poll_changed(const char *at, const char *value)
{
        CLEAN(json_put_at) struct json_object *element = parse(shown);
        CLEAN(free_at) char *page = NULL;
        struct polled polled = {0};

        if (at)
                assert_int_equal(json_pointer_set(&element, at, parse(value)), 0);
        assert_true(asprintf(&page, "{\"status\":true,\"data\":[%s]}",
                             json_object_to_json_string_ext(element, JSON_C_TO_STRING_PLAIN)) > 0);
        assert_int_equal(read_page(page, &polled, NULL), ERR_OK);
        return polled;
}

static void assert_broken(const char *at, const char *value, const char *field)
{
        CLEAN(polled_done) struct polled polled = poll_changed(at, value);

        assert_case(polled.n == 0 && polled.broken == 1, at);
        assert_string_equal(polled.why.field, field);
}

/* What the order is then: `expected` stands at `where` of how it is shown. */
static void becomes(const char *at, const char *value, const char *where, const char *expected)
{
        CLEAN(polled_done) struct polled polled = poll_changed(at, value);
        CLEAN(json_put_at) struct json_object *out = NULL;
        const struct id restaurant = {.bytes = {1}};

        if (polled.n != 1)
                fail_msg("%s: %s: %s", value, polled.why.field, polled.why.text);
        assert_int_equal(order_begin(polled.orders[0], &restaurant, ACTOR_PLATFORM, NOW_MS, NULL), ERR_OK);
        out = show(polled.orders[0], NOW_MS);
        assert_member(out, where, expected);
}

TEST(an_order_becomes_one_of_ours)
{
        static const char *const members[][2] = {
                {"/platform", "\"dukkango\""},
                {"/platformOrderId", "\"" KEY "\""},
                {"/displayId", "\"1031\""},
                {"/status", "\"yeni\""},
                {"/courierType", "\"restaurant\""},
                {"/orderType", "\"paket_servis\""},
                {"/price", "125.5"},
                {"/paymentMethod", "\"cash\""},
                {"/originalPaymentMethod", "\"Nakit\""},
                {"/orderNote", "\"İnce hamur, az acılı 🌶️\""},
                {"/scheduledDate", "null"},
                {"/hazirlanmaSuresiDk", "30"},
                {"/createdAt", "\"2024-11-05T14:30:00.000Z\""},
                {"/customer/details/name", "\"Şükrü Çağlayangil\""},
                {"/customer/details/phone", "\"+90 555 123 45 67\""},
                {"/customer/address/detailedAddress", "\"Bağdat Caddesi No: 123, Kadıköy\""},
                {"/customer/address/directions", "\"Kapı kodu: 1234\""},
                {"/customer/address/apartmentNo", "\"8\""},
                {"/customer/address/city", "null"},
        };

        for (size_t i = 0; i < COUNT(members); i++)
                becomes(NULL, NULL, members[i][0], members[i][1]);
}

TEST(the_number_of_its_status_decides)
{
        static const char *const statuses[][2] = {
                {"1", "\"yeni\""},          {"2", "\"hazirlanacak\""}, {"16", "\"teslim-edilecek\""},
                {"5", "\"teslim-edildi\""}, {"6", "\"cancelled\""},    {"\"16\"", "\"teslim-edilecek\""},
                {"2.0", "\"hazirlanacak\""}};
        static const char *const unknown[] = {"3",    "0",    "-1",   "1.5", "\"RECEIVED\"",
                                              "\"\"", "null", "true", "[]"};

        for (size_t i = 0; i < COUNT(statuses); i++)
                becomes("/status_id", statuses[i][0], "/status", statuses[i][1]);
        for (size_t i = 0; i < COUNT(unknown); i++)
                assert_broken("/status_id", unknown[i], "status_id");
}

TEST(it_is_known_by_its_payment_key)
{
        static const char *const bad[] = {"null", "1031", "\"1031\"", "\"\"", "\"" KEY "0\"", "{}"};

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_broken("/payment_key", bad[i], "payment_key");
}

TEST(only_the_restaurants_courier_is_the_restaurants)
{
        static const char *const others[] = {"\"platform\"", "\"dukkango\"", "\"Restaurant\"",
                                             "\"\"",         "null",         "1"};

        for (size_t i = 0; i < COUNT(others); i++)
                becomes("/courier_type", others[i], "/courierType", "\"platform\"");
}

TEST(cards_are_paid_and_what_is_unknown_is_asked_for_at_the_door)
{
        static const char *const methods[][2] = {{"\"Nakit\"", "\"cash\""},
                                                 {"\"CASH\"", "\"cash\""},
                                                 {"\"Kredi Kartı\"", "\"online\""},
                                                 {"\"Banka Kartı\"", "\"online\""},
                                                 {"\"DEBIT_CARD\"", "\"online\""},
                                                 {"\"Yemek Kartı\"", "\"card\""},
                                                 {"\"\"", "\"card\""},
                                                 {"null", "\"card\""}};

        for (size_t i = 0; i < COUNT(methods); i++)
                becomes("/payment_method", methods[i][0], "/paymentMethod", methods[i][1]);
        becomes("/payment_method", "\"Yemek Kartı\"", "/originalPaymentMethod", "\"Yemek Kartı\"");
        becomes("/payment_method", "null", "/originalPaymentMethod", "null");
}

TEST(a_price_may_stand_in_a_string)
{
        static const char *const totals[][2] = {
                {"99", "99"}, {"\"99.90\"", "99.9"}, {"0", "0"}, {"99.999999", "100"}, {"\"1250\"", "1250"}};
        static const char *const bad[] = {"\"1.250,50\"", "-1", "10000001", "null", "\"\"", "\"null\"", "{}"};

        for (size_t i = 0; i < COUNT(totals); i++)
                becomes("/total", totals[i][0], "/price", totals[i][1]);
        for (size_t i = 0; i < COUNT(bad); i++)
                assert_broken("/total", bad[i], "total");
}

TEST(a_time_without_a_zone_is_turkeys)
{
        becomes("/scheduled_date", "\"2026-01-15 18:30:00\"", "/scheduledDate",
                "\"2026-01-15T15:30:00.000Z\"");
        becomes("/scheduled_date", "null", "/scheduledDate", "null");
        assert_broken("/scheduled_date", "\"yarın\"", "scheduled_date");
        assert_broken("/scheduled_date", "\"2026-02-30 18:30:00\"", "scheduled_date");
}

TEST(who_fetches_it_need_not_say_where_he_lives)
{
        CLEAN(json_put_at) struct json_object *element = parse(shown);
        CLEAN(polled_done) struct polled polled = {0};
        CLEAN(free_at) char *page = NULL;

        becomes("/shipping_method", "\"pickup\"", "/orderType", "\"gel_al\"");
        json_object_object_del(element, "customer");
        json_object_object_del(element, "address");
        assert_int_equal(json_pointer_set(&element, "/shipping_method", parse("\"pickup\"")), 0);
        assert_true(asprintf(&page, "{\"status\":true,\"data\":[%s]}", json_object_to_json_string(element)) >
                    0);
        assert_int_equal(read_page(page, &polled, NULL), ERR_OK);
        assert_int_equal(polled.n, 1);
}

TEST(who_it_is_brought_to_must_be_known)
{
        static const char *const needed[][2] = {{"/customer/name", "customer.name"},
                                                {"/customer/phone", "customer.phone"},
                                                {"/address/address", "address.address"},
                                                {"/customer", "customer.name"},
                                                {"/address", "address.address"}};

        for (size_t i = 0; i < COUNT(needed); i++)
                assert_broken(needed[i][0], "null", needed[i][1]);
        assert_broken("/customer/name", "\"\"", "customer.name");
        assert_broken("/customer", "\"Ayşe\"", "customer");
        becomes("/customer/phone", "5551234567", "/customer/details/phone", "\"5551234567\"");
}

/* `n` characters of two bytes, then one of four. */
static char *long_text(size_t n)
{
        char *text = calloc(1, 2 * n + 8);

        assert_non_null(text);
        text[0] = '"';
        for (size_t i = 0; i < n; i++)
                memcpy(text + 1 + 2 * i, "ş", 2);
        memcpy(text + 1 + 2 * n, "🌶\"", 6);
        return text;
}

TEST(free_texts_are_cut_between_characters)
{
        static const struct {
                const char *from, *to;
                size_t max;
        } texts[] = {{"/note", "/orderNote", ORDER_PROSE_MAX},
                     {"/id", "/displayId", DISPLAY_ID_MAX},
                     {"/payment_method", "/originalPaymentMethod", ORDER_LINE_MAX},
                     {"/customer/name", "/customer/details/name", ORDER_LINE_MAX},
                     {"/customer/phone", "/customer/details/phone", PHONE_MAX},
                     {"/address/address", "/customer/address/detailedAddress", ORDER_PROSE_MAX},
                     {"/address/description", "/customer/address/directions", ORDER_PROSE_MAX}};

        for (size_t i = 0; i < COUNT(texts); i++) {
                CLEAN(free_at) char *fits = long_text(texts[i].max - 1);
                CLEAN(free_at) char *too_long = long_text(texts[i].max);
                CLEAN(free_at) char *cut = long_text(texts[i].max);

                memcpy(cut + 1 + 2 * texts[i].max, "\"", 2);
                becomes(texts[i].from, fits, texts[i].to, fits);
                becomes(texts[i].from, too_long, texts[i].to, cut);
        }
}

TEST(what_nobody_needs_may_be_anything)
{
        static const char *const free_ones[] = {"/note",
                                                "/id",
                                                "/date",
                                                "/discount",
                                                "/order_tip",
                                                "/status_text",
                                                "/address/description",
                                                "/address/apartment_no"};
        static const char *const values[] = {"null", "7", "\"\"", "{}", "[1]", "true", "\"a\\u0000b\""};

        for (size_t i = 0; i < COUNT(free_ones); i++)
                for (size_t k = 0; k < COUNT(values); k++)
                        becomes(free_ones[i], values[k], "/status", "\"yeni\"");
        becomes("/note", "\"a\\u0000b\"", "/orderNote", "\"a\"");
        becomes("/note", "{}", "/orderNote", "null");
}

TEST(a_broken_one_does_not_touch_the_others)
{
        CLEAN(polled_done) struct polled polled = {0};
        CLEAN(free_at) char *page = NULL;

        assert_true(asprintf(&page, "{\"status\":true,\"data\":[null,%s,7,{},%s]}", shown, shown) > 0);
        assert_int_equal(read_page(page, &polled, NULL), ERR_OK);
        assert_int_equal(polled.n, 2);
        assert_int_equal(polled.broken, 3);
        assert_string_equal(polled.why.field, "payment_key");
}

TEST(an_answer_that_is_no_list_is_not_understood)
{
        static const char *const none[] = {"{\"status\":true,\"data\":[]}", "{\"status\":true,\"data\":null}",
                                           "{\"status\":true}"};
        static const char *const bad[] = {"",
                                          "[]",
                                          "<html>",
                                          "{}",
                                          "{\"data\":[]}",
                                          "{\"status\":false,\"error\":\"restoran kapalı\"}",
                                          "{\"status\":true,\"data\":{}}",
                                          "{\"status\":true,\"data\":\"OK\"}"};
        struct polled polled;
        struct why why;

        for (size_t i = 0; i < COUNT(none); i++) {
                polled = (struct polled){.n = 7};
                assert_case(read_page(none[i], &polled, NULL) == ERR_OK, none[i]);
                assert_int_equal(polled.n + polled.broken, 0);
        }
        for (size_t i = 0; i < COUNT(bad); i++)
                assert_case(read_page(bad[i], &polled, &why) != ERR_OK, bad[i]);
}

/* A list of so many of these, then that one; the caller frees. */
static char *page_of(int n, const char *many, const char *last)
{
        char *page = NULL;
        size_t size;
        FILE *to = open_memstream(&page, &size);

        assert_non_null(to);
        fputs("{\"status\":true,\"data\":[", to);
        for (int i = 0; i < n; i++)
                fprintf(to, "%s,", many);
        fprintf(to, "%s]}", last);
        fclose(to);
        return page;
}

TEST(more_than_a_thousand_are_left_to_the_next_poll)
{
        CLEAN(polled_done) struct polled polled = {0};
        CLEAN(free_at) char *page = page_of(POLLED_MAX, shown, shown);

        assert_int_equal(read_page(page, &polled, NULL), ERR_OK);
        assert_int_equal(polled.n, POLLED_MAX);
}

TEST(behind_a_thousand_that_are_broken_a_good_one_is_seen)
{
        CLEAN(polled_done) struct polled polled = {0};
        CLEAN(free_at) char *page = page_of(POLLED_MAX, "{}", shown);

        assert_int_equal(read_page(page, &polled, NULL), ERR_OK);
        assert_int_equal(polled.n, 1);
        assert_int_equal(polled.broken, POLLED_MAX);
}

TEST(a_list_that_would_fill_the_memory_is_not_read)
{
        static const char empty[] = "{\"\":0}";
        CLEAN(polled_done) struct polled polled = {0};
        CLEAN(free_at) char *page = page_of(POLL_REPLY_MAX / (int)sizeof empty + 1, empty, "{}");

        assert_int_equal(read_page(page, &polled, NULL), ERR_BAD_JSON);
}

static void assert_calls(const struct message *m, const char *method, const char *url)
{
        assert_string_equal(m->method, method);
        assert_string_equal(m->url, url);
        assert_int_equal(m->n_headers, 1);
        assert_string_equal(m->headers[0], "Access-Token: jeton");
        assert_null(m->body);
}

TEST(two_calls_are_all_that_it_takes)
{
        const struct account account = {.url = "http://dukkango.test/api/integrations", .token = "jeton"};
        CLEAN(message_done) struct message list = {0};
        CLEAN(message_done) struct message acknowledge = {0};

        assert_int_equal(polls_dukkango.list(&account, &list, NULL), ERR_OK);
        assert_calls(&list, "GET", "http://dukkango.test/api/integrations/orders/get-current");
        assert_int_equal(list.reply_max, POLL_REPLY_MAX);
        assert_int_equal(polls_dukkango.acknowledge(KEY, &account, &acknowledge, NULL), ERR_OK);
        assert_calls(&acknowledge, "PUT", "http://dukkango.test/api/integrations/orders/success/" KEY);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_order_becomes_one_of_ours),
                cmocka_unit_test(the_number_of_its_status_decides),
                cmocka_unit_test(it_is_known_by_its_payment_key),
                cmocka_unit_test(only_the_restaurants_courier_is_the_restaurants),
                cmocka_unit_test(cards_are_paid_and_what_is_unknown_is_asked_for_at_the_door),
                cmocka_unit_test(a_price_may_stand_in_a_string),
                cmocka_unit_test(a_time_without_a_zone_is_turkeys),
                cmocka_unit_test(who_fetches_it_need_not_say_where_he_lives),
                cmocka_unit_test(who_it_is_brought_to_must_be_known),
                cmocka_unit_test(free_texts_are_cut_between_characters),
                cmocka_unit_test(what_nobody_needs_may_be_anything),
                cmocka_unit_test(a_broken_one_does_not_touch_the_others),
                cmocka_unit_test(an_answer_that_is_no_list_is_not_understood),
                cmocka_unit_test(more_than_a_thousand_are_left_to_the_next_poll),
                cmocka_unit_test(behind_a_thousand_that_are_broken_a_good_one_is_seen),
                cmocka_unit_test(a_list_that_would_fill_the_memory_is_not_read),
                cmocka_unit_test(two_calls_are_all_that_it_takes),
        };

        return cmocka_run_group_tests_name("poll_dukkango", tests, NULL, NULL);
}
