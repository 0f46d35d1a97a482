/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - birth and death of a record, and the way into its document. */
#include "model/record.h"

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
        enum err e = json_read(record->document, strlen(record->document), ret, why);

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
