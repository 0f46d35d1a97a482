/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one JSON line an event on stderr: when, how bad, which event, and typed fields. Never personal data, never a
 * secret: callers pass ids, words and numbers only. Every event and its fields stand in docs/logs.md, which a test holds to
 * the code. A stderr that takes nothing, full or gone, costs lines, and never time: the next line that gets through says how
 * many (`"dropped":n`). Threads: any. */
#pragma once

#include "model/text.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);
bool log_level_find(const char *word, enum log_level *ret);

struct log_field {
        const char *name; /* NULL ends the list */
        enum { LOG_FIELD_TEXT, LOG_FIELD_CAUSE, LOG_FIELD_INT, LOG_FIELD_ID } type;
        const char *text;
        int64_t number;
        const struct id *id;
};

#define LOG_TEXT(name_, text_) ((struct log_field){.name = (name_), .type = LOG_FIELD_TEXT, .text = (text_)})
/* A text that also tells apart what log_limited() counts as one cause: a word of ours, not of the world. */
#define LOG_CAUSE(name_, text_) \
        ((struct log_field){.name = (name_), .type = LOG_FIELD_CAUSE, .text = (text_)})
#define LOG_INT(name_, number_) \
        ((struct log_field){.name = (name_), .type = LOG_FIELD_INT, .number = (number_)})
#define LOG_ID(name_, id_) ((struct log_field){.name = (name_), .type = LOG_FIELD_ID, .id = (id_)})

/* log_event(LOG_INFO, "listening", LOG_TEXT("listen", address)); event words are fixed literals. */
#define log_event(level, ...) LOG_CALL((level), false, __VA_ARGS__, LOG_END)

/* The same for what may come in floods: at most one line a second for one cause, which is the event with its LOG_CAUSE
 * fields; the next line of that cause says how many were left out (`"suppressed":n`). */
#define log_limited(level, ...) LOG_CALL((level), true, __VA_ARGS__, LOG_END)

/* What both are: LOG_END stands behind the fields, so that there may be none. */
#define LOG_END ((struct log_field){.name = NULL})
#define LOG_CALL(level, limited, event, ...) \
        log_write((level), (limited), (event), (const struct log_field[]){__VA_ARGS__})
void log_write(enum log_level level, bool limited, const char *event, const struct log_field *fields);
