/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_sql.c - every statement of the SQLite store, and the few ways to use one. */
#include "model/store_sqlite.h"

#include <stdlib.h>
#include <string.h>

/* The columns of an order as sqlite_orders.c reads them, in its order. */
#define ORDER_COLUMNS                                                                                    \
        "o.id, o.rid, o.plat, o.pid, o.st, o.rev, o.made, o.seen, o.kind, o.prep, o.scheduled, o.hist, " \
        "o.p_want, o.p_told, o.p_told_at, o.p_unsure, o.p_try, o.p_at, o.p_dead, o.p_log, "              \
        "o.c_want, o.c_told, o.c_told_at, o.c_unsure, o.c_try, o.c_at, o.c_dead, o.c_log, "              \
        "o.c_firm, o.c_calls, o.expires, o.erased"

/* A restaurant's own, or everybody's: two statements each, since one condition for both would keep SQLite from its
 * indexes. */
#define OWN(t) t ".rid = ?1"
#define ANY(t) "?1 IS NULL"

/* What a list asks for: behind a cursor, filtered, and as many as fit. */
#define WANTED(t)                                                                                        \
        " AND (" t ".made, " t ".id) < (?2, ?3) AND (?4 IS NULL OR " t ".st = ?4) AND (?5 IS NULL OR " t \
        ".plat = ?5) AND " t ".seen > ?6 ORDER BY " t ".made DESC, " t ".id DESC LIMIT ?8"
#define SCAN(which)                                                                                    \
        "SELECT " ORDER_COLUMNS ", CASE WHEN ?7 THEN (SELECT doc FROM documents WHERE id = o.id) END " \
        "FROM orders o WHERE " which
/* Of two sets of which no index is in a list's order: the ids are put into it, and no more rows are read than are wanted. */
#define NEWEST_OF(index, set) \
        "SELECT id FROM (SELECT f.id FROM orders f INDEXED BY " index " WHERE " set WANTED("f") ")"
#define SCAN_SETS(sets) SCAN("o.id IN (" sets ") ORDER BY o.made DESC, o.id DESC LIMIT ?8")
#define LATE_ONES(ended) NEWEST_OF("orders_ended", OWN("f") " AND f.ended " ended " AND f.made <= ?6")
#define FAILED_ONES(scope)                                            \
        NEWEST_OF("orders_failed", "f.p_dead IS NOT NULL AND " scope) \
        " UNION ALL " NEWEST_OF("orders_failed_courier", "f.c_dead IS NOT NULL AND " scope)
#define OWED_ONES(scope)                                 \
        NEWEST_OF("orders_due", "f.p_at > 0 AND " scope) \
        " UNION ALL " NEWEST_OF("orders_due_courier", "f.c_at > 0 AND " scope)
#define CHANGES(which, seen)                                                       \
        "SELECT id, rev, seen FROM orders WHERE rid = ?1 AND " which " AND (" seen \
        ", id) > (?2, ?3) ORDER BY " seen ", id LIMIT ?4"
#define RECORD(which)                                                                                               \
        "SELECT r.id, r.rid, r.rev, r.made, r.changed, r.doc, r.look_a, r.look_b FROM records r WHERE r.kind = ?1 " \
        "AND " which
#define RECORD_PAGE(scope) \
        RECORD(scope) " AND (r.made, r.id) < (?3, ?4) ORDER BY r.made DESC, r.id DESC LIMIT ?5"

#define TEXT_OF_(value) #value
#define TEXT_OF(macro) TEXT_OF_(macro)

/* What is over is found by when it changed last. Those that write it before that have no part in this: there it is 0. */
#define SEEN(at) "seen = " at ", ended = CASE WHEN ended = 0 THEN 0 ELSE " at " END"

/* One statement for each party: `p` the platform's columns, `c` the courier's. */
#define DUE(p)                                                                                            \
        "SELECT id, rid, " p "_at FROM orders WHERE plat = ?1 AND " p "_at > 0 AND " p "_at <= ?2 AND " p \
        "_unsure <= ?4 ORDER BY " p "_at LIMIT ?3"
#define NEXT_DUE(p) "SELECT min(" p "_at) FROM orders WHERE plat = ?1 AND " p "_at > 0 AND " p "_at > ?2"
/* What waits for a time that the clock went back by ?2 before. A scheduled courier who was not called yet waits for a time of
 * its own. */
#define SET_BACK(p, where) \
        "UPDATE orders SET " p "_at = max(?1, " p "_at - ?2) WHERE " p "_at > 0 AND " p "_at > ?1" where
#define COUNT_OF(index, where) \
        "SELECT count(*) FROM (SELECT 1 FROM orders INDEXED BY " index " WHERE " where " LIMIT ?1)"
#define TARGET_GET(p) \
        "SELECT " p "_want, " p "_at, rev, st, " p "_dead IS NOT NULL FROM orders WHERE id = ?1 AND rid = ?2"
/* A repeat that finds itself done adds no rev. `told` rises in any case, the rest only while `want` is what it was at the claim (?3; docs/design.md 5). model: max told,
 * the want, told in passing, doubt in passing, a mark */
#define SETTLE(p, dead)                                                                                    \
        "UPDATE orders SET " p "_told = max(" p "_told, ?4), " p "_told_at = coalesce(?5, " p              \
        "_told_at), " p "_unsure = ?6, " p "_at = CASE WHEN " p "_want = ?3 THEN ?7 ELSE " p "_at END, " p \
        "_try = CASE WHEN " p "_want = ?3 THEN ?8 ELSE " p "_try END, " dead p                             \
        "_log = CASE WHEN ?9 IS NULL THEN " p "_log ELSE json_insert("                                     \
        "CASE WHEN json_valid(" p "_log) IS NOT 1 THEN '[]' WHEN json_array_length(" p                     \
        "_log) >= " TEXT_OF(CALLED_KEPT) " THEN json_remove(" p "_log, '$[0]') "                           \
                                         "ELSE " p "_log END, '$[#]', json(?9)) END "                      \
                                         "WHERE id = ?1 AND rid = ?2"
#define NOT_DEAD(p) p "_dead = CASE WHEN " p "_want = ?3 THEN NULL ELSE " p "_dead END, "
#define DEAD(p)                                                              \
        p "_dead = CASE WHEN " p "_want = ?3 THEN ?10 ELSE " p "_dead END, " \
          "rev = rev + (" p "_want = ?3 AND " p "_dead IS NULL), "           \
          "seen = CASE WHEN " p "_want = ?3 THEN ?11 ELSE seen END, "        \
          "ended = CASE WHEN " p "_want = ?3 AND ended > 0 THEN ?11 ELSE ended END, "
#define RELEASE(p) "UPDATE orders SET " p "_unsure = ?3 WHERE id = ?1 AND rid = ?2 AND " p "_unsure <> ?3"
/* model: due again */
#define REPLAY(p)                                                \
        "UPDATE orders SET " p "_dead = NULL, " p "_try = 0, " p \
        "_at = ?3, rev = rev + 1, " SEEN("?3") " "               \
                                               "WHERE id = ?1 AND rid = ?2 AND " p "_dead IS NOT NULL"
#define REPLAY_ALL(p, scope)                                                                       \
        "UPDATE orders SET " p "_dead = NULL, " p "_try = 0, " p                                   \
        "_at = ?5, rev = rev + 1, " SEEN("?5") " "                                                 \
                                               "WHERE id IN (SELECT o.id FROM orders o WHERE o." p \
                                               "_dead IS NOT NULL AND " scope                      \
                                               " AND (?2 IS NULL OR o.plat = ?2) AND o.seen > ?3 LIMIT ?4)"

/* ?7: what the platform knows already; ?8: whether the courier firm is concerned. model: fact, a new life, told, due at once */
#define MOVE(more)                                                                                    \
        "UPDATE orders SET " more                                                                     \
        "st = ?2, rev = rev + 1, seen = ?3, hist = ?4, prep = coalesce(?5, prep), "                   \
        "p_want = ?6, p_try = 0, p_dead = NULL, p_told = max(p_told, ?7), "                           \
        "p_at = CASE WHEN p_at = 0 OR ?7 > 0 THEN p_at ELSE min(coalesce(p_at, ?3), ?3) END, "        \
        "c_want = CASE WHEN ?8 THEN ?6 ELSE c_want END, c_try = CASE WHEN ?8 THEN 0 ELSE c_try END, " \
        "c_dead = CASE WHEN ?8 THEN NULL ELSE c_dead END, "                                           \
        "c_at = CASE WHEN c_at = 0 OR NOT ?8 THEN c_at ELSE min(coalesce(c_at, ?3), ?3) END "         \
        "WHERE id = ?1"

#define FINAL_FROM 5 /* STATUS_DELIVERED; all behind it are final, too */

#define EXPIRED "SELECT id FROM orders WHERE expires > 0 AND expires <= ?1 ORDER BY expires, id LIMIT ?2"

static const char *const texts[SQL_COUNT] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_BEAT] = "UPDATE heart SET beat = beat + 1",

        [SQL_RECORD_GET] = RECORD("r.id = ?2"),
        [SQL_RECORD_LOOK] = RECORD("(r.look_a = ?2 OR r.look_b = ?2)"),
        /* Not where one of its looks is another's, in whichever column. */
        [SQL_RECORD_INSERT] = "INSERT INTO records (kind, id, rid, rev, made, changed, doc, look_a, look_b) "
                              "SELECT ?1, ?2, ?9, ?3, ?8, ?4, ?5, ?6, ?7 WHERE NOT EXISTS "
                              "(SELECT 1 FROM records WHERE look_a IN (?6, ?7) OR look_b IN (?6, ?7))",
        [SQL_RECORD_UPDATE] = "UPDATE records SET rev = ?3, changed = ?4, doc = ?5, look_a = ?6, look_b = ?7 "
                              "WHERE kind = ?1 AND id = ?2 AND rev = ?3 - 1",
        [SQL_RECORD_DELETE] = "DELETE FROM records WHERE kind = ?1 AND id = ?2",
        [SQL_RECORD_PAGE] = RECORD_PAGE("r.rid = ?2"),
        [SQL_RECORD_PAGE_ANY] = RECORD_PAGE("?2 IS NULL"),

        [SQL_ORDER_INSERT] =
                "INSERT INTO orders (id, rid, plat, pid, st, rev, made, seen, kind, prep, scheduled, hist, "
                "p_want, p_told, p_at, c_want, c_told, c_at, c_firm, c_calls, expires, ended) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
                "?19, ?20, CASE WHEN ?5 >= " TEXT_OF(FINAL_FROM) " THEN ?7 ELSE 0 END)",
        [SQL_DOCUMENT_INSERT] = "INSERT INTO documents (id, doc, phone) VALUES (?1, ?2, ?3)",
        [SQL_ORDER_GET] = "SELECT " ORDER_COLUMNS ", d.doc FROM orders o JOIN documents d ON d.id = o.id "
                          "WHERE o.id = ?1 AND (?2 IS NULL OR o.rid = ?2)",
        [SQL_ORDER_FIND] = "SELECT " ORDER_COLUMNS ", d.doc FROM orders o JOIN documents d ON d.id = o.id "
                           "WHERE o.rid = ?1 AND o.plat = ?2 AND o.pid = ?3",
        [SQL_ORDER_PEEK] =
                "SELECT plat, rev, st, seen, hist, p_at, c_at FROM orders WHERE id = ?1 AND rid = ?2",
        [SQL_ORDER_MOVE] = MOVE(""),
        [SQL_ORDER_END] = MOVE("ended = ?3, "),
        [SQL_ORDER_TOLD] =
                "UPDATE orders SET p_told = ?2, p_dead = CASE WHEN ?2 >= p_want THEN NULL ELSE p_dead END, "
                "rev = rev + 1, " SEEN("?3") " WHERE id = ?1 AND p_told < ?2",
        [SQL_ORDER_REWRITE] = "UPDATE orders SET scheduled = ?3, rev = rev + 1, seen = ?4, erased = 0 "
                              "WHERE id = ?1 AND rid = ?2 AND st = 0 RETURNING plat, rev",
        [SQL_DOCUMENT_REWRITE] = "UPDATE documents SET doc = ?2, phone = ?3 WHERE id = ?1",
        /* What was made after ?6 changed after it, too; what was made before and changed after it is in another statement. */
        [SQL_ORDER_SCAN] = SCAN(OWN("o") " AND o.made > ?6" WANTED("o")),
        [SQL_ORDER_SCAN_LATE] = SCAN_SETS(LATE_ONES("= 0") " UNION ALL " LATE_ONES("> ?6")),
        [SQL_ORDER_SCAN_ANY] = SCAN(ANY("o") WANTED("o")),
        [SQL_ORDER_SCAN_OPEN] = SCAN(OWN("o") " AND o.ended = 0" WANTED("o")),
        [SQL_ORDER_SCAN_FAILED] = SCAN_SETS(FAILED_ONES(OWN("f"))),
        [SQL_ORDER_SCAN_FAILED_ANY] = SCAN_SETS(FAILED_ONES(ANY("f"))),
        [SQL_ORDER_SCAN_OWED] = SCAN_SETS(OWED_ONES(OWN("f"))),
        [SQL_ORDER_SCAN_OWED_ANY] = SCAN_SETS(OWED_ONES(ANY("f"))),

        [SQL_DUE] = DUE("p"),
        [SQL_DUE_COURIER] = DUE("c"),
        [SQL_NEXT_DUE] = NEXT_DUE("p"),
        [SQL_NEXT_DUE_COURIER] = NEXT_DUE("c"),
        [SQL_SET_BACK] = SET_BACK("p", ""),
        [SQL_SET_BACK_COURIER] = SET_BACK("c", " AND NOT (scheduled > ?1 AND c_try = 0)"),
        [SQL_COUNT_OWED] = COUNT_OF("orders_due", "p_at > 0"),
        [SQL_COUNT_OWED_COURIER] = COUNT_OF("orders_due_courier", "c_at > 0"),
        [SQL_COUNT_FAILED] = COUNT_OF("orders_failed", "p_dead IS NOT NULL"),
        [SQL_COUNT_FAILED_COURIER] = COUNT_OF("orders_failed_courier", "c_dead IS NOT NULL"),
        [SQL_CHOOSE] = "UPDATE orders SET c_firm = ?3, c_calls = 1, c_unsure = 0 "
                       "WHERE id = ?1 AND rid = ?2 AND c_firm IS NULL",
        [SQL_CALL] =
                "UPDATE orders SET c_firm = ?4, c_calls = c_calls + 1, c_want = max(c_want, ?6), c_told = 0, "
                "c_told_at = 0, c_unsure = 0, c_try = 0, c_dead = NULL, c_at = ?5, rev = rev + 1, " SEEN(
                        "?5") " "
                              "WHERE id = ?1 AND rid = ?2 AND rev = ?3",
        /* No index on `seen`, which every write would pay for: what is not over yet is few. */
        [SQL_CHANGES] = CHANGES("ended = 0", "seen"),
        [SQL_CHANGES_ENDED] = CHANGES("+ended > 0", "ended"),
        [SQL_SWEEP] = "DELETE FROM orders WHERE id IN (" EXPIRED ")",
        [SQL_SWEEP_DOCUMENTS] = "DELETE FROM documents WHERE id IN (" EXPIRED ")",
        /* The index knows when they were made, which is no later. What is over counts from its last row on. */
        [SQL_PERSONAL_OLD] =
                "SELECT id, rid FROM orders WHERE erased = 0 AND made <= ?2 "
                "AND ((seen <= ?2 AND (scheduled <= ?2 OR made <= ?2 - ?3)) "
                "OR (st >= " TEXT_OF(
                        FINAL_FROM) " AND "
                                    "CASE WHEN json_valid(hist) THEN json_extract(hist, '$[#-1].at') ELSE seen END <= ?2)) "
                                    "ORDER BY made, id LIMIT ?1",
        [SQL_PERSONAL_OF_PHONE] = "SELECT o.id, o.rid FROM documents d JOIN orders o ON o.id = d.id "
                                  "WHERE d.phone = ?2 LIMIT ?1",
        [SQL_ERASE] = "UPDATE orders SET rev = ?3, erased = ?4, " SEEN(
                "?4") ", hist = ?5, c_at = ?6 "
                      "WHERE id = ?1 AND rid = ?2 AND rev = ?3 - 1",
        /* Of a history only the notes are taken, where it is JSON at all. */
        [SQL_WIPE] = "UPDATE orders SET rev = rev + 1, erased = ?3, " SEEN(
                "?3") ", hist = CASE WHEN json_valid(hist) THEN "
                      "json_remove(hist, '$[0].n', '$[1].n', '$[2].n', '$[3].n', '$[4].n', '$[5].n') ELSE '[]' END, "
                      "c_at = CASE WHEN c_at > ?3 THEN ?3 ELSE c_at END "
                      "WHERE id = ?1 AND (?2 IS NULL OR rid = ?2) RETURNING plat",
        [SQL_DOCUMENT_GET] = "SELECT doc FROM documents WHERE id = ?1",
        [SQL_TARGET_GET] = TARGET_GET("p"),
        [SQL_TARGET_GET_COURIER] = TARGET_GET("c"),
        [SQL_SETTLE] = SETTLE("p", NOT_DEAD("p")),
        [SQL_SETTLE_COURIER] = SETTLE("c", NOT_DEAD("c")),
        [SQL_SETTLE_DEAD] = SETTLE("p", DEAD("p")),
        [SQL_SETTLE_DEAD_COURIER] = SETTLE("c", DEAD("c")),
        [SQL_RELEASE] = RELEASE("p"),
        [SQL_RELEASE_COURIER] = RELEASE("c"),
        [SQL_REPLAY] = REPLAY("p"),
        [SQL_REPLAY_COURIER] = REPLAY("c"),
        [SQL_REPLAY_ALL] = REPLAY_ALL("p", OWN("o")),
        [SQL_REPLAY_ALL_COURIER] = REPLAY_ALL("c", OWN("o")),
        [SQL_REPLAY_ALL_ANY] = REPLAY_ALL("p", ANY("o")),
        [SQL_REPLAY_ALL_ANY_COURIER] = REPLAY_ALL("c", ANY("o")),
};

sqlite3_stmt *sql(struct conn *conn, enum statement which)
{
        sqlite3_stmt **at = &conn->statements[which];

        if (!*at && sqlite3_prepare_v3(conn->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, at, NULL) !=
                            SQLITE_OK) {
                conn->failed = true;
                return NULL;
        }
        sqlite3_reset(*at);
        sqlite3_clear_bindings(*at);
        return *at;
}

bool sql_row(struct conn *conn, sqlite3_stmt *statement)
{
        int r = statement ? sqlite3_step(statement) : SQLITE_ERROR;

        if (r == SQLITE_ROW)
                return true;
        if (r != SQLITE_DONE)
                conn->failed = true;
        else
                sqlite3_reset(statement);
        return false;
}

enum err sql_failed(struct conn *conn, struct why *why)
{
        conn->failed = true;
        return FAIL(why, ERR_STORE_BROKEN, "SQLite: %s (%d)", sqlite3_errmsg(conn->db),
                    sqlite3_extended_errcode(conn->db));
}

enum err sql_run(struct conn *conn, sqlite3_stmt *statement, bool *ret_refused, struct why *why)
{
        int r = statement ? sqlite3_step(statement) : SQLITE_ERROR;

        if (ret_refused)
                *ret_refused = r == SQLITE_CONSTRAINT;
        if (r != SQLITE_DONE && !(ret_refused && *ret_refused))
                return sql_failed(conn, why);
        sqlite3_reset(statement);
        return ERR_OK;
}

enum err sql_end(struct conn *conn, sqlite3_stmt *statement, enum err e, struct why *why)
{
        sqlite3_reset(statement);
        return conn->failed && e == ERR_OK ? sql_failed(conn, why) : e;
}

sqlite3_stmt *sql_of(struct conn *conn, enum statement which, const struct id *order,
                     const struct id *restaurant)
{
        sqlite3_stmt *statement = sql(conn, which);

        sql_bind_id(statement, 1, order);
        sql_bind_id(statement, 2, restaurant);
        return statement;
}

void sql_bind_id(sqlite3_stmt *statement, int i, const struct id *id)
{
        sqlite3_bind_blob(statement, i, id->bytes, sizeof id->bytes, SQLITE_STATIC);
}

void sql_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
        sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

void sql_bind_time(sqlite3_stmt *statement, int i, int64_t ms, int64_t absent)
{
        if (ms == absent)
                sqlite3_bind_null(statement, i);
        else
                sqlite3_bind_int64(statement, i, ms);
}

struct id sql_id(sqlite3_stmt *statement, int i)
{
        struct id id = {0};

        if (sqlite3_column_bytes(statement, i) == (int)sizeof id.bytes)
                memcpy(id.bytes, sqlite3_column_blob(statement, i), sizeof id.bytes);
        return id;
}

const char *sql_text(struct conn *conn, sqlite3_stmt *statement, int i)
{
        const bool absent = sqlite3_column_type(statement, i) == SQLITE_NULL;
        const unsigned char *text = sqlite3_column_text(statement, i);

        conn->failed |= !absent && !text;
        return text ? (const char *)text : "";
}

char *sql_copy(struct conn *conn, sqlite3_stmt *statement, int i)
{
        char *copy;

        if (sqlite3_column_type(statement, i) == SQLITE_NULL)
                return NULL;
        copy = strdup(sql_text(conn, statement, i));
        if (!copy)
                conn->failed = true;
        return copy;
}
