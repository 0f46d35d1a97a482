/* SPDX-License-Identifier: Apache-2.0 */
/* json_value.h - json-c's objects from a text and back; for json.c alone. */
#pragma once

#include "model/json.h"

/* One value and nothing behind it; `null` gives NULL. Its tokens are known to be good (json_text_scan()). Errors: BAD_JSON, NO_MEMORY. */
enum err json_value_read(const char *bytes, size_t length, struct json_object **ret) MUST_USE;

/* As short as it is, `/` as it is; the caller frees. NULL without memory. */
char *json_value_write(struct json_object *value) MUST_USE;
