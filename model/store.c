/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the door: who may come in, which verb runs, who is told of it. What a verb means stands in store_orders.c,
 * store_targets.c, store_erase.c and store_records.c; how rows are kept is the backend's. */
#include "model/store.h"

#include "model/admission.h"
#include "model/clean.h"
#include "model/integration.h"
#include "model/keys.h"
#include "model/restaurant.h"
#include "model/token.h"
#include "model/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_MAX_MS (INT64_C(15) * 60 * 1000) /* twice the longest timeout, and slack */
#define DEADLINE_MS 5000                       /* KURYE_REQUEST_DEADLINE's default */

static const struct {
        const char *scheme;
        const struct backend *backend;
} backends[] = {{"sqlite:", &backend_sqlite},
                {"mongodb://", &backend_mongo},
                {"mongodb+srv://", &backend_mongo}};

/* NULL: there is none of this scheme. */
static const struct backend *backend_of(const char *where)
{
        for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
                if (strncmp(where, backends[i].scheme, strlen(backends[i].scheme)) == 0)
                        return backends[i].backend;
        return NULL;
}

const char *store_wrong(const char *where)
{
        const struct backend *backend = backend_of(where);

        return backend ? backend->wrong(where)
                       : "must be sqlite:PATH, or a mongodb:// or mongodb+srv:// URI with a database";
}

enum err store_open(const struct store_options *options, struct store **ret, struct why *why)
{
        const char *wrong = store_wrong(options->where);
        struct store *store;
        enum err e;

        if (wrong)
                return FAIL(why, ERR_INTERNAL, "the store's place %s", wrong);
        store = calloc(1, sizeof *store);
        if (!store)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a store");
        store->ops = backend_of(options->where);
        store->hooks = options->hooks;
        store->now = options->now;
        store->lease_ms = options->lease_ms ? options->lease_ms : LEASE_MAX_MS;
        store->deadline_ms = options->deadline_ms ? options->deadline_ms : DEADLINE_MS;
        store->keyring = options->keyring;
        store->calls_ms = options->calls_ms;
        e = admission_new(&store->admission, why);
        if (e == ERR_OK)
                e = store->ops->open(store, options->where, &store->state, why);
        if (e != ERR_OK) {
                admission_free(store->admission);
                free(store);
                return e;
        }
        *ret = store;
        return ERR_OK;
}

void store_close(struct store *store)
{
        if (!store)
                return;
        store->ops->close(store->state);
        admission_free(store->admission);
        free(store);
}

void store_kick(struct store *store)
{
        store->ops->kick(store->state);
}

bool store_is_ready(const struct store *store)
{
        return store->ops->is_ready(store->state);
}

int store_waiting(const struct store *store)
{
        return atomic_load_explicit(&store->waiting, memory_order_relaxed);
}

int64_t store_now(const struct store *store)
{
        if (store->now)
                return store->now();
        return store->ops->now ? store->ops->now(store->state) : time_now_ms();
}

int64_t store_lease_now(const struct store *store)
{
        return store->now ? store->now() : time_boot_ms();
}

int64_t store_deadline(const struct store *store)
{
        return store->deadline_ms;
}

enum err store_admit_keys(const struct store *store, void *conn, struct why *why)
{
        return store->keyring ? keys_admit(store->ops, conn, store->keyring, why) : ERR_OK;
}

int64_t store_calls(const struct store *store)
{
        return store->calls_ms;
}

int64_t store_lease(const struct store *store)
{
        return store->lease_ms;
}

void store_note(const struct store *store, enum note note, const char *text)
{
        if (store->hooks.on_note)
                store->hooks.on_note(store->hooks.arg, note, text);
}

enum err store_damaged(const struct store *store, const char *kind, const char *id, const char *how,
                       struct why *why)
{
        FAIL(why, ERR_DAMAGED, "%s %s: %s", kind, id, how);
        store_note(store, NOTE_DAMAGED, why->text);
        return ERR_DAMAGED;
}

#define KIND_WORD(name, word) word,
static const char *const kinds[RECORD_KIND_COUNT] = {RECORD_KIND_TABLE(KIND_WORD)};
#undef KIND_WORD

enum err record_damaged(const struct store *store, enum record_kind kind, const char *id, const char *how,
                        struct why *why)
{
        return store_damaged(store, kinds[kind], id, how, why);
}

void store_command(const struct store *store, const struct command *command)
{
        if (store->hooks.on_command)
                store->hooks.on_command(store->hooks.arg, command);
}

void store_commit(const struct store *store, int jobs, int64_t took_us)
{
        if (store->hooks.on_commit)
                store->hooks.on_commit(store->hooks.arg, jobs, took_us);
}

static void submit(struct store *store, struct job *job, bool writes)
{
        job->submitted_us = time_boot_us();
        atomic_fetch_add_explicit(&store->waiting, 1, memory_order_relaxed);
        store->ops->submit(store->state, job, writes);
}

/* --- who asks --- */

/* The token's last use is worth a write of its own, which nobody waits for. */
static void touched(struct letter *letter)
{
        struct store_edit *edit = (struct store_edit *)letter;

        store_edit_done(edit);
        free(edit);
}

static void touch(struct store *store, const struct record *token)
{
        struct store_edit *edit = calloc(1, sizeof *edit);

        if (!edit)
                return;
        edit->job.letter.run = touched;
        edit->job.verb = VERB_TOUCH;
        edit->kind = token->kind;
        edit->edit = token_touch;
        text_copy(edit->id, sizeof edit->id, token->id);
        submit(store, &edit->job, /* writes= */ true);
        store->ops->kick(store->state);
}

/* The secret's owner, from what is kept: NULL document where it is unknown or not live any more. */
static enum err load_caller(struct store *store, void *conn, const struct access *access, struct caller *ret,
                            struct why *why)
{
        const enum record_kind kind = access->kind == ACCESS_KEY ? RECORD_INTEGRATION : RECORD_TOKEN;
        CLEAN(record_done) struct record record = {0};
        CLEAN(record_done) struct record restaurant = {0};
        char id[ID_TEXT_SIZE];
        enum err e;

        *ret = (struct caller){.until_ms = INT64_MAX};
        e = store->ops->record_look(conn, kind, &access->digest, &record, why);
        if (e != ERR_OK || !record.document)
                return e;
        if (kind == RECORD_INTEGRATION &&
            !integration_admits(&record, &access->digest, store_now(store), &ret->until_ms))
                return ERR_OK;
        e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&record.restaurant, id), &restaurant,
                                   why);
        if (e != ERR_OK || !restaurant.document || !restaurant_is_active(&restaurant))
                return e;
        if (kind == RECORD_TOKEN && token_needs_touch(&record, store_now(store)))
                touch(store, &record);
        ret->known = true;
        ret->restaurant = record.restaurant;
        if (!id_read(record.id, kind == RECORD_INTEGRATION ? &ret->integration : &ret->token))
                return FAIL(why, ERR_STORE_BROKEN, "the id of a secret's record is no id");
        return ERR_OK;
}

static enum err admit(struct store *store, void *conn, struct job *job)
{
        const struct access *access = &job->access;
        const enum err refusal = access->kind == ACCESS_KEY ? ERR_NO_INTEGRATION : ERR_UNAUTHORIZED;
        struct caller caller;
        uint64_t generation;
        enum err e;

        if (!admission_find(store->admission, access, store_now(store), &caller, &generation)) {
                e = load_caller(store, conn, access, &caller, &job->why);
                if (e != ERR_OK)
                        return e;
                if (!caller.known)
                        return FAIL(&job->why, refusal, "no live secret like this");
                admission_keep(store->admission, access, store_now(store), &caller, generation);
        }
        if (!id_is_zero(&access->restaurant) && !id_equal(&access->restaurant, &caller.restaurant))
                return FAIL(&job->why, access->kind == ACCESS_KEY ? refusal : ERR_NOT_FOUND,
                            "another restaurant's");
        job->restaurant = caller.restaurant;
        job->integration = caller.integration;
        job->token = caller.token;
        return ERR_OK;
}

static enum err check_access(struct store *store, void *conn, struct job *job)
{
        CLEAN(record_done) struct record restaurant = {0};
        char id[ID_TEXT_SIZE];
        enum err e;

        job->restaurant = job->access.restaurant;
        job->integration = job->token = (struct id){0};
        if (job->access.kind == ACCESS_KEY || job->access.kind == ACCESS_TOKEN)
                return admit(store, conn, job);
        if (id_is_zero(&job->restaurant) && job->access.kind == ACCESS_TRUSTED)
                return ERR_OK;
        e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&job->restaurant, id), &restaurant,
                                   &job->why);
        if (e != ERR_OK)
                return e;
        if (job->access.kind == ACCESS_PARTNER &&
            (!restaurant.document || !restaurant_is_active(&restaurant)))
                return FAIL(&job->why, ERR_UNAUTHORIZED, "the restaurant is not active");
        return restaurant.document ? ERR_OK : FAIL(&job->why, ERR_NOT_FOUND, "no such restaurant");
}

const struct id *scope_of(const struct job *job)
{
        return id_is_zero(&job->restaurant) ? NULL : &job->restaurant;
}

/* Whether something of `restaurant` is in the caller's reach. */
bool in_scope(const struct job *job, const struct id *restaurant)
{
        return id_is_zero(&job->restaurant) || id_equal(&job->restaurant, restaurant);
}

/* --- pages --- */

void cursor_write(char to[CURSOR_SIZE], int64_t created_ms, const char *id)
{
        snprintf(to, CURSOR_SIZE, "%lld-%s", (long long)created_ms, id);
}

enum err page_of(const struct job *job, const char *after, struct page *ret, struct why *why)
{
        char *end;

        *ret = (struct page){.restaurant = scope_of(job), .before_ms = INT64_MAX};
        if (!after[0])
                return ERR_OK;
        ret->before_ms = strtoll(after, &end, 10);
        if (end == after || *end != '-' || !text_is_printable(end + 1, 1, RECORD_ID_SIZE - 1))
                return FAIL_FIELD(why, "after", "not a cursor of ours");
        text_copy(ret->before_id, sizeof ret->before_id, end + 1);
        return ERR_OK;
}

/* --- running and finishing --- */

struct verb_row {
        enum err (*run)(struct store *store, void *conn, struct job *job);
        bool writes;
        bool once; /* not repeated by the store after an unknown outcome: whoever asked does better */
};

static const struct verb_row verbs[] = {
        [VERB_CREATE] = {.run = run_create, .writes = true},
        [VERB_MOVE] = {.run = run_move, .writes = true},
        [VERB_READ] = {.run = run_read},
        [VERB_LIST] = {.run = run_list},
        [VERB_DUE] = {.run = run_due, .writes = true, .once = true}, /* needs the writer's leases */
        [VERB_CLAIM] = {.run = run_claim,
                        .writes = true,
                        .once = true}, /* the lease that it may have taken ends */
        [VERB_SETTLE] = {.run = run_settle, .writes = true},
        [VERB_RELEASE] = {.run = run_release, .writes = true},
        [VERB_REPLAY] = {.run = run_replay, .writes = true},
        [VERB_REPLAY_ALL] = {.run = run_replay_all, .writes = true},
        [VERB_PROBE] = {.run = run_probe, .once = true},
        [VERB_PUT] = {.run = run_put, .writes = true},
        [VERB_GET] = {.run = run_get},
        [VERB_FIND] = {.run = run_find},
        [VERB_EDIT] = {.run = run_edit, .writes = true},
        [VERB_DROP] = {.run = run_drop, .writes = true},
        [VERB_TOUCH] = {.run = run_edit, .writes = true},
        [VERB_IMPORT] = {.run = run_import, .writes = true},
        [VERB_CALL] = {.run = run_call, .writes = true},
        [VERB_SWEEP] = {.run = run_sweep, .writes = true},
        [VERB_REWRITE] = {.run = run_rewrite, .writes = true},
        [VERB_CHANGES] = {.run = run_changes},
        [VERB_ERASE] = {.run = run_erase, .writes = true},
};

void store_run(struct store *store, void *conn, struct job *job)
{
        job->changed = false;
        job->n_changes = 0;
        err_starved();
        job->err = check_access(store, conn, job);
        if (job->err == ERR_OK)
                job->err = verbs[job->verb].run(store, conn, job);
        if (err_starved() && err_row(job->err)->http < 500)
                job->err = FAIL(&job->why, ERR_NO_MEMORY, "no memory for a document");
}

bool job_may_repeat(const struct job *job)
{
        return !verbs[job->verb].once;
}

void job_changed(struct job *job, const struct due *what, int64_t rev, enum status before, enum status after)
{
        job->changed = true;
        job->change = (struct change){.order = what->order,
                                      .restaurant = what->restaurant,
                                      .platform = what->platform,
                                      .rev = rev,
                                      .before = before,
                                      .after = after};
}

#define RECEIVERS_MAX 8

static void give_back(struct job *job, struct inbox *receivers[RECEIVERS_MAX], int *n)
{
        struct inbox *reply = job->reply;
        int i = 0;

        if (!reply) {
                job->letter.run(&job->letter);
                return;
        }
        inbox_post(reply, &job->letter); /* the job is its owner's from here on */
        while (i < *n && receivers[i] != reply)
                i++;
        if (i == RECEIVERS_MAX)
                inbox_ring(reply);
        else if (i == *n)
                receivers[(*n)++] = reply;
}

/* Whether it may have changed who is admitted, so that what is remembered of that goes. */
static bool readmits(const struct job *job)
{
        enum record_kind kind = RECORD_KIND_COUNT;

        if (job->verb == VERB_EDIT)
                kind = ((const struct store_edit *)job)->kind;
        else if (job->verb == VERB_DROP)
                kind = ((const struct store_drop *)job)->kind;
        return kind == RECORD_RESTAURANT || kind == RECORD_TOKEN || kind == RECORD_INTEGRATION;
}

/* Whether there was anything to tell. */
static bool tell(const struct store *store, const struct job *job)
{
        const struct store_hooks *hooks = &store->hooks;

        if (job->err != ERR_OK || !hooks->on_change || (!job->changed && job->n_changes == 0))
                return false;
        if (job->changed)
                hooks->on_change(hooks->arg, &job->change);
        for (int i = 0; i < job->n_changes; i++)
                hooks->on_change(hooks->arg, &job->changes[i]);
        return true;
}

void store_finish(struct store *store, struct letter *jobs)
{
        struct inbox *receivers[RECEIVERS_MAX];
        const int64_t now_us = time_boot_us();
        struct letter *next;
        bool changed = false;
        int n = 0;

        for (struct letter *letter = jobs; letter; letter = next) {
                struct job *job = (struct job *)letter;

                next = letter->next;
                if (store->hooks.on_verb)
                        store->hooks.on_verb(store->hooks.arg, job->verb, now_us - job->submitted_us,
                                             err_row(job->err)->http >= 500);
                atomic_fetch_sub_explicit(&store->waiting, 1, memory_order_relaxed);
                if (job->err == ERR_OK && readmits(job))
                        admission_forget(store->admission);
                changed |= tell(store, job);
                give_back(job, receivers, &n);
        }
        if (changed && store->hooks.on_round)
                store->hooks.on_round(store->hooks.arg);
        for (int i = 0; i < n; i++)
                inbox_ring(receivers[i]);
}

#define VERB(name, NAME)                                                \
        void store_##name(struct store *store, struct store_##name *in) \
        {                                                               \
                in->job.verb = VERB_##NAME;                             \
                submit(store, &in->job, verbs[VERB_##NAME].writes);     \
        }

VERB(create, CREATE)
VERB(move, MOVE)
VERB(read, READ)
VERB(list, LIST)
VERB(changes, CHANGES)
VERB(due, DUE)
VERB(claim, CLAIM)
VERB(settle, SETTLE)
VERB(release, RELEASE)
VERB(replay, REPLAY)
VERB(replay_all, REPLAY_ALL)
VERB(probe, PROBE)
VERB(put, PUT)
VERB(get, GET)
VERB(find, FIND)
VERB(edit, EDIT)
VERB(drop, DROP)
VERB(import, IMPORT)
VERB(call, CALL)
VERB(sweep, SWEEP)
VERB(rewrite, REWRITE)
VERB(erase, ERASE)
