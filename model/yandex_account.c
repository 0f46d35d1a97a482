/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_account.c - a restaurant's connection to Yandex Eats. */
#include "model/yandex_account.h"

#include "model/clean.h"
#include "model/connection.h"

#include <string.h>

#define SECRET_PREFIX "kry_"

enum err yandex_patch_read(const struct view *body, struct yandex_patch *ret, struct why *why)
{
        struct yandex_patch patch = {0};
        const char *place = NULL;
        enum err e = view_need_bool(body, "enabled", &patch.enabled, why);

        if (!e && json_find(body->object, "credentials"))
                e = FAIL_FIELD(why, "credentials", "this platform gets credentials and gives none");
        e = e ? e : view_opt_text(body, "placeId", 0, YANDEX_PLACE_SIZE - 1, &place, why);
        if (!e && place && !text_is_printable(place, 0, YANDEX_PLACE_SIZE - 1))
                e = FAIL_FIELD(why, "placeId", "not printable ASCII");
        e = e ? e : view_opt_bool(body, "newSecret", &patch.renews, why);
        e = e ? e : apikey_make(SECRET_PREFIX, patch.secret, why);
        if (e)
                return e;
        patch.has_place = place;
        text_copy(patch.place, sizeof patch.place, place ? place : "");
        *ret = patch;
        return ERR_OK;
}

/* Writes what was asked for into the document, and that into the record. */
static enum err apply(struct yandex_patch *patch, bool renews, struct json_object *document,
                      struct record *record, struct why *why)
{
        char hex[2 * sizeof(struct digest) + 1];
        struct digest digest;
        bool ok = json_add_bool(document, "enabled", patch->enabled) &&
                  (!patch->has_place || json_add_text(document, "placeId", patch->place));

        patch->is_renewed = renews;
        if (ok && renews) {
                ok = apikey_digest(SECRET_PREFIX, patch->secret, &digest);
                hex_write(digest.bytes, sizeof digest, hex);
                ok = ok && json_add_text(document, "secret", hex) &&
                     json_add_text(document, "state", "untested");
        }
        return ok ? record_write(record, document, why)
                  : FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
}

enum err yandex_account_make(const struct id *restaurant, struct yandex_patch *patch, struct record *ret,
                             struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct record record = {.kind = RECORD_CONNECTION, .restaurant = *restaurant};
        enum err e = json_read("{}", 2, &document, why);

        connection_id(restaurant, PLATFORM_YANDEX, record.id);
        e = e ? e : apply(patch, true, document, &record, why);
        if (!e)
                *ret = record;
        return e;
}

enum err yandex_account_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct yandex_patch *patch = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        return e ? e : apply(patch, patch->renews, document, record, why);
}

struct json_object *yandex_account_write(const struct record *record, const char *base_url)
{
        CLEAN(json_put_at)
        struct json_object *shown = record_show(record, NULL, NULL, "enabled", "placeId", "state",
                                                "lastError", "updatedAt", NULL);
        struct json_object *fields = NULL;

        if (!shown || json_read_any("[]", 2, &fields, NULL) || !json_add(shown, "credentialFields", fields) ||
            !json_add_text(shown, "platform", platform_word(PLATFORM_YANDEX)) ||
            !json_add_id(shown, "clientId", &record->restaurant) ||
            !json_add_text(shown, "baseUrl", base_url) || !json_add_text(shown, "breaker", "closed"))
                return NULL;
        return TAKE(shown);
}

enum err yandex_account_read(const struct record *record, struct yandex_account *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct yandex_account account;
        const char *place, *secret;
        enum err e = record_read(record, &document, why);

        if (e)
                return e;
        account.enabled = json_get_bool(document, "enabled", false);
        account.came = streq(json_get_text(document, "state"), "ok");
        place = json_get_text(document, "placeId");
        secret = json_get_text(document, "secret");
        if (!secret || !hex_read(secret, account.secret.bytes, sizeof account.secret) ||
            !text_copy(account.place, sizeof account.place, place ? place : ""))
                return FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
        *ret = account;
        return ERR_OK;
}

bool yandex_account_knows(const struct yandex_account *account, const char *secret)
{
        struct digest digest;

        return apikey_digest(SECRET_PREFIX, secret, &digest) &&
               crypto_equal(&digest, &account->secret, sizeof digest);
}

uint64_t yandex_account_mark(const struct yandex_account *account)
{
        uint64_t mark;

        memcpy(&mark, account->secret.bytes, sizeof mark);
        return mark;
}

enum err yandex_account_came(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        const uint64_t *mark = arg;
        struct yandex_account account;
        enum err e = yandex_account_read(record, &account, why);

        (void)now_ms;
        if (!e && yandex_account_mark(&account) != *mark)
                e = FAIL(why, ERR_BAD_CLIENT, "the secret is another now");
        return e ? e : record_change(record, "{\"state\":\"ok\"}", why);
}
