/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_fixtures.h - what each platform must be sent, and what its answers mean, call by call.
 *
 * After the platforms' own pages where there are any; the dialects say which facts are unsure. */
#pragma once

#include "model/dialect.h"

#define CHECK 0
#define LOGIN (-1)
#define REASONS (-2)
#define PROBE (-3)

/* A request as it must go out. */
struct asked {
        int number;         /* of the step; CHECK; LOGIN; REASONS; PROBE */
        const char *reason; /* of the cancel; NULL: none given */
        const char *line;   /* method and URL; NULL: it cannot be built */
        const char *body;   /* or, where it cannot be built, the field that is wrong */
};

/* An answer and its judgement. */
struct said {
        int number;
        bool unsure;
        int want; /* what the order wants by now; 0: the step's own */
        int http;
        const char *body;
        enum verdict verdict;
        bool definite;
        int told;
        const char *reason;
};

struct fixture {
        struct account account;
        const char *order_id;
        const char *document;
        const char *const *headers; /* of every call but a login; ended by NULL */
        const struct asked *asked;  /* ended by line and body NULL */
        const struct said *said;    /* ended by http 0 */
        const char *const *accepted;
        const char *const *refused;
        const char *reason; /* of a cancel, where the platform has no "other"; NULL: it has */
        bool logs_in_by_form;
        bool checks_by_post; /* which is no step, but a read with a body */
        bool body_decides;   /* a 200 is no success by itself */
        int64_t wait_ms;     /* of each WAIT in `said` */
};

#define NAMES "\"customer\":{\"details\":{\"name\":\"Ahmet\",\"phone\":\"+905551234567\"}}"

/* ---- Dükkango ---- */

#define KEY "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e"
#define ORDERS "http://dukkango.test/api/integrations/orders/"

static const char *const dukkango_headers[] = {"Access-Token: jeton", NULL};
static const char *const dukkango_accepted[] = {KEY, "3E9CAF87-5CB7-4C4E-ADCB-FC2EC54CF24E", NULL};
static const char *const dukkango_refused[] = {"1031", "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24", KEY "0", NULL};

static const struct asked dukkango_asked[] = {
        {LOGIN, NULL, "POST http://dukkango.test/api/integrations/auth/login",
         "{\"app_secret_key\":\"uygulama\",\"rest_secret_key\":\"restoran \\\"1\\\"\"}"},
        {REASONS, NULL, "GET " ORDERS "cancel-reasons", NULL},
        {10, NULL, "PUT " ORDERS "accept/" KEY, "{\"preparing_time\":25}"},
        {40, NULL, "PUT " ORDERS "ontheway/" KEY, NULL},
        {50, NULL, "PUT " ORDERS "complete/" KEY, NULL},
        {60, NULL, "PUT " ORDERS "cancel/" KEY, "{\"reason_id\":8}"},
        {60, "1", "PUT " ORDERS "cancel/" KEY, "{\"reason_id\":1}"},
        {60, "12", "PUT " ORDERS "cancel/" KEY, "{\"reason_id\":12}"}, /* the list may have grown */
        {60, "x", NULL, "reasonId"},
        {60, "01", NULL, "reasonId"},
        {0, NULL, NULL, NULL}};

#define YES "{\"status\":true,\"data\":\"OK\"}"
#define NO(text) "{\"status\":false,\"error\":\"" text "\"}"
#define MISSING NO("eksik alan")

static const struct said dukkango_said[] = {
        {40, false, 0, 200, YES, VERDICT_DONE, true, 0, ""},
        {40, true, 0, 200, YES, VERDICT_DONE, true, 0, ""},
        {40, false, 0, 200, NO("restoran kapalı"), VERDICT_RETRY, true, 0, "refused"},
        {40, true, 0, 200, NO("restoran kapalı"), VERDICT_RETRY, true, 0, "refused"},
        {40, false, 0, 200, "{\"status\":\"true\"}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "{\"status\":1}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "{\"data\":\"OK\"}", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "[" YES "]", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 200, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 201, YES, VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {40, false, 0, 400, MISSING, VERDICT_GIVE_UP, true, 0, "bad_request"},
        {40, true, 0, 400, MISSING, VERDICT_GIVE_UP, true, 0, "bad_request"},
        {40, true, 0, 400, NO("geçersiz işlem"), VERDICT_DONE, true, 0, "already_there"},
        {40, true, 0, 409, "", VERDICT_DONE, true, 0, "already_there"},
        {40, false, 0, 409, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 401, NO("yetkisiz erişim"), VERDICT_LOGIN, true, 0, "token_refused"},
        {10, true, 0, 401, "", VERDICT_LOGIN, true, 0, "token_refused"},
        {10, false, 0, 403, NO("URL hatalı"), VERDICT_GIVE_UP, true, 0, "forbidden"},
        {10, true, 0, 403, NO("URL hatalı"), VERDICT_GIVE_UP, true, 0, "forbidden"},
        {10, false, 0, 404, NO("sipariş bulunamadı"), VERDICT_GIVE_UP, true, 0, "not_found"},
        {40, true, 0, 404, NO("sipariş bulunamadı"), VERDICT_GIVE_UP, true, 0, "not_found"},
        {50, false, 0, 404, NO("sipariş bulunamadı"), VERDICT_GIVE_UP, true, 0, "not_found"},
        {50, true, 0, 404, NO("sipariş bulunamadı"), VERDICT_DONE, true, 0, "already_there"},
        {LOGIN, false, 0, 200,
         "{\"status\":true,\"data\":{\"access_token\":\"jeton\",\"expiration_date\":\"2026-01-15 18:30:00\"}}",
         VERDICT_DONE, true, 0, ""},
        {LOGIN, false, 0, 200, "{\"status\":true,\"data\":{\"access_token\":\"jeton\"}}", VERDICT_DONE, true,
         0, ""},
        {LOGIN, false, 0, 200, NO("bakım"), VERDICT_RETRY, true, 0, "refused"},
        {LOGIN, false, 0, 200, "{\"status\":true,\"data\":{\"access_token\":\"a\\r\\nX: y\"}}", VERDICT_RETRY,
         true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"status\":true,\"data\":{\"access_token\":\"\"}}", VERDICT_RETRY, true, 0,
         "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"status\":true,\"data\":[]}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"status\":true}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {LOGIN, false, 0, 400, MISSING, VERDICT_GIVE_UP, true, 0, "login_failed"},
        {LOGIN, false, 0, 401, NO("yetkisiz erişim"), VERDICT_GIVE_UP, true, 0, "login_failed"},
        {LOGIN, false, 0, 404, NO("restoran bulunamadı"), VERDICT_GIVE_UP, true, 0, "login_failed"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture dukkango = {.account = {.url = "http://dukkango.test/api/integrations",
                                                    .values = {"uygulama", "restoran \"1\""},
                                                    .token = "jeton"},
                                        .order_id = KEY,
                                        .document = "{" NAMES "}",
                                        .headers = dukkango_headers,
                                        .asked = dukkango_asked,
                                        .said = dukkango_said,
                                        .accepted = dukkango_accepted,
                                        .refused = dukkango_refused,
                                        .body_decides = true};

/* ---- Trendyol Yemek ---- */

#define PACKAGE "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define PACKAGES "http://trendyol.test/integrator/order/meal/suppliers/123456/packages"

static const char *const trendyol_headers[] = {
        "Authorization: Basic YW5haHRhcjpzOmlmcmU=", "User-Agent: 123456 - KuryeTest",
        "x-agentname: KuryeTest", "x-executor-user: kasa@example.com", NULL};
static const char *const trendyol_accepted[] = {PACKAGE, "1", "a/b?c=%2f#d", "...", NULL};
static const char *const trendyol_refused[] = {"a b", ".", "..", "paket-ı", NULL};

static const struct asked trendyol_asked[] = {
        {CHECK, NULL, "GET " PACKAGES "/" PACKAGE, NULL},
        {PROBE, NULL, "GET " PACKAGES "?page=0&size=1", NULL},
        {10, NULL, "PUT " PACKAGES "/picked", "{\"preparationTime\":25,\"packageId\":\"" PACKAGE "\"}"},
        {30, NULL, "PUT " PACKAGES "/invoiced", "{\"packageId\":\"" PACKAGE "\"}"},
        {40, NULL, "PUT " PACKAGES "/" PACKAGE "/manual-shipped", "{}"},
        {50, NULL, "PUT " PACKAGES "/" PACKAGE "/manual-delivered", "{}"},
        {60, NULL, "PUT " PACKAGES "/unsupplied",
         "{\"packageId\":\"" PACKAGE "\",\"itemIdList\":[\"u1\",\"u2\"],\"reasonId\":623}"},
        {60, "624", "PUT " PACKAGES "/unsupplied",
         "{\"packageId\":\"" PACKAGE "\",\"itemIdList\":[\"u1\",\"u2\"],\"reasonId\":624}"},
        {60, "625", NULL, "reasonId"},
        {60, "623 ", NULL, "reasonId"},
        {0, NULL, NULL, NULL}};

#define STATE(word) "{\"id\":\"" PACKAGE "\",\"packageStatus\":\"" word "\"}"

static const struct said trendyol_said[] = {
        {10, false, 0, 200, "", VERDICT_DONE, true, 0, ""},
        {10, false, 0, 200, "<html>", VERDICT_DONE, true, 0, ""},
        {10, false, 0, 204, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {10, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 400, "{}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 401, "{}", VERDICT_GIVE_UP, true, 0, "login_failed"},
        {10, false, 0, 403, "{}", VERDICT_GIVE_UP, true, 0, "forbidden"},
        {10, true, 0, 404, "{}", VERDICT_GIVE_UP, true, 0, "not_found"},
        {40, false, 0, 409, "{}", VERDICT_RETRY, false, 0, "transition_refused"},
        {40, true, 0, 409, "{}", VERDICT_RETRY, false, 0, "transition_refused"},
        {CHECK, true, 40, 200, STATE("Created"), VERDICT_DONE, true, 0, ""},
        {CHECK, true, 40, 200, STATE("Picking"), VERDICT_DONE, true, 10, ""},
        {CHECK, true, 40, 200, STATE("Invoiced"), VERDICT_DONE, true, 30, ""},
        {CHECK, true, 40, 200, STATE("Shipped"), VERDICT_DONE, true, 40, ""},
        {CHECK, true, 40, 200, STATE("Delivered"), VERDICT_DONE, true, 50, ""},
        {CHECK, true, 40, 200, STATE("Cancelled"), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {CHECK, true, 40, 200, STATE("UnSupplied"), VERDICT_GIVE_UP, true, 0, "cancelled_by_platform"},
        {CHECK, true, 60, 200, STATE("Shipped"), VERDICT_DONE, true, 40, ""},
        {CHECK, true, 60, 200, STATE("Cancelled"), VERDICT_DONE, true, 60, ""},
        {CHECK, true, 60, 200, STATE("UnSupplied"), VERDICT_DONE, true, 60, ""},
        {CHECK, true, 60, 200, STATE("Delivered"), VERDICT_GIVE_UP, true, 0, "already_delivered"},
        {CHECK, true, 40, 200, STATE("Returned"), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 200, STATE("Shipped\\u0000"), VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 200, "{\"packageStatus\":40}", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 200, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {CHECK, true, 40, 401, "{}", VERDICT_GIVE_UP, true, 0, "login_failed"},
        {CHECK, true, 40, 404, "{}", VERDICT_GIVE_UP, true, 0, "not_found"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture trendyolyemek = {
        .account = {.url = "http://trendyol.test",
                    .values = {"123456", "anahtar", "s:ifre", "KuryeTest", "kasa@example.com"}},
        .order_id = PACKAGE,
        .document = "{" NAMES ",\"platformRef\":{\"packageItemIds\":[\"u1\",\"u2\"]}}",
        .headers = trendyol_headers,
        .asked = trendyol_asked,
        .said = trendyol_said,
        .accepted = trendyol_accepted,
        .refused = trendyol_refused};

/* ---- YemekSepeti ---- */

#define VENDOR "https://vendor-api-tr.me.restaurant-partners.com/api/1/pos/orders/k7/"
#define STAGE "http://yemeksepeti.test:8080/v2/order/status/k7"
#define FORM "username=a%26b%20c&password=%5Bs%3Difre%5D&grant_type=client_credentials"

static const char *const yemeksepeti_headers[] = {"Authorization: Bearer e30.e30.x", NULL};
static const char *const yemeksepeti_accepted[] = {"k7", "a/b?c=%2f#d", "...", NULL};
static const char *const yemeksepeti_refused[] = {"a b", ".", "..", "jeton-ı", NULL};

static const struct asked yemeksepeti_asked[] = {
        {LOGIN, NULL, "POST http://yemeksepeti.test:8080/v2/login", FORM},
        {10, NULL, "POST " VENDOR "status",
         "{\"status\":\"order_accepted\",\"acceptanceTime\":\"1970-01-01T03:25:00+03:00\","
         "\"remoteOrderId\":\"000000000000000000000000\"}"},
        {30, NULL, "POST " VENDOR "preparation-completed", NULL},
        {40, NULL, "POST " STAGE, "{\"status\":\"order_picked_up\"}"},
        {60, NULL, "POST " VENDOR "status",
         "{\"status\":\"order_rejected\",\"reason\":\"TECHNICAL_PROBLEM\",\"message\":\"TECHNICAL_PROBLEM\"}"},
        {60, "NO_COURIER", "POST " VENDOR "status",
         "{\"status\":\"order_rejected\",\"reason\":\"NO_COURIER\",\"message\":\"NO_COURIER\"}"},
        {60, "no_courier", NULL, "reasonId"},
        {60, "8", NULL, "reasonId"},
        {60, "TOO_BUSY ", NULL, "reasonId"},
        {0, NULL, NULL, NULL}};

#define CODE(word) "{\"code\":\"" word "\",\"message\":\"-\"}"
#define IN_STATE(word) "{\"code\":\"CONFLICT\",\"currentState\":\"" word "\"}"

static const struct said yemeksepeti_said[] = {
        {10, false, 0, 200, "{\"message\":\"Order status successfully changed.\"}", VERDICT_DONE, true, 0,
         ""},
        {30, true, 0, 200, "{\"code\":\"OK\"}", VERDICT_DONE, true, 0, ""},
        {40, false, 0, 200, "", VERDICT_DONE, true, 0, ""},
        {40, false, 0, 204, "", VERDICT_RETRY, false, 0, "unexpected_answer"},
        {40, false, 0, 302, "", VERDICT_RETRY, true, 0, "unexpected_answer"},
        {10, false, 0, 400, CODE("INVALID_ORDER_STATUS"), VERDICT_GIVE_UP, true, 0, "transition_refused"},
        {10, true, 0, 400, CODE("INVALID_ORDER_STATUS"), VERDICT_DONE, true, 0, "already_there"},
        {60, true, 0, 400, CODE("INVALID_ORDER_STATUS"), VERDICT_DONE, true, 0, "already_there"},
        {40, true, 0, 400, CODE("ORDER_NOT_FOUND"), VERDICT_GIVE_UP, true, 0, "not_found"},
        {40, true, 0, 400, CODE("INVALID_REQUEST"), VERDICT_GIVE_UP, true, 0, "bad_request"},
        {40, true, 0, 400, "INVALID_ORDER_STATUS", VERDICT_GIVE_UP, true, 0, "bad_request"},
        {40, true, 0, 400, "[\"INVALID_ORDER_STATUS\"]", VERDICT_GIVE_UP, true, 0, "bad_request"},
        {10, false, 0, 401, CODE("POS_ERROR"), VERDICT_LOGIN, true, 0, "token_refused"},
        {30, true, 0, 401, CODE("VALIDATION_ERROR"), VERDICT_LOGIN, true, 0, "token_refused"},
        {40, false, 0, 403, CODE("FORBIDDEN"), VERDICT_GIVE_UP, true, 0, "forbidden"},
        {30, false, 0, 404, CODE("NOT_FOUND"), VERDICT_GIVE_UP, true, 0, "not_found"},
        {10, false, 0, 409, IN_STATE("ASSIGNED_TO_TRANSPORT"), VERDICT_WAIT, true, 0, "not_yet"},
        {10, true, 0, 409, IN_STATE("WAITING_FOR_ACKNOWLEDGEMENT"), VERDICT_WAIT, true, 0, "not_yet"},
        {10, false, 0, 409, IN_STATE("CANCELLED"), VERDICT_GIVE_UP, true, 0, "conflict"},
        {10, false, 0, 409, "{}", VERDICT_GIVE_UP, true, 0, "conflict"},
        {10, false, 0, 409, "", VERDICT_GIVE_UP, true, 0, "conflict"},
        {40, false, 0, 409, IN_STATE("ASSIGNED_TO_TRANSPORT"), VERDICT_GIVE_UP, true, 0, "conflict"},
        {LOGIN, false, 0, 200,
         "{\"access_token\":\"e30.e30.x\",\"expires_in\":1800,\"token_type\":\"bearer\"}", VERDICT_DONE, true,
         0, ""},
        {LOGIN, false, 0, 200, "{\"access_token\":\"e30.e30.x\"}", VERDICT_RETRY, true, 0,
         "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"access_token\":\"e30.e30.x\",\"expires_in\":0}", VERDICT_RETRY, true, 0,
         "unexpected_answer"},
        {LOGIN, false, 0, 200, "{\"access_token\":\"e30\\r\\nX: y\",\"expires_in\":60}", VERDICT_RETRY, true,
         0, "unexpected_answer"},
        {LOGIN, false, 0, 401, CODE("UNAUTHORIZED"), VERDICT_GIVE_UP, true, 0, "login_failed"},
        {0, false, 0, 0, NULL, VERDICT_COUNT, false, 0, NULL}};

static const struct fixture yemeksepeti = {
        .account = {.url = "http://yemeksepeti.test:8080/v2",
                    .values = {"http://yemeksepeti.test:8080/v2/login", "a&b c", "[s=ifre]"},
                    .token = "e30.e30.x"},
        .order_id = "k7",
        .document = "{" NAMES ",\"platformRef\":{\"callbackUrls\":{\"orderAcceptedUrl\":\"" VENDOR
                    "status\",\"orderRejectedUrl\":\"" VENDOR "status\",\"orderPickedUpUrl\":\"" STAGE
                    "\",\"orderPreparedUrl\":\"" VENDOR "preparation-completed\"}}}",
        .headers = yemeksepeti_headers,
        .asked = yemeksepeti_asked,
        .said = yemeksepeti_said,
        .accepted = yemeksepeti_accepted,
        .refused = yemeksepeti_refused,
        .logs_in_by_form = true,
        .wait_ms = 10000};
