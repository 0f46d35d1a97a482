/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.h - whose address counts as the client's where proxies stand between. */
#pragma once

#include <netinet/in.h>

struct guard;

/* `peer` where it is no trusted proxy (`trusted` lists those; NULL: none). Else the rightmost address of X-Forwarded-For
 * that is none: each proxy writes to the right of what it was given, so that what stands further left is only what
 * somebody claims. `values` are the header's, in their order; ports and brackets are taken off, IPv4 that is mapped into
 * IPv6 is written as IPv4. Where all are trusted, the leftmost. Where no address stands in the place that counts, `peer`.
 * Pure. */
void forwarded_client(const struct guard *trusted, const char *peer, const char *const *values, int n_values,
                      char ret[INET6_ADDRSTRLEN]);
