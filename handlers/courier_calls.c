/* SPDX-License-Identifier: Apache-2.0 */
/* courier_calls.c - calling a courier: by hand for an order, and to see whether a firm is connected rightly (docs/api.md 3
 * and 4). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/integration.h"

#include <stdio.h>

#define TEST_LIFE_MS (INT64_C(24) * 60 * 60 * 1000) /* docs/api.md 3 */

static bool add_delivery(struct json_object *data, const struct id *order)
{
        char number[ID_TEXT_SIZE], id[ID_TEXT_SIZE + 16];

        snprintf(id, sizeof id, "%s-%s", id_write(order, number), party_word(PARTY_COURIER));
        return json_add_text(data, "deliveryId", id);
}

/* ---- POST /api/v1/orders/{id}/call-courier ---- */

static enum err called(struct request *r, void *verb)
{
        static const enum err refusals[] = {[CALL_UNKNOWN] = ERR_NOT_FOUND,
                                            [CALL_PICKUP] = ERR_COURIER_PICKUP,
                                            [CALL_PLATFORM_COURIER] = ERR_COURIER_PLATFORMS,
                                            [CALL_TOO_LATE] = ERR_COURIER_TOO_LATE,
                                            [CALL_NO_ADDRESS] = ERR_COURIER_NO_ADDRESS,
                                            [CALL_OTHER_FIRM] = ERR_COURIER_OTHER_FIRM};
        const struct store_call *call = verb;
        const enum err e = refusals[call->outcome];
        struct json_object *data = e ? NULL : answer_object();

        return e ? e
                 : answer_filled(r, 200, data,
                                 data && add_delivery(data, &call->order) &&
                                         json_add_id(data, "integrationId", &call->firm));
}

static enum err read_call(struct request *r, void *verb, struct why *why)
{
        struct store_call *call = verb;
        CLEAN(view_put) struct view body = {0};
        bool given = false;
        size_t length;
        enum err e = caller_id(r, 0, &call->order, why);

        request_body(r, &length);
        if (!e && length > 0) /* it may be left out */
                e = caller_body(r, &body, why);
        e = e ? e : view_opt_id(&body, "integrationId", &call->firm, &given, why);
        return e ? e : view_opt_bool(&body, "again", &call->again, why);
}

HANDLER(orders_call_courier, VERB_CALL, OWN, read_call, called)

/* ---- POST …/courier-integrations/{integrationId}/test-order: a look at the firm; the order ---- */

static enum err created(struct request *r, void *verb)
{
        const struct store_create *create = verb;
        struct json_object *data = answer_object();

        return answer_filled(r, 201, data,
                             data && json_add_id(data, "orderId", &create->order->id) &&
                                     add_delivery(data, &create->order->id));
}

/* What the firm's people see. */
static enum err read_test(struct order **ret, struct why *why)
{
        static const char text[] =
                "{\"platform\":\"phone\",\"displayId\":\"TEST\",\"price\":1,\"paymentMethod\":\"cash\","
                "\"orderNote\":\"Bu bir test siparişidir, kurye göndermeyin\","
                "\"customer\":{\"details\":{\"name\":\"TEST\",\"phone\":\"+900000000000\"},"
                "\"address\":{\"detailedAddress\":\"Test siparişi, adres yok\"}}}";
        CLEAN(view_put) struct view body = {0};
        enum err e = json_read(text, sizeof text - 1, &body.object, why);

        return e ? e : order_read(&body, ret, why);
}

static enum err found(struct request *r, void *verb)
{
        const struct store_get *get = verb;
        struct store_create *create;
        enum err e;

        (void)r;
        if (!get->record.document)
                return ERR_NOT_FOUND;
        if (!integration_can_dispatch(&get->record))
                return ERR_COURIER_NO_ADDRESS;
        create = caller_next(verb, VERB_CREATE, created);
        if (!create)
                return ERR_NO_MEMORY;
        create->by = ACTOR_RESTAURANT;
        create->life_ms = TEST_LIFE_MS;
        id_read(get->record.id, &create->firm);
        e = read_test(&create->order, &create->job.why);
        return e ? e : caller_submit(create);
}

static enum err read_firm(struct request *r, void *verb, struct why *why)
{
        struct store_get *get = verb;

        get->kind = RECORD_INTEGRATION;
        return records_id(r, RECORD_INTEGRATION, get->id, why);
}

HANDLER(courier_integrations_test, VERB_GET, NAMED, read_firm, found)
