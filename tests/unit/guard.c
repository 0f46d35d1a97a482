/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - the first and last address of what is refused, their neighbours, and every form that an address can take.
 *
 * Started as `unit_guard judge` it tells for each address on its input 1 (may be called) or 0: guard_oracle.py asks so. */
#include "server/guard.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ALL_OF(v6) v6 "ffff:ffff:ffff:ffff:ffff:ffff"

/* The neighbours are public; NULL: they are of the next row. */
static const struct {
        const char *before, *first, *last, *after;
} rows[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"},
        {"192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "239.255.255.255", NULL},
        {NULL, "240.0.0.0", "255.255.255.255", NULL},
        {NULL, "::", ALL_OF("1fff:ffff:"), "2000::"},
        {ALL_OF("2000:ffff:"), "2001::", ALL_OF("2001:1ff:"), "2001:200::"},
        {ALL_OF("2001:db7:"), "2001:db8::", ALL_OF("2001:db8:"), "2001:db9::"},
        {"2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
         "2620:4f:8001::"},
        {ALL_OF("3ffe:ffff:"), "3fff::", ALL_OF("3fff:fff:"), "3fff:1000::"},
        {ALL_OF("3fff:ffff:"), "4000::", ALL_OF("ffff:ffff:"), NULL},
};

/* What may be called though it is not public. */
static struct guard guard_of(const char *listed)
{
        struct guard guard;

        assert_case(guard_read(listed, &guard), listed ? listed : "NULL");
        return guard;
}

static bool is_public(const char *address)
{
        static const struct guard guard;

        assert_case(!guard_allows(&guard, address, 80, true), address); /* never by plain http */
        return guard_allows(&guard, address, 443, false);
}

/* The IPv4 address in each of the forms that carry one. */
static void assert_carried(const char *v4, bool is_fine)
{
        char mapped[64], nat64[64], six_to_four[64];
        uint8_t b[4];

        assert_int_equal(inet_pton(AF_INET, v4, b), 1);
        snprintf(mapped, sizeof mapped, "::ffff:%s", v4);
        snprintf(nat64, sizeof nat64, "64:FF9B::%x:%x", b[0] << 8 | b[1], b[2] << 8 | b[3]);
        snprintf(six_to_four, sizeof six_to_four, "2002:%x:%x:1::2", b[0] << 8 | b[1], b[2] << 8 | b[3]);
        assert_case(is_public(mapped) == is_fine, mapped);
        assert_case(is_public(nat64) == is_fine, nat64);
        assert_case(is_public(six_to_four) == is_fine, six_to_four);
}

TEST(a_range_is_refused_from_its_first_to_its_last_address)
{
        for (size_t i = 0; i < COUNT(rows); i++) {
                assert_case(!is_public(rows[i].first), rows[i].first);
                assert_case(!is_public(rows[i].last), rows[i].last);
                assert_case(!rows[i].before || is_public(rows[i].before), rows[i].before);
                assert_case(!rows[i].after || is_public(rows[i].after), rows[i].after);
        }
}

TEST(an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself)
{
        struct guard guard = guard_of("127.0.0.0/8");

        for (size_t i = 0; i < COUNT(rows) && !strchr(rows[i].first, ':'); i++) {
                assert_carried(rows[i].first, false);
                assert_carried(rows[i].last, false);
                if (rows[i].before)
                        assert_carried(rows[i].before, true);
                if (rows[i].after)
                        assert_carried(rows[i].after, true);
        }
        assert_true(guard_allows(&guard, "::ffff:127.0.0.1", 80, true));
        assert_true(guard_allows(&guard, "::FFFF:7f00:1", 80, true));
        assert_false(guard_allows(&guard, "::127.0.0.1", 80, true)); /* nothing carries that one */
}

TEST(forms_of_ipv6_that_lead_nowhere_public_are_refused)
{
        static const char *const addresses[] = {
                "::1",
                "::8.8.8.8",
                "::ffff:0:8.8.8.8",
                "64:ff9b:1::808:808",
                "64:ff9b::1:808:808",
                "100::1",
                "2001:0:808:808::",
                "2001:2::1",
                "2001:4:112::1",
                "2001:10::1",
                "2001:20::1",
                "2001:30::1",
                "5f00::1",
                "fc00::1",
                "fd00:ec2::254",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "ff0e::1",
        };

        for (size_t i = 0; i < COUNT(addresses); i++)
                assert_case(!is_public(addresses[i]), addresses[i]);
}

TEST(what_is_no_numeric_address_is_refused)
{
        static const char *const texts[] = {"",           "localhost",   "127.1",     "0x8080808",
                                            "134744072",  "8.8.8.8.",    "8.8.8",     "[2a00::1]",
                                            "2a00::1%1",  "8.8.8.8:443", "8.8.8.8/1", " 8.8.8.8",
                                            "0010.8.8.8", ":",           "2a00::1::"};

        for (size_t i = 0; i < COUNT(texts); i++)
                assert_case(!is_public(texts[i]), texts[i]);
}

TEST(a_listed_network_is_let_through_by_plain_http_too)
{
        struct guard guard = guard_of("10.32.0.0/11,127.0.0.1/32,fd00::/8,2000::/3");
        static const char *const inside[] = {"10.32.0.0", "10.63.255.255",      "127.0.0.1",
                                             "fd00::",    ALL_OF("fdff:ffff:"), "2001:db8::1"};
        static const char *const outside[] = {"10.31.255.255", "10.64.0.0", "127.0.0.2", "::1",
                                              "fc00::1",       "fe00::1",   "4000::"};

        for (size_t i = 0; i < COUNT(inside); i++) {
                assert_case(guard_allows(&guard, inside[i], 443, false), inside[i]);
                assert_case(guard_allows(&guard, inside[i], 80, true), inside[i]);
        }
        for (size_t i = 0; i < COUNT(outside); i++)
                assert_case(!guard_allows(&guard, outside[i], 443, false), outside[i]);
        assert_true(guard_allows(&guard, "8.8.8.8", 443, false));
        assert_false(guard_allows(&guard, "8.8.8.8", 80, true));
}

TEST(a_list_of_all_of_one_family_says_nothing_of_the_other)
{
        struct guard v4 = guard_of("0.0.0.0/0"), v6 = guard_of("::/0");

        assert_true(guard_allows(&v4, "127.0.0.1", 80, true));
        assert_true(guard_allows(&v4, "::ffff:127.0.0.1", 80, true));
        assert_false(guard_allows(&v4, "::1", 443, false));
        assert_true(guard_allows(&v6, "::1", 80, true));
        assert_false(guard_allows(&v6, "127.0.0.1", 443, false));
        assert_false(guard_allows(&v6, "::ffff:127.0.0.1", 443, false));
}

TEST(a_list_that_is_wrong_is_refused)
{
        static const char *const lists[] = {"",
                                            ",",
                                            "/",
                                            "/8",
                                            "10.0.0.0",
                                            "10.0.0.0/",
                                            "10.0.0.0/,",
                                            "10.0.0.0/8,",
                                            ",10.0.0.0/8",
                                            "10.0.0.0/8,,fd00::/8",
                                            "10.0.0.0/8 ",
                                            "10.0.0.0/8, fd00::/8",
                                            "10.0.0.0/33",
                                            "10.0.0.0/99999999999999999999",
                                            "10.0.0.0/-1",
                                            "10.0.0.0/+8",
                                            "10.0.0.0/8/8",
                                            "10.0.0/8",
                                            "10.0.0.1/8",
                                            "10.0.0.0/6",
                                            "10.0.0.0/255.0.0.0",
                                            "fd00::/129",
                                            "fd00::1/64",
                                            "[fd00::]/8",
                                            "fe80::%1/10",
                                            "::ffff:10.0.0.0/104",
                                            "64:ff9b::/96",
                                            "2002::/16",
                                            "localhost/8",
                                            "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8"};
        char many[GUARD_LISTED_MAX * 12 + 24] = "";
        struct guard guard;
        size_t n = 0;

        for (size_t i = 0; i < COUNT(lists); i++)
                assert_case(!guard_read(lists[i], &guard), lists[i]);
        for (int i = 0; i < GUARD_LISTED_MAX; i++)
                n += (size_t)snprintf(many + n, sizeof many - n, "%s10.0.%d.0/24", i ? "," : "", i);
        guard = guard_of(many);
        assert_true(guard_allows(&guard, "10.0.31.7", 80, true));
        snprintf(many + n, sizeof many - n, ",10.1.0.0/16");
        assert_false(guard_read(many, &guard));
}

TEST(our_own_ports_are_refused_on_every_address_of_this_machine)
{
        static const char *const here[] = {"127.0.0.1",       "127.9.9.9", "0.0.0.0", "::ffff:127.0.0.1",
                                           "64:ff9b::7f00:1", "::1",       "::",      "fe80::1"};
        struct guard guard = guard_of("0.0.0.0/0,::/0");

        guard_add_own(&guard, "127.0.0.1:43211");
        guard_add_own(&guard, "[::]:43212");
        for (size_t i = 0; i < COUNT(here); i++) {
                assert_case(!guard_allows(&guard, here[i], 43211, true), here[i]);
                assert_case(!guard_allows(&guard, here[i], 43212, false), here[i]);
                assert_case(guard_allows(&guard, here[i], 43213, true), here[i]);
        }
        assert_true(guard_allows(&guard, "8.8.8.8", 43211, true));
}

TEST(a_port_is_a_number_up_to_65535)
{
        assert_int_equal(port_read("443"), 443);
        assert_int_equal(port_read("65535"), 65535);
        assert_int_equal(port_read("65536"), 0);
        assert_int_equal(port_read("99999999999999999999"), 0);
        assert_int_equal(port_read("80a"), 0);
        assert_int_equal(port_read("-1"), 0);
        assert_int_equal(port_read(""), 0);
}

static int judge(void)
{
        static const struct guard guard;
        char line[64];

        while (fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = '\0';
                puts(guard_allows(&guard, line, 443, false) ? "1" : "0");
        }
        return 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_range_is_refused_from_its_first_to_its_last_address),
                cmocka_unit_test(an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself),
                cmocka_unit_test(forms_of_ipv6_that_lead_nowhere_public_are_refused),
                cmocka_unit_test(what_is_no_numeric_address_is_refused),
                cmocka_unit_test(a_listed_network_is_let_through_by_plain_http_too),
                cmocka_unit_test(a_list_of_all_of_one_family_says_nothing_of_the_other),
                cmocka_unit_test(a_list_that_is_wrong_is_refused),
                cmocka_unit_test(our_own_ports_are_refused_on_every_address_of_this_machine),
                cmocka_unit_test(a_port_is_a_number_up_to_65535),
        };

        return argc == 2 && streq(argv[1], "judge") ? judge() : cmocka_run_group_tests(tests, NULL, NULL);
}
