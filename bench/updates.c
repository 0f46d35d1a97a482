/* SPDX-License-Identifier: Apache-2.0 */
/* updates.c - the least that a durable move can cost: rows as narrow as ours, moved one after the other by a prepared
 * statement straight into SQLite, `batch` to a commit, as long as the rows last.
 * usage: updates FILE ROWS BATCH [MOVED]   prints rows a second and microseconds of CPU a row. MOVED: only so many, the last. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static void need(int result, int wanted, sqlite3 *db)
{
        if (result == wanted)
                return;
        fprintf(stderr, "updates: %s\n", sqlite3_errmsg(db));
        exit(1);
}

static void run(sqlite3 *db, const char *text)
{
        need(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, db);
}

static double seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu(void)
{
        struct rusage used;

        getrusage(RUSAGE_SELF, &used);
        return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void fill(sqlite3 *db, long rows)
{
        char text[512];

        run(db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE o (id BLOB PRIMARY KEY, rid BLOB, st INTEGER, rev INTEGER, seen INTEGER, hist TEXT,"
            " want INTEGER, told INTEGER, at INTEGER, pad TEXT) WITHOUT ROWID");
        snprintf(
                text, sizeof text,
                "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < %ld) "
                "INSERT INTO o SELECT CAST(printf('%%012d', i) AS BLOB), CAST('0123456789ab' AS BLOB), 1, 1, 0, "
                "'[{\"s\":1,\"at\":1700000000000,\"by\":\"restaurant\",\"op\":\"\"}]', 10, 10, 0, "
                "'the platform, its order number, the courier' FROM n",
                rows);
        run(db, text);
        run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void move(sqlite3 *db, sqlite3_stmt *update, long i)
{
        char id[24];

        snprintf(id, sizeof id, "%012ld", i);
        sqlite3_bind_blob(update, 1, id, 12, SQLITE_TRANSIENT);
        sqlite3_bind_int64(update, 2, 1700000000000 + i);
        sqlite3_bind_text(
                update, 3,
                "[{\"s\":1,\"at\":1700000000000,\"by\":\"restaurant\",\"op\":\"\"},{\"s\":4,\"at\":1700000001000,"
                "\"by\":\"courier\",\"op\":\"0123456789abcdef0123456789abcdef\",\"i\":\"0123456789abcdef01234567\"}]",
                -1, SQLITE_STATIC);
        need(sqlite3_step(update), SQLITE_DONE, db);
        sqlite3_reset(update);
}

int main(int argc, char **argv)
{
        sqlite3 *db = NULL;
        sqlite3_stmt *update;
        long rows;
        long batch;
        long moved;
        double began;
        double used;

        if (argc < 4 || argc > 5)
                return 2;
        if (sscanf(argv[2], "%ld", &rows) != 1 || sscanf(argv[3], "%ld", &batch) != 1 ||
            sscanf(argv[argc == 5 ? 4 : 2], "%ld", &moved) != 1 || moved < 1 || rows < moved || batch < 1)
                return 2;
        need(sqlite3_open(argv[1], &db), SQLITE_OK, db);
        fill(db, rows);
        need(sqlite3_prepare_v2(db,
                                "UPDATE o SET st = 4, rev = rev + 1, seen = ?2, hist = ?3, want = 40, at = 0 "
                                "WHERE id = ?1 AND st < 4",
                                -1, &update, NULL),
             SQLITE_OK, db);
        began = seconds();
        used = cpu();
        for (long i = 1; i <= moved; i++) {
                if ((i - 1) % batch == 0)
                        run(db, "BEGIN IMMEDIATE");
                move(db, update, rows - moved + i);
                if (i % batch == 0 || i == moved)
                        run(db, "COMMIT");
        }
        printf("%.0f %.2f\n", (double)moved / (seconds() - began), (cpu() - used) * 1e6 / (double)moved);
        sqlite3_finalize(update);
        sqlite3_close(db);
        return 0;
}
