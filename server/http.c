/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - the event loop, and the edge to libmicrohttpd, which no other file knows.
 *
 * The loop waits in an epoll set of its own that holds libmicrohttpd's; libmicrohttpd only ever polls, since its own wait
 * sleeps on events at k x 128 connections (0.9.75 and 1.0.1 alike; docs/facts.md 1). A request whose answer is awaited is
 * "held": its callback returns without a response and is called again in every round until there is one. Suspending it
 * instead costs an epoll_ctl and a lost recv each, and loses the answer of a client that has closed its sending side.
 *
 * While something is held, libmicrohttpd's own timeout is always 0, and some of its work needs another run that no event
 * announces. So the loop runs on at once after any progress, and waits 1, 2, 4, 8, then 10 ms once a round brought none;
 * an answer ends the wait, for it comes by the inbox. Each run asks again about all that is held: with an answer here and
 * there, as from a MongoDB, four rounds instead of the one were a third of this thread's time.
 *
 * Timeouts are ours too, because libmicrohttpd's would cut a held connection. Expiry is a shutdown(2), never a close(2):
 * the descriptor is libmicrohttpd's. */
#include "server/http_private.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/metrics.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#define STARVED "Hit process or system resource limit" /* how libmicrohttpd's words begin then */
#define REST_MS 50 /* between two questions whether it still is so; a guess */
#define EVENTS_MAX 64
#define WAIT_MAX_MS 1000
#define HELD_WAIT_MAX_MS 10
#define QUIET_MAX 1            /* rounds without progress before the loop waits */
#define CONNECTION_BYTES 16384 /* libmicrohttpd's buffer: headers up to 8 KB are read without a stall */
#define DESCRIPTORS_SPARE \
        1216 /* NEWCOMERS twice, the ops port, stragglers, 448 calls and 256 kept, the store */
#define OPS_CONNECTIONS_MAX 64
#define NEWCOMERS 64 /* beyond either limit, while others make room for them */
#define JSON_TYPE "application/json; charset=utf-8"

bool watch_add(struct http *http, struct watch *watch)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

        return epoll_ctl(http->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

/* ---- libmicrohttpd calls ---- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void address_write(const struct sockaddr *from, char to[INET6_ADDRSTRLEN])
{
        const struct sockaddr_in *v4 = (const void *)from;
        const struct sockaddr_in6 *v6 = (const void *)from;

        if (from->sa_family == AF_INET)
                inet_ntop(AF_INET, &v4->sin_addr, to, INET6_ADDRSTRLEN);
        else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
                inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, to, INET6_ADDRSTRLEN);
        else
                inet_ntop(AF_INET6, &v6->sin6_addr, to, INET6_ADDRSTRLEN);
}

static struct peer *peer_new(struct port *port, struct MHD_Connection *connection)
{
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        struct peer *peer = malloc(sizeof *peer);

        if (!peer) {
                shutdown(fd, SHUT_RDWR);
                return NULL;
        }
        *peer = (struct peer){.port = port, .connection = connection, .fd = fd};
        address_write(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
                      peer->address);
        peer_begin(peer);
        return peer;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
        struct port *port = cls;
        struct peer *peer = *context;

        port->http->had_progress = true;
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                *context = peer_new(port, connection);
        } else if (peer) {
                peer_end(peer);
                /* Where there was no room, libmicrohttpd listens again in its next run. */
                port->is_ready = true;
                port->is_starved = false;
                if (peer->straggles)
                        straggler_keep(port->http, peer->fd);
                free(peer);
        }
}

/* The request line is here. The URI is shown once as it came, later with its percent signs decoded. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
        struct port *port = cls;
        struct peer *peer = peer_of(connection);

        port->http->had_progress = true;
        if (peer) {
                peer->is_escaped = uri[strcspn(uri, "%?")] == '%';
                peer->behind_uri = uri + strlen(uri) + 1;
                peer_enter(peer, PHASE_RECEIVE);
        }
        return NULL;
}

/* Before 1.0, libmicrohttpd ends lines at a bare LF, texts at a NUL, and joins a folded line to the name of a header, of which
 * it makes a copy behind all that was received. It writes NULs over what separates them, so that this can be seen: a proxy
 * may have read something else. Later versions refuse all of it when they are told to be strict. */
static bool is_lenient(void)
{
        return MHD_get_version()[0] == '0';
}

/* Of a header's name (RFC 9110 section 5.6.2). */
static bool is_token(char c)
{
        const char low = (char)(c | 0x20);

        return (low >= 'a' && low <= 'z') || c == '-' || (c >= '0' && c <= '9') ||
               (c && strchr("!#$%&'*+.^_`|~", c));
}

static bool is_as_sent(const char *name, const char *value)
{
        const size_t n = strcspn(value, "\r");
        const char *c = name;

        while (is_token(*c))
                c++;
        return c > name && !*c && !value[n] && (uintptr_t)name < (uintptr_t)value &&
               (!is_lenient() || !value[n + 1]);
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
        struct head *head = cls;

        (void)kind;
        head->is_odd = head->is_odd || !is_as_sent(name, value);
        head_note(head, name, value);
        return MHD_YES;
}

/* The 101 is written. libmicrohttpd leaves the socket alone from here on; the request is over, and must not be asked for
 * again when the connection ends. */
static void on_upgrade(void *cls, struct MHD_Connection *connection, void *context, const char *early,
                       size_t n_early, MHD_socket fd, struct MHD_UpgradeResponseHandle *upgraded)
{
        struct request *r = context;
        struct peer *peer = r->peer;

        (void)cls;
        (void)connection;
        peer->lent = (struct lent){.fd = fd, .early = early, .n_early = n_early};
        peer->upgraded = upgraded;
        peer->request = NULL;
        peer_ignore(peer);
        peer_enter(peer, PHASE_LENT);
        r->take(r->take_arg, &peer->lent);
        request_end(r);
}

static void take_back(struct letter *letter)
{
        MHD_upgrade_action(((struct peer *)letter)->upgraded, MHD_UPGRADE_ACTION_CLOSE);
}

void http_give_back(struct http *http, struct lent *lent)
{
        lent->letter.run = take_back;
        inbox_push(&http->inbox, &lent->letter);
}

/* Queues the answer that stands in the request. */
static enum MHD_Result answer(struct request *r)
{
        struct MHD_Response *response =
                r->take ? MHD_create_response_for_upgrade(on_upgrade, NULL)
                        : MHD_create_response_from_buffer(r->reply.length, r->reply.body,
                                                          r->reply.is_static ? MHD_RESPMEM_PERSISTENT
                                                                             : MHD_RESPMEM_MUST_FREE);
        /* Where chunks end is read in too many ways for what comes behind them to be a request. */
        bool closes = r->is_cut || r->is_chunked || (http_is_stopping(r->http) && !r->is_ops && !r->take);
        bool is_typed = !r->reply.body || request_has_header(r, "Content-Type");
        enum MHD_Result result = MHD_NO;
        bool is_good;

        if (!response)
                return MHD_NO;
        r->reply.body = NULL;
        is_good = (is_typed || MHD_add_response_header(response, "Content-Type", JSON_TYPE)) &&
                  (!closes || MHD_add_response_header(response, "Connection", "close")) &&
                  MHD_add_response_header(response, "X-Request-Id", r->id);
        for (int i = 0; is_good && i < r->reply.n_headers; i++)
                is_good = MHD_add_response_header(response, r->reply.headers[i].name,
                                                  r->reply.headers[i].value);
        if (is_good) {
                r->reply.counted = r->reply.is_static ? 0 : r->reply.length;
                r->http->answer_bytes += r->reply.counted;
                peer_enter(r->peer, PHASE_SEND);
                result = MHD_queue_response(r->peer->connection, (unsigned)r->reply.http_status, response);
        }
        MHD_destroy_response(response);
        return result;
}

/* All headers are here. */
static struct request *request_begin(struct MHD_Connection *connection, const char *path, const char *method,
                                     const char *version)
{
        struct peer *peer = peer_of(connection);
        struct head head = {.is_odd = peer && is_lenient() && version != peer->behind_uri};
        struct request *r;

        MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &head);
        r = peer ? request_new(peer, &head) : NULL;
        if (!r)
                return NULL;
        peer->request = r;
        request_admit(r, &head, method, peer->is_escaped ? "" : path);
        peer->straggles = r->is_cut || r->is_chunked;
        return r;
}

/* Called when the headers are here, for each piece of the body, when the request is whole, and then in every round until
 * it is answered. MHD_NO cuts the connection. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes, size_t *n,
                                  void **context)
{
        struct port *port = cls;
        struct request *r = *context;
        size_t taken = *n;

        if (r && taken == 0 && r->peer->phase == PHASE_HELD && !r->is_answered)
                return MHD_YES;
        port->http->had_progress = true;
        if (!r) {
                *context = r = request_begin(connection, path, method, version);
                if (!r)
                        return MHD_NO;
                return r->is_cut ? answer(r) : MHD_YES;
        }
        if (taken > 0) {
                *n = 0;
                return request_take(r, bytes, taken) ? MHD_YES : MHD_NO;
        }
        if (!r->is_answered) {
                peer_enter(r->peer, PHASE_HELD);
                request_run(r);
        }
        return r->is_answered ? answer(r) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
        struct port *port = cls;
        struct request *r = *context;
        struct peer *peer = peer_of(connection);

        (void)code;
        port->http->had_progress = true;
        *context = NULL;
        if (peer && peer->phase == PHASE_LENT)
                return;
        if (peer) {
                peer->request = NULL;
                peer_enter(peer, PHASE_KEPT);
        }
        if (r)
                request_end(r);
}

/* Only the library's own words: what would fill them may be a client's. */
__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *format, va_list args)
{
        struct port *port = cls;
        char text[160];

        (void)args;
        if (strncmp(format, STARVED, strlen(STARVED)) == 0) {
                port->is_starved = true;
                port->starved_ms = port->http->now_ms;
        }
        snprintf(text, sizeof text, "%.*s", (int)strcspn(format, "\n"), format);
        log_limited(LOG_DEBUG, "http_library", LOG_TEXT("text", text), LOG_TEXT("reason", strerror(errno)));
}

const char *request_query(const struct request *r, const char *name)
{
        return r->peer ? MHD_lookup_connection_value(r->peer->connection, MHD_GET_ARGUMENT_KIND, name) : NULL;
}

const char *request_header(const struct request *r, const char *name)
{
        return r->peer ? MHD_lookup_connection_value(r->peer->connection, MHD_HEADER_KIND, name) : NULL;
}

/* ---- opening ---- */

static void port_ready(void *arg)
{
        struct port *port = arg;

        port->is_ready = true;
}

static enum err port_open(struct http *http, struct port *port, const char *listen,
                          const struct route *routes, int connections_max, struct why *why)
{
        enum err e;
        int fd;

        port->http = http;
        port->routes = routes;
        port->peers_max = connections_max;
        e = listener_open(listen, &fd, port->address, why);
        if (e)
                return e;
        port->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_UPGRADE, 0, NULL, NULL,
                                        on_request, port, MHD_OPTION_EXTERNAL_LOGGER, on_log, port,
                                        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(connections_max + NEWCOMERS),
                                        MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                        (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                                        port, MHD_OPTION_URI_LOG_CALLBACK, on_uri, port,
                                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, port, MHD_OPTION_END);
        if (!port->daemon) {
                close(fd);
                return FAIL(why, ERR_INTERNAL, "%s: libmicrohttpd does not start", listen);
        }
        port->watch = (struct watch){MHD_get_daemon_info(port->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                                     port_ready, port};
        return watch_add(http, &port->watch) ? ERR_OK : FAIL(why, ERR_INTERNAL, "epoll: %s", strerror(errno));
}

static void inbox_ready(void *arg)
{
        struct http *http = arg;

        inbox_run(&http->inbox);
}

static void http_close_at(struct http **at)
{
        http_close(*at);
}

/* Runs on the loop: `stop` is the first member. What has come in so far is still read, and told BUSY. */
static void begin_stop(struct letter *letter)
{
        struct http *http = (struct http *)letter;
        MHD_socket fd = MHD_quiesce_daemon(http->main.daemon);

        if (fd != MHD_INVALID_SOCKET)
                close(fd);
        http->stopping_since_ms = http->now_ms;
        atomic_store(&http->is_stopping, true);
}

enum err http_open(const struct http_options *options, struct http **ret, struct why *why)
{
        const char *token = options->admin_token;
        CLEAN(http_close_at) struct http *http = NULL;
        struct http *made = calloc(1, sizeof *made);
        enum err e = made ? inbox_init(&made->inbox, why) : FAIL(why, ERR_NO_MEMORY, "http");

        if (e) {
                free(made);
                return e;
        }
        http = made;
        http->options = *options;
        http->ops.is_ops = true;
        http->stop.run = begin_stop;
        for (int i = 0; i < PHASE_COUNT; i++) {
                TAILQ_INIT(&http->main.phases[i]);
                TAILQ_INIT(&http->ops.phases[i]);
        }
        TAILQ_INIT(&http->receiving);
        TAILQ_INIT(&http->stragglers);
        http->now_ms = time_boot_ms();
        http->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (http->epoll < 0)
                return FAIL(why, ERR_INTERNAL, "epoll: %s", strerror(errno));
        metrics_routes(options->routes, options->ops_routes);
        e = http_watch(http, http->inbox.fd, inbox_ready, http, why);
        if (!e && !crypto_random(&http->next_id, sizeof http->next_id))
                e = FAIL(why, ERR_INTERNAL, "no randomness");
        if (!e && token && !crypto_sha256(token, strlen(token), &http->admin))
                e = FAIL(why, ERR_NO_MEMORY, "the admin token's digest");
        if (!e)
                e = descriptors_need(options->connections_max + DESCRIPTORS_SPARE, why);
        if (!e)
                e = port_open(http, &http->main, options->listen, options->routes, options->connections_max,
                              why);
        if (!e)
                e = port_open(http, &http->ops, options->ops_listen, options->ops_routes, OPS_CONNECTIONS_MAX,
                              why);
        if (!e)
                *ret = TAKE(http);
        return e;
}

const char *http_address(const struct http *http)
{
        return http->main.address;
}

const char *http_ops_address(const struct http *http)
{
        return http->ops.address;
}

struct inbox *http_inbox(struct http *http)
{
        return &http->inbox;
}

enum err http_watch(struct http *http, int fd, void (*ready)(void *arg), void *arg, struct why *why)
{
        struct watch *watch = &http->watches[http->n_watches];

        assert(http->n_watches < WATCHES_MAX);
        http->n_watches++;
        *watch = (struct watch){fd, ready, arg};
        return watch_add(http, watch) ? ERR_OK : FAIL(why, ERR_INTERNAL, "epoll: %s", strerror(errno));
}

/* ---- the loop ---- */

static int round_wait_ms(struct http *http)
{
        const struct port *ports[] = {&http->main, &http->ops};
        int64_t wait_ms = WAIT_MAX_MS;
        MHD_UNSIGNED_LONG_LONG theirs;

        if (http->main.is_ready || http->ops.is_ready)
                return 0;
        if (http->main.is_resting || http->ops.is_resting)
                wait_ms = REST_MS;
        wait_ms = peers_wait_ms(&http->main, peers_wait_ms(&http->ops, wait_ms));
        if (!TAILQ_EMPTY(&http->main.phases[PHASE_HELD]) || !TAILQ_EMPTY(&http->ops.phases[PHASE_HELD])) {
                int over = http->quiet - QUIET_MAX;

                wait_ms = MIN(wait_ms, over < 0 ? 0 : over > 3 ? HELD_WAIT_MAX_MS : 1 << over);
        } else {
                for (int i = 0; i < 2; i++)
                        if (MHD_get_timeout(ports[i]->daemon, &theirs) == MHD_YES)
                                wait_ms = MIN(wait_ms, (int64_t)theirs);
        }
        return (int)MAX(wait_ms, 0);
}

static void port_watch(struct port *port, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = &port->watch};

        epoll_ctl(port->http->epoll, EPOLL_CTL_MOD, port->watch.fd, &event);
        port->is_resting = !events;
}

/* Without a connection libmicrohttpd goes on trying to accept one, as fast as it is let. */
static void port_run(struct port *port)
{
        if (port->is_resting && port->http->now_ms - port->starved_ms >= REST_MS) {
                port_watch(port, EPOLLIN);
                port->is_ready = true;
        }
        if (port->is_ready || port->n_peers > 0) {
                port->is_ready = false;
                port->is_starved &= port->n_peers > 0;
                MHD_run(port->daemon);
        }
        if (port->is_starved && port->n_peers == 0 && !port->is_resting)
                port_watch(port, 0);
}

static void round_once(struct http *http)
{
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(http->epoll, events, EVENTS_MAX, round_wait_ms(http));

        http->now_us = time_boot_us();
        http->now_ms = http->now_us / 1000;
        http->had_progress = n > 0;
        for (int i = 0; i < n; i++) {
                const struct watch *watch = events[i].data.ptr;

                watch->ready(watch->arg);
        }
        requests_bury(http);
        port_run(&http->main);
        port_run(&http->ops);
        peers_expire(&http->main);
        peers_expire(&http->ops);
        stragglers_expire(http, http->now_ms);
        if (http->options.round)
                http->options.round(http->options.app);
        http->quiet = http->had_progress ? 0 : http->quiet + 1;
}

/* ---- stopping ---- */

void http_stop(struct http *http)
{
        if (!atomic_exchange(&http->stop_asked, true))
                inbox_push(&http->inbox, &http->stop);
}

bool http_is_stopping(const struct http *http)
{
        return atomic_load(&http->is_stopping);
}

void http_run(struct http *http, int64_t drain_ms)
{
        http->drain_ms = drain_ms;
        for (;;) {
                round_once(http);
                if (!http_is_stopping(http))
                        continue;
                peers_drain(&http->main);
                if ((http->main.n_peers == 0 && http->held == 0) ||
                    http->now_ms - http->stopping_since_ms >= drain_ms)
                        return;
        }
}

void http_close(struct http *http)
{
        if (!http)
                return;
        /* What was lent must be back before; completions run when every client has gone. */
        inbox_run_only(&http->inbox, take_back);
        if (http->main.daemon)
                MHD_stop_daemon(http->main.daemon);
        if (http->ops.daemon)
                MHD_stop_daemon(http->ops.daemon);
        inbox_run(&http->inbox);
        requests_bury(http);
        stragglers_expire(http, INT64_MAX);
        if (http->epoll >= 0)
                close(http->epoll);
        inbox_done(&http->inbox);
        free(http);
}
