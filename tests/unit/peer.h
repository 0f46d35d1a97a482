/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - a small web server on a port of its own, for tests; the paths it is asked for say how it behaves.
 *
 * It has a thread that accepts and one for each connection. A connection ends with the client's end of it: stop the
 * client first, then the peer. */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_CONNECTIONS_MAX 128
#define PEER_REQUEST_MAX 8192

struct peer_connection {
        struct peer *peer;
        pthread_t thread;
        int fd;
        int requests;
};

struct peer {
        int fd;
        int port;
        pthread_t thread;
        pthread_mutex_t lock; /* of all below */
        pthread_cond_t changed;
        int connections;
        int requests;
        int inside; /* calls at the gate */
        int inside_most;
        int ahead; /* answers that nobody asked for */
        bool gate_open;
        char last[PEER_REQUEST_MAX]; /* the last request, as it came */
        struct peer_connection connection[PEER_CONNECTIONS_MAX];
};

/* Sends the text; false when the other side is gone. */
static inline bool peer_say(int fd, const char *text)
{
        return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* Waits for the other side to go, a millisecond at most; true when it is gone. */
static inline bool peer_is_left(int fd)
{
        struct pollfd in = {.fd = fd, .events = POLLIN};

        return poll(&in, 1, 1) != 0;
}

/* Reads one request; false when the other side is gone, or speaks TLS (0x16). */
static inline bool peer_read(int fd, char *text)
{
        size_t n = 0, need = PEER_REQUEST_MAX;

        while (n < need) {
                ssize_t r = recv(fd, text + n, PEER_REQUEST_MAX - 1 - n, 0);
                const char *body, *length;

                if (r <= 0 || text[0] == 0x16)
                        return false;
                n += (size_t)r;
                text[n] = '\0';
                body = strstr(text, "\r\n\r\n");
                length = strstr(text, "Content-Length: ");
                if (body)
                        need = (size_t)(body + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
        return true;
}

/* /large: a body of a megabyte. */
static inline bool peer_large(struct peer_connection *c, const char *query)
{
        (void)query;
        if (!peer_say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"))
                return false;
        for (int i = 0; i < 1048576 / 32; i++)
                if (!peer_say(c->fd, "thirty-two bytes, over and over."))
                        return false;
        return true;
}

/* /headers: headers without end. */
static inline bool peer_headers(struct peer_connection *c, const char *query)
{
        bool there = peer_say(c->fd, "HTTP/1.1 200 OK\r\n");

        (void)query;
        while (there)
                there = peer_say(c->fd, "X-More: and more, and more\r\n");
        return false;
}

/* /drip: a body without end, a byte each millisecond. */
static inline bool peer_drip(struct peer_connection *c, const char *query)
{
        bool there = peer_say(c->fd, "HTTP/1.1 200 OK\r\n\r\n");

        (void)query;
        while (there)
                there = !peer_is_left(c->fd) && peer_say(c->fd, ".");
        return false;
}

/* /hang: nothing, for as long as the other side stays. */
static inline bool peer_hang(struct peer_connection *c, const char *query)
{
        (void)query;
        while (!peer_is_left(c->fd))
                ;
        return false;
}

/* Waits until the gate is open. */
static inline void peer_wait(struct peer_connection *c)
{
        struct peer *p = c->peer;

        pthread_mutex_lock(&p->lock);
        p->inside++;
        p->inside_most = p->inside > p->inside_most ? p->inside : p->inside_most;
        pthread_cond_broadcast(&p->changed);
        while (!p->gate_open)
                pthread_cond_wait(&p->changed, &p->lock);
        p->inside--;
        pthread_mutex_unlock(&p->lock);
}

/* /gate: an answer once the gate is open. */
static inline bool peer_gate(struct peer_connection *c, const char *query)
{
        (void)query;
        peer_wait(c);
        return peer_say(c->fd, "HTTP/1.1 204 No Content\r\n\r\n");
}

/* /coded: "hello" by gzip, though nobody asked for that. */
static inline bool peer_coded(struct peer_connection *c, const char *query)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n19\r\n"
                                     "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0"
                                     "\x86\xa6\x10\x36\x05\0\0\0\r\n0\r\n\r\n";

        (void)query;
        return send(c->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) == sizeof answer - 1;
}

/* /ahead: an answer, and once the gate is open another one that nobody asked for. */
static inline bool peer_ahead(struct peer_connection *c, const char *query)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        bool there = peer_say(c->fd, answer);

        (void)query;
        peer_wait(c);
        there = there && peer_say(c->fd, answer);
        pthread_mutex_lock(&c->peer->lock);
        c->peer->ahead++;
        pthread_cond_broadcast(&c->peer->changed);
        pthread_mutex_unlock(&c->peer->lock);
        return there;
}

/* /auth/login: the token of a platform, once the gate is open. */
static inline bool peer_login(struct peer_connection *c, const char *query)
{
        (void)query;
        peer_wait(c);
        return peer_say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n"
                               "{\"status\":true,\"data\":{\"access_token\":\"token\"}}");
}

/* /once: an answer to the first request on each connection. */
static inline bool peer_once(struct peer_connection *c, const char *query)
{
        (void)query;
        return c->requests == 1 && peer_say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

/* /later?<text>: Retry-After with that text, where + is a space. */
static inline bool peer_later(struct peer_connection *c, const char *query)
{
        char answer[256];
        int n = snprintf(answer, sizeof answer,
                         "HTTP/1.1 429 Slow\r\nRetry-After: %.*s\r\nContent-Length: 0\r\n\r\n",
                         (int)strcspn(query, " "), query);

        assert(n > 0 && (size_t)n < sizeof answer);
        for (char *at = answer; (at = strchr(at, '+'));)
                *at = ' ';
        return peer_say(c->fd, answer);
}

/* Does what the path asks for, its query after the `?`; false when the connection is to be closed. */
static inline bool peer_answer(struct peer_connection *c, const char *path)
{
        static const struct {
                const char *path;
                const char *text; /* or */
                bool (*answer)(struct peer_connection *c, const char *query);
        } rows[] = {
                {"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL},
                {"/empty", "HTTP/1.1 204 No Content\r\n\r\n", NULL},
                {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                 NULL},
                {"/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", NULL},
                {"/refused", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", NULL},
                {"/auth/login", NULL, peer_login},
                {"/large", NULL, peer_large},
                {"/headers", NULL, peer_headers},
                {"/drip", NULL, peer_drip},
                {"/hang", NULL, peer_hang},
                {"/gate", NULL, peer_gate},
                {"/once", NULL, peer_once},
                {"/coded", NULL, peer_coded},
                {"/ahead", NULL, peer_ahead},
                {"/later", NULL, peer_later},
        };
        size_t n = strcspn(path, "? ");
        const char *query = path[n] == '?' ? path + n + 1 : "";

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                if (strlen(rows[i].path) == n && strncmp(path, rows[i].path, n) == 0)
                        return rows[i].text ? peer_say(c->fd, rows[i].text) : rows[i].answer(c, query);
        peer_say(c->fd, n == 6 && strncmp(path, "/short", 6) == 0
                                ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"
                                : "");
        return false;
}

/* A connection's thread. */
static inline void *peer_serve(void *arg)
{
        struct peer_connection *c = arg;
        struct peer *p = c->peer;
        char request[PEER_REQUEST_MAX] = "";
        bool keep = true;

        while (keep && peer_read(c->fd, request)) {
                const char *path = strchr(request, ' ');

                c->requests++;
                pthread_mutex_lock(&p->lock);
                memcpy(p->last, request, sizeof request);
                p->requests++;
                pthread_cond_broadcast(&p->changed);
                pthread_mutex_unlock(&p->lock);
                keep = path && peer_answer(c, path + 1);
        }
        shutdown(c->fd, SHUT_RDWR);
        return NULL;
}

/* The thread that accepts. */
static inline void *peer_accept(void *arg)
{
        struct peer *p = arg;
        int fd;

        while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
                struct peer_connection *c;

                pthread_mutex_lock(&p->lock);
                assert(p->connections < PEER_CONNECTIONS_MAX);
                c = &p->connection[p->connections++];
                pthread_mutex_unlock(&p->lock);
                *c = (struct peer_connection){.peer = p, .fd = fd};
                pthread_create(&c->thread, NULL, peer_serve, c);
        }
        return NULL;
}

/* A socket on a port of its own that does not listen yet: whoever connects is refused. */
static inline int peer_socket(int *ret_port)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof in;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)(void *)&in, size) != 0 ||
            getsockname(fd, (struct sockaddr *)(void *)&in, &size) != 0)
                abort();
        *ret_port = ntohs(in.sin_port);
        return fd;
}

/* Starts in place. */
static inline void peer_start(struct peer *p)
{
        memset(p, 0, sizeof *p);
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->changed, NULL);
        p->fd = peer_socket(&p->port);
        if (listen(p->fd, PEER_CONNECTIONS_MAX) != 0 || pthread_create(&p->thread, NULL, peer_accept, p) != 0)
                abort();
}

/* Joins all threads; those who call it must be gone. */
static inline void peer_stop(struct peer *p)
{
        shutdown(p->fd, SHUT_RDWR);
        pthread_join(p->thread, NULL);
        for (int i = 0; i < p->connections; i++) {
                pthread_join(p->connection[i].thread, NULL);
                close(p->connection[i].fd);
        }
        close(p->fd);
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
}

/* Waits until one of the peer's own numbers is at least `n`. */
static inline void peer_await(struct peer *p, const int *number, int n)
{
        pthread_mutex_lock(&p->lock);
        while (*number < n)
                pthread_cond_wait(&p->changed, &p->lock);
        pthread_mutex_unlock(&p->lock);
}

/* Opens the gate for good. */
static inline void peer_open_gate(struct peer *p)
{
        pthread_mutex_lock(&p->lock);
        p->gate_open = true;
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
}

/* One of the peer's own numbers, as it is now. */
static inline int peer_count(struct peer *p, const int *number)
{
        int n;

        pthread_mutex_lock(&p->lock);
        n = *number;
        pthread_mutex_unlock(&p->lock);
        return n;
}
