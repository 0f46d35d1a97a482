/* SPDX-License-Identifier: Apache-2.0 */
/* restaurant.c - a restaurant has a name, is active, and sends its orders to one courier firm at most. */
#include "model/restaurant.h"

#include "tests/unit/records.h"

static enum err make(const char *text, struct record *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        struct view view = view_of(body);

        return restaurant_make(&view, NOW_MS, ret, why);
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
        CLEAN(json_put_at) struct json_object *body = parse(text);
        CLEAN(restaurant_patch_done) struct restaurant_patch patch = {0};
        struct view view = view_of(body);
        enum err e = restaurant_patch_read(&view, &patch, why);

        return e ? e : restaurant_edit(record, &patch, NOW_MS, why);
}

static void choose(struct record *record, const char *integration, bool on)
{
        struct dispatch_choice choice = {.integration = read_id(integration), .on = on};

        assert_int_equal(restaurant_choose_dispatch(record, &choice, NOW_MS, NULL), ERR_OK);
}

TEST(a_new_one_is_active_and_its_own)
{
        CLEAN(record_done) struct record record = made("{'name':'Köfteci','active':false}");
        struct id id;

        assert_int_equal(record.kind, RECORD_RESTAURANT);
        assert_true(id_read(record.id, &id));
        assert_true(id_equal(&id, &record.restaurant));
        assert_int_equal(record.n_looks, 0);
        assert_true(restaurant_is_active(&record));
}

TEST(it_is_shown_with_its_times_and_nothing_else)
{
        CLEAN(record_done)
        struct record record = made("{'name':'Köfteci','restaurantId':'507F1F77BCF86CD799439011'}");

        choose(&record, "000000000000000000000001", true);
        assert_shown(restaurant_write(&record),
                     "{'restaurantId':'507f1f77bcf86cd799439011','name':'Köfteci','active':true,"
                     "'createdAt':'2024-11-05T14:30:00.000Z','updatedAt':'2024-11-05T14:30:01.000Z'}");
}

TEST(two_new_ones_have_two_ids)
{
        CLEAN(record_done) struct record one = made("{'name':'Bir'}");
        CLEAN(record_done) struct record two = made("{'name':'İki','restaurantId':null}");

        assert_string_not_equal(one.id, two.id);
}

TEST(a_bad_body_makes_none_and_names_the_field)
{
        static const char *const bad[][2] = {
                {"{}", "name"},
                {"{'name':null}", "name"},
                {"{'name':''}", "name"},
                {"{'name':5}", "name"},
                {"{'name':'x','restaurantId':'12'}", "restaurantId"},
                {"{'name':'x','restaurantId':5}", "restaurantId"},
        };
        struct record record = {.rev = 7};
        struct why why;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_field(make(bad[i][0], &record, &why), &why, bad[i][1]);
        assert_int_equal(record.rev, 7);
        assert_null(record.document);
}

TEST(a_name_has_200_characters_at_most)
{
        static const char head[] = "{'name':'", tail[] = "'}";
        char body[512];

        for (size_t n = 200; n <= 201; n++) {
                struct record record = {0};
                char *at = stpcpy(body, head);

                for (size_t i = 0; i < n; i++)
                        at = stpcpy(at, "ş");
                stpcpy(at, tail);
                assert_int_equal(make(body, &record, NULL), n == 200 ? ERR_OK : ERR_BAD_FIELD);
                record_done(&record);
        }
}

TEST(a_change_changes_what_it_names)
{
        CLEAN(record_done) struct record record = made("{'name':'Eski','restaurantId':'" OWN_ID "'}");

        assert_int_equal(edit(&record, "{}", NULL), ERR_OK);
        assert_true(restaurant_is_active(&record));
        assert_int_equal(edit(&record, "{'active':false}", NULL), ERR_OK);
        assert_false(restaurant_is_active(&record));
        assert_int_equal(edit(&record, "{'name':'Yeni','active':true}", NULL), ERR_OK);
        assert_shown(restaurant_write(&record),
                     "{'restaurantId':'" OWN_ID "','name':'Yeni','active':true,"
                     "'createdAt':'2024-11-05T14:30:00.000Z','updatedAt':'2024-11-05T14:30:01.000Z'}");
}

TEST(neither_name_nor_active_can_be_cleared)
{
        static const char *const bad[][2] = {
                {"{'name':null}", "name"},
                {"{'active':null}", "active"},
                {"{'active':1}", "active"},
                {"{'name':'x','active':'no'}", "active"},
        };
        CLEAN(record_done) struct record record = made("{'name':'x'}");
        struct why why;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_field(edit(&record, bad[i][0], &why), &why, bad[i][1]);
}

TEST(orders_go_to_one_integration_at_most)
{
        static const char one[] = "000000000000000000000001", two[] = "000000000000000000000002";
        CLEAN(record_done) struct record record = made("{'name':'x'}");

        assert_false(restaurant_dispatches_to(&record, one));
        choose(&record, one, true);
        assert_true(restaurant_dispatches_to(&record, one));
        choose(&record, two, true);
        assert_false(restaurant_dispatches_to(&record, one));
        assert_true(restaurant_dispatches_to(&record, two));
        choose(&record, one, false);
        assert_true(restaurant_dispatches_to(&record, two));
        choose(&record, two, false);
        assert_false(restaurant_dispatches_to(&record, two));
        assert_true(restaurant_is_active(&record));
}

TEST(a_record_that_is_absent_or_damaged_says_no)
{
        struct record absent = {0}, damaged = {.document = (char[]){"{\"active\":true"}};
        struct restaurant_patch patch = {.members = (char[]){"{\"active\":false}"}};

        assert_false(restaurant_is_active(&absent));
        assert_false(restaurant_dispatches_to(&absent, OWN_ID));
        assert_false(restaurant_is_active(&damaged));
        assert_null(restaurant_write(&damaged));
        assert_int_equal(restaurant_edit(&damaged, &patch, NOW_MS, NULL), ERR_INTERNAL);
        assert_string_equal(damaged.document, "{\"active\":true");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_one_is_active_and_its_own),
                cmocka_unit_test(it_is_shown_with_its_times_and_nothing_else),
                cmocka_unit_test(two_new_ones_have_two_ids),
                cmocka_unit_test(a_bad_body_makes_none_and_names_the_field),
                cmocka_unit_test(a_name_has_200_characters_at_most),
                cmocka_unit_test(a_change_changes_what_it_names),
                cmocka_unit_test(neither_name_nor_active_can_be_cleared),
                cmocka_unit_test(orders_go_to_one_integration_at_most),
                cmocka_unit_test(a_record_that_is_absent_or_damaged_says_no),
        };

        return cmocka_run_group_tests_name("restaurant", tests, NULL, NULL);
}
