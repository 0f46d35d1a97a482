/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - the event loop around libmicrohttpd: requests in, answers out, nothing waited for.
 *
 * A handler runs on the loop in two straight pieces: it reads and submits one job (store, or client), and the loop goes on;
 * the job's completion comes back through the loop's inbox and runs the second piece, which replies. All jobs of a round
 * are handed over with one wake-up, by the `round` hook. No thread but the loop's ever touches a request. */
#pragma once

#include "model/crypto.h"
#include "model/inbox.h"
#include "model/ticket.h"
#include "server/router.h"

#include <stdbool.h>
#include <stdint.h>

struct guard;
struct http;
struct request;

struct http_options {
        const char *listen; /* host:port, port 0 allowed; [v6]:port */
        const char *ops_listen;
        const struct route *routes; /* of the main port */
        const struct route *ops_routes;
        const char *admin_token;       /* NULL: no admin exists */
        const struct keyring *keyring; /* borrowed: tickets are signed by it; NULL: none is taken */
        const struct guard *trusted;   /* borrowed: proxies whose X-Forwarded-For is believed; NULL: none */
        int connections_max; /* main port; the limit of descriptors is raised to this + 1216, else start fails */
        int held_max;        /* unanswered at once, beyond it 503 (docs/design.md 4: 512) */
        int64_t request_deadline_ms; /* a held request is answered by then, as its route says `broken` */
        int64_t receive_deadline_ms; /* what is not received or read by then is cut (docs/api.md 1: 30 s) */
        void (*round)(void *app);    /* at the end of each round: hand over what was submitted */
        void *app;                   /* what handlers get by request_app() */
};

/* Binds both ports. Errors: INTERNAL (address in use, too few descriptors …), BAD_FIELD (an address), NO_MEMORY. */
enum err http_open(const struct http_options *options, struct http **ret, struct why *why) MUST_USE;

/* The addresses that were got, `127.0.0.1:43211`. */
const char *http_address(const struct http *http);
const char *http_ops_address(const struct http *http);

/* Runs the loop on this thread until http_stop() was asked and all is answered, or `drain_ms` after it. */
void http_run(struct http *http, int64_t drain_ms);

/* Refuses new connections, closes idle ones, answers what is held, then lets http_run return. Threads: any; but not from a
 * signal's handler. */
void http_stop(struct http *http);
bool http_is_stopping(const struct http *http);

/* Calls `ready` on the loop when `fd` becomes readable (main's signalfd). At most 4. */
enum err http_watch(struct http *http, int fd, void (*ready)(void *arg), void *arg, struct why *why) MUST_USE;

/* Connections of the main port, and requests with something under way. On the loop. */
int http_connections(const struct http *http);
int http_held(const struct http *http);

/* Where completions for requests go. */
struct inbox *http_inbox(struct http *http);

/* After http_run returned and whatever completes held requests was closed: what is still in the inbox runs now. NULL is
 * fine. */
void http_close(struct http *http);

/* --- what a handler sees. All on the loop. A request lives until it was replied to and nothing is held. --- */

/* What the answer says in X-Request-Id, and the log. */
const char *request_id(const struct request *r);
/* The options' `app`, and the row of the table that was found. */
void *request_app(struct request *r);
const struct route *request_route(const struct request *r);
/* What stood for the i-th {…} of the route; never NULL. */
const char *request_arg(const struct request *r, int i);
/* A query parameter, percent-decoded once, or NULL. Like headers, in the first piece only: they go with the client. */
const char *request_query(const struct request *r, const char *name);
/* A header, or NULL; the first where there are several. */
const char *request_header(const struct request *r, const char *name);
/* The whole body, NUL-terminated. */
const char *request_body(const struct request *r, size_t *ret_length);
/* The client's address in numbers, without port: the peer's, or what a trusted proxy says (server/forwarded.h). */
const char *request_address(const struct request *r);

/* Who asks, as far as it shows without the store. */
enum credential {
        CREDENTIAL_NONE,
        CREDENTIAL_MALFORMED, /* an x-api-key whose checksum is wrong (a bearer like that never reaches a handler: 401) */
        CREDENTIAL_KEY,   /* request_digest() is the key's */
        CREDENTIAL_TOKEN, /* request_digest() is the restaurant token's */
        CREDENTIAL_ADMIN,
        CREDENTIAL_TICKET /* request_ticket(), signed by us and not spent */
};
enum credential request_credential(const struct request *r);
const struct digest *request_digest(const struct request *r);
const struct ticket *request_ticket(const struct request *r);

/* Zeroed memory that lives as long as the request; `done` (may be NULL) is called with it before it goes, the newest
 * first. NULL without memory. */
void *request_alloc(struct request *r, size_t size, void (*done)(void *memory));

/* Something is under way whose completion will come by the loop's inbox: the request is held until then. False when too
 * much waits, the client has gone, or the deadline has answered: all is said, and the handler must not submit. */
bool request_hold(struct request *r);
/* What the store made of the key or token that was shown. Whoever has never been good here may hold no more than half of
 * what may be held, so that guessers do not keep the others out. */
void request_judge(struct request *r, bool is_good);
/* Where the deadline comes before the completion, `late` answers, in place of STORE_BROKEN. */
void request_on_late(struct request *r, void (*late)(struct request *r));
/* The completion is here: the second piece must reply before it returns, or hold again. Where the client has gone or the
 * deadline has answered, replies are dropped in silence. */
void request_release(struct request *r);

/* Something was done: where memory fails the answer now, nobody may be told that nothing was, but STORE_BROKEN. */
void request_acted(struct request *r);

/* The deadline has answered: what is replied now is dropped. */
bool request_is_late(const struct request *r);

/* Answers. `body` is copied; NULL: no body. Exactly one answer for a request. */
void request_reply(struct request *r, int http_status, const char *body, size_t length);
/* As request_reply with bytes that stay where they are. */
void request_reply_static(struct request *r, int http_status, const char *body, size_t length);
/* As request_reply with a document of the caller's, which is freed (json_text's); NULL answers NO_MEMORY. */
void request_reply_text(struct request *r, int http_status, char *body);
/* The one place where an error becomes an answer, and a log line (5xx, with why). STORE_BROKEN and DAMAGED are told as the route's
 * `broken`; BAD_FIELD names why->field; retryable ones carry Retry-After: 1. */
void request_fail(struct request *r, enum err e, const struct why *why);
/* A header of the answer to come, or another Content-Type than JSON's: a literal name, at most 6; the value is copied. */
void request_reply_header(struct request *r, const char *name, const char *value);

/* A connection that went over to another protocol: its socket is lent to whoever asked for that. */
struct lent {
        struct letter letter; /* the loop's own */
        int fd;               /* non-blocking; never to be closed */
        const void *
                early; /* what the client sent behind its request, NULL where that is nothing; gone when `take` returns */
        size_t n_early;
};
/* Answers 101 with the headers that were set. Once that is written, `take` is called, on the loop, with `arg`, which lives as
 * the request's own memory does; never, where the client has left before. A HEAD is answered by BAD_METHOD. */
void request_upgrade(struct request *r, void (*take)(void *arg, struct lent *lent), void *arg);
/* The socket is closed; `lent` is gone. Threads: any, but it must have left every epoll set. Before http_close(). */
void http_give_back(struct http *http, struct lent *lent);
