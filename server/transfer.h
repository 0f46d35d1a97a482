/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.h - the client's own: one call on its way, and what curl may do for it. */
#pragma once

#include "server/client.h"
#include "server/guard.h"
#include "server/resolver.h"
#include "server/url.h"

#include <curl/curl.h>
#include <sys/queue.h>

/* A connection that curl has open, whoever uses it just now. */
struct connection_open {
        curl_socket_t fd;
        char to[46]; /* numeric */
        int to_port;
        int from_port; /* 0: not known yet */
        LIST_ENTRY(connection_open) entry;
};

/* What all transfers of a client share. */
struct outlet {
        const struct guard *guard;         /* borrowed */
        LIST_HEAD(, connection_open) open; /* owned; empty when curl's handle is gone */
};

/* A call from its submission on. */
struct client_transfer {
        struct resolution resolution; /* first: its letter is the transfer's */
        struct client *client;
        struct outlet *outlet; /* borrowed */
        struct call *call;     /* borrowed; NULL once it went home while its name was still being asked for */
        struct transfers *in;  /* the list that holds it, which is its state; NULL: none */
        int64_t begun_ms;      /* 0: still queued */
        struct url url;        /* owned */
        CURL *handle;          /* owned while it is carried */
        struct curl_slist *headers; /* owned */
        struct curl_slist *pin;     /* owned */
        size_t header_bytes;
        int sent;            /* how often the request set out */
        bool stale;          /* the connection had something to say before the request: it was not used */
        bool fresh;          /* it shall have a connection of its own */
        const char *trouble; /* a literal: why we ended it ourselves */
        TAILQ_ENTRY(client_transfer) entry;
};

/* Leaves of the addresses those that may be called; false: there are none, and transfer_refusal() says why. */
bool transfer_vet(struct client_transfer *t);
const char *transfer_refusal(const struct client_transfer *t);

/* Tells its handle all there is to tell; false without memory. */
bool transfer_set(struct client_transfer *t, int64_t left_ms);
