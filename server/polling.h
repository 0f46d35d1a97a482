/* SPDX-License-Identifier: Apache-2.0 */
/* polling.h - the poller's own: the accounts that are polled, and one poll. Everything here runs on its thread. */
#pragma once

#include "model/connection.h"
#include "model/poll.h"
#include "server/poller.h"
#include "server/query.h"

#include <stdatomic.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* An account that is polled. */
struct place {
        char id[RECORD_ID_SIZE]; /* the key: of its connection, and of its lease */
        struct id restaurant;
        enum platform platform;
        int64_t at_ms; /* CLOCK_BOOTTIME: not before */
        int64_t seen;  /* by which look, the last time */
        bool polling;  /* or else it is in poller->waiting */
        TAILQ_ENTRY(place) entry;
        UT_hash_handle hh;
};

struct poller {
        struct poller_options options;
        struct store *store;
        struct outbound *outbound;
        struct inbox in;
        pthread_t thread;
        atomic_bool draining;
        atomic_bool stopping;
        _Atomic int64_t pulse_ms;
        unsigned seed;
        struct place *places;
        TAILQ_HEAD(places, place) waiting; /* by at_ms */
        int n_polls;
        struct store_find look;
        bool looking;
        int64_t n_looks;
        int64_t look_at_ms; /* CLOCK_BOOTTIME: the next one */
        int64_t n_found;    /* new places of this look */
};

/* poller.c: what a job needs to come back. */
void poller_submit(struct poller *poller, struct job *job, void *arg, void (*run)(struct letter *letter));
/* poller.c: a random time up to `ms`. */
int64_t poller_up_to(struct poller *poller, int64_t ms);
/* poller.c: the poll of this place is over; the next one is at `at_ms` of CLOCK_BOOTTIME. */
void poller_rest(struct poller *poller, struct place *place, int64_t at_ms);

/* polling.c: polls the place; poller_rest() follows. False without memory. */
bool poll_begin(struct poller *poller, struct place *place);
