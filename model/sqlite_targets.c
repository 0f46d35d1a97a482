/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_targets.c - what is owed: found by an index, leased in memory, settled in the order's row.
 *
 * Leases live in memory because this process is the only one on the file. What a transaction did to them is marked and
 * made final, or undone, with it. */
#include "model/store_sqlite.h"

#include "model/clean.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 1000 /* a clock that goes back by less is not set, and nobody waits long for it; a guess */

static struct lease *lease_find(struct conn *conn, const struct due *due)
{
        struct lease_key key;
        struct lease *lease;

        memset(&key, 0, sizeof key);
        key.order = due->order;
        key.party = (uint8_t)due->party;
        HASH_FIND(hh, conn->leases, &key, sizeof key, lease);
        return lease;
}

static void lease_drop(struct conn *conn, struct lease *lease)
{
        HASH_DEL(conn->leases, lease);
        free(lease);
}

/* Before one of its marks is set: how the transaction ends shall change it. */
static struct lease *lease_touch(struct conn *conn, struct lease *lease)
{
        if (!lease->fresh && !lease->over && !lease->after)
                SLIST_INSERT_HEAD(&conn->touched, lease, entry);
        return lease;
}

void leases_commit(struct conn *conn, bool committed)
{
        struct lease *lease;

        while ((lease = SLIST_FIRST(&conn->touched))) {
                SLIST_REMOVE_HEAD(&conn->touched, entry);
                if (!committed && lease->fresh && lease->after) {
                        lease->token = ++conn->last_token; /* nobody's */
                        lease->until_ms = 0;
                } else if (committed ? lease->over : lease->fresh) {
                        lease_drop(conn, lease);
                        continue;
                }
                lease->fresh = lease->over = lease->after = false;
        }
}

void leases_free(struct conn *conn)
{
        struct lease *lease;
        struct lease *next;

        HASH_ITER(hh, conn->leases, lease, next)
                lease_drop(conn, lease);
}

/* Nobody may take it now: a live lease, or one that ends only with the running transaction. model: an end */
static bool is_leased(struct conn *conn, const struct due *due)
{
        const struct lease *lease = lease_find(conn, due);

        return lease && (lease->over || lease->fresh || lease->until_ms > store_lease_now(conn->store));
}

/* For how long yet what the process before has sent may arrive: a check would not see it, and a call might overtake it. model:
 * quiet at start */
static int64_t quiet_ms(const struct conn *conn)
{
        const int64_t left_ms = conn->quiet_until_ms - store_lease_now(conn->store);

        return left_ms > 0 ? left_ms : 0;
}

static enum err lease_take(struct conn *conn, const struct due *due, int64_t until_ms, uint64_t *ret,
                           struct why *why)
{
        struct lease *lease = lease_find(conn, due);

        if (lease) {
                lease_touch(conn, lease)->after = true;
        } else {
                lease = calloc(1, sizeof *lease);
                if (!lease)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a lease");
                lease->key.order = due->order;
                lease->key.party = (uint8_t)due->party;
                HASH_ADD(hh, conn->leases, key, sizeof lease->key, lease);
                if (!lease->hh.tbl) {
                        free(lease);
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a lease");
                }
        }
        lease->token = ++conn->last_token; /* model: tokens of their own */
        lease->until_ms = until_ms;
        lease_touch(conn, lease)->fresh = true;
        *ret = lease->token;
        return ERR_OK;
}

/* The holder's own, or NULL when the lease is lost. */
static struct lease *lease_need(struct conn *conn, const struct due *due, uint64_t token)
{
        struct lease *lease = lease_find(conn, due);

        return lease && lease->token == token && !lease->over ? lease : NULL;
}

static enum statement for_party(enum statement platform, enum party party)
{
        return party == PARTY_PLATFORM ? platform
                                       : platform + 1; /* the courier's stands behind it in the enum */
}

/* Puts it where it belongs by its time; where there is no place more, the last one goes. */
static void due_insert(struct store_due *due, int64_t *at_ms, const struct due *found, int64_t found_at_ms)
{
        int i = due->n < due->max ? due->n++ : due->max - 1;

        for (; i > 0 && at_ms[i - 1] > found_at_ms; i--) {
                due->found[i] = due->found[i - 1];
                at_ms[i] = at_ms[i - 1];
        }
        due->found[i] = *found;
        at_ms[i] = found_at_ms;
}

/* Among what was found so far; `at_ms` holds the times of due->found. */
static enum err due_of(struct conn *conn, struct store_due *due, int64_t *at_ms, enum platform platform,
                       enum party party, struct why *why)
{
        sqlite3_stmt *s = sql(conn, for_party(SQL_DUE, party));

        sqlite3_bind_int(s, 1, (int)platform);
        sqlite3_bind_int64(s, 2, store_now(conn->store) - due->grace_ms);
        sqlite3_bind_int64(s, 3, due->max + (int64_t)HASH_COUNT(conn->leases));
        sqlite3_bind_int(s, 4, quiet_ms(conn) == 0);
        while (due->max > 0 && sql_row(conn, s)) {
                const struct due found = {.order = sql_id(s, 0),
                                          .restaurant = sql_id(s, 1),
                                          .platform = platform,
                                          .party = party};
                const int64_t found_at_ms = sqlite3_column_int64(s, 2);

                if (due->n == due->max && found_at_ms >= at_ms[due->max - 1])
                        break;
                if (!is_leased(conn, &found))
                        due_insert(due, at_ms, &found, found_at_ms);
        }
        return sql_end(conn, s, ERR_OK, why);
}

/* The smallest `at` above `after_ms`, lowered into *ret; 0: none. */
static enum err next_of(struct conn *conn, enum platform platform, enum party party, int64_t after_ms,
                        int64_t *ret, struct why *why)
{
        sqlite3_stmt *s = sql(conn, for_party(SQL_NEXT_DUE, party));
        int64_t at;

        sqlite3_bind_int(s, 1, (int)platform);
        sqlite3_bind_int64(s, 2, after_ms);
        at = sql_row(conn, s) ? sqlite3_column_int64(s, 0) : 0;
        if (at > 0 && (*ret == 0 || at < *ret))
                *ret = at;
        return sql_end(conn, s, ERR_OK, why);
}

/* Times of retries and waits are the wall clock's. Where that was set back, they would come so much later; who is early for
 * a step is put off again. */
static enum err follow_clock(struct conn *conn, struct why *why)
{
        const int64_t now_ms = store_now(conn->store);
        int64_t back_ms;
        enum err e = ERR_OK;

        conn->ahead_now_ms = now_ms - store_lease_now(conn->store);
        back_ms = conn->ahead_ms - conn->ahead_now_ms;
        if (conn->ahead_ms == 0 || back_ms < STEP_MS)
                return ERR_OK;
        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++) {
                sqlite3_stmt *s = sql(conn, for_party(SQL_SET_BACK, (enum party)party));

                sqlite3_bind_int64(s, 1, now_ms);
                sqlite3_bind_int64(s, 2, back_ms);
                e = sql_run(conn, s, NULL, why);
        }
        return e;
}

enum err sqlite_due(void *arg, struct store_due *due, struct why *why)
{
        struct conn *conn = arg;
        const int64_t now_ms = store_now(conn->store);
        const int64_t left_ms = quiet_ms(conn);
        int64_t at_ms[DUE_MAX];
        enum err e = follow_clock(conn, why);

        if (left_ms > 0)
                due->next_ms = now_ms + left_ms;
        for (int i = 0; i < PLATFORM_COUNT * PARTY_COUNT && e == ERR_OK; i++) {
                const enum platform platform = (enum platform)(i / PARTY_COUNT);
                const enum party party = (enum party)(i % PARTY_COUNT);

                if (due->skip & (party == PARTY_PLATFORM ? 1U << platform : DUE_SKIP_FIRMS))
                        continue;
                e = due_of(conn, due, at_ms, platform, party, why);
                if (e == ERR_OK)
                        e = next_of(conn, platform, party, now_ms, &due->next_ms, why);
        }
        return e;
}

enum err sqlite_oldest_due(void *arg, int64_t *ret_ms, struct why *why)
{
        struct conn *conn = arg;
        enum err e = ERR_OK;

        *ret_ms = 0;
        for (int i = 0; i < PLATFORM_COUNT * PARTY_COUNT && e == ERR_OK; i++)
                e = next_of(conn, (enum platform)(i / PARTY_COUNT), (enum party)(i % PARTY_COUNT), 0, ret_ms,
                            why);
        if (e == ERR_OK && *ret_ms > store_now(conn->store))
                *ret_ms = 0;
        return e;
}

enum err sqlite_count(void *arg, enum party party, bool failed, int max, int *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql(conn, for_party(failed ? SQL_COUNT_FAILED : SQL_COUNT_OWED, party));

        sqlite3_bind_int(s, 1, max);
        *ret = sql_row(conn, s) ? sqlite3_column_int(s, 0) : 0;
        return sql_end(conn, s, ERR_OK, why);
}

/* model: claim */
enum err sqlite_claim(void *arg, struct store_claim *claim, struct why *why)
{
        struct conn *conn = arg;
        const int64_t now_ms = store_now(conn->store);
        CLEAN(order_free_at) struct order *order = NULL;
        struct target *target;
        bool ran_out;
        enum err e;

        if (is_leased(conn, &claim->due))
                return ERR_OK;
        ran_out = lease_find(conn, &claim->due) != NULL;
        e = sqlite_order_get(conn, &claim->due.restaurant, &claim->due.order, &order, why);
        if (e == ERR_DAMAGED) /* nobody need look again before that is over */
                lease_take(conn, &claim->due, store_lease_now(conn->store) + claim->lease_ms, &claim->lease,
                           NULL);
        if (e != ERR_OK || !order)
                return e;
        target = &order->targets[claim->due.party];
        if (target->at_ms <= 0 || target->at_ms > now_ms || (target->unsure && quiet_ms(conn) > 0))
                return ERR_OK;
        e = lease_take(conn, &claim->due, store_lease_now(conn->store) + claim->lease_ms, &claim->lease, why);
        if (e != ERR_OK)
                return e;
        /* Who let it run out may have called, and we shall not hear of it. model: doubt after a lease */
        target->unsure |= ran_out;
        claim->order = TAKE(order);
        claim->claimed = true;
        return ERR_OK;
}

enum err sqlite_choose(void *arg, const struct store_claim *claim, const struct id *firm, bool *ret,
                       struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s;
        enum err e;

        *ret = false;
        if (!lease_need(conn, &claim->due, claim->lease))
                return ERR_OK;
        s = sql_of(conn, SQL_CHOOSE, &claim->due.order, &claim->due.restaurant);
        sql_bind_id(s, 3, firm);
        e = sql_run(conn, s, NULL, why);
        *ret = e == ERR_OK && sqlite3_changes(conn->db) == 1;
        return e;
}

/* What the row holds now, before the settlement is written over it. */
struct held {
        int want;
        int64_t at_ms;
        int64_t rev;
        enum status status;
        bool dead;
};

static enum err held_read(struct conn *conn, const struct due *due, struct held *ret, bool *ret_found,
                          struct why *why)
{
        sqlite3_stmt *s = sql_of(conn, for_party(SQL_TARGET_GET, due->party), &due->order, &due->restaurant);

        *ret_found = sql_row(conn, s);
        if (*ret_found)
                *ret = (struct held){.want = sqlite3_column_int(s, 0),
                                     .at_ms = sqlite3_column_type(s, 1) == SQLITE_NULL
                                                      ? TARGET_NOT_DUE
                                                      : sqlite3_column_int64(s, 1),
                                     .rev = sqlite3_column_int64(s, 2),
                                     .status = (enum status)sqlite3_column_int(s, 3),
                                     .dead = sqlite3_column_int(s, 4)};
        return sql_end(conn, s, ERR_OK, why);
}

static enum err write_settlement(struct conn *conn, const struct store_settle *settle,
                                 const struct held *held, struct why *why)
{
        const struct settlement *change = &settle->settlement;
        const bool dead = change->kind == SETTLE_DEAD;
        sqlite3_stmt *s = sql_of(conn, for_party(dead ? SQL_SETTLE_DEAD : SQL_SETTLE, settle->due.party),
                                 &settle->due.order, &settle->due.restaurant);

        sqlite3_bind_int(s, 3, settle->want);
        sqlite3_bind_int(s, 4, change->told);
        sql_bind_time(s, 5, change->told_at_ms, 0);
        sqlite3_bind_int(s, 6, change->unsure);
        sql_bind_time(s, 7, change->kind == SETTLE_MORE ? held->at_ms : change->at_ms, TARGET_NOT_DUE);
        sqlite3_bind_int(s, 8, change->tries);
        sql_bind_text(s, 9, settle->row);
        if (dead) {
                sql_bind_text(s, 10, change->dead);
                sqlite3_bind_int64(s, 11, store_now(conn->store));
        }
        return sql_run(conn, s, NULL, why);
}

/* model: settle */
enum err sqlite_settle(void *arg, struct store_settle *settle, struct why *why)
{
        struct conn *conn = arg;
        struct lease *lease = lease_need(conn, &settle->due, settle->lease);
        struct held held = {0};
        bool found = false;
        enum err e;

        settle->outcome = SETTLE_LOST;
        if (!lease) /* model: the lease */
                return ERR_OK;
        e = held_read(conn, &settle->due, &held, &found, why);
        if (e == ERR_OK && !found) /* it was swept */
                lease_touch(conn, lease)->over = true;
        if (e != ERR_OK || !found)
                return e;
        e = write_settlement(conn, settle, &held, why);
        if (e != ERR_OK)
                return e;
        /* model: overtaken */
        settle->outcome = held.want == settle->want ? SETTLE_WRITTEN : SETTLE_OVERTAKEN;
        if (settle->settlement.kind == SETTLE_MORE && settle->outcome == SETTLE_WRITTEN)
                lease->until_ms = store_lease_now(conn->store) + settle->lease_ms; /* model: more */
        else
                lease_touch(conn, lease)->over = true;
        if (settle->settlement.kind == SETTLE_DEAD && settle->outcome == SETTLE_WRITTEN)
                job_changed(&settle->job, &settle->due, held.rev + !held.dead, held.status, held.status);
        return ERR_OK;
}

/* model: release */
enum err sqlite_release(void *arg, struct store_release *release, struct why *why)
{
        struct conn *conn = arg;
        const struct due *due = &release->due;
        struct lease *lease = lease_need(conn, due, release->lease);
        sqlite3_stmt *s;
        enum err e;

        if (!lease)
                return ERR_OK;
        s = sql_of(conn, for_party(SQL_RELEASE, due->party), &due->order, &due->restaurant);
        sqlite3_bind_int(s, 3, release->unsure); /* model: doubt given back */
        e = sql_run(conn, s, NULL, why);
        if (e == ERR_OK)
                lease_touch(conn, lease)->over = true;
        return e;
}

/* model: replay */
enum err sqlite_replay(void *arg, const struct order *order, enum party party, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        sqlite3_stmt *s = sql_of(conn, for_party(SQL_REPLAY, party), &order->id, &order->restaurant);
        enum err e;

        sqlite3_bind_int64(s, 3, store_now(conn->store));
        e = sql_run(conn, s, NULL, why);
        *ret = e == ERR_OK && sqlite3_changes(conn->db) == 1;
        return e;
}

/* Those of one party, as far as REPLAY_ALL_MAX goes. */
static enum err replay_all_of(struct conn *conn, struct store_replay_all *replay, enum party party,
                              struct why *why)
{
        const bool any = id_is_zero(&replay->job.restaurant);
        sqlite3_stmt *s = sql(conn, for_party(any ? SQL_REPLAY_ALL_ANY : SQL_REPLAY_ALL, party));
        enum err e;

        if (!any)
                sql_bind_id(s, 1, &replay->job.restaurant);
        if (replay->has_platform)
                sqlite3_bind_int(s, 2, (int)replay->platform);
        sqlite3_bind_int64(s, 3, replay->since_ms);
        sqlite3_bind_int(s, 4, REPLAY_ALL_MAX - replay->replayed);
        sqlite3_bind_int64(s, 5, store_now(conn->store));
        e = sql_run(conn, s, NULL, why);
        if (e == ERR_OK)
                replay->replayed += sqlite3_changes(conn->db);
        return e;
}

enum err sqlite_replay_all(void *conn, struct store_replay_all *replay, struct why *why)
{
        enum err e = ERR_OK;

        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++)
                if (party == PARTY_PLATFORM || !replay->has_platform)
                        e = replay_all_of(conn, replay, (enum party)party, why);
        return e;
}

enum err sqlite_call(void *arg, const struct order *order, const struct id *firm, bool *ret, struct why *why)
{
        struct conn *conn = arg;
        struct lease *lease = lease_find(conn, &(struct due){.order = order->id, .party = PARTY_COURIER});
        sqlite3_stmt *s = sql_of(conn, SQL_CALL, &order->id, &order->restaurant);
        enum err e;

        sqlite3_bind_int64(s, 3, order->rev);
        sql_bind_id(s, 4, firm);
        sqlite3_bind_int64(s, 5, store_now(conn->store));
        sqlite3_bind_int(s, 6, STEP_OF(STATUS_ACCEPTED));
        e = sql_run(conn, s, NULL, why);
        *ret = e == ERR_OK && sqlite3_changes(conn->db) == 1;
        if (*ret && lease) {
                lease_touch(conn, lease)->over = true;
                /* Nobody's, also where the commit fails: it may stand all the same. */
                lease->token = ++conn->last_token;
        }
        return e;
}
