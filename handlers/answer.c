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
static enum err success(struct request *r, int http_status, struct json_object *data, const char *next)
{
        CLEAN(json_put_at) struct json_object *answer = json_object_new_object();
        char *text;

        if (!answer || !data || !json_add_bool(answer, "success", true)) {
                json_object_put(data);
                return ERR_NO_MEMORY;
        }
        if (!json_add(answer, "data", data) ||
            (next && !json_add_text(answer, "next", next[0] ? next : NULL)) || !(text = json_text(answer)))
                return ERR_NO_MEMORY;
        request_reply_text(r, http_status, text);
        return ERR_OK;
}

enum err answer_one(struct request *r, int http_status, struct json_object *data)
{
        return success(r, http_status, data, NULL);
}

enum err answer_filled(struct request *r, int http_status, struct json_object *data, bool filled)
{
        if (filled)
                return success(r, http_status, data, NULL);
        json_object_put(data);
        return ERR_NO_MEMORY;
}

enum err answer_list(struct request *r, struct json_object *array, const char *next)
{
        return success(r, 200, array, next);
}
