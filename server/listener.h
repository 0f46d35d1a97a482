/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - an address in the settings, and the socket that listens there. */
#pragma once

#include "model/err.h"

#define HOST_SIZE 256 /* a name of DNS, or an address in numbers, and NUL */
#define PORT_SIZE 6
#define LISTENER_NAME_SIZE 64

/* `host:port` or `[v6]:port` into its parts; false when it is neither. Pure. */
bool listener_read(const char *text, char host[HOST_SIZE], char port[PORT_SIZE]);

/* A socket that listens there and does not block, and the address that was got, `127.0.0.1:43211`.
 * Errors: BAD_FIELD (no such address), INTERNAL (in use, not allowed …). */
enum err listener_open(const char *text, int *ret_fd, char ret_name[LISTENER_NAME_SIZE], struct why *why)
        MUST_USE;

/* Sees to it that this process may have `n` descriptors, raising its soft limit where needed. Errors: INTERNAL. */
enum err descriptors_need(int n, struct why *why) MUST_USE;
