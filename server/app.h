/* SPDX-License-Identifier: Apache-2.0 */
/* app.h - the parts of the running server that a handler may need; main makes it, request_app() gives it. All borrowed. */
#pragma once

#include "model/platform.h"

#include <stdint.h>

struct census;
struct client;
struct config;
struct guard;
struct http;
struct hub;
struct keyring;
struct outbound;
struct poller;
struct spent;
struct store;
struct throttle;

struct app {
        const struct config *config;
        const struct keyring *keyring;
        const struct guard *guard;
        struct http *http;
        struct hub *hub;
        struct store *store;
        struct client *client;
        struct census *census;
        struct outbound *outbound;
        struct poller *poller;
        struct throttle *throttle;
        struct spent *spent;
        struct reasons {          /* the loop's own: what a platform said last, as an answer lists it */
                char *text;       /* owned; NULL: nothing yet */
                int64_t until_ms; /* CLOCK_BOOTTIME: believed until then */
        } reasons[PLATFORM_COUNT];
};
