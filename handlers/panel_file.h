/* SPDX-License-Identifier: Apache-2.0 */
/* panel_file.h - the files of panel/, as panel/embed.py puts them into the binary. */
#pragma once

#include <stddef.h>

struct panel_file {
        const char *name; /* without a folder; NULL ends the list */
        const char *type;
        const char *tag; /* ETag: changes with the content */
        const unsigned char *bytes;
        size_t length;
};

extern const struct panel_file panel_files[];
