/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.h - what is owed gets told: claims what is due, builds the call, judges the answer, settles.
 *
 * One thread. A change that the store just made durable is a hint and is claimed at once, by its id; so is what this
 * server put off itself, when its time has come. A look at what is due every second finds the rest: what another process
 * owed and does not get done. Nothing is claimed that cannot be sent now. */
#pragma once

#include "model/crypto.h"
#include "model/platform.h"
#include "model/store.h"
#include "server/client.h"

struct outbound;

#define LOGINS_KEPT 32 /* the most that logins_max can count */

struct outbound_options {
        const struct keyring *keyring;
        const char *urls[PLATFORM_COUNT]; /* NULL: a platform that is not called */
        int64_t floor_ms[PLATFORM_COUNT]; /* a 429 holds the lane back at least so long */
        struct retry retry;               /* its delays are borrowed */
        int64_t step_wait_ms
                [PLATFORM_COUNT]; /* between two steps about one order, where the platform asks for it */
        int64_t logins_max[PLATFORM_COUNT]; /* of one account in a minute; 0: no matter */
        int64_t timeout_ms;                 /* of one call */
        int64_t lease_slack_ms;             /* a lease is two timeouts and this */
        int64_t grace_ms; /* what fell due is left for so long to the server that knows of it; 0: there is no other */
};

/* Errors: NO_MEMORY, INTERNAL. */
enum err outbound_new(const struct outbound_options *options, struct outbound **ret, struct why *why)
        MUST_USE;

/* Starts the thread; what stands in the store as due is looked at first. Errors: NO_MEMORY. */
enum err outbound_start(struct outbound *outbound, struct store *store, struct client *client,
                        struct why *why) MUST_USE;

/* Something changed; a copy is taken, and without memory it is left to the next look. Heard with the next ring. Threads:
 * any; before outbound_start() nothing happens. */
void outbound_hint(struct outbound *outbound, const struct change *change);
/* Wakes it for the hints of a round. Threads: any. */
void outbound_ring(struct outbound *outbound);

/* Whether calls to the platform run one at a time because it keeps failing. Threads: any. */
bool outbound_breaker_is_open(const struct outbound *outbound, enum platform platform);

/* When the thread last went round, CLOCK_BOOTTIME in milliseconds; it does so at least once a second. Threads: any. */
int64_t outbound_pulse_ms(const struct outbound *outbound);

/* Claims nothing any more, gives back what has not begun, and waits up to `ms` for what has. */
void outbound_drain(struct outbound *outbound, int64_t ms);

/* After outbound_drain() and client_stop(): writes what the last calls came to, joins. The store must still be open. */
void outbound_stop(struct outbound *outbound);
/* NULL is fine. */
void outbound_free(struct outbound *outbound);
