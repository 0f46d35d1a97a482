/* SPDX-License-Identifier: Apache-2.0 */
/* phone.h - the digits by which orders of one phone are found, however people wrote it. Pure. */
#pragma once

#include <stdbool.h>

#define PHONE_KEY_SIZE 66 /* the digits of 64 characters, an x, and NUL */

/* `5321234567` of +90 (532) 123 45 67, 0532-1234567, 90 532 1234567 and the like: the number as one dials it within Turkey,
 * without the zero; of other countries with their code. An extension belongs to it, `8501112233x4567`: a platform's
 * number is many customers', and only its extension says whose. Digits that a second number has are left out. False, and
 * "", where there is no digit at all. */
bool phone_key(const char *text, char to[PHONE_KEY_SIZE]);
