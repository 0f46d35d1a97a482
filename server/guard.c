/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - one table of what is not the public Internet, and the few ways in which an address hides another.
 *
 * Whole blocks are refused as IANA's registries have them, their few globally reachable parts (AS112, AMT, anycast of
 * protocols) too: no courier firm's server can be there. Of IPv6 only 2000::/3 was ever given out. Names play no part:
 * what counts is where a connection goes.
 *
 * What no table can know: a NAT64 prefix that a network chose for itself, and what a public address leads to inside. */
#include "server/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* IANA's IPv4 and IPv6 Special-Purpose Address Registries as of 2025, but where another source is named. */
static const char *const refused[] = {
        "0.0.0.0/8",        /* this network: RFC 791; Linux connects 0.0.0.0 to itself */
        "10.0.0.0/8",       /* private: RFC 1918 */
        "100.64.0.0/10",    /* carriers' NAT: RFC 6598; Alibaba's metadata are at 100.100.100.200 */
        "127.0.0.0/8",      /* loopback: RFC 1122 */
        "168.63.129.16/32", /* not IANA's: Azure's host, its metadata among others (Microsoft's manual) */
        "169.254.0.0/16",   /* link-local: RFC 3927; most clouds' metadata are at 169.254.169.254 */
        "172.16.0.0/12",    /* private: RFC 1918 */
        "192.0.0.0/24",     /* protocols: RFC 6890; Oracle's metadata are at 192.0.0.192 */
        "192.0.2.0/24",     /* documentation: RFC 5737 */
        "192.31.196.0/24",  /* AS112: RFC 7535 */
        "192.52.193.0/24",  /* AMT: RFC 7450 */
        "192.88.99.0/24",   /* 6to4 relays, given up: RFC 7526 */
        "192.168.0.0/16",   /* private: RFC 1918 */
        "192.175.48.0/24",  /* AS112: RFC 7534 */
        "198.18.0.0/15",    /* benchmarks: RFC 2544 */
        "198.51.100.0/24",  /* documentation: RFC 5737 */
        "203.0.113.0/24",   /* documentation: RFC 5737 */
        "224.0.0.0/4",      /* multicast: RFC 5771 */
        "240.0.0.0/4",      /* reserved: RFC 1112; broadcast: RFC 919 */
        "2001::/23",     /* protocols: RFC 2928; Teredo, benchmarks, AMT, AS112, ORCHID, DRIP stand in it */
        "2001:db8::/32", /* documentation: RFC 3849 */
        "2620:4f:8000::/48", /* AS112: RFC 7534 */
        "3fff::/20",         /* documentation: RFC 9637 */
};

/* RFC 4291 2.4 and IANA's list of what was given out. Outside of it, among others: :: and ::1, IPv4-compatible ::/96, local
 * NAT64 64:ff9b:1::/48 (RFC 8215), discard-only 100::/64 (RFC 6666), segment routing 5f00::/16 (RFC 9602), unique local
 * fc00::/7 (RFC 4193), link-local fe80::/10, site-local fec0::/10 (RFC 3879), multicast ff00::/8. */
static const char global_v6[] = "2000::/3";

/* Prefixes that have an IPv4 address behind them, which is judged in their place. */
static const struct {
        size_t bytes; /* of the prefix */
        uint8_t prefix[12];
} carriers[] = {
        {12, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, /* IPv4-mapped ::ffff:0:0/96: RFC 4291 2.5.5.2 */
        {12, {0, 0x64, 0xff, 0x9b}},                      /* NAT64 64:ff9b::/96: RFC 6052 2.1 */
        {2, {0x20, 0x02}}};                               /* 6to4 2002::/16: RFC 3056 2 */

#define CARRIERS (sizeof carriers / sizeof *carriers)

static bool address_read(const char *text, struct address *ret)
{
        *ret = (struct address){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
        return inet_pton(ret->family, text, ret->bytes) == 1;
}

/* Makes of an address that carries one of IPv4 that one; false: it carries none. */
static bool unwrap(struct address *a)
{
        for (size_t i = 0; i < CARRIERS && a->family == AF_INET6; i++)
                if (memcmp(a->bytes, carriers[i].prefix, carriers[i].bytes) == 0) {
                        memmove(a->bytes, a->bytes + carriers[i].bytes, 4);
                        a->family = AF_INET;
                        return true;
                }
        return false;
}

static bool bit_of(const struct address *a, int at)
{
        return a->bytes[at / 8] >> (7 - at % 8) & 1;
}

static bool holds(const struct range *r, const struct address *a)
{
        int at = 0;

        while (at < r->bits && bit_of(a, at) == bit_of(&r->first, at))
                at++;
        return a->family == r->first.family && at == r->bits;
}

/* `10.0.0.0/8`, ended by a comma or the end, where *at then stands. */
static bool range_read(const char **at, struct range *ret)
{
        size_t n = strcspn(*at, "/,");
        char text[INET6_ADDRSTRLEN];
        int bits = 0, all;

        if (n >= sizeof text || (*at)[n] != '/')
                return false;
        memcpy(text, *at, n);
        text[n] = '\0';
        *at += n + 1;
        if (!address_read(text, &ret->first) || unwrap(&ret->first) || !**at || **at == ',')
                return false;
        all = ret->first.family == AF_INET ? 32 : 128;
        for (; **at >= '0' && **at <= '9' && bits <= all; ++*at)
                bits = 10 * bits + **at - '0';
        ret->bits = bits;
        for (; bits < all; bits++)
                if (bit_of(&ret->first, bits))
                        return false;
        return bits == all && (!**at || **at == ',');
}

bool guard_read(const char *text, struct guard *ret)
{
        *ret = (struct guard){0};
        for (; text; text++) {
                if (ret->n_listed == GUARD_LISTED_MAX || !range_read(&text, &ret->listed[ret->n_listed++]))
                        return false;
                if (!*text)
                        break;
        }
        return true;
}

static bool is_listed(const struct guard *guard, const struct address *a)
{
        for (int i = 0; i < guard->n_listed; i++)
                if (holds(&guard->listed[i], a))
                        return true;
        return false;
}

bool guard_lists(const struct guard *guard, const char *address)
{
        struct address a;

        return address_read(address, &a) && is_listed(guard, &a);
}

int port_read(const char *text)
{
        int port = 0;

        for (; *text >= '0' && *text <= '9' && port <= 65535; text++)
                port = 10 * port + *text - '0';
        return *text || port > 65535 ? 0 : port;
}

void guard_add_own(struct guard *guard, const char *listener)
{
        const char *colon = strrchr(listener, ':');

        guard->own[guard->n_own++] = colon ? port_read(colon + 1) : 0;
}

/* Whether the address is one of this machine's: then, and only then, one may bind to it. What cannot be told counts as
 * ours. */
static bool is_here(const struct address *a)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        bool is_v4 = a->family == AF_INET;
        int fd = socket(a->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool here;

        memcpy(&v4.sin_addr, a->bytes, sizeof v4.sin_addr);
        memcpy(&v6.sin6_addr, a->bytes, sizeof v6.sin6_addr);
        here = fd < 0 ||
               bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
                    is_v4 ? sizeof v4 : sizeof v6) == 0 ||
               errno != EADDRNOTAVAIL;
        if (fd >= 0)
                close(fd);
        return here;
}

static bool is_public(const struct address *a)
{
        const char *at = global_v6;
        struct range range;

        if (a->family == AF_INET6 && !(range_read(&at, &range) && holds(&range, a)))
                return false;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
                at = refused[i];
                if (!range_read(&at, &range) || holds(&range, a))
                        return false;
        }
        return true;
}

bool guard_allows(const struct guard *guard, const char *address, int port, bool plain)
{
        struct address a;

        if (!address_read(address, &a))
                return false;
        unwrap(&a);
        for (int i = 0; i < guard->n_own; i++)
                if (guard->own[i] == port && is_here(&a))
                        return false;
        return is_listed(guard, &a) || (!plain && is_public(&a));
}
