/* SPDX-License-Identifier: Apache-2.0 */
/* asset.c - one answer for all files that a browser may keep. */
#include "handlers/asset.h"

#include "model/text.h"
#include "server/http.h"

const struct asset *asset_find(const struct asset *assets, const char *name)
{
        for (; assets->name; assets++)
                if (streq(assets->name, name))
                        return assets;
        return NULL;
}

void asset_headers(struct request *r, const char *policy)
{
        request_reply_header(r, "Cache-Control", "no-cache");
        request_reply_header(r, "Content-Security-Policy", policy);
        request_reply_header(r, "X-Content-Type-Options", "nosniff");
        request_reply_header(r, "Referrer-Policy", "no-referrer");
}

void asset_reply(struct request *r, const struct asset *asset, const char *policy)
{
        const char *known = request_header(r, "If-None-Match");

        if (!asset) {
                request_fail(r, ERR_NO_ROUTE, NULL);
                return;
        }
        request_reply_header(r, "ETag", asset->tag);
        asset_headers(r, policy);
        if (known && streq(known, asset->tag)) {
                request_reply(r, 304, NULL, 0);
                return;
        }
        request_reply_header(r, "Content-Type", asset->type);
        request_reply_static(r, 200, (const char *)asset->bytes, asset->length);
}
