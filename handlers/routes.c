/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - method, path, who may call, the largest body, the handler. A path that stands here exactly is looked at
 * before one with {…} that would take it too, so the order of rows does not matter. */
#include "handlers/routes.h"

#include "handlers/handlers.h"
#include "server/metrics.h"

#define WEBHOOK_BODY 16384 /* docs/api.md 1 */
#define BODY 262144        /* docs/api.md 1 */
#define BOTH (WHO_RESTAURANT | WHO_ADMIN)

/* A row with no body, with one that must be there, with one that may be missing. */
/* clang-format off */ /* its versions differ about braces in macros */
#define ROW(method_, path_, who_, body_, handler_, ...) \
        {.method = method_, .path = path_, .who = who_, .body_max = body_, .handler = handler_, __VA_ARGS__}
#define GET(path, who, handler) ROW("GET", path, who, 0, handler, )
#define TAKES(method, path, who, handler) ROW(method, path, who, BODY, handler, )
#define MAY_TAKE(method, path, who, handler) ROW(method, path, who, BODY, handler, .body_optional = true)
#define YANDEX(m, path, who, body, h, ...) ROW(m, path, who, body, h, .complaint = COMPLAINT_YANDEX, __VA_ARGS__)
/* clang-format on */

/* Media types of Yandex Eats; docs/facts.md 11. */
static const char *const form_types[] = {"application/x-www-form-urlencoded", NULL};
static const char *const order_types[] = {
        "application/vnd.eats.order.v2+json", "application/vnd.eats.order.marketplace.v3+json",
        "application/vnd.eats.order.yandex.v3+json", "application/json", NULL};
static const char *const status_types[] = {"application/json", "application/vnd.eats.order.status.v1+json",
                                           NULL};

#define RESTAURANT "/api/v1/restaurants/{id}"
#define PLATFORM RESTAURANT "/platforms/{platform}"
#define INTEGRATION RESTAURANT "/courier-integrations/{integrationId}"

const struct route routes[] = {
        /* courier firms */
        ROW("POST", "/api/v1/webhook/courier/status-update", WHO_COURIER, WEBHOOK_BODY,
            courier_webhook_update, .broken = ERR_NOT_UPDATED, .refused = metrics_webhook_refused),
        GET("/api/v1/webhook/courier/ping", WHO_COURIER, courier_webhook_ping),
        GET("/api/v1/webhook/courier/orders/{id}", WHO_COURIER, courier_webhook_order),

        /* orders and what they owe */
        TAKES("POST", "/api/v1/orders", WHO_RESTAURANT, orders_create),
        GET("/api/v1/orders", WHO_RESTAURANT, orders_list),
        GET("/api/v1/orders/{id}", WHO_RESTAURANT, orders_show),
        TAKES("PUT", "/api/v1/orders/{id}/status", WHO_RESTAURANT, orders_move),
        GET("/api/v1/orders/{id}/cancel-reasons", WHO_RESTAURANT, orders_cancel_reasons),
        MAY_TAKE("POST", "/api/v1/orders/{id}/call-courier", WHO_RESTAURANT, orders_call_courier),
        GET("/api/v1/deliveries", BOTH, deliveries_list),
        TAKES("POST", "/api/v1/deliveries/replay", BOTH, deliveries_replay_all),
        MAY_TAKE("POST", "/api/v1/deliveries/{deliveryId}/replay", BOTH, deliveries_replay),

        TAKES("POST", "/api/v1/erasures", WHO_ADMIN, erasures_create),
        GET("/api/v1/erasures", WHO_ADMIN, erasures_list),

        GET("/api/v1/events", WHO_RESTAURANT | WHO_TICKET, events_watch),
        MAY_TAKE("POST", "/api/v1/events/ticket", WHO_RESTAURANT, events_ticket),

        /* provisioning */
        TAKES("POST", "/api/v1/restaurants", WHO_ADMIN, restaurants_create),
        GET("/api/v1/restaurants", BOTH, restaurants_list),
        GET(RESTAURANT, BOTH, restaurants_show),
        TAKES("PATCH", RESTAURANT, BOTH, restaurants_change),
        TAKES("POST", RESTAURANT "/tokens", BOTH, tokens_create),
        GET(RESTAURANT "/tokens", BOTH, tokens_list),
        MAY_TAKE("DELETE", RESTAURANT "/tokens/{tokenId}", BOTH, tokens_revoke),
        GET(RESTAURANT "/platforms", BOTH, platforms_list),
        TAKES("PUT", RESTAURANT "/platforms/yandex", BOTH, yandex_connect),
        TAKES("PUT", PLATFORM, BOTH, platforms_connect),
        GET(PLATFORM, BOTH, platforms_show),
        MAY_TAKE("DELETE", PLATFORM, BOTH, platforms_disconnect),
        MAY_TAKE("POST", PLATFORM "/test", BOTH, platforms_test),
        TAKES("POST", RESTAURANT "/courier-integrations", BOTH, courier_integrations_create),
        GET(RESTAURANT "/courier-integrations", BOTH, courier_integrations_list),
        GET(INTEGRATION, BOTH, courier_integrations_show),
        TAKES("PATCH", INTEGRATION, BOTH, courier_integrations_change),
        MAY_TAKE("DELETE", INTEGRATION, BOTH, courier_integrations_remove),
        MAY_TAKE("POST", INTEGRATION "/rotate-key", BOTH, courier_integrations_rotate_key),
        MAY_TAKE("POST", INTEGRATION "/rotate-signing-secret", BOTH, courier_integrations_rotate_secret),
        MAY_TAKE("POST", INTEGRATION "/test-order", BOTH, courier_integrations_test),

        /* Yandex Eats */
        YANDEX("POST", "/security/oauth/token", WHO_ANYONE, WEBHOOK_BODY, yandex_token, .types = form_types),
        YANDEX("POST", "/order", WHO_YANDEX, BODY, yandex_order_create, .types = order_types),
        YANDEX("GET", "/order/{orderId}", WHO_YANDEX, 0, yandex_order_show, ),
        YANDEX("PUT", "/order/{orderId}", WHO_YANDEX, BODY, yandex_order_change, .types = order_types),
        YANDEX("DELETE", "/order/{orderId}", WHO_YANDEX, BODY, yandex_order_cancel, .types = order_types,
               .body_optional = true),
        YANDEX("GET", "/order/{orderId}/status", WHO_YANDEX, 0, yandex_status_show, ),
        YANDEX("PUT", "/order/{orderId}/status", WHO_YANDEX, BODY, yandex_status_change,
               .types = status_types),
        YANDEX("PUT", "/order/{orderId}/courier", WHO_YANDEX, BODY, yandex_courier_change, ),

        /* the restaurant's page */
        GET("/panel", WHO_ANYONE, panel_page),
        GET("/panel/{file}", WHO_ANYONE, panel_part),

        /* what courier firms read */
        GET("/docs", WHO_ANYONE, docs_page),
        GET("/docs/tr", WHO_ANYONE, docs_turkish),
        GET("/docs/en", WHO_ANYONE, docs_english),
        GET("/docs/guide.css", WHO_ANYONE, docs_style),
        GET("/docs/guide.js", WHO_ANYONE, docs_script),

        /* what programs read */
        GET("/openapi.yaml", WHO_ANYONE, description_show),
        {.method = NULL},
};

const struct route ops_routes[] = {
        GET("/livez", WHO_ANYONE, health_live),
        GET("/readyz", WHO_ANYONE, health_ready),
        GET("/metrics", WHO_ANYONE, health_metrics),
        {.method = NULL},
};
