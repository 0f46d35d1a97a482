/* SPDX-License-Identifier: Apache-2.0 */
/* panel.c - the restaurant's page: static files, which know nothing; what they show they ask for with the restaurant's
 * token. */
#include "handlers/handlers.h"

#include "handlers/panel_file.h"
#include "model/text.h"
#include "server/http.h"

/* Scripts, styles and connections of this server only; nothing inline, nothing framed. */
#define POLICY                                                                                          \
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct panel_file *find(const char *name)
{
        for (const struct panel_file *file = panel_files; file->name; file++)
                if (streq(file->name, name))
                        return file;
        return NULL;
}

/* Kept by the browser, but asked about each time: a new version shows at once. */
static void answer(struct request *r, const char *name)
{
        const struct panel_file *file = find(name);
        const char *known = request_header(r, "If-None-Match");

        if (!file) {
                request_fail(r, ERR_NO_ROUTE, NULL);
                return;
        }
        request_reply_header(r, "ETag", file->tag);
        request_reply_header(r, "Cache-Control", "no-cache");
        request_reply_header(r, "Content-Security-Policy", POLICY);
        request_reply_header(r, "X-Content-Type-Options", "nosniff");
        request_reply_header(r, "Referrer-Policy", "no-referrer");
        if (known && streq(known, file->tag)) {
                request_reply(r, 304, NULL, 0);
                return;
        }
        request_reply_header(r, "Content-Type", file->type);
        request_reply(r, 200, (const char *)file->bytes, file->length);
}

void panel_page(struct request *r)
{
        answer(r, "index.html");
}

void panel_part(struct request *r)
{
        answer(r, request_arg(r, 0));
}
