/* SPDX-License-Identifier: Apache-2.0 */
/* json_value.c - json-c's objects made of a text, and a text made of them.
 *
 * json-c's own ways lose what there is no memory for: its reader drops members, cuts strings and ends the process (0.16), and
 * its writer leaves out pieces. Whatever is made here is whole. */
#include "model/json_value.h"

#include "model/clean.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- reading: what a token is, json_text.c has judged ---- */

struct reader {
        const char *at;
        const char *end;
        enum err e; /* the first failure */
};

static char next_of(struct reader *r)
{
        while (r->at < r->end && strchr(" \t\n\r", *r->at))
                r->at++;
        return r->at < r->end ? *r->at : '\0';
}

/* NULL, whatever it is told of. */
static void *fail(struct reader *r, enum err e)
{
        if (r->e == ERR_OK)
                r->e = e;
        return NULL;
}

/* Takes the next one where it is this. */
static bool take(struct reader *r, char c)
{
        if (next_of(r) != c)
                return false;
        r->at++;
        return true;
}

static bool read_hex(const char *at, uint32_t *ret)
{
        static const char digits[] = "0123456789abcdef";

        *ret = 0;
        for (int i = 0; i < 4; i++) {
                const char *digit =
                        at[i] ? strchr(digits, at[i] >= 'A' && at[i] <= 'F' ? at[i] | 0x20 : at[i]) : NULL;

                if (!digit)
                        return false;
                *ret = *ret << 4 | (uint32_t)(digit - digits);
        }
        return true;
}

static char *write_utf8(char *to, uint32_t c)
{
        if (c < 0x80) {
                *to++ = (char)c;
        } else if (c < 0x800) {
                *to++ = (char)(0xc0 | c >> 6);
                *to++ = (char)(0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
                *to++ = (char)(0xe0 | c >> 12);
                *to++ = (char)(0x80 | (c >> 6 & 0x3f));
                *to++ = (char)(0x80 | (c & 0x3f));
        } else {
                *to++ = (char)(0xf0 | c >> 18);
                *to++ = (char)(0x80 | (c >> 12 & 0x3f));
                *to++ = (char)(0x80 | (c >> 6 & 0x3f));
                *to++ = (char)(0x80 | (c & 0x3f));
        }
        return to;
}

/* Behind `\u`: one character, of two escapes perhaps; half of a pair is U+FFFD, as json-c has it. NULL: no digits. */
static const char *read_escaped(const char *at, const char *end, char **to)
{
        uint32_t c, low;

        if (end - at < 4 || !read_hex(at, &c))
                return NULL;
        at += 4;
        if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
            read_hex(at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                at += 6;
        } else if (c >= 0xd800 && c < 0xe000) {
                c = 0xfffd;
        }
        *to = write_utf8(*to, c);
        return at;
}

/* What stands between the quotes, its escapes resolved, with a NUL behind; the caller frees. */
static char *read_string(struct reader *r, size_t *ret_n)
{
        static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
        const char *at = r->at + 1, *end = at, *letter;
        char *text, *to;

        while (end < r->end && *end != '"')
                end += *end == '\\' ? 2 : 1;
        if (end >= r->end)
                return fail(r, ERR_BAD_JSON);
        to = text = malloc((size_t)(end - at) + 1);
        if (!text)
                return fail(r, ERR_NO_MEMORY);
        while (at && at < end) {
                if (*at != '\\') {
                        *to++ = *at++;
                } else if (at[1] == 'u') {
                        at = read_escaped(at + 2, end, &to);
                } else {
                        letter = strchr(letters, at[1]);
                        *to++ = letter ? meant[letter - letters] : at[1];
                        at += 2;
                }
        }
        if (!at) {
                free(text);
                return fail(r, ERR_BAD_JSON);
        }
        *to = '\0';
        *ret_n = (size_t)(to - text);
        r->at = end + 1;
        return text;
}

/* Whole ones beyond 64 bits are the last that there is, as json-c has it. */
static struct json_object *read_number(struct reader *r)
{
        const char *begin = r->at;
        CLEAN(free_at) char *text = NULL;
        struct json_object *value;
        uint64_t whole;

        while (r->at < r->end && *r->at && strchr("+-.0123456789eE", *r->at))
                r->at++;
        if (r->at == begin)
                return fail(r, ERR_BAD_JSON);
        text = malloc((size_t)(r->at - begin) + 1);
        if (!text)
                return fail(r, ERR_NO_MEMORY);
        memcpy(text, begin, (size_t)(r->at - begin));
        text[r->at - begin] = '\0';
        whole = strtoull(text, NULL, 10);
        value = strpbrk(text, ".eE") ? json_object_new_double_s(strtod(text, NULL), text)
                : *text == '-'       ? json_object_new_int64(strtoll(text, NULL, 10))
                : whole > INT64_MAX  ? json_object_new_uint64(whole)
                                     : json_object_new_int64((int64_t)whole);
        return value ? value : fail(r, ERR_NO_MEMORY);
}

static struct json_object *read_value(struct reader *r);

static struct json_object *read_array(struct reader *r)
{
        CLEAN(json_put_at) struct json_object *array = json_object_new_array();
        struct json_object *value;

        if (!array)
                return fail(r, ERR_NO_MEMORY);
        r->at++;
        if (take(r, ']'))
                return TAKE(array);
        do {
                value = read_value(r);
                if (r->e)
                        return NULL;
                if (json_object_array_add(array, value) != 0) {
                        json_object_put(value);
                        return fail(r, ERR_NO_MEMORY);
                }
        } while (take(r, ','));
        return take(r, ']') ? TAKE(array) : fail(r, ERR_BAD_JSON);
}

static bool read_member(struct reader *r, struct json_object *object)
{
        CLEAN(free_at) char *key = NULL;
        struct json_object *value;
        size_t n;

        if (next_of(r) != '"')
                return fail(r, ERR_BAD_JSON);
        key = read_string(r, &n);
        if (!key)
                return false;
        if (!take(r, ':'))
                return fail(r, ERR_BAD_JSON);
        value = read_value(r);
        if (r->e)
                return false;
        return json_add(object, key, value) || fail(r, ERR_NO_MEMORY);
}

static struct json_object *read_object(struct reader *r)
{
        CLEAN(json_put_at) struct json_object *object = json_object_new_object();

        if (!object)
                return fail(r, ERR_NO_MEMORY);
        r->at++;
        if (take(r, '}'))
                return TAKE(object);
        do {
                if (!read_member(r, object))
                        return NULL;
        } while (take(r, ','));
        return take(r, '}') ? TAKE(object) : fail(r, ERR_BAD_JSON);
}

static struct json_object *read_text(struct reader *r)
{
        size_t n = 0;
        CLEAN(free_at) char *text = read_string(r, &n);
        struct json_object *value = text ? json_object_new_string_len(text, (int)n) : NULL;

        return value || !text ? value : fail(r, ERR_NO_MEMORY);
}

static struct json_object *read_word(struct reader *r, const char *word, struct json_object *value)
{
        r->at += strlen(word);
        return value ? value : fail(r, ERR_NO_MEMORY);
}

/* NULL for null, and after a failure. */
static struct json_object *read_value(struct reader *r)
{
        switch (next_of(r)) {
        case '{': return read_object(r);
        case '[': return read_array(r);
        case '"': return read_text(r);
        case 't': return read_word(r, "true", json_object_new_boolean(true));
        case 'f': return read_word(r, "false", json_object_new_boolean(false));
        case 'n': r->at += strlen("null"); return NULL;
        case '\0': return fail(r, ERR_BAD_JSON);
        default: return read_number(r);
        }
}

enum err json_value_read(const char *bytes, size_t length, struct json_object **ret)
{
        struct reader r = {.at = bytes, .end = bytes + length};
        CLEAN(json_put_at) struct json_object *value = read_value(&r);

        if (r.e == ERR_OK && next_of(&r))
                r.e = ERR_BAD_JSON; /* more than one */
        if (r.e == ERR_OK)
                *ret = TAKE(value);
        return r.e;
}

/* ---- writing ---- */

struct writer {
        char *text;
        size_t n;
        size_t size;
        bool failed;
};

static void put(struct writer *w, const char *bytes, size_t n)
{
        if (!w->failed && w->n + n >= w->size) {
                const size_t size = 2 * (w->n + n) + 64;
                char *text = realloc(w->text, size);

                w->failed = !text;
                if (text) {
                        w->text = text;
                        w->size = size;
                }
        }
        if (w->failed)
                return;
        memcpy(w->text + w->n, bytes, n);
        w->n += n;
}

static void put_text(struct writer *w, const char *text, size_t n)
{
        static const char meant[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
        char escape[8];
        size_t plain = 0;

        put(w, "\"", 1);
        for (size_t i = 0; i < n; i++) {
                const char *special;

                if ((unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
                        continue;
                special = text[i] ? strchr(meant, text[i]) : NULL;
                put(w, text + plain, i - plain);
                plain = i + 1;
                if (special)
                        snprintf(escape, sizeof escape, "\\%c", letters[special - meant]);
                else
                        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)text[i]);
                put(w, escape, strlen(escape));
        }
        put(w, text + plain, n - plain);
        put(w, "\"", 1);
}

static void put_whole(struct writer *w, struct json_object *value)
{
        const uint64_t large = json_object_get_uint64(value);
        char text[24];

        if (large > INT64_MAX)
                snprintf(text, sizeof text, "%" PRIu64, large);
        else
                snprintf(text, sizeof text, "%" PRId64, json_object_get_int64(value));
        put(w, text, strlen(text));
}

static void put_value(struct writer *w, struct json_object *value);

static void put_object(struct writer *w, struct json_object *object)
{
        struct json_object_iterator at = json_object_iter_begin(object);
        const struct json_object_iterator end = json_object_iter_end(object);
        const char *before = "{";

        if (json_object_iter_equal(&at, &end))
                put(w, "{", 1);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at), before = ",") {
                const char *key = json_object_iter_peek_name(&at);

                put(w, before, 1);
                put_text(w, key, strlen(key));
                put(w, ":", 1);
                put_value(w, json_object_iter_peek_value(&at));
        }
        put(w, "}", 1);
}

static void put_array(struct writer *w, struct json_object *array)
{
        const size_t n = json_object_array_length(array);

        put(w, "[", 1);
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        put(w, ",", 1);
                put_value(w, json_object_array_get_idx(array, i));
        }
        put(w, "]", 1);
}

static void put_value(struct writer *w, struct json_object *value)
{
        const char *word = "null";

        switch (json_object_get_type(value)) {
        case json_type_object: put_object(w, value); return;
        case json_type_array: put_array(w, value); return;
        case json_type_int: put_whole(w, value); return;
        case json_type_string:
                put_text(w, json_object_get_string(value), (size_t)json_object_get_string_len(value));
                return;
        case json_type_boolean: word = json_object_get_boolean(value) ? "true" : "false"; break;
        case json_type_double:
                word = json_object_get_userdata(value);
                break; /* its text: json_number()'s, or as it was read */
        case json_type_null: break;
        }
        put(w, word, strlen(word));
}

char *json_value_write(struct json_object *value)
{
        struct writer w = {0};

        put_value(&w, value);
        put(&w, "", 1);
        if (!w.failed)
                return w.text;
        free(w.text);
        return NULL;
}
