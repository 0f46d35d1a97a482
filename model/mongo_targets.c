/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_targets.c - what is owed: found by an index, leased and settled in the order's own document.
 *
 * `at` says when somebody must look, `until` how long nobody else may, `lease` whose it is. A claim leaves `unsure` behind
 * until its holder settles: whoever finds it there after a lease that ran out knows that a call may have got through. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The dotted name of a target's member. */
struct name {
        char text[32];
};

static struct name name_of(enum party party, const char *member)
{
        struct name name;

        snprintf(name.text, sizeof name.text, "out.%s.%s", party_word(party), member);
        return name;
}
#define NAME(party, member) (name_of((party), (member)).text)

/* --- what is due --- */

struct row {
        int64_t at_ms;
        struct due due;
};

static int compare_rows(const void *a, const void *b)
{
        const int64_t left = ((const struct row *)a)->at_ms, right = ((const struct row *)b)->at_ms;

        return (left > right) - (left < right);
}

#define THE_END INT64_C(253402300799999) /* of the year 9999: the latest date that every driver reads */

/* What is to be looked at by then and nobody holds, oldest first. `$gt` is the word of the index, which holds none that
 * owes nothing. */
struct search {
        enum party party;
        int64_t by_ms;
        int64_t free_ms; /* leases are over by then */
        unsigned skip;
        int max;
};

static mongoc_cursor_t *find_owed(struct mongo_conn *conn, const struct search *search)
{
        const enum party party = search->party;
        bson_t *filter = BCON_NEW(NAME(party, "at"), "{", "$gt", BCON_DATE_TIME(0), "$lte",
                                  BCON_DATE_TIME(search->by_ms), "}", NAME(party, "until"), "{", "$lte",
                                  BCON_DATE_TIME(search->free_ms), "}");
        bson_t within, list;
        char text[16];
        const char *key;
        uint32_t n = 0;

        BSON_APPEND_DOCUMENT_BEGIN(filter, "platform", &within);
        BSON_APPEND_ARRAY_BEGIN(&within, "$in",
                                &list); /* one that only a newer server knows shall not fill the page */
        for (int i = 0; i < PLATFORM_COUNT; i++) {
                if (party == PARTY_PLATFORM && search->skip & 1U << i)
                        continue;
                bson_uint32_to_string(n++, &key, text, sizeof text);
                BSON_APPEND_UTF8(&list, key, platform_word((enum platform)i));
        }
        bson_append_array_end(&within, &list);
        bson_append_document_end(filter, &within);
        return mongo_find(conn, conn->orders, filter,
                          BCON_NEW("sort", "{", NAME(party, "at"), BCON_INT32(1), "}", "limit",
                                   BCON_INT64(search->max), "projection", "{", "restaurantId",
                                   BCON_BOOL(true), "platform", BCON_BOOL(true), NAME(party, "at"),
                                   BCON_BOOL(true), "}"),
                          /* anywhere= */ false);
}

static int64_t at_of(const bson_t *from, enum party party)
{
        bson_t out, target;

        return mongo_part(from, "out", &out) && mongo_part(&out, party_word(party), &target)
                       ? mongo_time(&target, "at", TARGET_NEVER)
                       : TARGET_NEVER;
}

/* Adds up to `max` rows behind the n that are there. */
static enum err rows_of(struct mongo_conn *conn, const struct search *search, struct row *rows, int *n,
                        struct why *why)
{
        mongoc_cursor_t *cursor = find_owed(conn, search);
        const bson_t *found;

        for (int i = 0; i < search->max && mongoc_cursor_next(cursor, &found); i++) {
                struct row row = {.at_ms = at_of(found, search->party), .due.party = search->party};

                if (mongo_id(found, "_id", &row.due.order) &&
                    mongo_id(found, "restaurantId", &row.due.restaurant) &&
                    platform_find(mongo_text(found, "platform"), &row.due.platform))
                        rows[(*n)++] = row;
        }
        return mongo_end(conn, cursor, ERR_OK, why);
}

enum err mongo_due(void *arg, struct store_due *due, struct why *why)
{
        struct mongo_conn *conn = arg;
        const int64_t now_ms = store_now(conn->store);
        /* Later ones too, of which the first tells when to look again; but whoever gives others a grace does not ask. */
        struct search search = {.by_ms = due->grace_ms > 0 ? now_ms - due->grace_ms : THE_END,
                                .free_ms = mongo_lease_now(conn),
                                .skip = due->skip,
                                .max = due->max + 1};
        struct row rows[PARTY_COUNT * (DUE_MAX + 1)];
        enum err e = ERR_OK;
        int n = 0;

        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++) {
                search.party = (enum party)party;
                if (search.party == PARTY_PLATFORM || !(due->skip & DUE_SKIP_FIRMS))
                        e = rows_of(conn, &search, rows, &n, why);
        }
        if (e != ERR_OK)
                return e;
        qsort(rows, (size_t)n, sizeof *rows, compare_rows);
        for (int i = 0; i < n; i++) {
                if (rows[i].at_ms > now_ms) {
                        due->next_ms = rows[i].at_ms;
                        break;
                }
                if (due->n < due->max)
                        due->found[due->n++] = rows[i].due;
        }
        return ERR_OK;
}

enum err mongo_oldest_due(void *arg, int64_t *ret_ms, struct why *why)
{
        struct mongo_conn *conn = arg;
        const int64_t now_ms = store_now(conn->store);
        struct search search = {.by_ms = now_ms, .free_ms = THE_END, .max = 1}; /* under a lease or not */
        struct row rows[PARTY_COUNT];
        enum err e = ERR_OK;
        int n = 0;

        *ret_ms = 0;
        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++) {
                search.party = (enum party)party;
                e = rows_of(conn, &search, rows, &n, why);
        }
        for (int i = 0; i < n; i++)
                if (*ret_ms == 0 || rows[i].at_ms < *ret_ms)
                        *ret_ms = rows[i].at_ms;
        return e;
}

/* From the partial indexes alone. All shards are asked, and whoever of them may answer (readPreference). */
enum err mongo_count(void *arg, enum party party, bool failed, int max, int *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        CLEAN(bson_free_at)
        bson_t *filter = failed ? BCON_NEW(NAME(party, "dead"), "{", "$gt", BCON_UTF8(""), "}")
                                : BCON_NEW(NAME(party, "at"), "{", "$gt", BCON_DATE_TIME(0), "}");
        CLEAN(bson_free_at)
        bson_t *options = BCON_NEW("limit", BCON_INT64(max), "maxTimeMS", BCON_INT32(conn->patience_ms));
        bson_error_t error = {0};
        bson_t reply;
        int64_t n = mongoc_collection_count_documents(conn->orders, filter, options, NULL, &reply, &error);
        enum err e = n < 0 ? mongo_failed(conn, "aggregate", &error, &reply, why) : ERR_OK;

        bson_destroy(&reply);
        *ret = (int)n;
        return e;
}

/* --- claim, settle, release --- */

static bson_t *holder_filter(const struct due *due, uint64_t lease)
{
        bson_t *filter = mongo_order_filter(&due->restaurant, &due->order);

        BSON_APPEND_INT64(filter, NAME(due->party, "lease"), (int64_t)lease);
        return filter;
}

/* model: claim */
enum err mongo_claim(void *arg, struct store_claim *claim, struct why *why)
{
        struct mongo_conn *conn = arg;
        const int64_t now_ms = store_now(conn->store);
        const enum party party = claim->due.party;
        CLEAN(bson_free_at) bson_t *before = NULL;
        bson_t *filter = mongo_order_filter(&claim->due.restaurant, &claim->due.order);
        struct mongo_change change;
        enum err e;

        if (!crypto_random(&claim->lease, sizeof claim->lease)) { /* model: tokens of their own */
                bson_destroy(filter);
                return FAIL(why, ERR_INTERNAL, "no randomness");
        }
        BCON_APPEND(filter, NAME(party, "at"), "{", "$gt", BCON_DATE_TIME(0), "$lte", BCON_DATE_TIME(now_ms),
                    "}", NAME(party, "until"), "{", "$lte", BCON_DATE_TIME(mongo_lease_now(conn)),
                    "}"); /* model: an end */
        mongo_change_begin(&change);
        BSON_APPEND_DATE_TIME(&change.set, NAME(party, "until"), now_ms + claim->lease_ms);
        BSON_APPEND_INT64(&change.set, NAME(party, "lease"), (int64_t)claim->lease);
        BSON_APPEND_BOOL(&change.set, NAME(party, "unsure"), true); /* model: doubt of the holder */
        e = mongo_modify(conn, filter, mongo_change_end(&change), NULL, /* after= */ false, &before, why);
        if (e != ERR_OK || !before)
                return e;
        e = mongo_order_read(conn, before, /* whole= */ true, &claim->order, why);
        claim->claimed = e == ERR_OK;
        return e;
}

enum err mongo_choose(void *arg, const struct store_claim *claim, const struct id *firm, bool *ret,
                      struct why *why)
{
        struct mongo_conn *conn = arg;
        bson_t *filter = holder_filter(&claim->due, claim->lease);
        struct mongo_change change;
        int64_t changed = 0;
        enum err e;

        BCON_APPEND(filter, NAME(PARTY_COURIER, "firm"), "{", "$exists", BCON_BOOL(false), "}");
        mongo_change_begin(&change);
        BSON_APPEND_OID(&change.set, NAME(PARTY_COURIER, "firm"), oid_of(firm));
        BSON_APPEND_INT32(&change.set, NAME(PARTY_COURIER, "calls"), 1);
        e = mongo_update(conn, conn->orders, filter, mongo_change_end(&change), /* many= */ false, &changed,
                         NULL, why);
        *ret = e == ERR_OK && changed == 1;
        return e;
}

static void append_log(struct mongo_change *change, enum party party, const char *row)
{
        bson_t push, each;

        if (!row)
                return;
        BSON_APPEND_DOCUMENT_BEGIN(&change->push, NAME(party, "log"), &push);
        BSON_APPEND_ARRAY_BEGIN(&push, "$each", &each);
        if (!mongo_append_json(&each, "0", row)) /* without memory the log lacks a row, the order does not */
                BSON_APPEND_NULL(&each, "0");
        bson_append_array_end(&push, &each);
        BSON_APPEND_INT32(&push, "$slice", -CALLED_KEPT);
        bson_append_document_end(&change->push, &push);
}

/* What a settlement writes in any case. */
static void settle_begin(struct mongo_change *change, const struct store_settle *settle)
{
        const enum party party = settle->due.party;

        mongo_change_begin(change);
        BSON_APPEND_INT32(&change->max, NAME(party, "told"), settle->settlement.told); /* model: max told */
        if (settle->settlement.told_at_ms)
                BSON_APPEND_DATE_TIME(&change->set, NAME(party, "toldAt"), settle->settlement.told_at_ms);
        append_log(change, party, settle->row);
}

static void lease_end(struct mongo_change *change, enum party party, bool unsure)
{
        BSON_APPEND_DATE_TIME(&change->set, NAME(party, "until"), 0);
        BSON_APPEND_BOOL(&change->set, NAME(party, "unsure"), unsure);
        BSON_APPEND_UTF8(&change->unset, NAME(party, "lease"), "");
}

static bson_t *settle_update(const struct store_settle *settle, int64_t now_ms)
{
        const struct settlement *s = &settle->settlement;
        const enum party party = settle->due.party;
        struct mongo_change change;

        settle_begin(&change, settle);
        BSON_APPEND_INT32(&change.set, NAME(party, "try"), s->tries);
        /* model: more, doubt ahead */
        if (s->kind == SETTLE_MORE) { /* the next call starts at once: `unsure` stays for it */
                BSON_APPEND_DATE_TIME(&change.set, NAME(party, "until"), now_ms + settle->lease_ms);
                return mongo_change_end(&change);
        }
        lease_end(&change, party, s->unsure);
        if (s->at_ms == TARGET_NOT_DUE)
                BSON_APPEND_UTF8(&change.unset, NAME(party, "at"), "");
        else
                BSON_APPEND_DATE_TIME(&change.set, NAME(party, "at"), s->at_ms);
        if (s->kind == SETTLE_DEAD) { /* model: a mark */
                BSON_APPEND_UTF8(&change.set, NAME(party, "dead"), s->dead);
                BSON_APPEND_DATE_TIME(&change.set, "updatedAt", now_ms);
                BSON_APPEND_INT64(&change.inc, "rev", 1);
                change.seen = true;
        }
        return mongo_change_end(&change);
}

/* `want` moved meanwhile: what is known is written, the target is due already. model: overtaken */
static enum err settle_overtaken(struct mongo_conn *conn, struct store_settle *settle, struct why *why)
{
        struct mongo_change change;
        int64_t changed = 0;
        enum err e;

        settle_begin(&change, settle);                                    /* model: told in passing */
        lease_end(&change, settle->due.party, settle->settlement.unsure); /* model: doubt in passing */
        e = mongo_update(conn, conn->orders, holder_filter(&settle->due, settle->lease),
                         mongo_change_end(&change), /* many= */ false, &changed, NULL, why);
        settle->outcome = changed == 1 ? SETTLE_OVERTAKEN : SETTLE_LOST;
        return e;
}

/* model: settle */
enum err mongo_settle(void *arg, struct store_settle *settle, struct why *why)
{
        struct mongo_conn *conn = arg;
        CLEAN(bson_free_at) bson_t *before = NULL;
        bson_t *filter = holder_filter(&settle->due, settle->lease); /* model: the lease */
        enum status status;
        enum err e;

        BSON_APPEND_INT32(filter, NAME(settle->due.party, "want"), settle->want); /* model: the want */
        e = mongo_modify(conn, filter, settle_update(settle, store_now(conn->store)),
                         BCON_NEW("rev", BCON_BOOL(true), "status", BCON_BOOL(true)), /* after= */ false,
                         &before, why);
        if (e != ERR_OK)
                return e;
        if (!before)
                return settle_overtaken(conn, settle, why);
        settle->outcome = SETTLE_WRITTEN;
        if (settle->settlement.kind == SETTLE_DEAD && status_find(mongo_text(before, "status"), &status))
                job_changed(&settle->job, &settle->due, mongo_int(before, "rev", 0) + 1, status, status);
        return ERR_OK;
}

/* model: release */
enum err mongo_release(void *arg, struct store_release *release, struct why *why)
{
        struct mongo_conn *conn = arg;
        struct mongo_change change;
        int64_t changed = 0;

        mongo_change_begin(&change);
        lease_end(&change, release->due.party, release->unsure); /* model: doubt given back */
        return mongo_update(conn, conn->orders, holder_filter(&release->due, release->lease),
                            mongo_change_end(&change), /* many= */ false, &changed, NULL, why);
}

/* --- replay --- */

/* Due now, with all its tries. */
static void change_begin_anew(struct mongo_change *change, enum party party, int64_t now_ms)
{
        mongo_change_begin(change);
        BSON_APPEND_UTF8(&change->unset, NAME(party, "dead"), "");
        BSON_APPEND_INT32(&change->set, NAME(party, "try"), 0);
        BSON_APPEND_DATE_TIME(&change->set, NAME(party, "at"), now_ms); /* model: due again */
        BSON_APPEND_DATE_TIME(&change->set, "updatedAt", now_ms);
        BSON_APPEND_INT64(&change->inc, "rev", 1);
        change->seen = true;
}

/* model: replay */
static bson_t *replay_update(enum party party, int64_t now_ms)
{
        struct mongo_change change;

        change_begin_anew(&change, party, now_ms);
        return mongo_change_end(&change);
}

enum err mongo_replay(void *arg, const struct order *order, enum party party, bool *ret, struct why *why)
{
        struct mongo_conn *conn = arg;
        bson_t *filter = mongo_order_filter(&order->restaurant, &order->id);
        int64_t changed = 0;
        enum err e;

        BCON_APPEND(filter, NAME(party, "dead"), "{", "$exists", BCON_BOOL(true), "}");
        e = mongo_update(conn, conn->orders, filter, replay_update(party, store_now(conn->store)),
                         /* many= */ false, &changed, NULL, why);
        *ret = changed == 1;
        return e;
}

/* The failed ones of one party, as far as REPLAY_ALL_MAX goes: which, and then all of them at once. */
static enum err replay_all_of(struct mongo_conn *conn, struct store_replay_all *replay, enum party party,
                              struct why *why)
{
        bson_t *filter = BCON_NEW(NAME(party, "dead"), "{", "$exists", BCON_BOOL(true), "}");
        bson_t *chosen = bson_new();
        mongoc_cursor_t *cursor;
        const bson_t *found;
        bson_t in, ids;
        struct id id;
        char text[16];
        const char *key;
        uint32_t n = 0;
        int64_t changed = 0;
        enum err e;

        if (!id_is_zero(&replay->job.restaurant))
                BSON_APPEND_OID(filter, "restaurantId", oid_of(&replay->job.restaurant));
        bson_concat(chosen, filter);
        if (replay->has_platform)
                BSON_APPEND_UTF8(filter, "platform", platform_word(replay->platform));
        BCON_APPEND(filter, "updatedAt", "{", "$gt", BCON_DATE_TIME(replay->since_ms), "}");
        cursor = mongo_find(conn, conn->orders, filter,
                            BCON_NEW("limit", BCON_INT64(REPLAY_ALL_MAX - replay->replayed), "projection",
                                     "{", "_id", BCON_BOOL(true), "}"),
                            /* anywhere= */ false);
        BSON_APPEND_DOCUMENT_BEGIN(chosen, "_id", &in);
        BSON_APPEND_ARRAY_BEGIN(&in, "$in", &ids);
        while (mongoc_cursor_next(cursor, &found) && mongo_id(found, "_id", &id)) {
                bson_uint32_to_string(n++, &key, text, sizeof text);
                BSON_APPEND_OID(&ids, key, oid_of(&id));
        }
        bson_append_array_end(&in, &ids);
        bson_append_document_end(chosen, &in);
        e = mongo_end(conn, cursor, ERR_OK, why);
        if (e == ERR_OK && n > 0)
                e = mongo_update(conn, conn->orders, chosen, replay_update(party, store_now(conn->store)),
                                 /* many= */ true, &changed, NULL, why);
        else
                bson_destroy(chosen);
        replay->replayed += (int)changed;
        return e;
}

enum err mongo_replay_all(void *conn, struct store_replay_all *replay, struct why *why)
{
        enum err e = ERR_OK;

        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++)
                if (replay->replayed < REPLAY_ALL_MAX && (party == PARTY_PLATFORM || !replay->has_platform))
                        e = replay_all_of(conn, replay, (enum party)party, why);
        return e;
}

/* --- a courier firm is called by hand --- */

enum err mongo_call(void *arg, const struct order *order, const struct id *firm, bool *ret, struct why *why)
{
        const enum party party = PARTY_COURIER;
        struct mongo_conn *conn = arg;
        const struct id *before = &order->targets[party].firm;
        bson_t *filter = mongo_order_filter(&order->restaurant, &order->id);
        struct mongo_change change;
        int64_t changed = 0;
        enum err e;

        BSON_APPEND_INT64(filter, "rev", order->rev);
        if (id_is_zero(before)) /* which a claim chooses without a new rev */
                BCON_APPEND(filter, NAME(party, "firm"), "{", "$exists", BCON_BOOL(false), "}");
        change_begin_anew(&change, party, store_now(conn->store));
        BSON_APPEND_OID(&change.set, NAME(party, "firm"), oid_of(firm));
        BSON_APPEND_INT32(&change.inc, NAME(party, "calls"), 1);
        BSON_APPEND_INT32(&change.max, NAME(party, "want"), STEP_OF(STATUS_ACCEPTED));
        BSON_APPEND_INT32(&change.set, NAME(party, "told"), 0);
        BSON_APPEND_UTF8(&change.unset, NAME(party, "toldAt"), "");
        lease_end(&change, party, /* unsure= */ false);
        e = mongo_update(conn, conn->orders, filter, mongo_change_end(&change), /* many= */ false, &changed,
                         NULL, why);
        *ret = e == ERR_OK && changed == 1;
        if (e != ERR_OK || *ret)
                return e;
        /* A write that changes nothing: what was in the way is a majority's then, and seen by whoever looks again. */
        return mongo_update(conn, conn->orders, mongo_order_filter(&order->restaurant, &order->id),
                            BCON_NEW("$max", "{", "rev", BCON_INT64(0), "}"), /* many= */ false, &changed,
                            NULL, why);
}
