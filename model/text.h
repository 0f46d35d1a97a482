/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - bounded strings, ids and times, from bytes and to bytes. Pure but for id_make. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both non-NULL and the same. */
bool streq(const char *a, const char *b);

/* The place of `word` among n words; -1: it is none of them. */
int word_find(const char *word, const char *const *words, int n);

/* Copies and always ends `to` with NUL; false when `from` did not fit (then nothing but "" stands there). */
bool text_copy(char *to, size_t size, const char *from);

/* Between `min` and `max` bytes, each of them printable ASCII (0x20 to 0x7e). */
bool text_is_printable(const char *text, size_t min, size_t max);

/* Bytes of the UTF-8 character that begins here (RFC 3629: nothing overlong, no surrogate); 0 where none does within
 * `max` bytes. What stands behind a NUL is never read. */
size_t utf8_length(const char *text, size_t max);

/* Lower-case hex of `n` bytes and a NUL: `to` holds 2n+1. */
void hex_write(const uint8_t *bytes, size_t n, char *to);

/* Exactly 2n hex digits of any case, then the end; false otherwise, `to` untouched or part-written. */
bool hex_read(const char *text, uint8_t *to, size_t n);

/* 24 hex digits on the wire, an ObjectId in MongoDB, 12 bytes here. */
struct id {
        uint8_t bytes[12];
};
#define ID_TEXT_SIZE 25 /* 24 digits and NUL */

/* In any case; exactly 24 digits. */
bool id_read(const char *text, struct id *ret);
/* In lower case; returns `to`. */
const char *id_write(const struct id *id, char to[ID_TEXT_SIZE]);
bool id_equal(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);
/* As ObjectId does it: seconds since 1970 in four bytes, then three of a counter and five random ones, so that ids of one
 * process sort by creation. False without randomness. */
bool id_make(int64_t now_ms, struct id *ret);

#define TIME_TEXT_SIZE 25 /* 2024-11-05T14:30:00.000Z and NUL */

/* Milliseconds since 1970 as RFC 3339 in UTC with milliseconds and Z; returns `to`. Years 1970 to 9999. */
const char *time_write(int64_t ms, char to[TIME_TEXT_SIZE]);

/* RFC 3339 with any offset and any fraction (cut to milliseconds); `T` or one space between date and time; no offset
 * means +03:00, Turkey's only zone (docs/api.md 1). False on anything else, impossible dates included. */
bool time_read(const char *text, int64_t *ret_ms);

/* Milliseconds: the wall clock, and the clock that also counts while the machine sleeps (CLOCK_BOOTTIME). */
int64_t time_now_ms(void);
int64_t time_boot_ms(void);
/* The latter in microseconds. */
int64_t time_boot_us(void);
