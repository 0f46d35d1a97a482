/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - tests of server/client.c against a peer and a DNS of our own. */
#include "tests/unit/call.h"

#include "model/clean.h"

#include <time.h>

static void an_answer_comes_home_with_its_body(void **state)
{
        static const struct {
                const char *path;
                int http;
                const char *body;
        } rows[] = {{"/ok", 200, "hello"}, {"/empty", 204, ""}, {"/chunked", 200, "abc"}};
        struct world w;

        (void)state;
        begin(&w, 0);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct call call;

                ask(&w, &call, "GET", rows[i].path);
                assert_answered(&call, rows[i].http, rows[i].body);
                assert_int_equal(call.answer.retry_after_ms, -1);
                assert_in_range(call.took_ms, 0, GUARD_MS);
                call_done(&call);
        }
        end(&w);
}

static void a_kept_connection_is_used_again_and_a_name_is_asked_for_once(void **state)
{
        int asked = names_asked();
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        for (int i = 0; i < 5; i++) {
                ask(&w, &call, i % 2 ? "PUT" : "GET", "/ok");
                assert_answered(&call, 200, "hello");
                call_done(&call);
        }
        assert_int_equal(requests(&w), 5);
        assert_int_equal(connections(&w), 1);
        assert_int_equal(names_asked(), asked + 1);
        end(&w);
}

static void nothing_is_sent_that_the_message_does_not_say(void **state)
{
        struct world w;
        struct call call;
        char expected[256];

        (void)state;
        begin(&w, 0);
        ask(&w, &call, "PUT", "/ok?a=b");
        call_done(&call);
        assert_int_equal(connections(&w), 1);
        snprintf(expected, sizeof expected,
                 "PUT /ok?a=b HTTP/1.1\r\nHost: platform.test:%d\r\nContent-Length: 0\r\n\r\n", w.peer.port);
        assert_string_equal(w.peer.last, expected);
        ask(&w, &call, "GET", "/ok");
        call_done(&call);
        assert_int_equal(connections(&w), 1);
        snprintf(expected, sizeof expected, "GET /ok HTTP/1.1\r\nHost: platform.test:%d\r\n\r\n",
                 w.peer.port);
        assert_string_equal(w.peer.last, expected);
        end(&w);
}

static void headers_and_body_go_as_they_are(void **state)
{
        struct world w;
        struct call call;
        char body[4001];

        (void)state;
        begin(&w, 0);
        memset(body, 'b', sizeof body - 1);
        body[sizeof body - 1] = '\0';
        prepare_path(&w, &call, "POST", "/ok");
        assert_int_equal(message_header(&call.message, "accept", "text/plain", NULL), ERR_OK);
        assert_int_equal(message_header(&call.message, "Content-Type", "application/json", NULL), ERR_OK);
        assert_int_equal(message_header(&call.message, "X-Key", "secret", NULL), ERR_OK);
        call.message.body = strdup(body);
        carry(&w, &call);
        assert_answered(&call, 200, "hello");
        assert_int_equal(requests(&w), 1);
        assert_memory_equal(w.peer.last, "POST /ok HTTP/1.1\r\n", 19);
        assert_non_null(strstr(w.peer.last, "\r\naccept: text/plain\r\n"));
        assert_non_null(strstr(w.peer.last, "\r\nContent-Type: application/json\r\n"));
        assert_non_null(strstr(w.peer.last, "\r\nX-Key: secret\r\n"));
        assert_non_null(strstr(w.peer.last, "\r\nContent-Length: 4000\r\n"));
        assert_null(strstr(w.peer.last, "Expect"));
        assert_null(strstr(w.peer.last, "Accept"));
        assert_string_equal(strstr(w.peer.last, "\r\n\r\n") + 4, body);
        call_done(&call);
        end(&w);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        ask(&w, &call, "GET", "/moved");
        assert_answered(&call, 302, "");
        assert_int_equal(requests(&w), 1);
        call_done(&call);
        end(&w);
}

static void an_answer_that_is_cut_or_too_long_is_unsure(void **state)
{
        static const char *const paths[] = {"/large", "/headers", "/short", "/early"};
        struct world w;

        (void)state;
        begin(&w, 0);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
                struct call call;

                ask(&w, &call, "PUT", paths[i]);
                assert_not_answered(&call, CARRIED_UNSURE);
                assert_int_equal(requests(&w), (int)i + 1);
                call_done(&call);
        }
        end(&w);
}

static void an_answer_may_be_as_long_as_the_message_says(void **state)
{
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        prepare_path(&w, &call, "GET", "/large");
        call.message.reply_max = 1 << 20;
        carry(&w, &call);
        assert_int_equal(call.answer.http, 200);
        assert_int_equal(call.answer.length, 1 << 20);
        call_done(&call);
        prepare_path(&w, &call, "GET", "/large");
        call.message.reply_max = (1 << 20) - 1;
        carry(&w, &call);
        assert_not_answered(&call, CARRIED_UNSURE);
        call_done(&call);
        end(&w);
}

static void the_deadline_ends_a_call_whatever_the_platform_does(void **state)
{
        static const char *const paths[] = {"/hang", "/drip"};
        struct world w;

        (void)state;
        begin(&w, 0);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
                struct call call;

                prepare_path(&w, &call, "PUT", paths[i]);
                call.timeout_ms = 150;
                carry(&w, &call);
                assert_not_answered(&call, CARRIED_UNSURE);
                assert_in_range(call.took_ms, 145, GUARD_MS);
                call_done(&call);
        }
        end(&w);
}

static void what_cannot_have_arrived_was_never_carried(void **state)
{
        static const char *const urls[] = {"http://missing.test/",
                                           "ftp://127.0.0.1/",
                                           "file:///etc/hostname",
                                           "http://*/",
                                           "http://a,b/",
                                           "http://platform.test.:1/",
                                           "http://[::1]:1/",
                                           "http://",
                                           "nonsense",
                                           ""};
        struct world w;
        struct call call;
        char url[64];
        int port, fd = peer_socket(&port);

        (void)state;
        begin(&w, 0);
        for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
                prepare(&w, &call, "PUT", urls[i], GUARD_MS);
                carry(&w, &call);
                assert_not_answered(&call, CARRIED_NEVER);
                call_done(&call);
        }
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
        prepare(&w, &call, "PUT", url, GUARD_MS);
        carry(&w, &call);
        assert_not_answered(&call, CARRIED_NEVER);
        assert_non_null(strstr(call.answer.trouble, ": Connection refused"));
        call_done(&call);
        snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", w.peer.port);
        prepare(&w, &call, "PUT", url, GUARD_MS);
        carry(&w, &call); /* the platform speaks no TLS */
        assert_not_answered(&call, CARRIED_NEVER);
        call_done(&call);
        assert_int_equal(requests(&w), 0);
        close(fd);
        end(&w);
}

/* A listening socket that nobody accepts from: the system connects, and takes in what is sent. */
static void a_deadline_during_the_handshake_is_never_and_after_it_unsure(void **state)
{
        struct world w;
        struct call call;
        char url[64];
        int port, fd = peer_socket(&port);

        (void)state;
        begin(&w, 0);
        assert_int_equal(listen(fd, 8), 0);
        snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
        prepare(&w, &call, "PUT", url, 150);
        carry(&w, &call);
        assert_not_answered(&call, CARRIED_NEVER);
        call_done(&call);
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
        prepare(&w, &call, "PUT", url, 150);
        carry(&w, &call);
        assert_not_answered(&call, CARRIED_UNSURE);
        call_done(&call);
        close(fd);
        end(&w);
}

static void the_next_address_is_tried_where_the_first_refuses(void **state)
{
        struct world w;
        struct call call;
        char url[64];

        (void)state;
        begin(&w, 0);
        snprintf(url, sizeof url, "http://TWO.test:%d/ok", w.peer.port);
        prepare(&w, &call, "GET", url, GUARD_MS);
        carry(&w, &call);
        assert_answered(&call, 200, "hello");
        call_done(&call);
        end(&w);
}

static void a_kept_connection_that_breaks_repeats_only_a_get(void **state)
{
        static const struct {
                const char *method;
                int requests;
        } rows[] = {{"GET", 3}, {"PUT", 2}, {"POST", 2}};

        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct world w;
                struct call call;

                begin(&w, 0);
                ask(&w, &call, "PUT", "/once");
                assert_answered(&call, 200, "hello");
                call_done(&call);
                ask(&w, &call, rows[i].method, "/once");
                if (streq(rows[i].method, "GET"))
                        assert_answered(&call, 200, "hello");
                else
                        assert_not_answered(&call, CARRIED_UNSURE);
                assert_int_equal(requests(&w), rows[i].requests);
                call_done(&call);
                end(&w);
        }
}

/* curl hands it on as it came; from 8 on it refuses it. */
static void nothing_is_decompressed_that_nobody_asked_for(void **state)
{
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        ask(&w, &call, "GET", "/coded");
        if (call.answer.carried == CARRIED_ANSWERED) {
                assert_int_equal(call.answer.http, 200);
                assert_int_equal(call.answer.length, 25);
                assert_int_equal(call.answer.body[0], 0x1f);
        } else {
                assert_not_answered(&call, CARRIED_UNSURE);
        }
        call_done(&call);
        end(&w);
}

static void an_answer_that_came_ahead_is_not_taken_for_the_next_calls(void **state)
{
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        ask(&w, &call, "PUT", "/ahead");
        assert_answered(&call, 200, "hello");
        call_done(&call);
        peer_open_gate(&w.peer);
        peer_await(&w.peer, &w.peer.ahead, 1);
        ask(&w, &call, "PUT", "/refused");
        assert_answered(&call, 401, "");
        assert_int_equal(requests(&w), 2);
        assert_int_equal(connections(&w), 2);
        call_done(&call);
        end(&w);
}

static void retry_after_is_read_as_seconds_or_a_date_up_to_an_hour(void **state)
{
        static const struct {
                const char *text;
                int64_t ms;
        } rows[] = {{"120", 120000},
                    {"86400", 3600000},
                    {"9999999999", 3600000},
                    {"0", -1},
                    {"-5", -1},
                    {"soon", -1},
                    {"", -1},
                    {"Wed,+21+Oct+2015+07:28:00+GMT", -1}};
        time_t soon = time(NULL) + 100;
        struct world w;
        struct call call;
        char path[64];
        struct tm tm;

        (void)state;
        begin(&w, 0);
        strftime(path, sizeof path, "/later?%a,+%d+%b+%Y+%H:%M:%S+GMT", gmtime_r(&soon, &tm));
        ask(&w, &call, "GET", path);
        assert_answered(&call, 429, "");
        assert_in_range(call.answer.retry_after_ms, 80000, 100000);
        call_done(&call);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                snprintf(path, sizeof path, "/later?%s", rows[i].text);
                ask(&w, &call, "GET", path);
                assert_answered(&call, 429, "");
                assert_int_equal(call.answer.retry_after_ms, rows[i].ms);
                call_done(&call);
                ask(&w, &call, "GET", "/ok"); /* on the same handle: nothing stays */
                assert_int_equal(call.answer.retry_after_ms, -1);
                call_done(&call);
        }
        end(&w);
}

static void more_calls_than_may_run_at_once_all_come_home(void **state)
{
        static struct call calls[64];
        struct world w;

        (void)state;
        begin(&w, 4);
        for (int i = 0; i < 64; i++) {
                prepare_path(&w, &calls[i], "PUT", "/gate");
                client_submit(w.client, &calls[i]);
        }
        peer_await(&w.peer, &w.peer.inside, 4);
        peer_open_gate(&w.peer);
        await_home(&w, 64);
        for (int i = 0; i < 64; i++) {
                assert_answered(&calls[i], 204, "");
                call_done(&calls[i]);
        }
        assert_int_equal(peer_count(&w.peer, &w.peer.inside_most), 4);
        assert_int_equal(requests(&w), 64);
        assert_int_equal(connections(&w), 4);
        end(&w);
}

static void waiting_for_a_slot_is_not_counted(void **state)
{
        struct world w;
        struct call calls[3];
        int64_t begun_ms;

        (void)state;
        begin(&w, 1);
        begun_ms = time_boot_ms();
        for (int i = 0; i < 3; i++) {
                prepare_path(&w, &calls[i], "PUT", "/hang");
                calls[i].timeout_ms = 150;
                client_submit(w.client, &calls[i]);
        }
        await_home(&w, 3);
        assert_in_range(time_boot_ms() - begun_ms, 3 * 145, GUARD_MS);
        for (int i = 0; i < 3; i++) {
                assert_not_answered(&calls[i], CARRIED_UNSURE);
                assert_in_range(calls[i].took_ms, 145, time_boot_ms() - begun_ms - 2 * 145);
                call_done(&calls[i]);
        }
        end(&w);
}

static void a_hanging_name_ends_at_its_deadline_and_harms_no_other(void **state)
{
        struct world w;
        struct call hanging, call;

        (void)state;
        begin(&w, 2);
        names_hold();
        prepare(&w, &hanging, "PUT", "http://hang.test/", 300);
        client_submit(w.client, &hanging);
        names_await_hanging(1);
        ask(&w, &call, "PUT", "/ok");
        assert_answered(&call, 200, "hello");
        call_done(&call);
        await_home(&w, 2);
        assert_not_answered(&hanging, CARRIED_NEVER);
        assert_in_range(hanging.took_ms, 300, GUARD_MS);
        call_done(&hanging);
        ask(&w, &call, "PUT", "/ok"); /* the slot is free, though the name still hangs */
        call_done(&call);
        end(&w);
        names_release();
}

static void a_stop_in_the_middle_completes_all(void **state)
{
        struct world w;
        struct call carried, resolving, queued;

        (void)state;
        begin(&w, 2);
        names_hold();
        prepare_path(&w, &carried, "PUT", "/hang");
        client_submit(w.client, &carried);
        peer_await(&w.peer, &w.peer.requests, 1);
        prepare(&w, &resolving, "PUT", "http://hang.test/", GUARD_MS);
        client_submit(w.client, &resolving);
        names_await_hanging(1);
        prepare_path(&w, &queued, "PUT", "/ok");
        client_submit(w.client, &queued);
        client_stop(TAKE(w.client));
        inbox_run(&w.inbox);
        assert_int_equal(home, 3);
        assert_not_answered(&carried, CARRIED_UNSURE);
        assert_not_answered(&resolving, CARRIED_NEVER);
        assert_not_answered(&queued, CARRIED_NEVER);
        call_done(&carried);
        call_done(&resolving);
        call_done(&queued);
        end(&w);
        names_release();
}

static void a_name_that_answers_after_its_call_went_home_harms_nothing(void **state)
{
        struct world w;
        struct call call;

        (void)state;
        begin(&w, 0);
        names_hold();
        prepare(&w, &call, "PUT", "http://hang.test/", 100);
        carry(&w, &call);
        assert_not_answered(&call, CARRIED_NEVER);
        call_done(&call);
        names_release();
        ask(&w, &call, "PUT", "/ok");
        assert_answered(&call, 200, "hello");
        call_done(&call);
        end(&w);
}

static void the_pulse_goes_on(void **state)
{
        struct world w;
        struct call call;
        int64_t begun_ms = time_boot_ms();

        (void)state;
        begin(&w, 0);
        assert_true(client_pulse_ms(w.client) >= begun_ms);
        begun_ms = time_boot_ms();
        ask(&w, &call, "GET", "/ok");
        call_done(&call);
        assert_true(client_pulse_ms(w.client) >= begun_ms);
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_answer_comes_home_with_its_body),
                cmocka_unit_test(a_kept_connection_is_used_again_and_a_name_is_asked_for_once),
                cmocka_unit_test(nothing_is_sent_that_the_message_does_not_say),
                cmocka_unit_test(headers_and_body_go_as_they_are),
                cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
                cmocka_unit_test(an_answer_that_is_cut_or_too_long_is_unsure),
                cmocka_unit_test(an_answer_may_be_as_long_as_the_message_says),
                cmocka_unit_test(the_deadline_ends_a_call_whatever_the_platform_does),
                cmocka_unit_test(what_cannot_have_arrived_was_never_carried),
                cmocka_unit_test(a_deadline_during_the_handshake_is_never_and_after_it_unsure),
                cmocka_unit_test(the_next_address_is_tried_where_the_first_refuses),
                cmocka_unit_test(a_kept_connection_that_breaks_repeats_only_a_get),
                cmocka_unit_test(nothing_is_decompressed_that_nobody_asked_for),
                cmocka_unit_test(an_answer_that_came_ahead_is_not_taken_for_the_next_calls),
                cmocka_unit_test(retry_after_is_read_as_seconds_or_a_date_up_to_an_hour),
                cmocka_unit_test(more_calls_than_may_run_at_once_all_come_home),
                cmocka_unit_test(waiting_for_a_slot_is_not_counted),
                cmocka_unit_test(a_hanging_name_ends_at_its_deadline_and_harms_no_other),
                cmocka_unit_test(a_stop_in_the_middle_completes_all),
                cmocka_unit_test(a_name_that_answers_after_its_call_went_home_harms_nothing),
                cmocka_unit_test(the_pulse_goes_on),
        };

        setenv("http_proxy", "http://127.0.0.1:1", 1); /* a client that minds it reaches nobody */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
