/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one line an event, always whole, always JSON, and never a flood. */
#include "server/log.h"

#include "model/json.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char written[1 << 18];
static int stderr_copy, ends[2];

/* Lines written from here on go into a pipe, until heard() reads them. */
static void listen_to_lines(void)
{
        assert_int_equal(pipe(ends), 0);
        stderr_copy = dup(STDERR_FILENO);
        fcntl(ends[1], F_SETPIPE_SZ, sizeof written);
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
}

static const char *heard(void)
{
        size_t n = 0;
        ssize_t got;

        dup2(stderr_copy, STDERR_FILENO);
        close(stderr_copy);
        while ((got = read(ends[0], written + n, sizeof written - 1 - n)) > 0)
                n += (size_t)got;
        written[n] = '\0';
        close(ends[0]);
        return written;
}

/* The only line, read; the caller puts it. */
static struct json_object *heard_line(void)
{
        struct json_object *line;
        const char *text = heard();
        size_t n = strlen(text);

        assert_true(n > 0 && text[n - 1] == '\n' && strchr(text, '\n') == text + n - 1);
        assert_int_equal(json_read(text, n, &line, NULL), ERR_OK);
        return line;
}

TEST(a_line_says_when_how_bad_and_what)
{
        struct json_object *line;
        struct id id;
        int64_t at_ms;

        assert_true(id_read("0123456789abcdef01234567", &id));
        listen_to_lines();
        log_event(LOG_WARN, "tried", LOG_TEXT("word", "x"), LOG_INT("n", INT64_MIN), LOG_ID("order", &id));
        line = heard_line();
        assert_true(time_read(json_get_text(line, "time"), &at_ms));
        assert_true(at_ms <= time_now_ms() && at_ms > time_now_ms() - 60000);
        assert_string_equal(json_get_text(line, "level"), "warn");
        assert_string_equal(json_get_text(line, "event"), "tried");
        assert_string_equal(json_get_text(line, "word"), "x");
        assert_true(json_get_int(line, "n", 0) == INT64_MIN);
        assert_string_equal(json_get_text(line, "order"), "0123456789abcdef01234567");
        json_object_put(line);
}

TEST(an_event_may_have_no_fields)
{
        struct json_object *line;

        listen_to_lines();
        log_event(LOG_INFO, "alone");
        line = heard_line();
        assert_string_equal(json_get_text(line, "event"), "alone");
        json_object_put(line);
}

TEST(any_bytes_make_a_good_line)
{
        static const char *const texts[][2] = {
                {"quote \" back \\ tab \t line \n end", "quote \" back \\ tab \t line \n end"},
                {"Sipariş 😀 €", "Sipariş 😀 €"},
                {"lone \x80 tail", "lone \xef\xbf\xbd tail"},
                {"cut \xc3", "cut \xef\xbf\xbd"},
                {"cut \xf0\x9f\x98", "cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                {"long form \xc0\xaf", "long form \xef\xbf\xbd\xef\xbf\xbd"},
                {"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                {"beyond \xf4\x90\x80\x80", "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        };

        for (size_t i = 0; i < COUNT(texts); i++) {
                struct json_object *line;

                listen_to_lines();
                log_event(LOG_INFO, "bytes", LOG_TEXT("text", texts[i][0]));
                line = heard_line();
                assert_string_equal(json_get_text(line, "text"), texts[i][1]);
                json_object_put(line);
        }
}

TEST(a_line_is_bounded_and_whole)
{
        static char huge[10000];
        struct json_object *line;

        memset(huge, '\x01', sizeof huge - 1);
        listen_to_lines();
        log_event(LOG_INFO, "huge", LOG_TEXT("first", huge), LOG_TEXT("second", huge), LOG_INT("third", 3));
        line = heard_line();
        assert_true(strlen(written) <= 2048);
        assert_true(strlen(json_get_text(line, "first")) > 200);
        json_object_put(line);
}

TEST(lines_below_the_level_are_dropped)
{
        enum log_level level;

        assert_true(log_level_find("warn", &level));
        assert_int_equal(level, LOG_WARN);
        assert_false(log_level_find("WARN", &level));
        listen_to_lines();
        log_set_level(LOG_WARN);
        log_event(LOG_INFO, "quiet");
        log_limited(LOG_DEBUG, "quiet");
        log_set_level(LOG_INFO);
        log_event(LOG_DEBUG, "quiet");
        assert_string_equal(heard(), "");
}

TEST(a_flood_is_one_line_a_second_that_counts_the_rest)
{
        static const char again[] = "\"event\":\"flood\",\"suppressed\":";
        struct pollfd more = {.events = POLLIN};
        char first[512];
        const char *line;
        ssize_t n;

        listen_to_lines();
        for (int i = 0; i < 100; i++)
                log_limited(LOG_WARN, "flood", LOG_INT("i", i));
        log_limited(LOG_WARN, "another");
        n = read(ends[0], first, sizeof first - 1);
        first[n > 0 ? n : 0] = '\0';
        more.fd = ends[0];
        while (poll(&more, 1, 10) == 0)
                log_limited(LOG_WARN, "flood");
        log_limited(LOG_WARN, "flood");
        assert_non_null(strstr(first, "\"event\":\"flood\",\"i\":0}\n"));
        assert_non_null(strstr(first, "\"event\":\"another\"}\n"));
        assert_null(strstr(first, "\"i\":1}"));
        line = strstr(heard(), again);
        assert_non_null(line);
        assert_true(strtoll(line + strlen(again), NULL, 10) >= 99);
        assert_ptr_equal(strchr(written, '\n'), strrchr(written, '\n'));
}

/* So many lines were heard. */
static int count_lines(void)
{
        int lines = 0;

        for (const char *at = heard(); (at = strchr(at, '\n')); at++)
                lines++;
        return lines;
}

TEST(each_cause_is_limited_by_itself)
{
        listen_to_lines();
        for (int i = 0; i < 10; i++) {
                log_limited(LOG_WARN, "causes", LOG_CAUSE("a", "x"), LOG_CAUSE("b", "yz"), LOG_INT("i", i));
                log_limited(LOG_WARN, "causes", LOG_CAUSE("a", "xy"), LOG_CAUSE("b", "z"), LOG_INT("i", i));
                log_limited(LOG_WARN, "causes2", LOG_CAUSE("a", "x"), LOG_CAUSE("b", "yz"), LOG_INT("i", i));
        }
        assert_int_equal(count_lines(), 3);
        assert_non_null(strstr(written, "\"event\":\"causes\",\"a\":\"xy\",\"b\":\"z\",\"i\":0}"));
}

TEST(causes_without_number_are_a_bounded_flood)
{
        const int64_t began_ms = time_boot_ms();
        char cause[16];
        int lines;

        listen_to_lines();
        for (int i = 0; i < 5000; i++) {
                snprintf(cause, sizeof cause, "%d", i % 1000);
                log_limited(LOG_WARN, "many", LOG_CAUSE("n", cause));
        }
        lines = count_lines();
        assert_true(lines > 100 && lines <= 256 * (2 + (time_boot_ms() - began_ms) / 1000));
}

static int64_t dropped_of(struct json_object *line)
{
        const int64_t n = json_get_int(line, "dropped", 0);

        json_object_put(line);
        return n;
}

TEST(a_pipe_that_nobody_reads_costs_lines_and_not_time)
{
        static char page[4096];

        listen_to_lines();
        fcntl(STDERR_FILENO, F_SETPIPE_SZ, (int)sizeof page);
        assert_int_equal(write(STDERR_FILENO, page, sizeof page), sizeof page);
        for (int i = 0; i < 3; i++)
                log_event(LOG_ERROR, "lost");
        assert_int_equal(read(ends[0], page, sizeof page), sizeof page);
        log_event(LOG_ERROR, "found");
        assert_int_equal(dropped_of(heard_line()), 3);
        listen_to_lines();
        log_event(LOG_ERROR, "found");
        assert_int_equal(dropped_of(heard_line()), 0);
}

TEST(nobody_at_the_other_end_is_no_harm)
{
        signal(SIGPIPE, SIG_IGN);
        listen_to_lines();
        close(ends[0]);
        log_event(LOG_ERROR, "lost");
        close(STDERR_FILENO);
        log_event(LOG_ERROR, "lost");
        dup2(stderr_copy, STDERR_FILENO);
        close(stderr_copy);
        listen_to_lines();
        log_event(LOG_ERROR, "found");
        assert_int_equal(dropped_of(heard_line()), 2);
}

TEST(after_a_torn_line_the_next_is_whole)
{
        FILE *file = tmpfile();
        struct rlimit limit, all;
        struct json_object *line;
        const char *second;

        assert_non_null(file);
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
        limit = (struct rlimit){.rlim_cur = 50, .rlim_max = all.rlim_max};
        stderr_copy = dup(STDERR_FILENO);
        dup2(fileno(file), STDERR_FILENO);
        setrlimit(RLIMIT_FSIZE, &limit);
        log_event(LOG_ERROR, "torn");
        log_event(LOG_ERROR, "lost");
        setrlimit(RLIMIT_FSIZE, &all);
        log_event(LOG_ERROR, "whole");
        log_event(LOG_ERROR, "whole");
        ends[0] = dup(fileno(file));
        lseek(ends[0], 0, SEEK_SET);
        second = strchr(heard(), '\n');
        assert_int_equal(second - written, 50);
        assert_int_equal(json_read(second + 1, strcspn(second + 1, "\n"), &line, NULL), ERR_OK);
        assert_int_equal(dropped_of(line), 2);
        assert_null(strstr(written, "\n\n"));
        fclose(file);
}

static void *chatter(void *arg)
{
        for (int i = 0; i < 200; i++)
                log_event(LOG_INFO, "chat", LOG_TEXT("who", arg), LOG_INT("i", i));
        return NULL;
}

TEST(lines_of_two_threads_do_not_mix)
{
        static char names[2][80];
        pthread_t threads[2];
        int lines = 0;

        listen_to_lines();
        for (int i = 0; i < 2; i++) {
                memset(names[i], 'a' + i, sizeof names[i] - 1);
                assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
        }
        for (int i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        heard();
        for (char *at = written, *line; (line = strsep(&at, "\n")) && *line; lines++) {
                struct json_object *read;

                assert_int_equal(json_read(line, strlen(line), &read, NULL), ERR_OK);
                json_object_put(read);
        }
        assert_int_equal(lines, 400);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_says_when_how_bad_and_what),
                cmocka_unit_test(an_event_may_have_no_fields),
                cmocka_unit_test(any_bytes_make_a_good_line),
                cmocka_unit_test(a_line_is_bounded_and_whole),
                cmocka_unit_test(lines_below_the_level_are_dropped),
                cmocka_unit_test(a_flood_is_one_line_a_second_that_counts_the_rest),
                cmocka_unit_test(each_cause_is_limited_by_itself),
                cmocka_unit_test(causes_without_number_are_a_bounded_flood),
                cmocka_unit_test(a_pipe_that_nobody_reads_costs_lines_and_not_time),
                cmocka_unit_test(nobody_at_the_other_end_is_no_harm),
                cmocka_unit_test(after_a_torn_line_the_next_is_whole),
                cmocka_unit_test(lines_of_two_threads_do_not_mix),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
