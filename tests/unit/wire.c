/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - one WebSocket over a pair of sockets: what is queued, what is answered, and when it is over. */
#include "server/wire.h"

#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wire wire;
static size_t total;
static int other; /* the client's end */

static int begin(__attribute__((unused)) void **state)
{
        int pair[2], small = 4096;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
                return -1;
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        other = pair[1];
        total = 0;
        return wire_init(&wire, pair[0], "", 0, &total, NULL);
}

static int end(__attribute__((unused)) void **state)
{
        wire_done(&wire);
        close(wire.fd);
        close(other);
        return total == 0 ? 0 : -1; /* what was queued is accounted for */
}

/* What the other side has got, cut to `size`; how much it was. */
static size_t heard(void *to, size_t size)
{
        size_t n = 0;
        ssize_t got;

        while (n < size && (got = recv(other, (char *)to + n, size - n, MSG_DONTWAIT)) > 0)
                n += (size_t)got;
        return n;
}

static void assert_heard(const char *bytes, size_t n)
{
        char got[256];

        assert_int_equal(heard(got, sizeof got), n);
        assert_memory_equal(got, bytes, n);
}

static void say(const char *bytes, size_t n)
{
        assert_int_equal(send(other, bytes, n, 0), n);
        wire_read(&wire);
}
#define SAY(bytes) say((bytes), sizeof(bytes) - 1)
#define ASSERT_HEARD(bytes) assert_heard((bytes), sizeof(bytes) - 1)
#define NO_MASK "\0\0\0\0" /* which is one, too */

TEST(a_frame_has_the_shortest_head)
{
        static const struct {
                size_t n;
                const char *head;
                size_t head_n;
        } cases[] = {
                {5, "\x81\x05", 2}, {126, "\x81\x7e\x00\x7e", 4}, {65536, "\x81\x7f\0\0\0\0\0\1\0\0", 10}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                char *text = calloc(1, cases[i].n + 1);
                struct frame *frame;

                memset(text, 'x', cases[i].n);
                frame = frame_new(text);
                assert_int_equal(frame->n, cases[i].head_n + cases[i].n);
                assert_memory_equal(frame->bytes, cases[i].head, cases[i].head_n);
                assert_memory_equal(frame->bytes + cases[i].head_n, text, cases[i].n);
                frame_drop(frame);
                free(text);
        }
}

TEST(one_frame_is_kept_once_however_often_it_waits)
{
        char *text = calloc(1, 100001), *got = malloc(1000000);
        struct frame *frame;
        size_t n = 0;

        memset(text, 'x', 100000);
        frame = frame_new(text);
        for (int i = 0; i < 3; i++)
                wire_send(&wire, frame);
        assert_int_equal(frame->references, 4);
        assert_true(wire_is_full(&wire));
        assert_int_equal(total, 3 * frame->n);
        frame_drop(frame);
        while (wire_is_full(&wire)) {
                n += heard(got + n, 1000000 - n);
                wire_write(&wire);
        }
        n += heard(got + n, 1000000 - n);
        assert_int_equal(n, 3 * (100000 + 10));
        assert_memory_equal(got + 2 * 100010 + 10, text, 100000);
        free(text);
        free(got);
}

TEST(a_ping_is_answered_between_frames_never_within_one)
{
        char *text = calloc(1, 60001), *got = malloc(100000);
        struct frame *frame;
        size_t n = 0;

        memset(text, 'x', 60000);
        frame = frame_new(text);
        wire_send(&wire, frame);
        SAY("\x89\x82" NO_MASK "hi");
        while (wire_is_full(&wire)) {
                n += heard(got + n, 100000 - n);
                wire_write(&wire);
        }
        n += heard(got + n, 100000 - n);
        assert_int_equal(n, frame->n + 4);
        assert_memory_equal(got + frame->n, "\x8a\x02hi", 4);
        frame_drop(frame);
        free(text);
        free(got);
}

TEST(a_close_drops_what_has_not_begun_and_is_the_last)
{
        char *text = calloc(1, 60001), *got = malloc(400000);
        struct frame *frame;
        size_t n = 0;

        memset(text, 'x', 60000);
        frame = frame_new(text);
        for (int i = 0; i < 5; i++)
                wire_send(&wire, frame);
        wire_close(&wire, WIRE_TRY_AGAIN, "slow", /* drops= */ true);
        wire_send(&wire, frame);
        assert_true(wire_is_closing(&wire) && !wire_is_over(&wire));
        while (wire_is_full(&wire)) {
                n += heard(got + n, 400000 - n);
                wire_write(&wire);
        }
        n += heard(got + n, 400000 - n);
        assert_true(n < 3 * frame->n);
        assert_int_equal((n - 8) % frame->n, 0); /* whole frames, and the close */
        assert_memory_equal(got + n - 8, "\x88\x06\x03\xf5slow", 8);
        SAY("\x88\x82" NO_MASK "\x03\xf5");
        assert_true(wire_is_over(&wire));
        frame_drop(frame);
        free(text);
        free(got);
}

TEST(the_others_close_is_answered_and_then_it_is_over)
{
        SAY("\x88\x82" NO_MASK "\x03\xe8");
        ASSERT_HEARD("\x88\x02\x03\xe8");
        assert_true(wire_is_over(&wire));
}

TEST(the_others_end_is_the_end)
{
        shutdown(other, SHUT_WR);
        wire_read(&wire);
        assert_true(wire_is_over(&wire));
}

TEST(what_is_no_frame_is_closed_by_1002_and_the_rest_thrown_away)
{
        static const struct {
                const char *bytes;
                size_t n;
        } cases[] = {{"\x81\x01x", 3},                /* not masked */
                     {"\xc1\x81" NO_MASK "x", 7},     /* a reserved bit */
                     {"\x83\x81" NO_MASK "x", 7},     /* a reserved opcode */
                     {"\x09\x81" NO_MASK "x", 7},     /* a ping in pieces */
                     {"\x89\xfe\x00\x7e" NO_MASK, 8}, /* a long one */
                     {"\x80\x81" NO_MASK "x", 7}};    /* goes on with nothing */

        for (size_t i = 0; i < COUNT(cases); i++) {
                if (i > 0) {
                        end(NULL);
                        assert_int_equal(begin(NULL), 0);
                }
                say(cases[i].bytes, cases[i].n);
                ASSERT_HEARD("\x88\x02\x03\xea");
                assert_true(wire_is_closing(&wire));
                SAY("whatever comes now");
                assert_int_equal(heard(&(char[1]){0}, 1), 0);
                assert_false(wire_is_over(&wire)); /* until the other side goes, or the deadline */
                shutdown(other, SHUT_WR);
                wire_read(&wire);
                assert_true(wire_is_over(&wire));
        }
}

TEST(what_came_with_the_handshake_is_read_first)
{
        const int fd = wire.fd;

        wire_done(&wire);
        assert_int_equal(wire_init(&wire, fd, "\x89\x81" NO_MASK "a\x89\x81", 9, &total, NULL), ERR_OK);
        wire_read(&wire);
        ASSERT_HEARD("\x8a\x01"
                     "a");
        SAY(NO_MASK "b");
        ASSERT_HEARD("\x8a\x01"
                     "b");
}

TEST(who_pings_without_end_and_reads_nothing_is_let_go)
{
        for (int i = 0; i < 100000 && !wire_is_over(&wire); i++)
                SAY("\x89\x82" NO_MASK "hi");
        assert_true(wire_is_over(&wire));
        assert_true(total < 16384);
}

TEST(anything_that_comes_is_a_sign_of_life)
{
        wire.is_heard = false;
        wire_ping(&wire);
        ASSERT_HEARD("\x89\x00");
        wire_read(&wire);
        assert_false(wire.is_heard);
        SAY("\x8a\x80" NO_MASK);
        assert_true(wire.is_heard);
}

#define WIRED(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_frame_has_the_shortest_head),
                WIRED(one_frame_is_kept_once_however_often_it_waits),
                WIRED(a_ping_is_answered_between_frames_never_within_one),
                WIRED(a_close_drops_what_has_not_begun_and_is_the_last),
                WIRED(the_others_close_is_answered_and_then_it_is_over),
                WIRED(the_others_end_is_the_end),
                WIRED(what_is_no_frame_is_closed_by_1002_and_the_rest_thrown_away),
                WIRED(what_came_with_the_handshake_is_read_first),
                WIRED(who_pings_without_end_and_reads_nothing_is_let_go),
                WIRED(anything_that_comes_is_a_sign_of_life),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
