/* SPDX-License-Identifier: Apache-2.0 */
/* poller.c - the thread that knows which accounts are polled, and when. */
#include "server/polling.h"

#include "server/log.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define POLLS_MAX 32      /* at once, half of a platform's lane; a guess */
#define SPREAD_MS 20      /* between the first polls of accounts that were found together; a guess */
#define ROUND_MAX_MS 1000 /* poller_pulse_ms() promises it */

void poller_submit(struct poller *poller, struct job *job, void *arg, void (*run)(struct letter *letter))
{
        job->letter.run = run;
        job->reply = &poller->in;
        job->arg = arg;
}

int64_t poller_up_to(struct poller *poller, int64_t ms)
{
        return rand_r(&poller->seed) % (ms + 1);
}

/* ---- places ---- */

/* Most come back after the same wait, so that their place is near the end. */
static void wait_until(struct poller *poller, struct place *place, int64_t at_ms)
{
        struct place *before = TAILQ_LAST(&poller->waiting, places);

        place->at_ms = at_ms;
        while (before && before->at_ms > at_ms)
                before = TAILQ_PREV(before, places, entry);
        if (before)
                TAILQ_INSERT_AFTER(&poller->waiting, before, place, entry);
        else
                TAILQ_INSERT_HEAD(&poller->waiting, place, entry);
}

void poller_rest(struct poller *poller, struct place *place, int64_t at_ms)
{
        place->polling = false;
        poller->n_polls--;
        wait_until(poller, place, at_ms);
}

static void drop(struct poller *poller, struct place *place)
{
        HASH_DEL(poller->places, place);
        free(place);
}

/* Without memory the next look finds it. */
static void found(struct poller *poller, const struct record *connection)
{
        enum platform platform;
        struct place *place;

        if (!connection_platform(connection, &platform) || poller->options.wait_ms[platform] == 0 ||
            !connection_is_enabled(connection))
                return;
        HASH_FIND_STR(poller->places, connection->id, place);
        if (place) {
                place->seen = poller->n_looks;
                return;
        }
        place = calloc(1, sizeof *place);
        if (!place)
                return;
        text_copy(place->id, sizeof place->id, connection->id);
        place->restaurant = connection->restaurant;
        place->platform = platform;
        place->seen = poller->n_looks;
        HASH_ADD_STR(poller->places, id, place);
        if (place->hh.tbl)
                wait_until(poller, place,
                           time_boot_ms() +
                                   poller->n_found++ * SPREAD_MS % poller->options.wait_ms[platform]);
        else
                free(place);
}

/* Those that this look has not seen are gone. */
static void sweep(struct poller *poller)
{
        struct place *place;
        struct place *next;

        HASH_ITER(hh, poller->places, place, next) {
                if (place->polling || place->seen == poller->n_looks)
                        continue;
                TAILQ_REMOVE(&poller->waiting, place, entry);
                drop(poller, place);
        }
}

static void look_on(struct poller *poller);

static void looked(struct letter *letter)
{
        struct poller *poller = ((struct job *)letter)->arg;
        const bool failed = poller->look.job.err != ERR_OK;

        if (failed)
                log_limited(LOG_WARN, "look_failed", LOG_CAUSE("of", "connections"),
                            LOG_TEXT("reason", poller->look.job.why.text));
        for (int i = 0; i < poller->look.n && !failed; i++)
                found(poller, &poller->look.records[i]);
        if (!failed && poller->look.next[0] && !atomic_load(&poller->draining)) {
                look_on(poller);
                return;
        }
        store_find_done(&poller->look);
        poller->looking = false;
        if (!failed && !atomic_load(&poller->draining))
                sweep(poller);
}

/* The next page. */
static void look_on(struct poller *poller)
{
        struct store_find *look = &poller->look;
        char after[CURSOR_SIZE];

        text_copy(after, sizeof after, look->next);
        store_find_done(look);
        memset(look, 0, sizeof *look);
        text_copy(look->after, sizeof look->after, after);
        look->kind = RECORD_CONNECTION;
        look->limit = LIST_MAX;
        poller_submit(poller, &look->job, poller, looked);
        store_find(poller->store, look);
}

static void look(struct poller *poller, int64_t now_ms)
{
        if (poller->looking || now_ms < poller->look_at_ms)
                return;
        poller->look_at_ms = now_ms + poller->options.look_ms;
        poller->looking = true;
        poller->n_looks++;
        poller->n_found = 0;
        look_on(poller);
}

/* ---- the thread ---- */

static int until_next_ms(const struct poller *poller, int64_t now_ms)
{
        const struct place *first = TAILQ_FIRST(&poller->waiting);
        int64_t until_ms = now_ms + ROUND_MAX_MS;

        if (!poller->looking)
                until_ms = MIN(until_ms, poller->look_at_ms);
        if (first && poller->n_polls < POLLS_MAX)
                until_ms = MIN(until_ms, first->at_ms);
        return (int)MAX(until_ms - now_ms, 0);
}

static bool begin(struct poller *poller, struct place *place)
{
        if (!poll_begin(poller, place))
                return false;
        TAILQ_REMOVE(&poller->waiting, place, entry);
        place->polling = true;
        poller->n_polls++;
        return true;
}

static void go_round(struct poller *poller)
{
        struct pollfd wait = {.fd = poller->in.fd, .events = POLLIN};
        const bool draining = atomic_load(&poller->draining);
        struct place *first;
        int64_t now_ms;

        store_kick(poller->store);
        poll(&wait, 1, draining ? ROUND_MAX_MS : until_next_ms(poller, time_boot_ms()));
        inbox_run(&poller->in);
        now_ms = time_boot_ms();
        atomic_store(&poller->pulse_ms, now_ms);
        if (atomic_load(&poller->draining))
                return;
        look(poller, now_ms);
        while ((first = TAILQ_FIRST(&poller->waiting)) && first->at_ms <= now_ms &&
               poller->n_polls < POLLS_MAX && begin(poller, first))
                ;
}

static void *loop(void *arg)
{
        struct poller *poller = arg;

        while (!atomic_load(&poller->stopping) || poller->n_polls > 0 || poller->looking)
                go_round(poller);
        return NULL;
}

enum err poller_start(const struct poller_options *options, struct store *store, struct outbound *outbound,
                      struct poller **ret, struct why *why)
{
        struct poller *poller = calloc(1, sizeof *poller);
        enum err e;

        if (!poller)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the poller");
        poller->options = *options;
        poller->store = store;
        poller->outbound = outbound;
        TAILQ_INIT(&poller->waiting);
        atomic_store(&poller->pulse_ms, time_boot_ms());
        if (!crypto_random(&poller->seed, sizeof poller->seed)) {
                free(poller);
                return FAIL(why, ERR_INTERNAL, "no randomness");
        }
        e = inbox_init(&poller->in, why);
        if (e == ERR_OK && pthread_create(&poller->thread, NULL, loop, poller) != 0) {
                inbox_done(&poller->in);
                e = FAIL(why, ERR_NO_MEMORY, "cannot start the poller's thread");
        }
        if (e != ERR_OK) {
                free(poller);
                return e;
        }
        pthread_setname_np(poller->thread, "poller");
        *ret = poller;
        return ERR_OK;
}

int64_t poller_pulse_ms(const struct poller *poller)
{
        return atomic_load(&poller->pulse_ms);
}

void poller_drain(struct poller *poller)
{
        if (!poller)
                return;
        atomic_store(&poller->draining, true);
        poller->in.wake(poller->in.arg);
}

void poller_stop(struct poller *poller)
{
        struct place *place;
        struct place *next;

        if (!poller)
                return;
        atomic_store(&poller->draining, true);
        atomic_store(&poller->stopping, true);
        poller->in.wake(poller->in.arg);
        pthread_join(poller->thread, NULL);
        HASH_ITER(hh, poller->places, place, next)
                drop(poller, place);
        inbox_done(&poller->in);
        free(poller);
}
