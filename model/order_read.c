/* SPDX-License-Identifier: Apache-2.0 */
/* order_read.c - an order as a restaurant sends it: every rule of "Order in" (docs/api.md 4).
 *
 * What moves or is asked for later stands in struct order; the rest becomes the document, which already has the form in
 * which it is shown: each documented key is there, null where it was not given, and nothing else is. */
#include "model/order.h"

#include "model/clean.h"
#include "model/dialect.h"

#include <string.h>

/* Bounds that the API leaves to us, a guess far above what platforms send: in characters, labels and options in bytes. */
#define WORD_MAX 32
#define LABEL_MAX 64
#define LABELS_MAX 32
#define OPTIONS_MAX 100
#define ITEMS_MAX 1000
#define QUANTITY_MAX 100000
#define REF_BYTES_MAX 16384
#define YANDEX_REF_BYTES_MAX 262144 /* the whole order as it came; docs/api.md 6 */

#define PREP_MINUTES_DEFAULT 30 /* docs/api.md 4 */

/* A member that the document has under the same key. */
struct field {
        const char *key;
        enum {
                AS_IS,  /* judged elsewhere */
                TEXT,   /* of `min` to `max` characters */
                NUMBER, /* from `min` to `max` */
                MONEY,
                TEXTS, /* an array of at most `max` */
                PART,  /* an object of `fields`, shown also where it was not given */
                PLACE, /* the same, null where it was not given */
                LIST,  /* an array of at most `max` objects of `fields` */
                BADGES /* with the flags, because they make labels */
        } kind;
        bool need;
        double min, max;
        const struct field *fields; /* ended by key NULL */
};

static enum err no_memory(struct why *why)
{
        return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
}

/* ---- the badges ---- */

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

/* Unless it is there already. */
static enum err add_label(struct json_object *labels, const char *label, struct why *why)
{
        for (size_t i = 0; i < json_object_array_length(labels); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(labels, i)), label))
                        return ERR_OK;
        return json_append(labels, json_object_new_string(label)) ? ERR_OK : no_memory(why);
}

static enum err keep_badges(const struct view *body, struct json_object *to, struct why *why)
{
        CLEAN(json_put_at) struct json_object *labels = json_object_new_array();
        CLEAN(json_put_at) struct json_object *kept = json_object_new_object();
        struct json_object *given = NULL;
        struct view from;
        enum err e = labels && kept ? ERR_OK : no_memory(why);

        if (!e)
                e = view_opt_texts(body, "badges", LABELS_MAX, LABEL_MAX, &given, why);
        for (size_t i = 0; !e && given && i < json_object_array_length(given); i++)
                e = add_label(labels, json_object_get_string(json_object_array_get_idx(given, i)), why);
        if (!e)
                e = view_opt_object(body, "badgeFlags", &from, why);
        for (const struct flag *flag = flags; !e && flag->key; flag++) {
                bool value = !flag->value;

                e = view_opt_bool(&from, flag->key, &value, why);
                if (!e && json_find(from.object, flag->key) && !json_add_bool(kept, flag->key, value))
                        e = no_memory(why);
                if (!e && value == flag->value)
                        e = add_label(labels, flag->label, why);
        }
        if (!e && (!json_add(to, "badges", TAKE(labels)) || !json_add(to, "badgeFlags", TAKE(kept))))
                e = no_memory(why);
        return e;
}

/* ---- the document ---- */

static enum err keep_fields(const struct view *from, const struct field *fields, struct json_object *to,
                            struct why *why);

static enum err keep_part(const struct view *from, const struct field *f, struct json_object *to,
                          struct why *why)
{
        CLEAN(json_put_at) struct json_object *part = json_object_new_object();
        struct view given;
        enum err e = part ? view_opt_object(from, f->key, &given, why) : no_memory(why);

        if (!e)
                e = keep_fields(&given, f->fields, part, why);
        if (!e && !json_add(to, f->key, TAKE(part)))
                e = no_memory(why);
        return e;
}

static enum err keep_list(const struct view *from, const struct field *f, struct json_object *to,
                          struct why *why)
{
        CLEAN(json_put_at) struct json_object *list = json_object_new_array();
        struct json_object *given = NULL;
        enum err e = list ? view_opt_array(from, f->key, (size_t)f->max, &given, why) : no_memory(why);

        for (size_t i = 0; !e && given && i < json_object_array_length(given); i++) {
                struct json_object *element = json_object_new_object();
                struct view view;

                if (!json_append(list, element))
                        return no_memory(why);
                e = view_element(from, f->key, given, i, &view, why);
                if (!e)
                        e = keep_fields(&view, f->fields, element, why);
        }
        if (!e && !json_add(to, f->key, given ? TAKE(list) : NULL))
                e = no_memory(why);
        return e;
}

static enum err keep_field(const struct view *from, const struct field *f, struct json_object *to,
                           struct why *why)
{
        struct json_object *value = json_find(from->object, f->key);
        const char *text;
        int64_t minor = 0;
        double number = 0;
        enum err e = ERR_OK;

        if (f->need && !value)
                return view_fail(from, f->key, "missing", why);
        switch (f->kind) {
        case AS_IS: break;
        case TEXT: e = view_opt_text(from, f->key, (size_t)f->min, (size_t)f->max, &text, why); break;
        case NUMBER: e = view_opt_number(from, f->key, f->min, f->max, &number, why); break;
        case MONEY:
                e = view_opt_money(from, f->key, &minor, why);
                number = (double)minor / 100;
                break;
        case TEXTS: e = view_opt_texts(from, f->key, (size_t)f->max, ORDER_LINE_MAX, &value, why); break;
        case BADGES: return keep_badges(from, to, why);
        case LIST: return keep_list(from, f, to, why);
        case PART: return keep_part(from, f, to, why);
        case PLACE:
                if (value)
                        return keep_part(from, f, to, why);
        }
        if (e)
                return e;
        if (!value || (f->kind != NUMBER && f->kind != MONEY))
                return json_add(to, f->key, json_object_get(value)) ? ERR_OK : no_memory(why);
        return json_add_number(to, f->key, number) ? ERR_OK : no_memory(why);
}

static enum err keep_fields(const struct view *from, const struct field *fields, struct json_object *to,
                            struct why *why)
{
        enum err e = ERR_OK;

        for (const struct field *f = fields; !e && f->key; f++)
                e = keep_field(from, f, to, why);
        return e;
}

static const struct field item[] = {{"name", TEXT, true, 1, ORDER_LINE_MAX, NULL},
                                    {"quantity", NUMBER, true, 0, QUANTITY_MAX, NULL},
                                    {"price", MONEY, false, 0, 0, NULL},
                                    {"note", TEXT, false, 0, ORDER_PROSE_MAX, NULL},
                                    {"options", TEXTS, false, 0, OPTIONS_MAX, NULL},
                                    {.key = NULL}};

static const struct field location[] = {{"latitude", NUMBER, true, -90, 90, NULL},
                                        {"longitude", NUMBER, true, -180, 180, NULL},
                                        {.key = NULL}};

static const struct field address[] = {{"district", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"city", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"neighborhood", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"street", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"buildingNo", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"floor", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"apartmentNo", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"detailedAddress", TEXT, false, 0, ORDER_PROSE_MAX, NULL},
                                       {"directions", TEXT, false, 0, ORDER_PROSE_MAX, NULL},
                                       {"location", PLACE, false, 0, 0, location},
                                       {.key = NULL}};

static const struct field details[] = {{"name", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                       {"phone", TEXT, false, 0, PHONE_MAX, NULL},
                                       {.key = NULL}};

static const struct field customer[] = {{"address", PART, false, 0, 0, address},
                                        {"details", PART, false, 0, 0, details},
                                        {.key = NULL}};

static const struct field whole[] = {{"displayId", TEXT, false, 0, DISPLAY_ID_MAX, NULL},
                                     {"platformRef", AS_IS, false, 0, 0, NULL},
                                     {"price", MONEY, true, 0, 0, NULL},
                                     {"paymentMethod", AS_IS, true, 0, 0, NULL},
                                     {"originalPaymentMethod", TEXT, false, 0, ORDER_LINE_MAX, NULL},
                                     {"badges", BADGES, false, 0, 0, NULL},
                                     {"orderNote", TEXT, false, 0, ORDER_PROSE_MAX, NULL},
                                     {"courierNote", TEXT, false, 0, ORDER_PROSE_MAX, NULL},
                                     {"items", LIST, false, 0, ITEMS_MAX, item},
                                     {"customer", PART, false, 0, 0, customer},
                                     {.key = NULL}};

/* To whom, and where to: needed where it is delivered, before all else of the customer. */
static enum err need_customer(const struct view *body, struct why *why)
{
        static const char *const needed[][2] = {
                {"details", "name"}, {"details", "phone"}, {"address", "detailedAddress"}};
        struct view from, part;
        const char *text;
        enum err e = view_opt_object(body, "customer", &from, why);

        for (size_t i = 0; !e && i < sizeof needed / sizeof *needed; i++) {
                e = view_opt_object(&from, needed[i][0], &part, why);
                if (!e)
                        e = view_text(&part, needed[i][1], true, 1, ORDER_PROSE_MAX, &text, why);
        }
        return e;
}

/* ---- the order ---- */

#define WORD(name, word) word,
static const char *const platforms[] = {PLATFORM_TABLE(WORD) NULL};
static const char *const statuses[] = {STATUS_TABLE(WORD) NULL};
#undef WORD
static const char *const couriers[] = {"restaurant", "platform", NULL};
static const char *const types[] = {"paket_servis", "gel_al", NULL};
static const char *const methods[] = {"cash", "card", "online", "meal_card", NULL};

/* The word's place among `words`, `fallback` where it is absent; -1: it must be there. */
static enum err read_word(const struct view *body, const char *key, const char *const *words, int fallback,
                          int *ret, struct why *why)
{
        const char *given = fallback < 0 ? NULL : words[fallback];
        enum err e = view_text(body, key, fallback < 0, 1, WORD_MAX, &given, why);

        for (int i = 0; !e && words[i]; i++) {
                if (!streq(words[i], given))
                        continue;
                *ret = i;
                return ERR_OK;
        }
        return e ? e : FAIL_FIELD(why, key, "none of ours");
}

static enum err read_identity(const struct view *body, struct order *order, struct why *why)
{
        const char *number = NULL;
        int platform = 0;
        bool given = false;
        enum err e = read_word(body, "platform", platforms, -1, &platform, why);

        order->platform = (enum platform)platform;
        if (!e)
                e = view_text(body, "platformOrderId", order->platform != PLATFORM_PHONE, 1,
                              PLATFORM_ORDER_ID_MAX, &number, why);
        if (e)
                return e;
        order->platform_order_id = number ? strdup(number) : NULL;
        if (number && !order->platform_order_id)
                return no_memory(why);
        return view_opt_id(body, "orderId", &order->id, &given, why);
}

static enum err read_course(const struct view *body, struct order *order, struct why *why)
{
        int status = 0, courier = 0, type = 0, method;
        int64_t minutes = PREP_MINUTES_DEFAULT;
        enum err e = read_word(body, "status", statuses, STATUS_ACCEPTED, &status, why);

        if (!e)
                e = read_word(body, "courierType", couriers, 0, &courier, why);
        if (!e)
                e = read_word(body, "orderType", types, 0, &type, why);
        if (!e)
                e = read_word(body, "paymentMethod", methods, -1, &method, why);
        if (!e)
                e = view_opt_int(body, "hazirlanmaSuresiDk", 1, PREP_MINUTES_MAX, &minutes, why);
        order->status = (enum status)status;
        order->platform_courier = courier;
        order->pickup = type;
        order->prep_minutes = (int)minutes;
        return e ? e : view_opt_time(body, "scheduledDate", &order->scheduled_ms, why);
}

/* What the platform needs to be called about the order later. */
static enum err judge_reference(const struct view *body, const struct order *order, struct why *why)
{
        const struct dialect *dialect = dialect_of(order->platform);
        struct view ref;
        const size_t max = order->platform == PLATFORM_YANDEX ? YANDEX_REF_BYTES_MAX : REF_BYTES_MAX;
        size_t bytes = 0;
        enum err e = view_opt_object(body, "platformRef", &ref, why);

        if (e)
                return e;
        if (ref.object &&
            !json_object_to_json_string_length(
                    ref.object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes))
                return no_memory(why);
        if (bytes > max)
                return FAIL_FIELD(why, "platformRef", "longer than %zu bytes", max);
        return dialect && dialect->accepts ? dialect->accepts(order->platform_order_id, &ref, why) : ERR_OK;
}

/* Yandex Eats does not say where its own courier brings an order. */
static bool needs_customer(const struct order *order)
{
        return !order->pickup && !(order->platform == PLATFORM_YANDEX && order->platform_courier);
}

enum err order_read(const struct view *body, struct order **ret, struct why *why)
{
        CLEAN(order_free_at) struct order *order = calloc(1, sizeof *order);
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        const char *phone;
        enum err e;

        if (!order || !document)
                return no_memory(why);
        e = read_identity(body, order, why);
        if (!e)
                e = read_course(body, order, why);
        if (!e)
                e = judge_reference(body, order, why);
        if (!e && needs_customer(order))
                e = need_customer(body, why);
        if (!e)
                e = keep_fields(body, whole, document, why);
        if (e)
                return e;
        phone = json_get_text(json_find(json_find(document, "customer"), "details"), "phone");
        if (phone)
                phone_key(phone, order->phone);
        order->document = json_text(document);
        if (!order->document)
                return no_memory(why);
        *ret = TAKE(order);
        return ERR_OK;
}
