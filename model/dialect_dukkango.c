/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_dukkango.c - Dükkango's integration API.
 *
 * Sources: the platform's API reference, pages Login, Mark Order On The Way, Order Flow and Acknowledge Order.
 * There is no check: the only read, get-current, is limited to one call in 30 s per restaurant and leaves out orders
 * that were acknowledged. So a repeat of a call whose answer was lost is sent; all are PUT, idempotent by RFC 9110
 * section 9.2.2. UNSURE: what a repeat is answered is not documented. */
#include "model/clean.h"
#include "model/poll.h"

#include <ctype.h>
#include <stdio.h>

enum { APP_SECRET_KEY, REST_SECRET_KEY };
static const char *const credentials[] = {"appSecretKey", "restSecretKey", NULL};

/* There is no call for "ready" (no page of the reference has one). */
static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "accept", "/orders/accept/*"},
                                    {STEP_OF(STATUS_ON_THE_WAY), "on-the-way", "/orders/ontheway/*"},
                                    {STEP_OF(STATUS_DELIVERED), "delivered", "/orders/complete/*"},
                                    {STEP_OF(STATUS_CANCELLED), "cancel", "/orders/cancel/*"},
                                    {0, NULL, NULL}};

static const struct meaning meanings[] = {{400, VERDICT_GIVE_UP, "bad_request", false},
                                          {0, VERDICT_COUNT, NULL, false}};

/* As Order Flow has them. */
static const struct reason reasons[] = {{"1", "Ürün tükendi", false},
                                        {"2", "Adres bulunamıyor", false},
                                        {"3", "Yoğunluk nedeniyle", false},
                                        {"4", "Müşteri iptal etti", false},
                                        {"5", "Teknik sorun", false},
                                        {"6", "Çok uzak teslimat adresi", false},
                                        {"7", "Ödeme problemi", false},
                                        {"8", "Diğer", false},
                                        {NULL, NULL, false}};

/* A token lives 24 h. The answer's expiration_date has no zone (UNSURE which one is meant), so it is not read; one that
 * ends before ours is refused with 401 and then renewed. */
#define TOKEN_LIFE_MS (INT64_C(23) * 60 * 60 * 1000)

/* platformOrderId is the payment_key, a UUID: calls with the integer id are answered with 404. */
static enum err accepts(const char *platform_order_id, const struct view *ref, struct why *why)
{
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        const char *id = platform_order_id;

        (void)ref;
        for (size_t i = 0; i < sizeof form - 1; i++)
                if (form[i] == '-' ? id[i] != '-' : !isxdigit((unsigned char)id[i]))
                        return FAIL_FIELD(why, "platformOrderId", "not a payment_key (UUID)");
        if (id[sizeof form - 1])
                return FAIL_FIELD(why, "platformOrderId", "longer than a payment_key (UUID)");
        return ERR_OK;
}

static enum err login(const struct account *account, struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        enum err e;

        if (!body || !json_add_text(body, "app_secret_key", account->values[APP_SECRET_KEY]) ||
            !json_add_text(body, "rest_secret_key", account->values[REST_SECRET_KEY]))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a login");
        e = dialect_url(ret, "POST", account, why, "/auth/login");
        return e ? e : dialect_body(ret, body, why);
}

static void judge_login(const struct view *answer, struct judgement *ret, char token[TOKEN_SIZE],
                        int64_t *ret_life_ms)
{
        struct view data;
        bool status = true;

        if (view_need_bool(answer, "status", &status, NULL) || !status)
                judge(ret, VERDICT_RETRY, status ? "unexpected_answer" : "refused");
        else if (!view_opt_object(answer, "data", &data, NULL))
                dialect_take_token(&data, "access_token", TOKEN_LIFE_MS, ret, token, ret_life_ms);
}

/* An empty body is not sent. */
static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        enum err e = dialect_url(ret, "PUT", account, why, step->path, order->platform_order_id);

        if (!e && (!body || (step->number == STEP_OF(STATUS_ACCEPTED) &&
                             !json_add_int(body, "preparing_time", order->prep_minutes))))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        if (!e && step->number == STEP_OF(STATUS_CANCELLED))
                e = dialect_reason(&dialect_dukkango, order, body, "reason_id", why);
        if (!e)
                e = message_header(ret, "Access-Token", account->token, why);
        return e || json_object_object_length(body) == 0 ? e : dialect_body(ret, body, why);
}

static enum err ask_reasons(const struct order *order, const struct account *account, struct message *ret,
                            struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, "/orders/cancel-reasons");

        (void)order;
        return e ? e : message_header(ret, "Access-Token", account->token, why);
}

/* 400 is documented as "a field is missing" only. What it says in other words may be "it is there already". */
static bool is_field_missing(const struct answer *answer)
{
        CLEAN(json_put_at) struct json_object *document = dialect_document(answer);
        struct view v = view_of(document);
        const char *error = NULL;

        return document && !view_opt_text(&v, "error", 0, 100, &error, NULL) && streq(error, "eksik alan");
}

/* Every answer has `status`; true is success, and 200 alone is none. */
static void judge_success(const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = dialect_document(answer);
        struct view v = view_of(document);
        bool status = false;
        bool told = !view_need_bool(&v, "status", &status, NULL);

        if (!status)
                judge(ret, VERDICT_RETRY, told ? "refused" : "unexpected_answer");
        ret->definite = told;
}

static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        /* Order Flow: what was delivered is "removed from active orders". */
        bool gone = answer->http == 404 && step->number == STEP_OF(STATUS_DELIVERED);
        bool repeat = answer->http == 400 || answer->http == 409; /* UNSURE: not documented */

        (void)order;
        if (answer->http == 200)
                judge_success(answer, ret);
        else if (unsure && (gone || (repeat && !is_field_missing(answer))))
                judge(ret, VERDICT_DONE, "already_there");
}

const struct dialect dialect_dukkango = {
        .platform = PLATFORM_DUKKANGO,
        .credentials = credentials,
        .steps = steps,
        .other_reason = "8",
        .reasons = reasons,
        .meanings = meanings,
        .accepts = accepts,
        .polls = &polls_dukkango,
        .login = login,
        .judge_login = judge_login,
        .ask_reasons = ask_reasons,
        .build = build,
        .judge = judge_step,
};
