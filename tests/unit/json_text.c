/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - each token by itself, and what of them is an object. */
#include "model/json_text.h"

#include "model/clean.h"
#include "model/json.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE ((size_t)-1)

/* Where the first wrong token begins; NONE where all are right. A copy, so that a sanitizer sees a read beyond it. */
static size_t first_wrong(const char *text, size_t length)
{
        char *copy = malloc(length ? length : 1);
        size_t at = NONE;
        bool right;

        assert_non_null(copy);
        memcpy(copy, text, length);
        right = json_text_scan(copy, length, &at);
        free(copy);
        assert_int_equal(right, at == NONE);
        return at;
}

TEST(tokens_are_taken_whatever_their_order)
{
        static const char *const good[] = {"",
                                           " \t\r\n",
                                           "{}[]",
                                           "[[]]:,:,",
                                           "true false null",
                                           "\"\"\"\"",
                                           "0 -0 12.5e-3",
                                           "\" !#[]^~\x7f\"",
                                           "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uabCD\"",
                                           "\"x\\\\\",1"};

        for (size_t i = 0; i < COUNT(good); i++)
                assert_case(first_wrong(good[i], strlen(good[i])) == NONE, good[i]);
}

TEST(the_place_of_the_first_wrong_token_is_told)
{
        static const struct {
                const char *text;
                size_t at;
        } cases[] = {
                {"x", 0},          {" 'a'", 1},         {"{\"a\":nul}", 5},   {"{\"a\": tru", 6},
                {"[true,fals", 6}, {"[1,01]", 3},       {"[1-1]", 1},         {"[1.]", 1},
                {"[.5]", 1},       {"[+1]", 1},         {"[-]", 1},           {"[1e]", 1},
                {"[1e+]", 1},      {"[NaN]", 1},        {"[1,]", 3},          {"{\"a\":1, }", 8},
                {"\"\\x\"", 0},    {"[\"ab\x1f\"]", 1}, {"[\"\n\"]", 1},      {"\"abc", 0},
                {"\"abc\\", 0},    {"\"abc\\\"", 0},    {"{\"\\u0000\":", 9}, {"[]]", 2},
                {"}", 0},          {"[1,\v2]", 3},      {"\xef\xbb\xbf", 0},  {"1\xc2\xa0", 1},
                {"/**/", 0},       {"[1]//", 3},
        };

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_case(first_wrong(cases[i].text, strlen(cases[i].text)) == cases[i].at, cases[i].text);
        assert_int_equal(first_wrong("[\0]", 3), 1);
        assert_int_equal(first_wrong("\"\0\"", 3), 0);
        assert_int_equal(first_wrong("\"\\\0\"", 4), 0);
}

TEST(a_nul_is_wrong_in_a_key_and_right_in_a_value)
{
        static const char *const good[] = {"{\"a\":\"\\u0000\",\"b\":1}",
                                           "\"x\\u0000\",\"\":",
                                           "\"\\\\u0000\":",
                                           "\"u0000\":",
                                           "\"\\u00000\"",
                                           "\"\\u0001\":"};

        for (size_t i = 0; i < COUNT(good); i++)
                assert_case(first_wrong(good[i], strlen(good[i])) == NONE, good[i]);
        assert_int_equal(first_wrong("\"\\u0000\":", 9), 8);
        assert_int_equal(first_wrong("\"ab\\u0000cd\" :", 14), 13);
        assert_int_equal(first_wrong("\"\\u0000\\u0001\":", 15), 14);
}

TEST(brackets_go_as_deep_as_the_bound)
{
        char text[2 * JSON_DEPTH_MAX + 4];

        memset(text, '[', JSON_DEPTH_MAX + 1);
        assert_int_equal(first_wrong(text, JSON_DEPTH_MAX), NONE);
        assert_int_equal(first_wrong(text, JSON_DEPTH_MAX + 1), JSON_DEPTH_MAX);
        text[JSON_DEPTH_MAX] = '{';
        assert_int_equal(first_wrong(text, JSON_DEPTH_MAX + 1), JSON_DEPTH_MAX);
        memcpy(text + JSON_DEPTH_MAX, "][", 2);
        assert_int_equal(first_wrong(text, JSON_DEPTH_MAX + 2), NONE);
        memcpy(text + JSON_DEPTH_MAX, "}{[", 3);
        assert_int_equal(first_wrong(text, JSON_DEPTH_MAX + 3), JSON_DEPTH_MAX + 2);
}

/* How many bytes the character at `at` has, by what UTF-8 means (RFC 3629) instead of by a table; 0 when it is none. */
static size_t character(const unsigned char *at, size_t left)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t n = 0;
        uint32_t point;

        while (n < 8 && at[0] & 0x80 >> n)
                n++;
        if (n == 0)
                return 1;
        if (n == 1 || n > 4 || n > left)
                return 0;
        point = at[0] & 0x7fu >> n;
        for (size_t i = 1; i < n; i++) {
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (at[i] & 0x3f);
        }
        if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return 0;
        return n;
}

static bool is_utf8(const unsigned char *at, size_t left)
{
        while (left > 0) {
                size_t n = character(at, left);

                if (n == 0)
                        return false;
                at += n;
                left -= n;
        }
        return true;
}

/* Every four of the bytes at which something begins or ends in UTF-8. */
TEST(a_string_is_right_exactly_when_it_is_utf8)
{
        static const unsigned char edges[] = {'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                              0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
                                              0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
        size_t n = COUNT(edges), differ = 0;

        for (size_t i = 0; i < n * n * n * n; i++) {
                const unsigned char text[] = {
                        '"', edges[i % n], edges[i / n % n], edges[i / n / n % n], edges[i / n / n / n], '"'};
                size_t at = NONE;

                differ += json_text_scan((const char *)text, sizeof text, &at) != is_utf8(text + 1, 4);
        }
        assert_int_equal(differ, 0);
}

/* `unit`, so many times between two pieces. */
static bool is_modest(const char *open, const char *unit, int times, const char *shut)
{
        char *text = NULL;
        size_t length;
        FILE *to = open_memstream(&text, &length);
        bool modest;

        assert_non_null(to);
        fputs(open, to);
        for (int i = 0; i < times; i++)
                fputs(unit, to);
        fputs(shut, to);
        assert_int_equal(fclose(to), 0);
        modest = json_text_is_modest(text, length);
        free(text);
        return modest;
}

TEST(what_takes_far_more_memory_than_bytes_is_not_modest)
{
        assert_true(is_modest("[", "{},", JSON_BRACKETS_MAX - 1, "1]"));
        assert_false(is_modest("[", "{},", JSON_BRACKETS_MAX, "1]"));
        assert_false(is_modest("[", "[],", JSON_BRACKETS_MAX, "1]"));
        assert_true(is_modest("[", "1,", JSON_COMMAS_MAX, "1]"));
        assert_false(is_modest("[", "1,", JSON_COMMAS_MAX + 1, "1]"));
        assert_true(is_modest("[\"", "[{,\\\"", 2 * JSON_COMMAS_MAX, "\"]"));
        assert_false(is_modest("[\"\\\\\",", "[],", JSON_BRACKETS_MAX, "1]"));
}

TEST(an_object_is_one_where_json_read_takes_it)
{
        static const char *const texts[] = {"{}",
                                            " {\"a\":1}\n",
                                            "{\"a\":[]}",
                                            "{\"a\":[1,{\"b\":[{}]},\"x\"],\"c\":null}",
                                            "{\"\":-0.5e3}",
                                            "{\"a\":\"\\u00e7\"}",
                                            "{\"a\":{\"b\":{}},\"a\":true}",
                                            "",
                                            " ",
                                            "[]",
                                            "1",
                                            "null",
                                            "{",
                                            "}",
                                            "{}{}",
                                            "{},",
                                            "{} x",
                                            "{,}",
                                            "{\"a\"}",
                                            "{\"a\":}",
                                            "{\"a\",1}",
                                            "{\"a\":1,}",
                                            "{\"a\":1 \"b\":2}",
                                            "{\"a\"::1}",
                                            "{1:2}",
                                            "{\"a\":1:2}",
                                            "{\"a\":[}",
                                            "{\"a\":[1 2]}",
                                            "{\"a\":[1,]}",
                                            "{\"a\":[,1]}",
                                            "{\"a\":[:1]}",
                                            "{\"a\":[\"b\":1]}",
                                            "{\"a\":1]",
                                            "{\"a\":{]}",
                                            "{\"a\":[1}]",
                                            "{\"a\":\"\\u12g4\"}",
                                            "{\"a\":\"\\u12",
                                            "{[]:1}",
                                            "{\"a\":[[],{}],}",
                                            "{\"a\" \"b\"}",
                                            "{{}}",
                                            "{\"a\":{}\"b\"}",
                                            "[{}]",
                                            "\"{}\"",
                                            "{\"a\\u0000\":1}",
                                            "{\"a\":\"\xc3\"}"};
        int taken = 0;

        for (size_t i = 0; i < COUNT(texts); i++) {
                const size_t n = strlen(texts[i]);
                CLEAN(json_put_at) struct json_object *value = NULL;
                const bool is_read = json_read(texts[i], n, &value, NULL) == ERR_OK;

                assert_case(json_text_is_object(texts[i], n) == is_read, texts[i]);
                taken += is_read;
        }
        assert_int_equal(taken, 7);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(tokens_are_taken_whatever_their_order),
                cmocka_unit_test(an_object_is_one_where_json_read_takes_it),
                cmocka_unit_test(the_place_of_the_first_wrong_token_is_told),
                cmocka_unit_test(a_nul_is_wrong_in_a_key_and_right_in_a_value),
                cmocka_unit_test(brackets_go_as_deep_as_the_bound),
                cmocka_unit_test(a_string_is_right_exactly_when_it_is_utf8),
                cmocka_unit_test(what_takes_far_more_memory_than_bytes_is_not_modest),
        };

        return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
