/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - tests of model/order.c and model/order_read.c: what is taken in, what is kept, what is shown. */
#include "model/order.h"

#include "model/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1730817000000) /* 2024-11-05T14:30:00.000Z */
#define NOW_TEXT "2024-11-05T14:30:00.000Z"

static const struct id restaurant = {
        {0x50, 0x7f, 0x1f, 0x77, 0xbc, 0xf8, 0x6c, 0xd7, 0x99, 0x43, 0x90, 0x11}};
static const struct id firm = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};

/* The example that courier firms know, as a restaurant would have sent it. */
static const char sample[] =
        "{\"orderId\":\"507F1F77BCF86CD799439012\",\"platform\":\"dukkango\","
        "\"platformOrderId\":\"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e\",\"status\":\"hazirlanacak\","
        "\"courierType\":\"restaurant\",\"orderType\":\"paket_servis\",\"displayId\":\"z322\","
        "\"paymentMethod\":\"card\",\"originalPaymentMethod\":\"Kapıda Kredi/Banka Kartı\",\"price\":125.5,"
        "\"hazirlanmaSuresiDk\":15,\"badges\":[\"Temassız Teslimat\"],\"badgeFlags\":{},"
        "\"orderNote\":\"İnce hamur olsun lütfen\",\"courierNote\":\"Kapı kodu: 1234\","
        "\"scheduledDate\":\"2024-11-05T19:00:00\",\"platformRef\":{},"
        "\"items\":[{\"name\":\"Pide\",\"quantity\":1.5,\"price\":60.25,\"note\":\"acısız\",\"options\":[\"kaşarlı\"]},"
        "{\"name\":\"Ayran\",\"quantity\":2}],"
        "\"customer\":{\"address\":{\"district\":\"Kadıköy\",\"city\":\"İstanbul\",\"neighborhood\":\"Fenerbahçe\","
        "\"street\":\"Bağdat Caddesi\",\"buildingNo\":\"123\",\"floor\":\"4\",\"apartmentNo\":\"8\","
        "\"detailedAddress\":\"Bağdat Caddesi No: 123, Kat: 4, Daire: 8, Fenerbahçe, Kadıköy, İstanbul\","
        "\"directions\":\"Kapı kodu: 1234\",\"location\":{\"latitude\":40.9857,\"longitude\":29.0347}},"
        "\"details\":{\"name\":\"Ahmet Yılmaz\",\"phone\":\"+905551234567\"}}}";

/* The least there can be. */
static const char least[] =
        "{\"platform\":\"phone\",\"orderType\":\"gel_al\",\"price\":0.1,\"paymentMethod\":\"cash\"}";

static struct json_object *parse(const char *text)
{
        struct json_object *value = NULL;

        assert_int_equal(json_read_any(text, strlen(text), &value, NULL), ERR_OK);
        return value;
}

/* The body with one member changed: `at` is a JSON pointer, `value` JSON. */
static enum err read_changed(const char *body, const char *at, const char *value, struct order **ret,
                             struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = parse(body);
        struct view view;

        if (at)
                assert_int_equal(json_pointer_set(&document, at, parse(value)), 0);
        view = view_of(document);
        return order_read(&view, ret, why);
}

static struct order *read_order(const char *body, const char *at, const char *value)
{
        struct order *order = NULL;
        struct why why = {0};

        if (read_changed(body, at, value, &order, &why))
                fail_msg("%s: %s", why.field, why.text);
        return order;
}

static struct order *begun(const char *body, const char *at, const char *value)
{
        struct order *order = read_order(body, at, value);

        assert_int_equal(order_begin(order, &restaurant, ACTOR_RESTAURANT, NOW_MS, NULL), ERR_OK);
        return order;
}

static void assert_shown(struct json_object *shown, const char *expected)
{
        CLEAN(free_at) char *text = json_text(shown);

        assert_string_equal(text, expected);
}

static void assert_member(struct json_object *shown, const char *at, const char *expected)
{
        struct json_object *value = NULL;

        if (json_pointer_get(shown, at, &value))
                fail_msg("no %s", at);
        if (!streq(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), expected))
                fail_msg("%s is %s", at, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

/* ---- order in ---- */

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

/* ---- a beginning ---- */

static void an_order_begins_with_a_row_and_owes_nothing(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        const struct move *move = order_last_move(order);

        (void)state;
        assert_true(id_equal(&order->restaurant, &restaurant));
        assert_int_equal(order->rev, 1);
        assert_int_equal(order->created_ms, NOW_MS);
        assert_int_equal(order->updated_ms, NOW_MS);
        assert_int_equal(order->n_moves, 1);
        assert_int_equal(move->to, STATUS_ACCEPTED);
        assert_int_equal(move->at_ms, NOW_MS);
        assert_int_equal(move->by, ACTOR_RESTAURANT);
        assert_string_equal(move->op, "");
        assert_null(move->note);
        assert_ptr_equal(order_find_move(order, STATUS_ACCEPTED), move);
        assert_null(order_find_move(order, STATUS_DELIVERED));
        assert_int_equal(order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NOT_DUE);
        assert_int_equal(order->targets[PARTY_COURIER].want, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_COURIER].told, 0);
        assert_int_equal(order->targets[PARTY_COURIER].at_ms, TARGET_NEVER);
}

static void a_phone_order_gets_its_id_and_number_and_never_owes(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);
        char id[ID_TEXT_SIZE];

        (void)state;
        assert_false(id_is_zero(&order->id));
        assert_string_equal(order->platform_order_id, id_write(&order->id, id));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NEVER);
}

static void a_number_and_an_id_that_were_brought_stay(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, "/platformOrderId", "\"defter 7\"");
        CLEAN(order_free_at) struct order *own = begun(sample, NULL, NULL);
        char id[ID_TEXT_SIZE];

        (void)state;
        assert_string_equal(order->platform_order_id, "defter 7");
        assert_string_equal(id_write(&own->id, id), "507f1f77bcf86cd799439012");
}

/* ---- history ---- */

static char note_text[] = "müşteri \"vazgeçti\"\n";

static const struct move moves[] = {{.to = STATUS_NEW, .at_ms = NOW_MS, .by = ACTOR_PLATFORM},
                                    {.to = STATUS_ON_THE_WAY,
                                     .at_ms = NOW_MS + 1,
                                     .by = ACTOR_COURIER,
                                     .op = "00112233445566778899aabbccddeeff",
                                     .integration = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}},
                                    {.to = STATUS_CANCELLED,
                                     .at_ms = NOW_MS + 2,
                                     .by = ACTOR_RESTAURANT,
                                     .reason = "a\"b",
                                     .note = note_text}};

static const char moves_text[] =
        "[{\"s\":0,\"at\":1730817000000,\"by\":2},"
        "{\"s\":4,\"at\":1730817000001,\"by\":0,\"op\":\"00112233445566778899aabbccddeeff\","
        "\"i\":\"0102030405060708090a0b0c\"},"
        "{\"s\":6,\"at\":1730817000002,\"by\":1,\"r\":\"a\\\"b\",\"n\":\"müşteri \\\"vazgeçti\\\"\\n\"}]";

static void a_history_survives_its_keeping(void **state)
{
        CLEAN(free_at) char *text = moves_write(moves, 3);
        CLEAN(free_at) char *row = move_write(&moves[0]);
        CLEAN(free_at) char *again = NULL;
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);

        (void)state;
        assert_string_equal(text, moves_text);
        assert_string_equal(row, "{\"s\":0,\"at\":1730817000000,\"by\":2}");
        assert_int_equal(moves_read(order, text, NULL), ERR_OK);
        assert_int_equal(order->n_moves, 3);
        assert_true(id_equal(&order->moves[1].integration, &firm));
        assert_string_equal(order_last_move(order)->note, note_text);
        again = moves_write(order->moves, order->n_moves);
        assert_string_equal(again, moves_text);
        /* Reading once more frees what was read before. */
        assert_int_equal(moves_read(order, text, NULL), ERR_OK);
}

#define ROW "{\"s\":1,\"at\":1,\"by\":0}"
#define SEVEN_ROWS "[" ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "]"

static void what_is_no_history_changes_nothing(void **state)
{
        static const char *const broken[] = {
                "",
                "{}",
                "[]",
                "[1]",
                "[{}]",
                "[{\"s\":7,\"at\":1,\"by\":0}]",
                "[{\"s\":-1,\"at\":1,\"by\":0}]",
                "[{\"s\":1,\"at\":\"1\",\"by\":0}]",
                "[{\"s\":1,\"at\":1,\"by\":3}]",
                "[{\"s\":1,\"at\":1,\"by\":0,\"n\":\"x\"},{\"s\":1,\"at\":1,\"by\":0,\"i\":\"12\"}]",
                "[{\"s\":1,\"at\":1,\"by\":0,\"op\":\"00112233445566778899aabbccddeeff0\"}]",
                SEVEN_ROWS};
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);

        (void)state;
        for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
                if (moves_read(order, broken[i], NULL) != ERR_STORE_BROKEN)
                        fail_msg("%s was read", broken[i]);
                assert_int_equal(order->n_moves, 1);
                assert_int_equal(order->moves[0].at_ms, NOW_MS);
        }
}

/* ---- order out ---- */

static void a_row_of_a_list_has_no_history_and_no_deliveries(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        CLEAN(json_put_at) struct json_object *shown = order_write(order, false, NOW_MS);
        CLEAN(free_at) char *expected = NULL;

        (void)state;
        assert_true(
                asprintf(
                        &expected,
                        "{\"orderId\":\"507f1f77bcf86cd799439012\",\"restaurantId\":\"507f1f77bcf86cd799439011\","
                        "\"platform\":\"dukkango\",\"platformOrderId\":\"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e\","
                        "\"status\":\"hazirlanacak\",\"courierType\":\"restaurant\",\"orderType\":\"paket_servis\","
                        "\"hazirlanmaSuresiDk\":15,\"scheduledDate\":\"2024-11-05T16:00:00.000Z\",\"rev\":1,"
                        "\"createdAt\":\"" NOW_TEXT "\",\"updatedAt\":\"" NOW_TEXT "\",%s",
                        order->document + 1) > 0);
        assert_shown(shown, expected);
}

static void a_whole_order_has_its_history_and_deliveries(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, "/courierType", "\"platform\"");
        CLEAN(json_put_at) struct json_object *shown = NULL;

        (void)state;
        assert_int_equal(moves_read(order, moves_text, NULL), ERR_OK);
        shown = order_write(order, true, NOW_MS);
        assert_member(shown, "/courierType", "\"platform\"");
        assert_member(shown, "/history/0",
                      "{\"status\":\"yeni\",\"at\":\"" NOW_TEXT
                      "\",\"by\":\"platform\",\"integrationId\":null,\"reasonId\":null,\"note\":null}");
        assert_member(
                shown, "/history/1",
                "{\"status\":\"teslim-edilecek\",\"at\":\"2024-11-05T14:30:00.001Z\",\"by\":\"courier\","
                "\"integrationId\":\"0102030405060708090a0b0c\",\"reasonId\":null,\"note\":null}");
        assert_member(shown, "/history/2/by", "\"restaurant\"");
        assert_member(shown, "/history/2/reasonId", "\"a\\\"b\"");
        assert_member(shown, "/history/2/note", "\"müşteri \\\"vazgeçti\\\"\\n\"");
        assert_member(shown, "/deliveries/0/deliveryId", "\"507f1f77bcf86cd799439012-platform\"");
}

static void a_phone_order_shows_no_deliveries_and_no_document_is_no_harm(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);
        CLEAN(json_put_at) struct json_object *shown = NULL;

        (void)state;
        free(TAKE(order->document));
        shown = order_write(order, true, NOW_MS);
        assert_member(shown, "/deliveries", "[]");
        assert_member(shown, "/scheduledDate", "null");
        assert_member(shown, "/orderType", "\"gel_al\"");
        assert_false(json_object_object_get_ex(shown, "price", NULL));
}

static void a_broken_document_is_not_shown(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);

        (void)state;
        order->document[0] = 'x';
        assert_null(order_write(order, true, NOW_MS));
}

/* ---- deliveries ---- */

#define LOG_ROW                                                                                                 \
        "{\"step\":\"on-the-way\",\"at\":\"2024-11-05T14:30:05.000Z\",\"httpStatus\":500,\"result\":\"retry\"," \
        "\"reason\":\"server_error\"}"

/* The sample, on its way, with what it owes Dükkango. */
static struct order *owing(struct target target)
{
        struct order *order = begun(sample, NULL, NULL);

        order->status = STATUS_ON_THE_WAY;
        order->moves[order->n_moves++] = (struct move){.to = STATUS_ON_THE_WAY, .at_ms = NOW_MS};
        target.want = STEP_OF(STATUS_ON_THE_WAY);
        order->targets[PARTY_PLATFORM] = target;
        return order;
}

static void assert_delivery(const struct order *order, const char *expected)
{
        CLEAN(json_put_at) struct json_object *shown = delivery_write(order, PARTY_PLATFORM, NOW_MS);
        CLEAN(free_at) char *whole = NULL;

        assert_true(asprintf(&whole,
                             "{\"deliveryId\":\"507f1f77bcf86cd799439012-platform\","
                             "\"orderId\":\"507f1f77bcf86cd799439012\",\"platform\":\"dukkango\",%s}",
                             expected) > 0);
        assert_shown(shown, whole);
}

static void a_delivery_that_waits_tells_when_and_why(void **state)
{
        CLEAN(order_free_at)
        struct order *fresh = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED), .at_ms = NOW_MS});
        CLEAN(order_free_at)
        struct order *tried = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED),
                                                    .at_ms = NOW_MS + 6000,
                                                    .tries = 1,
                                                    .log = strdup("[" LOG_ROW "]")});

        (void)state;
        assert_delivery(fresh,
                        "\"state\":\"pending\",\"step\":\"on-the-way\",\"tries\":0,\"nextTryAt\":\"" NOW_TEXT
                        "\",\"reason\":null,\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
        assert_delivery(tried, "\"state\":\"pending\",\"step\":\"on-the-way\",\"tries\":1,"
                               "\"nextTryAt\":\"2024-11-05T14:30:06.000Z\",\"reason\":\"server_error\","
                               "\"updatedAt\":\"2024-11-05T14:30:05.000Z\",\"log\":[" LOG_ROW "]");
}

static void a_delivery_that_failed_tells_what_killed_it(void **state)
{
        CLEAN(order_free_at)
        struct order *order = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED),
                                                    .at_ms = TARGET_NOT_DUE,
                                                    .tries = 4,
                                                    .dead = "not_connected"});

        (void)state;
        assert_delivery(order, "\"state\":\"failed\",\"step\":\"on-the-way\",\"tries\":4,\"nextTryAt\":null,"
                               "\"reason\":\"not_connected\",\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
}

static void a_delivery_that_is_done_names_the_last_step(void **state)
{
        CLEAN(order_free_at)
        struct order *order = owing((struct target){
                .told = STEP_OF(STATUS_ON_THE_WAY), .at_ms = TARGET_NOT_DUE, .log = strdup("no array")});

        (void)state;
        assert_delivery(order, "\"state\":\"done\",\"step\":\"on-the-way\",\"tries\":0,\"nextTryAt\":null,"
                               "\"reason\":null,\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
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
                cmocka_unit_test(an_order_begins_with_a_row_and_owes_nothing),
                cmocka_unit_test(a_phone_order_gets_its_id_and_number_and_never_owes),
                cmocka_unit_test(a_number_and_an_id_that_were_brought_stay),
                cmocka_unit_test(a_history_survives_its_keeping),
                cmocka_unit_test(what_is_no_history_changes_nothing),
                cmocka_unit_test(a_row_of_a_list_has_no_history_and_no_deliveries),
                cmocka_unit_test(a_whole_order_has_its_history_and_deliveries),
                cmocka_unit_test(a_phone_order_shows_no_deliveries_and_no_document_is_no_harm),
                cmocka_unit_test(a_broken_document_is_not_shown),
                cmocka_unit_test(a_delivery_that_waits_tells_when_and_why),
                cmocka_unit_test(a_delivery_that_failed_tells_what_killed_it),
                cmocka_unit_test(a_delivery_that_is_done_names_the_last_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
