/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - what was counted is told in Prometheus' text, every counter from the start and none twice. */
#include "server/metrics.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct route routes[] = {{.method = "GET", .path = "/orders/{id}"},
                                      {.method = "POST", .path = "/orders"},
                                      {0}};
static const struct route ops_routes[] = {{.method = "GET", .path = "/livez"}, {0}};

static char *write_now(const struct sampled *sampled)
{
        char *text = metrics_write(sampled);

        assert_non_null(text);
        return text;
}

/* What stands behind `series`, which is a whole line but for its value. */
static double value_of(const char *text, const char *series)
{
        char line[128];
        const char *at;

        snprintf(line, sizeof line, "\n%s ", series);
        at = strstr(text, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
        return strtod(at + strlen(line), NULL);
}

static double counted(const char *series)
{
        CLEAN(free_at) char *text = write_now(&(struct sampled){0});

        return value_of(text, series);
}

static bool is_there(const char *part)
{
        CLEAN(free_at) char *text = write_now(&(struct sampled){0});

        return strstr(text, part);
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

TEST(requests_are_counted_by_their_route_whichever_port_it_is_of)
{
        metrics_request(&routes[1], 200, 700);
        metrics_request(&routes[1], 503, -1);
        metrics_request(&ops_routes[0], 200, 0);
        metrics_request(NULL, 404, -1);
        metrics_request(&(struct route){.method = "GET", .path = "/other's"}, 418, -1);
        assert_true(counted("kuryed_http_requests_total{route=\"POST /orders\",code=\"200\"}") == 1);
        assert_true(counted("kuryed_http_requests_total{route=\"POST /orders\",code=\"503\"}") == 1);
        assert_true(counted("kuryed_http_requests_total{route=\"GET /livez\",code=\"200\"}") == 1);
        assert_true(counted("kuryed_http_requests_total{route=\"unknown\",code=\"404\"}") == 1);
        assert_true(counted("kuryed_http_requests_total{route=\"unknown\",code=\"other\"}") == 1);
        assert_true(counted("kuryed_http_request_duration_seconds_count{route=\"POST /orders\"}") == 1);
        assert_false(is_there("orders/{id}"));
        assert_false(is_there("kuryed_http_request_duration_seconds_count{route=\"unknown\"}"));
}

#define LAG "kuryed_delivery_lag_seconds"
#define OF "{platform=\"migrosyemek\""
TEST(a_histogram_counts_up_and_what_lies_on_an_edge_is_within)
{
        assert_false(is_there(LAG "_count" OF));
        metrics_lag(PLATFORM_MIGROSYEMEK, -5); /* two machines' clocks */
        metrics_lag(PLATFORM_MIGROSYEMEK, 25);
        metrics_lag(PLATFORM_MIGROSYEMEK, 26);
        metrics_lag(PLATFORM_MIGROSYEMEK, INT64_C(8000000));
        assert_true(counted(LAG "_bucket" OF ",le=\"0.01\"}") == 1);
        assert_true(counted(LAG "_bucket" OF ",le=\"0.025\"}") == 2);
        assert_true(counted(LAG "_bucket" OF ",le=\"0.05\"}") == 3);
        assert_true(counted(LAG "_bucket" OF ",le=\"7200\"}") == 3);
        assert_true(counted(LAG "_bucket" OF ",le=\"+Inf\"}") == 4);
        assert_true(counted(LAG "_count" OF "}") == 4);
        assert_true(counted(LAG "_sum" OF "}") == 8000.051);
        assert_false(is_there(LAG "_count{platform=\"dukkango\"}"));
}

TEST(every_error_of_a_webhook_has_an_outcome)
{
        for (int e = 1; e < ERR_COUNT; e++)
                metrics_webhook_refused((enum err)e);
        assert_true(counted("kuryed_webhooks_total{outcome=\"moved\"}") == 0);
        assert_true(counted("kuryed_webhooks_total{outcome=\"final\"}") == 1);
        assert_true(counted("kuryed_webhooks_total{outcome=\"no_integration\"}") == 1);
        assert_true(counted("kuryed_webhooks_total{outcome=\"busy\"}") == 2);
        assert_true(counted("kuryed_webhooks_total{outcome=\"failed\"}") == 4);
}

TEST(what_goes_up_and_down_may_stand_below_nought_and_what_is_unknown_is_left_out)
{
        const struct sampled now = {.clock_offset_ms = -1500,
                                    .process = {.open_fds = 7, .cpu_us = PROCESS_UNKNOWN}};
        CLEAN(free_at) char *text = NULL;

        metrics_breakers(CALLEE_COURIER, 2);
        metrics_breakers(CALLEE_COURIER, -1);
        text = write_now(&now);
        assert_true(value_of(text, "kuryed_breakers_open{platform=\"courier\"}") == 1);
        assert_true(value_of(text, "kuryed_store_clock_offset_seconds") == -1.5);
        assert_true(value_of(text, "process_open_fds") == 7);
        assert_null(strstr(text, "\nprocess_cpu_seconds_total"));
        assert_null(strstr(text, "\nkuryed_owed"));
}

/* A line of a family: `name{` or `name `, or one of the three that a histogram has. */
static bool belongs(const char *line, const char *family, const char *type)
{
        static const char *const parts[] = {"_bucket{", "_sum", "_count"};
        const char *rest = line + strlen(family);

        if (strncmp(line, family, strlen(family)) != 0)
                return false;
        if (!streq(type, "histogram"))
                return *rest == '{' || *rest == ' ';
        for (size_t i = 0; i < 3; i++)
                if (strncmp(rest, parts[i], strlen(parts[i])) == 0)
                        return true;
        return false;
}

TEST(each_family_says_what_it_is_before_its_series)
{
        CLEAN(free_at) char *text = write_now(&(struct sampled){0});
        char family[128] = "", name[128], type[16] = "";
        int n;

        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                if (sscanf(line, "# HELP %127s %n", name, &n) == 1) {
                        assert_true(line[n] >= 'A' && line[n] <= 'Z');
                        snprintf(family, sizeof family, "%s", name);
                } else if (sscanf(line, "# TYPE %127s %15s\n", name, type) == 2) {
                        assert_string_equal(name, family);
                        assert_int_equal(streq(type, "counter"), streq(name + strlen(name) - 6, "_total"));
                } else {
                        assert_true(belongs(line, family, type));
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
                cmocka_unit_test(requests_are_counted_by_their_route_whichever_port_it_is_of),
                cmocka_unit_test(a_histogram_counts_up_and_what_lies_on_an_edge_is_within),
                cmocka_unit_test(every_error_of_a_webhook_has_an_outcome),
                cmocka_unit_test(
                        what_goes_up_and_down_may_stand_below_nought_and_what_is_unknown_is_left_out),
                cmocka_unit_test(each_family_says_what_it_is_before_its_series),
        };

        metrics_routes(routes, ops_routes);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
