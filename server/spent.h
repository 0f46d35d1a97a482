/* SPDX-License-Identifier: Apache-2.0 */
/* spent.h - tickets that were used on this server: each is good once on it. Threads: one at a time. */
#pragma once

#include "model/err.h"

#include <stdint.h>

struct spent;

/* Errors: NO_MEMORY. Freeing NULL is fine. */
enum err spent_new(struct spent **ret, struct why *why) MUST_USE;
void spent_free(struct spent *spent);

/* Notes that the ticket with this mark, good until then, was used. Errors: UNAUTHORIZED: it was used before; BUSY: there are
 * too many; NO_MEMORY. */
enum err spent_take(struct spent *spent, uint64_t mark, int64_t until_ms, int64_t now_ms, struct why *why)
        MUST_USE;
