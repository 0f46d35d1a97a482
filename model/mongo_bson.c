/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_bson.c - our values in BSON and back: JSON documents of ours with money and times in their proper types, and the
 * typed members of a document. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <stdio.h>
#include <string.h>

/* What a platform wants back is its own: it stays a text, for its keys may be such as MongoDB gives a meaning to. */
#define FOREIGN "platformRef"
#define MONEY "price"

/* ---- JSON to BSON ---- */

static bool is_time(const char *key, const char *text, int64_t *ret_ms)
{
        const size_t n = strlen(key);
        char again[TIME_TEXT_SIZE];

        return (streq(key, "at") || (n > 2 && streq(key + n - 2, "At"))) && time_read(text, ret_ms) &&
               streq(time_write(*ret_ms, again), text);
}

static bool append_text(bson_t *to, const char *key, struct json_object *value)
{
        const char *text = json_object_get_string(value);
        int64_t ms;

        if (is_time(key, text, &ms))
                return BSON_APPEND_DATE_TIME(to, key, ms);
        return bson_append_utf8(to, key, -1, text, json_object_get_string_len(value));
}

static bool append_number(bson_t *to, const char *key, struct json_object *value)
{
        bson_decimal128_t decimal;

        if (streq(key, MONEY))
                return bson_decimal128_from_string(json_object_get_string(value), &decimal) &&
                       BSON_APPEND_DECIMAL128(to, key, &decimal);
        if (json_object_is_type(value, json_type_int))
                return BSON_APPEND_INT64(to, key, json_object_get_int64(value));
        return BSON_APPEND_DOUBLE(to, key, json_object_get_double(value));
}

static bool append_value(bson_t *to, const char *key, struct json_object *value);

static bool append_elements(bson_t *to, struct json_object *array)
{
        char text[16];
        const char *key;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                bson_uint32_to_string((uint32_t)i, &key, text, sizeof text);
                if (!append_value(to, key, json_object_array_get_idx(array, i)))
                        return false;
        }
        return true;
}

static bool append_members(bson_t *to, struct json_object *object)
{
        struct json_object_iterator at = json_object_iter_begin(object);
        const struct json_object_iterator end = json_object_iter_end(object);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                if (!append_value(to, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at)))
                        return false;
        return true;
}

static bool append_value(bson_t *to, const char *key, struct json_object *value)
{
        bson_t part;

        if (value && streq(key, FOREIGN)) {
                CLEAN(free_at) char *text = json_text(value);

                return text && BSON_APPEND_UTF8(to, key, text);
        }
        switch (json_object_get_type(value)) {
        case json_type_null: return BSON_APPEND_NULL(to, key);
        case json_type_boolean: return BSON_APPEND_BOOL(to, key, json_object_get_boolean(value));
        case json_type_int:
        case json_type_double: return append_number(to, key, value);
        case json_type_string: return append_text(to, key, value);
        case json_type_array:
                return BSON_APPEND_ARRAY_BEGIN(to, key, &part) && append_elements(&part, value) &&
                       bson_append_array_end(to, &part);
        case json_type_object:
                return BSON_APPEND_DOCUMENT_BEGIN(to, key, &part) && append_members(&part, value) &&
                       bson_append_document_end(to, &part);
        }
        return false;
}

bool mongo_append_json(bson_t *to, const char *key, const char *text)
{
        CLEAN(json_put_at) struct json_object *value = NULL;

        if (!text)
                return true;
        return json_read_any(text, strlen(text), &value, NULL) == ERR_OK && append_value(to, key, value);
}

/* ---- BSON to JSON ---- */

static bool read_text(const bson_iter_t *at, struct json_object **ret)
{
        uint32_t n;
        const char *text = bson_iter_utf8(at, &n);

        if (streq(bson_iter_key(at), FOREIGN))
                return json_read_any(text, n, ret, NULL) == ERR_OK;
        *ret = json_object_new_string_len(text, (int)n);
        return *ret;
}

static bool read_decimal(const bson_iter_t *at, struct json_object **ret)
{
        bson_decimal128_t decimal;
        char text[BSON_DECIMAL128_STRING];

        bson_iter_decimal128(at, &decimal);
        bson_decimal128_to_string(&decimal, text);
        *ret = json_number(strtod(text, NULL));
        return *ret;
}

static bool read_value(const bson_iter_t *at, struct json_object **ret);

static bool read_part(const bson_iter_t *at, bool is_array, struct json_object **ret)
{
        CLEAN(json_put_at)
        struct json_object *part = is_array ? json_object_new_array() : json_object_new_object();
        struct json_object *value;
        bson_iter_t child;

        if (!part || !bson_iter_recurse(at, &child))
                return false;
        while (bson_iter_next(&child)) {
                value = NULL;
                if (!read_value(&child, &value) ||
                    !(is_array ? json_append(part, value) : json_add(part, bson_iter_key(&child), value)))
                        return false;
        }
        *ret = TAKE(part);
        return true;
}

/* Of the types that we write; any other is damage. NULL for null. */
static bool read_value(const bson_iter_t *at, struct json_object **ret)
{
        char text[BSON_MAX(TIME_TEXT_SIZE, ID_TEXT_SIZE)];

        switch ((int)bson_iter_type(at)) {
        case BSON_TYPE_NULL: return true;
        case BSON_TYPE_BOOL: *ret = json_object_new_boolean(bson_iter_bool(at)); break;
        case BSON_TYPE_INT32:
        case BSON_TYPE_INT64: *ret = json_object_new_int64(bson_iter_as_int64(at)); break;
        case BSON_TYPE_DOUBLE: *ret = json_number(bson_iter_double(at)); break;
        case BSON_TYPE_DATE_TIME:
                *ret = json_object_new_string(time_write(bson_iter_date_time(at), text));
                break;
        case BSON_TYPE_DECIMAL128: return read_decimal(at, ret);
        case BSON_TYPE_UTF8: return read_text(at, ret);
        case BSON_TYPE_ARRAY:
        case BSON_TYPE_DOCUMENT: return read_part(at, bson_iter_type(at) == BSON_TYPE_ARRAY, ret);
        default: return false;
        }
        return *ret;
}

char *mongo_json(const bson_t *from, const char *key)
{
        CLEAN(json_put_at) struct json_object *value = NULL;
        bson_iter_t at;

        if (!bson_iter_init_find(&at, from, key) || !read_value(&at, &value) || !value)
                return NULL;
        return json_text(value);
}

/* ---- ids and pages ---- */

void mongo_append_id(bson_t *to, const char *key, const char *id)
{
        struct id hex;

        if (id_read(id, &hex))
                BSON_APPEND_OID(to, key, oid_of(&hex));
        else
                BSON_APPEND_UTF8(to, key, id);
}

/* Of what is no later, what is earlier or has a lower id. */
bson_t *mongo_page_filter(const struct page *page)
{
        bson_t *filter = bson_new();
        bson_t lower;

        if (page->restaurant)
                BSON_APPEND_OID(filter, "restaurantId", oid_of(page->restaurant));
        if (!page->before_id[0])
                return filter;
        bson_init(&lower);
        mongo_append_id(&lower, "$lt", page->before_id);
        BCON_APPEND(filter, "createdAt", "{", "$lte", BCON_DATE_TIME(page->before_ms), "}", "$or", "[", "{",
                    "createdAt", "{", "$lt", BCON_DATE_TIME(page->before_ms), "}", "}", "{", "_id",
                    BCON_DOCUMENT(&lower), "}", "]");
        bson_destroy(&lower);
        return filter;
}

/* ---- members ---- */

int64_t mongo_int(const bson_t *from, const char *key, int64_t fallback)
{
        bson_iter_t at;

        return bson_iter_init_find(&at, from, key) && BSON_ITER_HOLDS_INT(&at) ? bson_iter_as_int64(&at)
                                                                               : fallback;
}

int64_t mongo_time(const bson_t *from, const char *key, int64_t fallback)
{
        bson_iter_t at;

        return bson_iter_init_find(&at, from, key) && BSON_ITER_HOLDS_DATE_TIME(&at)
                       ? bson_iter_date_time(&at)
                       : fallback;
}

bool mongo_bool(const bson_t *from, const char *key)
{
        bson_iter_t at;

        return bson_iter_init_find(&at, from, key) && BSON_ITER_HOLDS_BOOL(&at) && bson_iter_bool(&at);
}

const char *mongo_text(const bson_t *from, const char *key)
{
        bson_iter_t at;

        return bson_iter_init_find(&at, from, key) && BSON_ITER_HOLDS_UTF8(&at) ? bson_iter_utf8(&at, NULL)
                                                                                : "";
}

bool mongo_id(const bson_t *from, const char *key, struct id *ret)
{
        bson_iter_t at;

        if (!bson_iter_init_find(&at, from, key) || !BSON_ITER_HOLDS_OID(&at))
                return false;
        memcpy(ret->bytes, bson_iter_oid(&at)->bytes, sizeof ret->bytes);
        return true;
}

bool mongo_part(const bson_t *from, const char *key, bson_t *ret)
{
        const uint8_t *data;
        uint32_t n;
        bson_iter_t at;

        if (!bson_iter_init_find(&at, from, key))
                return false;
        if (BSON_ITER_HOLDS_DOCUMENT(&at))
                bson_iter_document(&at, &n, &data);
        else if (BSON_ITER_HOLDS_ARRAY(&at))
                bson_iter_array(&at, &n, &data);
        else
                return false;
        return bson_init_static(ret, data, n);
}
