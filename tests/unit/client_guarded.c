/* SPDX-License-Identifier: Apache-2.0 */
/* client_guarded.c - what a URL that a stranger gave may not do to server/client.c. */
#include "tests/unit/call.h"

#define MAY_NOT "the address may not be called"
#define MAY_NOT_PLAIN MAY_NOT " by plain http"

/* A guarded GET of /ok at this host and the peer's port. */
static void ask_guarded(struct world *w, struct call *call, const char *scheme, const char *host)
{
        char url[256];

        snprintf(url, sizeof url, "%s://%s:%d/ok", scheme, host, w->peer.port);
        prepare(w, call, "GET", url, GUARD_MS);
        call->message.guarded = true;
        carry(w, call);
}

static void assert_refused(struct world *w, const char *scheme, const char *host, const char *trouble)
{
        struct call call;

        ask_guarded(w, &call, scheme, host);
        assert_not_answered(&call, CARRIED_NEVER);
        if (!streq(call.answer.trouble, trouble))
                fail_msg("%s://%s: %s", scheme, host, call.answer.trouble);
        call_done(&call);
}

static const char *const spellings[] = {
        "127.0.0.1",     "127.1",           "127.0.1",         "2130706433",
        "0x7f000001",    "0x7f.1",          "017700000001",    "0177.0.0.1",
        "127.0.0.1",     "127.255.1",       "%31%32%37.0.0.1", "platform.test",
        "PLATFORM.test", "platform%2etest", "platform.test.",  "two.test",
};

TEST(no_spelling_of_an_address_leads_a_guarded_call_inside)
{
        static const char *const others[] = {"0",
                                             "0.0.0.0",
                                             "169.254.169.254",
                                             "10.1",
                                             "[::1]",
                                             "[0:0:0:0:0:0:0:1]",
                                             "[::]",
                                             "[::ffff:127.0.0.1]",
                                             "[::FFFF:7f00:1]",
                                             "[::127.0.0.1]",
                                             "[64:ff9b::7f00:1]",
                                             "[2002:7f00:1::1]",
                                             "[fe80::1%25lo]",
                                             "[fd00:ec2::254]"};
        struct world w;

        begin(&w, 0);
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
                assert_refused(&w, "https", spellings[i], MAY_NOT);
                assert_refused(&w, "http", spellings[i], MAY_NOT_PLAIN);
        }
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                assert_refused(&w, "HTTPS", others[i], MAY_NOT);
                assert_refused(&w, "http", others[i], MAY_NOT_PLAIN);
        }
        assert_refused(&w, "http", "8.8.8.8", MAY_NOT_PLAIN);
        assert_int_equal(connections(&w), 0);
        end(&w);
}

TEST(a_host_that_is_none_is_refused_before_anybody_is_asked)
{
        static const char *const hosts[] = {"user@127.0.0.1",
                                            "user:word@platform.test",
                                            "@platform.test",
                                            "platform.test@127.0.0.1",
                                            "127.0.0.1#@platform.test",
                                            "\357\274\221\357\274\222\357\274\227.0.0.1", /* full width */
                                            "127\343\200\2020.0.1", /* another full stop */
                                            "\342\221\240.1",       /* a one in a circle */
                                            "platform.test%00.evil.test",
                                            "platform.test\\@evil.test",
                                            "platform.test,127.0.0.1",
                                            "[::1",
                                            "*"};
        int asked = names_asked();
        struct world w;

        begin_guarded(&w, 0, "127.0.0.0/8");
        for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
                struct call call;

                ask_guarded(&w, &call, "http", hosts[i]);
                assert_not_answered(&call, CARRIED_NEVER);
                call_done(&call);
        }
        assert_int_equal(connections(&w), 0);
        assert_int_equal(names_asked(), asked);
        end(&w);
}

TEST(a_listed_network_takes_guarded_calls_by_http_and_https)
{
        struct world w;
        struct call call;

        begin_guarded(&w, 0, "10.0.0.0/8,127.0.0.1/32");
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
                if (streq(spellings[i], "127.255.1"))
                        continue; /* nobody listens there */
                ask_guarded(&w, &call, "http", spellings[i]);
                assert_answered(&call, 200, "hello");
                call_done(&call);
        }
        ask_guarded(&w, &call, "https", "127.0.0.1");
        assert_not_answered(&call, CARRIED_NEVER); /* the platform speaks no TLS */
        assert_string_not_equal(call.answer.trouble, MAY_NOT);
        call_done(&call);
        assert_refused(&w, "http", "127.0.0.2", MAY_NOT_PLAIN);
        end(&w);
}

TEST(of_a_names_addresses_only_those_allowed_are_called)
{
        struct sockaddr_in second = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int closed_port, closed = peer_socket(&closed_port);
        char url[64];
        struct world w;
        struct call call;

        begin_guarded(&w, 0, "127.0.0.1/32");
        second.sin_port = htons((uint16_t)w.peer.port);
        assert_int_equal(bind(fd, (struct sockaddr *)(void *)&second, sizeof second), 0);
        assert_int_equal(listen(fd, 8), 0);
        ask_guarded(&w, &call, "http", "two.test");
        assert_answered(&call, 200, "hello");
        call_done(&call);
        snprintf(url, sizeof url, "http://two.test:%d/", closed_port);
        prepare(&w, &call, "GET", url, GUARD_MS);
        call.message.guarded = true;
        carry(&w, &call); /* what is left of the name is what is told of */
        assert_not_answered(&call, CARRIED_NEVER);
        assert_non_null(strstr(call.answer.trouble, ": Connection refused"));
        assert_null(strstr(call.answer.trouble, MAY_NOT));
        call_done(&call);
        assert_int_equal(accept(fd, NULL, NULL), -1);
        close(fd);
        close(closed);
        end(&w);
}

TEST(a_name_that_turns_inside_after_it_was_judged_is_not_asked_again)
{
        int asked = names_asked();
        struct world w;
        struct call call;

        names_turn_back();
        begin_guarded(&w, 0, "127.0.0.1/32");
        for (int i = 0; i < 3; i++) {
                ask_guarded(&w, &call, "http", "turn.test");
                assert_answered(&call, 200, "hello");
                call_done(&call);
        }
        assert_int_equal(names_asked(), asked + 1);
        assert_refused(&w, "http", "turn.test.", MAY_NOT_PLAIN); /* has turned */
        assert_int_equal(requests(&w), 3);
        end(&w);
}

/* The name leads to a listed address now, but a kept connection of another call goes where it led before. */
TEST(a_kept_connection_to_a_refused_address_is_not_used)
{
        struct world w;
        struct call call;
        char url[64];

        names_turn_back();
        begin_guarded(&w, 0, "127.0.0.2/32");
        snprintf(url, sizeof url, "http://turn.test:%d/ok", w.peer.port);
        prepare(&w, &call, "GET", url, GUARD_MS);
        carry(&w, &call);
        assert_answered(&call, 200, "hello");
        call_done(&call);
        for (int i = 0; i < 512; i++) { /* names that the resolver remembers; it forgets the oldest */
                snprintf(url, sizeof url, "n%d.test", i);
                assert_refused(&w, "http", url, MAY_NOT_PLAIN);
        }
        assert_refused(&w, "http", "turn.test", MAY_NOT_PLAIN);
        assert_int_equal(requests(&w), 1);
        assert_int_equal(connections(&w), 1);
        end(&w);
}

TEST(our_own_listener_is_refused_though_it_is_listed)
{
        struct world w;
        char own[32];

        begin_guarded(&w, 0, "0.0.0.0/0");
        snprintf(own, sizeof own, "0.0.0.0:%d", w.peer.port);
        guard_add_own(&w.guard, own);
        assert_refused(&w, "http", "127.0.0.1", MAY_NOT_PLAIN);
        assert_refused(&w, "http", "platform.test", MAY_NOT_PLAIN);
        assert_refused(&w, "https", "0", MAY_NOT);
        assert_int_equal(connections(&w), 0);
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_spelling_of_an_address_leads_a_guarded_call_inside),
                cmocka_unit_test(a_host_that_is_none_is_refused_before_anybody_is_asked),
                cmocka_unit_test(a_listed_network_takes_guarded_calls_by_http_and_https),
                cmocka_unit_test(of_a_names_addresses_only_those_allowed_are_called),
                cmocka_unit_test(a_name_that_turns_inside_after_it_was_judged_is_not_asked_again),
                cmocka_unit_test(a_kept_connection_to_a_refused_address_is_not_used),
                cmocka_unit_test(our_own_listener_is_refused_though_it_is_listed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
