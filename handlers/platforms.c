/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.c - a restaurant's accounts on platforms (docs/api.md 3). */
#include "handlers/platforms.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/connection.h"
#include "server/outbound.h"

/* The id of the connection that the route means. Errors: NOT_FOUND: a platform that nobody can be connected to. */
static enum err read_platform(struct request *r, const struct access *access, char ret_id[RECORD_ID_SIZE],
                              const struct dialect **ret, struct why *why)
{
        const struct dialect *dialect;
        enum platform platform;

        if (!platform_find(request_arg(r, 1), &platform) || !(dialect = dialect_of(platform)))
                return FAIL(why, ERR_NOT_FOUND, "no such platform");
        connection_id(&access->restaurant, platform, ret_id);
        *ret = dialect;
        return ERR_OK;
}

static struct json_object *write(struct request *r, const struct record *record)
{
        enum platform platform;

        return connection_platform(record, &platform)
                       ? connection_write(record, outbound_breaker_is_open(caller_app(r)->outbound, platform))
                       : NULL;
}

static void answer(struct request *r, const struct record *record)
{
        if (record->document)
                answer_one(r, 200, write(r, record));
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

/* ---- GET …/platforms ---- */

static struct json_object *row(const struct store_find *find, int i)
{
        return write(find->job.arg, &find->records[i]);
}

static void listed(struct letter *letter)
{
        records_listed(letter, row);
}

void platforms_list(struct request *r)
{
        records_list(r, RECORD_CONNECTION, listed);
}

/* ---- GET …/platforms/{platform} ---- */

static void done_get(void *get)
{
        store_get_done(get);
}

static void shown(struct letter *letter)
{
        struct store_get *get = (struct store_get *)letter;
        struct request *r = caller_back(&get->job);

        if (r)
                answer(r, &get->record);
}

void platforms_show(struct request *r)
{
        struct store_get *get = caller_restaurant_job(r, sizeof *get, done_get, shown);
        const struct dialect *dialect;
        struct why why;
        enum err e;

        if (!get)
                return;
        get->kind = RECORD_CONNECTION;
        e = read_platform(r, &get->job.access, get->id, &dialect, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_get(caller_app(r)->store, get);
}

/* ---- PUT …/platforms/{platform} ---- */

/* Who asks is looked at before what: first a read, then, by what it found, a new record or a change. */
struct connecting {
        struct store_get get;
        struct store_put put;
        struct store_edit edit;
        struct connection_patch patch;
};

static void done_connecting(void *memory)
{
        struct connecting *connecting = memory;

        store_get_done(&connecting->get);
        store_put_done(&connecting->put);
        store_edit_done(&connecting->edit);
        connection_patch_done(&connecting->patch);
}

static void edited(struct letter *letter)
{
        struct store_edit *edit = (struct store_edit *)letter;
        struct request *r = caller_back(&edit->job);

        if (r)
                answer(r, &edit->record);
}

static void submit_edit(struct request *r, struct connecting *connecting)
{
        struct store_edit *edit = &connecting->edit;

        caller_next(&edit->job, &connecting->get.job, edited);
        edit->kind = RECORD_CONNECTION;
        text_copy(edit->id, sizeof edit->id, connecting->get.id);
        edit->edit = connection_edit;
        edit->arg = &connecting->patch;
        if (request_hold(r))
                store_edit(caller_app(r)->store, edit);
}

static void put(struct letter *letter)
{
        struct connecting *connecting = OWNER_OF(letter, struct connecting, put);
        struct request *r = caller_back(&connecting->put.job);

        if (!r)
                return;
        if (connecting->put.outcome == PUT_TAKEN) /* by another request, just now */
                submit_edit(r, connecting);
        else
                answer(r, &connecting->put.record);
}

static void found(struct letter *letter)
{
        struct connecting *connecting = (struct connecting *)letter;
        struct store_get *get = &connecting->get;
        struct store_put *new = &connecting->put;
        struct request *r = caller_back(&get->job);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!r)
                return;
        e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = connection_patch_read(&view, &connecting->patch, &why);
        }
        if (!e && get->record.document) {
                submit_edit(r, connecting);
                return;
        }
        caller_next(&new->job, &get->job, put);
        if (!e)
                e = connection_make(&get->job.access.restaurant, &connecting->patch, &new->record, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_put(caller_app(r)->store, new);
}

void platforms_connect(struct request *r)
{
        struct connecting *connecting = caller_restaurant_job(r, sizeof *connecting, done_connecting, found);
        struct why why;
        enum err e;

        if (!connecting)
                return;
        connecting->patch.ring = caller_app(r)->keyring;
        connecting->get.kind = RECORD_CONNECTION;
        e = read_platform(r, &connecting->get.job.access, connecting->get.id, &connecting->patch.dialect,
                          &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_get(caller_app(r)->store, &connecting->get);
}

/* ---- DELETE …/platforms/{platform} ---- */

void platforms_disconnect(struct request *r)
{
        struct store_drop *drop = caller_restaurant_job(r, sizeof *drop, NULL, records_dropped);
        const struct dialect *dialect;
        struct why why;
        enum err e;

        if (!drop)
                return;
        drop->kind = RECORD_CONNECTION;
        e = read_platform(r, &drop->job.access, drop->id, &dialect, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_drop(caller_app(r)->store, drop);
}
