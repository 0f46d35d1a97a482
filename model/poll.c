/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - the lease on asking a platform for a restaurant's orders. */
#include "model/poll.h"

#include "model/clean.h"

#define MINUTE_MS INT64_C(60000)
#define BACKOFF_MAX_MS (10 * MINUTE_MS)
#define MISSES_MAX 20 /* beyond which doubling has long met its end */
#define SKEW_MS 10000 /* by which the clocks of two servers may differ, far more than they do */

void polled_done(struct polled *polled)
{
        for (int i = 0; i < polled->n; i++)
                order_free(polled->orders[i]);
        free(polled->orders);
        *polled = (struct polled){0};
}

static enum err write(struct record *record, int64_t until_ms, int64_t misses, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();

        if (!document || !json_add_int(document, "until", until_ms) ||
            !json_add_int(document, "misses", misses))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a lease");
        return record_write(record, document, why);
}

enum err poll_make(const char *connection_id, const struct id *restaurant, struct poll_lease *lease,
                   int64_t now_ms, struct record *ret, struct why *why)
{
        struct record record = {.kind = RECORD_POLL, .restaurant = *restaurant};
        enum err e;

        text_copy(record.id, sizeof record.id, connection_id);
        lease->until_ms = now_ms + lease->hold_ms;
        e = write(&record, lease->until_ms, 0, why);
        if (!e)
                *ret = record;
        return e;
}

enum err poll_take(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct poll_lease *lease = arg;
        enum err e = record_read(record, &document, why);
        const int64_t until_ms = e ? 0 : json_get_int(document, "until", 0);

        if (e)
                return e;
        /* What was written in the future was written before the clock was set back. */
        if (until_ms > now_ms && record->updated_ms <= now_ms + SKEW_MS) {
                lease->until_ms = until_ms;
                return FAIL(why, ERR_BUSY, "it is too early for a poll");
        }
        lease->until_ms = now_ms + lease->hold_ms;
        return write(record, lease->until_ms, json_get_int(document, "misses", 0), why);
}

static int64_t backoff_ms(int64_t wait_ms, int64_t misses)
{
        for (; misses > 0 && wait_ms < BACKOFF_MAX_MS; misses--)
                wait_ms *= 2;
        return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

enum err poll_end(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct poll_lease *lease = arg;
        enum err e = record_read(record, &document, why);
        const int64_t misses = e ? 0 : json_get_int(document, "misses", 0);
        int64_t wait_ms = lease->limited ? backoff_ms(lease->wait_ms, misses) : lease->wait_ms;

        if (e)
                return e;
        if (record->rev != lease->rev)
                return FAIL(why, ERR_BUSY, "another polls by now");
        if (wait_ms < lease->at_least_ms)
                wait_ms = lease->at_least_ms;
        lease->until_ms = now_ms + wait_ms;
        return write(record, lease->until_ms,
                     !lease->limited       ? 0
                     : misses < MISSES_MAX ? misses + 1
                                           : misses,
                     why);
}
