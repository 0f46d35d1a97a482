/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - the tokens of a JSON text, one after the other.
 *
 * Needed because json-c takes single quotes, NaN, bare control characters and surrogates in UTF-8,
 * and cuts a key at a NUL. */
#include "model/json_text.h"

#include "model/json.h"

#include <string.h>

struct scan {
        const unsigned char *at;
        size_t left;
        int depth;
        bool nul;   /* the last string had an escaped NUL inside */
        bool comma; /* the last token was one */
};

/* 0 at the end: no token begins or goes on with it. */
static unsigned char scan_peek(const struct scan *s)
{
        return s->left ? *s->at : 0;
}

static void scan_skip(struct scan *s, size_t n)
{
        s->at += n;
        s->left -= n;
}

static bool scan_char(struct scan *s, char c)
{
        if (scan_peek(s) != (unsigned char)c)
                return false;
        scan_skip(s, 1);
        return true;
}

static bool scan_word(struct scan *s, const char *word)
{
        size_t n = strlen(word);

        if (s->left < n || memcmp(s->at, word, n) != 0)
                return false;
        scan_skip(s, n);
        return true;
}

static bool is_digit(unsigned char c)
{
        return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *s)
{
        if (!is_digit(scan_peek(s)))
                return false;
        while (is_digit(scan_peek(s)))
                scan_skip(s, 1);
        return true;
}

/* RFC 8259 section 6. */
static bool scan_number(struct scan *s)
{
        scan_char(s, '-');
        if (!scan_char(s, '0') && !scan_digits(s))
                return false;
        if (scan_char(s, '.') && !scan_digits(s))
                return false;
        if (scan_char(s, 'e') || scan_char(s, 'E')) {
                if (!scan_char(s, '+'))
                        scan_char(s, '-');
                if (!scan_digits(s))
                        return false;
        }
        /* `01` and `1-1` are one word to json-c. */
        return !is_digit(scan_peek(s)) && scan_peek(s) != '-';
}

/* The first byte, the bounds of the second, how many in all: Unicode 15, table 3-7. */
static const struct {
        unsigned char first, last, low, high;
        size_t n;
} utf8_rows[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

/* The length of the character of two bytes or more that begins at `at`; 0 when it is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
        size_t row = 0, rows = sizeof utf8_rows / sizeof utf8_rows[0], n;

        while (row < rows && at[0] > utf8_rows[row].last)
                row++;
        if (row == rows || at[0] < utf8_rows[row].first || left < utf8_rows[row].n)
                return 0;
        n = utf8_rows[row].n;
        for (size_t i = 2; i < n; i++)
                if (at[i] < 0x80 || at[i] > 0xbf)
                        return 0;
        return at[1] >= utf8_rows[row].low && at[1] <= utf8_rows[row].high ? n : 0;
}

static bool scan_string(struct scan *s)
{
        s->nul = false;
        scan_skip(s, 1);
        while (s->left > 0 && *s->at != '"') {
                size_t n = 1;

                if (*s->at == '\\') {
                        n = s->left > 1 && s->at[1] && strchr("\"\\/bfnrtu", s->at[1]) ? 2 : 0;
                        s->nul = s->nul || (s->left >= 6 && memcmp(s->at, "\\u0000", 6) == 0);
                } else if (*s->at >= 0x80) {
                        n = utf8_length(s->at, s->left);
                } else if (*s->at < 0x20) {
                        return false;
                }
                if (n == 0)
                        return false;
                scan_skip(s, n);
        }
        return scan_char(s, '"');
}

static bool scan_space(struct scan *s)
{
        size_t left = s->left;

        while (s->left > 0 && strchr(" \t\n\r", *s->at) && *s->at)
                scan_skip(s, 1);
        return s->left < left;
}

static bool scan_token(struct scan *s)
{
        bool after_comma = s->comma;

        if (scan_space(s))
                return true;
        s->comma = false;
        switch (scan_peek(s)) {
        case '"': return scan_string(s);
        case 't': return scan_word(s, "true");
        case 'f': return scan_word(s, "false");
        case 'n': return scan_word(s, "null");
        case '{':
        case '[': scan_skip(s, 1); return ++s->depth <= JSON_DEPTH_MAX;
        case '}':
        case ']': scan_skip(s, 1); return --s->depth >= 0 && !after_comma;
        case ':': scan_skip(s, 1); return !s->nul; /* a key goes before */
        case ',': scan_skip(s, 1); return s->comma = true;
        default: return scan_number(s);
        }
}

bool json_text_scan(const char *bytes, size_t length, size_t *ret_at)
{
        struct scan s = {.at = (const unsigned char *)bytes, .left = length};

        while (s.left > 0) {
                size_t at = length - s.left;

                if (!scan_token(&s)) {
                        *ret_at = at;
                        return false;
                }
        }
        return true;
}
