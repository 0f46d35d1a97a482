/* SPDX-License-Identifier: Apache-2.0 */
/* store_durability.c - what was answered is there after the end of the process; what may have been sent is doubted. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <string.h>

static void restart(void)
{
        world_close();
        world_open();
}

TEST(a_new_store_is_ready)
{
        assert_true(store_is_ready(world.store));
        assert_int_equal(notes_heard(NOTE_BROKEN), 0);
}

TEST(closing_nothing_is_fine)
{
        store_close(NULL);
}

TEST(a_store_of_an_unknown_kind_is_refused_in_words)
{
        struct store_options options = world_options();
        struct store *store = NULL;
        struct why why;

        options.where = "papyrus:roll";
        assert_int_equal(store_open(&options, &store, &why), ERR_INTERNAL);
        assert_null(store);
        assert_true(strlen(why.text) > 0);
}

TEST(an_order_and_all_it_went_through_outlive_a_restart)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_CANCELLED);
        CLEAN(order_free_at) struct order *before = NULL;
        CLEAN(order_free_at) struct order *after = NULL;

        clock_pass(SECOND);
        move_to(id, STATUS_ACCEPTED);
        assert_true(text_copy(move.reason, sizeof move.reason, "3"));
        move.note = "Çok yoğunuz";
        DO(move, &move);
        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ false);
        before = order_load(id);
        restart();
        after = order_load(id);
        assert_int_equal(after->rev, before->rev);
        assert_int_equal(after->status, STATUS_CANCELLED);
        assert_int_equal(after->created_ms, before->created_ms);
        assert_int_equal(after->updated_ms, before->updated_ms);
        assert_string_equal(after->platform_order_id, before->platform_order_id);
        assert_string_equal(after->document, before->document);
        assert_int_equal(after->n_moves, 3);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(after->moves[i].at_ms, before->moves[i].at_ms);
                assert_string_equal(after->moves[i].op, before->moves[i].op);
        }
        assert_string_equal(after->moves[2].reason, "3");
        assert_string_equal(after->moves[2].note, "Çok yoğunuz");
        assert_string_equal(after->targets[PARTY_PLATFORM].dead, "timeout");
        assert_int_equal(after->targets[PARTY_PLATFORM].tries, 3);
        assert_string_equal(after->targets[PARTY_PLATFORM].log, before->targets[PARTY_PLATFORM].log);
}

TEST(keys_tokens_and_idempotency_outlive_a_restart)
{
        struct courier courier = courier_hire(world.restaurant);
        char token[APIKEY_TEXT_SIZE], token_id[RECORD_ID_SIZE];
        struct store_move move = {.job.access = by_key(courier.key),
                                  .order = order_new(PLATFORM_PHONE, STATUS_NEW),
                                  .to = STATUS_DELIVERED,
                                  .by = ACTOR_COURIER,
                                  .idempotency_key = "a-1"};
        struct store_find find = {.kind = RECORD_TOKEN, .limit = 1};

        token_new(world.restaurant, token, token_id);
        DO(move, &move);
        clock_pass(SECOND);
        restart();
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
        assert_int_equal(move.at_ms, BEGAN);
        find.job.access = by_token(token);
        DO(find, &find);
        assert_int_equal(find.n, 1);
        assert_string_equal(find.records[0].id, token_id);
        store_find_done(&find);
}

TEST(what_is_owed_is_still_due)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);

        move_to(id, STATUS_ACCEPTED);
        restart();
        assert_int_equal(count_due(), 1);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, NULL));
}

TEST(what_somebody_held_at_the_end_is_doubted)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_claim claim;
        bool unsure = false;

        move_to(id, STATUS_ACCEPTED);
        claim = claim_of(id, PLATFORM_DUKKANGO);
        restart();
        clock_pass(LEASE_MS); /* where leases outlive their holder */
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, &unsure));
        assert_true(unsure);
        store_claim_done(&claim);
}

TEST(what_is_not_owed_is_not_doubted)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;
        struct store_claim claim;
        struct store_settle settle;

        move_to(id, STATUS_ACCEPTED);
        claim = claim_of(id, PLATFORM_DUKKANGO);
        settle = settling(&claim, (struct settlement){.kind = SETTLE_DONE,
                                                      .told = STEP_OF(STATUS_ACCEPTED),
                                                      .told_at_ms = BEGAN,
                                                      .at_ms = TARGET_NOT_DUE});
        DO(settle, &settle);
        restart();
        order = order_load(id);
        assert_false(order->targets[PARTY_PLATFORM].unsure);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(count_due(), 0);
        store_claim_done(&claim);
        store_settle_done(&settle);
}

TEST(what_was_given_up_stays_so_and_keeps_its_doubt)
{
        for (int unsure = 0; unsure < 2; unsure++) {
                struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                CLEAN(order_free_at) struct order *order = NULL;

                move_to(id, STATUS_ACCEPTED);
                give_up(id, PLATFORM_DUKKANGO, unsure);
                restart();
                order = order_load(id);
                assert_int_equal(order->targets[PARTY_PLATFORM].unsure, unsure);
                assert_string_equal(order->targets[PARTY_PLATFORM].dead, "timeout");
                assert_int_equal(count_due(), 0);
        }
}

TEST(closing_finishes_what_was_handed_over)
{
        struct store_move moves[8];
        struct store_read read = {.job.access = trusted(world.restaurant)};

        for (size_t i = 0; i < COUNT(moves); i++)
                moves[i] = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);
        read.order = moves[0].order;
        for (size_t i = 0; i < COUNT(moves); i++)
                SUBMIT(&world.desk, move, &moves[i]); /* nobody kicks */
        SUBMIT(&world.desk, read, &read);
        world_close();
        inbox_run(&world.desk.in);
        assert_int_equal(world.desk.out, 0);
        world_open();
        assert_int_equal(count_due(), (int)COUNT(moves));
        for (size_t i = 0; i < COUNT(moves); i++) {
                assert_int_equal(moves[i].job.err, ERR_OK);
                assert_int_equal(moves[i].outcome, MOVE_MOVED);
        }
        assert_non_null(read.stored);
        store_read_done(&read);
}

static const struct CMUnitTest tests[] = {
        STORY(a_new_store_is_ready),
        STORY(closing_nothing_is_fine),
        STORY(a_store_of_an_unknown_kind_is_refused_in_words),
        STORY(an_order_and_all_it_went_through_outlive_a_restart),
        STORY(keys_tokens_and_idempotency_outlive_a_restart),
        STORY(what_is_owed_is_still_due),
        STORY(what_somebody_held_at_the_end_is_doubted),
        STORY(what_is_not_owed_is_not_doubted),
        STORY(what_was_given_up_stays_so_and_keeps_its_doubt),
        STORY(closing_finishes_what_was_handed_over),
};

extern const struct chapter durability_chapter;
const struct chapter durability_chapter = CHAPTER(tests);
