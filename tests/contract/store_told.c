/* SPDX-License-Identifier: Apache-2.0 */
/* store_told.c - what a store tells of its own work, so that somebody can count it. */
#include "model/clean.h"
#include "tests/contract/world.h"

TEST(every_job_is_told_by_its_verb_when_it_is_over)
{
        const int reads = jobs_heard(VERB_READ);
        struct store_read read = {.order = order_new(PLATFORM_PHONE, STATUS_NEW),
                                  .job.access = trusted(world.restaurant)};

        assert_int_equal(jobs_heard(VERB_CREATE), 1);
        for (int i = 1; i <= 3; i++) {
                CLEAN(store_read_done) struct store_read again = read;

                DO(read, &again);
                assert_int_equal(jobs_heard(VERB_READ), reads + i);
        }
        assert_int_equal(failures_heard(VERB_READ), 0);
}

TEST(what_a_caller_is_refused_is_no_failure)
{
        struct store_move move = {.job = {.access = {.kind = ACCESS_KEY}}, .to = STATUS_DELIVERED};

        ASK(ERR_NO_INTEGRATION, move, &move);
        assert_int_equal(jobs_heard(VERB_MOVE), 1);
        assert_int_equal(failures_heard(VERB_MOVE), 0);
}

TEST(what_waits_is_counted_until_it_is_handed_back)
{
        struct store_probe probes[3] = {0};

        assert_int_equal(store_waiting(world.store), 0);
        for (int i = 0; i < 3; i++)
                SUBMIT(&world.desk, probe, &probes[i]);
        assert_true(desk_wait(&world.desk));
        assert_int_equal(store_waiting(world.store), 0);
        assert_int_equal(jobs_heard(VERB_PROBE), 3);
}

static const struct CMUnitTest tests[] = {
        STORY(every_job_is_told_by_its_verb_when_it_is_over),
        STORY(what_a_caller_is_refused_is_no_failure),
        STORY(what_waits_is_counted_until_it_is_handed_back),
};
extern const struct chapter told_chapter;
const struct chapter told_chapter = CHAPTER(tests);
