/* SPDX-License-Identifier: Apache-2.0 */
/* complaint.c - the two shapes that an error has. */
#include "server/complaint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_SIZE sizeof((struct why *)0)->field

/* A field's path may hold what a client wrote. */
static const char *show_field(const char *field, char to[FIELD_SIZE])
{
        size_t n = 0;

        for (; field[n]; n++)
                to[n] = field[n] < 0x20 || field[n] > 0x7e || strchr("\"\\", field[n]) ? '?' : field[n];
        to[n] = '\0';
        return to;
}

/* As Yandex Eats wants it (docs/api.md 6); the code is the one of its example: it is to be agreed upon, and nobody has.
 * The caller frees. */
static char *error_list(enum err e, int http_status, const char *field)
{
        char shown[FIELD_SIZE], *document;
        int n;

        if (http_status == 401)
                return strdup("{\"reason\":\"Access token has been expired. You should request a new one\"}");
        n = asprintf(&document, "[{\"code\":100,\"description\":\"%s%s%s\"}]", err_english(e),
                     *field ? ": " : "", show_field(field, shown));
        return n < 0 ? NULL : document;
}

/* {"statusCode":…,"error":"…","message":"…"}; the caller frees. */
static char *error_document(const struct err_row *row, const char *field)
{
        const char *hole = strstr(row->text, "%s");
        char shown[FIELD_SIZE] = "", *document;

        if (hole)
                show_field(field, shown);
        if (asprintf(&document, "{\"statusCode\":%d,\"error\":\"%s\",\"message\":\"%.*s%s%s\"}", row->http,
                     row->phrase, hole ? (int)(hole - row->text) : (int)strlen(row->text), row->text, shown,
                     hole ? hole + 2 : "") < 0)
                return NULL;
        return document;
}

char *complaint_write(enum complaint complaint, enum err e, const struct err_row *told, const char *field)
{
        return complaint == COMPLAINT_YANDEX ? error_list(e, told->http, field) : error_document(told, field);
}
