/* SPDX-License-Identifier: Apache-2.0 */
/* hub_private.h - what hub.c (the thread, and who watches) and feed.c (what they are told) share, and nobody else. */
#pragma once

#include "server/hub.h"
#include "server/wire.h"

/* An allocation that fails must not end the process: then somebody is closed by 1013. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <pthread.h>
#include <stdatomic.h>

#define WATCHED_SIZE 4096 /* a power of two; a guess */
#define CATCHING_MAX \
        16 /* watchers that are shown what they missed at one time: each has one job at the store; a guess */

struct watcher;
LIST_HEAD(watchers, watcher);
TAILQ_HEAD(watcher_queue, watcher);

/* A restaurant that somebody watches. */
struct room {
        struct id restaurant;
        struct watchers watchers;
        int n;
        UT_hash_handle hh;
};

/* A watcher that is shown, one by one, what changed since it was last here. What happens meanwhile is not told to it but makes
 * it go back: so `at` only rises while it catches up, and whoever is cut off then comes back to the right place. */
struct catchup {
        struct store_changes changes;
        struct store_read read;
        struct seen *page; /* owned */
        int n, i;
        int64_t after_ms; /* where the next page begins */
        struct id after;
        bool is_last;      /* the page was not full */
        bool is_overtaken; /* somebody was told of something in the meantime: */
        int64_t back_ms;   /* the earliest of it */
};

struct watcher {
        struct letter letter; /* on its way to the thread */
        struct hub *hub;
        struct lent *lent;
        struct wire wire;
        struct room *room; /* NULL: not in one */
        struct admittance admittance;
        LIST_ENTRY(watcher) in_room;
        TAILQ_ENTRY(watcher) in_queue; /* hub.watchers, .closing or .ended */
        TAILQ_ENTRY(watcher) waiting;  /* hub.catching */
        struct catchup *catchup;       /* owned; NULL: it hears what happens as it happens */
        int64_t since_ms;              /* CLOCK_BOOTTIME: in its queue */
        int jobs;                      /* under way for it */
        bool is_waiting;               /* in hub.catching */
        bool is_closing;
        bool has_ended;
        bool wants_out; /* its socket is asked for room */
};

/* An order that watchers were just told of, so that the same revision is not told twice. */
struct known {
        struct id order;
        struct id restaurant;
        int64_t rev;
        int64_t at_ms;   /* its last change, by the store's clock */
        bool is_reading; /* a job is under way */
        bool again;      /* it changed meanwhile */
        struct store_read read;
        struct hub *hub;
        TAILQ_ENTRY(known) link; /* the one that was read last is the last */
        UT_hash_handle hh;
};
TAILQ_HEAD(knowns, known);

struct hub {
        struct hub_options options;
        struct store *store;
        struct http *http;
        struct inbox in;
        struct letter drain, stop;
        pthread_t thread;
        bool is_started;
        int epoll;
        int64_t now_ms; /* CLOCK_BOOTTIME, once a round */
        _Atomic int64_t pulse_ms;
        atomic_bool drain_asked;
        atomic_bool has_lost; /* a hint, for want of memory */
        bool is_draining;
        bool is_stopping;
        atomic_uint watched[WATCHED_SIZE]; /* how many watchers there are of a restaurant with this hash */
        /* of the thread alone */
        struct room *rooms;
        struct watcher_queue watchers; /* the one whose ping is due is the first */
        struct watcher_queue closing;
        struct watcher_queue ended;
        size_t queued_bytes; /* of all wires */
        /* feed.c */
        struct known *known;
        struct knowns age;
        struct watcher_queue catching; /* wait for a turn */
        int n_catching;                /* have one */
        struct store_changes poll;
        struct id *polled; /* owned: whose changes are asked for */
        bool is_polling;
        bool has_to_poll; /* something changed, nobody knows which order */
        bool has_grown;   /* a room came after the poll had begun: */
        int64_t grown_ms; /* when the first of them did, by the store's clock */
        int64_t poll_at_ms;
        int64_t seen_ms; /* the latest change that was seen, by the store's clock */
};

/* --- hub.c --- */

/* NULL: nobody watches it. */
struct room *room_find(struct hub *hub, const struct id *restaurant);
/* Whatever comes next, it goes. */
void watcher_close(struct watcher *watcher, enum wire_code code, const char *reason, bool drops);
/* Everybody in the room, by 1013: something for them was lost on the way. */
void room_close(struct room *room, const char *reason);
/* To be called after whatever may have changed its wire. */
void watcher_settle(struct watcher *watcher);
/* A job of it has come back; false: it has gone meanwhile, and is not to be touched. */
bool watcher_resume(struct watcher *watcher);

/* --- feed.c --- */

/* An order has changed, or, its id zero, somebody's. */
void feed_changed(struct hub *hub, const struct change *change);
/* A room was made. */
void feed_room(struct hub *hub);
/* What happened since then; false without memory. */
bool catchup_begin(struct watcher *watcher, int64_t since_ms);
/* Goes on, where its wire is empty and its turn has come. */
void catchup_step(struct watcher *watcher);
/* Gives turns to those who wait, as far as there are any. */
void catchup_next(struct hub *hub);
/* It has gone, and no job is under way for it. */
void catchup_end(struct watcher *watcher);
/* Asks the store where it is time to; when that is next, or INT64_MAX. */
int64_t feed_poll(struct hub *hub);
/* Forgets what cannot be told twice any more; `all`: nobody watches. */
void feed_forget(struct hub *hub, bool all);
void feed_free(struct hub *hub);
