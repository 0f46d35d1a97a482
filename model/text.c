/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - bounded strings, ids and times. The calendar is our own: the C library's takes a process-wide lock. */
#include "model/text.h"

#include "model/crypto.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

bool streq(const char *a, const char *b)
{
        return a && b && strcmp(a, b) == 0;
}

int word_find(const char *word, const char *const *words, int n)
{
        int i = 0;

        while (i < n && !streq(word, words[i]))
                i++;
        return i < n ? i : -1;
}

bool text_copy(char *to, size_t size, const char *from)
{
        size_t n = strlen(from);

        if (size > 0)
                memcpy(to, n < size ? from : "", n < size ? n + 1 : 1);
        return n < size;
}

bool text_is_printable(const char *text, size_t min, size_t max)
{
        size_t n = 0;

        for (; text[n]; n++)
                if (n == max || text[n] < 0x20 || text[n] > 0x7e)
                        return false;
        return n >= min;
}

size_t utf8_length(const char *text, size_t max)
{
        static const uint32_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0}, least[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *s = (const unsigned char *)text;
        size_t n = max == 0 || s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
        uint32_t code;

        if (n > max)
                return 0;
        code = s[0] - lead[n]; /* far too large where it is no first byte */
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (s[i] & 0x3f);
        }
        return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

/* ---- hex and ids ---- */

void hex_write(const uint8_t *bytes, size_t n, char *to)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                *to++ = digits[bytes[i] >> 4];
                *to++ = digits[bytes[i] & 15];
        }
        *to = '\0';
}

/* -1 for what is no hex digit. */
static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

bool hex_read(const char *text, uint8_t *to, size_t n)
{
        for (size_t i = 0; i < n; i++, text += 2) {
                int high = hex_value(text[0]);
                int low = high < 0 ? -1 : hex_value(text[1]);

                if (low < 0)
                        return false;
                to[i] = (uint8_t)(high << 4 | low);
        }
        return *text == '\0';
}

bool id_read(const char *text, struct id *ret)
{
        struct id id;

        if (!hex_read(text, id.bytes, sizeof id.bytes))
                return false;
        *ret = id;
        return true;
}

const char *id_write(const struct id *id, char to[ID_TEXT_SIZE])
{
        hex_write(id->bytes, sizeof id->bytes, to);
        return to;
}

bool id_equal(const struct id *a, const struct id *b)
{
        return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool id_is_zero(const struct id *id)
{
        static const struct id zero;

        return id_equal(id, &zero);
}

bool id_make(int64_t now_ms, struct id *ret)
{
        /* So that what one process makes in the same millisecond still sorts by creation. */
        static atomic_uint counter;
        const uint64_t head = (uint64_t)(now_ms / 1000) << 24 | (atomic_fetch_add(&counter, 1) & 0xffffff);
        struct id id;

        if (!crypto_random(id.bytes + 7, sizeof id.bytes - 7))
                return false;
        for (int i = 0; i < 7; i++)
                id.bytes[i] = (uint8_t)(head >> (48 - 8 * i));
        *ret = id;
        return true;
}

/* ---- times ---- */

#define DAY_MS INT64_C(86400000)
#define LAST_MS INT64_C(253402300799999) /* the end of 9999 */

/* Days of a common year before each month. */
static const int days_before[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(int year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of `year` before `month`, which counts from 0 to 12. */
static int month_start(int year, int month)
{
        assert(month >= 0 && month <= 12);
        return days_before[month] + (month > 1 && is_leap(year));
}

/* Days from 1970 to the first of January. */
static int year_start(int year)
{
        int past = year - 1;

        return 365 * past + past / 4 - past / 100 + past / 400 - 719162;
}

static void write_digits(char *to, int value, int n)
{
        for (; n-- > 0; value /= 10)
                to[n] = (char)('0' + value % 10);
}

const char *time_write(int64_t ms, char to[TIME_TEXT_SIZE])
{
        /* What lies outside came from a damaged store, and must not make a text of another length. */
        int64_t bounded = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
        int day = (int)(bounded / DAY_MS), of_day = (int)(bounded % DAY_MS);
        int year = 1970 + day / 366, month = 0;

        while (year_start(year + 1) <= day)
                year++;
        day -= year_start(year);
        while (month_start(year, month + 1) <= day)
                month++;
        memcpy(to, "yyyy-mm-ddThh:mm:ss.mmmZ", TIME_TEXT_SIZE);
        write_digits(to, year, 4);
        write_digits(to + 5, month + 1, 2);
        write_digits(to + 8, day - month_start(year, month) + 1, 2);
        write_digits(to + 11, of_day / 3600000, 2);
        write_digits(to + 14, of_day / 60000 % 60, 2);
        write_digits(to + 17, of_day / 1000 % 60, 2);
        write_digits(to + 20, of_day % 1000, 3);
        return to;
}

/* One of `before`, where that is not empty, then exactly `n` digits whose value lies in the bounds; moves *at on. */
static bool read_part(const char **at, const char *before, int n, int min, int max, int *ret)
{
        int value = 0;

        if (*before && (**at == '\0' || !strchr(before, *(*at)++)))
                return false;
        for (; n > 0; n--, ++*at) {
                if (**at < '0' || **at > '9')
                        return false;
                value = 10 * value + (**at - '0');
        }
        *ret = value;
        return value >= min && value <= max;
}

/* Days since 1970, of any year with four digits. */
static bool read_date(const char **at, int *ret_day)
{
        int year, month, day;

        if (!read_part(at, "", 4, 0, 9999, &year) || !read_part(at, "-", 2, 1, 12, &month) ||
            !read_part(at, "-", 2, 1, 31, &day))
                return false;
        *ret_day = year_start(year) + month_start(year, month - 1) + day - 1;
        return day <= month_start(year, month) - month_start(year, month - 1);
}

/* Milliseconds of the day. */
static bool read_clock(const char **at, int *ret_ms)
{
        int hour, minute, second, fraction = 0;

        if (!read_part(at, "Tt ", 2, 0, 23, &hour) || !read_part(at, ":", 2, 0, 59, &minute) ||
            !read_part(at, ":", 2, 0, 59, &second))
                return false;
        if (**at == '.') {
                const char *first = ++*at;

                for (int worth = 100; **at >= '0' && **at <= '9'; ++*at, worth /= 10)
                        fraction += worth * (**at - '0');
                if (*at == first)
                        return false;
        }
        *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
        return true;
}

/* Minutes east of UTC, up to the end. */
static bool read_offset(const char *at, int *ret_minutes)
{
        int hour, minute, sign = *at == '-' ? -1 : 1;

        if (*at == '\0' || streq(at, "Z") || streq(at, "z")) {
                *ret_minutes = *at ? 0 : 180;
                return true;
        }
        if (!read_part(&at, "+-", 2, 0, 23, &hour) || !read_part(&at, ":", 2, 0, 59, &minute))
                return false;
        *ret_minutes = sign * (60 * hour + minute);
        return *at == '\0';
}

bool time_read(const char *text, int64_t *ret_ms)
{
        int day, of_day, minutes;
        int64_t ms;

        if (!read_date(&text, &day) || !read_clock(&text, &of_day) || !read_offset(text, &minutes))
                return false;
        ms = day * DAY_MS + of_day - minutes * INT64_C(60000);
        if (ms < 0 || ms > LAST_MS)
                return false;
        *ret_ms = ms;
        return true;
}

static int64_t clock_us(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int64_t time_now_ms(void)
{
        return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t time_boot_ms(void)
{
        return time_boot_us() / 1000;
}

int64_t time_boot_us(void)
{
        return clock_us(CLOCK_BOOTTIME);
}
