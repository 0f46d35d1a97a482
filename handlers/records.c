/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - the lists, single looks and deletions of all kinds of records, and what their other routes share. */
#include "handlers/records.h"

#include "handlers/answer.h"
#include "handlers/handlers.h"
#include "model/clean.h"
#include "model/connection.h"
#include "model/erasure.h"
#include "model/integration.h"
#include "model/restaurant.h"
#include "model/token.h"
#include "model/yandex_account.h"
#include "server/config.h"
#include "server/outbound.h"

enum err records_id(struct request *r, enum record_kind kind, char ret[RECORD_ID_SIZE], struct why *why)
{
        enum platform platform;
        struct id id;
        enum err e = caller_id(r, kind == RECORD_RESTAURANT || kind == RECORD_CONNECTION ? 0 : 1, &id, why);

        if (e)
                return e;
        if (kind != RECORD_CONNECTION)
                id_write(&id, ret);
        else if (platform_find(request_arg(r, 1), &platform) && platform != PLATFORM_PHONE)
                connection_id(&id, platform, ret);
        else
                return FAIL(why, ERR_NOT_FOUND, "no platform that anybody can be connected to");
        return ERR_OK;
}

static struct json_object *write(struct request *r, const struct record *record, const struct record *owner)
{
        enum platform platform;

        switch (record->kind) {
        case RECORD_RESTAURANT: return restaurant_write(record);
        case RECORD_TOKEN: return token_write(record, NULL);
        case RECORD_INTEGRATION:
                return integration_write(record, restaurant_dispatches_to(owner, record->id));
        case RECORD_CONNECTION:
                if (!connection_platform(record, &platform))
                        break;
                return platform == PLATFORM_YANDEX
                               ? yandex_account_write(record, caller_app(r)->config->public_url)
                               : connection_write(
                                         record, outbound_breaker_is_open(caller_app(r)->outbound, platform));
        case RECORD_ERASURE: return erasure_write(record);
        case RECORD_POLL:
        case RECORD_KEY:
        case RECORD_KIND_COUNT: break;
        }
        return NULL;
}

enum err records_answer(struct request *r, const struct record *record, const struct record *owner)
{
        return record->document ? answer_one(r, 200, write(r, record, owner)) : ERR_NOT_FOUND;
}

enum err records_edit(void *before, enum record_kind kind, const char *id, record_editor *edit, void *arg,
                      caller_answer *answer)
{
        struct store_edit *verb = caller_next(before, VERB_EDIT, answer);

        if (!verb)
                return ERR_NO_MEMORY;
        verb->kind = kind;
        text_copy(verb->id, sizeof verb->id, id);
        verb->edit = edit;
        verb->arg = arg;
        return caller_submit(verb);
}

enum err records_edited(struct request *r, void *verb)
{
        return records_answer(r, &((struct store_edit *)verb)->record, NULL);
}

enum err records_dropped(struct request *r, void *verb)
{
        return ((struct store_drop *)verb)->dropped ? answer_one(r, 200, answer_object()) : ERR_NOT_FOUND;
}

/* ---- what is the same for all kinds ---- */

static enum err listed(struct request *r, void *verb)
{
        const struct store_find *find = verb;
        CLEAN(json_put_at) struct json_object *rows = answer_array();

        for (int i = 0; i < find->n; i++)
                if (!json_append(rows, write(r, &find->records[i], &find->owner)))
                        return ERR_NO_MEMORY;
        return answer_list(r, TAKE(rows), find->next);
}

static void list(struct request *r, enum record_kind kind)
{
        struct store_find *find = caller_job(
                r, VERB_FIND, kind == RECORD_RESTAURANT || kind == RECORD_ERASURE ? OWN : NAMED, listed);

        if (!find)
                return;
        find->kind = kind;
        caller_end(find, caller_page(r, &find->limit, find->after, &find->job.why));
}

static enum err shown(struct request *r, void *verb)
{
        const struct store_get *get = verb;

        return records_answer(r, &get->record, &get->owner);
}

static void show(struct request *r, enum record_kind kind)
{
        struct store_get *get = caller_job(r, VERB_GET, NAMED, shown);

        if (!get)
                return;
        get->kind = kind;
        caller_end(get, records_id(r, kind, get->id, &get->job.why));
}

static void drop(struct request *r, enum record_kind kind)
{
        struct store_drop *drop = caller_job(r, VERB_DROP, NAMED, records_dropped);

        if (!drop)
                return;
        drop->kind = kind;
        caller_end(drop, records_id(r, kind, drop->id, &drop->job.why));
}

/* clang-format off */ /* its versions differ about braces in macros */
#define OF_KIND(name, what, kind) void name(struct request *r) { what(r, kind); }

OF_KIND(restaurants_list, list, RECORD_RESTAURANT)
OF_KIND(restaurants_show, show, RECORD_RESTAURANT)
OF_KIND(erasures_list, list, RECORD_ERASURE)
OF_KIND(tokens_list, list, RECORD_TOKEN)
OF_KIND(tokens_revoke, drop, RECORD_TOKEN)
OF_KIND(platforms_list, list, RECORD_CONNECTION)
OF_KIND(platforms_show, show, RECORD_CONNECTION)
OF_KIND(platforms_disconnect, drop, RECORD_CONNECTION)
OF_KIND(courier_integrations_list, list, RECORD_INTEGRATION)
OF_KIND(courier_integrations_show, show, RECORD_INTEGRATION)
/* clang-format on */
