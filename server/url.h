/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - a URL as curl reads it, so that what is judged is what will be called. */
#pragma once

#include <stdbool.h>

#define URL_HOST_SIZE 256

struct Curl_URL; /* curl's, by the name that its header gives it */
struct guard;

struct url {
        struct Curl_URL *handle; /* owned */
        int port;
        bool plain; /* without TLS */
};

/* Reads a URL and its host, brackets taken off; an IPv4 address in hexadecimal, octal or fewer parts has become a plain
 * one. False where it has a user, a host beyond what DNS and IPv6 need, or is no URL. url_done() in any case. */
bool url_read(struct url *url, const char *text, char host[URL_HOST_SIZE]);

/* Whether a stranger may give it to be called: an address shows at once where it leads, a name when it is called. */
bool url_may_be_given(const struct guard *guard, const char *text);

/* Frees what it holds. */
void url_done(struct url *url);
