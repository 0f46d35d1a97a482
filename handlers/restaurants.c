/* SPDX-License-Identifier: Apache-2.0 */
/* restaurants.c - restaurants, as the admin makes them and as they see themselves, and their tokens. */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/restaurant.h"
#include "model/token.h"

#include <string.h>

/* ---- POST /api/v1/restaurants/{id}/tokens ---- */

/* A token that is being made. */
struct issue {
        char text[APIKEY_TEXT_SIZE];     /* shown once */
        const struct record *restaurant; /* that it was founded with; NULL: it was there */
};

static void wipe_issue(void *issue)
{
        explicit_bzero(issue, sizeof(struct issue));
}

static enum err issued(struct request *r, void *verb)
{
        const struct store_put *put = verb;
        const struct issue *issue = caller_state(verb);
        struct json_object *data;

        if (put->outcome == PUT_TAKEN)
                return ERR_INTERNAL;
        if (!issue->restaurant)
                return answer_one(r, 201, token_write(&put->record, issue->text));
        data = restaurant_write(issue->restaurant);
        return answer_filled(r, 201, data, data && json_add_text(data, "token", issue->text));
}

static enum err make_token(struct store_put *put, const char *name, const struct record *restaurant,
                           struct why *why)
{
        struct issue *issue = caller_keep(put, sizeof *issue, wipe_issue);

        if (!issue)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a token");
        issue->restaurant = restaurant;
        return token_make(&put->job.access.restaurant, name, time_now_ms(), &put->record, issue->text, why);
}

static enum err read_token(struct request *r, void *verb, struct why *why)
{
        CLEAN(view_put) struct view body = {0};
        const char *name = NULL;
        enum err e = caller_body(r, &body, why);

        e = e ? e : view_need_text(&body, "name", 1, NAME_MAX_CHARACTERS, &name, why);
        return e ? e : make_token(verb, name, NULL, why);
}

HANDLER(tokens_create, VERB_PUT, NAMED, read_token, issued)

/* ---- POST /api/v1/restaurants ---- */

static enum err read_restaurant(struct request *r, void *verb, struct why *why)
{
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, why);

        return e ? e : restaurant_make(&body, time_now_ms(), &((struct store_put *)verb)->record, why);
}

/* Then its first token: where only the restaurant came to be, the admin makes a token for it. */
static enum err founded(struct request *r, void *verb)
{
        struct store_put *restaurant = verb, *token;
        enum err e;

        (void)r;
        if (restaurant->outcome == PUT_TAKEN)
                return ERR_TAKEN;
        token = caller_next(verb, VERB_PUT, issued);
        if (!token)
                return ERR_NO_MEMORY;
        token->job.access.restaurant = restaurant->record.restaurant;
        e = make_token(token, "İlk", &restaurant->record, &restaurant->job.why);
        return e ? e : caller_submit(token);
}

HANDLER(restaurants_create, VERB_PUT, OWN, read_restaurant, founded)

/* ---- PATCH /api/v1/restaurants/{id} ---- */

static void done_patch(void *patch)
{
        restaurant_patch_done(patch);
}

static enum err read_change(struct request *r, void *verb, struct why *why)
{
        struct store_edit *edit = verb;
        struct restaurant_patch *patch = caller_keep(verb, sizeof *patch, done_patch);
        CLEAN(view_put) struct view body = {0};
        enum err e = patch ? caller_body(r, &body, why) : ERR_NO_MEMORY;

        if (e)
                return e;
        if (view_has(&body, "active") && request_credential(r) != CREDENTIAL_ADMIN)
                return FAIL(why, ERR_FORBIDDEN, "only the admin may deactivate");
        edit->kind = RECORD_RESTAURANT;
        edit->edit = restaurant_edit;
        edit->arg = patch;
        id_write(&edit->job.access.restaurant, edit->id);
        return restaurant_patch_read(&body, patch, why);
}

HANDLER(restaurants_change, VERB_EDIT, NAMED, read_change, records_edited)
