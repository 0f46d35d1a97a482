/* SPDX-License-Identifier: Apache-2.0 */
/* courier_webhook.c - "on the way" and "delivered", the harmless first call, and the state of an order (docs/design.md 2,
 * docs/api.md 2). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"
#include "server/metrics.h"

#include <stdio.h>
#include <string.h>

/* Row 6 for a key that cannot be one: what else is wrong comes before it. */
static enum err read_key(struct request *r, struct why *why)
{
        return request_credential(r) == CREDENTIAL_KEY ? ERR_OK : FAIL(why, ERR_NO_INTEGRATION, "no key");
}

/* ---- POST status-update ---- */

/* Foreign numbers mean what their value means: 1, 1.0 and 1e0 are "on the way". */
static enum err read_status(const struct view *body, enum status *ret, struct why *why)
{
        double number = 0;

        if (view_opt_number(body, "status", 1, 2, &number, NULL) != ERR_OK || (number != 1 && number != 2))
                return FAIL(why, ERR_BAD_STATUS, "not a number whose value is 1 or 2");
        *ret = number == 1 ? STATUS_ON_THE_WAY : STATUS_DELIVERED;
        return ERR_OK;
}

static enum err read_id(const struct view *body, const char *key, enum err wrong, struct id *ret,
                        struct why *why)
{
        bool given = false;

        if (view_opt_id(body, key, ret, &given, NULL) != ERR_OK || !given)
                return FAIL(why, wrong, "%s is no id", key);
        return ERR_OK;
}

static enum err read_idempotency_key(struct request *r, struct store_move *move, struct why *why)
{
        const char *key = request_header(r, "Idempotency-Key");

        if (key && !text_is_printable(key, 1, IDEMPOTENCY_KEY_SIZE - 1))
                return FAIL_FIELD(why, "Idempotency-Key", "not 1 to %d printable characters",
                                  IDEMPOTENCY_KEY_SIZE - 1);
        text_copy(move->idempotency_key, sizeof move->idempotency_key, key ? key : "");
        return ERR_OK;
}

static enum err read_update(struct request *r, void *verb, struct why *why)
{
        struct store_move *move = verb;
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, why);

        move->by = ACTOR_COURIER;
        e = e ? e : read_id(&body, "restaurantId", ERR_BAD_RESTAURANT_ID, &move->job.access.restaurant, why);
        e = e ? e : read_id(&body, "orderId", ERR_BAD_ORDER_ID, &move->order, why);
        e = e ? e : read_status(&body, &move->to, why);
        e = e ? e : read_idempotency_key(r, move, why);
        return e ? e : read_key(r, why);
}

static enum err updated(struct request *r, void *verb)
{
        static const enum err refusals[] = {[MOVE_FINAL] = ERR_ORDER_FINAL,
                                            [MOVE_PAST] = ERR_ORDER_FINAL,
                                            [MOVE_KEY_REUSED] = ERR_KEY_REUSED,
                                            [MOVE_UNKNOWN] = ERR_NO_ORDER};
        const struct store_move *move = verb;
        char id[ID_TEXT_SIZE], at[TIME_TEXT_SIZE];
        char body[256]; /* two thirds are used */
        int n;

        if (refusals[move->outcome])
                return refusals[move->outcome];
        n = snprintf(body, sizeof body,
                     "{\"success\":true,\"message\":\"Sipariş durumu başarıyla güncellendi\","
                     "\"data\":{\"orderId\":\"%s\",\"status\":\"%s\",\"updatedAt\":\"%s\"}}",
                     id_write(&move->order, id), status_word(move->status), time_write(move->at_ms, at));
        if (!request_is_late(r))
                metrics_webhook(move->outcome == MOVE_SAME ? WEBHOOK_SAME : WEBHOOK_MOVED);
        request_reply(r, 200, body, (size_t)n);
        return ERR_OK;
}

HANDLER(courier_webhook_update, VERB_MOVE, OWN, read_update, updated)

/* ---- GET ping ---- */

static enum err pinged(struct request *r, void *verb)
{
        struct store_get *get = verb;
        CLEAN(json_put_at) struct json_object *integration = NULL;
        struct json_object *data;
        enum err e;

        if (!get->record.document) /* deleted between the key's check and the read */
                return ERR_NO_INTEGRATION;
        e = record_read(&get->record, &integration, &get->job.why);
        if (e)
                return e;
        data = answer_object();
        return answer_filled(r, 200, data,
                             data && json_add_id(data, "restaurantId", &get->job.restaurant) &&
                                     json_add_id(data, "integrationId", &get->job.integration) &&
                                     json_add_text(data, "name", json_get_text(integration, "name")));
}

static enum err read_ping(struct request *r, void *verb, struct why *why)
{
        ((struct store_get *)verb)->kind = RECORD_INTEGRATION;
        return read_key(r, why);
}

HANDLER(courier_webhook_ping, VERB_GET, OWN, read_ping, pinged)

/* ---- GET orders/{id} ---- */

static enum err seen(struct request *r, void *verb)
{
        const struct store_read *read = verb;
        struct json_object *data;

        if (!read->stored)
                return ERR_NO_ORDER;
        data = answer_object();
        return answer_filled(r, 200, data,
                             data && json_add_id(data, "orderId", &read->order) &&
                                     json_add_text(data, "status", status_word(read->stored->status)) &&
                                     json_add_time(data, "updatedAt", order_last_move(read->stored)->at_ms));
}

static enum err read_order(struct request *r, void *verb, struct why *why)
{
        if (!id_read(request_arg(r, 0), &((struct store_read *)verb)->order))
                return FAIL(why, ERR_BAD_ORDER_ID, "no id");
        return read_key(r, why);
}

HANDLER(courier_webhook_order, VERB_READ, OWN, read_order, seen)
