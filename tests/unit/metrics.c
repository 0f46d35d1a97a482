/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - what was counted is told in Prometheus' text, every counter from the start and none twice. */
#include "server/metrics.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind `counter`, which is a whole line but for its value. */
static double value_of(const char *text, const char *counter)
{
        char line[128];
        const char *at;

        snprintf(line, sizeof line, "\n%s ", counter);
        at = strstr(text, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
        return strtod(at + strlen(line), NULL);
}

static double counted(const char *counter)
{
        CLEAN(free_at) char *text = metrics_write();

        assert_non_null(text);
        return value_of(text, counter);
}

static void send(const char *name, int64_t took_us, bool failed)
{
        const struct command command = {.name = name, .took_us = took_us, .failed = failed};

        metrics_command(&command);
}

TEST(what_was_never_counted_stands_at_nought)
{
        assert_true(counted("kuryed_claims_total{result=\"failed\"}") == 0);
        assert_true(counted("kuryed_store_commands_total{command=\"getMore\",result=\"failed\"}") == 0);
}

TEST(claims_are_counted_by_what_came_of_them)
{
        metrics_claim(CLAIM_WON);
        metrics_claim(CLAIM_WON);
        metrics_claim(CLAIM_LOST);
        assert_true(counted("kuryed_claims_total{result=\"won\"}") == 2);
        assert_true(counted("kuryed_claims_total{result=\"lost\"}") == 1);
}

TEST(commands_are_counted_by_name_and_result_and_their_time_is_summed)
{
        send("findAndModify", 1500000, false);
        send("findAndModify", 250, true);
        send("findAndModify", -1, false);
        assert_true(counted("kuryed_store_commands_total{command=\"findAndModify\",result=\"ok\"}") == 2);
        assert_true(counted("kuryed_store_commands_total{command=\"findAndModify\",result=\"failed\"}") == 1);
        assert_true(counted("kuryed_store_command_seconds_total{command=\"findAndModify\"}") == 1.50025);
        assert_true(counted("kuryed_store_commands_total{command=\"find\",result=\"ok\"}") == 0);
}

TEST(a_command_without_a_row_is_another)
{
        send("hello\"} 1\n", 1, false);
        send("ping", 1, false);
        assert_true(counted("kuryed_store_commands_total{command=\"other\",result=\"ok\"}") == 2);
}

TEST(each_family_says_what_it_is_before_its_counters)
{
        CLEAN(free_at) char *text = metrics_write();
        char family[128] = "", name[128], word[8];
        int n;

        assert_non_null(text);
        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                if (sscanf(line, "# HELP %127s %n", name, &n) == 1) {
                        assert_true(line[n] >= 'A' && line[n] <= 'Z');
                        snprintf(family, sizeof family, "%s", name);
                } else if (sscanf(line, "# TYPE %127s %7s\n", name, word) == 2) {
                        assert_string_equal(name, family);
                        assert_string_equal(word, streq(name, "kuryed_watchers") ? "gauge" : "counter");
                } else {
                        assert_memory_equal(line, family, strlen(family));
                        assert_int_equal(line[strlen(family)], streq(family, "kuryed_watchers") ? ' ' : '{');
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_never_counted_stands_at_nought),
                cmocka_unit_test(claims_are_counted_by_what_came_of_them),
                cmocka_unit_test(commands_are_counted_by_name_and_result_and_their_time_is_summed),
                cmocka_unit_test(a_command_without_a_row_is_another),
                cmocka_unit_test(each_family_says_what_it_is_before_its_counters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
