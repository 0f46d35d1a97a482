/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - building a request that cannot carry a smuggled header. */
#include "model/message.h"

#include "model/crypto.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err message_url(struct message *m, struct why *why, const char *format, ...)
{
        va_list args;
        char *url = NULL;
        int n;

        va_start(args, format);
        n = vasprintf(&url, format, args);
        va_end(args);
        if (n < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a URL");
        free(m->url);
        m->url = url;
        return ERR_OK;
}

/* Visible bytes, spaces and tabs; bytes above 0x7f pass, as RFC 9110 section 5.5 lets them (obs-text). */
static bool is_field_value(const char *value)
{
        for (const unsigned char *c = (const unsigned char *)value; *c; c++)
                if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
                        return false;
        return true;
}

enum err message_header(struct message *m, const char *name, const char *value, struct why *why)
{
        static const char token[] = "!#$%&'*+-.^_`|~0123456789" /* RFC 9110 section 5.6.2 */
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        char *line = NULL;

        if (!*name || name[strspn(name, token)] || !is_field_value(value))
                return FAIL_FIELD(why, name, "not a header");
        if (m->n_headers == MESSAGE_HEADERS_MAX)
                return FAIL_FIELD(why, name, "more than %d headers", MESSAGE_HEADERS_MAX);
        if (asprintf(&line, "%s: %s", name, value) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a header");
        m->headers[m->n_headers++] = line;
        return ERR_OK;
}

void message_done(struct message *m)
{
        for (int i = 0; i < m->n_headers; i++)
                secret_free(m->headers[i]);
        secret_free(m->body);
        free(m->url);
        *m = (struct message){0};
}
