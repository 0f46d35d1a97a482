/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_courier.c - how a courier firm is told of an order, and of its end: one POST to the firm's own address.
 *
 * Source: the courier firms' integration page, "restorana paket servis siparişi geldiğinde"; signed by Standard Webhooks
 * 1.0. Firms answer with a status and nothing that is read: foreign text has no place in what we keep. There is nothing to
 * check a doubt by, and need not be: a repeat bears the webhook-id of the call before, by which a firm knows it. */
#include "model/clean.h"
#include "model/dialect.h"
#include "model/integration.h"

#include <stdio.h>
#include <string.h>

#define LEAD_MS (INT64_C(15) * 60 * 1000) /* before a scheduled order must be cooked; docs/api.md 4 */
#define MESSAGE_ID_SIZE (ID_TEXT_SIZE + 48)

static const char *const credentials[] = {NULL};

static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "dispatch", NULL},
                                    {STEP_OF(STATUS_CANCELLED), "dispatch-cancel", NULL},
                                    {0, NULL, NULL}};

/* What is neither taken (2xx) nor gone may be otherwise when it is tried again: firms' servers are not known to us. */
static const struct meaning meanings[] = {{401, VERDICT_RETRY, "unauthorized", false},
                                          {403, VERDICT_RETRY, "forbidden", false},
                                          {404, VERDICT_RETRY, "not_found", false},
                                          {410, VERDICT_GIVE_UP, "gone", false},
                                          {0, VERDICT_COUNT, NULL, false}};

/* Whoever may have been told of the order is told of its cancel; else nobody need be. */
static bool asks(const struct order *order, const struct step *step)
{
        const struct target *t = &order->targets[PARTY_COURIER];

        if (id_is_zero(&t->firm) || order->pickup || order->platform_courier)
                return false;
        return step->number == STEP_OF(STATUS_ACCEPTED) ? order->status <= STATUS_READY
                                                        : t->told >= STEP_OF(STATUS_ACCEPTED) || t->unsure;
}

/* That it cannot be dispatched any more is told at once. */
static int64_t not_before(const struct order *order, const struct step *step)
{
        return step->number == STEP_OF(STATUS_ACCEPTED) && order->scheduled_ms && !order->erased_ms
                       ? order->scheduled_ms - INT64_C(60000) * order->prep_minutes - LEAD_MS
                       : 0;
}

/* Copied as it stands in the order's document, where every key is; ended by NULL. */
static bool copy(struct json_object *to, struct json_object *document, const char *const *keys)
{
        for (; *keys; keys++)
                if (!json_add(to, *keys, json_object_get(json_find(document, *keys))))
                        return false;
        return true;
}

/* Whose data were erased: a cancel has the same shape as ever, for firms that look into it. */
static bool add_nobody(struct json_object *to)
{
        static const char nobody[] =
                "{\"address\":{\"district\":null,\"city\":null,\"neighborhood\":null,\"street\":null,"
                "\"buildingNo\":null,\"floor\":null,\"apartmentNo\":null,\"detailedAddress\":null,"
                "\"directions\":null,\"location\":null},\"details\":{\"name\":null,\"phone\":null}}";
        struct json_object *customer = NULL;

        return json_read(nobody, sizeof nobody - 1, &customer, NULL) == ERR_OK &&
               json_add(to, "customer", customer);
}

static bool write_body(const struct order *order, struct json_object *document, struct json_object *to)
{
        static const char *const payment[] = {"paymentMethod", "originalPaymentMethod", "price", NULL};
        static const char *const rest[] = {"badges", "orderNote", "courierNote", NULL};
        static const char *const customer[] = {"customer", NULL};

        return json_add_id(to, "kuzeyOrderId", &order->id) &&
               json_add_id(to, "restaurantId", &order->restaurant) &&
               json_add_text(to, "platform", platform_word(order->platform)) &&
               json_add_text(to, "status", status_word(order->status)) &&
               json_add_text(to, "orderType", "paket_servis") &&
               json_add_time(to, "createdAt", order->created_ms) && copy(to, document, payment) &&
               json_add_int(to, "hazirlanmaSuresiDk", order->prep_minutes) && copy(to, document, rest) &&
               (order->erased_ms ? add_nobody(to) : copy(to, document, customer));
}

static enum err add_headers(struct message *m, const char *headers, struct why *why)
{
        CLEAN(json_put_at) struct json_object *values = NULL;
        enum err e = headers ? json_read(headers, strlen(headers), &values, why) : ERR_OK;
        struct json_object_iterator at, end;

        if (e || !values)
                return e;
        end = json_object_iter_end(values);
        for (at = json_object_iter_begin(values); !e && !json_object_iter_equal(&at, &end);
             json_object_iter_next(&at))
                e = message_header(m, json_object_iter_peek_name(&at),
                                   json_object_get_string(json_object_iter_peek_value(&at)), why);
        return e;
}

static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        char number[ID_TEXT_SIZE], id[MESSAGE_ID_SIZE];
        enum err e = json_read(order->document, strlen(order->document), &document, why);

        if (!e && (!body || !write_body(order, document, body)))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        ret->method = "POST";
        ret->guarded = true;
        e = e ? e : message_url(ret, why, "%s", account->dispatch->url);
        e = e ? e : add_headers(ret, account->dispatch->headers, why);
        e = e ? e : dialect_body(ret, body, why);
        snprintf(id, sizeof id, "%s-%s-%d-%s", id_write(&order->id, number), party_word(PARTY_COURIER),
                 order->targets[PARTY_COURIER].calls, step->name);
        return e ? e : dispatch_sign(account->dispatch, id, ret, why);
}

static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        (void)order;
        (void)step;
        (void)unsure;
        if (answer->http >= 200 && answer->http < 300)
                judge(ret, VERDICT_DONE, "");
}

const struct dialect dialect_courier = {
        .credentials = credentials,
        .steps = steps,
        .meanings = meanings,
        .asks = asks,
        .not_before = not_before,
        .build = build,
        .judge = judge_step,
};
