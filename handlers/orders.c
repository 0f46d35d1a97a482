/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c - orders in and out, and the restaurant's own changes of status (docs/api.md 4). */
#include "handlers/orders.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- POST /api/v1/orders ---- */

static void done_create(void *create)
{
        store_create_done(create);
}

static void created(struct letter *letter)
{
        struct store_create *create = (struct store_create *)letter;
        struct request *r = caller_back(&create->job);

        if (!r)
                return;
        if (create->outcome == CREATE_TAKEN)
                request_fail(r, ERR_TAKEN, NULL);
        else
                answer_one(r, create->outcome == CREATE_NEW ? 201 : 200,
                           order_write(create->order, true, time_now_ms()));
}

void orders_create(struct request *r)
{
        struct store_create *create = caller_job(r, sizeof *create, done_create, NULL, created);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!create)
                return;
        e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = order_read(&view, &create->order, &why);
        }
        create->by = ACTOR_RESTAURANT;
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_create(caller_app(r)->store, create);
}

/* ---- GET /api/v1/orders ---- */

static void done_list(void *list)
{
        store_list_done(list);
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
                if (!json_append(rows, order_write(list->orders[i], false, now_ms))) {
                        request_fail(r, ERR_NO_MEMORY, NULL);
                        return;
                }
        answer_list(r, TAKE(rows), list->next);
}

static enum err read_list(struct request *r, struct store_list *ret, struct why *why)
{
        const char *status = request_query(r, "status");
        enum err e = caller_page(r, &ret->limit, ret->after, why);

        ret->documents = true;
        ret->has_status = status;
        if (!e && status && !status_find(status, &ret->status))
                e = FAIL_FIELD(why, "status", "none of ours");
        return e ? e : caller_since(r, &ret->since_ms, why);
}

void orders_list(struct request *r)
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

/* ---- GET /api/v1/orders/{id} ---- */

static void done_read(void *read)
{
        store_read_done(read);
}

static void shown(struct letter *letter)
{
        struct store_read *read = (struct store_read *)letter;
        struct request *r = caller_back(&read->job);

        if (!r)
                return;
        if (read->stored)
                answer_one(r, 200, order_write(read->stored, true, time_now_ms()));
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}

void orders_show(struct request *r)
{
        struct store_read *read = caller_job(r, sizeof *read, done_read, NULL, shown);
        struct why why;
        enum err e;

        if (!read)
                return;
        e = caller_id(r, 0, &read->order, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_read(caller_app(r)->store, read);
}

/* ---- PUT /api/v1/orders/{id}/status ---- */

/* The verb, and the note that it borrows. */
struct own_move {
        struct store_move move;
        char note[NOTE_MAX + 1];
};

static void done_move(void *own)
{
        store_move_done(&((struct own_move *)own)->move);
}

static void moved(struct letter *letter)
{
        struct store_move *move = (struct store_move *)letter;
        struct request *r = caller_back(&move->job);

        if (!r)
                return;
        switch (move->outcome) {
        case MOVE_MOVED:
        case MOVE_SAME: answer_one(r, 200, order_write(move->stored, true, time_now_ms())); break;
        case MOVE_FINAL: request_fail(r, ERR_ORDER_FINAL, NULL); break;
        case MOVE_PAST: request_fail(r, ERR_BACKWARD, NULL); break;
        case MOVE_KEY_REUSED: request_fail(r, ERR_KEY_REUSED, NULL); break;
        case MOVE_UNKNOWN: request_fail(r, ERR_NOT_FOUND, NULL); break;
        }
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

static enum err read_note(const struct view *body, struct own_move *ret, struct why *why)
{
        const char *note = NULL;
        enum err e = view_opt_text(body, "note", 0, NOTE_MAX, &note, why);

        if (e || !note)
                return e;
        if (!text_copy(ret->note, sizeof ret->note, note))
                return FAIL_FIELD(why, "note", "longer than %d bytes", NOTE_MAX);
        ret->move.note = ret->note;
        return ERR_OK;
}

static enum err read_move(const struct view *body, struct own_move *ret, struct why *why)
{
        struct store_move *move = &ret->move;
        const char *status = NULL;
        int64_t minutes = 0;
        bool notify = true;
        enum err e = view_need_text(body, "status", 1, 32, &status, why);

        if (!e && (!status_find(status, &move->to) || move->to == STATUS_NEW))
                e = FAIL_FIELD(why, "status", "no word that an order can be moved to");
        if (!e)
                e = view_opt_int(body, "preparingTime", 1, PREP_MINUTES_MAX, &minutes, why);
        if (!e)
                e = view_opt_bool(body, "notifyPlatform", &notify, why);
        if (!e)
                e = read_note(body, ret, why);
        if (!e)
                e = read_reason(body, move->reason, why);
        if (e)
                return e;
        if (move->to != STATUS_CANCELLED)
                move->reason[0] = '\0';
        move->by = ACTOR_RESTAURANT;
        move->told = !notify;
        move->prep_minutes = (int)minutes;
        move->want_order = true;
        return ERR_OK;
}

void orders_move(struct request *r)
{
        struct own_move *own = caller_job(r, sizeof *own, done_move, NULL, moved);
        CLEAN(json_put_at) struct json_object *body = NULL;
        struct view view;
        struct why why;
        enum err e;

        if (!own)
                return;
        e = caller_id(r, 0, &own->move.order, &why);
        if (!e)
                e = caller_body(r, &body, &why);
        if (!e) {
                view = view_of(body);
                e = read_move(&view, own, &why);
        }
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_move(caller_app(r)->store, &own->move);
}
