/* SPDX-License-Identifier: Apache-2.0 */
/* docs.c - the guide for courier firms (docs/guide), in two languages, with this deployment's address and contact. */
#include "handlers/docs.h"

#include "handlers/asset.h"
#include "handlers/handlers.h"
#include "model/clean.h"
#include "model/text.h"
#include "server/app.h"
#include "server/config.h"
#include "server/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_MAX 262144 /* bytes; a third of it is used */
#define HOST_MAX 261    /* a name of 255, a colon, a port */

/* Styles and the copy buttons of this server only; nothing inline, nothing framed, nobody spoken to. */
#define POLICY                                                                      \
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* ---- a template and its holes ---- */

/* What is made so far, and how much it may become. */
struct sink {
        char *text;
        size_t n, max;
        bool full;
};

static void put(struct sink *to, const char *text, size_t n)
{
        if (n > to->max - to->n) {
                to->full = true;
                return;
        }
        memcpy(to->text + to->n, text, n);
        to->n += n;
}

static void put_escaped(struct sink *to, const char *text)
{
        static const struct {
                char plain;
                const char *escaped;
        } table[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

        for (; *text; text++) {
                const char *shown = NULL;

                for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
                        if (table[i].plain == *text)
                                shown = table[i].escaped;
                put(to, shown ? shown : text, shown ? strlen(shown) : 1);
        }
}

/* The hole whose {{name}} begins here; NULL: none. */
static const struct hole *hole_at(const char *text, size_t length, const struct hole *holes)
{
        for (; holes->name; holes++) {
                const size_t n = strlen(holes->name);

                if (length >= n + 4 && memcmp(text, "{{", 2) == 0 && memcmp(text + 2, holes->name, n) == 0 &&
                    memcmp(text + 2 + n, "}}", 2) == 0)
                        return holes;
        }
        return NULL;
}

enum err docs_fill(const char *text, size_t length, const struct hole *holes, size_t max, char **ret,
                   struct why *why)
{
        CLEAN(free_at) char *filled = malloc(max + 1);
        struct sink to = {.text = filled, .max = max};

        if (!filled)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a page");
        for (size_t at = 0; at < length && !to.full;) {
                const struct hole *hole = hole_at(text + at, length - at, holes);
                const char *next = memchr(text + at + 1, '{', length - at - 1);
                size_t n = next ? (size_t)(next - (text + at)) : length - at;

                if (hole)
                        put_escaped(&to, hole->text);
                else
                        put(&to, text + at, n);
                at += hole ? strlen(hole->name) + 4 : n;
        }
        if (to.full)
                return FAIL(why, ERR_INTERNAL, "a page of more than %zu bytes", max);
        filled[to.n] = '\0';
        *ret = TAKE(filled);
        return ERR_OK;
}

/* ---- who asks, and where ---- */

/* A name, an IPv4 address or an IPv6 one in brackets, and perhaps a port; *ret_port: whether there is one. */
static bool is_plain_host(const char *host, bool *ret_port)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        const char *at = host;

        if (strlen(host) > HOST_MAX)
                return false;
        if (*at == '[') {
                at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
                if (at == host + 1 || *at++ != ']')
                        return false;
        } else
                while (*at && (strchr(letters, *at) || strchr(".-", *at)))
                        at++;
        *ret_port = *at == ':';
        if (at == host || (*at && *at != ':') || (*at == ':' && !at[1]))
                return false;
        return !*at || strspn(at + 1, "0123456789") == strlen(at + 1);
}

const char *docs_address(const char *public_url, const char *host, char to[DOCS_ADDRESS_SIZE])
{
        bool port = false;

        if (public_url)
                text_copy(to, DOCS_ADDRESS_SIZE, public_url);
        else if (host && is_plain_host(host, &port))
                snprintf(to, DOCS_ADDRESS_SIZE, "%s://%s", port ? "http" : "https", host);
        else
                text_copy(to, DOCS_ADDRESS_SIZE, "https://kurye.example");
        return to;
}

bool docs_in_english(const char *languages)
{
        const char *at = languages;

        if (!at || !*at)
                return false;
        while (*at) {
                at += strspn(at, " \t,");
                if (*at == '*' || (strncasecmp(at, "tr", 2) == 0 && (!at[2] || strchr("-;, \t", at[2]))))
                        return false;
                at += strcspn(at, ",");
        }
        return true;
}

/* ---- what is answered ---- */

/* A setting's value; "" where it is unset. The caller frees; NULL without memory. */
static char *setting(const struct config *config, const char *name)
{
        char *text = NULL;
        size_t size;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return NULL;
        config_write(config, name, to);
        fclose(to);
        return text;
}

static void show(struct request *r, bool english)
{
        const struct app *app = request_app(r);
        const struct asset *page = asset_find(docs_assets, english ? "en.html" : "tr.html");
        const char *contact = app->config->contact;
        CLEAN(free_at) char *retries = setting(app->config, "RETRY_SCHEDULE");
        CLEAN(free_at) char *timeout = setting(app->config, "OUTBOUND_TIMEOUT");
        char address[DOCS_ADDRESS_SIZE], *text;
        struct why why;
        enum err e = retries && timeout ? ERR_OK : FAIL(&why, ERR_NO_MEMORY, "no memory for a setting");

        if (!contact)
                contact = english ? "the restaurant that gave you the API key"
                                  : "API anahtarını aldığınız restoran";
        if (!e) {
                const struct hole holes[] = {
                        {"url", docs_address(app->config->public_url, request_header(r, "Host"), address)},
                        {"contact", contact},
                        {"retries", retries},
                        {"timeout", timeout},
                        {"version", KURYED_VERSION},
                        {NULL, NULL}};

                e = docs_fill((const char *)page->bytes, page->length, holes, PAGE_MAX, &text, &why);
        }
        if (e) {
                request_fail(r, e, &why);
                return;
        }
        asset_headers(r, POLICY);
        request_reply_header(r, "Content-Type", page->type);
        request_reply_text(r, 200, text);
}

void docs_page(struct request *r)
{
        request_reply_header(r, "Vary", "Accept-Language");
        show(r, docs_in_english(request_header(r, "Accept-Language")));
}

void docs_turkish(struct request *r)
{
        show(r, false);
}

void docs_english(struct request *r)
{
        show(r, true);
}

void docs_style(struct request *r)
{
        asset_reply(r, asset_find(docs_assets, "guide.css"), POLICY);
}

void docs_script(struct request *r)
{
        asset_reply(r, asset_find(docs_assets, "guide.js"), POLICY);
}
