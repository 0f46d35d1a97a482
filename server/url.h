/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - a URL as curl reads it, so that what is judged is what will be called. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#define URL_HOST_SIZE 256

struct url {
        CURLU *handle; /* owned */
        int port;
        bool plain; /* without TLS */
};

/* Reads a URL and its host, brackets taken off; an IPv4 address in hexadecimal, octal or fewer parts has become a plain
 * one. False where it has a user, a host beyond what DNS and IPv6 need, or is no URL. url_done() in any case. */
bool url_read(struct url *url, const char *text, char host[URL_HOST_SIZE]);

/* Frees what it holds. */
void url_done(struct url *url);
