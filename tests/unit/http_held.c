/* SPDX-License-Identifier: Apache-2.0 */
/* http_held.c - requests whose answer is awaited, clients that leave or never finish, and the stop. */
#include "model/clean.h"
#include "server/metrics.h"
#include "tests/unit/toy.h"

#include <sys/eventfd.h>
#include <sys/wait.h>

#define CROWD 200
#define ROUND \
        128 /* as many events as libmicrohttpd takes at once, the number that its own wait stumbles over */

static struct http_options options;
static int crowd[CROWD];

static int prepare(__attribute__((unused)) void **state)
{
        options = toy_options();
        return 0;
}

/* `n` connections that each have sent one request to be held. */
static void crowd_asks(int n)
{
        for (int i = 0; i < n; i++) {
                crowd[i] = dial();
                assert_true(say_post(crowd[i], "POST", "/held", "", "{\"crowd\":true}"));
        }
}

static void crowd_hears(int n, int status)
{
        for (int i = 0; i < n; i++) {
                assert_int_equal(hear(crowd[i]), status);
                close(crowd[i]);
        }
}

static int64_t since_ms(int64_t began_ms)
{
        return time_boot_ms() - began_ms;
}

/* The end of a connection that is reset, as by a client that was killed. */
static void leave(int fd)
{
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
}

TEST(who_waits_does_not_hinder_others)
{
        int fd;

        toy_start(&options);
        toy_open_gate(false);
        crowd_asks(50);
        toy_await_held(50);
        fd = dial();
        for (int i = 0; i < 20; i++) {
                assert_true(say_post(fd, "POST", "/echo", "", "{}"));
                assert_int_equal(hear(fd), 200);
        }
        close(fd);
        toy_open_gate(true);
        crowd_hears(50, 200);
}

TEST(exactly_one_full_round_is_answered_at_once)
{
        int64_t began_ms;

        toy_start(&options);
        for (int times = 0; times < 3; times++) {
                toy_open_gate(false);
                crowd_asks(ROUND);
                toy_await_held(ROUND);
                began_ms = time_boot_ms();
                toy_open_gate(true);
                crowd_hears(ROUND, 200);
                assert_true(since_ms(began_ms) < 5000);
        }
}

TEST(a_crowd_is_answered_again_and_again)
{
        toy_start(&options);
        crowd_asks(CROWD);
        for (int times = 0; times < 5; times++) {
                for (int i = 0; i < CROWD; i++) {
                        assert_int_equal(hear(crowd[i]), 200);
                        assert_true(say_post(crowd[i], "POST", i % 2 ? "/held" : "/echo", "", "{}"));
                }
        }
        crowd_hears(CROWD, 200);
        toy_await_freed(CROWD);
}

TEST(a_second_piece_may_hold_again)
{
        int fd;

        toy_start(&options);
        fd = dial();
        assert_true(say_post(fd, "POST", "/twice", "", "{\"x\":2}"));
        assert_int_equal(hear(fd), 200);
        assert_string_equal(reply.body, "{\"x\":2}");
        close(fd);
        toy_await_freed(1);
}

TEST(a_client_that_leaves_while_held_harms_nobody)
{
        toy_start(&options);
        toy_open_gate(false);
        crowd_asks(40);
        toy_await_held(40);
        for (int i = 0; i < 40; i++) {
                if (i % 2)
                        leave(crowd[i]);
                else
                        close(crowd[i]);
        }
        crowd_asks(1);
        toy_await_held(41);
        toy_open_gate(true);
        crowd_hears(1, 200);
        toy_await_freed(41);
}

TEST(who_left_holds_no_second_time)
{
        int fd;

        toy_start(&options);
        toy_open_gate(false);
        fd = dial();
        assert_true(say_post(fd, "POST", "/twice", "", "{}"));
        toy_await_held(1);
        leave(fd);
        fd = dial();
        /* By the time this one is held the other's end has been heard of. */
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        toy_await_held(2);
        toy_open_gate(true);
        assert_int_equal(hear(fd), 200);
        toy_await_freed(2);
        close(fd);
}

TEST(the_deadline_answers_in_the_place_of_what_hangs)
{
        int64_t began_ms = time_boot_ms();
        int fd;

        options.request_deadline_ms = 150;
        toy_start(&options);
        toy_open_gate(false);
        fd = dial();
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        assert_int_equal(hear(fd), 500);
        assert_true(since_ms(began_ms) >= 150 && since_ms(began_ms) < 10000);
        assert_non_null(strstr(reply.body, "Sipariş güncellenemedi"));
        assert_string_equal(reply_header("Retry-After"), "1");
        assert_true(say_post(fd, "POST", "/twice", "", "{}"));
        assert_int_equal(hear(fd), 500);
        assert_non_null(strstr(reply.body, "Sunucu hatası"));
        /* The late completions are dropped, and the connection goes on. */
        toy_open_gate(true);
        toy_await_freed(2);
        assert_true(say_post(fd, "POST", "/echo", "", "{}"));
        assert_int_equal(hear(fd), 200);
        close(fd);
}

/* How many requests were refused for this reason, as it is told. */
static int refused(const char *reason)
{
        CLEAN(free_at) char *text = metrics_write(&(struct sampled){0});
        char line[64];

        assert_non_null(text);
        snprintf(line, sizeof line, "kuryed_http_refused_total{reason=\"%s\"} ", reason);
        assert_non_null(strstr(text, line));
        return (int)strtod(strstr(text, line) + strlen(line), NULL);
}

TEST(too_many_unanswered_are_told_to_come_again)
{
        const int before = refused("held");
        int fd;

        options.held_max = 20; /* of which strangers may have half */
        toy_start(&options);
        toy_open_gate(false);
        crowd_asks(10);
        toy_await_held(10);
        fd = dial();
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        assert_int_equal(hear(fd), 503);
        assert_string_equal(reply.body, "{\"statusCode\":503,\"error\":\"Service Unavailable\","
                                        "\"message\":\"Sunucu meşgul, lütfen yeniden deneyin\"}");
        assert_string_equal(reply_header("Retry-After"), "1");
        assert_int_equal(refused("held"), before + 1);
        toy_open_gate(true);
        crowd_hears(10, 200);
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        assert_int_equal(hear(fd), 200);
        close(fd);
}

TEST(who_left_still_counts_until_the_work_is_done)
{
        int fd;

        options.held_max = 2;
        toy_start(&options);
        toy_open_gate(false);
        crowd_asks(1);
        toy_await_held(1);
        leave(crowd[0]);
        fd = dial();
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        assert_int_equal(hear(fd), 503);
        toy_open_gate(true);
        toy_await_freed(1);
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        assert_int_equal(hear(fd), 200);
        close(fd);
}

TEST(an_unfinished_request_is_cut_though_bytes_keep_coming)
{
        static const char *const begun[] = {
                "GET /he", "GET /hello HTTP/1.1\r\nHost: toy\r\nX-Drip: ",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n"};
        struct timeval pause = {.tv_usec = 20000};

        options.receive_deadline_ms = 300;
        toy_start(&options);
        for (size_t i = 0; i < COUNT(begun); i++) {
                int fd = dial();
                int64_t began_ms = time_boot_ms();
                char byte;

                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
                assert_true(say(fd, begun[i]));
                while (say(fd, "x") && recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN)
                        assert_case(since_ms(began_ms) < 10000, begun[i]);
                assert_case(since_ms(began_ms) >= 250, begun[i]);
                close(fd);
        }
}

TEST(a_refused_client_is_gone_though_another_process_has_its_socket)
{
        int refused, other, go_on[2];
        pid_t child;
        char byte;

        toy_start(&options);
        refused = dial();
        other = dial();
        assert_true(say(refused, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 4000000\r\n\r\n"));
        assert_int_equal(hear(refused), 413);
        assert_true(is_ended(refused));
        assert_true(say_get(other, "/hello", ""));
        assert_int_equal(hear(other), 200); /* by now the loop has put it aside */
        assert_int_equal(pipe(go_on), 0);
        child = fork();
        if (child == 0) {
                close(refused);
                close(go_on[1]);
                _exit(read(go_on[0], &byte, 1) == 0 ? 0 : 1);
        }
        assert_true(child > 0);
        close(refused);
        for (int i = 0; i < 8; i++) {
                assert_true(say_get(other, "/hello", ""));
                assert_int_equal(hear(other), 200);
        }
        close(go_on[0]);
        close(go_on[1]);
        close(other);
        assert_int_equal(waitpid(child, NULL, 0), child);
}

TEST(slow_clients_do_not_slow_the_others)
{
        int fd;

        options.receive_deadline_ms = 300;
        toy_start(&options);
        for (int i = 0; i < CROWD; i++) {
                crowd[i] = dial();
                assert_true(say(crowd[i], "GET /hello HTTP/1.1\r\nX-Drip: "));
        }
        fd = dial();
        assert_true(say_get(fd, "/hello", ""));
        assert_int_equal(hear(fd), 200);
        for (int i = 0; i < CROWD; i++) {
                assert_true(is_ended(crowd[i]));
                close(crowd[i]);
        }
        assert_true(say_get(fd, "/hello", ""));
        assert_int_equal(hear(fd), 200);
        close(fd);
}

TEST(a_slow_reader_is_cut_and_a_good_one_gets_all)
{
        char some[1 << 16];
        size_t n = 0;
        ssize_t got;
        int slow, fd;

        options.receive_deadline_ms = 2000; /* enough for the good one under a sanitizer, on a busy machine */
        toy_start(&options);
        slow = dial();
        fd = dial();
        assert_true(say_get(slow, "/big", ""));
        assert_true(say_get(fd, "/big", ""));
        assert_int_equal(hear(fd), 200);
        assert_int_equal(reply.length, TOY_BIG);
        /* A new connection that says nothing is cut when the slow reader has been. */
        close(fd);
        fd = dial();
        assert_true(is_ended(fd));
        close(fd);
        while ((got = recv(slow, some, sizeof some, 0)) > 0)
                n += (size_t)got;
        assert_true(n < TOY_BIG);
        close(slow);
}

TEST(an_end_that_came_with_the_request_is_heard_of)
{
        int fd;

        toy_start(&options);
        toy_open_gate(false);
        fd = dial();
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        shutdown(fd, SHUT_WR);
        toy_await_held(1);
        toy_open_gate(true);
        assert_int_equal(hear(fd), 200);
        assert_true(is_ended(fd));
        close(fd);
}

TEST(room_is_made_again_when_all_leave)
{
        int fd;

        options.connections_max = 16;
        toy_start(&options);
        for (int times = 0; times < 3; times++) {
                for (int i = 0; i < 40; i++)
                        crowd[i] = dial();
                for (int i = 0; i < 40; i++)
                        close(crowd[i]);
                fd = dial();
                assert_true(say_get(fd, "/hello", ""));
                assert_int_equal(hear(fd), 200);
                close(fd);
        }
}

/* --- who takes up room --- */

TEST(half_a_request_goes_with_its_client)
{
        static const char half[] = "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-";
        int64_t began_ms = time_boot_ms();

        toy_start(&options);
        for (size_t n = 0; n < sizeof half; n++) {
                crowd[n] = dial();
                assert_int_equal(send(crowd[n], half, n, MSG_MORE), n); /* its end comes with it */
                shutdown(crowd[n], SHUT_WR);
        }
        for (size_t n = 0; n < sizeof half; n++) {
                assert_true(is_ended(crowd[n]));
                close(crowd[n]);
        }
        assert_true(since_ms(began_ms) < 20000);
}

/* So many connections to it that say this and no more; then another one that asks. */
static void crowd_blocks(const char *address, const char *text, const char *path)
{
        int64_t began_ms = time_boot_ms();
        int fd;

        for (int i = 0; i < CROWD; i++) {
                crowd[i] = dial_to(address);
                assert_true(say(crowd[i], text));
        }
        fd = dial_to(address);
        assert_true(say_get(fd, path, ""));
        assert_int_equal(hear(fd), 200);
        while (hear(crowd[0]) > 0) /* until it was cut */
                ;
        assert_true(since_ms(began_ms) < 20000);
        close(fd);
        for (int i = 0; i < CROWD; i++)
                close(crowd[i]);
}

TEST(a_whole_request_finds_room)
{
        options.connections_max = 16;
        toy_start(&options);
        crowd_blocks(http_address(toy.http), "", "/hello");
        crowd_blocks(http_address(toy.http), "GET /hello HTTP/1.1\r\nHost: ", "/hello");
        crowd_blocks(http_address(toy.http), "GET /hello HTTP/1.1\r\nHost: toy\r\n\r\n", "/hello");
        crowd_blocks(http_ops_address(toy.http), "", "/livez");
}

TEST(bodies_that_do_not_come_keep_no_whole_one_out)
{
        static int begun[300]; /* of 256 KiB each: more than are promised to all together */
        int fd;

        toy_start(&options);
        for (size_t i = 0; i < COUNT(begun); i++) {
                begun[i] = dial();
                assert_true(say(begun[i],
                                "PUT /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                                "Content-Length: 262144\r\n\r\n{"));
        }
        fd = dial();
        for (int i = 0; i < 100; i++) {
                assert_true(say_post(fd, "PUT", "/echo", "", "{}"));
                assert_int_equal(hear(fd), 200);
        }
        close(fd);
        assert_true(is_ended(begun[0]));
        for (size_t i = 0; i < COUNT(begun); i++)
                close(begun[i]);
}

TEST(answers_that_nobody_reads_are_bounded)
{
        char some[1 << 16];
        size_t n = 0;
        ssize_t got;
        int slow[6];

        toy_start(&options);
        for (size_t i = 0; i < COUNT(slow); i++) {
                slow[i] = dial();
                assert_true(say_get(slow[i], "/big", ""));
        }
        assert_int_equal(hear(slow[COUNT(slow) - 1]), 200);
        assert_int_equal(reply.length, TOY_BIG);
        while ((got = recv(slow[0], some, sizeof some, 0)) > 0)
                n += (size_t)got;
        assert_true(n < TOY_BIG);
        for (size_t i = 0; i < COUNT(slow); i++)
                close(slow[i]);
}

/* --- the stop --- */

TEST(the_stop_answers_what_is_held_and_refuses_the_rest)
{
        struct sockaddr_in at = {.sin_family = AF_INET};
        int idle, begun, ops, late;

        toy_start(&options);
        toy_open_gate(false);
        idle = dial();
        assert_true(say_get(idle, "/hello", ""));
        assert_int_equal(hear(idle), 200);
        begun = dial();
        assert_true(say(begun, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                               "Content-Length: 100\r\n\r\n{"));
        crowd_asks(50);
        toy_await_held(50);
        ops = dial_to(http_ops_address(toy.http));
        http_stop(toy.http);
        http_stop(toy.http);
        assert_true(is_ended(idle));
        assert_true(is_ended(begun));
        assert_true(http_is_stopping(toy.http));
        assert_true(say_get(ops, "/livez", ""));
        assert_int_equal(hear(ops), 200);
        at.sin_port = htons((uint16_t)strtoul(strrchr(http_address(toy.http), ':') + 1, NULL, 10));
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        late = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(late, (struct sockaddr *)&at, sizeof at), -1);
        toy_open_gate(true);
        for (int i = 0; i < 50; i++) {
                assert_int_equal(hear(crowd[i]), 200);
                assert_string_equal(reply_header("Connection"), "close");
                assert_true(is_ended(crowd[i]));
                close(crowd[i]);
        }
        pthread_join(toy.loop, NULL);
        assert_int_equal(pthread_create(&toy.loop, NULL, toy_loop, NULL), 0);
        close(idle);
        close(begun);
        close(late);
        close(ops);
}

TEST(the_stop_answers_what_is_held_and_does_not_wait_for_it)
{
        int64_t began_ms = time_boot_ms();

        toy_start_to_drain(&options, 200);
        toy_open_gate(false);
        crowd_asks(5);
        toy_await_held(5);
        toy_stop();
        assert_true(since_ms(began_ms) < 10000);
        assert_int_equal(toy.n_freed, 5);
        for (int i = 0; i < 5; i++) {
                assert_int_equal(hear(crowd[i]), 500);
                assert_true(is_ended(crowd[i]));
                close(crowd[i]);
        }
}

static int watched = -1;

static void on_watched(void *arg)
{
        eventfd_t count;

        eventfd_read(watched, &count);
        http_stop(arg);
}

TEST(what_is_watched_is_told_on_the_loop)
{
        toy_start(&options);
        toy_stop();
        /* Before the loop runs: as main does with its signals. */
        watched = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_int_equal(http_open(&options, &toy.http, NULL), ERR_OK);
        assert_int_equal(http_watch(toy.http, watched, on_watched, toy.http, NULL), ERR_OK);
        assert_int_equal(eventfd_write(watched, 1), 0);
        http_run(toy.http, 1000);
        assert_true(http_is_stopping(toy.http));
        http_close(toy.http);
        toy.http = NULL;
        close(watched);
}

#define ALONE(name) cmocka_unit_test_setup_teardown(name, prepare, toy_end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                ALONE(who_waits_does_not_hinder_others),
                ALONE(exactly_one_full_round_is_answered_at_once),
                ALONE(a_crowd_is_answered_again_and_again),
                ALONE(a_second_piece_may_hold_again),
                ALONE(a_client_that_leaves_while_held_harms_nobody),
                ALONE(who_left_holds_no_second_time),
                ALONE(the_deadline_answers_in_the_place_of_what_hangs),
                ALONE(too_many_unanswered_are_told_to_come_again),
                ALONE(who_left_still_counts_until_the_work_is_done),
                ALONE(an_unfinished_request_is_cut_though_bytes_keep_coming),
                ALONE(a_refused_client_is_gone_though_another_process_has_its_socket),
                ALONE(slow_clients_do_not_slow_the_others),
                ALONE(a_slow_reader_is_cut_and_a_good_one_gets_all),
                ALONE(an_end_that_came_with_the_request_is_heard_of),
                ALONE(room_is_made_again_when_all_leave),
                ALONE(half_a_request_goes_with_its_client),
                ALONE(a_whole_request_finds_room),
                ALONE(bodies_that_do_not_come_keep_no_whole_one_out),
                ALONE(answers_that_nobody_reads_are_bounded),
                ALONE(the_stop_answers_what_is_held_and_refuses_the_rest),
                ALONE(the_stop_answers_what_is_held_and_does_not_wait_for_it),
                ALONE(what_is_watched_is_told_on_the_loop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
