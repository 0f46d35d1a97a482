/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c - how long a connection may take for each phase of its life, and who goes where there is no room for all.
 *
 * A port's connections, and what its requests and answers take up together, are bounded. Where more want in, those leave
 * who have waited for longest for nothing that is ours to do: half a request, a pause, an answer that nobody reads. So who
 * opens thousands of connections and keeps them, from one address or many, has pushed out his own, and a whole request
 * always finds room. A limit for each address would not do: behind a proxy, or one router, many clients have one.
 *
 * libmicrohttpd does not hear of the end of a client's bytes where that came together with the last of them (its epoll set
 * is edge-triggered), so the loop listens for it itself. */
#include "server/http_private.h"

#include "server/log.h"

#include <sys/epoll.h>
#include <sys/param.h>
#include <sys/socket.h>

#define ENDED_MS 200  /* time for what libmicrohttpd has not yet taken apart */
#define KEPT_MS 75000 /* a kept connection without a request: nginx's default, which clients know to expect */
#define STARVED_MS 1000                /* so long a shortage of the system's may pass by itself; a guess */
#define PATIENCE_MS 200                /* nobody has to make room sooner; a guess */
#define ANSWERS_MAX ((size_t)64 << 20) /* not yet read by their clients, all together */

/* ---- phases ---- */

void peer_enter(struct peer *peer, enum phase phase)
{
        struct port *port = peer->port;

        if (peer->has_ended && (phase == PHASE_RECEIVE || phase == PHASE_KEPT))
                phase = PHASE_ENDED;
        port->n_cut += (phase == PHASE_CUT) - (peer->phase == PHASE_CUT);
        TAILQ_REMOVE(&port->phases[peer->phase], peer, link);
        peer->phase = phase;
        peer->since_ms = port->http->now_ms;
        TAILQ_INSERT_TAIL(&port->phases[phase], peer, link);
}

/* The client sends no more. What it has sent may be a whole request, which is answered. */
static void on_end(void *arg)
{
        struct peer *peer = arg;

        peer->has_ended = true;
        if (peer->phase == PHASE_RECEIVE || peer->phase == PHASE_KEPT)
                peer_enter(peer, PHASE_ENDED);
}

void peer_begin(struct peer *peer)
{
        struct port *port = peer->port;
        struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = &peer->watch};

        peer->phase = PHASE_RECEIVE;
        peer->since_ms = port->http->now_ms;
        peer->watch = (struct watch){peer->fd, on_end, peer};
        TAILQ_INSERT_TAIL(&port->phases[PHASE_RECEIVE], peer, link);
        port->n_peers++;
        /* Where that fails, the deadlines are all there is. */
        epoll_ctl(port->http->epoll, EPOLL_CTL_ADD, peer->fd, &event);
}

void peer_end(struct peer *peer)
{
        struct port *port = peer->port;

        peer_ignore(peer);
        port->n_cut -= peer->phase == PHASE_CUT;
        TAILQ_REMOVE(&port->phases[peer->phase], peer, link);
        port->n_peers--;
}

void peer_ignore(struct peer *peer)
{
        epoll_ctl(peer->port->http->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
}

void peer_cut(struct peer *peer)
{
        shutdown(peer->fd, SHUT_RDWR);
        if (peer->request)
                request_unload(peer->request);
        peer_enter(peer, PHASE_CUT);
        peer->port->http->had_progress = true;
}

/* ---- deadlines ---- */

/* When stopping there is less time, and all that is held shall still be answered in it. */
static int64_t held_limit_ms(const struct http *http)
{
        const int64_t left_ms = http->drain_ms * 3 / 4;

        return http_is_stopping(http) && left_ms < http->options.request_deadline_ms
                       ? left_ms
                       : http->options.request_deadline_ms;
}

static int64_t phase_limit_ms(const struct http *http, int phase)
{
        const int64_t limits_ms[PHASE_COUNT] = {[PHASE_RECEIVE] = http->options.receive_deadline_ms,
                                                [PHASE_ENDED] = ENDED_MS,
                                                [PHASE_KEPT] = KEPT_MS,
                                                [PHASE_HELD] = held_limit_ms(http),
                                                [PHASE_SEND] = http->options.receive_deadline_ms,
                                                [PHASE_CUT] = INT64_MAX / 2,
                                                [PHASE_LENT] = INT64_MAX / 2};

        return limits_ms[phase];
}

int64_t peers_wait_ms(const struct port *port, int64_t wait_ms)
{
        for (int phase = 0; phase < PHASE_CUT; phase++) {
                const struct peer *first = TAILQ_FIRST(&port->phases[phase]);

                if (first)
                        wait_ms = MIN(wait_ms, first->since_ms + phase_limit_ms(port->http, phase) -
                                                       port->http->now_ms);
        }
        return port->n_peers - port->n_cut > port->peers_max ? MIN(wait_ms, PATIENCE_MS) : wait_ms;
}

static void peer_expire(struct peer *peer)
{
        if (peer->phase == PHASE_HELD) {
                request_expire(peer->request);
                peer_enter(peer, PHASE_SEND);
                peer->port->http->had_progress = true;
        } else {
                peer_cut(peer);
        }
}

/* Cuts so many of those who wait for nothing of ours. */
static void make_room(struct port *port, int n)
{
        static const enum phase order[] = {PHASE_ENDED, PHASE_RECEIVE, PHASE_KEPT, PHASE_SEND};
        const int64_t before_ms = port->http->now_ms - PATIENCE_MS;
        int made = 0;

        for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
                struct peer *peer;

                while (made < n && (peer = TAILQ_FIRST(&port->phases[order[i]])) &&
                       peer->since_ms <= before_ms) {
                        peer_cut(peer);
                        made++;
                }
        }
        if (made > 0)
                log_limited(LOG_WARN, "connections_full", LOG_CAUSE("port", port->is_ops ? "ops" : "main"),
                            LOG_INT("open", port->n_peers), LOG_INT("cut", made));
}

void peers_expire(struct port *port)
{
        struct http *http = port->http;
        struct peer *peer;

        for (int phase = 0; phase < PHASE_CUT; phase++) {
                const int64_t limit_ms = phase_limit_ms(http, phase);

                while ((peer = TAILQ_FIRST(&port->phases[phase])) &&
                       http->now_ms - peer->since_ms >= limit_ms)
                        peer_expire(peer);
        }
        make_room(port, port->n_peers - port->n_cut - port->peers_max);
        /* libmicrohttpd accepts nobody then until a connection ends, if none does for ever. */
        if (port->is_starved && port->n_cut == 0 && http->now_ms - port->starved_ms >= STARVED_MS)
                make_room(port, 1);
        while (http->answer_bytes > ANSWERS_MAX && (peer = TAILQ_FIRST(&port->phases[PHASE_SEND])))
                peer_cut(peer);
}

void peers_drain(struct port *port)
{
        for (int phase = PHASE_RECEIVE; phase <= PHASE_KEPT; phase++) {
                struct peer *peer;

                while ((peer = TAILQ_FIRST(&port->phases[phase])))
                        peer_cut(peer);
        }
}
