/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a line is built on the stack and leaves in one write, so that lines of two threads never mix. */
#include "server/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 2048 /* a pipe takes up to 4096 bytes whole */
#define ESCAPED_MAX 6  /* \u0000 */
#define EVENTS_MAX 64
#define WINDOW_MS 1000

static _Atomic(enum log_level) threshold = LOG_INFO;
static const char *const level_words[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level)
{
        atomic_store(&threshold, level);
}

bool log_level_find(const char *word, enum log_level *ret)
{
        const int i = word_find(word, level_words, LOG_ERROR + 1);

        if (i >= 0)
                *ret = (enum log_level)i;
        return i >= 0;
}

/* ---- a line ---- */

struct line {
        char bytes[LINE_SIZE];
        size_t n;
};

/* Room that is left when the end, `"}` and a newline, is kept for. */
static size_t line_room(const struct line *line)
{
        return sizeof line->bytes - 4 - line->n;
}

__attribute__((format(printf, 2, 3))) static void line_put(struct line *line, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        line->n += (size_t)vsnprintf(line->bytes + line->n, sizeof line->bytes - line->n, format, args);
        va_end(args);
        assert(line->n < sizeof line->bytes);
}

/* As a JSON string; what does not fit is cut, between characters. */
static void line_put_text(struct line *line, const char *text)
{
        line_put(line, "\"");
        while (*text && line_room(line) >= ESCAPED_MAX) {
                size_t n = utf8_length(text, 4);

                if (n == 0)
                        line_put(line, "\\ufffd");
                else if (*text == '"' || *text == '\\')
                        line_put(line, "\\%c", *text);
                else if (n == 1 && *text < 0x20)
                        line_put(line, "\\u%04x", (unsigned)*text);
                else
                        line_put(line, "%.*s", (int)n, text);
                text += n > 0 ? n : 1;
        }
        line_put(line, "\"");
}

/* Leaves out what the line has no room for. */
static void line_put_field(struct line *line, const struct log_field *field)
{
        char id[ID_TEXT_SIZE];

        if (line_room(line) < strlen(field->name) + 32)
                return;
        line_put(line, ",\"%s\":", field->name);
        switch (field->type) {
        case LOG_FIELD_TEXT: line_put_text(line, field->text ? field->text : ""); break;
        case LOG_FIELD_INT: line_put(line, "%" PRId64, field->number); break;
        case LOG_FIELD_ID: line_put_text(line, id_write(field->id, id)); break;
        }
}

static void write_line(enum log_level level, const char *event, int64_t suppressed,
                       const struct log_field *fields)
{
        struct line line = {.n = 0};
        char time[TIME_TEXT_SIZE];
        ssize_t written;

        line_put(&line, "{\"time\":\"%s\"", time_write(time_now_ms(), time));
        line_put_field(&line, &LOG_TEXT("level", level_words[level]));
        line_put_field(&line, &LOG_TEXT("event", event));
        if (suppressed > 0)
                line_put_field(&line, &LOG_INT("suppressed", suppressed));
        for (; fields->name; fields++)
                line_put_field(&line, fields);
        line_put(&line, "}\n");
        do {
                written = write(STDERR_FILENO, line.bytes, line.n);
        } while (written < 0 && errno == EINTR);
}

/* ---- the limit ---- */

/* Event words are literals of ours and few; what comes when the table is full shares its last row. */
static struct {
        const char *event;
        int64_t passed_ms;
        int64_t suppressed;
} limits[EVENTS_MAX];
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;

/* -1 when this one must be left out, else how many were since the last that passed. */
static int64_t limit_pass(const char *event)
{
        int64_t now_ms = time_boot_ms(), suppressed = -1;
        int i = 0;

        pthread_mutex_lock(&limits_lock);
        while (i < EVENTS_MAX - 1 && limits[i].event && !streq(limits[i].event, event))
                i++;
        if (limits[i].event && now_ms - limits[i].passed_ms < WINDOW_MS) {
                limits[i].suppressed++;
        } else {
                suppressed = limits[i].suppressed;
                limits[i].event = event;
                limits[i].passed_ms = now_ms;
                limits[i].suppressed = 0;
        }
        pthread_mutex_unlock(&limits_lock);
        return suppressed;
}

void log_write(enum log_level level, bool limited, const char *event, const struct log_field *fields)
{
        int64_t suppressed = 0;

        if (level < atomic_load(&threshold))
                return;
        if (limited)
                suppressed = limit_pass(event);
        if (suppressed >= 0)
                write_line(level, event, suppressed, fields);
}
