/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.c - preloaded below a program, a system that has no socket, no descriptor and no buffer left when a test says so.
 *
 * BELOW_SOCKETS names a file of numbers that test and program share (tests/e2e/below.py). A call of a kind that is switched on
 * fails by `number`, once so many went well, so often (0: until it is over). */
#include "tests/below/below.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum kind { SOCKET = 1, CONNECT = 2, NAME = 4, POLL = 8, ACCEPT = 16, SEND = 32, RECEIVE = 64 };

struct switches {
        struct below_fault fault;
        _Atomic int64_t number; /* errno; of a name, EAI_ */
        _Atomic int64_t rounds; /* of poll and epoll_wait, all told */
};

static struct switches *switches;

__attribute__((constructor)) static void begin(void)
{
        switches = below_share("BELOW_SOCKETS", sizeof *switches);
}

static bool meets(enum kind kind)
{
        if (!switches || !below_meets(&switches->fault, kind))
                return false;
        errno = (int)atomic_load(&switches->number);
        return true;
}

/* The system's own. */
#define REAL(name)                     \
        static __typeof__(&name) real; \
        if (!real)                     \
        *(void **)&real = below_next(#name)

EXPORT int socket(int family, int type, int protocol)
{
        REAL(socket);
        return (family == AF_INET || family == AF_INET6) && meets(SOCKET) ? -1 : real(family, type, protocol);
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t n)
{
        REAL(connect);
        return meets(CONNECT) ? -1 : real(fd, to, n);
}

EXPORT int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret)
{
        REAL(getaddrinfo);
        return meets(NAME) ? (int)atomic_load(&switches->number) : real(host, port, hints, ret);
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int ms)
{
        REAL(poll);
        if (switches)
                atomic_fetch_add(&switches->rounds, 1);
        return meets(POLL) ? -1 : real(fds, n, ms);
}

EXPORT int accept(int fd, __SOCKADDR_ARG from, socklen_t *n)
{
        REAL(accept);
        return meets(ACCEPT) ? -1 : real(fd, from, n);
}

EXPORT int accept4(int fd, __SOCKADDR_ARG from, socklen_t *n, int flags)
{
        REAL(accept4);
        return meets(ACCEPT) ? -1 : real(fd, from, n, flags);
}

EXPORT ssize_t send(int fd, const void *from, size_t n, int flags)
{
        REAL(send);
        return meets(SEND) ? -1 : real(fd, from, n, flags);
}

EXPORT ssize_t recv(int fd, void *to, size_t n, int flags)
{
        REAL(recv);
        return meets(RECEIVE) ? -1 : real(fd, to, n, flags);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int n, int ms)
{
        REAL(epoll_wait);
        if (switches)
                atomic_fetch_add(&switches->rounds, 1);
        return real(fd, events, n, ms);
}
