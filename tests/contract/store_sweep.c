/* SPDX-License-Identifier: Apache-2.0 */
/* store_sweep.c - what has expired goes away, and nothing else does. */
#include "model/clean.h"
#include "tests/contract/world.h"

static struct id mortal_new(int64_t life_ms)
{
        CLEAN(store_create_done)
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(PLATFORM_DUKKANGO, STATUS_NEW),
                                      .life_ms = life_ms};

        DO(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        return create.order->id;
}

static bool is_there(struct id order)
{
        CLEAN(store_read_done)
        struct store_read read = {.job.access = trusted(world.restaurant), .order = order};

        DO(read, &read);
        return read.stored != NULL;
}

static int sweep_of(int max)
{
        struct store_sweep sweep = {.max = max};

        DO(sweep, &sweep);
        return sweep.swept;
}

TEST(what_has_expired_goes_and_all_else_stays)
{
        struct id first = mortal_new(MINUTE), second = mortal_new(2 * MINUTE), stays = mortal_new(0);

        clock_pass(MINUTE - 1);
        assert_int_equal(sweep_of(SWEEP_MAX), 0);
        clock_pass(1);
        assert_int_equal(sweep_of(SWEEP_MAX), 1);
        assert_false(is_there(first));
        assert_true(is_there(second));
        clock_pass(365 * 24 * 60 * MINUTE);
        assert_int_equal(sweep_of(SWEEP_MAX), 1);
        assert_false(is_there(second));
        assert_true(is_there(stays));
        assert_int_equal(sweep_of(SWEEP_MAX), 0);
}

TEST(a_sweep_takes_so_many_and_the_oldest_first)
{
        struct id ids[5];

        for (int i = 0; i < 5; i++)
                ids[i] = mortal_new((5 - i) * MINUTE);
        clock_pass(5 * MINUTE);
        assert_int_equal(sweep_of(2), 2);
        for (int i = 0; i < 5; i++)
                assert_int_equal(is_there(ids[i]), i < 3);
        assert_int_equal(sweep_of(2), 2);
        assert_int_equal(sweep_of(2), 1);
        assert_int_equal(sweep_of(2), 0);
}

TEST(what_was_swept_under_a_lease_is_settled_by_nobody)
{
        struct id id = mortal_new(MINUTE);
        CLEAN(store_claim_done) struct store_claim claim = {0};
        CLEAN(store_settle_done) struct store_settle settle = {0};

        move_to(id, STATUS_ACCEPTED);
        clock_pass(MINUTE);
        claim = claim_of(id, PLATFORM_DUKKANGO);
        assert_int_equal(sweep_of(SWEEP_MAX), 1);
        settle = settling(&claim, (struct settlement){.kind = SETTLE_DONE, .at_ms = TARGET_NOT_DUE});
        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_LOST);
        assert_int_equal(count_due(), 0);
        assert_false(is_there(id));
}

static const struct CMUnitTest tests[] = {
        STORY(what_has_expired_goes_and_all_else_stays),
        STORY(a_sweep_takes_so_many_and_the_oldest_first),
        STORY(what_was_swept_under_a_lease_is_settled_by_nobody),
};

extern const struct chapter sweep_chapter;
const struct chapter sweep_chapter = CHAPTER(tests);
