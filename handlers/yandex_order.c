/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_order.c - an order of Yandex Eats: it comes in, is read back, changed and cancelled (docs/api.md 6). */
#include "handlers/handlers.h"

#include "handlers/yandex.h"
#include "model/clean.h"

#include <stdio.h>

/* In which they are given orders back. Source: docs/facts.md 11. */
#define ORDER_TYPE "application/vnd.eats.order.v2+json"

/* ---- POST /order ---- */

static enum err created(struct request *r, void *verb)
{
        const struct store_create *create = verb;
        char id[ID_TEXT_SIZE], body[64];
        int n;

        n = snprintf(body, sizeof body, "{\"result\":\"OK\",\"orderId\":\"%s\"}",
                     id_write(&create->order->id, id));
        request_reply(r, 200, body, (size_t)n);
        return ERR_OK;
}

static enum err read_order(struct request *r, void *verb, struct order **ret, struct why *why)
{
        CLEAN(view_put) struct view body = {0};
        enum err e = caller_body(r, &body, why);

        e = e ? e : yandex_check_place(verb, &body, why);
        return e ? e : yandex_order_read(&body, ret, why);
}

static enum err create(struct request *r, void *verb)
{
        struct store_create *create = caller_next(verb, VERB_CREATE, created);
        enum err e = create ? read_order(r, verb, &create->order, &((struct job *)verb)->why) : ERR_NO_MEMORY;

        if (e)
                return e;
        create->by = ACTOR_PLATFORM;
        return caller_submit(create);
}

void yandex_order_create(struct request *r)
{
        yandex_visit(r, create);
}

/* ---- GET /order/{orderId} ---- */

static enum err show(struct request *r, void *verb)
{
        struct store_read *read = verb;
        char *text = NULL;
        enum err e = yandex_order_write(read->stored, &text, &read->job.why);

        if (e)
                return e;
        request_reply_header(r, "Content-Type", ORDER_TYPE);
        request_reply_text(r, 200, text);
        return ERR_OK;
}

void yandex_order_show(struct request *r)
{
        yandex_visit_order(r, show);
}

/* ---- PUT /order/{orderId} ---- */

static enum err changed(struct request *r, void *verb)
{
        static const enum err refusals[] = {[REWRITE_LATE] = ERR_NOT_NEW, [REWRITE_UNKNOWN] = ERR_NOT_FOUND};
        static const char body[] = "{\"result\":\"OK\"}";
        const struct store_rewrite *rewrite = verb;

        if (refusals[rewrite->outcome])
                return refusals[rewrite->outcome];
        request_reply(r, 200, body, sizeof body - 1);
        return ERR_OK;
}

static void free_content(void *content)
{
        order_free_at(content);
}

/* The composition is theirs to change; which order it is, and who brings it, is not. */
static enum err change(struct request *r, void *verb)
{
        struct store_read *read = verb;
        struct order **content = request_alloc(r, sizeof *content, free_content);
        struct store_rewrite *rewrite = caller_next(verb, VERB_REWRITE, changed);
        enum err e = content && rewrite ? read_order(r, verb, content, &read->job.why) : ERR_NO_MEMORY;

        if (e)
                return e;
        if (!streq((*content)->platform_order_id, read->stored->platform_order_id))
                return FAIL_FIELD(&read->job.why, "eatsId", "another order's");
        if ((*content)->platform_courier != read->stored->platform_courier ||
            (*content)->pickup != read->stored->pickup)
                return FAIL_FIELD(&read->job.why, "discriminator", "not as it was");
        rewrite->order = read->order;
        rewrite->content = *content;
        return caller_submit(rewrite);
}

void yandex_order_change(struct request *r)
{
        yandex_visit_order(r, change);
}

/* ---- DELETE /order/{orderId} ---- */

static enum err cancelled(struct request *r, void *verb)
{
        const struct store_move *move = verb;

        if (move->outcome == MOVE_UNKNOWN)
                return ERR_NOT_FOUND;
        if (move->outcome != MOVE_MOVED && move->outcome != MOVE_SAME)
                return ERR_ORDER_FINAL;
        request_reply(r, 200, NULL, 0);
        return ERR_OK;
}

/* Whose eatsId it is must not be another's: what is cancelled by mistake stays so. */
static enum err cancel(struct request *r, void *verb)
{
        struct store_read *read = verb;
        CLEAN(view_put) struct view body = {0};
        const char *number = NULL;
        size_t length;
        enum err e = ERR_OK;

        request_body(r, &length);
        if (length > 0)
                e = caller_body(r, &body, &read->job.why);
        e = e ? e : view_opt_text(&body, "eatsId", 1, PLATFORM_ORDER_ID_MAX, &number, &read->job.why);
        if (!e && number && !streq(number, read->stored->platform_order_id))
                e = FAIL_FIELD(&read->job.why, "eatsId", "another order's");
        return e ? e : yandex_move(verb, STATUS_CANCELLED, &body, cancelled);
}

void yandex_order_cancel(struct request *r)
{
        yandex_visit_order(r, cancel);
}
