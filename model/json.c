/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - documents in, typed values out.
 *
 * What a token is, json_text.c judges; what they make together, json_value.c. json-c holds the values. */
#include "model/json.h"

#include "model/clean.h"
#include "model/json_text.h"
#include "model/json_value.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

enum err json_read_any(const char *bytes, size_t length, struct json_object **ret, struct why *why)
{
        size_t at;
        enum err e;

        if (!json_text_scan(bytes, length, &at))
                return FAIL(why, ERR_BAD_JSON, "not JSON at byte %zu", at);
        if (length > INT_MAX)
                return FAIL(why, ERR_BAD_JSON, "longer than any document");
        e = json_value_read(bytes, length, ret);
        return e == ERR_OK ? ERR_OK
               : e == ERR_NO_MEMORY
                       ? FAIL(why, e, "no memory for a document")
                       : FAIL(why, e, "its tokens do not stand together, or there is more than one");
}

enum err json_read(const char *bytes, size_t length, struct json_object **ret, struct why *why)
{
        struct json_object *value = NULL;
        enum err e = json_read_any(bytes, length, &value, why);

        if (!e && !json_object_is_type(value, json_type_object)) {
                json_object_put(value);
                return FAIL(why, ERR_BAD_JSON, "not an object");
        }
        if (!e)
                *ret = value;
        return e;
}

enum err json_read_foreign(const char *bytes, size_t length, struct json_object **ret, struct why *why)
{
        if (!json_text_is_modest(bytes, length))
                return FAIL(why, ERR_BAD_JSON, "more values than anybody needs");
        return json_read(bytes, length, ret, why);
}

void json_put_at(struct json_object **at)
{
        json_object_put(*at);
}

/* ---- typed readers ---- */

struct view view_of(struct json_object *object)
{
        return (struct view){.object = object};
}

/* What does not fit is cut: a path is only told, never followed. */
static void write_path(char *to, size_t size, const struct view *v, const char *key)
{
        if (snprintf(to, size, "%s%s%s", v->path, v->path[0] ? "." : "", key) < 0)
                to[0] = '\0';
}

enum err view_fail(const struct view *v, const char *key, const char *text, struct why *why)
{
        char path[sizeof why->field];

        write_path(path, sizeof path, v, key);
        return FAIL_FIELD(why, path, "%s", text);
}

struct json_object *json_find(struct json_object *object, const char *key)
{
        struct json_object *value = NULL;

        json_object_object_get_ex(object, key, &value);
        return value;
}

/* The member, where it has that type; NULL where it may be absent and is. An integer is a double too. */
static enum err take_member(const struct view *v, const char *key, bool need, enum json_type type,
                            struct json_object **ret, struct why *why)
{
        struct json_object *value = json_find(v->object, key);

        if (!value && need)
                return view_fail(v, key, "missing", why);
        if (value && !json_object_is_type(value, type) &&
            (type != json_type_double || !json_object_is_type(value, json_type_int)))
                return view_fail(v, key, "of another type", why);
        *ret = value;
        return ERR_OK;
}

enum err view_text(const struct view *v, const char *key, bool need, size_t min, size_t max, const char **ret,
                   struct why *why)
{
        struct json_object *value = NULL;
        enum err e = take_member(v, key, need, json_type_string, &value, why);
        const char *text = value ? json_object_get_string(value) : NULL;
        size_t n = 0;

        if (e || !value)
                return e;
        for (const char *c = text; *c; c++)
                n += (*c & 0xc0) != 0x80;
        if (n < min || n > max || strlen(text) != (size_t)json_object_get_string_len(value))
                return view_fail(v, key, "too short, too long, or with NUL inside", why);
        *ret = text;
        return ERR_OK;
}

enum err view_bool(const struct view *v, const char *key, bool need, bool *ret, struct why *why)
{
        struct json_object *value = NULL;
        enum err e = take_member(v, key, need, json_type_boolean, &value, why);

        if (!e && value)
                *ret = json_object_get_boolean(value);
        return e;
}

static enum err read_number(const struct view *v, const char *key, bool need, double min, double max,
                            double *ret, struct why *why)
{
        struct json_object *value = NULL;
        enum err e = take_member(v, key, need, json_type_double, &value, why);
        double number;

        if (e || !value)
                return e;
        number = json_object_get_double(value);
        if (!(number >= min && number <= max))
                return view_fail(v, key, "out of bounds", why);
        *ret = number;
        return ERR_OK;
}

enum err view_opt_number(const struct view *v, const char *key, double min, double max, double *ret,
                         struct why *why)
{
        return read_number(v, key, false, min, max, ret, why);
}

enum err view_opt_int(const struct view *v, const char *key, int64_t min, int64_t max, int64_t *ret,
                      struct why *why)
{
        /* Beyond 2^53 a double does not tell one whole number from the next. */
        static const double whole_max = 9007199254740991.0;
        double number = NAN;
        enum err e = read_number(v, key, false, -whole_max, whole_max, &number, why);

        if (e || isnan(number))
                return e;
        if (number != (double)(int64_t)number || (int64_t)number < min || (int64_t)number > max)
                return view_fail(v, key, "not whole or out of bounds", why);
        *ret = (int64_t)number;
        return ERR_OK;
}

enum err view_money(const struct view *v, const char *key, bool need, int64_t *ret_minor, struct why *why)
{
        double number = NAN, off;
        enum err e = read_number(v, key, need, 0, 10000000, &number, why);
        int64_t minor;

        if (e || isnan(number))
                return e;
        minor = (int64_t)(number * 100 + 0.5);
        off = number * 100 - (double)minor;
        /* Sums that a client made with doubles (0.1 + 0.2) are off by less, a third decimal by far more. */
        if (off < -1e-6 || off > 1e-6)
                return view_fail(v, key, "more than two decimals", why);
        *ret_minor = minor;
        return ERR_OK;
}

enum err view_opt_time(const struct view *v, const char *key, int64_t *ret_ms, struct why *why)
{
        const char *text = NULL;
        enum err e = view_opt_text(v, key, 0, SIZE_MAX - 1, &text, why);

        if (!e && text && !time_read(text, ret_ms))
                return view_fail(v, key, "not a time", why);
        return e;
}

enum err view_opt_id(const struct view *v, const char *key, struct id *ret, bool *ret_given, struct why *why)
{
        const char *text = NULL;
        enum err e = view_opt_text(v, key, 0, SIZE_MAX - 1, &text, why);

        if (!e && text && !id_read(text, ret))
                return view_fail(v, key, "not an id", why);
        if (!e)
                *ret_given = text;
        return e;
}

enum err view_opt_object(const struct view *v, const char *key, struct view *ret, struct why *why)
{
        struct view inner;
        enum err e = take_member(v, key, false, json_type_object, &inner.object, why);

        write_path(inner.path, sizeof inner.path, v, key);
        if (!e)
                *ret = inner;
        return e;
}

enum err view_opt_array(const struct view *v, const char *key, size_t max, struct json_object **ret,
                        struct why *why)
{
        struct json_object *value = NULL;
        enum err e = take_member(v, key, false, json_type_array, &value, why);

        if (!e && value && json_object_array_length(value) > max)
                return view_fail(v, key, "too many elements", why);
        if (!e)
                *ret = value;
        return e;
}

enum err view_opt_texts(const struct view *v, const char *key, size_t n_max, size_t bytes_max,
                        struct json_object **ret, struct why *why)
{
        struct json_object *array = NULL;
        enum err e = view_opt_array(v, key, n_max, &array, why);
        char place[64];

        for (size_t i = 0; !e && array && i < json_object_array_length(array); i++) {
                struct json_object *value = json_object_array_get_idx(array, i);
                bool is_text = json_object_is_type(value, json_type_string);
                size_t bytes = is_text ? strlen(json_object_get_string(value)) : 0;

                if (bytes > 0 && bytes <= bytes_max && bytes == (size_t)json_object_get_string_len(value))
                        continue;
                snprintf(place, sizeof place, "%.40s[%zu]", key, i);
                e = view_fail(v, place, "not a text, empty, too long, or with NUL inside", why);
        }
        if (!e)
                *ret = array;
        return e;
}

enum err view_element(const struct view *v, const char *key, struct json_object *array, size_t i,
                      struct view *ret, struct why *why)
{
        struct view inner = {.object = json_object_array_get_idx(array, i)};
        char place[sizeof inner.path];

        snprintf(place, sizeof place, "%s[%zu]", key, i);
        if (!json_object_is_type(inner.object, json_type_object))
                return view_fail(v, place, "not an object", why);
        write_path(inner.path, sizeof inner.path, v, place);
        *ret = inner;
        return ERR_OK;
}

bool view_has(const struct view *v, const char *key)
{
        return json_object_object_get_ex(v->object, key, NULL);
}

/* ---- writers ---- */

bool json_add(struct json_object *to, const char *key, struct json_object *value)
{
        if (json_object_object_add(to, key, value) == 0)
                return true;
        json_object_put(value);
        return false;
}

bool json_append(struct json_object *array, struct json_object *item)
{
        if (array && item && json_object_array_add(array, item) == 0)
                return true;
        json_object_put(item);
        return false;
}

bool json_add_made(struct json_object *to, const char *key, struct json_object *value)
{
        return value && json_add(to, key, value);
}

bool json_add_text(struct json_object *to, const char *key, const char *text_or_null)
{
        return text_or_null ? json_add_made(to, key, json_object_new_string(text_or_null))
                            : json_add(to, key, NULL);
}

bool json_add_id(struct json_object *to, const char *key, const struct id *id)
{
        char text[ID_TEXT_SIZE];

        return json_add_text(to, key, id_write(id, text));
}

bool json_add_time(struct json_object *to, const char *key, int64_t ms)
{
        char text[TIME_TEXT_SIZE];

        return json_add_text(to, key, time_write(ms, text));
}

struct json_object *json_number(double number)
{
        char text[32];

        /* json-c would write 0.1 as 0.10000000000000001. */
        snprintf(text, sizeof text, "%.15g", number);
        return json_object_new_double_s(number, text);
}

bool json_add_number(struct json_object *to, const char *key, double number)
{
        return json_add_made(to, key, json_number(number));
}

bool json_add_money(struct json_object *to, const char *key, int64_t minor)
{
        return json_add_number(to, key, (double)minor / 100);
}

struct json_object *json_as_is(const char *text)
{
        return json_object_new_double_s(0, text); /* json_value.c writes those by their texts */
}

bool json_extend(char **text, const char *by)
{
        const char *from = strchr(by, '{') + 1;
        const size_t end = strlen(*text) - 1, n = (size_t)(strrchr(by, '}') - from);
        char *longer = realloc(*text, end + n + sizeof ",}");

        if (!longer)
                return false;
        *text = longer;
        if (strspn(from, " \t\n\r}") < n + 1) /* there are any */
                snprintf(longer + end, n + sizeof ",}", "%s%.*s}", end > 1 ? "," : "", (int)n, from);
        return true;
}

char *json_text(struct json_object *object)
{
        char *text = json_value_write(object);

        if (!text)
                err_starve();
        return text;
}

/* ---- what we wrote ourselves ---- */

const char *json_get_text(struct json_object *object, const char *key)
{
        struct json_object *value = json_find(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t json_get_int(struct json_object *object, const char *key, int64_t fallback)
{
        struct json_object *value = json_find(object, key);

        return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}

bool json_get_bool(struct json_object *object, const char *key, bool fallback)
{
        struct json_object *value = json_find(object, key);

        return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : fallback;
}
