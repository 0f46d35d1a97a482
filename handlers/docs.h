/* SPDX-License-Identifier: Apache-2.0 */
/* docs.h - how a page for courier firms comes to name this very deployment: the parts that are pure. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What a template's {{name}} stands for; a NULL name ends a list of them. */
struct hole {
        const char *name;
        const char *text;
};

/* The template with each {{name}} of `holes` replaced, escaped for HTML: as text, or between quotes. What else stands in
 * {{…}} stays. Ownership: *ret is the caller's, free(). Errors: INTERNAL (more than `max` bytes), NO_MEMORY. */
enum err docs_fill(const char *text, size_t length, const struct hole *holes, size_t max, char **ret,
                   struct why *why) MUST_USE;

#define DOCS_ADDRESS_SIZE 520 /* http://, and what KURYE_PUBLIC_URL or a Host may have */

/* Where the world calls this deployment: its public URL; where that is not known (NULL) what the client called, with https
 * unless a port is named; where that is no plain host (NULL, or hostile) an example's name. Returns `to`. */
const char *docs_address(const char *public_url, const char *host, char to[DOCS_ADDRESS_SIZE]);

/* Whether an Accept-Language (may be NULL) asks for anything but Turkish. */
bool docs_in_english(const char *languages);
