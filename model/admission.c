/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c - a small table of good secrets. Bad ones are never kept: they would cost memory at an attacker's will. */
#include "model/admission.h"

#include <pthread.h>
#include <stdlib.h>

/* An allocation that fails must not end the process: that secret is not remembered then. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define LIFE_MS 5000   /* docs/design.md 2: a revoked key dies within 5 s everywhere */
#define KEPT_MAX 16384 /* about 3 MiB; beyond it all are forgotten and asked for anew */

struct entry {
        struct digest digest;
        enum access_kind kind;
        struct caller caller;
        int64_t kept_ms;
        UT_hash_handle hh;
};

struct admission {
        pthread_mutex_t lock;
        struct entry *entries;
        uint64_t generation;
};

enum err admission_new(struct admission **ret, struct why *why)
{
        struct admission *a = calloc(1, sizeof *a);

        if (!a)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the table of callers");
        pthread_mutex_init(&a->lock, NULL);
        *ret = a;
        return ERR_OK;
}

static void clear(struct admission *a)
{
        struct entry *entry, *next;

        HASH_ITER(hh, a->entries, entry, next) {
                HASH_DEL(a->entries, entry);
                free(entry);
        }
}

void admission_free(struct admission *a)
{
        if (!a)
                return;
        clear(a);
        pthread_mutex_destroy(&a->lock);
        free(a);
}

bool admission_find(struct admission *a, const struct access *access, int64_t now_ms, struct caller *ret,
                    uint64_t *ret_generation)
{
        struct entry *entry;
        bool found;

        pthread_mutex_lock(&a->lock);
        *ret_generation = a->generation;
        HASH_FIND(hh, a->entries, &access->digest, sizeof access->digest, entry);
        found = entry && entry->kind == access->kind && now_ms >= entry->kept_ms &&
                now_ms < entry->kept_ms + LIFE_MS && now_ms < entry->caller.until_ms;
        if (found)
                *ret = entry->caller;
        pthread_mutex_unlock(&a->lock);
        return found;
}

static struct entry *entry_need(struct admission *a, const struct digest *digest)
{
        struct entry *entry;

        HASH_FIND(hh, a->entries, digest, sizeof *digest, entry);
        if (entry)
                return entry;
        if (HASH_COUNT(a->entries) == KEPT_MAX)
                clear(a);
        entry = calloc(1, sizeof *entry);
        if (!entry)
                return NULL;
        entry->digest = *digest;
        HASH_ADD(hh, a->entries, digest, sizeof entry->digest, entry);
        if (entry->hh.tbl)
                return entry;
        free(entry);
        return NULL;
}

void admission_keep(struct admission *a, const struct access *access, int64_t now_ms,
                    const struct caller *caller, uint64_t generation)
{
        struct entry *entry;

        pthread_mutex_lock(&a->lock);
        entry = generation == a->generation ? entry_need(a, &access->digest) : NULL;
        if (entry) {
                entry->kind = access->kind;
                entry->caller = *caller;
                entry->kept_ms = now_ms;
        }
        pthread_mutex_unlock(&a->lock);
}

void admission_forget(struct admission *a)
{
        pthread_mutex_lock(&a->lock);
        a->generation++;
        clear(a);
        pthread_mutex_unlock(&a->lock);
}
