/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - which addresses a URL that a stranger gave may lead to: public ones, and what KURYE_OUTBOUND_ALLOW lists. And the
 * list alone, for whoever else has networks to tell apart (KURYE_TRUSTED_PROXIES). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GUARD_LISTED_MAX 32
#define GUARD_OWN_MAX 2 /* the API and the ops port */

/* An address of either family; those that carry one of IPv4 inside are that one. */
struct address {
        int family; /* AF_INET, AF_INET6 */
        uint8_t bytes[16];
};

struct range {
        struct address first;
        int bits; /* that all of it have in common */
};

struct guard {
        struct range listed[GUARD_LISTED_MAX];
        int n_listed;
        int own[GUARD_OWN_MAX]; /* ports */
        int n_own;
};

/* `10.0.0.0/8,fd00::/8`: no bit set behind the prefix, no IPv6 that carries IPv4 inside. False when it is anything else,
 * `*ret` then undefined. NULL: an empty list. Pure. */
bool guard_read(const char *text, struct guard *ret);

/* Whether this numeric address is in the list; one that carries another inside counts as what it is written as. Pure. */
bool guard_lists(const struct guard *guard, const char *address);

/* The number that stands there; 0: none up to 65535. */
int port_read(const char *text);

/* What listens here, `127.0.0.1:43211`: its port is refused on each of this machine's addresses, listed or not. */
void guard_add_own(struct guard *guard, const char *listener);

/* Whether this numeric address (IPv6 without brackets) may be connected to. `plain`: without TLS, which only what is
 * listed may. Threads: any, once nothing is added. */
bool guard_allows(const struct guard *guard, const char *address, int port, bool plain);
