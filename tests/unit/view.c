/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - the typed readers of json.h: each value is judged under the path by which a client knows it. */
#include "model/json.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* The document that a test reads; freed after it. */
static struct json_object *document;

static int put_document(__attribute__((unused)) void **state)
{
        json_object_put(TAKE(document));
        return 0;
}

static struct view read_view(const char *text)
{
        json_object_put(TAKE(document));
        assert_case(json_read(text, strlen(text), &document, NULL) == ERR_OK, text);
        return view_of(document);
}

/* The view of `{"v":<value>}`. */
static struct view view_of_value(const char *value)
{
        char text[512];

        assert_in_range(snprintf(text, sizeof text, "{\"v\":%s}", value), 1, sizeof text - 1);
        return read_view(text);
}

static void assert_field(const struct why *why, enum err e, const char *path)
{
        assert_int_equal(e, ERR_BAD_FIELD);
        assert_string_equal(why->field, path);
        assert_true(why->text[0] != '\0');
}

/* ---- texts ---- */

TEST(a_text_is_borrowed_from_the_document)
{
        struct view v = view_of_value("\"haz\\u0131r\"");
        const char *text = NULL;

        assert_int_equal(view_need_text(&v, "v", 1, 5, &text, NULL), ERR_OK);
        assert_string_equal(text, "hazır");
        assert_ptr_equal(text, json_get_text(document, "v"));
        text = NULL;
        assert_int_equal(view_opt_text(&v, "v", 1, 5, &text, NULL), ERR_OK);
        assert_string_equal(text, "hazır");
}

TEST(the_length_of_a_text_is_counted_in_characters)
{
        struct view v = view_of_value("\"ğüşıöç😀\"");
        const char *text = NULL;
        struct why why = {0};

        assert_int_equal(view_need_text(&v, "v", 7, 7, &text, NULL), ERR_OK);
        text = NULL;
        assert_field(&why, view_need_text(&v, "v", 0, 6, &text, &why), "v");
        assert_field(&why, view_opt_text(&v, "v", 8, 99, &text, &why), "v");
        assert_null(text);
        v = view_of_value("\"\"");
        assert_int_equal(view_need_text(&v, "v", 0, 0, &text, NULL), ERR_OK);
        assert_field(&why, view_need_text(&v, "v", 1, 9, &text, &why), "v");
}

TEST(a_text_with_nul_inside_is_refused)
{
        static const char *const bad[] = {"\"\\u0000\"", "\"a\\u0000\"", "\"\\u0000a\"", "\"a\\u0000b\""};
        const char *text = NULL;
        int64_t ms;
        struct id id;
        bool given;

        for (size_t i = 0; i < COUNT(bad); i++) {
                struct view v = view_of_value(bad[i]);

                assert_case(view_need_text(&v, "v", 0, 99, &text, NULL) == ERR_BAD_FIELD, bad[i]);
                assert_case(view_need_text(&v, "v", 0, SIZE_MAX - 1, &text, NULL) == ERR_BAD_FIELD, bad[i]);
                assert_case(view_opt_text(&v, "v", 0, 99, &text, NULL) == ERR_BAD_FIELD, bad[i]);
        }
        assert_null(text);
        struct view v = read_view(
                "{\"t\":\"2024-11-05T14:30:00Z\\u0000\",\"i\":\"507f1f77bcf86cd799439011\\u0000\"}");
        assert_int_equal(view_opt_time(&v, "t", &ms, NULL), ERR_BAD_FIELD);
        assert_int_equal(view_opt_id(&v, "i", &id, &given, NULL), ERR_BAD_FIELD);
}

/* ---- every reader: absent, null, another type ---- */

struct results {
        const char *text;
        bool yes;
        int64_t integer, minor, ms;
        double number;
        struct id id;
        struct json_object *array;
        struct view object;
};

/* Which readers take the member "v"; one letter for each. Fails when one of the others touches its result. */
static const char *takers(const struct view *v)
{
        static char taken[16];
        const struct results before = {
                "before", true, 41, 42, 43, 44.5, {{45}}, document, {document, "before"}};
        struct results r = before;
        bool given = false;
        size_t n = 0;

#define ASK(letter, field, call)                                                                      \
        do {                                                                                          \
                enum err e_ = (call);                                                                 \
                if (e_ == ERR_OK)                                                                     \
                        taken[n++] = (letter);                                                        \
                else if (e_ != ERR_BAD_FIELD || memcmp(&r.field, &before.field, sizeof r.field) != 0) \
                        fail_msg("%c failed otherwise, or touched its result", (letter));             \
        } while (0)
        ASK('T', text, view_need_text(v, "v", 0, 99, &r.text, NULL));
        ASK('t', text, view_opt_text(v, "v", 0, 99, &r.text, NULL));
        ASK('B', yes, view_need_bool(v, "v", &r.yes, NULL));
        ASK('b', yes, view_opt_bool(v, "v", &r.yes, NULL));
        ASK('i', integer, view_opt_int(v, "v", -100, 100, &r.integer, NULL));
        ASK('M', minor, view_need_money(v, "v", &r.minor, NULL));
        ASK('m', minor, view_opt_money(v, "v", &r.minor, NULL));
        ASK('n', number, view_opt_number(v, "v", -100, 100, &r.number, NULL));
        ASK('z', ms, view_opt_time(v, "v", &r.ms, NULL));
        ASK('d', id, view_opt_id(v, "v", &r.id, &given, NULL));
        ASK('o', object, view_opt_object(v, "v", &r.object, NULL));
        ASK('a', array, view_opt_array(v, "v", 9, &r.array, NULL));
#undef ASK
        taken[n] = '\0';
        return taken;
}

TEST(each_type_is_taken_by_its_own_readers)
{
        static const char *const cases[][2] = {
                {"\"text\"", "Tt"},
                {"\"2024-11-05T14:30:00Z\"", "Ttz"},
                {"\"507f1f77bcf86cd799439011\"", "Ttd"},
                {"\"1\"", "Tt"},
                {"\"true\"", "Tt"},
                {"true", "Bb"},
                {"false", "Bb"},
                {"0", "iMmn"},
                {"1", "iMmn"},
                {"-1", "in"},
                {"1.0", "iMmn"},
                {"1.5", "Mmn"},
                {"{}", "o"},
                {"{\"v\":1}", "o"},
                {"[]", "a"},
                {"[1]", "a"},
                {"null", "tbimnzdoa"},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
                struct view v = view_of_value(cases[i][0]);

                assert_string_equal(takers(&v), cases[i][1]);
        }
}

TEST(absent_is_null_and_leaves_what_was_there)
{
        static const char *const absent[] = {"{}", "{\"v\":null}", "{\"V\":1,\"v \":2,\"\":3}"};

        for (size_t i = 0; i < COUNT(absent); i++) {
                struct view v = read_view(absent[i]), object = {.object = document};
                struct results r = {"before", true, 41, 42, 43, 44.5, {{45}}, document, {0}};
                bool given = true;

                assert_string_equal(takers(&v), "tbimnzdoa");
                assert_int_equal(view_opt_text(&v, "v", 1, 2, &r.text, NULL), ERR_OK);
                assert_int_equal(view_opt_bool(&v, "v", &r.yes, NULL), ERR_OK);
                assert_int_equal(view_opt_int(&v, "v", 1, 2, &r.integer, NULL), ERR_OK);
                assert_int_equal(view_opt_money(&v, "v", &r.minor, NULL), ERR_OK);
                assert_int_equal(view_opt_number(&v, "v", 1, 2, &r.number, NULL), ERR_OK);
                assert_int_equal(view_opt_time(&v, "v", &r.ms, NULL), ERR_OK);
                assert_int_equal(view_opt_id(&v, "v", &r.id, &given, NULL), ERR_OK);
                assert_int_equal(view_opt_array(&v, "v", 0, &r.array, NULL), ERR_OK);
                assert_int_equal(view_opt_object(&v, "v", &object, NULL), ERR_OK);
                assert_string_equal(r.text, "before");
                assert_true(r.yes && r.integer == 41 && r.minor == 42 && r.ms == 43 && r.number == 44.5);
                assert_int_equal(r.id.bytes[0], 45);
                assert_false(given);
                assert_null(r.array);
                assert_null(object.object);
        }
}

TEST(what_is_needed_and_absent_is_named)
{
        struct view v = read_view("{\"price\":null}");
        const char *text;
        int64_t minor;
        bool yes;
        struct why why = {0};

        assert_field(&why, view_need_text(&v, "name", 0, 9, &text, &why), "name");
        assert_field(&why, view_need_money(&v, "price", &minor, &why), "price");
        assert_field(&why, view_need_bool(&v, "enabled", &yes, &why), "enabled");
}

TEST(a_key_stands_there_also_with_null)
{
        struct view v = read_view("{\"a\":null,\"b\":0,\"\":1}"), nothing = view_of(NULL);

        assert_true(view_has(&v, "a"));
        assert_true(view_has(&v, "b"));
        assert_true(view_has(&v, ""));
        assert_false(view_has(&v, "c"));
        assert_false(view_has(&nothing, "a"));
}

TEST(booleans_are_what_they_say)
{
        struct view v = read_view("{\"yes\":true,\"no\":false}");
        bool yes = false, no = true;

        assert_int_equal(view_need_bool(&v, "yes", &yes, NULL), ERR_OK);
        assert_int_equal(view_opt_bool(&v, "no", &no, NULL), ERR_OK);
        assert_true(yes);
        assert_false(no);
}

/* ---- numbers ---- */

TEST(a_whole_number_counts_by_its_value)
{
        static const struct {
                const char *text;
                int64_t value;
        } good[] = {{"1", 1},     {"1.0", 1},     {"1e0", 1},   {"10e-1", 1}, {"1.000E+0", 1},
                    {"30.0", 30}, {"3e1", 30},    {"-0", 0},    {"-0.0", 0},  {"-5", -5},
                    {"100", 100}, {"-100", -100}, {"1E2", 100}, {"0.1e1", 1}, {"0e9999", 0}};
        static const char *const bad[] = {"1.5",
                                          "0.1",
                                          "101",
                                          "-101",
                                          "100.5",
                                          "99.999",
                                          "1e-1",
                                          "1e3",
                                          "1e400",
                                          "-1e400",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "18446744073709551617",
                                          "18446744073709551616",
                                          "4294967297",
                                          "123456789012345678901234567890"};

        for (size_t i = 0; i < COUNT(good); i++) {
                struct view v = view_of_value(good[i].text);
                int64_t value = -999;

                assert_case(view_opt_int(&v, "v", -100, 100, &value, NULL) == ERR_OK, good[i].text);
                assert_case(value == good[i].value, good[i].text);
        }
        for (size_t i = 0; i < COUNT(bad); i++) {
                struct view v = view_of_value(bad[i]);
                int64_t value = -999;

                assert_case(view_opt_int(&v, "v", -100, 100, &value, NULL) == ERR_BAD_FIELD, bad[i]);
                assert_int_equal(value, -999);
        }
}

TEST(whole_numbers_are_exact_to_2_to_the_53)
{
        struct view v = view_of_value("9007199254740991");
        int64_t value = 0;

        assert_int_equal(view_opt_int(&v, "v", INT64_MIN, INT64_MAX, &value, NULL), ERR_OK);
        assert_true(value == INT64_C(9007199254740991));
        v = view_of_value("-9007199254740991");
        assert_int_equal(view_opt_int(&v, "v", INT64_MIN, INT64_MAX, &value, NULL), ERR_OK);
        assert_true(value == -INT64_C(9007199254740991));
        v = view_of_value("9007199254740992");
        assert_int_equal(view_opt_int(&v, "v", INT64_MIN, INT64_MAX, &value, NULL), ERR_BAD_FIELD);
        v = view_of_value("-9223372036854775808");
        assert_int_equal(view_opt_int(&v, "v", INT64_MIN, INT64_MAX, &value, NULL), ERR_BAD_FIELD);
}

TEST(a_number_lies_in_its_bounds)
{
        struct view v = read_view("{\"lat\":41.0082,\"low\":-90,\"high\":90.0000001,\"inf\":1e999}");
        double number = 0;

        assert_int_equal(view_opt_number(&v, "lat", -90, 90, &number, NULL), ERR_OK);
        assert_true(number == 41.0082);
        assert_int_equal(view_opt_number(&v, "low", -90, 90, &number, NULL), ERR_OK);
        assert_true(number == -90);
        assert_int_equal(view_opt_number(&v, "high", -90, 90, &number, NULL), ERR_BAD_FIELD);
        assert_int_equal(view_opt_number(&v, "low", -89.5, 90, &number, NULL), ERR_BAD_FIELD);
        assert_int_equal(view_opt_number(&v, "inf", -DBL_MAX, DBL_MAX, &number, NULL), ERR_BAD_FIELD);
        assert_true(number == -90);
}

TEST(money_is_kept_in_kurus)
{
        static const struct {
                const char *text;
                int64_t minor;
        } good[] = {{"0", 0},
                    {"-0.0", 0},
                    {"125.5", 12550},
                    {"125.50", 12550},
                    {"1e2", 10000},
                    {"0.01", 1},
                    {"0.1", 10},
                    {"0.29", 29},
                    {"1.15", 115},
                    {"4.35", 435},
                    {"19.99", 1999},
                    {"1005e-1", 10050},
                    {"8192.07", 819207},
                    {"9999999.99", 999999999},
                    {"10000000", 1000000000},
                    {"10000000.00", 1000000000},
                    /* as doubles add: 0.1 + 0.2, 1.1 + 2.2, 0.7 + 0.1, 100.1 - 100 */
                    {"0.30000000000000004", 30},
                    {"3.3000000000000003", 330},
                    {"0.7999999999999999", 80},
                    {"0.09999999999999432", 10}};
        for (size_t i = 0; i < COUNT(good); i++) {
                struct view v = view_of_value(good[i].text);
                int64_t need = -1, opt = -1;

                assert_case(view_need_money(&v, "v", &need, NULL) == ERR_OK, good[i].text);
                assert_case(view_opt_money(&v, "v", &opt, NULL) == ERR_OK, good[i].text);
                assert_case(need == good[i].minor && opt == good[i].minor, good[i].text);
        }
}

TEST(money_with_more_decimals_or_out_of_bounds_is_refused)
{
        static const char *const bad[] = {"12.345",
                                          "0.001",
                                          "0.005",
                                          "12.3450",
                                          "0.0099",
                                          "1.999",
                                          "9999999.995",
                                          "12.3401",
                                          "12.34001",
                                          "12.3400001",
                                          "-0.01",
                                          "-1",
                                          "10000000.01",
                                          "10000001",
                                          "1e8",
                                          "1e400",
                                          "9223372036854775808",
                                          "0.00001"};

        for (size_t i = 0; i < COUNT(bad); i++) {
                struct view v = view_of_value(bad[i]);
                int64_t minor = -1;

                assert_case(view_need_money(&v, "v", &minor, NULL) == ERR_BAD_FIELD, bad[i]);
                assert_case(view_opt_money(&v, "v", &minor, NULL) == ERR_BAD_FIELD, bad[i]);
                assert_int_equal(minor, -1);
        }
}

/* ---- times, ids ---- */

TEST(a_time_and_an_id_are_read)
{
        struct view v =
                read_view("{\"t\":\"2024-11-05T17:30:00\",\"i\":\"507F1F77BCF86CD799439011\",\"x\":\"x\"}");
        int64_t ms = 0;
        struct id id = {{0}};
        bool given = false;
        char text[ID_TEXT_SIZE];
        struct why why = {0};

        assert_int_equal(view_opt_time(&v, "t", &ms, NULL), ERR_OK);
        assert_true(ms == INT64_C(1730817000000));
        assert_int_equal(view_opt_id(&v, "i", &id, &given, NULL), ERR_OK);
        assert_true(given);
        assert_string_equal(id_write(&id, text), "507f1f77bcf86cd799439011");
        assert_field(&why, view_opt_time(&v, "x", &ms, &why), "x");
        assert_field(&why, view_opt_id(&v, "x", &id, &given, &why), "x");
}

/* ---- inner objects and arrays, and their paths ---- */

TEST(the_path_of_a_field_is_told_whole)
{
        struct view v = read_view(
                "{\"customer\":{\"details\":{\"name\":5}},\"items\":[{\"price\":1},{\"price\":\"x\"}]}");
        struct view customer, details, item;
        struct json_object *items;
        const char *text;
        int64_t minor = 0;
        struct why why = {0};

        assert_int_equal(view_opt_object(&v, "customer", &customer, NULL), ERR_OK);
        assert_int_equal(view_opt_object(&customer, "details", &details, NULL), ERR_OK);
        assert_field(&why, view_need_text(&details, "name", 0, 9, &text, &why), "customer.details.name");
        assert_field(&why, view_need_text(&details, "phone", 0, 9, &text, &why), "customer.details.phone");
        assert_int_equal(view_opt_array(&v, "items", 2, &items, NULL), ERR_OK);
        assert_int_equal(view_element(&v, "items", items, 0, &item, NULL), ERR_OK);
        assert_int_equal(view_need_money(&item, "price", &minor, NULL), ERR_OK);
        assert_int_equal(minor, 100);
        assert_int_equal(view_element(&v, "items", items, 1, &item, NULL), ERR_OK);
        assert_field(&why, view_need_money(&item, "price", &minor, &why), "items[1].price");
}

TEST(in_an_absent_object_everything_is_absent_under_its_path)
{
        struct view v = read_view("{\"customer\":null}"), customer, address;
        const char *text = "before";
        struct why why = {0};

        assert_int_equal(view_opt_object(&v, "customer", &customer, NULL), ERR_OK);
        assert_int_equal(view_opt_object(&customer, "address", &address, NULL), ERR_OK);
        assert_null(address.object);
        assert_int_equal(view_opt_text(&address, "city", 1, 9, &text, NULL), ERR_OK);
        assert_string_equal(text, "before");
        assert_field(&why, view_need_text(&address, "detailedAddress", 1, 9, &text, &why),
                     "customer.address.detailedAddress");
}

TEST(an_element_that_is_no_object_is_named)
{
        struct view v = read_view("{\"a\":{\"items\":[{},1,null,[]]}}"), a, item = {.path = "before"};
        struct json_object *items;
        struct why why = {0};

        assert_int_equal(view_opt_object(&v, "a", &a, NULL), ERR_OK);
        assert_int_equal(view_opt_array(&a, "items", 4, &items, NULL), ERR_OK);
        assert_field(&why, view_element(&a, "items", items, 1, &item, &why), "a.items[1]");
        assert_field(&why, view_element(&a, "items", items, 2, &item, &why), "a.items[2]");
        assert_field(&why, view_element(&a, "items", items, 3, &item, &why), "a.items[3]");
        assert_field(&why, view_element(&a, "items", items, 4, &item, &why), "a.items[4]");
        assert_string_equal(item.path, "before");
        assert_int_equal(view_element(&a, "items", items, 0, &item, NULL), ERR_OK);
        assert_string_equal(item.path, "a.items[0]");
}

TEST(an_array_has_its_most_elements)
{
        struct view v = read_view("{\"a\":[1,2,3],\"e\":[]}");
        struct json_object *array = NULL;
        struct why why = {0};

        assert_int_equal(view_opt_array(&v, "a", 3, &array, NULL), ERR_OK);
        assert_int_equal(json_object_array_length(array), 3);
        assert_field(&why, view_opt_array(&v, "a", 2, &array, &why), "a");
        assert_int_equal(json_object_array_length(array), 3);
        assert_int_equal(view_opt_array(&v, "e", 0, &array, NULL), ERR_OK);
        assert_int_equal(json_object_array_length(array), 0);
}

TEST(a_path_too_long_is_cut)
{
        static const char key[] = "a_key_that_is_as_long_as_half_of_a_path_";
        char text[256];
        struct view v, inner, innermost;
        const char *found;
        struct why why = {0};

        snprintf(text, sizeof text, "{\"%s\":{\"%s\":{}}}", key, key);
        v = read_view(text);
        assert_int_equal(view_opt_object(&v, key, &inner, NULL), ERR_OK);
        assert_int_equal(view_opt_object(&inner, key, &innermost, NULL), ERR_OK);
        assert_non_null(innermost.object);
        assert_int_equal(strlen(innermost.path), sizeof innermost.path - 1);
        assert_int_equal(view_need_text(&innermost, key, 0, 9, &found, &why), ERR_BAD_FIELD);
        assert_int_equal(strlen(why.field), sizeof why.field - 1);
        assert_memory_equal(why.field, innermost.path, sizeof innermost.path - 1);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_text_is_borrowed_from_the_document, put_document),
                cmocka_unit_test_teardown(the_length_of_a_text_is_counted_in_characters, put_document),
                cmocka_unit_test_teardown(a_text_with_nul_inside_is_refused, put_document),
                cmocka_unit_test_teardown(each_type_is_taken_by_its_own_readers, put_document),
                cmocka_unit_test_teardown(absent_is_null_and_leaves_what_was_there, put_document),
                cmocka_unit_test_teardown(what_is_needed_and_absent_is_named, put_document),
                cmocka_unit_test_teardown(a_key_stands_there_also_with_null, put_document),
                cmocka_unit_test_teardown(booleans_are_what_they_say, put_document),
                cmocka_unit_test_teardown(a_whole_number_counts_by_its_value, put_document),
                cmocka_unit_test_teardown(whole_numbers_are_exact_to_2_to_the_53, put_document),
                cmocka_unit_test_teardown(a_number_lies_in_its_bounds, put_document),
                cmocka_unit_test_teardown(money_is_kept_in_kurus, put_document),
                cmocka_unit_test_teardown(money_with_more_decimals_or_out_of_bounds_is_refused, put_document),
                cmocka_unit_test_teardown(a_time_and_an_id_are_read, put_document),
                cmocka_unit_test_teardown(the_path_of_a_field_is_told_whole, put_document),
                cmocka_unit_test_teardown(in_an_absent_object_everything_is_absent_under_its_path,
                                          put_document),
                cmocka_unit_test_teardown(an_element_that_is_no_object_is_named, put_document),
                cmocka_unit_test_teardown(an_array_has_its_most_elements, put_document),
                cmocka_unit_test_teardown(a_path_too_long_is_cut, put_document),
        };

        return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
