/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - the only way out: one thread, one curl multi handle; a request in, a completion out, under one deadline.
 *
 * A hanging DNS harms nobody (resolver.h). A guarded call leads only where guard.h allows it. A URL with a user is
 * refused, redirects are never followed, proxies and netrc never used, answers are cut at the message's
 * reply_max and never decompressed. */
#pragma once

#include "model/inbox.h"
#include "model/message.h"

struct client;
struct guard;

/* One request under way. The submitter owns it and keeps it alive until `done` has run on its thread. */
struct call {
        struct letter letter; /* the client's own */
        /* in */
        struct message message;
        int64_t timeout_ms;              /* the whole of it: resolving, connecting, sending, reading */
        struct inbox *reply;             /* where the completion goes */
        void (*done)(struct call *call); /* on the thread that runs `reply` */
        /* out */
        struct answer answer; /* its body lives in the call; free by call_done() */
        int64_t took_ms;
        /* the client's own */
        char *received;
        size_t received_n;
        char trouble[96];
        struct client_transfer *transfer;
};

#define CLIENT_CALLS_MAX 512 /* more than there ever are: a platform that hangs keeps nobody waiting */

/* Starts the thread. Of more calls than `calls_max` the rest waits inside, without their timeout running. `guard` is
 * borrowed until client_stop(), and changes no more once a call was submitted; it judges what is message.guarded.
 * Errors: NO_MEMORY, INTERNAL. */
enum err client_start(int calls_max, const struct guard *guard, struct client **ret, struct why *why)
        MUST_USE;

/* Hands a call over. Every submitted call is completed exactly once, at client_stop too (CARRIED_UNSURE if its request
 * had set out, else CARRIED_NEVER). Only a GET may reach the other side twice. Threads: any; not once client_stop() was
 * called. */
void client_submit(struct client *client, struct call *call);

/* Completes what is under way, joins the thread, frees. NULL is fine. */
void client_stop(struct client *client);

/* Frees what the call holds: the message and the received body. */
void call_done(struct call *call);

/* When the thread last went round, CLOCK_BOOTTIME in milliseconds; it does so at least once a second. */
int64_t client_pulse_ms(const struct client *client);
