/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - bodies in and answers out, for the tests of the documents that are records. */
#pragma once

#include "model/clean.h"
#include "model/record.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

#define NOW_MS INT64_C(1730817000000) /* 2024-11-05T14:30:00.000Z */
#define OWN_ID "507f1f77bcf86cd799439011"

/* JSON in single quotes, to be freed. */
static inline struct json_object *parse(const char *text)
{
        CLEAN(free_at) char *copy = strdup(text);
        struct json_object *object = NULL;

        assert_non_null(copy);
        for (char *c = copy; *c; c++)
                if (*c == '\'')
                        *c = '"';
        assert_case(json_read(copy, strlen(copy), &object, NULL) == ERR_OK, text);
        return object;
}

/* 24 hex digits. */
static inline struct id read_id(const char *text)
{
        struct id id;

        assert_true(id_read(text, &id));
        return id;
}

/* A key that seals, to be freed: 32 times `letter`. */
static inline struct keyring *make_ring(char letter)
{
        struct keyring *ring = NULL;
        uint8_t bytes[32];
        char text[64] = "k1:";
        char *base64;

        memset(bytes, letter, sizeof bytes);
        base64 = base64_write(bytes, sizeof bytes);
        assert_non_null(base64);
        assert_true(text_copy(text + 3, sizeof text - 3, base64));
        free(base64);
        assert_int_equal(keyring_read(text, &ring, NULL), ERR_OK);
        return ring;
}

/* What a store would have set. */
static inline void stamp(struct record *record)
{
        record->created_ms = NOW_MS;
        record->updated_ms = NOW_MS + 1000;
}

/* `shown` is this JSON, in single quotes; frees it. */
static inline void assert_shown(struct json_object *shown, const char *expected)
{
        CLEAN(json_put_at) struct json_object *wanted = parse(expected);

        assert_non_null(shown);
        if (!json_object_equal(shown, wanted))
                fail_msg("%s is not %s", json_object_to_json_string(shown), expected);
        json_object_put(shown);
}

/* The failure names this field. */
static inline void assert_field(enum err e, const struct why *why, const char *path)
{
        assert_case(e == ERR_BAD_FIELD, path);
        assert_string_equal(why->field, path);
}
