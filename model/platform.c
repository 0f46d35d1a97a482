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
        for (int i = 0; i < PLATFORM_COUNT; i++) {
                if (!streq(words[i], word))
                        continue;
                *ret = (enum platform)i;
                return true;
        }
        return false;
}
