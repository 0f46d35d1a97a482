/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - birth and death of a record, and the way into its document. */
#include "model/record.h"

#include "model/clean.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void record_done(struct record *record)
{
        free(record->document);
        *record = (struct record){0};
}

enum err record_read(const struct record *record, struct json_object **ret, struct why *why)
{
        const char *document = record->document ? record->document : "";
        enum err e = json_read(document, strlen(document), ret, why);

        /* Ours, so that it is damaged, and no client's fault. */
        return e == ERR_BAD_JSON ? FAIL(why, ERR_INTERNAL, "record %s is damaged", record->id) : e;
}

enum err record_write(struct record *record, struct json_object *document, struct why *why)
{
        char *text = json_text(document);

        if (!text)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a record");
        free(record->document);
        record->document = text;
        return ERR_OK;
}

enum err record_reseal(const struct record *record, struct json_object *object, const char *name,
                       struct reseal *reseal, struct why *why)
{
        CLEAN(secret_free_at) char *plain = NULL;
        CLEAN(free_at) char *anew = NULL;
        const char *sealed = json_get_text(object, name);
        enum err e = sealed ? keyring_open(reseal->ring, record->id, sealed, &plain, why) : ERR_OK;

        if (!sealed || e == ERR_INTERNAL) {
                reseal->lost += sealed != NULL;
                return ERR_OK;
        }
        if (!e && keyring_sealed_first(reseal->ring, sealed)) {
                reseal->kept++;
                return ERR_OK;
        }
        e = e ? e : keyring_seal(reseal->ring, record->id, plain, &anew, why);
        if (!e && !json_add_text(object, name, anew))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a secret");
        reseal->anew += e == ERR_OK;
        return e;
}

enum err record_read_members(const struct view *body, bool whole, struct json_object *members,
                             struct why *why)
{
        const bool has_active = !whole && view_has(body, "active");
        const char *name = NULL;
        bool active;
        enum err e = ERR_OK;

        if (whole || view_has(body, "name"))
                e = view_need_text(body, "name", 1, NAME_MAX_CHARACTERS, &name, why);
        if (!e && has_active)
                e = view_need_bool(body, "active", &active, why);
        if (e)
                return e;
        if ((name && !json_add_text(members, "name", name)) ||
            (has_active && !json_add_bool(members, "active", active)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for members");
        return ERR_OK;
}

enum err record_merge(struct json_object *document, const char *members, struct why *why)
{
        CLEAN(json_put_at) struct json_object *given = NULL;
        struct json_object_iterator at, end;
        enum err e = members ? json_read(members, strlen(members), &given, why) : ERR_OK;

        if (e || !given)
                return e;
        end = json_object_iter_end(given);
        for (at = json_object_iter_begin(given); !json_object_iter_equal(&at, &end);
             json_object_iter_next(&at))
                if (!json_add(document, json_object_iter_peek_name(&at),
                              json_object_get(json_object_iter_peek_value(&at))))
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a change");
        return ERR_OK;
}

enum err record_change(struct record *record, const char *members, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        e = e ? e : record_merge(document, members, why);
        return e ? e : record_write(record, document, why);
}

static bool show_member(const struct record *record, struct json_object *document, const char *name,
                        struct json_object *shown)
{
        if (streq(name, "createdAt"))
                return json_add_time(shown, name, record->created_ms);
        if (streq(name, "updatedAt"))
                return json_add_time(shown, name, record->updated_ms);
        return json_add(shown, name, json_object_get(json_object_object_get(document, name)));
}

struct json_object *record_show(const struct record *record, struct json_object **ret_document,
                                const char *id_name, ...)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *shown = json_object_new_object();
        bool ok = shown && !record_read(record, &document, NULL) &&
                  (!id_name || json_add_text(shown, id_name, record->id));
        va_list names;

        va_start(names, id_name);
        for (const char *name; ok && (name = va_arg(names, const char *));)
                ok = show_member(record, document, name, shown);
        va_end(names);
        if (!ok)
                return NULL;
        if (ret_document)
                *ret_document = TAKE(document);
        return TAKE(shown);
}

bool record_add_marks(struct json_object *to, const char *secret)
{
        char prefix[9];

        snprintf(prefix, sizeof prefix, "%.8s", secret);
        return json_add_text(to, "prefix", prefix) && json_add_text(to, "last4", secret + strlen(secret) - 4);
}
