/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - our side of one WebSocket over a socket (RFC 6455), framed by libwslay; it never blocks. Threads: one at a time. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A message as it goes over the wires: encoded once, sent by many, all of one thread. */
struct frame {
        size_t references;
        size_t n;
        uint8_t bytes[];
};

/* Of one text message; the first reference is the caller's. NULL without memory. */
struct frame *frame_new(const char *text) MUST_USE;
/* NULL is fine. */
void frame_drop(struct frame *frame);

struct piece; /* a frame in a queue */

struct wire {
        struct wslay_event_context *context; /* owned */
        STAILQ_HEAD(pieces, piece) queue;
        int n_pieces;
        size_t offset;       /* how much of the first one is sent */
        size_t queued_bytes; /* of them all */
        size_t *total;       /* borrowed: of all wires */
        char *early;         /* owned: what came with the handshake, until it was read */
        size_t n_early, early_at;
        size_t budget;   /* what may still be read now */
        int fd;          /* borrowed */
        bool is_heard;   /* something came since this was last cleared */
        bool is_ours;    /* we were the first to close */
        bool is_refused; /* what came was no frame: a close of our own is the last that is sent */
        bool has_ended;
};

enum wire_code {
        WIRE_GOING_AWAY = 1001,
        WIRE_POLICY = 1008,
        WIRE_TRY_AGAIN = 1013 /* IANA's registry of close codes */
};

/* Takes a copy of the bytes that came early. Errors: NO_MEMORY. */
enum err wire_init(struct wire *wire, int fd, const void *early, size_t n_early, size_t *total,
                   struct why *why) MUST_USE;
/* What is queued is dropped; the socket stays. */
void wire_done(struct wire *wire);

/* Takes in what has come, up to a bound, and answers what is to be answered: pings, closes, and what breaks the protocol (1002;
 * 1007, 1009) with a close. What a client says otherwise is of no interest, and not kept. */
void wire_read(struct wire *wire);
/* Sends what the socket takes. */
void wire_write(struct wire *wire);

/* Queues and sends: a message, whose reference stays the caller's; a ping; a close, behind which nothing goes, and in front of
 * which what has not begun to be sent goes no more where `drops`. */
void wire_send(struct wire *wire, struct frame *frame);
void wire_ping(struct wire *wire);
void wire_close(struct wire *wire, enum wire_code code, const char *reason, bool drops);

/* Whether something waits for the socket. */
bool wire_is_full(const struct wire *wire);
/* Nothing more will come of it: both sides have closed, or the other one has gone. */
bool wire_is_over(const struct wire *wire);
/* One side has said that it closes. */
bool wire_is_closing(const struct wire *wire);
