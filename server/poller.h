/* SPDX-License-Identifier: Apache-2.0 */
/* poller.h - asks platforms that call nobody for their orders: imports what is new, moves what has moved, acknowledges.
 *
 * One thread. An account is polled by one server at a time, and not before the platform's wait after the last poll is
 * over: that is leased in the store (model/poll.h). Nothing else is remembered: what is not acknowledged is shown again. */
#pragma once

#include "model/platform.h"
#include "model/store.h"

struct outbound;
struct poller;

struct poller_options {
        int64_t wait_ms[PLATFORM_COUNT]; /* between two polls of one account; 0: it is not polled */
        int64_t look_ms;                 /* between two looks which accounts there are */
        int64_t timeout_ms;              /* of one question, the login too */
        int64_t slack_ms;                /* a lease is the question's time and this */
};

/* Starts the thread. Errors: NO_MEMORY, INTERNAL. */
enum err poller_start(const struct poller_options *options, struct store *store, struct outbound *outbound,
                      struct poller **ret, struct why *why) MUST_USE;

/* When the thread last went round, CLOCK_BOOTTIME in milliseconds; it does so at least once a second. Threads: any. */
int64_t poller_pulse_ms(const struct poller *poller);

/* Begins nothing any more: each poll ends with what it is at. NULL is fine. */
void poller_drain(struct poller *poller);

/* Waits for the polls under way, which end when outbound has stopped; joins, frees. The store must still be open, and
 * outbound still there. NULL is fine. */
void poller_stop(struct poller *poller);
