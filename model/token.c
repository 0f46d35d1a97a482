/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - the record of a restaurant's token. */
#include "model/token.h"

#include "model/clean.h"

#include <inttypes.h>
#include <stdio.h>

#define TOUCH_MS (10 * 60 * INT64_C(1000))

enum err token_make(const struct id *restaurant, const char *name, int64_t now_ms, struct record *ret,
                    char ret_text[APIKEY_TEXT_SIZE], struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_TOKEN, .restaurant = *restaurant, .n_looks = 1};
        char text[APIKEY_TEXT_SIZE];
        struct id id;
        enum err e = apikey_make(TOKEN_PREFIX, text, why);

        if (e)
                return e;
        if (!id_make(now_ms, &id) || !apikey_digest(TOKEN_PREFIX, text, &record.looks[0]))
                return FAIL(why, ERR_INTERNAL, "no randomness for a token");
        id_write(&id, record.id);
        if (!document || !json_add_text(document, "name", name) || !record_add_marks(document, text) ||
            !json_add(document, "lastUsedAt", NULL))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a token");
        e = record_write(&record, document, why);
        if (e)
                return e;
        *ret = record;
        text_copy(ret_text, APIKEY_TEXT_SIZE, text);
        return ERR_OK;
}

bool token_needs_touch(const struct record *record, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) &&
               now_ms - json_get_int(document, "lastUsedAt", 0) >= TOUCH_MS;
}

enum err token_touch(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        char members[64];

        (void)arg;
        snprintf(members, sizeof members, "{\"lastUsedAt\":%" PRId64 "}", now_ms);
        return record_change(record, members, why);
}

struct json_object *token_write(const struct record *record, const char *text)
{
        CLEAN(json_put_at)
        struct json_object *shown = text ? record_show(record, NULL, "tokenId", "name", "createdAt", NULL)
                                         : record_show(record, NULL, "tokenId", "name", "prefix", "last4",
                                                       "lastUsedAt", "createdAt", NULL);
        const int64_t used_ms = json_get_int(shown, "lastUsedAt", 0);

        if (!shown || (text && !json_add_text(shown, "token", text)) ||
            (used_ms && !json_add_time(shown, "lastUsedAt", used_ms)))
                return NULL;
        return TAKE(shown);
}
