/* SPDX-License-Identifier: Apache-2.0 */
/* courier_integrations.c - a restaurant's courier firms and their keys (docs/api.md 3).
 *
 * Which firm orders go to by themselves is said by the restaurant's record, so that some requests write two records, one
 * after the other. If the second write fails the answer is an error, and the same request again sets it right. */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/integration.h"
#include "model/restaurant.h"
#include "server/config.h"
#include "server/url.h"

/* Edits the restaurant's record. */
static enum err submit_choice(void *before, struct dispatch_choice *choice, caller_answer *answer)
{
        char id[ID_TEXT_SIZE];

        return records_edit(before, RECORD_RESTAURANT,
                            id_write(&((struct job *)before)->access.restaurant, id),
                            restaurant_choose_dispatch, choice, answer);
}

/* ---- POST …, PATCH …/{integrationId} ---- */

/* A look at what is there, the integration's write, and the restaurant's where orders are to go elsewhere from now on. */
struct writing {
        bool fresh; /* POST */
        struct id id;
        struct integration_patch patch;
        struct rotation key, secret; /* POST: the first ones */
        struct dispatch_choice choice;
        const struct store_find *before; /* borrowed from the request, like what is stored */
        const struct record *stored;
};

static void done_writing(void *memory)
{
        struct writing *w = memory;

        integration_patch_done(&w->patch);
        rotation_done(&w->key);
        rotation_done(&w->secret);
}

static enum err answer_written(struct request *r, void *verb)
{
        const struct writing *w = caller_state(verb);
        struct json_object *data = integration_write(w->stored, w->choice.on);

        return answer_filled(r, w->fresh ? 201 : 200, data,
                             data && (!w->fresh || (json_add_text(data, "apiKey", w->key.text) &&
                                                    json_add_text(data, "signingSecret", w->secret.text))));
}

/* Whether none had an address to dispatch to, this one included. */
static bool is_first(const struct store_find *find)
{
        for (int i = 0; i < find->n; i++)
                if (integration_has_url(&find->records[i]))
                        return false;
        return true;
}

static enum err choose(struct request *r, void *verb, const struct record *stored)
{
        struct writing *w = caller_state(verb);
        const bool before = restaurant_dispatches_to(&w->before->owner, stored->id);

        w->stored = stored;
        w->choice = (struct dispatch_choice){.integration = w->id, .on = before};
        if (w->patch.has_auto)
                w->choice.on = w->patch.auto_dispatch;
        else if (!integration_has_url(stored))
                w->choice.on = false;
        else if (w->patch.gives_url && is_first(w->before))
                w->choice.on = true;
        if (w->patch.has_auto || w->choice.on != before)
                return submit_choice(verb, &w->choice, answer_written);
        return answer_written(r, verb);
}

static enum err put(struct request *r, void *verb)
{
        const struct store_put *put = verb;

        return put->outcome == PUT_TAKEN ? ERR_INTERNAL : choose(r, verb, &put->record);
}

static enum err edited(struct request *r, void *verb)
{
        const struct store_edit *edit = verb;

        return edit->record.document ? choose(r, verb, &edit->record) : ERR_NOT_FOUND;
}

static enum err make(void *find, struct writing *w, const struct keyring *ring, struct why *why)
{
        struct store_put *new = caller_next(find, VERB_PUT, put);
        enum err e = new ? rotation_key(&w->key, why) : ERR_NO_MEMORY;

        e = e ? e : rotation_secret(&w->id, ring, &w->secret, why);
        if (!e)
                e = integration_make(&new->job.access.restaurant, &w->id, &w->patch, &w->key, &w->secret,
                                     &new->record, why);
        return e ? e : caller_submit(new);
}

static enum err check_url(struct request *r, const struct view *body, struct why *why)
{
        const char *url = json_get_text(body->object, "dispatchUrl");

        return !url || url_may_be_given(caller_app(r)->guard, url)
                       ? ERR_OK
                       : FAIL_FIELD(why, "dispatchUrl", "an address that may not be called");
}

static enum err found(struct request *r, void *verb)
{
        struct why *why = &((struct job *)verb)->why;
        struct writing *w = caller_state(verb);
        const struct keyring *ring = caller_app(r)->keyring;
        CLEAN(view_put) struct view body = {0};
        char id[ID_TEXT_SIZE];
        enum err e = caller_body(r, &body, why);

        e = e ? e
              : integration_patch_read(&body, w->fresh, &w->id, ring, caller_app(r)->config->outbound_allow,
                                       &w->patch, why);
        e = e ? e : check_url(r, &body, why);
        if (e)
                return e;
        return w->fresh ? make(verb, w, ring, why)
                        : records_edit(verb, RECORD_INTEGRATION, id_write(&w->id, id), integration_edit,
                                       &w->patch, edited);
}

static enum err read_writing(struct request *r, void *verb, struct why *why)
{
        struct store_find *find = verb;
        struct writing *w = caller_keep(verb, sizeof *w, done_writing);

        if (!w)
                return ERR_NO_MEMORY;
        find->kind = RECORD_INTEGRATION;
        find->limit = LIST_MAX;
        w->before = find;
        w->fresh = request_route(r)->handler == courier_integrations_create;
        if (!w->fresh)
                return caller_id(r, 1, &w->id, why);
        return id_make(time_now_ms(), &w->id) ? ERR_OK : FAIL(why, ERR_INTERNAL, "no randomness for an id");
}

HANDLER(courier_integrations_create, VERB_FIND, NAMED, read_writing, found)
HANDLER(courier_integrations_change, VERB_FIND, NAMED, read_writing, found)

/* ---- DELETE …/{integrationId}: a look; the restaurant's record, where orders go to this one; the drop ---- */

static enum err unchosen(struct request *r, void *verb)
{
        const struct dispatch_choice *choice = caller_state(verb);
        struct store_drop *drop = caller_next(verb, VERB_DROP, records_dropped);

        (void)r;
        if (!drop)
                return ERR_NO_MEMORY;
        drop->kind = RECORD_INTEGRATION;
        id_write(&choice->integration, drop->id);
        return caller_submit(drop);
}

static enum err got(struct request *r, void *verb)
{
        const struct store_get *get = verb;

        if (!get->record.document)
                return ERR_NOT_FOUND;
        return restaurant_dispatches_to(&get->owner, get->id)
                       ? submit_choice(verb, caller_state(verb), unchosen)
                       : unchosen(r, verb);
}

static enum err read_removal(struct request *r, void *verb, struct why *why)
{
        struct store_get *get = verb;
        struct dispatch_choice *choice = caller_keep(verb, sizeof *choice, NULL);
        enum err e = choice ? caller_id(r, 1, &choice->integration, why) : ERR_NO_MEMORY;

        if (e)
                return e;
        get->kind = RECORD_INTEGRATION;
        id_write(&choice->integration, get->id);
        return ERR_OK;
}

HANDLER(courier_integrations_remove, VERB_GET, NAMED, read_removal, got)

/* ---- POST …/{integrationId}/rotate-key, …/rotate-signing-secret ---- */

static void done_rotation(void *rotation)
{
        rotation_done(rotation);
}

static enum err rotated(struct request *r, void *verb)
{
        const struct store_edit *edit = verb;
        const struct rotation *rotation = caller_state(verb);
        const bool secret = rotation->sealed;
        struct json_object *data;

        if (!edit->record.document)
                return ERR_NOT_FOUND;
        data = answer_object();
        return answer_filled(
                r, 200, data,
                data && json_add_text(data, secret ? "signingSecret" : "apiKey", rotation->text) &&
                        json_add_time(data, secret ? "oldSecretValidUntil" : "oldKeyValidUntil",
                                      rotation->old_until_ms));
}

static enum err read_rotation(struct request *r, void *verb, struct why *why)
{
        const bool secret = request_route(r)->handler == courier_integrations_rotate_secret;
        struct store_edit *edit = verb;
        struct rotation *rotation = caller_keep(edit, sizeof *rotation, done_rotation);
        CLEAN(view_put) struct view body = {0};
        struct id id;
        size_t length;
        enum err e = rotation ? caller_id(r, 1, &id, why) : ERR_NO_MEMORY;

        if (!e)
                e = secret ? rotation_secret(&id, caller_app(r)->keyring, rotation, why)
                           : rotation_key(rotation, why);
        request_body(r, &length);
        if (!e && length > 0) /* it may be left out */
                e = caller_body(r, &body, why);
        if (e)
                return e;
        edit->kind = RECORD_INTEGRATION;
        id_write(&id, edit->id);
        edit->edit = integration_rotate;
        edit->arg = rotation;
        return rotation_read_grace(&body, &rotation->grace_ms, why);
}

HANDLER(courier_integrations_rotate_key, VERB_EDIT, NAMED, read_rotation, rotated)
HANDLER(courier_integrations_rotate_secret, VERB_EDIT, NAMED, read_rotation, rotated)
