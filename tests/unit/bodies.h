/* SPDX-License-Identifier: Apache-2.0 */
/* bodies.h - orders as they come in, for the tests of what is made of them. */
#pragma once

#include "model/clean.h"
#include "model/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1730817000000) /* 2024-11-05T14:30:00.000Z */

/* The example that courier firms know, as a restaurant would have sent it. */
static const char sample[] =
        "{\"orderId\":\"507F1F77BCF86CD799439012\",\"platform\":\"dukkango\","
        "\"platformOrderId\":\"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e\",\"status\":\"hazirlanacak\","
        "\"courierType\":\"restaurant\",\"orderType\":\"paket_servis\",\"displayId\":\"z322\","
        "\"paymentMethod\":\"card\",\"originalPaymentMethod\":\"Kapıda Kredi/Banka Kartı\",\"price\":125.5,"
        "\"hazirlanmaSuresiDk\":15,\"badges\":[\"Temassız Teslimat\"],\"badgeFlags\":{},"
        "\"orderNote\":\"İnce hamur olsun lütfen\",\"courierNote\":\"Kapı kodu: 1234\","
        "\"scheduledDate\":\"2024-11-05T19:00:00\",\"platformRef\":{},"
        "\"items\":[{\"name\":\"Pide\",\"quantity\":1.5,\"price\":60.25,\"note\":\"acısız\",\"options\":[\"kaşarlı\"]},"
        "{\"name\":\"Ayran\",\"quantity\":2}],"
        "\"customer\":{\"address\":{\"district\":\"Kadıköy\",\"city\":\"İstanbul\",\"neighborhood\":\"Fenerbahçe\","
        "\"street\":\"Bağdat Caddesi\",\"buildingNo\":\"123\",\"floor\":\"4\",\"apartmentNo\":\"8\","
        "\"detailedAddress\":\"Bağdat Caddesi No: 123, Kat: 4, Daire: 8, Fenerbahçe, Kadıköy, İstanbul\","
        "\"directions\":\"Kapı kodu: 1234\",\"location\":{\"latitude\":40.9857,\"longitude\":29.0347}},"
        "\"details\":{\"name\":\"Ahmet Yılmaz\",\"phone\":\"+905551234567\"}}}";

/* The least there can be. */
static const char least[] =
        "{\"platform\":\"phone\",\"orderType\":\"gel_al\",\"price\":0.1,\"paymentMethod\":\"cash\"}";

/* Owned by the caller. */
static inline struct json_object *parse(const char *text)
{
        struct json_object *value = NULL;

        assert_int_equal(json_read_any(text, strlen(text), &value, NULL), ERR_OK);
        return value;
}

/* The body with one member changed: `at` is a JSON pointer (NULL: none), `value` JSON. */
static inline enum err read_changed(const char *body, const char *at, const char *value, struct order **ret,
                                    struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = parse(body);
        struct view view;

        if (at)
                assert_int_equal(json_pointer_set(&document, at, parse(value)), 0);
        view = view_of(document);
        return order_read(&view, ret, why);
}

/* Likewise, where it must be taken. */
static inline struct order *read_order(const char *body, const char *at, const char *value)
{
        struct order *order = NULL;
        struct why why = {0};

        if (read_changed(body, at, value, &order, &why))
                fail_msg("%s: %s", why.field, why.text);
        return order;
}

/* The whole order, as whoever is shown it reads it. */
static inline struct json_object *show(const struct order *order, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *shown = order_write(order, true, now_ms);
        CLEAN(free_at) char *text = shown ? json_text(shown) : NULL;

        assert_non_null(text);
        return parse(text);
}

/* What stands at the pointer is this JSON. */
static inline void assert_member(struct json_object *shown, const char *at, const char *expected)
{
        struct json_object *value = NULL;

        if (json_pointer_get(shown, at, &value))
                fail_msg("no %s", at);
        if (!streq(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), expected))
                fail_msg("%s is %s", at, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}
