/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c - how a client asks for a WebSocket (RFC 6455 section 4.2), and what it is told. */
#include "server/handshake.h"

#include "model/clean.h"
#include "model/crypto.h"
#include "model/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define KEY_TEXT 24                                 /* 16 bytes in base64 */

/* Of a list with commas (RFC 9110 section 5.6.1), in any case. */
static bool has_word(const char *list, const char *word)
{
        const size_t wanted = strlen(word);

        while (list && *list) {
                size_t n;

                list += strspn(list, " \t,");
                n = strcspn(list, " \t,");
                if (n == wanted && strncasecmp(list, word, n) == 0)
                        return true;
                list += n;
        }
        return false;
}

enum err handshake_check(const struct handshake *asked, char ret_accept[HANDSHAKE_ACCEPT_SIZE],
                         struct why *why)
{
        char text[KEY_TEXT + sizeof GUID], *accept;
        uint8_t bytes[16], digest[SHA1_BYTES];
        size_t n = 0;

        if (!has_word(asked->upgrade, "websocket") || !has_word(asked->connection, "upgrade"))
                return FAIL(why, ERR_UPGRADE, "no WebSocket is asked for");
        if (!streq(asked->version, HANDSHAKE_VERSION))
                return FAIL(why, ERR_UPGRADE, "a WebSocket of another version is asked for");
        if (!asked->key || strlen(asked->key) != KEY_TEXT ||
            !base64_read(asked->key, bytes, sizeof bytes, &n) || n != sizeof bytes)
                return FAIL_FIELD(why, "Sec-WebSocket-Key", "not 16 bytes in base64");
        snprintf(text, sizeof text, "%s" GUID, asked->key);
        accept = crypto_sha1(text, strlen(text), digest) ? base64_write(digest, sizeof digest) : NULL;
        if (!accept)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a handshake");
        text_copy(ret_accept, HANDSHAKE_ACCEPT_SIZE, accept);
        free(accept);
        return ERR_OK;
}

/* What stands behind `scheme://`, to the path: length into *ret_n; NULL: nothing like it. */
static const char *authority_of(const char *url, size_t *ret_n)
{
        const char *colon = strstr(url, "://");

        if (!colon)
                return NULL;
        *ret_n = strcspn(colon + 3, "/?#");
        return colon + 3;
}

bool handshake_is_ours(const char *origin, const char *url, const char *host)
{
        size_t theirs_n, ours_n = host ? strlen(host) : 0;
        const char *theirs, *ours = host;

        if (!origin)
                return true;
        theirs = authority_of(origin, &theirs_n);
        if (!theirs || theirs[theirs_n] || theirs_n == 0)
                return false;
        if (url) {
                ours = authority_of(url, &ours_n);
                if (!ours || ours - url != theirs - origin ||
                    strncasecmp(origin, url, (size_t)(ours - url)) != 0)
                        return false;
        }
        return ours && theirs_n == ours_n && strncasecmp(theirs, ours, ours_n) == 0;
}
