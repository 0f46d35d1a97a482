/* SPDX-License-Identifier: Apache-2.0 */
/* store_dispatch.c - which courier firm an order is given to, by itself or by hand. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <stdlib.h>

#define URL "\"https://kurye.example/yeni\""

/* A firm that can be dispatched to. */
static struct courier firm_hire(void)
{
        struct courier firm = courier_hire(world.restaurant);

        courier_at(&firm, URL);
        return firm;
}

/* The same, to which new orders go. */
static struct courier firm_prefer(void)
{
        struct courier firm = firm_hire();

        courier_prefer(world.restaurant, &firm);
        return firm;
}

static struct store_create creating(enum platform platform, enum status status)
{
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(platform, status)};

        create.order->pickup = false;
        return create;
}

/* A phone order that a courier of the restaurant's delivers; its id. */
static struct id delivered_new(enum status status)
{
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_PHONE, status);

        DO(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        return create.order->id;
}

/* The same, accepted after it came in, and so due though new orders go to no firm. */
static struct id accepted_later(void)
{
        const struct id id = delivered_new(STATUS_NEW);

        move_to(id, STATUS_ACCEPTED);
        return id;
}

static struct due courier_due(struct id order)
{
        struct due due = due_for(order, PLATFORM_PHONE);

        due.party = PARTY_COURIER;
        return due;
}

/* Claims what it owes its courier firm, which must be there to have; store_claim_done() is the caller's. */
static struct store_claim claim_courier(struct id order)
{
        struct store_claim claim = {.due = courier_due(order), .lease_ms = LEASE_MS};

        DO(claim, &claim);
        assert_true(claim.claimed);
        return claim;
}

static struct target target_of(struct id id)
{
        CLEAN(order_free_at) struct order *order = order_load(id);
        struct target target = order->targets[PARTY_COURIER];

        target.log = NULL;
        return target;
}

static void assert_firm(const struct target *target, const struct courier *firm, int calls)
{
        static const struct id none;

        assert_true(id_equal(&target->firm, firm ? &firm->integration : &none));
        assert_int_equal(target->calls, calls);
}

/* Claims and settles. */
static void settle_as(struct id order, struct settlement settlement)
{
        CLEAN(store_claim_done) struct store_claim claim = claim_courier(order);
        CLEAN(store_settle_done) struct store_settle settle = settling(&claim, settlement);

        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_WRITTEN);
}

static const struct settlement sent = {.kind = SETTLE_DONE,
                                       .told = STEP_OF(STATUS_ACCEPTED),
                                       .told_at_ms = BEGAN,
                                       .at_ms = TARGET_NOT_DUE};

static void die(struct id order, bool unsure)
{
        settle_as(order, (struct settlement){.kind = SETTLE_DEAD,
                                             .at_ms = TARGET_NOT_DUE,
                                             .tries = 3,
                                             .unsure = unsure,
                                             .dead = "timeout"});
}

/* --- by itself --- */

TEST(an_order_is_due_to_its_courier_firm_as_soon_as_it_is_accepted)
{
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        struct store_due due = {.max = DUE_MAX};
        struct change change;
        struct id early;

        firm_prefer();
        changes_heard(NULL);
        DO(create, &create);
        assert_int_equal(changes_heard(&change), 1);
        assert_true(change.due[PARTY_COURIER]);
        assert_false(change.due[PARTY_PLATFORM]);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_true(id_equal(&due.found[0].order, &create.order->id));
        assert_int_equal(due.found[0].party, PARTY_COURIER);

        early = delivered_new(STATUS_NEW);
        changes_heard(&change);
        assert_false(change.due[PARTY_COURIER]);
        assert_int_equal(count_due(), 1);
        move_to(early, STATUS_COOKING);
        changes_heard(&change);
        assert_true(change.due[PARTY_COURIER]);
        assert_int_equal(count_due(), 2);
}

TEST(a_platform_without_room_does_not_hide_what_is_owed_to_couriers)
{
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_due due = {.max = DUE_MAX, .skip = 1U << PLATFORM_DUKKANGO};

        DO(create, &create);
        move_to(create.order->id, STATUS_ACCEPTED);
        assert_int_equal(count_due(), 2);
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_int_equal(due.found[0].party, PARTY_COURIER);
        due = (struct store_due){.max = DUE_MAX, .skip = DUE_SKIP_FIRMS}; /* nor the other way round */
        DO(due, &due);
        assert_int_equal(due.n, 1);
        assert_int_equal(due.found[0].party, PARTY_PLATFORM);
}

TEST(a_claim_chooses_the_firm_that_new_orders_go_to)
{
        struct courier firm = firm_prefer();
        struct id id = delivered_new(STATUS_ACCEPTED);
        CLEAN(store_claim_done) struct store_claim claim = {0};
        CLEAN(store_claim_done) struct store_claim second = {0};
        struct target target;

        firm_hire(); /* who is not the one */
        claim = claim_courier(id);
        assert_firm(&claim.order->targets[PARTY_COURIER], &firm, 1);
        assert_non_null(claim.account.document);
        assert_string_equal(claim.account.id, firm.id);
        target = target_of(id);
        assert_firm(&target, &firm, 1);
        assert_int_equal(target.at_ms, BEGAN);

        clock_pass(LEASE_MS);
        courier_at(&firm, "null"); /* what was chosen stays, also for whoever comes later */
        second = claim_courier(id);
        assert_firm(&second.order->targets[PARTY_COURIER], &firm, 1);
        assert_string_equal(second.account.id, firm.id);
        assert_true(second.order->targets[PARTY_COURIER].unsure);
}

TEST(a_doubt_from_before_the_choice_is_none)
{
        struct id id = accepted_later();
        CLEAN(store_claim_done) struct store_claim lost = claim_courier(id);
        CLEAN(store_claim_done) struct store_claim claim = {0};

        assert_null(lost.account.document);
        clock_pass(LEASE_MS);
        firm_prefer();
        claim = claim_courier(id);
        assert_non_null(claim.account.document);
        assert_false(claim.order->targets[PARTY_COURIER].unsure);
}

/* Claimed as it is, with nobody to call. */
static void assert_nobody(struct id order)
{
        CLEAN(store_claim_done) struct store_claim claim = claim_courier(order);
        struct store_release release = {.due = claim.due, .lease = claim.lease};

        assert_null(claim.account.document);
        assert_firm(&claim.order->targets[PARTY_COURIER], NULL, 0);
        DO(release, &release);
}

TEST(no_firm_is_chosen_that_cannot_be_dispatched_to)
{
        struct id id = accepted_later();
        struct courier firm = courier_hire(world.restaurant), foreign = courier_hire(restaurant_new());
        struct store_drop drop = {.kind = RECORD_INTEGRATION};

        delivered_new(STATUS_ACCEPTED);
        assert_int_equal(count_due(), 1); /* new orders go to none: it is looked at when it gets on */
        assert_nobody(id);
        courier_prefer(world.restaurant, &firm);
        assert_nobody(id); /* it has no address */
        courier_at(&foreign, URL);
        courier_prefer(world.restaurant, &foreign);
        assert_nobody(id);
        courier_at(&firm, URL);
        courier_prefer(world.restaurant, &firm);
        assert_true(text_copy(drop.id, sizeof drop.id, firm.id));
        DO(drop, &drop);
        assert_nobody(id);
}

TEST(no_firm_is_chosen_for_what_is_over_or_never_was_a_couriers)
{
        struct id cancelled = accepted_later(), away = accepted_later();
        CLEAN(store_create_done) struct store_create own = creating(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        struct store_claim claim = {.lease_ms = LEASE_MS};
        struct store_move move = moving(cancelled, STATUS_CANCELLED);

        firm_prefer();
        DO(move, &move);
        assert_nobody(cancelled);
        move_to(away, STATUS_ON_THE_WAY);
        assert_nobody(away);
        own.order->platform_courier = true;
        DO(create, &own);
        claim.due = courier_due(own.order->id);
        DO(claim, &claim);
        assert_false(claim.claimed);
        claim.due = courier_due(order_new(PLATFORM_PHONE, STATUS_ACCEPTED)); /* fetched by the customer */
        DO(claim, &claim);
        assert_false(claim.claimed);
}

TEST(of_two_claims_in_one_round_one_chooses)
{
        struct courier firm = firm_prefer();
        struct id id = delivered_new(STATUS_ACCEPTED);
        struct store_claim claims[2];
        struct target target;

        for (int i = 0; i < 2; i++) {
                claims[i] = (struct store_claim){.due = courier_due(id), .lease_ms = LEASE_MS};
                SUBMIT(&world.desk, claim, &claims[i]);
        }
        assert_true(desk_wait(&world.desk));
        assert_int_equal(claims[0].claimed + claims[1].claimed, 1);
        target = target_of(id);
        assert_firm(&target, &firm, 1);
        for (int i = 0; i < 2; i++)
                store_claim_done(&claims[i]);
}

TEST(a_new_order_may_bring_its_firm_and_its_end)
{
        struct courier other = firm_hire();
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_PHONE, STATUS_ACCEPTED);
        CLEAN(store_claim_done) struct store_claim claim = {0};
        CLEAN(order_free_at) struct order *order = NULL;

        firm_prefer();
        create.firm = other.integration;
        create.life_ms = MINUTE;
        DO(create, &create);
        order = order_load(create.order->id);
        assert_int_equal(order->expires_ms, BEGAN + MINUTE);
        assert_firm(&order->targets[PARTY_COURIER], &other, 1);
        claim = claim_courier(create.order->id);
        assert_string_equal(claim.account.id, other.id);
        assert_firm(&claim.order->targets[PARTY_COURIER], &other, 1);
}

TEST(what_moves_house_keeps_its_firm_and_its_end)
{
        struct courier firm = firm_hire();
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_PHONE, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *moved = NULL;
        CLEAN(order_free_at) struct order *order = NULL;
        struct store_import import = {0};

        create.firm = firm.integration;
        create.life_ms = MINUTE;
        DO(create, &create);
        order = order_load(create.order->id);
        assert_true(id_make(clock_now(), &order->id));
        order->platform_order_id[0] ^= 1;
        order->targets[PARTY_COURIER].calls = 3;
        import.order = order;
        DO(import, &import);
        assert_true(import.imported);
        moved = order_load(order->id);
        assert_firm(&moved->targets[PARTY_COURIER], &firm, 3);
        assert_int_equal(moved->expires_ms, BEGAN + MINUTE);
}

/* --- by hand --- */

static struct store_call calling(struct id order, const struct courier *firm, bool again)
{
        struct store_call call = {.job.access = trusted(world.restaurant), .order = order, .again = again};

        if (firm)
                call.firm = firm->integration;
        return call;
}

/* Calls; the order is then with `with`, for the n-th time. */
static void call(enum call_outcome expected, struct id order, const struct courier *firm, bool again,
                 const struct courier *with, int calls)
{
        struct store_call call = calling(order, firm, again);
        const bool news = expected == CALL_CALLED;
        struct change change = {0};
        struct target target;
        CLEAN(order_free_at) struct order *before = order_load(order);
        CLEAN(order_free_at) struct order *after = NULL;

        clock_pass(SECOND);
        changes_heard(NULL);
        DO(call, &call);
        assert_int_equal(call.outcome, expected);
        after = order_load(order);
        target = target_of(order);
        assert_firm(&target, with, calls);
        assert_int_equal(after->rev, before->rev + news);
        assert_int_equal(after->updated_ms, news ? clock_now() : before->updated_ms);
        assert_int_equal(changes_heard(&change), news);
        if (expected == CALL_CALLED || expected == CALL_SAME)
                assert_true(id_equal(&call.firm, &with->integration));
        if (!news)
                return;
        assert_int_equal(target.at_ms, clock_now());
        assert_int_equal(target.tries, 0);
        assert_string_equal(target.dead, "");
        assert_true(id_equal(&change.order, &order));
        assert_int_equal(change.rev, after->rev);
        assert_int_equal(change.after, after->status);
        assert_true(change.due[PARTY_COURIER]);
        assert_false(change.due[PARTY_PLATFORM]);
}

TEST(a_firm_is_called_by_hand_even_for_what_nobody_accepted_yet)
{
        struct courier first = firm_hire(), second = firm_hire();
        struct id fresh = delivered_new(STATUS_NEW), ready = delivered_new(STATUS_READY);

        call(CALL_CALLED, fresh, &first, false, &first, 1);
        assert_int_equal(target_of(fresh).want, STEP_OF(STATUS_ACCEPTED));
        call(CALL_CALLED, ready, &second, false, &second, 1);
        assert_int_equal(target_of(ready).want, STEP_OF(STATUS_READY));
}

TEST(without_a_name_it_is_the_firm_that_has_it_or_the_one_that_new_orders_go_to)
{
        struct courier first = firm_hire(), second = {0};
        struct id id = delivered_new(STATUS_READY);

        call(CALL_NO_ADDRESS, id, NULL, false, NULL, 0);
        courier_prefer(world.restaurant, &first);
        call(CALL_CALLED, id, NULL, false, &first, 1);
        second = firm_prefer();
        call(CALL_SAME, id, NULL, false, &first, 1);
        die(id, /* unsure= */ false);
        call(CALL_CALLED, id, NULL, false, &first, 1);
        call(CALL_CALLED, id, &second, true, &second, 2);
}

TEST(a_firm_that_was_called_is_not_called_twice)
{
        struct courier firm = firm_hire();
        struct id id = delivered_new(STATUS_READY);

        call(CALL_CALLED, id, &firm, false, &firm, 1);
        call(CALL_SAME, id, &firm, false, &firm, 1);
        settle_as(id, sent);
        call(CALL_SAME, id, &firm, true, &firm, 1);
        assert_int_equal(target_of(id).told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(target_of(id).at_ms, TARGET_NOT_DUE);
}

TEST(what_failed_is_tried_anew_at_the_same_firm)
{
        struct courier firm = firm_hire();
        struct id id = delivered_new(STATUS_READY);

        call(CALL_CALLED, id, &firm, false, &firm, 1);
        die(id, /* unsure= */ true);
        call(CALL_CALLED, id, &firm, false, &firm, 1);
        assert_true(target_of(id).unsure); /* the doubt stays */
}

TEST(another_firm_is_called_only_where_that_is_meant)
{
        struct courier first = firm_hire(), second = firm_hire();
        struct id id = delivered_new(STATUS_READY);

        call(CALL_CALLED, id, &first, false, &first, 1);
        call(CALL_OTHER_FIRM, id, &second, false, &first, 1);
        call(CALL_CALLED, id, &second, true, &second, 2);
        settle_as(id, sent);
        call(CALL_OTHER_FIRM, id, &first, false, &second, 2);
        call(CALL_CALLED, id, &first, true, &first, 3);
        assert_int_equal(target_of(id).told, 0);
        assert_int_equal(target_of(id).told_at_ms, 0);
}

TEST(a_firm_that_certainly_never_had_it_is_in_nobodys_way)
{
        struct courier first = firm_hire(), second = firm_hire();
        struct id id = delivered_new(STATUS_READY);

        call(CALL_CALLED, id, &first, false, &first, 1);
        die(id, /* unsure= */ true);
        call(CALL_OTHER_FIRM, id, &second, false, &first, 1);
        call(CALL_CALLED, id, &first, false, &first, 1);
        call(CALL_CALLED, id, &second, true, &second, 2);
        assert_false(target_of(id).unsure);
        die(id, /* unsure= */ false);
        call(CALL_CALLED, id, &first, false, &first, 3);
}

TEST(what_the_former_firm_answers_is_dropped)
{
        struct courier first = firm_hire(), second = firm_hire();
        struct id id = delivered_new(STATUS_READY);
        CLEAN(store_claim_done) struct store_claim claim = {0};
        CLEAN(store_claim_done) struct store_claim next = {0};
        CLEAN(store_settle_done) struct store_settle settle = {0};

        call(CALL_CALLED, id, &first, false, &first, 1);
        claim = claim_courier(id);
        call(CALL_SAME, id, &first, false, &first, 1); /* which leaves the lease alone */
        call(CALL_CALLED, id, &second, true, &second, 2);
        settle = settling(&claim, sent);
        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_LOST);
        assert_int_equal(target_of(id).told, 0);
        next = claim_courier(id); /* though the former lease would not be over */
        assert_firm(&next.order->targets[PARTY_COURIER], &second, 2);
        assert_string_equal(next.account.id, second.id);
        assert_false(next.order->targets[PARTY_COURIER].unsure);
}

TEST(a_call_and_a_claim_in_one_round_agree_on_the_firm)
{
        struct courier chosen = firm_prefer(), named = firm_hire();

        for (int i = 0; i < 20; i++) {
                struct id id = delivered_new(STATUS_READY);
                struct store_claim claim = {.due = courier_due(id), .lease_ms = LEASE_MS};
                struct store_call call = calling(id, &named, false);
                struct target target;

                SUBMIT(&world.desk, claim, &claim);
                SUBMIT(&world.desk, call, &call);
                assert_true(desk_wait(&world.desk));
                job_check(&call.job, ERR_OK, __FILE__, __LINE__);
                target = target_of(id);
                assert_firm(&target, call.outcome == CALL_CALLED ? &named : &chosen, 1);
                assert_true(call.outcome == CALL_CALLED || call.outcome == CALL_OTHER_FIRM);
                if (claim.claimed && call.outcome == CALL_OTHER_FIRM)
                        assert_string_equal(claim.account.id, chosen.id);
                store_claim_done(&claim);
        }
}

static _Atomic int64_t revs_told;

static void add_rev(const struct change *change)
{
        revs_told += change->rev;
}

TEST(a_call_and_a_move_in_one_round_come_one_after_the_other)
{
        struct courier firm = firm_hire();

        for (int i = 0; i < 50; i++) {
                struct id id = delivered_new(STATUS_READY);
                struct store_move move = moving(id, STATUS_ON_THE_WAY);
                struct store_call call = calling(id, &firm, false);

                revs_told = 0;
                changes_watch(add_rev);
                SUBMIT(&world.desk, call, &call);
                SUBMIT(&world.desk, move, &move);
                assert_true(desk_wait(&world.desk));
                changes_watch(NULL);
                job_check(&call.job, ERR_OK, __FILE__, __LINE__);
                assert_int_equal(move.outcome, MOVE_MOVED);
                assert_true(call.outcome == CALL_CALLED || call.outcome == CALL_TOO_LATE);
                assert_int_equal(revs_told, call.outcome == CALL_CALLED ? 2 + 3 : 2);
        }
}

TEST(a_firm_that_an_order_brought_is_no_firm_that_was_called)
{
        struct courier brought = firm_hire(), named = firm_hire();
        CLEAN(store_create_done) struct store_create create = creating(PLATFORM_PHONE, STATUS_NEW);
        CLEAN(store_create_done) struct store_create second = creating(PLATFORM_PHONE, STATUS_NEW);

        create.firm = second.firm = brought.integration;
        DO(create, &create);
        DO(create, &second);
        call(CALL_CALLED, create.order->id, NULL, false, &brought, 2);
        call(CALL_CALLED, second.order->id, &named, false, &named, 2);
}

TEST(no_firm_is_called_for_what_it_cannot_deliver)
{
        CLEAN(store_create_done) struct store_create own = creating(PLATFORM_DUKKANGO, STATUS_READY);
        struct courier firm = firm_prefer(), mute = courier_hire(world.restaurant);
        struct courier foreign = courier_hire(restaurant_new());
        struct id fetched = order_new(PLATFORM_PHONE, STATUS_READY), id = delivered_new(STATUS_READY);
        struct store_call elsewhere = calling(id, &foreign, false),
                          unknown = calling(world.restaurant, NULL, false);

        courier_at(&foreign, URL);
        own.order->platform_courier = true;
        DO(create, &own);
        call(CALL_PICKUP, fetched, &firm, false, NULL, 0);
        call(CALL_PLATFORM_COURIER, own.order->id, &firm, false, NULL, 0);
        call(CALL_UNKNOWN, id, &foreign, false, NULL, 0);
        call(CALL_NO_ADDRESS, id, &mute, false, NULL, 0);
        DO(call, &unknown);
        assert_int_equal(unknown.outcome, CALL_UNKNOWN);
        elsewhere.job.access = trusted(restaurant_new());
        DO(call, &elsewhere);
        assert_int_equal(elsewhere.outcome, CALL_UNKNOWN);
        move_to(id, STATUS_ON_THE_WAY);
        call(CALL_TOO_LATE, id, &firm, true, NULL, 0);
        move_to(id, STATUS_DELIVERED);
        call(CALL_TOO_LATE, id, &firm, true, NULL, 0);
}

TEST(what_a_courier_firm_did_not_take_is_replayed)
{
        struct courier firm = firm_hire();
        struct id id = delivered_new(STATUS_READY);
        CLEAN(store_replay_done)
        struct store_replay replay = {
                .job.access = trusted(world.restaurant), .order = id, .party = PARTY_COURIER};

        call(CALL_CALLED, id, &firm, false, &firm, 1);
        die(id, /* unsure= */ false);
        DO(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_DONE);
        assert_firm(&replay.stored->targets[PARTY_COURIER], &firm, 1);
        assert_int_equal(count_due(), 1);
}

static const struct CMUnitTest tests[] = {
        STORY(an_order_is_due_to_its_courier_firm_as_soon_as_it_is_accepted),
        STORY(a_platform_without_room_does_not_hide_what_is_owed_to_couriers),
        STORY(a_claim_chooses_the_firm_that_new_orders_go_to),
        STORY(a_doubt_from_before_the_choice_is_none),
        STORY(no_firm_is_chosen_that_cannot_be_dispatched_to),
        STORY(no_firm_is_chosen_for_what_is_over_or_never_was_a_couriers),
        STORY(of_two_claims_in_one_round_one_chooses),
        STORY(a_new_order_may_bring_its_firm_and_its_end),
        STORY(what_moves_house_keeps_its_firm_and_its_end),
        STORY(a_firm_is_called_by_hand_even_for_what_nobody_accepted_yet),
        STORY(without_a_name_it_is_the_firm_that_has_it_or_the_one_that_new_orders_go_to),
        STORY(a_firm_that_was_called_is_not_called_twice),
        STORY(what_failed_is_tried_anew_at_the_same_firm),
        STORY(another_firm_is_called_only_where_that_is_meant),
        STORY(a_firm_that_certainly_never_had_it_is_in_nobodys_way),
        STORY(what_the_former_firm_answers_is_dropped),
        STORY(a_call_and_a_claim_in_one_round_agree_on_the_firm),
        STORY(a_call_and_a_move_in_one_round_come_one_after_the_other),
        STORY(a_firm_that_an_order_brought_is_no_firm_that_was_called),
        STORY(no_firm_is_called_for_what_it_cannot_deliver),
        STORY(what_a_courier_firm_did_not_take_is_replayed),
};

extern const struct chapter dispatch_chapter;
const struct chapter dispatch_chapter = CHAPTER(tests);
