/* SPDX-License-Identifier: Apache-2.0 */
/* store_disk.c - what a store in a file does when the disk does not: everything or nothing, and back by itself.
 *
 * usage: store_disk NAME [PATTERN]
 *
 * SQLite's own way to the disk gets between it and the system: it fails on request. */
#include "model/clean.h"
#include "tests/contract/disk.h"
#include "tests/contract/world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* --- a disk that fails on request --- */

enum trouble {
        NO_TROUBLE,
        FULL,             /* nothing can be written */
        UNSYNCED,         /* what is written cannot be made safe */
        UNSYNCED_TO_OPEN, /* nor can it, until the file is opened anew */
        LOCKED_OUT        /* no file can be opened */
};

static atomic_int trouble;
static atomic_int troubles_left; /* negative: no end */
static atomic_int syncs;

/* Whether this time it fails; the last failure that was asked for is the end of the trouble. */
static bool fails(enum trouble what)
{
        if (atomic_load(&trouble) != (int)what)
                return false;
        if (atomic_load(&troubles_left) > 0 && atomic_fetch_sub(&troubles_left, 1) == 1)
                atomic_store(&trouble, NO_TROUBLE);
        return true;
}

static void make_trouble(enum trouble what, int times)
{
        atomic_store(&troubles_left, times);
        atomic_store(&trouble, (int)what);
}

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
        return fails(FULL) ? SQLITE_FULL : disk_real(file)->xWrite(file, bytes, n, at);
}

static int disk_sync(sqlite3_file *file, int flags)
{
        if (fails(UNSYNCED) || fails(UNSYNCED_TO_OPEN))
                return SQLITE_IOERR_FSYNC;
        atomic_fetch_add(&syncs, 1);
        return disk_real(file)->xSync(file, flags);
}

static void replace(sqlite3_io_methods *methods)
{
        methods->xWrite = disk_write;
        methods->xSync = disk_sync;
}

static bool may_open(int flags)
{
        if (fails(LOCKED_OUT))
                return false;
        if (flags & SQLITE_OPEN_MAIN_DB && atomic_load(&trouble) == UNSYNCED_TO_OPEN)
                atomic_store(&trouble, NO_TROUBLE);
        return true;
}

static const struct disk_hands hands = {may_open, replace};

static int begin(void **state)
{
        make_trouble(NO_TROUBLE, 0);
        return world_begin(state);
}

static int end(void **state)
{
        make_trouble(NO_TROUBLE, 0);
        return world_end(state);
}

#define DISK_STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* --- when it does what it should --- */

TEST(an_answer_comes_after_the_disk_has_it)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        const int before = atomic_load(&syncs);

        move_to(id, STATUS_ACCEPTED);
        assert_true(atomic_load(&syncs) > before);
}

TEST(a_round_shares_its_commit)
{
        struct store_move moves[64];
        int before;

        for (size_t i = 0; i < COUNT(moves); i++)
                moves[i] = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);
        before = atomic_load(&syncs);
        for (size_t i = 0; i < COUNT(moves); i++)
                SUBMIT(&world.desk, move, &moves[i]);
        assert_true(desk_wait(&world.desk));
        assert_in_range(atomic_load(&syncs) - before, 1, 4); /* a checkpoint may come on top */
}

/* --- when it is in trouble --- */

static struct store_create creating(void)
{
        return (struct store_create){.job.access = trusted(world.restaurant),
                                     .order = order_draft(PLATFORM_DUKKANGO, STATUS_NEW)};
}

static enum err rename_it(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        (void)arg;
        (void)now_ms;
        if (e == ERR_OK && !json_add_text(document, "name", "Başka"))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for an edit");
        return e == ERR_OK ? record_write(record, document, why) : e;
}

static struct store_edit renaming(void)
{
        struct store_edit edit = {.kind = RECORD_RESTAURANT, .edit = rename_it};

        id_write(&world.restaurant, edit.id);
        return edit;
}

static void assert_name(const char *name)
{
        CLEAN(store_get_done) struct store_get get = {.kind = RECORD_RESTAURANT};

        id_write(&world.restaurant, get.id);
        DO(get, &get);
        assert_non_null(strstr(get.record.document, name));
}

TEST(nothing_of_a_round_that_failed_stands_or_is_told)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ACCEPTED);
        CLEAN(store_create_done) struct store_create create = creating();
        CLEAN(store_edit_done) struct store_edit edit = renaming();
        struct store_list list = {.job.access = trusted(world.restaurant), .limit = LIST_MAX};
        CLEAN(order_free_at) struct order *order = NULL;

        changes_heard(NULL);
        make_trouble(FULL, -1);
        SUBMIT(&world.desk, move, &move);
        SUBMIT(&world.desk, create, &create);
        SUBMIT(&world.desk, edit, &edit);
        assert_true(desk_wait(&world.desk));
        assert_int_equal(move.job.err, ERR_STORE_BROKEN);
        assert_int_equal(create.job.err, ERR_STORE_BROKEN);
        assert_int_equal(edit.job.err, ERR_STORE_BROKEN);
        assert_true(strlen(move.job.why.text) > 0);
        assert_int_equal(changes_heard(NULL), 0);
        make_trouble(NO_TROUBLE, 0);
        order = order_load(id);
        assert_int_equal(order->status, STATUS_NEW);
        assert_int_equal(order->rev, 1);
        assert_int_equal(order->n_moves, 1);
        assert_int_equal(count_due(), 0);
        DO(list, &list);
        assert_int_equal(list.n, 1);
        assert_name("Köşe Kebap");
        store_list_done(&list);
}

TEST(it_says_once_that_it_is_broken_and_once_that_it_is_well)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ACCEPTED);

        make_trouble(FULL, -1);
        for (int i = 0; i < 3; i++) {
                ASK(ERR_STORE_BROKEN, move, &move);
                assert_false(store_is_ready(world.store));
                assert_int_equal(notes_heard(NOTE_BROKEN), 1);
        }
        order_free(order_load(id)); /* what is there can be read */
        assert_int_equal(notes_heard(NOTE_RECOVERED), 0);
        make_trouble(NO_TROUBLE, 0);
        assert_true(note_await(NOTE_RECOVERED, 1)); /* nobody had to ask */
        assert_true(store_is_ready(world.store));
        changes_heard(NULL);
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
        assert_int_equal(changes_heard(NULL), 1);
        assert_int_equal(notes_heard(NOTE_BROKEN), 1);
        assert_int_equal(notes_heard(NOTE_RECOVERED), 1);
}

TEST(a_write_that_works_again_says_so_before_the_heartbeat)
{
        struct store_move move = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);

        make_trouble(FULL, -1);
        ASK(ERR_STORE_BROKEN, move, &move);
        make_trouble(NO_TROUBLE, 0);
        DO(move, &move);
        assert_true(store_is_ready(world.store));
        assert_int_equal(notes_heard(NOTE_RECOVERED), 1);
}

TEST(a_commit_that_fails_once_is_made_again_and_nobody_notices)
{
        static const enum trouble troubles[] = {FULL, UNSYNCED};

        for (size_t i = 0; i < COUNT(troubles); i++) {
                struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
                struct store_move move = moving(id, STATUS_DELIVERED);
                CLEAN(store_create_done) struct store_create create = creating();
                CLEAN(store_edit_done) struct store_edit edit = renaming();
                CLEAN(order_free_at) struct order *order = NULL;

                changes_heard(NULL);
                make_trouble(troubles[i], 1);
                SUBMIT(&world.desk, move, &move);
                SUBMIT(&world.desk, create, &create);
                SUBMIT(&world.desk, edit, &edit);
                assert_true(desk_wait(&world.desk));
                job_check(&move.job, ERR_OK, __FILE__, __LINE__);
                assert_int_equal(move.outcome, MOVE_MOVED);
                assert_int_equal(create.outcome, CREATE_NEW);
                assert_int_equal(edit.job.err, ERR_OK);
                assert_int_equal(changes_heard(NULL), 2);
                assert_true(store_is_ready(world.store));
                order = order_load(id);
                assert_int_equal(order->n_moves, 2);
                assert_int_equal(order->rev, 2);
                order_free(order_load(create.order->id));
                assert_name("Başka");
        }
        assert_int_equal(notes_heard(NOTE_BROKEN), 0);
}

/* A commit is on the disk, but the disk said that it is not; nobody else has the file open, so that it is found there when
 * the file is opened anew. */
TEST(a_commit_that_stood_all_the_same_is_recognised)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);
        struct store_move move = {
                .job.access = by_key(courier.key), .order = id, .to = STATUS_DELIVERED, .by = ACTOR_COURIER};
        CLEAN(order_free_at) struct order *order = NULL;

        make_trouble(UNSYNCED_TO_OPEN, -1);
        DO(move, &move);
        assert_int_equal(atomic_load(&trouble), NO_TROUBLE);
        assert_int_equal(move.outcome, MOVE_MOVED);
        order = order_load(id);
        assert_int_equal(order->status, STATUS_DELIVERED);
        assert_int_equal(order->n_moves, 2);
        assert_int_equal(order->rev, 2);
}

TEST(a_call_that_stood_all_the_same_is_recognised_and_took_the_lease)
{
        struct courier firms[2] = {courier_hire(world.restaurant), courier_hire(world.restaurant)};
        CLEAN(store_create_done) struct store_create create = creating();
        CLEAN(store_claim_done) struct store_claim claim = {.lease_ms = LEASE_MS};
        CLEAN(store_settle_done) struct store_settle settle = {0};
        CLEAN(order_free_at) struct order *order = NULL;
        struct store_call call = {
                .job.access = trusted(world.restaurant), .firm = firms[1].integration, .again = true};

        for (int i = 0; i < 2; i++)
                courier_at(&firms[i], "\"https://kurye.example/yeni\"");
        create.order->pickup = false;
        create.order->status = STATUS_READY;
        create.firm = firms[0].integration;
        DO(create, &create);
        call.order = create.order->id;
        claim.due = due_for(create.order->id, create.order->platform);
        claim.due.party = PARTY_COURIER;
        DO(claim, &claim);
        assert_true(claim.claimed);
        make_trouble(UNSYNCED_TO_OPEN, -1);
        changes_heard(NULL);
        DO(call, &call);
        assert_int_equal(atomic_load(&trouble), NO_TROUBLE);
        assert_int_equal(call.outcome, CALL_CALLED);
        assert_int_equal(changes_heard(NULL), 1);
        settle = settling(&claim, (struct settlement){.kind = SETTLE_DONE,
                                                      .told = STEP_OF(STATUS_ACCEPTED),
                                                      .at_ms = TARGET_NOT_DUE});
        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_LOST);
        order = order_load(create.order->id);
        assert_true(id_equal(&order->targets[PARTY_COURIER].firm, &firms[1].integration));
        assert_int_equal(order->targets[PARTY_COURIER].calls, 2);
        assert_int_equal(order->targets[PARTY_COURIER].told, 0);
}

TEST(a_file_that_cannot_be_opened_breaks_what_needs_it)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_read read = {.job.access = trusted(world.restaurant), .order = id};
        struct store_move move = moving(id, STATUS_ACCEPTED);

        make_trouble(LOCKED_OUT, -1);
        ASK(ERR_STORE_BROKEN, read, &read);
        make_trouble(NO_TROUBLE, 0);
        DO(read, &read);
        make_trouble(FULL, 1); /* the file is closed, and cannot be opened again */
        DO(move, &move);
        assert_non_null(read.stored);
        store_read_done(&read);
}

TEST(a_store_that_is_broken_can_be_closed)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_move move = moving(id, STATUS_ACCEPTED);
        CLEAN(order_free_at) struct order *order = NULL;

        make_trouble(FULL, -1);
        ASK(ERR_STORE_BROKEN, move, &move);
        SUBMIT(&world.desk, move, &move);
        world_close();
        inbox_run(&world.desk.in);
        assert_int_equal(world.desk.out, 0);
        assert_int_equal(move.job.err, ERR_STORE_BROKEN);
        make_trouble(NO_TROUBLE, 0);
        world_open();
        order = order_load(id);
        assert_int_equal(order->status, STATUS_NEW);
}

/* --- leases follow their commit --- */

static struct id owing(void)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);

        move_to(id, STATUS_ACCEPTED);
        return id;
}

static const struct settlement done = {.kind = SETTLE_DONE,
                                       .told = STEP_OF(STATUS_ACCEPTED),
                                       .told_at_ms = BEGAN,
                                       .at_ms = TARGET_NOT_DUE};

TEST(a_claim_that_failed_holds_nothing)
{
        struct id id = owing();
        struct store_move move = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);
        struct store_claim claim = {.due = due_for(id, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};
        bool unsure = true;

        make_trouble(FULL, -1);
        SUBMIT(&world.desk, move, &move); /* a claim alone writes nothing */
        SUBMIT(&world.desk, claim, &claim);
        assert_true(desk_wait(&world.desk));
        assert_int_equal(claim.job.err, ERR_STORE_BROKEN);
        make_trouble(NO_TROUBLE, 0);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, &unsure));
        assert_false(unsure);
        store_claim_done(&claim);
}

TEST(a_settlement_that_failed_can_be_made_again)
{
        struct id id = owing();
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);
        CLEAN(store_settle_done) struct store_settle settle = settling(&claim, done);

        make_trouble(FULL, -1);
        ASK(ERR_STORE_BROKEN, settle, &settle);
        make_trouble(NO_TROUBLE, 0);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_WRITTEN);
        assert_int_equal(count_due(), 0);
}

TEST(what_could_not_be_given_back_is_still_held)
{
        struct id id = owing();
        CLEAN(store_claim_done) struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);
        struct store_release release = {.due = claim.due, .lease = claim.lease, .unsure = true};

        make_trouble(FULL, -1);
        ASK(ERR_STORE_BROKEN, release, &release);
        make_trouble(NO_TROUBLE, 0);
        assert_false(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        DO(release, &release);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, NULL));
}

/* A claim of what somebody let run out, in a round whose commit fails so many times. */
static struct store_claim take_over(struct id id, int times)
{
        struct store_move move = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);
        struct store_claim claim = claim_of(id, PLATFORM_DUKKANGO);

        clock_pass(LEASE_MS);
        make_trouble(FULL, times);
        SUBMIT(&world.desk, claim, &claim);
        SUBMIT(&world.desk, move, &move);
        assert_true(desk_wait(&world.desk));
        make_trouble(NO_TROUBLE, 0);
        return claim;
}

TEST(the_doubt_of_a_lease_that_ran_out_survives_a_commit_that_failed_once)
{
        CLEAN(store_claim_done) struct store_claim claim = take_over(owing(), 1);

        job_check(&claim.job, ERR_OK, __FILE__, __LINE__);
        assert_true(claim.claimed);
        assert_true(claim.order->targets[PARTY_PLATFORM].unsure);
}

TEST(the_doubt_of_a_lease_that_ran_out_survives_a_round_that_failed)
{
        struct id id = owing();
        CLEAN(store_claim_done) struct store_claim claim = take_over(id, -1);
        bool unsure = false;

        job_check(&claim.job, ERR_STORE_BROKEN, __FILE__, __LINE__);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, &unsure));
        assert_true(unsure);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                DISK_STORY(an_answer_comes_after_the_disk_has_it),
                DISK_STORY(a_round_shares_its_commit),
                DISK_STORY(nothing_of_a_round_that_failed_stands_or_is_told),
                DISK_STORY(it_says_once_that_it_is_broken_and_once_that_it_is_well),
                DISK_STORY(a_write_that_works_again_says_so_before_the_heartbeat),
                DISK_STORY(a_commit_that_fails_once_is_made_again_and_nobody_notices),
                DISK_STORY(a_commit_that_stood_all_the_same_is_recognised),
                DISK_STORY(a_call_that_stood_all_the_same_is_recognised_and_took_the_lease),
                DISK_STORY(a_file_that_cannot_be_opened_breaks_what_needs_it),
                DISK_STORY(a_store_that_is_broken_can_be_closed),
                DISK_STORY(a_claim_that_failed_holds_nothing),
                DISK_STORY(a_settlement_that_failed_can_be_made_again),
                DISK_STORY(what_could_not_be_given_back_is_still_held),
                DISK_STORY(the_doubt_of_a_lease_that_ran_out_survives_a_commit_that_failed_once),
                DISK_STORY(the_doubt_of_a_lease_that_ran_out_survives_a_round_that_failed),
        };

        if (argc < 2 || !world_choose(argv[1]))
                return 64;
        if (argc == 3)
                cmocka_set_test_filter(argv[2]);
        disk_put_between(&hands);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
