/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h - who may call now: so many at once for one platform, one at a time while it keeps failing, nobody while it asked
 * for quiet. One thread's own, but for lane_is_open(). Times are of CLOCK_BOOTTIME, in milliseconds. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LANE_CALLS_MAX 64    /* at once for one platform; docs/design.md 5 */
#define LANE_FAILURES_MAX 10 /* in a row open the breaker; docs/design.md 5 */

struct lane {
        int active;
        int64_t held_until_ms;
        bool missed;         /* a look found more than there was room for: there is more to look for */
        atomic_int failures; /* in a row; many open the breaker: one call at a time until one gets through */
};

/* How many more may begin now; 0 where it is held back. */
int lane_room(const struct lane *lane, int64_t now_ms);

/* One call more, or less, is under way. */
void lane_begin(struct lane *lane);
void lane_end(struct lane *lane);

/* What a call showed of the other side: whether it answers at all. */
void lane_heard(struct lane *lane, bool answered);

/* Nobody calls for `for_ms`; a longer hold that stands already stays. */
void lane_hold(struct lane *lane, int64_t now_ms, int64_t for_ms);

/* Where there is no room: after how long it is worth asking again. */
#define LANE_WAIT_MS 1000 /* for one of many slots; a guess */
int64_t lane_wait_ms(const struct lane *lane, int64_t now_ms);

/* Whether it knows nothing worth keeping. */
bool lane_is_idle(const struct lane *lane, int64_t now_ms);

/* Whether the breaker is open. Threads: any. */
bool lane_is_open(const struct lane *lane);
