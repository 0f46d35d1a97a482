/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_courier.h - what a courier firm must be sent, and what its answers mean. */
#pragma once

#include "model/integration.h"
#include "tests/contract/dialect_fixtures.h"

#define FIRM "https://kurye.example/siparis?sube=5"
#define FIRM_ORDER                                                                                      \
        "{\"kuzeyOrderId\":\"000000000000000000000000\",\"restaurantId\":\"000000000000000000000000\"," \
        "\"platform\":\"yemeksepeti\",\"status\":\"hazir\",\"orderType\":\"paket_servis\","             \
        "\"createdAt\":\"1970-01-01T00:00:00.000Z\",\"paymentMethod\":\"card\","                        \
        "\"originalPaymentMethod\":null,\"price\":125.5,\"hazirlanmaSuresiDk\":25,\"badges\":[],"       \
        "\"orderNote\":null,\"courierNote\":null,\"customer\":null}"

/* Signed by Python's hmac; the newest secret's signature first. */
static char courier_headers_sent[] = "{\"Authorization\":\"Bearer susam\",\"X-Sube\":\"5\"}";
static char courier_url[] = FIRM;
static char courier_secret[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
static const struct dispatch courier_dispatch = {.url = courier_url,
                                                 .headers = courier_headers_sent,
                                                 .secrets = {courier_secret},
                                                 .now_ms = INT64_C(1730817000999)};

static const char *const courier_headers[] = {"Authorization: Bearer susam", "X-Sube: 5",
                                              "webhook-timestamp: 1730817000", NULL};

static const struct asked courier_asked[] = {{10, NULL, "POST " FIRM, FIRM_ORDER},
                                             {60, NULL, "POST " FIRM, FIRM_ORDER},
                                             {0, NULL, NULL, NULL}};

static const struct said courier_said[] = {
        {10, false, 0, 200, "", VERDICT_DONE, true, 0, ""},
        {10, true, 0, 201, "{\"success\":false}", VERDICT_DONE, true, 0, ""},
        {10, false, 0, 202, "<html>", VERDICT_DONE, true, 0, ""},
        {60, false, 0, 204, "", VERDICT_DONE, true, 0, ""},
        {10, false, 0, 299, "", VERDICT_DONE, true, 0, ""},
        {10, false, 0, 301, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 308, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 400, "{}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 401, "{}", VERDICT_RETRY, true, 0, "unauthorized"},
        {60, true, 0, 403, "{}", VERDICT_RETRY, true, 0, "forbidden"},
        {10, false, 0, 404, "{}", VERDICT_RETRY, true, 0, "not_found"},
        {10, true, 0, 409, "{}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 410, "{}", VERDICT_GIVE_UP, true, 0, "gone"},
        {60, false, 0, 410, "", VERDICT_GIVE_UP, true, 0, "gone"},
        {10, false, 0, 422, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture courier = {.account = {.url = FIRM, .dispatch = &courier_dispatch},
                                       .order_id = "k7",
                                       .document =
                                               "{\"paymentMethod\":\"card\",\"price\":125.5,\"badges\":[]}",
                                       .headers = courier_headers,
                                       .asked = courier_asked,
                                       .said = courier_said};
