/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c - what curl is told of a call, and what it must ask.
 *
 * NEVER and UNSURE are told apart by `sent`: curl asks us (CURLOPT_PREREQFUNCTION) when a connection, TLS included, is
 * ready and the request is about to be written. Whatever fails after that may have been acted on.
 *
 * A kept connection may be closed by the other side at the very moment we write to it; curl then repeats the request,
 * whatever its method (Curl_retry_request in its lib/transfer.c), and a PUT would be told twice. The repeat asks again
 * before it is written, and is refused: the call is UNSURE. Only GET, which changes nothing, may be repeated.
 *
 * Nor is a connection written to on which something stands to be read already: the rest of an earlier answer, or a second
 * one, would be taken for the answer to this request (curl 7.88 does). Nothing was sent, so the call takes a new one.
 *
 * A guarded call leads only where the guard lets it: the addresses of its name are judged before curl is given them, each
 * one that curl opens a socket for once more, and the one at the other end, of a kept connection too, before it is written
 * to. An unguarded call to the same host may have opened that connection. */
#include "server/transfer.h"

#include "model/text.h"
#include "server/tls.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MAX_MS 3000
#define HEADERS_MAX 32768      /* bytes; a guess, far above what any platform sends */
#define CONNECTION_LIFE_S 600L /* a guess: so long a host that moved is still called where it was */

static bool may_call(const struct client_transfer *t, const char *address)
{
        return !t->call->message.guarded ||
               guard_allows(t->outlet->guard, address, t->url.port, t->url.plain);
}

const char *transfer_refusal(const struct client_transfer *t)
{
        return t->url.plain ? "the address may not be called by plain http" : "the address may not be called";
}

bool transfer_vet(struct client_transfer *t)
{
        struct resolution *r = &t->resolution;
        int n = 0;

        for (int i = 0; i < r->n; i++)
                if (may_call(t, r->addresses[i]))
                        memmove(r->addresses[n++], r->addresses[i], sizeof r->addresses[i]);
        r->n = n;
        return n > 0;
}

/* The last word, whatever curl makes of a host; and the connection is kept in mind. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
        struct client_transfer *t = arg;
        struct connection_open *c = calloc(1, sizeof *c);
        char port[8];

        (void)purpose;
        if (!c || getnameinfo(&to->addr, to->addrlen, c->to, sizeof c->to, port, sizeof port,
                              NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
                t->trouble = c ? "not an address that can be called" : "no memory for a connection";
                free(c);
                return CURL_SOCKET_BAD;
        }
        c->to_port = port_read(port);
        c->fd = CURL_SOCKET_BAD;
        if (may_call(t, c->to))
                c->fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
        else
                t->trouble = transfer_refusal(t);
        if (c->fd == CURL_SOCKET_BAD) {
                free(c);
                return CURL_SOCKET_BAD;
        }
        LIST_INSERT_HEAD(&t->outlet->open, c, entry);
        return c->fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
        struct outlet *outlet = arg;
        struct connection_open *c;

        LIST_FOREACH(c, &outlet->open, entry)
                if (c->fd == fd) {
                        LIST_REMOVE(c, entry);
                        free(c);
                        break;
                }
        return close(fd);
}

static int port_of(curl_socket_t fd)
{
        struct sockaddr_storage own = {0};
        socklen_t size = sizeof own;
        char port[8];

        return getsockname(fd, (struct sockaddr *)(void *)&own, &size) == 0 &&
                               getnameinfo((struct sockaddr *)(void *)&own, size, NULL, 0, port, sizeof port,
                                           NI_NUMERICSERV) == 0
                       ? port_read(port)
                       : 0;
}

/* The connection between these two; NULL: not one that we opened. curl does not tell it by its socket here. What is used goes
 * to the front, so that those that hang are not gone through each time. */
static const struct connection_open *find_open(struct outlet *outlet, const char *to, int to_port,
                                               int from_port)
{
        struct connection_open *c;

        LIST_FOREACH(c, &outlet->open, entry) {
                if (c->to_port != to_port || !streq(c->to, to))
                        continue;
                if (c->from_port == 0)
                        c->from_port = port_of(c->fd);
                if (c->from_port != from_port)
                        continue;
                LIST_REMOVE(c, entry);
                LIST_INSERT_HEAD(&outlet->open, c, entry);
                return c;
        }
        return NULL;
}

/* Whether there is something to read, or the end, before anything was asked. On a new connection that may be TLS's own. */
static bool is_stale(const struct client_transfer *t, const struct connection_open *c)
{
        long connects = 0;
        char byte;

        curl_easy_getinfo(t->handle, CURLINFO_NUM_CONNECTS, &connects);
        if (!c || (connects > 0 && !t->url.plain))
                return false;
        return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
        struct client_transfer *t = arg;

        (void)from;
        if (!may_call(t, to)) {
                t->trouble = transfer_refusal(t);
                return CURL_PREREQFUNC_ABORT;
        }
        if (t->sent && !streq(t->call->message.method, "GET")) {
                t->trouble = "the kept connection broke before an answer came";
                return CURL_PREREQFUNC_ABORT;
        }
        t->stale = is_stale(t, find_open(t->outlet, to, to_port, from_port));
        if (t->stale) {
                t->trouble = "an answer came before the request";
                return CURL_PREREQFUNC_ABORT;
        }
        t->sent++;
        return CURL_PREREQFUNC_OK;
}

/* A pinned host must never make curl look up a name; an IPv6 address cannot be pinned, and is no look-up. */
static int on_resolve(void *state, void *reserved, void *arg)
{
        const struct client_transfer *t = arg;

        (void)state, (void)reserved;
        return t->pin != NULL;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
        struct client_transfer *t = arg;

        (void)bytes;
        t->header_bytes += size * n;
        if (t->header_bytes <= HEADERS_MAX)
                return size * n;
        t->trouble = "the answer's headers are too long";
        return 0;
}

/* The pieces are curl's, of up to 16 KiB: to grow by each is cheap enough for what is ever asked for. */
static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
        struct client_transfer *t = arg;
        struct call *call = t->call;
        size_t total = call->received_n + size * n;
        bool fits = total <= (call->message.reply_max ? call->message.reply_max : MESSAGE_REPLY_MAX);
        char *larger = fits ? realloc(call->received, total + 1) : NULL;

        if (!larger) {
                t->trouble = fits ? "no memory for the answer" : "the answer is too long";
                return 0;
        }
        memcpy(larger + call->received_n, bytes, size * n);
        larger[total] = '\0';
        call->received = larger;
        call->received_n = total;
        return size * n;
}

static CURLcode on_tls(CURL *handle, void *context, void *arg)
{
        (void)handle, (void)arg;
        return tls_limit(context) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

#define SET(t, option, value) (curl_easy_setopt((t)->handle, (option), (value)) == CURLE_OK)

static bool set_rules(struct client_transfer *t)
{
        return SET(t, CURLOPT_NOSIGNAL, 1L) && SET(t, CURLOPT_PROTOCOLS_STR, "http,https") &&
               SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
               SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
               SET(t, CURLOPT_SSL_CTX_FUNCTION, on_tls) && SET(t, CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
               SET(t, CURLOPT_FRESH_CONNECT, t->fresh ? 1L : 0L) && SET(t, CURLOPT_FOLLOWLOCATION, 0L) &&
               SET(t, CURLOPT_PROXY, "") && SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
               SET(t, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S) && SET(t, CURLOPT_PRIVATE, t) &&
               SET(t, CURLOPT_PREREQFUNCTION, on_request) && SET(t, CURLOPT_PREREQDATA, t) &&
               SET(t, CURLOPT_RESOLVER_START_FUNCTION, on_resolve) &&
               SET(t, CURLOPT_RESOLVER_START_DATA, t) && SET(t, CURLOPT_HEADERFUNCTION, on_header) &&
               SET(t, CURLOPT_HEADERDATA, t) && SET(t, CURLOPT_WRITEFUNCTION, on_body) &&
               SET(t, CURLOPT_WRITEDATA, t) && SET(t, CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
               SET(t, CURLOPT_OPENSOCKETDATA, t) && SET(t, CURLOPT_CLOSESOCKETFUNCTION, on_close) &&
               SET(t, CURLOPT_CLOSESOCKETDATA, t->outlet);
}

static bool append(struct curl_slist **list, const char *text)
{
        struct curl_slist *longer = curl_slist_append(*list, text);

        if (longer)
                *list = longer;
        return longer != NULL;
}

/* The message's headers, and none of those that curl would add by itself: a bare name keeps it from that. */
static bool set_headers(struct client_transfer *t)
{
        static const char *const unasked[] = {"Accept:", "Content-Type:", "Expect:"};
        const struct message *m = &t->call->message;
        bool fine = true;

        for (int i = 0; i < m->n_headers; i++)
                fine = fine && append(&t->headers, m->headers[i]);
        for (size_t i = 0; i < sizeof unasked / sizeof *unasked; i++) {
                int at = 0;

                while (at < m->n_headers && strncasecmp(m->headers[at], unasked[i], strlen(unasked[i])) != 0)
                        at++;
                fine = fine && (at < m->n_headers || append(&t->headers, unasked[i]));
        }
        return fine && SET(t, CURLOPT_HTTPHEADER, t->headers);
}

/* What is no bare GET goes as curl's POST by its own name, which gives an empty body its Content-Length: 0. */
static bool set_request(struct client_transfer *t)
{
        const struct message *m = &t->call->message;
        const char *body = m->body ? m->body : "";

        if (!set_headers(t) || !SET(t, CURLOPT_CURLU, t->url.handle))
                return false;
        if (!m->body && streq(m->method, "GET"))
                return SET(t, CURLOPT_HTTPGET, 1L);
        return SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body)) &&
               SET(t, CURLOPT_POSTFIELDS, body) && SET(t, CURLOPT_CUSTOMREQUEST, m->method);
}

/* Gives curl the addresses for this host and port, in place of those that an earlier call gave it. `+`: they leave
 * curl's memory after a minute; a later call brings its own anyway. */
static bool set_pin(struct client_transfer *t)
{
        const struct resolution *r = &t->resolution;
        char text[sizeof r->host + RESOLVER_ADDRESSES_MAX * (sizeof r->addresses[0] + 3) + 16];
        int n;

        if (strchr(r->host, ':'))
                return true;
        n = snprintf(text, sizeof text, "+%s:%d:", r->host, t->url.port);
        for (int i = 0; i < r->n; i++)
                n += snprintf(text + n, sizeof text - (size_t)n,
                              strchr(r->addresses[i], ':') ? "%s[%s]" : "%s%s", i ? "," : "",
                              r->addresses[i]);
        return append(&t->pin, text) && SET(t, CURLOPT_RESOLVE, t->pin);
}

bool transfer_set(struct client_transfer *t, int64_t left_ms)
{
        int64_t connect_ms = left_ms < CONNECT_MAX_MS ? left_ms : CONNECT_MAX_MS;

        return set_rules(t) && set_request(t) && set_pin(t) && SET(t, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
               SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
}
