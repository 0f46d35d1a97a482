/* SPDX-License-Identifier: Apache-2.0 */
/* resolver.h - names to addresses on threads of their own, so that a hanging DNS delays nobody but who asked for it.
 *
 * Answers are remembered for 30 s (getaddrinfo tells no TTL; our guess), refusals for 1 s; one name is asked for once at
 * a time however many wait for it. For a minute more an answer is told while it is asked for again, and where DNS does not
 * answer, for ten. A name that hangs occupies one thread at most, and those that strangers gave half of the threads. */
#pragma once

#include "model/inbox.h"

#include <stddef.h>

struct resolver;

#define RESOLVER_ADDRESSES_MAX 8

struct resolution {
        struct letter letter;                       /* its `run` is called on the thread that runs `reply` */
        char host[256];                             /* in: a name or a literal address, without brackets */
        bool guarded;                               /* in: a stranger gave it */
        struct inbox *reply;                        /* in */
        int n;                                      /* out: how many addresses; 0: none, see `trouble` */
        char addresses[RESOLVER_ADDRESSES_MAX][46]; /* out: numeric, v6 without brackets */
        char trouble[96];                           /* out */
        struct resolution *waiting;                 /* the resolver's own */
};

/* `threads`: how many names may hang at once; one begins where a name waits. Errors: NO_MEMORY. */
enum err resolver_start(int threads, struct resolver **ret, struct why *why) MUST_USE;

/* From memory, at once: true when the answer (or a fresh refusal) is known and `r` is filled. Otherwise false, and the
 * answer comes by letter to `r->reply`; `r` stays the resolver's until then. Literal addresses are known always. */
bool resolver_ask(struct resolver *resolver, struct resolution *r);

/* Stops. What still waits is answered with n = 0. A thread in getaddrinfo is left behind, not waited for. */
void resolver_stop(struct resolver *resolver);
