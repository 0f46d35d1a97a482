/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c - where orders may be sent to, and with which headers of the courier firm's own. */
#include "model/integration.h"

#include "tests/unit/records.h"

static struct keyring *ring;

static int make_the_ring(void **state)
{
        (void)state;
        ring = make_ring('A');
        return 0;
}

static int free_the_ring(void **state)
{
        (void)state;
        keyring_free(ring);
        return 0;
}

static enum err read_any(const char *text, bool plain, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = parse(text);
        CLEAN(integration_patch_done) struct integration_patch patch = {0};
        struct id id = read_id(OWN_ID);
        struct view view = view_of(body);

        return integration_patch_read(&view, true, &id, ring, plain, &patch, why);
}

static enum err read_patch(const char *text, struct why *why)
{
        return read_any(text, false, why);
}

TEST(only_https_addresses_without_a_password_are_taken)
{
        static const char *const good[] = {"https://a",
                                           "HTTPS://Kurye.Example/",
                                           "https://kurye.example:8443/a/b?c=d&e=%20",
                                           "https://10.0.0.1?x",
                                           "https://[2001:db8::1]:443/",
                                           "https://a/@b"};
        static const char *const bad[] = {"",
                                          "nonsense",
                                          "http://kurye.example/",
                                          "ftp://kurye.example/",
                                          "https://",
                                          "https:///path",
                                          "https://:443/",
                                          "https://user:pass@kurye.example/",
                                          "https://user@kurye.example/",
                                          "https://kurye.example:/",
                                          "https://kurye.example:0/",
                                          "https://kurye.example:65536/",
                                          "https://kurye.example:4x/",
                                          "https://kurye.example\\\\@evil/",
                                          "https://kurye .example/",
                                          "https://kurye.example/a\\nb",
                                          "https://kürye.example/",
                                          "https://[2001:db8::1/",
                                          "https://[]/",
                                          "https://[::1]x/"};
        struct why why;

        for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
                const char *url = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];
                char body[128];

                snprintf(body, sizeof body, "{'name':'x','dispatchUrl':'%s'}", url);
                if (i < COUNT(good))
                        assert_case(read_patch(body, NULL) == ERR_OK, url);
                else
                        assert_case(read_patch(body, &why) == ERR_BAD_FIELD &&
                                            streq(why.field, "dispatchUrl"),
                                    url);
        }
}

TEST(http_is_taken_where_the_settings_let_it_through)
{
        assert_int_equal(read_any("{'name':'x','dispatchUrl':'http://127.0.0.1:8080/a'}", true, NULL),
                         ERR_OK);
        assert_int_equal(read_any("{'name':'x','dispatchUrl':'https://127.0.0.1/a'}", true, NULL), ERR_OK);
        assert_int_equal(read_any("{'name':'x','dispatchUrl':'http://u@127.0.0.1/a'}", true, NULL),
                         ERR_BAD_FIELD);
        assert_int_equal(read_any("{'name':'x','dispatchUrl':'ftp://127.0.0.1/a'}", true, NULL),
                         ERR_BAD_FIELD);
}

TEST(an_address_has_2048_bytes_at_most)
{
        char body[2200];

        for (size_t n = 2048; n <= 2049; n++) {
                char *at = stpcpy(body, "{'name':'x','dispatchUrl':'https://a/");

                memset(at, 'b', n - strlen("https://a/"));
                stpcpy(at + n - strlen("https://a/"), "'}");
                assert_int_equal(read_patch(body, NULL), n == 2048 ? ERR_OK : ERR_BAD_FIELD);
        }
}

TEST(headers_that_are_ours_to_say_are_reserved)
{
        static const char *const reserved[] = {"Host",
                                               "host",
                                               "CONTENT-TYPE",
                                               "Content-Length",
                                               "Content-Anything",
                                               "Transfer-Encoding",
                                               "connection",
                                               "Webhook-Id",
                                               "webhook-signature"};
        char body[128], path[64];
        struct why why;

        for (size_t i = 0; i < COUNT(reserved); i++) {
                snprintf(body, sizeof body, "{'name':'x','dispatchHeaders':{'X-Ok':'1','%s':'2'}}",
                         reserved[i]);
                snprintf(path, sizeof path, "dispatchHeaders.%s", reserved[i]);
                assert_field(read_patch(body, &why), &why, path);
        }
        assert_int_equal(
                read_patch(
                        "{'name':'x','dispatchHeaders':{'Hostess':'1','Connections':'2','X-Webhook-Id':'3','Content':'4'}}",
                        NULL),
                ERR_OK);
}

TEST(a_header_that_could_smuggle_another_is_refused)
{
        static const char *const bad[][2] = {
                {"{'X-A':'a\\r\\nHost: b'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\u0000b'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\rb'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\nb'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\tb'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\u0001b'}", "dispatchHeaders.X-A"},
                {"{'X-A':'a\\u007fb'}", "dispatchHeaders.X-A"},
                {"{'X-A':'Şişli'}", "dispatchHeaders.X-A"},
                {"{'X-A':'b','x-a':'c'}", "dispatchHeaders.x-a"},
                {"{'X-A':5}", "dispatchHeaders.X-A"},
                {"{'X-A':''}", "dispatchHeaders.X-A"},
                {"{'X A':'b'}", "dispatchHeaders"},
                {"{'X:A':'b'}", "dispatchHeaders"},
                {"{'':'b'}", "dispatchHeaders"},
                {"{'X-\\n':'b'}", "dispatchHeaders"},
                {"{'Ş':'b'}", "dispatchHeaders"},
                {"[]", "dispatchHeaders"},
        };
        char body[128];
        struct why why;

        for (size_t i = 0; i < COUNT(bad); i++) {
                snprintf(body, sizeof body, "{'name':'x','dispatchHeaders':%s}", bad[i][0]);
                assert_field(read_patch(body, &why), &why, bad[i][1]);
        }
}

TEST(there_are_16_headers_at_most)
{
        char body[512];

        for (int n = 16; n <= 17; n++) {
                char *at = stpcpy(body, "{'name':'x','dispatchHeaders':{'X-Null':null");
                struct why why;

                for (int i = 0; i < n; i++)
                        at += snprintf(at, 32, ",'X-%d':'%d'", i, i);
                stpcpy(at, "}}");
                if (n == 16)
                        assert_int_equal(read_patch(body, NULL), ERR_OK);
                else
                        assert_field(read_patch(body, &why), &why, "dispatchHeaders");
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_https_addresses_without_a_password_are_taken),
                cmocka_unit_test(http_is_taken_where_the_settings_let_it_through),
                cmocka_unit_test(an_address_has_2048_bytes_at_most),
                cmocka_unit_test(headers_that_are_ours_to_say_are_reserved),
                cmocka_unit_test(a_header_that_could_smuggle_another_is_refused),
                cmocka_unit_test(there_are_16_headers_at_most),
        };

        return cmocka_run_group_tests_name("dispatch", tests, make_the_ring, free_the_ring);
}
