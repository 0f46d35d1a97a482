/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - brings an embedded installation over to a MongoDB: puts everything there, then compares both sides.
 *
 * Both are driven by the verbs that everybody uses, a page at a time from this one thread. Nothing is remembered of how
 * far a copy came: what is there already is not put again, and the second pass compares all of it, so that a copy that
 * was interrupted is just begun anew. Both sides page in the same order, newest first, so that comparing is a merge,
 * which also counts what only the destination holds. */
#include "server/copy.h"

#include "model/clean.h"
#include "model/store.h"
#include "server/config.h"

#include <assert.h>
#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEADLINE_MS 10000 /* of a job of the destination */
#define PATIENCE_MS 5000  /* for the destination to answer */
#define AGAIN_MS 200      /* between two looks whether it does */
#define PROGRESS_MS 1000  /* between two lines about it */
#define SOURCE "sqlite:"

/* What is copied: the kinds of records, which orders rest on, and then the orders. */
#define KIND_WORD(name, word) word,
static const char *const kinds[] = {RECORD_KIND_TABLE(KIND_WORD) "order"};
#define KIND_ORDER RECORD_KIND_COUNT
#define KIND_COUNT (RECORD_KIND_COUNT + 1)

/* A lease on polling is over before the copy is, and taken anew there. */
static bool is_copied(int kind)
{
        return kind != RECORD_POLL;
}

struct copy {
        struct inbox in;
        int out; /* jobs handed over and not back */
        struct store *from;
        struct store *to;
        int64_t copied[2]; /* records and orders of the source, whether put now or there already */
        int64_t more[2];   /* records and orders that only the destination holds */
        int64_t there;
        int64_t wrong;
        atomic_bool left_out; /* something that does not read */
        int64_t told_at_ms;   /* the last line of progress */
};

/* ---- jobs ---- */

static void come_back(struct letter *letter)
{
        struct copy *copy = ((struct job *)letter)->arg;

        copy->out--;
}

static void prepare(struct copy *copy, struct job *job)
{
        job->letter.run = come_back;
        job->reply = &copy->in;
        job->arg = copy;
        copy->out++;
}

/* Until all that was handed over is back, which the store promises for its deadline. */
static void await(struct copy *copy, struct store *store)
{
        struct pollfd wait = {.fd = copy->in.fd, .events = POLLIN};

        store_kick(store);
        while (copy->out > 0) {
                poll(&wait, 1, -1);
                inbox_run(&copy->in);
        }
}

static void tell(struct copy *copy, const char *done, int64_t n, int kind)
{
        const int64_t now_ms = time_boot_ms();

        if (now_ms - copy->told_at_ms < PROGRESS_MS)
                return;
        copy->told_at_ms = now_ms;
        fprintf(stderr, "%s %lld %ss\n", done, (long long)n, kinds[kind]);
}

/* ---- the destination's health ---- */

/* Why it does not answer, as its store has it; and what stays behind. */
static void on_note(void *arg, enum note note, const char *text)
{
        struct copy *copy = arg;

        if (note == NOTE_BROKEN)
                fprintf(stderr, "the destination: %s\n", text);
        if (note == NOTE_DAMAGED) {
                fprintf(stderr, "left out: %s\n", text);
                atomic_store(&copy->left_out, true);
        }
}

static enum err await_destination(struct copy *copy, struct why *why)
{
        const int64_t until_ms = time_boot_ms() + PATIENCE_MS;
        struct store_probe probe;

        for (;;) {
                probe = (struct store_probe){0};
                prepare(copy, &probe.job);
                store_probe(copy->to, &probe);
                await(copy, copy->to);
                if (probe.job.err == ERR_OK && store_is_ready(copy->to))
                        return ERR_OK;
                if (time_boot_ms() >= until_ms)
                        return FAIL(why, ERR_STORE_BROKEN, "the destination does not answer: %s",
                                    probe.job.why.text);
                poll(NULL, 0, AGAIN_MS);
        }
}

/* ---- one kind in one store, newest first ---- */

struct shelf {
        struct store *store;
        int kind;
        struct store_list list; /* KIND_ORDER */
        struct store_find find; /* the others */
        bool begun;
        int n;  /* on this page */
        int at; /* which of them is next */
};

static void shelf_done(struct shelf *shelf)
{
        store_list_done(&shelf->list);
        store_find_done(&shelf->find);
}

/* The next page; `n` is 0 behind the last one. */
static enum err shelf_turn(struct copy *copy, struct shelf *shelf, struct why *why)
{
        const bool orders = shelf->kind == KIND_ORDER;
        const char *next = orders ? shelf->list.next : shelf->find.next;
        struct job *job = orders ? &shelf->list.job : &shelf->find.job;

        shelf->n = shelf->at = 0;
        if (shelf->begun && !next[0])
                return ERR_OK;
        shelf->begun = true;
        text_copy(orders ? shelf->list.after : shelf->find.after, CURSOR_SIZE, next);
        shelf->list.limit = shelf->find.limit = LIST_MAX;
        shelf->list.documents = true;
        prepare(copy, job);
        if (orders) {
                store_list(shelf->store, &shelf->list);
        } else {
                shelf->find.kind = (enum record_kind)shelf->kind;
                store_find(shelf->store, &shelf->find);
        }
        await(copy, shelf->store);
        if (job->err != ERR_OK)
                return FAIL(why, job->err, "the %s cannot be read: %s",
                            shelf->store == copy->from ? "source" : "destination", job->why.text);
        shelf->n = orders ? shelf->list.n : shelf->find.n;
        return ERR_OK;
}

/* One of the two is given, borrowed from its shelf; none: behind the last. */
struct item {
        struct order *order;
        const struct record *record;
        int64_t created_ms;
        char id[RECORD_ID_SIZE];
};

static struct item item_at(const struct shelf *shelf, int i)
{
        struct item item = {0};

        if (i >= shelf->n)
                return item;
        if (shelf->kind == KIND_ORDER) {
                item.order = shelf->list.orders[i];
                item.created_ms = item.order->created_ms;
                id_write(&item.order->id, item.id);
        } else {
                item.record = &shelf->find.records[i];
                item.created_ms = item.record->created_ms;
                text_copy(item.id, sizeof item.id, item.record->id);
        }
        return item;
}

static enum err shelf_peek(struct copy *copy, struct shelf *shelf, struct item *ret, struct why *why)
{
        const enum err e = shelf->at < shelf->n ? ERR_OK : shelf_turn(copy, shelf, why);

        if (e == ERR_OK)
                *ret = item_at(shelf, shelf->at);
        return e;
}

/* ---- the first pass: put ---- */

/* Puts those of a page that are not put yet; how many failed. */
static int put_rest(struct copy *copy, const struct shelf *shelf, struct store_import imports[LIST_MAX])
{
        int failed = 0;

        for (int i = 0; i < shelf->n; i++) {
                const struct item item = item_at(shelf, i);

                if (imports[i].job.reply && imports[i].job.err == ERR_OK)
                        continue;
                imports[i] = (struct store_import){.order = item.order, .record = item.record};
                prepare(copy, &imports[i].job);
                store_import(copy->to, &imports[i]);
        }
        await(copy, copy->to);
        for (int i = 0; i < shelf->n; i++)
                failed += imports[i].job.err != ERR_OK;
        return failed;
}

/* What still fails though the destination answers is that item's own trouble, and no other's. */
static enum err put_page(struct copy *copy, const struct shelf *shelf, struct why *why)
{
        struct store_import imports[LIST_MAX] = {0};
        enum err e = ERR_OK;

        if (put_rest(copy, shelf, imports) > 0) {
                e = await_destination(copy, why);
                if (e == ERR_OK && put_rest(copy, shelf, imports) > 0)
                        e = await_destination(copy, why);
        }
        for (int i = 0; e == ERR_OK && i < shelf->n; i++) {
                const struct job *job = &imports[i].job;

                if (job->err != ERR_OK)
                        fprintf(stderr, "%s %s: %s\n", kinds[shelf->kind], item_at(shelf, i).id,
                                job->why.text);
                copy->copied[shelf->kind == KIND_ORDER]++;
                copy->there += job->err == ERR_OK && !imports[i].imported;
        }
        return e;
}

static enum err put_kind(struct copy *copy, int kind, struct why *why)
{
        CLEAN(shelf_done) struct shelf shelf = {.store = copy->from, .kind = kind};
        enum err e;

        for (;;) {
                e = shelf_turn(copy, &shelf, why);
                if (e != ERR_OK || shelf.n == 0)
                        return e;
                e = put_page(copy, &shelf, why);
                if (e != ERR_OK)
                        return e;
                tell(copy, "copied", copy->copied[kind == KIND_ORDER], kind);
        }
}

/* ---- the second pass: compare ---- */

static bool same_text(const char *a, const char *b)
{
        return (!a && !b) || streq(a, b);
}

/* A store may keep a document as its own, and write its numbers or the order of its members in another way. */
static bool same_json(const char *a, const char *b)
{
        CLEAN(json_put_at) struct json_object *left = NULL;
        CLEAN(json_put_at) struct json_object *right = NULL;

        if (same_text(a, b))
                return true;
        return a && b && json_read_any(a, strlen(a), &left, NULL) == ERR_OK &&
               json_read_any(b, strlen(b), &right, NULL) == ERR_OK && json_object_equal(left, right);
}

/* By the form in which a history is kept. */
static bool same_history(const struct order *a, const struct order *b)
{
        CLEAN(free_at) char *left = moves_write(a->moves, a->n_moves);
        CLEAN(free_at) char *right = moves_write(b->moves, b->n_moves);

        return streq(left, right);
}

static bool same_target(const struct target *a, const struct target *b)
{
        return a->want == b->want && a->told == b->told && a->told_at_ms == b->told_at_ms &&
               a->unsure == b->unsure && a->tries == b->tries && a->at_ms == b->at_ms &&
               id_equal(&a->firm, &b->firm) && a->calls == b->calls && streq(a->dead, b->dead) &&
               same_json(a->log, b->log);
}

static bool same_order(const struct order *a, const struct order *b)
{
        return id_equal(&a->restaurant, &b->restaurant) && a->platform == b->platform &&
               streq(a->platform_order_id, b->platform_order_id) && a->status == b->status &&
               a->rev == b->rev && a->updated_ms == b->updated_ms &&
               a->platform_courier == b->platform_courier && a->pickup == b->pickup &&
               a->prep_minutes == b->prep_minutes && a->scheduled_ms == b->scheduled_ms &&
               a->expires_ms == b->expires_ms && a->erased_ms == b->erased_ms && same_history(a, b) &&
               same_target(&a->targets[PARTY_PLATFORM], &b->targets[PARTY_PLATFORM]) &&
               same_target(&a->targets[PARTY_COURIER], &b->targets[PARTY_COURIER]) &&
               same_json(a->document, b->document);
}

static bool same_record(const struct record *a, const struct record *b)
{
        return id_equal(&a->restaurant, &b->restaurant) && a->rev == b->rev &&
               a->updated_ms == b->updated_ms && a->n_looks == b->n_looks &&
               memcmp(a->looks, b->looks, (size_t)a->n_looks * sizeof *a->looks) == 0 &&
               same_json(a->document, b->document);
}

/* Below 0: `a` comes first, and where the one is behind its last, the other does. */
static int item_order(const struct item *a, const struct item *b)
{
        const bool a_is_there = a->order || a->record, b_is_there = b->order || b->record;

        if (a_is_there != b_is_there)
                return a_is_there ? -1 : 1;
        assert(a_is_there); /* who has come to both ends compares no more */
        if (a->created_ms != b->created_ms)
                return a->created_ms > b->created_ms ? -1 : 1;
        return memcmp(b->id, a->id, sizeof a->id);
}

static enum err compare_kind(struct copy *copy, int kind, struct why *why)
{
        CLEAN(shelf_done) struct shelf ours = {.store = copy->from, .kind = kind};
        CLEAN(shelf_done) struct shelf theirs = {.store = copy->to, .kind = kind};
        struct item a, b;
        int64_t n = 0;

        for (;;) {
                enum err e = shelf_peek(copy, &ours, &a, why);
                int order;

                if (e == ERR_OK)
                        e = shelf_peek(copy, &theirs, &b, why);
                if (e != ERR_OK || (ours.n == 0 && theirs.n == 0))
                        return e;
                order = item_order(&a, &b);
                ours.at += order <= 0;
                theirs.at += order >= 0;
                copy->more[kind == KIND_ORDER] += order > 0;
                tell(copy, "compared", n += order <= 0, kind);
                if (order < 0)
                        fprintf(stderr, "%s %s: not there, but something with its id, number or secret\n",
                                kinds[kind], a.id);
                else if (order == 0 &&
                         !(a.order ? same_order(a.order, b.order) : same_record(a.record, b.record)))
                        fprintf(stderr, "%s %s: differs there\n", kinds[kind], a.id);
                else
                        continue;
                copy->wrong++;
        }
}

/* ---- both ---- */

static enum err run(struct copy *copy, const char *from, const char *to, struct why *why)
{
        const struct store_hooks hooks = {.on_note = on_note, .arg = copy};
        const struct store_options source = {.where = from, .hooks = hooks};
        const struct store_options destination = {.where = to, .hooks = hooks, .deadline_ms = DEADLINE_MS};
        enum err e = ERR_OK;

        /* The store would make an empty one. */
        if (access(from + strlen(SOURCE), F_OK) != 0)
                e = FAIL(why, ERR_INTERNAL, "there is no file %s", from + strlen(SOURCE));
        if (e == ERR_OK)
                e = inbox_init(&copy->in, why);
        if (e == ERR_OK)
                e = store_open(&source, &copy->from, why);
        if (e == ERR_OK)
                e = store_open(&destination, &copy->to, why);
        if (e == ERR_OK)
                e = await_destination(copy, why);
        for (int kind = 0; e == ERR_OK && kind < KIND_COUNT; kind++)
                e = is_copied(kind) ? put_kind(copy, kind, why) : ERR_OK;
        for (int kind = 0; e == ERR_OK && kind < KIND_COUNT; kind++)
                e = is_copied(kind) ? compare_kind(copy, kind, why) : ERR_OK;
        return e;
}

static void report(const struct copy *copy)
{
        const long long orders = copy->more[true], records = copy->more[false];

        printf("copied %lld orders, %lld records (%lld were there already), ", (long long)copy->copied[true],
               (long long)copy->copied[false], (long long)copy->there);
        if (copy->wrong > 0)
                printf("%lld of them differ\n", (long long)copy->wrong);
        else
                puts("all compared equal");
        if (orders + records > 0)
                printf("the destination holds %lld orders and %lld records more\n", orders, records);
}

/* ---- the command ---- */

static int usage(FILE *to)
{
        fputs("usage: kuryed copy --from sqlite:PATH [--to mongodb://HOST/DATABASE]\n\n"
              "Copies all of an embedded store into a MongoDB and compares both sides. Its server must be stopped,\n"
              "and none may run on the MongoDB yet. Without --to the destination is what KURYE_STORE says, or\n"
              "the file KURYE_STORE_FILE, which keeps a password off the command line. What is there already\n"
              "is left as it is: after an interruption, start the same copy again. No other setting is needed\n"
              "here, but secrets stay sealed: servers on the MongoDB need the KURYE_SECRET_KEY that sealed them.\n",
              to);
        return to == stdout ? 0 : EX_USAGE;
}

/* What is wrong with the two; NULL: nothing. */
static const char *wrong_places(const char *from, const char *to)
{
        const char *wrong;

        if (!from || strncmp(from, SOURCE, strlen(SOURCE)) != 0)
                return "--from must be sqlite:PATH: there is no other direction";
        if (!to || strncmp(to, "mongodb", 7) != 0)
                return "--to, or else KURYE_STORE, must be a MongoDB's URI: there is no other direction";
        wrong = store_wrong(from);
        return wrong ? wrong : store_wrong(to);
}

static int copy_all(const char *from, const char *to)
{
        struct copy copy = {.told_at_ms = time_boot_ms()};
        struct why why = {0};
        const enum err e = run(&copy, from, to, &why);

        store_close(copy.to);
        store_close(copy.from);
        if (copy.in.last)
                inbox_done(&copy.in);
        if (e == ERR_OK)
                report(&copy);
        else
                fprintf(stderr, "kuryed copy: %s\n", why.text);
        return e == ERR_OK && copy.wrong == 0 && !atomic_load(&copy.left_out) ? 0 : 1;
}

int copy_main(int argc, char **argv)
{
        static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                                {"to", required_argument, NULL, 't'},
                                                {"help", no_argument, NULL, 'h'},
                                                {NULL, 0, NULL, 0}};
        CLEAN(secret_free_at) char *setting = NULL;
        const char *from = NULL, *to = NULL, *wrong;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 'f': from = optarg; break;
                case 't': to = optarg; break;
                case 'h': return usage(stdout);
                default: return usage(stderr);
                }
        if (optind < argc)
                return usage(stderr);
        if (!to)
                to = setting = config_store(stderr);
        wrong = wrong_places(from, to);
        if (!wrong)
                return copy_all(from, to);
        fprintf(stderr, "kuryed copy: %s\n", wrong);
        return EX_USAGE;
}
