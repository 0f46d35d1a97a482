/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - counting calls and failures of one platform or host. */
#include "server/lane.h"

#define OPEN_WAIT_MS 5000 /* one call at a time goes out, and each may take a whole timeout; a guess */

int lane_room(const struct lane *lane, int64_t now_ms)
{
        const int most = lane_is_open(lane) ? 1 : LANE_CALLS_MAX;

        return now_ms < lane->held_until_ms || lane->active >= most ? 0 : most - lane->active;
}

void lane_begin(struct lane *lane)
{
        lane->active++;
}

void lane_end(struct lane *lane)
{
        lane->active--;
}

void lane_heard(struct lane *lane, bool answered)
{
        atomic_store(&lane->failures, answered ? 0 : atomic_load(&lane->failures) + 1);
}

void lane_hold(struct lane *lane, int64_t now_ms, int64_t for_ms)
{
        if (lane->held_until_ms < now_ms + for_ms)
                lane->held_until_ms = now_ms + for_ms;
}

int64_t lane_wait_ms(const struct lane *lane, int64_t now_ms)
{
        if (now_ms < lane->held_until_ms)
                return lane->held_until_ms - now_ms;
        return lane_is_open(lane) ? OPEN_WAIT_MS : LANE_WAIT_MS;
}

bool lane_is_idle(const struct lane *lane, int64_t now_ms)
{
        return lane->active == 0 && atomic_load(&lane->failures) == 0 && now_ms >= lane->held_until_ms;
}

bool lane_is_open(const struct lane *lane)
{
        return atomic_load(&lane->failures) >= LANE_FAILURES_MAX;
}
