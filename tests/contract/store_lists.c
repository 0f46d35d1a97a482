/* SPDX-License-Identifier: Apache-2.0 */
/* store_lists.c - pages of orders: newest first, filtered, bounded, and whole however they are cut. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <stdlib.h>
#include <string.h>

static struct store_list listing(int limit)
{
        return (struct store_list){.job.access = trusted(world.restaurant), .limit = limit};
}

/* Turns to the next page; false when there is none. */
static bool turn(struct store_list *list)
{
        if (!list->next[0])
                return false;
        assert_true(text_copy(list->after, sizeof list->after, list->next));
        return true;
}

/* Orders made a second apart, oldest first. */
static void make_orders(struct id *ids, int n)
{
        for (int i = 0; i < n; i++) {
                ids[i] = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                clock_pass(SECOND);
        }
}

/* The list is exactly these, in this order. */
static void assert_lists(struct store_list list, const struct id *ids, int n)
{
        DO(list, &list);
        assert_int_equal(list.n, n);
        for (int i = 0; i < n; i++)
                assert_true(id_equal(&list.orders[i]->id, &ids[i]));
        assert_string_equal(list.next, "");
        store_list_done(&list);
}

TEST(orders_are_listed_newest_first)
{
        struct store_list list = listing(LIST_MAX);
        struct id ids[5];

        make_orders(ids, 5);
        move_to(ids[0], STATUS_READY); /* a change does not make it new */
        DO(list, &list);
        assert_int_equal(list.n, 5);
        for (int i = 0; i < 5; i++)
                assert_true(id_equal(&list.orders[i]->id, &ids[4 - i]));
        assert_string_equal(list.next, "");
        store_list_done(&list);
}

TEST(pages_meet_without_a_gap_or_an_overlap)
{
        struct id ids[7];

        for (int i = 0; i < 7; i++) { /* some of them in the same millisecond */
                ids[i] = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                clock_pass(i % 3 == 2);
        }
        for (int limit = 1; limit <= 8; limit++) {
                struct store_list list = listing(limit);
                int seen[7] = {0}, n = 0;

                do {
                        DO(list, &list);
                        assert_true(list.n >= 1 && list.n <= limit);
                        for (int i = 0; i < list.n; i++, n++)
                                for (int j = 0; j < 7; j++)
                                        seen[j] += id_equal(&list.orders[i]->id, &ids[j]);
                } while (turn(&list));
                assert_int_equal(n, 7);
                for (int j = 0; j < 7; j++)
                        assert_int_equal(seen[j], 1);
                store_list_done(&list);
        }
}

TEST(the_last_page_says_that_it_is)
{
        struct store_list list = listing(3);
        struct id ids[6];

        make_orders(ids, 6);
        DO(list, &list);
        assert_int_equal(list.n, 3);
        assert_true(turn(&list));
        DO(list, &list);
        assert_int_equal(list.n, 3);
        assert_string_equal(list.next, "");
        store_list_done(&list);
}

TEST(a_cursor_stays_where_it_is_while_orders_come_in)
{
        struct store_list list = listing(2);
        struct id ids[4], newer[3];

        make_orders(ids, 4);
        DO(list, &list);
        assert_true(turn(&list));
        make_orders(newer, 3);
        DO(list, &list);
        assert_int_equal(list.n, 2);
        assert_true(id_equal(&list.orders[0]->id, &ids[1]));
        assert_true(id_equal(&list.orders[1]->id, &ids[0]));
        assert_string_equal(list.next, "");
        store_list_done(&list);
}

TEST(a_cursor_that_is_none_of_ours_is_refused)
{
        static const char *const cursors[] = {"x",
                                              "1730817000000",
                                              "1730817000000-",
                                              "1730817000000-xyz",
                                              "-507f1f77bcf86cd799439011",
                                              "1730817000000-507f1f77\n"};

        order_new(PLATFORM_PHONE, STATUS_NEW);
        for (size_t i = 0; i < COUNT(cursors); i++) {
                struct store_list list = listing(1);

                assert_true(text_copy(list.after, sizeof list.after, cursors[i]));
                ASK(ERR_BAD_FIELD, list, &list);
                assert_string_equal(list.job.why.field, "after");
                store_list_done(&list);
        }
}

TEST(an_empty_list_is_no_failure)
{
        assert_lists(listing(1), NULL, 0);
}

TEST(a_restaurant_lists_its_own_and_we_list_all)
{
        struct id own = order_new(PLATFORM_PHONE, STATUS_NEW), both[2], other = restaurant_new();
        struct store_create create = {.job.access = trusted(other),
                                      .order = order_draft(PLATFORM_PHONE, STATUS_NEW)};
        struct store_list list = listing(10);

        clock_pass(SECOND);
        DO(create, &create);
        both[0] = create.order->id;
        both[1] = own;
        assert_lists(list, &own, 1);
        list.job.access = trusted(other);
        assert_lists(list, &both[0], 1);
        list.job.access = (struct access){.kind = ACCESS_TRUSTED};
        assert_lists(list, both, 2);
        store_create_done(&create);
}

TEST(a_list_is_filtered_by_status_and_platform)
{
        struct store_list by_status = listing(10), by_platform = listing(10), by_both = listing(10);
        struct id phone = order_new(PLATFORM_PHONE, STATUS_READY);
        struct id dukkango = order_new(PLATFORM_DUKKANGO, STATUS_READY);
        const struct id ready[] = {dukkango, phone};

        order_new(PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        by_status.has_status = by_both.has_status = true;
        by_status.status = by_both.status = STATUS_READY;
        by_platform.has_platform = by_both.has_platform = true;
        by_platform.platform = by_both.platform = PLATFORM_PHONE;
        DO(list, &by_status);
        assert_int_equal(by_status.n, 2);
        for (int i = 0; i < 2; i++)
                assert_true(id_equal(&by_status.orders[i]->id, &ready[0]) ||
                            id_equal(&by_status.orders[i]->id, &ready[1]));
        store_list_done(&by_status);
        assert_lists(by_platform, &phone, 1);
        assert_lists(by_both, &phone, 1);
        by_both.status = STATUS_NEW;
        assert_lists(by_both, NULL, 0);
}

TEST(since_is_about_the_last_change_and_leaves_its_own_instant_out)
{
        struct store_list list = listing(10);
        struct id ids[3];

        make_orders(ids, 3); /* at 0, 1 and 2 s */
        move_to(ids[0], STATUS_READY);
        list.since_ms = BEGAN + 2 * SECOND;
        assert_lists(list, &ids[0], 1);
        list.since_ms = BEGAN + 2 * SECOND - 1;
        assert_lists(list, (struct id[]){ids[2], ids[0]}, 2);
        list.since_ms = BEGAN + 3 * SECOND;
        assert_lists(list, NULL, 0);
}

/* Whatever was made before and whatever after, and whatever is over: newest first, and no two times. */
TEST(pages_of_what_changed_since_hold_all_of_it)
{
        const int64_t since_ms = BEGAN + 4 * SECOND;
        struct id ids[12], expected[12];
        int n = 0;

        make_orders(ids, 12); /* at 0 to 11 s */
        move_to(ids[0], STATUS_DELIVERED);
        move_to(ids[1], STATUS_READY);
        move_to(ids[3], STATUS_CANCELLED);
        move_to(ids[7], STATUS_DELIVERED);
        for (int i = 11; i >= 0; i--)
                if (i > 4 || i == 3 || i == 1 || i == 0)
                        expected[n++] = ids[i];
        for (int limit = 1; limit <= n + 1; limit++) {
                struct store_list list = listing(limit);
                int at = 0;

                list.since_ms = since_ms;
                do {
                        DO(list, &list);
                        for (int i = 0; i < list.n; i++, at++)
                                assert_true(at < n && id_equal(&list.orders[i]->id, &expected[at]));
                } while (turn(&list));
                assert_int_equal(at, n);
                store_list_done(&list);
        }
}

TEST(of_what_has_a_status_only_what_changed_since_is_listed)
{
        struct id ids[STATUS_COUNT][2];

        for (int i = 0; i < 2 * STATUS_COUNT; i++) {
                const enum status status = (enum status)(i % STATUS_COUNT);

                ids[status][i / STATUS_COUNT] = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                if (status != STATUS_NEW)
                        move_to(ids[status][i / STATUS_COUNT], status);
                clock_pass(SECOND);
        }
        for (enum status status = 0; status < STATUS_COUNT; status++) {
                struct store_list list = listing(10);

                list.has_status = true;
                list.status = status;
                assert_lists(list, (struct id[]){ids[status][1], ids[status][0]}, 2);
                list.since_ms = BEGAN + (int64_t)status * SECOND;
                assert_lists(list, &ids[status][1], 1);
        }
}

TEST(a_list_is_filtered_by_the_state_of_a_delivery)
{
        struct id ids[DELIVERY_COUNT + 1];
        struct store_move told;

        for (int i = 0; i <= DELIVERY_COUNT; i++)
                ids[i] = order_new(i == DELIVERY_COUNT ? PLATFORM_PHONE : PLATFORM_DUKKANGO, STATUS_NEW);
        move_to(ids[DELIVERY_PENDING], STATUS_ACCEPTED);
        move_to(ids[DELIVERY_FAILED], STATUS_ACCEPTED);
        give_up(ids[DELIVERY_FAILED], PLATFORM_DUKKANGO, /* unsure= */ false);
        told = moving(ids[DELIVERY_DONE], STATUS_ACCEPTED);
        told.told = true;
        DO(move, &told);
        /* Dükkango has no call for a new order, and a phone order no platform. */
        for (int i = 0; i < DELIVERY_COUNT; i++) {
                struct store_list list = listing(10);

                list.has_delivery = true;
                list.delivery = (enum delivery)i;
                assert_lists(list, &ids[i], 1);
        }
}

static void pages_hold_every_other(enum delivery state, int first)
{
        struct store_list list = listing(2);
        struct id ids[8];
        int n = 0;

        make_orders(ids, 8);
        for (int i = 0; i < 8; i++)
                move_to(ids[i], STATUS_ACCEPTED);
        for (int i = 0; i < 8; i += 2)
                give_up(ids[i], PLATFORM_DUKKANGO, /* unsure= */ false);
        list.has_delivery = true;
        list.delivery = state;
        do {
                DO(list, &list);
                assert_int_equal(list.n, 2);
                for (int i = 0; i < list.n; i++, n++)
                        assert_true(id_equal(&list.orders[i]->id, &ids[first - 2 * n]));
        } while (turn(&list));
        assert_int_equal(n, 4);
        store_list_done(&list);
}

TEST(pages_of_what_failed_hold_nothing_else)
{
        pages_hold_every_other(DELIVERY_FAILED, 6);
}

TEST(pages_of_what_is_owed_hold_nothing_else)
{
        pages_hold_every_other(DELIVERY_PENDING, 7);
}

TEST(documents_come_where_they_are_wanted_and_history_always)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);

        move_to(id, STATUS_READY);
        for (int wanted = 0; wanted < 2; wanted++) {
                struct store_list list = listing(1);

                list.documents = wanted;
                DO(list, &list);
                assert_int_equal(list.n, 1);
                assert_int_equal(list.orders[0]->document != NULL, wanted);
                assert_int_equal(list.orders[0]->n_moves, 2);
                assert_int_equal(list.orders[0]->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_READY));
                store_list_done(&list);
        }
}

/* An order with a document of about 200 KiB. */
static void make_large(void)
{
        static const char head[] = "{\"orderNote\":\"", tail[] = "\"}";
        const size_t size = 200 << 10;
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(PLATFORM_PHONE, STATUS_NEW)};
        char *document = malloc(size);

        assert_non_null(document);
        memset(document, ' ', size);
        memcpy(document, head, strlen(head));
        memcpy(document + size - sizeof tail, tail, sizeof tail);
        free(create.order->document);
        create.order->document = document;
        DO(create, &create);
        store_create_done(&create);
}

TEST(a_page_ends_early_where_documents_grow_large)
{
        struct store_list list = listing(LIST_MAX);
        size_t bytes, seen = 0, pages = 0;

        for (int i = 0; i < 48; i++)
                make_large();
        DO(list, &list);
        assert_int_equal(list.n, 48); /* without documents there is nothing to bound */
        list.documents = true;
        do {
                bytes = 0;
                DO(list, &list);
                for (int i = 0; i < list.n; i++)
                        bytes += strlen(list.orders[i]->document);
                assert_true(bytes < (4 << 20) + 2 * (200 << 10));
                seen += (size_t)list.n;
                pages++;
        } while (turn(&list));
        assert_int_equal(seen, 48);
        assert_int_equal(pages, 3);
        store_list_done(&list);
}

static const struct CMUnitTest tests[] = {
        STORY(orders_are_listed_newest_first),
        STORY(pages_meet_without_a_gap_or_an_overlap),
        STORY(the_last_page_says_that_it_is),
        STORY(a_cursor_stays_where_it_is_while_orders_come_in),
        STORY(a_cursor_that_is_none_of_ours_is_refused),
        STORY(an_empty_list_is_no_failure),
        STORY(a_restaurant_lists_its_own_and_we_list_all),
        STORY(a_list_is_filtered_by_status_and_platform),
        STORY(since_is_about_the_last_change_and_leaves_its_own_instant_out),
        STORY(pages_of_what_changed_since_hold_all_of_it),
        STORY(of_what_has_a_status_only_what_changed_since_is_listed),
        STORY(a_list_is_filtered_by_the_state_of_a_delivery),
        STORY(pages_of_what_failed_hold_nothing_else),
        STORY(pages_of_what_is_owed_hold_nothing_else),
        STORY(documents_come_where_they_are_wanted_and_history_always),
        STORY(a_page_ends_early_where_documents_grow_large),
};

extern const struct chapter lists_chapter;
const struct chapter lists_chapter = CHAPTER(tests);
