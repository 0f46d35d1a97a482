/* SPDX-License-Identifier: Apache-2.0 */
/* sweeper.c - what has expired goes, then the personal data that was kept long enough: a handful in one commit and a rest
 * behind each, so that nobody who writes waits long, or often. In the end memory that is free goes, too.
 *
 * Every server does it: on one store they find the same things, and taking away what is gone is no harm. */
#include "server/sweeper.h"

#include "server/log.h"
#include "server/metrics.h"

#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/param.h>

#define LEAP_MS (INT64_C(60) * 60 * 1000) /* more than any clock drifts while nobody looks; a guess */
#define REST 9 /* times as long as the handful before took: a tenth of the store's time is enough; a guess */

struct sweeper {
        struct store *store;
        int64_t pause_ms;
        int64_t keep_ms;
        int64_t belief_ms;
        struct inbox in;
        pthread_t thread;
        struct store_sweep sweep;
        struct store_erase erase;
        bool erases; /* the second half */
        bool asked;  /* one of the two is at the store */
        int64_t swept;
        int64_t erased;
        int64_t ahead_ms; /* by how much the store's clock is ahead of CLOCK_BOOTTIME, as far as it is believed */
        int64_t store_ms; /* what time it is at the store, as far as it is believed */
        /* CLOCK_BOOTTIME */
        int64_t leapt_ms; /* when it was first seen to have leapt; 0: it has not */
        int64_t asked_ms;
        int64_t told_ms;
        int64_t next_ms;
        atomic_bool stopping;
};

/* What goes is gone for good, and by the clock alone. One that leaps ahead may be wrong, and is believed when it has
 * stayed there. */
static bool believes_clock(struct sweeper *s, int64_t now_ms)
{
        const int64_t store_ms = store_now(s->store), ahead_ms = store_ms - now_ms;

        if (ahead_ms <= s->ahead_ms + LEAP_MS || (s->leapt_ms && now_ms - s->leapt_ms >= s->belief_ms)) {
                s->ahead_ms = ahead_ms;
                s->leapt_ms = 0;
                s->store_ms = store_ms;
                return true;
        }
        if (!s->leapt_ms) {
                log_event(LOG_WARN, "clock_leapt", LOG_INT("seconds", (ahead_ms - s->ahead_ms) / 1000));
                s->leapt_ms = now_ms;
        }
        s->next_ms = now_ms + s->pause_ms;
        return false;
}

static void tell(struct sweeper *s, int64_t now_ms)
{
        if (s->swept + s->erased > 0)
                log_event(LOG_INFO, "swept", LOG_INT("orders", s->swept), LOG_INT("erased", s->erased));
        s->swept = s->erased = 0;
        s->told_ms = now_ms;
}

static void came_back(struct letter *letter)
{
        const struct job *job = (struct job *)letter;
        struct sweeper *s = job->arg;
        const int64_t now_ms = time_boot_ms();
        bool more = false;

        s->asked = false;
        metrics_sweep(job->err ? SWEEP_FAILED : SWEEP_OK);
        if (job->err) {
                log_limited(LOG_WARN, "sweep_failed", LOG_TEXT("reason", job->why.text));
        } else if (s->erases) {
                s->erased += s->erase.erased;
                metrics_erased(s->erase.erased);
                more = s->erase.more;
        } else {
                s->swept += s->sweep.swept;
                metrics_swept(s->sweep.swept);
                more = s->sweep.swept == SWEEP_MAX;
        }
        s->next_ms = now_ms + (more ? REST * (now_ms - s->asked_ms) : 0);
        if (!more && (s->erases || job->err)) {
                s->next_ms += s->pause_ms;
                malloc_trim(0); /* malloc alone gives back a heap's end, where something always stands */
        }
        if (!more)
                s->erases = !s->erases && !job->err;
        if ((!more && !s->erases) || now_ms - s->told_ms >= s->pause_ms)
                tell(s, now_ms);
}

static void ask(struct sweeper *s)
{
        const struct job job = {.letter.run = came_back, .reply = &s->in, .arg = s};

        s->asked = true;
        s->asked_ms = time_boot_ms();
        if (s->erases) {
                s->erase = (struct store_erase){.job = job, .keep_ms = s->keep_ms, .now_ms = s->store_ms};
                store_erase(s->store, &s->erase);
        } else {
                s->sweep = (struct store_sweep){.job = job, .max = SWEEP_MAX, .now_ms = s->store_ms};
                store_sweep(s->store, &s->sweep);
        }
        store_kick(s->store);
}

static void *loop(void *arg)
{
        struct sweeper *s = arg;
        struct pollfd wait = {.fd = s->in.fd, .events = POLLIN};

        while (!atomic_load(&s->stopping)) {
                const int64_t left_ms = s->next_ms - time_boot_ms();

                if (!s->asked && left_ms <= 0 && believes_clock(s, time_boot_ms()))
                        ask(s);
                poll(&wait, 1, s->asked ? -1 : (int)MAX(left_ms, 0));
                inbox_run(&s->in);
        }
        return NULL;
}

enum err sweeper_start(struct store *store, int64_t pause_ms, int64_t keep_ms, int64_t belief_ms,
                       struct sweeper **ret, struct why *why)
{
        struct sweeper *s = calloc(1, sizeof *s);
        enum err e = s ? inbox_init(&s->in, why) : FAIL(why, ERR_NO_MEMORY, "no memory for the sweeper");

        if (e) {
                free(s);
                return e;
        }
        s->store = store;
        s->pause_ms = pause_ms;
        s->keep_ms = keep_ms;
        s->belief_ms = belief_ms;
        s->told_ms = time_boot_ms();
        s->ahead_ms = store_now(store) - s->told_ms;
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
