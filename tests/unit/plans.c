/* SPDX-License-Identifier: Apache-2.0 */
/* plans.c - how SQLite goes about each statement of the embedded store: by an index, so that it costs as much with a million
 * orders as with a few. Nothing tells the planner how many there are, so that the plan is the same then. */
#include "model/clean.h"
#include "model/store_sqlite.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct conn conn;

/* What goes through a whole index or table, or sorts, and why it may. */
static const struct exception {
        enum statement which;
        const char *step; /* its beginning */
} exceptions[] = {
        {SQL_BEAT, "SCAN heart"}, /* has one row */
        /* What is owed now to anybody, or was given up and not tried again: an index of its own holds just that. */
        {SQL_ORDER_SCAN_OWED, "SCAN f USING INDEX orders_due"},
        {SQL_ORDER_SCAN_OWED_ANY, "SCAN f USING INDEX orders_due"},
        {SQL_ORDER_SCAN_FAILED_ANY, "SCAN f USING INDEX orders_failed"},
        {SQL_REPLAY_ALL, "SEARCH o USING INDEX orders_failed (rid=?)"},
        {SQL_REPLAY_ALL_COURIER, "SEARCH o USING INDEX orders_failed_courier (rid=?)"},
        {SQL_REPLAY_ALL_ANY, "SCAN o USING INDEX orders_failed"},
        {SQL_REPLAY_ALL_ANY_COURIER, "SCAN o USING INDEX orders_failed_courier"},
        {SQL_SET_BACK, "SCAN orders USING COVERING INDEX orders_due"}, /* when the clock went back */
        {SQL_SET_BACK_COURIER, "SCAN orders USING INDEX orders_due_courier"},
        /* Up to a bound, at which the count ends. */
        {SQL_COUNT_OWED, "SCAN orders USING COVERING INDEX orders_due"},
        {SQL_COUNT_OWED_COURIER, "SCAN orders USING COVERING INDEX orders_due_courier"},
        {SQL_COUNT_FAILED, "SCAN orders USING INDEX orders_failed"},
        {SQL_COUNT_FAILED_COURIER, "SCAN orders USING INDEX orders_failed_courier"},
        /* A restaurant's orders that are on their way, as many as a kitchen and its couriers can have. */
        {SQL_CHANGES, "SEARCH orders USING INDEX orders_ended (rid=? AND ended=?)"},
        {SQL_CHANGES, "USE TEMP B-TREE FOR ORDER BY"},
        /* Of what was found by these, ids and times are sorted, and then the rows of one page. */
        {SQL_ORDER_SCAN_LATE, "USE TEMP B-TREE FOR ORDER BY"},
        {SQL_ORDER_SCAN_FAILED, "USE TEMP B-TREE FOR ORDER BY"},
        {SQL_ORDER_SCAN_FAILED_ANY, "USE TEMP B-TREE FOR ORDER BY"},
        {SQL_ORDER_SCAN_OWED, "USE TEMP B-TREE FOR ORDER BY"},
        {SQL_ORDER_SCAN_OWED_ANY, "USE TEMP B-TREE FOR ORDER BY"},
};

static bool begins(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

/* One row by a key, or a range behind what is the same; not all that are the same in something. */
static bool is_narrow(const char *search)
{
        static const char *const keys[] = {
                "PRIMARY KEY", "sqlite_autoindex_", "orders_platform (rid=? AND plat=? AND pid=?)",
                "(look_a=?)",  "(look_b=?)",        "(phone=?)"};

        for (size_t i = 0; i < COUNT(keys); i++)
                if (strstr(search, keys[i]))
                        return true;
        return strpbrk(search, "<>");
}

/* Rows that a subquery of the same statement gives are scanned; of those the subquery's own steps tell. What is in order up to
 * its last term is sorted only among equals. */
static bool grows(const char *step)
{
        if (begins(step, "SEARCH "))
                return !is_narrow(step);
        if (begins(step, "SCAN "))
                return !begins(step, "SCAN CONSTANT ROW") && !begins(step, "SCAN (");
        return strstr(step, "AUTOMATIC") ||
               (strstr(step, "TEMP B-TREE") && !strstr(step, "RIGHT PART") && !strstr(step, "LAST TERM"));
}

static bool excepted(enum statement which, const char *step, bool used[])
{
        for (size_t i = 0; i < COUNT(exceptions); i++)
                if (exceptions[i].which == which && begins(step, exceptions[i].step))
                        return used[i] = true;
        return false;
}

static void judge(enum statement which, bool used[])
{
        sqlite3_stmt *statement = sql(&conn, which), *plan = NULL;
        CLEAN(free_at) char *text = NULL;

        if (!statement)
                fail_msg("statement %d: %s", (int)which, sqlite3_errmsg(conn.db));
        assert_true(asprintf(&text, "EXPLAIN QUERY PLAN %s", sqlite3_sql(statement)) > 0);
        assert_int_equal(sqlite3_prepare_v2(conn.db, text, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
                const char *step = (const char *)sqlite3_column_text(plan, 3);

                if (grows(step) && !excepted(which, step, used))
                        fail_msg("%s\n%s", step, sqlite3_sql(statement));
        }
        sqlite3_finalize(plan);
}

TEST(every_statement_goes_by_an_index)
{
        bool used[COUNT(exceptions)] = {false};

        for (enum statement which = 0; which < SQL_COUNT; which++)
                judge(which, used);
        for (size_t i = 0; i < COUNT(exceptions); i++)
                assert_case(used[i], exceptions[i].step);
}

TEST(what_grows_is_seen)
{
        static const char *const growing[] = {"SCAN orders",
                                              "SCAN o USING INDEX orders_page",
                                              "SEARCH orders USING INDEX orders_page (rid=?)",
                                              "SEARCH o USING AUTOMATIC COVERING INDEX (id=?)",
                                              "USE TEMP B-TREE FOR ORDER BY",
                                              "USE TEMP B-TREE FOR DISTINCT"};

        for (size_t i = 0; i < COUNT(growing); i++)
                assert_case(grows(growing[i]), growing[i]);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {cmocka_unit_test(every_statement_goes_by_an_index),
                                                  cmocka_unit_test(what_grows_is_seen)};
        struct why why = {0};
        int failed = 1;

        if (conn_open(&conn, ":memory:", /* writes= */ true, &why) == ERR_OK &&
            conn_make_ready(&conn, ":memory:", &why) == ERR_OK)
                failed = cmocka_run_group_tests(tests, NULL, NULL);
        else
                printf("Bail out! %s\n", why.text);
        conn_close(&conn);
        return failed;
}
