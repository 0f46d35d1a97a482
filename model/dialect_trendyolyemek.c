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
#define PACKAGES "/integrator/order/meal/suppliers/*/packages"
static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "accept", PACKAGES "/picked"},
                                    {STEP_OF(STATUS_READY), "ready", PACKAGES "/invoiced"},
                                    {STEP_OF(STATUS_ON_THE_WAY), "on-the-way", PACKAGES "/*/manual-shipped"},
                                    {STEP_OF(STATUS_DELIVERED), "delivered", PACKAGES "/*/manual-delivered"},
                                    {STEP_OF(STATUS_CANCELLED), "cancel", PACKAGES "/unsupplied"},
                                    {0, NULL, NULL}};

/* 409, not from its present state: which one that is, the check finds out. The keys go with every call, so 401 is final.
 * 503 is also what stage says to an unknown address. */
static const struct meaning meanings[] = {{409, VERDICT_RETRY, "transition_refused", true},
                                          {0, VERDICT_COUNT, NULL, false}};

/* The texts are ours. UNSURE: 623 as "other"; the list has none by that name. */
static const struct reason reasons[] = {{"621", "Ürün tükendi", false},
                                        {"622", "Restoran kapalı", false},
                                        {"623", "Sipariş hazırlanamıyor", false},
                                        {"624", "Yoğunluk veya kurye yok", true},
                                        {"626", "Teslimat alanı dışında", true},
                                        {"627", "Siparişler karıştı", false},
                                        {NULL, NULL, false}};

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
        char place[40];
        enum err e;

        if (!is_segment(platform_order_id, PLATFORM_ORDER_ID_MAX))
                return FAIL_FIELD(why, "platformOrderId", "not a package id");
        e = view_opt_texts(ref, "packageItemIds", ITEMS_MAX, ITEM_ID_MAX, &items, why);
        for (size_t i = 0; !e && items && i < json_object_array_length(items); i++) {
                snprintf(place, sizeof place, "packageItemIds[%zu]", i);
                if (!text_is_printable(json_object_get_string(json_object_array_get_idx(items, i)), 1,
                                       ITEM_ID_MAX))
                        e = view_fail(ref, place, "not an item's id", why);
        }
        return e;
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
        snprintf(user_agent, sizeof user_agent, "%s - %s", account->values[SUPPLIER_ID], integrator(agent));
        e = add_authorization(account, m, why);
        if (!e)
                e = message_header(m, "User-Agent", user_agent, why);
        if (!e)
                e = message_header(m, "x-agentname", agent, why);
        return e ? e : message_header(m, "x-executor-user", user, why);
}

/* A whole package is cancelled by naming all its items. */
static enum err describe_cancel(const struct order *order, struct json_object *body, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct json_object *items = NULL;
        struct view ref;
        enum err e = dialect_ref(order, &document, &ref, why);

        if (!e)
                e = view_opt_array(&ref, "packageItemIds", ITEMS_MAX, &items, why);
        if (e)
                return e;
        if (!items || json_object_array_length(items) == 0)
                return FAIL_FIELD(why, "platformRef.packageItemIds", "needed to cancel");
        if (!json_add(body, "itemIdList", json_object_get(items)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return dialect_reason(&dialect_trendyolyemek, order, body, "reasonId", why);
}

static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        const char *supplier = account->values[SUPPLIER_ID], *package = order->platform_order_id;
        bool in_path =
                step->number == STEP_OF(STATUS_ON_THE_WAY) || step->number == STEP_OF(STATUS_DELIVERED);
        enum err e = dialect_url(ret, "PUT", account, why, step->path, supplier, package);

        if (!body ||
            (step->number == STEP_OF(STATUS_ACCEPTED) &&
             !json_add_int(body, "preparationTime", order->prep_minutes)) ||
            (!in_path && !json_add_text(body, "packageId", package)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        if (!e && step->number == STEP_OF(STATUS_CANCELLED))
                e = describe_cancel(order, body, why);
        if (!e)
                e = add_headers(account, ret, why);
        return e ? e : dialect_body(ret, body, why);
}

/* UNSURE: whether all that the list can be asked for may be left out. */
static enum err probe(const struct account *account, struct message *ret, struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, PACKAGES "?page=0&size=1",
                                 account->values[SUPPLIER_ID]);

        return e ? e : add_headers(account, ret, why);
}

static enum err check(const struct order *order, const struct account *account, struct message *ret,
                      struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, PACKAGES "/*", account->values[SUPPLIER_ID],
                                 order->platform_order_id);

        return e ? e : add_headers(account, ret, why);
}

static void judge_check(const struct order *order, const struct view *answer, struct judgement *ret)
{
        static const struct {
                const char *word;
                enum status rank;
        } states[] = {{"Created", STATUS_NEW},         {"Picking", STATUS_ACCEPTED},
                      {"Invoiced", STATUS_READY},      {"Shipped", STATUS_ON_THE_WAY},
                      {"Delivered", STATUS_DELIVERED}, {"Cancelled", STATUS_CANCELLED},
                      {"UnSupplied", STATUS_CANCELLED}};
        const char *state = NULL;

        if (view_need_text(answer, "packageStatus", 1, 32, &state, NULL))
                return;
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
                if (streq(states[i].word, state))
                        dialect_stands(order, states[i].rank, ret);
}

const struct dialect dialect_trendyolyemek = {
        .platform = PLATFORM_TRENDYOLYEMEK,
        .credentials = credentials,
        .keeps = "packageItemIds",
        .steps = steps,
        .other_reason = "623",
        .reasons = reasons,
        .meanings = meanings,
        .accepts = accepts,
        .probe = probe,
        .build = build,
        .check = check,
        .judge_check = judge_check,
};
