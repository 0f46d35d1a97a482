/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_clock.c - the clock that all servers on one MongoDB go by, and what follows where that is set.
 *
 * Servers compare times, so all of them go by the store's: its clock's distance from CLOCK_BOOTTIME, which no step of a wall
 * clock moves. It may be set all the same, or be another node's from one look to the next.
 *
 * Forward: all leases seem to end at once, whose holders still call. They are counted by the old clock until they have
 * ended by that, too. Back: what waits for a time would wait that much longer, and is made to wait no more; who comes too
 * early for a step is put off again. */
#include "model/store_mongo.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP_MS 5000  /* a clock that moves by less is not set, and nobody waits long for it; a guess */
#define SKEW_MS 10000 /* by which the clocks of two nodes may differ, far more than they do */
#define DRIFT_MS \
        1 /* by which an offset may be wrong a second later, at the least: far above what clocks drift apart */

void mongo_clock_begin(struct mongo_clock *clock)
{
        atomic_store(&clock->offset_ms, time_now_ms() - time_boot_ms());
        clock->doubt_ms = INT64_MAX / 2;
}

/* Set forward by so much, or back where it is negative. */
static void step(struct mongo_clock *clock, int64_t by_ms, int64_t lease_ms)
{
        const int64_t now_ms = time_boot_ms();
        const int64_t held_ms =
                now_ms < atomic_load(&clock->held_until_ms) ? atomic_load(&clock->held_ms) : 0;

        if (by_ms < 0)
                clock->back_ms -= by_ms;
        atomic_store(&clock->held_ms, held_ms + by_ms > 0 ? held_ms + by_ms : 0);
        atomic_store(&clock->held_until_ms, now_ms + lease_ms);
}

/* It was read somewhere on the way: the quicker the answer, the better it tells the time. What is farther off than both
 * readings can be wrong by was set, and is followed at once. */
void mongo_clock_read(struct mongo_conn *conn, int64_t there_ms, int64_t asked_ms, int64_t took_ms)
{
        struct mongo_clock *clock = conn->clock;
        const int64_t offset_ms = there_ms - asked_ms - took_ms / 2;
        const int64_t moved_ms = offset_ms - atomic_load(&clock->offset_ms);
        bool stepped;

        clock->doubt_ms += DRIFT_MS;
        stepped = llabs(moved_ms) > clock->doubt_ms + took_ms + STEP_MS;
        if (!stepped && took_ms > clock->doubt_ms)
                return;
        if (stepped)
                step(clock, moved_ms, store_lease(conn->store));
        atomic_store(&clock->offset_ms, offset_ms);
        clock->doubt_ms = took_ms;
}

int64_t mongo_clock_now(const struct mongo_clock *clock)
{
        return time_boot_ms() + atomic_load(&clock->offset_ms);
}

int64_t mongo_lease_now(const struct mongo_conn *conn)
{
        const bool held = time_boot_ms() < atomic_load(&conn->clock->held_until_ms);

        return store_now(conn->store) - (held ? atomic_load(&conn->clock->held_ms) : 0);
}

/* --- it was set back --- */

static const char *name_of(char to[32], enum party party, const char *member)
{
        snprintf(to, 32, "out.%s.%s", party_word(party), member);
        return to;
}

/* Longer than half of that back waits only what was to wait when the clock was ahead. A scheduled courier waits for a time of
 * its own. */
static enum err wait_no_more(struct mongo_conn *conn, enum party party, int64_t back_ms, struct why *why)
{
        const int64_t now_ms = store_now(conn->store);
        char at[32];
        bson_t *filter =
                BCON_NEW(name_of(at, party, "at"), "{", "$gt", BCON_DATE_TIME(now_ms + back_ms / 2), "}");
        bson_t *update = BCON_NEW("$set", "{", at, BCON_DATE_TIME(now_ms), "}");
        int64_t changed;

        if (back_ms == 0)
                BCON_APPEND(filter, "seenAt", "{", "$gt", BCON_DATE_TIME(now_ms + SKEW_MS), "}");
        if (party == PARTY_COURIER)
                BCON_APPEND(filter, "scheduledDate", "{", "$not", "{", "$gt", BCON_DATE_TIME(now_ms), "}",
                            "}");
        return mongo_update(conn, conn->orders, filter, update, /* many= */ true, &changed, NULL, why);
}

/* A holder, if there is one, has long ended by then. */
static enum err hold_no_longer(struct mongo_conn *conn, enum party party, struct why *why)
{
        const int64_t until_ms = store_now(conn->store) + store_lease(conn->store);
        char at[32], until[32];
        bson_t *filter = BCON_NEW(name_of(at, party, "at"), "{", "$gt", BCON_DATE_TIME(0), "}",
                                  name_of(until, party, "until"), "{", "$gt", BCON_DATE_TIME(until_ms), "}");
        bson_t *update = BCON_NEW("$set", "{", until, BCON_DATE_TIME(until_ms), "}");
        int64_t changed;

        return mongo_update(conn, conn->orders, filter, update, /* many= */ true, &changed, NULL, why);
}

static enum err set_back(struct mongo_conn *conn, int64_t back_ms, struct why *why)
{
        enum err e = ERR_OK;

        for (int party = 0; party < PARTY_COUNT && e == ERR_OK; party++) {
                e = wait_no_more(conn, (enum party)party, back_ms, why);
                if (e == ERR_OK)
                        e = hold_no_longer(conn, (enum party)party, why);
        }
        return e;
}

enum err mongo_clock_begin_orders(struct mongo_conn *conn, struct why *why)
{
        return set_back(conn, 0, why); /* what changed in the time to come did so before it was set back */
}

enum err mongo_clock_follow(struct mongo_conn *conn, struct why *why)
{
        enum err e = conn->clock->back_ms > 0 ? set_back(conn, conn->clock->back_ms, why) : ERR_OK;

        if (e == ERR_OK)
                conn->clock->back_ms = 0;
        return e;
}
