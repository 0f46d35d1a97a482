/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_job.c - one job in a transaction that it shares: what it wrote before it failed must not stand.
 *
 * While all goes well nothing is done for that. When something failed, all of them run once more, each behind a savepoint of
 * its own: one that meets damaged data then fails alone. */
#include "model/store_sqlite.h"

void sqlite_run(struct conn *conn, struct job *job)
{
        const sqlite3_int64 before = sqlite3_total_changes64(conn->db);

        store_run(conn->store, conn, job);
        if (err_row(job->err)->http >= 500 && sqlite3_total_changes64(conn->db) != before)
                conn->failed = true;
}

static bool execute(struct conn *conn, const char *text)
{
        return sqlite3_exec(conn->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* Whether the last failure is of what was read or written alone, and the transaction can go on without it. */
static bool fails_alone(const struct conn *conn)
{
        switch (sqlite3_errcode(conn->db)) {
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_BUSY:
        case SQLITE_NOTADB: return false;
        default: return !sqlite3_get_autocommit(conn->db);
        }
}

void sqlite_run_apart(struct conn *conn, struct job *job)
{
        if (!execute(conn, "SAVEPOINT apart")) {
                conn->failed = true;
                return;
        }
        sqlite_run(conn, job);
        if (conn->failed && fails_alone(conn)) {
                if (job->err == ERR_OK)
                        job->err = sql_failed(conn, &job->why);
                job->changed = false;
                job->n_changes = 0;
                conn->failed = !execute(conn, "ROLLBACK TO apart");
        }
        conn->failed = conn->failed || !execute(conn, "RELEASE apart");
}
