/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c - a sealed secret opens for its record and by its key, and nothing that was touched does. */
#include "model/crypto.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 32 times A, 32 times B. */
#define KEY_A "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define KEY_B "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="

static struct keyring *read_ring(const char *text)
{
        struct keyring *ring = NULL;

        assert_int_equal(keyring_read(text, &ring, NULL), ERR_OK);
        assert_non_null(ring);
        return ring;
}

static char *seal(const struct keyring *ring, const char *context, const char *plain)
{
        char *sealed = NULL;

        assert_int_equal(keyring_seal(ring, context, plain, &sealed, NULL), ERR_OK);
        assert_non_null(sealed);
        return sealed;
}

static void assert_opens(const struct keyring *ring, const char *context, const char *sealed,
                         const char *plain)
{
        char *opened = NULL;

        assert_int_equal(keyring_open(ring, context, sealed, &opened, NULL), ERR_OK);
        assert_string_equal(opened, plain);
        secret_free(opened);
}

static void assert_stays_shut(const struct keyring *ring, const char *context, const char *sealed)
{
        char untouched, *opened = &untouched;
        struct why why = {0};

        assert_case(keyring_open(ring, context, sealed, &opened, &why) == ERR_INTERNAL, sealed);
        assert_ptr_equal(opened, &untouched);
        assert_true(why.text[0] != '\0');
}

TEST(what_was_sealed_opens)
{
        struct keyring *ring = read_ring("k1:" KEY_A);
        char *long_text = malloc(100001);
        const char *const plains[] = {"", "x", "gizli: ğüşıöç", long_text};

        assert_non_null(long_text);
        memset(long_text, 'y', 100000);
        long_text[100000] = '\0';
        for (size_t i = 0; i < COUNT(plains); i++) {
                char *sealed = seal(ring, "restaurant 1", plains[i]);

                assert_memory_equal(sealed, "k1:", 3);
                assert_opens(ring, "restaurant 1", sealed, plains[i]);
                free(sealed);
        }
        free(long_text);
        keyring_free(ring);
}

TEST(a_sealed_value_is_nonce_cipher_text_and_tag_and_never_the_same)
{
        struct keyring *ring = read_ring("k1:" KEY_A);
        char *first = seal(ring, "", "secret"), *second = seal(ring, "", "secret");
        uint8_t bytes[64];
        size_t n = 0;

        assert_string_not_equal(first, second);
        assert_true(base64_read(first + 3, bytes, sizeof bytes, &n));
        assert_int_equal(n, 12 + strlen("secret") + 16);
        assert_null(memmem(bytes, n, "secret", 6));
        free(first);
        free(second);
        keyring_free(ring);
}

/* The text of `hex`, which has no zero byte; the caller frees. */
static char *text_of_hex(const char *hex)
{
        size_t n = strlen(hex) / 2;
        char *text = calloc(1, n + 1);

        assert_non_null(text);
        assert_true(hex_read(hex, (uint8_t *)text, n));
        return text;
}

/* Source: McGrew and Viega, The Galois/Counter Mode of Operation, test case 16 (AES-256, nonce of 96 bits). */
TEST(the_published_sealed_value_opens)
{
        char *key = text_of_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        char *plain = text_of_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        char *context = text_of_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        char *bytes =
                text_of_hex("cafebabefacedbaddecaf888522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd"
                            "2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                            "76fc6ece0f4e1768cddf8853bb2d551b");
        char *encoded = base64_write(bytes, 12 + 60 + 16), *key_encoded = base64_write(key, 32);
        char *sealed = NULL, *ring_of_one = NULL;
        struct keyring *ring;

        assert_true(asprintf(&sealed, "gcm:%s", encoded) > 0);
        assert_true(asprintf(&ring_of_one, "gcm:%s", key_encoded) > 0);
        ring = read_ring(ring_of_one);
        assert_opens(ring, context, sealed, plain);
        keyring_free(ring);
        for (size_t i = 0; i < 8; i++)
                free((char *[]){key, plain, context, bytes, encoded, key_encoded, sealed, ring_of_one}[i]);
}

TEST(a_value_that_was_touched_anywhere_stays_shut)
{
        struct keyring *ring = read_ring("k1:" KEY_A);
        char *sealed = seal(ring, "restaurant 1", "secret");
        size_t n = strlen(sealed);

        for (size_t i = 0; i < n; i++) {
                char before = sealed[i];

                for (const char *c = "AQgw5/=:\n"; *c; c++) {
                        if (*c == before)
                                continue;
                        sealed[i] = *c;
                        assert_stays_shut(ring, "restaurant 1", sealed);
                }
                sealed[i] = '\0';
                assert_stays_shut(ring, "restaurant 1", sealed);
                sealed[i] = before;
        }
        assert_opens(ring, "restaurant 1", sealed, "secret");
        free(sealed);
        keyring_free(ring);
}

TEST(a_value_too_short_to_be_sealed_stays_shut)
{
        static const char *const bad[] = {"",
                                          "k1",
                                          "k1:",
                                          "k1:AAAA",
                                          "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                          "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
                                          ":AAAA",
                                          "AAAA"};
        struct keyring *ring = read_ring("k1:" KEY_A);

        for (size_t i = 0; i < COUNT(bad); i++)
                assert_stays_shut(ring, "", bad[i]);
        keyring_free(ring);
}

TEST(a_value_moved_to_another_record_stays_shut)
{
        struct keyring *ring = read_ring("k1:" KEY_A);
        char *sealed = seal(ring, "restaurant 1", "secret");

        assert_stays_shut(ring, "restaurant 2", sealed);
        assert_stays_shut(ring, "restaurant 1 ", sealed);
        assert_stays_shut(ring, "", sealed);
        free(sealed);
        keyring_free(ring);
}

TEST(a_value_of_an_unknown_key_stays_shut)
{
        struct keyring *ring = read_ring("k1:" KEY_A), *other_id = read_ring("k2:" KEY_A);
        struct keyring *other_key = read_ring("k1:" KEY_B), *longer_id = read_ring("k11:" KEY_A);
        char *sealed = seal(ring, "x", "secret");

        assert_stays_shut(other_id, "x", sealed);
        assert_stays_shut(other_key, "x", sealed);
        assert_stays_shut(longer_id, "x", sealed);
        free(sealed);
        keyring_free(ring);
        keyring_free(other_id);
        keyring_free(other_key);
        keyring_free(longer_id);
}

TEST(after_a_rotation_the_new_key_seals_and_the_old_one_still_opens)
{
        struct keyring *old = read_ring("k1:" KEY_A), *both = read_ring("k2:" KEY_B ",k1:" KEY_A);
        struct keyring *new = read_ring("k2:" KEY_B);
        char *sealed_before = seal(old, "x", "before"), *sealed_after = seal(both, "x", "after");

        assert_memory_equal(sealed_after, "k2:", 3);
        assert_opens(both, "x", sealed_before, "before");
        assert_opens(both, "x", sealed_after, "after");
        assert_opens(new, "x", sealed_after, "after");
        assert_stays_shut(old, "x", sealed_after);
        assert_stays_shut(new, "x", sealed_before);
        free(sealed_before);
        free(sealed_after);
        keyring_free(old);
        keyring_free(both);
        keyring_free(new);
}

TEST(a_key_is_known_again_by_its_mark_wherever_it_stands)
{
        struct keyring *one = read_ring("k1:" KEY_A), *both = read_ring("k2:" KEY_B ",k3:" KEY_A);
        struct digest mark, first, second;
        char *sealed = seal(both, "x", "secret");

        assert_int_equal(keyring_count(one), 1);
        assert_int_equal(keyring_count(both), 2);
        assert_string_equal(keyring_id(both, 1), "k3");
        assert_true(keyring_mark(one, 0, &mark) && keyring_mark(both, 0, &first) &&
                    keyring_mark(both, 1, &second));
        assert_memory_equal(&mark, &second, sizeof mark);
        assert_memory_not_equal(&mark, &first, sizeof mark);
        assert_true(keyring_sealed_first(both, sealed));
        assert_false(keyring_sealed_first(one, sealed));
        assert_false(keyring_sealed_first(both, "k3:AAAA"));
        assert_false(keyring_sealed_first(both, ""));
        free(sealed);
        keyring_free(one);
        keyring_free(both);
}

TEST(key_ids_are_1_to_16_letters_digits_dashes_and_underscores)
{
        keyring_free(read_ring("a:" KEY_A));
        keyring_free(read_ring("aZ09-_9876543210:" KEY_A));
        keyring_free(read_ring("a:" KEY_A ",b:" KEY_A ",c:" KEY_B ",A:" KEY_B ",aa:" KEY_B));
}

TEST(a_malformed_ring_of_keys_is_refused_without_showing_a_key)
{
        static const char *const bad[] = {
                "",
                KEY_A,
                ":" KEY_A,
                "a" KEY_A,
                "a:",
                "a: " KEY_A,
                "a:" KEY_A " ",
                " a:" KEY_A,
                "a b:" KEY_A,
                "a.b:" KEY_A,
                "ğ:" KEY_A,
                "aZ09-_98765432101:" KEY_A,
                "a:" KEY_A ",",
                ",a:" KEY_A,
                "a:" KEY_A ",,b:" KEY_A,
                "a:" KEY_A ",a:" KEY_B,
                "a:" KEY_A ";b:" KEY_B,
                "a:" KEY_A "\n",
                /* 31 and 33 bytes, no padding, too much, another alphabet */
                "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==",
                "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB",
                "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE",
                "a:" KEY_A KEY_A,
                "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU_=",
                "b:" KEY_B ",a:QUFB",
        };

        for (size_t i = 0; i < COUNT(bad); i++) {
                struct keyring *ring = NULL;
                struct why why = {0};

                assert_case(keyring_read(bad[i], &ring, &why) == ERR_BAD_FIELD, bad[i]);
                assert_null(ring);
                assert_case(why.text[0] != '\0', bad[i]);
                assert_null(strstr(why.text, "QUF"));
                assert_null(strstr(why.field, "QUF"));
        }
}

/* The kernel reads what a sanitizer, rightly, would not let us read. */
static bool memory_holds(uintptr_t address, size_t n, const char *text)
{
        uint8_t bytes[128];
        int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0 && n <= sizeof bytes);
        assert_int_equal(pread(fd, bytes, n, (off_t)address), n);
        close(fd);
        return memmem(bytes, n, text, strlen(text)) != NULL;
}

/* No byte like its neighbours: what MALLOC_PERTURB_ puts into freed memory shall not be taken for it. */
TEST(a_freed_secret_is_gone_from_memory)
{
        struct keyring *ring = read_ring("k1:d2hhdCBub2JvZHkgbWF5IHJlYWQgYWZ0ZXJ3YXJkcyE=");
        char *sealed = seal(ring, "x", "0123456789abcdef the end of a secret"), *opened = NULL;
        uintptr_t address;

        assert_int_equal(keyring_open(ring, "x", sealed, &opened, NULL), ERR_OK);
        free(sealed);
        address = (uintptr_t)opened;
        assert_true(memory_holds(address, 36, "end of a secret"));
        secret_free(opened);
        assert_false(memory_holds(address, 36, "secret"));
        address = (uintptr_t)ring;
        assert_true(memory_holds(address, 64, "what nobody may read"));
        keyring_free(ring);
        assert_false(memory_holds(address, 64, "nobody"));
}

TEST(nothing_is_freed_too)
{
        keyring_free(NULL);
        secret_free(NULL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_sealed_opens),
                cmocka_unit_test(a_sealed_value_is_nonce_cipher_text_and_tag_and_never_the_same),
                cmocka_unit_test(the_published_sealed_value_opens),
                cmocka_unit_test(a_value_that_was_touched_anywhere_stays_shut),
                cmocka_unit_test(a_value_too_short_to_be_sealed_stays_shut),
                cmocka_unit_test(a_value_moved_to_another_record_stays_shut),
                cmocka_unit_test(a_value_of_an_unknown_key_stays_shut),
                cmocka_unit_test(after_a_rotation_the_new_key_seals_and_the_old_one_still_opens),
                cmocka_unit_test(a_key_is_known_again_by_its_mark_wherever_it_stands),
                cmocka_unit_test(key_ids_are_1_to_16_letters_digits_dashes_and_underscores),
                cmocka_unit_test(a_malformed_ring_of_keys_is_refused_without_showing_a_key),
                cmocka_unit_test(a_freed_secret_is_gone_from_memory),
                cmocka_unit_test(nothing_is_freed_too),
        };

        return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
