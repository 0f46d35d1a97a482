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

/* The first of the dialect's credentials that is not there, or NULL. */
static const char *find_missing(struct json_object *credentials, const struct dialect *dialect)
{
        for (const char *const *name = dialect->credentials; *name; name++)
                if (!json_get_text(credentials, *name))
                        return *name;
        return NULL;
}

static enum err check_credentials(const struct view *credentials, const struct dialect *dialect,
                                  struct why *why)
{
        struct json_object_iterator at = json_object_iter_begin(credentials->object);
        struct json_object_iterator end = json_object_iter_end(credentials->object);
        char path[sizeof why->field];

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
                const char *name = json_object_iter_peek_name(&at), *value = NULL;
                enum err e;

                /* What cannot be a name is not repeated in an answer. */
                if (!text_is_printable(name, 1, 64))
                        return FAIL_FIELD(why, credentials->path, "a name that is none");
                snprintf(path, sizeof path, "%s.%s", credentials->path, name);
                if (!is_known(dialect, name))
                        return FAIL_FIELD(why, path, "not a credential of this platform");
                e = view_opt_text(credentials, name, 1, CREDENTIAL_MAX, &value, why);
                if (e)
                        return e;
                if (value && !text_is_printable(value, 1, CREDENTIAL_MAX))
                        return FAIL_FIELD(why, path, "not printable ASCII");
        }
        return ERR_OK;
}

enum err connection_patch_read(const struct view *body, struct connection_patch *ret, struct why *why)
{
        struct view credentials = {0};
        bool enabled;
        enum err e = view_need_bool(body, "enabled", &enabled, why);

        if (e)
                return e;
        e = view_opt_object(body, "credentials", &credentials, why);
        if (e)
                return e;
        if (credentials.object) {
                e = check_credentials(&credentials, ret->dialect, why);
                if (e)
                        return e;
                ret->credentials = json_text(credentials.object);
                if (!ret->credentials)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
                ret->complete = !find_missing(credentials.object, ret->dialect);
        }
        ret->enabled = enabled;
        return ERR_OK;
}

void connection_patch_done(struct connection_patch *patch)
{
        secret_free(patch->credentials);
        patch->credentials = NULL;
}

/* ---- its life ---- */

/* Adds to `all` what of the dialect's credentials stands in `text` (NULL: nothing). */
static enum err pick(const char *text, const struct dialect *dialect, struct json_object *all,
                     struct why *why)
{
        CLEAN(json_put_at) struct json_object *given = NULL;
        enum err e = text ? json_read(text, strlen(text), &given, why) : ERR_OK;

        if (e)
                return e == ERR_BAD_JSON ? FAIL(why, ERR_INTERNAL, "damaged credentials") : e;
        for (const char *const *name = dialect->credentials; *name; name++) {
                const char *value = given ? json_get_text(given, *name) : NULL;

                if (value && !json_add_text(all, *name, value))
                        return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        }
        return ERR_OK;
}

/* Seals into the document what `old` (NULL: nothing) and the patch have together, which must be all there is. */
static enum err seal(const struct connection_patch *patch, const char *old, const char *id,
                     struct json_object *document, struct why *why)
{
        CLEAN(json_put_at) struct json_object *all = json_object_new_object();
        CLEAN(secret_free_at) char *plain = NULL;
        CLEAN(free_at) char *sealed = NULL;
        char path[sizeof why->field];
        const char *missing;
        enum err e;

        if (!all)
                return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        e = pick(old, patch->dialect, all, why);
        if (e)
                return e;
        e = pick(patch->credentials, patch->dialect, all, why);
        if (e)
                return e;
        missing = find_missing(all, patch->dialect);
        if (missing) {
                snprintf(path, sizeof path, "credentials.%s", missing);
                return FAIL_FIELD(why, path, "missing");
        }
        plain = json_text(all);
        if (!plain)
                return FAIL(why, ERR_NO_MEMORY, "no memory for credentials");
        e = keyring_seal(patch->ring, id, plain, &sealed, why);
        if (e)
                return e;
        if (!json_add_text(document, "credentials", sealed) ||
            !json_add_text(document, "state", "untested") || !json_add_text(document, "lastError", NULL))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        return ERR_OK;
}

enum err connection_make(const struct id *restaurant, struct connection_patch *patch, struct record *ret,
                         struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_CONNECTION, .restaurant = *restaurant};
        enum err e;

        if (!document || !json_add_bool(document, "enabled", patch->enabled))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        connection_id(restaurant, patch->dialect->platform, record.id);
        e = seal(patch, NULL, record.id, document, why);
        if (e)
                return e;
        e = record_write(&record, document, why);
        if (e)
                return e;
        *ret = record;
        return ERR_OK;
}

static enum err open_credentials(const struct record *record, struct json_object *document,
                                 const struct keyring *ring, char **ret, struct why *why)
{
        const char *sealed = json_get_text(document, "credentials");

        if (!sealed)
                return FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id);
        return keyring_open(ring, record->id, sealed, ret, why);
}

enum err connection_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(secret_free_at) char *old = NULL;
        const struct connection_patch *patch = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (e)
                return e;
        if (!json_add_bool(document, "enabled", patch->enabled))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        if (patch->credentials && !patch->complete) {
                e = open_credentials(record, document, patch->ring, &old, why);
                if (e)
                        return e;
        }
        if (patch->credentials) {
                e = seal(patch, old, record->id, document, why);
                if (e)
                        return e;
        }
        return record_write(record, document, why);
}

/* ---- the credentials, for a call ---- */

enum err connection_open(const struct record *record, const struct dialect *dialect,
                         const struct keyring *ring, struct connection_secrets *ret, struct why *why)
{
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *credentials = NULL;
        CLEAN(secret_free_at) char *plain = NULL;
        enum err e = record_read(record, &document, why);

        if (e)
                return e;
        e = open_credentials(record, document, ring, &plain, why);
        if (e)
                return e;
        e = json_read(plain, strlen(plain), &credentials, NULL);
        if (e && e != ERR_BAD_JSON)
                return FAIL(why, e, "no memory for credentials");
        for (int i = 0; i < CREDENTIALS_MAX && dialect->credentials[i]; i++) {
                const char *value = e ? NULL : json_get_text(credentials, dialect->credentials[i]);

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

static const char *verdict_state(const struct connection_verdict *verdict)
{
        return verdict->ok ? "ok" : "login_failed";
}

static const char *verdict_error(const struct connection_verdict *verdict)
{
        return verdict->ok ? NULL : verdict->error;
}

bool connection_needs_verdict(const struct record *record, const struct connection_verdict *verdict)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const char *error = verdict_error(verdict), *said;

        if (record_read(record, &document, NULL))
                return false;
        said = json_get_text(document, "lastError");
        return !streq(json_get_text(document, "state"), verdict_state(verdict)) ||
               (error ? !streq(said, error) : said != NULL);
}

enum err connection_judge(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const struct connection_verdict *verdict = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (e)
                return e;
        if (!json_add_text(document, "state", verdict_state(verdict)) ||
            !json_add_text(document, "lastError", verdict_error(verdict)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a connection");
        return record_write(record, document, why);
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
        CLEAN(json_put_at) struct json_object *fields = NULL;
        CLEAN(json_put_at) struct json_object *shown = json_object_new_object();
        enum platform platform;

        if (!shown || !connection_platform(record, &platform) || !dialect_of(platform) ||
            record_read(record, &document, NULL))
                return NULL;
        fields = write_fields(dialect_of(platform));
        if (!fields || !json_add_text(shown, "platform", platform_word(platform)) ||
            !json_add_bool(shown, "enabled", json_get_bool(document, "enabled", false)) ||
            !json_add(shown, "credentialFields", TAKE(fields)) ||
            !json_add_text(shown, "state", json_get_text(document, "state")) ||
            !json_add_text(shown, "lastError", json_get_text(document, "lastError")) ||
            !json_add_text(shown, "breaker", breaker_open ? "open" : "closed") ||
            !json_add_time(shown, "updatedAt", record->updated_ms))
                return NULL;
        return TAKE(shown);
}
