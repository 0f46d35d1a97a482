/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - an order's life: the one table, and which moves it allows. */
#pragma once

#include <stdbool.h>

/* Rank, our wire word. Moves go forward only, steps may be skipped; CANCELLED from any state but DELIVERED.
 * Source: docs/design.md 3. */
#define STATUS_TABLE(X)                  \
        X(NEW, "yeni")                   \
        X(ACCEPTED, "hazirlanacak")      \
        X(COOKING, "hazirlaniyor")       \
        X(READY, "hazir")                \
        X(ON_THE_WAY, "teslim-edilecek") \
        X(DELIVERED, "teslim-edildi")    \
        X(CANCELLED, "cancelled")

#define STATUS_ENUM(name, word) STATUS_##name,
enum status { STATUS_TABLE(STATUS_ENUM) STATUS_COUNT };
#undef STATUS_ENUM

/* The wire word. */
const char *status_word(enum status status);

/* False when `word` is none of ours; *ret untouched. */
bool status_find(const char *word, enum status *ret);

/* DELIVERED and CANCELLED end an order's life. */
bool status_is_final(enum status status);

/* The first rank that may not move to `to` any more: only orders below it do. */
enum status status_bound(enum status to);
