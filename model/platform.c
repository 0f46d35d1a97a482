/* SPDX-License-Identifier: Apache-2.0 */
/* platform.c - the words of the platforms. */
#include "model/platform.h"

#include "model/text.h"

#define PLATFORM_WORD(name, word) word,
static const char *const words[PLATFORM_COUNT] = {PLATFORM_TABLE(PLATFORM_WORD)};
#undef PLATFORM_WORD

const char *platform_word(enum platform platform)
{
        return words[platform];
}

bool platform_find(const char *word, enum platform *ret)
{
        const int i = word_find(word, words, PLATFORM_COUNT);

        if (i >= 0)
                *ret = (enum platform)i;
        return i >= 0;
}
