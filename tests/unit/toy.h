/* SPDX-License-Identifier: Apache-2.0 */
/* toy.h - a real server on ports of its own with toy routes, a worker behind a gate, and a client that speaks bytes.
 *
 * What a held request waits for lies at the gate until the test opens it: "128 requests held at once" is then a fact that
 * is waited for, not a race. */
#pragma once

#include "model/text.h"
#include "server/http.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TOY_ADMIN "0123456789abcdef0123456789abcdef"
#define TOY_BIG ((size_t)16 << 20)
#define TOY_WAIT_S 30

/* --- the server --- */

struct toy_job {
        struct letter letter;
        struct request *r;
        int again; /* how often it holds once more */
};

static struct {
        struct http *http;
        pthread_t loop, worker;
        int64_t drain_ms;
        struct letter *submitted, **submitted_end; /* of this round; the loop's own */
        pthread_mutex_t lock;                      /* of all below */
        pthread_cond_t changed;
        struct letter *waiting, **waiting_end;
        int n_waiting;
        int n_freed;
        bool gate_open;
        bool quit;
} toy;

/* Waits until `*count` is at least `n`; toy.lock must be held. */
static inline void toy_wait(const int *count, int n)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += TOY_WAIT_S;
        while (*count < n)
                assert_int_equal(pthread_cond_timedwait(&toy.changed, &toy.lock, &until), 0);
}

/* Waits until `n` requests lie at the gate. */
static inline void toy_await_held(int n)
{
        pthread_mutex_lock(&toy.lock);
        toy_wait(&toy.n_waiting, n);
        pthread_mutex_unlock(&toy.lock);
}

/* Waits until `n` requests that had been held are gone from memory. */
static inline void toy_await_freed(int n)
{
        pthread_mutex_lock(&toy.lock);
        toy_wait(&toy.n_freed, n);
        pthread_mutex_unlock(&toy.lock);
}

/* Lets what lies at the gate, and what comes, through; or no more. */
static inline void toy_open_gate(bool open)
{
        pthread_mutex_lock(&toy.lock);
        toy.gate_open = open;
        pthread_cond_broadcast(&toy.changed);
        pthread_mutex_unlock(&toy.lock);
}

/* Takes whole lists from the gate to the loop's inbox. */
static inline void *toy_work(__attribute__((unused)) void *arg)
{
        pthread_mutex_lock(&toy.lock);
        for (;;) {
                struct letter *list = toy.waiting;

                if ((!list || !toy.gate_open) && !toy.quit) {
                        pthread_cond_wait(&toy.changed, &toy.lock);
                        continue;
                }
                toy.waiting = NULL;
                toy.waiting_end = &toy.waiting;
                toy.n_waiting = 0;
                if (!list)
                        break;
                pthread_mutex_unlock(&toy.lock);
                for (struct letter *next; list; list = next) {
                        next = list->next;
                        inbox_post(http_inbox(toy.http), list);
                }
                inbox_ring(http_inbox(toy.http));
                pthread_mutex_lock(&toy.lock);
        }
        pthread_mutex_unlock(&toy.lock);
        return NULL;
}

/* The round hook: one hand-over for all that was submitted. */
static inline void toy_round(__attribute__((unused)) void *app)
{
        int n = 0;

        for (const struct letter *l = toy.submitted; l; l = l->next)
                n++;
        if (n == 0)
                return;
        pthread_mutex_lock(&toy.lock);
        *toy.waiting_end = toy.submitted;
        toy.waiting_end = toy.submitted_end;
        toy.n_waiting += n;
        pthread_cond_broadcast(&toy.changed);
        pthread_mutex_unlock(&toy.lock);
        toy.submitted = NULL;
        toy.submitted_end = &toy.submitted;
}

/* --- handlers --- */

static inline void toy_say_ok(struct request *r)
{
        request_reply(r, 200, "{\"ok\":true}", 11);
}

static inline void toy_echo(struct request *r)
{
        size_t n;
        const char *body = request_body(r, &n);

        request_reply(r, 200, body, n);
}

/* Who asks, the arguments, and what was asked for. */
static inline void toy_show(struct request *r)
{
        const char *since = request_query(r, "since"), *accept = request_header(r, "Accept");
        char text[512];
        int n = snprintf(text, sizeof text, "%d|%s|%s|%s|%s|%s", (int)request_credential(r),
                         request_arg(r, 0), request_arg(r, 1), since ? since : "-", accept ? accept : "-",
                         request_address(r));

        request_reply_header(r, "Content-Type", "text/plain");
        request_reply(r, 200, text, (size_t)n);
}

static inline void toy_big(struct request *r)
{
        char *body = malloc(TOY_BIG + 1);

        assert_non_null(body);
        memset(body, 'x', TOY_BIG);
        body[TOY_BIG] = '\0';
        request_reply_text(r, 200, body);
}

static inline void toy_break(struct request *r)
{
        struct why why;

        request_fail(r, FAIL(&why, ERR_STORE_BROKEN, "the toy is broken"), &why);
}

static inline void toy_field(struct request *r)
{
        struct why why;

        request_fail(r, FAIL_FIELD(&why, "items[3].\"na\\me\"\n", "not a name"), &why);
}

static inline void toy_submit(struct toy_job *job)
{
        job->letter.next = NULL;
        *toy.submitted_end = &job->letter;
        toy.submitted_end = &job->letter.next;
}

static inline void toy_job_done(__attribute__((unused)) void *job)
{
        pthread_mutex_lock(&toy.lock);
        toy.n_freed++;
        pthread_cond_broadcast(&toy.changed);
        pthread_mutex_unlock(&toy.lock);
}

/* The second piece. */
static inline void toy_held_done(struct letter *letter)
{
        struct toy_job *job = (struct toy_job *)letter;

        request_release(job->r);
        if (job->again-- == 0)
                toy_echo(job->r);
        else if (request_hold(job->r))
                toy_submit(job);
}

static inline void toy_hold(struct request *r)
{
        struct toy_job *job = request_alloc(r, sizeof *job, toy_job_done);

        assert_non_null(job);
        *job = (struct toy_job){.letter.run = toy_held_done, .r = r};
        job->again = request_route(r)->path[1] == 't' ? 1 : 0;
        if (request_hold(r))
                toy_submit(job);
}

static const char *const toy_types[] = {"application/vnd.toy.v2+json", "application/json", NULL};
static const struct route toy_routes[] = {
        {"GET", "/hello", WHO_ANYONE, 0, toy_say_ok, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/show/{a}/{b}", WHO_ANYONE, 0, toy_show, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"POST", "/echo", WHO_ANYONE, 16384, toy_echo, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"PUT", "/echo", WHO_ANYONE, 262144, toy_echo, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"POST", "/optional", WHO_ANYONE, 1024, toy_echo, ERR_OK, true, NULL, COMPLAINT_OURS, NULL},
        {"POST", "/courier", WHO_COURIER, 64, toy_show, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/restaurant", WHO_RESTAURANT, 0, toy_show, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/admin", WHO_ADMIN, 0, toy_show, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/both", WHO_RESTAURANT | WHO_ADMIN, 0, toy_show, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/big", WHO_ANYONE, 0, toy_big, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/broken", WHO_ANYONE, 0, toy_break, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/not-updated", WHO_ANYONE, 0, toy_break, ERR_NOT_UPDATED, false, NULL, COMPLAINT_OURS, NULL},
        {"GET", "/field", WHO_ANYONE, 0, toy_field, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"POST", "/held", WHO_ANYONE, 16384, toy_hold, ERR_NOT_UPDATED, false, NULL, COMPLAINT_OURS, NULL},
        {"POST", "/twice", WHO_ANYONE, 16384, toy_hold, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {"PUT", "/partner", WHO_ANYONE, 64, toy_field, ERR_OK, false, toy_types, COMPLAINT_YANDEX, NULL},
        {"GET", "/partner/ticket", WHO_YANDEX, 0, toy_show, ERR_OK, false, NULL, COMPLAINT_YANDEX, NULL},
        {"GET", "/partner/broken", WHO_ANYONE, 0, toy_break, ERR_NOT_UPDATED, false, NULL, COMPLAINT_YANDEX,
         NULL},
        {.method = NULL},
};
static const struct route toy_ops_routes[] = {
        {"GET", "/livez", WHO_ANYONE, 0, toy_say_ok, ERR_OK, false, NULL, COMPLAINT_OURS, NULL},
        {.method = NULL},
};

/* --- its life --- */

/* What a test may change before toy_start. */
static inline struct http_options toy_options(void)
{
        return (struct http_options){.listen = "127.0.0.1:0",
                                     .ops_listen = "127.0.0.1:0",
                                     .routes = toy_routes,
                                     .ops_routes = toy_ops_routes,
                                     .admin_token = TOY_ADMIN,
                                     .connections_max = 1000,
                                     .held_max = 512,
                                     .request_deadline_ms = 60000,
                                     .receive_deadline_ms = 60000,
                                     .round = toy_round};
}

/* Runs the loop until it is stopped. */
static inline void *toy_loop(__attribute__((unused)) void *arg)
{
        http_run(toy.http, toy.drain_ms);
        return NULL;
}

static inline void toy_start_to_drain(const struct http_options *options, int64_t drain_ms)
{
        toy.drain_ms = drain_ms;
        toy.submitted = toy.waiting = NULL;
        toy.submitted_end = &toy.submitted;
        toy.waiting_end = &toy.waiting;
        toy.n_waiting = toy.n_freed = 0;
        toy.gate_open = true;
        toy.quit = false;
        pthread_mutex_init(&toy.lock, NULL);
        pthread_cond_init(&toy.changed, NULL);
        assert_int_equal(http_open(options, &toy.http, NULL), ERR_OK);
        assert_int_equal(pthread_create(&toy.loop, NULL, toy_loop, NULL), 0);
        assert_int_equal(pthread_create(&toy.worker, NULL, toy_work, NULL), 0);
}

static inline void toy_start(const struct http_options *options)
{
        toy_start_to_drain(options, TOY_WAIT_S * 1000);
}

/* As main does: the loop, then what completes requests, then the rest. */
static inline void toy_stop(void)
{
        http_stop(toy.http);
        pthread_join(toy.loop, NULL);
        pthread_mutex_lock(&toy.lock);
        toy.quit = true;
        pthread_cond_broadcast(&toy.changed);
        pthread_mutex_unlock(&toy.lock);
        pthread_join(toy.worker, NULL);
        http_close(toy.http);
        toy.http = NULL;
}

/* --- the client --- */

struct reply {
        int status; /* 0: the connection ended, or was reset */
        char head[4096];
        char *body; /* freed by the next hear() */
        size_t length;
};
static struct reply reply;

static inline int dial_to(const char *address)
{
        struct sockaddr_in to = {.sin_family = AF_INET};
        struct timeval limit = {.tv_sec = TOY_WAIT_S};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_true(fd >= 0);
        to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
        return fd;
}

static inline int dial(void)
{
        return dial_to(http_address(toy.http));
}

/* Sends all; false when the other side is gone. */
static inline bool say_bytes(int fd, const char *bytes, size_t n)
{
        while (n > 0) {
                ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

                if (sent < 0)
                        return false;
                bytes += sent;
                n -= (size_t)sent;
        }
        return true;
}

static inline bool say(int fd, const char *text)
{
        return say_bytes(fd, text, strlen(text));
}

/* A whole request with a body of JSON. */
static inline bool say_post(int fd, const char *method, const char *path, const char *headers,
                            const char *body)
{
        char text[8192];

        snprintf(
                text, sizeof text,
                "%s %s HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
                method, path, strlen(body), headers, body);
        return say(fd, text);
}

static inline bool say_get(int fd, const char *path, const char *headers)
{
        char text[8192];

        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: toy\r\n%s\r\n", path, headers);
        return say(fd, text);
}

/* A header of the last reply, to the end of its line; "" where it is not. */
static inline const char *reply_header(const char *name)
{
        static char value[256];
        size_t n = strlen(name);

        value[0] = '\0';
        for (const char *line = reply.head; (line = strstr(line, "\r\n")); line += 2) {
                if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
                        snprintf(value, sizeof value, "%.*s", (int)strcspn(line + 4 + n, "\r"), line + 4 + n);
        }
        return value;
}

/* What cmocka calls at the end of a test, or of all: the server stopped, where one runs, and the last reply forgotten. */
static inline int toy_end(__attribute__((unused)) void **state)
{
        if (toy.http)
                toy_stop();
        free(reply.body);
        reply.body = NULL;
        return 0;
}

/* Reads one reply; its status, or 0 where the connection ended instead. */
static inline int hear_head(int fd)
{
        size_t n = 0;

        free(reply.body);
        reply = (struct reply){.status = 0};
        while (n < sizeof reply.head - 1 && !strstr(reply.head, "\r\n\r\n")) {
                ssize_t got = recv(fd, reply.head + n, 1, 0);

                if (got == 0 || (got < 0 && errno == ECONNRESET))
                        return 0;
                assert_int_equal(got, 1);
                n++;
        }
        reply.status = (int)strtoul(reply.head + strlen("HTTP/1.1 "), NULL, 10);
        return reply.status;
}

static inline int hear(int fd)
{
        if (hear_head(fd) < 200)
                return reply.status;
        reply.length = strtoul(reply_header("Content-Length"), NULL, 10);
        reply.body = calloc(1, reply.length + 1);
        assert_non_null(reply.body);
        for (size_t n = 0; n < reply.length;) {
                ssize_t got = recv(fd, reply.body + n, reply.length - n, 0);

                if (got <= 0)
                        return reply.status = 0;
                n += (size_t)got;
        }
        return reply.status;
}

/* Whether the other side has ended the connection, and nothing came before that. */
static inline bool is_ended(int fd)
{
        char byte;
        ssize_t got = recv(fd, &byte, 1, 0);

        return got == 0 || (got < 0 && errno == ECONNRESET);
}
