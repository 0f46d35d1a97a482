/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.h - what a token of JSON is (RFC 8259), and whether they make an object. What they make, json_value.c reads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether every token of the text is one, its strings are UTF-8, no key has a NUL inside, no closing bracket follows a
 * comma, and brackets go no deeper than JSON_DEPTH_MAX. False: *ret_at is where the first wrong token begins. */
bool json_text_scan(const char *bytes, size_t length, size_t *ret_at);

/* Whether the text is one object, as json_read() takes it: without making anything of it, which costs ten times as much. */
bool json_text_is_object(const char *bytes, size_t length);

#define JSON_BRACKETS_MAX \
        10000 /* objects and arrays; json-c takes 1.8 KB for each, where the text has three bytes */
#define JSON_COMMAS_MAX 100000 /* members and elements; 200 bytes */

/* Whether it has no more of them, so that to read it takes 40 MB at most. */
bool json_text_is_modest(const char *bytes, size_t length);
