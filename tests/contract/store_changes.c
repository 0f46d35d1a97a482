/* SPDX-License-Identifier: Apache-2.0 */
/* store_changes.c - what changed, in the order in which the store saw it, and whose token asks. */
#include "tests/contract/world.h"

#include <string.h>

#define ORDERS 6

/* From this place on; `after` zero: all of it. */
static struct store_changes from(const struct id *restaurants, int n, struct seen after, int max)
{
        return (struct store_changes){.restaurants = restaurants,
                                      .n_restaurants = n,
                                      .after_ms = after.at_ms,
                                      .after = after.order,
                                      .max = max};
}

static void assert_in_order(const struct seen *seen, int n)
{
        for (int i = 1; i < n; i++)
                assert_true(seen[i - 1].at_ms < seen[i].at_ms ||
                            (seen[i - 1].at_ms == seen[i].at_ms &&
                             memcmp(&seen[i - 1].order, &seen[i].order, sizeof seen->order) < 0));
}

TEST(of_each_order_the_last_change_is_told)
{
        struct store_changes changes = from(&world.restaurant, 1, (struct seen){0}, 10);
        struct id ids[3];
        struct order *last;

        for (int i = 0; i < 3; i++) {
                ids[i] = order_new(PLATFORM_PHONE, STATUS_NEW);
                clock_pass(SECOND);
        }
        move_to(ids[0], STATUS_ACCEPTED);
        clock_pass(SECOND);
        move_to(ids[0], STATUS_READY);
        DO(changes, &changes);
        assert_int_equal(changes.n, 3);
        assert_in_order(changes.found, 3);
        last = order_load(ids[0]);
        assert_true(id_equal(&changes.found[2].order, &ids[0]));
        assert_true(id_equal(&changes.found[2].restaurant, &world.restaurant));
        assert_int_equal(changes.found[2].rev, last->rev);
        assert_int_equal(changes.found[2].at_ms, last->seen_ms);
        order_free(last);
        store_changes_done(&changes);
}

TEST(pages_of_changes_meet_without_a_gap)
{
        for (int i = 0; i < ORDERS; i++) { /* some of them in the same millisecond */
                order_new(PLATFORM_PHONE, STATUS_NEW);
                clock_pass(i % 3 == 2);
        }
        for (int max = 1; max <= ORDERS + 1; max++) {
                struct seen all[ORDERS + 1] = {0};
                int n = 0, got = max;

                while (got == max) {
                        struct store_changes changes =
                                from(&world.restaurant, 1, n ? all[n - 1] : (struct seen){0}, max);

                        DO(changes, &changes);
                        got = changes.n;
                        assert_true(got <= max && n + got <= ORDERS);
                        for (int i = 0; i < got; i++)
                                all[n++] = changes.found[i];
                        store_changes_done(&changes);
                }
                assert_int_equal(n, ORDERS);
                assert_in_order(all, n);
        }
}

TEST(changes_are_of_those_restaurants_that_were_named)
{
        const struct id first = world.restaurant, second = restaurant_new(), third = restaurant_new();
        const struct id both[] = {third, first};
        struct store_changes changes;
        struct id ids[3];

        for (int i = 0; i < 3; i++) { /* one in each, and one more in the first */
                world.restaurant = i == 1 ? second : i == 2 ? third : first;
                ids[i] = order_new(PLATFORM_PHONE, STATUS_NEW);
                clock_pass(SECOND);
        }
        world.restaurant = first;
        order_new(PLATFORM_PHONE, STATUS_NEW);
        for (int max = 1; max <= 4; max++) {
                changes = from(both, 2, (struct seen){0}, max);
                DO(changes, &changes);
                assert_int_equal(changes.n, max < 3 ? max : 3);
                assert_in_order(changes.found, changes.n);
                assert_true(id_equal(&changes.found[0].order, &ids[0]));
                if (max > 1)
                        assert_true(id_equal(&changes.found[1].order, &ids[2]));
                store_changes_done(&changes);
        }
}

TEST(a_failed_delivery_and_its_replay_are_changes)
{
        struct store_changes changes = from(&world.restaurant, 1, (struct seen){0}, 1);
        struct store_replay replay = {.job.access = trusted(world.restaurant), .party = PARTY_PLATFORM};
        int64_t rev;

        replay.order = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        move_to(replay.order, STATUS_READY);
        give_up(replay.order, PLATFORM_DUKKANGO, false);
        DO(changes, &changes);
        rev = changes.found[0].rev;
        store_changes_done(&changes);
        DO(replay, &replay);
        store_replay_done(&replay);
        DO(changes, &changes);
        assert_int_equal(changes.found[0].rev, rev + 1);
        store_changes_done(&changes);
}

TEST(what_is_over_changes_too)
{
        struct store_changes changes;
        struct seen after = {0};
        struct id ids[4];

        for (int i = 0; i < 4; i++) {
                ids[i] = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                clock_pass(SECOND);
        }
        move_to(ids[1], STATUS_CANCELLED);
        clock_pass(SECOND);
        move_to(ids[0], STATUS_READY);
        clock_pass(SECOND);
        give_up(ids[1], PLATFORM_DUKKANGO, /* unsure= */ false); /* once more, though it is over */
        for (int i = 0; i < 4; i++) {                            /* one by one: 2, 3, 0, 1 */
                changes = from(&world.restaurant, 1, after, 1);
                DO(changes, &changes);
                assert_int_equal(changes.n, 1);
                after = changes.found[0];
                assert_true(id_equal(&after.order, &ids[(i + 2) % 4]));
                store_changes_done(&changes);
        }
        changes = from(&world.restaurant, 1, after, 1);
        DO(changes, &changes);
        assert_int_equal(changes.n, 0);
        store_changes_done(&changes);
}

TEST(only_ourselves_look_at_what_changed)
{
        struct store_changes changes = from(&world.restaurant, 1, (struct seen){0}, 1);
        char text[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];

        token_new(world.restaurant, text, id);
        changes.job.access = by_token(text);
        ASK(ERR_FORBIDDEN, changes, &changes);
}

TEST(a_job_by_token_names_the_token)
{
        char text[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE], told[ID_TEXT_SIZE];

        token_new(world.restaurant, text, id);
        for (int i = 0; i < 2; i++) { /* once by the record, once as remembered */
                struct store_list list = {.job.access = by_token(text), .limit = 1};

                DO(list, &list);
                assert_string_equal(id_write(&list.job.token, told), id);
                store_list_done(&list);
        }
}

static const struct CMUnitTest tests[] = {
        STORY(of_each_order_the_last_change_is_told),
        STORY(pages_of_changes_meet_without_a_gap),
        STORY(changes_are_of_those_restaurants_that_were_named),
        STORY(a_failed_delivery_and_its_replay_are_changes),
        STORY(what_is_over_changes_too),
        STORY(only_ourselves_look_at_what_changed),
        STORY(a_job_by_token_names_the_token),
};

extern const struct chapter changes_chapter;
const struct chapter changes_chapter = CHAPTER(tests);
