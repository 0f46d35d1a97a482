/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - each parser of foreign bytes as a function of bytes, and what such functions are made of. */
#pragma once

#include "model/json.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whatever the bytes are: no sanitizer has anything to say, and no assert fails. */
#define FUZZ_TABLE(X)      \
        X(answer_courier)  \
        X(answer_dukkango) \
        X(answer_getir)    \
        X(answer_migros)   \
        X(answer_trendyol) \
        X(answer_yemek)    \
        X(config)          \
        X(cursor)          \
        X(form)            \
        X(forwarded)       \
        X(guard)           \
        X(handshake)       \
        X(json)            \
        X(key)             \
        X(known)           \
        X(order)           \
        X(phone)           \
        X(poll_dukkango)   \
        X(record)          \
        X(router)          \
        X(server)          \
        X(stored_document) \
        X(stored_record)   \
        X(stored_row)      \
        X(time)            \
        X(url)             \
        X(wire)            \
        X(yandex_order)
#define FUZZ_DECLARE(name) void fuzz_##name(const uint8_t *bytes, size_t n);
FUZZ_TABLE(FUZZ_DECLARE)
#undef FUZZ_DECLARE

/* A copy with NUL behind it and nothing more, so that a step too far is seen; the caller frees. */
static inline char *fuzz_text(const uint8_t *bytes, size_t n)
{
        char *text = malloc(n + 1);

        assert(text);
        if (n > 0)
                memcpy(text, bytes, n);
        text[n] = '\0';
        return text;
}

#define FUZZ_LINES_MAX 8

/* The input's first lines, each of them a copy; NULL from where there are no more. */
struct lines {
        char *at[FUZZ_LINES_MAX];
};
static inline struct lines fuzz_lines(const uint8_t *bytes, size_t n)
{
        struct lines lines = {0};

        for (int i = 0; i < FUZZ_LINES_MAX && n > 0; i++) {
                const uint8_t *end = memchr(bytes, '\n', n);
                const size_t length = end ? (size_t)(end - bytes) : n;

                lines.at[i] = fuzz_text(bytes, length);
                bytes += end ? length + 1 : length;
                n -= end ? length + 1 : length;
        }
        return lines;
}
/* Frees them. */
static inline void fuzz_lines_done(struct lines *lines)
{
        for (int i = 0; i < FUZZ_LINES_MAX; i++)
                free(lines->at[i]);
}

/* Sees to it that the whole server runs; `anew`, which it returns: on a store of its own. A connection to it. */
#define FUZZ_ADMIN "0123456789abcdef0123456789abcdef"
bool fuzz_serve(bool anew);
int fuzz_connect(void);

/* The object that the bytes are, or NULL; the caller puts it. */
static inline struct json_object *fuzz_object(const uint8_t *bytes, size_t n)
{
        struct json_object *object = NULL;
        char *text = fuzz_text(bytes, n);

        (void)!json_read(text, n, &object, NULL);
        free(text);
        return object;
}
