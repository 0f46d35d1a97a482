/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - the shapes of every good answer (docs/api.md 1): one object, or a page of a list. */
#include "handlers/answer.h"

#include "model/clean.h"

struct json_object *answer_object(void)
{
        return json_object_new_object();
}

struct json_object *answer_array(void)
{
        return json_object_new_array();
}

/* `next` NULL: no list. */
static char *success(struct json_object *data, const char *next)
{
        CLEAN(json_put_at) struct json_object *owned = data;
        CLEAN(json_put_at) struct json_object *answer = json_object_new_object();

        if (!owned || !answer || !json_add_bool(answer, "success", true) ||
            !json_add(answer, "data", TAKE(owned)))
                return NULL;
        if (next && !json_add_text(answer, "next", next[0] ? next : NULL))
                return NULL;
        return json_text(answer);
}

void answer_one(struct request *r, int http_status, struct json_object *data)
{
        request_reply_text(r, http_status, success(data, NULL));
}

void answer_list(struct request *r, struct json_object *array, const char *next)
{
        request_reply_text(r, 200, success(array, next));
}
