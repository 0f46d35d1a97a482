/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - a count for each address, anew every minute. */
#include "server/throttle.h"

#include "model/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* An allocation that fails must not end the process: that address is not counted then. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ADDRESSES_MAX 16384 /* about 2 MiB */

struct entry {
        char whose[INET6_ADDRSTRLEN]; /* an IPv4 address, or the first of an IPv6 network */
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

/* Who has one IPv6 address has its /64, and may call from another one each time (RFC 6177 section 2). */
static void whose(const char *address, char ret[INET6_ADDRSTRLEN])
{
        struct in6_addr v6;

        if (inet_pton(AF_INET6, address, &v6) == 1) {
                memset(v6.s6_addr + 8, 0, 8);
                inet_ntop(AF_INET6, &v6, ret, INET6_ADDRSTRLEN);
        } else {
                text_copy(ret, INET6_ADDRSTRLEN, address);
        }
}

static struct entry *entry_need(struct throttle *t, const char *address, int64_t now_ms)
{
        struct entry *entry;
        char name[INET6_ADDRSTRLEN] = "";

        whose(address, name);
        HASH_FIND_STR(t->entries, name, entry);
        if (entry)
                return entry;
        if (HASH_COUNT(t->entries) == ADDRESSES_MAX)
                clear(t);
        entry = calloc(1, sizeof *entry);
        if (!entry)
                return NULL;
        memcpy(entry->whose, name, sizeof name);
        entry->since_ms = now_ms;
        HASH_ADD_STR(t->entries, whose, entry);
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
