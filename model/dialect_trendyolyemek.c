/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_trendyolyemek.c - Trendyol Go's meal API (developers.tgoapps.com).
 *
 * Sources: the portal's notice of January 2025 for host and path; for the rest what public clients that quote the
 * portal's pages agree on, because the pages themselves were not at hand. A repeat of a finished step is refused with
 * 409, so a step in doubt is read from its package first. */
#include "model/clean.h"
#include "model/crypto.h"
#include "model/dialect.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SUPPLIER_ID, API_KEY, API_SECRET, AGENT_NAME, EXECUTOR_USER };
static const char *const credentials[] = {"supplierId", "apiKey",       "apiSecret",
                                          "agentName",  "executorUser", NULL};

/* UNSURE: whether the platform lets `invoiced` be skipped; clients send it first. */
static const struct step steps[] = {
        {STEP_OF(STATUS_ACCEPTED), "accept"},       {STEP_OF(STATUS_READY), "ready"},
        {STEP_OF(STATUS_ON_THE_WAY), "on-the-way"}, {STEP_OF(STATUS_DELIVERED), "delivered"},
        {STEP_OF(STATUS_CANCELLED), "cancel"},      {0, NULL}};

/* 621 no stock, 622 closed, 623 cannot prepare, 627 mixed up; with a courier of our own also 624 busy and 626 too far.
 * UNSURE: 623 as "other"; the list has none by that name. */
static const int reasons[] = {621, 622, 623, 627, 0};
static const int own_courier_reasons[] = {621, 622, 623, 624, 626, 627, 0};

#define ITEMS_MAX 200   /* a guess: packages have no documented limit */
#define ITEM_ID_MAX 128 /* a guess */
#define SUPPLIER_ID_MAX 64
#define INTEGRATOR_MAX 30 /* alphanumerics, the portal says */

/* Stands between two slashes of a URL once it is escaped: dots alone would climb. */
static bool is_segment(const char *text, size_t max)
{
        bool is_dots = streq(text, ".") || streq(text, "..");

        return text_is_printable(text, 1, max) && !strchr(text, ' ') && !is_dots;
}

static enum err accepts(const char *platform_order_id, const struct view *ref, struct why *why)
{
        struct json_object *items = NULL;
        enum err e;

        if (!is_segment(platform_order_id, PLATFORM_ORDER_ID_MAX))
                return FAIL_FIELD(why, "platformOrderId", "not a package id");
        e = view_opt_array(ref, "packageItemIds", ITEMS_MAX, &items, why);
        if (e || !items)
                return e;
        for (size_t i = 0; i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                bool is_text = json_object_is_type(item, json_type_string);
                const char *text = is_text ? json_object_get_string(item) : "";
                char path[96];

                if (text_is_printable(text, 1, ITEM_ID_MAX) &&
                    strlen(text) == (size_t)json_object_get_string_len(item))
                        continue;
                snprintf(path, sizeof path, "%.40s%spackageItemIds[%zu]", ref->path, ref->path[0] ? "." : "",
                         i);
                return FAIL_FIELD(why, path, "not an item's id");
        }
        return ERR_OK;
}

/* ---- requests ---- */

/* Percent-encodes all but RFC 3986's unreserved. The caller frees; NULL without memory. */
static char *escape(const char *text)
{
        char *escaped = malloc(3 * strlen(text) + 1), *to = escaped;

        if (!escaped)
                return NULL;
        for (; *text; text++)
                if (isalnum((unsigned char)*text) || strchr("-._~", *text))
                        *to++ = *text;
                else
                        to += snprintf(to, 4, "%%%02X", (unsigned)(unsigned char)*text);
        *to = '\0';
        return escaped;
}

/* `package` may be NULL: then the call names it in its body. */
static enum err add_url(const struct account *account, const char *package, const char *call,
                        struct message *m, struct why *why)
{
        CLEAN(free_at) char *supplier = escape(account->values[SUPPLIER_ID]);
        CLEAN(free_at) char *id = escape(package ? package : "");

        if (!supplier || !id)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a URL");
        return message_url(m, why, "%s/integrator/order/meal/suppliers/%s/packages%s%s%s%s", account->url,
                           supplier, package ? "/" : "", id, call[0] ? "/" : "", call);
}

static enum err add_authorization(const struct account *account, struct message *m, struct why *why)
{
        CLEAN(secret_free_at) char *pair = NULL;
        CLEAN(secret_free_at) char *coded = NULL;
        CLEAN(secret_free_at) char *value = NULL;

        if (strchr(account->values[API_KEY], ':')) /* RFC 7617 section 2 */
                return FAIL_FIELD(why, "credentials.apiKey", "has a colon");
        if (asprintf(&pair, "%s:%s", account->values[API_KEY], account->values[API_SECRET]) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a header");
        coded = base64_write(pair, strlen(pair));
        if (!coded || asprintf(&value, "Basic %s", coded) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a header");
        return message_header(m, "Authorization", value, why);
}

static const char *integrator(const char *agent)
{
        size_t n = 0;

        while (isalnum((unsigned char)agent[n]))
                n++;
        return n >= 1 && n <= INTEGRATOR_MAX && !agent[n] ? agent : "SelfIntegration";
}

/* Without User-Agent the answer is 403, and header values must be ASCII. */
static enum err add_headers(const struct account *account, struct message *m, struct why *why)
{
        const char *agent = account->values[AGENT_NAME], *user = account->values[EXECUTOR_USER];
        char user_agent[SUPPLIER_ID_MAX + INTEGRATOR_MAX + sizeof " - "];
        enum err e;

        if (!is_segment(account->values[SUPPLIER_ID], SUPPLIER_ID_MAX))
                return FAIL_FIELD(why, "credentials.supplierId", "not an id");
        if (!text_is_printable(agent, 1, 256))
                return FAIL_FIELD(why, "credentials.agentName", "not ASCII");
        if (!text_is_printable(user, 1, 256))
                return FAIL_FIELD(why, "credentials.executorUser", "not ASCII");
        e = add_authorization(account, m, why);
        if (e)
                return e;
        snprintf(user_agent, sizeof user_agent, "%s - %s", account->values[SUPPLIER_ID], integrator(agent));
        e = message_header(m, "User-Agent", user_agent, why);
        if (e)
                return e;
        e = message_header(m, "x-agentname", agent, why);
        if (e)
                return e;
        return message_header(m, "x-executor-user", user, why);
}

/* A whole package is cancelled by naming all its items. */
static enum err describe_cancel(const struct order *order, struct json_object *body, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view whole, ref = {0};
        struct json_object *items = NULL;
        int reason = 0;
        enum err e = dialect_reason(&dialect_trendyolyemek, order,
                                    order->platform_courier ? reasons : own_courier_reasons, &reason, why);

        if (e)
                return e;
        e = json_read(order->document, strlen(order->document), &document, why);
        if (e)
                return e;
        whole = view_of(document);
        e = view_opt_object(&whole, "platformRef", &ref, why);
        if (!e)
                e = view_opt_array(&ref, "packageItemIds", ITEMS_MAX, &items, why);
        if (e)
                return e;
        if (!items || json_object_array_length(items) == 0)
                return FAIL_FIELD(why, "platformRef.packageItemIds", "needed to cancel");
        if (!json_add(body, "itemIdList", json_object_get(items)) || !json_add_int(body, "reasonId", reason))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return ERR_OK;
}

static enum err describe(const struct order *order, const struct step *step, struct json_object *body,
                         const char **ret_call, struct why *why)
{
        bool fits = true;

        switch (step->number) {
        case STEP_OF(STATUS_ACCEPTED):
                *ret_call = "picked";
                fits = json_add_int(body, "preparationTime", order->prep_minutes);
                break;
        case STEP_OF(STATUS_READY): *ret_call = "invoiced"; break;
        case STEP_OF(STATUS_ON_THE_WAY): *ret_call = "manual-shipped"; return ERR_OK;
        case STEP_OF(STATUS_DELIVERED): *ret_call = "manual-delivered"; return ERR_OK;
        default: *ret_call = "unsupplied"; break;
        }
        if (!fits || !json_add_text(body, "packageId", order->platform_order_id))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return step->number == STEP_OF(STATUS_CANCELLED) ? describe_cancel(order, body, why) : ERR_OK;
}

static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        const char *call = NULL;
        bool courier =
                step->number == STEP_OF(STATUS_ON_THE_WAY) || step->number == STEP_OF(STATUS_DELIVERED);
        enum err e;

        if (!body)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        e = describe(order, step, body, &call, why);
        if (e)
                return e;
        ret->method = "PUT";
        e = add_url(account, courier ? order->platform_order_id : NULL, call, ret, why);
        if (e)
                return e;
        e = add_headers(account, ret, why);
        if (e)
                return e;
        return dialect_body(ret, body, why);
}

static enum err check(const struct order *order, const struct account *account, struct message *ret,
                      struct why *why)
{
        enum err e = add_url(account, order->platform_order_id, "", ret, why);

        ret->method = "GET";
        return e ? e : add_headers(account, ret, why);
}

/* ---- answers ---- */

/* 5xx is judged for all alike, and 503 is also what stage says to an unknown address. */
static void judge_failure(const struct answer *answer, struct judgement *ret)
{
        switch (answer->http) {
        case 401: judge(ret, VERDICT_GIVE_UP, "login_failed"); break; /* the keys go with every call */
        case 403: judge(ret, VERDICT_GIVE_UP, "forbidden"); break;
        case 404: judge(ret, VERDICT_GIVE_UP, "not_found"); break;
        case 409: /* not from its present state: which one that is, the check finds out */
                judge(ret, VERDICT_RETRY, "transition_refused");
                ret->definite = false;
                break;
        default: judge(ret, VERDICT_RETRY, "unexpected_answer"); ret->definite = answer->http >= 300;
        }
}

/* 200 is success whatever the body says: it is empty or meaningless. */
static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        (void)order, (void)step, (void)unsure;
        if (answer->http == 200)
                judge(ret, VERDICT_DONE, "");
        else
                judge_failure(answer, ret);
}

static void judge_state(const char *state, bool cancel_wanted, struct judgement *ret)
{
        static const struct {
                const char *word;
                enum status rank;
        } states[] = {{"Created", STATUS_NEW},         {"Picking", STATUS_ACCEPTED},
                      {"Invoiced", STATUS_READY},      {"Shipped", STATUS_ON_THE_WAY},
                      {"Delivered", STATUS_DELIVERED}, {"Cancelled", STATUS_CANCELLED},
                      {"UnSupplied", STATUS_CANCELLED}};

        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
                bool cancelled = states[i].rank == STATUS_CANCELLED;

                if (!streq(states[i].word, state))
                        continue;
                if (status_is_final(states[i].rank) && cancelled != cancel_wanted) {
                        judge(ret, VERDICT_GIVE_UP,
                              cancelled ? "cancelled_by_platform" : "already_delivered");
                        return;
                }
                judge(ret, VERDICT_DONE, "");
                ret->told = STEP_OF((int)states[i].rank);
                return;
        }
        judge(ret, VERDICT_RETRY, "unexpected_answer");
}

static void judge_check(const struct order *order, const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at)
        struct json_object *document = answer->http == 200 ? dialect_document(answer) : NULL;
        struct view v = view_of(document);
        const char *state = NULL;

        if (answer->http != 200)
                judge_failure(answer, ret);
        else if (!document || view_need_text(&v, "packageStatus", 1, 32, &state, NULL))
                judge(ret, VERDICT_RETRY, "unexpected_answer");
        else
                judge_state(state, order->targets[PARTY_PLATFORM].want == STEP_OF(STATUS_CANCELLED), ret);
}

const struct dialect dialect_trendyolyemek = {
        .platform = PLATFORM_TRENDYOLYEMEK,
        .credentials = credentials,
        .steps = steps,
        .other_reason = "623",
        .accepts = accepts,
        .build = build,
        .judge = judge_step,
        .check = check,
        .judge_check = judge_check,
};
