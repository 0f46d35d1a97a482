/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - a count for each address, anew every minute. */
#include "server/throttle.h"

#include "model/text.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define ADDRESSES_MAX 16384

struct entry {
        char address[46]; /* the longest IPv6 in numbers, and NUL */
        int wrong;        /* 0: the entry is empty */
        int64_t since_ms;
};

struct throttle {
        int n;
        struct entry entries[2 * ADDRESSES_MAX]; /* 2 MiB, once they were all touched */
};

enum err throttle_new(struct throttle **ret, struct why *why)
{
        *ret = calloc(1, sizeof **ret);
        return *ret ? ERR_OK : FAIL(why, ERR_NO_MEMORY, "no memory for a throttle");
}

void throttle_free(struct throttle *t)
{
        free(t);
}

/* Where this address stands or would. */
static struct entry *find_entry(struct throttle *t, const char *address)
{
        unsigned i;

        HASH_VALUE(address, strlen(address), i);
        for (;; i++) {
                struct entry *entry = &t->entries[i % (2 * ADDRESSES_MAX)];

                if (entry->wrong == 0 || streq(entry->address, address))
                        return entry;
        }
}

bool throttle_wrong(struct throttle *t, const char *address, int64_t now_ms)
{
        struct entry *entry = find_entry(t, address);

        if (entry->wrong == 0 && t->n++ == ADDRESSES_MAX) {
                memset(t, 0, sizeof *t);
                return throttle_wrong(t, address, now_ms);
        }
        if (entry->wrong == 0 || now_ms - entry->since_ms >= THROTTLE_WINDOW_MS) {
                text_copy(entry->address, sizeof entry->address, address);
                entry->since_ms = now_ms;
                entry->wrong = 0;
        }
        return ++entry->wrong > THROTTLE_WRONG_MAX;
}
