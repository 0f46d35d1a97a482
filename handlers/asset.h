/* SPDX-License-Identifier: Apache-2.0 */
/* asset.h - a file that stands in the binary, and how a browser gets it. */
#pragma once

#include <stddef.h>

struct request;

/* As tools/embed.py writes it; the Content-Type is told from the name's end. */
struct asset {
        const char *name; /* without a folder; NULL ends the list */
        const char *type;
        const char *tag; /* ETag: changes with the content */
        const unsigned char *bytes;
        size_t length;
};

extern const struct asset panel_assets[];
extern const struct asset docs_assets[];
extern const struct asset description_assets[]; /* docs/openapi.yaml alone */

/* NULL: there is none of that name. */
const struct asset *asset_find(const struct asset *assets, const char *name);

/* Answers with it, under that Content-Security-Policy; NULL: NO_ROUTE. It is kept by the browser, but asked about each time,
 * so that a new version shows at once. */
void asset_reply(struct request *r, const struct asset *asset, const char *policy);

/* The headers of any page: asked about each time, nothing but this policy allowed; 4 of those that an answer can have. */
void asset_headers(struct request *r, const char *policy);
