/* SPDX-License-Identifier: Apache-2.0 */
/* restaurant.c - the record of a restaurant. */
#include "model/restaurant.h"

#include "model/clean.h"

enum err restaurant_make(const struct view *body, int64_t now_ms, struct record *ret, struct why *why)
{
        CLEAN(free_at) char *name = NULL;
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct record record = {.kind = RECORD_RESTAURANT};
        bool given = false;
        enum err e = record_read_name(body, true, &name, why);

        if (e)
                return e;
        e = view_opt_id(body, "restaurantId", &record.restaurant, &given, why);
        if (e)
                return e;
        if (!given && !id_make(now_ms, &record.restaurant))
                return FAIL(why, ERR_INTERNAL, "no randomness for an id");
        id_write(&record.restaurant, record.id);
        document = json_object_new_object();
        if (!document || !json_add_text(document, "name", name) || !json_add_bool(document, "active", true))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a restaurant");
        e = record_write(&record, document, why);
        if (e)
                return e;
        *ret = record;
        return ERR_OK;
}

enum err restaurant_patch_read(const struct view *body, struct restaurant_patch *ret, struct why *why)
{
        CLEAN(restaurant_patch_done) struct restaurant_patch patch = {.has_active = view_has(body, "active")};
        enum err e = record_read_name(body, false, &patch.name, why);

        if (e)
                return e;
        e = patch.has_active ? view_need_bool(body, "active", &patch.active, why) : ERR_OK;
        if (e)
                return e;
        *ret = patch;
        patch.name = NULL;
        return ERR_OK;
}

void restaurant_patch_done(struct restaurant_patch *patch)
{
        free(patch->name);
        patch->name = NULL;
}

enum err restaurant_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const struct restaurant_patch *patch = arg;
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (e)
                return e;
        if ((patch->name && !json_add_text(document, "name", patch->name)) ||
            (patch->has_active && !json_add_bool(document, "active", patch->active)))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a restaurant");
        return record_write(record, document, why);
}

/* ---- which integration orders are dispatched to ---- */

enum err restaurant_choose_dispatch(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const struct dispatch_choice *choice = arg;
        char id[ID_TEXT_SIZE];
        enum err e = record_read(record, &document, why);

        (void)now_ms;
        if (e)
                return e;
        id_write(&choice->integration, id);
        if (!choice->on && !streq(json_get_text(document, "dispatchIntegration"), id))
                return ERR_OK;
        if (!json_add_text(document, "dispatchIntegration", choice->on ? id : NULL))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a restaurant");
        return record_write(record, document, why);
}

bool restaurant_dispatches_to(const struct record *record, const char *integration_id)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) &&
               streq(json_get_text(document, "dispatchIntegration"), integration_id);
}

/* ---- what it says ---- */

bool restaurant_is_active(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) && json_get_bool(document, "active", false);
}

struct json_object *restaurant_write(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *shown = json_object_new_object();

        if (!shown || record_read(record, &document, NULL) ||
            !json_add_text(shown, "restaurantId", record->id) ||
            !json_add_text(shown, "name", json_get_text(document, "name")) ||
            !json_add_bool(shown, "active", json_get_bool(document, "active", false)) ||
            !json_add_time(shown, "createdAt", record->created_ms) ||
            !json_add_time(shown, "updatedAt", record->updated_ms))
                return NULL;
        return TAKE(shown);
}
