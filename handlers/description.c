/* SPDX-License-Identifier: Apache-2.0 */
/* description.c - what there is to call, as OpenAPI: a static file that any page may read. */
#include "handlers/handlers.h"

#include "handlers/asset.h"
#include "server/http.h"

void description_show(struct request *r)
{
        request_reply_header(r, "Access-Control-Allow-Origin", "*");
        asset_reply(r, description_assets, "default-src 'none'; frame-ancestors 'none'");
}
