/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_sweep.c - what goes away: orders that have expired, and personal data out of the others. */
#include "model/store_sqlite.h"

#include "model/clean.h"

enum err sqlite_sweep(void *arg, struct store_sweep *sweep, struct why *why)
{
        static const enum statement statements[] = {SQL_SWEEP_DOCUMENTS,
                                                    SQL_SWEEP}; /* which the orders name */
        struct conn *conn = arg;
        enum err e = ERR_OK;

        for (int i = 0; i < 2 && e == ERR_OK; i++) {
                sqlite3_stmt *s = sql(conn, statements[i]);

                sqlite3_bind_int64(s, 1, sweep->now_ms ? sweep->now_ms : store_now(conn->store));
                sqlite3_bind_int(s, 2, sweep->max);
                e = sql_run(conn, s, NULL, why);
        }
        if (e == ERR_OK)
                sweep->swept = sqlite3_changes(conn->db);
        return e;
}

enum err sqlite_find_personal(void *arg, struct store_erase *erase, int64_t now_ms, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, erase->phone[0] ? SQL_PERSONAL_OF_PHONE : SQL_PERSONAL_OLD);

        sqlite3_bind_int(s, 1, ERASE_MAX);
        if (erase->phone[0]) {
                sql_bind_text(s, 2, erase->phone);
        } else {
                sqlite3_bind_int64(s, 2, now_ms - erase->keep_ms);
                sqlite3_bind_int64(s, 3, SCHEDULED_MAX_MS);
        }
        while (sql_row(conn, s))
                erase->found[erase->n++] = (struct due){.order = sql_id(s, 0), .restaurant = sql_id(s, 1)};
        erase->more = erase->n == ERASE_MAX;
        return sql_end(conn, s, ERR_OK, why);
}

enum err sqlite_order_erase(void *arg, const struct order *order, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        CLEAN(free_at) char *history = moves_write(order->moves, order->n_moves);
        sqlite3_stmt *s = sql_of(conn, SQL_ERASE, &order->id, &order->restaurant);
        enum err e;

        if (!history)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        sqlite3_bind_int64(s, 3, order->rev);
        sqlite3_bind_int64(s, 4, order->erased_ms);
        sql_bind_text(s, 5, history);
        sql_bind_time(s, 6, order->targets[PARTY_COURIER].at_ms, TARGET_NOT_DUE);
        e = sql_run(conn, s, NULL, why);
        *ret = e == ERR_OK && sqlite3_changes(conn->db) == 1;
        if (!*ret)
                return e;
        conn->erased = true;
        return sqlite_write_document(conn, SQL_DOCUMENT_REWRITE, &order->id, order, why);
}

enum err sqlite_order_wipe(void *arg, const struct due *what, int64_t now_ms, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        CLEAN(free_at) char *document = NULL;
        struct order order = {0};
        sqlite3_stmt *s = sql(conn, SQL_WIPE);
        int platform = -1;
        enum err e;

        sql_bind_id(s, 1, &what->order);
        if (!id_is_zero(&what->restaurant))
                sql_bind_id(s, 2, &what->restaurant);
        sqlite3_bind_int64(s, 3, now_ms);
        *ret = sql_row(conn, s);
        if (*ret)
                platform = sqlite3_column_int(s, 0);
        e = sql_end(conn, s, ERR_OK, why);
        if (e != ERR_OK || !*ret)
                return e;
        conn->erased = true;
        order.platform = platform >= 0 && platform < PLATFORM_COUNT
                                 ? (enum platform)platform
                                 : PLATFORM_PHONE; /* which keeps nothing */
        s = sql(conn, SQL_DOCUMENT_GET);
        sql_bind_id(s, 1, &what->order);
        if (sql_row(conn, s))
                order.document = sql_copy(conn, s, 0);
        e = sql_end(conn, s, ERR_OK, why);
        if (e == ERR_OK)
                e = order_erase(&order, now_ms, why);
        document = order.document;
        return e == ERR_OK ? sqlite_write_document(conn, SQL_DOCUMENT_REWRITE, &what->order, &order, why) : e;
}
