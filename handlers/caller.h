/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - what a request says: who asks, for what, and the way of its verb to the store and back.
 *
 * A handler is a verb of the store, what reads the request into the verb's struct, and what answers when it is done:
 *         HANDLER(orders_show, VERB_READ, OWN, read_id, shown) */
#pragma once

#include "model/json.h"
#include "model/store.h"
#include "server/app.h"
#include "server/http.h"

/* Whose data is asked for, for the store to check. */
enum whose {
        OWN,  /* the caller's own; the admin's: everybody's */
        NAMED /* those of the restaurant that the first {…} of the route names */
};

/* Fills the verb's `struct store_x`: zeroed, but for its access; it lives as long as the request. An error is answered. */
typedef enum err caller_read(struct request *r, void *verb, struct why *why);
/* Answers a verb that has not failed, or submits another. An error is answered, with the verb's job.why. */
typedef enum err caller_answer(struct request *r, void *verb);

/* The two halves of a handler that takes more than that: the verb's struct, to be filled (NULL: that has been answered);
 * and its end, by what came of that: an error with its job.why, or it is submitted. */
void *caller_job(struct request *r, enum verb verb, enum whose whose, caller_answer *answer);
void caller_end(void *verb, enum err e);
/* What HANDLER() does with them. */
void caller_ask(struct request *r, enum verb verb, enum whose whose, caller_read *read,
                caller_answer *answer);

/* clang-format off */ /* its versions differ about braces in macros */
#define HANDLER(name, verb, whose, read, answer)                  \
        void name(struct request *r)                              \
        {                                                         \
                caller_ask((r), (verb), (whose), (read), (answer)); \
        }
/* clang-format on */

/* Another verb of the same request, zeroed, asked for by whom `before` was, with the same state; NULL without memory. */
void *caller_next(void *before, enum verb verb, caller_answer *answer);
/* Hands it to the store. Always OK: when too much waits, that has been answered. */
enum err caller_submit(void *verb);

/* What a request keeps from one verb to the next: zeroed, `done` (may be NULL) is called with it in the end. NULL
 * without memory. */
void *caller_keep(void *verb, size_t size, void (*done)(void *state));
/* What was kept, or NULL. */
void *caller_state(void *verb);

/* What main made. */
const struct app *caller_app(struct request *r);

/* The body. Ownership: view_put(). Errors: BAD_JSON, NO_MEMORY. */
enum err caller_body(struct request *r, struct view *ret, struct why *why) MUST_USE;
/* CLEAN(view_put) struct view body = {0}; */
void view_put(struct view *body);

/* The id that stands for the i-th {…} of the route. Errors: NOT_FOUND: what is not an id is nobody's. */
enum err caller_id(struct request *r, int i, struct id *ret, struct why *why) MUST_USE;

/* The query of a list: `limit` (1 to LIST_MAX, else 50) and `after` ("" from the newest). Errors: BAD_FIELD. */
enum err caller_page(struct request *r, int *ret_limit, char ret_after[CURSOR_SIZE], struct why *why)
        MUST_USE;
/* Of a list of orders: the same, and `since` (0: all). */
enum err caller_list(struct request *r, struct store_list *ret, struct why *why) MUST_USE;
