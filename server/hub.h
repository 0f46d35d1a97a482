/* SPDX-License-Identifier: Apache-2.0 */
/* hub.h - tells restaurants' screens what happens to their orders, as it happens: one thread, one epoll set, every watcher.
 *
 * A watcher hears of every change that is committed after its hello, and with `since` of what changed before, at least once;
 * `rev` tells what it knows already. One that cannot follow, or that we cannot serve, is closed by 1013: it comes back with
 * `since` and has lost nothing. Nothing is asked of the store while nobody watches. */
#pragma once

#include "model/store.h"

struct http;
struct hub;
struct lent;

struct hub_options {
        int64_t ping_ms;
        bool is_shared; /* other servers write to the store too: it is asked what they changed */
};

/* Errors: NO_MEMORY, INTERNAL. */
enum err hub_new(const struct hub_options *options, struct hub **ret, struct why *why) MUST_USE;

/* Errors: INTERNAL. */
enum err hub_start(struct hub *hub, struct store *store, struct http *http, struct why *why) MUST_USE;

/* Something changed; a copy is taken where somebody watches that restaurant. Heard with the next ring. Threads: any. */
void hub_hint(struct hub *hub, const struct change *change);
void hub_ring(struct hub *hub);

struct admittance {
        struct id restaurant;
        struct id token; /* the record that must stay for the watcher to stay */
        bool has_since;
        int64_t since_ms;
};

/* As many watch this restaurant as may, about: no one of them shall have all connections. Threads: any. */
bool hub_is_crowded(struct hub *hub, const struct id *restaurant);

/* A watcher, on a socket whose handshake is done; it is given back in the end, or at once without memory. Threads: any. */
void hub_admit(struct hub *hub, const struct admittance *admittance, struct lent *lent);

/* When the thread last went round, CLOCK_BOOTTIME in milliseconds; it does so at least once a second. Threads: any. */
int64_t hub_pulse_ms(const struct hub *hub);

/* Closes every watcher, and whoever still comes, by 1001. Threads: any. */
void hub_drain(struct hub *hub);
/* Gives all sockets back, joins. The store must still be open. NULL, and one that did not start, are fine. */
void hub_stop(struct hub *hub);
/* After the store has closed. NULL is fine. */
void hub_free(struct hub *hub);
