/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c - tests of model/reason.c: which reasons there are, and which one is told. */
#include "model/clean.h"
#include "model/dialect.h"
#include "tests/unit/records.h"

static const struct reason some[] = {{"7", "Yedi", false},
                                     {"A_WORD", "Söz", false},
                                     {"8", "Sekiz", true},
                                     {NULL, NULL, false}};

static enum err ask(const struct order *order, const struct account *account, struct message *ret,
                    struct why *why)
{
        (void)order, (void)account, (void)ret;
        return FAIL(why, ERR_INTERNAL, "nobody asks");
}

static struct order cancelled(const char *reason, bool platform_courier)
{
        struct order order = {
                .platform_courier = platform_courier, .n_moves = 1, .moves = {{.to = STATUS_CANCELLED}}};

        assert_true(text_copy(order.moves[0].reason, CANCEL_REASON_SIZE, reason));
        return order;
}

/* What is written for this reason, in single quotes; NULL: it is refused. */
static void assert_told(const struct dialect *dialect, const char *reason, bool platform_courier,
                        const char *expected)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        const struct order order = cancelled(reason, platform_courier);
        struct why why = {0};
        enum err e = dialect_reason(dialect, &order, body, "r", &why);

        if (!expected) {
                assert_field(e, &why, "reasonId");
                return;
        }
        assert_int_equal(e, ERR_OK);
        assert_shown(json_object_get(body), expected);
}

TEST(one_of_the_table_is_told_as_what_it_is)
{
        const struct dialect dialect = {.reasons = some, .other_reason = "A_WORD"};

        assert_told(&dialect, "7", false, "{'r':7}");
        assert_told(&dialect, "A_WORD", false, "{'r':'A_WORD'}");
        assert_told(&dialect, "", false, "{'r':'A_WORD'}");
        assert_told(&dialect, "8", false, "{'r':8}");
        assert_told(&dialect, "8", true, NULL);
        assert_told(&dialect, "9", false, NULL);
        assert_told(&dialect, "a_word", false, NULL);
}

TEST(where_the_list_is_asked_for_any_number_is)
{
        const struct dialect dialect = {.reasons = some, .ask_reasons = ask};

        assert_told(&dialect, "9", false, "{'r':9}");
        assert_told(&dialect, "0", false, "{'r':0}");
        assert_told(&dialect, "9223372036854775807", false, "{'r':9223372036854775807}");
        assert_told(&dialect, "9223372036854775808", false, NULL);
        for (const char *const *wrong = (const char *const[]){"", "09", "-1", "+1", "1.0", "1e3", "x", NULL};
             *wrong; wrong++)
                assert_told(&dialect, *wrong, false, NULL);
}

/* Frees it. */
static void assert_list(struct json_object *list, const char *expected)
{
        struct json_object *whole = json_object_new_object();
        char text[512];

        assert_non_null(list);
        assert_true(json_add(whole, "list", list));
        snprintf(text, sizeof text, "{'list':%s}", expected);
        assert_shown(whole, text);
}

TEST(those_for_the_order_are_listed)
{
        const struct dialect dialect = {.reasons = some}, none = {.reasons = NULL};
        const struct order own = {.platform_courier = false}, others = {.platform_courier = true};

        assert_list(reasons_known(&dialect, &own),
                    "[{'id':'7','reason':'Yedi'},{'id':'A_WORD','reason':'Söz'},"
                    "{'id':'8','reason':'Sekiz'}]");
        assert_list(reasons_known(&dialect, &others),
                    "[{'id':'7','reason':'Yedi'},{'id':'A_WORD','reason':'Söz'}]");
        assert_list(reasons_known(&none, &own), "[]");
}

/* In single quotes; NULL: it is not understood. */
static void assert_read(const struct dialect *dialect, const char *body, const char *expected)
{
        CLEAN(free_at) char *text = strdup(body);
        struct answer answer = {.http = 200, .body = text, .length = strlen(body), .trouble = ""};

        assert_non_null(text);
        for (char *c = text; *c; c++)
                if (*c == '\'')
                        *c = '"';
        if (expected)
                assert_list(reasons_read(dialect, &answer), expected);
        else
                assert_null(reasons_read(dialect, &answer));
}

TEST(each_platforms_list_is_read)
{
        const struct dialect all = {.ask_reasons = ask}, orders = {.reasons_of_order = true};

        assert_read(&all, "{'status':true,'data':[{'id':1,'reason':'Ürün tükendi'},{'id':12,'reason':'x'}]}",
                    "[{'id':'1','reason':'Ürün tükendi'},{'id':'12','reason':'x'}]");
        assert_read(&all, "[{'id':'5e0a','message':'Kapalı'}]", "[{'id':'5e0a','reason':'Kapalı'}]");
        assert_read(&all, "{'success':true,'data':[{'id':3,'name':'n'},{'id':4,'description':'d'}]}",
                    "[{'id':'3','reason':'n'},{'id':'4','reason':'d'}]");
        assert_read(&orders, "[]", "[]");
}

TEST(what_is_not_a_list_of_reasons_is_not_understood)
{
        static const char *const wrong[] = {
                "",
                "null",
                "{}",
                "7",
                "<html>",
                "[]",
                "{'data':[]}",
                "{'data':null}",
                "{'data':{}}",
                "[7]",
                "[{'id':1}]",
                "[{'reason':'x'}]",
                "[{'id':1,'reason':''}]",
                "[{'id':1,'reason':7}]",
                "[{'id':-1,'reason':'x'}]",
                "[{'id':'','reason':'x'}]",
                "[{'id':[],'reason':'x'}]",
                "[{'id':'ı','reason':'x'}]",
                "[{'id':'12345678901234567890123456789012345678901','reason':'x'}]",
                "[{'id':1,'reason':'x'},{'id':2}]"};
        const struct dialect dialect = {.ask_reasons = ask};

        for (size_t i = 0; i < COUNT(wrong); i++)
                assert_read(&dialect, wrong[i], NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_of_the_table_is_told_as_what_it_is),
                cmocka_unit_test(where_the_list_is_asked_for_any_number_is),
                cmocka_unit_test(those_for_the_order_are_listed),
                cmocka_unit_test(each_platforms_list_is_read),
                cmocka_unit_test(what_is_not_a_list_of_reasons_is_not_understood),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
