/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_account.c - Yandex Eats is given a secret once, and known by its digest. */
#include "model/yandex_account.h"

#include "tests/unit/records.h"

static struct yandex_patch read_patch(const char *text)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        struct yandex_patch patch = {0};
        const struct view view = view_of(body);

        assert_case(yandex_patch_read(&view, &patch, NULL) == ERR_OK, text);
        return patch;
}

static struct record made(struct yandex_patch *patch)
{
        const struct id restaurant = read_id(OWN_ID);
        struct record record = {0};

        assert_int_equal(yandex_account_make(&restaurant, patch, &record, NULL), ERR_OK);
        stamp(&record);
        return record;
}

static struct yandex_account read_account(const struct record *record)
{
        struct yandex_account account = {0};

        assert_int_equal(yandex_account_read(record, &account, NULL), ERR_OK);
        return account;
}

TEST(its_secret_is_known_and_not_kept)
{
        struct yandex_patch patch = read_patch("{'enabled':true,'placeId':'p-1'}");
        CLEAN(record_done) struct record record = made(&patch);
        struct yandex_account account = read_account(&record);
        char other[APIKEY_TEXT_SIZE];

        assert_true(patch.is_renewed);
        assert_string_equal(record.id, OWN_ID "-yandex");
        assert_null(strstr(record.document, patch.secret));
        assert_true(account.enabled);
        assert_string_equal(account.place, "p-1");
        assert_true(yandex_account_knows(&account, patch.secret));
        assert_int_equal(apikey_make("kry_", other, NULL), ERR_OK);
        assert_false(yandex_account_knows(&account, other));
        assert_false(yandex_account_knows(&account, ""));
}

TEST(it_is_renewed_when_that_is_asked_for)
{
        struct yandex_patch first = read_patch("{'enabled':true,'placeId':'p-1'}");
        struct yandex_patch same = read_patch("{'enabled':false}");
        struct yandex_patch renewing = read_patch("{'enabled':true,'newSecret':true,'placeId':''}");
        CLEAN(record_done) struct record record = made(&first);
        struct yandex_account before = read_account(&record), after;

        assert_int_equal(yandex_account_edit(&record, &same, NOW_MS, NULL), ERR_OK);
        after = read_account(&record);
        assert_false(same.is_renewed || after.enabled);
        assert_string_equal(after.place, "p-1");
        assert_true(yandex_account_knows(&after, first.secret));
        assert_true(yandex_account_mark(&before) == yandex_account_mark(&after));
        assert_int_equal(yandex_account_edit(&record, &renewing, NOW_MS, NULL), ERR_OK);
        after = read_account(&record);
        assert_true(renewing.is_renewed && after.enabled);
        assert_string_equal(after.place, "");
        assert_false(yandex_account_knows(&after, first.secret));
        assert_true(yandex_account_knows(&after, renewing.secret));
        assert_false(yandex_account_mark(&before) == yandex_account_mark(&after));
}

TEST(that_they_came_in_is_known_until_the_secret_is_another)
{
        struct yandex_patch patch = read_patch("{'enabled':true}");
        struct yandex_patch renewing = read_patch("{'enabled':true,'newSecret':true}");
        CLEAN(record_done) struct record record = made(&patch);
        struct yandex_account account = read_account(&record);
        uint64_t mark = yandex_account_mark(&account);

        assert_false(account.came);
        assert_int_equal(yandex_account_came(&record, &mark, NOW_MS, NULL), ERR_OK);
        account = read_account(&record);
        assert_true(account.came && yandex_account_knows(&account, patch.secret));
        assert_int_equal(yandex_account_edit(&record, &renewing, NOW_MS, NULL), ERR_OK);
        account = read_account(&record);
        assert_false(account.came);
        assert_int_equal(yandex_account_came(&record, &mark, NOW_MS, NULL), ERR_BAD_CLIENT);
}

TEST(it_is_shown_without_the_secret)
{
        struct yandex_patch patch = read_patch("{'enabled':true}");
        CLEAN(record_done) struct record record = made(&patch);
        CLEAN(json_put_at) struct json_object *shown = yandex_account_write(&record, "https://kurye.example");

        assert_string_equal(json_get_text(shown, "clientId"), OWN_ID);
        assert_string_equal(json_get_text(shown, "baseUrl"), "https://kurye.example");
        assert_true(json_get_bool(shown, "enabled", false));
        assert_null(json_find(shown, "placeId"));
        assert_null(json_find(shown, "secret"));
        assert_null(json_find(shown, "clientSecret"));
}

TEST(a_damaged_one_admits_nobody)
{
        static const char *const documents[] = {"", "{}", "{\"enabled\":true,\"secret\":\"12\"}", "[]"};

        for (size_t i = 0; i < COUNT(documents); i++) {
                CLEAN(record_done) struct record record = {.document = strdup(documents[i])};
                struct yandex_account account;

                assert_case(yandex_account_read(&record, &account, NULL) == ERR_INTERNAL, documents[i]);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(its_secret_is_known_and_not_kept),
                cmocka_unit_test(it_is_renewed_when_that_is_asked_for),
                cmocka_unit_test(that_they_came_in_is_known_until_the_secret_is_another),
                cmocka_unit_test(it_is_shown_without_the_secret),
                cmocka_unit_test(a_damaged_one_admits_nobody),
        };

        return cmocka_run_group_tests_name("yandex_account", tests, NULL, NULL);
}
