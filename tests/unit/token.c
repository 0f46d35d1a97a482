/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - a token is shown once, found by its digest, and known again by its marks. */
#include "model/token.h"

#include "tests/unit/records.h"

#define MINUTE_MS INT64_C(60000)

static struct record made(char text[APIKEY_TEXT_SIZE])
{
        struct id restaurant = read_id(OWN_ID);
        struct record record = {0};

        assert_int_equal(token_make(&restaurant, "Kasa", NOW_MS, &record, text, NULL), ERR_OK);
        stamp(&record);
        return record;
}

TEST(a_token_is_found_by_its_digest_and_not_kept)
{
        char text[APIKEY_TEXT_SIZE];
        CLEAN(record_done) struct record record = made(text);
        struct digest digest;
        struct id id, restaurant = read_id(OWN_ID);

        assert_int_equal(record.kind, RECORD_TOKEN);
        assert_true(id_read(record.id, &id));
        assert_true(id_equal(&record.restaurant, &restaurant));
        assert_int_equal(strncmp(text, "krt_", 4), 0);
        assert_true(apikey_digest(TOKEN_PREFIX, text, &digest));
        assert_int_equal(record.n_looks, 1);
        assert_memory_equal(&record.looks[0], &digest, sizeof digest);
        assert_null(strstr(record.document, text + 4));
        assert_null(strstr(record.document, text + 20));
}

TEST(its_holder_is_given_the_text)
{
        char text[APIKEY_TEXT_SIZE], expected[256];
        CLEAN(record_done) struct record record = made(text);

        snprintf(expected, sizeof expected,
                 "{'tokenId':'%s','name':'Kasa','token':'%s','createdAt':'2024-11-05T14:30:00.000Z'}",
                 record.id, text);
        assert_shown(token_write(&record, text), expected);
}

TEST(the_list_shows_prefix_last_four_and_last_use)
{
        char text[APIKEY_TEXT_SIZE], expected[256];
        CLEAN(record_done) struct record record = made(text);

        snprintf(expected, sizeof expected,
                 "{'tokenId':'%s','name':'Kasa','prefix':'%.8s','last4':'%s','lastUsedAt':null,"
                 "'createdAt':'2024-11-05T14:30:00.000Z'}",
                 record.id, text, text + strlen(text) - 4);
        assert_shown(token_write(&record, NULL), expected);
        assert_int_equal(token_touch(&record, NULL, NOW_MS + MINUTE_MS, NULL), ERR_OK);
        snprintf(expected, sizeof expected,
                 "{'tokenId':'%s','name':'Kasa','prefix':'%.8s','last4':'%s',"
                 "'lastUsedAt':'2024-11-05T14:31:00.000Z','createdAt':'2024-11-05T14:30:00.000Z'}",
                 record.id, text, text + strlen(text) - 4);
        assert_shown(token_write(&record, NULL), expected);
        assert_int_equal(record.n_looks, 1);
}

TEST(its_use_is_written_down_every_ten_minutes_at_most)
{
        char text[APIKEY_TEXT_SIZE];
        CLEAN(record_done) struct record record = made(text);

        assert_true(token_needs_touch(&record, NOW_MS));
        assert_int_equal(token_touch(&record, NULL, NOW_MS, NULL), ERR_OK);
        assert_false(token_needs_touch(&record, NOW_MS));
        assert_false(token_needs_touch(&record, NOW_MS + 10 * MINUTE_MS - 1));
        assert_true(token_needs_touch(&record, NOW_MS + 10 * MINUTE_MS));
        assert_false(token_needs_touch(&record, NOW_MS - 1));
}

TEST(a_damaged_one_is_neither_shown_nor_touched)
{
        struct record damaged = {.document = (char[]){"[]"}};

        assert_null(token_write(&damaged, NULL));
        assert_false(token_needs_touch(&damaged, NOW_MS));
        assert_int_equal(token_touch(&damaged, NULL, NOW_MS, NULL), ERR_INTERNAL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_token_is_found_by_its_digest_and_not_kept),
                cmocka_unit_test(its_holder_is_given_the_text),
                cmocka_unit_test(the_list_shows_prefix_last_four_and_last_use),
                cmocka_unit_test(its_use_is_written_down_every_ten_minutes_at_most),
                cmocka_unit_test(a_damaged_one_is_neither_shown_nor_touched),
        };

        return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
