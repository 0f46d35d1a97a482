/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - what each error is told as, and how a reason is kept. */
#include "model/err.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <string.h>

/* What clients rely on, written down again from the contract: order, status, text, and whether to come again. */
static const struct {
        enum err e;
        int http;
        const char *phrase;
        bool retry;
        const char *text;
} contract[] = {
        {ERR_NO_API_KEY, 400, "Bad Request", false, "Header'da API key gereklidir"},
        {ERR_BAD_JSON, 400, "Bad Request", false, "Geçersiz JSON gövdesi"},
        {ERR_BAD_RESTAURANT_ID, 400, "Bad Request", false, "Geçersiz restoran ID"},
        {ERR_BAD_ORDER_ID, 400, "Bad Request", false, "Geçersiz sipariş ID"},
        {ERR_BAD_STATUS, 400, "Bad Request", false,
         "Geçersiz durum: 1 (yola çıktı) veya 2 (teslim edildi) olmalıdır"},
        {ERR_BAD_FIELD, 400, "Bad Request", false, "Geçersiz alan: %s"},
        {ERR_ORDER_FINAL, 400, "Bad Request", false, "Sipariş zaten teslim edildi veya iptal edildi"},
        {ERR_BAD_CLIENT, 400, "Bad Request", false, "Unknown client_id, or wrong client_secret"},
        {ERR_UNAUTHORIZED, 401, "Unauthorized", false, "Kimlik doğrulama gerekli"},
        {ERR_FORBIDDEN, 403, "Forbidden", false, "Bu işlem için yetkiniz yok"},
        {ERR_NO_INTEGRATION, 404, "Not Found", false, "Kurye entegrasyonu bulunamadı veya aktif değil"},
        {ERR_NO_ORDER, 404, "Not Found", false, "Bu restoran için sipariş bulunamadı"},
        {ERR_NOT_FOUND, 404, "Not Found", false, "Kayıt bulunamadı"},
        {ERR_NO_ROUTE, 404, "Not Found", false, "Adres bulunamadı"},
        {ERR_BAD_METHOD, 405, "Method Not Allowed", false, "Bu adreste bu yöntem kullanılamaz"},
        {ERR_BACKWARD, 409, "Conflict", false, "Sipariş bu duruma geçirilemez"},
        {ERR_TAKEN, 409, "Conflict", false, "Bu kimlik kullanılıyor"},
        {ERR_COURIER_PICKUP, 409, "Conflict", false, "Kurye çağrılamaz: sipariş gel-al"},
        {ERR_COURIER_PLATFORMS, 409, "Conflict", false, "Kurye çağrılamaz: platform kuryesi"},
        {ERR_COURIER_TOO_LATE, 409, "Conflict", false, "Kurye çağrılamaz: sipariş yolda veya bitti"},
        {ERR_COURIER_NO_ADDRESS, 409, "Conflict", false, "Kurye çağrılamaz: adres tanımlı değil"},
        {ERR_COURIER_OTHER_FIRM, 409, "Conflict", false, "Kurye çağrılamaz: başka kurye çağrıldı"},
        {ERR_NOT_REPLAYABLE, 409, "Conflict", false, "Bu gönderim yinelenemez"},
        {ERR_TOO_LARGE, 413, "Content Too Large", false, "İstek gövdesi çok büyük"},
        {ERR_NOT_JSON, 415, "Unsupported Media Type", false, "Content-Type application/json olmalıdır"},
        {ERR_KEY_REUSED, 422, "Unprocessable Content", false, "Idempotency-Key başka bir istekle kullanıldı"},
        {ERR_NOT_NEW, 422, "Unprocessable Content", false, "Only a new order can be changed"},
        {ERR_UPGRADE, 426, "Upgrade Required", false, "Bu adres WebSocket (sürüm 13) bekler"},
        {ERR_TOO_MANY_KEYS, 429, "Too Many Requests", true, "Çok fazla geçersiz API anahtarı denemesi"},
        {ERR_NOT_UPDATED, 500, "Internal Server Error", true, "Sipariş güncellenemedi"},
        {ERR_INTERNAL, 500, "Internal Server Error", false, "Sunucu hatası"},
        {ERR_STORE_BROKEN, 500, "Internal Server Error", true, "Sunucu hatası"},
        {ERR_DAMAGED, 500, "Internal Server Error", false, "Sunucu hatası"},
        {ERR_BUSY, 503, "Service Unavailable", true, "Sunucu meşgul, lütfen yeniden deneyin"},
        {ERR_NO_MEMORY, 503, "Service Unavailable", true, "Sunucu meşgul, lütfen yeniden deneyin"},
};

TEST(each_error_is_told_as_the_contract_has_it)
{
        for (size_t i = 0; i < COUNT(contract); i++) {
                const struct err_row *row = err_row(contract[i].e);

                assert_case(row->http == contract[i].http, row->name);
                assert_case(streq(row->phrase, contract[i].phrase), row->name);
                assert_case(row->retry == contract[i].retry, row->name);
                assert_case(streq(row->text, contract[i].text), row->name);
        }
}

TEST(no_error_is_left_out_of_the_contract)
{
        assert_int_equal(COUNT(contract) + 1, ERR_COUNT);
        assert_int_equal(ERR_OK, 0);
        assert_int_equal(err_row(ERR_OK)->http, 200);
        assert_string_equal(err_row(ERR_OK)->name, "OK");
        assert_string_equal(err_row(ERR_BAD_JSON)->name, "BAD_JSON");
}

TEST(whoever_swallows_that_memory_failed_can_be_asked)
{
        err_starved();
        assert_int_equal(FAIL(NULL, ERR_BAD_JSON, "wrong"), ERR_BAD_JSON);
        assert_false(err_starved());
        assert_int_equal(FAIL(NULL, ERR_NO_MEMORY, "no memory"), ERR_NO_MEMORY);
        assert_true(err_starved());
        assert_false(err_starved());
}

TEST(a_number_that_is_no_error_is_told_as_internal)
{
        assert_ptr_equal(err_row(ERR_COUNT), err_row(ERR_INTERNAL));
        assert_ptr_equal(err_row((enum err)9999), err_row(ERR_INTERNAL));
}

TEST(a_failure_returns_its_error_and_keeps_where_and_why)
{
        struct why why = {.field = "left from before"};
        enum err e = FAIL(&why, ERR_BUSY, "%d wait", 512);
        int line = __LINE__ - 1;

        assert_int_equal(e, ERR_BUSY);
        assert_string_equal(why.text, "512 wait");
        assert_string_equal(why.field, "");
        assert_string_equal(why.file, __FILE__);
        assert_int_equal(why.line, line);
}

TEST(a_failure_of_a_field_keeps_its_path)
{
        struct why why = {0};

        assert_int_equal(FAIL_FIELD(&why, "items[3].price", "no %s", "number"), ERR_BAD_FIELD);
        assert_string_equal(why.field, "items[3].price");
        assert_string_equal(why.text, "no number");
}

TEST(nobody_needs_to_ask_why)
{
        assert_int_equal(FAIL(NULL, ERR_NO_MEMORY, "%s", "no memory"), ERR_NO_MEMORY);
        assert_int_equal(FAIL_FIELD(NULL, "name", "missing"), ERR_BAD_FIELD);
}

TEST(a_long_reason_is_cut_and_ends)
{
        struct why why;
        char path[300], expected[300];

        memset(path, 'x', sizeof path - 1);
        path[sizeof path - 1] = '\0';
        memset(&why, '#', sizeof why);
        assert_int_equal(FAIL_FIELD(&why, path, "%s", path), ERR_BAD_FIELD);
        memcpy(expected, path, sizeof path);
        expected[sizeof why.field - 1] = '\0';
        assert_string_equal(why.field, expected);
        memcpy(expected, path, sizeof path);
        expected[sizeof why.text - 1] = '\0';
        assert_string_equal(why.text, expected);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_error_is_told_as_the_contract_has_it),
                cmocka_unit_test(no_error_is_left_out_of_the_contract),
                cmocka_unit_test(whoever_swallows_that_memory_failed_can_be_asked),
                cmocka_unit_test(a_number_that_is_no_error_is_told_as_internal),
                cmocka_unit_test(a_failure_returns_its_error_and_keeps_where_and_why),
                cmocka_unit_test(a_failure_of_a_field_keeps_its_path),
                cmocka_unit_test(nobody_needs_to_ask_why),
                cmocka_unit_test(a_long_reason_is_cut_and_ends),
        };

        return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
