/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - the shapes of every good answer (docs/api.md 1): one object, or a page of a list. */
#pragma once

#include "model/json.h"
#include "server/http.h"

/* An empty object or list to fill; NULL without memory. */
struct json_object *answer_object(void) MUST_USE;
struct json_object *answer_array(void) MUST_USE;

/* {"success":true,"data":…}. Takes the ownership of `data`. Errors: NO_MEMORY (also where `data` is NULL), and then
 * nothing has been answered. */
enum err answer_one(struct request *r, int http_status, struct json_object *data) MUST_USE;

/* The same of an object that was just filled: `filled` false means without memory. */
enum err answer_filled(struct request *r, int http_status, struct json_object *data, bool filled) MUST_USE;

/* {"success":true,"data":[…],"next":…}, `next` "" where that was all. Ownership and errors as above. */
enum err answer_list(struct request *r, struct json_object *array, const char *next) MUST_USE;
