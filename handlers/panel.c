/* SPDX-License-Identifier: Apache-2.0 */
/* panel.c - the restaurant's page: static files, which know nothing; what they show they ask for with the restaurant's
 * token. */
#include "handlers/handlers.h"

#include "handlers/asset.h"
#include "server/http.h"

/* Scripts, styles and connections of this server only; nothing inline, nothing framed. */
#define POLICY                                                                                          \
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void panel_page(struct request *r)
{
        asset_reply(r, asset_find(panel_assets, "index.html"), POLICY);
}

void panel_part(struct request *r)
{
        asset_reply(r, asset_find(panel_assets, request_arg(r, 0)), POLICY);
}
