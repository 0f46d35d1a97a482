/* SPDX-License-Identifier: Apache-2.0 */
/* sweeper.c - what has expired goes, a handful in one commit, so that nobody who writes waits long behind it.
 *
 * Every server does it: on one store they find the same things, and taking away what is gone is no harm. */
#include "server/sweeper.h"

#include "server/log.h"
#include "server/metrics.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROUNDS_MAX 10 /* of SWEEP_MAX before the next pause: what is left is late anyway; a guess */

struct sweeper {
        struct store *store;
        int64_t pause_ms;
        struct inbox in;
        pthread_t thread;
        struct store_sweep sweep;
        bool asked; /* `sweep` is at the store */
        int rounds; /* since the last pause */
        int64_t swept;
        int64_t next_ms; /* CLOCK_BOOTTIME: the end of the pause */
        atomic_bool stopping;
};

static void ask(struct sweeper *s);

static void pause_now(struct sweeper *s)
{
        if (s->swept > 0)
                log_event(LOG_INFO, "swept", LOG_INT("orders", s->swept));
        s->rounds = 0;
        s->swept = 0;
        s->next_ms = time_boot_ms() + s->pause_ms;
}

static void came_back(struct letter *letter)
{
        struct sweeper *s = ((struct job *)letter)->arg;

        s->asked = false;
        s->swept += s->sweep.job.err ? 0 : s->sweep.swept;
        metrics_sweep(s->sweep.job.err ? SWEEP_FAILED : SWEEP_OK, s->sweep.job.err ? 0 : s->sweep.swept);
        if (s->sweep.job.err)
                log_limited(LOG_WARN, "sweep_failed", LOG_TEXT("reason", s->sweep.job.why.text));
        if (!s->sweep.job.err && s->sweep.swept == SWEEP_MAX && ++s->rounds < ROUNDS_MAX)
                ask(s);
        else
                pause_now(s);
}

static void ask(struct sweeper *s)
{
        s->sweep = (struct store_sweep){.job = {.letter.run = came_back, .reply = &s->in, .arg = s},
                                        .max = SWEEP_MAX};
        s->asked = true;
        store_sweep(s->store, &s->sweep);
        store_kick(s->store);
}

static void *loop(void *arg)
{
        struct sweeper *s = arg;
        struct pollfd wait = {.fd = s->in.fd, .events = POLLIN};

        while (!atomic_load(&s->stopping)) {
                const int64_t left_ms = s->next_ms - time_boot_ms();

                if (!s->asked && left_ms <= 0)
                        ask(s);
                poll(&wait, 1, s->asked ? -1 : (int)left_ms);
                inbox_run(&s->in);
        }
        return NULL;
}

enum err sweeper_start(struct store *store, int64_t pause_ms, struct sweeper **ret, struct why *why)
{
        struct sweeper *s = calloc(1, sizeof *s);
        enum err e = s ? inbox_init(&s->in, why) : FAIL(why, ERR_NO_MEMORY, "no memory for the sweeper");

        if (e) {
                free(s);
                return e;
        }
        s->store = store;
        s->pause_ms = pause_ms;
        if (pthread_create(&s->thread, NULL, loop, s) != 0) {
                sweeper_free(s);
                return FAIL(why, ERR_NO_MEMORY, "cannot start the sweeper's thread");
        }
        pthread_setname_np(s->thread, "sweeper");
        *ret = s;
        return ERR_OK;
}

void sweeper_stop(struct sweeper *s)
{
        if (!s)
                return;
        atomic_store(&s->stopping, true);
        s->in.wake(s->in.arg);
        pthread_join(s->thread, NULL);
}

void sweeper_free(struct sweeper *s)
{
        if (!s)
                return;
        inbox_done(&s->in);
        free(s);
}
