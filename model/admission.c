/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c - a small table of good secrets. Bad ones are never kept: they would cost memory at an attacker's will. */
#include "model/admission.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MS 5000   /* docs/design.md 2: a revoked key dies within 5 s everywhere */
#define KEPT_MAX 16384 /* beyond it all are forgotten and asked for anew */

struct entry {
        uint64_t generation; /* another than the table's: empty */
        struct digest digest;
        enum access_kind kind;
        struct caller caller;
        int64_t kept_ms;
};

struct admission {
        pthread_mutex_t lock;
        uint64_t generation;
        int n;
        struct entry entries[2 * KEPT_MAX]; /* about 3 MiB, once they were all touched */
};

enum err admission_new(struct admission **ret, struct why *why)
{
        struct admission *a = calloc(1, sizeof *a);

        if (!a)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the table of callers");
        pthread_mutex_init(&a->lock, NULL);
        a->generation = 1;
        *ret = a;
        return ERR_OK;
}

void admission_free(struct admission *a)
{
        if (a)
                pthread_mutex_destroy(&a->lock);
        free(a);
}

/* Where this digest stands or would; it is its own hash. */
static struct entry *find_entry(struct admission *a, const struct digest *digest)
{
        uint32_t i;

        for (memcpy(&i, digest->bytes, sizeof i);; i++) {
                struct entry *entry = &a->entries[i % (2 * KEPT_MAX)];

                if (entry->generation != a->generation || memcmp(&entry->digest, digest, sizeof *digest) == 0)
                        return entry;
        }
}

bool admission_find(struct admission *a, const struct access *access, int64_t now_ms, struct caller *ret,
                    uint64_t *ret_generation)
{
        const struct entry *entry;
        bool found;

        pthread_mutex_lock(&a->lock);
        *ret_generation = a->generation;
        entry = find_entry(a, &access->digest);
        found = entry->generation == a->generation && entry->kind == access->kind &&
                now_ms >= entry->kept_ms && now_ms < entry->kept_ms + LIFE_MS &&
                now_ms < entry->caller.until_ms;
        if (found)
                *ret = entry->caller;
        pthread_mutex_unlock(&a->lock);
        return found;
}

static void forget(struct admission *a)
{
        a->generation++;
        a->n = 0;
}

void admission_keep(struct admission *a, const struct access *access, int64_t now_ms,
                    const struct caller *caller, uint64_t generation)
{
        struct entry *entry;

        pthread_mutex_lock(&a->lock);
        if (generation == a->generation) {
                if (a->n == KEPT_MAX)
                        forget(a);
                entry = find_entry(a, &access->digest);
                a->n += entry->generation != a->generation;
                *entry = (struct entry){a->generation, access->digest, access->kind, *caller, now_ms};
        }
        pthread_mutex_unlock(&a->lock);
}

void admission_forget(struct admission *a)
{
        pthread_mutex_lock(&a->lock);
        forget(a);
        pthread_mutex_unlock(&a->lock);
}
