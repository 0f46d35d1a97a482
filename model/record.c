/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - birth and death of a record. */
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
