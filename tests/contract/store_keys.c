/* SPDX-License-Identifier: Apache-2.0 */
/* store_keys.c - what an Idempotency-Key promises: a repeat is the first answer again, and nothing else. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <string.h>

/* A courier's move under this key, done. */
static struct store_move report(const struct courier *courier, struct id order, enum status to,
                                const char *key)
{
        struct store_move move = {
                .job.access = by_key(courier->key), .order = order, .to = to, .by = ACTOR_COURIER};

        assert_true(text_copy(move.idempotency_key, sizeof move.idempotency_key, key));
        DO(move, &move);
        return move;
}

/* Revision and rows are these. */
static void assert_counts(struct id id, int rev, int rows)
{
        CLEAN(order_free_at) struct order *order = order_load(id);

        assert_int_equal(order->rev, rev);
        assert_int_equal(order->n_moves, rows);
}

TEST(a_courier_stands_in_the_history)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;

        report(&courier, id, STATUS_ON_THE_WAY, "");
        order = order_load(id);
        assert_int_equal(order_last_move(order)->by, ACTOR_COURIER);
        assert_true(id_equal(&order_last_move(order)->integration, &courier.integration));
}

TEST(a_repeat_is_the_first_answer_again)
{
        struct courier courier = courier_hire(world.restaurant);

        for (enum status to = STATUS_ON_THE_WAY; to <= STATUS_DELIVERED; to++) {
                struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
                const struct store_move first = report(&courier, id, to, "a-1");
                struct store_move again;

                clock_pass(SECOND);
                changes_heard(NULL);
                again = report(&courier, id, to, "a-1");
                assert_int_equal(first.outcome, MOVE_MOVED);
                assert_int_equal(again.outcome, MOVE_MOVED);
                assert_int_equal(again.status, to);
                assert_int_equal(again.at_ms, first.at_ms);
                assert_int_equal(changes_heard(NULL), 0);
                assert_counts(id, 2, 2);
        }
}

TEST(a_repeat_is_known_after_later_moves_too)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        const struct store_move first = report(&courier, id, STATUS_ON_THE_WAY, "a-1");
        struct store_move again;

        clock_pass(SECOND);
        report(&courier, id, STATUS_DELIVERED, "a-2");
        again = report(&courier, id, STATUS_ON_THE_WAY, "a-1");
        assert_int_equal(again.outcome, MOVE_MOVED);
        assert_int_equal(again.status, STATUS_ON_THE_WAY);
        assert_int_equal(again.at_ms, first.at_ms);
        assert_counts(id, 3, 3);
}

TEST(a_key_with_another_status_is_refused)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);

        report(&courier, id, STATUS_ON_THE_WAY, "a-1");
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "a-1").outcome, MOVE_KEY_REUSED);
        assert_counts(id, 2, 2);
        report(&courier, id, STATUS_DELIVERED, "a-2");
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, "a-2").outcome, MOVE_KEY_REUSED);
        assert_counts(id, 3, 3);
}

TEST(another_key_is_another_request)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);

        report(&courier, id, STATUS_ON_THE_WAY, "a-1");
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, "a-2").outcome, MOVE_SAME);
        report(&courier, id, STATUS_DELIVERED, "a-3");
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "a-4").outcome, MOVE_FINAL);
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "").outcome, MOVE_FINAL);
        assert_counts(id, 3, 3);
}

TEST(a_key_counts_for_its_integration_alone)
{
        struct courier one = courier_hire(world.restaurant), two = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);

        report(&one, id, STATUS_ON_THE_WAY, "a-1");
        assert_int_equal(report(&two, id, STATUS_ON_THE_WAY, "a-1").outcome, MOVE_SAME);
        assert_int_equal(report(&two, id, STATUS_DELIVERED, "a-1").outcome, MOVE_MOVED);
        assert_int_equal(report(&one, id, STATUS_DELIVERED, "a-1").outcome, MOVE_KEY_REUSED);
}

TEST(a_key_counts_for_its_order_alone)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id one = order_new(PLATFORM_PHONE, STATUS_NEW), two = order_new(PLATFORM_PHONE, STATUS_NEW);

        report(&courier, one, STATUS_ON_THE_WAY, "a-1");
        assert_int_equal(report(&courier, two, STATUS_DELIVERED, "a-1").outcome, MOVE_MOVED);
        assert_counts(two, 2, 2);
}

TEST(a_key_outlives_a_rotation)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);

        report(&courier, id, STATUS_DELIVERED, "a-1");
        courier_rotate(&courier, 0);
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "a-1").outcome, MOVE_MOVED);
}

TEST(a_key_is_kept_only_by_a_move)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        struct id unknown = world.restaurant;

        move_to(id, STATUS_ON_THE_WAY);
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, "a-1").outcome, MOVE_SAME);
        assert_int_equal(report(&courier, id, STATUS_READY, "a-1").outcome, MOVE_PAST);
        assert_int_equal(report(&courier, unknown, STATUS_ON_THE_WAY, "a-1").outcome, MOVE_UNKNOWN);
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "a-1").outcome, MOVE_MOVED);
        assert_int_equal(report(&courier, id, STATUS_DELIVERED, "a-2").outcome, MOVE_FINAL);
        assert_counts(id, 3, 3);
}

TEST(the_longest_key_counts_to_its_last_character)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        char key[IDEMPOTENCY_KEY_SIZE];

        memset(key, 'k', sizeof key - 1);
        key[sizeof key - 1] = '\0';
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, key).outcome, MOVE_MOVED);
        key[sizeof key - 2] = 'l';
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, key).outcome, MOVE_SAME);
        key[sizeof key - 2] = 'k';
        assert_int_equal(report(&courier, id, STATUS_ON_THE_WAY, key).outcome, MOVE_MOVED);
}

TEST(two_under_one_key_in_one_round_are_one_move)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        struct store_move moves[2];

        for (int i = 0; i < 2; i++) {
                moves[i] = (struct store_move){.job.access = by_key(courier.key),
                                               .order = id,
                                               .to = STATUS_DELIVERED,
                                               .by = ACTOR_COURIER,
                                               .idempotency_key = "a-1"};
                SUBMIT(&world.desk, move, &moves[i]);
        }
        changes_heard(NULL);
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < 2; i++)
                assert_int_equal(moves[i].outcome, MOVE_MOVED);
        assert_int_equal(moves[0].at_ms, moves[1].at_ms);
        assert_int_equal(changes_heard(NULL), 1);
        assert_counts(id, 2, 2);
}

static const struct CMUnitTest tests[] = {
        STORY(a_courier_stands_in_the_history),
        STORY(a_repeat_is_the_first_answer_again),
        STORY(a_repeat_is_known_after_later_moves_too),
        STORY(a_key_with_another_status_is_refused),
        STORY(another_key_is_another_request),
        STORY(a_key_counts_for_its_integration_alone),
        STORY(a_key_counts_for_its_order_alone),
        STORY(a_key_outlives_a_rotation),
        STORY(a_key_is_kept_only_by_a_move),
        STORY(the_longest_key_counts_to_its_last_character),
        STORY(two_under_one_key_in_one_round_are_one_move),
};

extern const struct chapter keys_chapter;
const struct chapter keys_chapter = CHAPTER(tests);
