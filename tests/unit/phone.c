/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c - one phone has one key however it is written, and two phones have two. */
#include "model/phone.h"

#include "model/text.h"

#include "tests/unit/check.h"

#include <string.h>

static void assert_key(const char *text, const char *expected)
{
        char key[PHONE_KEY_SIZE];

        if (phone_key(text, key) != (expected[0] != '\0') || !streq(key, expected))
                fail_msg("%s has the key %s instead of %s", text, key, expected);
}

TEST(a_number_of_turkey_is_the_same_however_it_is_written)
{
        static const char *const texts[] = {"5321234567",
                                            "05321234567",
                                            "+905321234567",
                                            "00905321234567",
                                            "905321234567",
                                            "0532 123 45 67",
                                            "532 123 45 67",
                                            "+90 532 123 45 67",
                                            "+90 (532) 123 45 67",
                                            "(0532) 123 45 67",
                                            "0(532)1234567",
                                            "0532-123-45-67",
                                            "0532.123.45.67",
                                            "0532/123 45 67",
                                            "0 532 123 4567",
                                            "90 532 123 45 67",
                                            "+90 0532 123 45 67",
                                            "+90(0)532 123 45 67",
                                            "90 0532 1234567",
                                            "0090 0532 1234567",
                                            "00 90 532 123 45 67",
                                            "+ 90 532 123 45 67",
                                            "(+90) 532 123 45 67",
                                            "tel:+905321234567",
                                            "Tel: 0532 123 45 67",
                                            "Cep 0532 123 45 67",
                                            " 0532 123 45 67 ",
                                            "0532\t1234567",
                                            "0532 123 45 67.",
                                            "0532\xc2\xa0"
                                            "123\xc2\xa0"
                                            "45\xc2\xa0"
                                            "67",
                                            "0532\xe2\x80\x93"
                                            "123\xe2\x80\x91"
                                            "4567",
                                            "\xe2\x80\xaa+90 532 123 45 67\xe2\x80\xac",
                                            "\xe2\x81\xa6"
                                            "0532 123 45 67\xe2\x81\xa9",
                                            "0532 123 45 67 (Ay\xc5\x9f"
                                            "e)",
                                            "0532 123 45 67 ev",
                                            "0532 123 45 67,"};

        for (size_t i = 0; i < COUNT(texts); i++)
                assert_key(texts[i], "5321234567");
        assert_key("0 (212) 365 65 65", "2123656565");
        assert_key("+902123656565", "2123656565");
        assert_key("0850 111 22 33", "8501112233");
        assert_key("0 312 905 12 34", "3129051234");
}

TEST(an_extension_belongs_to_the_number)
{
        static const char *const texts[] = {"0850 111 22 33 dahili 4567",
                                            "0850 111 22 33 (dahili: 4567)",
                                            "08501112233 / 4567",
                                            "+908501112233,4567",
                                            "+908501112233,,4567#",
                                            "+90 850 111 22 33 ext. 4567",
                                            "8501112233x4567",
                                            "+908501112233;ext=4567",
                                            "0850 111 22 33 - 4567",
                                            "0850 111 22 33 4567",
                                            "908501112233 4567",
                                            "0850 111 22 33 i\xc3\xa7 hat 4567",
                                            "0850 111 22 33 (4567)",
                                            "08501112233*4567",
                                            "+90 850 111 22 33 \xd0\xb4\xd0\xbe\xd0\xb1. 45-67"};

        for (size_t i = 0; i < COUNT(texts); i++)
                assert_key(texts[i], "8501112233x4567");
        assert_key("444 1 234 dahili 5", "4441234x5");
        assert_key("0212 555 00 00 dahili 12", "2125550000x12");
}

TEST(a_second_number_is_left_out)
{
        assert_key("0532 123 45 67 / 0212 555 11 22", "5321234567");
        assert_key("0532 123 45 67 - 0212 555 11 22 dahili 5", "5321234567");
        assert_key("0532 123 45 67 veya +90 212 555 11 22", "5321234567");
        assert_key("+49 30 1234567, 0532 123 45 67", "49301234567");
}

TEST(another_countrys_number_keeps_its_code)
{
        assert_key("+49 30 1234567", "49301234567");
        assert_key("0049 30 1234567", "49301234567");
        assert_key("+7 495 123-45-67", "74951234567");
        assert_key("+7 495 123-45-67 \xd0\xb4\xd0\xbe\xd0\xb1. 123", "74951234567x123");
        assert_key("+1 (555) 123-4567 ext 9", "15551234567x9");
        assert_key("+44 20 7946 0958", "442079460958");
}

TEST(what_is_short_is_kept_as_it_is)
{
        assert_key("444 1 234", "4441234");
        assert_key("123", "123");
        assert_key("0", "0");
        assert_key("00", "00");
        assert_key("90", "90");
        assert_key("+90", "90");
        assert_key("0 x 05", "0x05");
        assert_key("+9 x 0", "9x0");
}

TEST(what_has_no_digit_has_no_key)
{
        assert_key("", "");
        assert_key("+", "");
        assert_key("yok", "");
        assert_key("\xc5\x9f", "");
        assert_key("\xe2\x80", "");
        assert_key("\xc2", "");
}

TEST(no_text_is_too_long)
{
        char text[400], key[PHONE_KEY_SIZE];

        memset(text, '7', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        assert_true(phone_key(text, key));
        assert_int_equal(strlen(key), 10);
        text[0] = '+';
        assert_true(phone_key(text, key));
        assert_int_equal(strlen(key), 64);
        memcpy(text + 40, " x ", 3);
        assert_true(phone_key(text, key));
        assert_int_equal(strlen(key), 39);
}

TEST(its_own_key_is_a_keys_key)
{
        char key[PHONE_KEY_SIZE], again[PHONE_KEY_SIZE];
        static const char *const texts[] = {"0850 111 22 33 dahili 4567", "+90 532 123 45 67", "444 1 234"};

        for (size_t i = 0; i < COUNT(texts); i++) {
                assert_true(phone_key(texts[i], key) && phone_key(key, again));
                assert_string_equal(key, again);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_number_of_turkey_is_the_same_however_it_is_written),
                cmocka_unit_test(an_extension_belongs_to_the_number),
                cmocka_unit_test(a_second_number_is_left_out),
                cmocka_unit_test(another_countrys_number_keeps_its_code),
                cmocka_unit_test(what_is_short_is_kept_as_it_is),
                cmocka_unit_test(what_has_no_digit_has_no_key),
                cmocka_unit_test(no_text_is_too_long),
                cmocka_unit_test(its_own_key_is_a_keys_key),
        };

        return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
