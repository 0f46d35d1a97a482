/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.c - the one file that knows OpenSSL. */
#include "model/crypto.h"

#include "model/clean.h"
#include "model/text.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define KEY_BYTES 32
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define BLOCK_BYTES 16

bool crypto_random(void *to, size_t n)
{
        for (uint8_t *at = to, *end = at + n; at < end;) {
                ssize_t got = getrandom(at, (size_t)(end - at), 0);

                if (got < 0 && errno != EINTR)
                        return false;
                at += got > 0 ? got : 0;
        }
        return true;
}

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seed; /* this process'; 0: there is none */
static atomic_uint_least64_t uniques;

static void make_seed(void)
{
        if (!crypto_random(&seed, sizeof seed))
                seed = 0;
}

bool crypto_unique(uint8_t ret[UNIQUE_BYTES])
{
        const uint64_t number = atomic_fetch_add(&uniques, 1);

        pthread_once(&seed_once, make_seed);
        memcpy(ret, &seed, sizeof seed);
        memcpy(ret + sizeof seed, &number, sizeof number);
        return seed != 0;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
        return CRYPTO_memcmp(a, b, n) == 0;
}

/* ---- digests ---- */

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched;

static void fetch(void)
{
        fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* EVP_sha256() is looked up again at each use, which costs twice as much as the digest of an API key. */
static const EVP_MD *sha256(void)
{
        pthread_once(&fetch_once, fetch);
        return fetched ? fetched : EVP_sha256();
}

/* Nothing but memory can fail. */
static bool noted(bool fine)
{
        if (!fine)
                err_starve();
        return fine;
}

bool crypto_sha1(const void *bytes, size_t n, uint8_t ret[SHA1_BYTES])
{
        return noted(EVP_Q_digest(NULL, "SHA1", NULL, bytes, n, ret, NULL) == 1);
}

bool crypto_sha256(const void *bytes, size_t n, struct digest *ret)
{
        return noted(EVP_Digest(bytes, n, ret->bytes, NULL, sha256(), NULL) == 1);
}

bool crypto_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n, struct digest *ret)
{
        assert(key_n <= INT_MAX);
        return noted(HMAC(sha256(), key, (int)key_n, bytes, n, ret->bytes, NULL) != NULL);
}

/* ---- base64 ---- */

char *base64_write(const void *bytes, size_t n)
{
        char *text = n > INT_MAX / 2 ? NULL : malloc((n + 2) / 3 * 4 + 1);

        if (text)
                EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
        return text;
}

/* OpenSSL's own reader takes blanks, and bits that the padding throws away. */
static bool read_base64(const char *text, size_t length, uint8_t *to, size_t max, size_t *ret_n)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t padding = 0, n = 0;
        uint32_t bits = 0;

        while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
                padding++;
        if (length % 4 != 0 || length / 4 * 3 - padding > max)
                return false;
        for (size_t i = 0; i < length - padding; i++) {
                const char *found = memchr(alphabet, text[i], 64);

                if (!found)
                        return false;
                bits = bits << 6 | (uint32_t)(found - alphabet);
                if (i % 4 > 0)
                        to[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
        if (bits & ((1u << 2 * padding) - 1))
                return false;
        *ret_n = n;
        return true;
}

bool base64_read(const char *text, void *to, size_t max, size_t *ret_n)
{
        return read_base64(text, strlen(text), to, max, ret_n);
}

/* ---- secrets at rest ---- */

struct key {
        char id[KEY_ID_SIZE];
        uint8_t bytes[KEY_BYTES];
};

struct keyring {
        size_t n;
        struct key keys[]; /* the first seals */
};

void keyring_free(struct keyring *ring)
{
        if (ring)
                OPENSSL_cleanse(ring->keys, ring->n * sizeof ring->keys[0]);
        free(ring);
}

/* The key whose id is the first `n` bytes of `id`; NULL when there is none. */
static const struct key *find_key(const struct keyring *ring, const char *id, size_t n)
{
        for (size_t i = 0; i < ring->n; i++)
                if (strlen(ring->keys[i].id) == n && memcmp(ring->keys[i].id, id, n) == 0)
                        return &ring->keys[i];
        return NULL;
}

/* Adds the key that is the first `length` bytes of `text`. What is told never holds a part of it. */
static enum err add_key(struct keyring *ring, const char *text, size_t length, struct why *why)
{
        static const char allowed[] = "0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        size_t place = ring->n + 1, id_n = strspn(text, allowed), n = 0;
        struct key *key = &ring->keys[ring->n];

        if (id_n == 0 || id_n >= sizeof key->id || text[id_n] != ':')
                return FAIL(why, ERR_BAD_FIELD,
                            "key %zu: an id of 1 to 16 of A-Za-z0-9_- and a colon come first", place);
        if (find_key(ring, text, id_n))
                return FAIL(why, ERR_BAD_FIELD, "key %zu: its id stands before another key already", place);
        memcpy(key->id, text, id_n);
        ring->n++;
        if (!read_base64(text + id_n + 1, length - id_n - 1, key->bytes, KEY_BYTES, &n) || n != KEY_BYTES)
                return FAIL(why, ERR_BAD_FIELD, "key %zu: 32 bytes in base64 come after the colon", place);
        return ERR_OK;
}

enum err keyring_read(const char *text, struct keyring **ret, struct why *why)
{
        struct keyring *ring;
        size_t commas = 0;
        enum err e = ERR_OK;

        for (const char *c = text; *c; c++)
                commas += *c == ',';
        ring = calloc(1, sizeof *ring + (commas + 1) * sizeof ring->keys[0]);
        if (!ring)
                return FAIL(why, ERR_NO_MEMORY, "no memory for keys");
        for (size_t i = 0, length; !e && i <= commas; i++, text += length + 1) {
                length = strcspn(text, ",");
                e = add_key(ring, text, length, why);
        }
        if (e)
                keyring_free(ring);
        else
                *ret = ring;
        return e;
}

size_t keyring_count(const struct keyring *ring)
{
        return ring->n;
}

const char *keyring_id(const struct keyring *ring, size_t place)
{
        return ring->keys[place].id;
}

static void cipher_free_at(EVP_CIPHER_CTX **at)
{
        EVP_CIPHER_CTX_free(*at);
}

/* NONCE_BYTES stand at `to` already; the cipher text and the tag come behind them. */
static bool seal(const struct key *key, const char *context, const char *plain, uint8_t *to)
{
        CLEAN(cipher_free_at) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int n = (int)strlen(plain), done;
        uint8_t *sealed = to + NONCE_BYTES;

        return c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, to) &&
               EVP_EncryptUpdate(c, NULL, &done, (const uint8_t *)context, (int)strlen(context)) &&
               EVP_EncryptUpdate(c, sealed, &done, (const uint8_t *)plain, n) &&
               EVP_EncryptFinal_ex(c, sealed + n, &done) &&
               EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + n);
}

enum err keyring_seal(const struct keyring *ring, const char *context, const char *plain, char **ret,
                      struct why *why)
{
        size_t n = NONCE_BYTES + strlen(plain) + TAG_BYTES;
        CLEAN(free_at) uint8_t *bytes = malloc(n);
        CLEAN(free_at) char *encoded = NULL;
        char *text = NULL;

        assert(n <= INT_MAX / 2 && strlen(context) <= INT_MAX);
        if (!bytes)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        if (!crypto_random(bytes, NONCE_BYTES))
                return FAIL(why, ERR_INTERNAL, "no randomness");
        if (!seal(&ring->keys[0], context, plain, bytes))
                return FAIL(why, ERR_NO_MEMORY, "a secret was not sealed");
        encoded = base64_write(bytes, n);
        if (!encoded || asprintf(&text, "%s:%s", ring->keys[0].id, encoded) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        *ret = text;
        return ERR_OK;
}

/* `from` is a nonce, cipher text and a tag, `n` bytes in all; `to` holds n bytes. */
static enum err unseal(const struct key *key, const char *context, uint8_t *from, size_t n, char *to,
                       struct why *why)
{
        CLEAN(cipher_free_at) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int sealed_n = (int)(n - NONCE_BYTES - TAG_BYTES), done;
        uint8_t *sealed = from + NONCE_BYTES;

        if (!c || !EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, from) ||
            !EVP_DecryptUpdate(c, NULL, &done, (const uint8_t *)context, (int)strlen(context)) ||
            !EVP_DecryptUpdate(c, (uint8_t *)to, &done, sealed, sealed_n) ||
            !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, sealed + sealed_n))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        if (!EVP_DecryptFinal_ex(c, (uint8_t *)to + sealed_n, &done))
                return FAIL(why, ERR_INTERNAL, "a sealed secret is damaged or another record's");
        to[sealed_n] = '\0';
        return ERR_OK;
}

enum err keyring_open(const struct keyring *ring, const char *context, const char *sealed, char **ret,
                      struct why *why)
{
        size_t id_n = strcspn(sealed, ":"), max = strlen(sealed), n = 0;
        const struct key *key = find_key(ring, sealed, id_n);
        CLEAN(free_at) uint8_t *bytes = malloc(max);
        CLEAN(free_at) char *plain = malloc(max);
        enum err e;

        assert(strlen(context) <= INT_MAX);
        if (!key || sealed[id_n] != ':')
                return FAIL(why, ERR_INTERNAL, "a secret is sealed by a key that we do not have");
        if (!bytes || !plain)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        if (!base64_read(sealed + id_n + 1, bytes, max, &n) || n < NONCE_BYTES + TAG_BYTES || n > INT_MAX)
                return FAIL(why, ERR_INTERNAL, "a sealed secret is malformed");
        e = unseal(key, context, bytes, n, plain, why);
        if (e)
                OPENSSL_cleanse(plain, n);
        else
                *ret = TAKE(plain);
        return e;
}

bool keyring_sealed_first(const struct keyring *ring, const char *sealed)
{
        return find_key(ring, sealed, strcspn(sealed, ":")) == &ring->keys[0];
}

static bool sign(const struct key *key, const char *label, const void *bytes, size_t n, struct digest *ret)
{
        struct digest own;
        bool ok = crypto_hmac_sha256(key->bytes, KEY_BYTES, label, strlen(label), &own) &&
                  crypto_hmac_sha256(&own, sizeof own, bytes, n, ret);

        OPENSSL_cleanse(&own, sizeof own);
        return ok;
}

bool keyring_sign(const struct keyring *ring, const char *label, const void *bytes, size_t n,
                  struct digest *ret)
{
        return sign(&ring->keys[0], label, bytes, n, ret);
}

bool keyring_verify(const struct keyring *ring, const char *label, const void *bytes, size_t n,
                    const struct digest *signature)
{
        struct digest own;

        for (size_t i = 0; i < ring->n; i++)
                if (sign(&ring->keys[i], label, bytes, n, &own) && crypto_equal(&own, signature, sizeof own))
                        return true;
        return false;
}

/* Never renamed: it is kept in stores. */
#define MARK_LABEL "mark of a key"

bool keyring_mark(const struct keyring *ring, size_t place, struct digest *ret)
{
        return sign(&ring->keys[place], MARK_LABEL, "", 0, ret);
}

char *aes256_ecb_write(const char *key, const char *plain)
{
        CLEAN(cipher_free_at) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        const size_t n = strlen(plain);
        CLEAN(free_at) uint8_t *sealed = malloc(n + BLOCK_BYTES);
        int done = 0, rest = 0;

        assert(n <= INT_MAX / 2);
        if (!c || !sealed || !EVP_EncryptInit_ex(c, EVP_aes_256_ecb(), NULL, (const uint8_t *)key, NULL) ||
            !EVP_EncryptUpdate(c, sealed, &done, (const uint8_t *)plain, (int)n) ||
            !EVP_EncryptFinal_ex(c, sealed + done, &rest))
                return NULL;
        return base64_write(sealed, (size_t)done + (size_t)rest);
}

void secret_free(char *secret)
{
        if (secret)
                OPENSSL_cleanse(secret, strlen(secret));
        free(secret);
}

/* ---- API keys ---- */

#define APIKEY_RANDOM_BYTES 20
#define APIKEY_SUM_BYTES 4

/* The checksum over the first `n` bytes, as 8 digits and a NUL. */
static bool write_sum(const char *text, size_t n, char *to)
{
        struct digest digest;

        if (!crypto_sha256(text, n, &digest))
                return false;
        hex_write(digest.bytes, APIKEY_SUM_BYTES, to);
        return true;
}

enum err apikey_make(const char *prefix, char to[APIKEY_TEXT_SIZE], struct why *why)
{
        size_t prefix_n = strlen(prefix), sum_at = prefix_n + 2 * APIKEY_RANDOM_BYTES;
        uint8_t bytes[APIKEY_RANDOM_BYTES];
        char text[APIKEY_TEXT_SIZE];

        assert(sum_at + 2 * APIKEY_SUM_BYTES + 1 == APIKEY_TEXT_SIZE);
        if (!crypto_random(bytes, sizeof bytes))
                return FAIL(why, ERR_INTERNAL, "no randomness");
        memcpy(text, prefix, prefix_n);
        hex_write(bytes, sizeof bytes, text + prefix_n);
        if (!write_sum(text, sum_at, text + sum_at))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a digest");
        memcpy(to, text, sizeof text);
        return ERR_OK;
}

bool apikey_digest(const char *prefix, const char *text, struct digest *ret)
{
        size_t prefix_n = strlen(prefix), sum_at = prefix_n + 2 * APIKEY_RANDOM_BYTES;
        uint8_t bytes[APIKEY_RANDOM_BYTES + APIKEY_SUM_BYTES];
        char sum[2 * APIKEY_SUM_BYTES + 1];

        return strncmp(text, prefix, prefix_n) == 0 && hex_read(text + prefix_n, bytes, sizeof bytes) &&
               write_sum(text, sum_at, sum) && streq(text + sum_at, sum) &&
               crypto_sha256(text, strlen(text), ret);
}
