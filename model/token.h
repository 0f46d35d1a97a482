/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - the record of a restaurant's token: {name, prefix, last4, lastUsedAt}; looks[0] is its digest.
 *
 * The text itself is shown once and never kept. */
#pragma once

#include "model/record.h"

#define TOKEN_PREFIX "krt_"

/* A new token of `restaurant`; `ret_text` is what its holder is given. Ownership: *ret's content is the caller's,
 * record_done(). Errors: NO_MEMORY, INTERNAL (no randomness). */
enum err token_make(const struct id *restaurant, const char *name, int64_t now_ms, struct record *ret,
                    char ret_text[APIKEY_TEXT_SIZE], struct why *why) MUST_USE;

/* Whether its last use was written down longer than ten minutes ago: lastUsedAt is no more exact (docs/api.md 3). */
bool token_needs_touch(const struct record *record, int64_t now_ms);
record_editor token_touch; /* it was used now; `arg` is not */

/* As docs/api.md 3 shows it: `text` as it is given to its holder, or, NULL, as a row of the list. NULL without
 * memory, or when damaged. */
struct json_object *token_write(const struct record *record, const char *text) MUST_USE;
