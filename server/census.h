/* SPDX-License-Identifier: Apache-2.0 */
/* census.h - how much is owed and has failed, counted by the store in the background: whoever asks is told what the last
 * count found. All on one thread. */
#pragma once

#include "model/store.h"

struct census;

struct counted {
        int owed[PARTY_COUNT], failed[PARTY_COUNT]; /* each to PROBE_COUNT_MAX */
        int64_t oldest_ms;                          /* for how long the oldest has been due; 0: nothing is */
};

/* Errors: NO_MEMORY. */
enum err census_new(struct census **ret, struct why *why) MUST_USE;
/* After whatever runs `reply` has run all of it. NULL is fine. */
void census_free(struct census *census);

/* What was counted last, and another count where that was some seconds ago; false: it is not known, because nobody asked
 * before, or the store did not answer. The completion goes to `reply`; the caller kicks the store. */
bool census_look(struct census *census, struct store *store, struct inbox *reply, struct counted *ret);
