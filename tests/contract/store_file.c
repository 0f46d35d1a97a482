/* SPDX-License-Identifier: Apache-2.0 */
/* store_file.c - what a store in a file promises beside: whose file it is, who may open it, what a killed process left.
 *
 * usage: store_file NAME [PATTERN] */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path(void)
{
        return world.where + strlen("sqlite:");
}

/* The path of another file beside it; the caller frees. */
static char *beside(const char *word)
{
        char *file = NULL;

        assert_true(asprintf(&file, "%s-%s", path(), word) > 0);
        return file;
}

/* Runs SQL on a file by a connection of our own. */
static void execute(const char *file, const char *sql)
{
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
        sqlite3_busy_timeout(db, 5000);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_close(db);
}

/* The first column of the first row; -1 where there is none. */
static int64_t query(const char *file, const char *sql)
{
        sqlite3 *db = NULL;
        sqlite3_stmt *s = NULL;
        int64_t value = -1;

        if (sqlite3_open(file, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
            sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
                value = sqlite3_column_int64(s, 0);
        sqlite3_finalize(s);
        sqlite3_close(db);
        return value;
}

/* A second store on this place is refused, and the reason has these words. */
static void assert_refused(const char *where, const char *words)
{
        struct store_options options = world_options();
        struct store *store = NULL;
        struct why why;

        options.where = where;
        assert_int_equal(store_open(&options, &store, &why), ERR_INTERNAL);
        assert_null(store);
        if (!strstr(why.text, words))
                fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

/* --- who may open it --- */

TEST(a_file_that_is_open_is_refused)
{
        assert_refused(world.where, "in use by another kuryed");
        world_close();
        world_open();
}

TEST(a_file_that_another_process_has_open_is_refused)
{
        int status = -1;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                const struct store_options options = world_options();
                struct store *store = NULL;
                struct why why;

                _exit(store_open(&options, &store, &why) == ERR_INTERNAL ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        order_free(order_load(order_new(PLATFORM_PHONE, STATUS_NEW))); /* and the first one goes on */
}

TEST(a_place_where_no_file_can_be_is_refused)
{
        CLEAN(free_at) char *nowhere = NULL;

        assert_true(asprintf(&nowhere, "%s-absent/kurye.db", world.where) > 0);
        assert_refused(nowhere, "cannot open");
        assert_refused("sqlite:", "sqlite:PATH");
}

/* --- whose file it is --- */

TEST(a_newer_schema_is_refused_and_left_as_it_is)
{
        const int64_t version = query(path(), "PRAGMA user_version");
        char back[40];

        assert_true(version >= 1);
        world_close();
        execute(path(), "PRAGMA user_version = 99");
        assert_refused(world.where, "newer");
        assert_int_equal(query(path(), "PRAGMA user_version"), 99);
        snprintf(back, sizeof back, "PRAGMA user_version = %d", (int)version);
        execute(path(), back);
        world_open();
}

/* What the third and the fourth added. */
#define TO_SECOND                                                                                          \
        "DROP INDEX documents_phone; DROP INDEX orders_personal; ALTER TABLE documents DROP COLUMN phone;" \
        "ALTER TABLE orders DROP COLUMN erased; DROP INDEX orders_ended; ALTER TABLE orders DROP COLUMN ended;"

TEST(a_file_of_the_first_schema_keeps_its_orders)
{
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        CLEAN(order_free_at) struct order *order = NULL;

        move_to(order_new(PLATFORM_PHONE, STATUS_NEW), STATUS_DELIVERED);
        move_to(id, STATUS_ACCEPTED);
        world_close();
        execute(path(),
                TO_SECOND "DROP INDEX orders_expiring; ALTER TABLE orders DROP COLUMN c_firm;"
                          "ALTER TABLE orders DROP COLUMN c_calls; ALTER TABLE orders DROP COLUMN expires;"
                          "PRAGMA user_version = 1");
        world_open();
        assert_int_equal(query(path(), "SELECT count(*) FROM orders WHERE ended = iif(st = 5, seen, 0)"), 2);
        order = order_load(id);
        assert_int_equal(order->status, STATUS_ACCEPTED);
        assert_true(id_is_zero(&order->targets[PARTY_COURIER].firm));
        assert_int_equal(order->targets[PARTY_COURIER].calls, 0);
        assert_int_equal(order->expires_ms, 0);
        assert_int_equal(order->erased_ms, 0);
        assert_true(is_claimable(id, PLATFORM_DUKKANGO, NULL));
        move_to(id, STATUS_READY);
}

/* --- what was erased --- */

#define CANARY "kanarya"
#define FILE_MAX (8 << 20)

/* An order whose customer's data fill a page and more, with a note in its history. */
static struct id order_with_customer(const char *phone)
{
        CLEAN(store_create_done)
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(PLATFORM_PHONE, STATUS_NEW)};
        struct store_move move;
        char many[9000];

        for (size_t i = 0; i < sizeof many - 1; i++)
                many[i] = (CANARY " ")[i % strlen(CANARY " ")];
        many[sizeof many - 1] = '\0';
        free(create.order->document);
        assert_true(asprintf(&create.order->document,
                             "{\"customer\":{\"details\":{\"name\":\"" CANARY "\",\"phone\":\"%s\"},"
                             "\"address\":{\"detailedAddress\":\"%s\"}}}",
                             phone, many) > 0);
        phone_key(phone, create.order->phone);
        DO(create, &create);
        move = moving(create.order->id, STATUS_READY);
        move.note = CANARY;
        DO(move, &move);
        return create.order->id;
}

static struct store_erase erase_phone(const char *phone)
{
        struct store_erase erase = {0};

        assert_true(phone_key(phone, erase.phone));
        DO(erase, &erase);
        return erase;
}

/* In the file, or in the log beside it. */
static bool is_in_files(const char *bytes)
{
        CLEAN(free_at) char *log = beside("wal");
        const char *const files[] = {path(), log};
        bool found = false;

        for (size_t i = 0; i < COUNT(files); i++) {
                FILE *f = fopen(files[i], "rb");
                size_t n = 0;
                char *all = f ? malloc(FILE_MAX) : NULL;

                if (all)
                        n = fread(all, 1, FILE_MAX, f);
                assert_true(n < FILE_MAX);
                found |= all && memmem(all, n, bytes, strlen(bytes));
                free(all);
                if (f)
                        fclose(f);
        }
        return found;
}

static void await_gone(const char *bytes)
{
        const int64_t until_ms = time_boot_ms() + 30 * SECOND;
        struct store_probe probe;

        while (is_in_files(bytes)) {
                assert_true(time_boot_ms() < until_ms);
                probe = (struct store_probe){0};
                DO(probe, &probe);
        }
}

TEST(what_is_erased_stands_in_no_file)
{
        for (int i = 0; i < ERASE_MAX; i++)
                order_with_customer("0532 123 45 67");
        assert_true(is_in_files(CANARY) && is_in_files("5321234567"));
        assert_int_equal(erase_phone("0532 123 45 67").erased, ERASE_MAX);
        await_gone(CANARY);
        await_gone("5321234567");
        world_close();
        assert_false(is_in_files(CANARY) || is_in_files("5321234567"));
        world_open();
}

TEST(whoever_reads_delays_that_and_nobody_else)
{
        sqlite3 *db = NULL;
        struct id id = order_with_customer("0532 123 45 67");

        assert_int_equal(sqlite3_open(path(), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM orders", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(erase_phone("0532 123 45 67").erased, 1);
        for (int status = STATUS_ON_THE_WAY; status <= STATUS_DELIVERED; status++)
                move_to(id, (enum status)status);
        assert_true(is_in_files(CANARY));
        assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        await_gone(CANARY);
        sqlite3_close(db);
}

TEST(a_file_of_the_second_schema_has_its_phones_found)
{
        struct id id = order_with_customer("+90 (532) 123-45-67");
        CLEAN(order_free_at) struct order *order = NULL;

        order_with_customer("yok");
        order_new(PLATFORM_PHONE, STATUS_NEW); /* without a customer */
        world_close();
        execute(path(), TO_SECOND "PRAGMA user_version = 2");
        world_open();
        assert_int_equal(erase_phone("05321234567").erased, 1);
        order = order_load(id);
        assert_true(order_is_erased(order));
}

/* The whole file in memory, owned by the caller. */
static char *slurp(const char *file, size_t *ret_n)
{
        FILE *f = fopen(file, "rb");
        char *bytes = malloc(1 << 16);

        assert_true(f && bytes);
        *ret_n = fread(bytes, 1, 1 << 16, f);
        assert_true(feof(f));
        fclose(f);
        return bytes;
}

/* Refused in these words, and not a byte of it is another. */
static void assert_untouched(const char *file, const char *words)
{
        size_t before_n, after_n;
        CLEAN(free_at) char *where = NULL;
        CLEAN(free_at) char *before = slurp(file, &before_n);
        CLEAN(free_at) char *after = NULL;

        assert_true(asprintf(&where, "sqlite:%s", file) > 0);
        assert_refused(where, words);
        after = slurp(file, &after_n);
        assert_int_equal(before_n, after_n);
        assert_memory_equal(before, after, before_n);
}

TEST(another_programs_database_is_refused_and_left_as_it_is)
{
        CLEAN(free_at) char *file = beside("other");

        for (int version = 0; version < 3; version++) {
                char sql[160];

                snprintf(sql, sizeof sql,
                         "DROP TABLE IF EXISTS orders; CREATE TABLE orders (x); PRAGMA user_version = %d",
                         version);
                execute(file, sql);
                assert_untouched(file, "another program's");
        }
}

TEST(a_file_that_is_no_database_is_refused_and_left_as_it_is)
{
        CLEAN(free_at) char *file = beside("text");
        FILE *f = fopen(file, "w");

        assert_non_null(f);
        for (int i = 0; i < 100; i++)
                fprintf(f, "This is a letter to a friend, and line %d of it.\n", i);
        fclose(f);
        assert_untouched(file, "not a database");
}

TEST(an_empty_file_becomes_a_store)
{
        FILE *f;

        world_close();
        unlink(path());
        f = fopen(path(), "w");
        assert_non_null(f);
        fclose(f);
        world_open();
        world.restaurant = restaurant_new();
        order_free(order_load(order_new(PLATFORM_PHONE, STATUS_NEW)));
}

/* --- one process, so that leases and doubts are its own --- */

TEST(all_that_was_owed_at_the_end_is_doubted_and_free)
{
        struct id held = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct id waiting = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct id put_off = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        struct store_claim claims[2];
        struct store_settle settle;
        CLEAN(order_free_at) struct order *order = NULL;
        bool unsure = false;

        move_to(held, STATUS_ACCEPTED);
        move_to(waiting, STATUS_ACCEPTED);
        move_to(put_off, STATUS_ACCEPTED);
        claims[0] = claim_of(held, PLATFORM_DUKKANGO);
        claims[1] = claim_of(put_off, PLATFORM_DUKKANGO);
        settle = settling(&claims[1], (struct settlement){.kind = SETTLE_RETRY, .at_ms = BEGAN + MINUTE});
        DO(settle, &settle);
        world_close();
        world_open();
        assert_true(is_claimable(held, PLATFORM_DUKKANGO, &unsure) && unsure);
        assert_true(is_claimable(waiting, PLATFORM_DUKKANGO, &unsure) && unsure);
        order = order_load(put_off);
        assert_true(order->targets[PARTY_PLATFORM].unsure);
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, BEGAN + MINUTE);
        for (int i = 0; i < 2; i++)
                store_claim_done(&claims[i]);
        store_settle_done(&settle);
}

TEST(what_is_in_doubt_is_left_alone_while_its_call_may_still_arrive)
{
        struct store_options options = world_options();
        struct store_due due = {.max = 8};
        struct id doubted, fresh;
        struct why why;
        bool unsure = false;

        options.calls_ms = MINUTE;
        world_close();
        assert_int_equal(store_open(&options, &world.store, &why), ERR_OK);
        doubted = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        move_to(doubted, STATUS_ACCEPTED);
        execute(path(), "UPDATE orders SET p_unsure = 1");
        assert_true(is_claimable(doubted, PLATFORM_DUKKANGO, NULL)); /* nothing was there before */
        world_close();
        assert_int_equal(store_open(&options, &world.store, &why), ERR_OK);
        fresh = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        move_to(fresh, STATUS_ACCEPTED);
        move_to(doubted, STATUS_DELIVERED); /* a fact hurries nobody */
        DO(due, &due);
        assert_true(due.n == 1 && id_equal(&due.found[0].order, &fresh));
        assert_int_equal(due.next_ms, BEGAN + MINUTE);
        clock_pass(MINUTE - 1);
        assert_true(is_claimable(fresh, PLATFORM_DUKKANGO, &unsure) && !unsure);
        assert_false(is_claimable(doubted, PLATFORM_DUKKANGO, NULL));
        clock_pass(1);
        assert_true(is_claimable(doubted, PLATFORM_DUKKANGO, &unsure) && unsure);
        assert_int_equal(count_due(), 2);
}

TEST(a_secret_that_ended_elsewhere_is_known_for_five_seconds)
{
        struct courier courier = courier_hire(world.restaurant);
        struct store_read read = {.job.access = by_key(courier.key), .order = world.restaurant};

        DO(read, &read);
        execute(path(), "DELETE FROM records WHERE kind = 2"); /* RECORD_INTEGRATION */
        clock_pass(4999);
        DO(read, &read);
        clock_pass(1);
        ASK(ERR_NO_INTEGRATION, read, &read);
}

static enum err leave(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        (void)record, (void)arg, (void)now_ms, (void)why;
        return ERR_OK;
}

/* Writes it as it is. */
static void edit(enum record_kind kind, const char *id)
{
        struct store_edit edit = {.kind = kind, .edit = leave};

        assert_true(text_copy(edit.id, sizeof edit.id, id));
        DO(edit, &edit);
        assert_non_null(edit.record.document);
        store_edit_done(&edit);
}

TEST(what_is_known_of_secrets_outlives_edits_of_what_admits_nobody)
{
        struct courier courier = courier_hire(world.restaurant);
        struct store_read read = {.job.access = by_key(courier.key), .order = world.restaurant};
        CLEAN(store_put_done)
        struct store_put put = {.record = {.kind = RECORD_CONNECTION,
                                           .id = "one",
                                           .restaurant = world.restaurant,
                                           .document = strdup("{}")}};
        char token[APIKEY_TEXT_SIZE], token_id[RECORD_ID_SIZE];

        DO(put, &put);
        token_new(world.restaurant, token, token_id);
        DO(read, &read);
        execute(path(), "DELETE FROM records WHERE kind = 2"); /* RECORD_INTEGRATION */
        edit(RECORD_CONNECTION, "one");
        DO(read, &read);
        edit(RECORD_TOKEN, token_id);
        ASK(ERR_NO_INTEGRATION, read, &read);
}

/* --- found by an index --- */

/* Whether SQLite answers by this index alone: no other look through the table, nothing sorted. */
static void assert_answered_by(const char *index, const char *sql)
{
        CLEAN(free_at) char *explain = NULL;
        sqlite3 *db = NULL;
        sqlite3_stmt *s = NULL;
        int rows = 0;

        assert_true(asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) > 0);
        assert_int_equal(sqlite3_open(path(), &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &s, NULL), SQLITE_OK);
        for (; sqlite3_step(s) == SQLITE_ROW; rows++)
                assert_non_null(strstr((const char *)sqlite3_column_text(s, 3), index));
        assert_int_equal(rows, 1);
        sqlite3_finalize(s);
        sqlite3_close(db);
}

TEST(what_has_expired_is_found_by_its_index)
{
        assert_answered_by("orders_expiring", "SELECT id FROM orders WHERE expires > 0 AND expires <= 1 "
                                              "ORDER BY expires, id LIMIT 100");
        assert_answered_by("orders_due_courier",
                           "SELECT id, rid, c_at FROM orders WHERE plat = 1 AND c_at > 0 "
                           "AND c_at <= 1 ORDER BY c_at LIMIT 100");
}

/* --- told and answered only when durable --- */

static int seen_early;

static void look_at_the_file(const struct change *change)
{
        char sql[160], id[ID_TEXT_SIZE];

        snprintf(sql, sizeof sql, "SELECT rev FROM orders WHERE id = x'%s'", id_write(&change->order, id));
        seen_early += query(path(), sql) < change->rev;
}

TEST(a_change_is_told_when_others_can_read_it)
{
        struct id id;

        seen_early = 0;
        changes_heard(NULL);
        changes_watch(look_at_the_file);
        id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        move_to(id, STATUS_ACCEPTED);
        give_up(id, PLATFORM_DUKKANGO, /* unsure= */ false);
        move_to(id, STATUS_DELIVERED);
        assert_int_equal(changes_heard(NULL), 4);
        assert_int_equal(seen_early, 0);
}

/* Moves orders and tells of each that was answered, until somebody kills us. */
static void move_until_killed(int fd)
{
        desk_close(&world.desk);
        desk_open(&world.desk);
        world_open();
        for (;;) {
                struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);

                move_to(id, STATUS_ACCEPTED);
                if (write(fd, &id, sizeof id) != (ssize_t)sizeof id)
                        _exit(1);
        }
}

TEST(what_a_killed_process_answered_stands)
{
        struct id ids[64];
        size_t n = 0;
        int pipes[2], status;
        pid_t child;

        world_close();
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                move_until_killed(pipes[1]);
        close(pipes[1]);
        while (n < 32 && read(pipes[0], &ids[n], sizeof ids[n]) == (ssize_t)sizeof ids[n])
                n++;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        while (n < COUNT(ids) && read(pipes[0], &ids[n], sizeof ids[n]) == (ssize_t)sizeof ids[n])
                n++;
        close(pipes[0]);
        assert_true(n >= 32);
        world_open();
        for (size_t i = 0; i < n; i++) {
                CLEAN(order_free_at) struct order *order = order_load(ids[i]);
                bool unsure = false;

                assert_int_equal(order->status, STATUS_ACCEPTED);
                assert_true(is_claimable(ids[i], PLATFORM_DUKKANGO, &unsure) && unsure);
        }
}

TEST(what_shares_a_commit_is_told_with_it)
{
        const int before = committed_heard();
        struct store_move moves[8];

        for (size_t i = 0; i < COUNT(moves); i++)
                moves[i] = moving(order_new(PLATFORM_PHONE, STATUS_NEW), STATUS_ACCEPTED);
        assert_int_equal(committed_heard(), before + (int)COUNT(moves));
        for (size_t i = 0; i < COUNT(moves); i++)
                SUBMIT(&world.desk, move, &moves[i]);
        assert_true(desk_wait(&world.desk));
        assert_int_equal(committed_heard(), before + 2 * (int)COUNT(moves));
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                STORY(a_file_that_is_open_is_refused),
                STORY(a_file_that_another_process_has_open_is_refused),
                STORY(a_place_where_no_file_can_be_is_refused),
                STORY(a_newer_schema_is_refused_and_left_as_it_is),
                STORY(a_file_of_the_first_schema_keeps_its_orders),
                STORY(what_is_erased_stands_in_no_file),
                STORY(whoever_reads_delays_that_and_nobody_else),
                STORY(a_file_of_the_second_schema_has_its_phones_found),
                STORY(another_programs_database_is_refused_and_left_as_it_is),
                STORY(a_file_that_is_no_database_is_refused_and_left_as_it_is),
                STORY(an_empty_file_becomes_a_store),
                STORY(all_that_was_owed_at_the_end_is_doubted_and_free),
                STORY(what_is_in_doubt_is_left_alone_while_its_call_may_still_arrive),
                STORY(a_secret_that_ended_elsewhere_is_known_for_five_seconds),
                STORY(what_is_known_of_secrets_outlives_edits_of_what_admits_nobody),
                STORY(what_has_expired_is_found_by_its_index),
                STORY(a_change_is_told_when_others_can_read_it),
                STORY(what_a_killed_process_answered_stands),
                STORY(what_shares_a_commit_is_told_with_it),
        };

        if (argc < 2 || !world_choose(argv[1]))
                return 64;
        if (argc == 3)
                cmocka_set_test_filter(argv[2]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
