/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - where orders come from: the one list. */
#pragma once

#include <stdbool.h>

/* name, wire word. Numbers are kept in stores: append only. Only platforms that kuryed speaks with stand here; Yandex Eats
 * calls us and is never called, so that it has no dialect. */
#define PLATFORM_TABLE(X)                 \
        X(PHONE, "phone")                 \
        X(DUKKANGO, "dukkango")           \
        X(TRENDYOLYEMEK, "trendyolyemek") \
        X(YEMEKSEPETI, "yemeksepeti")     \
        X(GETIRYEMEK, "getiryemek")       \
        X(MIGROSYEMEK, "migrosyemek")     \
        X(YANDEX, "yandex")

#define PLATFORM_ENUM(name, word) PLATFORM_##name,
enum platform { PLATFORM_TABLE(PLATFORM_ENUM) PLATFORM_COUNT };
#undef PLATFORM_ENUM

/* The wire word. */
const char *platform_word(enum platform platform);

/* False when `word` is none of ours; *ret untouched. */
bool platform_find(const char *word, enum platform *ret);
