/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_order.c - an order of Yandex Eats becomes one of ours, and is given back as it came. */
#include "model/yandex_order.h"

#include "tests/unit/records.h"

/* Of a document, with `part` put in place of `{}`'s members. */
static struct json_object *order_with(const char *members)
{
        CLEAN(json_put_at) struct json_object *more = parse(members);
        struct json_object_iterator at, end;
        struct json_object *order =
                parse("{'eatsId':'190330-12345678','discriminator':'marketplace','restaurantId':'p',"
                      "'deliveryInfo':{'clientName':'İvan','phoneNumber':'+79031111111 доб. 4432',"
                      "'deliveryAddress':{'full':'Moda 1','latitude':'40.5','longitude':'29.25'}},"
                      "'paymentInfo':{'itemsCost':100.1,'deliveryFee':20.2,'paymentType':'CASH'},"
                      "'items':[{'id':'p1','name':'Pide','quantity':2.5,'price':33.333}]}");

        end = json_object_iter_end(more);
        for (at = json_object_iter_begin(more); !json_object_iter_equal(&at, &end);
             json_object_iter_next(&at))
                assert_true(json_add(order, json_object_iter_peek_name(&at),
                                     json_object_get(json_object_iter_peek_value(&at))));
        return order;
}

static enum err read_with(const char *members, struct order **ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = order_with(members);
        const struct view view = view_of(body);

        return yandex_order_read(&view, ret, why);
}

/* The document of what that becomes. */
static struct json_object *document_with(const char *members)
{
        CLEAN(order_free_at) struct order *order = NULL;
        struct json_object *document = NULL;

        assert_case(read_with(members, &order, NULL) == ERR_OK, members);
        assert_int_equal(json_read(order->document, strlen(order->document), &document, NULL), ERR_OK);
        return document;
}

TEST(its_words_are_theirs)
{
        static const char *const words[] = {"NEW",      "ACCEPTED_BY_RESTAURANT", "COOKING",
                                            "READY",    "TAKEN_BY_COURIER",       "DELIVERED",
                                            "CANCELLED"};

        assert_int_equal(COUNT(words), STATUS_COUNT);
        for (int i = 0; i < STATUS_COUNT; i++) {
                enum status status = STATUS_NEW;

                assert_string_equal(yandex_status_word((enum status)i), words[i]);
                assert_int_equal(yandex_status_find(words[i], &status), i >= STATUS_ON_THE_WAY);
                assert_int_equal(status, i >= STATUS_ON_THE_WAY ? i : STATUS_NEW);
        }
        assert_false(yandex_status_find("delivered", &(enum status){STATUS_NEW}));
}

TEST(a_time_has_six_digits_and_an_offset)
{
        char text[YANDEX_TIME_SIZE];

        assert_string_equal(yandex_time_write(NOW_MS + 7, text), "2024-11-05T14:30:00.007000+00:00");
}

TEST(a_status_tells_since_when_and_the_newest_note)
{
        struct order order = {.status = STATUS_COOKING,
                              .n_moves = 3,
                              .moves = {{.to = STATUS_NEW, .at_ms = NOW_MS},
                                        {.to = STATUS_ACCEPTED, .at_ms = NOW_MS + 1, .note = strdup("\"ş\"")},
                                        {.to = STATUS_COOKING, .at_ms = NOW_MS + 2}}};
        CLEAN(free_at) char *text = yandex_status_write(&order);

        assert_string_equal(text, "{\"status\":\"COOKING\",\"comment\":\"\\\"ş\\\"\","
                                  "\"updatedAt\":\"2024-11-05T14:30:00.002000+00:00\"}");
        free(order.moves[1].note);
        order.moves[1].note = NULL;
        free(text);
        text = yandex_status_write(&order);
        assert_non_null(strstr(text, "\"comment\":\"\""));
}

TEST(a_text_is_cut_by_whole_characters)
{
        char text[6];

        yandex_text_cut(text, sizeof text, "şşş");
        assert_string_equal(text, "şş");
        yandex_text_cut(text, sizeof text, "abcdef");
        assert_string_equal(text, "abcde");
        yandex_text_cut(text, sizeof text, "");
        assert_string_equal(text, "");
}

TEST(who_delivers_decides_the_course_and_the_price)
{
        static const struct {
                const char *members;
                bool platform_courier, pickup;
                const char *price;
        } cases[] = {{"{}", false, false, "120.3"},
                     {"{'discriminator':'yandex','deliveryInfo':{}}", true, false, "100.1"},
                     {"{'discriminator':'pickup','deliveryInfo':null}", false, true, "120.3"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(order_free_at) struct order *order = NULL;
                CLEAN(json_put_at) struct json_object *document = document_with(cases[i].members);

                assert_int_equal(read_with(cases[i].members, &order, NULL), ERR_OK);
                assert_int_equal(order->platform, PLATFORM_YANDEX);
                assert_int_equal(order->status, STATUS_NEW);
                assert_string_equal(order->platform_order_id, "190330-12345678");
                assert_case(order->platform_courier == cases[i].platform_courier, cases[i].members);
                assert_case(order->pickup == cases[i].pickup, cases[i].members);
                assert_string_equal(json_object_get_string(json_find(document, "price")), cases[i].price);
        }
}

TEST(a_time_that_does_not_read_is_no_time)
{
        static const struct {
                const char *members;
                int64_t at_ms;
        } cases[] = {
                {"{'discriminator':'yandex','deliveryInfo':{}}", 0},
                {"{'discriminator':'yandex','deliveryInfo':{'courierArrivementDate':'soon'}}", 0},
                {"{'discriminator':'yandex','deliveryInfo':{'courierArrivementDate':5}}", 0},
                {"{'discriminator':'yandex','deliveryInfo':"
                 "{'courierArrivementDate':'2024-11-05T17:30:00.000000+03:00'}}",
                 NOW_MS},
                {"{'discriminator':'yandex','deliveryInfo':{'deliveryDate':'2024-11-05T17:30:00.000000+03:00',"
                 "'courierArrivementDate':'2024-11-05T16:30:00.000000+03:00'}}",
                 NOW_MS}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(order_free_at) struct order *order = NULL;

                assert_int_equal(read_with(cases[i].members, &order, NULL), ERR_OK);
                assert_case(order->scheduled_ms == cases[i].at_ms, cases[i].members);
        }
}

TEST(a_place_that_does_not_read_is_no_place)
{
        static const struct {
                const char *address;
                bool is_there;
        } cases[] = {{"'latitude':'40.5','longitude':'29.25'", true},
                     {"'latitude':40.5,'longitude':29.25", true},
                     {"'latitude':'40,5','longitude':'29.25'", false},
                     {"'latitude':'','longitude':''", false},
                     {"'latitude':'nan','longitude':'1'", false},
                     {"'latitude':'91','longitude':'1'", false},
                     {"'latitude':'1'", false},
                     {"'latitude':{},'longitude':[]", false}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(json_put_at) struct json_object *document = NULL;
                struct json_object *place;
                char members[256];

                snprintf(
                        members, sizeof members,
                        "{'deliveryInfo':{'clientName':'A','phoneNumber':'5','deliveryAddress':{'full':'X',%s}}}",
                        cases[i].address);
                document = document_with(members);
                place = json_find(json_find(json_find(document, "customer"), "address"), "location");
                assert_case((place != NULL) == cases[i].is_there, members);
                if (place)
                        assert_string_equal(json_object_get_string(json_find(place, "latitude")), "40.5");
        }
}

TEST(what_is_wrong_is_named_as_they_name_it)
{
        static const char *const cases[][2] = {
                {"{'eatsId':''}", "eatsId"},
                {"{'discriminator':'drone'}", "discriminator"},
                {"{'deliveryInfo':{'clientName':''}}", "deliveryInfo.clientName"},
                {"{'deliveryInfo':{'clientName':'A','phoneNumber':'5'}}",
                 "deliveryInfo.deliveryAddress.full"},
                {"{'paymentInfo':{'paymentType':'CARD'}}", "paymentInfo.itemsCost"},
                {"{'paymentInfo':{'paymentType':'card','itemsCost':1}}", "paymentInfo.paymentType"},
                {"{'items':[{'name':'A','quantity':1},{'name':'B'}]}", "items[1].quantity"},
                {"{'items':[{'quantity':1}]}", "items[0].id"},
                {"{'comment':[]}", "comment"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(order_free_at) struct order *order = NULL;
                struct why why = {0};

                assert_case(read_with(cases[i][0], &order, &why) == ERR_BAD_FIELD, cases[i][0]);
                assert_string_equal(why.field, cases[i][1]);
                assert_null(order);
        }
}

TEST(it_is_given_back_as_it_came)
{
        CLEAN(json_put_at) struct json_object *sent = order_with("{'x':[1,null,{'y':'ş'}]}");
        CLEAN(json_put_at) struct json_object *back = NULL;
        CLEAN(order_free_at) struct order *order = NULL;
        CLEAN(free_at) char *text = NULL;
        const struct view view = view_of(sent);

        assert_int_equal(yandex_order_read(&view, &order, NULL), ERR_OK);
        assert_int_equal(yandex_order_write(order, &text, NULL), ERR_OK);
        assert_int_equal(json_read(text, strlen(text), &back, NULL), ERR_OK);
        assert_true(json_object_equal(back, sent));
        free(order->document);
        order->document = strdup("{\"platformRef\":null}"); /* as after an erasure */
        assert_int_equal(yandex_order_write(order, &text, NULL), ERR_NOT_FOUND);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(its_words_are_theirs),
                cmocka_unit_test(a_time_has_six_digits_and_an_offset),
                cmocka_unit_test(a_status_tells_since_when_and_the_newest_note),
                cmocka_unit_test(a_text_is_cut_by_whole_characters),
                cmocka_unit_test(who_delivers_decides_the_course_and_the_price),
                cmocka_unit_test(a_time_that_does_not_read_is_no_time),
                cmocka_unit_test(a_place_that_does_not_read_is_no_place),
                cmocka_unit_test(what_is_wrong_is_named_as_they_name_it),
                cmocka_unit_test(it_is_given_back_as_it_came),
        };

        return cmocka_run_group_tests_name("yandex_order", tests, NULL, NULL);
}
