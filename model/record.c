/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - birth and death of a record, and the way into its document. */
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void record_done(struct record *record)
{
        free(record->document);
        *record = (struct record){0};
}

enum err record_copy(const struct record *from, struct record *ret, struct why *why)
{
        char *document = from->document ? strdup(from->document) : NULL;

        if (from->document && !document)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        *ret = *from;
        ret->document = document;
        return ERR_OK;
}

enum err record_read(const struct record *record, struct json_object **ret, struct why *why)
{
        const char *document = record->document ? record->document : "";
        enum err e = json_read(document, strlen(document), ret, why);

        /* Ours, so that it is damaged, and no client's fault. */
        return e == ERR_BAD_JSON ? FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id) : e;
}

enum err record_write(struct record *record, struct json_object *document, struct why *why)
{
        char *text = json_text(document);

        if (!text)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        free(record->document);
        record->document = text;
        return ERR_OK;
}

enum err record_read_name(const struct view *body, bool need, char **ret, struct why *why)
{
        const char *name;
        char *copy;
        enum err e;

        if (!need && !view_has(body, "name"))
                return ERR_OK;
        e = view_need_text(body, "name", 1, NAME_MAX_CHARACTERS, &name, why);
        if (e)
                return e;
        copy = strdup(name);
        if (!copy)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a name");
        *ret = copy;
        return ERR_OK;
}

bool record_add_marks(struct json_object *to, const char *secret)
{
        char prefix[9];

        snprintf(prefix, sizeof prefix, "%.8s", secret);
        return json_add_text(to, "prefix", prefix) && json_add_text(to, "last4", secret + strlen(secret) - 4);
}
