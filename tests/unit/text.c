/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - ids and times survive the way out and back in, and nothing else gets in. */
#include "model/text.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- strings ---- */

TEST(strings_are_equal_only_when_both_are_there_and_the_same)
{
        char here[] = "yeni", there[] = "yeni";

        assert_true(streq(here, there));
        assert_true(streq("", ""));
        assert_false(streq("yeni", "yenI"));
        assert_false(streq("yeni", "yen"));
        assert_false(streq("yen", "yeni"));
        assert_false(streq(NULL, ""));
        assert_false(streq("", NULL));
        assert_false(streq(NULL, NULL));
}

TEST(a_text_that_fits_is_copied_with_its_end)
{
        char to[6] = "#####";

        assert_true(text_copy(to, 5, "hazi"));
        assert_string_equal(to, "hazi");
        to[4] = '#';
        assert_true(text_copy(to, sizeof to, "haz"));
        assert_string_equal(to, "haz");
        assert_int_equal(to[4], '#');
        assert_true(text_copy(to, 1, ""));
        assert_string_equal(to, "");
}

TEST(a_text_that_does_not_fit_leaves_an_empty_one)
{
        char to[6] = "#####";

        assert_false(text_copy(to, 5, "hazir"));
        assert_string_equal(to, "");
        assert_int_equal(to[1], '#');
        to[0] = '#';
        assert_false(text_copy(to, 1, "x"));
        assert_string_equal(to, "");
        to[0] = '#';
        assert_false(text_copy(to, 0, ""));
        assert_int_equal(to[0], '#');
}

TEST(printable_is_ascii_from_space_to_tilde)
{
        for (int c = 1; c < 256; c++) {
                for (int place = 0; place < 3; place++) {
                        char text[] = "abc";

                        text[place] = (char)c;
                        assert_int_equal(text_is_printable(text, 0, 8), c >= 0x20 && c <= 0x7e);
                }
        }
}

TEST(printable_has_its_least_and_most_bytes)
{
        assert_true(text_is_printable("abc", 3, 3));
        assert_false(text_is_printable("abc", 4, 8));
        assert_false(text_is_printable("abc", 0, 2));
        assert_true(text_is_printable("", 0, 0));
        assert_false(text_is_printable("", 1, 8));
}

/* ---- hex and ids ---- */

TEST(hex_is_written_in_lower_case)
{
        static const uint8_t bytes[] = {0x00, 0x01, 0x9a, 0xbc, 0xde, 0xf0, 0xff};
        char to[2 * sizeof bytes + 1];

        hex_write(bytes, sizeof bytes, to);
        assert_string_equal(to, "00019abcdef0ff");
        hex_write(bytes, 0, to);
        assert_string_equal(to, "");
}

TEST(hex_is_read_in_any_case)
{
        static const uint8_t expected[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef};
        uint8_t to[sizeof expected];

        assert_true(hex_read("0123456789abcdefABCDEF", to, sizeof to));
        assert_memory_equal(to, expected, sizeof expected);
        assert_true(hex_read("", to, 0));
}

TEST(only_hex_digits_are_read_as_hex)
{
        static const char digits[] = "0123456789abcdefABCDEF";
        uint8_t to[2];

        for (int c = 1; c < 256; c++) {
                for (int place = 0; place < 4; place++) {
                        char text[] = "0000";

                        text[place] = (char)c;
                        assert_int_equal(hex_read(text, to, 2), strchr(digits, c) != NULL);
                }
        }
}

TEST(hex_of_another_length_is_refused)
{
        uint8_t to[2];

        assert_false(hex_read("", to, 2));
        assert_false(hex_read("0", to, 2));
        assert_false(hex_read("000", to, 2));
        assert_false(hex_read("00000", to, 2));
        assert_false(hex_read("000000", to, 2));
}

TEST(an_id_is_24_hex_digits_in_any_case)
{
        struct id lower, upper;
        char text[ID_TEXT_SIZE];

        assert_true(id_read("507f1f77bcf86cd799439abc", &lower));
        assert_true(id_read("507F1F77BCF86CD799439ABC", &upper));
        assert_true(id_equal(&lower, &upper));
        assert_int_equal(lower.bytes[0], 0x50);
        assert_int_equal(lower.bytes[11], 0xbc);
        assert_ptr_equal(id_write(&upper, text), text);
        assert_string_equal(text, "507f1f77bcf86cd799439abc");
}

TEST(an_id_that_is_none_leaves_the_old_one_alone)
{
        static const char *const bad[] = {"",
                                          "507f1f77bcf86cd79943901",
                                          "507f1f77bcf86cd7994390111",
                                          "507f1f77bcf86cd79943901g",
                                          "507f1f77bcf86cd79943901 ",
                                          " 507f1f77bcf86cd79943901",
                                          "0x7f1f77bcf86cd799439011"};
        struct id id, before;

        assert_true(id_read("0123456789abcdef01234567", &id));
        before = id;
        for (size_t i = 0; i < COUNT(bad); i++) {
                assert_case(!id_read(bad[i], &id), bad[i]);
                assert_case(id_equal(&id, &before), bad[i]);
        }
}

TEST(ids_differ_by_any_byte)
{
        struct id zero = {{0}};

        assert_true(id_is_zero(&zero));
        assert_true(id_equal(&zero, &zero));
        for (size_t i = 0; i < sizeof zero.bytes; i++) {
                struct id other = {{0}};

                other.bytes[i] = 0x80;
                assert_false(id_is_zero(&other));
                assert_false(id_equal(&zero, &other));
        }
}

TEST(a_made_id_begins_with_its_second_and_is_never_made_again)
{
        struct id first, second;
        char text[ID_TEXT_SIZE];

        assert_true(id_make(INT64_C(1730817000999), &first));
        assert_true(id_make(INT64_C(1730817000999), &second));
        assert_memory_equal(id_write(&first, text), "672a2be8", 8);
        assert_memory_equal(id_write(&second, text), "672a2be8", 8);
        assert_memory_not_equal(first.bytes + 4, second.bytes + 4, 4);
        assert_memory_not_equal(first.bytes + 8, second.bytes + 8, 4);
}

TEST(ids_made_in_one_second_sort_by_their_making)
{
        struct id before = {{0}}, id;

        for (int i = 0; i < 1000; i++) {
                assert_true(id_make(INT64_C(1730817000000) + i % 7, &id));
                assert_true(memcmp(before.bytes, id.bytes, sizeof id.bytes) < 0);
                before = id;
        }
        assert_true(id_make(INT64_C(1730817001000), &id));
        assert_true(memcmp(before.bytes, id.bytes, sizeof id.bytes) < 0);
}

/* ---- times ---- */

/* An oracle of its own: the C library's calendar. */
static void library_time(int64_t ms, char *to, size_t size)
{
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;
        size_t n;

        assert_non_null(gmtime_r(&seconds, &tm));
        n = strftime(to, size, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(to + n, size - n, ".%03dZ", (int)(ms % 1000));
}

TEST(every_day_from_1970_to_9999_goes_out_and_comes_back)
{
        for (int64_t day = 0; day <= 2932896; day++) {
                int64_t ms = day * 86400000 + day * 7919 % 86400000, back = -1;
                char text[TIME_TEXT_SIZE], expected[64];

                /* Day by day to 2134, 2000 and 2100 included; each ninth from there. */
                if (day > 60000 && day % 9 != 0)
                        continue;
                library_time(ms, expected, sizeof expected);
                assert_ptr_equal(time_write(ms, text), text);
                assert_string_equal(text, expected);
                assert_case(time_read(text, &back), text);
                assert_case(back == ms, text);
        }
}

TEST(the_first_and_the_last_moment_are_written)
{
        char text[TIME_TEXT_SIZE];

        assert_string_equal(time_write(0, text), "1970-01-01T00:00:00.000Z");
        assert_string_equal(time_write(INT64_C(253402300799999), text), "9999-12-31T23:59:59.999Z");
        assert_string_equal(time_write(INT64_C(1730817000000), text), "2024-11-05T14:30:00.000Z");
}

TEST(a_time_beyond_the_calendar_is_written_as_its_end)
{
        char text[TIME_TEXT_SIZE];

        assert_string_equal(time_write(-1, text), "1970-01-01T00:00:00.000Z");
        assert_string_equal(time_write(INT64_MIN, text), "1970-01-01T00:00:00.000Z");
        assert_string_equal(time_write(INT64_C(253402300800000), text), "9999-12-31T23:59:59.999Z");
        assert_string_equal(time_write(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

TEST(times_are_read_with_any_offset_and_fraction)
{
        static const struct {
                const char *text;
                int64_t ms;
        } cases[] = {
                {"2024-11-05T14:30:00Z", 1730817000000},
                {"2024-11-05t14:30:00z", 1730817000000},
                {"2024-11-05 14:30:00Z", 1730817000000},
                {"2024-11-05T14:30:00+00:00", 1730817000000},
                {"2024-11-05T14:30:00-00:00", 1730817000000},
                {"2024-11-05T17:30:00+03:00", 1730817000000},
                {"2024-11-05T17:30:00", 1730817000000}, /* Turkey's zone where none is told */
                {"2024-11-05 17:30:00.5", 1730817000500},
                {"2024-11-05T00:30:00-14:00", 1730817000000},
                {"2024-11-06T14:29:00+23:59", 1730817000000},
                {"2024-11-04T14:31:00-23:59", 1730817000000},
                {"2024-11-05T20:00:00+05:30", 1730817000000},
                {"2024-11-05T14:30:00.1Z", 1730817000100},
                {"2024-11-05T14:30:00.12Z", 1730817000120},
                {"2024-11-05T14:30:00.123Z", 1730817000123},
                {"2024-11-05T14:30:00.1239Z", 1730817000123},
                {"2024-11-05T14:30:00.123456+00:00", 1730817000123},
                {"2024-11-05T14:30:00.00099999999999999999999999999999Z", 1730817000000},
                {"2000-02-29T12:34:56Z", 951827696000},
                {"2024-02-29T23:59:59Z", 1709251199000},
                {"2100-03-01T00:00:00Z", 4107542400000},
                {"1970-01-01T00:00:00Z", 0},
                {"1970-01-01T03:00:00", 0},
                {"1969-12-31T23:00:00-01:00", 0},
                {"9999-12-31T23:59:59.999Z", 253402300799999},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
                int64_t ms = -1;

                assert_case(time_read(cases[i].text, &ms), cases[i].text);
                assert_case(ms == cases[i].ms, cases[i].text);
        }
}

static void assert_no_time(const char *text)
{
        int64_t ms = 42;

        assert_case(!time_read(text, &ms), text);
        assert_case(ms == 42, text);
}

TEST(impossible_dates_and_hours_are_refused)
{
        static const char *const bad[] = {
                "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
                "2024-01-32T00:00:00Z", "2024-04-31T00:00:00Z", "2024-06-31T00:00:00Z",
                "2024-09-31T00:00:00Z", "2024-11-31T00:00:00Z", "2024-03-32T00:00:00Z",
                "2024-12-32T00:00:00Z", "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z",
                "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
                "2024-01-01T00:00:60Z", "2016-12-31T23:59:60Z",
        };

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_no_time(bad[i]);
}

TEST(times_before_1970_and_after_9999_are_refused)
{
        static const char *const bad[] = {
                "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00",       "1970-01-01T02:59:59+03:00",
                "0000-01-01T00:00:00Z",     "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z",
        };

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_no_time(bad[i]);
}

TEST(what_is_not_rfc_3339_is_no_time)
{
        static const char *const bad[] = {
                "",
                "now",
                "1730817000",
                "2024-11-05",
                "2024-11-05T",
                "2024-11-05T14",
                "2024-11-05T14:30",
                "2024-11-05T14:30Z",
                "2024-11-05T14:30:0Z",
                "2024-11-05T14:30:00.Z",
                "2024-11-05T14:30:00,5Z",
                "2024-11-05T14:30:00 Z",
                "2024-11-05T14:30:00Z ",
                " 2024-11-05T14:30:00Z",
                "2024-11-05  14:30:00Z",
                "2024-11-05_14:30:00Z",
                "2024-11-05T14:30:00ZZ",
                "2024-11-05T14:30:00Z+03:00",
                "2024-11-05T14:30:00+03",
                "2024-11-05T14:30:00+0300",
                "2024-11-05T14:30:00+03:0",
                "2024-11-05T14:30:00+03:000",
                "2024-11-05T14:30:00+24:00",
                "2024-11-05T14:30:00-24:00",
                "2024-11-05T14:30:00+03:60",
                "2024-11-05T14:30:00+-3:00",
                "2024-11-05T14:30:00*03:00",
                "2024/11/05T14:30:00Z",
                "2024-11/05T14:30:00Z",
                "2024-11-05T14-30:00Z",
                "2024-11-05T14:30-00Z",
                "24-11-05T14:30:00Z",
                "+024-11-05T14:30:00Z",
                "2024-1-05T14:30:00Z",
                "2024-11-5T14:30:00Z",
                "2024-11-05T1:30:00Z",
                "2024-11-05T14:3a:00Z",
                "2024-11-05T14:30:00.12a",
                "2024-11-05T14:30:00.",
                "2024-11-05T14:30:00.+03:00",
                "2024-1/-05T14:30:00Z",
                "2024-1:-05T14:30:00Z",
        };

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_no_time(bad[i]);
}

TEST(the_wall_clock_tells_the_time_of_day)
{
        int64_t before = (int64_t)time(NULL) * 1000 - 1000, now = time_now_ms();

        assert_true(now >= before);
        assert_true(now <= (int64_t)time(NULL) * 1000 + 2000);
}

TEST(the_boot_clock_counts_at_least_what_the_monotonic_one_does)
{
        struct timespec now;
        int64_t boot;

        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        boot = time_boot_ms();
        assert_true(boot >= now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000);
        assert_true(time_boot_ms() >= boot);
        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
        assert_true(time_boot_ms() - now.tv_sec * INT64_C(1000) < 60000);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(strings_are_equal_only_when_both_are_there_and_the_same),
                cmocka_unit_test(a_text_that_fits_is_copied_with_its_end),
                cmocka_unit_test(a_text_that_does_not_fit_leaves_an_empty_one),
                cmocka_unit_test(printable_is_ascii_from_space_to_tilde),
                cmocka_unit_test(printable_has_its_least_and_most_bytes),
                cmocka_unit_test(hex_is_written_in_lower_case),
                cmocka_unit_test(hex_is_read_in_any_case),
                cmocka_unit_test(only_hex_digits_are_read_as_hex),
                cmocka_unit_test(hex_of_another_length_is_refused),
                cmocka_unit_test(an_id_is_24_hex_digits_in_any_case),
                cmocka_unit_test(an_id_that_is_none_leaves_the_old_one_alone),
                cmocka_unit_test(ids_differ_by_any_byte),
                cmocka_unit_test(a_made_id_begins_with_its_second_and_is_never_made_again),
                cmocka_unit_test(ids_made_in_one_second_sort_by_their_making),
                cmocka_unit_test(every_day_from_1970_to_9999_goes_out_and_comes_back),
                cmocka_unit_test(the_first_and_the_last_moment_are_written),
                cmocka_unit_test(a_time_beyond_the_calendar_is_written_as_its_end),
                cmocka_unit_test(times_are_read_with_any_offset_and_fraction),
                cmocka_unit_test(impossible_dates_and_hours_are_refused),
                cmocka_unit_test(times_before_1970_and_after_9999_are_refused),
                cmocka_unit_test(what_is_not_rfc_3339_is_no_time),
                cmocka_unit_test(the_wall_clock_tells_the_time_of_day),
                cmocka_unit_test(the_boot_clock_counts_at_least_what_the_monotonic_one_does),
        };

        return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
