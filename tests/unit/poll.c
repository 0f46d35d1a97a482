/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - the lease on polling: one at a time, not too early, and later after each refusal. */
#include "model/poll.h"

#include "tests/unit/records.h"

#define CONNECTION OWN_ID "-dukkango"
#define HOLD_MS 50000
#define WAIT_MS 30000

static struct record made(void)
{
        struct poll_lease lease = {.hold_ms = HOLD_MS};
        const struct id restaurant = read_id(OWN_ID);
        struct record record = {0};

        assert_int_equal(poll_make(CONNECTION, &restaurant, &lease, NOW_MS, &record, NULL), ERR_OK);
        assert_int_equal(lease.until_ms, NOW_MS + HOLD_MS);
        record.rev = 1;
        return record;
}

static enum err take(struct record *record, int64_t now_ms, int64_t *ret_until_ms)
{
        struct poll_lease lease = {.hold_ms = HOLD_MS};
        const enum err e = poll_take(record, &lease, now_ms, NULL);

        *ret_until_ms = lease.until_ms;
        record->rev += e == ERR_OK;
        return e;
}

/* Ends it, and tells how long nobody may poll from then. */
static int64_t end(struct record *record, struct poll_lease lease, int64_t now_ms)
{
        lease.rev = record->rev;
        assert_int_equal(poll_end(record, &lease, now_ms, NULL), ERR_OK);
        record->rev++;
        return lease.until_ms - now_ms;
}

static int64_t refuse(struct record *record, int64_t now_ms, int64_t at_least_ms)
{
        return end(record,
                   (struct poll_lease){.wait_ms = WAIT_MS, .limited = true, .at_least_ms = at_least_ms},
                   now_ms);
}

TEST(a_new_one_is_taken_by_who_makes_it)
{
        CLEAN(record_done) struct record record = made();
        int64_t until_ms;

        assert_int_equal(record.kind, RECORD_POLL);
        assert_string_equal(record.id, CONNECTION);
        assert_int_equal(take(&record, NOW_MS + HOLD_MS - 1, &until_ms), ERR_BUSY);
        assert_int_equal(until_ms, NOW_MS + HOLD_MS);
        assert_int_equal(take(&record, NOW_MS + HOLD_MS, &until_ms), ERR_OK);
        assert_int_equal(until_ms, NOW_MS + 2 * HOLD_MS);
}

TEST(the_next_poll_is_a_wait_after_the_end_of_the_last)
{
        CLEAN(record_done) struct record record = made();
        int64_t until_ms;

        assert_int_equal(end(&record, (struct poll_lease){.wait_ms = WAIT_MS}, NOW_MS), WAIT_MS);
        assert_int_equal(take(&record, NOW_MS + WAIT_MS - 1, &until_ms), ERR_BUSY);
        assert_int_equal(until_ms, NOW_MS + WAIT_MS);
        assert_int_equal(take(&record, NOW_MS + WAIT_MS, &until_ms), ERR_OK);
}

TEST(who_lost_it_meanwhile_does_not_end_it)
{
        CLEAN(record_done) struct record record = made();
        struct poll_lease late = {.wait_ms = 1, .rev = record.rev};
        int64_t until_ms;

        assert_int_equal(take(&record, NOW_MS + HOLD_MS, &until_ms), ERR_OK);
        assert_int_equal(poll_end(&record, &late, NOW_MS + HOLD_MS, NULL), ERR_BUSY);
        assert_int_equal(take(&record, until_ms - 1, &until_ms), ERR_BUSY);
}

TEST(each_refusal_in_a_row_doubles_the_wait_up_to_ten_minutes)
{
        static const int64_t seconds[] = {30, 60, 120, 240, 480, 600, 600};
        CLEAN(record_done) struct record record = made();
        int64_t until_ms, now_ms = NOW_MS;

        for (size_t i = 0; i < COUNT(seconds); i++) {
                assert_int_equal(refuse(&record, now_ms, -1), 1000 * seconds[i]);
                now_ms += 1000 * seconds[i];
                assert_int_equal(take(&record, now_ms, &until_ms), ERR_OK);
        }
        assert_int_equal(end(&record, (struct poll_lease){.wait_ms = WAIT_MS}, now_ms), WAIT_MS);
        assert_int_equal(refuse(&record, now_ms, -1), WAIT_MS);
}

TEST(a_longer_retry_after_is_obeyed)
{
        CLEAN(record_done) struct record record = made();

        assert_int_equal(refuse(&record, NOW_MS, 45000), 45000);
        assert_int_equal(refuse(&record, NOW_MS, 45000), 2 * WAIT_MS);
        assert_int_equal(refuse(&record, NOW_MS, 3600000), 3600000);
}

TEST(a_clock_that_is_set_back_holds_nobody)
{
        CLEAN(record_done) struct record record = made();
        int64_t until_ms;

        record.updated_ms = NOW_MS;
        assert_int_equal(take(&record, NOW_MS - 1000, &until_ms), ERR_BUSY);
        assert_int_equal(take(&record, NOW_MS - 60000, &until_ms), ERR_OK);
        assert_int_equal(until_ms, NOW_MS - 60000 + HOLD_MS);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_one_is_taken_by_who_makes_it),
                cmocka_unit_test(the_next_poll_is_a_wait_after_the_end_of_the_last),
                cmocka_unit_test(who_lost_it_meanwhile_does_not_end_it),
                cmocka_unit_test(each_refusal_in_a_row_doubles_the_wait_up_to_ten_minutes),
                cmocka_unit_test(a_longer_retry_after_is_obeyed),
                cmocka_unit_test(a_clock_that_is_set_back_holds_nobody),
        };

        return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
