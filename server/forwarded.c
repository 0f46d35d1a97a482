/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.c - X-Forwarded-For, read from its trusted end. */
#include "server/forwarded.h"

#include "model/text.h"
#include "server/guard.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define HOPS_MAX 32 /* looked at; no chain of proxies is as long, and a value may be 8 KB of commas */

/* An entry of the header, perhaps with a port, as its address alone. */
static bool entry_read(const char *at, size_t n, char ret[INET6_ADDRSTRLEN])
{
        char text[INET6_ADDRSTRLEN + sizeof "[]:65535"], *address = text, *port;
        struct in6_addr v6;
        struct in_addr v4;

        if (n >= sizeof text)
                return false;
        memcpy(text, at, n);
        text[n] = '\0';
        port = strchr(text, *text == '[' ? ']' : ':');
        if (*text == '[') {
                if (!port)
                        return false;
                address++;
                *port++ = '\0';
        }
        if (port && (*text == '[' || !strchr(port + 1, ':'))) {
                if (*port && (*port != ':' || !port_read(port + 1)))
                        return false;
                *port = '\0';
        }
        if (inet_pton(AF_INET, address, &v4) == 1)
                return *text != '[' && inet_ntop(AF_INET, &v4, ret, INET6_ADDRSTRLEN);
        if (inet_pton(AF_INET6, address, &v6) != 1)
                return false;
        if (IN6_IS_ADDR_V4MAPPED(&v6))
                return inet_ntop(AF_INET, v6.s6_addr + 12, ret, INET6_ADDRSTRLEN);
        return inet_ntop(AF_INET6, &v6, ret, INET6_ADDRSTRLEN);
}

/* Takes the last entry off the value, whose length is *n; NULL: there is none. Blanks around it do not count. */
static const char *entry_cut(const char *value, size_t *n, size_t *ret_length)
{
        size_t end = *n, begin;

        while (end > 0 && strchr(", \t", value[end - 1]))
                end--;
        for (begin = end; begin > 0 && value[begin - 1] != ',';)
                begin--;
        *n = begin;
        while (begin < end && strchr(" \t", value[begin]))
                begin++;
        *ret_length = end - begin;
        return end > begin ? value + begin : NULL;
}

void forwarded_client(const struct guard *trusted, const char *peer, const char *const *values, int n_values,
                      char ret[INET6_ADDRSTRLEN])
{
        int hops = 0;

        text_copy(ret, INET6_ADDRSTRLEN, peer);
        if (!trusted || !guard_lists(trusted, peer))
                return;
        for (int i = n_values - 1; i >= 0; i--) {
                size_t n = strlen(values[i]), length;
                const char *entry;

                while ((entry = entry_cut(values[i], &n, &length))) {
                        if (hops++ == HOPS_MAX)
                                return;
                        if (!entry_read(entry, length, ret)) {
                                text_copy(ret, INET6_ADDRSTRLEN, peer);
                                return;
                        }
                        if (!guard_lists(trusted, ret))
                                return;
                }
        }
}
