/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - messages for a restaurant's screen. */
#include "model/event.h"

#include "model/clean.h"

/* What raised `rev` last: a move, or else something about a delivery. */
static bool has_just_moved(const struct order *order)
{
        return order->updated_ms <= order_last_move(order)->at_ms;
}

static struct json_object *begin(const char *type, const char *time_key, int64_t ms)
{
        CLEAN(json_put_at) struct json_object *event = json_object_new_object();

        if (!event || !json_add_text(event, "type", type) || !json_add_time(event, time_key, ms))
                return NULL;
        return TAKE(event);
}

char *event_hello(int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *event = begin("hello", "now", now_ms);

        return event ? json_text(event) : NULL;
}

char *event_order(const struct order *order, int64_t at_ms, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *event = begin("order.updated", "at", at_ms);
        const char *previous = !has_just_moved(order) ? status_word(order->status)
                               : order->n_moves > 1   ? status_word(order->moves[order->n_moves - 2].to)
                                                      : NULL;
        struct json_object *shown = event ? order_write(order, /* whole= */ true, now_ms) : NULL;

        if (!shown || !json_add(event, "order", shown) || !json_add_int(event, "rev", order->rev) ||
            !json_add_text(event, "previousStatus", previous))
                return NULL;
        return json_text(event);
}

/* A move clears what was given up before it, though both may happen within one millisecond. Only a firm's stays where the
 * order is on its way, and there nothing is given up any more: so by its time it is an older one. */
bool event_is_failure(const struct order *order, enum party party)
{
        const enum status last = order_last_move(order)->to;
        const bool stays = party == PARTY_COURIER && (last == STATUS_ON_THE_WAY || last == STATUS_DELIVERED);

        return order->targets[party].dead[0] && !(stays && has_just_moved(order));
}

char *event_failure(const struct order *order, enum party party, int64_t at_ms, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *event = begin("delivery.failed", "at", at_ms);
        struct json_object *shown = event ? delivery_write(order, party, now_ms) : NULL;

        return shown && json_add(event, "delivery", shown) ? json_text(event) : NULL;
}
