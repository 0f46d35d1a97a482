/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.h - what a caller shows instead of a secret for a while: signed by us, kept nowhere, good on every server. */
#pragma once

#include "model/crypto.h"
#include "model/text.h"

/* What a ticket is good for: its signature is another for each of them. Never renamed. */
#define TICKET_YANDEX "ticket yandex" /* an access token of Yandex Eats */
#define TICKET_EVENTS "ticket events" /* one WebSocket; docs/api.md 5 */

struct ticket {
        struct id restaurant;
        struct id holder; /* the record whose secret it was given for; zero: that is the restaurant's own */
        int64_t until_ms; /* spent from then on */
        uint64_t
                mark; /* of the secret that it was given for: of another one now, it is good no more; or its own, random */
};

#define TICKET_TEXT_SIZE (2 * (2 * sizeof(struct id) + 2 * sizeof(uint64_t) + sizeof(struct digest)) + 1)

/* In lower-case hex. False only without memory. */
bool ticket_write(const struct keyring *ring, const char *use, const struct ticket *ticket,
                  char to[TICKET_TEXT_SIZE]) MUST_USE;

/* False where it is malformed, not signed by a key of the ring for this use, or spent; *ret untouched. */
bool ticket_read(const struct keyring *ring, const char *use, const char *text, int64_t now_ms,
                 struct ticket *ret) MUST_USE;
