/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - short texts: settings, paths, addresses, keys, times, forms, the words of a handshake. Several of them stand in
 * lines of their own. */
#include "tests/fuzz/fuzz.h"

#include "handlers/routes.h"
#include "model/clean.h"
#include "model/form.h"
#include "model/phone.h"
#include "model/ticket.h"
#include "model/token.h"
#include "model/verbs.h"
#include "server/config.h"
#include "server/forwarded.h"
#include "server/guard.h"
#include "server/handshake.h"
#include "server/url.h"

#include <stdio.h>
#include <unistd.h>

/* Lines `NAME=value`, of which those that name a file are left out. */
void fuzz_config(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        CLEAN(config_done) struct config config = {0};
        CLEAN(free_at) char *shown = NULL, *said = NULL;
        char **before = environ, *settings[FUZZ_LINES_MAX + 1] = {0};
        size_t size, n_said;
        FILE *errors = open_memstream(&said, &n_said), *to = open_memstream(&shown, &size);
        int count = 0;

        assert(errors && to);
        for (int i = 0; i < FUZZ_LINES_MAX && lines.at[i]; i++)
                if (strchr(lines.at[i], '=') && !strstr(lines.at[i], "_FILE"))
                        settings[count++] = lines.at[i];
        environ = settings;
        count = config_read(&config, errors);
        if (count == 0)
                config_show(&config, to);
        environ = before;
        fclose(errors);
        fclose(to);
        assert((count > 0) == (n_said > 0));
}

/* Where a page begins: what a client brings back of it. */
void fuzz_cursor(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *text = fuzz_text(bytes, n);
        char again[CURSOR_SIZE];
        struct job job = {0};
        struct page page;

        if (n >= CURSOR_SIZE || page_of(&job, text, &page, NULL) != ERR_OK)
                return;
        assert(strnlen(page.before_id, sizeof page.before_id) < sizeof page.before_id);
        cursor_write(again, page.before_ms, page.before_id);
        assert(strnlen(again, sizeof again) < sizeof again);
}

void fuzz_form(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *form = fuzz_text(bytes, n);
        char value[24] = "";

        if (form_read(form, "client_secret", value, sizeof value))
                assert(strnlen(value, sizeof value) < sizeof value);
        form_read(form, "scope", value, 1);
}

/* The peer, then values of the header. */
void fuzz_forwarded(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        const char *values[FUZZ_LINES_MAX] = {0};
        char client[INET6_ADDRSTRLEN] = "";
        struct guard trusted;
        int count = 0;

        assert(guard_read("10.0.0.0/8,fd00::/8", &trusted));
        if (!lines.at[0] || strlen(lines.at[0]) >= sizeof client) /* the kernel's own words */
                return;
        while (count < FUZZ_LINES_MAX - 1 && lines.at[count + 1]) {
                values[count] = lines.at[count + 1];
                count++;
        }
        forwarded_client(&trusted, lines.at[0], values, count, client);
        assert(strnlen(client, sizeof client) < sizeof client);
}

/* A list of networks, and an address. */
void fuzz_guard(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        struct guard guard = {0};

        if (!lines.at[0] || !lines.at[1] || !guard_read(lines.at[0], &guard))
                return;
        assert(guard.n_listed <= GUARD_LISTED_MAX);
        guard_add_own(&guard, "127.0.0.1:8080");
        if (guard_allows(&guard, lines.at[1], 8081, true)) /* plain: only what is listed */
                assert(guard_allows(&guard, lines.at[1], 8081, false));
        guard_lists(&guard, lines.at[1]);
}

/* Who asks for a WebSocket, and from where; a line `-` is a header that is absent. */
void fuzz_handshake(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        const char *header[FUZZ_LINES_MAX];
        char accept[HANDSHAKE_ACCEPT_SIZE] = "";
        struct handshake asked;

        for (int i = 0; i < FUZZ_LINES_MAX; i++)
                header[i] = streq(lines.at[i], "-") ? NULL : lines.at[i];
        asked = (struct handshake){header[0], header[1], header[2], header[3]};
        if (handshake_check(&asked, accept, NULL) == ERR_OK)
                assert(strnlen(accept, sizeof accept) == sizeof accept - 1);
        handshake_is_ours(header[4], header[5], header[6]);
        handshake_is_ours(header[4], NULL, header[6]);
}

/* Secrets and all else that is shown to us as one: what was not made by us is not taken. */
void fuzz_key(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *text = fuzz_text(bytes, n), *opened = NULL;
        CLEAN(free_at) uint8_t *raw = malloc(n + 1);
        struct keyring *ring = NULL;
        struct ticket ticket;
        struct digest digest;
        struct id id;
        size_t raw_n;

        assert(raw);
        apikey_digest("krk_", text, &digest);
        apikey_digest(TOKEN_PREFIX, text, &digest);
        if (id_read(text, &id))
                assert(strlen(text) == 24);
        if (base64_read(text, raw, n + 1, &raw_n)) {
                CLEAN(free_at) char *again = base64_write(raw, raw_n);

                assert(streq(again, text));
        }
        if (keyring_read(text, &ring, NULL) == ERR_OK)
                keyring_free(ring);
        assert(keyring_read("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &ring, NULL) == ERR_OK);
        assert(!ticket_read(ring, TICKET_EVENTS, text, 0, &ticket));
        assert(keyring_open(ring, "", text, &opened, NULL) != ERR_OK);
        keyring_free(ring);
}

void fuzz_phone(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *text = fuzz_text(bytes, n);
        char key[PHONE_KEY_SIZE];

        if (n <= 4 * 64 && phone_key(text, key))
                assert(strspn(key, "0123456789x") == strnlen(key, sizeof key));
}

/* A method, and a path. */
void fuzz_router(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        struct match match;

        if (!lines.at[0] || !lines.at[1])
                return;
        if (router_find(routes, lines.at[0], lines.at[1], &match) == ERR_OK)
                assert(match.route);
        if (router_find(ops_routes, lines.at[0], lines.at[1], &match) == ERR_OK)
                assert(match.route);
}

/* What we write of a time we read as the same. */
void fuzz_time(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *text = fuzz_text(bytes, n);
        char written[TIME_TEXT_SIZE];
        int64_t ms, again;

        if (!time_read(text, &ms) || ms < 0 || ms > INT64_C(253402300799999))
                return;
        assert(time_read(time_write(ms, written), &again) && again == ms);
}

/* An address that a stranger gives to be called. */
void fuzz_url(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *text = fuzz_text(bytes, n);
        char host[URL_HOST_SIZE] = "";
        const struct guard none = {0};
        struct url url;

        if (url_read(&url, text, host)) {
                assert(host[0] && strnlen(host, sizeof host) < sizeof host);
                assert(url.port >= 0 && url.port <= 65535);
        }
        url_done(&url);
        url_may_be_given(&none, text);
}
