/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_order.c - an order as Yandex Eats sends it and asks for it. */
#include "model/yandex_order.h"

#include "model/clean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ours in order_read.c: what is cut fits. In characters, but for options. */
#define LINE_MAX 200
#define PHONE_MAX 64
#define PROSE_MAX 2000
#define OPTION_BYTES 200
#define ITEMS_MAX 1000
#define OPTIONS_MAX 100
#define QUANTITY_MAX 100000
#define MONEY_MAX 10000000

/* ---- words and times ---- */

static const char *const words[STATUS_COUNT] = {[STATUS_NEW] = "NEW",
                                                [STATUS_ACCEPTED] = "ACCEPTED_BY_RESTAURANT",
                                                [STATUS_COOKING] = "COOKING",
                                                [STATUS_READY] = "READY",
                                                [STATUS_ON_THE_WAY] = "TAKEN_BY_COURIER",
                                                [STATUS_DELIVERED] = "DELIVERED",
                                                [STATUS_CANCELLED] = "CANCELLED"};

const char *yandex_status_word(enum status status)
{
        return words[status];
}

bool yandex_status_find(const char *word, enum status *ret)
{
        const int i = word_find(word, words, STATUS_COUNT);

        if (i >= STATUS_ON_THE_WAY)
                *ret = (enum status)i;
        return i >= STATUS_ON_THE_WAY;
}

const char *yandex_time_write(int64_t ms, char to[YANDEX_TIME_SIZE])
{
        char text[TIME_TEXT_SIZE];

        snprintf(to, YANDEX_TIME_SIZE, "%.23s000+00:00", time_write(ms, text));
        return to;
}

char *yandex_status_write(const struct order *order)
{
        CLEAN(json_put_at) struct json_object *to = json_object_new_object();
        char at[YANDEX_TIME_SIZE];
        const char *note = "";

        for (int i = 0; i < order->n_moves; i++)
                note = order->moves[i].note ? order->moves[i].note : note;
        return to && json_add_text(to, "status", yandex_status_word(order->status)) &&
                               json_add_text(to, "comment", note) &&
                               json_add_text(to, "updatedAt",
                                             yandex_time_write(order_last_move(order)->at_ms, at))
                       ? json_text(to)
                       : NULL;
}

/* How many bytes of it are whole characters, no more than so many of either. */
static size_t cut_length(const char *text, size_t bytes, size_t characters)
{
        size_t n = 0, one;

        while (characters-- > 0 && text[n] && (one = utf8_length(text + n, bytes - n)))
                n += one;
        return n;
}

void yandex_text_cut(char *to, size_t size, const char *from)
{
        const size_t n = cut_length(from, size - 1, SIZE_MAX);

        memcpy(to, from, n);
        to[n] = '\0';
}

/* ---- from theirs to ours ---- */

static enum err no_memory(struct why *why)
{
        return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
}

/* Puts an object into `to` and fills it by what follows. */
static struct json_object *add_part(struct json_object *to, const char *key)
{
        struct json_object *part = json_object_new_object();

        return json_add_made(to, key, part) ? part : NULL;
}

/* A text, cut; `need`: not empty. What is absent is left out. */
static enum err add_text(struct json_object *to, const char *to_key, size_t max, const struct view *from,
                         const char *key, bool need, struct why *why)
{
        const char *text = NULL;
        enum err e = view_text(from, key, need, need, SIZE_MAX, &text, why);

        if (e || !text)
                return e;
        return json_add_made(to, to_key,
                             json_object_new_string_len(text, (int)cut_length(text, SIZE_MAX, max)))
                       ? ERR_OK
                       : no_memory(why);
}

/* To kuruş: theirs may have more digits. */
static enum err read_money(const struct view *from, const char *key, bool need, int64_t *ret_minor,
                           struct why *why)
{
        double number = -1;
        enum err e = view_opt_number(from, key, 0, MONEY_MAX, &number, why);

        if (!e && need && number < 0)
                e = view_fail(from, key, "missing", why);
        if (!e && number >= 0)
                *ret_minor = (int64_t)(number * 100 + 0.5);
        return e;
}

/* Who delivers. That `pickup` is the word for who fetches it himself is UNSURE: the pages name its form, PickupOrder, and
 * show the other two words only. */
static enum err add_course(const struct view *body, struct json_object *to, struct why *why)
{
        static const char *const variants[] = {"marketplace", "yandex", "pickup"};
        const char *variant = NULL;
        enum err e = view_need_text(body, "discriminator", 1, SIZE_MAX, &variant, why);
        int i;

        if (e)
                return e;
        i = word_find(variant, variants, sizeof variants / sizeof *variants);
        if (i < 0)
                return view_fail(body, "discriminator", "none of theirs", why);
        return json_add_text(to, "courierType", i == 1 ? "platform" : "restaurant") &&
                               json_add_text(to, "orderType", i == 2 ? "gel_al" : "paket_servis")
                       ? ERR_OK
                       : no_memory(why);
}

/* When it shall be there, or be fetched. A time that does not read is no reason to refuse an order. */
static enum err add_time(const struct view *delivery, struct json_object *to, struct why *why)
{
        const char *const keys[] = {"deliveryDate", "courierArrivementDate"};
        int64_t at_ms;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                const char *text = json_get_text(delivery->object, keys[i]);

                if (text && time_read(text, &at_ms))
                        return json_add_time(to, "scheduledDate", at_ms) ? ERR_OK : no_memory(why);
        }
        return ERR_OK;
}

/* Coordinates come as texts, and only where both read they are any. */
static enum err add_location(const struct view *address, struct json_object *to, struct why *why)
{
        const char *const keys[] = {"latitude", "longitude"};
        const double bounds[] = {90, 180};
        double numbers[2];
        struct json_object *location;

        for (int i = 0; i < 2; i++) {
                struct json_object *value = json_find(address->object, keys[i]);
                const char *text = value ? json_object_get_string(value) : "";
                char *end;

                numbers[i] = strtod(text, &end);
                if (end == text || *end || !(numbers[i] >= -bounds[i] && numbers[i] <= bounds[i]))
                        return ERR_OK;
        }
        location = add_part(to, "location");
        return location && json_add_number(location, keys[0], numbers[0]) &&
                               json_add_number(location, keys[1], numbers[1])
                       ? ERR_OK
                       : no_memory(why);
}

/* Needed where the restaurant's courier must find the way. */
static enum err add_customer(const struct view *body, struct json_object *to, struct why *why)
{
        const bool need = streq(json_get_text(body->object, "discriminator"), "marketplace");
        struct json_object *customer = add_part(to, "customer"),
                           *details = customer ? add_part(customer, "details") : NULL,
                           *place = customer ? add_part(customer, "address") : NULL;
        struct view delivery, address;
        enum err e =
                details && place ? view_opt_object(body, "deliveryInfo", &delivery, why) : no_memory(why);

        e = e ? e : add_text(details, "name", LINE_MAX, &delivery, "clientName", need, why);
        e = e ? e : add_text(details, "phone", PHONE_MAX, &delivery, "phoneNumber", need, why);
        e = e ? e : view_opt_object(&delivery, "deliveryAddress", &address, why);
        e = e ? e : add_text(place, "detailedAddress", PROSE_MAX, &address, "full", need, why);
        e = e ? e : add_location(&address, place, why);
        return e ? e : add_time(&delivery, to, why);
}

/* What the restaurant's own courier collects holds the fee for bringing it. */
static enum err add_payment(const struct view *body, struct json_object *to, struct why *why)
{
        static const char *const types[][2] = {{"CARD", "online"}, {"CASH", "cash"}};
        const bool own = streq(json_get_text(to, "courierType"), "restaurant");
        const char *type = NULL, *method = NULL;
        int64_t cost = 0, fee = 0;
        struct view payment;
        enum err e = view_opt_object(body, "paymentInfo", &payment, why);

        e = e ? e : read_money(&payment, "itemsCost", true, &cost, why);
        e = e ? e : read_money(&payment, "deliveryFee", false, &fee, why);
        e = e ? e : view_need_text(&payment, "paymentType", 1, SIZE_MAX, &type, why);
        for (size_t i = 0; !e && i < sizeof types / sizeof *types; i++)
                method = streq(types[i][0], type) ? types[i][1] : method;
        if (!e && !method)
                e = view_fail(&payment, "paymentType", "none of theirs", why);
        if (!e && (!json_add_money(to, "price", cost + (own ? fee : 0)) ||
                   !json_add_text(to, "paymentMethod", method) ||
                   !json_add_text(to, "originalPaymentMethod", type)))
                e = no_memory(why);
        return e;
}

/* `2 x Sos`, or the name alone where it is one; those without a name are passed over. */
static enum err add_options(const struct view *item, struct json_object *to, struct why *why)
{
        struct json_object *given = NULL, *options = json_object_new_array();
        enum err e = json_add_made(to, "options", options)
                             ? view_opt_array(item, "modifications", OPTIONS_MAX, &given, why)
                             : no_memory(why);

        for (size_t i = 0; !e && given && i < json_object_array_length(given); i++) {
                struct json_object *one = json_object_array_get_idx(given, i);
                const char *name =
                        json_object_is_type(one, json_type_object) ? json_get_text(one, "name") : NULL;
                const int64_t n = name ? json_get_int(one, "quantity", 1) : 1;
                char whole[OPTION_BYTES + 32], text[OPTION_BYTES + 1];

                if (!name || !*name)
                        continue;
                yandex_text_cut(text, sizeof text, name);
                if (n > 1) {
                        snprintf(whole, sizeof whole, "%lld x %s", (long long)n, text);
                        yandex_text_cut(text, sizeof text, whole);
                }
                if (!json_append(options, json_object_new_string(text)))
                        e = no_memory(why);
        }
        return e;
}

static enum err add_item(const struct view *from, struct json_object *to, struct why *why)
{
        double quantity = -1;
        int64_t price = -1;
        const bool has_name = json_get_text(from->object, "name");
        enum err e = add_text(to, "name", LINE_MAX, from, has_name ? "name" : "id", true, why);

        e = e ? e : view_opt_number(from, "quantity", 0, QUANTITY_MAX, &quantity, why);
        if (!e && quantity < 0)
                e = view_fail(from, "quantity", "missing", why);
        e = e ? e : read_money(from, "price", false, &price, why);
        if (!e && (!json_add_number(to, "quantity", quantity) ||
                   (price >= 0 && !json_add_money(to, "price", price))))
                e = no_memory(why);
        return e ? e : add_options(from, to, why);
}

static enum err add_items(const struct view *body, struct json_object *to, struct why *why)
{
        struct json_object *given = NULL, *items = json_object_new_array();
        enum err e = json_add_made(to, "items", items) ? view_opt_array(body, "items", ITEMS_MAX, &given, why)
                                                       : no_memory(why);

        if (!e && !given)
                e = view_fail(body, "items", "missing", why);
        for (size_t i = 0; !e && i < json_object_array_length(given); i++) {
                struct json_object *item = json_object_new_object();
                struct view view;

                if (!json_append(items, item))
                        return no_memory(why);
                e = view_element(body, "items", given, i, &view, why);
                e = e ? e : add_item(&view, item, why);
        }
        return e;
}

/* Inside of ours it stands one level deeper, and must still be read when it comes back from a store. */
static enum err judge_depth(const struct order *order, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = json_read(order->document, strlen(order->document), &document, why);

        return e == ERR_BAD_JSON ? FAIL(why, e, "too deep") : e;
}

enum err yandex_order_read(const struct view *body, struct order **ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *in = json_object_new_object();
        CLEAN(order_free_at) struct order *order = NULL;
        const char *number = NULL;
        struct view view;
        enum err e =
                in ? view_need_text(body, "eatsId", 1, PLATFORM_ORDER_ID_MAX, &number, why) : no_memory(why);

        if (!e && (!json_add_text(in, "platform", platform_word(PLATFORM_YANDEX)) ||
                   !json_add_text(in, "platformOrderId", number) ||
                   !json_add_text(in, "status", status_word(STATUS_NEW)) ||
                   !json_add(in, "platformRef", json_object_get(body->object))))
                e = no_memory(why);
        e = e ? e : add_course(body, in, why);
        e = e ? e : add_customer(body, in, why);
        e = e ? e : add_payment(body, in, why);
        e = e ? e : add_items(body, in, why);
        e = e ? e : add_text(in, "orderNote", PROSE_MAX, body, "comment", false, why);
        if (e)
                return e;
        view = view_of(in);
        e = order_read(&view, &order, why);
        e = e ? e : judge_depth(order, why);
        if (!e)
                *ret = TAKE(order);
        return e;
}

enum err yandex_order_write(const struct order *order, char **ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const char *text = order->document ? order->document : "{}";
        struct json_object *whole;
        char *written;
        enum err e = json_read(text, strlen(text), &document, why);

        if (e)
                return e;
        whole = json_find(document, "platformRef");
        if (!json_get_text(whole, "eatsId"))
                return FAIL(why, ERR_NOT_FOUND, "what Yandex Eats sent of it is not there");
        written = json_text(whole);
        if (!written)
                return no_memory(why);
        *ret = written;
        return ERR_OK;
}
