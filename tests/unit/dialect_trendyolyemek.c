/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_trendyolyemek.c - tests of what only model/dialect_trendyolyemek.c has: its headers and its items. */
#include "model/clean.h"
#include "model/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct dialect *const dialect = &dialect_trendyolyemek;
static const struct account account = {
        .url = "http://trendyol.test",
        .values = {"123456", "anahtar", "gizli", "KuryeTest", "kasa@example.com"}};

/* An order that wants its cancel; its strings are borrowed. */
static struct order an_order(char *document, const char *reason)
{
        static char id[] = "paket";
        struct order order = {.platform = PLATFORM_TRENDYOLYEMEK, .platform_order_id = id, .n_moves = 1};

        order.document = document;
        order.moves[0].to = STATUS_CANCELLED;
        assert_true(text_copy(order.moves[0].reason, CANCEL_REASON_SIZE, reason));
        return order;
}

static enum err build(const struct order *order, enum status rank, const struct account *with,
                      struct message *m, struct why *why)
{
        return dialect->build(order, dialect_step(dialect, STEP_OF((int)rank)), with, m, why);
}

static void is_agent(const char *agent, const char *user_agent)
{
        CLEAN(message_done) struct message m = {0};
        struct account with = account;
        struct order order = an_order(NULL, "");
        bool found = false;

        with.values[3] = agent;
        assert_int_equal(build(&order, STATUS_READY, &with, &m, NULL), ERR_OK);
        for (int i = 0; i < m.n_headers; i++)
                found = found || streq(m.headers[i], user_agent);
        assert_true(found);
}

static void an_agent_that_is_no_integrators_name_goes_as_self_integration(void **state)
{
        (void)state;
        is_agent("Kurye1", "User-Agent: 123456 - Kurye1");
        is_agent("abcdefghijabcdefghijabcdefghij", "User-Agent: 123456 - abcdefghijabcdefghijabcdefghij");
        is_agent("abcdefghijabcdefghijabcdefghijk", "User-Agent: 123456 - SelfIntegration");
        is_agent("Kurye 1", "User-Agent: 123456 - SelfIntegration");
        is_agent("-", "User-Agent: 123456 - SelfIntegration");
}

static void a_credential_that_cannot_be_sent_is_named(void **state)
{
        static const struct {
                int index;
                const char *value, *field;
        } cases[] = {{0, "12 34", "credentials.supplierId"},
                     {0, "..", "credentials.supplierId"},
                     {1, "a:b", "credentials.apiKey"},
                     {3, "Şirket", "credentials.agentName"},
                     {4, "kasa@örnek.com", "credentials.executorUser"},
                     {4, "", "credentials.executorUser"}};
        struct order order = an_order(NULL, "");

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                CLEAN(message_done) struct message m = {0};
                CLEAN(message_done) struct message check = {0};
                struct account with = account;
                struct why why = {0};

                with.values[cases[i].index] = cases[i].value;
                assert_int_equal(build(&order, STATUS_READY, &with, &m, &why), ERR_BAD_FIELD);
                assert_string_equal(why.field, cases[i].field);
                assert_int_equal(dialect->check(&order, &with, &check, NULL), ERR_BAD_FIELD);
        }
}

static void a_cancel_without_its_items_cannot_be_sent(void **state)
{
        static const char *const documents[] = {"{}", "{\"platformRef\":null}", "{\"platformRef\":{}}",
                                                "{\"platformRef\":{\"packageItemIds\":[]}}"};

        (void)state;
        for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
                CLEAN(free_at) char *document = strdup(documents[i]);
                CLEAN(message_done) struct message m = {0};
                struct order order = an_order(document, "621");
                struct why why = {0};

                assert_int_equal(build(&order, STATUS_CANCELLED, &account, &m, &why), ERR_BAD_FIELD);
                assert_string_equal(why.field, "platformRef.packageItemIds");
        }
}

static void the_reasons_of_an_own_courier_are_no_others(void **state)
{
        char document[] = "{\"platformRef\":{\"packageItemIds\":[\"u1\"]}}";
        struct order order = an_order(document, "624");

        (void)state;
        for (int other = 0; other <= 1; other++) {
                CLEAN(message_done) struct message m = {0};
                struct why why = {0};

                order.platform_courier = other;
                assert_int_equal(build(&order, STATUS_CANCELLED, &account, &m, &why),
                                 other ? ERR_BAD_FIELD : ERR_OK);
                assert_string_equal(why.field, other ? "reasonId" : "");
        }
}

static enum err accept_ref(const char *text, struct why *why)
{
        CLEAN(json_put_at) struct json_object *object = NULL;
        struct view ref;

        assert_int_equal(json_read(text, strlen(text), &object, NULL), ERR_OK);
        ref = view_of(object);
        assert_true(text_copy(ref.path, sizeof ref.path, "platformRef"));
        return dialect->accepts("paket", &ref, why);
}

static void items_are_an_array_of_ids(void **state)
{
        static const struct {
                const char *ref, *field;
        } cases[] = {{"{}", NULL},
                     {"{\"packageItemIds\":null}", NULL},
                     {"{\"packageItemIds\":[]}", NULL},
                     {"{\"packageItemIds\":[\"u1\",\"u2\"]}", NULL},
                     {"{\"packageItemIds\":\"u1\"}", "platformRef.packageItemIds"},
                     {"{\"packageItemIds\":{}}", "platformRef.packageItemIds"},
                     {"{\"packageItemIds\":[\"u1\",2]}", "platformRef.packageItemIds[1]"},
                     {"{\"packageItemIds\":[null]}", "platformRef.packageItemIds[0]"},
                     {"{\"packageItemIds\":[\"\"]}", "platformRef.packageItemIds[0]"},
                     {"{\"packageItemIds\":[\"a\\u0000b\"]}", "platformRef.packageItemIds[0]"}};
        char many[4 * 201 + 32] = "{\"packageItemIds\":[\"a\"";

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct why why = {0};

                assert_int_equal(accept_ref(cases[i].ref, &why), cases[i].field ? ERR_BAD_FIELD : ERR_OK);
                assert_string_equal(why.field, cases[i].field ? cases[i].field : "");
        }
        for (int i = 1; i < 200; i++)
                strncat(many, ",\"a\"", sizeof many - strlen(many) - 1);
        strncat(many, "]}", sizeof many - strlen(many) - 1);
        assert_int_equal(accept_ref(many, NULL), ERR_OK);
        many[strlen(many) - 2] = '\0';
        strncat(many, ",\"a\"]}", sizeof many - strlen(many) - 1);
        assert_int_equal(accept_ref(many, NULL), ERR_BAD_FIELD);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_agent_that_is_no_integrators_name_goes_as_self_integration),
                cmocka_unit_test(a_credential_that_cannot_be_sent_is_named),
                cmocka_unit_test(a_cancel_without_its_items_cannot_be_sent),
                cmocka_unit_test(the_reasons_of_an_own_courier_are_no_others),
                cmocka_unit_test(items_are_an_array_of_ids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
