/* SPDX-License-Identifier: Apache-2.0 */
/* store_mongo.h - what the files of the MongoDB store share: a thread's connection, the few ways to ask by it, and how our
 * values stand in BSON.
 *
 * One document an order, one atomic update a fact, plain operators only, no transaction: the same on a lone server, a
 * replica set and a sharded cluster, from MongoDB 4.0 on (docs/mongodb.md). Every filter on orders carries the
 * restaurant, which is the shard key, but for those that ask about everybody's by nature: what is due, what has expired, whose
 * personal data goes, and an admin's list. */
#pragma once

#include "model/backend.h"

#include <mongoc/mongoc.h>
#include <stdatomic.h>

struct mongo;

/* A thread's own: libmongoc's client serves one thread at a time. */
struct mongo_conn {
        struct store *store;
        struct mongo *mongo;
        struct mongo_clock *clock; /* the mongo's */
        mongoc_client_t *client;
        mongoc_database_t *database;
        mongoc_collection_t *orders;
        mongoc_collection_t *records[RECORD_KIND_COUNT];
        mongoc_read_prefs_t *primary; /* for what decisions rest on; only lists go where the URI says */
        int32_t patience_ms;          /* what the server may take for one command */
        bool again;                   /* the last failure may be over when it is tried again */
        bool gone;                    /* it was that nobody answers */
};

/* Makes the indexes that are not there. Errors: STORE_BROKEN; one is refused: conn->again is false. */
enum err mongo_make_indexes(struct mongo_conn *conn, struct why *why);

/* --- mongo_clock.c: what time it is --- */

struct mongo_clock {
        atomic_llong offset_ms;     /* the store's clock less CLOCK_BOOTTIME */
        atomic_llong held_ms;       /* leases are counted by one that is so much behind, */
        atomic_llong held_until_ms; /* until then (CLOCK_BOOTTIME) */
        /* the heart's */
        int64_t back_ms;  /* by so much it was set back, which is not made good yet */
        int64_t doubt_ms; /* twice what the offset may be wrong by */
};
/* By this machine's, as long as the store's is not known. */
void mongo_clock_begin(struct mongo_clock *clock);
/* The store said that it is `there_ms`, when it was asked at this time (CLOCK_BOOTTIME) and took so long. */
void mongo_clock_read(struct mongo_conn *conn, int64_t there_ms, int64_t asked_ms, int64_t took_ms);
int64_t mongo_clock_now(const struct mongo_clock *clock);
/* The store's clock, but that one which was just set forward ends no lease before its time. */
int64_t mongo_lease_now(const struct mongo_conn *conn);
/* Once at the beginning, and after each mongo_clock_read(): what waits, or is leased, longer than it would if the clock had
 * not been set back, does so no more. */
enum err mongo_clock_begin_orders(struct mongo_conn *conn, struct why *why) MUST_USE;
enum err mongo_clock_follow(struct mongo_conn *conn, struct why *why) MUST_USE;

/* The store is told of each command of the pool's clients. */
void mongo_watch_commands(mongoc_client_pool_t *pool, struct store *store);

/* --- asking; each takes its filter, update and the like over --- */

/* Finds one and changes it; *ret: as it was before (`after` false) or is now, cut to `fields`; NULL: none matched. The
 * caller's, bson_destroy(). */
enum err mongo_modify(struct mongo_conn *conn, bson_t *filter, bson_t *update, bson_t *fields, bool after,
                      bson_t **ret, struct why *why);
/* Of one collection; *ret_changed: how many matched (`many` false: one at most) and were changed. A broken unique index is
 * *ret_taken where that is given. */
enum err mongo_update(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter,
                      bson_t *update, bool many, int64_t *ret_changed, bool *ret_taken, struct why *why);
enum err mongo_insert(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *document,
                      bool *ret_taken, struct why *why);
enum err mongo_delete(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter,
                      bool *ret_deleted, struct why *why);

/* A cursor that mongo_end() ends: with `e`, or with what made the documents end early. `anywhere`: a reader that the URI
 * prefers will do. */
mongoc_cursor_t *mongo_find(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter,
                            bson_t *options, bool anywhere);
/* So many orders of a page come in one answer: for the longest that a connection ever had libmongoc keeps the room until its
 * end, and an order may have 256 KB. */
#define ORDER_BATCH 16
enum err mongo_end(struct mongo_conn *conn, mongoc_cursor_t *cursor, enum err e, struct why *why) MUST_USE;
/* The first that matches: a copy, the caller's; NULL: none. */
enum err mongo_find_one(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter,
                        bson_t *fields, bson_t **ret, struct why *why);

/* STORE_BROKEN. Of a server's own words only its code and that code's name are kept: they may quote a document. */
enum err mongo_failed(struct mongo_conn *conn, const char *what, const bson_error_t *error,
                      const bson_t *reply, struct why *why);

/* CLEAN(bson_free_at) bson_t *document = NULL; */
static inline void bson_free_at(bson_t **at)
{
        bson_destroy(*at);
}

/* --- an update, operator by operator: what stays empty is left out --- */

struct mongo_change {
        bson_t set, unset, max, min, inc, push;
        bool seen; /* the server writes its own time: somebody may want to hear of it */
};
void mongo_change_begin(struct mongo_change *change);
/* The whole update; the parts are freed. */
bson_t *mongo_change_end(struct mongo_change *change);

/* --- values --- */

/* The same twelve bytes. */
static inline const bson_oid_t *oid_of(const struct id *id)
{
        return (const bson_oid_t *)id->bytes;
}

/* An id of a record: an ObjectId where it looks like one, as all but a connection's do. */
void mongo_append_id(bson_t *to, const char *key, const char *id);
/* What stands on a page or behind it: by (createdAt, _id), newest first. */
bson_t *mongo_page_filter(const struct page *page);

/* Of one order; `restaurant` NULL: whosever it is. */
bson_t *mongo_order_filter(const struct id *restaurant, const struct id *id);

/* A member of a document, or its fallback: absent and of another type are the same. */
int64_t mongo_int(const bson_t *from, const char *key, int64_t fallback);
int64_t mongo_time(const bson_t *from, const char *key, int64_t fallback);
bool mongo_bool(const bson_t *from, const char *key);
/* Borrowed; "": none. */
const char *mongo_text(const bson_t *from, const char *key);
bool mongo_id(const bson_t *from, const char *key, struct id *ret);
/* A document or array in it; false: none. Borrowed, not to be destroyed. */
bool mongo_part(const bson_t *from, const char *key, bson_t *ret);

/* JSON of ours as BSON: money as decimals, times as dates, so that a person with a shell reads them. `text` NULL: nothing
 * is added. False without memory, or where it is no JSON object or array. */
bool mongo_append_json(bson_t *to, const char *key, const char *text);
/* And back, in the same words; NULL without memory, or where the key is absent. The caller frees. */
char *mongo_json(const bson_t *from, const char *key);

/* The order that a document holds; `whole` false: its `document` may have been left out. Errors: NO_MEMORY, DAMAGED. */
enum err mongo_order_read(struct mongo_conn *conn, const bson_t *from, bool whole, struct order **ret,
                          struct why *why);

/* mongo_records.c: backend.h's operations on records. */
enum err mongo_record_get(void *conn, enum record_kind kind, const char *id, struct record *ret,
                          struct why *why);
enum err mongo_record_look(void *conn, enum record_kind kind, const struct digest *look, struct record *ret,
                           struct why *why);
enum err mongo_record_insert(void *conn, const struct record *record, enum insert *ret, struct why *why);
enum err mongo_record_update(void *conn, const struct record *record, bool *ret, struct why *why);
enum err mongo_record_delete(void *conn, enum record_kind kind, const char *id, bool *ret, struct why *why);
enum err mongo_record_page(void *conn, enum record_kind kind, const struct page *page, int max,
                           struct record *ret, int *ret_n, struct why *why);

/* mongo_orders.c: backend.h's operations on orders. */
enum err mongo_order_insert(void *conn, const struct order *order, enum insert *ret, struct why *why);
enum err mongo_order_get(void *conn, const struct id *restaurant, const struct id *id, struct order **ret,
                         struct why *why);
enum err mongo_order_find(void *conn, const struct order *like, struct order **ret, struct why *why);
enum err mongo_order_move(void *conn, struct store_move *move, const struct move *row, struct why *why);
enum err mongo_order_rewrite(void *conn, struct store_rewrite *rewrite, int64_t now_ms, bool *ret,
                             struct why *why);

/* mongo_lists.c: backend.h's operations on many orders. */
enum err mongo_order_scan(void *conn, const struct store_list *list, const struct page *page,
                          order_visit_fn *visit, void *arg, struct why *why);
enum err mongo_changes(void *conn, struct store_changes *changes, struct why *why);

/* mongo_sweep.c: backend.h's operations by which things go away. */
enum err mongo_sweep(void *conn, struct store_sweep *sweep, struct why *why);
enum err mongo_find_personal(void *conn, struct store_erase *erase, int64_t now_ms, struct why *why);
enum err mongo_order_erase(void *conn, const struct order *order, bool *ret, struct why *why);
enum err mongo_order_wipe(void *conn, const struct due *what, int64_t now_ms, bool *ret, struct why *why);

/* mongo_targets.c: backend.h's operations on targets. */
enum err mongo_due(void *conn, struct store_due *due, struct why *why);
enum err mongo_claim(void *conn, struct store_claim *claim, struct why *why);
enum err mongo_settle(void *conn, struct store_settle *settle, struct why *why);
enum err mongo_release(void *conn, struct store_release *release, struct why *why);
enum err mongo_replay(void *conn, const struct order *order, enum party party, bool *ret, struct why *why);
enum err mongo_replay_all(void *conn, struct store_replay_all *replay, struct why *why);
enum err mongo_oldest_due(void *conn, int64_t *ret_ms, struct why *why);
enum err mongo_count(void *conn, enum party party, bool failed, int max, int *ret, struct why *why);
enum err mongo_choose(void *conn, const struct store_claim *claim, const struct id *firm, bool *ret,
                      struct why *why);
enum err mongo_call(void *conn, const struct order *order, const struct id *firm, bool *ret, struct why *why);
