/* SPDX-License-Identifier: Apache-2.0 */
/* http_lent.c - connections that go over to another protocol: the socket is lent, and comes back. */
#include "tests/unit/toy.h"

static struct {
        struct lent *lent[16];
        char early[64];
        int n;
} taken;

/* On the loop; the test waits for `n` by the lock. */
static void take(__attribute__((unused)) void *arg, struct lent *lent)
{
        pthread_mutex_lock(&toy.lock);
        if (lent->n_early > 0)
                memcpy(taken.early, lent->early, lent->n_early);
        taken.early[lent->n_early] = '\0';
        taken.lent[taken.n++] = lent;
        pthread_cond_broadcast(&toy.changed);
        pthread_mutex_unlock(&toy.lock);
}

static void lend(struct request *r)
{
        request_reply_header(r, "Upgrade", "toy");
        request_upgrade(r, take, NULL);
}

static const struct route routes[] = {
        {.method = "GET", .path = "/lend", .who = WHO_ANYONE, .handler = lend},
        {.method = "GET", .path = "/hello", .who = WHO_ANYONE, .handler = toy_say_ok},
        {.method = NULL},
};

static int start(__attribute__((unused)) void **state)
{
        struct http_options options = toy_options();

        memset(&taken, 0, sizeof taken);
        options.routes = routes;
        options.connections_max = 4;
        toy_start_to_drain(&options, 200);
        return 0;
}

static void await_taken(int n)
{
        pthread_mutex_lock(&toy.lock);
        toy_wait(&taken.n, n);
        pthread_mutex_unlock(&toy.lock);
}

#define ASK "GET /lend HTTP/1.1\r\nHost: toy\r\nConnection: Upgrade\r\nUpgrade: toy\r\n\r\n"

/* A connection that was lent: the client's end of it. */
static int borrow(const char *early)
{
        const int before = taken.n, fd = dial();
        char text[256];

        snprintf(text, sizeof text, "%s%s", ASK, early);
        assert_true(say(fd, text));
        await_taken(before + 1);
        return fd;
}

static void hear_101(int fd)
{
        assert_int_equal(hear_head(fd), 101);
        assert_string_equal(reply_header("Connection"), "Upgrade");
        assert_string_equal(reply_header("Upgrade"), "toy");
}

TEST(what_follows_the_request_goes_over_with_the_socket)
{
        const int fd = borrow("early words");
        char heard[8] = "";

        hear_101(fd);
        assert_string_equal(taken.early, "early words");
        assert_int_equal(send(taken.lent[0]->fd, "spoken", 6, MSG_NOSIGNAL), 6);
        assert_int_equal(recv(fd, heard, 6, MSG_WAITALL), 6);
        assert_string_equal(heard, "spoken");
        http_give_back(toy.http, taken.lent[0]);
        assert_true(is_ended(fd));
        close(fd);
}

TEST(a_head_lends_nothing)
{
        const int fd = dial();

        assert_true(say(fd, "HEAD /lend HTTP/1.1\r\nHost: toy\r\nConnection: Upgrade\r\nUpgrade: toy\r\n"
                            "Connection: close\r\n\r\n"));
        assert_int_equal(hear_head(fd), 405);
        assert_string_equal(reply_header("Allow"), "GET");
        assert_int_equal(taken.n, 0);
        close(fd);
}

TEST(what_is_lent_counts_until_it_is_back)
{
        int fds[4];
        int late;

        for (int i = 0; i < 4; i++)
                fds[i] = borrow("");
        late = dial(); /* in the kernel's queue */
        assert_true(say(late, "GET /hello HTTP/1.1\r\nHost: toy\r\n\r\n"));
        http_give_back(toy.http, taken.lent[2]);
        assert_int_equal(hear(late), 200);
        for (int i = 0; i < 4; i++) {
                if (i != 2)
                        http_give_back(toy.http, taken.lent[i]);
                close(fds[i]);
        }
        close(late);
}

TEST(who_has_gone_is_given_back_like_any)
{
        close(borrow(""));
        http_give_back(toy.http, taken.lent[0]);
}

TEST(the_stop_waits_for_what_is_lent)
{
        const int fd = borrow("");

        hear_101(fd);
        http_stop(toy.http);
        http_give_back(toy.http, taken.lent[0]);
        pthread_join(toy.loop, NULL);
        assert_true(is_ended(fd));
        assert_int_equal(pthread_create(&toy.loop, NULL, toy_loop, NULL), 0); /* which returns at once */
        close(fd);
}

/* As the owner does that comes to its end after the loop. */
TEST(what_comes_back_after_the_loop_is_closed_too)
{
        const int fd = borrow("");

        hear_101(fd);
        http_stop(toy.http);
        pthread_join(toy.loop, NULL);
        http_give_back(toy.http, taken.lent[0]);
        assert_int_equal(pthread_create(&toy.loop, NULL, toy_loop, NULL), 0);
        toy_stop();
        assert_true(is_ended(fd));
        close(fd);
}

#define ALONE(name) cmocka_unit_test_setup_teardown(name, start, toy_end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                ALONE(what_follows_the_request_goes_over_with_the_socket),
                ALONE(a_head_lends_nothing),
                ALONE(what_is_lent_counts_until_it_is_back),
                ALONE(who_has_gone_is_given_back_like_any),
                ALONE(the_stop_waits_for_what_is_lent),
                ALONE(what_comes_back_after_the_loop_is_closed_too),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
