/* SPDX-License-Identifier: Apache-2.0 */
/* known.h - whose key or token has been good before. One thread's own. */
#pragma once

#include "model/crypto.h"

#include <stdbool.h>

#define KNOWN_SIZE 16384 /* 128 KiB */

/* All zeros knows nobody. What is known is a hint for who comes first, and no admission: who was good may not be any more, and
 * one in 2^64 is taken for another. Only what was found good is kept, so that no flood drives anybody out. */
struct known {
        uint64_t marks[KNOWN_SIZE];
};

/* Whether it was found good, and not bad since. */
bool known_has(const struct known *known, const struct digest *digest);
/* It was found good, or it was not. */
void known_note(struct known *known, const struct digest *digest, bool is_good);
