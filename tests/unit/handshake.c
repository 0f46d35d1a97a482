/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c - who asks for a WebSocket in the right words, and from which page. */
#include "server/handshake.h"

#include "tests/unit/check.h"

#include <string.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 section 1.3 */

static const struct handshake good = {"websocket", "Upgrade", "13", KEY};

TEST(the_key_is_answered_as_the_standard_has_it)
{
        char accept[HANDSHAKE_ACCEPT_SIZE];

        assert_int_equal(handshake_check(&good, accept, NULL), ERR_OK);
        assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(words_stand_in_lists_and_in_any_case)
{
        static const struct handshake cases[] = {{"WebSocket", "keep-alive, UPGRADE", "13", KEY},
                                                 {"h2c , websocket", "upgrade,", "13", KEY},
                                                 {"websocket", "\t,Upgrade ", "13", KEY}};
        char accept[HANDSHAKE_ACCEPT_SIZE];

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_case(handshake_check(&cases[i], accept, NULL) == ERR_OK, cases[i].connection);
}

TEST(what_lacks_a_part_is_refused)
{
        static const struct {
                struct handshake asked;
                enum err e;
        } cases[] = {{{NULL, "Upgrade", "13", KEY}, ERR_UPGRADE},
                     {{"websockets", "Upgrade", "13", KEY}, ERR_UPGRADE},
                     {{"websocket", NULL, "13", KEY}, ERR_UPGRADE},
                     {{"websocket", "Upgraded", "13", KEY}, ERR_UPGRADE},
                     {{"websocket", "Upgrade", NULL, KEY}, ERR_UPGRADE},
                     {{"websocket", "Upgrade", "12", KEY}, ERR_UPGRADE},
                     {{"websocket", "Upgrade", "13", NULL}, ERR_BAD_FIELD},
                     {{"websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25j"}, ERR_BAD_FIELD},
                     {{"websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZWFh"}, ERR_BAD_FIELD},
                     {{"websocket", "Upgrade", "13", "!GhlIHNhbXBsZSBub25jZQ=="}, ERR_BAD_FIELD}};
        char accept[HANDSHAKE_ACCEPT_SIZE];

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_int_equal(handshake_check(&cases[i].asked, accept, NULL), cases[i].e);
}

TEST(a_page_is_ours_by_its_origin)
{
        static const struct {
                const char *origin, *url, *host;
                bool ours;
        } cases[] = {{NULL, "https://kurye.example", "kurye.example", true},
                     {"https://kurye.example", "https://kurye.example/panel", "10.0.0.1:8080", true},
                     {"HTTPS://Kurye.Example", "https://kurye.example", NULL, true},
                     {"http://kurye.example", "https://kurye.example", NULL, false},
                     {"https://kurye.example:8443", "https://kurye.example", NULL, false},
                     {"https://kurye.example.evil", "https://kurye.example", NULL, false},
                     {"https://kurye", "https://kurye.example", NULL, false},
                     {"http://localhost:8080", NULL, "localhost:8080", true},
                     {"https://localhost:8080", NULL, "LOCALHOST:8080", true},
                     {"http://localhost:8081", NULL, "localhost:8080", false},
                     {"http://evil/localhost:8080", NULL, "localhost:8080", false},
                     {"http://localhost:8080/", NULL, "localhost:8080", false},
                     {"http://", NULL, "", false},
                     {"null", NULL, "null", false},
                     {"", NULL, "", false},
                     {"http://localhost", NULL, NULL, false}};

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_case(handshake_is_ours(cases[i].origin, cases[i].url, cases[i].host) == cases[i].ours,
                            cases[i].origin ? cases[i].origin : "no page");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_key_is_answered_as_the_standard_has_it),
                cmocka_unit_test(words_stand_in_lists_and_in_any_case),
                cmocka_unit_test(what_lacks_a_part_is_refused),
                cmocka_unit_test(a_page_is_ours_by_its_origin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
