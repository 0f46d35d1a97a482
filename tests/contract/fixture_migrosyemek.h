/* SPDX-License-Identifier: Apache-2.0 */
/* fixture_migrosyemek.h - what Migros Yemek must be sent, and what its answers mean.
 *
 * The bodies were encrypted apart: printf '%s' TEXT | openssl enc -aes-256-ecb -K <the secret in hex> -base64 -A */
#pragma once

#include "tests/contract/dialect_fixtures.h"

#define MIGROS "http://migros.test"
#define MIGROS_ID "9007199254740993" /* which a double cannot tell from its neighbour */
#define MIGROS_BODY(rest) "{\"value\":\"tfVPm3asUTws+04h2ipLxV7+UNyt4brfv1WMhNyUk4" rest "\"}"

static const char *const migrosyemek_headers[] = {"XApiKey: anahtar=", NULL};
static const char *const migrosyemek_accepted[] = {MIGROS_ID, "0", "9223372036854775807", NULL};
static const char *const migrosyemek_refused[] = {
        "9223372036854775808", "-1", "+1", "01", "1.0", "0x1", "1e3", "12a", NULL};

static const struct asked migrosyemek_asked[] = {
        /* {"storeIds":[45],"limit":50,"offset":0} */
        {CHECK, NULL, "POST " MIGROS "/Order/ActiveOrdersWithStores",
         "{\"value\":\"eafvPCAmtx0LzhB4ZxejlQvjgCH8FB1thJZyr5xgXnJWefyhSf/p8Aph1+sQ8Wd/\"}"},
        {REASONS, NULL, "GET " MIGROS "/Mapping/v2/GetCancelReasons", NULL},
        {PROBE, NULL, "GET " MIGROS "/Mapping/v2/GetCancelReasons", NULL},
        /* {"orderId":9007199254740993,"storeId":45,"orderStatus":"Approved"}, Prepared, Delivery, Completed */
        {10, NULL, "POST " MIGROS "/Order/v2/UpdateOrderStatus",
         MIGROS_BODY("t2ltLv64uup+DA4ykTTm5LZkWbg5yLO3cQDfUojgVbwLWjTkWHjmJW/zX2XxY2c4U=")},
        {30, NULL, "POST " MIGROS "/Order/v2/UpdateOrderStatus",
         MIGROS_BODY("t2ltLv64uup+DA4ykTTm5LEkZoQiDkE57nEAu1PlMPOLWjTkWHjmJW/zX2XxY2c4U=")},
        {40, NULL, "POST " MIGROS "/Order/v2/UpdateOrderStatus",
         MIGROS_BODY("t2ltLv64uup+DA4ykTTm5LYQtGYMTSfgMiDXQ3KFPbrrWjTkWHjmJW/zX2XxY2c4U=")},
        {50, NULL, "POST " MIGROS "/Order/v2/UpdateOrderStatus",
         MIGROS_BODY("t2ltLv64uup+DA4ykTTm5LlSTudv9MSD2hCcgQBV1rkwTizF0/0BACNLjWc8H5Gcc=")},
        /* {"orderId":9007199254740993,"storeId":45,"orderStatus":"Rejected","cancelReasonId":12} */
        {60, "12", "POST " MIGROS "/Order/v2/UpdateOrderStatus",
         MIGROS_BODY(
                 "t2ltLv64uup+DA4ykTTm5L100RN6YHsljQIOEGuToCr2ozmOZ9AVoByED4ygrLj8tT0RjVht1XrBMACFZvjuzB")},
        {60, NULL, NULL, "reasonId"},
        {60, "12 ", NULL, "reasonId"},
        {60, "-1", NULL, "reasonId"},
        {60, "MUTFAK", NULL, "reasonId"},
        {0, NULL, NULL, NULL}};

#define MIGROS_OK "{\"success\":true,\"data\":null}"
#define MIGROS_NO "{\"success\":false,\"errorMessage\":{\"errorDetail\":\"olmaz\"}}"
#define MIGROS_LIST(orders) "{\"success\":true,\"data\":[{\"storeId\":45,\"orders\":[" orders "]}]}"
#define MIGROS_ONE(status) "{\"id\":" MIGROS_ID ",\"status\":" status "}"
#define MIGROS_STATE(status) MIGROS_LIST("{\"id\":9007199254740992,\"status\":7}," MIGROS_ONE(status))

static const struct said migrosyemek_said[] = {
        {40, false, 0, 200, MIGROS_OK, VERDICT_DONE, true, 0, ""},
        {40, true, 0, 200, MIGROS_OK, VERDICT_DONE, true, 0, ""},
        {40, false, 0, 200, MIGROS_NO, VERDICT_RETRY, false, 0, "refused"},
        {40, true, 0, 200, MIGROS_NO, VERDICT_RETRY, false, 0, "refused"},
        {40, false, 0, 200, "{\"success\":\"true\"}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "{\"success\":1}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "{\"data\":true}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 201, MIGROS_OK, VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {40, false, 0, 400, MIGROS_NO, VERDICT_RETRY, true, 0, "unexpected_answer"},
        {40, false, 0, 401, "", VERDICT_GIVE_UP, true, 0, "login_failed"},
        {40, false, 0, 403, "", VERDICT_GIVE_UP, true, 0, "forbidden"},
        {40, true, 0, 404, "", VERDICT_GIVE_UP, true, 0, "not_found"},
        {40, false, 0, 409, MIGROS_NO, VERDICT_RETRY, false, 0, "transition_refused"},
        {40, true, 0, 409, MIGROS_NO, VERDICT_DONE, true, 0, "already_there"},
        {60, true, 0, 409, "", VERDICT_DONE, true, 0, "already_there"},
        {CHECK, true, 40, 200, MIGROS_STATE("0"), VERDICT_DONE, true, 0, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("1"), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("2"), VERDICT_DONE, true, 20, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("3"), VERDICT_DONE, true, 30, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("4"), VERDICT_DONE, true, 30, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("5"), VERDICT_DONE, true, 40, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("6"), VERDICT_DONE, true, 40, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("7"), VERDICT_DONE, true, 50, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("8"), VERDICT_DONE, true, 50, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("9"), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {CHECK, true, 40, 200, MIGROS_STATE("10"), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {CHECK, true, 60, 200, MIGROS_STATE("9"), VERDICT_DONE, true, 60, ""},
        {CHECK, true, 60, 200, MIGROS_STATE("1"), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 60, 200, MIGROS_STATE("7"), VERDICT_GIVE_UP, true, 0, "already_delivered"},
        {CHECK, true, 40, 200, MIGROS_STATE("\"IN_DELIVERY\""), VERDICT_DONE, true, 40, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("\"APPROVED\""), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 40, 200, MIGROS_STATE("\"APPROVED\\u0000\""), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, MIGROS_STATE("\"approved\""), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, MIGROS_STATE("11"), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, MIGROS_STATE("-1"), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, MIGROS_STATE("[5]"), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, "{\"success\":true,\"data\":[" MIGROS_ONE("5") "]}", VERDICT_DONE, true, 40,
         ""},
        {CHECK, true, 40, 200, MIGROS_LIST(""), VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, "{\"success\":true,\"data\":[]}", VERDICT_DONE, false, 0, "nothing_learnt"},
        /* An item with the order's number is not the order. */
        {CHECK, true, 40, 200, MIGROS_LIST("{\"id\":1,\"status\":5,\"items\":[" MIGROS_ONE("7") "]}"),
         VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, "{\"success\":true,\"data\":null}", VERDICT_DONE, false, 0, "nothing_learnt"},
        {CHECK, true, 40, 200, "{\"success\":true,\"data\":\"c2lmcmU=\"}", VERDICT_DONE, false, 0,
         "nothing_learnt"},
        {CHECK, true, 40, 200, MIGROS_NO, VERDICT_RETRY, false, 0, "refused"},
        {CHECK, true, 40, 200, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {CHECK, true, 40, 401, "", VERDICT_GIVE_UP, true, 0, "login_failed"},
        {CHECK, true, 40, 409, "", VERDICT_RETRY, false, 0, "transition_refused"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture migrosyemek = {
        .account = {.url = MIGROS, .values = {"anahtar=", "0123456789abcdefghijklmnopqrstuv"}},
        .order_id = MIGROS_ID,
        .document = "{" NAMES ",\"platformRef\":{\"storeId\":45}}",
        .headers = migrosyemek_headers,
        .asked = migrosyemek_asked,
        .said = migrosyemek_said,
        .accepted = migrosyemek_accepted,
        .refused = migrosyemek_refused,
        .reason = "12",
        .checks_by_post = true,
        .body_decides = true};
