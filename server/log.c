/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a line is built on the stack and leaves in one write, so that lines of two threads never mix.
 *
 * stderr is mostly a pipe that somebody else reads, and who reads it may stop. A write would wait then, and every thread with
 * it, the event loop first. stderr cannot be made non-blocking, for others may share its description. So it is asked for room
 * before: what poll() calls writable takes a line of less than PIPE_BUF at once, as long as nobody of us writes in between,
 * for which there is a lock. */
#include "server/log.h"

#include "server/metrics.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 2048 /* a pipe takes up to 4096 bytes whole */
#define ESCAPED_MAX 6  /* \u0000 */
#define CAUSES_MAX 256 /* in one second; what else comes in it shares a row */
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
        case LOG_FIELD_TEXT:
        case LOG_FIELD_CAUSE: line_put_text(line, field->text ? field->text : ""); break;
        case LOG_FIELD_INT: line_put(line, "%" PRId64, field->number); break;
        case LOG_FIELD_ID: line_put_text(line, id_write(field->id, id)); break;
        }
}

/* ---- stderr ---- */

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t dropped; /* lines since the last that got through */
static bool is_torn;    /* of the last line only a part did: a disk that is full */

/* Whether all of it has left. */
static bool write_whole(const char *bytes, size_t n)
{
        struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
        ssize_t written = -1;

        if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
                return false;
        do {
                written = write(STDERR_FILENO, bytes, n);
        } while (written < 0 && errno == EINTR);
        if (written > 0)
                is_torn = (size_t)written < n;
        return written == (ssize_t)n;
}

static void write_line(enum log_level level, const char *event, int64_t suppressed,
                       const struct log_field *fields)
{
        struct line line = {.n = 0};
        char time[TIME_TEXT_SIZE];

        pthread_mutex_lock(&stderr_lock);
        line_put(&line, "%s{\"time\":\"%s\"", is_torn ? "\n" : "", time_write(time_now_ms(), time));
        line_put_field(&line, &LOG_TEXT("level", level_words[level]));
        line_put_field(&line, &LOG_TEXT("event", event));
        if (suppressed > 0)
                line_put_field(&line, &LOG_INT("suppressed", suppressed));
        if (dropped > 0)
                line_put_field(&line, &LOG_INT("dropped", dropped));
        for (; fields->name; fields++)
                line_put_field(&line, fields);
        line_put(&line, "}\n");
        if (write_whole(line.bytes, line.n)) {
                dropped = 0;
        } else {
                dropped++;
                metrics_dropped();
        }
        pthread_mutex_unlock(&stderr_lock);
}

/* ---- the limit ---- */

static struct limit {
        uint64_t cause; /* 0: free */
        int64_t passed_ms;
        int64_t suppressed;
} limits[CAUSES_MAX];
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;

/* FNV-1a (its authors' draft, 64 bits): that two causes meet in it would cost a line. */
static uint64_t hash_more(uint64_t hash, const char *text)
{
        do
                hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
        while (*text++);
        return hash;
}

static uint64_t cause_of(const char *event, const struct log_field *fields)
{
        uint64_t cause = hash_more(UINT64_C(0xcbf29ce484222325), event);

        for (; fields->name; fields++)
                if (fields->type == LOG_FIELD_CAUSE)
                        cause = hash_more(cause, fields->text ? fields->text : "");
        return cause;
}

/* The cause's row, or the one that was silent for longest. */
static struct limit *limit_need(uint64_t cause)
{
        struct limit *oldest = limits;

        for (struct limit *limit = limits; limit < limits + CAUSES_MAX; limit++) {
                if (limit->cause == cause)
                        return limit;
                if (limit->passed_ms < oldest->passed_ms)
                        oldest = limit;
        }
        return oldest;
}

/* -1 when this one must be left out, else how many were since the last that passed. */
static int64_t limit_pass(uint64_t cause)
{
        int64_t now_ms = time_boot_ms(), suppressed = -1;
        struct limit *limit;

        pthread_mutex_lock(&limits_lock);
        limit = limit_need(cause);
        if (limit->cause && now_ms - limit->passed_ms < WINDOW_MS) {
                limit->suppressed++;
        } else {
                suppressed = limit->cause == cause ? limit->suppressed : 0;
                *limit = (struct limit){.cause = cause, .passed_ms = now_ms};
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
                suppressed = limit_pass(cause_of(event, fields));
        if (suppressed >= 0)
                write_line(level, event, suppressed, fields);
}
