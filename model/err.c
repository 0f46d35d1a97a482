/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - the error table, and the one place where a reason is written down. */
#include "model/err.h"

#include <stdarg.h>
#include <stdio.h>

#define ERR_ROW(name, http, phrase, retry, text) {#name, http, phrase, retry, text},
static const struct err_row rows[ERR_COUNT] = {ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

const struct err_row *err_row(enum err e)
{
        return &rows[e < ERR_COUNT ? e : ERR_INTERNAL];
}

const char *err_english(enum err e)
{
        static const char *const texts[ERR_COUNT] = {
                [ERR_BAD_JSON] = "The body is not a JSON object",
                [ERR_BAD_FIELD] = "A field is missing or wrong",
                [ERR_ORDER_FINAL] = "The order is finished, or further already",
                [ERR_BAD_CLIENT] = "Unknown client_id, or wrong client_secret",
                [ERR_NOT_FOUND] = "There is no such order",
                [ERR_NOT_NEW] = "Only a new order can be changed",
                [ERR_TOO_MANY_KEYS] = "Too many wrong client secrets from this address"};
        const char *text = e < ERR_COUNT ? texts[e] : NULL;

        return text ? text : err_row(e)->phrase;
}

static _Thread_local bool starved;

bool err_starved(void)
{
        const bool was = starved;

        starved = false;
        return was;
}

void err_starve(void)
{
        starved = true;
}

void err_fail(struct why *why, const char *file, int line, const char *field, const char *format, ...)
{
        va_list args;

        if (!why)
                return;
        why->file = file;
        why->line = line;
        snprintf(why->field, sizeof why->field, "%s", field ? field : "");
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
}
