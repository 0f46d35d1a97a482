/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.c - the published values come out, and no mistyped key gets in. */
#include "model/crypto.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_digest(const struct digest *digest, const char *hex)
{
        char text[2 * sizeof digest->bytes + 1];

        hex_write(digest->bytes, sizeof digest->bytes, text);
        assert_string_equal(text, hex);
}

/* ---- randomness, digests, comparison ---- */

TEST(random_bytes_fill_exactly_what_was_asked)
{
        uint8_t first[1024] = {0}, second[1024] = {0};

        assert_true(crypto_random(first, 1000));
        assert_true(crypto_random(second, 1000));
        /* 16 bytes in a row that repeat or are all zero would be a miracle. */
        for (size_t i = 0; i + 16 <= 1000; i += 16) {
                static const uint8_t zero[16];

                assert_memory_not_equal(first + i, second + i, 16);
                assert_memory_not_equal(first + i, zero, 16);
        }
        for (size_t i = 1000; i < sizeof first; i++)
                assert_int_equal(first[i], 0);
        assert_true(crypto_random(first, 0));
}

/* Source: NIST, examples for FIPS 180-4 (SHA256.pdf); the empty and the long message from the older SHA-2 vectors. */
TEST(sha256_gives_the_published_values)
{
        static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        static char million[1000000];
        struct digest digest;

        assert_true(crypto_sha256("abc", 3, &digest));
        assert_digest(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_true(crypto_sha256(two_blocks, strlen(two_blocks), &digest));
        assert_digest(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        assert_true(crypto_sha256("", 0, &digest));
        assert_digest(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        memset(million, 'a', sizeof million);
        assert_true(crypto_sha256(million, sizeof million, &digest));
        assert_digest(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Source: RFC 4231 section 4, test cases 1 to 4, 6 and 7. */
TEST(hmac_sha256_gives_the_published_values)
{
        uint8_t key[131], data[50];
        struct digest digest;
        const char *text;

        memset(key, 0x0b, 20);
        assert_true(crypto_hmac_sha256(key, 20, "Hi There", 8, &digest));
        assert_digest(&digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        text = "what do ya want for nothing?";
        assert_true(crypto_hmac_sha256("Jefe", 4, text, strlen(text), &digest));
        assert_digest(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        memset(key, 0xaa, 20);
        memset(data, 0xdd, 50);
        assert_true(crypto_hmac_sha256(key, 20, data, 50, &digest));
        assert_digest(&digest, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
        for (uint8_t i = 0; i < 25; i++)
                key[i] = (uint8_t)(i + 1);
        memset(data, 0xcd, 50);
        assert_true(crypto_hmac_sha256(key, 25, data, 50, &digest));
        assert_digest(&digest, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
        memset(key, 0xaa, 131);
        text = "Test Using Larger Than Block-Size Key - Hash Key First";
        assert_true(crypto_hmac_sha256(key, 131, text, strlen(text), &digest));
        assert_digest(&digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        text = "This is a test using a larger than block-size key and a larger than block-size data. "
               "The key needs to be hashed before being used by the HMAC algorithm.";
        assert_true(crypto_hmac_sha256(key, 131, text, strlen(text), &digest));
        assert_digest(&digest, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void *digest_often(void *arg)
{
        struct digest *digest = arg;

        for (int i = 0; i < 500; i++)
                if (!crypto_sha256("abc", 3, digest))
                        break;
        return NULL;
}

/* Runs first, so that the threads also race for what is fetched once. */
TEST(any_thread_may_digest)
{
        struct digest digests[8] = {0};
        pthread_t threads[8];

        for (size_t i = 0; i < COUNT(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, digest_often, &digests[i]), 0);
        for (size_t i = 0; i < COUNT(threads); i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (size_t i = 0; i < COUNT(threads); i++)
                assert_digest(&digests[i],
                              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(bytes_are_equal_only_when_all_are)
{
        uint8_t a[32], b[32];

        assert_true(crypto_random(a, sizeof a));
        memcpy(b, a, sizeof a);
        assert_true(crypto_equal(a, b, sizeof a));
        for (size_t i = 0; i < sizeof a; i++) {
                b[i] ^= 0x10;
                assert_false(crypto_equal(a, b, sizeof a));
                assert_true(crypto_equal(a, b, i));
                b[i] ^= 0x10;
        }
}

/* ---- base64 ---- */

/* Source: RFC 4648 section 10. */
TEST(base64_gives_the_published_values)
{
        static const char *const pairs[][2] = {{"", ""},
                                               {"f", "Zg=="},
                                               {"fo", "Zm8="},
                                               {"foo", "Zm9v"},
                                               {"foob", "Zm9vYg=="},
                                               {"fooba", "Zm9vYmE="},
                                               {"foobar", "Zm9vYmFy"}};

        for (size_t i = 0; i < COUNT(pairs); i++) {
                char *text = base64_write(pairs[i][0], strlen(pairs[i][0])), back[8] = "";
                size_t n = 99;

                assert_non_null(text);
                assert_string_equal(text, pairs[i][1]);
                free(text);
                assert_true(base64_read(pairs[i][1], back, sizeof back, &n));
                assert_int_equal(n, strlen(pairs[i][0]));
                assert_memory_equal(back, pairs[i][0], n);
        }
}

TEST(any_bytes_go_through_base64_and_come_back)
{
        uint8_t bytes[256], back[256];

        for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)(i * 151 + 7);
        for (size_t n = 0; n <= sizeof bytes; n++) {
                char *text = base64_write(bytes, n);
                size_t back_n = 999;

                assert_non_null(text);
                assert_true(base64_read(text, back, n, &back_n));
                assert_int_equal(back_n, n);
                assert_memory_equal(back, bytes, n);
                free(text);
        }
}

TEST(base64_knows_its_64_characters_and_no_other)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        uint8_t to[3];
        size_t n;

        for (int c = 1; c < 256; c++) {
                const char *at = strchr(alphabet, c);

                for (int place = 0; place < 4; place++) {
                        char text[] = "AAAA";

                        text[place] = (char)c;
                        /* `AAA=` is another matter. */
                        if (c == '=' && place == 3)
                                continue;
                        assert_int_equal(base64_read(text, to, sizeof to, &n), at != NULL);
                        if (at)
                                assert_int_equal((to[0] << 16 | to[1] << 8 | to[2]) >> (18 - 6 * place),
                                                 at - alphabet);
                }
        }
}

TEST(base64_of_another_shape_is_refused)
{
        static const char *const bad[] = {
                "A",        "AA",    "AAA",   "AAAAA", "=",        "==",        "===",   "====",
                "A===",     "AA=A",  "A=AA",  "=AAA",  "AA==AAAA", "AAA=AAAA",  "AAAA=", "AAAA====",
                "AAAAA===", "Zg=",   "Zh==",  "Zi==",  "Zk==",     "Zo==",      "Zm+=",  "Zm9=",
                "Zg==\n",   " Zg==", "Zm 9v", "Zm-_",  "Zg==Zg==", "Zm9vY\n==", "AA=\n"};
        uint8_t to[16];
        size_t n = 99;

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_case(!base64_read(bad[i], to, sizeof to, &n), bad[i]);
        assert_int_equal(n, 99);
}

TEST(base64_writes_no_byte_beyond_its_bound)
{
        uint8_t to[4] = {1, 2, 3, 4};
        size_t n = 99;

        assert_false(base64_read("Zm9v", to, 2, &n));
        assert_false(base64_read("Zg==", to, 0, &n));
        assert_int_equal(n, 99);
        assert_true(base64_read("Zm8=", to, 2, &n));
        assert_int_equal(n, 2);
        assert_int_equal(to[2], 3);
}

/* ---- AES-256-ECB ---- */

/* Computed apart: printf '%s' TEXT | openssl enc -aes-256-ecb -K <the key in hex> -base64 -A */
TEST(aes256_ecb_gives_what_another_program_gives)
{
        static const char key[] = "0123456789abcdefghijklmnopqrstuv";
        static const char *const pairs[][2] = {
                {"", "zKGJcn0+JLNUCgiokKlCUw=="},
                {"{\"orderId\":1}", "YXkbtTxWyjQwe/OhpRXkiA=="},
                {"0123456789abcdef", "9ztbcZ0QQG3W6RoBD7lJ58yhiXJ9PiSzVAoIqJCpQlM="},
                {"{\"storeIds\":[45],\"limit\":50,\"offset\":0}",
                 "eafvPCAmtx0LzhB4ZxejlQvjgCH8FB1thJZyr5xgXnJWefyhSf/p8Aph1+sQ8Wd/"}};

        for (size_t i = 0; i < COUNT(pairs); i++) {
                char *text = aes256_ecb_write(key, pairs[i][0]);

                assert_non_null(text);
                assert_string_equal(text, pairs[i][1]);
                free(text);
        }
}

/* ---- API keys ---- */

static void make_key(char to[APIKEY_TEXT_SIZE])
{
        assert_int_equal(apikey_make("krk_", to, NULL), ERR_OK);
}

TEST(a_key_is_its_prefix_and_48_lower_case_hex_digits_and_never_made_twice)
{
        char first[APIKEY_TEXT_SIZE], second[APIKEY_TEXT_SIZE];

        make_key(first);
        make_key(second);
        assert_int_equal(strlen(first), 52);
        assert_memory_equal(first, "krk_", 4);
        assert_int_equal(strspn(first + 4, "0123456789abcdef"), 48);
        /* All 160 bits are random: no part of 32 bits comes twice. */
        for (int part = 0; part < 5; part++)
                assert_memory_not_equal(first + 4 + 8 * part, second + 4 + 8 * part, 8);
}

TEST(a_good_key_gives_its_sha256)
{
        char key[APIKEY_TEXT_SIZE];
        struct digest digest, expected;

        make_key(key);
        assert_true(apikey_digest("krk_", key, &digest));
        assert_true(crypto_sha256(key, 52, &expected));
        assert_memory_equal(digest.bytes, expected.bytes, sizeof digest.bytes);
        assert_int_equal(apikey_make("krt_", key, NULL), ERR_OK);
        assert_true(apikey_digest("krt_", key, &digest));
}

/* Keys that are in use must stay good: computed apart, by sha256sum. */
TEST(a_key_made_by_an_earlier_version_is_good)
{
        struct digest digest;

        assert_true(apikey_digest("krk_", "krk_0123456789abcdef0123456789abcdef012345679f45e640", &digest));
        assert_digest(&digest, "72eb313d3e640a63d3c03bcf10387e31e04057f36132db7a258ffc5bd1169ea8");
}

TEST(a_typo_in_any_place_is_refused)
{
        char key[APIKEY_TEXT_SIZE];
        struct digest digest = {{0}};
        static const struct digest zero;

        make_key(key);
        for (size_t i = 0; i < 52; i++) {
                char before = key[i];

                for (const char *c = "0123456789abcdefABCDEF_gk "; *c; c++) {
                        key[i] = *c;
                        if (*c != before)
                                assert_case(!apikey_digest("krk_", key, &digest), key);
                }
                key[i] = before;
        }
        assert_memory_equal(digest.bytes, zero.bytes, sizeof digest.bytes);
        assert_true(apikey_digest("krk_", key, &digest));
}

TEST(two_neighbours_that_changed_places_are_refused)
{
        char key[APIKEY_TEXT_SIZE];
        struct digest digest;

        make_key(key);
        for (size_t i = 0; i + 1 < 52; i++) {
                char first = key[i], second = key[i + 1];

                key[i] = second;
                key[i + 1] = first;
                assert_int_equal(apikey_digest("krk_", key, &digest), first == second);
                key[i] = first;
                key[i + 1] = second;
        }
}

TEST(a_key_of_another_length_is_refused)
{
        char key[APIKEY_TEXT_SIZE], longer[APIKEY_TEXT_SIZE + 1];
        struct digest digest;

        make_key(key);
        snprintf(longer, sizeof longer, "%s0", key);
        assert_false(apikey_digest("krk_", longer, &digest));
        for (size_t n = 52; n-- > 0;) {
                key[n] = '\0';
                assert_false(apikey_digest("krk_", key, &digest));
        }
}

TEST(a_key_of_another_kind_is_refused)
{
        char key[APIKEY_TEXT_SIZE];
        struct digest digest;

        make_key(key);
        assert_false(apikey_digest("krt_", key, &digest));
        assert_false(apikey_digest("krk_", key + 4, &digest));
        memcpy(key, "krt_", 4);
        assert_false(apikey_digest("krt_", key, &digest));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_thread_may_digest),
                cmocka_unit_test(random_bytes_fill_exactly_what_was_asked),
                cmocka_unit_test(sha256_gives_the_published_values),
                cmocka_unit_test(hmac_sha256_gives_the_published_values),
                cmocka_unit_test(bytes_are_equal_only_when_all_are),
                cmocka_unit_test(base64_gives_the_published_values),
                cmocka_unit_test(any_bytes_go_through_base64_and_come_back),
                cmocka_unit_test(base64_knows_its_64_characters_and_no_other),
                cmocka_unit_test(base64_of_another_shape_is_refused),
                cmocka_unit_test(base64_writes_no_byte_beyond_its_bound),
                cmocka_unit_test(aes256_ecb_gives_what_another_program_gives),
                cmocka_unit_test(a_key_is_its_prefix_and_48_lower_case_hex_digits_and_never_made_twice),
                cmocka_unit_test(a_good_key_gives_its_sha256),
                cmocka_unit_test(a_key_made_by_an_earlier_version_is_good),
                cmocka_unit_test(a_typo_in_any_place_is_refused),
                cmocka_unit_test(two_neighbours_that_changed_places_are_refused),
                cmocka_unit_test(a_key_of_another_length_is_refused),
                cmocka_unit_test(a_key_of_another_kind_is_refused),
        };

        return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
