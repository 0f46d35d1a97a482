/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c - the digits by which orders of one phone are found, however people wrote it.
 *
 * Orders bring phones as free text. What counts is the number without the ways to dial it, and the extension. */
#include "model/phone.h"

#include <stdio.h>
#include <string.h>

#define CHARACTERS_MAX 64 /* as many digits are looked at; docs/api.md 1 */
#define NATIONAL 10       /* digits of a number within Turkey, its area or operator first */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Bytes of what people and their clipboards put between digits; 0: it is something else, which ends a number. */
static size_t gap_length(const char *at)
{
        if (*at && strchr(" \t-.()/", *at))
                return 1;
        if (strncmp(at, "\xc2\xa0", 2) == 0) /* a space that does not break */
                return 2;
        /* Dashes, thin spaces and directions of U+2000 to U+206F, and the minus. */
        if (strncmp(at, "\xe2\x80", 2) == 0 || strncmp(at, "\xe2\x81", 2) == 0 ||
            strncmp(at, "\xe2\x88\x92", 3) == 0)
                return at[2] ? 3 : 0;
        return 0;
}

/* All digits from here on; *ret_first: how many of them stand before the first thing that is neither digit nor gap. */
static void take_digits(const char *at, char to[CHARACTERS_MAX + 1], size_t *ret_first)
{
        size_t n = 0, step;
        bool first = true;

        *ret_first = 0;
        for (; *at && n < CHARACTERS_MAX; at += step) {
                step = is_digit(*at) ? 1 : gap_length(at);
                if (is_digit(*at))
                        to[n++] = *at;
                first &= step > 0;
                *ret_first = first ? n : *ret_first;
                step = step ? step : 1;
        }
        to[n] = '\0';
}

/* Digits that only lead to a number in Turkey. *ret_foreign: it is another country's. No area of Turkey begins with 90. */
static size_t lead_length(const char *digits, size_t n, bool plus, bool *ret_foreign)
{
        const size_t dialled = !plus && n >= 2 && strncmp(digits, "00", 2) == 0 ? 2 : 0;
        const bool code = n >= dialled + 2 && strncmp(digits + dialled, "90", 2) == 0;
        size_t lead = dialled;

        *ret_foreign = (plus || dialled) && !code;
        if (code && (plus || dialled || n >= NATIONAL + 2))
                lead += 2;
        return lead + (!*ret_foreign && lead < n && digits[lead] == '0');
}

bool phone_key(const char *text, char to[PHONE_KEY_SIZE])
{
        const char *begin = text + strcspn(text, "0123456789");
        const bool plus = text + strcspn(text, "+") < begin;
        char digits[CHARACTERS_MAX + 1];
        bool foreign;
        size_t n, lead, behind;

        take_digits(begin, digits, &n);
        lead = lead_length(digits, n, plus, &foreign);
        if (lead == n) /* and nothing behind it */
                lead = 0;
        n -= lead;
        if (!foreign && n > NATIONAL)
                n = NATIONAL;
        behind = strlen(digits + lead + n);
        if (behind >= NATIONAL) /* another number */
                behind = 0;
        snprintf(to, PHONE_KEY_SIZE, "%.*s%s%.*s", (int)n, digits + lead, n && behind ? "x" : "", (int)behind,
                 digits + lead + n);
        return to[0];
}
