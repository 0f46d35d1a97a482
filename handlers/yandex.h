/* SPDX-License-Identifier: Apache-2.0 */
/* yandex.h - what the routes that Yandex Eats calls have in common (docs/api.md 6).
 *
 * A ticket says for which restaurant and which secret it was given. Whether that is still so is read anew with each call,
 * so that a new secret, or an account that was turned off, ends it at once on every server; whether the restaurant is
 * active, by the verb that follows. */
#pragma once

#include "handlers/caller.h"
#include "model/yandex_account.h"
#include "model/yandex_order.h"

/* Reads the account; then `next`, as the answer to a struct store_get. A ticket that is no good any more: UNAUTHORIZED. */
void yandex_visit(struct request *r, caller_answer *next);
/* And then the order of the route's first {…}: `next` answers a struct store_read with one of Yandex Eats in it. Any other:
 * NOT_FOUND. */
void yandex_visit_order(struct request *r, caller_answer *next);

/* Moves the order that was read, with the body's comment as its note and the reason of a cancel: the next verb of
 * `before`'s request, a struct store_move. Errors: BAD_FIELD, NO_MEMORY. */
enum err yandex_move(void *before, enum status to, const struct view *body, caller_answer *answer) MUST_USE;

/* The account that was read. */
const struct yandex_account *yandex_visited(void *verb);
/* Whether a body's restaurantId means the restaurant of this visit: else BAD_FIELD. */
enum err yandex_check_place(void *verb, const struct view *body, struct why *why) MUST_USE;
