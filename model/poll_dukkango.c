/* SPDX-License-Identifier: Apache-2.0 */
/* poll_dukkango.c - Dükkango's list of current orders, and what each of them is as an order of ours.
 *
 * Sources: the platform's API reference, pages Get Current Orders, Acknowledge Order and Order Flow.
 *
 * An order becomes the body that a restaurant would have sent, and is read as one, so that all rules of an order hold.
 * What is wrong with it is told by Dükkango's names. A customer's order is not lost for what nobody needs: free texts are
 * cut to what we keep, numbers may stand in strings, and what is null, unknown or of another type counts as left out. */
#include "model/poll.h"

#include "model/clean.h"

#include <string.h>

#define PRICE_MAX 10000000 /* TL; docs/api.md 1 */

/* ---- calls ---- */

static enum err list(const struct account *account, struct message *ret, struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, "/orders/get-current");

        ret->reply_max = POLL_REPLY_MAX;
        return e ? e : message_header(ret, "Access-Token", account->token, why);
}

static enum err acknowledge(const char *platform_order_id, const struct account *account, struct message *ret,
                            struct why *why)
{
        enum err e = dialect_url(ret, "PUT", account, why, "/orders/success/*", platform_order_id);

        return e ? e : message_header(ret, "Access-Token", account->token, why);
}

/* ---- members ---- */

/* A string, or a number as it is written; NULL where it is neither. Ends before a NUL. */
static const char *find_text(const struct view *from, const char *key)
{
        struct json_object *value = json_find(from->object, key);

        return value && (json_object_is_type(value, json_type_string) ||
                         json_object_is_type(value, json_type_int) ||
                         json_object_is_type(value, json_type_double))
                       ? json_object_get_string(value)
                       : NULL;
}

static enum err need_text(const struct view *from, const char *key, struct why *why)
{
        const char *text = find_text(from, key);

        return text && *text ? ERR_OK : view_fail(from, key, "missing", why);
}

static enum err need_number(const struct view *from, const char *key, double max, double *ret,
                            struct why *why)
{
        CLEAN(json_put_at) struct json_object *number = NULL;
        const char *text = find_text(from, key);

        if (!text)
                return view_fail(from, key, "missing", why);
        if (json_read_any(text, strlen(text), &number, NULL) ||
            (!json_object_is_type(number, json_type_int) && !json_object_is_type(number, json_type_double)))
                return view_fail(from, key, "not a number", why);
        *ret = json_object_get_double(number);
        return *ret >= 0 && *ret <= max ? ERR_OK : view_fail(from, key, "out of bounds", why);
}

/* Adds the text, cut to `max` characters; one that is empty or absent is left out. */
static bool add_text(struct json_object *to, const char *key, const char *text, int max)
{
        size_t n = 0;

        if (!text || !*text)
                return true;
        for (; max > 0 && text[n]; max--)
                n += utf8_length(text + n, strlen(text + n));
        return json_add_made(to, key, json_object_new_string_len(text, (int)n));
}

/* ---- an order ---- */

/* By status_id alone: the text beside it has other words in other answers. */
static enum err find_status(const struct view *from, const char **ret, struct why *why)
{
        static const struct {
                int id;
                enum status status;
        } known[] = {{1, STATUS_NEW},
                     {2, STATUS_ACCEPTED},
                     {16, STATUS_ON_THE_WAY},
                     {5, STATUS_DELIVERED},
                     {6, STATUS_CANCELLED}};
        double id = 0;
        enum err e = need_number(from, "status_id", INT32_MAX, &id, why);

        for (size_t i = 0; !e && i < sizeof known / sizeof *known; i++) {
                if (id < known[i].id || id > known[i].id)
                        continue;
                *ret = status_word(known[i].status);
                return ERR_OK;
        }
        return e ? e : view_fail(from, "status_id", "not a status that is documented", why);
}

/* Cards are paid already. What is neither may have to be paid at the door: a courier who asks in vain does less harm than
 * one who does not ask. */
static const char *payment_word(const char *method)
{
        static const char *const cash[] = {"Nakit", "CASH"};
        static const char *const paid[] = {"Kredi Kartı", "CREDIT_CARD", "Banka Kartı", "DEBIT_CARD"};

        if (word_find(method, cash, 2) >= 0)
                return "cash";
        return word_find(method, paid, 4) >= 0 ? "online" : "card";
}

/* Without a zone, which counts as Turkey's (UNSURE: it is not stated); "": now. */
static enum err add_schedule(const struct view *from, struct json_object *to, struct why *why)
{
        const char *text = find_text(from, "scheduled_date");
        int64_t ms;

        if (text && *text && !time_read(text, &ms))
                return view_fail(from, "scheduled_date", "not a time", why);
        return add_text(to, "scheduledDate", text, ORDER_LINE_MAX)
                       ? ERR_OK
                       : FAIL(why, ERR_NO_MEMORY, "no memory for an order");
}

/* The name of the apartment's member was seen in part only (UNSURE). */
static const char *find_apartment(const struct view *address)
{
        struct json_object_iterator at, end;

        if (!address->object)
                return NULL;
        end = json_object_iter_end(address->object);
        for (at = json_object_iter_begin(address->object); !json_object_iter_equal(&at, &end);
             json_object_iter_next(&at))
                if (strncmp(json_object_iter_peek_name(&at), "apartm", 6) == 0)
                        return find_text(address, json_object_iter_peek_name(&at));
        return NULL;
}

/* Who it is for and where; must be there where it is brought. */
static enum err add_customer(const struct view *from, bool pickup, struct json_object *to, struct why *why)
{
        struct json_object *whole = json_object_new_object();
        struct json_object *details = json_object_new_object();
        struct json_object *place = json_object_new_object();
        struct view customer = {0}, address = {0};
        bool ok = json_add_made(to, "customer", whole) && json_add_made(whole, "details", details) &&
                  json_add_made(whole, "address", place);
        enum err e = ok ? ERR_OK : FAIL(why, ERR_NO_MEMORY, "no memory for an order");

        e = e ? e : view_opt_object(from, "customer", &customer, why);
        e = e ? e : view_opt_object(from, "address", &address, why);
        if (!pickup) {
                e = e ? e : need_text(&customer, "name", why);
                e = e ? e : need_text(&customer, "phone", why);
                e = e ? e : need_text(&address, "address", why);
        }
        if (e)
                return e;
        ok = add_text(details, "name", find_text(&customer, "name"), ORDER_LINE_MAX) &&
             add_text(details, "phone", find_text(&customer, "phone"), PHONE_MAX) &&
             add_text(place, "detailedAddress", find_text(&address, "address"), ORDER_PROSE_MAX) &&
             add_text(place, "directions", find_text(&address, "description"), ORDER_PROSE_MAX) &&
             add_text(place, "apartmentNo", find_apartment(&address), ORDER_LINE_MAX);
        return ok ? ERR_OK : FAIL(why, ERR_NO_MEMORY, "no memory for an order");
}

static enum err check_key(const struct view *from, struct why *why)
{
        const char *key = find_text(from, "payment_key");

        if (!key || dialect_dukkango.accepts(key, &(struct view){0}, NULL))
                return view_fail(from, "payment_key", "not a UUID", why);
        return ERR_OK;
}

static enum err read_one(struct json_object *element, struct order **ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        const bool is_object = json_object_is_type(element, json_type_object);
        const struct view from = view_of(is_object ? element : NULL);
        const bool pickup = streq(find_text(&from, "shipping_method"), "pickup");
        const bool own_courier = streq(find_text(&from, "courier_type"), "restaurant");
        const char *payment = find_text(&from, "payment_method");
        const char *status = NULL;
        double total = 0;
        struct view whole;
        enum err e = body ? check_key(&from, why) : ERR_NO_MEMORY;

        e = e ? e : find_status(&from, &status, why);
        e = e ? e : need_number(&from, "total", PRICE_MAX, &total, why);
        e = e ? e : add_schedule(&from, body, why);
        e = e ? e : add_customer(&from, pickup, body, why);
        if (e)
                return e;
        if (!json_add_text(body, "platform", platform_word(PLATFORM_DUKKANGO)) ||
            !json_add_text(body, "platformOrderId", find_text(&from, "payment_key")) ||
            !json_add_text(body, "status", status) ||
            !json_add_money(body, "price", (int64_t)(total * 100 + 0.5)) ||
            !json_add_text(body, "courierType", own_courier ? "restaurant" : "platform") ||
            !json_add_text(body, "orderType", pickup ? "gel_al" : "paket_servis") ||
            !json_add_text(body, "paymentMethod", payment_word(payment)) ||
            !add_text(body, "originalPaymentMethod", payment, ORDER_LINE_MAX) ||
            !add_text(body, "displayId", find_text(&from, "id"), DISPLAY_ID_MAX) ||
            !add_text(body, "orderNote", find_text(&from, "note"), ORDER_PROSE_MAX))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        whole = view_of(body);
        return order_read(&whole, ret, why);
}

/* ---- all of them ---- */

static enum err read_list(const struct answer *answer, struct polled *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(polled_done) struct polled polled = {0};
        struct json_object *data = NULL;
        bool status = false;
        size_t n = 0;
        struct view from;
        enum err e = json_read_foreign(answer->body, answer->length, &document, why);

        from = view_of(document);
        e = e ? e : view_need_bool(&from, "status", &status, why);
        e = e ? e : view_opt_array(&from, "data", SIZE_MAX, &data, why);
        if (!e && !status)
                e = view_fail(&from, "status", "not a success", why);
        if (!e && data)
                n = json_object_array_length(data);
        if (!e && n > 0 && !(polled.orders = calloc(POLLED_MAX, sizeof *polled.orders)))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a poll");
        /* Those that are broken are never acknowledged: behind a thousand of them another must be seen. */
        for (size_t i = 0; !e && i < n && polled.n < POLLED_MAX; i++) {
                struct why broken = {0};

                e = read_one(json_object_array_get_idx(data, i), &polled.orders[polled.n], &broken);
                if (!e)
                        polled.n++;
                else if (e == ERR_BAD_FIELD && polled.broken++ == 0)
                        polled.why = broken;
                if (e == ERR_BAD_FIELD)
                        e = ERR_OK;
        }
        if (e)
                return e;
        *ret = polled;
        polled = (struct polled){0};
        return ERR_OK;
}

const struct polls polls_dukkango = {.list = list, .read = read_list, .acknowledge = acknowledge};
