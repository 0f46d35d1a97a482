/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.c - makes the first key of KURYE_SECRET_KEY seal all that other keys sealed, and forgets those.
 *
 * Passes go over the records until one finds nothing to do, for servers may run on the store meanwhile. A key is forgotten
 * last, when nothing needs it: what was interrupted is just begun again. Which of a store's keys a server has is then its own
 * to refuse (model/keys.h). */
#include "server/reseal.h"

#include "model/clean.h"
#include "model/keys.h"
#include "model/store.h"
#include "server/config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEADLINE_MS 10000
#define FILE_SCHEME "sqlite:"
#define PASSES_MAX 10 /* more: a server goes on sealing by another key */

struct work {
        struct store *store;
        const struct keyring *ring;
        struct inbox in;
        bool back;  /* the job that was handed over */
        bool first; /* the store knows the first key */
        struct reseal sum;
};

/* ---- one job at a time ---- */

static void come_back(struct letter *letter)
{
        ((struct work *)((struct job *)letter)->arg)->back = true;
}

static void prepare(struct work *work, struct job *job)
{
        job->letter.run = come_back;
        job->reply = &work->in;
        job->arg = work;
        work->back = false;
}

static enum err await(struct work *work, const struct job *job, struct why *why)
{
        struct pollfd wait = {.fd = work->in.fd, .events = POLLIN};

        store_kick(work->store);
        while (!work->back) {
                poll(&wait, 1, -1);
                inbox_run(&work->in);
        }
        return job->err == ERR_OK ? ERR_OK : FAIL(why, job->err, "%s", job->why.text);
}

/* Calls `act` with each record of a kind, which it may change: it is a copy. */
static enum err each(struct work *work, enum record_kind kind,
                     enum err (*act)(struct work *work, struct record *record, struct why *why),
                     struct why *why)
{
        CLEAN(store_find_done) struct store_find find = {.kind = kind, .limit = LIST_MAX};
        enum err e;

        do {
                text_copy(find.after, sizeof find.after, find.next);
                prepare(work, &find.job);
                store_find(work->store, &find);
                e = await(work, &find.job, why);
                for (int i = 0; !e && i < find.n; i++)
                        e = act(work, &find.records[i], why);
        } while (!e && find.next[0]);
        return e;
}

/* ---- secrets ---- */

static enum err reseal_one(struct work *work, struct record *record, struct why *why)
{
        struct reseal one = {.ring = work->ring};
        CLEAN(store_edit_done)
        struct store_edit edit = {.kind = record->kind, .edit = keys_reseal, .arg = &one};
        enum err e = keys_reseal(record, &one, 0, why);

        if (e == ERR_INTERNAL) /* damaged: nothing in it opens */
                one = (struct reseal){.lost = 1};
        else if (e)
                return e;
        if (one.anew > 0) {
                text_copy(edit.id, sizeof edit.id, record->id);
                prepare(work, &edit.job);
                store_edit(work->store, &edit);
                e = await(work, &edit.job, why);
                if (e)
                        return e;
        }
        if (one.lost > 0)
                fprintf(stderr, "%s %s: no key opens its secrets\n",
                        record->kind == RECORD_CONNECTION ? "connection" : "integration", record->id);
        work->sum.kept += one.kept;
        work->sum.anew += one.anew;
        work->sum.lost += one.lost;
        return ERR_OK;
}

static enum err pass(struct work *work, struct why *why)
{
        enum err e = each(work, RECORD_CONNECTION, reseal_one, why);

        return e ? e : each(work, RECORD_INTEGRATION, reseal_one, why);
}

/* ---- keys ---- */

static enum err see_key(struct work *work, struct record *key, struct why *why)
{
        (void)why;
        work->first |= streq(key->id, keyring_id(work->ring, 0)) && keys_knows(work->ring, key);
        return ERR_OK;
}

static enum err forget_key(struct work *work, struct record *key, struct why *why)
{
        struct store_drop drop = {.kind = RECORD_KEY};
        enum err e;

        if (streq(key->id, keyring_id(work->ring, 0)) && keys_knows(work->ring, key))
                return ERR_OK;
        text_copy(drop.id, sizeof drop.id, key->id);
        prepare(work, &drop.job);
        store_drop(work->store, &drop);
        e = await(work, &drop.job, why);
        if (!e)
                printf("key %s is not needed any more\n", key->id);
        return e;
}

/* Before it seals anything. False outcome: another key has its id. */
static enum err note_first(struct work *work, struct why *why)
{
        CLEAN(record_done) struct record record = {0};
        struct store_import import = {.record = &record};
        enum err e = each(work, RECORD_KEY, see_key, why);

        if (e || work->first)
                return e;
        e = keys_make(work->ring, 0, &record, why);
        if (e)
                return e;
        prepare(work, &import.job);
        store_import(work->store, &import);
        e = await(work, &import.job, why);
        work->first = import.imported;
        return e;
}

/* ---- all of it ---- */

static enum err run(struct work *work, const char *where, bool forgets, struct why *why)
{
        const struct store_options options = {.where = where, .deadline_ms = DEADLINE_MS};
        const char *path =
                strncmp(where, FILE_SCHEME, strlen(FILE_SCHEME)) == 0 ? where + strlen(FILE_SCHEME) : NULL;
        enum err e = path && access(path, F_OK) != 0
                             ? FAIL(why, ERR_INTERNAL, "there is no file %s", path) /* it would be made */
                             : inbox_init(&work->in, why);
        int anew = 0, passes = 0;

        e = e ? e : store_open(&options, &work->store, why);
        e = e ? e : note_first(work, why);
        if (!e && !work->first && !forgets)
                e = FAIL(why, ERR_INTERNAL,
                         "the store knows another key as %s: give the new one an id of its own, or, "
                         "if that one is lost, use --forget",
                         keyring_id(work->ring, 0));
        do {
                work->sum = (struct reseal){0};
                e = e ? e : pass(work, why);
                anew += work->sum.anew;
        } while (!e && work->sum.anew > 0 && ++passes < PASSES_MAX);
        if (e)
                return e;
        printf("%d secrets are sealed by key %s, %d of them anew\n", work->sum.kept,
               keyring_id(work->ring, 0), anew);
        if (work->sum.anew > 0)
                return FAIL(why, ERR_INTERNAL, "a server goes on sealing by another key than %s",
                            keyring_id(work->ring, 0));
        if (work->sum.lost > 0 && !forgets)
                return FAIL(
                        why, ERR_INTERNAL,
                        "%d do not open: nothing was forgotten. Add the key that sealed them, or use --forget",
                        work->sum.lost);
        e = each(work, RECORD_KEY, forget_key, why);
        return e || work->first ? e : note_first(work, why);
}

/* ---- the command ---- */

static int usage(FILE *to)
{
        fputs("usage: kuryed reseal [--forget]\n\n"
              "Makes the first key of KURYE_SECRET_KEY seal every secret of the store KURYE_STORE that another of its keys\n"
              "sealed. Then the store needs no other key, and a server may start without them. Stop the server of an\n"
              "embedded store before; on a MongoDB all servers must have the same first key already.\n\n"
              "--forget: the key of some secrets is lost. They are left as they are, must be entered anew, and hold up no\n"
              "start any more. Each is named.\n",
              to);
        return to == stdout ? 0 : EX_USAGE;
}

static int reseal_all(const char *where, const struct keyring *ring, bool forgets)
{
        struct work work = {.ring = ring};
        struct why why = {0};
        const enum err e = run(&work, where, forgets, &why);

        store_close(work.store);
        if (work.in.last)
                inbox_done(&work.in);
        if (e != ERR_OK)
                fprintf(stderr, "kuryed reseal: %s\n", why.text);
        return e == ERR_OK ? 0 : 1;
}

int reseal_main(int argc, char **argv)
{
        const bool forgets = argc == 2 && streq(argv[1], "--forget");
        CLEAN(secret_free_at) char *where = NULL;
        CLEAN(secret_free_at) char *key = NULL;
        struct keyring *ring = NULL;
        int status;

        if (argc == 2 && streq(argv[1], "--help"))
                return usage(stdout);
        if (argc > 1 + forgets)
                return usage(stderr);
        where = config_store(stderr);
        key = config_secret_key(stderr);
        if (!where || !key || keyring_read(key, &ring, NULL) != ERR_OK)
                return EX_USAGE;
        status = reseal_all(where, ring, forgets);
        keyring_free(ring);
        return status;
}
