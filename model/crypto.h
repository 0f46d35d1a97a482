/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.h - the few primitives the product needs, all OpenSSL's, behind names that cannot be misused. Threads: any. */
#pragma once

#include "model/err.h"

#include <stddef.h>
#include <stdint.h>

/* Fills from the kernel's generator; false when it gives nothing (then nothing may be made of it). */
bool crypto_random(void *to, size_t n) MUST_USE;

/* UNIQUE_BYTES that are made nowhere else, and no secret; costs no system call. False as above. */
#define UNIQUE_BYTES 16
bool crypto_unique(uint8_t ret[UNIQUE_BYTES]) MUST_USE;

/* A SHA-256 value. */
struct digest {
        uint8_t bytes[32];
};

/* False only without memory. */
bool crypto_sha256(const void *bytes, size_t n, struct digest *ret) MUST_USE;
bool crypto_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n, struct digest *ret)
        MUST_USE;

/* What a WebSocket's handshake wants (RFC 6455 section 4.2.2), and nothing else shall. */
#define SHA1_BYTES 20
bool crypto_sha1(const void *bytes, size_t n, uint8_t ret[SHA1_BYTES]) MUST_USE;

/* Takes the same time wherever the difference stands. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* Base64 with padding; the caller frees; NULL without memory. */
char *base64_write(const void *bytes, size_t n) MUST_USE;
/* Strict: alphabet, padding and length. *ret_n bytes at `to`, which holds `max`. */
bool base64_read(const char *text, void *to, size_t max, size_t *ret_n);

/* AES-256-ECB with the padding of PKCS #7, in base64: what Migros wants. Equal blocks stay equal, so nothing of our own is
 * kept by it. `key` has 32 bytes. The caller frees; NULL without memory. */
char *aes256_ecb_write(const char *key, const char *plain) MUST_USE;

/* KURYE_SECRET_KEY: `id:<32 bytes, base64>`, several with commas; the first seals, all open. Ids: [A-Za-z0-9_-]{1,16}. */
struct keyring;
/* Errors: BAD_FIELD (what is wrong stands in `why`, no part of a key does), NO_MEMORY. */
enum err keyring_read(const char *text, struct keyring **ret, struct why *why) MUST_USE;
/* Wipes the keys. NULL is fine. */
void keyring_free(struct keyring *ring);

/* How many keys it has, at least 1; the id of one of them, the first being 0; and by what that key is known again without
 * being shown: always the same, and no other key's. */
#define KEY_ID_SIZE 17
size_t keyring_count(const struct keyring *ring);
const char *keyring_id(const struct keyring *ring, size_t place);
bool keyring_mark(const struct keyring *ring, size_t place, struct digest *ret)
        MUST_USE; /* false only without memory */

/* AES-256-GCM with a random nonce: `<key id>:<base64 of nonce, cipher text and tag>`. `context` (whose secret this is)
 * is authenticated, so that a value moved to another record does not open. Ownership: *ret is the caller's. */
enum err keyring_seal(const struct keyring *ring, const char *context, const char *plain, char **ret,
                      struct why *why) MUST_USE;
/* Errors: INTERNAL when the key is unknown or the value was tampered with. The caller wipes and frees *ret by
 * secret_free(). */
enum err keyring_open(const struct keyring *ring, const char *context, const char *sealed, char **ret,
                      struct why *why) MUST_USE;
/* Whether it was sealed by the ring's first key, by what it says itself. */
bool keyring_sealed_first(const struct keyring *ring, const char *sealed);
/* HMAC-SHA256 by a key that is made for `label`, so that what is signed for one use is good for no other: of the first key
 * of the ring; a check takes any of them. False of a check also without memory. */
bool keyring_sign(const struct keyring *ring, const char *label, const void *bytes, size_t n,
                  struct digest *ret) MUST_USE;
bool keyring_verify(const struct keyring *ring, const char *label, const void *bytes, size_t n,
                    const struct digest *signature) MUST_USE;
/* Overwrites before it frees. NULL is fine. */
void secret_free(char *secret);
/* CLEAN(secret_free_at) char *plain = NULL; */
static inline void secret_free_at(char **at)
{
        secret_free(*at);
}

/* API keys and tokens: a prefix (`krk_`, `krt_`), 40 hex digits (160 random bits), 8 of a checksum over all before it,
 * so that a typo is refused without asking the store. */
#define APIKEY_TEXT_SIZE 53
enum err apikey_make(const char *prefix, char to[APIKEY_TEXT_SIZE], struct why *why) MUST_USE;
/* False when malformed, and without memory; else *ret is its SHA-256, the only form that is kept. */
bool apikey_digest(const char *prefix, const char *text, struct digest *ret);
