/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - every error there is, what it is told as, and how one carries its reason. */
#pragma once

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

/* The one table. Phrases are ours, because libmicrohttpd's differ by version. A text with %s takes the field's path.
 *     name              http  phrase                   retry  text (docs/design.md 2, docs/api.md 1)                  */
#define ERR_TABLE(X)                                                                                       \
        X(OK, 200, "OK", false, "")                                                                        \
        X(NO_API_KEY, 400, "Bad Request", false, "Header'da API key gereklidir")                           \
        X(BAD_JSON, 400, "Bad Request", false, "Geçersiz JSON gövdesi")                                    \
        X(BAD_RESTAURANT_ID, 400, "Bad Request", false, "Geçersiz restoran ID")                            \
        X(BAD_ORDER_ID, 400, "Bad Request", false, "Geçersiz sipariş ID")                                  \
        X(BAD_STATUS, 400, "Bad Request", false,                                                           \
          "Geçersiz durum: 1 (yola çıktı) veya 2 (teslim edildi) olmalıdır")                               \
        X(BAD_FIELD, 400, "Bad Request", false, "Geçersiz alan: %s")                                       \
        X(ORDER_FINAL, 400, "Bad Request", false, "Sipariş zaten teslim edildi veya iptal edildi")         \
        X(BAD_CLIENT, 400, "Bad Request", false, "Unknown client_id, or wrong client_secret")              \
        X(UNAUTHORIZED, 401, "Unauthorized", false, "Kimlik doğrulama gerekli")                            \
        X(FORBIDDEN, 403, "Forbidden", false, "Bu işlem için yetkiniz yok")                                \
        X(NO_INTEGRATION, 404, "Not Found", false, "Kurye entegrasyonu bulunamadı veya aktif değil")       \
        X(NO_ORDER, 404, "Not Found", false, "Bu restoran için sipariş bulunamadı")                        \
        X(NOT_FOUND, 404, "Not Found", false, "Kayıt bulunamadı")                                          \
        X(NO_ROUTE, 404, "Not Found", false, "Adres bulunamadı")                                           \
        X(BAD_METHOD, 405, "Method Not Allowed", false, "Bu adreste bu yöntem kullanılamaz")               \
        X(BACKWARD, 409, "Conflict", false, "Sipariş bu duruma geçirilemez")                               \
        X(TAKEN, 409, "Conflict", false, "Bu kimlik kullanılıyor")                                         \
        X(COURIER_PICKUP, 409, "Conflict", false, "Kurye çağrılamaz: sipariş gel-al")                      \
        X(COURIER_PLATFORMS, 409, "Conflict", false, "Kurye çağrılamaz: platform kuryesi")                 \
        X(COURIER_TOO_LATE, 409, "Conflict", false, "Kurye çağrılamaz: sipariş yolda veya bitti")          \
        X(COURIER_NO_ADDRESS, 409, "Conflict", false, "Kurye çağrılamaz: adres tanımlı değil")             \
        X(COURIER_OTHER_FIRM, 409, "Conflict", false, "Kurye çağrılamaz: başka kurye çağrıldı")            \
        X(NOT_REPLAYABLE, 409, "Conflict", false, "Bu gönderim yinelenemez")                               \
        X(TOO_LARGE, 413, "Content Too Large", false, "İstek gövdesi çok büyük")                           \
        X(NOT_JSON, 415, "Unsupported Media Type", false, "Content-Type application/json olmalıdır")       \
        X(KEY_REUSED, 422, "Unprocessable Content", false, "Idempotency-Key başka bir istekle kullanıldı") \
        X(NOT_NEW, 422, "Unprocessable Content", false, "Only a new order can be changed")                 \
        X(UPGRADE, 426, "Upgrade Required", false, "Bu adres WebSocket (sürüm 13) bekler")                 \
        X(TOO_MANY_KEYS, 429, "Too Many Requests", true, "Çok fazla geçersiz API anahtarı denemesi")       \
        X(NOT_UPDATED, 500, "Internal Server Error", true, "Sipariş güncellenemedi")                       \
        X(INTERNAL, 500, "Internal Server Error", false, "Sunucu hatası")                                  \
        X(STORE_BROKEN, 500, "Internal Server Error", true, "Sunucu hatası")                               \
        X(DAMAGED, 500, "Internal Server Error", false, "Sunucu hatası")                                   \
        X(BUSY, 503, "Service Unavailable", true, "Sunucu meşgul, lütfen yeniden deneyin")                 \
        X(NO_MEMORY, 503, "Service Unavailable", true, "Sunucu meşgul, lütfen yeniden deneyin")

#define ERR_ENUM(name, http, phrase, retry, text) ERR_##name,
enum err { ERR_TABLE(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

/* A row of the table. */
struct err_row {
        const char *name;
        int http;
        const char *phrase;
        bool retry; /* the answer carries Retry-After */
        const char *text;
};

/* The row of `e`; never NULL. Threads: any. */
const struct err_row *err_row(enum err e);

/* The same for a partner who reads English, without %s. Threads: any. */
const char *err_english(enum err e);

/* Where and why a failure came to be, filled once, at its origin. No heap, nothing to free. */
struct why {
        const char *file;
        int line;
        char field[96]; /* the path of the field that is wrong; "" where it is not about one */
        char text[160]; /* for the log, never for a client */
};

/* Whether memory has failed this thread since it asked last: an ERR_NO_MEMORY, whoever swallowed it, or err_starve(). Who only
 * wants to know whether a key is good, or what a document says, takes what failed for a no; that must not be believed then. */
bool err_starved(void);
void err_starve(void);

/* clang-format off */
/* Fills `why` (may be NULL) and is `e`, so that it reads `return FAIL(why, ERR_X, "…")`: what reads the code sees an error. */
#define FAIL(why, e, ...) __extension__({ if ((e) == ERR_NO_MEMORY) err_starve(); \
                                          err_fail((why), __FILE__, __LINE__, NULL, __VA_ARGS__); (enum err)(e); })

/* ERR_BAD_FIELD about the field at `path`. */
#define FAIL_FIELD(why, path, ...) __extension__({ err_fail((why), __FILE__, __LINE__, (path), __VA_ARGS__); ERR_BAD_FIELD; })
/* clang-format on */

/* What the two macros above call; nobody else does. */
void err_fail(struct why *why, const char *file, int line, const char *field, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
