/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - typed readers over json-c that name the field's path when something is wrong, and small writers.
 *
 * json-c's objects live inside one function and never enter a struct that outlives it. Strings that readers give are
 * borrowed from the document. A string with NUL inside is refused everywhere: C would cut it. */
#pragma once

#include "model/err.h"
#include "model/text.h"

#include <json-c/json.h>

#define JSON_DEPTH_MAX 32

/* Reads exactly one object: UTF-8 without BOM, no trailing bytes but white space, no NaN, no single quotes, depth to
 * JSON_DEPTH_MAX; of duplicate members the last counts. Ownership: *ret is the caller's, json_object_put().
 * Errors: BAD_JSON, NO_MEMORY. */
enum err json_read(const char *bytes, size_t length, struct json_object **ret, struct why *why) MUST_USE;

/* The same for what others wrote, of which it also refuses what takes much more memory than bytes. */
enum err json_read_foreign(const char *bytes, size_t length, struct json_object **ret, struct why *why)
        MUST_USE;

/* The same for any value, arrays too (platforms' answers); a document that is `null` gives NULL. */
enum err json_read_any(const char *bytes, size_t length, struct json_object **ret, struct why *why) MUST_USE;

/* CLEAN(json_put_at) struct json_object *o = NULL; */
void json_put_at(struct json_object **at);

/* An object in a document, with the path by which a client knows it ("" for the document itself). */
struct view {
        struct json_object *object; /* borrowed */
        char path[64];
};

/* The view of a whole document; of NULL, one on which every reader finds nothing. */
struct view view_of(struct json_object *object);

/* Each reader: absent and null are the same. `_need_` then fails with BAD_FIELD, `_opt_` leaves *ret untouched and
 * returns OK. A value of another type or out of bounds is BAD_FIELD with the whole path. */

/* Between `min` and `max` characters (code points, not bytes). */
#define view_need_text(v, key, ...) view_text((v), (key), true, __VA_ARGS__)
#define view_opt_text(v, key, ...) view_text((v), (key), false, __VA_ARGS__)
enum err view_text(const struct view *v, const char *key, bool need, size_t min, size_t max, const char **ret,
                   struct why *why) MUST_USE;
#define view_need_bool(v, key, ...) view_bool((v), (key), true, __VA_ARGS__)
#define view_opt_bool(v, key, ...) view_bool((v), (key), false, __VA_ARGS__)
enum err view_bool(const struct view *v, const char *key, bool need, bool *ret, struct why *why) MUST_USE;
/* A number whose value is whole and lies in the bounds (30, 30.0 and 3e1 alike). */
enum err view_opt_int(const struct view *v, const char *key, int64_t min, int64_t max, int64_t *ret,
                      struct why *why) MUST_USE;
/* TL with at most two decimals, 0 to 10,000,000, to kuruş. */
#define view_need_money(v, key, ...) view_money((v), (key), true, __VA_ARGS__)
#define view_opt_money(v, key, ...) view_money((v), (key), false, __VA_ARGS__)
enum err view_money(const struct view *v, const char *key, bool need, int64_t *ret_minor, struct why *why)
        MUST_USE;
enum err view_opt_number(const struct view *v, const char *key, double min, double max, double *ret,
                         struct why *why) MUST_USE;
/* A string that time_read takes. */
enum err view_opt_time(const struct view *v, const char *key, int64_t *ret_ms, struct why *why) MUST_USE;
/* A 24-hex id. */
enum err view_opt_id(const struct view *v, const char *key, struct id *ret, bool *ret_given, struct why *why)
        MUST_USE;
/* A member object; `_opt_` leaves ret->object NULL when it is absent, and every reader on such a view finds nothing. */
enum err view_opt_object(const struct view *v, const char *key, struct view *ret, struct why *why) MUST_USE;
/* An array of at most `max` elements; NULL when absent. */
enum err view_opt_array(const struct view *v, const char *key, size_t max, struct json_object **ret,
                        struct why *why) MUST_USE;
/* The same of texts that have 1 to `bytes_max` bytes. */
enum err view_opt_texts(const struct view *v, const char *key, size_t n_max, size_t bytes_max,
                        struct json_object **ret, struct why *why) MUST_USE;
/* The view of element `i` (an object, else BAD_FIELD `key[i]`). */
enum err view_element(const struct view *v, const char *key, struct json_object *array, size_t i,
                      struct view *ret, struct why *why) MUST_USE;
/* BAD_FIELD about the member (`key[2]` too), by its whole path; `text` is for the log. */
enum err view_fail(const struct view *v, const char *key, const char *text, struct why *why);
/* Whether the key stands there at all, null included (PATCH clears by null). */
bool view_has(const struct view *v, const char *key);

/* Writers: false only without memory (they also take the value's ownership in every case). `value` NULL adds null. */
bool json_add(struct json_object *to, const char *key, struct json_object *value) MUST_USE;
/* Of an array's next element; NULL is a failure here, and `array` NULL too. */
bool json_append(struct json_object *array, struct json_object *item) MUST_USE;
bool json_add_text(struct json_object *to, const char *key, const char *text_or_null) MUST_USE;
#define json_add_int(to, key, value) json_add_made((to), (key), json_object_new_int64(value))
#define json_add_bool(to, key, value) json_add_made((to), (key), json_object_new_boolean(value))
/* Of a value that was just made: NULL is no memory for it. */
bool json_add_made(struct json_object *to, const char *key, struct json_object *value) MUST_USE;
bool json_add_id(struct json_object *to, const char *key, const struct id *id) MUST_USE;
bool json_add_time(struct json_object *to, const char *key, int64_t ms) MUST_USE;
/* To 15 digits, as it would be written by hand. NULL without memory. */
struct json_object *json_number(double number) MUST_USE;
bool json_add_number(struct json_object *to, const char *key, double number) MUST_USE;
/* Kuruş as a number in TL: 12550 is 125.5. */
bool json_add_money(struct json_object *to, const char *key, int64_t minor) MUST_USE;

/* A value whose text is at hand: it is written as it stands, and nothing can be found in it. NULL without memory. */
struct json_object *json_as_is(const char *text) MUST_USE;
/* Puts the members of one object behind those of another, both given by their texts: the first is as json_text() makes it, and
 * allocated anew. False without memory, and all is as it was. */
bool json_extend(char **text, const char *by) MUST_USE;

/* Plain, slashes unescaped; the caller frees. NULL without memory. */
char *json_text(struct json_object *object) MUST_USE;

/* The member, NULL when it is absent or null. Borrowed. */
struct json_object *json_find(struct json_object *object, const char *key);

/* For an order of ours that was read back from a store, where a wrong type is corruption, not a client's error:
 * the member or NULL / fallback. Borrowed. */
const char *json_get_text(struct json_object *object, const char *key);
int64_t json_get_int(struct json_object *object, const char *key, int64_t fallback);
bool json_get_bool(struct json_object *object, const char *key, bool fallback);
