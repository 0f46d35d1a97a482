/* SPDX-License-Identifier: Apache-2.0 */
/* bodies.c - documents that clients send: JSON itself, orders in both languages, and what records are made of. */
#include "tests/fuzz/fuzz.h"

#include "model/clean.h"
#include "model/connection.h"
#include "model/event.h"
#include "model/integration.h"
#include "model/json_text.h"
#include "model/restaurant.h"
#include "model/yandex_account.h"
#include "model/yandex_order.h"

#define NOW_MS INT64_C(1730817000000)

static const struct id restaurant = {{7}};

/* By json-c; `otherwise` where that is wrong: 0.16 loses a character that is escaped as a pair where another such follows. */
static struct json_object *read_by_json_c(const char *text, struct json_object *otherwise)
{
        return strcasestr(text, "\\ud") ? json_object_get(otherwise) : json_tokener_parse(text);
}

/* What we write of it we read as the same, and so does json-c. */
void fuzz_json(const uint8_t *bytes, size_t n)
{
        CLEAN(json_put_at) struct json_object *value = NULL, *again = NULL, *theirs = NULL;
        CLEAN(free_at) char *text = fuzz_text(bytes, n), *written = NULL, *rewritten = NULL;

        if (json_read_any(text, n, &value, NULL) != ERR_OK || !value) {
                assert(!json_text_is_object(text, n));
                return;
        }
        assert(json_text_is_object(text, n) == json_object_is_type(value, json_type_object));
        theirs = read_by_json_c(text, value);
        assert(json_object_equal(value, theirs));
        written = json_text(value);
        assert(written && json_read_any(written, strlen(written), &again, NULL) == ERR_OK);
        rewritten = json_text(again);
        assert(streq(written, rewritten));
        json_object_put(theirs);
        theirs = json_tokener_parse(written);
        assert(json_object_equal(again, theirs));
}

/* Whatever was taken can be begun, shown, told of and erased. */
static void live(struct order *order)
{
        CLEAN(json_put_at) struct json_object *shown = NULL, *rest = NULL;
        CLEAN(free_at) char *told = NULL;

        assert(order_begin(order, &restaurant, ACTOR_RESTAURANT, NOW_MS, NULL) == ERR_OK);
        shown = order_write(order, true, NOW_MS);
        told = event_order(order, NOW_MS, NOW_MS);
        assert(shown && told);
        assert(order_erase(order, NOW_MS, NULL) == ERR_OK && order_is_erased(order));
        rest = order_write(order, true, NOW_MS);
        assert(rest);
}

void fuzz_order(const uint8_t *bytes, size_t n)
{
        CLEAN(json_put_at) struct json_object *object = fuzz_object(bytes, n);
        CLEAN(order_free_at) struct order *order = NULL;
        const struct view body = view_of(object);

        if (object && order_read(&body, &order, NULL) == ERR_OK)
                live(order);
}

/* What is asked for again is the object that came. */
void fuzz_yandex_order(const uint8_t *bytes, size_t n)
{
        CLEAN(json_put_at) struct json_object *object = fuzz_object(bytes, n);
        CLEAN(order_free_at) struct order *order = NULL;
        CLEAN(free_at) char *back = NULL, *status = NULL;
        const struct view body = view_of(object);

        if (!object || yandex_order_read(&body, &order, NULL) != ERR_OK)
                return;
        order->platform = PLATFORM_YANDEX;
        assert(yandex_order_write(order, &back, NULL) == ERR_OK && back);
        assert(order_begin(order, &restaurant, ACTOR_PLATFORM, NOW_MS, NULL) == ERR_OK);
        status = yandex_status_write(order);
        assert(status);
        live(order);
}

static const char ring_text[] = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void read_integration(const struct view *body, const struct keyring *ring, bool whole)
{
        CLEAN(integration_patch_done) struct integration_patch patch = {0};
        CLEAN(rotation_done) struct rotation key = {0}, secret = {0};
        CLEAN(record_done) struct record record = {0};
        CLEAN(json_put_at) struct json_object *shown = NULL;

        if (integration_patch_read(body, whole, &restaurant, ring, false, &patch, NULL) != ERR_OK || !whole ||
            rotation_key(&key, NULL) || rotation_secret(&restaurant, ring, &secret, NULL))
                return;
        if (integration_make(&restaurant, &restaurant, &patch, &key, &secret, &record, NULL) != ERR_OK)
                return;
        shown = integration_write(&record, false);
        assert(shown);
}

static void read_connection(const struct view *body, const struct keyring *ring,
                            const struct dialect *dialect)
{
        CLEAN(connection_patch_done) struct connection_patch patch = {.dialect = dialect, .ring = ring};
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};
        CLEAN(record_done) struct record record = {0};
        CLEAN(json_put_at) struct json_object *shown = NULL;

        if (connection_patch_read(body, &patch, NULL) != ERR_OK ||
            connection_make(&restaurant, &patch, &record, NULL) != ERR_OK)
                return;
        shown = connection_write(&record, false);
        assert(shown && connection_open(&record, dialect, ring, &secrets, NULL) == ERR_OK);
}

/* Each kind of body that makes or changes a record. */
void fuzz_record(const uint8_t *bytes, size_t n)
{
        CLEAN(json_put_at) struct json_object *object = fuzz_object(bytes, n);
        CLEAN(restaurant_patch_done) struct restaurant_patch change = {0};
        CLEAN(record_done) struct record record = {0};
        const struct view body = view_of(object);
        static struct keyring *ring;
        struct yandex_patch yandex;
        int64_t grace_ms = 0;

        if (!object)
                return;
        if (!ring)
                assert(keyring_read(ring_text, &ring, NULL) == ERR_OK);
        if (restaurant_make(&body, NOW_MS, &record, NULL) == ERR_OK &&
            restaurant_patch_read(&body, &change, NULL) == ERR_OK)
                assert(restaurant_edit(&record, &change, NOW_MS, NULL) == ERR_OK);
        read_integration(&body, ring, true);
        read_integration(&body, ring, false);
        for (int i = 0; i < PLATFORM_COUNT; i++)
                if (dialect_of((enum platform)i))
                        read_connection(&body, ring, dialect_of((enum platform)i));
        if (rotation_read_grace(&body, &grace_ms, NULL) == ERR_OK)
                assert(grace_ms >= 0);
        (void)!yandex_patch_read(&body, &yandex, NULL);
}
