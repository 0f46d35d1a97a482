/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - preloaded below a program, clocks that a test sets.
 *
 * BELOW_CLOCK names a file of numbers that test and program share (tests/e2e/below.py): by how many milliseconds the wall
 * clock is wrong, and how long the machine has slept, which CLOCK_BOOTTIME counts and CLOCK_MONOTONIC does not. */
#include "tests/below/below.h"

#include <sys/time.h>
#include <time.h>

struct switches {
        _Atomic int64_t wrong_ms;
        _Atomic int64_t slept_ms;
};

static struct switches *switches;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

/* Others ask what time it is before this has begun. */
static int ask(clockid_t clock, struct timespec *ret)
{
        if (!real_clock_gettime)
                *(void **)&real_clock_gettime = below_next("clock_gettime");
        return real_clock_gettime(clock, ret);
}

__attribute__((constructor)) static void begin(void)
{
        switches = below_share("BELOW_CLOCK", sizeof *switches);
}

static int64_t wrong_by(clockid_t clock)
{
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE: return atomic_load(&switches->wrong_ms);
        case CLOCK_BOOTTIME: return atomic_load(&switches->slept_ms);
        default: return 0;
        }
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
        const int r = ask(clock, ret);
        int64_t ns;

        if (r != 0 || !switches)
                return r;
        ns = ret->tv_sec * INT64_C(1000000000) + ret->tv_nsec + wrong_by(clock) * INT64_C(1000000);
        ret->tv_sec = ns / 1000000000;
        ret->tv_nsec = ns % 1000000000;
        return 0;
}

EXPORT int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
        struct timespec now = {0};
        const int r = clock_gettime(CLOCK_REALTIME, &now);

        (void)zone;
        *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
        return r;
}

EXPORT time_t time(time_t *ret)
{
        struct timespec now = {0};

        clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}
