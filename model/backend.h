/* SPDX-License-Identifier: Apache-2.0 */
/* backend.h - what one kind of store must do for store.c, and what store.c does for it. Nobody else includes this.
 *
 * store.c knows what a verb means (who may, which token, which default reason, what is told to whom afterwards); a backend
 * knows threads, commits and rows. It runs each job by store_run() on one of its threads, and once what the job did is
 * durable hands it back by store_finish(). `conn` is the running thread's own connection. */
#pragma once

#include "model/store.h"

enum insert {
        INSERT_NEW,
        INSERT_SAME /* platform and platformOrderId are there */,
        INSERT_TAKEN /* the id, or a record's look, is another's */
};

struct page {
        const struct id *restaurant; /* NULL: all */
        int64_t before_ms; /* where the page begins: (created, id) below this; INT64_MAX: the newest */
        char before_id[RECORD_ID_SIZE];
};

/* Called with each row, which it may take (then it sets *order to NULL); false ends the scan. */
typedef bool(order_visit_fn)(void *arg, struct order **order);

struct backend {
        /* `where` is whole; what is wrong with it, as store_wrong(), or NULL. */
        const char *(*wrong)(const char *where);
        enum err (*open)(struct store *store, const char *where, void **ret, struct why *why);
        void (*close)(void *state);
        void (*submit)(void *state, struct job *job, bool writes);
        void (*kick)(void *state);
        bool (*is_ready)(const void *state);
        int64_t (*now)(const void *state); /* NULL: this machine's clock is the store's */

        /* Records. Absent: OK and ret->document NULL. */
        enum err (*record_get)(void *conn, enum record_kind kind, const char *id, struct record *ret,
                               struct why *why);
        enum err (*record_look)(void *conn, enum record_kind kind, const struct digest *look,
                                struct record *ret, struct why *why);
        enum err (*record_insert)(void *conn, const struct record *record, enum insert *ret, struct why *why);
        /* Only while its rev is record->rev - 1; *ret false otherwise. INTERNAL: a look is another's. */
        enum err (*record_update)(void *conn, const struct record *record, bool *ret, struct why *why);
        enum err (*record_delete)(void *conn, enum record_kind kind, const char *id, bool *ret,
                                  struct why *why);
        /* Up to `max` into `ret`, newest first. */
        enum err (*record_page)(void *conn, enum record_kind kind, const struct page *page, int max,
                                struct record *ret, int *ret_n, struct why *why);

        /* Orders. */
        enum err (*order_insert)(void *conn, const struct order *order, enum insert *ret, struct why *why);
        /* Absent, or not of `restaurant` (NULL: of whomever): OK and *ret NULL. */
        enum err (*order_get)(void *conn, const struct id *restaurant, const struct id *id,
                              struct order **ret, struct why *why);
        enum err (*order_find)(void *conn, const struct order *like, struct order **ret, struct why *why);
        /* Fills outcome, status, at_ms, job.change; `row` is the history row to append. */
        enum err (*order_move)(void *conn, struct store_move *move, const struct move *row, struct why *why);
        /* Fills job.change; *ret false: there is none that is NEW. */
        enum err (*order_rewrite)(void *conn, struct store_rewrite *rewrite, int64_t now_ms, bool *ret,
                                  struct why *why);
        enum err (*order_scan)(void *conn, const struct store_list *list, const struct page *page,
                               order_visit_fn *visit, void *arg, struct why *why);

        /* Fills changes->found, which has room for `max`. */
        enum err (*changes)(void *conn, struct store_changes *changes, struct why *why);

        /* Targets; each fills its verb's results. */
        enum err (*due)(void *conn, struct store_due *due, struct why *why);
        enum err (*claim)(void *conn, struct store_claim *claim, struct why *why);
        enum err (*settle)(void *conn, struct store_settle *settle, struct why *why);
        enum err (*release)(void *conn, struct store_release *release, struct why *why);
        /* *ret false: it has not failed. */
        enum err (*replay)(void *conn, const struct order *order, enum party party, bool *ret,
                           struct why *why);
        /* Adds to replay->replayed, which begins with 0, up to REPLAY_ALL_MAX. */
        enum err (*replay_all)(void *conn, struct store_replay_all *replay, struct why *why);
        enum err (*oldest_due)(void *conn, int64_t *ret_ms, struct why *why);
        /* Targets that are owed something, or have failed; no more than `max`. */
        enum err (*count)(void *conn, enum party party, bool failed, int max, int *ret, struct why *why);
        /* Writes the firm as the order's first; *ret false: the claim's lease is over, or there is a firm. */
        enum err (*choose)(void *conn, const struct store_claim *claim, const struct id *firm, bool *ret,
                           struct why *why);
        /* Makes `firm` the one that is called and due now, as struct store_call says; *ret false: the order is not any
         * more as it is given. */
        enum err (*call)(void *conn, const struct order *order, const struct id *firm, bool *ret,
                         struct why *why);
        /* Fills erase->found, n and more: whose phone it is, or what is over, or was left alone, since keep_ms. */
        enum err (*find_personal)(void *conn, struct store_erase *erase, int64_t now_ms, struct why *why);
        /* Writes what order_erase() left, only while rev is order->rev - 1; *ret false otherwise. */
        enum err (*order_erase)(void *conn, const struct order *order, bool *ret, struct why *why);
        /* The same for one that does not read, as far as it does; its history loses its notes. *ret false: there is none. */
        enum err (*order_wipe)(void *conn, const struct due *what, int64_t now_ms, bool *ret,
                               struct why *why);
        /* Adds to sweep->swept. */
        enum err (*sweep)(void *conn, struct store_sweep *sweep, struct why *why);
};

/* How long a time that an order is scheduled for can keep its personal data, from its creation on: scheduledDate is whatever
 * somebody wrote. */
#define SCHEDULED_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)

extern const struct backend backend_sqlite;
extern const struct backend backend_mongo;

/* Does what the job asks, on the backend's thread. Leaves job->err; safe to repeat after a rollback. */
void store_run(struct store *store, void *conn, struct job *job);

/* Everything in the list (linked by letter.next, in order) is durable, or has failed: tells the hooks, then gives the
 * jobs back with one wake-up per receiver. */
void store_finish(struct store *store, struct letter *jobs);

/* The store can be used: whether the keys are its own. Errors: keys_admit()'s. */
enum err store_admit_keys(const struct store *store, void *conn, struct why *why) MUST_USE;

/* How long a job may take in all; a lease may last. */
int64_t store_deadline(const struct store *store);
int64_t store_lease(const struct store *store);
/* For how long what the process before has sent may still arrive. */
int64_t store_calls(const struct store *store);
/* The clock that leases in memory are counted by: a step of the wall clock must not end one whose holder still calls. */
int64_t store_lease_now(const struct store *store);

/* DAMAGED, and a note: the one of `kind` ("order", or a record's) with this id does not read. */
enum err store_damaged(const struct store *store, const char *kind, const char *id, const char *how,
                       struct why *why);

/* The same of a record. */
enum err record_damaged(const struct store *store, enum record_kind kind, const char *id, const char *how,
                        struct why *why);

/* A backend's trouble, and its end; what it asked another process; and that so many jobs shared a commit, which took so
 * long. */
void store_note(const struct store *store, enum note note, const char *text);
void store_command(const struct store *store, const struct command *command);
void store_commit(const struct store *store, int jobs, int64_t took_us);

/* Whether a job whose outcome is unknown may be run again. */
bool job_may_repeat(const struct job *job);

/* Notes for the hooks what the job changed; `what` says where. The caller adds which targets are due. */
void job_changed(struct job *job, const struct due *what, int64_t rev, enum status before, enum status after);

/* The courier firm hears of all but "on the way" and "delivered", which it said itself (docs/design.md 5). */
bool move_concerns_courier(enum status to);
/* Whether what did not move tells all the same how far the platform is, so that `told` rises. A platform's own word counts
 * for an order that is further here, too; but not its cancel, where ours ended otherwise. */
bool move_tells(const struct store_move *move);

/* What a move means for an order that it did not move (docs/design.md 5): sets outcome, status and at_ms.
 * `order` has its history. */
void move_explain(const struct order *order, const char *op, struct store_move *move);
