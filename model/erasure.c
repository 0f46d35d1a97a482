/* SPDX-License-Identifier: Apache-2.0 */
/* erasure.c - an erasure that was asked for, and the record of it. */
#include "model/erasure.h"

#include "model/clean.h"
#include "model/order.h"

enum err erasure_read(const struct view *body, struct erasure *ret, struct why *why)
{
        const char *phone = NULL;
        bool by_order = false;
        enum err e = view_opt_text(body, "phone", 1, PHONE_MAX, &phone, why);

        e = e ? e : view_opt_id(body, "orderId", &ret->order, &by_order, why);
        if (e)
                return e;
        if (by_order == (phone != NULL))
                return view_fail(body, phone ? "orderId" : "phone", phone ? "beside a phone" : "missing",
                                 why);
        return !phone || phone_key(phone, ret->phone) ? ERR_OK : view_fail(body, "phone", "no digits", why);
}

static bool add_count(struct json_object *to, const struct erased *erased)
{
        return json_add_int(to, "orders", erased->orders) && json_add_bool(to, "more", erased->more);
}

enum err erasure_make(const struct erasure *erasure, int64_t now_ms, struct record *ret, struct why *why)
{
        const bool by_phone = id_is_zero(&erasure->order);
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_ERASURE};
        struct id id;
        enum err e;

        if (!document || !json_add_text(document, "by", by_phone ? "phone" : "orderId") ||
            !(by_phone ? json_add(document, "orderId", NULL)
                       : json_add_id(document, "orderId", &erasure->order)) ||
            !add_count(document, &(struct erased){.more = true}))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an erasure");
        if (!id_make(now_ms, &id))
                return FAIL(why, ERR_INTERNAL, "no randomness for an id");
        id_write(&id, record.id);
        e = record_write(&record, document, why);
        if (!e)
                *ret = record;
        return e;
}

enum err erasure_count(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (!e && !add_count(document, arg))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for an erasure");
        return e ? e : record_write(record, document, why);
}

struct json_object *erasure_write(const struct record *record)
{
        return record_show(record, NULL, "erasureId", "by", "orderId", "orders", "more", "createdAt",
                           "updatedAt", NULL);
}
