/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - a row for each digest, of which the last comer has it: a digest is random in all of its bytes. */
#include "server/known.h"

#include <string.h>

static uint64_t mark_of(const struct digest *digest)
{
        uint64_t mark;

        memcpy(&mark, digest->bytes, sizeof mark);
        return mark;
}

bool known_has(const struct known *known, const struct digest *digest)
{
        const uint64_t mark = mark_of(digest);

        return mark && known->marks[mark % KNOWN_SIZE] == mark;
}

void known_note(struct known *known, const struct digest *digest, bool is_good)
{
        const uint64_t mark = mark_of(digest);

        if (is_good || known_has(known, digest))
                known->marks[mark % KNOWN_SIZE] = is_good ? mark : 0;
}
