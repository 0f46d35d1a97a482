/* SPDX-License-Identifier: Apache-2.0 */
/* order_read.c - an order as a restaurant sends it: every rule of "Order in" (docs/api.md 4), one part after another.
 *
 * What moves or is asked for later stands in struct order; the rest becomes the document, which already has the form in
 * which it is shown: each documented key is there, null where it was not given, and nothing else is. */
#include "model/order.h"

#include "model/clean.h"
#include "model/dialect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bounds that the API leaves to us, a guess far above what platforms send: in characters, labels and options in bytes. */
#define WORD_MAX 32
#define DISPLAY_ID_MAX 32 /* docs/api.md 4 */
#define PHONE_MAX 64      /* docs/api.md 1 */
#define LABEL_MAX 64
#define LABELS_MAX 32
#define LINE_MAX 200
#define PROSE_MAX 2000
#define OPTIONS_MAX 100
#define ITEMS_MAX 1000
#define QUANTITY_MAX 100000
#define REF_BYTES_MAX 16384

#define PREP_MINUTES_DEFAULT 30 /* docs/api.md 4 */

static enum err no_memory(struct why *why)
{
        return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
}

/* A text of the body into the document under the same key. */
struct text_rule {
        const char *key;
        size_t max;
        bool need;
};

static enum err keep_text(const struct view *from, const struct text_rule *rule, bool may_need,
                          struct json_object *to, struct why *why)
{
        const char *text = NULL;
        enum err e;

        if (rule->need && may_need)
                e = view_need_text(from, rule->key, 1, rule->max, &text, why);
        else
                e = view_opt_text(from, rule->key, 0, rule->max, &text, why);
        if (e)
                return e;
        return json_add_text(to, rule->key, text) ? ERR_OK : no_memory(why);
}

static enum err keep_texts(const struct view *from, const struct text_rule *rules, bool may_need,
                           struct json_object *to, struct why *why)
{
        for (; rules->key; rules++) {
                enum err e = keep_text(from, rules, may_need, to, why);

                if (e)
                        return e;
        }
        return ERR_OK;
}

/* A number that must be there; written as it would be by hand (json-c would make 40.985700000000001 of 40.9857). */
static enum err keep_number(const struct view *from, const char *key, double min, double max,
                            struct json_object *to, struct why *why)
{
        char text[32], path[sizeof why->field];
        double number = NAN;
        enum err e = view_opt_number(from, key, min, max, &number, why);
        struct json_object *value;

        if (e)
                return e;
        if (isnan(number)) {
                snprintf(path, sizeof path, "%s.%s", from->path, key);
                return FAIL_FIELD(why, path, "missing");
        }
        snprintf(text, sizeof text, "%.15g", number);
        value = json_object_new_double_s(number, text);
        return value && json_add(to, key, value) ? ERR_OK : no_memory(why);
}

static bool holds_text(struct json_object *array, const char *text)
{
        for (size_t i = 0; i < json_object_array_length(array); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(array, i)), text))
                        return true;
        return false;
}

static bool append_text(struct json_object *array, const char *text)
{
        CLEAN(json_put_at) struct json_object *value = json_object_new_string(text);

        if (!value || json_object_array_add(array, value) != 0)
                return false;
        TAKE(value);
        return true;
}

/* Appends the texts of a member array, `once`: none that is there already. *ret_given: whether there was an array. */
static enum err read_texts(const struct view *from, const char *key, size_t n_max, size_t bytes_max,
                           bool once, struct json_object *to, bool *ret_given, struct why *why)
{
        struct json_object *array = NULL;
        char path[sizeof why->field];
        enum err e = view_opt_array(from, key, n_max, &array, why);

        if (e)
                return e;
        for (size_t i = 0; array && i < json_object_array_length(array); i++) {
                struct json_object *value = json_object_array_get_idx(array, i);
                const char *text =
                        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
                size_t bytes = strlen(text);

                if (bytes == 0 || bytes > bytes_max || bytes != (size_t)json_object_get_string_len(value)) {
                        snprintf(path, sizeof path, "%s%s%s[%zu]", from->path, from->path[0] ? "." : "", key,
                                 i);
                        return FAIL_FIELD(why, path, "not a text, empty, too long, or with NUL inside");
                }
                if (!(once && holds_text(to, text)) && !append_text(to, text))
                        return no_memory(why);
        }
        *ret_given = array;
        return ERR_OK;
}

/* ---- the parts ---- */

static enum err read_identity(const struct view *body, struct order *order, struct why *why)
{
        const char *platform = NULL, *number = NULL;
        bool given = false;
        enum err e = view_need_text(body, "platform", 1, WORD_MAX, &platform, why);

        if (e)
                return e;
        if (!platform_find(platform, &order->platform))
                return FAIL_FIELD(why, "platform", "none of ours");
        if (order->platform == PLATFORM_PHONE)
                e = view_opt_text(body, "platformOrderId", 1, PLATFORM_ORDER_ID_MAX, &number, why);
        else
                e = view_need_text(body, "platformOrderId", 1, PLATFORM_ORDER_ID_MAX, &number, why);
        if (e)
                return e;
        if (number) {
                order->platform_order_id = strdup(number);
                if (!order->platform_order_id)
                        return no_memory(why);
        }
        return view_opt_id(body, "orderId", &order->id, &given, why);
}

/* One of two words, the first where there is none. */
static enum err read_choice(const struct view *body, const char *key, const char *first, const char *second,
                            bool *ret_second, struct why *why)
{
        const char *word = first;
        enum err e = view_opt_text(body, key, 1, WORD_MAX, &word, why);

        if (e)
                return e;
        if (!streq(word, first) && !streq(word, second))
                return FAIL_FIELD(why, key, "neither %s nor %s", first, second);
        *ret_second = streq(word, second);
        return ERR_OK;
}

static enum err read_course(const struct view *body, struct order *order, struct why *why)
{
        const char *status = status_word(STATUS_ACCEPTED);
        int64_t minutes = PREP_MINUTES_DEFAULT;
        enum err e = view_opt_text(body, "status", 1, WORD_MAX, &status, why);

        if (!e && !status_find(status, &order->status))
                e = FAIL_FIELD(why, "status", "none of ours");
        if (!e)
                e = read_choice(body, "courierType", "restaurant", "platform", &order->platform_courier, why);
        if (!e)
                e = read_choice(body, "orderType", "paket_servis", "gel_al", &order->pickup, why);
        if (!e)
                e = view_opt_int(body, "hazirlanmaSuresiDk", 1, PREP_MINUTES_MAX, &minutes, why);
        order->prep_minutes = (int)minutes;
        return e ? e : view_opt_time(body, "scheduledDate", &order->scheduled_ms, why);
}

/* What the platform needs to be called about the order later. */
static enum err read_reference(const struct view *body, struct order *order, struct json_object *document,
                               struct why *why)
{
        const struct dialect *dialect = dialect_of(order->platform);
        static const struct text_rule display = {"displayId", DISPLAY_ID_MAX, false};
        CLEAN(free_at) char *text = NULL;
        struct view ref;
        enum err e = view_opt_object(body, "platformRef", &ref, why);

        if (!e && ref.object) {
                text = json_text(ref.object);
                if (!text)
                        return no_memory(why);
                if (strlen(text) > REF_BYTES_MAX)
                        e = FAIL_FIELD(why, "platformRef", "longer than %d bytes", REF_BYTES_MAX);
        }
        if (!e && dialect && dialect->accepts)
                e = dialect->accepts(order->platform_order_id, &ref, why);
        if (!e)
                e = keep_text(body, &display, false, document, why);
        if (e)
                return e;
        return json_add(document, "platformRef", json_object_get(ref.object)) ? ERR_OK : no_memory(why);
}

static enum err read_payment(const struct view *body, struct json_object *document, struct why *why)
{
        static const char *const methods[] = {"cash", "card", "online", "meal_card"};
        static const struct text_rule original = {"originalPaymentMethod", LINE_MAX, false};
        const char *method = NULL;
        int64_t price = 0;
        bool known = false;
        enum err e = view_need_money(body, "price", &price, why);

        if (!e)
                e = view_need_text(body, "paymentMethod", 1, WORD_MAX, &method, why);
        if (e)
                return e;
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
                known |= streq(method, methods[i]);
        if (!known)
                return FAIL_FIELD(why, "paymentMethod", "none of ours");
        if (!json_add_money(document, "price", price) || !json_add_text(document, "paymentMethod", method))
                return no_memory(why);
        return keep_text(body, &original, false, document, why);
}

/* Platforms' flags, the value that counts, and the label it makes. Source: docs/api.md 4. */
static const struct flag {
        const char *key;
        bool value;
        const char *label;
} flags[] = {{"saveGreen", true, "Yeşili Koru"},
             {"isEcoFriendly", true, "Yeşili Koru"},
             {"contactlessDelivery", true, "Temassız Teslimat"},
             {"dropOffAtDoor", true, "Kapıya Bırak"},
             {"ringDoorBell", false, "Kapıyı Çalma"},
             {"doNotKnock", true, "Kapıyı Çalma"},
             {NULL, false, NULL}};

static bool is_null(struct json_object *object, const char *key)
{
        struct json_object *value = NULL;

        return !json_object_object_get_ex(object, key, &value) || !value;
}

static enum err read_badges(const struct view *body, struct json_object *document, struct why *why)
{
        CLEAN(json_put_at) struct json_object *badges = json_object_new_array();
        CLEAN(json_put_at) struct json_object *kept = json_object_new_object();
        struct view given;
        bool any = false;
        enum err e;

        if (!badges || !kept)
                return no_memory(why);
        e = read_texts(body, "badges", LABELS_MAX, LABEL_MAX, true, badges, &any, why);
        if (!e)
                e = view_opt_object(body, "badgeFlags", &given, why);
        if (e)
                return e;
        for (const struct flag *flag = flags; flag->key; flag++) {
                bool value = !flag->value;

                e = view_opt_bool(&given, flag->key, &value, why);
                if (e)
                        return e;
                if (!is_null(given.object, flag->key) && !json_add_bool(kept, flag->key, value))
                        return no_memory(why);
                if (value == flag->value && !holds_text(badges, flag->label) &&
                    !append_text(badges, flag->label))
                        return no_memory(why);
        }
        if (!json_add(document, "badges", TAKE(badges)) || !json_add(document, "badgeFlags", TAKE(kept)))
                return no_memory(why);
        return ERR_OK;
}

static enum err read_notes(const struct view *body, struct json_object *document, struct why *why)
{
        static const struct text_rule rules[] = {
                {"orderNote", PROSE_MAX, false}, {"courierNote", PROSE_MAX, false}, {NULL, 0, false}};

        return keep_texts(body, rules, false, document, why);
}

static enum err read_item(const struct view *from, struct json_object *to, struct why *why)
{
        static const struct text_rule name = {"name", LINE_MAX, true}, note = {"note", PROSE_MAX, false};
        CLEAN(json_put_at) struct json_object *options = json_object_new_array();
        int64_t price = -1;
        bool given = false;
        enum err e;

        if (!options)
                return no_memory(why);
        e = keep_text(from, &name, true, to, why);
        if (!e)
                e = keep_number(from, "quantity", 0, QUANTITY_MAX, to, why);
        if (!e)
                e = view_opt_money(from, "price", &price, why);
        if (!e && !(price < 0 ? json_add(to, "price", NULL) : json_add_money(to, "price", price)))
                e = no_memory(why);
        if (!e)
                e = keep_text(from, &note, false, to, why);
        if (!e)
                e = read_texts(from, "options", OPTIONS_MAX, LINE_MAX, false, options, &given, why);
        if (e)
                return e;
        return json_add(to, "options", given ? TAKE(options) : NULL) ? ERR_OK : no_memory(why);
}

static enum err read_items(const struct view *body, struct json_object *document, struct why *why)
{
        CLEAN(json_put_at) struct json_object *items = json_object_new_array();
        struct json_object *given = NULL;
        enum err e = view_opt_array(body, "items", ITEMS_MAX, &given, why);

        if (e)
                return e;
        if (!items)
                return no_memory(why);
        for (size_t i = 0; given && i < json_object_array_length(given); i++) {
                struct json_object *item = json_object_new_object();
                struct view from;

                if (!item || json_object_array_add(items, item) != 0) {
                        json_object_put(item);
                        return no_memory(why);
                }
                e = view_element(body, "items", given, i, &from, why);
                if (!e)
                        e = read_item(&from, item, why);
                if (e)
                        return e;
        }
        return json_add(document, "items", given ? TAKE(items) : NULL) ? ERR_OK : no_memory(why);
}

static enum err read_location(const struct view *address, struct json_object *to, struct why *why)
{
        CLEAN(json_put_at) struct json_object *location = json_object_new_object();
        struct view from;
        enum err e = view_opt_object(address, "location", &from, why);

        if (e)
                return e;
        if (!location)
                return no_memory(why);
        if (from.object)
                e = keep_number(&from, "latitude", -90, 90, location, why);
        if (from.object && !e)
                e = keep_number(&from, "longitude", -180, 180, location, why);
        if (e)
                return e;
        return json_add(to, "location", from.object ? TAKE(location) : NULL) ? ERR_OK : no_memory(why);
}

static enum err read_customer(const struct view *body, bool may_need, struct json_object *document,
                              struct why *why)
{
        static const struct text_rule contact[] = {
                {"name", LINE_MAX, true}, {"phone", PHONE_MAX, true}, {NULL, 0, false}};
        static const struct text_rule place[] = {
                {"district", LINE_MAX, false},     {"city", LINE_MAX, false},
                {"neighborhood", LINE_MAX, false}, {"street", LINE_MAX, false},
                {"buildingNo", LINE_MAX, false},   {"floor", LINE_MAX, false},
                {"apartmentNo", LINE_MAX, false},  {"detailedAddress", PROSE_MAX, true},
                {"directions", PROSE_MAX, false},  {NULL, 0, false}};
        CLEAN(json_put_at) struct json_object *customer = json_object_new_object();
        CLEAN(json_put_at) struct json_object *address = json_object_new_object();
        CLEAN(json_put_at) struct json_object *details = json_object_new_object();
        struct view from, from_address, from_details;
        enum err e;

        if (!customer || !address || !details)
                return no_memory(why);
        e = view_opt_object(body, "customer", &from, why);
        if (!e)
                e = view_opt_object(&from, "address", &from_address, why);
        if (!e)
                e = view_opt_object(&from, "details", &from_details, why);
        if (!e)
                e = keep_texts(&from_details, contact, may_need, details, why);
        if (!e)
                e = keep_texts(&from_address, place, may_need, address, why);
        if (!e)
                e = read_location(&from_address, address, why);
        if (e)
                return e;
        if (!json_add(customer, "address", TAKE(address)) || !json_add(customer, "details", TAKE(details)) ||
            !json_add(document, "customer", TAKE(customer)))
                return no_memory(why);
        return ERR_OK;
}

enum err order_read(const struct view *body, struct order **ret, struct why *why)
{
        CLEAN(order_free_at) struct order *order = calloc(1, sizeof *order);
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        enum err e;

        if (!order || !document)
                return no_memory(why);
        e = read_identity(body, order, why);
        if (!e)
                e = read_course(body, order, why);
        if (!e)
                e = read_reference(body, order, document, why);
        if (!e)
                e = read_payment(body, document, why);
        if (!e)
                e = read_badges(body, document, why);
        if (!e)
                e = read_notes(body, document, why);
        if (!e)
                e = read_items(body, document, why);
        if (!e)
                e = read_customer(body, !order->pickup, document, why);
        if (e)
                return e;
        order->document = json_text(document);
        if (!order->document)
                return no_memory(why);
        *ret = TAKE(order);
        return ERR_OK;
}
