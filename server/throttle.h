/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.h - who tries wrong keys too often. One thread's own. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_WRONG_MAX 60 /* in a minute from one address; docs/api.md 1 */
#define THROTTLE_WINDOW_MS 60000

struct throttle;

/* Errors: NO_MEMORY. */
enum err throttle_new(struct throttle **ret, struct why *why) MUST_USE;
/* NULL is fine. */
void throttle_free(struct throttle *throttle);

/* One more wrong key from this address, or another one of its IPv6 /64: where these are too many, for how many milliseconds more; else 0. Good keys are
 * never counted. Memory is bounded: where more addresses are at it than are kept, all are forgotten. `now_ms` never goes
 * back (CLOCK_BOOTTIME). */
int64_t throttle_wrong(struct throttle *throttle, const char *address, int64_t now_ms);
