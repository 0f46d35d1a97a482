/* SPDX-License-Identifier: Apache-2.0 */
/* restaurants.c - restaurants, as the admin makes them and as they see themselves (docs/api.md 3). */
#include "handlers/restaurants.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/restaurant.h"
#include "model/token.h"

#include <string.h>

/* ---- POST /api/v1/restaurants ---- */

/* A restaurant, then its first token: where only the restaurant came to be, the admin makes a token for it. */
struct founding {
        struct store_put restaurant;
        struct store_put token;
        char text[APIKEY_TEXT_SIZE]; /* of the token */
};

static void done_founding(void *memory)
{
        struct founding *founding = memory;

        store_put_done(&founding->restaurant);
        store_put_done(&founding->token);
        explicit_bzero(founding->text, sizeof founding->text);
}

static void founded(struct letter *letter)
{
        struct founding *founding = OWNER_OF(letter, struct founding, token);
        struct request *r = caller_back(&founding->token.job);
        CLEAN(json_put_at) struct json_object *data = NULL;

        if (!r)
                return;
        if (founding->token.outcome == PUT_TAKEN) {
                request_fail(r, ERR_INTERNAL, NULL);
                return;
        }
        data = restaurant_write(&founding->restaurant.record);
        if (!data || !json_add_text(data, "token", founding->text))
                request_fail(r, ERR_NO_MEMORY, NULL);
        else
                answer_one(r, 201, TAKE(data));
}

static void restaurant_put(struct letter *letter)
{
        struct founding *founding = (struct founding *)letter;
        struct record *restaurant = &founding->restaurant.record;
        struct store_put *token = &founding->token;
        struct request *r = caller_back(&founding->restaurant.job);
        struct why why;
        enum err e;

        if (!r)
                return;
        if (founding->restaurant.outcome == PUT_TAKEN) {
                request_fail(r, ERR_TAKEN, NULL);
                return;
        }
        caller_next(&token->job, &founding->restaurant.job, founded);
        token->job.access.restaurant = restaurant->restaurant;
        e = token_make(&restaurant->restaurant, "İlk", time_now_ms(), &token->record, founding->text, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_put(caller_app(r)->store, token);
}

void restaurants_create(struct request *r)
{
        struct founding *founding = caller_job(r, sizeof *founding, done_founding, NULL, restaurant_put);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!founding)
                return;
        e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = restaurant_make(&view, time_now_ms(), &founding->restaurant.record, &why);
        }
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_put(caller_app(r)->store, &founding->restaurant);
}

/* ---- GET /api/v1/restaurants ---- */

static struct json_object *row(const struct store_find *find, int i)
{
        return restaurant_write(&find->records[i]);
}

static void listed(struct letter *letter)
{
        records_listed(letter, row);
}

void restaurants_list(struct request *r)
{
        records_list(r, RECORD_RESTAURANT, listed);
}

/* ---- GET /api/v1/restaurants/{id} ---- */

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
                answer_one(r, 200, restaurant_write(&get->record));
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

void restaurants_show(struct request *r)
{
        struct store_get *get = caller_restaurant_job(r, sizeof *get, done_get, shown);

        if (!get)
                return;
        get->kind = RECORD_RESTAURANT;
        id_write(&get->job.access.restaurant, get->id);
        if (request_hold(r))
                store_get(caller_app(r)->store, get);
}

/* ---- PATCH /api/v1/restaurants/{id} ---- */

/* The verb, and what it changes. */
struct amendment {
        struct store_edit edit;
        struct restaurant_patch patch;
};

static void done_amendment(void *memory)
{
        struct amendment *amendment = memory;

        store_edit_done(&amendment->edit);
        restaurant_patch_done(&amendment->patch);
}

static void amended(struct letter *letter)
{
        struct store_edit *edit = (struct store_edit *)letter;
        struct request *r = caller_back(&edit->job);

        if (!r)
                return;
        if (edit->record.document)
                answer_one(r, 200, restaurant_write(&edit->record));
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

static enum err read_amendment(struct request *r, const struct view *body, struct amendment *ret,
                               struct why *why)
{
        if (view_has(body, "active") && request_credential(r) != CREDENTIAL_ADMIN)
                return FAIL(why, ERR_FORBIDDEN, "only the admin may deactivate");
        return restaurant_patch_read(body, &ret->patch, why);
}

void restaurants_change(struct request *r)
{
        struct amendment *amendment = caller_restaurant_job(r, sizeof *amendment, done_amendment, amended);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!amendment)
                return;
        e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = read_amendment(r, &view, amendment, &why);
        }
        amendment->edit.kind = RECORD_RESTAURANT;
        id_write(&amendment->edit.job.access.restaurant, amendment->edit.id);
        amendment->edit.edit = restaurant_edit;
        amendment->edit.arg = &amendment->patch;
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_edit(caller_app(r)->store, &amendment->edit);
}
