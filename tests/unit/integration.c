/* SPDX-License-Identifier: Apache-2.0 */
/* integration.c - a courier firm's keys rotate without a gap, and what is secret about it is kept as such. */
#include "model/integration.h"

#include "tests/unit/records.h"

#define HOUR_MS INT64_C(3600000)
#define URL "https://kurye.example/orders"

/* A new integration and what its maker was shown. */
struct firm {
        struct record record;
        char key[SECRET_TEXT_SIZE];
        char secret[SECRET_TEXT_SIZE];
};

static struct keyring *ring;

static void firm_done(struct firm *firm)
{
        record_done(&firm->record);
}

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

static enum err make(const char *text, struct firm *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        CLEAN(integration_patch_done) struct integration_patch patch = {0};
        CLEAN(rotation_done) struct rotation key = {0};
        CLEAN(rotation_done) struct rotation secret = {0};
        struct id id = read_id(OWN_ID), restaurant = read_id("000000000000000000000009");
        struct view view = view_of(body);
        enum err e = integration_patch_read(&view, true, &id, ring, false, &patch, why);

        if (e)
                return e;
        assert_int_equal(rotation_key(&key, NULL), ERR_OK);
        assert_int_equal(rotation_secret(&id, ring, &secret, NULL), ERR_OK);
        e = integration_make(&restaurant, &id, &patch, &key, &secret, &ret->record, why);
        if (e)
                return e;
        assert_true(text_copy(ret->key, sizeof ret->key, key.text));
        assert_true(text_copy(ret->secret, sizeof ret->secret, secret.text));
        stamp(&ret->record);
        return ERR_OK;
}

static struct firm made(const char *text)
{
        struct firm firm = {0};
        struct why why = {0};

        if (make(text, &firm, &why))
                fail_msg("%s: %s", why.field, why.text);
        return firm;
}

static enum err edit(struct firm *firm, const char *text, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        CLEAN(integration_patch_done) struct integration_patch patch = {0};
        struct id id = read_id(firm->record.id);
        struct view view = view_of(body);
        enum err e = integration_patch_read(&view, false, &id, ring, false, &patch, why);

        return e ? e : integration_edit(&firm->record, &patch, NOW_MS, why);
}

/* The new key or secret; the firm keeps the old one's text. */
static struct rotation rotate(struct firm *firm, bool secret, int64_t grace_ms, int64_t now_ms)
{
        struct rotation rotation = {0};
        struct id id = read_id(firm->record.id);

        assert_int_equal(secret ? rotation_secret(&id, ring, &rotation, NULL) : rotation_key(&rotation, NULL),
                         ERR_OK);
        rotation.grace_ms = grace_ms;
        assert_int_equal(integration_rotate(&firm->record, &rotation, now_ms, NULL), ERR_OK);
        assert_int_equal(rotation.old_until_ms, now_ms + grace_ms);
        return rotation;
}

/* Until when the key is taken; 0: it is not. */
static int64_t admitted_until(const struct firm *firm, const char *key, int64_t now_ms)
{
        struct digest digest;
        int64_t until_ms = 0;

        assert_true(apikey_digest(KEY_PREFIX, key, &digest));
        return integration_admits(&firm->record, &digest, now_ms, &until_ms) ? until_ms : 0;
}

/* Whether the store would find it by this key. */
static bool is_found_by(const struct firm *firm, const char *key)
{
        struct digest digest;

        assert_true(apikey_digest(KEY_PREFIX, key, &digest));
        for (int i = 0; i < firm->record.n_looks; i++)
                if (memcmp(&firm->record.looks[i], &digest, sizeof digest) == 0)
                        return true;
        return false;
}

/* Its address answered 410. */
static enum err go(struct firm *firm, int64_t rev)
{
        return integration_gone(&firm->record, &rev, NOW_MS, NULL);
}

static void assert_shows(const struct firm *firm, const char *member, const char *expected)
{
        CLEAN(json_put_at) struct json_object *shown = integration_write(&firm->record, false);
        CLEAN(json_put_at) struct json_object *wanted = parse(expected);

        assert_non_null(shown);
        assert_case(json_object_equal(json_object_object_get(shown, member),
                                      json_object_object_get(wanted, "is")),
                    expected);
}

/* ---- what is asked for ---- */

TEST(a_new_one_is_active_and_admits_its_key_for_ever)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor','active':false}");

        assert_int_equal(firm.record.kind, RECORD_INTEGRATION);
        assert_string_equal(firm.record.id, OWN_ID);
        assert_int_equal(firm.record.n_looks, 1);
        assert_true(is_found_by(&firm, firm.key));
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), INT64_MAX);
        assert_int_equal(strncmp(firm.secret, "whsec_", 6), 0);
        assert_false(integration_has_url(&firm.record));
}

TEST(it_is_shown_without_its_secrets)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "','notifyCancel':true,"
                                "'dispatchHeaders':{'Authorization':'Bearer abc','X-Branch':'5'}}");
        char expected[600];

        snprintf(
                expected, sizeof expected,
                "{'integrationId':'" OWN_ID
                "','name':'Motor','active':true,'keyPrefix':'%.8s','keyLast4':'%s',"
                "'dispatchUrl':'" URL
                "','dispatchGoneAt':null,'dispatchHeaderNames':['Authorization','X-Branch'],'autoDispatch':true,"
                "'notifyCancel':true,'createdAt':'2024-11-05T14:30:00.000Z','updatedAt':'2024-11-05T14:30:01.000Z'}",
                firm.key, firm.key + strlen(firm.key) - 4);
        assert_shown(integration_write(&firm.record, true), expected);
}

TEST(what_is_left_out_is_shown_as_nothing)
{
        CLEAN(firm_done)
        struct firm firm =
                made("{'name':'Motor','dispatchUrl':null,'dispatchHeaders':null,'autoDispatch':null,"
                     "'notifyCancel':null}");

        assert_shows(&firm, "dispatchUrl", "{'is':null}");
        assert_shows(&firm, "dispatchHeaderNames", "{'is':[]}");
        assert_shows(&firm, "notifyCancel", "{'is':false}");
}

TEST(a_bad_body_is_refused_by_the_fields_name)
{
        static const char *const bad[][2] = {
                {"{}", "name"},
                {"{'name':''}", "name"},
                {"{'name':5}", "name"},
                {"{'name':'x','dispatchUrl':5}", "dispatchUrl"},
                {"{'name':'x','dispatchHeaders':'x'}", "dispatchHeaders"},
                {"{'name':'x','autoDispatch':'yes'}", "autoDispatch"},
                {"{'name':'x','notifyCancel':1}", "notifyCancel"},
                {"{'name':'x','autoDispatch':true}", "autoDispatch"},
        };
        struct firm firm = {0};
        struct why why;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_field(make(bad[i][0], &firm, &why), &why, bad[i][1]);
}

/* ---- changes ---- */

TEST(a_change_changes_what_it_names)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "','dispatchHeaders':{'X-A':'b'}}");

        assert_int_equal(edit(&firm, "{}", NULL), ERR_OK);
        assert_shows(&firm, "name", "{'is':'Motor'}");
        assert_shows(&firm, "dispatchUrl", "{'is':'" URL "'}");
        assert_int_equal(edit(&firm, "{'name':'Yeni','notifyCancel':true,'autoDispatch':true}", NULL),
                         ERR_OK);
        assert_shows(&firm, "name", "{'is':'Yeni'}");
        assert_shows(&firm, "notifyCancel", "{'is':true}");
        assert_shows(&firm, "dispatchHeaderNames", "{'is':['X-A']}");
        assert_int_equal(edit(&firm, "{'dispatchHeaders':{'X-B':'c'}}", NULL), ERR_OK);
        assert_shows(&firm, "dispatchHeaderNames", "{'is':['X-B']}");
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), INT64_MAX);
}

TEST(null_clears_what_may_be_absent)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL
                                "','dispatchHeaders':{'X-A':'b'},'notifyCancel':true}");
        struct why why;

        assert_true(integration_has_url(&firm.record));
        assert_int_equal(edit(&firm, "{'dispatchUrl':null,'dispatchHeaders':null,'notifyCancel':null}", NULL),
                         ERR_OK);
        assert_shows(&firm, "dispatchUrl", "{'is':null}");
        assert_shows(&firm, "dispatchHeaderNames", "{'is':[]}");
        assert_shows(&firm, "notifyCancel", "{'is':false}");
        assert_false(integration_has_url(&firm.record));
        assert_field(edit(&firm, "{'name':null}", &why), &why, "name");
        assert_field(edit(&firm, "{'active':null}", &why), &why, "active");
}

TEST(one_without_an_address_cannot_be_where_orders_go)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        struct why why;

        assert_field(edit(&firm, "{'name':'Yeni','autoDispatch':true}", &why), &why, "autoDispatch");
        assert_shows(&firm, "name", "{'is':'Motor'}");
        assert_int_equal(edit(&firm, "{'autoDispatch':true,'dispatchUrl':'" URL "'}", NULL), ERR_OK);
}

TEST(one_that_is_active_and_has_an_address_can_be_dispatched_to)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");

        assert_false(integration_can_dispatch(&firm.record));
        assert_int_equal(edit(&firm, "{'dispatchUrl':'" URL "'}", NULL), ERR_OK);
        assert_true(integration_can_dispatch(&firm.record));
        assert_int_equal(edit(&firm, "{'active':false}", NULL), ERR_OK);
        assert_false(integration_can_dispatch(&firm.record));
        assert_int_equal(edit(&firm, "{'active':true}", NULL), ERR_OK);
        assert_true(integration_can_dispatch(&firm.record));
        assert_false(integration_can_dispatch(&(struct record){0}));
}

TEST(an_address_that_is_gone_is_there_again_when_it_is_given_anew)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "'}");

        assert_shows(&firm, "dispatchGoneAt", "{'is':null}");
        assert_int_equal(go(&firm, firm.record.rev), ERR_OK);
        assert_shows(&firm, "dispatchGoneAt", "{'is':'2024-11-05T14:30:00.000Z'}");
        assert_shows(&firm, "dispatchUrl", "{'is':'" URL "'}");
        assert_false(integration_can_dispatch(&firm.record));
        assert_int_equal(edit(&firm, "{'name':'Yeni','active':true}", NULL), ERR_OK);
        assert_false(integration_can_dispatch(&firm.record));
        assert_int_equal(edit(&firm, "{'dispatchUrl':'" URL "'}", NULL), ERR_OK);
        assert_shows(&firm, "dispatchGoneAt", "{'is':null}");
        assert_true(integration_can_dispatch(&firm.record));
        assert_int_equal(go(&firm, firm.record.rev), ERR_OK);
        assert_int_equal(edit(&firm, "{'dispatchUrl':null}", NULL), ERR_OK);
        assert_shows(&firm, "dispatchGoneAt", "{'is':null}");
}

TEST(what_has_changed_since_it_was_called_is_not_gone)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "'}");

        assert_int_equal(go(&firm, firm.record.rev + 1), ERR_BUSY);
        assert_true(integration_can_dispatch(&firm.record));
}

TEST(only_a_change_says_whether_it_is_active)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");

        assert_int_equal(edit(&firm, "{'active':false}", NULL), ERR_OK);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), 0);
        assert_shows(&firm, "active", "{'is':false}");
        assert_int_equal(edit(&firm, "{'active':true}", NULL), ERR_OK);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), INT64_MAX);
}

/* ---- keys ---- */

TEST(an_old_key_is_good_until_its_grace_ends)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done) struct rotation next = rotate(&firm, false, HOUR_MS, NOW_MS);

        assert_string_not_equal(next.text, firm.key);
        assert_int_equal(admitted_until(&firm, next.text, NOW_MS), INT64_MAX);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), NOW_MS + HOUR_MS);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS + HOUR_MS - 1), NOW_MS + HOUR_MS);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS + HOUR_MS), 0);
        assert_int_equal(admitted_until(&firm, next.text, NOW_MS + HOUR_MS), INT64_MAX);
        assert_true(is_found_by(&firm, firm.key) && is_found_by(&firm, next.text));
}

TEST(without_grace_the_old_key_is_gone_at_once)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done) struct rotation next = rotate(&firm, false, 0, NOW_MS);

        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), 0);
        assert_int_equal(firm.record.n_looks, 1);
        assert_true(is_found_by(&firm, next.text));
}

TEST(two_keys_live_at_most)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done) struct rotation second = rotate(&firm, false, 10 * HOUR_MS, NOW_MS);
        CLEAN(rotation_done) struct rotation third = rotate(&firm, false, HOUR_MS, NOW_MS + 1);

        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS + 1), 0);
        assert_false(is_found_by(&firm, firm.key));
        assert_int_equal(admitted_until(&firm, second.text, NOW_MS + 1), NOW_MS + 1 + HOUR_MS);
        assert_int_equal(admitted_until(&firm, third.text, NOW_MS + 1), INT64_MAX);
        assert_int_equal(firm.record.n_looks, 2);
}

TEST(an_inactive_one_admits_neither_key)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done) struct rotation next = rotate(&firm, false, HOUR_MS, NOW_MS);

        assert_int_equal(edit(&firm, "{'active':false}", NULL), ERR_OK);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), 0);
        assert_int_equal(admitted_until(&firm, next.text, NOW_MS), 0);
        assert_int_equal(firm.record.n_looks, 2);
}

TEST(another_firms_key_is_not_admitted)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}"), other = made("{'name':'Bisiklet'}");

        assert_int_equal(admitted_until(&firm, other.key, NOW_MS), 0);
}

TEST(the_new_key_is_the_one_that_is_shown)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done) struct rotation next = rotate(&firm, false, HOUR_MS, NOW_MS);
        char expected[32];

        snprintf(expected, sizeof expected, "{'is':'%s'}", next.text + strlen(next.text) - 4);
        assert_shows(&firm, "keyLast4", expected);
}

TEST(grace_is_a_day_unless_said_and_a_week_at_most)
{
        static const struct {
                const char *body;
                int64_t ms; /* -1: refused */
        } cases[] = {{"{}", 86400000},
                     {"{'graceSeconds':null}", 86400000},
                     {"{'graceSeconds':0}", 0},
                     {"{'graceSeconds':604800}", 604800000},
                     {"{'graceSeconds':6e1}", 60000},
                     {"{'graceSeconds':604801}", -1},
                     {"{'graceSeconds':-1}", -1},
                     {"{'graceSeconds':1.5}", -1},
                     {"{'graceSeconds':'60'}", -1},
                     {"{'graceSeconds':true}", -1}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                CLEAN(json_put_at) struct json_object *body = parse(cases[i].body);
                struct view view = view_of(body);
                struct why why = {0};
                int64_t ms = -1;
                enum err e = rotation_read_grace(&view, &ms, &why);

                assert_case(ms == cases[i].ms, cases[i].body);
                if (cases[i].ms < 0)
                        assert_field(e, &why, "graceSeconds");
        }
}

/* ---- what is secret ---- */

/* What stands sealed at the pointer, opened as the secret of `id`; NULL: it stays shut. */
static char *open_at(const struct firm *firm, const char *at, const char *id)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct json_object *sealed = NULL;
        char *plain = NULL;

        assert_int_equal(record_read(&firm->record, &document, NULL), ERR_OK);
        assert_int_equal(json_pointer_get(document, at, &sealed), 0);
        return keyring_open(ring, id, json_object_get_string(sealed), &plain, NULL) ? NULL : plain;
}

TEST(secrets_are_not_kept_in_the_clear)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL
                                "','dispatchHeaders':{'Authorization':'Bearer sesame'}}");
        CLEAN(rotation_done)
        struct rotation key = rotate(&firm, false, HOUR_MS, NOW_MS),
                        secret = rotate(&firm, true, HOUR_MS, NOW_MS);
        const char *const secrets[] = {firm.key + 12, firm.secret + 6, key.text + 12, secret.text + 6,
                                       "sesame"};

        for (size_t i = 0; i < COUNT(secrets); i++)
                assert_null(strstr(firm.record.document, secrets[i]));
}

TEST(sealed_values_open_for_their_own_record_only)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchHeaders':{'Authorization':'Bearer sesame'}}");
        CLEAN(secret_free_at) char *headers = open_at(&firm, "/dispatchHeaders", OWN_ID);
        CLEAN(secret_free_at) char *secret = open_at(&firm, "/signingSecrets/0/sealed", OWN_ID);

        assert_string_equal(headers, "{\"Authorization\":\"Bearer sesame\"}");
        assert_string_equal(secret, firm.secret);
        assert_null(open_at(&firm, "/dispatchHeaders", "507f1f77bcf86cd799439012"));
        assert_null(open_at(&firm, "/signingSecrets/0/sealed", "507f1f77bcf86cd799439012"));
}

TEST(signing_secrets_rotate_like_keys)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        CLEAN(rotation_done)
        struct rotation second = rotate(&firm, true, HOUR_MS, NOW_MS),
                        third = rotate(&firm, true, HOUR_MS, NOW_MS);
        CLEAN(secret_free_at) char *newest = open_at(&firm, "/signingSecrets/0/sealed", OWN_ID);
        CLEAN(secret_free_at) char *older = open_at(&firm, "/signingSecrets/1/sealed", OWN_ID);
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct json_object *none = NULL, *until = NULL;

        assert_string_equal(newest, third.text);
        assert_string_equal(older, second.text);
        assert_int_equal(record_read(&firm.record, &document, NULL), ERR_OK);
        assert_int_not_equal(json_pointer_get(document, "/signingSecrets/2", &none), 0);
        assert_int_equal(json_pointer_get(document, "/signingSecrets/1/validUntil", &until), 0);
        assert_int_equal(json_object_get_int64(until), NOW_MS + HOUR_MS);
        assert_int_equal(admitted_until(&firm, firm.key, NOW_MS), INT64_MAX);
}

TEST(a_signing_secret_is_32_random_bytes_in_base64)
{
        CLEAN(firm_done) struct firm one = made("{'name':'Motor'}"), two = made("{'name':'Motor'}");
        uint8_t bytes[64];
        size_t n = 0;

        assert_true(base64_read(one.secret + strlen(SIGNING_PREFIX), bytes, sizeof bytes, &n));
        assert_int_equal(n, 32);
        assert_string_not_equal(one.secret, two.secret);
}

static struct dispatch opened(const struct firm *firm, int64_t now_ms)
{
        struct dispatch dispatch = {0};

        assert_int_equal(integration_open(&firm->record, ring, now_ms, &dispatch, NULL), ERR_OK);
        return dispatch;
}

TEST(a_call_has_what_was_given_and_the_secret_that_was_shown)
{
        CLEAN(firm_done)
        struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "','notifyCancel':true,"
                                "'dispatchHeaders':{'X-A':'b'}}");
        CLEAN(dispatch_done) struct dispatch dispatch = opened(&firm, NOW_MS);

        assert_string_equal(dispatch.url, URL);
        assert_string_equal(dispatch.headers, "{\"X-A\":\"b\"}");
        assert_string_equal(dispatch.secrets[0], firm.secret);
        assert_null(dispatch.secrets[1]);
        assert_true(dispatch.notify_cancel);
        assert_int_equal(edit(&firm, "{'dispatchHeaders':null,'notifyCancel':null}", NULL), ERR_OK);
        dispatch_done(&dispatch);
        dispatch = opened(&firm, NOW_MS);
        assert_null(dispatch.headers);
        assert_false(dispatch.notify_cancel);
}

TEST(a_call_has_the_secrets_that_are_live_the_newest_first)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "'}");
        CLEAN(rotation_done) struct rotation next = rotate(&firm, true, HOUR_MS, NOW_MS);
        CLEAN(dispatch_done) struct dispatch within = opened(&firm, NOW_MS + HOUR_MS - 1);
        CLEAN(dispatch_done) struct dispatch after = opened(&firm, NOW_MS + HOUR_MS);

        assert_string_equal(within.secrets[0], next.text);
        assert_string_equal(within.secrets[1], firm.secret);
        assert_string_equal(after.secrets[0], next.text);
        assert_null(after.secrets[1]);
}

TEST(what_was_sealed_by_a_lost_key_is_not_called)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor','dispatchUrl':'" URL "'}");
        struct keyring *other = make_ring('B');
        struct dispatch dispatch = {0};

        assert_int_equal(integration_open(&firm.record, other, NOW_MS, &dispatch, NULL), ERR_INTERNAL);
        assert_null(dispatch.url);
        keyring_free(other);
        assert_int_equal(edit(&firm, "{'dispatchUrl':null}", NULL), ERR_OK);
        assert_int_equal(integration_open(&firm.record, ring, NOW_MS, &dispatch, NULL), ERR_INTERNAL);
}

TEST(a_finished_rotation_leaves_nothing_behind)
{
        CLEAN(firm_done) struct firm firm = made("{'name':'Motor'}");
        struct rotation rotation = rotate(&firm, true, 0, NOW_MS), nothing = {0};

        rotation_done(&rotation);
        assert_memory_equal(&rotation, &nothing, sizeof nothing);
}

TEST(a_damaged_one_admits_nobody)
{
        static char documents[][160] = {"", "[]", "{\"active\":true}", "{\"active\":true,\"keys\":7}",
                                        "{\"active\":true,\"keys\":[{\"digest\":\"00\"}]}"};
        struct integration_patch patch = {0};
        struct digest digest = {0};
        int64_t until_ms = 7;

        for (size_t i = 0; i < COUNT(documents); i++) {
                struct record record = {.document = documents[i]};

                assert_case(!integration_admits(&record, &digest, NOW_MS, &until_ms), documents[i]);
        }
        assert_int_equal(until_ms, 7);
        assert_null(integration_write(&(struct record){.document = documents[1]}, false));
        assert_int_equal(integration_edit(&(struct record){.document = documents[4]}, &patch, NOW_MS, NULL),
                         ERR_INTERNAL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_one_is_active_and_admits_its_key_for_ever),
                cmocka_unit_test(it_is_shown_without_its_secrets),
                cmocka_unit_test(what_is_left_out_is_shown_as_nothing),
                cmocka_unit_test(a_bad_body_is_refused_by_the_fields_name),
                cmocka_unit_test(a_change_changes_what_it_names),
                cmocka_unit_test(null_clears_what_may_be_absent),
                cmocka_unit_test(one_without_an_address_cannot_be_where_orders_go),
                cmocka_unit_test(one_that_is_active_and_has_an_address_can_be_dispatched_to),
                cmocka_unit_test(an_address_that_is_gone_is_there_again_when_it_is_given_anew),
                cmocka_unit_test(what_has_changed_since_it_was_called_is_not_gone),
                cmocka_unit_test(only_a_change_says_whether_it_is_active),
                cmocka_unit_test(an_old_key_is_good_until_its_grace_ends),
                cmocka_unit_test(without_grace_the_old_key_is_gone_at_once),
                cmocka_unit_test(two_keys_live_at_most),
                cmocka_unit_test(an_inactive_one_admits_neither_key),
                cmocka_unit_test(another_firms_key_is_not_admitted),
                cmocka_unit_test(the_new_key_is_the_one_that_is_shown),
                cmocka_unit_test(grace_is_a_day_unless_said_and_a_week_at_most),
                cmocka_unit_test(secrets_are_not_kept_in_the_clear),
                cmocka_unit_test(sealed_values_open_for_their_own_record_only),
                cmocka_unit_test(signing_secrets_rotate_like_keys),
                cmocka_unit_test(a_signing_secret_is_32_random_bytes_in_base64),
                cmocka_unit_test(a_call_has_what_was_given_and_the_secret_that_was_shown),
                cmocka_unit_test(a_call_has_the_secrets_that_are_live_the_newest_first),
                cmocka_unit_test(what_was_sealed_by_a_lost_key_is_not_called),
                cmocka_unit_test(a_finished_rotation_leaves_nothing_behind),
                cmocka_unit_test(a_damaged_one_admits_nobody),
        };

        return cmocka_run_group_tests_name("integration", tests, make_the_ring, free_the_ring);
}
