/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_order.h - an order as Yandex Eats sends it and asks for it. All pure.
 *
 * Read into "Order in" (docs/api.md 4): what we know by name, cut where it is longer than ours may be, and the whole object
 * as platformRef, because it is asked for again, with ids that we do not know. So platformRef holds personal data here: an
 * erasure takes it out as a whole, and then the object is not to be had any more.
 *
 * Sources: docs/facts.md 11. */
#pragma once

#include "model/order.h"

/* `status` is NEW. Errors: BAD_FIELD, by the path in theirs; NO_MEMORY. Ownership: *ret is the caller's. */
enum err yandex_order_read(const struct view *body, struct order **ret, struct why *why) MUST_USE;

/* The object as it came. The caller frees. Errors: NOT_FOUND (it came by other ways), NO_MEMORY. */
enum err yandex_order_write(const struct order *order, char **ret, struct why *why) MUST_USE;

/* Their word for a status; and back, false where it is none of what they may send. */
const char *yandex_status_word(enum status status);
bool yandex_status_find(const char *word, enum status *ret);

#define YANDEX_TIME_SIZE 33

/* 2024-11-05T14:30:00.000000+00:00; returns `to`. */
const char *yandex_time_write(int64_t ms, char to[YANDEX_TIME_SIZE]);

/* What GET …/status answers: since when it stands there, and the newest note. The caller frees; NULL without memory. */
char *yandex_status_write(const struct order *order) MUST_USE;

/* Copies as many whole characters as fit. */
void yandex_text_cut(char *to, size_t size, const char *from);
