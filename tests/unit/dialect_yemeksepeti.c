/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_yemeksepeti.c - tests of what only model/dialect_yemeksepeti.c has: URLs that others give, and acceptanceTime. */
#include "model/clean.h"
#include "model/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)
#define BEGAN INT64_C(1730808000000) /* 2024-11-05T12:00:00Z */

static const struct dialect *const dialect = &dialect_yemeksepeti;
static const struct account account = {
        .url = "http://127.0.0.1:8080/v2",
        .values = {"https://a.restaurant-partners.com/v2/login", "ad", "gizli"},
        .token = "e30.e30.x"};

#define WITH(url) "{\"platformRef\":{\"callbackUrls\":{\"orderAcceptedUrl\":\"" url "\"}}}"

static char usual[] = WITH("https://restaurant-partners.com/k7");

/* One that was accepted when it began; `document` is borrowed. */
static struct order an_order(char *document)
{
        static char id[] = "k7";
        struct order order = {
                .platform = PLATFORM_YEMEKSEPETI, .platform_order_id = id, .prep_minutes = 25, .n_moves = 2};

        order.document = document;
        order.moves[0] = (struct move){.to = STATUS_NEW, .at_ms = BEGAN - MINUTE};
        order.moves[1] = (struct move){.to = STATUS_ACCEPTED, .at_ms = BEGAN};
        return order;
}

static const struct step *step_of(enum status rank)
{
        return dialect_step(dialect, STEP_OF((int)rank));
}

/* ---- URLs ---- */

struct url {
        const char *text;
        bool taken;   /* its form, when the order comes in and when an account is connected */
        bool trusted; /* its place, when it is called */
};

static const struct url urls[] = {
        {"https://restaurant-partners.com/k7", true, true},
        {"https://vendor-api-tr.me.restaurant-partners.com:443/a?b=c%20d", true, true},
        {"https://A.Restaurant-Partners.COM/k7", true, true},
        {"http://127.0.0.1:8080/k7", true, true},
        {"HTTP://127.0.0.1:8080/k7", false, false},
        {"http://127.0.0.1:8081/k7", true, false},
        {"http://127.0.0.1:80801/k7", true, false},
        {"http://127.0.0.1/k7", true, false},
        {"https://127.0.0.1:8080/k7", true, false},
        {"http://a.restaurant-partners.com/k7", true, false},
        {"https://restaurant-partners.com.evil.test/k7", true, false},
        {"https://evilrestaurant-partners.com/k7", true, false},
        {"https://restaurant-partners.com./k7", true, false},
        {"https://evil.test/.restaurant-partners.com", true, false},
        {"https://evil.test:443/restaurant-partners.com", true, false},
        {"https://a@restaurant-partners.com/k7", false, false},
        {"https://restaurant-partners.com@evil.test/k7", false, false},
        {"https://evil.test\\\\.restaurant-partners.com/k7", false, false},
        {"https://evil.test#.restaurant-partners.com/k7", false, false},
        {"https://evil.test?.restaurant-partners.com/k7", false, false},
        {"https://[::1]/k7", false, false},
        {"https://.restaurant-partners.com/k7", false, false},
        {"https:///k7", false, false},
        {"https://restaurant-partners.com", false, false},
        {"https://restaurant-partners.com/a b", false, false},
        {"ftp://restaurant-partners.com/k7", false, false},
        {"restaurant-partners.com/k7", false, false},
};

static enum err accept(const char *document, struct why *why)
{
        CLEAN(json_put_at) struct json_object *whole = NULL;
        struct view v, ref;

        assert_int_equal(json_read(document, strlen(document), &whole, NULL), ERR_OK);
        v = view_of(whole);
        assert_int_equal(view_opt_object(&v, "platformRef", &ref, NULL), ERR_OK);
        return dialect->accepts("k7", &ref, why);
}

static void an_orders_urls_have_their_form_when_it_comes_and_their_place_when_called(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
                CLEAN(message_done) struct message m = {0};
                char document[256];
                struct order order = an_order(document);
                struct why why = {0};
                enum err e;

                snprintf(document, sizeof document, WITH("%s"), urls[i].text);
                e = accept(document, &why);
                if (e != (urls[i].taken ? ERR_OK : ERR_BAD_FIELD))
                        fail_msg("taken: %s", urls[i].text);
                if (!urls[i].taken)
                        assert_string_equal(why.field, "platformRef.callbackUrls.orderAcceptedUrl");
                e = dialect->build(&order, step_of(STATUS_ACCEPTED), &account, &m, &why);
                if (e != (urls[i].trusted ? ERR_OK : ERR_BAD_FIELD))
                        fail_msg("trusted: %s", urls[i].text);
                if (!urls[i].trusted)
                        assert_string_equal(why.field, "platformRef.callbackUrls.orderAcceptedUrl");
                else
                        assert_string_equal(m.url, urls[i].text);
                if (m.guarded != (urls[i].trusted && strncmp(urls[i].text, "https:", 6) == 0))
                        fail_msg("guarded: %s", urls[i].text); /* http is the settings' own */
        }
}

static void a_login_url_is_held_to_the_same(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
                CLEAN(message_done) struct message m = {0};
                struct account with = account;
                struct why why = {0};

                if (strstr(urls[i].text, "\\")) /* a JSON escape above */
                        continue;
                assert_int_equal(dialect->fits("loginUrl", urls[i].text), urls[i].taken);
                assert_true(dialect->fits("password", urls[i].text));
                with.values[0] = urls[i].text;
                assert_int_equal(dialect->login(&with, &m, &why), urls[i].trusted ? ERR_OK : ERR_BAD_FIELD);
                if (!urls[i].trusted)
                        assert_string_equal(why.field, "credentials.loginUrl");
                assert_int_equal(m.guarded, urls[i].trusted && strncmp(urls[i].text, "https:", 6) == 0);
        }
}

static void a_reference_of_another_form_is_refused(void **state)
{
        struct why why = {0};

        (void)state;
        assert_int_equal(accept("{\"platformRef\":{\"callbackUrls\":[]}}", &why), ERR_BAD_FIELD);
        assert_string_equal(why.field, "platformRef.callbackUrls");
        assert_int_equal(accept("{\"platformRef\":{\"callbackUrls\":{\"orderPreparedUrl\":7}}}", &why),
                         ERR_BAD_FIELD);
        assert_string_equal(why.field, "platformRef.callbackUrls.orderPreparedUrl");
        assert_int_equal(accept("{}", &why), ERR_OK);
        assert_int_equal(accept("{\"platformRef\":{\"callbackUrls\":{\"orderPreparedUrl\":null}}}", &why),
                         ERR_OK);
}

/* ---- which steps there are ---- */

static void a_step_without_a_url_is_not_asked(void **state)
{
        static char none[] = "{\"platformRef\":null}";
        struct order order = an_order(usual);

        (void)state;
        assert_true(dialect->asks(&order, step_of(STATUS_ACCEPTED)));
        assert_false(dialect->asks(&order, step_of(STATUS_ON_THE_WAY)));
        assert_false(dialect->asks(&order, step_of(STATUS_CANCELLED)));
        order.document = none;
        assert_false(dialect->asks(&order, step_of(STATUS_ACCEPTED)));
        order.document = NULL; /* a list does not know */
        assert_true(dialect->asks(&order, step_of(STATUS_ACCEPTED)));
}

static void only_the_platforms_rider_waits_for_prepared(void **state)
{
        static char document[] = "{\"platformRef\":{\"callbackUrls\":{\"orderPreparedUrl\":"
                                 "\"https://restaurant-partners.com/k7\"}}}";
        struct order order = an_order(document);

        (void)state;
        assert_false(dialect->asks(&order, step_of(STATUS_READY)));
        order.platform_courier = true;
        assert_true(dialect->asks(&order, step_of(STATUS_READY)));
}

static void delivered_asks_for_picked_up_where_it_was_never_told(void **state)
{
        static char document[] = "{\"platformRef\":{\"callbackUrls\":{\"orderPickedUpUrl\":"
                                 "\"https://restaurant-partners.com/k7\"}}}";
        struct order order = an_order(document);
        struct target *t = &order.targets[PARTY_PLATFORM];
        struct next next;

        (void)state;
        *t = (struct target){
                .want = STEP_OF(STATUS_DELIVERED), .told = STEP_OF(STATUS_ACCEPTED), .at_ms = BEGAN};
        next = target_next(&order, PARTY_PLATFORM, dialect, 0, BEGAN);
        assert_int_equal(next.kind, NEXT_CALL);
        assert_int_equal(next.step->number, STEP_OF(STATUS_ON_THE_WAY));
        t->told = STEP_OF(STATUS_ON_THE_WAY);
        assert_int_equal(target_next(&order, PARTY_PLATFORM, dialect, 0, BEGAN).kind, NEXT_NOTHING);
}

/* ---- acceptanceTime ---- */

static void is_promised(const struct order *order, const char *time)
{
        CLEAN(message_done) struct message m = {0};
        char member[80];

        assert_int_equal(dialect->build(order, step_of(STATUS_ACCEPTED), &account, &m, NULL), ERR_OK);
        snprintf(member, sizeof member, "\"acceptanceTime\":\"%s\"", time);
        if (!strstr(m.body, member))
                fail_msg("%s instead of %s", m.body, time);
}

static void the_time_counts_from_the_move_and_stays_ahead_of_the_try(void **state)
{
        struct order order = an_order(usual);

        (void)state;
        is_promised(&order, "2024-11-05T15:25:00+03:00");
        order.targets[PARTY_PLATFORM].at_ms = BEGAN + 20 * MINUTE;
        is_promised(&order, "2024-11-05T15:25:00+03:00");
        order.targets[PARTY_PLATFORM].at_ms = BEGAN + 24 * MINUTE;
        is_promised(&order, "2024-11-05T15:27:00+03:00");
        order.prep_minutes = 1;
        order.targets[PARTY_PLATFORM].at_ms = BEGAN;
        is_promised(&order, "2024-11-05T15:03:00+03:00");
}

static void an_order_that_left_the_accept_out_counts_from_what_came_first(void **state)
{
        struct order order = an_order(usual);

        (void)state;
        order.n_moves = 3;
        order.moves[1].to = STATUS_READY;
        order.moves[2] = (struct move){.to = STATUS_ON_THE_WAY, .at_ms = BEGAN + MINUTE};
        is_promised(&order, "2024-11-05T15:25:00+03:00");
}

/* ---- what is not put off ---- */

static void a_token_lives_as_long_as_it_says(void **state)
{
        static const char body[] = "{\"access_token\":\"e30\",\"expires_in\":7200,\"token_type\":\"bearer\"}";
        const struct answer answer = {.http = 200, .body = body, .length = sizeof body - 1, .trouble = ""};
        struct judgement j;
        char token[TOKEN_SIZE];
        int64_t life_ms;

        (void)state;
        dialect_judge_login(dialect, &answer, &j, token, &life_ms);
        assert_int_equal(j.verdict, VERDICT_DONE);
        assert_int_equal(life_ms, 7200000);
        assert_string_equal(token, "e30");
}

static void a_cancels_note_is_its_message(void **state)
{
        static char document[] = "{\"platformRef\":{\"callbackUrls\":{\"orderRejectedUrl\":"
                                 "\"https://restaurant-partners.com/k7\"}}}";
        static char note[] = "Ocak bozuldu";
        CLEAN(message_done) struct message m = {0};
        struct order order = an_order(document);

        (void)state;
        order.moves[1] = (struct move){.to = STATUS_CANCELLED, .reason = "CLOSED", .note = note};
        assert_int_equal(dialect->build(&order, step_of(STATUS_CANCELLED), &account, &m, NULL), ERR_OK);
        assert_string_equal(
                m.body, "{\"status\":\"order_rejected\",\"reason\":\"CLOSED\",\"message\":\"Ocak bozuldu\"}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_orders_urls_have_their_form_when_it_comes_and_their_place_when_called),
                cmocka_unit_test(a_login_url_is_held_to_the_same),
                cmocka_unit_test(a_reference_of_another_form_is_refused),
                cmocka_unit_test(a_step_without_a_url_is_not_asked),
                cmocka_unit_test(only_the_platforms_rider_waits_for_prepared),
                cmocka_unit_test(delivered_asks_for_picked_up_where_it_was_never_told),
                cmocka_unit_test(the_time_counts_from_the_move_and_stays_ahead_of_the_try),
                cmocka_unit_test(an_order_that_left_the_accept_out_counts_from_what_came_first),
                cmocka_unit_test(a_token_lives_as_long_as_it_says),
                cmocka_unit_test(a_cancels_note_is_its_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
