/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_account.c - a restaurant is connected to Yandex Eats, which then calls us (docs/api.md 3).
 *
 * As platforms.c does it: who asks is looked at before what. */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/connection.h"
#include "model/yandex_account.h"
#include "server/config.h"

#include <string.h>

static void wipe_patch(void *patch)
{
        explicit_bzero(patch, sizeof(struct yandex_patch));
}

static enum err answer(struct request *r, const struct record *record, const struct yandex_patch *patch)
{
        struct json_object *data;

        if (!record->document)
                return ERR_NOT_FOUND;
        data = yandex_account_write(record, caller_app(r)->config->public_url);
        return answer_filled(
                r, 200, data,
                data && (!patch->is_renewed || json_add_text(data, "clientSecret", patch->secret)));
}

static enum err edited(struct request *r, void *verb)
{
        return answer(r, &((struct store_edit *)verb)->record, caller_state(verb));
}

static enum err submit_edit(void *before, const char *id)
{
        return records_edit(before, RECORD_CONNECTION, id, yandex_account_edit, caller_state(before), edited);
}

static enum err put(struct request *r, void *verb)
{
        const struct store_put *put = verb;

        if (put->outcome == PUT_TAKEN) /* by another request, just now */
                return submit_edit(verb, put->record.id);
        return answer(r, &put->record, caller_state(verb));
}

static enum err found(struct request *r, void *verb)
{
        struct store_get *get = verb;
        struct yandex_patch *patch = caller_state(verb);
        struct store_put *new;
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, &get->job.why);

        e = e ? e : yandex_patch_read(&body, patch, &get->job.why);
        if (e)
                return e;
        if (get->record.document)
                return submit_edit(verb, get->id);
        new = caller_next(verb, VERB_PUT, put);
        if (!new)
                return ERR_NO_MEMORY;
        e = yandex_account_make(&get->job.access.restaurant, patch, &new->record, &get->job.why);
        return e ? e : caller_submit(new);
}

static enum err read_account(struct request *r, void *verb, struct why *why)
{
        struct store_get *get = verb;
        struct id id;
        enum err e = caller_keep(verb, sizeof(struct yandex_patch), wipe_patch) ? caller_id(r, 0, &id, why)
                                                                                : ERR_NO_MEMORY;

        if (e)
                return e;
        get->kind = RECORD_CONNECTION;
        connection_id(&id, PLATFORM_YANDEX, get->id);
        return ERR_OK;
}

HANDLER(yandex_connect, VERB_GET, NAMED, read_account, found)
