/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - a body of application/x-www-form-urlencoded. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first member of this name, decoded, with its NUL. False where there is none, its percent signs are wrong, it holds a
 * NUL or does not fit; then nothing good stands at `to`. */
bool form_read(const char *form, const char *name, char *to, size_t size);
