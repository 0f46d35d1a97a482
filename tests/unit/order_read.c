/* SPDX-License-Identifier: Apache-2.0 */
/* order_read.c - tests of model/order_read.c: what is taken in, and how a breach is named. */
#include "tests/unit/bodies.h"

static void the_known_example_is_taken(void **state)
{
        CLEAN(order_free_at) struct order *order = read_order(sample, NULL, NULL);
        char id[ID_TEXT_SIZE];

        (void)state;
        assert_string_equal(id_write(&order->id, id), "507f1f77bcf86cd799439012");
        assert_int_equal(order->platform, PLATFORM_DUKKANGO);
        assert_string_equal(order->platform_order_id, "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e");
        assert_int_equal(order->status, STATUS_ACCEPTED);
        assert_false(order->platform_courier);
        assert_false(order->pickup);
        assert_int_equal(order->prep_minutes, 15);
        assert_int_equal(order->scheduled_ms, NOW_MS + 90 * 60 * 1000);
        assert_true(id_is_zero(&order->restaurant));
        assert_string_equal(
                order->document,
                "{\"displayId\":\"z322\",\"platformRef\":{},\"price\":125.5,\"paymentMethod\":\"card\","
                "\"originalPaymentMethod\":\"Kapıda Kredi/Banka Kartı\",\"badges\":[\"Temassız Teslimat\"],"
                "\"badgeFlags\":{},\"orderNote\":\"İnce hamur olsun lütfen\",\"courierNote\":\"Kapı kodu: 1234\","
                "\"items\":[{\"name\":\"Pide\",\"quantity\":1.5,\"price\":60.25,\"note\":\"acısız\","
                "\"options\":[\"kaşarlı\"]},{\"name\":\"Ayran\",\"quantity\":2,\"price\":null,\"note\":null,"
                "\"options\":null}],\"customer\":{\"address\":{\"district\":\"Kadıköy\",\"city\":\"İstanbul\","
                "\"neighborhood\":\"Fenerbahçe\",\"street\":\"Bağdat Caddesi\",\"buildingNo\":\"123\",\"floor\":\"4\","
                "\"apartmentNo\":\"8\",\"detailedAddress\":"
                "\"Bağdat Caddesi No: 123, Kat: 4, Daire: 8, Fenerbahçe, Kadıköy, İstanbul\","
                "\"directions\":\"Kapı kodu: 1234\",\"location\":{\"latitude\":40.9857,\"longitude\":29.0347}},"
                "\"details\":{\"name\":\"Ahmet Yılmaz\",\"phone\":\"+905551234567\"}}}");
}

static void what_is_absent_is_its_default_or_null(void **state)
{
        CLEAN(order_free_at) struct order *order = read_order(least, NULL, NULL);

        (void)state;
        assert_true(id_is_zero(&order->id));
        assert_null(order->platform_order_id);
        assert_int_equal(order->status, STATUS_ACCEPTED);
        assert_false(order->platform_courier);
        assert_true(order->pickup);
        assert_int_equal(order->prep_minutes, 30);
        assert_int_equal(order->scheduled_ms, 0);
        assert_string_equal(
                order->document,
                "{\"displayId\":null,\"platformRef\":null,\"price\":0.1,\"paymentMethod\":\"cash\","
                "\"originalPaymentMethod\":null,\"badges\":[],\"badgeFlags\":{},\"orderNote\":null,"
                "\"courierNote\":null,\"items\":null,\"customer\":{\"address\":{\"district\":null,\"city\":null,"
                "\"neighborhood\":null,\"street\":null,\"buildingNo\":null,\"floor\":null,\"apartmentNo\":null,"
                "\"detailedAddress\":null,\"directions\":null,\"location\":null},"
                "\"details\":{\"name\":null,\"phone\":null}}}");
}

static void null_is_the_same_as_absent(void **state)
{
        static const char *const optional[] = {"orderId",     "status",       "courierType",
                                               "orderType",   "displayId",    "originalPaymentMethod",
                                               "platformRef", "orderNote",    "courierNote",
                                               "badgeFlags",  "badges",       "hazirlanmaSuresiDk",
                                               "items",       "scheduledDate"};
        char at[64];

        (void)state;
        for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
                CLEAN(order_free_at) struct order *order = NULL;

                snprintf(at, sizeof at, "/%s", optional[i]);
                order = read_order(sample, at, "null");
                assert_non_null(order);
        }
}

static void unknown_fields_are_dropped(void **state)
{
        CLEAN(order_free_at) struct order *plain = read_order(sample, NULL, NULL);
        static const char *const places[] = {"/x", "/customer/x", "/customer/details/x", "/items/0/x",
                                             "/badgeFlags/x"};

        (void)state;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                CLEAN(order_free_at) struct order *order = read_order(sample, places[i], "{\"$ne\":1}");

                assert_string_equal(order->document, plain->document);
        }
}

static void what_the_platform_refers_to_is_kept_as_it_is(void **state)
{
        CLEAN(order_free_at)
        struct order *order = read_order(sample, "/platformRef", "{\"a\":[1,{\"b\":null}]}");

        (void)state;
        assert_non_null(strstr(order->document, "\"platformRef\":{\"a\":[1,{\"b\":null}]},"));
}

static void every_status_word_may_begin_an_order(void **state)
{
        char value[32];

        (void)state;
        for (int i = 0; i < STATUS_COUNT; i++) {
                CLEAN(order_free_at) struct order *order = NULL;

                snprintf(value, sizeof value, "\"%s\"", status_word((enum status)i));
                order = read_order(sample, "/status", value);
                assert_int_equal(order->status, i);
        }
}

static const struct {
        const char *flags;
        const char *badges;
} badge_cases[] = {
        {"{}", "[\"Acele\"]"},
        {"{\"saveGreen\":true}", "[\"Acele\",\"Yeşili Koru\"]"},
        {"{\"isEcoFriendly\":true,\"saveGreen\":true}", "[\"Acele\",\"Yeşili Koru\"]"},
        {"{\"contactlessDelivery\":true}", "[\"Acele\",\"Temassız Teslimat\"]"},
        {"{\"dropOffAtDoor\":true}", "[\"Acele\",\"Kapıya Bırak\"]"},
        {"{\"ringDoorBell\":false}", "[\"Acele\",\"Kapıyı Çalma\"]"},
        {"{\"doNotKnock\":true}", "[\"Acele\",\"Kapıyı Çalma\"]"},
        {"{\"saveGreen\":false,\"ringDoorBell\":true,\"doNotKnock\":false,\"dropOffAtDoor\":null}",
         "[\"Acele\"]"},
        {"{\"doNotKnock\":true,\"dropOffAtDoor\":true,\"ringDoorBell\":false,\"contactlessDelivery\":true,"
         "\"isEcoFriendly\":true}",
         "[\"Acele\",\"Yeşili Koru\",\"Temassız Teslimat\",\"Kapıya Bırak\",\"Kapıyı Çalma\"]"},
};

static void badges_are_labels_and_flags_and_none_twice(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof badge_cases / sizeof *badge_cases; i++) {
                CLEAN(json_put_at) struct json_object *document = parse(least);
                CLEAN(json_put_at) struct json_object *shown = NULL;
                CLEAN(order_free_at) struct order *order = NULL;
                struct view view = view_of(document);

                assert_true(json_add(document, "badges", parse("[\"Acele\",\"Acele\"]")));
                assert_true(json_add(document, "badgeFlags", parse(badge_cases[i].flags)));
                assert_int_equal(order_read(&view, &order, NULL), ERR_OK);
                shown = parse(order->document);
                assert_member(shown, "/badges", badge_cases[i].badges);
        }
}

static void a_given_label_is_not_made_again_from_a_flag(void **state)
{
        CLEAN(order_free_at)
        struct order *order =
                read_order(sample, "/badgeFlags", "{\"contactlessDelivery\":true,\"saveGreen\":null}");

        (void)state;
        assert_non_null(strstr(order->document, "\"badges\":[\"Temassız Teslimat\"],"
                                                "\"badgeFlags\":{\"contactlessDelivery\":true}"));
}

/* JSON pointer, value, the path that is named; NULL: the pointer says it. */
static const struct breach {
        const char *at;
        const char *value;
        const char *path;
} breaches[] = {
        {"/platform", "null", NULL},
        {"/platform", "\"benimyemek\"", NULL},
        {"/platform", "5", NULL},
        {"/platformOrderId", "null", NULL},
        {"/platformOrderId", "\"\"", NULL},
        {"/platformOrderId", "5", NULL},
        {"/platformOrderId", "\"1031\"", NULL},
        {"/orderId", "\"123\"", NULL},
        {"/orderId", "{\"$ne\":\"\"}", NULL},
        {"/price", "null", NULL},
        {"/price", "\"125.5\"", NULL},
        {"/price", "125.555", NULL},
        {"/price", "-0.01", NULL},
        {"/price", "1e18", NULL},
        {"/price", "true", NULL},
        {"/paymentMethod", "null", NULL},
        {"/paymentMethod", "\"kart\"", NULL},
        {"/status", "\"gelecek\"", NULL},
        {"/status", "1", NULL},
        {"/orderType", "\"masa\"", NULL},
        {"/courierType", "\"uzay\"", NULL},
        {"/displayId", "\"123456789012345678901234567890123\"", NULL},
        {"/originalPaymentMethod", "[]", NULL},
        {"/hazirlanmaSuresiDk", "0", NULL},
        {"/hazirlanmaSuresiDk", "241", NULL},
        {"/hazirlanmaSuresiDk", "1.5", NULL},
        {"/hazirlanmaSuresiDk", "\"15\"", NULL},
        {"/badges", "\"x\"", NULL},
        {"/badges", "[\"x\",1]", "badges[1]"},
        {"/badges", "[\"\"]", "badges[0]"},
        {"/badges", "[\"a\\u0000b\"]", "badges[0]"},
        {"/badgeFlags", "[]", NULL},
        {"/badgeFlags/saveGreen", "1", NULL},
        {"/orderNote", "5", NULL},
        {"/courierNote", "\"a\\u0000b\"", NULL},
        {"/scheduledDate", "\"yarın\"", NULL},
        {"/scheduledDate", "\"2030-02-30T10:00:00Z\"", NULL},
        {"/platformRef", "\"x\"", NULL},
        {"/items", "{}", NULL},
        {"/items", "[5]", "items[0]"},
        {"/items/1/name", "null", NULL},
        {"/items/1/quantity", "null", NULL},
        {"/items/1/quantity", "\"iki\"", NULL},
        {"/items/1/quantity", "-1", NULL},
        {"/items/0/price", "1.001", NULL},
        {"/items/0/note", "{}", NULL},
        {"/items/0/options", "{}", NULL},
        {"/items/0/options", "[\"a\",null]", "items[0].options[1]"},
        {"/customer", "[]", NULL},
        {"/customer", "null", "customer.details.name"},
        {"/customer/details", "null", "customer.details.name"},
        {"/customer/details/name", "null", NULL},
        {"/customer/details/phone", "null", NULL},
        {"/customer/details/phone", "\"\"", NULL},
        {"/customer/address", "null", "customer.address.detailedAddress"},
        {"/customer/address", "5", NULL},
        {"/customer/address/detailedAddress", "null", NULL},
        {"/customer/address/floor", "4", NULL},
        {"/customer/address/location", "5", NULL},
        {"/customer/address/location/latitude", "null", NULL},
        {"/customer/address/location/latitude", "\"x\"", NULL},
        {"/customer/address/location/latitude", "90.5", NULL},
        {"/customer/address/location/longitude", "-180.5", NULL},
};

/* /items/1/price as a client knows it: items[1].price. */
static void write_path(const char *at, char to[96])
{
        to[0] = '\0';
        while (*at) {
                size_t n = strcspn(++at, "/"), used = strlen(to);
                bool index = at[0] >= '0' && at[0] <= '9';

                snprintf(to + used, 96 - used, "%s%.*s%s",
                         index  ? "["
                         : used ? "."
                                : "",
                         (int)n, at, index ? "]" : "");
                at += n;
        }
}

static void every_breach_is_named_by_its_path(void **state)
{
        (void)state;
        for (const struct breach *b = breaches; b < breaches + sizeof breaches / sizeof *breaches; b++) {
                struct order *order = NULL;
                struct why why = {0};
                char path[96];

                write_path(b->at, path);
                if (read_changed(sample, b->at, b->value, &order, &why) != ERR_BAD_FIELD)
                        fail_msg("%s may be %s", b->at, b->value);
                if (!streq(why.field, b->path ? b->path : path))
                        fail_msg("%s as %s is named %s", b->at, b->value, why.field);
                assert_null(order);
        }
}

/* How long the text at the pointer may be; one character more is a breach. */
static const struct {
        const char *at;
        size_t max;
} lengths[] = {{"/customer/details/phone", 64},
               {"/customer/details/name", 200},
               {"/displayId", 32},
               {"/orderNote", 2000},
               {"/items/0/name", 200},
               {"/items/0/note", 2000},
               {"/customer/address/city", 200},
               {"/customer/address/detailedAddress", 2000}};

static void a_text_is_as_long_as_its_bound_and_no_longer(void **state)
{
        char value[8192];

        (void)state;
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
                for (size_t n = lengths[i].max; n <= lengths[i].max + 1; n++) {
                        struct order *order = NULL;
                        size_t used = 0;
                        enum err e;

                        value[used++] = '"';
                        for (size_t k = 0; k < n; k++, used += 2)
                                memcpy(value + used, "ş", 2); /* Characters count, not bytes. */
                        memcpy(value + used, "\"", 2);
                        e = read_changed(sample, lengths[i].at, value, &order, NULL);
                        assert_int_equal(e, n > lengths[i].max ? ERR_BAD_FIELD : ERR_OK);
                        order_free(order);
                }
        }
}

static void a_list_is_as_long_as_its_bound(void **state)
{
        static const struct {
                const char *at, *element;
                size_t max;
        } lists[] = {{"/badges", "\"x\"", 32},
                     {"/items", "{\"name\":\"a\",\"quantity\":1}", 1000},
                     {"/items/0/options", "\"x\"", 100}};

        (void)state;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
                for (size_t n = lists[i].max; n <= lists[i].max + 1; n++) {
                        CLEAN(json_put_at) struct json_object *array = json_object_new_array();
                        struct order *order = NULL;
                        enum err e;

                        for (size_t k = 0; k < n; k++)
                                json_object_array_add(array, parse(lists[i].element));
                        e = read_changed(sample, lists[i].at, json_object_to_json_string(array), &order,
                                         NULL);
                        assert_int_equal(e, n > lists[i].max ? ERR_BAD_FIELD : ERR_OK);
                        order_free(order);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_known_example_is_taken),
                cmocka_unit_test(what_is_absent_is_its_default_or_null),
                cmocka_unit_test(null_is_the_same_as_absent),
                cmocka_unit_test(unknown_fields_are_dropped),
                cmocka_unit_test(what_the_platform_refers_to_is_kept_as_it_is),
                cmocka_unit_test(every_status_word_may_begin_an_order),
                cmocka_unit_test(badges_are_labels_and_flags_and_none_twice),
                cmocka_unit_test(a_given_label_is_not_made_again_from_a_flag),
                cmocka_unit_test(every_breach_is_named_by_its_path),
                cmocka_unit_test(a_text_is_as_long_as_its_bound_and_no_longer),
                cmocka_unit_test(a_list_is_as_long_as_its_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
