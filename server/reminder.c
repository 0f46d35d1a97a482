/* SPDX-License-Identifier: Apache-2.0 */
/* reminder.c - what this server put off itself, and need not look for.
 *
 * Servers on one store see the same things fall due, and would all reach for them. So each goes first for what it knows
 * of, by id, and looks only for what has been due for longer than the grace. The other way round, what it knows of and has
 * not begun within the grace is everybody's, and forgotten here: it may be gone. With no other server there is no grace,
 * and nothing is forgotten. */
#include "server/errand.h"

#include <stdlib.h>

#define REMINDERS_MAX 4096 /* about half a megabyte; beyond them a look finds what is due */
#define PASS_MS 1000       /* at least so often: the store's clock may jump */

/* It is a key, byte by byte. */
_Static_assert(sizeof(struct due) == 2 * sizeof(struct id) + sizeof(enum platform) + sizeof(enum party),
               "struct due has holes");

static struct reminder *reminder_find(const struct outbound *outbound, const struct due *due)
{
        struct reminder *reminder;

        HASH_FIND(hh, outbound->reminders, due, sizeof *due, reminder);
        return reminder;
}

/* NULL without memory, or where there are too many. */
static struct reminder *reminder_new(struct outbound *outbound, const struct due *due)
{
        struct reminder *reminder =
                HASH_COUNT(outbound->reminders) < REMINDERS_MAX ? calloc(1, sizeof *reminder) : NULL;

        if (!reminder)
                return NULL;
        reminder->due = *due;
        HASH_ADD(hh, outbound->reminders, due, sizeof reminder->due, reminder);
        if (reminder->hh.tbl)
                return reminder;
        free(reminder);
        return NULL;
}

void reminder_put(struct outbound *outbound, const struct due *due, int64_t at_ms)
{
        struct reminder *reminder = reminder_find(outbound, due);

        if (!reminder)
                reminder = reminder_new(outbound, due);
        if (!reminder) {
                *outbound_missed(outbound, due) = true;
                return;
        }
        reminder->at_ms = at_ms;
        reminders_by(outbound, time_boot_ms() + at_ms - store_now(outbound->store));
}

void reminder_drop(struct outbound *outbound, const struct due *due)
{
        struct reminder *reminder = reminder_find(outbound, due);

        if (!reminder)
                return;
        HASH_DEL(outbound->reminders, reminder);
        free(reminder);
}

void reminders_by(struct outbound *outbound, int64_t at_ms)
{
        if (at_ms < outbound->remind_at_ms)
                outbound->remind_at_ms = at_ms;
}

void reminders_go(struct outbound *outbound, int64_t now_ms)
{
        const int64_t store_ms = store_now(outbound->store);
        const int64_t grace_ms = outbound->options.grace_ms;
        struct reminder *reminder;
        struct reminder *next;

        if (now_ms < outbound->remind_at_ms)
                return;
        outbound->remind_at_ms = now_ms + PASS_MS;
        HASH_ITER(hh, outbound->reminders, reminder, next) {
                const struct due due = reminder->due;
                const int64_t late_ms = store_ms - reminder->at_ms;

                if (late_ms < 0)
                        reminders_by(outbound, now_ms - late_ms);
                else if (!outbound_begin(outbound, &due) && grace_ms > 0 && late_ms >= grace_ms)
                        reminder_drop(outbound, &due);
        }
}

void reminders_free(struct outbound *outbound)
{
        struct reminder *reminder;
        struct reminder *next;

        HASH_ITER(hh, outbound->reminders, reminder, next) {
                HASH_DEL(outbound->reminders, reminder);
                free(reminder);
        }
}
