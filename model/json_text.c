/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - the tokens of a JSON text, one after the other: json-c takes single quotes, NaN, bare control characters
 * and surrogates in UTF-8, and cuts a key at a NUL. */
#include "model/json_text.h"

#include "model/json.h"

#include <stdint.h>
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

/* Bytes of the escape that begins here; 0: it is none. */
static size_t escape_length(const struct scan *s)
{
        static const char hex[] = "0123456789abcdefABCDEF";

        if (s->left < 2 || !s->at[1] || !strchr("\"\\/bfnrtu", s->at[1]))
                return 0;
        if (s->at[1] != 'u')
                return 2;
        for (size_t i = 2; i < 6; i++)
                if (i >= s->left || !s->at[i] || !strchr(hex, s->at[i]))
                        return 0;
        return 6;
}

static bool is_plain(char c)
{
        return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static bool scan_string(struct scan *s)
{
        size_t n;

        s->nul = false;
        for (scan_skip(s, 1); s->left > 0 && *s->at != '"'; scan_skip(s, n)) {
                for (n = 0; n < s->left && is_plain(s->at[n]); n++)
                        ;
                if (n > 0)
                        continue;
                if (*s->at == '\\')
                        n = escape_length(s);
                else if (*s->at & 0x80)
                        n = utf8_length(s->at, s->left);
                if (n == 0)
                        return false;
                s->nul = s->nul || (n == 6 && memcmp(s->at, "\\u0000", 6) == 0);
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

/* ---- how tokens stand together ---- */

struct grammar {
        enum { VALUE, FIRST_VALUE, KEY, FIRST_KEY, COLON, BEHIND } next;
        int depth;
        uint32_t
                objects; /* a bit for each bracket that is open, the outermost the lowest: whether it is `{` */
};

static bool open_bracket(struct grammar *g, bool is_object)
{
        const uint32_t bit = UINT32_C(1) << g->depth++;

        g->objects = is_object ? g->objects | bit : g->objects & ~bit;
        g->next = is_object ? FIRST_KEY : FIRST_VALUE;
        return true;
}

static bool close_bracket(struct grammar *g)
{
        g->depth--;
        g->next = BEHIND;
        return true;
}

/* Whether a token that begins so may stand here. */
static bool takes(struct grammar *g, char c)
{
        const bool inside = g->depth > 0, in_object = inside && g->objects >> (g->depth - 1) & 1;

        switch (g->next) {
        case VALUE:
        case FIRST_VALUE:
                if (c == '{' || c == '[')
                        return open_bracket(g, c == '{');
                if (c == ']' && g->next == FIRST_VALUE)
                        return close_bracket(g);
                g->next = BEHIND;
                return !strchr("]}:,", c);
        case KEY:
        case FIRST_KEY:
                if (c == '}' && g->next == FIRST_KEY)
                        return close_bracket(g);
                g->next = COLON;
                return c == '"';
        case COLON: g->next = VALUE; return c == ':';
        case BEHIND:
                if (inside && c == (in_object ? '}' : ']'))
                        return close_bracket(g);
                g->next = in_object ? KEY : VALUE;
                return inside && c == ',';
        }
        return false;
}

bool json_text_is_object(const char *bytes, size_t length)
{
        struct scan s = {.at = bytes, .left = length};
        struct grammar g = {.next = VALUE};

        while (s.left > 0) {
                const char c = *s.at;

                if (!scan_token(&s))
                        return false;
                if (strchr(" \t\n\r", c))
                        continue;
                if (g.depth == 0 && c != '{') /* also what stands behind it */
                        return false;
                if (!takes(&g, c))
                        return false;
        }
        return g.next == BEHIND && g.depth == 0;
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
