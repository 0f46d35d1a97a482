/* SPDX-License-Identifier: Apache-2.0 */
/* straggler.c - clients that were refused while they were still sending.
 *
 * A socket that is closed with bytes unread resets the connection, and a reset may destroy the answer before the client
 * has read it: a body of a megabyte would meet a broken pipe instead of its 413. So the connection is kept on a
 * descriptor of our own, its bytes are thrown away, and it is closed when the client is done, or has had its time. */
#include "server/http_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRAGGLE_MS 2000
#define STRAGGLERS_MAX 64

struct straggler {
        TAILQ_ENTRY(straggler) link;
        struct http *http;
        struct watch watch;
        int64_t since_ms;
};

static void straggler_end(struct straggler *s)
{
        TAILQ_REMOVE(&s->http->stragglers, s, link);
        s->http->n_stragglers--;
        /* Closing it would leave it in the set for as long as anybody else, a child between fork() and exec(), has it open. */
        if (s->watch.fd >= 0) {
                epoll_ctl(s->http->epoll, EPOLL_CTL_DEL, s->watch.fd, NULL);
                close(s->watch.fd);
        }
        free(s);
}

static void straggler_ready(void *arg)
{
        struct straggler *s = arg;
        char thrown_away[16384];
        ssize_t n = recv(s->watch.fd, thrown_away, sizeof thrown_away, MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                straggler_end(s);
}

void straggler_keep(struct http *http, int fd)
{
        struct straggler *s = http->n_stragglers < STRAGGLERS_MAX ? malloc(sizeof *s) : NULL;

        if (!s)
                return;
        *s = (struct straggler){.http = http, .since_ms = http->now_ms};
        s->watch = (struct watch){fcntl(fd, F_DUPFD_CLOEXEC, 0), straggler_ready, s};
        TAILQ_INSERT_TAIL(&http->stragglers, s, link);
        http->n_stragglers++;
        if (s->watch.fd < 0 || !watch_add(http, &s->watch))
                straggler_end(s);
}

void stragglers_expire(struct http *http, int64_t now_ms)
{
        struct straggler *s;

        while ((s = TAILQ_FIRST(&http->stragglers)) && now_ms - s->since_ms >= STRAGGLE_MS)
                straggler_end(s);
}
