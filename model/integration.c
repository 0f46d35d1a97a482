/* SPDX-License-Identifier: Apache-2.0 */
/* integration.c - the record of a courier firm at a restaurant. */
#include "model/integration.h"

#include "model/clean.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define URL_MAX 2048
#define HEADERS_MAX 16
#define HEADER_NAME_MAX 64
#define HEADER_VALUE_MAX 4096

#define GRACE_DEFAULT_S 86400 /* docs/api.md 3 */
#define GRACE_MAX_S 604800

#define SIGNING_BYTES 32     /* Standard Webhooks 1.0: 24 to 64 */
#define SIGNING_BYTES_MAX 64 /* a secret's */

/* ---- where to dispatch ---- */

/* `:1` to `:65535`, or nothing; behind its `n` characters stands no digit. */
static bool is_port(const char *text, size_t n)
{
        const bool digits = n >= 2 && n <= 6 && text[0] == ':' && strspn(text + 1, "0123456789") == n - 1;
        const unsigned long port = digits ? strtoul(text + 1, NULL, 10) : 0;

        return n == 0 || (port >= 1 && port <= 65535);
}

/* https (`plain`: or http), a host, perhaps a port, nobody's password. Which addresses the host may have is asked when it is
 * called. */
static bool is_url(const char *url, bool plain)
{
        static const char https[] = "https://", http[] = "http://", hex[] = "0123456789abcdefABCDEF:.";
        static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
        size_t end, host;

        if (!text_is_printable(url, 1, URL_MAX) || strpbrk(url, " \\\"<>^`{|}"))
                return false;
        if (strncasecmp(url, https, sizeof https - 1) == 0)
                url += sizeof https - 1;
        else if (plain && strncasecmp(url, http, sizeof http - 1) == 0)
                url += sizeof http - 1;
        else
                return false;
        end = strcspn(url, "/?#");
        if (url[0] == '[') {
                host = strspn(url + 1, hex);
                return host > 0 && url[host + 1] == ']' && is_port(url + host + 2, end - host - 2);
        }
        host = strspn(url, name);
        return host > 0 && is_port(url + host, end - host);
}

/* ---- with which headers ---- */

/* Those that say what the message is, which is ours to say (docs/api.md 3). */
static bool is_reserved(const char *name)
{
        return strcasecmp(name, "host") == 0 || strcasecmp(name, "connection") == 0 ||
               strcasecmp(name, "transfer-encoding") == 0 || strncasecmp(name, "content-", 8) == 0 ||
               strncasecmp(name, "webhook-", 8) == 0;
}

static bool has_name(struct json_object *names, const char *name)
{
        for (size_t i = 0; i < json_object_array_length(names); i++)
                if (strcasecmp(json_object_get_string(json_object_array_get_idx(names, i)), name) == 0)
                        return true;
        return false;
}

/* Adds it to both, if it was given: what is no name is told by what will have to write it. */
static enum err take_header(const struct view *headers, const char *name, struct json_object *values,
                            struct json_object *names, struct why *why)
{
        CLEAN(message_done) struct message probe = {0};
        char path[sizeof why->field];
        const char *value = NULL;
        enum err e;

        /* A name that is none is not repeated in an answer. */
        if (strlen(name) > HEADER_NAME_MAX || message_header(&probe, name, "", NULL) == ERR_BAD_FIELD)
                return FAIL_FIELD(why, headers->path, "a name that is none");
        snprintf(path, sizeof path, "%s.%s", headers->path, name);
        if (is_reserved(name))
                return FAIL_FIELD(why, path, "reserved");
        e = view_opt_text(headers, name, 1, HEADER_VALUE_MAX, &value, why);
        if (e || !value)
                return e;
        if (!text_is_printable(value, 1, HEADER_VALUE_MAX))
                return FAIL_FIELD(why, path, "not a value");
        if (has_name(names, name))
                return FAIL_FIELD(why, path, "twice");
        if (!json_append(names, json_object_new_string(name)) || !json_add_text(values, name, value))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a header");
        return ERR_OK;
}

/* Adds them sealed, and their names. */
static enum err read_headers(const struct view *body, const struct id *id, const struct keyring *ring,
                             struct json_object *members, struct why *why)
{
        CLEAN(json_put_at) struct json_object *values = json_object_new_object();
        CLEAN(json_put_at) struct json_object *names = json_object_new_array();
        CLEAN(secret_free_at) char *plain = NULL;
        CLEAN(free_at) char *sealed = NULL;
        char context[ID_TEXT_SIZE];
        struct view headers = {0};
        enum err e = view_opt_object(body, "dispatchHeaders", &headers, why);

        if (e || !view_has(body, "dispatchHeaders"))
                return e;
        if (!values || !names)
                return FAIL(why, ERR_NO_MEMORY, "no memory for headers");
        if (headers.object) {
                struct json_object_iterator at = json_object_iter_begin(headers.object);
                const struct json_object_iterator end = json_object_iter_end(headers.object);

                for (; !e && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                        e = take_header(&headers, json_object_iter_peek_name(&at), values, names, why);
                if (e)
                        return e;
                if (json_object_array_length(names) > HEADERS_MAX)
                        return FAIL_FIELD(why, headers.path, "more than %d", HEADERS_MAX);
                plain = json_text(values);
                e = plain ? keyring_seal(ring, id_write(id, context), plain, &sealed, why) : ERR_NO_MEMORY;
        }
        if (!e && (!json_add(members, "dispatchHeaderNames", TAKE(names)) ||
                   !json_add_text(members, "dispatchHeaders", sealed)))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for headers");
        return e;
}

/* ---- what a client asks for ---- */

enum err integration_patch_read(const struct view *body, bool whole, const struct id *id,
                                const struct keyring *ring, bool plain, struct integration_patch *ret,
                                struct why *why)
{
        CLEAN(json_put_at) struct json_object *members = json_object_new_object();
        struct integration_patch patch = {0};
        const char *url = NULL;
        bool cancel = false;
        enum err e = members ? record_read_members(body, whole, members, why) : ERR_NO_MEMORY;

        e = e ? e : view_opt_text(body, "dispatchUrl", 0, URL_MAX, &url, why);
        if (!e && url && !is_url(url, plain))
                e = FAIL_FIELD(why, "dispatchUrl", "not an address that may be called");
        e = e ? e : read_headers(body, id, ring, members, why);
        e = e ? e : view_opt_bool(body, "autoDispatch", &patch.auto_dispatch, why);
        e = e ? e : view_opt_bool(body, "notifyCancel", &cancel, why);
        if (e)
                return e;
        if ((view_has(body, "dispatchUrl") && !json_add_text(members, "dispatchUrl", url)) ||
            (view_has(body, "notifyCancel") && !json_add_bool(members, "notifyCancel", cancel)) ||
            !(patch.members = json_text(members)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an integration");
        patch.gives_url = url;
        /* In a change null turns a switch off; for a new one it leaves the choice to us. */
        patch.has_auto = view_has(body, "autoDispatch") &&
                         (!whole || json_object_object_get(body->object, "autoDispatch"));
        *ret = patch;
        return ERR_OK;
}

void integration_patch_done(struct integration_patch *patch)
{
        free(TAKE(patch->members));
}

/* ---- keys and signing secrets ---- */

_Static_assert(APIKEY_TEXT_SIZE <= SECRET_TEXT_SIZE, "a key fits");

enum err rotation_key(struct rotation *ret, struct why *why)
{
        struct rotation made = {0};
        enum err e = apikey_make(KEY_PREFIX, made.text, why);

        if (!e)
                *ret = made;
        return e;
}

enum err rotation_secret(const struct id *id, const struct keyring *ring, struct rotation *ret,
                         struct why *why)
{
        CLEAN(rotation_done) struct rotation made = {0};
        CLEAN(secret_free_at) char *base64 = NULL;
        uint8_t bytes[SIGNING_BYTES];
        char context[ID_TEXT_SIZE];
        enum err e;

        if (!crypto_random(bytes, sizeof bytes))
                return FAIL(why, ERR_INTERNAL, "no randomness for a secret");
        base64 = base64_write(bytes, sizeof bytes);
        if (!base64)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        snprintf(made.text, sizeof made.text, SIGNING_PREFIX "%s", base64);
        e = keyring_seal(ring, id_write(id, context), made.text, &made.sealed, why);
        if (e)
                return e;
        *ret = made;
        made.sealed = NULL;
        return ERR_OK;
}

enum err rotation_read_grace(const struct view *body, int64_t *ret_ms, struct why *why)
{
        int64_t seconds = GRACE_DEFAULT_S;
        enum err e = view_opt_int(body, "graceSeconds", 0, GRACE_MAX_S, &seconds, why);

        if (!e)
                *ret_ms = seconds * 1000;
        return e;
}

void rotation_done(struct rotation *rotation)
{
        free(rotation->sealed);
        explicit_bzero(rotation, sizeof *rotation);
}

/* What is kept of a new key or secret; NULL without memory. */
static struct json_object *write_entry(const struct rotation *rotation)
{
        CLEAN(json_put_at) struct json_object *entry = json_object_new_object();
        struct digest digest;
        char hex[2 * sizeof digest.bytes + 1];

        if (!entry || !json_add(entry, "validUntil", NULL))
                return NULL;
        if (rotation->sealed)
                return json_add_text(entry, "sealed", rotation->sealed) ? TAKE(entry) : NULL;
        if (!apikey_digest(KEY_PREFIX, rotation->text, &digest))
                return NULL;
        hex_write(digest.bytes, sizeof digest.bytes, hex);
        return json_add_text(entry, "digest", hex) && record_add_marks(entry, rotation->text) ? TAKE(entry)
                                                                                              : NULL;
}

static bool entry_digest(struct json_object *entry, struct digest *ret)
{
        const char *hex = json_get_text(entry, "digest");

        return hex && hex_read(hex, ret->bytes, sizeof ret->bytes);
}

/* The i-th of the document's keys or signing secrets, newest first, or NULL. */
static struct json_object *find_entry(struct json_object *document, const char *member, size_t i)
{
        struct json_object *entries = json_object_object_get(document, member);
        struct json_object *entry =
                json_object_is_type(entries, json_type_array) ? json_object_array_get_idx(entries, i) : NULL;

        return json_object_is_type(entry, json_type_object) ? entry : NULL; /* else it is damaged */
}

/* Puts the new one first, and behind it the one that was first, for as long as it has grace. */
static enum err rotate(struct json_object *document, struct rotation *rotation, int64_t now_ms,
                       struct why *why)
{
        const char *member = rotation->sealed ? "signingSecrets" : "keys";
        CLEAN(json_put_at) struct json_object *entries = json_object_new_array();
        struct json_object *old = rotation->grace_ms > 0 ? find_entry(document, member, 0) : NULL;

        rotation->old_until_ms = now_ms + rotation->grace_ms;
        if (json_append(entries, write_entry(rotation)) &&
            (!old || (json_add_int(old, "validUntil", rotation->old_until_ms) &&
                      json_append(entries, json_object_get(old)))) &&
            json_add(document, member, TAKE(entries)))
                return ERR_OK;
        return FAIL(why, ERR_NO_MEMORY, "no memory for a rotation");
}

/* The record is found by what the document says. */
static enum err write_back(struct record *record, struct json_object *document, struct why *why)
{
        struct json_object *entry;
        int n = 0;

        for (; n < RECORD_LOOKS_MAX && (entry = find_entry(document, "keys", (size_t)n)); n++)
                if (!entry_digest(entry, &record->looks[n]))
                        return FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
        record->n_looks = n;
        return record_write(record, document, why);
}

/* ---- its life ---- */

/* Writes what was asked for into the document. Orders are not sent to where there is nowhere to send them. An address that
 * is given anew, be it the same, may be there again. */
static enum err apply(struct json_object *document, const struct integration_patch *patch, struct why *why)
{
        enum err e = record_merge(document, patch->members, why);

        if (!e && (patch->gives_url || !json_get_text(document, "dispatchUrl")))
                json_object_object_del(document, "dispatchGoneAt");
        if (!e && patch->auto_dispatch && !json_get_text(document, "dispatchUrl"))
                e = FAIL_FIELD(why, "autoDispatch", "no dispatchUrl");
        return e;
}

enum err integration_make(const struct id *restaurant, const struct id *id, struct integration_patch *patch,
                          struct rotation *key, struct rotation *secret, struct record *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_INTEGRATION, .restaurant = *restaurant};
        enum err e;

        if (!document || !json_add_bool(document, "active", true) ||
            !json_add_bool(document, "notifyCancel", false) ||
            !json_add(document, "dispatchHeaderNames", json_object_new_array()))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an integration");
        id_write(id, record.id);
        e = apply(document, patch, why);
        e = e ? e : rotate(document, key, 0, why);
        e = e ? e : rotate(document, secret, 0, why);
        e = e ? e : write_back(&record, document, why);
        if (!e)
                *ret = record;
        return e;
}

enum err integration_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        e = e ? e : apply(document, arg, why);
        return e ? e : write_back(record, document, why);
}

enum err integration_rotate(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        e = e ? e : rotate(document, arg, now_ms, why);
        return e ? e : write_back(record, document, why);
}

enum err integration_reseal(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);
        struct json_object *entry;

        (void)now_ms;
        e = e ? e : record_reseal(record, document, "dispatchHeaders", arg, why);
        for (size_t i = 0; !e && (entry = find_entry(document, "signingSecrets", i)); i++)
                e = record_reseal(record, entry, "sealed", arg, why);
        return e ? e : record_write(record, document, why);
}

enum err integration_gone(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record->rev == *(const int64_t *)arg ? record_read(record, &document, why) : ERR_BUSY;

        if (e == ERR_BUSY)
                return FAIL(why, e, "integration %s has changed meanwhile", record->id);
        if (!e && !json_add_int(document, "dispatchGoneAt", now_ms))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for an integration");
        return e ? e : record_write(record, document, why);
}

/* ---- calling it ---- */

/* What is sealed as the record's, opened. */
static enum err open_sealed(const struct record *record, const struct keyring *ring, const char *sealed,
                            char **ret, struct why *why)
{
        return sealed ? keyring_open(ring, record->id, sealed, ret, why)
                      : FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
}

enum err integration_open(const struct record *record, const struct keyring *ring, int64_t now_ms,
                          struct dispatch *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(dispatch_done) struct dispatch dispatch = {0};
        enum err e = record_read(record, &document, why);
        struct json_object *entry;

        if (!e && json_find(document, "dispatchHeaders"))
                e = open_sealed(record, ring, json_get_text(document, "dispatchHeaders"), &dispatch.headers,
                                why);
        for (size_t i = 0, n = 0;
             !e && n < ROTATIONS_LIVE && (entry = find_entry(document, "signingSecrets", i)); i++)
                if (json_get_int(entry, "validUntil", INT64_MAX) > now_ms)
                        e = open_sealed(record, ring, json_get_text(entry, "sealed"), &dispatch.secrets[n++],
                                        why);
        if (!e && (!json_get_text(document, "dispatchUrl") || !dispatch.secrets[0]))
                e = FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
        if (!e && !(dispatch.url = strdup(json_get_text(document, "dispatchUrl"))))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a dispatch");
        if (e)
                return e;
        dispatch.notify_cancel = json_get_bool(document, "notifyCancel", false);
        *ret = dispatch;
        dispatch = (struct dispatch){0};
        return ERR_OK;
}

void dispatch_done(struct dispatch *dispatch)
{
        free(dispatch->url);
        secret_free(dispatch->headers);
        for (int i = 0; i < ROTATIONS_LIVE; i++)
                secret_free(dispatch->secrets[i]);
        *dispatch = (struct dispatch){0};
}

/* Appends `v1,<base64>` of what is signed, behind a space where it is not the first. */
static enum err add_signature(FILE *to, const char *signed_text, const char *secret, bool first,
                              struct why *why)
{
        CLEAN(free_at) char *base64 = NULL;
        uint8_t key[SIGNING_BYTES_MAX];
        struct digest digest;
        size_t n;

        if (strncmp(secret, SIGNING_PREFIX, sizeof SIGNING_PREFIX - 1) != 0 ||
            !base64_read(secret + sizeof SIGNING_PREFIX - 1, key, sizeof key, &n))
                return FAIL_FIELD(why, "signingSecret", "not a secret");
        if (crypto_hmac_sha256(key, n, signed_text, strlen(signed_text), &digest))
                base64 = base64_write(digest.bytes, sizeof digest.bytes);
        explicit_bzero(key, sizeof key);
        if (!base64)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a signature");
        fprintf(to, "%sv1,%s", first ? "" : " ", base64);
        return ERR_OK;
}

/* What stands in webhook-signature. Ownership: *ret is the caller's. */
static enum err write_signatures(const struct dispatch *dispatch, const char *signed_text, char **ret,
                                 struct why *why)
{
        size_t n;
        FILE *to = open_memstream(ret, &n);
        enum err e = to ? ERR_OK : ERR_NO_MEMORY;

        for (int i = 0; !e && i < ROTATIONS_LIVE && dispatch->secrets[i]; i++)
                e = add_signature(to, signed_text, dispatch->secrets[i], i == 0, why);
        if (to && fclose(to) != 0)
                e = ERR_NO_MEMORY;
        return e == ERR_NO_MEMORY ? FAIL(why, e, "no memory for signatures") : e;
}

enum err dispatch_sign(const struct dispatch *dispatch, const char *id, struct message *m, struct why *why)
{
        CLEAN(secret_free_at) char *signed_text = NULL;
        CLEAN(free_at) char *signatures = NULL;
        char timestamp[24];
        enum err e;

        snprintf(timestamp, sizeof timestamp, "%" PRId64, dispatch->now_ms / 1000);
        if (asprintf(&signed_text, "%s.%s.%s", id, timestamp, m->body) < 0) {
                signed_text = NULL;
                return FAIL(why, ERR_NO_MEMORY, "no memory for what is signed");
        }
        e = write_signatures(dispatch, signed_text, &signatures, why);
        e = e ? e : message_header(m, "webhook-id", id, why);
        e = e ? e : message_header(m, "webhook-timestamp", timestamp, why);
        return e ? e : message_header(m, "webhook-signature", signatures, why);
}

/* ---- what it says ---- */

bool integration_admits(const struct record *record, const struct digest *key, int64_t now_ms,
                        int64_t *ret_until_ms)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct json_object *entry;

        if (record_read(record, &document, NULL) || !json_get_bool(document, "active", false))
                return false;
        for (size_t i = 0; (entry = find_entry(document, "keys", i)); i++) {
                const int64_t until_ms = json_get_int(entry, "validUntil", INT64_MAX);
                struct digest digest;

                if (entry_digest(entry, &digest) && crypto_equal(&digest, key, sizeof digest)) {
                        *ret_until_ms = now_ms < until_ms ? until_ms : *ret_until_ms;
                        return now_ms < until_ms;
                }
        }
        return false;
}

bool integration_has_url(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) && json_get_text(document, "dispatchUrl");
}

bool integration_can_dispatch(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) && json_get_bool(document, "active", false) &&
               json_get_text(document, "dispatchUrl") && !json_find(document, "dispatchGoneAt");
}

struct json_object *integration_write(const struct record *record, bool auto_dispatch)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at)
        struct json_object *shown =
                record_show(record, &document, "integrationId", "name", "active", "dispatchUrl",
                            "dispatchHeaderNames", "notifyCancel", "createdAt", "updatedAt", NULL);
        struct json_object *key = find_entry(document, "keys", 0);
        const int64_t gone_ms = json_get_int(document, "dispatchGoneAt", 0);

        if (!shown || !json_add_text(shown, "keyPrefix", json_get_text(key, "prefix")) ||
            !json_add_text(shown, "keyLast4", json_get_text(key, "last4")) ||
            !(gone_ms ? json_add_time(shown, "dispatchGoneAt", gone_ms)
                      : json_add(shown, "dispatchGoneAt", NULL)) ||
            !json_add_bool(shown, "autoDispatch", auto_dispatch))
                return NULL;
        return TAKE(shown);
}
