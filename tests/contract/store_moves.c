/* SPDX-License-Identifier: Apache-2.0 */
/* store_moves.c - one move and all that comes of it: status, history, revision, what is owed, what is told. */
#include "model/clean.h"
#include "model/dialect.h"
#include "tests/contract/world.h"

#include <string.h>

/* docs/design.md 3: forward only, a cancel from anywhere but DELIVERED, nothing after the end. */
static enum move_outcome expected_outcome(enum status from, enum status to, enum actor by)
{
        if (from == STATUS_DELIVERED || from == STATUS_CANCELLED)
                return from == to && by != ACTOR_COURIER ? MOVE_SAME : MOVE_FINAL;
        if (from == to)
                return MOVE_SAME;
        return to > from ? MOVE_MOVED : MOVE_PAST;
}

TEST(every_pair_of_states_ends_as_the_table_says)
{
        struct store_move moves[2][STATUS_COUNT][STATUS_COUNT];

        for (int i = 0; i < 2 * STATUS_COUNT * STATUS_COUNT; i++) {
                const int from = i / STATUS_COUNT % STATUS_COUNT, to = i % STATUS_COUNT;
                struct store_move *move = &moves[i / (STATUS_COUNT * STATUS_COUNT)][from][to];

                *move = moving(order_new(PLATFORM_DUKKANGO, (enum status)from), (enum status)to);
                move->by = i / (STATUS_COUNT * STATUS_COUNT) ? ACTOR_COURIER : ACTOR_RESTAURANT;
        }
        clock_pass(SECOND);
        for (int i = 0; i < 2 * STATUS_COUNT * STATUS_COUNT; i++)
                SUBMIT(&world.desk, move, &(&moves[0][0][0])[i]);
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < 2 * STATUS_COUNT * STATUS_COUNT; i++) {
                const struct store_move *move = &(&moves[0][0][0])[i];
                const enum status from = (enum status)(i / STATUS_COUNT % STATUS_COUNT);

                assert_case(move->job.err == ERR_OK, status_word(from));
                assert_case(move->outcome == expected_outcome(from, move->to, move->by), status_word(from));
                if (move->outcome == MOVE_MOVED || move->outcome == MOVE_SAME)
                        assert_int_equal(move->status, move->to);
                if (move->outcome == MOVE_MOVED || move->outcome == MOVE_SAME)
                        assert_int_equal(move->at_ms, BEGAN + (move->outcome == MOVE_MOVED ? SECOND : 0));
        }
}

TEST(a_move_stands_in_the_order)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_COOKING);
        CLEAN(order_free_at) struct order *order = NULL;

        clock_pass(SECOND);
        move.note = "Zile basmayın";
        move.prep_minutes = 45;
        DO(move, &move);
        order = order_load(id);
        assert_int_equal(order->status, STATUS_COOKING);
        assert_int_equal(order->rev, 2);
        assert_int_equal(order->created_ms, BEGAN);
        assert_int_equal(order->updated_ms, BEGAN + SECOND);
        assert_int_equal(order->prep_minutes, 45);
        assert_int_equal(order->n_moves, 2);
        assert_int_equal(order->moves[1].to, STATUS_COOKING);
        assert_int_equal(order->moves[1].at_ms, BEGAN + SECOND);
        assert_int_equal(order->moves[1].by, ACTOR_RESTAURANT);
        assert_string_equal(order->moves[1].reason, "");
        assert_string_equal(order->moves[1].note, "Zile basmayın");
        assert_int_equal(strlen(order->moves[1].op), OP_TEXT_SIZE - 1);
}

TEST(a_move_without_a_preparing_time_leaves_it)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_ACCEPTED);
        order = order_load(id);
        assert_int_equal(order->prep_minutes, 30);
}

TEST(a_move_raises_what_its_platform_is_owed)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *order = NULL;

        clock_pass(SECOND);
        move_to(id, STATUS_DELIVERED);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_DELIVERED));
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN + SECOND);
}

TEST(a_second_fact_does_not_put_off_the_first)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_ACCEPTED);
        clock_pass(SECOND);
        move_to(id, STATUS_READY);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN);
}

TEST(a_platform_without_calls_is_never_owed_anything)
{
        struct id id = order_new(PLATFORM_PHONE, STATUS_NEW);
        struct change change;
        CLEAN(order_free_at) struct order *order = NULL;

        for (enum status to = STATUS_ACCEPTED; to <= STATUS_DELIVERED; to++)
                move_to(id, to);
        changes_heard(&change);
        assert_false(change.due[PARTY_PLATFORM]);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NEVER);
        assert_int_equal(count_due(), 0);
}

TEST(a_move_is_told_once_and_says_who_must_look)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct change change;

        changes_heard(NULL);
        move_to(id, STATUS_READY);
        assert_int_equal(changes_heard(&change), 1);
        assert_true(id_equal(&change.order, &id));
        assert_true(id_equal(&change.restaurant, &world.restaurant));
        assert_int_equal(change.platform, PLATFORM_DUKKANGO);
        assert_int_equal(change.rev, 2);
        assert_int_equal(change.before, STATUS_NEW);
        assert_int_equal(change.after, STATUS_READY);
        assert_true(change.due[PARTY_PLATFORM]);
        assert_true(round_await());
}

TEST(what_did_not_move_is_not_told_and_changes_nothing)
{
        static const enum status answered[] = {STATUS_READY, STATUS_ACCEPTED}; /* SAME, PAST */
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_READY);
        changes_heard(NULL);
        clock_pass(SECOND);
        for (size_t i = 0; i < COUNT(answered); i++) {
                struct store_move move = moving(id, answered[i]);

                move.note = "again";
                move.prep_minutes = 99;
                DO(move, &move);
                assert_int_not_equal(move.outcome, MOVE_MOVED);
        }
        assert_int_equal(changes_heard(NULL), 0);
        order = order_load(id);
        assert_int_equal(order->rev, 2);
        assert_int_equal(order->n_moves, 2);
        assert_int_equal(order->updated_ms, BEGAN);
        assert_int_equal(order->prep_minutes, 30);
}

TEST(the_same_again_has_the_time_of_the_first)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        struct store_move again = moving(id, STATUS_ON_THE_WAY);

        clock_pass(SECOND);
        move_to(id, STATUS_ON_THE_WAY);
        clock_pass(SECOND);
        DO(move, &again);
        assert_int_equal(again.outcome, MOVE_SAME);
        assert_int_equal(again.status, STATUS_ON_THE_WAY);
        assert_int_equal(again.at_ms, BEGAN + SECOND);
}

TEST(an_order_is_unknown_where_it_does_not_belong)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move foreign = moving(id, STATUS_READY);
        struct store_move absent = moving(world.restaurant, STATUS_READY);
        CLEAN(order_free_at) struct order *order = NULL;

        foreign.job.access = trusted(restaurant_new());
        foreign.want_order = absent.want_order = true;
        changes_heard(NULL);
        DO(move, &foreign);
        DO(move, &absent);
        assert_int_equal(foreign.outcome, MOVE_UNKNOWN);
        assert_int_equal(absent.outcome, MOVE_UNKNOWN);
        assert_null(foreign.stored);
        assert_null(absent.stored);
        assert_int_equal(changes_heard(NULL), 0);
        order = order_load(id);
        assert_int_equal(order->status, STATUS_NEW);
}

TEST(the_order_comes_with_the_answer_where_it_is_wanted)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_READY);

        DO(move, &move);
        assert_null(move.stored);
        move = moving(id, STATUS_ON_THE_WAY);
        move.want_order = true;
        DO(move, &move);
        assert_non_null(move.stored);
        assert_int_equal(move.stored->status, STATUS_ON_THE_WAY);
        assert_int_equal(move.stored->rev, 3);
        assert_int_equal(move.stored->n_moves, 3);
        assert_non_null(move.stored->document);
        store_move_done(&move);
}

TEST(a_history_has_six_rows_at_most)
{
        for (int cancelled = 0; cancelled < 2; cancelled++) {
                struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                CLEAN(order_free_at) struct order *order = NULL;

                for (enum status to = STATUS_ACCEPTED; to <= STATUS_ON_THE_WAY; to++)
                        move_to(id, to);
                move_to(id, cancelled ? STATUS_CANCELLED : STATUS_DELIVERED);
                order = order_load(id);
                assert_int_equal(order->n_moves, MOVES_MAX);
                assert_int_equal(order->rev, MOVES_MAX);
                assert_int_equal(order_last_move(order)->to, cancelled ? STATUS_CANCELLED : STATUS_DELIVERED);
        }
}

/* --- cancels --- */

TEST(a_cancel_without_a_reason_takes_its_platforms_other)
{
        for (enum platform platform = 0; platform < PLATFORM_COUNT; platform++) {
                const struct dialect *dialect = dialect_of(platform);
                const bool needed = dialect && !dialect->other_reason;
                struct id id = order_new(platform, STATUS_NEW);
                struct store_move move = moving(id, STATUS_CANCELLED);
                CLEAN(order_free_at) struct order *order = NULL;

                ASK(needed ? ERR_BAD_FIELD : ERR_OK, move, &move);
                if (needed)
                        assert_string_equal(move.job.why.field, "reasonId");
                order = order_load(id);
                assert_int_equal(order->status, needed ? STATUS_NEW : STATUS_CANCELLED);
                assert_string_equal(order_last_move(order)->reason,
                                    dialect && !needed ? dialect->other_reason : "");
        }
}

TEST(the_reason_that_is_given_is_kept)
{
        struct id id = order_new(PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        struct store_move move = moving(id, STATUS_CANCELLED);
        CLEAN(order_free_at) struct order *order = NULL;

        assert_true(text_copy(move.reason, sizeof move.reason, "621"));
        DO(move, &move);
        order = order_load(id);
        assert_string_equal(order_last_move(order)->reason, "621");
}

TEST(a_cancel_that_came_from_the_platform_needs_no_reason)
{
        struct id id = order_new(PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
        struct store_move move = moving(id, STATUS_CANCELLED);
        CLEAN(order_free_at) struct order *order = NULL;

        move.told = true;
        DO(move, &move);
        order = order_load(id);
        assert_string_equal(order_last_move(order)->reason, "");
}

/* --- what the platform knows already --- */

TEST(a_fact_from_the_platform_is_not_sent_back)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ACCEPTED);
        struct change change;
        CLEAN(order_free_at) struct order *order = NULL;

        move.told = true;
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
        changes_heard(&change);
        assert_false(change.due[PARTY_PLATFORM]);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NOT_DUE);
        assert_int_equal(count_due(), 0);
}

/* How the delivery to its platform is shown. */
static enum delivery shown(struct id id)
{
        CLEAN(order_free_at) struct order *order = order_load(id);
        enum delivery state = DELIVERY_COUNT;
        const struct step *step;

        assert_true(target_state(order, PARTY_PLATFORM, clock_now(), &state, &step));
        return state;
}

TEST(what_was_owed_up_to_a_fact_from_the_platform_is_done)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ON_THE_WAY);

        move_to(id, STATUS_ACCEPTED);
        assert_int_equal(shown(id), DELIVERY_PENDING);
        move.told = true;
        DO(move, &move);
        assert_int_equal(shown(id), DELIVERY_DONE);
}

TEST(it_is_done_too_where_the_order_was_there_already)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ACCEPTED);
        struct change change;
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_ACCEPTED);
        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ false);
        assert_int_equal(shown(id), DELIVERY_FAILED);
        changes_heard(NULL);
        clock_pass(SECOND);
        move.told = true;
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_SAME);
        assert_int_equal(shown(id), DELIVERY_DONE);
        order = order_load(id);
        assert_int_equal(order->rev, 4); /* new, accepted, given up, told */
        assert_int_equal(order->updated_ms, BEGAN + SECOND);
        assert_int_equal(order->n_moves, 2);
        assert_int_equal(changes_heard(&change), 1);
        assert_int_equal(change.rev, 4);
        assert_int_equal(change.before, STATUS_ACCEPTED);
        assert_int_equal(change.after, STATUS_ACCEPTED);
        assert_false(change.due[PARTY_PLATFORM]);
}

TEST(what_the_platform_knew_already_changes_nothing)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        struct store_move move = moving(id, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *order = NULL;

        changes_heard(NULL);
        move.told = true;
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_SAME);
        assert_int_equal(changes_heard(NULL), 0);
        order = order_load(id);
        assert_int_equal(order->rev, 1);
}

TEST(told_never_sinks_by_a_fact)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ON_THE_WAY);
        struct store_move past = moving(id, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *order = NULL;

        past.told = true;
        DO(move, &past);
        assert_int_equal(past.outcome, MOVE_PAST);
        move_to(id, STATUS_DELIVERED);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ON_THE_WAY));
}

TEST(what_a_platform_says_counts_for_an_order_that_is_further_here)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move ours = moving(id, STATUS_ACCEPTED), theirs = moving(id, STATUS_ACCEPTED),
                          gone = moving(id, STATUS_CANCELLED);
        CLEAN(order_free_at) struct order *order = NULL;
        struct change change;

        move_to(id, STATUS_DELIVERED);
        changes_heard(NULL);
        ours.told = theirs.told = gone.told = true;
        theirs.by = gone.by = ACTOR_PLATFORM;
        DO(move, &ours);
        DO(move, &gone);
        assert_int_equal(gone.outcome, MOVE_FINAL);
        assert_int_equal(changes_heard(NULL), 0); /* a client's mistake, and a cancel that came too late */
        DO(move, &theirs);
        assert_int_equal(theirs.outcome, MOVE_FINAL);
        assert_int_equal(changes_heard(&change), 1);
        assert_int_equal(change.before, STATUS_DELIVERED);
        assert_int_equal(change.after, STATUS_DELIVERED);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_DELIVERED));
        assert_int_equal(order->status, STATUS_DELIVERED);
        assert_int_equal(count_due(), 1); /* the rest is owed still */
}

TEST(what_was_given_up_stays_so_where_a_platform_is_behind)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move theirs = moving(id, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(id, STATUS_ON_THE_WAY);
        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ false);
        theirs.told = true;
        theirs.by = ACTOR_PLATFORM;
        DO(move, &theirs);
        assert_int_equal(theirs.outcome, MOVE_PAST);
        order = order_load(id);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_true(order->targets[PARTY_PLATFORM].dead[0]);
}

static const struct CMUnitTest tests[] = {
        STORY(every_pair_of_states_ends_as_the_table_says),
        STORY(a_move_stands_in_the_order),
        STORY(a_move_without_a_preparing_time_leaves_it),
        STORY(a_move_raises_what_its_platform_is_owed),
        STORY(a_second_fact_does_not_put_off_the_first),
        STORY(a_platform_without_calls_is_never_owed_anything),
        STORY(a_move_is_told_once_and_says_who_must_look),
        STORY(what_did_not_move_is_not_told_and_changes_nothing),
        STORY(the_same_again_has_the_time_of_the_first),
        STORY(an_order_is_unknown_where_it_does_not_belong),
        STORY(the_order_comes_with_the_answer_where_it_is_wanted),
        STORY(a_history_has_six_rows_at_most),
        STORY(a_cancel_without_a_reason_takes_its_platforms_other),
        STORY(the_reason_that_is_given_is_kept),
        STORY(a_cancel_that_came_from_the_platform_needs_no_reason),
        STORY(a_fact_from_the_platform_is_not_sent_back),
        STORY(what_was_owed_up_to_a_fact_from_the_platform_is_done),
        STORY(it_is_done_too_where_the_order_was_there_already),
        STORY(what_the_platform_knew_already_changes_nothing),
        STORY(told_never_sinks_by_a_fact),
        STORY(what_a_platform_says_counts_for_an_order_that_is_further_here),
        STORY(what_was_given_up_stays_so_where_a_platform_is_behind),
};

extern const struct chapter moves_chapter;
const struct chapter moves_chapter = CHAPTER(tests);
