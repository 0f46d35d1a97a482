/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - what a request says: who asks, for what, and the way of its job to the store and back.
 *
 * A handler's first piece:                              Its second piece, the job's letter.run:
 *         make the job          caller_job()                    take it back       caller_back()
 *         read what is asked    caller_body() …                 reply              answer.h
 *         submit                if (request_hold(r))
 *                                       store_x(caller_app(r)->store, job);
 */
#pragma once

#include "model/json.h"
#include "model/store.h"
#include "server/app.h"
#include "server/http.h"

#include <stddef.h>

/* What the job stands in as `member`, for a `run` whose job is not the first of a request. */
/* clang-format off */
#define OWNER_OF(letter, type, member) ((type *)((char *)(letter) - offsetof(type, member)))
/* clang-format on */

/* What main made. */
struct app *caller_app(struct request *r);

/* Who asks, for the store to check. `restaurant` says whose data is asked for; NULL: the caller's own, or, for the admin,
 * everybody's. A credential that is none is given as a key that nobody has. */
void caller_access(struct request *r, const struct id *restaurant, struct access *ret);

/* A zeroed verb of the store (`struct store_x`, `size` bytes, which begins with its job), ready to be filled and
 * submitted: access as caller_access() gives it, back to `run` on the loop with the request as job.arg. Lives as long as
 * the request; `done` (may be NULL) is called with it then. NULL: no memory, and that has been answered. */
void *caller_job(struct request *r, size_t size, void (*done)(void *job), const struct id *restaurant,
                 void (*run)(struct letter *letter));

/* The same where the first {…} of the route is the restaurant's id: whose data is asked for. */
void *caller_restaurant_job(struct request *r, size_t size, void (*done)(void *job),
                            void (*run)(struct letter *letter));

/* Makes `job` the next one of the same request: asked for by whom `before` was. */
void caller_next(struct job *job, const struct job *before, void (*run)(struct letter *letter));

/* For `run`: releases the request and gives it, to be answered now; NULL when the job failed, which has been answered. */
struct request *caller_back(struct job *job);

/* The body's object. Ownership: *ret is the caller's, json_object_put(). Errors: BAD_JSON, NO_MEMORY. */
enum err caller_body(struct request *r, struct json_object **ret, struct why *why) MUST_USE;

/* The id that stands for the i-th {…} of the route. Errors: NOT_FOUND: what is not an id is nobody's. */
enum err caller_id(struct request *r, int i, struct id *ret, struct why *why) MUST_USE;

/* The same, written as the id of a record. */
enum err caller_record_id(struct request *r, int i, char ret[RECORD_ID_SIZE], struct why *why) MUST_USE;

/* The query of a list: `limit` (1 to LIST_MAX, else 50) and `after` ("" from the newest). Errors: BAD_FIELD. */
enum err caller_page(struct request *r, int *ret_limit, char ret_after[CURSOR_SIZE], struct why *why)
        MUST_USE;

/* `?since=<time>`; absent: *ret_ms untouched. Errors: BAD_FIELD. */
enum err caller_since(struct request *r, int64_t *ret_ms, struct why *why) MUST_USE;
