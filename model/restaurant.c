/* SPDX-License-Identifier: Apache-2.0 */
/* restaurant.c - the record of a restaurant. */
#include "model/restaurant.h"

#include "model/clean.h"

#include <stdio.h>

enum err restaurant_make(const struct view *body, int64_t now_ms, struct record *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = json_object_new_object();
        struct record record = {.kind = RECORD_RESTAURANT};
        bool given = false;
        enum err e;

        if (!document || !json_add_bool(document, "active", true))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a restaurant");
        e = record_read_members(body, true, document, why);
        e = e ? e : view_opt_id(body, "restaurantId", &record.restaurant, &given, why);
        if (!e && !given && !id_make(now_ms, &record.restaurant))
                e = FAIL(why, ERR_INTERNAL, "no randomness for an id");
        id_write(&record.restaurant, record.id);
        e = e ? e : record_write(&record, document, why);
        if (!e)
                *ret = record;
        return e;
}

enum err restaurant_patch_read(const struct view *body, struct restaurant_patch *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *members = json_object_new_object();
        char *text;
        enum err e = members ? record_read_members(body, false, members, why) : ERR_NO_MEMORY;

        if (e)
                return e;
        text = json_text(members);
        if (!text)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a change");
        ret->members = text;
        return ERR_OK;
}

void restaurant_patch_done(struct restaurant_patch *patch)
{
        free(TAKE(patch->members));
}

enum err restaurant_edit(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        (void)now_ms;
        return record_change(record, ((const struct restaurant_patch *)arg)->members, why);
}

enum err restaurant_choose_dispatch(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        const struct dispatch_choice *choice = arg;
        char id[ID_TEXT_SIZE], members[64];

        (void)now_ms;
        id_write(&choice->integration, id);
        if (!choice->on && !restaurant_dispatches_to(record, id))
                return ERR_OK;
        snprintf(members, sizeof members,
                 choice->on ? "{\"dispatchIntegration\":\"%s\"}" : "{\"dispatchIntegration\":null}", id);
        return record_change(record, members, why);
}

bool restaurant_dispatch(const struct record *record, struct id *ret)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        const char *id =
                record_read(record, &document, NULL) ? NULL : json_get_text(document, "dispatchIntegration");

        return id && id_read(id, ret);
}

bool restaurant_dispatches_to(const struct record *record, const char *integration_id)
{
        struct id chosen, id;

        return id_read(integration_id, &id) && restaurant_dispatch(record, &chosen) && id_equal(&chosen, &id);
}

bool restaurant_is_active(const struct record *record)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        return !record_read(record, &document, NULL) && json_get_bool(document, "active", false);
}

struct json_object *restaurant_write(const struct record *record)
{
        return record_show(record, NULL, "restaurantId", "name", "active", "createdAt", "updatedAt", NULL);
}
