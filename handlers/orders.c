/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c - orders in and out, and the restaurant's own changes of status (docs/api.md 4). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- POST /api/v1/orders ---- */

static enum err created(struct request *r, void *verb)
{
        const struct store_create *create = verb;

        if (create->outcome == CREATE_TAKEN)
                return ERR_TAKEN;
        return answer_one(r, create->outcome == CREATE_NEW ? 201 : 200,
                          order_write(create->order, true, time_now_ms()));
}

static enum err read_create(struct request *r, void *verb, struct why *why)
{
        struct store_create *create = verb;
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, why);

        create->by = ACTOR_RESTAURANT;
        return e ? e : order_read(&body, &create->order, why);
}

HANDLER(orders_create, VERB_CREATE, OWN, read_create, created)

/* ---- GET /api/v1/orders ---- */

static enum err listed(struct request *r, void *verb)
{
        const struct store_list *list = verb;
        CLEAN(json_put_at) struct json_object *rows = answer_array();
        const int64_t now_ms = time_now_ms();

        for (int i = 0; i < list->n; i++)
                if (!json_append(rows, order_write(list->orders[i], false, now_ms)))
                        return ERR_NO_MEMORY;
        return answer_list(r, TAKE(rows), list->next);
}

static enum err read_list(struct request *r, void *verb, struct why *why)
{
        struct store_list *list = verb;
        const char *status = request_query(r, "status");

        list->documents = true;
        list->has_status = status;
        if (status && !status_find(status, &list->status))
                return FAIL_FIELD(why, "status", "none of ours");
        return caller_list(r, list, why);
}

HANDLER(orders_list, VERB_LIST, OWN, read_list, listed)

/* ---- GET /api/v1/orders/{id} ---- */

static enum err shown(struct request *r, void *verb)
{
        const struct order *order = ((struct store_read *)verb)->stored;

        return order ? answer_one(r, 200, order_write(order, true, time_now_ms())) : ERR_NOT_FOUND;
}

static enum err read_id(struct request *r, void *verb, struct why *why)
{
        return caller_id(r, 0, &((struct store_read *)verb)->order, why);
}

HANDLER(orders_show, VERB_READ, OWN, read_id, shown)

/* ---- PUT /api/v1/orders/{id}/status ---- */

static enum err moved(struct request *r, void *verb)
{
        static const enum err refusals[] = {[MOVE_FINAL] = ERR_ORDER_FINAL,
                                            [MOVE_PAST] = ERR_BACKWARD,
                                            [MOVE_KEY_REUSED] = ERR_KEY_REUSED,
                                            [MOVE_UNKNOWN] = ERR_NOT_FOUND};
        const struct store_move *move = verb;
        const enum err e = refusals[move->outcome];

        return e ? e : answer_one(r, 200, order_write(move->stored, true, time_now_ms()));
}

/* A platform's own name for why it is cancelled: a text, or the whole number that stands for it. */
static enum err read_reason(const struct view *body, char to[CANCEL_REASON_SIZE], struct why *why)
{
        const char *text = NULL;
        int64_t number = -1;

        if (!view_opt_int(body, "reasonId", 0, INT64_MAX, &number, NULL)) {
                if (number >= 0)
                        snprintf(to, CANCEL_REASON_SIZE, "%" PRId64, number);
                return ERR_OK;
        }
        if (view_opt_text(body, "reasonId", 1, CANCEL_REASON_SIZE - 1, &text, NULL) ||
            !text_is_printable(text, 1, CANCEL_REASON_SIZE - 1))
                return FAIL_FIELD(why, "reasonId", "neither a short printable text nor a whole number");
        text_copy(to, CANCEL_REASON_SIZE, text);
        return ERR_OK;
}

/* The verb borrows it, so that it is kept with the request. */
static enum err read_note(const struct view *body, struct store_move *move, struct why *why)
{
        const char *note = NULL;
        char *kept;
        enum err e = view_opt_text(body, "note", 0, NOTE_MAX, &note, why);

        if (e || !note)
                return e;
        kept = caller_keep(move, NOTE_MAX + 1, NULL);
        if (!kept)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a note");
        if (!text_copy(kept, NOTE_MAX + 1, note))
                return FAIL_FIELD(why, "note", "longer than %d bytes", NOTE_MAX);
        move->note = kept;
        return ERR_OK;
}

static enum err read_move(struct request *r, void *verb, struct why *why)
{
        struct store_move *move = verb;
        CLEAN(view_put) struct view body = {0};
        const char *status = NULL;
        int64_t minutes = 0;
        bool notify = true;
        enum err e = caller_id(r, 0, &move->order, why);

        e = e ? e : caller_body(r, &body, why);
        e = e ? e : view_need_text(&body, "status", 1, 32, &status, why);
        if (!e && (!status_find(status, &move->to) || move->to == STATUS_NEW))
                e = FAIL_FIELD(why, "status", "no word that an order can be moved to");
        e = e ? e : view_opt_int(&body, "preparingTime", 1, PREP_MINUTES_MAX, &minutes, why);
        e = e ? e : view_opt_bool(&body, "notifyPlatform", &notify, why);
        e = e ? e : read_note(&body, move, why);
        e = e ? e : read_reason(&body, move->reason, why);
        if (move->to != STATUS_CANCELLED)
                move->reason[0] = '\0';
        move->by = ACTOR_RESTAURANT;
        move->told = !notify;
        move->prep_minutes = (int)minutes;
        move->want_order = true;
        return e;
}

HANDLER(orders_move, VERB_MOVE, OWN, read_move, moved)
