/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - exactly RFC 8259 gets in, each value is judged under its path, and what is written reads back. */
#include "model/json.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The caller puts it. */
static struct json_object *read_document(const char *text)
{
        struct json_object *document = NULL;

        assert_case(json_read(text, strlen(text), &document, NULL) == ERR_OK, text);
        assert_non_null(document);
        return document;
}

static void assert_bad_bytes(const char *bytes, size_t length)
{
        char untouched, *copy = malloc(length ? length : 1);
        struct json_object *document = (struct json_object *)&untouched;
        struct why why = {0};

        /* A copy of exactly that length, so that a sanitizer sees a read beyond it. */
        assert_non_null(copy);
        memcpy(copy, bytes, length);
        assert_case(json_read(copy, length, &document, &why) == ERR_BAD_JSON, bytes);
        assert_ptr_equal(document, &untouched);
        assert_case(why.text[0] != '\0', bytes);
        free(copy);
}

static void assert_bad(const char *text)
{
        assert_bad_bytes(text, strlen(text));
}

/* ---- documents ---- */

TEST(any_object_is_read)
{
        static const char *const good[] = {
                "{}",
                " \t\r\n{ \t\r\n} \t\r\n",
                "{\"\":1}",
                "{\"a b\":\"c d\"}",
                "{\"a\":{\"b\":[1,[],{},null,true,false,\"\"]}}",
                "{\"a\":-0,\"b\":0.5,\"c\":-1.25e-3,\"d\":1E+2,\"e\":10}",
                "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e7\\ud83d\\ude00\"}",
                "{\"ş\":\"ğ😀\x7f\"}",
                "{\"a\":1e400}",
                "{\"a\":123456789012345678901234567890}",
        };

        for (size_t i = 0; i < COUNT(good); i++)
                json_object_put(read_document(good[i]));
}

TEST(anything_but_one_object_is_bad_json)
{
        static const char *const bad[] = {"",      " ",   "null", "true", "1",
                                          "\"a\"", "[]",  "[{}]", "{}{}", "{} {}",
                                          "{},",   "{}x", "{}]",  "{}}",  "{\"a\":1}1"};

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_bad(bad[i]);
}

TEST(a_cut_document_is_bad_json)
{
        static const char whole[] = "{\"restaurantId\":\"507f\\u00e7\",\"status\":[1,2.5e1,true,null,{}]}";

        for (size_t n = 0; n + 1 < sizeof whole - 1; n++)
                assert_bad_bytes(whole, n);
        json_object_put(read_document(whole));
}

TEST(a_value_that_json_has_not_is_bad_json)
{
        static const char *const bad[] = {
                "'b'",    "NaN",       "nan",  "Infinity", "-Infinity", "TRUE",        "True",   "NULL",
                "nul",    "truefalse", "01",   "-01",      "00",        "+1",          ".5",     "1.",
                "-",      "1e",        "1e+",  "1.e5",     "1-1",       "1.5.5",       "1e5.5",  "0x10",
                "1f",     "--1",       "",     "\"\\x\"",  "\"\\u12\"", "\"\\u12g4\"", "\"\\\"", "\"\t\"",
                "\"\n\"", "\"\x01\"",  "[1,]", "[,1]",     "[1 2]",     "[}",          "]",      "1 \"b\":2",
                "1,",     "/**/1",     "1//"};

        for (size_t i = 0; i < COUNT(bad); i++) {
                char text[64];

                snprintf(text, sizeof text, "{\"a\":%s}", bad[i]);
                assert_bad(text);
        }
}

TEST(what_stands_wrongly_around_values_is_bad_json)
{
        static const char *const bad[] = {"{'a':1}",        "{a:1}",          "{,}",
                                          "{\"a\" 1}",      "{\"a\"}",        "{/**/}",
                                          "{}//",           "{}/**/",         "{\"a\x1f\":1}",
                                          "{\"a\":1}\v",    "{\"a\":1}\f",    "{\"a\":1]",
                                          "{1:2}",          "{null:1}",       "{:1}",
                                          "\xef\xbb\xbf{}", "{}\xef\xbb\xbf", "{\"a\":1}\xc2\xa0"};

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_bad(bad[i]);
}

TEST(a_nul_byte_anywhere_is_bad_json)
{
        static const char whole[] = "{\"ab\":\"cd\",\"e\":[12,true]}";

        for (size_t i = 0; i < sizeof whole; i++) {
                char text[sizeof whole];

                memcpy(text, whole, i);
                text[i] = '\0';
                memcpy(text + i + 1, whole + i, sizeof whole - 1 - i);
                assert_bad_bytes(text, sizeof whole);
        }
}

TEST(a_key_with_an_escaped_nul_is_bad_json)
{
        assert_bad("{\"status\\u0000\":2}");
        assert_bad("{\"\\u0000\" : 2}");
        assert_bad("{\"a\":1,\"b\":{\"\\u0000c\":2}}");
        json_object_put(read_document("{\"a\":\"\\u0000\",\"b\":1}"));
        json_object_put(read_document("{\"\\\\u0000\":1}"));
}

TEST(text_that_is_not_utf8_is_bad_json)
{
        static const char *const bad[] = {
                "\x80",
                "\xbf",
                "\xc0\x80",
                "\xc1\xbf",
                "\xc2",
                "\xc2\x7f",
                "\xc2\xc0",
                "\xdf\x20",
                "\xe0\x80\x80",
                "\xe0\x9f\xbf",
                "\xe1\x80",
                "\xe1\x80\x7f",
                "\xe1\xc0\x80",
                "\xed\xa0\x80",
                "\xed\xbf\xbf",
                "\xef\xbf",
                "\xf0\x80\x80\x80",
                "\xf0\x8f\xbf\xbf",
                "\xf1\x80\x80",
                "\xf1\x80\x80\xc0",
                "\xf1\x80\xc0\x80",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xf8\x88\x80\x80",
                "\xfe",
                "\xff",
        };

        for (size_t i = 0; i < COUNT(bad); i++) {
                char text[32];

                snprintf(text, sizeof text, "{\"a\":\"%s\"}", bad[i]);
                assert_bad(text);
                snprintf(text, sizeof text, "{\"%s\":1}", bad[i]);
                assert_bad(text);
                snprintf(text, sizeof text, "{}%s", bad[i]);
                assert_bad(text);
                snprintf(text, sizeof text, "{\"a\":\"%s", bad[i]);
                assert_bad(text);
        }
}

TEST(the_first_and_last_characters_of_each_length_are_taken)
{
        static const char *const good[] = {
                "\xc2\x80",         "\xdf\xbf",         "\xe0\xa0\x80",    "\xe1\x80\x80", "\xec\xbf\xbf",
                "\xed\x80\x80",     "\xed\x9f\xbf",     "\xee\x80\x80",    "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                "\xf1\x80\x80\x80", "\xf3\xbf\xbf\xbf", "\xf4\x8f\xbf\xbf"};

        for (size_t i = 0; i < COUNT(good); i++) {
                CLEAN(json_put_at) struct json_object *document = NULL;
                char text[32];

                snprintf(text, sizeof text, "{\"a\":\"%s\"}", good[i]);
                document = read_document(text);
                assert_string_equal(json_get_text(document, "a"), good[i]);
        }
}

TEST(of_duplicate_members_the_last_counts)
{
        CLEAN(json_put_at)
        struct json_object *document = read_document("{\"a\":1,\"b\":5,\"a\":\"x\",\"a\":3}");

        assert_int_equal(json_get_int(document, "a", 0), 3);
        assert_int_equal(json_get_int(document, "b", 0), 5);
}

/* `open` n times, `inside`, `shut` n times; the caller frees. */
static char *nested(int n, const char *open, const char *inside, const char *shut)
{
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);

        assert_non_null(stream);
        for (int i = 0; i < n; i++)
                fputs(open, stream);
        fputs(inside, stream);
        for (int i = 0; i < n; i++)
                fputs(shut, stream);
        assert_int_equal(fclose(stream), 0);
        return text;
}

static enum err read_nested(int n, const char *open, const char *inside, const char *shut)
{
        CLEAN(free_at) char *text = nested(n, open, inside, shut);
        CLEAN(json_put_at) struct json_object *document = NULL;

        return json_read_any(text, strlen(text), &document, NULL);
}

TEST(documents_nest_to_the_bound_and_no_deeper)
{
        static const char *const insides[] = {"", "1", "\"\"", "null"};

        for (size_t i = 0; i < COUNT(insides); i++) {
                assert_int_equal(read_nested(JSON_DEPTH_MAX, "[", insides[i], "]"), ERR_OK);
                assert_int_equal(read_nested(JSON_DEPTH_MAX + 1, "[", insides[i], "]"), ERR_BAD_JSON);
        }
        assert_int_equal(read_nested(JSON_DEPTH_MAX, "{\"a\":", "1", "}"), ERR_OK);
        assert_int_equal(read_nested(JSON_DEPTH_MAX - 1, "{\"a\":", "{}", "}"), ERR_OK);
        assert_int_equal(read_nested(JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}"), ERR_BAD_JSON);
        assert_int_equal(read_nested(JSON_DEPTH_MAX, "{\"a\":", "{}", "}"), ERR_BAD_JSON);
        assert_int_equal(read_nested(10000, "[", "", "]"), ERR_BAD_JSON);
        assert_int_equal(read_nested(10000, "{\"a\":", "1", "}"), ERR_BAD_JSON);
        assert_int_equal(read_nested(10000, "[", "", ""), ERR_BAD_JSON);
}

TEST(many_side_by_side_are_not_deep)
{
        CLEAN(free_at) char *middle = nested(500, "[{}],", "1", "");
        CLEAN(free_at) char *text = nested(1, "[", middle, "]");
        CLEAN(json_put_at) struct json_object *document = NULL;

        assert_int_equal(json_read_any(text, strlen(text), &document, NULL), ERR_OK);
        assert_int_equal(json_object_array_length(document), 501);
}

TEST(any_value_is_read_where_any_is_wanted)
{
        static const char *const good[] = {"{}",     "[]",   "[1,\"a\"]", "\"a\"", "1",
                                           "-1.5e3", " 12 ", "true",      "false"};
        static const char *const bad[] = {"",      " ", "nul", "nulll", "null null", "1 2",
                                          "truex", "[", "]",   "1,",    "{}{}"};
        struct json_object *document = NULL;

        for (size_t i = 0; i < COUNT(good); i++) {
                assert_case(json_read_any(good[i], strlen(good[i]), &document, NULL) == ERR_OK, good[i]);
                assert_non_null(document);
                json_object_put(TAKE(document));
        }
        for (size_t i = 0; i < COUNT(bad); i++)
                assert_case(json_read_any(bad[i], strlen(bad[i]), &document, NULL) == ERR_BAD_JSON, bad[i]);
        assert_null(document);
        assert_int_equal(json_read_any("12345", 2, &document, NULL), ERR_OK);
        assert_int_equal(json_object_get_int64(document), 12);
        json_object_put(document);
}

TEST(the_document_null_is_no_object)
{
        char untouched;
        struct json_object *document = (struct json_object *)&untouched;

        assert_int_equal(json_read_any(" \n null\t", 8, &document, NULL), ERR_OK);
        assert_null(document);
}

TEST(no_bytes_are_bad_json)
{
        struct json_object *document = NULL;

        assert_int_equal(json_read(NULL, 0, &document, NULL), ERR_BAD_JSON);
        assert_int_equal(json_read_any(NULL, 0, &document, NULL), ERR_BAD_JSON);
}

TEST(a_bad_document_leaves_nothing_behind_for_the_next)
{
        static const char *const bad[] = {"{\"a\":{\"b\":[1,", "{\"a\":tru", "{\"a\":\"x\\u12",
                                          "{\"a\":[1}",        "12",         "{} 1"};

        for (size_t i = 0; i < COUNT(bad); i++) {
                CLEAN(json_put_at) struct json_object *document = NULL;

                assert_bad(bad[i]);
                document = read_document("{\"c\":3}");
                assert_int_equal(json_object_object_length(document), 1);
                assert_int_equal(json_get_int(document, "c", 0), 3);
        }
}

static void *read_often(void *arg)
{
        bool *all_good = arg;

        *all_good = true;
        for (int i = 0; i < 200; i++) {
                CLEAN(json_put_at) struct json_object *good = NULL, *bad = NULL;

                *all_good = *all_good && json_read("{\"a\":[1,2,{}]}", 14, &good, NULL) == ERR_OK &&
                            json_read("{\"a\":[1,2,{}]", 13, &bad, NULL) == ERR_BAD_JSON;
        }
        return NULL;
}

/* Also that a thread leaves nothing behind at its end: a sanitizer sees it. */
TEST(any_thread_may_read)
{
        pthread_t threads[8];
        bool good[8] = {false};

        for (size_t i = 0; i < COUNT(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_often, &good[i]), 0);
        for (size_t i = 0; i < COUNT(threads); i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_true(good[i]);
        }
}

/* ---- writers, and what we wrote ourselves ---- */

TEST(what_is_written_is_plain_and_in_order)
{
        static const struct id id = {
                {0x50, 0x7f, 0x1f, 0x77, 0xbc, 0xf8, 0x6c, 0xd7, 0x99, 0x43, 0x90, 0x11}};
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        CLEAN(free_at) char *text = NULL;

        assert_true(json_add_text(document, "text", "a/b \"ç\" \x01"));
        assert_true(json_add_text(document, "none", NULL));
        assert_true(json_add_int(document, "int", INT64_MIN));
        assert_true(json_add_bool(document, "yes", true));
        assert_true(json_add_bool(document, "no", false));
        assert_true(json_add_id(document, "id", &id));
        assert_true(json_add_time(document, "time", INT64_C(1730817000000)));
        assert_true(json_add(document, "inner", json_object_new_array()));
        assert_true(json_add(document, "null", NULL));
        text = json_text(document);
        assert_string_equal(text,
                            "{\"text\":\"a/b \\\"ç\\\" \\u0001\",\"none\":null,\"int\":-9223372036854775808,"
                            "\"yes\":true,\"no\":false,\"id\":\"507f1f77bcf86cd799439011\","
                            "\"time\":\"2024-11-05T14:30:00.000Z\",\"inner\":[],\"null\":null}");
}

TEST(a_key_written_again_holds_the_later_value)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        CLEAN(free_at) char *text = NULL;

        assert_true(json_add_int(document, "a", 1));
        assert_true(json_add_int(document, "a", 2));
        text = json_text(document);
        assert_string_equal(text, "{\"a\":2}");
}

TEST(an_array_grows_by_what_is_there)
{
        CLEAN(json_put_at) struct json_object *array = json_object_new_array();
        CLEAN(free_at) char *text = NULL;

        assert_true(json_append(array, json_object_new_int64(1)));
        assert_true(json_append(array, json_object_new_string("a")));
        assert_false(json_append(array, NULL));
        assert_false(json_append(NULL, json_object_new_int64(2)));
        assert_false(json_append(NULL, NULL));
        text = json_text(array);
        assert_string_equal(text, "[1,\"a\"]");
}

TEST(members_of_a_text_stand_behind_those_of_another)
{
        static const char *const cases[][3] = {
                {"{}", "{}", "{}"},
                {"{\"a\":1}", "{}", "{\"a\":1}"},
                {"{\"a\":1}", " { \n } ", "{\"a\":1}"},
                {"{}", "{\"b\":{}}", "{\"b\":{}}"},
                {"{\"a\":{}}", " { \"b\" : [{}] } ", "{\"a\":{}, \"b\" : [{}] }"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(free_at) char *text = strdup(cases[i][0]);

                assert_true(json_extend(&text, cases[i][1]));
                assert_string_equal(text, cases[i][2]);
        }
}

TEST(what_is_at_hand_is_written_as_it_is)
{
        CLEAN(json_put_at) struct json_object *array = json_object_new_array();
        CLEAN(free_at) char *text = NULL;

        assert_true(json_append(array, json_as_is("{\"a\":1.50}")) && json_append(array, json_as_is("{}")));
        text = json_text(array);
        assert_string_equal(text, "[{\"a\":1.50},{}]");
}

TEST(money_is_written_as_short_as_it_is)
{
        static const struct {
                int64_t minor;
                const char *text;
        } cases[] = {
                {0, "{\"m\":0}"},
                {1, "{\"m\":0.01}"},
                {10, "{\"m\":0.1}"},
                {30, "{\"m\":0.3}"},
                {110, "{\"m\":1.1}"},
                {12500, "{\"m\":125}"},
                {12505, "{\"m\":125.05}"},
                {12550, "{\"m\":125.5}"},
                {999999999, "{\"m\":9999999.99}"},
                {1000000000, "{\"m\":10000000}"},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(json_put_at) struct json_object *document = json_object_new_object();
                CLEAN(free_at) char *text = NULL;

                assert_true(json_add_money(document, "m", cases[i].minor));
                text = json_text(document);
                assert_string_equal(text, cases[i].text);
        }
}

TEST(written_money_reads_back)
{
        for (int64_t minor = 0; minor <= 1000000000; minor += minor < 20000 ? 1 : 7654321) {
                CLEAN(json_put_at) struct json_object *written = json_object_new_object(), *document = NULL;
                CLEAN(free_at) char *text = NULL;
                struct view v = view_of(written);
                int64_t back = -1;

                assert_true(json_add_money(written, "m", minor));
                assert_int_equal(view_need_money(&v, "m", &back, NULL), ERR_OK);
                assert_true(back == minor);
                back = -1;
                text = json_text(written);
                document = read_document(text);
                v = view_of(document);
                assert_case(view_need_money(&v, "m", &back, NULL) == ERR_OK, text);
                assert_case(back == minor, text);
        }
}

TEST(members_of_a_stored_document_are_got_or_fall_back)
{
        CLEAN(json_put_at)
        struct json_object *document = read_document(
                "{\"t\":\"x\",\"i\":-9223372036854775808,\"b\":true,\"f\":false,\"d\":1.5,\"n\":null}");

        assert_string_equal(json_get_text(document, "t"), "x");
        assert_null(json_get_text(document, "i"));
        assert_null(json_get_text(document, "n"));
        assert_null(json_get_text(document, "absent"));
        assert_true(json_get_int(document, "i", 7) == INT64_MIN);
        assert_int_equal(json_get_int(document, "t", 7), 7);
        assert_int_equal(json_get_int(document, "d", 7), 7);
        assert_int_equal(json_get_int(document, "n", 7), 7);
        assert_int_equal(json_get_int(document, "absent", 7), 7);
        assert_true(json_get_bool(document, "b", false));
        assert_false(json_get_bool(document, "f", true));
        assert_true(json_get_bool(document, "i", true));
        assert_false(json_get_bool(document, "t", false));
        assert_true(json_get_bool(document, "absent", true));
}

TEST(nothing_is_put_too)
{
        struct json_object *nothing = NULL;

        json_put_at(&nothing);
        assert_null(json_get_text(NULL, "a"));
        assert_int_equal(json_get_int(NULL, "a", 3), 3);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_object_is_read),
                cmocka_unit_test(anything_but_one_object_is_bad_json),
                cmocka_unit_test(a_cut_document_is_bad_json),
                cmocka_unit_test(a_value_that_json_has_not_is_bad_json),
                cmocka_unit_test(what_stands_wrongly_around_values_is_bad_json),
                cmocka_unit_test(a_nul_byte_anywhere_is_bad_json),
                cmocka_unit_test(a_key_with_an_escaped_nul_is_bad_json),
                cmocka_unit_test(text_that_is_not_utf8_is_bad_json),
                cmocka_unit_test(the_first_and_last_characters_of_each_length_are_taken),
                cmocka_unit_test(of_duplicate_members_the_last_counts),
                cmocka_unit_test(documents_nest_to_the_bound_and_no_deeper),
                cmocka_unit_test(many_side_by_side_are_not_deep),
                cmocka_unit_test(any_value_is_read_where_any_is_wanted),
                cmocka_unit_test(the_document_null_is_no_object),
                cmocka_unit_test(no_bytes_are_bad_json),
                cmocka_unit_test(a_bad_document_leaves_nothing_behind_for_the_next),
                cmocka_unit_test(any_thread_may_read),
                cmocka_unit_test(what_is_written_is_plain_and_in_order),
                cmocka_unit_test(a_key_written_again_holds_the_later_value),
                cmocka_unit_test(an_array_grows_by_what_is_there),
                cmocka_unit_test(members_of_a_text_stand_behind_those_of_another),
                cmocka_unit_test(what_is_at_hand_is_written_as_it_is),
                cmocka_unit_test(money_is_written_as_short_as_it_is),
                cmocka_unit_test(written_money_reads_back),
                cmocka_unit_test(members_of_a_stored_document_are_got_or_fall_back),
                cmocka_unit_test(nothing_is_put_too),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
