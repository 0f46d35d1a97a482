/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_status.c - the status of an order of Yandex Eats, asked for and told, and who its courier is (docs/api.md 6).
 *
 * Nothing is ever sent to them: they ask how far an order is. So what is told here counts as known to them. */
#include "handlers/handlers.h"

#include "handlers/yandex.h"
#include "model/clean.h"

/* ---- GET /order/{orderId}/status ---- */

static enum err show(struct request *r, void *verb)
{
        request_reply_text(r, 200, yandex_status_write(((struct store_read *)verb)->stored));
        return ERR_OK;
}

void yandex_status_show(struct request *r)
{
        yandex_visit_order(r, show);
}

/* ---- PUT /order/{orderId}/status ---- */

enum err yandex_move(void *before, enum status to, const struct view *body, caller_answer *answer)
{
        const struct store_read *read = before;
        struct why *why = &((struct job *)before)->why;
        struct store_move *move = caller_next(before, VERB_MOVE, answer);
        const char *note = NULL, *reason = NULL;
        char *kept;
        enum err e = move ? view_opt_text(body, "comment", 0, SIZE_MAX, &note, why) : ERR_NO_MEMORY;

        e = e ? e : view_opt_text(body, "reason", 0, SIZE_MAX, &reason, why);
        kept = e || !note || !*note ? NULL : caller_keep(move, NOTE_MAX + 1, NULL);
        if (!e && note && *note && !kept)
                e = ERR_NO_MEMORY;
        if (e)
                return e;
        if (kept)
                yandex_text_cut(kept, NOTE_MAX + 1, note);
        move->note = kept;
        move->order = read->order;
        move->to = to;
        move->by = ACTOR_PLATFORM;
        move->told = true;
        /* Their words are known to be short; what is no word is not kept. */
        if (to == STATUS_CANCELLED && reason && text_is_printable(reason, 1, SIZE_MAX))
                yandex_text_cut(move->reason, sizeof move->reason, reason);
        return caller_submit(move);
}

static enum err moved(struct request *r, void *verb)
{
        const struct store_move *move = verb;

        if (move->outcome == MOVE_UNKNOWN)
                return ERR_NOT_FOUND;
        /* Nothing is told of a delivered order any more, not even that it is. */
        if (move->outcome != MOVE_MOVED && (move->outcome != MOVE_SAME || move->to == STATUS_DELIVERED))
                return ERR_ORDER_FINAL;
        request_reply(r, 204, NULL, 0);
        return ERR_OK;
}

static enum err change(struct request *r, void *verb)
{
        struct store_read *read = verb;
        CLEAN(view_put) struct view body = {0};
        const char *word = NULL;
        enum status to = STATUS_NEW;
        enum err e = caller_body(r, &body, &read->job.why);

        e = e ? e : view_need_text(&body, "status", 1, SIZE_MAX, &word, &read->job.why);
        if (!e && !yandex_status_find(word, &to))
                e = FAIL_FIELD(&read->job.why, "status", "none that they may tell");
        return e ? e : yandex_move(verb, to, &body, moved);
}

void yandex_status_change(struct request *r)
{
        yandex_visit_order(r, change);
}

/* ---- PUT /order/{orderId}/courier ---- */

/* Name, phone and place of their courier: nobody here needs them, so that nothing is kept. */
static enum err look_at_courier(struct request *r, void *verb)
{
        struct why *why = &((struct job *)verb)->why;
        CLEAN(view_put) struct view body = {0};
        struct view courier;
        enum err e = caller_body(r, &body, why);

        e = e ? e : view_opt_object(&body, "courier", &courier, why);
        if (!e)
                request_reply(r, 204, NULL, 0);
        return e;
}

void yandex_courier_change(struct request *r)
{
        yandex_visit_order(r, look_at_courier);
}
