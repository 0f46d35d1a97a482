/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - each promise of model/dialect.h, on the dialect that is named in argv. */
#include "model/dialect.h"

#include "model/clean.h"
#include "tests/contract/dialect_fixtures.h"
#include "tests/contract/fixture_courier.h"
#include "tests/contract/fixture_getiryemek.h"
#include "tests/contract/fixture_migrosyemek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct fixture *const fixtures[PLATFORM_COUNT] = {
        [PLATFORM_DUKKANGO] = &dukkango,       [PLATFORM_GETIRYEMEK] = &getiryemek,
        [PLATFORM_MIGROSYEMEK] = &migrosyemek, [PLATFORM_TRENDYOLYEMEK] = &trendyolyemek,
        [PLATFORM_YEMEKSEPETI] = &yemeksepeti,
};

static const struct dialect *dialect;
static const struct fixture *fixture;
static enum party party; /* whose it is: a platform's, or the courier firms' */

/* An order of this platform on which nothing was told yet, by hand: its strings are borrowed. */
static struct order an_order(void)
{
        static char id[PLATFORM_ORDER_ID_MAX + 1], document[1024];
        struct order order = {.platform = dialect->platform, .prep_minutes = 25, .n_moves = 2};

        assert_true(text_copy(id, sizeof id, fixture->order_id));
        assert_true(text_copy(document, sizeof document, fixture->document));
        order.platform_order_id = id;
        order.document = document;
        order.moves[0].to = STATUS_NEW;
        order.moves[1].to = STATUS_CANCELLED;
        if (party == PARTY_COURIER) {
                order.platform = PLATFORM_YEMEKSEPETI;
                order.status = STATUS_READY;
        }
        if (fixture->reason)
                assert_true(text_copy(order.moves[1].reason, CANCEL_REASON_SIZE, fixture->reason));
        return order;
}

/* Where there is a login, nothing but it needs the credentials. */
static enum err ask(const struct order *order, int number, const struct account *given, struct message *m,
                    struct why *why)
{
        const struct account with_token = {
                .url = given->url, .token = given->token, .dispatch = given->dispatch};
        const struct account *account = dialect->login ? &with_token : given;

        if (number == LOGIN)
                return dialect->login(given, m, why);
        if (number == CHECK)
                return dialect->check(order, account, m, why);
        if (number == REASONS)
                return dialect->ask_reasons(order, account, m, why);
        if (number == PROBE)
                return dialect->probe(account, m, why);
        return dialect->build(order, dialect_step(dialect, number), account, m, why);
}

static struct judgement understand(const struct order *order, int number, bool unsure,
                                   const struct answer *answer)
{
        struct judgement j = {.told = -1, .http = -1};
        char token[TOKEN_SIZE] = "untouched";
        int64_t life_ms = -1;

        if (number == CHECK)
                dialect_judge_check(dialect, order, answer, &j);
        else if (number != LOGIN)
                dialect_judge(dialect, order, dialect_step(dialect, number), unsure, answer, &j);
        else
                dialect_judge_login(dialect, answer, &j, token, &life_ms);
        assert_int_equal(number == LOGIN && j.verdict == VERDICT_DONE, life_ms > 0);
        assert_int_equal(number == LOGIN && j.verdict == VERDICT_DONE, !streq(token, "untouched"));
        return j;
}

static struct answer an_answer(int http, const char *body, size_t length)
{
        return (struct answer){
                .http = http, .retry_after_ms = -1, .body = body, .length = length, .trouble = ""};
}

/* Calls `one` for every call that the dialect has: its steps, its check, its login. */
static void for_every_call(void (*one)(int number))
{
        for (const struct step *s = dialect->steps; s->number; s++)
                one(s->number);
        if (dialect->check)
                one(CHECK);
        if (dialect->login)
                one(LOGIN);
}

/* ---- the table ---- */

static void the_steps_stand_in_order_and_have_the_apis_names(void **state)
{
        static const char *const names[PARTY_COUNT][STATUS_COUNT] = {
                {NULL, "accept", NULL, "ready", "on-the-way", "delivered", "cancel"},
                {NULL, "dispatch", NULL, NULL, NULL, NULL, "dispatch-cancel"}};
        int before = 0;

        (void)state;
        for (const struct step *s = dialect->steps; s->number; s++) {
                assert_true(s->number > before);
                /* Where "ready" is two calls, the second one has the rank's number. */
                if (!streq(s->name, "handover"))
                        assert_string_equal(s->name, names[party][(s->number + STEP_OF(1) - 1) / STEP_OF(1)]);
                assert_ptr_equal(dialect_step(dialect, s->number), s);
                before = s->number;
        }
        assert_int_equal(before, STEP_OF(STATUS_CANCELLED));
        assert_null(dialect_step(dialect, STEP_OF(STATUS_COOKING)));
}

static void it_speaks_for_its_party_only(void **state)
{
        struct order order = an_order();
        size_t n = 0;

        (void)state;
        assert_ptr_equal(dialect_for(&order, party), dialect);
        assert_ptr_not_equal(dialect_for(&order, !party), dialect);
        if (party == PARTY_PLATFORM)
                assert_ptr_equal(dialect_of(dialect->platform), dialect);
        assert_null(dialect_of(PLATFORM_PHONE));
        for (; dialect->credentials[n]; n++)
                assert_true(!dialect->fits ||
                            dialect->fits(dialect->credentials[n], fixture->account.values[n]));
        assert_in_range(n, party == PARTY_PLATFORM, CREDENTIALS_MAX);
        assert_int_equal(!dialect->login, !dialect->judge_login);
        assert_int_equal(!dialect->check, !dialect->judge_check);
}

/* ---- requests ---- */

static bool has_header(const struct message *m, const char *line)
{
        for (int i = 0; i < m->n_headers; i++)
                if (streq(m->headers[i], line))
                        return true;
        return false;
}

static void requests_are_as_the_platform_wants_them(void **state)
{
        (void)state;
        for (const struct asked *a = fixture->asked; a->line || a->body; a++) {
                CLEAN(message_done) struct message m = {0};
                struct order order = an_order();
                struct why why = {0};
                char line[512];
                enum err e;

                assert_true(text_copy(order.moves[1].reason, CANCEL_REASON_SIZE, a->reason ? a->reason : ""));
                e = ask(&order, a->number, &fixture->account, &m, &why);
                if (!a->line) {
                        assert_int_equal(e, ERR_BAD_FIELD);
                        assert_string_equal(why.field, a->body);
                        continue;
                }
                assert_int_equal(e, ERR_OK);
                snprintf(line, sizeof line, "%s %s", m.method, m.url);
                assert_string_equal(line, a->line);
                assert_int_equal(!m.body, !a->body);
                if (a->body)
                        assert_string_equal(m.body, a->body);
                assert_int_equal(!m.body,
                                 !has_header(&m, a->number == LOGIN && fixture->logs_in_by_form
                                                         ? "Content-Type: application/x-www-form-urlencoded"
                                                         : "Content-Type: application/json"));
                for (const char *const *h = fixture->headers; *h; h++)
                        assert_int_equal(has_header(&m, *h), a->number != LOGIN);
        }
}

static void a_request_is_pure(int number)
{
        CLEAN(message_done) struct message first = {0};
        CLEAN(message_done) struct message again = {0};
        struct order order = an_order();

        assert_int_equal(ask(&order, number, &fixture->account, &first, NULL), ERR_OK);
        assert_int_equal(ask(&order, number, &fixture->account, &again, NULL), ERR_OK);
        assert_string_equal(first.url, again.url);
        assert_int_equal(first.n_headers, again.n_headers);
        assert_int_equal(!first.body, !again.body);
        if (number == CHECK)
                assert_string_equal(first.method, fixture->checks_by_post ? "POST" : "GET");
        if (first.body)
                assert_string_equal(first.body, again.body);
        if (first.body && party == PARTY_PLATFORM) {
                assert_null(strstr(first.body, "Ahmet"));
                assert_null(strstr(first.body, "555"));
        }
}

static void the_same_order_makes_the_same_request_without_its_customer(void **state)
{
        (void)state;
        for_every_call(a_request_is_pure);
}

static enum err accept_id(const char *id)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view whole, ref = {.path = "platformRef"};

        assert_int_equal(json_read(fixture->document, strlen(fixture->document), &document, NULL), ERR_OK);
        whole = view_of(document);
        assert_int_equal(view_opt_object(&whole, "platformRef", &ref, NULL), ERR_OK);
        return dialect->accepts ? dialect->accepts(id, &ref, NULL) : ERR_OK;
}

static int slashes(const char *url)
{
        int n = 0;

        for (; *url; url++)
                n += *url == '/';
        return n;
}

static void an_accepted_id_cannot_leave_its_place(int number)
{
        CLEAN(message_done) struct message usual = {0};
        struct order order = an_order();

        assert_int_equal(ask(&order, number, &fixture->account, &usual, NULL), ERR_OK);
        for (const char *const *id = fixture->accepted; *id; id++) {
                CLEAN(message_done) struct message m = {0};

                assert_int_equal(accept_id(*id), ERR_OK);
                assert_true(text_copy(order.platform_order_id, PLATFORM_ORDER_ID_MAX + 1, *id));
                assert_int_equal(ask(&order, number, &fixture->account, &m, NULL), ERR_OK);
                assert_int_equal(slashes(m.url), slashes(usual.url));
                assert_null(strpbrk(m.url, "?# "));
        }
}

static void only_ids_that_can_be_sent_are_accepted(void **state)
{
        static const char *const hostile[] = {"", " ", "a b", "a\nb", "..", ".", "\x7f", "ı", NULL};
        char longest[PLATFORM_ORDER_ID_MAX + 2];

        (void)state;
        if (party == PARTY_COURIER)
                return; /* it is called where the firm says, whatever the platform calls the order */
        memset(longest, 'a', sizeof longest - 1);
        longest[sizeof longest - 1] = '\0';
        assert_int_equal(accept_id(longest), ERR_BAD_FIELD);
        for (const char *const *id = hostile; *id; id++)
                assert_int_equal(accept_id(*id), ERR_BAD_FIELD);
        for (const char *const *id = fixture->refused; *id; id++)
                assert_int_equal(accept_id(*id), ERR_BAD_FIELD);
        for_every_call(an_accepted_id_cannot_leave_its_place);
}

static void a_hostile_credential_is_refused_or_harmless(int number)
{
        static const char *const hostile[] = {"a\r\nX-Evil: 1", "a\nb", "\x01", "../../x", "ş", NULL};
        struct order order = an_order();

        for (int i = 0; dialect->credentials[i]; i++) {
                for (const char *const *value = hostile; *value; value++) {
                        CLEAN(message_done) struct message m = {0};
                        struct account account = fixture->account;
                        enum err e;

                        account.values[i] = *value;
                        e = ask(&order, number, &account, &m, NULL);
                        assert_true(e == ERR_OK || e == ERR_BAD_FIELD);
                        assert_true(!m.url || !strpbrk(m.url, "\r\n\x01 "));
                        assert_true(!m.url || !strstr(m.url, "/../"));
                        for (int h = 0; h < m.n_headers; h++)
                                assert_true(text_is_printable(m.headers[h], 1, 4096));
                }
        }
}

static void no_credential_can_smuggle_anything(void **state)
{
        (void)state;
        for_every_call(a_hostile_credential_is_refused_or_harmless);
}

/* ---- answers ---- */

static void answers_mean_what_the_platform_means(void **state)
{
        (void)state;
        for (const struct said *a = fixture->said; a->http; a++) {
                struct answer answer = an_answer(a->http, a->body, strlen(a->body));
                struct order order = an_order();
                struct judgement j;

                order.targets[PARTY_PLATFORM].want = a->want ? a->want : a->number;
                j = understand(&order, a->number, a->unsure, &answer);
                if (j.verdict != a->verdict || j.definite != a->definite || j.told != a->told ||
                    j.http != a->http || j.wait_ms != (a->verdict == VERDICT_WAIT ? fixture->wait_ms : 0) ||
                    !streq(j.reason, a->reason))
                        fail_msg("%d, unsure %d, %d %s: %s, definite %d, told %d, %s", a->number, a->unsure,
                                 a->http, a->body, verdict_word(j.verdict), j.definite, j.told, j.reason);
        }
}

/* What was not answered, or by whom nobody knows. */
static void no_answer_is_tried_again(int number)
{
        struct answer answer = {
                .carried = CARRIED_UNSURE, .retry_after_ms = -1, .body = "", .trouble = "timeout"};
        struct order order = an_order();
        struct judgement j = understand(&order, number, false, &answer);

        assert_int_equal(j.verdict, VERDICT_RETRY);
        assert_int_equal(j.definite, number == LOGIN);
        assert_int_equal(j.http, 0);
        assert_int_equal(j.told, 0);
        assert_string_equal(j.reason, "timeout");
        answer.carried = CARRIED_NEVER;
        answer.trouble = "";
        j = understand(&order, number, true, &answer);
        assert_int_equal(j.verdict, VERDICT_RETRY);
        assert_true(j.definite);
        assert_string_equal(j.reason, "no_answer");
}

static void a_busy_platform_is_waited_for(int number)
{
        struct answer answer = an_answer(429, "", 0);
        struct order order = an_order();
        struct judgement j = understand(&order, number, true, &answer);

        assert_int_equal(j.verdict, VERDICT_WAIT);
        assert_true(j.definite);
        assert_int_equal(j.wait_ms, 0);
        answer.http = 503;
        answer.retry_after_ms = 5000;
        j = understand(&order, number, true, &answer);
        assert_int_equal(j.verdict, VERDICT_WAIT);
        assert_int_equal(j.definite, number == LOGIN);
        for (answer.retry_after_ms = -1; answer.retry_after_ms <= 0; answer.retry_after_ms++) {
                for (answer.http = 500; answer.http < 600; answer.http++) {
                        j = understand(&order, number, true, &answer);
                        assert_int_equal(j.verdict, VERDICT_RETRY);
                        assert_int_equal(j.definite, number == LOGIN);
                        assert_string_equal(j.reason, "server_error");
                }
        }
}

static void without_an_answer_and_in_trouble_all_are_alike(void **state)
{
        (void)state;
        for_every_call(no_answer_is_tried_again);
        for_every_call(a_busy_platform_is_waited_for);
}

#define SECRET "musteri"

static char deep[20001];
static char large[MESSAGE_REPLY_MAX + 1];
static char large_token[MESSAGE_REPLY_MAX + 1];

/* clang-format off */ /* its versions differ about braces in macros */
#define BYTES(text) {text, sizeof text - 1}
/* clang-format on */
static const struct {
        const char *bytes;
        size_t length;
} hostile[] = {
        BYTES(""),
        BYTES("null"),
        BYTES("true"),
        BYTES("7"),
        BYTES("\"" SECRET "\""),
        BYTES("[]"),
        BYTES("{}"),
        BYTES("{"),
        BYTES("{\"status\":tru"),
        BYTES("[{\"status\":true,\"packageStatus\":\"Shipped\"}]"),
        BYTES("<html>\xff\x00 " SECRET "</html>"),
        BYTES("\0{\"status\":true}"),
        BYTES("{\"status\":true}\0"),
        BYTES("\xef\xbb\xbf{\"status\":true,\"packageStatus\":\"Shipped\"}"),
        BYTES("{\"status\":\"" SECRET "\",\"data\":\"" SECRET "\",\"packageStatus\":\"" SECRET "\"}"),
        BYTES("{\"status\":[true],\"data\":[{}],\"packageStatus\":[\"Shipped\"]}"),
        BYTES("{\"status\":false,\"error\":\"" SECRET "\",\"message\":{}}"),
        BYTES("{\"status\":true,\"data\":{\"access_token\":{\"" SECRET "\":1}},\"packageStatus\":null}"),
        BYTES("{\"status\":true,\"data\":{\"access_token\":\"a\\u0000b\"},\"packageStatus\":\"Shipped\\u0000\"}"),
        BYTES("{\"status\":true,\"data\":{\"access_token\":\"\xc5\x9f\"},\"packageStatus\":\"\xc5\x9f\"}"),
        BYTES("{\"success\":false,\"errorMessage\":{\"errorDetail\":\"" SECRET "\"}}"),
        BYTES("{\"success\":\"" SECRET "\",\"data\":[\"" SECRET "\"]}"),
        {deep, sizeof deep - 1},
        {large, sizeof large - 1},
        {large_token, sizeof large_token - 1},
};

static void make_large_ones(void)
{
        static const char head[] = "{\"status\":true,\"data\":{\"access_token\":\"", tail[] = "\"}}";

        memset(deep, '[', (sizeof deep - 1) / 2);
        memset(deep + (sizeof deep - 1) / 2, ']', (sizeof deep - 1) / 2);
        memset(large, 'x', sizeof large - 1);
        memset(large_token, 'a', sizeof large_token - 1);
        memcpy(large_token, head, sizeof head - 1);
        memcpy(large_token + sizeof large_token - sizeof tail, tail, sizeof tail - 1);
}

/* Where the body has to say it, 200 alone is no success; some of these do say it. */
static bool is_success(int number, int http, const char *body)
{
        static const char yes[] = "{\"status\":true,\"data\":{";

        return number > CHECK &&
               (http != 200 || !fixture->body_decides || strncmp(body, yes, sizeof yes - 1) == 0);
}

static void nothing_hostile_is_believed(int number)
{
        struct order order = an_order();

        order.targets[PARTY_PLATFORM].want = STEP_OF(STATUS_DELIVERED);
        for (size_t i = 0; i < 2 * sizeof hostile / sizeof *hostile; i++) {
                const char *body = hostile[i / 2].bytes;

                for (int http = 100; http < 600; http++) {
                        struct answer answer = an_answer(http, body, hostile[i / 2].length);
                        struct judgement j = understand(&order, number, i % 2, &answer);

                        assert_true(j.verdict < VERDICT_NOTHING);
                        assert_true(j.verdict != VERDICT_LOGIN || (dialect->login && number != LOGIN));
                        assert_true(j.verdict != VERDICT_DONE || is_success(number, http, body));
                        assert_true(j.verdict == VERDICT_DONE || j.reason[0]);
                        assert_null(strstr(j.reason, SECRET));
                        assert_int_equal(j.told, 0);
                        assert_int_equal(j.wait_ms, 0);
                        assert_int_equal(j.http, http);
                }
        }
}

static void whatever_is_answered_is_judged_and_nothing_of_it_is_kept(void **state)
{
        (void)state;
        make_large_ones();
        for_every_call(nothing_hostile_is_believed);
}

static void a_reason_is_cut_where_it_is_too_long(void **state)
{
        struct judgement j = {.told = 10, .http = 200, .wait_ms = 5};

        (void)state;
        make_large_ones();
        judge(&j, VERDICT_GIVE_UP, large);
        assert_int_equal(strlen(j.reason), REASON_SIZE - 1);
        assert_int_equal(j.told, 10);
        assert_int_equal(j.http, 200);
        assert_int_equal(j.wait_ms, 0);
        assert_true(j.definite);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_steps_stand_in_order_and_have_the_apis_names),
                cmocka_unit_test(it_speaks_for_its_party_only),
                cmocka_unit_test(requests_are_as_the_platform_wants_them),
                cmocka_unit_test(the_same_order_makes_the_same_request_without_its_customer),
                cmocka_unit_test(only_ids_that_can_be_sent_are_accepted),
                cmocka_unit_test(no_credential_can_smuggle_anything),
                cmocka_unit_test(answers_mean_what_the_platform_means),
                cmocka_unit_test(without_an_answer_and_in_trouble_all_are_alike),
                cmocka_unit_test(whatever_is_answered_is_judged_and_nothing_of_it_is_kept),
                cmocka_unit_test(a_reason_is_cut_where_it_is_too_long),
        };
        enum platform platform = PLATFORM_PHONE;

        if (argc == 2 && streq(argv[1], party_word(PARTY_COURIER))) {
                party = PARTY_COURIER;
                dialect = &dialect_courier;
                fixture = &courier;
                return cmocka_run_group_tests(tests, NULL, NULL);
        }
        if (argc != 2 || !platform_find(argv[1], &platform) || !fixtures[platform]) {
                fprintf(stderr, "usage: %s <platform>|%s\n", argv[0], party_word(PARTY_COURIER));
                return 2;
        }
        dialect = dialect_of(platform);
        fixture = fixtures[platform];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
