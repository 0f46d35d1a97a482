/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_getiryemek.c - GetirYemek's order API (food-external-api-gateway).
 *
 * Sources: the platform's own Swagger for calls and bodies, its developer guide for who may call what when and for the
 * error codes; what to do about a code is what public clients do. A repeat of a finished step is refused, so a step in
 * doubt is read from the order first. UNSURE: the guide names no call for "on the way"; clients use `prepare`, the only
 * call there is before `deliver`. */
#include "model/clean.h"
#include "model/dialect.h"

#include <sys/param.h>

enum { APP_SECRET_KEY, RESTAURANT_SECRET_KEY };
static const char *const credentials[] = {"appSecretKey", "restaurantSecretKey", NULL};

/* For Getir's own courier "ready" is two calls: 29 and 30. */
#define PREPARE (STEP_OF(STATUS_READY) - 1)
#define HANDOVER STEP_OF(STATUS_READY)
static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "accept", "/food-orders/*/verify"},
                                    {PREPARE, "ready", "/food-orders/*/prepare"},
                                    {HANDOVER, "handover", "/food-orders/*/handover"},
                                    {STEP_OF(STATUS_ON_THE_WAY), "on-the-way", "/food-orders/*/prepare"},
                                    {STEP_OF(STATUS_DELIVERED), "delivered", "/food-orders/*/deliver"},
                                    {STEP_OF(STATUS_CANCELLED), "cancel", "/food-orders/*/cancel"},
                                    {0, NULL, NULL}};

/* Nearly all that goes wrong is a 400 with a code. */
static const struct meaning meanings[] = {{400, VERDICT_RETRY, "refused", false},
                                          {0, VERDICT_COUNT, NULL, false}};

/* A token lives one hour; one that ends before ours is refused with 401 and then renewed. */
#define TOKEN_LIFE_MS (INT64_C(60) * 60 * 1000)
#define ID_BYTES 12 /* 24 hex digits */

static bool is_id(const char *text)
{
        uint8_t bytes[ID_BYTES];

        return hex_read(text, bytes, ID_BYTES);
}

static enum err accepts(const char *platform_order_id, const struct view *ref, struct why *why)
{
        int64_t verified_ms;

        if (!is_id(platform_order_id))
                return FAIL_FIELD(why, "platformOrderId", "not 24 hex digits");
        return view_opt_time(ref, "verifiedAt", &verified_ms, why);
}

/* deliveryType 1 and 2: `handover` is for Getir's courier only, `deliver` for the restaurant's. */
static bool asks(const struct order *order, const struct step *step)
{
        return (step->number != PREPARE && step->number != HANDOVER) || order->platform_courier;
}

/* An order that came in as accepted was verified at the latest when we got it. */
static int64_t verified_since(const struct order *order)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        int64_t verified_ms = order->created_ms;
        struct view ref;

        /* Without memory it is waited longer, which does no harm. */
        if (!order->document || dialect_ref(order, &document, &ref, NULL) != ERR_OK ||
            view_opt_time(&ref, "verifiedAt", &verified_ms, NULL) != ERR_OK)
                return order->created_ms;
        return MIN(verified_ms, order->created_ms);
}

/* At least a minute lies between verify and prepare and between prepare and deliver. */
static int64_t waits_since(const struct order *order, const struct step *step)
{
        const bool prepares = step->number == PREPARE || step->number == STEP_OF(STATUS_ON_THE_WAY);

        if (!prepares && step->number != STEP_OF(STATUS_DELIVERED))
                return 0;
        if (order->targets[PARTY_PLATFORM].told_at_ms)
                return order->targets[PARTY_PLATFORM].told_at_ms;
        return prepares ? verified_since(order) : order->created_ms;
}

static enum err login(const struct account *account, struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        enum err e;

        if (!body || !json_add_text(body, "appSecretKey", account->values[APP_SECRET_KEY]) ||
            !json_add_text(body, "restaurantSecretKey", account->values[RESTAURANT_SECRET_KEY]))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a login");
        e = dialect_url(ret, "POST", account, why, "/auth/login");
        return e ? e : dialect_body(ret, body, why);
}

static void judge_login(const struct view *answer, struct judgement *ret, char token[TOKEN_SIZE],
                        int64_t *ret_life_ms)
{
        dialect_take_token(answer, "token", TOKEN_LIFE_MS, ret, token, ret_life_ms);
}

/* The reasons are the order's own (cancel-options), so none is "other" and none can be known here. */
static enum err describe_cancel(const struct order *order, struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        const struct move *cancel = order_find_move(order, STATUS_CANCELLED);

        if (!cancel || !is_id(cancel->reason))
                return FAIL_FIELD(why, "reasonId", "not 24 hex digits");
        if (!body || !json_add_text(body, "cancelNote", cancel->note ? cancel->note : "") ||
            !json_add_text(body, "cancelReasonId", cancel->reason) || !json_add_text(body, "productId", ""))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return dialect_body(ret, body, why);
}

static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        const bool scheduled = step->number == STEP_OF(STATUS_ACCEPTED) && order->scheduled_ms;
        enum err e = dialect_url(ret, "POST", account, why,
                                 scheduled ? "/food-orders/*/verify-scheduled" : step->path,
                                 order->platform_order_id);

        if (!e && step->number == STEP_OF(STATUS_CANCELLED))
                e = describe_cancel(order, ret, why);
        return e ? e : message_header(ret, "token", account->token, why);
}

static enum err ask_reasons(const struct order *order, const struct account *account, struct message *ret,
                            struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, "/food-orders/*/cancel-options",
                                 order->platform_order_id);

        return e ? e : message_header(ret, "token", account->token, why);
}

#define ANY 0
static const struct {
        int code;
        int step; /* number, or ANY */
        enum verdict verdict;
        const char *reason;
        bool is_open;
} errors[] = {{2, STEP_OF(STATUS_ACCEPTED), VERDICT_DONE, "already_there", false},
              {3, ANY, VERDICT_RETRY, "transition_refused", true}, /* from which state, the check finds out */
              {4, ANY, VERDICT_RETRY, "locked", false},
              {11, ANY, VERDICT_GIVE_UP, "cannot_be_cancelled", false},
              {13, STEP_OF(STATUS_CANCELLED), VERDICT_DONE, "already_there", false},
              {13, ANY, VERDICT_GIVE_UP, "cancelled_by_platform", false},
              {14, HANDOVER, VERDICT_WAIT, "courier_not_there", false},
              {15, HANDOVER, VERDICT_WAIT, "courier_not_there", false},
              {62, ANY, VERDICT_WAIT, "too_early", false},
              {64, ANY, VERDICT_GIVE_UP, "wrong_courier", false},
              {71, ANY, VERDICT_GIVE_UP, "wrong_courier", false},
              {74, ANY, VERDICT_WAIT, "too_early", false},
              {89, ANY, VERDICT_GIVE_UP, "moved_to_another_restaurant", false},
              {-1, ANY, VERDICT_RETRY, "server_error", true},
              {-2, ANY, VERDICT_GIVE_UP, "bad_request", false}};

static void judge_error(const struct step *step, const struct view *answer, struct judgement *ret)
{
        int64_t code = 0;

        if (view_opt_int(answer, "code", INT16_MIN, INT16_MAX, &code, NULL))
                return;
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
                if (errors[i].code != code || (errors[i].step != ANY && errors[i].step != step->number))
                        continue;
                judge(ret, errors[i].verdict, errors[i].reason);
                ret->definite = !errors[i].is_open;
                if (ret->verdict == VERDICT_WAIT)
                        ret->wait_ms = WAIT_A_STEP;
                return;
        }
}

static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view v;
        bool result = step->number == STEP_OF(STATUS_CANCELLED); /* is answered with {} */

        (void)order, (void)unsure;
        if (answer->http != 200 && answer->http != 400)
                return;
        document = dialect_document(answer);
        v = view_of(document);
        if (answer->http == 400) {
                judge_error(step, &v, ret);
        } else if (!document || view_opt_bool(&v, "result", &result, NULL) || !result) {
                judge(ret, VERDICT_RETRY, "unexpected_answer");
                ret->definite = false;
        }
}

static enum err check(const struct order *order, const struct account *account, struct message *ret,
                      struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, "/food-orders/*", order->platform_order_id);

        return e ? e : message_header(ret, "token", account->token, why);
}

/* The state as it is sure: what lies between verified and delivered only the dates tell. UNSURE: 550 (prepared), 600
 * (handed over), 700 (on the way) and 800 (at the door), of which the guide's stored text does not speak. */
static bool find_rank(int64_t status, enum status *ret)
{
        static const struct {
                int number;
                enum status rank;
        } states[] = {{325, STATUS_NEW},        {350, STATUS_ACCEPTED},  {400, STATUS_NEW},
                      {500, STATUS_ACCEPTED},   {550, STATUS_ACCEPTED},  {600, STATUS_ACCEPTED},
                      {700, STATUS_ACCEPTED},   {800, STATUS_ACCEPTED},  {900, STATUS_DELIVERED},
                      {1500, STATUS_CANCELLED}, {1600, STATUS_CANCELLED}};

        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
                if (states[i].number == status) {
                        *ret = states[i].rank;
                        return true;
                }
        }
        return false;
}

static void judge_check(const struct order *order, const struct view *answer, struct judgement *ret)
{
        static const struct {
                const char *date;
                int own, getirs; /* the step that is done, by whose courier it is */
        } dates[] = {{"verifyDate", STEP_OF(STATUS_ACCEPTED), STEP_OF(STATUS_ACCEPTED)},
                     {"prepareDate", STEP_OF(STATUS_ON_THE_WAY), PREPARE},
                     {"handoverDate", STEP_OF(STATUS_ON_THE_WAY), HANDOVER},
                     {"deliverDate", STEP_OF(STATUS_DELIVERED), STEP_OF(STATUS_DELIVERED)}};
        enum status rank = STATUS_NEW;
        int64_t status = 0;
        int told = 0;

        if (view_opt_int(answer, "status", 0, INT16_MAX, &status, NULL) || !find_rank(status, &rank))
                return;
        for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
                const char *date = "";

                if (view_opt_text(answer, dates[i].date, 0, 64, &date, NULL))
                        return;
                if (date[0])
                        told = order->platform_courier ? dates[i].getirs : dates[i].own;
        }
        if (rank != STATUS_CANCELLED && told == STEP_OF(STATUS_DELIVERED))
                rank = STATUS_DELIVERED;
        dialect_stands(order, rank, ret);
        if (ret->verdict == VERDICT_DONE)
                ret->told = MAX(ret->told, told);
}

const struct dialect dialect_getiryemek = {
        .platform = PLATFORM_GETIRYEMEK,
        .credentials = credentials,
        .keeps = "verifiedAt",
        .steps = steps,
        .asks = asks,
        .waits_since = waits_since,
        .meanings = meanings,
        .accepts = accepts,
        .login = login,
        .judge_login = judge_login,
        .ask_reasons = ask_reasons,
        .reasons_of_order = true,
        .build = build,
        .judge = judge_step,
        .check = check,
        .judge_check = judge_check,
};
