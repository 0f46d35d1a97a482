/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - the tokens of a JSON text, one after the other: json-c takes single quotes, NaN, bare control characters
 * and surrogates in UTF-8, and cuts a key at a NUL. */
#include "model/json_text.h"

#include "model/json.h"

#include <string.h>

struct scan {
        const char *at;
        size_t left;
        int depth;
        bool nul;   /* the last string had an escaped NUL inside */
        bool comma; /* the last token was one */
};

/* 0 at the end: no token begins or goes on with it. */
static char scan_peek(const struct scan *s)
{
        return s->left ? *s->at : '\0';
}

static void scan_skip(struct scan *s, size_t n)
{
        s->at += n;
        s->left -= n;
}

static bool scan_word(struct scan *s, const char *word)
{
        size_t n = strlen(word);

        if (s->left < n || memcmp(s->at, word, n) != 0)
                return false;
        scan_skip(s, n);
        return true;
}

static bool scan_digits(struct scan *s)
{
        size_t left = s->left;

        while (scan_peek(s) >= '0' && scan_peek(s) <= '9')
                scan_skip(s, 1);
        return s->left < left;
}

/* RFC 8259 section 6. */
static bool scan_number(struct scan *s)
{
        scan_word(s, "-");
        if (!scan_word(s, "0") && !scan_digits(s))
                return false;
        if (scan_word(s, ".") && !scan_digits(s))
                return false;
        if (scan_word(s, "e") || scan_word(s, "E")) {
                if (!scan_word(s, "+"))
                        scan_word(s, "-");
                if (!scan_digits(s))
                        return false;
        }
        /* `01` and `1-1` are one word to json-c. */
        return !scan_digits(s) && scan_peek(s) != '-';
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
                } else if ((unsigned char)*s->at < 0x20) {
                        return false;
                } else if (*s->at & 0x80) {
                        n = utf8_length(s->at, s->left);
                }
                if (n == 0)
                        return false;
                scan_skip(s, n);
        }
        return scan_word(s, "\"");
}

static bool scan_token(struct scan *s)
{
        bool after_comma = s->comma;

        s->comma = false;
        switch (scan_peek(s)) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
                scan_skip(s, 1);
                s->comma = after_comma;
                return true;
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
        struct scan s = {.at = bytes, .left = length};

        while (s.left > 0) {
                size_t at = length - s.left;

                if (!scan_token(&s)) {
                        *ret_at = at;
                        return false;
                }
        }
        return true;
}

bool json_text_is_modest(const char *bytes, size_t length)
{
        int brackets = 0, commas = 0;
        bool inside = false; /* a string */

        if (length <= JSON_BRACKETS_MAX)
                return true;
        for (size_t i = 0; i < length; i++) {
                if (inside && bytes[i] == '\\')
                        i++;
                else if (bytes[i] == '"')
                        inside = !inside;
                else if (!inside && (bytes[i] == '{' || bytes[i] == '['))
                        brackets++;
                else if (!inside && bytes[i] == ',')
                        commas++;
        }
        return brackets <= JSON_BRACKETS_MAX && commas <= JSON_COMMAS_MAX;
}
