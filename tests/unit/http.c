/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - what the server takes, what it refuses, in which order, and how it says so. */
#include "tests/unit/toy.h"

static char key[APIKEY_TEXT_SIZE], token[APIKEY_TEXT_SIZE];
static int fd;

static int start(__attribute__((unused)) void **state)
{
        struct http_options options = toy_options();

        toy_start(&options);
        return apikey_make("krk_", key, NULL) || apikey_make("krt_", token, NULL);
}

static int connect_first(__attribute__((unused)) void **state)
{
        fd = dial();
        return 0;
}

static int disconnect(__attribute__((unused)) void **state)
{
        close(fd);
        return 0;
}

/* The contract's shape, with this text in it. */
static void assert_refused(int status, const char *phrase, const char *text)
{
        char expected[512];

        snprintf(expected, sizeof expected, "{\"statusCode\":%d,\"error\":\"%s\",\"message\":\"%s\"}", status,
                 phrase, text);
        assert_int_equal(reply.status, status);
        assert_string_equal(reply.body, expected);
        assert_string_equal(reply_header("Content-Type"), "application/json; charset=utf-8");
        assert_true(strlen(reply_header("X-Request-Id")) == 16);
}

TEST(a_connection_is_kept_for_the_next_request)
{
        for (int i = 0; i < 3; i++) {
                assert_true(say_post(fd, "POST", "/echo", "", "{\"n\":1}"));
                assert_int_equal(hear(fd), 200);
                assert_string_equal(reply.body, "{\"n\":1}");
                assert_string_equal(reply_header("Content-Type"), "application/json; charset=utf-8");
                assert_string_equal(reply_header("Connection"), "");
        }
        assert_true(say_get(fd, "/hello", "Connection: close\r\n"));
        assert_int_equal(hear(fd), 200);
        assert_true(is_ended(fd));
}

TEST(pipelined_requests_are_answered_in_their_order)
{
        char text[64];

        for (int i = 0; i < 20; i++) {
                snprintf(text, sizeof text, "X-Request-Id: n%d\r\n", i);
                assert_true(say_post(fd, "POST", i % 3 == 0 ? "/held" : "/echo", text, "{}"));
        }
        for (int i = 0; i < 20; i++) {
                snprintf(text, sizeof text, "n%d", i);
                assert_int_equal(hear(fd), 200);
                assert_string_equal(reply_header("X-Request-Id"), text);
        }
}

TEST(bytes_may_come_one_by_one)
{
        static const char text[] =
                "PUT /echo HTTP/1.1\r\nHost: toy\r\ncontent-type: APPLICATION/JSON; charset=utf-8\r\n"
                "transfer-encoding: Chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
        int on = 1;

        setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
        for (size_t i = 0; i < sizeof text - 1; i++)
                assert_true(say_bytes(fd, text + i, 1));
        assert_int_equal(hear(fd), 200);
        assert_string_equal(reply.body, "{\"a\":1}");
}

TEST(a_large_body_arrives_whole)
{
        static char body[262144 + 1], head[256];

        for (size_t i = 0; i < sizeof body - 1; i++)
                body[i] = (char)('a' + i % 23);
        snprintf(
                head, sizeof head,
                "PUT /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                sizeof body - 1);
        assert_true(say(fd, head));
        assert_true(say_bytes(fd, body, sizeof body - 1));
        assert_int_equal(hear(fd), 200);
        assert_string_equal(reply.body, body);
}

TEST(a_client_that_only_listens_any_more_gets_its_answer)
{
        assert_true(say_post(fd, "POST", "/held", "", "{}"));
        shutdown(fd, SHUT_WR);
        assert_int_equal(hear(fd), 200);
        assert_true(is_ended(fd));
}

TEST(head_is_get_without_a_body)
{
        assert_true(say(fd, "HEAD /hello HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear_head(fd), 200);
        assert_string_equal(reply_header("Content-Length"), "11");
        assert_true(say(fd, "HEAD /nothing HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear_head(fd), 404);
        assert_true(say_get(fd, "/hello", ""));
        assert_int_equal(hear(fd), 200);
}

TEST(paths_are_compared_byte_for_byte)
{
        static const char *const paths[] = {"/",        "//hello", "/hello/",      "/HELLO",     "/hello/.",
                                            "/%68ello", "/hell",   "/hello%3Fx=1", "/x/../hello"};

        for (size_t i = 0; i < COUNT(paths); i++) {
                assert_true(say_get(fd, paths[i], ""));
                hear(fd);
                assert_case(reply.status == 404, paths[i]);
        }
        assert_refused(404, "Not Found", "Adres bulunamadı");
        assert_true(say_get(fd, "/hello?path=%2F", ""));
        assert_int_equal(hear(fd), 200);
}

TEST(another_method_is_told_which_there_are)
{
        assert_true(say(fd, "OPTIONS /echo HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear(fd), 405);
        assert_refused(405, "Method Not Allowed", "Bu adreste bu yöntem kullanılamaz");
        assert_string_equal(reply_header("Allow"), "POST, PUT");
        assert_true(say(fd, "FROB /hello HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear(fd), 405);
        assert_string_equal(reply_header("Allow"), "GET");
}

TEST(a_handler_sees_arguments_query_headers_and_address)
{
        char expected[64];

        assert_true(say_get(fd, "/show/x/y-z?a=1&since=2024%2D11+%C3%BC%20", "accept: all\r\n"));
        assert_int_equal(hear(fd), 200);
        snprintf(expected, sizeof expected, "%d|x|y-z|2024-11 \xc3\xbc |all|127.0.0.1", (int)CREDENTIAL_NONE);
        assert_string_equal(reply.body, expected);
        assert_string_equal(reply_header("Content-Type"), "text/plain");
}

TEST(a_request_keeps_its_name_or_gets_one)
{
        static const char *const unfit[] = {"", "a b", "Sipari\xc5\x9f", "a\"b"};
        char longest[160] = "X-Request-Id: ", made[32];

        assert_true(say_get(fd, "/hello", "X-Request-Id: Az0._-\r\n"));
        assert_int_equal(hear(fd), 200);
        assert_string_equal(reply_header("X-Request-Id"), "Az0._-");
        memset(longest + 14, 'x', 128);
        memcpy(longest + 14 + 128, "\r\n", 3);
        assert_true(say_get(fd, "/hello", longest));
        assert_int_equal(hear(fd), 200);
        assert_int_equal(strlen(reply_header("X-Request-Id")), 128);
        memcpy(longest + 14 + 128, "x\r\n", 4);
        assert_true(say_get(fd, "/hello", longest));
        assert_int_equal(hear(fd), 200);
        assert_int_equal(strlen(reply_header("X-Request-Id")), 16);
        for (size_t i = 0; i < COUNT(unfit); i++) {
                char header[64];

                text_copy(made, sizeof made, reply_header("X-Request-Id"));
                snprintf(header, sizeof header, "X-Request-Id: %s\r\n", unfit[i]);
                assert_true(say_get(fd, "/hello", header));
                assert_int_equal(hear(fd), 200);
                assert_int_equal(strlen(reply_header("X-Request-Id")), 16);
                assert_string_not_equal(reply_header("X-Request-Id"), made);
        }
}

/* --- who asks --- */

TEST(a_courier_shows_exactly_one_key)
{
        static const char *const without[] = {"", "x-api-key:\r\n", "x-api-key:  \r\n",
                                              "x-api-key: a\r\nX-API-Key: a\r\n"};
        char header[128];

        for (size_t i = 0; i < COUNT(without); i++) {
                assert_true(say_post(fd, "POST", "/courier", without[i], "{}"));
                assert_int_equal(hear(fd), 400);
                assert_refused(400, "Bad Request", "Header'da API key gereklidir");
        }
        assert_true(say_post(fd, "POST", "/courier", "x-api-key: krk_nonsense\r\n", "{}"));
        assert_int_equal(hear(fd), 200);
        assert_int_equal(reply.body[0], '0' + CREDENTIAL_MALFORMED);
        snprintf(header, sizeof header, "X-Api-Key: %s\r\n", key);
        assert_true(say_post(fd, "POST", "/courier", header, "{}"));
        assert_int_equal(hear(fd), 200);
        assert_int_equal(reply.body[0], '0' + CREDENTIAL_KEY);
}

/* The status that GET `path` has for this Authorization header; the key beside it is ignored. */
static int bearer(const char *path, const char *scheme, const char *value)
{
        char header[256];

        snprintf(header, sizeof header, "Authorization: %s%s\r\nx-api-key: %s\r\n", scheme, value, key);
        assert_true(say_get(fd, path, header));
        return hear(fd);
}

TEST(a_bearer_has_the_role_that_the_route_wants)
{
        assert_int_equal(bearer("/restaurant", "Bearer ", token), 200);
        assert_int_equal(reply.body[0], '0' + CREDENTIAL_TOKEN);
        assert_int_equal(bearer("/both", "bearer   ", token), 200);
        assert_int_equal(bearer("/admin", "Bearer ", token), 403);
        assert_refused(403, "Forbidden", "Bu işlem için yetkiniz yok");
        assert_int_equal(bearer("/admin", "Bearer ", TOY_ADMIN), 200);
        assert_int_equal(reply.body[0], '0' + CREDENTIAL_ADMIN);
        assert_int_equal(bearer("/both", "BEARER ", TOY_ADMIN), 200);
        assert_int_equal(bearer("/restaurant", "Bearer ", TOY_ADMIN), 403);
}

TEST(a_missing_or_malformed_bearer_is_unknown)
{
        char typo[APIKEY_TEXT_SIZE];

        text_copy(typo, sizeof typo, token);
        typo[10] = typo[10] == '0' ? '1' : '0';
        assert_true(say_get(fd, "/restaurant", ""));
        assert_int_equal(hear(fd), 401);
        assert_refused(401, "Unauthorized", "Kimlik doğrulama gerekli");
        assert_int_equal(bearer("/restaurant", "Bearer ", typo), 401);
        assert_int_equal(bearer("/restaurant", "Bearer ", ""), 401);
        assert_int_equal(bearer("/restaurant", "Bearer", token), 401);
        assert_int_equal(bearer("/restaurant", "Basic ", token), 401);
        assert_int_equal(bearer("/restaurant", "Bearer ", key), 401);
        assert_int_equal(bearer("/admin", "Bearer ", TOY_ADMIN "x"), 401);
        assert_int_equal(bearer("/admin", "Bearer ", "0123456789abcdef0123456789abcde"), 401);
        assert_true(say_get(fd, "/admin",
                            "Authorization: Bearer " TOY_ADMIN "\r\nAuthorization: Bearer " TOY_ADMIN
                            "\r\n"));
        assert_int_equal(hear(fd), 401);
}

/* --- framing and bodies --- */

TEST(ambiguous_framing_is_refused_and_the_connection_ends)
{
        static const char *const heads[] = {
                "Content-Length: 2\r\nContent-Length: 2\r\n",
                "Content-Length: 2\r\nContent-Length: 3\r\n",
                "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n",
                "Transfer-Encoding: gzip\r\n",
                "Transfer-Encoding: gzip, chunked\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "Content-Length : 2\r\n",
                "X: y\nContent-Length: 2\r\n",
                "X: y\rContent-Length: 2\r\n",
                "Transfer-Enc: chunked\r\n oding\r\n",
                "Content-Length: 2\r\nHost: toy\r\n",
        };

        for (size_t i = 0; i < COUNT(heads); i++) {
                char text[512];
                int one = dial();

                snprintf(
                        text, sizeof text,
                        "POST %s HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n%s\r\n2\r\n{}\r\n0\r\n\r\n"
                        "GET /hello HTTP/1.1\r\nHost: toy\r\n\r\n",
                        i % 2 ? "/nothing" : "/echo", heads[i]);
                assert_true(say(one, text));
                hear(one);
                assert_case(reply.status == 0 || reply.status >= 400, heads[i]);
                assert_case(is_ended(one), heads[i]);
                close(one);
        }
}

TEST(a_body_that_is_declared_too_long_is_refused_before_it_is_sent)
{
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Content-Length: 16385\r\nExpect: 100-continue\r\n\r\n"));
        assert_int_equal(hear(fd), 413);
        assert_refused(413, "Content Too Large", "İstek gövdesi çok büyük");
        assert_string_equal(reply_header("Connection"), "close");
        assert_true(is_ended(fd));
}

TEST(who_pushes_on_still_reads_the_refusal)
{
        static char junk[3 << 20];

        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Content-Length: 4000000\r\n\r\n"));
        assert_true(say_bytes(fd, junk, sizeof junk));
        assert_int_equal(hear(fd), 413);
        assert_true(is_ended(fd));
}

TEST(a_short_refused_body_does_not_cost_the_connection)
{
        for (int i = 0; i < 3; i++) {
                assert_true(say_post(fd, "POST", "/courier", "", "{\"refused\":true}"));
                assert_int_equal(hear(fd), 400);
                assert_true(say_post(fd, "GET", "/hello", "", "{}"));
                assert_int_equal(hear(fd), 413);
        }
        assert_true(say_get(fd, "/hello", ""));
        assert_int_equal(hear(fd), 200);
}

TEST(chunks_are_counted_while_they_come)
{
        static char chunk[4096 + 9];

        memcpy(chunk, "1000\r\n", 6);
        memset(chunk + 6, ' ', 4096);
        memcpy(chunk + 6 + 4096, "\r\n", 3);
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < 256; i++)
                assert_true(say(fd, chunk));
        assert_true(say(fd, "0\r\n\r\n"));
        assert_int_equal(hear(fd), 413);
        assert_true(is_ended(fd));
        close(fd);
        fd = dial();
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < 4096 && say(fd, chunk); i++)
                ;
        assert_int_equal(hear(fd), 0);
}

TEST(nothing_behind_chunks_is_a_request)
{
        assert_true(say(fd, "PUT /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
                            "GET /hello HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear(fd), 200);
        assert_string_equal(reply.body, "{}");
        assert_string_equal(reply_header("Connection"), "close");
        assert_true(is_ended(fd));
}

TEST(a_body_is_json_by_its_type)
{
        static const char *const types[][2] = {
                {"application/json", "200"},
                {"Application/JSON;charset=utf-8", "200"},
                {"application/json ; charset=utf-8", "200"},
                {"application/jsonx", "415"},
                {"application/problem+json", "415"},
                {"text/json", "415"},
                {"", "415"},
        };
        char text[256];

        for (size_t i = 0; i < COUNT(types); i++) {
                snprintf(
                        text, sizeof text,
                        "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: %s\r\nContent-Length: 2\r\n\r\n{}",
                        types[i][0]);
                assert_true(say(fd, text));
                hear(fd);
                assert_case(reply.status == (int)strtoul(types[i][1], NULL, 10), types[i][0]);
        }
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length: 0\r\n\r\n"));
        assert_int_equal(hear(fd), 415);
        assert_refused(415, "Unsupported Media Type", "Content-Type application/json olmalıdır");
}

TEST(an_optional_body_needs_no_type_when_there_is_none)
{
        assert_true(say(fd, "POST /optional HTTP/1.1\r\nHost: toy\r\n\r\n"));
        assert_int_equal(hear(fd), 200);
        assert_true(say(
                fd,
                "POST /optional HTTP/1.1\r\nHost: toy\r\nContent-Length: 0\r\nContent-Type: x/y\r\n\r\n"));
        assert_int_equal(hear(fd), 200);
        assert_true(say(fd, "POST /optional HTTP/1.1\r\nHost: toy\r\nContent-Length: 2\r\n\r\n{}"));
        assert_int_equal(hear(fd), 415);
}

TEST(a_partner_is_told_in_its_own_words)
{
        static const struct {
                const char *method, *path, *headers;
                int status;
                const char *body;
        } cases[] = {
                {"POST", "/partner", "Content-Length: 0\r\n", 405,
                 "[{\"code\":100,\"description\":\"Method Not Allowed\"}]"},
                {"PUT", "/partner",
                 "Expect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", 415,
                 "[{\"code\":100,\"description\":\"Unsupported Media Type\"}]"},
                {"PUT", "/partner",
                 "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 999\r\n", 413,
                 "[{\"code\":100,\"description\":\"Content Too Large\"}]"},
                {"GET", "/partner/broken", "", 500,
                 "[{\"code\":100,\"description\":\"Internal Server Error\"}]"},
                {"GET", "/partner/ticket", "", 401,
                 "{\"reason\":\"Access token has been expired. You should request a new one\"}"},
                {"GET", "/partner/ticket", "Authorization: Bearer " TOY_ADMIN "\r\n", 401,
                 "{\"reason\":\"Access token has been expired. You should request a new one\"}"},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
                char text[256];
                int one = dial();

                snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: toy\r\n%s\r\n", cases[i].method,
                         cases[i].path, cases[i].headers);
                assert_true(say(one, text));
                hear(one);
                assert_case(reply.status == cases[i].status, text);
                assert_string_equal(reply.body, cases[i].body);
                close(one);
        }
}

TEST(a_route_says_what_its_body_may_be)
{
        assert_true(say(fd, "PUT /partner HTTP/1.1\r\nHost: toy\r\n"
                            "Content-Type: Application/vnd.toy.v2+json; charset=utf-8\r\n"
                            "Content-Length: 2\r\n\r\n{}"));
        assert_int_equal(hear(fd), 400); /* the handler's own: it was reached */
        assert_non_null(strstr(reply.body, "[{\"code\":100,\"description\":\"A field is missing or wrong: "));
        assert_true(say(fd, "PUT /partner HTTP/1.1\r\nHost: toy\r\nContent-Type: application/vnd.toy.v2\r\n"
                            "Content-Length: 2\r\n\r\n{}"));
        assert_int_equal(hear(fd), 415);
}

TEST(refusals_come_in_their_order)
{
        static const struct {
                const char *method, *path, *headers;
                int status;
        } cases[] = {
                {"POST", "/nothing", "Content-Length: 99999\r\n", 404},
                {"PATCH", "/courier", "Content-Length: 99999\r\n", 405},
                {"POST", "/courier", "Content-Length: 99999\r\n", 400},
                {"POST", "/courier", "x-api-key: a\r\nContent-Length: 99999\r\n", 413},
                {"POST", "/courier", "x-api-key: a\r\nContent-Length: 2\r\n", 415},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
                char text[256];
                int one = dial();

                snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: toy\r\nExpect: 100-continue\r\n%s\r\n",
                         cases[i].method, cases[i].path, cases[i].headers);
                assert_true(say(one, text));
                hear(one);
                assert_case(reply.status == cases[i].status, text);
                close(one);
        }
}

TEST(a_wanted_body_is_asked_for)
{
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
                            "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
        assert_int_equal(hear_head(fd), 100);
        assert_true(say(fd, "{}"));
        assert_int_equal(hear(fd), 200);
}

/* --- failures --- */

TEST(a_broken_store_is_told_as_the_route_says)
{
        assert_true(say_get(fd, "/broken", ""));
        assert_int_equal(hear(fd), 500);
        assert_refused(500, "Internal Server Error", "Sunucu hatası");
        assert_string_equal(reply_header("Retry-After"), "1");
        assert_true(say_get(fd, "/not-updated", ""));
        assert_int_equal(hear(fd), 500);
        assert_refused(500, "Internal Server Error", "Sipariş güncellenemedi");
        assert_string_equal(reply_header("Retry-After"), "1");
}

TEST(a_wrong_field_is_named_in_good_json)
{
        assert_true(say_get(fd, "/field", ""));
        assert_int_equal(hear(fd), 400);
        assert_refused(400, "Bad Request", "Geçersiz alan: items[3].?na?me??");
        assert_string_equal(reply_header("Retry-After"), "");
}

TEST(what_is_no_http_ends_the_connection)
{
        static const char *const junk[] = {"GET\r\n\r\n",
                                           "GET / HTTP/9.9\r\n\r\n",
                                           "POST /echo\r\n\r\n",
                                           "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length: 5 5\r\n\r\n",
                                           "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length: -1\r\n\r\n",
                                           "POST /echo HTTP/1.1\r\nHost: toy\r\nContent-Length:\r\n\r\n"};
        char byte;

        for (size_t i = 0; i < COUNT(junk); i++) {
                int one = dial();

                assert_true(say(one, junk[i]));
                hear(one);
                assert_case(reply.status == 0 || reply.status >= 400, junk[i]);
                while (recv(one, &byte, 1, 0) >
                       0) /* libmicrohttpd 0.9.75 sends some of its refusals' heads twice */
                        ;
                close(one);
        }
        assert_true(say_get(fd, "/hello", ""));
        assert_int_equal(hear(fd), 200);
}

TEST(the_ops_port_has_routes_of_its_own)
{
        int ops = dial_to(http_ops_address(toy.http));

        assert_true(say_get(ops, "/livez", ""));
        assert_int_equal(hear(ops), 200);
        assert_true(say_get(ops, "/hello", ""));
        assert_int_equal(hear(ops), 404);
        close(ops);
        assert_true(say_get(fd, "/livez", ""));
        assert_int_equal(hear(fd), 404);
}

TEST(an_address_that_is_none_or_taken_is_told)
{
        struct http_options options = toy_options();
        struct http *http = NULL;
        struct why why;

        options.listen = "nonsense";
        assert_int_equal(http_open(&options, &http, &why), ERR_BAD_FIELD);
        options.listen = http_address(toy.http);
        assert_int_equal(http_open(&options, &http, &why), ERR_INTERNAL);
        assert_non_null(strstr(why.text, http_address(toy.http)));
        options = toy_options();
        options.connections_max = 1 << 30;
        assert_int_equal(http_open(&options, &http, &why), ERR_INTERNAL);
        assert_null(http);
}

#define WIRED(name) cmocka_unit_test_setup_teardown(name, connect_first, disconnect)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WIRED(a_connection_is_kept_for_the_next_request),
                WIRED(pipelined_requests_are_answered_in_their_order),
                WIRED(bytes_may_come_one_by_one),
                WIRED(a_large_body_arrives_whole),
                WIRED(a_client_that_only_listens_any_more_gets_its_answer),
                WIRED(head_is_get_without_a_body),
                WIRED(paths_are_compared_byte_for_byte),
                WIRED(another_method_is_told_which_there_are),
                WIRED(a_handler_sees_arguments_query_headers_and_address),
                WIRED(a_request_keeps_its_name_or_gets_one),
                WIRED(a_courier_shows_exactly_one_key),
                WIRED(a_bearer_has_the_role_that_the_route_wants),
                WIRED(a_missing_or_malformed_bearer_is_unknown),
                WIRED(ambiguous_framing_is_refused_and_the_connection_ends),
                WIRED(a_body_that_is_declared_too_long_is_refused_before_it_is_sent),
                WIRED(who_pushes_on_still_reads_the_refusal),
                WIRED(a_short_refused_body_does_not_cost_the_connection),
                WIRED(chunks_are_counted_while_they_come),
                WIRED(nothing_behind_chunks_is_a_request),
                WIRED(a_body_is_json_by_its_type),
                WIRED(an_optional_body_needs_no_type_when_there_is_none),
                WIRED(a_partner_is_told_in_its_own_words),
                WIRED(a_route_says_what_its_body_may_be),
                WIRED(refusals_come_in_their_order),
                WIRED(a_wanted_body_is_asked_for),
                WIRED(a_broken_store_is_told_as_the_route_says),
                WIRED(a_wrong_field_is_named_in_good_json),
                WIRED(what_is_no_http_ends_the_connection),
                WIRED(the_ops_port_has_routes_of_its_own),
                WIRED(an_address_that_is_none_or_taken_is_told),
        };

        return cmocka_run_group_tests(tests, start, toy_end);
}
