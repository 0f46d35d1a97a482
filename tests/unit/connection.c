/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - an account on a platform is whole, sealed, and opens for its own record only. */
#include "model/connection.h"

#include "tests/unit/records.h"

#define BOTH "{'enabled':true,'credentials':{'appSecretKey':'sesame-1','restSecretKey':'sesame-2'}}"

static struct keyring *ring;

static int make_the_ring(void **state)
{
        (void)state;
        ring = make_ring('A');
        return 0;
}

static int free_the_ring(void **state)
{
        (void)state;
        keyring_free(ring);
        return 0;
}

static enum err read_patch(const char *text, struct connection_patch *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        struct view view = view_of(body);

        *ret = (struct connection_patch){.dialect = &dialect_dukkango, .ring = ring};
        return connection_patch_read(&view, ret, why);
}

static enum err make(const char *text, struct record *ret, struct why *why)
{
        CLEAN(connection_patch_done) struct connection_patch patch;
        struct id restaurant = read_id(OWN_ID);
        enum err e = read_patch(text, &patch, why);

        return e ? e : connection_make(&restaurant, &patch, ret, why);
}

static struct record made(const char *text)
{
        struct record record = {0};

        assert_case(make(text, &record, NULL) == ERR_OK, text);
        stamp(&record);
        return record;
}

static enum err edit(struct record *record, const char *text, struct why *why)
{
        CLEAN(connection_patch_done) struct connection_patch patch;
        enum err e = read_patch(text, &patch, why);

        return e ? e : connection_edit(record, &patch, NOW_MS, why);
}

static void say(struct record *record, bool ok, const char *error)
{
        struct connection_verdict verdict = {.ok = ok};

        assert_true(text_copy(verdict.error, sizeof verdict.error, error));
        assert_true(connection_needs_verdict(record, &verdict));
        assert_int_equal(connection_judge(record, &verdict, NOW_MS, NULL), ERR_OK);
        assert_false(connection_needs_verdict(record, &verdict));
}

static void assert_opens(const struct record *record, const char *first, const char *second)
{
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};

        assert_int_equal(connection_open(record, &dialect_dukkango, ring, &secrets, NULL), ERR_OK);
        assert_string_equal(secrets.values[0], first);
        assert_string_equal(secrets.values[1], second);
        assert_null(secrets.values[2]);
}

static void assert_shows(const struct record *record, const char *enabled, const char *state,
                         const char *error)
{
        char expected[400];

        snprintf(expected, sizeof expected,
                 "{'platform':'dukkango','enabled':%s,'credentialFields':['appSecretKey','restSecretKey'],"
                 "'state':'%s','lastError':%s,'breaker':'closed','updatedAt':'2024-11-05T14:30:01.000Z'}",
                 enabled, state, error);
        assert_shown(connection_write(record, false), expected);
}

TEST(its_id_is_the_restaurants_and_the_platforms)
{
        CLEAN(record_done) struct record record = made(BOTH);
        struct id restaurant = read_id(OWN_ID);
        enum platform platform;

        assert_int_equal(record.kind, RECORD_CONNECTION);
        assert_string_equal(record.id, OWN_ID "-dukkango");
        assert_true(id_equal(&record.restaurant, &restaurant));
        assert_true(connection_platform(&record, &platform));
        assert_int_equal(platform, PLATFORM_DUKKANGO);
        for (int i = 0; i < PLATFORM_COUNT; i++) {
                connection_id(&restaurant, (enum platform)i, record.id);
                assert_true(connection_platform(&record, &platform));
                assert_int_equal(platform, i);
        }
        assert_false(connection_platform(&(struct record){.id = OWN_ID}, &platform));
        assert_false(connection_platform(&(struct record){.id = OWN_ID "-benimyemek"}, &platform));
}

TEST(a_new_one_is_untested_and_shows_names_only)
{
        CLEAN(record_done) struct record record = made(BOTH);

        assert_shows(&record, "true", "untested", "null");
        assert_true(connection_is_enabled(&record));
}

TEST(an_open_breaker_is_shown)
{
        CLEAN(record_done) struct record record = made(BOTH);
        CLEAN(json_put_at) struct json_object *shown = connection_write(&record, true);

        assert_string_equal(json_get_text(shown, "breaker"), "open");
}

TEST(a_bad_body_is_refused_by_the_fields_name)
{
        static const char *const bad[][2] = {
                {"{}", "enabled"},
                {"{'enabled':'yes'}", "enabled"},
                {"{'enabled':true}", "credentials.appSecretKey"},
                {"{'enabled':true,'credentials':{}}", "credentials.appSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'a'}}", "credentials.restSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':null,'restSecretKey':'b'}}",
                 "credentials.appSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'a','restSecretKey':5}}",
                 "credentials.restSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'a','restSecretKey':''}}",
                 "credentials.restSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'ş','restSecretKey':'b'}}",
                 "credentials.appSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'a\\r\\nb','restSecretKey':'b'}}",
                 "credentials.appSecretKey"},
                {"{'enabled':true,'credentials':{'appSecretKey':'a','restSecretKey':'b','pin':'1'}}",
                 "credentials.pin"},
                {"{'enabled':true,'credentials':{'ş':'a'}}", "credentials"},
                {"{'enabled':true,'credentials':'x'}", "credentials"},
        };
        struct record record = {0};
        struct why why;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_field(make(bad[i][0], &record, &why), &why, bad[i][1]);
        assert_null(record.document);
}

TEST(credentials_are_sealed_for_their_own_record)
{
        CLEAN(record_done) struct record record = made(BOTH);
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};

        assert_null(strstr(record.document, "sesame"));
        assert_opens(&record, "sesame-1", "sesame-2");
        record.id[0] = '6';
        assert_int_equal(connection_open(&record, &dialect_dukkango, ring, &secrets, NULL), ERR_INTERNAL);
        assert_null(secrets.values[0]);
}

TEST(credentials_do_not_open_by_another_key)
{
        CLEAN(record_done) struct record record = made(BOTH);
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};
        struct keyring *other = make_ring('B');

        assert_int_equal(connection_open(&record, &dialect_dukkango, other, &secrets, NULL), ERR_INTERNAL);
        keyring_free(other);
}

TEST(what_is_left_out_is_kept)
{
        CLEAN(record_done) struct record record = made(BOTH);

        say(&record, true, "");
        assert_int_equal(edit(&record, "{'enabled':false}", NULL), ERR_OK);
        assert_false(connection_is_enabled(&record));
        assert_shows(&record, "false", "ok", "null");
        assert_opens(&record, "sesame-1", "sesame-2");
        assert_int_equal(edit(&record, "{'enabled':true,'credentials':{'restSecretKey':'sesame-3'}}", NULL),
                         ERR_OK);
        assert_opens(&record, "sesame-1", "sesame-3");
        assert_int_equal(edit(&record, "{'enabled':true,'credentials':{'appSecretKey':null}}", NULL), ERR_OK);
        assert_opens(&record, "sesame-1", "sesame-3");
}

TEST(new_credentials_are_untested_again)
{
        CLEAN(record_done) struct record record = made(BOTH);

        say(&record, false, "login refused");
        assert_int_equal(edit(&record, BOTH, NULL), ERR_OK);
        assert_shows(&record, "true", "untested", "null");
}

TEST(whole_credentials_replace_those_that_do_not_open_any_more)
{
        CLEAN(record_done) struct record record = made(BOTH);
        struct keyring *first = ring;

        ring = make_ring('B');
        assert_int_equal(edit(&record, "{'enabled':true,'credentials':{'appSecretKey':'a'}}", NULL),
                         ERR_INTERNAL);
        assert_int_equal(edit(&record, BOTH, NULL), ERR_OK);
        assert_opens(&record, "sesame-1", "sesame-2");
        keyring_free(ring);
        ring = first;
}

TEST(sealed_anew_it_says_the_same_and_what_does_not_open_stays)
{
        CLEAN(record_done) struct record record = made(BOTH);
        struct keyring *first = ring, *both = NULL, *other = make_ring('B');
        struct reseal reseal = {.ring = other};

        say(&record, true, "");
        assert_int_equal(connection_reseal(&record, &reseal, NOW_MS, NULL), ERR_OK);
        assert_true(reseal.lost == 1 && reseal.anew == 0 && reseal.kept == 0);
        assert_opens(&record, "sesame-1", "sesame-2");
        assert_int_equal(keyring_read("k2:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=,"
                                      "k1:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
                                      &both, NULL),
                         ERR_OK);
        for (int i = 0; i < 2; i++) {
                reseal = (struct reseal){.ring = both};
                assert_int_equal(connection_reseal(&record, &reseal, NOW_MS, NULL), ERR_OK);
                assert_true(reseal.lost == 0 && reseal.anew == !i && reseal.kept == i);
        }
        assert_non_null(strstr(record.document, "\"k2:"));
        assert_shows(&record, "true", "ok", "null");
        ring = both;
        assert_opens(&record, "sesame-1", "sesame-2");
        ring = first;
        keyring_free(both);
        keyring_free(other);
}

TEST(what_the_platform_says_is_written_when_it_changes)
{
        CLEAN(record_done) struct record record = made(BOTH);

        say(&record, false, "login refused");
        assert_shows(&record, "true", "login_failed", "'login refused'");
        say(&record, false, "no answer");
        assert_shows(&record, "true", "login_failed", "'no answer'");
        say(&record, true, "");
        assert_shows(&record, "true", "ok", "null");
        assert_opens(&record, "sesame-1", "sesame-2");
}

TEST(what_a_poll_could_not_take_is_shown_behind_what_a_login_says)
{
        CLEAN(record_done) struct record record = made(BOTH);
        struct connection_trouble trouble = {.error = "order_not_imported: total"};
        struct connection_trouble none = {.error = ""};

        assert_false(connection_needs_trouble(&record, &none));
        assert_true(connection_needs_trouble(&record, &trouble));
        assert_int_equal(connection_note_trouble(&record, &trouble, NOW_MS, NULL), ERR_OK);
        assert_false(connection_needs_trouble(&record, &trouble));
        assert_shows(&record, "true", "untested", "'order_not_imported: total'");
        say(&record, false, "login refused");
        assert_shows(&record, "true", "login_failed", "'login refused'");
        say(&record, true, "");
        assert_shows(&record, "true", "ok", "'order_not_imported: total'");
        assert_int_equal(connection_note_trouble(&record, &none, NOW_MS, NULL), ERR_OK);
        assert_shows(&record, "true", "ok", "null");
        assert_opens(&record, "sesame-1", "sesame-2");
        assert_false(connection_needs_trouble(&(struct record){0}, &trouble));
}

TEST(credentials_that_came_meanwhile_are_not_judged)
{
        CLEAN(record_done) struct record record = made(BOTH);
        struct connection_verdict verdict = {.rev = record.rev, .ok = true};

        record.rev++;
        assert_int_equal(connection_judge(&record, &verdict, NOW_MS, NULL), ERR_BUSY);
        assert_shows(&record, "true", "untested", "null");
}

TEST(one_that_is_absent_or_damaged_is_not_enabled)
{
        struct connection_verdict verdict = {.ok = true};
        struct connection_secrets secrets = {0};
        struct record damaged = {.id = OWN_ID "-dukkango", .document = (char[]){"{\"enabled\":1}"}};

        assert_false(connection_is_enabled(&(struct record){0}));
        assert_false(connection_needs_verdict(&(struct record){0}, &verdict));
        assert_false(connection_is_enabled(&damaged));
        assert_int_equal(connection_open(&damaged, &dialect_dukkango, ring, &secrets, NULL), ERR_INTERNAL);
        assert_null(connection_write(&(struct record){.document = damaged.document}, false));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(its_id_is_the_restaurants_and_the_platforms),
                cmocka_unit_test(a_new_one_is_untested_and_shows_names_only),
                cmocka_unit_test(an_open_breaker_is_shown),
                cmocka_unit_test(a_bad_body_is_refused_by_the_fields_name),
                cmocka_unit_test(credentials_are_sealed_for_their_own_record),
                cmocka_unit_test(credentials_do_not_open_by_another_key),
                cmocka_unit_test(what_is_left_out_is_kept),
                cmocka_unit_test(new_credentials_are_untested_again),
                cmocka_unit_test(whole_credentials_replace_those_that_do_not_open_any_more),
                cmocka_unit_test(sealed_anew_it_says_the_same_and_what_does_not_open_stays),
                cmocka_unit_test(what_the_platform_says_is_written_when_it_changes),
                cmocka_unit_test(what_a_poll_could_not_take_is_shown_behind_what_a_login_says),
                cmocka_unit_test(credentials_that_came_meanwhile_are_not_judged),
                cmocka_unit_test(one_that_is_absent_or_damaged_is_not_enabled),
        };

        return cmocka_run_group_tests_name("connection", tests, make_the_ring, free_the_ring);
}
