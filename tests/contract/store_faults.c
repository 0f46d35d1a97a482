/* SPDX-License-Identifier: Apache-2.0 */
/* store_faults.c - a life of orders and records during which the store's k-th call of the disk fails, for every k.
 *
 * usage: store_faults NAME [PATTERN]
 *
 * And the same of memory: tests/below/alloc.c is preloaded. The same story is told again and again in one store: once with
 * its first call failing, once with its second … until none is left. A verb that failed is asked for once more and must
 * succeed; in the end everything stands as if nothing had been. */
#include "model/clean.h"
#include "model/json.h"
#include "model/token.h"
#include "tests/contract/disk.h"
#include "tests/contract/world.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a disk whose k-th call fails --- */

static atomic_bool armed;
static atomic_int calls;     /* since it was armed */
static atomic_int fail_at;   /* this one, counted from 1 */
static atomic_bool for_ever; /* and all that follow */

static bool fails(void)
{
        int n;

        if (!atomic_load(&armed))
                return false;
        n = atomic_fetch_add(&calls, 1) + 1;
        return n == atomic_load(&fail_at) || (atomic_load(&for_ever) && n > atomic_load(&fail_at));
}

static void arm(int at, bool ever)
{
        atomic_store(&calls, 0);
        atomic_store(&fail_at, at);
        atomic_store(&for_ever, ever);
        atomic_store(&armed, true);
}

static int disk_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
        return fails() ? SQLITE_IOERR_READ : disk_real(file)->xRead(file, bytes, n, at);
}

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
        return fails() ? SQLITE_FULL : disk_real(file)->xWrite(file, bytes, n, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
        return fails() ? SQLITE_IOERR_TRUNCATE : disk_real(file)->xTruncate(file, size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
        return fails() ? SQLITE_IOERR_FSYNC : disk_real(file)->xSync(file, flags);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret)
{
        return fails() ? SQLITE_IOERR_FSTAT : disk_real(file)->xFileSize(file, ret);
}

static int disk_lock(sqlite3_file *file, int level)
{
        return fails() ? SQLITE_IOERR_LOCK : disk_real(file)->xLock(file, level);
}

static int disk_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
        return fails() ? SQLITE_IOERR_SHMMAP : disk_real(file)->xShmMap(file, page, size, extend, ret);
}

static void replace(sqlite3_io_methods *methods)
{
        methods->xRead = disk_read;
        methods->xWrite = disk_write;
        methods->xTruncate = disk_truncate;
        methods->xSync = disk_sync;
        methods->xFileSize = disk_size;
        methods->xLock = disk_lock;
        methods->xShmMap = disk_map;
}

static bool may_open(__attribute__((unused)) int flags)
{
        return !fails();
}

static int disk_delete(__attribute__((unused)) sqlite3_vfs *vfs, const char *name, int sync)
{
        return fails() ? SQLITE_IOERR_DELETE : disk_below->xDelete(disk_below, name, sync);
}

static int disk_access(__attribute__((unused)) sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
        return fails() ? SQLITE_IOERR_ACCESS : disk_below->xAccess(disk_below, name, flags, ret);
}

static void put_disk_between(void)
{
        static const struct disk_hands hands = {may_open, replace};
        sqlite3_vfs *disk = disk_put_between(&hands);

        disk->xDelete = disk_delete;
        disk->xAccess = disk_access;
}

/* --- verbs that are asked for until they are done --- */

struct memory {
        _Atomic uint64_t armed, after, times, others, asked, met;
};
static struct memory *memory; /* the switches of tests/below/alloc.c, which must be preloaded */

static void heal(void)
{
        atomic_store(&armed, false);
        atomic_store(&memory->armed, 0);
}

static int begin(void **state)
{
        heal();
        return world_begin(state);
}

static int end(void **state)
{
        heal();
        return world_end(state);
}

#define FAULT_STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Once it has failed all is well again: one trouble a story. */
static bool good(const struct job *job)
{
        if (job->err == ERR_OK)
                return true;
        if (job->err != ERR_STORE_BROKEN && job->err != ERR_NO_MEMORY && job->err != ERR_BUSY)
                fail_msg("%s: %s", err_row(job->err)->name, job->why.text);
        heal();
        return false;
}

#define INSIST(verb, in)                             \
        do {                                         \
                SUBMIT(&world.desk, verb, (in));     \
                assert_true(desk_wait(&world.desk)); \
                if (!good(&(in)->job))               \
                        DO(verb, (in));              \
        } while (0)

/* --- the story --- */

#define DOCUMENT                                                                                        \
        "{\"price\":125.5,\"platformRef\":null,\"items\":[],\"customer\":{\"details\":{\"name\":\"A\"," \
        "\"phone\":\"0532 123 45 67\"}}}"

static struct order *draft(enum status status)
{
        struct order *order = order_draft(PLATFORM_DUKKANGO, status);

        free(order->document);
        order->document = strdup(DOCUMENT);
        phone_key("0532 123 45 67", order->phone);
        return order;
}

static struct id create(enum status status, int64_t life_ms)
{
        CLEAN(store_create_done)
        struct store_create create = {
                .job.access = trusted(world.restaurant), .order = draft(status), .life_ms = life_ms};

        INSIST(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        assert_int_equal(create.order->rev, 1);
        return create.order->id;
}

static void move(const struct courier *courier, struct id order, enum status to, const char *key)
{
        struct store_move move = {.job.access = courier ? by_key(courier->key) : trusted(world.restaurant),
                                  .order = order,
                                  .to = to,
                                  .by = courier ? ACTOR_COURIER : ACTOR_RESTAURANT};

        assert_true(text_copy(move.idempotency_key, sizeof move.idempotency_key, key));
        INSIST(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
        INSIST(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED); /* the first answer again */
}

static struct store_claim claim(struct id order, bool unsure)
{
        struct store_claim claim = {.due = due_for(order, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};

        INSIST(claim, &claim);
        assert_true(claim.claimed);
        assert_int_equal(claim.order->targets[PARTY_PLATFORM].unsure, unsure);
        return claim;
}

static void settle(const struct store_claim *claim, struct settlement settlement)
{
        CLEAN(store_settle_done) struct store_settle settle = settling(claim, settlement);

        INSIST(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_WRITTEN);
}

static void tell(struct id order)
{
        CLEAN(store_claim_done) struct store_claim claimed = claim(order, false);

        settle(&claimed,
               (struct settlement){.kind = SETTLE_MORE, .told = STEP_OF(STATUS_ACCEPTED), .at_ms = BEGAN});
        settle(&claimed, (struct settlement){.kind = SETTLE_DONE,
                                             .told = claimed.order->targets[PARTY_PLATFORM].want,
                                             .told_at_ms = BEGAN,
                                             .at_ms = TARGET_NOT_DUE});
}

/* It fails, is replayed, given back in doubt, and told in the end. */
static void struggle(struct id order)
{
        CLEAN(store_claim_done) struct store_claim first = claim(order, false);
        struct store_replay replay = {.job.access = trusted(world.restaurant), .order = order};
        struct store_release release = {.unsure = true};
        struct store_due due = {.max = DUE_MAX};

        settle(&first, (struct settlement){
                               .kind = SETTLE_DEAD, .at_ms = TARGET_NOT_DUE, .tries = 3, .dead = "timeout"});
        INSIST(replay, &replay);
        assert_int_equal(replay.outcome, REPLAY_DONE);
        store_replay_done(&replay);
        store_claim_done(&first);
        INSIST(due, &due);
        assert_int_equal(due.n, 1);
        first = claim(order, false);
        release.due = first.due;
        release.lease = first.lease;
        INSIST(release, &release);
        store_claim_done(&first);
        first = claim(order, true);
        settle(&first, (struct settlement){.kind = SETTLE_DONE,
                                           .told = first.order->targets[PARTY_PLATFORM].want,
                                           .told_at_ms = BEGAN,
                                           .at_ms = TARGET_NOT_DUE});
}

static enum err rename_it(struct record *record, void *arg, __attribute__((unused)) int64_t now_ms,
                          struct why *why)
{
        return record_change(record, arg, why);
}

/* A token comes, is changed, looked at, and goes. */
static void keep_records(void)
{
        char text[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE], name[] = "{\"name\":\"Kasa\"}";
        CLEAN(store_put_done) struct store_put put = {.record.kind = RECORD_TOKEN};
        CLEAN(store_edit_done)
        struct store_edit edit = {.kind = RECORD_TOKEN, .edit = rename_it, .arg = name};
        CLEAN(store_get_done) struct store_get get = {.kind = RECORD_TOKEN};
        CLEAN(store_find_done)
        struct store_find find = {
                .job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .limit = LIST_MAX};
        struct store_drop drop = {.kind = RECORD_TOKEN};

        assert_int_equal(token_make(&world.restaurant, "Tablet", clock_now(), &put.record, text, NULL),
                         ERR_OK);
        assert_true(text_copy(id, sizeof id, put.record.id));
        INSIST(put, &put);
        assert_int_equal(put.outcome, PUT_NEW);
        text_copy(edit.id, sizeof edit.id, id);
        INSIST(edit, &edit);
        assert_int_equal(edit.record.rev, 2);
        get.job.access = by_token(text);
        INSIST(get, &get);
        assert_non_null(strstr(get.record.document, "Kasa"));
        INSIST(find, &find);
        assert_int_equal(find.n, 1);
        text_copy(drop.id, sizeof drop.id, id);
        INSIST(drop, &drop);
        assert_true(drop.dropped);
}

static void look_around(struct id order, int n)
{
        CLEAN(store_list_done)
        struct store_list list = {
                .job.access = trusted(world.restaurant), .limit = LIST_MAX, .documents = true};
        CLEAN(store_changes_done)
        struct store_changes changes = {.restaurants = &world.restaurant, .n_restaurants = 1, .max = 9};
        CLEAN(store_read_done)
        struct store_read read = {.job.access = trusted(world.restaurant), .order = order};
        struct store_probe probe = {.counts = true};

        INSIST(list, &list);
        assert_int_equal(list.n, n);
        INSIST(changes, &changes);
        assert_int_equal(changes.n, n);
        INSIST(read, &read);
        assert_non_null(read.stored);
        INSIST(probe, &probe);
        assert_int_equal(probe.owed[PARTY_PLATFORM], 0);
}

static bool is_there(struct id order)
{
        CLEAN(store_read_done)
        struct store_read read = {.job.access = trusted(world.restaurant), .order = order};

        DO(read, &read);
        return read.stored;
}

/* One order goes its whole way and loses its customer; another expires. */
static void live(const struct courier *courier)
{
        struct store_erase erase = {.phone = "5321234567"};
        struct store_sweep sweep = {.max = SWEEP_MAX};
        CLEAN(order_free_at) struct order *after = NULL;
        struct id order, mortal;

        order = create(STATUS_NEW, MINUTE);
        mortal = create(STATUS_NEW, SECOND);
        move(NULL, order, STATUS_ACCEPTED, "one");
        tell(order);
        move(courier, order, STATUS_ON_THE_WAY, "two");
        struggle(order);
        move(courier, order, STATUS_DELIVERED, "three");
        tell(order);
        keep_records();
        look_around(order, 2);
        INSIST(erase, &erase);
        assert_int_equal(erase.erased, 2);
        clock_pass(SECOND);
        INSIST(sweep, &sweep);
        heal();
        assert_false(is_there(mortal)); /* how many it were does not know who repeats */
        after = order_load(order);
        assert_int_equal(after->status, STATUS_DELIVERED);
        assert_int_equal(after->n_moves, 4);
        assert_int_equal(after->rev, 7); /* born, three moves, dead, replayed, erased */
        assert_int_equal(after->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_DELIVERED));
        assert_null(strstr(after->document, "0532"));
        assert_true(store_is_ready(world.store));
        clock_pass(MINUTE);
        DO(sweep, &sweep);
        assert_int_equal(sweep.swept, 1);
}

static void live_through(bool ever)
{
        const struct courier courier = courier_hire(world.restaurant);
        int k = 0;

        arm(1 << 30, ever);
        live(&courier); /* what it must look like */
        do {
                arm(++k, ever);
                live(&courier);
        } while (atomic_load(&calls) >= k);
        print_message("# %d calls of the disk\n", k);
        assert_true(k > 100);
}

TEST(each_call_of_the_disk_may_fail_once)
{
        live_through(false);
}

TEST(each_call_of_the_disk_may_be_the_last_for_a_while)
{
        live_through(true);
}

TEST(it_opens_once_what_failed_is_over)
{
        const struct store_options options = world_options();
        const struct id order = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        enum err e;
        int k = 0;

        do {
                world_close();
                k++;
                arm(k, k % 2);
                e = store_open(&options, &world.store, NULL);
                heal();
                if (e != ERR_OK)
                        world_open();
                assert_true(is_there(order));
        } while (atomic_load(&calls) >= k);
        assert_true(k > 5);
}

/* What the store's threads ask for: so many pieces fail, from the first on, from the one `step` further on … */
static void starve(uint64_t times, uint64_t step)
{
        const struct courier courier = courier_hire(world.restaurant);
        uint64_t after = 0;

        live(&courier);
        do {
                atomic_store(&memory->after, after);
                after += step;
                atomic_store(&memory->times, times);
                atomic_store(&memory->asked, 0);
                atomic_store(&memory->met, 0);
                atomic_store(&memory->armed, 1);
                live(&courier);
        } while (atomic_load(&memory->met) > 0);
        print_message("# %d allocations\n", (int)after);
        assert_true(after > 1000);
}

TEST(each_allocation_may_fail_once)
{
        starve(1, 1);
}

TEST(each_allocation_may_be_the_last_for_a_while)
{
        starve(0, 3);
}

/* Somebody's hand in the file. */
static void spoil(struct id order)
{
        sqlite3_stmt *s = NULL;
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(world.where + strlen("sqlite:"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, "UPDATE documents SET doc = '{' WHERE id = ?1", -1, &s, NULL),
                         SQLITE_OK);
        sqlite3_bind_blob(s, 1, order.bytes, sizeof order.bytes, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        assert_int_equal(sqlite3_changes(db), 1);
        sqlite3_finalize(s);
        sqlite3_close(db);
}

/* It had written the move before it met what does not read: of its commit, that is taken back and nothing else. */
TEST(what_does_not_read_fails_alone_and_moves_nothing)
{
        struct store_move moves[3];

        for (size_t i = 0; i < COUNT(moves); i++)
                moves[i] = moving(order_new(PLATFORM_DUKKANGO, STATUS_NEW), STATUS_ACCEPTED);
        moves[1].want_order = true;
        spoil(moves[1].order);
        changes_heard(NULL);
        for (size_t i = 0; i < COUNT(moves); i++)
                SUBMIT(&world.desk, move, &moves[i]);
        assert_true(desk_wait(&world.desk));
        job_check(&moves[0].job, ERR_OK, __FILE__, __LINE__);
        job_check(&moves[1].job, ERR_DAMAGED, __FILE__, __LINE__);
        job_check(&moves[2].job, ERR_OK, __FILE__, __LINE__);
        assert_int_equal(changes_heard(NULL), 2);
        assert_true(notes_heard(NOTE_DAMAGED) > 0);
        assert_int_equal(notes_heard(NOTE_BROKEN), 0);
        assert_int_equal(count_due(), 2);
        moves[1].want_order = false;
        DO(move, &moves[1]);
        assert_int_equal(moves[1].outcome, MOVE_MOVED);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                FAULT_STORY(each_call_of_the_disk_may_fail_once),
                FAULT_STORY(each_call_of_the_disk_may_be_the_last_for_a_while),
                FAULT_STORY(each_allocation_may_fail_once),
                FAULT_STORY(each_allocation_may_be_the_last_for_a_while),
                FAULT_STORY(it_opens_once_what_failed_is_over),
                FAULT_STORY(what_does_not_read_fails_alone_and_moves_nothing),
        };

        void *(*below_alloc)(void);

        if (argc < 2 || !world_choose(argv[1]))
                return 64;
        if (argc == 3)
                cmocka_set_test_filter(argv[2]);
        setenv("TMPDIR", "/dev/shm", 0); /* flushes cost nothing there, and thousands of them are made */
        *(void **)&below_alloc = dlsym(RTLD_DEFAULT, "below_alloc");
        if (!below_alloc) {
                fputs("preload tests/below/alloc.c\n", stderr);
                return 1;
        }
        memory = below_alloc();
        atomic_store(&memory->others, 1);
        put_disk_between();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
