/* SPDX-License-Identifier: Apache-2.0 */
/* store_due.c - what is due is found and had by one at a time; what was given up is replayed. */
#include "model/clean.h"
#include "model/connection.h"
#include "tests/contract/world.h"

#include <stdlib.h>
#include <string.h>

/* An order that owes its platform a step since now. */
static struct id owing(enum platform platform)
{
        struct id id = order_new(platform, STATUS_NEW);

        move_to(id, STATUS_ACCEPTED);
        return id;
}

static struct target target_of(struct id id)
{
        CLEAN(order_free_at) struct order *order = order_load(id);
        struct target target = order->targets[PARTY_PLATFORM];

        target.log = NULL;
        return target;
}

/* Gives the claim back. */
static void release(struct store_claim *claim, bool unsure)
{
        struct store_release release = {.due = claim->due, .lease = claim->lease, .unsure = unsure};

        DO(release, &release);
        store_claim_done(claim);
}

/* Settles it as tried in vain; due again at `at_ms`. */
static void put_off(struct id id, enum platform platform, int64_t at_ms)
{
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, platform);
        CLEAN(store_settle_done)
        struct store_settle settle =
                settling(&claim, (struct settlement){.kind = SETTLE_RETRY, .at_ms = at_ms, .tries = 1});

        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_WRITTEN);
}

/* --- looking --- */

TEST(what_is_owed_is_due_with_all_that_a_claim_needs)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_due due = {.max = DUE_MAX};

        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_true(id_equal(&due.found[0].order, &id));
        assert_true(id_equal(&due.found[0].restaurant, &world.restaurant));
        assert_int_equal(due.found[0].platform, PLATFORM_DUKKANGO);
        assert_int_equal(due.found[0].party, PARTY_PLATFORM);
}

TEST(nothing_is_due_before_its_time)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_due due = {.max = DUE_MAX};

        put_off(id, PLATFORM_DUKKANGO, BEGAN + MINUTE);
        clock_pass(MINUTE - 1);
        DO(due, &due);
        assert_int_equal(due.n, 0);
        assert_int_equal(due.next_ms, BEGAN + MINUTE);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        clock_pass(1);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_int_equal(due.next_ms, 0);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, NULL));
}

TEST(the_next_time_is_the_soonest_of_all)
{
        struct id first = owing(PLATFORM_TRENDYOLYEMEK), second = owing(PLATFORM_DUKKANGO);
        struct store_due due = {.max = DUE_MAX};

        put_off(first, PLATFORM_TRENDYOLYEMEK, BEGAN + 2 * MINUTE);
        put_off(second, PLATFORM_DUKKANGO, BEGAN + 3 * MINUTE);
        owing(PLATFORM_DUKKANGO); /* what is due now is not next */
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_int_equal(due.next_ms, BEGAN + 2 * MINUTE);
}

TEST(what_is_due_longest_comes_first_whatever_its_platform)
{
        static const enum platform platforms[] = {PLATFORM_TRENDYOLYEMEK, PLATFORM_DUKKANGO,
                                                  PLATFORM_TRENDYOLYEMEK, PLATFORM_DUKKANGO};
        struct store_due due = {.max = DUE_MAX};
        struct id ids[COUNT(platforms)];

        for (size_t i = 0; i < COUNT(platforms); i++) {
                ids[i] = owing(platforms[i]);
                clock_pass(SECOND);
        }
        DO(due, &due);
        assert_int_equal(due.n, COUNT(platforms));
        for (size_t i = 0; i < COUNT(platforms); i++)
                assert_true(id_equal(&due.found[i].order, &ids[i]));
        due.max = 2;
        DO(due, &due);
        assert_int_equal(due.n, 2);
        for (size_t i = 0; i < 2; i++)
                assert_true(id_equal(&due.found[i].order, &ids[i]));
}

TEST(what_is_leased_takes_no_place_among_what_is_due)
{
        struct store_claim claims[3];
        struct store_due due = {.max = 2};
        struct id last;

        for (int i = 0; i < 3; i++)
                claims[i] = claim_of(owing(PLATFORM_DUKKANGO), PLATFORM_DUKKANGO);
        clock_pass(SECOND);
        last = owing(PLATFORM_DUKKANGO);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_true(id_equal(&due.found[0].order, &last));
        for (int i = 0; i < 3; i++)
                store_claim_done(&claims[i]);
}

TEST(a_platform_that_is_skipped_is_left_out)
{
        struct store_due due = {.max = DUE_MAX, .skip = 1U << PLATFORM_DUKKANGO};
        struct id id = owing(PLATFORM_TRENDYOLYEMEK);

        put_off(owing(PLATFORM_DUKKANGO), PLATFORM_DUKKANGO, BEGAN + MINUTE);
        owing(PLATFORM_DUKKANGO);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_true(id_equal(&due.found[0].order, &id));
        assert_int_equal(due.next_ms, 0);
        due.skip |= 1U << PLATFORM_TRENDYOLYEMEK;
        DO(due, &due);
        assert_int_equal(due.n, 0);
}

TEST(what_fell_due_within_the_grace_is_left_to_others)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_due due = {.max = DUE_MAX, .grace_ms = SECOND};

        clock_pass(SECOND - 1);
        DO(due, &due);
        assert_int_equal(due.n, 0);
        clock_pass(1);
        owing(PLATFORM_DUKKANGO);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_true(id_equal(&due.found[0].order, &id));
}

TEST(a_probe_tells_the_time_and_how_long_something_has_been_owed)
{
        struct store_probe probe = {.oldest_due_ms = -1};
        struct id id;

        DO(probe, &probe);
        assert_int_equal(probe.now_ms, BEGAN);
        assert_int_equal(probe.oldest_due_ms, 0);
        id = owing(PLATFORM_TRENDYOLYEMEK);
        clock_pass(SECOND);
        owing(PLATFORM_DUKKANGO);
        clock_pass(SECOND);
        DO(probe, &probe);
        assert_int_equal(probe.now_ms, BEGAN + 2 * SECOND);
        assert_int_equal(probe.oldest_due_ms, BEGAN);
        put_off(id, PLATFORM_TRENDYOLYEMEK, BEGAN + MINUTE);
        DO(probe, &probe);
        assert_int_equal(probe.oldest_due_ms, BEGAN + SECOND);
}

static void assert_counts(int owed_platform, int owed_courier, int failed_platform, int failed_courier)
{
        struct store_probe probe = {.counts = true};

        DO(probe, &probe);
        assert_int_equal(probe.owed[PARTY_PLATFORM], owed_platform);
        assert_int_equal(probe.owed[PARTY_COURIER], owed_courier);
        assert_int_equal(probe.failed[PARTY_PLATFORM], failed_platform);
        assert_int_equal(probe.failed[PARTY_COURIER], failed_courier);
}

TEST(a_probe_counts_what_is_owed_and_what_has_failed_only_where_it_is_to)
{
        struct store_probe probe = {.owed = {7, 7}};
        CLEAN(store_create_done)
        struct store_create delivered = {.job.access = trusted(world.restaurant),
                                         .order = order_draft(PLATFORM_PHONE, STATUS_NEW)};
        struct id later, fails;

        assert_counts(0, 0, 0, 0);
        later = owing(PLATFORM_TRENDYOLYEMEK);
        fails = owing(PLATFORM_DUKKANGO);
        order_new(PLATFORM_PHONE, STATUS_NEW); /* never anything to call */
        assert_counts(2, 0, 0, 0);
        put_off(later, PLATFORM_TRENDYOLYEMEK, BEGAN + MINUTE);
        give_up(fails, PLATFORM_DUKKANGO, /* unsure= */ false);
        assert_counts(1, 0, 1, 0);
        move_to(fails, STATUS_ON_THE_WAY); /* a fact clears it */
        delivered.order->pickup = false;
        DO(create, &delivered);
        move_to(delivered.order->id, STATUS_ACCEPTED);
        assert_counts(2, 1, 0, 0);
        DO(probe, &probe);
        assert_int_equal(probe.owed[PARTY_PLATFORM], 7);
}

/* --- claiming --- */

TEST(a_claim_gives_the_whole_order_as_it_was)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);

        assert_true(id_equal(&claim.order->id, &id));
        assert_int_equal(claim.order->status, STATUS_ACCEPTED);
        assert_int_equal(claim.order->n_moves, 2);
        assert_string_equal(claim.order->document, "{\"price\":125.5}");
        assert_int_equal(claim.order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_ACCEPTED));
        assert_false(claim.order->targets[PARTY_PLATFORM].unsure);
        assert_null(claim.account.document);
}

TEST(a_claim_brings_its_restaurants_connection)
{
        struct id id = owing(PLATFORM_DUKKANGO), foreign = restaurant_new();
        CLEAN(store_claim_done)
        struct store_claim claim = {.due = due_for(id, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};

        for (int own = 0; own < 2; own++) {
                CLEAN(store_put_done)
                struct store_put put = {.record = {.kind = RECORD_CONNECTION,
                                                   .restaurant = own ? world.restaurant : foreign,
                                                   .document = strdup(own ? "{\"own\":true}" : "{}")}};

                connection_id(&put.record.restaurant, PLATFORM_DUKKANGO, put.record.id);
                DO(put, &put);
        }
        DO(claim, &claim);
        assert_true(claim.claimed);
        assert_string_equal(claim.account.document, "{\"own\":true}");
}

TEST(nobody_gets_what_somebody_has)
{
        struct id id = owing(PLATFORM_DUKKANGO), other = owing(PLATFORM_DUKKANGO);
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);

        assert_true(claim.claimed);
        assert_int_equal(count_due(), 1);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        assert_true(is_claimable(other, PLATFORM_DUKKANGO, NULL));
        clock_pass(LEASE_MS - 1);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        move_to(id, STATUS_READY); /* nor by a new fact */
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        assert_int_equal(count_due(), 1);
}

TEST(of_two_claims_in_one_round_one_gets_it)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_claim claims[2];

        for (int i = 0; i < 2; i++) {
                claims[i] = (struct store_claim){.due = due_for(id, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};
                SUBMIT(&world.desk, claim, &claims[i]);
        }
        assert_true(desk_wait(&world.desk));
        assert_int_equal(claims[0].claimed + claims[1].claimed, 1);
        for (int i = 0; i < 2; i++)
                store_claim_done(&claims[i]);
}

TEST(a_lease_that_ran_out_leaves_a_doubt)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        CLEAN(store_claim_done) struct store_claim first = claim_of(id, PLATFORM_DUKKANGO);
        CLEAN(store_claim_done) struct store_claim second = {0};

        clock_pass(LEASE_MS);
        assert_int_equal(count_due(), 1);
        second = claim_of(id, PLATFORM_DUKKANGO);
        assert_true(second.order->targets[PARTY_PLATFORM].unsure);
        assert_int_not_equal(second.lease, first.lease);
        release(&second, /* unsure= */ true);
        assert_true(target_of(id).unsure);
        second = claim_of(id, PLATFORM_DUKKANGO);
        assert_true(second.order->targets[PARTY_PLATFORM].unsure);
}

TEST(what_is_not_owed_is_not_had)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW),
                  phone = order_new(PLATFORM_PHONE, STATUS_NEW);
        struct store_claim claim = {.due = due_for(id, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};

        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        assert_false(is_claimable(world.restaurant, PLATFORM_DUKKANGO, NULL));
        move_to(phone, STATUS_READY);
        assert_false(is_claimable(phone, PLATFORM_PHONE, NULL));
        move_to(id, STATUS_READY);
        claim.due.restaurant.bytes[0] ^= 1;
        DO(claim, &claim);
        assert_false(claim.claimed);
        claim.due = due_for(id, PLATFORM_DUKKANGO);
        claim.due.party = PARTY_COURIER;
        DO(claim, &claim);
        assert_false(claim.claimed);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, NULL));
}

TEST(what_is_given_back_is_as_it_was)
{
        struct id id = owing(PLATFORM_DUKKANGO);

        for (int unsure = 1; unsure >= 0; unsure--) {
                struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);
                bool found = !unsure;

                release(&claim, unsure);
                assert_true(is_claimable(id, PLATFORM_DUKKANGO, &found));
                assert_int_equal(found, unsure);
                assert_int_equal(target_of(id).unsure, unsure);
                assert_int_equal(target_of(id).tries, 0);
                assert_int_equal(target_of(id).at_ms, BEGAN);
        }
}

TEST(only_the_holder_can_give_it_back)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);
        const bool unsure =
                target_of(id).unsure; /* how a store keeps it while somebody calls is its own affair */
        struct store_release release = {.due = claim.due, .lease = claim.lease + 1, .unsure = !unsure};

        DO(release, &release);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        assert_int_equal(target_of(id).unsure, unsure);
}

/* --- giving up, and once more --- */

TEST(what_was_given_up_is_not_due_until_it_is_replayed)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_replay replay = {
                .job.access = trusted(world.restaurant), .order = id, .party = PARTY_PLATFORM};
        struct change change;

        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ true);
        assert_int_equal(count_due(), 0);
        clock_pass(MINUTE);
        changes_heard(NULL);
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_DONE);
        assert_int_equal(replay.stored->targets[PARTY_PLATFORM].tries, 0);
        assert_int_equal(replay.stored->targets[PARTY_PLATFORM].at_ms, BEGAN + MINUTE);
        assert_string_equal(replay.stored->targets[PARTY_PLATFORM].dead, "");
        assert_true(replay.stored->targets[PARTY_PLATFORM].unsure); /* the doubt stays */
        assert_int_equal(replay.stored->rev, 4);
        assert_int_equal(replay.stored->updated_ms, BEGAN + MINUTE);
        assert_int_equal(changes_heard(&change), 1);
        assert_int_equal(change.rev, 4);
        assert_int_equal(change.before, STATUS_ACCEPTED);
        assert_int_equal(change.after, STATUS_ACCEPTED);
        assert_true(change.due[PARTY_PLATFORM]);
        assert_false(change.due[PARTY_COURIER]);
        assert_int_equal(count_due(), 1);
        store_replay_done(&replay);
}

TEST(only_what_failed_in_reach_is_replayed)
{
        struct id id = owing(PLATFORM_DUKKANGO);
        struct store_replay replay = {
                .job.access = trusted(world.restaurant), .order = id, .party = PARTY_PLATFORM};

        changes_heard(NULL);
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_NOT_FAILED);
        assert_null(replay.stored);
        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ false);
        changes_heard(NULL);
        replay.order = world.restaurant;
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_UNKNOWN);
        replay.order = id;
        replay.job.access = trusted(restaurant_new());
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_UNKNOWN);
        replay.job.access = trusted(world.restaurant);
        replay.party = PARTY_COURIER; /* there is no such delivery */
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_UNKNOWN);
        assert_int_equal(changes_heard(NULL), 0);
        assert_string_equal(target_of(id).dead, "timeout");
}

TEST(all_that_failed_is_replayed_as_far_as_it_was_asked_for)
{
        struct store_replay_all replay = {.job.access = trusted(world.restaurant),
                                          .has_platform = true,
                                          .platform = PLATFORM_DUKKANGO,
                                          .since_ms = BEGAN};
        struct store_replay_all rest = {.job.access = trusted(world.restaurant)};
        struct id early = owing(PLATFORM_DUKKANGO), late = owing(PLATFORM_DUKKANGO);
        struct id elsewhere = owing(PLATFORM_TRENDYOLYEMEK);
        struct change change;

        give_up(early, PLATFORM_DUKKANGO, /* unsure= */ false);
        clock_pass(SECOND);
        give_up(late, PLATFORM_DUKKANGO, /* unsure= */ false);
        give_up(elsewhere, PLATFORM_TRENDYOLYEMEK, /* unsure= */ false);
        changes_heard(NULL);
        DO(replay_all, &replay);
        assert_int_equal(replay.replayed, 1);
        assert_false(replay.more);
        assert_int_equal(changes_heard(&change), 1);
        assert_true(id_is_zero(&change.order)); /* look for yourself */
        assert_true(change.due[PARTY_PLATFORM]);
        assert_true(is_claimable(late, PLATFORM_DUKKANGO, NULL));
        assert_int_equal(count_due(), 1);
        DO(replay_all, &rest);
        assert_int_equal(rest.replayed, 2);
        assert_int_equal(count_due(), 3);
        changes_heard(NULL);
        DO(replay_all, &rest);
        assert_int_equal(rest.replayed, 0);
        assert_int_equal(changes_heard(NULL), 0);
}

TEST(another_restaurants_failures_stay)
{
        struct store_replay_all replay = {.job.access = trusted(restaurant_new())};
        struct store_replay_all ours = {.job.access.kind = ACCESS_TRUSTED};

        give_up(owing(PLATFORM_DUKKANGO), PLATFORM_DUKKANGO, /* unsure= */ false);
        DO(replay_all, &replay);
        assert_int_equal(replay.replayed, 0);
        DO(replay_all, &ours);
        assert_int_equal(ours.replayed, 1);
}

/* So many orders that were given up, in few rounds. */
static void make_failures(int n)
{
        struct store_create *creates = calloc((size_t)n, sizeof *creates);
        struct store_move *moves = calloc((size_t)n, sizeof *moves);
        struct store_claim *claims = calloc((size_t)n, sizeof *claims);
        struct store_settle *settles = calloc((size_t)n, sizeof *settles);
        const struct settlement dead = {.kind = SETTLE_DEAD, .at_ms = TARGET_NOT_DUE, .dead = "timeout"};

        assert_true(creates && moves && claims && settles);
        for (int i = 0; i < n; i++) {
                creates[i].job.access = trusted(world.restaurant);
                creates[i].order = order_draft(PLATFORM_DUKKANGO, STATUS_NEW);
                SUBMIT(&world.desk, create, &creates[i]);
        }
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < n; i++) {
                moves[i] = moving(creates[i].order->id, STATUS_ACCEPTED);
                SUBMIT(&world.desk, move, &moves[i]);
        }
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < n; i++) {
                claims[i] = (struct store_claim){.due = due_for(creates[i].order->id, PLATFORM_DUKKANGO),
                                                 .lease_ms = LEASE_MS};
                SUBMIT(&world.desk, claim, &claims[i]);
        }
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < n; i++) {
                settles[i] = settling(&claims[i], dead);
                SUBMIT(&world.desk, settle, &settles[i]);
        }
        assert_true(desk_wait(&world.desk));
        for (int i = 0; i < n; i++) {
                store_create_done(&creates[i]);
                store_claim_done(&claims[i]);
                store_settle_done(&settles[i]);
        }
        free(creates);
        free(moves);
        free(claims);
        free(settles);
}

TEST(more_than_a_thousand_failures_take_more_than_one_call)
{
        struct store_replay_all replay = {.job.access = trusted(world.restaurant)};

        make_failures(REPLAY_ALL_MAX + 2);
        DO(replay_all, &replay);
        assert_int_equal(replay.replayed, REPLAY_ALL_MAX);
        assert_true(replay.more);
        DO(replay_all, &replay);
        assert_int_equal(replay.replayed, 2);
        assert_false(replay.more);
        assert_int_equal(count_due(), DUE_MAX);
}

static const struct CMUnitTest tests[] = {
        STORY(what_is_owed_is_due_with_all_that_a_claim_needs),
        STORY(nothing_is_due_before_its_time),
        STORY(the_next_time_is_the_soonest_of_all),
        STORY(what_is_due_longest_comes_first_whatever_its_platform),
        STORY(what_is_leased_takes_no_place_among_what_is_due),
        STORY(a_platform_that_is_skipped_is_left_out),
        STORY(what_fell_due_within_the_grace_is_left_to_others),
        STORY(a_probe_tells_the_time_and_how_long_something_has_been_owed),
        STORY(a_probe_counts_what_is_owed_and_what_has_failed_only_where_it_is_to),
        STORY(a_claim_gives_the_whole_order_as_it_was),
        STORY(a_claim_brings_its_restaurants_connection),
        STORY(nobody_gets_what_somebody_has),
        STORY(of_two_claims_in_one_round_one_gets_it),
        STORY(a_lease_that_ran_out_leaves_a_doubt),
        STORY(what_is_not_owed_is_not_had),
        STORY(what_is_given_back_is_as_it_was),
        STORY(only_the_holder_can_give_it_back),
        STORY(what_was_given_up_is_not_due_until_it_is_replayed),
        STORY(only_what_failed_in_reach_is_replayed),
        STORY(all_that_failed_is_replayed_as_far_as_it_was_asked_for),
        STORY(another_restaurants_failures_stay),
        STORY(more_than_a_thousand_failures_take_more_than_one_call),
};

extern const struct chapter due_chapter;
const struct chapter due_chapter = CHAPTER(tests);
