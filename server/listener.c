/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - the few calls between a setting and a listening socket. */
#include "server/listener.h"

#include "model/clean.h"
#include "model/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool listener_read(const char *text, char host[HOST_SIZE], char port[PORT_SIZE])
{
        const char *begin = text + (*text == '['),
                   *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
        const char *digits = end ? end + 1 + (*text == '[') : NULL;
        unsigned number = 0;

        if (!end || end == begin || end - begin >= HOST_SIZE || digits[-1] != ':')
                return false;
        for (const char *c = digits; *c >= '0' && *c <= '9' && number <= 65535; c++)
                number = 10 * number + (unsigned)(*c - '0');
        if (!*digits || digits[strspn(digits, "0123456789")] || number > 65535)
                return false;
        memcpy(host, begin, (size_t)(end - begin));
        host[end - begin] = '\0';
        return text_copy(port, PORT_SIZE, digits);
}

static void close_at(int *at)
{
        if (*at >= 0)
                close(*at);
}

static void freeaddrinfo_at(struct addrinfo **at)
{
        if (*at)
                freeaddrinfo(*at);
}

static void name_write(int fd, char to[LISTENER_NAME_SIZE])
{
        struct sockaddr_storage got;
        socklen_t size = sizeof got;
        char host[INET6_ADDRSTRLEN] = "", port[PORT_SIZE] = "";
        bool is_v6;

        if (getsockname(fd, (struct sockaddr *)&got, &size) == 0)
                getnameinfo((struct sockaddr *)&got, size, host, sizeof host, port, sizeof port,
                            NI_NUMERICHOST | NI_NUMERICSERV);
        is_v6 = strchr(host, ':');
        snprintf(to, LISTENER_NAME_SIZE, "%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

enum err listener_open(const char *text, int *ret_fd, char ret_name[LISTENER_NAME_SIZE], struct why *why)
{
        struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
        CLEAN(freeaddrinfo_at) struct addrinfo *found = NULL;
        CLEAN(close_at) int fd = -1;
        char host[HOST_SIZE], port[PORT_SIZE];
        int trouble, on = 1;

        if (!listener_read(text, host, port))
                return FAIL(why, ERR_BAD_FIELD, "%s: not host:port or [v6]:port", text);
        trouble = getaddrinfo(host, port, &hints, &found);
        if (trouble)
                return FAIL(why, ERR_BAD_FIELD, "%s: %s", text, gai_strerror(trouble));
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
                return FAIL(why, ERR_INTERNAL, "%s: %s", text, strerror(errno));
        name_write(fd, ret_name);
        *ret_fd = fd;
        fd = -1;
        return ERR_OK;
}

enum err descriptors_need(int n, struct why *why)
{
        struct rlimit limit;
        rlim_t needed = (rlim_t)n;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                return FAIL(why, ERR_INTERNAL, "getrlimit: %s", strerror(errno));
        if (limit.rlim_max < needed)
                return FAIL(why, ERR_INTERNAL, "%d descriptors are needed, the hard limit is %llu", n,
                            (unsigned long long)limit.rlim_max);
        if (limit.rlim_cur < needed)
                limit.rlim_cur = needed;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
                return FAIL(why, ERR_INTERNAL, "setrlimit: %s", strerror(errno));
        return ERR_OK;
}
