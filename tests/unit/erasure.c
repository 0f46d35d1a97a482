/* SPDX-License-Identifier: Apache-2.0 */
/* erasure.c - what may be asked to be erased, and what a record of it says and does not say. */
#include "model/erasure.h"

#include "tests/unit/bodies.h"
#include "tests/unit/check.h"

#define ORDER "507f1f77bcf86cd799439012"

static enum err read(const char *text, struct erasure *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        struct view view = view_of(body);

        *ret = (struct erasure){0};
        return erasure_read(&view, ret, why);
}

static struct record made(const char *text)
{
        struct erasure erasure;
        struct record record = {0};

        assert_int_equal(read(text, &erasure, NULL), ERR_OK);
        assert_int_equal(erasure_make(&erasure, NOW_MS, &record, NULL), ERR_OK);
        return record;
}

TEST(one_of_both_is_read)
{
        struct erasure erasure;
        struct id id;

        assert_int_equal(read("{\"phone\":\"+90 (532) 123 45 67\",\"orderId\":null}", &erasure, NULL),
                         ERR_OK);
        assert_string_equal(erasure.phone, "5321234567");
        assert_true(id_is_zero(&erasure.order));
        assert_int_equal(read("{\"orderId\":\"" ORDER "\"}", &erasure, NULL), ERR_OK);
        assert_true(id_read(ORDER, &id) && id_equal(&id, &erasure.order));
        assert_string_equal(erasure.phone, "");
}

TEST(all_else_is_refused_by_its_name)
{
        static const char *const cases[][2] = {{"{}", "phone"},
                                               {"{\"phone\":\"\"}", "phone"},
                                               {"{\"phone\":\"yok\"}", "phone"},
                                               {"{\"phone\":1}", "phone"},
                                               {"{\"orderId\":\"1\"}", "orderId"},
                                               {"{\"phone\":\"1\",\"orderId\":\"" ORDER "\"}", "orderId"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                struct erasure erasure;
                struct why why = {0};

                assert_int_equal(read(cases[i][0], &erasure, &why), ERR_BAD_FIELD);
                assert_string_equal(why.field, cases[i][1]);
                assert_null(strstr(why.text, "yok"));
        }
}

TEST(the_record_says_what_and_not_whose)
{
        CLEAN(record_done) struct record record = made("{\"phone\":\"+90 (532) 123 45 67\"}");
        CLEAN(json_put_at) struct json_object *before = erasure_write(&record);
        CLEAN(json_put_at) struct json_object *after = NULL;

        assert_int_equal(record.kind, RECORD_ERASURE);
        assert_int_equal(record.n_looks, 0);
        assert_null(strstr(record.document, "532"));
        assert_member(before, "/by", "\"phone\"");
        assert_member(before, "/orderId", "null");
        assert_member(before, "/orders", "0");
        assert_member(before, "/more", "true"); /* nothing is done yet */
        assert_int_equal(erasure_count(&record, &(struct erased){.orders = 7}, NOW_MS, NULL), ERR_OK);
        after = erasure_write(&record);
        assert_member(after, "/orders", "7");
        assert_member(after, "/more", "false");
        assert_member(after, "/by", "\"phone\"");
}

TEST(of_an_order_its_id_is_kept)
{
        CLEAN(record_done) struct record record = made("{\"orderId\":\"" ORDER "\"}");
        CLEAN(json_put_at) struct json_object *shown = erasure_write(&record);

        assert_member(shown, "/by", "\"orderId\"");
        assert_member(shown, "/orderId", "\"" ORDER "\"");
}

TEST(a_damaged_record_is_not_shown)
{
        CLEAN(record_done) struct record record = made("{\"phone\":\"1\"}");

        record.document[0] = 'x';
        assert_null(erasure_write(&record));
        assert_int_equal(erasure_count(&record, &(struct erased){0}, NOW_MS, NULL), ERR_INTERNAL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_of_both_is_read),
                cmocka_unit_test(all_else_is_refused_by_its_name),
                cmocka_unit_test(the_record_says_what_and_not_whose),
                cmocka_unit_test(of_an_order_its_id_is_kept),
                cmocka_unit_test(a_damaged_record_is_not_shown),
        };

        return cmocka_run_group_tests_name("erasure", tests, NULL, NULL);
}
