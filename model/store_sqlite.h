/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.h - what the files of the SQLite store share: a connection, its statements, its leases. */
#pragma once

#include "model/backend.h"

#include <sqlite3.h>
#include <sys/queue.h>

/* An allocation that fails must not end the process: that claim fails. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Every statement there is, prepared once per connection at first use. */
enum statement {
        SQL_BEGIN,
        SQL_COMMIT,
        SQL_BEAT,
        SQL_RECORD_GET,
        SQL_RECORD_LOOK,
        SQL_RECORD_INSERT,
        SQL_RECORD_UPDATE,
        SQL_RECORD_DELETE,
        SQL_RECORD_PAGE,
        SQL_RECORD_PAGE_ANY,
        SQL_ORDER_INSERT,
        SQL_DOCUMENT_INSERT,
        SQL_ORDER_GET,
        SQL_ORDER_FIND,
        SQL_ORDER_PEEK,
        SQL_ORDER_MOVE,
        SQL_ORDER_END,
        SQL_ORDER_TOLD,
        SQL_ORDER_REWRITE,
        SQL_DOCUMENT_REWRITE,
        SQL_ORDER_SCAN,
        SQL_ORDER_SCAN_LATE,
        SQL_ORDER_SCAN_ANY,
        SQL_ORDER_SCAN_OPEN,
        SQL_ORDER_SCAN_FAILED,
        SQL_ORDER_SCAN_FAILED_ANY,
        SQL_ORDER_SCAN_OWED,
        SQL_ORDER_SCAN_OWED_ANY,
        SQL_DUE,
        SQL_DUE_COURIER,
        SQL_NEXT_DUE,
        SQL_NEXT_DUE_COURIER,
        SQL_SET_BACK,
        SQL_SET_BACK_COURIER,
        SQL_COUNT_OWED,
        SQL_COUNT_OWED_COURIER,
        SQL_COUNT_FAILED,
        SQL_COUNT_FAILED_COURIER,
        SQL_CHOOSE,
        SQL_CALL,
        SQL_CHANGES,
        SQL_CHANGES_ENDED,
        SQL_SWEEP,
        SQL_SWEEP_DOCUMENTS,
        SQL_PERSONAL_OLD,
        SQL_PERSONAL_OF_PHONE,
        SQL_ERASE,
        SQL_WIPE,
        SQL_DOCUMENT_GET,
        SQL_TARGET_GET,
        SQL_TARGET_GET_COURIER,
        SQL_SETTLE,
        SQL_SETTLE_COURIER,
        SQL_SETTLE_DEAD,
        SQL_SETTLE_DEAD_COURIER,
        SQL_RELEASE,
        SQL_RELEASE_COURIER,
        SQL_REPLAY,
        SQL_REPLAY_COURIER,
        SQL_REPLAY_ALL,
        SQL_REPLAY_ALL_COURIER,
        SQL_REPLAY_ALL_ANY,
        SQL_REPLAY_ALL_ANY_COURIER,
        SQL_COUNT
};

/* Who works on a target now. In memory: this process is the file's only user. */
struct lease {
        struct lease_key {
                struct id order;
                uint8_t party;
        } key;
        uint64_t token;
        int64_t until_ms;
        bool fresh;               /* taken in the running transaction: a rollback takes it back */
        bool over;                /* ended in the running transaction: a rollback keeps it */
        bool after;               /* one that ran out: a rollback leaves that */
        SLIST_ENTRY(lease) entry; /* where one of the three is true */
        UT_hash_handle hh;
};

struct conn {
        sqlite3 *db;
        sqlite3_stmt *statements[SQL_COUNT];
        struct store *store;
        bool failed; /* a statement failed in a way that ends the transaction */
        /* of the writer alone */
        struct lease *leases;
        SLIST_HEAD(, lease) touched; /* by the running transaction */
        uint64_t last_token;
        int64_t quiet_until_ms; /* by store_lease_now(): what is in doubt is not claimed before; 0: nothing was */
        int64_t ahead_ms; /* by how much the wall clock was ahead of BOOTTIME at the last look; 0: there was none */
        int64_t ahead_now_ms; /* at the one that is not yet committed */
        bool erased;          /* something that still stands in the log */
        bool unflushed;       /* a flush failed */
};

#define CONN_BUSY_MS 2000 /* it is waited so long for a lock: readers open while the writer commits */

/* sqlite_conn.c. On a file that is there, or, where it writes, is made. After a failure there is nothing to close. */
enum err conn_open(struct conn *conn, const char *path, bool writes, struct why *why) MUST_USE;
/* Also one that is not open. */
void conn_close(struct conn *conn);
/* The same without a last use of the disk, which is in trouble. */
void conn_drop(struct conn *conn);
/* Whether what failed last was a flush. */
bool conn_is_unflushed(const struct conn *conn);
/* Makes the schema, or brings it up to date, and doubts what was owed when the last process ended. */
enum err conn_make_ready(struct conn *conn, const char *path, struct why *why) MUST_USE;
/* Whether the file is ours, of a version we know, or empty, which is version 0. Writes nothing, for it may be another's. */
enum err conn_check(struct conn *conn, const char *path, int64_t *ret_version, struct why *why) MUST_USE;

/* sqlite_log.c: writes once more, and to the disk, what lies in the log of `path`, if there is one. While nobody has it open
 * but to read. */
enum err log_make_safe(const char *path, struct why *why) MUST_USE;

/* The statement, reset and unbound; NULL when it could not be prepared (then conn->failed, and whatever is done with it
 * does nothing and fails). */
sqlite3_stmt *sql(struct conn *conn, enum statement which);
/* The same with these two bound first. */
sqlite3_stmt *sql_of(struct conn *conn, enum statement which, const struct id *order,
                     const struct id *restaurant);

/* Steps: true with a row. After false, conn->failed tells whether it was the end or a failure. */
bool sql_row(struct conn *conn, sqlite3_stmt *statement);

/* Steps a statement that gives no rows. `ret_refused` (may be NULL) takes a broken constraint, which then is no failure. */
enum err sql_run(struct conn *conn, sqlite3_stmt *statement, bool *ret_refused, struct why *why) MUST_USE;

/* After the last row that is wanted: `e`, or the failure that ended the rows. */
enum err sql_end(struct conn *conn, sqlite3_stmt *statement, enum err e, struct why *why) MUST_USE;

/* STORE_BROKEN with SQLite's own words. */
enum err sql_failed(struct conn *conn, struct why *why);

/* Bind the i-th parameter. SQLite keeps no copy, which could fail, and then NULL would be bound: what is bound stands until the
 * statement has run. */
void sql_bind_id(sqlite3_stmt *statement, int i, const struct id *id);
void sql_bind_text(sqlite3_stmt *statement, int i, const char *text);
/* `absent` is bound as NULL. */
void sql_bind_time(sqlite3_stmt *statement, int i, int64_t ms, int64_t absent);
struct id sql_id(sqlite3_stmt *statement, int i);
/* Borrowed until the next step; "" for NULL, or without memory (then conn->failed). */
const char *sql_text(struct conn *conn, sqlite3_stmt *statement, int i);
/* Owned by the caller; NULL for NULL or without memory (then conn->failed). */
char *sql_copy(struct conn *conn, sqlite3_stmt *statement, int i);

/* The running transaction is durable (or is gone): leases follow it. */
void leases_commit(struct conn *conn, bool committed);
void leases_free(struct conn *conn);

/* sqlite_job.c: runs one job in the transaction; conn->failed: this must be rolled back. */
void sqlite_run(struct conn *conn, struct job *job);
/* The same, where a job's own failure takes back what it did and nothing else. */
void sqlite_run_apart(struct conn *conn, struct job *job);

/* sqlite_records.c: backend.h's operations on records. */
enum err sqlite_record_get(void *conn, enum record_kind kind, const char *id, struct record *ret,
                           struct why *why);
enum err sqlite_record_look(void *conn, enum record_kind kind, const struct digest *look, struct record *ret,
                            struct why *why);
enum err sqlite_record_insert(void *conn, const struct record *record, enum insert *ret, struct why *why);
enum err sqlite_record_update(void *conn, const struct record *record, bool *ret, struct why *why);
enum err sqlite_record_delete(void *conn, enum record_kind kind, const char *id, bool *ret, struct why *why);
enum err sqlite_record_page(void *conn, enum record_kind kind, const struct page *page, int max,
                            struct record *ret, int *ret_n, struct why *why);

/* sqlite_orders.c: backend.h's operations on orders. */
enum err sqlite_order_insert(void *conn, const struct order *order, enum insert *ret, struct why *why);
enum err sqlite_order_get(void *conn, const struct id *restaurant, const struct id *id, struct order **ret,
                          struct why *why);
enum err sqlite_order_find(void *conn, const struct order *like, struct order **ret, struct why *why);
enum err sqlite_order_move(void *conn, struct store_move *move, const struct move *row, struct why *why);
enum err sqlite_order_rewrite(void *conn, struct store_rewrite *rewrite, int64_t now_ms, bool *ret,
                              struct why *why);
enum err sqlite_order_scan(void *conn, const struct store_list *list, const struct page *page,
                           order_visit_fn *visit, void *arg, struct why *why);
enum err sqlite_changes(void *conn, struct store_changes *changes, struct why *why);
/* By SQL_DOCUMENT_INSERT or _REWRITE, with its phone's key: that of `content`, for the order `id`. */
enum err sqlite_write_document(struct conn *conn, enum statement which, const struct id *id,
                               const struct order *content, struct why *why);

/* sqlite_sweep.c: backend.h's operations by which things go away. */
enum err sqlite_sweep(void *conn, struct store_sweep *sweep, struct why *why);
enum err sqlite_find_personal(void *conn, struct store_erase *erase, int64_t now_ms, struct why *why);
enum err sqlite_order_erase(void *conn, const struct order *order, bool *ret, struct why *why);
enum err sqlite_order_wipe(void *conn, const struct due *what, int64_t now_ms, bool *ret, struct why *why);

/* sqlite_targets.c: backend.h's operations on targets. */
enum err sqlite_due(void *conn, struct store_due *due, struct why *why);
enum err sqlite_claim(void *conn, struct store_claim *claim, struct why *why);
enum err sqlite_settle(void *conn, struct store_settle *settle, struct why *why);
enum err sqlite_release(void *conn, struct store_release *release, struct why *why);
enum err sqlite_replay(void *conn, const struct order *order, enum party party, bool *ret, struct why *why);
enum err sqlite_replay_all(void *conn, struct store_replay_all *replay, struct why *why);
enum err sqlite_oldest_due(void *conn, int64_t *ret_ms, struct why *why);
enum err sqlite_count(void *conn, enum party party, bool failed, int max, int *ret, struct why *why);
enum err sqlite_choose(void *conn, const struct store_claim *claim, const struct id *firm, bool *ret,
                       struct why *why);
enum err sqlite_call(void *conn, const struct order *order, const struct id *firm, bool *ret,
                     struct why *why);
