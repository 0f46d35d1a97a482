/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - a path means one route, byte for byte, or none. */
#include "server/router.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <string.h>

static const struct route routes[] = {
        {.method = "GET", .path = "/orders"},
        {.method = "POST", .path = "/orders"},
        {.method = "GET", .path = "/orders/{id}"},
        {.method = "PUT", .path = "/orders/{id}/status"},
        {.method = "GET", .path = "/a/{x}/b/{y}/c/{z}"},
        {.method = "POST", .path = "/deliveries/replay"},
        {.method = "POST", .path = "/deliveries/{id}/replay"},
        {.method = "DELETE", .path = "/orders/{id}"},
        {.method = NULL},
};

static struct match match;

static enum err find(const char *method, const char *path)
{
        return router_find(routes, method, path, &match);
}

TEST(a_route_is_found_by_method_and_path)
{
        assert_int_equal(find("POST", "/orders"), ERR_OK);
        assert_ptr_equal(match.route, &routes[1]);
        assert_string_equal(match.args[0], "");
}

TEST(what_stands_for_braces_is_given_from_left_to_right)
{
        assert_int_equal(find("GET", "/a/1/b/zwei/c/%33"), ERR_OK);
        assert_string_equal(match.args[0], "1");
        assert_string_equal(match.args[1], "zwei");
        assert_string_equal(match.args[2], "%33");
        assert_int_equal(find("PUT", "/orders/7/status"), ERR_OK);
        assert_string_equal(match.args[0], "7");
        assert_string_equal(match.args[1], "");
        assert_string_equal(match.args[2], "");
}

TEST(other_bytes_are_no_route)
{
        static const char *const paths[] = {"",
                                            "/",
                                            "orders",
                                            "/orders/",
                                            "//orders",
                                            "/order",
                                            "/orderss",
                                            "/Orders",
                                            "/orders/1/",
                                            "/orders//status",
                                            "/./orders",
                                            "/orders/1/statu",
                                            "/orders/1/status/2",
                                            "/a//b/2/c/3",
                                            "/a/1/b/2/c/",
                                            "/a/1/b/2/c",
                                            "/%6frders",
                                            "/orders%2f1"};

        for (size_t i = 0; i < COUNT(paths); i++) {
                assert_case(find("GET", paths[i]) == ERR_NO_ROUTE, paths[i]);
                assert_null(match.route);
        }
}

TEST(another_method_is_told_which_there_are)
{
        assert_int_equal(find("PATCH", "/orders"), ERR_BAD_METHOD);
        assert_string_equal(match.allow, "GET, POST");
        assert_int_equal(find("OPTIONS", "/orders/1"), ERR_BAD_METHOD);
        assert_string_equal(match.allow, "GET, DELETE");
        assert_null(match.route);
        assert_int_equal(find("get", "/orders"), ERR_BAD_METHOD);
}

TEST(head_finds_the_route_of_get)
{
        assert_int_equal(find("HEAD", "/orders/1"), ERR_OK);
        assert_ptr_equal(match.route, &routes[2]);
        assert_int_equal(find("HEAD", "/deliveries/replay"), ERR_BAD_METHOD);
        assert_string_equal(match.allow, "POST");
}

TEST(a_word_of_the_path_and_an_argument_do_not_meet)
{
        assert_int_equal(find("POST", "/deliveries/replay"), ERR_OK);
        assert_ptr_equal(match.route, &routes[5]);
        assert_int_equal(find("POST", "/deliveries/replay/replay"), ERR_OK);
        assert_ptr_equal(match.route, &routes[6]);
        assert_string_equal(match.args[0], "replay");
}

TEST(an_argument_is_bounded)
{
        char path[sizeof "/orders/" + ROUTE_ARG_MAX + 1] = "/orders/";

        memset(path + 8, 'x', ROUTE_ARG_MAX);
        assert_int_equal(find("GET", path), ERR_OK);
        assert_int_equal(strlen(match.args[0]), ROUTE_ARG_MAX);
        path[8 + ROUTE_ARG_MAX] = 'x';
        assert_int_equal(find("GET", path), ERR_NO_ROUTE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_route_is_found_by_method_and_path),
                cmocka_unit_test(what_stands_for_braces_is_given_from_left_to_right),
                cmocka_unit_test(other_bytes_are_no_route),
                cmocka_unit_test(another_method_is_told_which_there_are),
                cmocka_unit_test(head_finds_the_route_of_get),
                cmocka_unit_test(a_word_of_the_path_and_an_argument_do_not_meet),
                cmocka_unit_test(an_argument_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
