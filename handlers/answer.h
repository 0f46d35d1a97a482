/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - the shapes of every good answer (docs/api.md 1): one object, or a page of a list. */
#pragma once

#include "model/json.h"
#include "server/http.h"

/* An empty object or list to fill; NULL without memory. */
struct json_object *answer_object(void) MUST_USE;
struct json_object *answer_array(void) MUST_USE;

/* {"success":true,"data":…}. Takes the ownership of `data`; NULL answers NO_MEMORY. */
void answer_one(struct request *r, int http_status, struct json_object *data);

/* {"success":true,"data":[…],"next":…}, `next` "" where that was all. Ownership and NULL as above. */
void answer_list(struct request *r, struct json_object *array, const char *next);
