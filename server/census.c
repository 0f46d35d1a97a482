/* SPDX-License-Identifier: Apache-2.0 */
/* census.c - how much is owed and has failed, counted by the store in the background.
 *
 * Nobody waits for it: who asks how a server does wants an answer above all when the store gives none. And on MongoDB every
 * server would count the same, on all shards, as often as somebody asks; so it is once in some seconds at the most. */
#include "server/census.h"

#include <stdlib.h>

#define FRESH_MS 1000   /* not counted again before: several who ask count once */
#define KNOWN_MS 150000 /* not told any more after: two scrapes a minute apart, and some; a guess */

struct census {
        struct store_probe probe;
        bool asked; /* `probe` is at the store */
        bool known;
        struct counted last;
        int64_t at_ms; /* CLOCK_BOOTTIME: when it was counted, or could not be */
};

enum err census_new(struct census **ret, struct why *why)
{
        *ret = calloc(1, sizeof **ret);
        if (!*ret)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the census");
        (*ret)->at_ms = -FRESH_MS;
        return ERR_OK;
}

void census_free(struct census *census)
{
        free(census);
}

static void counted(struct letter *letter)
{
        const struct store_probe *probe = (struct store_probe *)letter;
        struct census *census = probe->job.arg;

        census->asked = false;
        census->at_ms = time_boot_ms();
        census->known = probe->job.err == ERR_OK;
        for (int party = 0; party < PARTY_COUNT; party++) {
                census->last.owed[party] = probe->owed[party];
                census->last.failed[party] = probe->failed[party];
        }
        census->last.oldest_ms = probe->oldest_due_ms > 0 ? probe->now_ms - probe->oldest_due_ms : 0;
}

bool census_look(struct census *census, struct store *store, struct inbox *reply, struct counted *ret)
{
        const int64_t age_ms = time_boot_ms() - census->at_ms;

        if (!store_is_ready(store))
                return false;
        if (!census->asked && age_ms >= FRESH_MS) {
                census->probe = (struct store_probe){
                        .job = {.letter.run = counted, .reply = reply, .arg = census}, .counts = true};
                census->asked = true;
                store_probe(store, &census->probe);
        }
        *ret = census->last;
        return census->known && age_ms < KNOWN_MS;
}
