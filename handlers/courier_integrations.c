/* SPDX-License-Identifier: Apache-2.0 */
/* courier_integrations.c - a restaurant's courier firms and their keys (docs/api.md 3).
 *
 * Which firm orders go to by themselves is said by the restaurant's record, so that some requests write two records, one
 * after the other. If the second write fails the answer is an error, and the same request again sets it right. */
#include "handlers/courier_integrations.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/integration.h"
#include "model/restaurant.h"

/* ---- GET …, GET …/{integrationId} ---- */

static struct json_object *row(const struct store_find *find, int i)
{
        return integration_write(&find->records[i],
                                 restaurant_dispatches_to(&find->owner, find->records[i].id));
}

static void listed(struct letter *letter)
{
        records_listed(letter, row);
}

void courier_integrations_list(struct request *r)
{
        records_list(r, RECORD_INTEGRATION, listed);
}

static void done_get(void *get)
{
        store_get_done(get);
}

static void shown(struct letter *letter)
{
        struct store_get *get = (struct store_get *)letter;
        struct request *r = caller_back(&get->job);

        if (!r)
                return;
        if (get->record.document)
                answer_one(r, 200,
                           integration_write(&get->record, restaurant_dispatches_to(&get->owner, get->id)));
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

void courier_integrations_show(struct request *r)
{
        struct store_get *get = caller_restaurant_job(r, sizeof *get, done_get, shown);
        struct why why;
        enum err e;

        if (!get)
                return;
        get->kind = RECORD_INTEGRATION;
        e = caller_record_id(r, 1, get->id, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_get(caller_app(r)->store, get);
}

/* ---- POST …, PATCH …/{integrationId} ---- */

/* A look at what is there, the integration's write, and the restaurant's where orders are to go elsewhere from now on. */
struct writing {
        struct store_find find;
        struct store_put put;   /* POST */
        struct store_edit edit; /* PATCH */
        struct store_edit choose;
        bool fresh; /* POST */
        struct id id;
        struct integration_patch patch;
        struct rotation key;
        struct rotation secret;
        struct dispatch_choice choice;
        const struct record *stored; /* of put or edit */
};

static void done_writing(void *memory)
{
        struct writing *w = memory;

        store_find_done(&w->find);
        store_put_done(&w->put);
        store_edit_done(&w->edit);
        store_edit_done(&w->choose);
        integration_patch_done(&w->patch);
        rotation_done(&w->key);
        rotation_done(&w->secret);
}

static void answer_written(struct request *r, const struct writing *w)
{
        CLEAN(json_put_at) struct json_object *data = integration_write(w->stored, w->choice.on);

        if (!data || (w->fresh && (!json_add_text(data, "apiKey", w->key.text) ||
                                   !json_add_text(data, "signingSecret", w->secret.text))))
                request_fail(r, ERR_NO_MEMORY, NULL);
        else
                answer_one(r, w->fresh ? 201 : 200, TAKE(data));
}

static void chosen(struct letter *letter)
{
        struct writing *w = OWNER_OF(letter, struct writing, choose);
        struct request *r = caller_back(&w->choose.job);

        if (r)
                answer_written(r, w);
}

/* Edits the restaurant's record, and goes on with `run`. */
static void submit_choice(struct request *r, struct store_edit *edit, const struct job *before,
                          struct dispatch_choice *choice, void (*run)(struct letter *letter))
{
        caller_next(&edit->job, before, run);
        edit->kind = RECORD_RESTAURANT;
        id_write(&edit->job.access.restaurant, edit->id);
        edit->edit = restaurant_choose_dispatch;
        edit->arg = choice;
        if (request_hold(r))
                store_edit(caller_app(r)->store, edit);
}

/* Whether none had an address to dispatch to, this one included. */
static bool is_first(const struct store_find *find)
{
        for (int i = 0; i < find->n; i++)
                if (integration_has_url(&find->records[i]))
                        return false;
        return true;
}

static void choose(struct request *r, struct writing *w)
{
        bool before = restaurant_dispatches_to(&w->find.owner, w->stored->id);

        w->choice = (struct dispatch_choice){.integration = w->id, .on = before};
        if (w->patch.has_auto)
                w->choice.on = w->patch.auto_dispatch;
        else if (!integration_has_url(w->stored))
                w->choice.on = false;
        else if (w->patch.url && is_first(&w->find))
                w->choice.on = true;
        if (w->patch.has_auto || w->choice.on != before)
                submit_choice(r, &w->choose, &w->find.job, &w->choice, chosen);
        else
                answer_written(r, w);
}

static void put(struct letter *letter)
{
        struct writing *w = OWNER_OF(letter, struct writing, put);
        struct request *r = caller_back(&w->put.job);

        if (!r)
                return;
        w->stored = &w->put.record;
        if (w->put.outcome == PUT_TAKEN)
                request_fail(r, ERR_INTERNAL, NULL);
        else
                choose(r, w);
}

static void edited(struct letter *letter)
{
        struct writing *w = OWNER_OF(letter, struct writing, edit);
        struct request *r = caller_back(&w->edit.job);

        if (!r)
                return;
        w->stored = &w->edit.record;
        if (w->stored->document)
                choose(r, w);
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

static enum err read_body(struct request *r, struct writing *w, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        enum err e = caller_body(r, &body, why);

        if (e)
                return e;
        view = view_of(body);
        return integration_patch_read(&view, w->fresh, &w->id, caller_app(r)->keyring, &w->patch, why);
}

static enum err make(struct request *r, struct writing *w, struct why *why)
{
        enum err e = rotation_key(&w->key, why);

        if (e)
                return e;
        e = rotation_secret(&w->id, caller_app(r)->keyring, &w->secret, why);
        if (e)
                return e;
        return integration_make(&w->find.job.access.restaurant, &w->id, &w->patch, &w->key, &w->secret,
                                &w->put.record, why);
}

static void found(struct letter *letter)
{
        struct writing *w = (struct writing *)letter;
        struct request *r = caller_back(&w->find.job);
        struct why why;
        enum err e;

        if (!r)
                return;
        caller_next(&w->put.job, &w->find.job, put);
        caller_next(&w->edit.job, &w->find.job, edited);
        w->edit.kind = RECORD_INTEGRATION;
        id_write(&w->id, w->edit.id);
        w->edit.edit = integration_edit;
        w->edit.arg = &w->patch;
        e = read_body(r, w, &why);
        if (!e && w->fresh)
                e = make(r, w, &why);
        if (e)
                request_fail(r, e, &why);
        else if (!request_hold(r))
                return;
        else if (w->fresh)
                store_put(caller_app(r)->store, &w->put);
        else
                store_edit(caller_app(r)->store, &w->edit);
}

static void submit_find(struct request *r, struct writing *w)
{
        w->find.kind = RECORD_INTEGRATION;
        w->find.limit = LIST_MAX;
        if (request_hold(r))
                store_find(caller_app(r)->store, &w->find);
}

void courier_integrations_create(struct request *r)
{
        struct writing *w = caller_restaurant_job(r, sizeof *w, done_writing, found);

        if (!w)
                return;
        w->fresh = true;
        if (id_make(time_now_ms(), &w->id))
                submit_find(r, w);
        else
                request_fail(r, ERR_INTERNAL, NULL);
}

void courier_integrations_change(struct request *r)
{
        struct writing *w = caller_restaurant_job(r, sizeof *w, done_writing, found);
        struct why why;
        enum err e;

        if (!w)
                return;
        e = caller_id(r, 1, &w->id, &why);
        if (e)
                request_fail(r, e, &why);
        else
                submit_find(r, w);
}

/* ---- DELETE …/{integrationId} ---- */

/* A look; the restaurant's record, where orders go to this one; the drop. */
struct removal {
        struct store_get get;
        struct store_edit choose;
        struct store_drop drop;
        struct dispatch_choice choice;
};

static void done_removal(void *memory)
{
        struct removal *removal = memory;

        store_get_done(&removal->get);
        store_edit_done(&removal->choose);
}

static void submit_drop(struct request *r, struct removal *removal)
{
        struct store_drop *drop = &removal->drop;

        caller_next(&drop->job, &removal->get.job, records_dropped);
        drop->kind = RECORD_INTEGRATION;
        text_copy(drop->id, sizeof drop->id, removal->get.id);
        if (request_hold(r))
                store_drop(caller_app(r)->store, drop);
}

static void unchosen(struct letter *letter)
{
        struct removal *removal = OWNER_OF(letter, struct removal, choose);
        struct request *r = caller_back(&removal->choose.job);

        if (r)
                submit_drop(r, removal);
}

static void got(struct letter *letter)
{
        struct removal *removal = (struct removal *)letter;
        struct store_get *get = &removal->get;
        struct request *r = caller_back(&get->job);

        if (!r)
                return;
        if (!get->record.document)
                request_fail(r, ERR_NOT_FOUND, NULL);
        else if (restaurant_dispatches_to(&get->owner, get->id))
                submit_choice(r, &removal->choose, &get->job, &removal->choice, unchosen);
        else
                submit_drop(r, removal);
}

void courier_integrations_remove(struct request *r)
{
        struct removal *removal = caller_restaurant_job(r, sizeof *removal, done_removal, got);
        struct why why;
        enum err e;

        if (!removal)
                return;
        e = caller_id(r, 1, &removal->choice.integration, &why);
        removal->get.kind = RECORD_INTEGRATION;
        id_write(&removal->choice.integration, removal->get.id);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_get(caller_app(r)->store, &removal->get);
}

/* ---- POST …/{integrationId}/rotate-key, …/rotate-signing-secret ---- */

/* The verb, and the new key or secret. */
struct rotating {
        struct store_edit edit;
        struct rotation rotation;
};

static void done_rotating(void *memory)
{
        struct rotating *rotating = memory;

        store_edit_done(&rotating->edit);
        rotation_done(&rotating->rotation);
}

static void rotated(struct letter *letter)
{
        struct rotating *rotating = (struct rotating *)letter;
        const struct rotation *rotation = &rotating->rotation;
        struct request *r = caller_back(&rotating->edit.job);
        CLEAN(json_put_at) struct json_object *data = NULL;

        if (!r)
                return;
        if (!rotating->edit.record.document) {
                request_fail(r, ERR_NOT_FOUND, NULL);
                return;
        }
        data = answer_object();
        if (!data || !json_add_text(data, rotation->sealed ? "signingSecret" : "apiKey", rotation->text) ||
            !json_add_time(data, rotation->sealed ? "oldSecretValidUntil" : "oldKeyValidUntil",
                           rotation->old_until_ms))
                request_fail(r, ERR_NO_MEMORY, NULL);
        else
                answer_one(r, 200, TAKE(data));
}

/* The body may be left out. */
static enum err read_grace(struct request *r, struct rotation *rotation, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        size_t length;
        enum err e = ERR_OK;

        request_body(r, &length);
        if (length > 0)
                e = caller_body(r, &body, why);
        if (e)
                return e;
        view = view_of(body);
        return rotation_read_grace(&view, &rotation->grace_ms, why);
}

static void start_rotation(struct request *r, bool secret)
{
        struct rotating *rotating = caller_restaurant_job(r, sizeof *rotating, done_rotating, rotated);
        struct id id;
        struct why why;
        enum err e;

        if (!rotating)
                return;
        rotating->edit.kind = RECORD_INTEGRATION;
        rotating->edit.edit = integration_rotate;
        rotating->edit.arg = &rotating->rotation;
        e = caller_id(r, 1, &id, &why);
        if (!e)
                e = secret ? rotation_secret(&id, caller_app(r)->keyring, &rotating->rotation, &why)
                           : rotation_key(&rotating->rotation, &why);
        if (!e)
                e = read_grace(r, &rotating->rotation, &why);
        if (e) {
                request_fail(r, e, &why);
                return;
        }
        id_write(&id, rotating->edit.id);
        if (request_hold(r))
                store_edit(caller_app(r)->store, &rotating->edit);
}

void courier_integrations_rotate_key(struct request *r)
{
        start_rotation(r, false);
}

void courier_integrations_rotate_secret(struct request *r)
{
        start_rotation(r, true);
}
