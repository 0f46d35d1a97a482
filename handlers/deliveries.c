/* SPDX-License-Identifier: Apache-2.0 */
/* deliveries.c - what orders owe to others: what became of it, and trying again what failed (docs/api.md 4). */
#include "handlers/deliveries.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"

#include <string.h>

/* ---- GET /api/v1/deliveries ---- */

static void done_list(void *list)
{
        store_list_done(list);
}

/* Appends those deliveries of the order that the list asks for. */
static bool add_deliveries(struct json_object *rows, const struct store_list *list, const struct order *order,
                           int64_t now_ms)
{
        for (int party = 0; party < PARTY_COUNT; party++) {
                enum delivery state;
                const struct step *step;

                if (!target_state(order, (enum party)party, now_ms, &state, &step) ||
                    (list->has_delivery && state != list->delivery))
                        continue;
                if (!json_append(rows, delivery_write(order, (enum party)party, now_ms)))
                        return false;
        }
        return true;
}

static void listed(struct letter *letter)
{
        struct store_list *list = (struct store_list *)letter;
        struct request *r = caller_back(&list->job);
        CLEAN(json_put_at) struct json_object *rows = NULL;
        int64_t now_ms = time_now_ms();

        if (!r)
                return;
        rows = answer_array();
        for (int i = 0; i < list->n; i++)
                if (!add_deliveries(rows, list, list->orders[i], now_ms)) {
                        request_fail(r, ERR_NO_MEMORY, NULL);
                        return;
                }
        answer_list(r, TAKE(rows), list->next);
}

static enum err read_list(struct request *r, struct store_list *ret, struct why *why)
{
        const char *state = request_query(r, "state"), *platform = request_query(r, "platform");
        enum err e = caller_page(r, &ret->limit, ret->after, why);

        ret->has_delivery = state;
        ret->has_platform = platform;
        if (!e && state && !delivery_find(state, &ret->delivery))
                e = FAIL_FIELD(why, "state", "none of ours");
        if (!e && platform && !platform_find(platform, &ret->platform))
                e = FAIL_FIELD(why, "platform", "none of ours");
        return e ? e : caller_since(r, &ret->since_ms, why);
}

void deliveries_list(struct request *r)
{
        struct store_list *list = caller_job(r, sizeof *list, done_list, NULL, listed);
        struct why why;
        enum err e;

        if (!list)
                return;
        e = read_list(r, list, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_list(caller_app(r)->store, list);
}

/* ---- POST /api/v1/deliveries/{id}/replay ---- */

static void done_replay(void *replay)
{
        store_replay_done(replay);
}

static void replayed(struct letter *letter)
{
        struct store_replay *replay = (struct store_replay *)letter;
        struct request *r = caller_back(&replay->job);

        if (!r)
                return;
        switch (replay->outcome) {
        case REPLAY_DONE:
                answer_one(r, 200, delivery_write(replay->stored, replay->party, time_now_ms()));
                break;
        case REPLAY_NOT_FAILED: request_fail(r, ERR_NOT_REPLAYABLE, NULL); break;
        case REPLAY_UNKNOWN: request_fail(r, ERR_NOT_FOUND, NULL); break;
        }
}

/* `<orderId>-<party>`; what is written otherwise is nobody's. */
static enum err read_delivery_id(const char *text, struct store_replay *ret, struct why *why)
{
        char order[ID_TEXT_SIZE] = "";

        if (strlen(text) > ID_TEXT_SIZE && text[ID_TEXT_SIZE - 1] == '-')
                memcpy(order, text, ID_TEXT_SIZE - 1);
        if (id_read(order, &ret->order))
                for (int party = 0; party < PARTY_COUNT; party++)
                        if (streq(text + ID_TEXT_SIZE, party_word((enum party)party))) {
                                ret->party = (enum party)party;
                                return ERR_OK;
                        }
        return FAIL(why, ERR_NOT_FOUND, "not a delivery's id");
}

void deliveries_replay(struct request *r)
{
        struct store_replay *replay = caller_job(r, sizeof *replay, done_replay, NULL, replayed);
        struct why why;
        enum err e;

        if (!replay)
                return;
        e = read_delivery_id(request_arg(r, 0), replay, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_replay(caller_app(r)->store, replay);
}

/* ---- POST /api/v1/deliveries/replay ---- */

static void all_replayed(struct letter *letter)
{
        struct store_replay_all *replay = (struct store_replay_all *)letter;
        struct request *r = caller_back(&replay->job);
        CLEAN(json_put_at) struct json_object *data = NULL;

        if (!r)
                return;
        data = answer_object();
        if (!data || !json_add_int(data, "replayed", replay->replayed) ||
            !json_add_bool(data, "more", replay->more))
                request_fail(r, ERR_NO_MEMORY, NULL);
        else
                answer_one(r, 200, TAKE(data));
}

static enum err read_all(const struct view *body, struct store_replay_all *ret, struct why *why)
{
        const char *state = NULL, *platform = NULL;
        enum err e = view_need_text(body, "state", 1, 32, &state, why);

        if (!e && !streq(state, delivery_word(DELIVERY_FAILED)))
                e = FAIL_FIELD(why, "state", "only what failed can be replayed");
        if (!e)
                e = view_opt_text(body, "platform", 1, 32, &platform, why);
        if (!e && platform && !platform_find(platform, &ret->platform))
                e = FAIL_FIELD(why, "platform", "none of ours");
        ret->has_platform = platform;
        return e ? e : view_opt_time(body, "since", &ret->since_ms, why);
}

void deliveries_replay_all(struct request *r)
{
        struct store_replay_all *replay = caller_job(r, sizeof *replay, NULL, NULL, all_replayed);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!replay)
                return;
        e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = read_all(&view, replay, &why);
        }
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_replay_all(caller_app(r)->store, replay);
}
