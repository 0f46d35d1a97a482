/* SPDX-License-Identifier: Apache-2.0 */
/* store_orders.c - orders come in once, and are read by whom they belong to. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <stdlib.h>
#include <string.h>

static struct store_create creating(struct order *order)
{
        return (struct store_create){
                .job.access = trusted(world.restaurant), .order = order, .by = ACTOR_PLATFORM};
}

/* How many orders the restaurant has. */
static int count_orders(struct id restaurant)
{
        CLEAN(store_list_done)
        struct store_list list = {.job.access = trusted(restaurant), .limit = LIST_MAX};

        DO(list, &list);
        return list.n;
}

TEST(a_new_order_stands_as_it_came_in)
{
        CLEAN(store_create_done)
        struct store_create create = creating(order_draft(PLATFORM_TRENDYOLYEMEK, STATUS_ACCEPTED));
        CLEAN(order_free_at) struct order *order = NULL;

        create.order->pickup = create.order->platform_courier = true;
        create.order->scheduled_ms = BEGAN + MINUTE;
        DO(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        order = order_load(create.order->id);
        assert_false(id_is_zero(&order->id));
        assert_true(id_equal(&order->restaurant, &world.restaurant));
        assert_int_equal(order->platform, PLATFORM_TRENDYOLYEMEK);
        assert_string_equal(order->platform_order_id, create.order->platform_order_id);
        assert_int_equal(order->status, STATUS_ACCEPTED);
        assert_true(order->pickup && order->platform_courier);
        assert_int_equal(order->prep_minutes, 30);
        assert_int_equal(order->scheduled_ms, BEGAN + MINUTE);
        assert_string_equal(order->document, "{\"price\":125.5}");
        assert_int_equal(order->rev, 1);
        assert_int_equal(order->created_ms, BEGAN);
        assert_int_equal(order->updated_ms, BEGAN);
}

TEST(its_history_begins_with_who_sent_it)
{
        CLEAN(store_create_done)
        struct store_create create = creating(order_draft(PLATFORM_DUKKANGO, STATUS_COOKING));
        CLEAN(order_free_at) struct order *order = NULL;

        DO(create, &create);
        order = order_load(create.order->id);
        assert_int_equal(order->n_moves, 1);
        assert_int_equal(order->moves[0].to, STATUS_COOKING);
        assert_int_equal(order->moves[0].at_ms, BEGAN);
        assert_int_equal(order->moves[0].by, ACTOR_PLATFORM);
        assert_true(id_is_zero(&order->moves[0].integration));
}

TEST(what_it_came_with_its_platform_knows)
{
        CLEAN(order_free_at) struct order *order = order_load(order_new(PLATFORM_DUKKANGO, STATUS_READY));
        const struct target *target = &order->targets[PARTY_PLATFORM];

        assert_int_equal(target->want, STEP_OF(STATUS_READY));
        assert_int_equal(target->told, STEP_OF(STATUS_READY));
        assert_int_equal(target->at_ms, TARGET_NOT_DUE);
        assert_false(target->unsure);
        assert_int_equal(target->tries, 0);
        assert_string_equal(target->dead, "");
        assert_null(target->log);
        assert_int_equal(count_due(), 0);
}

TEST(a_new_order_is_told_once_as_new)
{
        struct change change;
        struct id id;

        changes_heard(NULL);
        id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        assert_int_equal(changes_heard(&change), 1);
        assert_true(id_equal(&change.order, &id));
        assert_true(id_equal(&change.restaurant, &world.restaurant));
        assert_int_equal(change.platform, PLATFORM_DUKKANGO);
        assert_int_equal(change.rev, 1);
        assert_int_equal(change.before, STATUS_COUNT);
        assert_int_equal(change.after, STATUS_ACCEPTED);
        assert_false(change.due[PARTY_PLATFORM]);
}

TEST(the_same_order_again_is_the_one_that_is_there)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *first = order_load(id);
        CLEAN(store_create_done)
        struct store_create again = creating(order_draft(PLATFORM_DUKKANGO, STATUS_ACCEPTED));

        move_to(id, STATUS_READY);
        changes_heard(NULL);
        free(again.order->platform_order_id);
        free(again.order->document);
        again.order->platform_order_id = strdup(first->platform_order_id);
        again.order->document = strdup("{\"price\":1}");
        DO(create, &again);
        assert_int_equal(again.outcome, CREATE_SAME);
        assert_true(id_equal(&again.order->id, &id));
        assert_int_equal(again.order->status, STATUS_READY);
        assert_int_equal(again.order->rev, 2);
        assert_int_equal(again.order->n_moves, 2);
        assert_string_equal(again.order->document, first->document);
        assert_int_equal(changes_heard(NULL), 0);
        assert_int_equal(count_orders(world.restaurant), 1);
}

TEST(the_same_order_twice_in_one_round_is_one_order)
{
        CLEAN(store_create_done)
        struct store_create one = creating(order_draft(PLATFORM_DUKKANGO, STATUS_NEW));
        CLEAN(store_create_done)
        struct store_create two = creating(order_draft(PLATFORM_DUKKANGO, STATUS_NEW));

        free(two.order->platform_order_id);
        two.order->platform_order_id = strdup(one.order->platform_order_id);
        SUBMIT(&world.desk, create, &one);
        SUBMIT(&world.desk, create, &two);
        assert_true(desk_wait(&world.desk));
        assert_int_equal((one.outcome == CREATE_NEW) + (two.outcome == CREATE_NEW), 1);
        assert_int_equal((one.outcome == CREATE_SAME) + (two.outcome == CREATE_SAME), 1);
        assert_true(id_equal(&one.order->id, &two.order->id));
}

TEST(the_same_number_elsewhere_is_another_order)
{
        CLEAN(store_create_done)
        struct store_create first = creating(order_draft(PLATFORM_DUKKANGO, STATUS_NEW));
        CLEAN(store_create_done)
        struct store_create platform = creating(order_draft(PLATFORM_TRENDYOLYEMEK, STATUS_NEW));
        CLEAN(store_create_done)
        struct store_create restaurant = creating(order_draft(PLATFORM_DUKKANGO, STATUS_NEW));

        restaurant.job.access = trusted(restaurant_new());
        free(platform.order->platform_order_id);
        free(restaurant.order->platform_order_id);
        platform.order->platform_order_id = strdup(first.order->platform_order_id);
        restaurant.order->platform_order_id = strdup(first.order->platform_order_id);
        DO(create, &first);
        DO(create, &platform);
        DO(create, &restaurant);
        assert_int_equal(platform.outcome, CREATE_NEW);
        assert_int_equal(restaurant.outcome, CREATE_NEW);
        assert_false(id_equal(&platform.order->id, &first.order->id));
        assert_false(id_equal(&restaurant.order->id, &first.order->id));
}

TEST(an_order_keeps_the_id_it_brings)
{
        CLEAN(store_create_done)
        struct store_create create = creating(order_draft(PLATFORM_PHONE, STATUS_NEW));
        struct id id;

        assert_true(id_read("507f1f77bcf86cd799439012", &id));
        create.order->id = id;
        DO(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        order_free(order_load(id));
}

TEST(an_id_that_another_order_has_is_taken)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct id other = restaurant_new();

        for (int foreign = 0; foreign < 2; foreign++) {
                CLEAN(store_create_done)
                struct store_create create = creating(order_draft(PLATFORM_DUKKANGO, STATUS_ACCEPTED));
                CLEAN(order_free_at) struct order *order = NULL;

                create.job.access = trusted(foreign ? other : world.restaurant);
                create.order->id = id;
                changes_heard(NULL);
                DO(create, &create);
                assert_int_equal(create.outcome, CREATE_TAKEN);
                assert_int_equal(changes_heard(NULL), 0);
                order = order_load(id);
                assert_int_equal(order->status, STATUS_NEW);
        }
        assert_int_equal(count_orders(world.restaurant), 1);
        assert_int_equal(count_orders(other), 0);
}

TEST(a_restaurant_that_is_not_there_takes_no_order)
{
        CLEAN(store_create_done)
        struct store_create create = creating(order_draft(PLATFORM_PHONE, STATUS_NEW));

        create.job.access.restaurant.bytes[0] ^= 1;
        changes_heard(NULL);
        ASK(ERR_NOT_FOUND, create, &create);
        assert_int_equal(changes_heard(NULL), 0);
}

TEST(what_is_refused_takes_nobody_else_with_it)
{
        CLEAN(store_create_done)
        struct store_create nowhere = creating(order_draft(PLATFORM_PHONE, STATUS_NEW));
        CLEAN(store_create_done) struct store_create good = creating(order_draft(PLATFORM_PHONE, STATUS_NEW));
        CLEAN(store_create_done)
        struct store_create taken = creating(order_draft(PLATFORM_PHONE, STATUS_NEW));

        nowhere.job.access.restaurant.bytes[0] ^= 1;
        taken.order->id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        SUBMIT(&world.desk, create, &nowhere);
        SUBMIT(&world.desk, create, &taken);
        SUBMIT(&world.desk, create, &good);
        assert_true(desk_wait(&world.desk));
        assert_int_equal(nowhere.job.err, ERR_NOT_FOUND);
        assert_int_equal(taken.outcome, CREATE_TAKEN);
        assert_int_equal(good.job.err, ERR_OK);
        assert_int_equal(good.outcome, CREATE_NEW);
        order_free(order_load(good.order->id));
}

TEST(an_order_is_read_in_its_restaurant_only)
{
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        struct store_read own = {.job.access = trusted(world.restaurant), .order = id};
        struct store_read foreign = {.job.access = trusted(restaurant_new()), .order = id};
        struct store_read ours = {.order = id};

        DO(read, &own);
        DO(read, &foreign);
        DO(read, &ours);
        assert_non_null(own.stored);
        assert_null(foreign.stored);
        assert_non_null(ours.stored);
        store_read_done(&own);
        store_read_done(&ours);
}

TEST(an_order_that_is_not_there_is_no_failure)
{
        struct store_read read = {.order = world.restaurant};

        DO(read, &read);
        assert_null(read.stored);
}

TEST(a_job_is_repeated_without_leaking_what_it_gave)
{
        struct store_read read = {.order = order_new(PLATFORM_PHONE, STATUS_NEW)};

        for (int i = 0; i < 3; i++)
                DO(read, &read);
        store_read_done(&read);
        assert_null(read.stored);
}

static struct store_rewrite rewriting(struct id order, const struct order *content)
{
        return (struct store_rewrite){
                .job.access = trusted(world.restaurant), .order = order, .content = content};
}

TEST(a_new_orders_content_is_replaced)
{
        struct order content = {.document = strdup("{\"price\":7,\"items\":[{\"name\":\"Pide\"}]}"),
                                .scheduled_ms = BEGAN + MINUTE,
                                .status = STATUS_READY,
                                .pickup = false};
        struct id id = order_new(PLATFORM_YANDEX, STATUS_NEW);
        struct store_rewrite rewrite = rewriting(id, &content);
        CLEAN(order_free_at) struct order *before = order_load(id);
        CLEAN(order_free_at) struct order *order = NULL;
        struct change change;

        clock_pass(SECOND);
        changes_heard(NULL);
        DO(rewrite, &rewrite);
        assert_int_equal(rewrite.outcome, REWRITE_DONE);
        assert_int_equal(changes_heard(&change), 1);
        assert_true(id_equal(&change.order, &id));
        assert_int_equal(change.platform, PLATFORM_YANDEX);
        assert_int_equal(change.rev, 2);
        assert_int_equal(change.before, STATUS_NEW);
        assert_int_equal(change.after, STATUS_NEW);
        assert_false(change.due[PARTY_PLATFORM] || change.due[PARTY_COURIER]);
        order = order_load(id);
        assert_string_equal(order->document, content.document);
        assert_int_equal(order->scheduled_ms, BEGAN + MINUTE);
        assert_int_equal(order->rev, 2);
        assert_int_equal(order->updated_ms, BEGAN + SECOND);
        assert_int_equal(order->status, STATUS_NEW);
        assert_int_equal(order->n_moves, 1);
        assert_int_equal(order->pickup, before->pickup);
        assert_string_equal(order->platform_order_id, before->platform_order_id);
        content.scheduled_ms = 0;
        DO(rewrite, &rewrite);
        order_free(TAKE(order));
        order = order_load(id);
        assert_int_equal(order->scheduled_ms, 0);
        free(content.document);
}

TEST(what_is_new_no_more_keeps_its_content)
{
        struct order content = {.document = strdup("{\"price\":7}")};
        struct id id = order_new(PLATFORM_YANDEX, STATUS_NEW);
        struct store_rewrite rewrite = rewriting(id, &content);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_ACCEPTED);
        changes_heard(NULL);
        DO(rewrite, &rewrite);
        assert_int_equal(rewrite.outcome, REWRITE_LATE);
        order = order_load(id);
        assert_string_equal(order->document, "{\"price\":125.5}");
        assert_int_equal(order->rev, 2);
        rewrite = rewriting(world.restaurant, &content);
        DO(rewrite, &rewrite);
        assert_int_equal(rewrite.outcome, REWRITE_UNKNOWN);
        rewrite = rewriting(order_new(PLATFORM_YANDEX, STATUS_NEW), &content);
        rewrite.job.access = trusted(restaurant_new());
        changes_heard(NULL);
        DO(rewrite, &rewrite);
        assert_int_equal(rewrite.outcome, REWRITE_UNKNOWN);
        assert_int_equal(changes_heard(NULL), 0);
        free(content.document);
}

static const struct CMUnitTest tests[] = {
        STORY(a_new_order_stands_as_it_came_in),
        STORY(its_history_begins_with_who_sent_it),
        STORY(what_it_came_with_its_platform_knows),
        STORY(a_new_order_is_told_once_as_new),
        STORY(the_same_order_again_is_the_one_that_is_there),
        STORY(the_same_order_twice_in_one_round_is_one_order),
        STORY(the_same_number_elsewhere_is_another_order),
        STORY(an_order_keeps_the_id_it_brings),
        STORY(an_id_that_another_order_has_is_taken),
        STORY(a_restaurant_that_is_not_there_takes_no_order),
        STORY(what_is_refused_takes_nobody_else_with_it),
        STORY(an_order_is_read_in_its_restaurant_only),
        STORY(an_order_that_is_not_there_is_no_failure),
        STORY(a_job_is_repeated_without_leaking_what_it_gave),
        STORY(a_new_orders_content_is_replaced),
        STORY(what_is_new_no_more_keeps_its_content),
};

extern const struct chapter orders_chapter;
const struct chapter orders_chapter = CHAPTER(tests);
