/* SPDX-License-Identifier: Apache-2.0 */
/* store_settle.c - what became of a call is written once, by its holder, and never over a newer fact. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_STEP STEP_OF(STATUS_READY)

/* One of each kind; all but `told` differ from what a fresh target holds. */
static const struct settlement kinds[] = {
        {.kind = SETTLE_DONE, .told = READY_STEP, .told_at_ms = BEGAN + 1, .at_ms = TARGET_NOT_DUE},
        {.kind = SETTLE_MORE, .told = READY_STEP, .told_at_ms = BEGAN + 1, .at_ms = BEGAN, .unsure = true},
        {.kind = SETTLE_RETRY, .told = READY_STEP, .at_ms = BEGAN + MINUTE, .tries = 2, .unsure = true},
        {.kind = SETTLE_WAIT, .told = READY_STEP, .at_ms = BEGAN + MINUTE, .tries = 1, .unsure = true},
        {.kind = SETTLE_DEAD, .told = READY_STEP, .at_ms = TARGET_NOT_DUE, .tries = 3, .dead = "refused"},
};

/* An order on its way to ON_THE_WAY, claimed. */
static struct store_claim owing(void)
{
        struct id id = order_new(PLATFORM_TRENDYOLYEMEK, STATUS_NEW);

        move_to(id, STATUS_ON_THE_WAY);
        return claim_of(id, PLATFORM_TRENDYOLYEMEK);
}

/* Settles; what came of it. */
static int settle(const struct store_claim *claim, struct settlement settlement)
{
        CLEAN(store_settle_done) struct store_settle settle = settling(claim, settlement);

        DO(settle, &settle);
        return (int)settle.outcome;
}

/* The order of this claim as it is now; the caller frees. */
static struct order *now_of(const struct store_claim *claim)
{
        return order_load(claim->due.order);
}

static bool is_free(const struct store_claim *claim)
{
        return is_claimable(claim->due.order, PLATFORM_TRENDYOLYEMEK, NULL);
}

TEST(each_kind_of_settlement_is_written_as_it_says)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                CLEAN(store_claim_done) struct store_claim claim = owing();
                CLEAN(order_free_at) struct order *order = NULL;
                const struct target *target;

                assert_int_equal(settle(&claim, kinds[i]), SETTLE_WRITTEN);
                order = now_of(&claim);
                target = &order->targets[PARTY_PLATFORM];
                assert_int_equal(target->want, STEP_OF(STATUS_ON_THE_WAY));
                assert_int_equal(target->told, READY_STEP);
                assert_int_equal(target->told_at_ms, kinds[i].told_at_ms);
                assert_int_equal(target->at_ms, kinds[i].at_ms);
                assert_int_equal(target->tries, kinds[i].tries);
                assert_int_equal(target->unsure, kinds[i].unsure);
                assert_string_equal(target->dead, kinds[i].dead);
                assert_non_null(target->log);
                assert_int_equal(order->targets[PARTY_COURIER].told, 0);
        }
}

TEST(a_settlement_ends_the_lease_unless_there_is_more)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                CLEAN(store_claim_done) struct store_claim claim = owing();

                settle(&claim, kinds[i]);
                assert_int_equal(is_free(&claim), false); /* MORE: leased; all else: not due, or not yet */
                clock_pass(kinds[i].at_ms > BEGAN ? kinds[i].at_ms - clock_now() : 0);
                assert_int_equal(is_free(&claim),
                                 kinds[i].kind == SETTLE_RETRY || kinds[i].kind == SETTLE_WAIT);
                clock_pass(BEGAN - clock_now());
        }
}

TEST(what_is_done_for_now_is_due_when_more_may_follow)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        const struct settlement later = {.kind = SETTLE_DONE, .told = READY_STEP, .at_ms = BEGAN + MINUTE};

        settle(&claim, later);
        clock_pass(MINUTE - 1);
        assert_false(is_free(&claim));
        clock_pass(1);
        assert_true(is_free(&claim));
}

TEST(more_renews_the_lease_from_now)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();

        clock_pass(LEASE_MS - 1);
        assert_int_equal(settle(&claim, kinds[1]), SETTLE_WRITTEN);
        clock_pass(LEASE_MS - 1);
        assert_false(is_free(&claim));
        assert_int_equal(settle(&claim, kinds[0]), SETTLE_WRITTEN); /* under the same lease */
        assert_int_equal(count_due(), 0);
}

TEST(told_never_sinks_by_a_settlement)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct settlement lower = kinds[2];
        CLEAN(order_free_at) struct order *order = NULL;

        settle(&claim, kinds[1]);
        lower.told = STEP_OF(STATUS_ACCEPTED);
        settle(&claim, lower);
        order = now_of(&claim);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, READY_STEP);
        assert_int_equal(order->targets[PARTY_PLATFORM].told_at_ms, BEGAN + 1); /* 0: left as it was */
}

TEST(only_giving_up_is_news)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                CLEAN(store_claim_done) struct store_claim claim = owing();
                const bool dead = kinds[i].kind == SETTLE_DEAD;
                CLEAN(order_free_at) struct order *order = NULL;
                struct change change;

                changes_heard(NULL);
                clock_pass(SECOND);
                settle(&claim, kinds[i]);
                clock_pass(-SECOND);
                order = now_of(&claim);
                assert_int_equal(order->rev, dead ? 3 : 2);
                assert_int_equal(order->updated_ms, dead ? BEGAN + SECOND : BEGAN);
                assert_int_equal(changes_heard(&change), dead);
                if (!dead)
                        continue;
                assert_true(id_equal(&change.order, &claim.due.order));
                assert_true(id_equal(&change.restaurant, &world.restaurant));
                assert_int_equal(change.platform, PLATFORM_TRENDYOLYEMEK);
                assert_int_equal(change.rev, 3);
                assert_int_equal(change.before, STATUS_ON_THE_WAY);
                assert_int_equal(change.after, STATUS_ON_THE_WAY);
                assert_false(change.due[PARTY_PLATFORM] || change.due[PARTY_COURIER]);
        }
}

/* --- overtaken and lost --- */

TEST(a_fact_that_came_meanwhile_keeps_it_due)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                CLEAN(store_claim_done) struct store_claim claim = owing();
                CLEAN(order_free_at) struct order *order = NULL;
                const struct target *target;
                bool unsure = !kinds[i].unsure;

                move_to(claim.due.order, STATUS_DELIVERED);
                changes_heard(NULL);
                assert_int_equal(settle(&claim, kinds[i]), SETTLE_OVERTAKEN);
                assert_int_equal(changes_heard(NULL), 0);
                order = now_of(&claim);
                target = &order->targets[PARTY_PLATFORM];
                assert_int_equal(target->told, READY_STEP);
                assert_int_equal(target->want, STEP_OF(STATUS_DELIVERED));
                assert_int_equal(target->at_ms, BEGAN);
                assert_int_equal(target->tries, 0);
                assert_string_equal(target->dead, "");
                assert_non_null(target->log);
                assert_int_equal(order->rev, 3);
                assert_true(is_claimable(claim.due.order, PLATFORM_TRENDYOLYEMEK, &unsure));
                assert_int_equal(unsure, kinds[i].unsure);
        }
}

TEST(a_fact_from_the_platform_meanwhile_is_not_undone)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct store_move told = moving(claim.due.order, STATUS_CANCELLED);
        CLEAN(order_free_at) struct order *order = NULL;

        told.told = true;
        DO(move, &told);
        assert_int_equal(settle(&claim, kinds[2]), SETTLE_OVERTAKEN);
        order = now_of(&claim);
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_CANCELLED));
        assert_true(is_free(&claim)); /* whoever looks finds nothing to call */
}

TEST(nothing_is_written_under_a_lease_that_is_anothers)
{
        for (size_t i = 0; i < COUNT(kinds); i++) {
                CLEAN(store_claim_done) struct store_claim claim = owing();
                CLEAN(store_claim_done) struct store_claim second = {0};
                CLEAN(order_free_at) struct order *order = NULL;

                clock_pass(LEASE_MS);
                second = claim_of(claim.due.order, PLATFORM_TRENDYOLYEMEK);
                changes_heard(NULL);
                assert_int_equal(settle(&claim, kinds[i]), SETTLE_LOST);
                assert_int_equal(changes_heard(NULL), 0);
                order = now_of(&claim);
                assert_int_equal(order->targets[PARTY_PLATFORM].told, 0);
                assert_int_equal(order->targets[PARTY_PLATFORM].tries, 0);
                assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN);
                assert_null(order->targets[PARTY_PLATFORM].log);
                assert_int_equal(order->rev, 2);
                assert_false(is_free(&claim));
                assert_int_equal(settle(&second, kinds[0]), SETTLE_WRITTEN);
                clock_pass(BEGAN - clock_now());
        }
}

TEST(a_lease_is_settled_once)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct store_release release = {.due = claim.due, .lease = claim.lease, .unsure = false};
        CLEAN(order_free_at) struct order *order = NULL;

        assert_int_equal(settle(&claim, kinds[2]), SETTLE_WRITTEN);
        assert_int_equal(settle(&claim, kinds[0]), SETTLE_LOST);
        DO(release, &release);
        order = now_of(&claim);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN + MINUTE);
        assert_true(order->targets[PARTY_PLATFORM].unsure);
}

TEST(of_two_settlements_in_one_round_one_counts)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct store_settle settles[2] = {settling(&claim, kinds[2]), settling(&claim, kinds[2])};
        CLEAN(order_free_at) struct order *order = NULL;

        for (int i = 0; i < 2; i++)
                SUBMIT(&world.desk, settle, &settles[i]);
        assert_true(desk_wait(&world.desk));
        assert_int_equal((settles[0].outcome == SETTLE_WRITTEN) + (settles[1].outcome == SETTLE_WRITTEN), 1);
        assert_int_equal((settles[0].outcome == SETTLE_LOST) + (settles[1].outcome == SETTLE_LOST), 1);
        order = now_of(&claim);
        assert_null(strstr(order->targets[PARTY_PLATFORM].log, "},"));
        for (int i = 0; i < 2; i++)
                store_settle_done(&settles[i]);
}

TEST(a_late_settlement_counts_where_nobody_took_over)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();

        clock_pass(LEASE_MS + MINUTE);
        assert_int_equal(settle(&claim, kinds[0]), SETTLE_WRITTEN);
        assert_int_equal(count_due(), 0);
}

/* --- facts after the end of the tries --- */

TEST(a_fact_revives_what_was_given_up)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct settlement dead = kinds[4];
        CLEAN(order_free_at) struct order *order = NULL;
        struct change change;

        dead.unsure = true;
        settle(&claim, dead);
        clock_pass(SECOND);
        move_to(claim.due.order, STATUS_DELIVERED);
        changes_heard(&change);
        assert_true(change.due[PARTY_PLATFORM]);
        order = now_of(&claim);
        assert_string_equal(order->targets[PARTY_PLATFORM].dead, "");
        assert_int_equal(order->targets[PARTY_PLATFORM].tries, 0);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN + SECOND);
        assert_true(order->targets[PARTY_PLATFORM].unsure);
        assert_true(is_free(&claim));
}

TEST(the_same_again_revives_nothing)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct store_move again = moving(claim.due.order, STATUS_ON_THE_WAY);
        CLEAN(order_free_at) struct order *order = NULL;

        settle(&claim, kinds[4]);
        DO(move, &again);
        assert_int_equal(again.outcome, MOVE_SAME);
        order = now_of(&claim);
        assert_string_equal(order->targets[PARTY_PLATFORM].dead, "refused");
        assert_int_equal(count_due(), 0);
}

TEST(a_new_fact_starts_with_fresh_tries_at_once)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        CLEAN(order_free_at) struct order *order = NULL;

        settle(&claim, kinds[2]);
        assert_int_equal(count_due(), 0);
        move_to(claim.due.order, STATUS_DELIVERED);
        order = now_of(&claim);
        assert_int_equal(order->targets[PARTY_PLATFORM].tries, 0);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN);
        assert_true(order->targets[PARTY_PLATFORM].unsure);
        assert_int_equal(count_due(), 1);
}

/* --- the log --- */

/* Settles as tried again, with this number in its row, under the same claim. */
static void log_row(const struct store_claim *claim, int number)
{
        CLEAN(store_settle_done) struct store_settle settle = settling(claim, kinds[1]);

        free(settle.row);
        assert_true(asprintf(&settle.row, "{\"n\":%d,\"reason\":\"\\\"ğ\\\"\"}", number) > 0);
        DO(settle, &settle);
}

TEST(the_log_keeps_the_last_twenty_rows_as_they_were)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();

        for (int n = 1; n <= CALLED_KEPT + 5; n++) {
                CLEAN(order_free_at) struct order *order = NULL;
                CLEAN(json_put_at) struct json_object *rows = NULL;
                const char *log;
                const int kept = n < CALLED_KEPT ? n : CALLED_KEPT;

                log_row(&claim, n);
                order = now_of(&claim);
                log = order->targets[PARTY_PLATFORM].log;
                assert_int_equal(json_read_any(log, strlen(log), &rows, NULL), ERR_OK);
                assert_int_equal(json_object_array_length(rows), kept);
                for (int i = 0; i < kept; i++) {
                        struct json_object *row = json_object_array_get_idx(rows, (size_t)i);

                        assert_int_equal(json_get_int(row, "n", 0), n - kept + 1 + i);
                        assert_string_equal(json_get_text(row, "reason"), "\"ğ\"");
                }
        }
}

TEST(a_settlement_without_a_row_leaves_the_log)
{
        CLEAN(store_claim_done) struct store_claim claim = owing();
        struct store_settle nothing = settling(&claim, kinds[1]);
        CLEAN(order_free_at) struct order *before = NULL;
        CLEAN(order_free_at) struct order *after = NULL;

        log_row(&claim, 1);
        before = now_of(&claim);
        store_settle_done(&nothing);
        DO(settle, &nothing);
        after = now_of(&claim);
        assert_string_equal(after->targets[PARTY_PLATFORM].log, before->targets[PARTY_PLATFORM].log);
}

static const struct CMUnitTest tests[] = {
        STORY(each_kind_of_settlement_is_written_as_it_says),
        STORY(a_settlement_ends_the_lease_unless_there_is_more),
        STORY(what_is_done_for_now_is_due_when_more_may_follow),
        STORY(more_renews_the_lease_from_now),
        STORY(told_never_sinks_by_a_settlement),
        STORY(only_giving_up_is_news),
        STORY(a_fact_that_came_meanwhile_keeps_it_due),
        STORY(a_fact_from_the_platform_meanwhile_is_not_undone),
        STORY(nothing_is_written_under_a_lease_that_is_anothers),
        STORY(a_lease_is_settled_once),
        STORY(of_two_settlements_in_one_round_one_counts),
        STORY(a_late_settlement_counts_where_nobody_took_over),
        STORY(a_fact_revives_what_was_given_up),
        STORY(the_same_again_revives_nothing),
        STORY(a_new_fact_starts_with_fresh_tries_at_once),
        STORY(the_log_keeps_the_last_twenty_rows_as_they_were),
        STORY(a_settlement_without_a_row_leaves_the_log),
};

extern const struct chapter settle_chapter;
const struct chapter settle_chapter = CHAPTER(tests);
