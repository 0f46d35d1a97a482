/* SPDX-License-Identifier: Apache-2.0 */
/* sweeper.h - takes away what has expired, customers' personal data that nobody needs any more, and memory that is free:
 * looks for it once in a while, on a thread of its own that never hurries. */
#pragma once

#include "model/store.h"

struct sweeper;

/* Starts the thread, which begins at once and comes back every `pause_ms`; personal data is kept for `keep_ms`
 * (struct store_erase). Where the store's clock leaps ahead by more than an hour nothing goes until it has stayed there for
 * `belief_ms`. Errors: NO_MEMORY, INTERNAL. */
enum err sweeper_start(struct store *store, int64_t pause_ms, int64_t keep_ms, int64_t belief_ms,
                       struct sweeper **ret, struct why *why) MUST_USE;

/* Joins the thread; what it asked of the store last may still be there, so it is freed when that is closed. NULL is
 * fine. */
void sweeper_stop(struct sweeper *sweeper);
void sweeper_free(struct sweeper *sweeper);
