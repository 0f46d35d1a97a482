/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - our side of one WebSocket, and the edge to libwslay, which no other file knows.
 *
 * libwslay copies a message into each connection's own queue. So the queue is ours, of references to frames that were
 * encoded once; what libwslay has to say itself (pongs, closes) it writes into that queue as if it were the socket, and
 * frames never mix. It keeps nothing of what it receives, fragments neither. */
#include "server/wire.h"

#include "model/clean.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <wslay/wslay.h>

#define READ_MAX \
        ((size_t)65536) /* of one wire at a time, so that one who pours does not hold up the others; a guess */
#define MESSAGE_MAX 4096 /* of what a client says, though nothing of it is wanted: 1009 beyond; a guess */
#define HEADER_MAX 10    /* of a frame that is not masked; RFC 6455 section 5.2 */
#define PIECES_MAX 1024  /* in a queue: who asks for pongs without end and reads none is let go; a guess */
#define VECTOR_MAX 16    /* frames given to the socket at once; a guess */

struct piece {
        STAILQ_ENTRY(piece) link;
        struct frame *frame;
};

/* ---- frames ---- */

static struct frame *frame_alloc(size_t size)
{
        struct frame *frame = malloc(sizeof *frame + size);

        if (frame)
                *frame = (struct frame){.references = 1};
        return frame;
}

static ssize_t into_frame(const uint8_t *data, size_t n, int flags, void *arg)
{
        struct frame *frame = arg;

        (void)flags;
        memcpy(frame->bytes + frame->n, data, n);
        frame->n += n;
        return (ssize_t)n;
}

static struct frame *frame_make(uint8_t opcode, const void *bytes, size_t n)
{
        const struct wslay_frame_callbacks callbacks = {.send_callback = into_frame};
        struct wslay_frame_iocb iocb = {
                .fin = 1, .opcode = opcode, .payload_length = n, .data = bytes, .data_length = n};
        struct frame *frame = frame_alloc(HEADER_MAX + n);
        wslay_frame_context_ptr context;
        bool good;

        if (!frame || wslay_frame_context_init(&context, &callbacks, frame) != 0) {
                free(frame);
                return NULL;
        }
        good = wslay_frame_send(context, &iocb) == (ssize_t)n;
        wslay_frame_context_free(context);
        if (good)
                return frame;
        free(frame);
        return NULL;
}

struct frame *frame_new(const char *text)
{
        return frame_make(WSLAY_TEXT_FRAME, text, strlen(text));
}

void frame_drop(struct frame *frame)
{
        if (frame && --frame->references == 0)
                free(frame);
}

/* ---- the queue ---- */

static bool enqueue(struct wire *wire, struct frame *frame)
{
        struct piece *piece = wire->n_pieces < PIECES_MAX ? malloc(sizeof *piece) : NULL;

        if (!piece) {
                wire->has_ended = true;
                return false;
        }
        frame->references++;
        piece->frame = frame;
        STAILQ_INSERT_TAIL(&wire->queue, piece, link);
        wire->n_pieces++;
        wire->queued_bytes += frame->n;
        *wire->total += frame->n;
        return true;
}

static void piece_free(struct wire *wire, struct piece *piece)
{
        wire->n_pieces--;
        wire->queued_bytes -= piece->frame->n;
        *wire->total -= piece->frame->n;
        frame_drop(piece->frame);
        free(piece);
}

static void dequeue(struct wire *wire)
{
        struct piece *first = STAILQ_FIRST(&wire->queue);

        STAILQ_REMOVE_HEAD(&wire->queue, link);
        piece_free(wire, first);
        wire->offset = 0;
}

/* `n` bytes more are sent. */
static void advance(struct wire *wire, size_t n)
{
        const struct piece *first;

        while ((first = STAILQ_FIRST(&wire->queue)) && n >= first->frame->n - wire->offset) {
                n -= first->frame->n - wire->offset;
                dequeue(wire);
        }
        wire->offset += n;
}

void wire_write(struct wire *wire)
{
        while (!STAILQ_EMPTY(&wire->queue) && !wire->has_ended) {
                struct iovec vector[VECTOR_MAX];
                struct msghdr message = {.msg_iov = vector};
                size_t skip = wire->offset;
                const struct piece *piece;
                ssize_t sent;

                STAILQ_FOREACH(piece, &wire->queue, link) {
                        if (message.msg_iovlen == VECTOR_MAX)
                                break;
                        vector[message.msg_iovlen++] =
                                (struct iovec){piece->frame->bytes + skip, piece->frame->n - skip};
                        skip = 0;
                }
                sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent >= 0)
                        advance(wire, (size_t)sent);
                else if (errno != EINTR)
                        break;
        }
        if (!STAILQ_EMPTY(&wire->queue) && errno != EAGAIN)
                wire->has_ended = true;
}

/* ---- libwslay's calls ---- */

static ssize_t from_socket(wslay_event_context_ptr context, uint8_t *to, size_t n, int flags, void *arg)
{
        struct wire *wire = arg;
        const size_t early = MIN(wire->n_early - wire->early_at, n);
        ssize_t got;

        (void)flags;
        if (early > 0) {
                memcpy(to, wire->early + wire->early_at, early);
                wire->early_at += early;
                return (ssize_t)early;
        }
        got = wire->budget == 0 ? -1 : recv(wire->fd, to, MIN(n, wire->budget), MSG_DONTWAIT);
        if (got > 0) {
                wire->is_heard = true;
                wire->budget -= (size_t)got;
                return got;
        }
        if (got == 0 || (wire->budget > 0 && errno != EAGAIN && errno != EINTR)) {
                wire->has_ended = true;
                wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
        } else {
                wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        }
        return -1;
}

static ssize_t into_queue(wslay_event_context_ptr context, const uint8_t *data, size_t n, int flags,
                          void *arg)
{
        struct frame *frame = frame_alloc(n);
        bool good;

        if (frame)
                into_frame(data, n, flags, frame);
        good = frame && enqueue(arg, frame);
        frame_drop(frame);
        if (good)
                return (ssize_t)n;
        wslay_event_set_error(context, WSLAY_ERR_NOMEM);
        return -1;
}

/* What libwslay has to say goes into the queue, and out. */
static void speak(struct wire *wire)
{
        while (wslay_event_want_write(wire->context))
                if (wslay_event_send(wire->context) != 0) {
                        wire->has_ended = true;
                        return;
                }
        wire_write(wire);
}

/* ---- the wire ---- */

enum err wire_init(struct wire *wire, int fd, const void *early, size_t n_early, size_t *total,
                   struct why *why)
{
        static const struct wslay_event_callbacks callbacks = {.recv_callback = from_socket,
                                                               .send_callback = into_queue};

        *wire = (struct wire){.fd = fd, .total = total, .n_early = n_early, .is_heard = true};
        STAILQ_INIT(&wire->queue);
        wire->early = n_early ? malloc(n_early) : NULL;
        if ((n_early && !wire->early) ||
            wslay_event_context_server_init(&wire->context, &callbacks, wire) != 0) {
                free(wire->early);
                return FAIL(why, ERR_NO_MEMORY, "no memory for a wire");
        }
        if (n_early)
                memcpy(wire->early, early, n_early);
        wslay_event_config_set_no_buffering(wire->context, 1);
        wslay_event_config_set_max_recv_msg_length(wire->context, MESSAGE_MAX);
        return ERR_OK;
}

void wire_done(struct wire *wire)
{
        while (!STAILQ_EMPTY(&wire->queue))
                dequeue(wire);
        wslay_event_context_free(wire->context);
        free(wire->early);
}

/* After a close nothing counts; but what is left unread would reset the connection, and that may destroy the close. */
static void throw_away(struct wire *wire)
{
        char bytes[4096];
        ssize_t got = 1;

        while (got > 0 && wire->budget > 0) {
                got = recv(wire->fd, bytes, sizeof bytes, MSG_DONTWAIT);
                wire->budget -= MIN(wire->budget, (size_t)MAX(got, 0));
        }
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                wire->has_ended = true;
}

/* A frame that is none: libwslay would close without a code. */
static void refuse(struct wire *wire)
{
        static const uint8_t code[] = {WSLAY_CODE_PROTOCOL_ERROR >> 8, WSLAY_CODE_PROTOCOL_ERROR & 0xff};
        struct frame *frame = frame_make(WSLAY_CONNECTION_CLOSE, code, sizeof code);

        wire->is_refused = true;
        if (frame && enqueue(wire, frame))
                wire_write(wire);
        else
                wire->has_ended = true;
        frame_drop(frame);
}

void wire_read(struct wire *wire)
{
        int result = 0;

        wire->budget = READ_MAX;
        if (wslay_event_get_read_enabled(wire->context))
                result = wslay_event_recv(wire->context);
        else
                throw_away(wire);
        if (wire->early && wire->early_at == wire->n_early)
                free(TAKE(wire->early));
        if (wire->has_ended || wire->is_refused)
                return;
        if (result == WSLAY_ERR_CALLBACK_FAILURE)
                refuse(wire);
        else if (result != 0)
                wire->has_ended = true;
        else
                speak(wire);
}

void wire_send(struct wire *wire, struct frame *frame)
{
        if (!wire_is_closing(wire) && enqueue(wire, frame))
                wire_write(wire);
}

void wire_ping(struct wire *wire)
{
        const struct wslay_event_msg ping = {.opcode = WSLAY_PING};

        if (wslay_event_queue_msg(wire->context, &ping) == WSLAY_ERR_NOMEM)
                wire->has_ended = true;
        speak(wire);
}

/* All but what has begun to be sent, of which the other side has seen a part. */
static void drop_unsent(struct wire *wire)
{
        struct piece *begun = wire->offset > 0 ? STAILQ_FIRST(&wire->queue) : NULL;

        if (begun)
                STAILQ_REMOVE_HEAD(&wire->queue, link);
        while (!STAILQ_EMPTY(&wire->queue)) {
                struct piece *piece = STAILQ_FIRST(&wire->queue);

                STAILQ_REMOVE_HEAD(&wire->queue, link);
                piece_free(wire, piece);
        }
        if (begun)
                STAILQ_INSERT_HEAD(&wire->queue, begun, link);
}

void wire_close(struct wire *wire, enum wire_code code, const char *reason, bool drops)
{
        if (wire_is_closing(wire))
                return;
        if (drops)
                drop_unsent(wire);
        wire->is_ours = true;
        if (wslay_event_queue_close(wire->context, (uint16_t)code, (const uint8_t *)reason, strlen(reason)) ==
            WSLAY_ERR_NOMEM)
                wire->has_ended = true;
        speak(wire);
}

bool wire_is_full(const struct wire *wire)
{
        return !STAILQ_EMPTY(&wire->queue);
}

bool wire_is_closing(const struct wire *wire)
{
        return wire->has_ended || wire->is_refused || wslay_event_get_close_sent(wire->context) ||
               wslay_event_get_close_received(wire->context);
}

bool wire_is_over(const struct wire *wire)
{
        /* A client says our code back; libwslay, which does not know 1013, only stops to read. */
        const bool is_answered = wslay_event_get_close_received(wire->context) ||
                                 (wire->is_ours && !wslay_event_get_read_enabled(wire->context));

        return wire->has_ended ||
               (wslay_event_get_close_sent(wire->context) && is_answered && STAILQ_EMPTY(&wire->queue));
}
