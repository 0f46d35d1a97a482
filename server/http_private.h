/* SPDX-License-Identifier: Apache-2.0 */
/* http_private.h - what http.c (the loop, and libmicrohttpd's edge), head.c, peer.c, request.c and straggler.c share, and nobody else.
 *
 * A connection (`peer`) lives from accept to close and stands in exactly one list: that of its phase, oldest first, which
 * makes every deadline a look at the list's head. A request lives from its headers until it was answered or its client
 * left, and until nothing is under way for it: the two ends meet in request_end() and requests_bury(). */
#pragma once

#include "server/http.h"
#include "server/known.h"
#include "server/listener.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/queue.h>

#define REQUEST_ID_MAX 128
#define REPLY_HEADERS_MAX 8
#define FORWARDED_MAX 8 /* a chain of proxies of which each adds a header of its own */
#define WATCHES_MAX 5   /* http_watch()'s four, and the inbox */

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_UpgradeResponseHandle;

enum phase {
        PHASE_RECEIVE, /* from accept, or from the request line, to the last byte of the body */
        PHASE_ENDED,   /* the client sends no more, and no whole request is known */
        PHASE_KEPT,    /* answered, and the next request has not begun */
        PHASE_HELD,    /* the request is whole, its answer is awaited */
        PHASE_SEND,    /* the answer is being written */
        PHASE_CUT,     /* shut down by us; libmicrohttpd will close it when it hears of that */
        PHASE_LENT,    /* another protocol is spoken on it, by somebody else */
        PHASE_COUNT
};

/* What becomes readable in the loop's epoll set, and who is told. */
struct watch {
        int fd;
        void (*ready)(void *arg);
        void *arg;
};

TAILQ_HEAD(peers, peer);
TAILQ_HEAD(stragglers, straggler);
TAILQ_HEAD(receiving, request);
LIST_HEAD(requests, request);

struct port {
        struct http *http;
        struct MHD_Daemon *daemon;
        const struct route *routes;
        struct watch watch; /* libmicrohttpd's own epoll set */
        bool is_ops;
        bool is_ready; /* it must be run: there was an event, or a connection has gone */
        bool is_starved; /* the system had nothing left for a connection that waits; whether it has, nobody says */
        bool is_resting; /* so long that we do not ask it again and again */
        int64_t starved_ms;
        struct peers phases[PHASE_COUNT];
        int n_peers;
        int n_cut;     /* of them, about to be closed */
        int peers_max; /* beyond it, peers make room for others */
        char address[LISTENER_NAME_SIZE];
};

struct peer {
        struct lent lent;                           /* the first: a lent socket is its peer */
        struct MHD_UpgradeResponseHandle *upgraded; /* while it is lent */
        TAILQ_ENTRY(peer) link;
        struct port *port;
        struct watch watch; /* for the end of what the client sends */
        struct MHD_Connection *connection;
        enum phase phase;
        int64_t since_ms; /* when the phase began */
        int fd;
        bool has_ended;         /* the client sends no more */
        bool is_escaped;        /* the path of the request under way has a percent sign */
        const char *behind_uri; /* of that request, where it lies; only to be compared */
        bool straggles;         /* was refused while it may still be sending */
        struct request *request;
        char address[INET6_ADDRSTRLEN];
};

struct http {
        struct letter stop; /* posted once, by http_stop */
        struct http_options options;
        struct digest admin; /* of the admin's token, where there is one */
        struct port main, ops;
        struct inbox inbox;
        struct watch watches[WATCHES_MAX];
        int n_watches;
        int epoll;
        atomic_bool stop_asked;
        atomic_bool is_stopping;
        int64_t now_us; /* CLOCK_BOOTTIME, once a round */
        int64_t now_ms; /* the same */
        int64_t stopping_since_ms;
        int64_t drain_ms; /* how long stopping may take */
        struct stragglers stragglers;
        int n_stragglers;
        bool had_progress; /* in this round: an event, or any callback but that of a held request */
        int quiet;         /* rounds without progress */
        int held;          /* requests with something under way, those of clients that left included */
        size_t body_bytes; /* promised to bodies of requests */
        struct receiving receiving; /* to whom, while they are not whole: the oldest first */
        size_t answer_bytes;        /* of answers that are being written */
        int strangers;              /* of those held, such as are not known */
        struct known known;
        struct requests released;
        uint64_t next_id;
};

/* The headers that decide: the first of each name, and how many there were. Values live as libmicrohttpd's request does. */
enum head_name {
        HEAD_API_KEY,
        HEAD_AUTHORIZATION,
        HEAD_CONTENT_TYPE,
        HEAD_CONTENT_LENGTH,
        HEAD_TRANSFER_ENCODING,
        HEAD_REQUEST_ID,
        HEAD_EXPECT,
        HEAD_FORWARDED_FOR,
        HEAD_HOST,
        HEAD_COUNT
};
struct head {
        const char *value[HEAD_COUNT];
        int n[HEAD_COUNT];
        const char *forwarded
                [FORWARDED_MAX]; /* all of X-Forwarded-For; of more than there is room for, the last */
        int n_forwarded;
        bool is_odd; /* something in it can be read in two ways */
};

struct kept; /* memory of request_alloc */

struct request {
        struct http *http;
        struct peer *peer; /* NULL: the client has gone */
        struct match match;
        bool is_ops;
        enum credential credential;
        struct digest digest;
        struct ticket ticket;
        char id[REQUEST_ID_MAX + 1];
        char address[INET6_ADDRSTRLEN];
        struct kept *kept;
        int64_t began_us; /* when it was whole, by http->now_us; -1: it is not, or was refused before */
        /* state */
        bool is_held;     /* something is under way */
        bool is_stranger; /* what was shown may be anybody's: it has not been good before */
        bool is_answered; /* `reply` stands */
        bool has_acted;   /* something was done, whatever becomes of its answer */
        bool is_late;     /* the deadline answered; what the handler says is dropped */
        bool is_cut;      /* refused, and the rest is not read to its end: answer at once and close */
        bool is_released; /* in http->released */
        bool is_head;
        void (*late)(struct request *r);            /* answers where the deadline comes first; else NULL */
        void (*take)(void *arg, struct lent *lent); /* of an answer that lends the socket; else NULL */
        void *take_arg;
        LIST_ENTRY(request) released;
        struct {
                int http_status;
                char *body; /* owned, unless … */
                bool is_static;
                size_t length;
                size_t counted; /* its part of http->answer_bytes */
                struct {
                        const char *name;
                        const char *value; /* lives as long as the request */
                } headers[REPLY_HEADERS_MAX];
                int n_headers;
        } reply;
        /* the body */
        bool is_chunked;
        size_t content_length;
        size_t body_bytes; /* its part of http->body_bytes; */
        bool is_receiving; /* it stands in http->receiving */
        TAILQ_ENTRY(request) receiving;
        char *body;    /* `small`, or owned */
        size_t body_n; /* of a refused body: what was swallowed */
        size_t body_size;
        char small[];
};

/* --- http.c --- */

/* Puts it into the loop's set; false without resources. */
bool watch_add(struct http *http, struct watch *watch);

/* --- peer.c --- */

/* It was accepted; it is about to be closed. */
void peer_begin(struct peer *peer);
void peer_end(struct peer *peer);
/* Its end is heard of no more: the socket is another's. */
void peer_ignore(struct peer *peer);
/* The next phase begins, or the same anew. */
void peer_enter(struct peer *peer, enum phase phase);
/* libmicrohttpd will close it, and gets nothing more from it. */
void peer_cut(struct peer *peer);
/* How long the loop may wait for the next deadline, where that is less than `wait_ms`. */
int64_t peers_wait_ms(const struct port *port, int64_t wait_ms);
/* Cuts or answers what is past its phase's deadline, and cuts whoever has to make room. */
void peers_expire(struct port *port);
/* Cuts those who have no request under way. */
void peers_drain(struct port *port);

/* --- straggler.c --- */

/* Reads on for a while from a client that may still be sending, though libmicrohttpd is about to close `fd`. */
void straggler_keep(struct http *http, int fd);
/* Closes those who have had their time. */
void stragglers_expire(struct http *http, int64_t now_ms);

/* --- head.c --- */

/* Takes note of one header. */
void head_note(struct head *head, const char *name, const char *value);

/* False where a proxy may have seen another request. */
bool head_is_sound(const struct head *head);

/* --- request.c --- */

/* A request of `peer`. NULL without memory. */
struct request *request_new(struct peer *peer, const struct head *head);

/* Decides all that is decided before the body; where it refuses, the request has been answered. */
void request_admit(struct request *r, const struct head *head, const char *method, const char *path);

/* Takes a piece of the body, or swallows it where the request was refused. False: too much, cut the connection. */
bool request_take(struct request *r, const char *bytes, size_t n);

/* The request is whole and not refused: calls the handler. */
void request_run(struct request *r);

/* Whether the handler has set this header of the answer. */
bool request_has_header(const struct request *r, const char *name);

/* What it takes up is not counted any more. */
void request_unload(struct request *r);

/* Answers a held request that has waited too long. */
void request_expire(struct request *r);

/* libmicrohttpd is through with the request: frees it, or leaves that to requests_bury() when something is under way. */
void request_end(struct request *r);

/* Frees what was released while its client had gone. */
void requests_bury(struct http *http);
