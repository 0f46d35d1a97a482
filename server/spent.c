/* SPDX-License-Identifier: Apache-2.0 */
/* spent.c - a set of numbers that are forgotten in the order they came, since all tickets live equally long. */
#include "server/spent.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

/* An allocation that fails must not end the process: that ticket is refused. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define SPENT_MAX 65536 /* a thousand a second at the default life; a guess */

struct used {
        uint64_t mark;
        int64_t until_ms;
        STAILQ_ENTRY(used) link;
        UT_hash_handle hh;
};

struct spent {
        struct used *used;
        STAILQ_HEAD(, used) age;
};

enum err spent_new(struct spent **ret, struct why *why)
{
        struct spent *spent = calloc(1, sizeof *spent);

        if (!spent)
                return FAIL(why, ERR_NO_MEMORY, "no memory for tickets");
        STAILQ_INIT(&spent->age);
        *ret = spent;
        return ERR_OK;
}

static void forget(struct spent *spent, int64_t now_ms)
{
        struct used *first;

        while ((first = STAILQ_FIRST(&spent->age)) && first->until_ms <= now_ms) {
                assert(spent->used);
                STAILQ_REMOVE_HEAD(&spent->age, link);
                HASH_DEL(spent->used, first);
                free(first);
        }
}

void spent_free(struct spent *spent)
{
        if (spent)
                forget(spent, INT64_MAX);
        free(spent);
}

enum err spent_take(struct spent *spent, uint64_t mark, int64_t until_ms, int64_t now_ms, struct why *why)
{
        struct used *used;

        forget(spent, now_ms);
        HASH_FIND(hh, spent->used, &mark, sizeof mark, used);
        if (used)
                return FAIL(why, ERR_UNAUTHORIZED, "a ticket that was used before");
        if (HASH_COUNT(spent->used) >= SPENT_MAX)
                return FAIL(why, ERR_BUSY, "%d tickets were used and are still good", SPENT_MAX);
        used = calloc(1, sizeof *used);
        if (!used)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a ticket");
        used->mark = mark;
        used->until_ms = until_ms;
        HASH_ADD(hh, spent->used, mark, sizeof used->mark, used);
        if (!used->hh.tbl) {
                free(used);
                return FAIL(why, ERR_NO_MEMORY, "no memory for a ticket");
        }
        STAILQ_INSERT_TAIL(&spent->age, used, link);
        return ERR_OK;
}
