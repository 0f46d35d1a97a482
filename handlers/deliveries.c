/* SPDX-License-Identifier: Apache-2.0 */
/* deliveries.c - what orders owe to others: what became of it, and trying again what failed (docs/api.md 4). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"

#include <string.h>

static enum err read_platform(const char *word, bool *ret_given, enum platform *ret, struct why *why)
{
        *ret_given = word;
        return word && !platform_find(word, ret) ? FAIL_FIELD(why, "platform", "none of ours") : ERR_OK;
}

/* ---- GET /api/v1/deliveries ---- */

/* Appends those deliveries of the order that the list asks for. */
static bool add_deliveries(struct json_object *rows, const struct store_list *list, const struct order *order,
                           int64_t now_ms)
{
        for (int party = 0; party < PARTY_COUNT; party++) {
                enum delivery state;
                const struct step *step;

                if ((list->has_platform && party != PARTY_PLATFORM) ||
                    !target_state(order, (enum party)party, now_ms, &state, &step) ||
                    (list->has_delivery && state != list->delivery))
                        continue;
                if (!json_append(rows, delivery_write(order, (enum party)party, now_ms)))
                        return false;
        }
        return true;
}

static enum err listed(struct request *r, void *verb)
{
        const struct store_list *list = verb;
        CLEAN(json_put_at) struct json_object *rows = answer_array();
        const int64_t now_ms = time_now_ms();

        for (int i = 0; i < list->n; i++)
                if (!add_deliveries(rows, list, list->orders[i], now_ms))
                        return ERR_NO_MEMORY;
        return answer_list(r, TAKE(rows), list->next);
}

static enum err read_list(struct request *r, void *verb, struct why *why)
{
        struct store_list *list = verb;
        const char *state = request_query(r, "state");
        enum err e = caller_list(r, list, why);

        list->documents = true; /* which calls there are may stand in what the platform gave with the order */
        list->has_delivery = state;
        if (!e && state && !delivery_find(state, &list->delivery))
                e = FAIL_FIELD(why, "state", "none of ours");
        return e ? e : read_platform(request_query(r, "platform"), &list->has_platform, &list->platform, why);
}

HANDLER(deliveries_list, VERB_LIST, OWN, read_list, listed)

/* ---- POST /api/v1/deliveries/{id}/replay ---- */

static enum err replayed(struct request *r, void *verb)
{
        const struct store_replay *replay = verb;

        if (replay->outcome != REPLAY_DONE)
                return replay->outcome == REPLAY_NOT_FAILED ? ERR_NOT_REPLAYABLE : ERR_NOT_FOUND;
        return answer_one(r, 200, delivery_write(replay->stored, replay->party, time_now_ms()));
}

/* `<orderId>-<party>`; what is written otherwise is nobody's. */
static enum err read_delivery_id(struct request *r, void *verb, struct why *why)
{
        struct store_replay *replay = verb;
        const char *text = request_arg(r, 0);
        char order[ID_TEXT_SIZE] = "";

        if (strlen(text) > ID_TEXT_SIZE && text[ID_TEXT_SIZE - 1] == '-')
                memcpy(order, text, ID_TEXT_SIZE - 1);
        if (id_read(order, &replay->order))
                for (int party = 0; party < PARTY_COUNT; party++)
                        if (streq(text + ID_TEXT_SIZE, party_word((enum party)party))) {
                                replay->party = (enum party)party;
                                return ERR_OK;
                        }
        return FAIL(why, ERR_NOT_FOUND, "not a delivery's id");
}

HANDLER(deliveries_replay, VERB_REPLAY, OWN, read_delivery_id, replayed)

/* ---- POST /api/v1/deliveries/replay ---- */

static enum err all_replayed(struct request *r, void *verb)
{
        const struct store_replay_all *replay = verb;
        struct json_object *data = answer_object();

        return answer_filled(r, 200, data,
                             data && json_add_int(data, "replayed", replay->replayed) &&
                                     json_add_bool(data, "more", replay->more));
}

static enum err read_all(struct request *r, void *verb, struct why *why)
{
        struct store_replay_all *replay = verb;
        CLEAN(view_put) struct view body = {0};
        const char *state = NULL, *platform = NULL;
        enum err e = caller_body(r, &body, why);

        e = e ? e : view_need_text(&body, "state", 1, 32, &state, why);
        if (!e && !streq(state, delivery_word(DELIVERY_FAILED)))
                e = FAIL_FIELD(why, "state", "only what failed can be replayed");
        e = e ? e : view_opt_text(&body, "platform", 1, 32, &platform, why);
        e = e ? e : read_platform(platform, &replay->has_platform, &replay->platform, why);
        return e ? e : view_opt_time(&body, "since", &replay->since_ms, why);
}

HANDLER(deliveries_replay_all, VERB_REPLAY_ALL, OWN, read_all, all_replayed)
