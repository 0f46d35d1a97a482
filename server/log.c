/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a line is built on the stack and leaves in one write, so that lines of two threads never mix. */
#include "server/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
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
        for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
                if (streq(word, level_words[i])) {
                        *ret = (enum log_level)i;
                        return true;
                }
        }
        return false;
}

/* ---- a line ---- */

struct line {
        char bytes[LINE_SIZE];
        size_t n;
};

/* Room that is left when the end, `"}` and a newline, is kept for. */
static size_t line_room(const struct line *line)
{
        return sizeof line->bytes - 3 - line->n;
}

static void line_put(struct line *line, const char *bytes, size_t n)
{
        assert(n <= sizeof line->bytes - line->n);
        memcpy(line->bytes + line->n, bytes, n);
        line->n += n;
}

static bool is_within(unsigned char c, unsigned char min, unsigned char max)
{
        return c >= min && c <= max;
}

/* Bytes of the UTF-8 character that begins here (RFC 3629: nothing overlong, no surrogates); 0 where none does. A byte
 * of the text's end is never passed: NUL is within no bounds. */
static size_t utf8_length(const char *text)
{
        const unsigned char *s = (const unsigned char *)text;
        size_t n = s[0] < 0x80   ? 1
                   : s[0] < 0xc2 ? 0
                   : s[0] < 0xe0 ? 2
                   : s[0] < 0xf0 ? 3
                   : s[0] < 0xf5 ? 4
                                 : 0;

        if (n >= 2 && !is_within(s[1],
                                 s[0] == 0xe0   ? 0xa0
                                 : s[0] == 0xf0 ? 0x90
                                                : 0x80,
                                 s[0] == 0xed   ? 0x9f
                                 : s[0] == 0xf4 ? 0x8f
                                                : 0xbf))
                return 0;
        for (size_t i = 2; i < n; i++)
                if (!is_within(s[i], 0x80, 0xbf))
                        return 0;
        return n;
}

/* As a JSON string; what does not fit is cut, between characters. */
static void line_put_text(struct line *line, const char *text)
{
        line_put(line, "\"", 1);
        while (*text && line_room(line) >= ESCAPED_MAX) {
                unsigned char c = (unsigned char)*text;
                size_t n = utf8_length(text);
                char escaped[ESCAPED_MAX + 1];

                if (n == 0)
                        line_put(line, "\\ufffd", 6);
                else if (c == '"' || c == '\\')
                        line_put(line, (char[]){'\\', *text}, 2);
                else if (c < 0x20)
                        line_put(line, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
                else
                        line_put(line, text, n);
                text += n > 0 ? n : 1;
        }
        line_put(line, "\"", 1);
}

static void line_put_int(struct line *line, int64_t number)
{
        char digits[24];

        line_put(line, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
}

/* False when the line is full. */
static bool line_put_name(struct line *line, const char *name)
{
        size_t length = strlen(name);

        if (line_room(line) < length + 32)
                return false;
        line_put(line, ",\"", 2);
        line_put(line, name, length);
        line_put(line, "\":", 2);
        return true;
}

static void line_put_field(struct line *line, const struct log_field *field)
{
        char id[ID_TEXT_SIZE];

        if (!line_put_name(line, field->name))
                return;
        switch (field->type) {
        case LOG_FIELD_TEXT: line_put_text(line, field->text ? field->text : ""); break;
        case LOG_FIELD_INT: line_put_int(line, field->number); break;
        case LOG_FIELD_ID: line_put_text(line, id_write(field->id, id)); break;
        }
}

static void write_line(enum log_level level, const char *event, int64_t suppressed,
                       const struct log_field *fields)
{
        struct line line = {.n = 0};
        char time[TIME_TEXT_SIZE];
        ssize_t written;

        line_put(&line, "{\"time\":", 8);
        line_put_text(&line, time_write(time_now_ms(), time));
        line_put_name(&line, "level");
        line_put_text(&line, level_words[level]);
        line_put_name(&line, "event");
        line_put_text(&line, event);
        if (suppressed > 0 && line_put_name(&line, "suppressed"))
                line_put_int(&line, suppressed);
        for (; fields->name; fields++)
                line_put_field(&line, fields);
        line_put(&line, "}\n", 2);
        do {
                written = write(STDERR_FILENO, line.bytes, line.n);
        } while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
        if (level >= atomic_load(&threshold))
                write_line(level, event, 0, fields);
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

void log_write_limited(enum log_level level, const char *event, const struct log_field *fields)
{
        int64_t suppressed;

        if (level < atomic_load(&threshold))
                return;
        suppressed = limit_pass(event);
        if (suppressed >= 0)
                write_line(level, event, suppressed, fields);
}
