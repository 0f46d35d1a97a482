/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.c - a trusted proxy is believed as far as it can know, and nobody else. */
#include "server/forwarded.h"

#include "model/text.h"
#include "server/guard.h"
#include "tests/unit/check.h"

#include <string.h>

#define PROXIES "10.0.0.0/8,fd00::/8"
#define HEADERS_MAX 4

/* Who is taken for the client when 10.0.0.1 brings these headers, all trusted proxies in PROXIES. */
static const char *client_of(const char *const headers[HEADERS_MAX])
{
        static char address[INET6_ADDRSTRLEN];
        struct guard trusted;
        int n = 0;

        assert_true(guard_read(PROXIES, &trusted));
        while (n < HEADERS_MAX && headers[n])
                n++;
        forwarded_client(&trusted, "10.0.0.1", headers, n, address);
        return address;
}

TEST(the_rightmost_address_that_is_no_proxy_is_the_client)
{
        static const struct {
                const char *headers[HEADERS_MAX];
                const char *client;
        } rows[] = {
                {{NULL}, "10.0.0.1"},
                {{"203.0.113.7"}, "203.0.113.7"},
                {{" 203.0.113.7\t"}, "203.0.113.7"},
                {{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
                {{"198.51.100.1,203.0.113.7,10.0.0.9"}, "203.0.113.7"},
                {{"203.0.113.7, 10.0.0.8, fd00::3"}, "203.0.113.7"},
                {{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
                {{"203.0.113.7", "10.0.0.8", "10.0.0.9"}, "203.0.113.7"},
                {{"203.0.113.7", "", " , "}, "203.0.113.7"},
                {{"203.0.113.7,, ,"}, "203.0.113.7"},
                {{"whatever, <script>, 203.0.113.7"}, "203.0.113.7"},
                {{"10.0.0.7, 10.0.0.8"}, "10.0.0.7"},
                {{"10.0.0.7", "10.0.0.8"}, "10.0.0.7"},
        };

        for (size_t i = 0; i < COUNT(rows); i++)
                assert_string_equal(client_of(rows[i].headers), rows[i].client);
}

TEST(an_address_is_known_in_any_of_its_forms)
{
        static const char *const rows[][2] = {
                {"203.0.113.7:4711", "203.0.113.7"},
                {"2001:DB8:0::1", "2001:db8::1"},
                {"[2001:db8::1]", "2001:db8::1"},
                {"[2001:db8::1]:443", "2001:db8::1"},
                {"::ffff:203.0.113.7", "203.0.113.7"},
                {"[::ffff:203.0.113.7]:1", "203.0.113.7"},
                {"::1", "::1"},
        };

        for (size_t i = 0; i < COUNT(rows); i++) {
                const char *const headers[HEADERS_MAX] = {rows[i][0]};

                assert_string_equal(client_of(headers), rows[i][1]);
        }
}

/* An address that hides one of a proxy's inside would else be a way to be taken for a proxy. */
TEST(only_a_mapped_address_counts_as_the_one_inside)
{
        static const char *const rows[][2] = {{"2002:a00:1::1", "2002:a00:1::1"},
                                              {"64:ff9b::a00:1", "64:ff9b::a00:1"},
                                              {"::ffff:10.0.0.2", "203.0.113.7"}};

        for (size_t i = 0; i < COUNT(rows); i++) {
                const char *const headers[HEADERS_MAX] = {"203.0.113.7", rows[i][0]};

                assert_string_equal(client_of(headers), rows[i][1]);
        }
}

TEST(where_no_address_stands_the_peer_is_the_client)
{
        static const char *const bad[] = {
                "unknown",
                "_hidden",
                "203.0.113.256",
                "203.0.113.7:",
                "203.0.113.7:0",
                "203.0.113.7:65536",
                "203.0.113.7:x",
                "[203.0.113.7]",
                "[2001:db8::1",
                "[2001:db8::1]x",
                "[2001:db8::1]:",
                "2001:db8::1]",
                "fe80::1%eth0",
                "203.0.113.7 198.51.100.1",
                "\"203.0.113.7\"",
                "for=203.0.113.7",
                ":1",
                "[]",
                "[]:1",
                "2001:0db8:2001:0db8:2001:0db8:2001:0db8:2001:0db8:2001:0db8:2001:0db8:2001:0db8",
                "198.51.100.1, unknown, 10.0.0.8",
        };

        for (size_t i = 0; i < COUNT(bad); i++) {
                const char *const headers[HEADERS_MAX] = {"198.51.100.1", bad[i]};

                assert_case(streq(client_of(headers), "10.0.0.1"), bad[i]);
        }
}

TEST(nobody_else_is_believed)
{
        static const char *const peers[] = {"11.0.0.1", "203.0.113.9", "2001:db8::9", "2002:a00:1::1"};
        static const char *const headers[] = {"203.0.113.7"};
        char address[INET6_ADDRSTRLEN];
        struct guard none = {0}, trusted;

        assert_true(guard_read(PROXIES, &trusted));
        for (size_t i = 0; i < COUNT(peers); i++) {
                forwarded_client(&trusted, peers[i], headers, 1, address);
                assert_string_equal(address, peers[i]);
        }
        forwarded_client(&none, "10.0.0.1", headers, 1, address);
        assert_string_equal(address, "10.0.0.1");
        forwarded_client(NULL, "10.0.0.1", headers, 1, address);
        assert_string_equal(address, "10.0.0.1");
}

TEST(a_chain_without_end_is_not_followed)
{
        static char chain[8192] = "203.0.113.7";
        const char *const headers[HEADERS_MAX] = {chain};

        for (size_t n = strlen(chain); n + 10 < sizeof chain; n += 10)
                memcpy(chain + n, ",10.0.0.99", 11);
        assert_string_equal(client_of(headers), "10.0.0.99");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_rightmost_address_that_is_no_proxy_is_the_client),
                cmocka_unit_test(an_address_is_known_in_any_of_its_forms),
                cmocka_unit_test(only_a_mapped_address_counts_as_the_one_inside),
                cmocka_unit_test(where_no_address_stands_the_peer_is_the_client),
                cmocka_unit_test(nobody_else_is_believed),
                cmocka_unit_test(a_chain_without_end_is_not_followed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
