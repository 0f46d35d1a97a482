/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.h - how a client asks for a WebSocket (RFC 6455 section 4.2), and what it is told. Pure. */
#pragma once

#include "model/err.h"

#include <stdbool.h>

/* The headers of a request, each NULL where it is absent. */
struct handshake {
        const char *upgrade;
        const char *connection;
        const char *version;
        const char *key;
};

#define HANDSHAKE_ACCEPT_SIZE 29
#define HANDSHAKE_VERSION "13"

/* Fills what Sec-WebSocket-Accept says. Errors: UPGRADE (no WebSocket is asked for, or one of another version), BAD_FIELD
 * (the key), NO_MEMORY. */
enum err handshake_check(const struct handshake *asked, char ret_accept[HANDSHAKE_ACCEPT_SIZE],
                         struct why *why) MUST_USE;

/* Whether a page of this origin (RFC 6454) is one of ours: that of `url`, or, NULL, of any scheme at `host`, as the Host
 * header says it. `origin` NULL: it is no page. */
bool handshake_is_ours(const char *origin, const char *url, const char *host);
