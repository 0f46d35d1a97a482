/* SPDX-License-Identifier: Apache-2.0 */
/* order_erase.c - an order without its customer: what is personal in it, and what stays.
 *
 * What stays is what was sold, for how much, and how it went: ids, times, prices, items' names, history, deliveries. */
#include "model/order.h"

#include "model/clean.h"
#include "model/dialect.h"

#include <string.h>

/* The reference is whatever the restaurant, or Yandex Eats, put there: a whole order perhaps. */
static bool erase_reference(struct json_object *document, enum platform platform)
{
        const struct dialect *dialect = dialect_of(platform);
        struct json_object *needed = dialect && dialect->keeps
                                             ? json_find(json_find(document, "platformRef"), dialect->keeps)
                                             : NULL;
        struct json_object *kept = needed ? json_object_new_object() : NULL;

        if (needed && !(kept && json_add(kept, dialect->keeps, json_object_get(needed)))) {
                json_object_put(kept);
                return false;
        }
        return json_add(document, "platformRef", kept);
}

/* Of what is no list of items, as it may be where the document is damaged, nothing stays. */
static bool erase_items(struct json_object *document)
{
        struct json_object *items = json_find(document, "items");
        const bool listed = json_object_is_type(items, json_type_array);

        if (items && !listed)
                return json_add(document, "items", NULL);
        for (size_t i = 0; listed && i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);

                if (!json_object_is_type(item, json_type_object))
                        return json_add(document, "items", NULL);
                if (!json_add(item, "note", NULL))
                        return false;
        }
        return true;
}

static enum err erase_document(struct order *order, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const char *given = order->document ? order->document : "";
        enum err e = json_read(given, strlen(given), &document, NULL);
        char *text;

        if (e == ERR_BAD_JSON) /* damaged: nobody shall read it any more */
                document = json_object_new_object();
        if (!document || !erase_reference(document, order->platform) || !erase_items(document) ||
            !json_add(document, "customer", NULL) || !json_add(document, "orderNote", NULL) ||
            !json_add(document, "courierNote", NULL) || !(text = json_text(document)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an erasure");
        free(order->document);
        order->document = text;
        order->phone[0] = '\0';
        return ERR_OK;
}

enum err order_erase(struct order *order, int64_t now_ms, struct why *why)
{
        struct target *firm = &order->targets[PARTY_COURIER];
        enum err e = erase_document(order, why);

        if (e != ERR_OK)
                return e;
        for (int i = 0; i < order->n_moves; i++)
                free(TAKE(order->moves[i].note));
        if (firm->at_ms > now_ms)
                firm->at_ms = now_ms;
        order->erased_ms = order->updated_ms = now_ms;
        order->rev++;
        return ERR_OK;
}

bool order_is_erased(const struct order *order)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return order->erased_ms && order->document &&
               json_read(order->document, strlen(order->document), &document, NULL) == ERR_OK &&
               !json_find(document, "customer");
}

bool order_phone(const char *document, char to[PHONE_KEY_SIZE])
{
        CLEAN(json_put_at) struct json_object *whole = NULL;
        const char *phone;

        to[0] = '\0';
        if (json_read(document, strlen(document), &whole, NULL) != ERR_OK)
                return false;
        phone = json_get_text(json_find(json_find(whole, "customer"), "details"), "phone");
        return phone && phone_key(phone, to);
}
