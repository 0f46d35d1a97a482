/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c - method, path, who may call, the largest body, the handler. A path that stands here exactly is looked at
 * before one with {…} that would take it too, so the order of rows does not matter. */
#include "handlers/routes.h"

#include "handlers/handlers.h"

#define WEBHOOK_BODY 16384 /* docs/api.md 1 */
#define BODY 262144        /* docs/api.md 1 */
#define BOTH (WHO_RESTAURANT | WHO_ADMIN)

/* A row with no body, with one that must be there, with one that may be missing. */
/* clang-format off */ /* its versions differ about braces in macros */
#define GET(path, who, handler) {"GET", path, who, 0, handler, ERR_INTERNAL, false}
#define TAKES(method, path, who, handler) {method, path, who, BODY, handler, ERR_INTERNAL, false}
#define MAY_TAKE(method, path, who, handler) {method, path, who, BODY, handler, ERR_INTERNAL, true}
/* clang-format on */

#define RESTAURANT "/api/v1/restaurants/{id}"
#define PLATFORM RESTAURANT "/platforms/{platform}"
#define INTEGRATION RESTAURANT "/courier-integrations/{integrationId}"

const struct route routes[] = {
        /* courier firms */
        {"POST", "/api/v1/webhook/courier/status-update", WHO_COURIER, WEBHOOK_BODY, courier_webhook_update,
         ERR_NOT_UPDATED, false},
        GET("/api/v1/webhook/courier/ping", WHO_COURIER, courier_webhook_ping),
        GET("/api/v1/webhook/courier/orders/{id}", WHO_COURIER, courier_webhook_order),

        /* orders and what they owe */
        TAKES("POST", "/api/v1/orders", WHO_RESTAURANT, orders_create),
        GET("/api/v1/orders", WHO_RESTAURANT, orders_list),
        GET("/api/v1/orders/{id}", WHO_RESTAURANT, orders_show),
        TAKES("PUT", "/api/v1/orders/{id}/status", WHO_RESTAURANT, orders_move),
        MAY_TAKE("POST", "/api/v1/orders/{id}/call-courier", WHO_RESTAURANT, orders_call_courier),
        GET("/api/v1/deliveries", BOTH, deliveries_list),
        TAKES("POST", "/api/v1/deliveries/replay", BOTH, deliveries_replay_all),
        MAY_TAKE("POST", "/api/v1/deliveries/{deliveryId}/replay", BOTH, deliveries_replay),

        /* provisioning */
        TAKES("POST", "/api/v1/restaurants", WHO_ADMIN, restaurants_create),
        GET("/api/v1/restaurants", WHO_ADMIN, restaurants_list),
        GET(RESTAURANT, BOTH, restaurants_show),
        TAKES("PATCH", RESTAURANT, BOTH, restaurants_change),
        TAKES("POST", RESTAURANT "/tokens", BOTH, tokens_create),
        GET(RESTAURANT "/tokens", BOTH, tokens_list),
        MAY_TAKE("DELETE", RESTAURANT "/tokens/{tokenId}", BOTH, tokens_revoke),
        GET(RESTAURANT "/platforms", BOTH, platforms_list),
        TAKES("PUT", PLATFORM, BOTH, platforms_connect),
        GET(PLATFORM, BOTH, platforms_show),
        MAY_TAKE("DELETE", PLATFORM, BOTH, platforms_disconnect),
        TAKES("POST", RESTAURANT "/courier-integrations", BOTH, courier_integrations_create),
        GET(RESTAURANT "/courier-integrations", BOTH, courier_integrations_list),
        GET(INTEGRATION, BOTH, courier_integrations_show),
        TAKES("PATCH", INTEGRATION, BOTH, courier_integrations_change),
        MAY_TAKE("DELETE", INTEGRATION, BOTH, courier_integrations_remove),
        MAY_TAKE("POST", INTEGRATION "/rotate-key", BOTH, courier_integrations_rotate_key),
        MAY_TAKE("POST", INTEGRATION "/rotate-signing-secret", BOTH, courier_integrations_rotate_secret),
        MAY_TAKE("POST", INTEGRATION "/test-order", BOTH, courier_integrations_test),
        {.method = NULL},
};

const struct route ops_routes[] = {
        GET("/livez", WHO_ANYONE, health_live),
        GET("/readyz", WHO_ANYONE, health_ready),
        GET("/metrics", WHO_ANYONE, health_metrics),
        {.method = NULL},
};
