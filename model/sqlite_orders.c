/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_orders.c - orders as rows: one narrow row for all that moves, history included, and the document beside it. */
#include "model/store_sqlite.h"

#include "model/clean.h"
#include "model/json_text.h"

#include <stdlib.h>
#include <string.h>

#define KIND_PLATFORM_COURIER 1
#define KIND_PICKUP 2

enum {
        COLUMN_ID,
        COLUMN_RESTAURANT,
        COLUMN_PLATFORM,
        COLUMN_PLATFORM_ID,
        COLUMN_STATUS,
        COLUMN_REV,
        COLUMN_CREATED,
        COLUMN_SEEN,
        COLUMN_KIND,
        COLUMN_PREP,
        COLUMN_SCHEDULED,
        COLUMN_HISTORY,
        COLUMN_TARGETS, /* eight for each party */
        TARGET_COLUMNS = 8,
        COLUMN_FIRM = COLUMN_TARGETS + TARGET_COLUMNS * PARTY_COUNT,
        COLUMN_CALLS,
        COLUMN_EXPIRES,
        COLUMN_ERASED,
        COLUMN_DOCUMENT
};

static void read_target(struct conn *conn, sqlite3_stmt *s, int first, struct target *ret)
{
        *ret = (struct target){.want = sqlite3_column_int(s, first),
                               .told = sqlite3_column_int(s, first + 1),
                               .told_at_ms = sqlite3_column_int64(s, first + 2),
                               .unsure = sqlite3_column_int(s, first + 3) != 0,
                               .tries = sqlite3_column_int(s, first + 4),
                               .at_ms = TARGET_NOT_DUE};
        if (sqlite3_column_type(s, first + 5) != SQLITE_NULL)
                ret->at_ms = sqlite3_column_int64(s, first + 5);
        text_copy(ret->dead, sizeof ret->dead, sql_text(conn, s, first + 6));
        ret->log = sql_copy(conn, s, first + 7);
}

/* With how it does not read, which `why` has. */
static enum err order_damaged(struct conn *conn, const struct id *order, struct why *why)
{
        const struct why how = *why;
        char id[ID_TEXT_SIZE];

        return store_damaged(conn->store, "order", id_write(order, id), how.text, why);
}

/* Whoever shows it must be able to read it. */
static enum err check_document(const char *document, bool whole, struct why *why)
{
        if (document ? json_text_is_object(document, strlen(document)) : !whole)
                return ERR_OK;
        return FAIL(why, ERR_DAMAGED, "its content does not read");
}

/* `whole` false: its document may have been left out. */
static enum err read_order(struct conn *conn, sqlite3_stmt *s, bool whole, struct order **ret,
                           struct why *why)
{
        CLEAN(order_free_at) struct order *o = calloc(1, sizeof *o);
        enum err e;

        if (!o)
                return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        o->id = sql_id(s, COLUMN_ID);
        o->restaurant = sql_id(s, COLUMN_RESTAURANT);
        o->platform = (enum platform)sqlite3_column_int(s, COLUMN_PLATFORM);
        o->platform_order_id = sql_copy(conn, s, COLUMN_PLATFORM_ID);
        o->status = (enum status)sqlite3_column_int(s, COLUMN_STATUS);
        o->rev = sqlite3_column_int64(s, COLUMN_REV);
        o->created_ms = sqlite3_column_int64(s, COLUMN_CREATED);
        o->updated_ms = o->seen_ms = sqlite3_column_int64(s, COLUMN_SEEN);
        o->platform_courier = (sqlite3_column_int(s, COLUMN_KIND) & KIND_PLATFORM_COURIER) != 0;
        o->pickup = (sqlite3_column_int(s, COLUMN_KIND) & KIND_PICKUP) != 0;
        o->prep_minutes = sqlite3_column_int(s, COLUMN_PREP);
        o->scheduled_ms = sqlite3_column_int64(s, COLUMN_SCHEDULED);
        for (int party = 0; party < PARTY_COUNT; party++)
                read_target(conn, s, COLUMN_TARGETS + TARGET_COLUMNS * party, &o->targets[party]);
        o->targets[PARTY_COURIER].firm = sql_id(s, COLUMN_FIRM);
        o->targets[PARTY_COURIER].calls = sqlite3_column_int(s, COLUMN_CALLS);
        o->expires_ms = sqlite3_column_int64(s, COLUMN_EXPIRES);
        o->erased_ms = sqlite3_column_int64(s, COLUMN_ERASED);
        o->document = sql_copy(conn, s, COLUMN_DOCUMENT);
        e = moves_read(o, sql_text(conn, s, COLUMN_HISTORY), why);
        if (conn->failed)
                return sql_failed(conn, why);
        if (!o->platform_order_id || (unsigned)o->platform >= PLATFORM_COUNT ||
            (unsigned)o->status >= STATUS_COUNT)
                e = FAIL(why, ERR_DAMAGED, "its row does not read");
        if (e == ERR_OK)
                e = check_document(o->document, whole, why);
        if (e == ERR_DAMAGED)
                return order_damaged(conn, &o->id, why);
        if (e == ERR_OK)
                *ret = TAKE(o);
        return e;
}

static enum err read_one(struct conn *conn, sqlite3_stmt *s, struct order **ret, struct why *why)
{
        enum err e = ERR_OK;

        if (sql_row(conn, s))
                e = read_order(conn, s, /* whole= */ true, ret, why);
        return sql_end(conn, s, e, why);
}

enum err sqlite_order_get(void *arg, const struct id *restaurant, const struct id *id, struct order **ret,
                          struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, SQL_ORDER_GET);

        sql_bind_id(s, 1, id);
        if (restaurant)
                sql_bind_id(s, 2, restaurant);
        return read_one(conn, s, ret, why);
}

enum err sqlite_order_find(void *arg, const struct order *like, struct order **ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, SQL_ORDER_FIND);

        sql_bind_id(s, 1, &like->restaurant);
        sqlite3_bind_int(s, 2, (int)like->platform);
        sql_bind_text(s, 3, like->platform_order_id);
        return read_one(conn, s, ret, why);
}

static enum err insert_row(struct conn *conn, const struct order *o, bool *ret_refused, struct why *why)
{
        CLEAN(free_at) char *history = moves_write(o->moves, o->n_moves);
        sqlite3_stmt *s = sql(conn, SQL_ORDER_INSERT);

        if (!history)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        sql_bind_id(s, 1, &o->id);
        sql_bind_id(s, 2, &o->restaurant);
        sqlite3_bind_int(s, 3, (int)o->platform);
        sql_bind_text(s, 4, o->platform_order_id);
        sqlite3_bind_int(s, 5, (int)o->status);
        sqlite3_bind_int64(s, 6, o->rev);
        sqlite3_bind_int64(s, 7, o->created_ms);
        sqlite3_bind_int(s, 8,
                         (o->platform_courier ? KIND_PLATFORM_COURIER : 0) | (o->pickup ? KIND_PICKUP : 0));
        sqlite3_bind_int(s, 9, o->prep_minutes);
        sqlite3_bind_int64(s, 10, o->scheduled_ms);
        sql_bind_text(s, 11, history);
        for (int party = 0; party < PARTY_COUNT; party++) {
                const struct target *t = &o->targets[party];

                sqlite3_bind_int(s, 12 + 3 * party, t->want);
                sqlite3_bind_int(s, 13 + 3 * party, t->told);
                sql_bind_time(s, 14 + 3 * party, t->at_ms, TARGET_NOT_DUE);
        }
        if (!id_is_zero(&o->targets[PARTY_COURIER].firm))
                sql_bind_id(s, 18, &o->targets[PARTY_COURIER].firm);
        sqlite3_bind_int(s, 19, o->targets[PARTY_COURIER].calls);
        sqlite3_bind_int64(s, 20, o->expires_ms);
        return sql_run(conn, s, ret_refused, why);
}

enum err sqlite_write_document(struct conn *conn, enum statement which, const struct id *id,
                               const struct order *content, struct why *why)
{
        sqlite3_stmt *s = sql(conn, which);

        sql_bind_id(s, 1, id);
        sql_bind_text(s, 2, content->document);
        if (content->phone[0])
                sql_bind_text(s, 3, content->phone);
        return sql_run(conn, s, NULL, why);
}

enum err sqlite_order_insert(void *arg, const struct order *o, enum insert *ret, struct why *why)
{
        struct conn *conn = arg;
        CLEAN(order_free_at) struct order *same = NULL;
        bool refused = false;
        enum err e;

        e = sqlite_order_find(conn, o, &same, why);
        if (e != ERR_OK)
                return e;
        if (same) {
                *ret = INSERT_SAME;
                return ERR_OK;
        }
        e = insert_row(conn, o, &refused, why);
        if (e != ERR_OK)
                return e;
        if (refused) {
                *ret = INSERT_TAKEN;
                return ERR_OK;
        }
        *ret = INSERT_NEW;
        return sqlite_write_document(conn, SQL_DOCUMENT_INSERT, &o->id, o, why);
}

static enum err write_move(struct conn *conn, const struct store_move *move, const struct move *row,
                           const char *history, struct why *why)
{
        CLEAN(free_at) char *longer = moves_append(history, row);
        sqlite3_stmt *s = sql(conn, status_is_final(move->to) ? SQL_ORDER_END : SQL_ORDER_MOVE);

        if (!longer)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        sql_bind_id(s, 1, &move->order);
        sqlite3_bind_int(s, 2, (int)move->to);
        sqlite3_bind_int64(s, 3, row->at_ms);
        sql_bind_text(s, 4, longer);
        if (move->prep_minutes)
                sqlite3_bind_int(s, 5, move->prep_minutes);
        sqlite3_bind_int(s, 6, STEP_OF((int)move->to));
        sqlite3_bind_int(s, 7, move->told ? STEP_OF((int)move->to) : 0);
        sqlite3_bind_int(s, 8, move_concerns_courier(move->to));
        return sql_run(conn, s, NULL, why);
}

/* What SQL_ORDER_PEEK sees, taken before the statement is used again. */
struct peek {
        struct order order; /* status, updated_ms and, for move_explain, the history */
        struct due what;
        int64_t rev;
        bool can_be_due[PARTY_COUNT];
        char *history;
};

static void peek_done(struct peek *peek)
{
        for (int i = 0; i < peek->order.n_moves; i++)
                free(peek->order.moves[i].note);
        free(peek->history);
}

static enum err peek_read(struct conn *conn, const struct store_move *move, struct peek *ret, bool *ret_found,
                          struct why *why)
{
        sqlite3_stmt *s = sql_of(conn, SQL_ORDER_PEEK, &move->order, &move->job.restaurant);

        *ret_found = sql_row(conn, s);
        if (!*ret_found)
                return conn->failed ? sql_failed(conn, why) : ERR_OK;
        ret->what = (struct due){.order = move->order,
                                 .restaurant = move->job.restaurant,
                                 .platform = (enum platform)sqlite3_column_int(s, 0)};
        ret->rev = sqlite3_column_int64(s, 1);
        ret->order.status = (enum status)sqlite3_column_int(s, 2);
        ret->order.updated_ms = sqlite3_column_int64(s, 3);
        ret->history = sql_copy(conn, s, 4);
        for (int party = 0; party < PARTY_COUNT; party++)
                ret->can_be_due[party] = sqlite3_column_type(s, 5 + party) == SQLITE_NULL ||
                                         sqlite3_column_int64(s, 5 + party) != TARGET_NEVER;
        sqlite3_reset(s);
        if (!ret->history)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        if ((unsigned)ret->what.platform < PLATFORM_COUNT && (unsigned)ret->order.status < STATUS_COUNT)
                return ERR_OK;
        FAIL(why, ERR_DAMAGED, "its row does not read");
        return order_damaged(conn, &move->order, why);
}

/* It moved when this ran before, for its commit stood though it failed: nobody was told of it then. */
static void note_repeat(struct store_move *move, const struct peek *peek)
{
        const int n = peek->order.n_moves;

        if (!move->job.repeated || move->outcome != MOVE_MOVED)
                return;
        job_changed(&move->job, &peek->what, peek->rev, n > 1 ? peek->order.moves[n - 2].to : STATUS_NEW,
                    move->to);
        for (int party = 0; party < PARTY_COUNT; party++)
                move->job.change.due[party] = peek->can_be_due[party];
}

/* The platform knows already, though nothing moved. */
static enum err raise_told(struct conn *conn, struct store_move *move, const struct peek *peek,
                           int64_t now_ms, struct why *why)
{
        sqlite3_stmt *s = sql(conn, SQL_ORDER_TOLD);
        enum err e;

        sql_bind_id(s, 1, &move->order);
        sqlite3_bind_int(s, 2, STEP_OF((int)move->to));
        sqlite3_bind_int64(s, 3, now_ms);
        e = sql_run(conn, s, NULL, why);
        if (e == ERR_OK && sqlite3_changes(conn->db) == 1)
                job_changed(&move->job, &peek->what, peek->rev + 1, peek->order.status, peek->order.status);
        return e;
}

enum err sqlite_order_move(void *arg, struct store_move *move, const struct move *row, struct why *why)
{
        struct conn *conn = arg;
        CLEAN(peek_done) struct peek peek = {0};
        bool found = false;
        enum err e;

        e = peek_read(conn, move, &peek, &found, why);
        if (e != ERR_OK)
                return e;
        if (!found) {
                move->outcome = MOVE_UNKNOWN;
                return ERR_OK;
        }
        if (peek.order.status >= status_bound(move->to) || strstr(peek.history, row->op)) {
                e = moves_read(&peek.order, peek.history, why);
                if (e == ERR_DAMAGED)
                        return order_damaged(conn, &move->order, why);
                if (e != ERR_OK)
                        return e;
                move_explain(&peek.order, row->op, move);
                note_repeat(move, &peek);
                if (move_tells(move))
                        return raise_told(conn, move, &peek, row->at_ms, why);
                return ERR_OK;
        }
        e = write_move(conn, move, row, peek.history, why);
        if (e != ERR_OK)
                return e;
        move->outcome = MOVE_MOVED;
        move->status = move->to;
        move->at_ms = row->at_ms;
        job_changed(&move->job, &peek.what, peek.rev + 1, peek.order.status, move->to);
        move->job.change.due[PARTY_PLATFORM] = peek.can_be_due[PARTY_PLATFORM] && !move->told;
        move->job.change.due[PARTY_COURIER] =
                peek.can_be_due[PARTY_COURIER] && move_concerns_courier(move->to);
        return ERR_OK;
}

enum err sqlite_order_rewrite(void *arg, struct store_rewrite *rewrite, int64_t now_ms, bool *ret,
                              struct why *why)
{
        struct conn *conn = arg;
        struct due what = {.order = rewrite->order, .restaurant = rewrite->job.restaurant};
        sqlite3_stmt *s = sql_of(conn, SQL_ORDER_REWRITE, &rewrite->order, &rewrite->job.restaurant);
        enum err e;

        sqlite3_bind_int64(s, 3, rewrite->content->scheduled_ms);
        sqlite3_bind_int64(s, 4, now_ms);
        *ret = sql_row(conn, s);
        if (*ret) {
                what.platform = (enum platform)sqlite3_column_int(s, 0);
                job_changed(&rewrite->job, &what, sqlite3_column_int64(s, 1), STATUS_NEW, STATUS_NEW);
        }
        e = sql_end(conn, s, ERR_OK, why);
        if (e != ERR_OK || !*ret)
                return e;
        return sqlite_write_document(conn, SQL_DOCUMENT_REWRITE, &rewrite->order, rewrite->content, why);
}

static enum statement scan_of(const struct store_list *list, const struct page *page)
{
        const bool own = page->restaurant;

        if (list->has_delivery && list->delivery == DELIVERY_FAILED)
                return own ? SQL_ORDER_SCAN_FAILED : SQL_ORDER_SCAN_FAILED_ANY;
        if (list->has_delivery && list->delivery == DELIVERY_PENDING)
                return own ? SQL_ORDER_SCAN_OWED : SQL_ORDER_SCAN_OWED_ANY;
        if (own && list->has_status && !status_is_final(list->status))
                return SQL_ORDER_SCAN_OPEN;
        return own ? SQL_ORDER_SCAN : SQL_ORDER_SCAN_ANY;
}

/* How far a list has come, and whom it is shown to. */
struct scan {
        const struct store_list *list;
        struct page page;
        struct id before;
        order_visit_fn *visit;
        void *arg;
        int max;   /* rows at a time: a page, and one that says whether there is another */
        bool more; /* are wanted */
};

static sqlite3_stmt *bind_scan(struct conn *conn, enum statement which, const struct scan *scan)
{
        const struct store_list *list = scan->list;
        sqlite3_stmt *s = sql(conn, which);

        if (scan->page.restaurant)
                sql_bind_id(s, 1, scan->page.restaurant);
        sqlite3_bind_int64(s, 2, scan->page.before_ms);
        sql_bind_id(s, 3, &scan->before);
        if (list->has_status)
                sqlite3_bind_int(s, 4, (int)list->status);
        if (list->has_platform)
                sqlite3_bind_int(s, 5, (int)list->platform);
        sqlite3_bind_int64(s, 6, list->since_ms);
        sqlite3_bind_int(s, 7, list->documents);
        sqlite3_bind_int(s, 8, scan->max);
        return s;
}

/* As many of this set as are taken at a time. */
static enum err scan_on(struct conn *conn, enum statement which, struct scan *scan, int *ret_n,
                        struct why *why)
{
        sqlite3_stmt *s = bind_scan(conn, which, scan);
        int64_t last_ms = 0;
        struct id last;
        enum err e = ERR_OK;

        for (*ret_n = 0; scan->more && e == ERR_OK && sql_row(conn, s); ++*ret_n) {
                CLEAN(order_free_at) struct order *order = NULL;

                last = sql_id(s, COLUMN_ID);
                last_ms = sqlite3_column_int64(s, COLUMN_CREATED);
                e = read_order(conn, s, scan->list->documents, &order, why);
                if (e == ERR_OK)
                        scan->more = scan->visit(scan->arg, &order);
                if (e == ERR_DAMAGED)
                        e = ERR_OK;
        }
        e = sql_end(conn, s, e, why);
        if (*ret_n > 0) { /* not before: they are bound */
                scan->page.before_ms = last_ms;
                scan->before = last;
        }
        return e;
}

static enum err scan_all(struct conn *conn, enum statement which, struct scan scan, bool *ret_more,
                         struct why *why)
{
        int n;
        enum err e;

        do
                e = scan_on(conn, which, &scan, &n, why);
        while (e == ERR_OK && scan.more && n == scan.max);
        *ret_more = scan.more;
        return e;
}

enum err sqlite_order_scan(void *arg, const struct store_list *list, const struct page *page,
                           order_visit_fn *visit, void *visit_arg, struct why *why)
{
        struct scan scan = {.list = list,
                            .page = *page,
                            .visit = visit,
                            .arg = visit_arg,
                            .max = list->limit + 1,
                            .more = true};
        const enum statement which = scan_of(list, page);
        enum err e;

        if (page->before_id[0] && !id_read(page->before_id, &scan.before))
                return FAIL_FIELD(why, "after", "not a cursor of ours");
        e = scan_all(arg, which, scan, &scan.more, why);
        if (e == ERR_OK && scan.more && which == SQL_ORDER_SCAN && list->since_ms > 0)
                e = scan_all(arg, SQL_ORDER_SCAN_LATE, scan, &scan.more, why);
        return e;
}

static bool is_later(const struct seen *a, const struct seen *b)
{
        return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : memcmp(&a->order, &b->order, sizeof a->order) > 0;
}

/* Puts it where it belongs by time and id; where there is no place more, the last one goes. False: this one is it. */
static bool seen_insert(struct store_changes *changes, const struct seen *found)
{
        struct seen *at = changes->found + changes->n;

        if (changes->n < changes->max)
                changes->n++;
        else if (is_later(found, --at))
                return false;
        for (; at > changes->found && is_later(at - 1, found); at--)
                *at = at[-1];
        *at = *found;
        return true;
}

static enum err changes_of(struct conn *conn, enum statement which, const struct id *restaurant,
                           struct store_changes *changes, struct why *why)
{
        sqlite3_stmt *s = sql(conn, which);
        struct seen found = {.restaurant = *restaurant};

        sql_bind_id(s, 1, restaurant);
        sqlite3_bind_int64(s, 2, changes->after_ms);
        sql_bind_id(s, 3, &changes->after);
        sqlite3_bind_int(s, 4, changes->max);
        while (sql_row(conn, s)) {
                found.order = sql_id(s, 0);
                found.rev = sqlite3_column_int64(s, 1);
                found.at_ms = sqlite3_column_int64(s, 2);
                if (!seen_insert(changes, &found))
                        break;
        }
        return sql_end(conn, s, ERR_OK, why);
}

enum err sqlite_changes(void *arg, struct store_changes *changes, struct why *why)
{
        static const enum statement sets[] = {SQL_CHANGES, SQL_CHANGES_ENDED};
        enum err e = ERR_OK;

        for (int i = 0; i < 2 * changes->n_restaurants && e == ERR_OK; i++)
                e = changes_of(arg, sets[i % 2], &changes->restaurants[i / 2], changes, why);
        return e;
}
