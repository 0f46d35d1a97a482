/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - the record of a restaurant's account on one platform. */
#include "model/connection.h"

#include "model/clean.h"

#include <stdio.h>
#include <string.h>

#define CREDENTIAL_MAX 512 /* bytes; none of the platforms hands out longer ones */

void connection_id(const struct id *restaurant, enum platform platform, char to[RECORD_ID_SIZE])
{
        char text[ID_TEXT_SIZE];

        snprintf(to, RECORD_ID_SIZE, "%s-%s", id_write(restaurant, text), platform_word(platform));
}

bool connection_platform(const struct record *record, enum platform *ret)
{
        return strlen(record->id) > ID_TEXT_SIZE && platform_find(record->id + ID_TEXT_SIZE, ret);
}

/* ---- what a client asks for ---- */

static bool is_known(const struct dialect *dialect, const char *name)
{
        for (const char *const *known = dialect->credentials; *known; known++)
                if (streq(*known, name))
                        return true;
        return false;
}

static enum err check_credential(const struct view *credentials, const char *name,
                                 const struct dialect *dialect, struct why *why)
{
        char path[sizeof why->field];
        const char *value = NULL;
        enum err e;

        /* What cannot be a name is not repeated in an answer. */
        if (!text_is_printable(name, 1, 64))
                return FAIL_FIELD(why, credentials->path, "a name that is none");
        snprintf(path, sizeof path, "%s.%s", credentials->path, name);
        if (!is_known(dialect, name))
                return FAIL_FIELD(why, path, "not a credential of this platform");
        e = view_opt_text(credentials, name, 1, CREDENTIAL_MAX, &value, why);
        if (!e && value && !text_is_printable(value, 1, CREDENTIAL_MAX))
                e = FAIL_FIELD(why, path, "not printable ASCII");
        if (!e && value && dialect->fits && !dialect->fits(name, value))
                e = FAIL_FIELD(why, path, "cannot be used");
        return e;
}

enum err connection_patch_read(const struct view *body, struct connection_patch *ret, struct why *why)
{
        struct view credentials = {0};
        bool enabled;
        enum err e = view_need_bool(body, "enabled", &enabled, why);

        e = e ? e : view_opt_object(body, "credentials", &credentials, why);
        if (e)
                return e;
        if (credentials.object) {
                struct json_object_iterator at = json_object_iter_begin(credentials.object);
                const struct json_object_iterator end = json_object_iter_end(credentials.object);

                for (; !e && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                        e = check_credential(&credentials, json_object_iter_peek_name(&at), ret->dialect,
                                             why);
                if (e)
                        return e;
                ret->credentials = json_text(credentials.object);
                if (!ret->credentials)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        }
        ret->enabled = enabled;
        return ERR_OK;
}

void connection_patch_done(struct connection_patch *patch)
{
        secret_free(TAKE(patch->credentials));
}

/* ---- its life ---- */

/* The credentials that stand sealed in the document. */
static enum err open_credentials(const struct record *record, struct json_object *document,
                                 const struct keyring *ring, struct json_object **ret, struct why *why)
{
        CLEAN(secret_free_at) char *plain = NULL;
        const char *sealed = json_get_text(document, "credentials");
        enum err e;

        if (!sealed)
                return FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
        e = keyring_open(ring, record->id, sealed, &plain, why);
        e = e ? e : json_read(plain, strlen(plain), ret, why);
        return e == ERR_BAD_JSON ? FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id) : e;
}

/* Seals into the document what the patch and the record (of a new one: nothing) have together, which must be all there
 * is. If the patch has it all, what is kept need not open any more. */
static enum err seal(const struct connection_patch *patch, const struct record *record,
                     struct json_object *document, struct why *why)
{
        CLEAN(json_put_at) struct json_object *given = NULL;
        CLEAN(json_put_at) struct json_object *old = NULL;
        CLEAN(json_put_at) struct json_object *all = json_object_new_object();
        CLEAN(secret_free_at) char *plain = NULL;
        CLEAN(free_at) char *sealed = NULL;
        char path[sizeof why->field];
        const char *text = patch->credentials ? patch->credentials : "{}";
        enum err e = all ? json_read(text, strlen(text), &given, why) : ERR_NO_MEMORY;

        for (const char *const *name = patch->dialect->credentials; !e && *name; name++) {
                const char *value = json_get_text(given, *name);

                if (!value && !old && record->document)
                        e = open_credentials(record, document, patch->ring, &old, why);
                value = value ? value : json_get_text(old, *name);
                snprintf(path, sizeof path, "credentials.%s", *name);
                if (!e && !value)
                        e = FAIL_FIELD(why, path, "missing");
                if (!e && !json_add_text(all, *name, value))
                        e = FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        }
        if (e)
                return e;
        plain = json_text(all);
        e = plain ? keyring_seal(patch->ring, record->id, plain, &sealed, why) : ERR_NO_MEMORY;
        if (!e && (!json_add_text(document, "credentials", sealed) ||
                   !json_add_text(document, "state", "untested") || !json_add(document, "lastError", NULL)))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        return e;
}

/* Writes what was asked for into the document, and that into the record. */
static enum err apply(const struct connection_patch *patch, bool credentials, struct json_object *document,
                      struct record *record, struct why *why)
{
        enum err e = ERR_OK;

        if (!document || !json_add_bool(document, "enabled", patch->enabled))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        if (credentials)
                e = seal(patch, record, document, why);
        return e ? e : record_write(record, document, why);
}

enum err connection_make(const struct id *restaurant, struct connection_patch *patch, struct record *ret,
                         struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_CONNECTION, .restaurant = *restaurant};
        enum err e;

        connection_id(restaurant, patch->dialect->platform, record.id);
        e = apply(patch, true, document, &record, why);
        if (!e)
                *ret = record;
        return e;
}

enum err connection_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const struct connection_patch *patch = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        return e ? e : apply(patch, patch->credentials, document, record, why);
}

enum err connection_reseal(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        e = e ? e : record_reseal(record, document, "credentials", arg, why);
        return e ? e : record_write(record, document, why);
}

/* ---- the credentials, for a call ---- */

enum err connection_open(const struct record *record, const struct dialect *dialect,
                         const struct keyring *ring, struct connection_secrets *ret, struct why *why)
{
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *credentials = NULL;
        enum err e = record_read(record, &document, why);

        e = e ? e : open_credentials(record, document, ring, &credentials, why);
        if (e)
                return e;
        for (int i = 0; i < CREDENTIALS_MAX && dialect->credentials[i]; i++) {
                const char *value = json_get_text(credentials, dialect->credentials[i]);

                if (!value)
                        return FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
                secrets.values[i] = strdup(value);
                if (!secrets.values[i])
                        return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        }
        *ret = secrets;
        secrets = (struct connection_secrets){0};
        return ERR_OK;
}

void connection_secrets_done(struct connection_secrets *secrets)
{
        for (int i = 0; i < CREDENTIALS_MAX; i++)
                secret_free(secrets->values[i]);
        *secrets = (struct connection_secrets){0};
}

/* ---- what the platform said ---- */

/* The members that say it; NULL without memory. */
static struct json_object *write_verdict(const struct connection_verdict *verdict)
{
        CLEAN(json_put_at) struct json_object *members = json_object_new_object();

        return members && json_add_text(members, "state", verdict->ok ? "ok" : "login_failed") &&
                               json_add_text(members, "lastError", verdict->ok ? NULL : verdict->error)
                       ? TAKE(members)
                       : NULL;
}

bool connection_needs_verdict(const struct record *record, const struct connection_verdict *verdict)
{
        CLEAN(json_put_at) struct json_object *members = write_verdict(verdict);
        CLEAN(json_put_at)
        struct json_object *said = record_show(record, NULL, NULL, "state", "lastError", NULL);

        return members && said && !json_object_equal(members, said);
}

enum err connection_judge(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        const struct connection_verdict *verdict = arg;
        CLEAN(json_put_at) struct json_object *members = write_verdict(verdict);
        CLEAN(free_at) char *text = members ? json_text(members) : NULL;

        (void)now_ms;
        if (record->rev != verdict->rev)
                return FAIL(why, ERR_BUSY, "connection %s has changed meanwhile", record->id);
        return text ? record_change(record, text, why)
                    : FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
}

bool connection_needs_trouble(const struct record *record, const struct connection_trouble *trouble)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const char *said = record_read(record, &document, NULL) ? NULL : json_get_text(document, "pollError");

        return document && !streq(said ? said : "", trouble->error);
}

enum err connection_note_trouble(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const struct connection_trouble *trouble = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (!e && !json_add_text(document, "pollError", trouble->error[0] ? trouble->error : NULL))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        return e ? e : record_write(record, document, why);
}

/* ---- what it says ---- */

bool connection_is_enabled(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) && json_get_bool(document, "enabled", false);
}

/* All that the platform has, because a connection without one of them cannot be made. */
static struct json_object *write_fields(const struct dialect *dialect)
{
        CLEAN(json_put_at) struct json_object *fields = json_object_new_array();

        for (const char *const *name = dialect->credentials; *name; name++)
                if (!json_append(fields, json_object_new_string(*name)))
                        return NULL;
        return TAKE(fields);
}

struct json_object *connection_write(const struct record *record, bool breaker_open)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at)
        struct json_object *shown =
                record_show(record, &document, NULL, "enabled", "state", "lastError", "updatedAt", NULL);
        struct json_object *fields;
        enum platform platform;

        if (!shown || !connection_platform(record, &platform) || !dialect_of(platform))
                return NULL;
        fields = write_fields(dialect_of(platform));
        if (!fields || !json_add(shown, "credentialFields", fields) ||
            !json_add_text(shown, "platform", platform_word(platform)) ||
            !json_add_text(shown, "breaker", breaker_open ? "open" : "closed") ||
            (!json_find(shown, "lastError") &&
             !json_add_text(shown, "lastError", json_get_text(document, "pollError"))))
                return NULL;
        return TAKE(shown);
}
