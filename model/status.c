/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - the words and moves of an order's life. */
#include "model/status.h"

#include "model/text.h"

#define STATUS_WORD(name, word) word,
static const char *const words[STATUS_COUNT] = {STATUS_TABLE(STATUS_WORD)};
#undef STATUS_WORD

const char *status_word(enum status status)
{
        return words[status];
}

bool status_find(const char *word, enum status *ret)
{
        const int i = word_find(word, words, STATUS_COUNT);

        if (i >= 0)
                *ret = (enum status)i;
        return i >= 0;
}

bool status_is_final(enum status status)
{
        return status >= STATUS_DELIVERED;
}

enum status status_bound(enum status to)
{
        return to < STATUS_DELIVERED ? to : STATUS_DELIVERED;
}
