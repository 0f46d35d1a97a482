/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - a count for each address, anew every minute. */
#include "server/throttle.h"

#include "model/text.h"

#include <stdlib.h>

/* An allocation that fails must not end the process: that address is not counted then. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ADDRESSES_MAX 16384 /* about 2 MiB */

struct entry {
        char address[46]; /* the longest IPv6 in numbers, and NUL */
        int wrong;
        int64_t since_ms;
        UT_hash_handle hh;
};

struct throttle {
        struct entry *entries;
};

enum err throttle_new(struct throttle **ret, struct why *why)
{
        *ret = calloc(1, sizeof **ret);
        return *ret ? ERR_OK : FAIL(why, ERR_NO_MEMORY, "no memory for a throttle");
}

static void clear(struct throttle *t)
{
        struct entry *entry, *next;

        HASH_ITER(hh, t->entries, entry, next) {
                HASH_DEL(t->entries, entry);
                free(entry);
        }
}

void throttle_free(struct throttle *t)
{
        if (t)
                clear(t);
        free(t);
}

static struct entry *entry_need(struct throttle *t, const char *address, int64_t now_ms)
{
        struct entry *entry;

        HASH_FIND_STR(t->entries, address, entry);
        if (entry)
                return entry;
        if (HASH_COUNT(t->entries) == ADDRESSES_MAX)
                clear(t);
        entry = calloc(1, sizeof *entry);
        if (!entry)
                return NULL;
        text_copy(entry->address, sizeof entry->address, address);
        entry->since_ms = now_ms;
        HASH_ADD_STR(t->entries, address, entry);
        if (entry->hh.tbl)
                return entry;
        free(entry);
        return NULL;
}

int64_t throttle_wrong(struct throttle *t, const char *address, int64_t now_ms)
{
        struct entry *entry = entry_need(t, address, now_ms);

        if (!entry)
                return 0;
        if (now_ms - entry->since_ms >= THROTTLE_WINDOW_MS) {
                entry->since_ms = now_ms;
                entry->wrong = 0;
        }
        return ++entry->wrong > THROTTLE_WRONG_MAX ? entry->since_ms + THROTTLE_WINDOW_MS - now_ms : 0;
}
