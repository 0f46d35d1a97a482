/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.h - what the files of the store's verbs share; each verb runs on a backend's thread, `conn` is that thread's.
 * Nobody else includes this. */
#pragma once

#include "model/backend.h"

#include <stdatomic.h>

struct admission;

struct store {
        const struct backend *ops;
        void *state;
        struct store_hooks hooks;
        int64_t (*now)(void); /* NULL: the backend's */
        int64_t lease_ms;
        int64_t deadline_ms;
        const struct keyring *keyring;
        int64_t calls_ms;
        struct admission *admission;
        atomic_int waiting; /* jobs that are not handed back */
};

/* Whose data the caller may reach; NULL: everybody's. */
const struct id *scope_of(const struct job *job);
/* Whether something of `restaurant` is in the caller's reach. */
bool in_scope(const struct job *job, const struct id *restaurant);

/* A page's cursor is `<created>-<id>` of the last one shown. Errors of page_of: BAD_FIELD after. */
void cursor_write(char to[CURSOR_SIZE], int64_t created_ms, const char *id);
enum err page_of(const struct job *job, const char *after, struct page *ret, struct why *why);

/* store_orders.c, store_targets.c, store_erase.c, store_records.c: the verbs. Each may be run again after a rollback. */
enum err run_create(struct store *store, void *conn, struct job *job);
enum err run_move(struct store *store, void *conn, struct job *job);
enum err run_rewrite(struct store *store, void *conn, struct job *job);
enum err run_read(struct store *store, void *conn, struct job *job);
enum err run_list(struct store *store, void *conn, struct job *job);
enum err run_changes(struct store *store, void *conn, struct job *job);
enum err run_due(struct store *store, void *conn, struct job *job);
enum err run_claim(struct store *store, void *conn, struct job *job);
enum err run_settle(struct store *store, void *conn, struct job *job);
enum err run_release(struct store *store, void *conn, struct job *job);
enum err run_replay(struct store *store, void *conn, struct job *job);
enum err run_replay_all(struct store *store, void *conn, struct job *job);
enum err run_probe(struct store *store, void *conn, struct job *job);
enum err run_put(struct store *store, void *conn, struct job *job);
enum err run_get(struct store *store, void *conn, struct job *job);
enum err run_find(struct store *store, void *conn, struct job *job);
enum err run_edit(struct store *store, void *conn, struct job *job);
enum err run_import(struct store *store, void *conn, struct job *job);
enum err run_call(struct store *store, void *conn, struct job *job);
enum err run_erase(struct store *store, void *conn, struct job *job);
enum err run_sweep(struct store *store, void *conn, struct job *job);
enum err run_drop(struct store *store, void *conn, struct job *job);
