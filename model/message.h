/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - an HTTP request to another party and its answer, as values: dialects write the one and judge the other,
 * the client carries them. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_HEADERS_MAX 24
#define MESSAGE_REPLY_MAX \
        65536 /* bytes of an answer that are read, where no more is asked for; docs/design.md 5 */

/* A request as it goes out. Begin with `struct message m = {0}`, end with message_done(). */
struct message {
        const char *method;                 /* a literal: GET, POST, PUT */
        char *url;                          /* owned */
        char *headers[MESSAGE_HEADERS_MAX]; /* owned, `Name: value` */
        int n_headers;
        char *body;       /* owned; NULL: none */
        size_t reply_max; /* bytes of the answer that are read; 0: MESSAGE_REPLY_MAX */
        bool guarded; /* the URL is a stranger's: it may lead only to public addresses, by https (server/guard.h) */
};

/* Sets the URL as printf would. Errors: NO_MEMORY. */
enum err message_url(struct message *m, struct why *why, const char *format, ...)
        __attribute__((format(printf, 3, 4))) MUST_USE;

/* Adds a header; a value with a control character (CR, LF above all) or a name that is no token is BAD_FIELD. */
enum err message_header(struct message *m, const char *name, const char *value, struct why *why) MUST_USE;

/* Frees what the message owns, overwriting header values, which carry secrets. */
void message_done(struct message *m);

/* What became of a request. */
enum carried {
        CARRIED_ANSWERED, /* a complete answer within the limits */
        CARRIED_NEVER,    /* refused, unreachable or unresolved: the other side cannot have acted on it */
        CARRIED_UNSURE /* it may have been acted on: timeout, a broken connection, an answer cut or too long */
};

struct answer {
        enum carried carried;
        int http;               /* status; 0 unless ANSWERED */
        int64_t retry_after_ms; /* from Retry-After (seconds or a date); -1: none */
        const char *body;       /* borrowed from the carrier, NUL-terminated; "" when there is none */
        size_t length;
        const char *trouble; /* borrowed, why it was not answered; "" otherwise */
};
