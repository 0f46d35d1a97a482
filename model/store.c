/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the verbs: who may, what they mean, whom they concern. How rows are kept is the backend's. */
#include "model/store.h"

#include "model/admission.h"
#include "model/backend.h"
#include "model/clean.h"
#include "model/connection.h"
#include "model/dialect.h"
#include "model/integration.h"
#include "model/restaurant.h"
#include "model/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX (4 << 20)

struct store {
        const struct backend *ops;
        void *state;
        struct store_hooks hooks;
        int64_t (*now)(void);
        struct admission *admission;
};

static const struct backend *const backends[] = {&backend_sqlite};

enum err store_open(const struct store_options *options, struct store **ret, struct why *why)
{
        struct store *store;
        enum err e;

        for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
                size_t n = strlen(backends[i]->scheme);

                if (strncmp(options->where, backends[i]->scheme, n) != 0)
                        continue;
                store = calloc(1, sizeof *store);
                if (!store)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a store");
                store->ops = backends[i];
                store->hooks = options->hooks;
                store->now = options->now ? options->now : time_now_ms;
                e = admission_new(&store->admission, why);
                if (e == ERR_OK)
                        e = store->ops->open(store, options->where + n, &store->state, why);
                if (e != ERR_OK) {
                        admission_free(store->admission);
                        free(store);
                        return e;
                }
                *ret = store;
                return ERR_OK;
        }
        return FAIL(why, ERR_INTERNAL, "no store of this kind: a store is sqlite:<path>");
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

int64_t store_now(const struct store *store)
{
        return store->now();
}

void store_note(const struct store *store, enum note note, const char *text)
{
        if (store->hooks.on_note)
                store->hooks.on_note(store->hooks.arg, note, text);
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
        store->ops->submit(store->state, &edit->job, /* writes= */ true);
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
            !integration_admits(&record, &access->digest, store->now(), &ret->until_ms))
                return ERR_OK;
        e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&record.restaurant, id), &restaurant,
                                   why);
        if (e != ERR_OK || !restaurant.document || !restaurant_is_active(&restaurant))
                return e;
        if (kind == RECORD_TOKEN && token_needs_touch(&record, store->now()))
                touch(store, &record);
        ret->known = true;
        ret->restaurant = record.restaurant;
        if (kind == RECORD_INTEGRATION && !id_read(record.id, &ret->integration))
                return FAIL(why, ERR_STORE_BROKEN, "an integration's id is no id");
        return ERR_OK;
}

static enum err admit(struct store *store, void *conn, struct job *job)
{
        const struct access *access = &job->access;
        const enum err refusal = access->kind == ACCESS_KEY ? ERR_NO_INTEGRATION : ERR_UNAUTHORIZED;
        struct caller caller;
        uint64_t generation;
        enum err e;

        if (!admission_find(store->admission, access, store->now(), &caller, &generation)) {
                e = load_caller(store, conn, access, &caller, &job->why);
                if (e != ERR_OK)
                        return e;
                if (!caller.known)
                        return FAIL(&job->why, refusal, "no live secret like this");
                admission_keep(store->admission, access, store->now(), &caller, generation);
        }
        if (!id_is_zero(&access->restaurant) && !id_equal(&access->restaurant, &caller.restaurant))
                return FAIL(&job->why, access->kind == ACCESS_KEY ? refusal : ERR_NOT_FOUND,
                            "another restaurant's");
        job->restaurant = caller.restaurant;
        job->integration = caller.integration;
        return ERR_OK;
}

static enum err check_access(struct store *store, void *conn, struct job *job)
{
        CLEAN(record_done) struct record restaurant = {0};
        char id[ID_TEXT_SIZE];
        enum err e;

        job->restaurant = job->access.restaurant;
        job->integration = (struct id){0};
        if (job->access.kind != ACCESS_TRUSTED)
                return admit(store, conn, job);
        if (id_is_zero(&job->restaurant))
                return ERR_OK;
        e = store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&job->restaurant, id), &restaurant,
                                   &job->why);
        if (e == ERR_OK && !restaurant.document)
                return FAIL(&job->why, ERR_NOT_FOUND, "no such restaurant");
        return e;
}

static const struct id *scope_of(const struct job *job)
{
        return id_is_zero(&job->restaurant) ? NULL : &job->restaurant;
}

/* Whether something of `restaurant` is in the caller's reach. */
static bool in_scope(const struct job *job, const struct id *restaurant)
{
        return id_is_zero(&job->restaurant) || id_equal(&job->restaurant, restaurant);
}

/* --- orders --- */

static enum err run_create(struct store *store, void *conn, struct job *job)
{
        struct store_create *create = (struct store_create *)job;
        CLEAN(order_free_at) struct order *same = NULL;
        struct order *order = create->order;
        enum insert insert;
        enum err e;

        if (order->n_moves == 0) {
                e = order_begin(order, &job->restaurant, create->by, store->now(), &job->why);
                if (e != ERR_OK)
                        return e;
        }
        e = store->ops->order_insert(conn, order, &insert, &job->why);
        if (e != ERR_OK)
                return e;
        if (insert == INSERT_SAME) {
                e = store->ops->order_find(conn, order, &same, &job->why);
                if (e != ERR_OK)
                        return e;
                if (!same)
                        return FAIL(&job->why, ERR_BUSY, "the same order went away while it was looked at");
                order_free(create->order);
                create->order = TAKE(same);
        }
        create->outcome = insert == INSERT_NEW    ? CREATE_NEW
                          : insert == INSERT_SAME ? CREATE_SAME
                                                  : CREATE_TAKEN;
        job->changed = insert == INSERT_NEW;
        if (job->changed)
                job->change = (struct change){.order = order->id,
                                              .restaurant = order->restaurant,
                                              .platform = order->platform,
                                              .rev = order->rev,
                                              .before = STATUS_COUNT,
                                              .after = order->status};
        return ERR_OK;
}

void store_create_done(struct store_create *create)
{
        order_free(TAKE(create->order));
}

/* A repeat must be recognised by the same key of the same integration; without a key, only by our own repeat. */
static enum err make_op(const struct store_move *move, char op[OP_TEXT_SIZE], struct why *why)
{
        uint8_t text[sizeof(struct id) + IDEMPOTENCY_KEY_SIZE];
        const size_t n = strlen(move->idempotency_key);
        struct digest digest;

        if (n == 0) {
                if (!crypto_random(&digest, sizeof digest))
                        return FAIL(why, ERR_INTERNAL, "no randomness");
        } else {
                memcpy(text, &move->job.integration, sizeof(struct id));
                memcpy(text + sizeof(struct id), move->idempotency_key, n);
                if (!crypto_sha256(text, sizeof(struct id) + n, &digest))
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a digest");
        }
        hex_write(digest.bytes, (OP_TEXT_SIZE - 1) / 2, op);
        return ERR_OK;
}

/* A cancel needs a reason: the platform's "other" where none is given and it has one. */
static enum err fill_reason(struct store *store, void *conn, struct store_move *move)
{
        CLEAN(order_free_at) struct order *order = NULL;
        const struct dialect *dialect;
        enum err e;

        if (move->to != STATUS_CANCELLED || move->reason[0] || move->told)
                return ERR_OK;
        e = store->ops->order_get(conn, &move->order, &order, &move->job.why);
        if (e != ERR_OK || !order || !in_scope(&move->job, &order->restaurant))
                return e;
        dialect = dialect_of(order->platform);
        if (!dialect || status_is_final(order->status))
                return ERR_OK;
        if (!dialect->other_reason)
                return FAIL_FIELD(&move->job.why, "reasonId", "%s has no other reason",
                                  platform_word(order->platform));
        text_copy(move->reason, sizeof move->reason, dialect->other_reason);
        return ERR_OK;
}

void move_explain(const struct order *order, const char *op, struct store_move *move)
{
        const struct move *row = NULL;

        for (int i = 0; i < order->n_moves; i++)
                if (streq(order->moves[i].op, op))
                        row = &order->moves[i];
        if (row)
                move->outcome = row->to == move->to ? MOVE_MOVED : MOVE_KEY_REUSED;
        else if (status_is_final(order->status) && (order->status != move->to || move->by == ACTOR_COURIER))
                move->outcome = MOVE_FINAL;
        else
                move->outcome = order->status == move->to ? MOVE_SAME : MOVE_PAST;
        if (!row)
                row = order_find_move(order, order->status);
        move->status = row ? row->to : order->status;
        move->at_ms = row ? row->at_ms : order->updated_ms;
}

static enum err run_move(struct store *store, void *conn, struct job *job)
{
        struct store_move *move = (struct store_move *)job;
        struct move row = {
                .to = move->to, .at_ms = store->now(), .by = move->by, .integration = job->integration};
        enum err e;

        store_move_done(move);
        e = make_op(move, row.op, &job->why);
        if (e == ERR_OK)
                e = fill_reason(store, conn, move);
        if (e != ERR_OK)
                return e;
        text_copy(row.reason, sizeof row.reason, move->reason);
        if (move->note) {
                row.note = strdup(move->note);
                if (!row.note)
                        return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a note");
        }
        e = store->ops->order_move(conn, move, &row, &job->why);
        free(row.note);
        if (e != ERR_OK || !move->want_order || move->outcome == MOVE_UNKNOWN)
                return e;
        return store->ops->order_get(conn, &move->order, &move->stored, &job->why);
}

void store_move_done(struct store_move *move)
{
        order_free(TAKE(move->stored));
}

static enum err run_read(struct store *store, void *conn, struct job *job)
{
        struct store_read *read = (struct store_read *)job;
        enum err e;

        store_read_done(read);
        e = store->ops->order_get(conn, &read->order, &read->stored, &job->why);
        if (e == ERR_OK && read->stored && !in_scope(job, &read->stored->restaurant))
                store_read_done(read);
        return e;
}

void store_read_done(struct store_read *read)
{
        order_free(TAKE(read->stored));
}

/* --- pages: a cursor is `<created>-<id>` of the last one shown --- */

static void cursor_write(char to[CURSOR_SIZE], int64_t created_ms, const char *id)
{
        snprintf(to, CURSOR_SIZE, "%lld-%s", (long long)created_ms, id);
}

static enum err page_of(const struct job *job, const char *after, struct page *ret, struct why *why)
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

struct collector {
        struct store_list *list;
        int64_t now_ms;
        size_t bytes;
        bool more;
};

static bool has_delivery(const struct order *order, enum delivery wanted, int64_t now_ms)
{
        const struct step *step;
        enum delivery state;

        for (int party = 0; party < PARTY_COUNT; party++)
                if (target_state(order, (enum party)party, now_ms, &state, &step) && state == wanted)
                        return true;
        return false;
}

static bool collect(void *arg, struct order **order)
{
        struct collector *c = arg;
        struct store_list *list = c->list;
        char id[ID_TEXT_SIZE];

        if (list->has_delivery && !has_delivery(*order, list->delivery, c->now_ms))
                return true;
        if (list->n == list->limit || c->bytes > LIST_BYTES_MAX) {
                const struct order *last = list->orders[list->n - 1];

                cursor_write(list->next, last->created_ms, id_write(&last->id, id));
                return false;
        }
        if ((*order)->document)
                c->bytes += strlen((*order)->document);
        list->orders[list->n++] = TAKE(*order);
        return true;
}

static enum err run_list(struct store *store, void *conn, struct job *job)
{
        struct store_list *list = (struct store_list *)job;
        struct collector collector = {.list = list, .now_ms = store->now()};
        struct page page;
        enum err e;

        store_list_done(list);
        e = page_of(job, list->after, &page, &job->why);
        if (e != ERR_OK)
                return e;
        list->orders = calloc((size_t)list->limit, sizeof *list->orders);
        if (!list->orders)
                return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a page");
        return store->ops->order_scan(conn, list, &page, collect, &collector, &job->why);
}

void store_list_done(struct store_list *list)
{
        for (int i = 0; i < list->n; i++)
                order_free(list->orders[i]);
        free(TAKE(list->orders));
        list->n = 0;
        list->next[0] = '\0';
}

/* --- what is owed --- */

static enum err run_due(struct store *store, void *conn, struct job *job)
{
        struct store_due *due = (struct store_due *)job;

        due->n = 0;
        due->next_ms = 0;
        return store->ops->due(conn, due, &job->why);
}

static enum err run_claim(struct store *store, void *conn, struct job *job)
{
        struct store_claim *claim = (struct store_claim *)job;
        char id[RECORD_ID_SIZE];
        enum err e;

        store_claim_done(claim);
        claim->claimed = false;
        e = store->ops->claim(conn, claim, &job->why);
        if (e != ERR_OK || !claim->claimed)
                return e;
        connection_id(&claim->due.restaurant, claim->due.platform, id);
        return store->ops->record_get(conn, RECORD_CONNECTION, id, &claim->connection, &job->why);
}

void store_claim_done(struct store_claim *claim)
{
        order_free(TAKE(claim->order));
        record_done(&claim->connection);
}

static enum err run_settle(struct store *store, void *conn, struct job *job)
{
        return store->ops->settle(conn, (struct store_settle *)job, &job->why);
}

void store_settle_done(struct store_settle *settle)
{
        free(TAKE(settle->row));
}

static enum err run_release(struct store *store, void *conn, struct job *job)
{
        return store->ops->release(conn, (struct store_release *)job, &job->why);
}

static enum err run_replay(struct store *store, void *conn, struct job *job)
{
        struct store_replay *replay = (struct store_replay *)job;
        CLEAN(order_free_at) struct order *order = NULL;
        const struct step *step;
        enum delivery state;
        bool replayed = false;
        enum err e;

        store_replay_done(replay);
        replay->outcome = REPLAY_UNKNOWN;
        e = store->ops->order_get(conn, &replay->order, &order, &job->why);
        if (e != ERR_OK || !order || !in_scope(job, &order->restaurant) ||
            !target_state(order, replay->party, store->now(), &state, &step))
                return e;
        e = store->ops->replay(conn, order, replay->party, &replayed, &job->why);
        if (e != ERR_OK)
                return e;
        replay->outcome = replayed ? REPLAY_DONE : REPLAY_NOT_FAILED;
        if (!replayed)
                return ERR_OK;
        job->changed = true;
        job->change = (struct change){.order = order->id,
                                      .restaurant = order->restaurant,
                                      .platform = order->platform,
                                      .rev = order->rev + 1,
                                      .before = order->status,
                                      .after = order->status};
        job->change.due[replay->party] = true;
        return store->ops->order_get(conn, &replay->order, &replay->stored, &job->why);
}

void store_replay_done(struct store_replay *replay)
{
        order_free(TAKE(replay->stored));
}

static enum err run_replay_all(struct store *store, void *conn, struct job *job)
{
        return store->ops->replay_all(conn, (struct store_replay_all *)job, &job->why);
}

static enum err run_probe(struct store *store, void *conn, struct job *job)
{
        struct store_probe *probe = (struct store_probe *)job;

        probe->now_ms = store->now();
        return store->ops->oldest_due(conn, &probe->oldest_due_ms, &job->why);
}

/* --- records --- */

static enum err run_put(struct store *store, void *conn, struct job *job)
{
        struct store_put *put = (struct store_put *)job;
        enum insert insert;
        enum err e;

        put->record.rev = 1;
        put->record.created_ms = put->record.updated_ms = store->now();
        e = store->ops->record_insert(conn, &put->record, &insert, &job->why);
        if (e == ERR_OK)
                put->outcome = insert == INSERT_NEW ? PUT_NEW : PUT_TAKEN;
        return e;
}

void store_put_done(struct store_put *put)
{
        record_done(&put->record);
}

/* The restaurant's own record, where one is named. */
static enum err load_owner(struct store *store, void *conn, struct job *job, struct record *ret)
{
        char id[ID_TEXT_SIZE];

        if (id_is_zero(&job->restaurant))
                return ERR_OK;
        return store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&job->restaurant, id), ret,
                                      &job->why);
}

static enum err run_get(struct store *store, void *conn, struct job *job)
{
        struct store_get *get = (struct store_get *)job;
        char own[ID_TEXT_SIZE];
        enum err e;

        store_get_done(get);
        id_write(&job->integration, own);
        e = store->ops->record_get(conn, get->kind, get->id[0] ? get->id : own, &get->record, &job->why);
        if (e == ERR_OK && get->record.document && !in_scope(job, &get->record.restaurant))
                record_done(&get->record);
        if (e == ERR_OK)
                e = load_owner(store, conn, job, &get->owner);
        return e;
}

void store_get_done(struct store_get *get)
{
        record_done(&get->record);
        record_done(&get->owner);
}

static enum err run_find(struct store *store, void *conn, struct job *job)
{
        struct store_find *find = (struct store_find *)job;
        struct page page;
        enum err e;

        store_find_done(find);
        e = page_of(job, find->after, &page, &job->why);
        if (e != ERR_OK)
                return e;
        /* One more than asked for tells whether there is a next page. */
        find->records = calloc((size_t)find->limit + 1, sizeof *find->records);
        if (!find->records)
                return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a page");
        e = store->ops->record_page(conn, find->kind, &page, find->limit + 1, find->records, &find->n,
                                    &job->why);
        if (e != ERR_OK)
                return e;
        if (find->n > find->limit) {
                record_done(&find->records[--find->n]);
                cursor_write(find->next, find->records[find->n - 1].created_ms,
                             find->records[find->n - 1].id);
        }
        return load_owner(store, conn, job, &find->owner);
}

void store_find_done(struct store_find *find)
{
        for (int i = 0; i < find->n; i++)
                record_done(&find->records[i]);
        free(TAKE(find->records));
        find->n = 0;
        find->next[0] = '\0';
        record_done(&find->owner);
}

static enum err run_edit(struct store *store, void *conn, struct job *job)
{
        struct store_edit *edit = (struct store_edit *)job;
        bool written = false;
        enum err e;

        while (!written) {
                store_edit_done(edit);
                e = store->ops->record_get(conn, edit->kind, edit->id, &edit->record, &job->why);
                if (e != ERR_OK || !edit->record.document)
                        return e;
                if (!in_scope(job, &edit->record.restaurant)) {
                        store_edit_done(edit);
                        return ERR_OK;
                }
                e = edit->edit(&edit->record, edit->arg, store->now(), &job->why);
                if (e != ERR_OK)
                        return e;
                edit->record.rev++;
                edit->record.updated_ms = store->now();
                e = store->ops->record_update(conn, &edit->record, &written, &job->why);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

void store_edit_done(struct store_edit *edit)
{
        record_done(&edit->record);
}

static enum err run_drop(struct store *store, void *conn, struct job *job)
{
        struct store_drop *drop = (struct store_drop *)job;
        CLEAN(record_done) struct record record = {0};
        enum err e;

        drop->dropped = false;
        e = store->ops->record_get(conn, drop->kind, drop->id, &record, &job->why);
        if (e != ERR_OK || !record.document || !in_scope(job, &record.restaurant))
                return e;
        return store->ops->record_delete(conn, drop->kind, drop->id, &drop->dropped, &job->why);
}

/* --- running and finishing --- */

struct verb_row {
        enum err (*run)(struct store *store, void *conn, struct job *job);
        bool writes;
        bool readmits; /* may change who is admitted: what is remembered of that goes */
};

static const struct verb_row verbs[] = {
        [VERB_CREATE] = {.run = run_create, .writes = true},
        [VERB_MOVE] = {.run = run_move, .writes = true},
        [VERB_READ] = {.run = run_read},
        [VERB_LIST] = {.run = run_list},
        [VERB_DUE] = {.run = run_due, .writes = true}, /* needs the writer's leases */
        [VERB_CLAIM] = {.run = run_claim, .writes = true},
        [VERB_SETTLE] = {.run = run_settle, .writes = true},
        [VERB_RELEASE] = {.run = run_release, .writes = true},
        [VERB_REPLAY] = {.run = run_replay, .writes = true},
        [VERB_REPLAY_ALL] = {.run = run_replay_all, .writes = true},
        [VERB_PROBE] = {.run = run_probe},
        [VERB_PUT] = {.run = run_put, .writes = true},
        [VERB_GET] = {.run = run_get},
        [VERB_FIND] = {.run = run_find},
        [VERB_EDIT] = {.run = run_edit, .writes = true, .readmits = true},
        [VERB_DROP] = {.run = run_drop, .writes = true, .readmits = true},
        [VERB_TOUCH] = {.run = run_edit, .writes = true},
};

void store_run(struct store *store, void *conn, struct job *job)
{
        job->changed = false;
        job->err = check_access(store, conn, job);
        if (job->err == ERR_OK)
                job->err = verbs[job->verb].run(store, conn, job);
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

void store_finish(struct store *store, struct letter *jobs)
{
        struct inbox *receivers[RECEIVERS_MAX];
        struct letter *next;
        int n = 0;

        for (struct letter *letter = jobs; letter; letter = next) {
                struct job *job = (struct job *)letter;

                next = letter->next;
                if (job->err == ERR_OK && verbs[job->verb].readmits)
                        admission_forget(store->admission);
                if (job->err == ERR_OK && job->changed && store->hooks.on_change)
                        store->hooks.on_change(store->hooks.arg, &job->change);
                give_back(job, receivers, &n);
        }
        for (int i = 0; i < n; i++)
                inbox_ring(receivers[i]);
}

#define VERB(name, NAME)                                                               \
        void store_##name(struct store *store, struct store_##name *in)                \
        {                                                                              \
                in->job.verb = VERB_##NAME;                                            \
                store->ops->submit(store->state, &in->job, verbs[VERB_##NAME].writes); \
        }

VERB(create, CREATE)
VERB(move, MOVE)
VERB(read, READ)
VERB(list, LIST)
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
