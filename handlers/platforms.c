/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.c - a restaurant is connected to a platform (docs/api.md 3).
 *
 * Who asks is looked at before what: first a read, then, by what it found, a new record or a change. */
#include "handlers/handlers.h"

#include "handlers/records.h"
#include "model/clean.h"
#include "model/connection.h"

static void done_patch(void *patch)
{
        connection_patch_done(patch);
}

static enum err submit_edit(void *before, const char *id)
{
        return records_edit(before, RECORD_CONNECTION, id, connection_edit, caller_state(before),
                            records_edited);
}

static enum err put(struct request *r, void *verb)
{
        const struct store_put *put = verb;

        if (put->outcome == PUT_TAKEN) /* by another request, just now */
                return submit_edit(verb, put->record.id);
        return records_answer(r, &put->record, NULL);
}

static enum err found(struct request *r, void *verb)
{
        struct store_get *get = verb;
        struct connection_patch *patch = caller_state(verb);
        struct store_put *new;
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, &get->job.why);

        e = e ? e : connection_patch_read(&body, patch, &get->job.why);
        if (e)
                return e;
        if (get->record.document)
                return submit_edit(verb, get->id);
        new = caller_next(verb, VERB_PUT, put);
        if (!new)
                return ERR_NO_MEMORY;
        e = connection_make(&get->job.access.restaurant, patch, &new->record, &get->job.why);
        return e ? e : caller_submit(new);
}

static enum err read_platform(struct request *r, void *verb, struct why *why)
{
        struct store_get *get = verb;
        struct connection_patch *patch = caller_keep(verb, sizeof *patch, done_patch);
        enum platform platform;
        enum err e = patch ? records_id(r, RECORD_CONNECTION, get->id, why) : ERR_NO_MEMORY;

        if (e)
                return e;
        get->kind = RECORD_CONNECTION;
        patch->ring = caller_app(r)->keyring;
        if (platform_find(request_arg(r, 1), &platform))
                patch->dialect = dialect_of(platform);
        return ERR_OK;
}

HANDLER(platforms_connect, VERB_GET, NAMED, read_platform, found)
