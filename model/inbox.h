/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.h - what a thread takes in from others: the only way between threads.
 *
 * A letter is embedded in whatever is sent and knows what to do on arrival. Whole rounds travel with one wake-up:
 * post as many as there are, ring once. Order is kept per inbox. */
#pragma once

#include "model/err.h"

#include <pthread.h>

struct letter {
        struct letter *next;
        void (*run)(struct letter *letter); /* on the receiver's thread; may free what the letter stands in */
};

struct inbox {
        pthread_mutex_t lock;
        struct letter *first;
        struct letter **last;
        bool unheard;            /* posted since the last ring */
        bool rung;               /* and not taken from since: once is enough */
        void (*wake)(void *arg); /* called by inbox_ring, from the sender's thread */
        void *arg;
        int fd; /* eventfd that becomes readable; -1 where `wake` is given */
};

/* An inbox with an eventfd to wait on. Errors: INTERNAL (no descriptor left). */
enum err inbox_init(struct inbox *in, struct why *why) MUST_USE;

/* An inbox that wakes its owner by a callback, for a thread that waits in something else (curl_multi_wakeup). */
void inbox_init_wake(struct inbox *in, void (*wake)(void *arg), void *arg);

/* Letters still inside are not run and not freed: their senders own them. */
void inbox_done(struct inbox *in);

/* Puts a letter in without waking anybody. Threads: any. */
void inbox_post(struct inbox *in, struct letter *letter);

/* Wakes the owner if anything was posted since the last ring, unless it is about to take anyway. Threads: any. */
void inbox_ring(struct inbox *in);

/* Post and ring. Threads: any. */
void inbox_push(struct inbox *in, struct letter *letter);

/* Takes all letters, oldest first, linked by `next`; NULL when there are none. Clears the eventfd. Threads: the owner. */
struct letter *inbox_take(struct inbox *in);

/* Runs those letters that `run` is of; the others stay, in their order. Threads: the owner. */
void inbox_run_only(struct inbox *in, void (*run)(struct letter *letter));

/* Takes and runs all; how many ran. Threads: the owner. */
int inbox_run(struct inbox *in);
