/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - what the routes of restaurants, tokens, integrations and connections have in common. */
#pragma once

#include "model/store.h"
#include "server/http.h"

/* Asks for the page that the request names, in the restaurant of the route's first {…}; restaurants themselves in all.
 * `listed` is run on the loop when it is there and calls records_listed(). */
void records_list(struct request *r, enum record_kind kind, void (*listed)(struct letter *letter));

/* Answers with what was found; `row` writes the i-th, NULL without memory. */
void records_listed(struct letter *letter, struct json_object *(*row)(const struct store_find *find, int i));

/* The second piece of every DELETE: a struct store_drop's letter.run. */
void records_dropped(struct letter *letter);
