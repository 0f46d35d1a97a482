/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - what the routes of restaurants, tokens, integrations and connections have in common. */
#pragma once

#include "handlers/caller.h"

/* The id of the record of this kind that the route names, in the restaurant of its first {…}. Errors: NOT_FOUND. */
enum err records_id(struct request *r, enum record_kind kind, char ret[RECORD_ID_SIZE], struct why *why)
        MUST_USE;

/* Answers with the record, of any kind; `owner` is its restaurant's, for an integration. Errors: NOT_FOUND (there is none),
 * NO_MEMORY (or it is damaged). */
enum err records_answer(struct request *r, const struct record *record, const struct record *owner) MUST_USE;

/* Submits a struct store_edit as the next verb of `before`'s request: what stands in `arg` is kept with it. */
enum err records_edit(void *before, enum record_kind kind, const char *id, record_editor *edit, void *arg,
                      caller_answer *answer) MUST_USE;

/* What follows on a struct store_edit, store_drop: answers with the record as it is now; with nothing. */
caller_answer records_edited, records_dropped;
