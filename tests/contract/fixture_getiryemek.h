/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_getiryemek.h - what GetirYemek must be sent, and what its answers mean. */
#pragma once

#include "tests/contract/dialect_fixtures.h"

#define GETIR "http://getir.test"
#define GETIR_ID "65aa0c1f2b3d4e5f60718293"
#define GETIR_ORDER GETIR "/food-orders/" GETIR_ID
#define GETIR_REASON "5e0a4b2c9d8f7a6b5c4d3e2f"

static const char *const getiryemek_headers[] = {"token: jeton", NULL};
static const char *const getiryemek_accepted[] = {GETIR_ID, "65AA0C1F2B3D4E5F60718293", NULL};
static const char *const getiryemek_refused[] = {"65aa0c1f2b3d4e5f6071829", GETIR_ID "0",
                                                 "65aa0c1f2b3d4e5f6071829g", "z322", NULL};

static const struct asked getiryemek_asked[] = {
        {LOGIN, NULL, "POST " GETIR "/auth/login",
         "{\"appSecretKey\":\"uygulama\",\"restaurantSecretKey\":\"restoran \\\"1\\\"\"}"},
        {CHECK, NULL, "GET " GETIR_ORDER, NULL},
        {REASONS, NULL, "GET " GETIR_ORDER "/cancel-options", NULL},
        {10, NULL, "POST " GETIR_ORDER "/verify", NULL},
        {29, NULL, "POST " GETIR_ORDER "/prepare", NULL},
        {30, NULL, "POST " GETIR_ORDER "/handover", NULL},
        {40, NULL, "POST " GETIR_ORDER "/prepare", NULL},
        {50, NULL, "POST " GETIR_ORDER "/deliver", NULL},
        {60, GETIR_REASON, "POST " GETIR_ORDER "/cancel",
         "{\"cancelNote\":\"\",\"cancelReasonId\":\"" GETIR_REASON "\",\"productId\":\"\"}"},
        {60, NULL, NULL, "reasonId"},
        {60, "8", NULL, "reasonId"},
        {60, GETIR_REASON "0", NULL, "reasonId"},
        {0, NULL, NULL, NULL}};

#define GETIR_ERROR(number) "{\"code\":" #number ",\"error\":\"X\",\"message\":\"-\"}"
#define GETIR_OK "{\"result\":true}"
#define GETIR_STATE(rest) "{\"id\":\"" GETIR_ID "\",\"status\":" rest "}"
#define GETIR_TOKEN(text) "{\"restaurantId\":\"5e0a4b2c9d8f7a6b5c4d3e2f\",\"token\":\"" text "\"}"

static const struct said getiryemek_said[] = {
        {10, false, 0, 200, GETIR_OK, VERDICT_DONE, true, 0, ""},
        {10, false, 0, 200, "{\"result\":false}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {10, false, 0, 200, "{\"result\":\"true\"}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {10, false, 0, 200, "{}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {10, false, 0, 200, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {60, false, 0, 200, "{}", VERDICT_DONE, true, 0, ""},
        {60, false, 0, 200, GETIR_OK, VERDICT_DONE, true, 0, ""},
        {60, false, 0, 200, "{\"result\":false}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {60, false, 0, 200, "[]", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {10, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 400, "", VERDICT_RETRY, true, 0, "refused"},
        {10, false, 0, 400, "{\"code\":\"2\"}", VERDICT_RETRY, true, 0, "refused"},
        {10, false, 0, 400, GETIR_ERROR(72), VERDICT_RETRY, true, 0, "refused"},
        {10, false, 0, 400, GETIR_ERROR(2), VERDICT_DONE, true, 0, "already_there"},
        {40, false, 0, 400, GETIR_ERROR(2), VERDICT_RETRY, true, 0, "refused"},
        {40, false, 0, 400, GETIR_ERROR(3), VERDICT_RETRY, false, 0, "transition_refused"},
        {40, false, 0, 400, GETIR_ERROR(4), VERDICT_RETRY, true, 0, "locked"},
        {60, false, 0, 400, GETIR_ERROR(11), VERDICT_GIVE_UP, true, 0, "cannot_be_cancelled"},
        {60, false, 0, 400, GETIR_ERROR(13), VERDICT_DONE, true, 0, "already_there"},
        {40, false, 0, 400, GETIR_ERROR(13), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {30, false, 0, 400, GETIR_ERROR(14), VERDICT_WAIT, true, 0, "courier_not_there"},
        {30, true, 0, 400, GETIR_ERROR(15), VERDICT_WAIT, true, 0, "courier_not_there"},
        {50, false, 0, 400, GETIR_ERROR(15), VERDICT_RETRY, true, 0, "refused"},
        {50, false, 0, 400, GETIR_ERROR(62), VERDICT_WAIT, true, 0, "too_early"},
        {29, false, 0, 400, GETIR_ERROR(74), VERDICT_WAIT, true, 0, "too_early"},
        {40, true, 0, 400, GETIR_ERROR(74), VERDICT_WAIT, true, 0, "too_early"},
        {50, false, 0, 400, GETIR_ERROR(64), VERDICT_GIVE_UP, true, 0, "wrong_courier"},
        {30, false, 0, 400, GETIR_ERROR(71), VERDICT_GIVE_UP, true, 0, "wrong_courier"},
        {10, false, 0, 400, GETIR_ERROR(89), VERDICT_GIVE_UP, true, 0, "moved_to_another_restaurant"},
        {10, false, 0, 400, GETIR_ERROR(-1), VERDICT_RETRY, false, 0, "server_error"},
        {10, false, 0, 500, GETIR_ERROR(-1), VERDICT_RETRY, false, 0, "server_error"},
        {10, false, 0, 400, GETIR_ERROR(-2), VERDICT_GIVE_UP, true, 0, "bad_request"},
        {10, false, 0, 401, GETIR_ERROR(-2), VERDICT_LOGIN, true, 0, "token_refused"},
        {CHECK, true, 40, 401, "", VERDICT_LOGIN, true, 0, "token_refused"},
        {40, true, 0, 404, GETIR_ERROR(1), VERDICT_GIVE_UP, true, 0, "not_found"},
        {CHECK, true, 40, 200, GETIR_STATE("325"), VERDICT_DONE, true, 0, ""},
        {CHECK, true, 40, 200, GETIR_STATE("350"), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 40, 200, GETIR_STATE("400,\"verifyDate\":null"), VERDICT_DONE, true, 0, ""},
        {CHECK, true, 40, 200, GETIR_STATE("500,\"verifyDate\":\"2026-01-15T15:30:00.000Z\""), VERDICT_DONE,
         true, 10, ""},
        {CHECK, true, 40, 200, GETIR_STATE("700,\"verifyDate\":\"a\",\"prepareDate\":\"b\""), VERDICT_DONE,
         true, 40, ""},
        {CHECK, true, 40, 200, GETIR_STATE("550,\"prepareDate\":\"\""), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 50, 200, GETIR_STATE("900"), VERDICT_DONE, true, 50, ""},
        {CHECK, true, 50, 200, GETIR_STATE("550,\"deliverDate\":\"c\""), VERDICT_DONE, true, 50, ""},
        {CHECK, true, 60, 200, GETIR_STATE("900"), VERDICT_GIVE_UP, true, 0, "already_delivered"},
        {CHECK, true, 60, 200, GETIR_STATE("1600,\"prepareDate\":\"b\""), VERDICT_DONE, true, 60, ""},
        {CHECK, true, 40, 200, GETIR_STATE("1500"), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {CHECK, true, 40, 200, GETIR_STATE("401"), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 200, GETIR_STATE("\"500\""), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 200, GETIR_STATE("500,\"prepareDate\":1"), VERDICT_RETRY, true, 0,
         "unexpected_answer"},
        {CHECK, true, 40, 200, "{\"prepareDate\":\"b\"}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 404, GETIR_ERROR(1), VERDICT_GIVE_UP, true, 0, "not_found"},
        {LOGIN, false, 0, 200, GETIR_TOKEN("jeton"), VERDICT_DONE, true, 0, ""},
        {LOGIN, false, 0, 200, GETIR_TOKEN("a\\r\\nX: y"), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 200, GETIR_TOKEN(""), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"data\":{\"token\":\"jeton\"}}", VERDICT_RETRY, true, 0,
         "unexpected_answer"},
        {LOGIN, false, 0, 400, GETIR_ERROR(-2), VERDICT_GIVE_UP, true, 0, "login_failed"},
        {LOGIN, false, 0, 401, "", VERDICT_GIVE_UP, true, 0, "login_failed"},
        {LOGIN, false, 0, 500, GETIR_ERROR(-1), VERDICT_RETRY, true, 0, "server_error"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture getiryemek = {
        .account = {.url = GETIR, .values = {"uygulama", "restoran \"1\""}, .token = "jeton"},
        .order_id = GETIR_ID,
        .document = "{" NAMES "}",
        .headers = getiryemek_headers,
        .asked = getiryemek_asked,
        .said = getiryemek_said,
        .accepted = getiryemek_accepted,
        .refused = getiryemek_refused,
        .reason = GETIR_REASON,
        .wait_ms = WAIT_A_STEP};
