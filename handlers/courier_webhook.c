/* SPDX-License-Identifier: Apache-2.0 */
/* courier_webhook.c - "on the way" and "delivered", the harmless first call, and the state of an order. */
#include "handlers/courier_webhook.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"
#include "model/record.h"
#include "server/throttle.h"

#include <stdio.h>
#include <string.h>

/* Row 6, or 429 in its place for an address that tries too many keys. */
static void refuse_key(struct request *r)
{
        const bool too_many = throttle_wrong(caller_app(r)->throttle, request_address(r), time_boot_ms());

        request_fail(r, too_many ? ERR_TOO_MANY_KEYS : ERR_NO_INTEGRATION, NULL);
}

/* A courier's job is back: NULL when it has been answered already. */
static struct request *back(struct job *job)
{
        struct request *r = job->arg;

        if (job->err != ERR_NO_INTEGRATION)
                return caller_back(job);
        request_release(r);
        refuse_key(r);
        return NULL;
}

/* ---- POST status-update ---- */

/* Foreign numbers mean what their value means: 1, 1.0 and 1e0 are "on the way". */
static enum err read_status(struct json_object *body, enum status *ret, struct why *why)
{
        const struct view view = view_of(body);
        double number = 0;

        if (view_opt_number(&view, "status", 1, 2, &number, NULL) != ERR_OK || (number != 1 && number != 2))
                return FAIL(why, ERR_BAD_STATUS, "not a number whose value is 1 or 2");
        *ret = number == 1 ? STATUS_ON_THE_WAY : STATUS_DELIVERED;
        return ERR_OK;
}

static enum err read_id(struct json_object *body, const char *key, enum err wrong, struct id *ret,
                        struct why *why)
{
        const struct view view = view_of(body);
        const char *text;

        if (view_need_text(&view, key, ID_TEXT_SIZE - 1, ID_TEXT_SIZE - 1, &text, NULL) != ERR_OK ||
            !id_read(text, ret))
                return FAIL(why, wrong, "%s is no id", key);
        return ERR_OK;
}

static enum err read_idempotency_key(struct request *r, struct store_move *move, struct why *why)
{
        const char *key = request_header(r, "Idempotency-Key");

        if (key && !text_is_printable(key, 1, IDEMPOTENCY_KEY_SIZE - 1))
                return FAIL_FIELD(why, "Idempotency-Key", "not 1 to %d printable characters",
                                  IDEMPOTENCY_KEY_SIZE - 1);
        text_copy(move->idempotency_key, sizeof move->idempotency_key, key ? key : "");
        return ERR_OK;
}

static enum err read_update(struct request *r, struct store_move *move, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = NULL;
        enum err e = caller_body(r, &body, why);

        if (e == ERR_OK)
                e = read_id(body, "restaurantId", ERR_BAD_RESTAURANT_ID, &move->job.access.restaurant, why);
        if (e == ERR_OK)
                e = read_id(body, "orderId", ERR_BAD_ORDER_ID, &move->order, why);
        if (e == ERR_OK)
                e = read_status(body, &move->to, why);
        if (e == ERR_OK)
                e = read_idempotency_key(r, move, why);
        return e;
}

static void tell_moved(struct request *r, const struct store_move *move)
{
        char id[ID_TEXT_SIZE];
        char at[TIME_TEXT_SIZE];
        char body[256]; /* two thirds are used */
        int n;

        n = snprintf(body, sizeof body,
                     "{\"success\":true,\"message\":\"Sipariş durumu başarıyla güncellendi\","
                     "\"data\":{\"orderId\":\"%s\",\"status\":\"%s\",\"updatedAt\":\"%s\"}}",
                     id_write(&move->order, id), status_word(move->status), time_write(move->at_ms, at));
        request_reply(r, 200, body, (size_t)n);
}

static void updated(struct letter *letter)
{
        struct store_move *move = (struct store_move *)letter;
        struct request *r = back(&move->job);

        if (!r)
                return;
        switch (move->outcome) {
        case MOVE_MOVED:
        case MOVE_SAME: tell_moved(r, move); break;
        case MOVE_FINAL:
        case MOVE_PAST: request_fail(r, ERR_ORDER_FINAL, NULL); break;
        case MOVE_KEY_REUSED: request_fail(r, ERR_KEY_REUSED, NULL); break;
        case MOVE_UNKNOWN: request_fail(r, ERR_NO_ORDER, NULL); break;
        }
}

static void done_move(void *move)
{
        store_move_done(move);
}

void courier_webhook_update(struct request *r)
{
        struct store_move *move = caller_job(r, sizeof *move, done_move, NULL, updated);
        struct why why;
        enum err e;

        if (!move)
                return;
        move->by = ACTOR_COURIER;
        e = read_update(r, move, &why);
        if (e != ERR_OK)
                request_fail(r, e, &why);
        else if (request_credential(r) != CREDENTIAL_KEY)
                refuse_key(r);
        else if (request_hold(r))
                store_move(caller_app(r)->store, move);
}

/* ---- GET ping ---- */

static void pinged(struct letter *letter)
{
        struct store_get *get = (struct store_get *)letter;
        struct request *r = back(&get->job);
        CLEAN(json_put_at) struct json_object *integration = NULL;
        CLEAN(json_put_at) struct json_object *data = NULL;
        struct why why;
        enum err e;

        if (!r)
                return;
        if (!get->record.document) { /* deleted between the key's check and the read */
                refuse_key(r);
                return;
        }
        e = json_read(get->record.document, strlen(get->record.document), &integration, &why);
        if (e != ERR_OK) {
                request_fail(r, e == ERR_NO_MEMORY ? e : ERR_INTERNAL, &why);
                return;
        }
        data = answer_object();
        if (data && json_add_id(data, "restaurantId", &get->job.restaurant) &&
            json_add_id(data, "integrationId", &get->job.integration) &&
            json_add_text(data, "name", json_get_text(integration, "name")))
                answer_one(r, 200, TAKE(data));
        else
                request_fail(r, ERR_NO_MEMORY, NULL);
}

static void done_get(void *get)
{
        store_get_done(get);
}

void courier_webhook_ping(struct request *r)
{
        struct store_get *get = caller_job(r, sizeof *get, done_get, NULL, pinged);

        if (!get)
                return;
        get->kind = RECORD_INTEGRATION;
        if (request_credential(r) != CREDENTIAL_KEY)
                refuse_key(r);
        else if (request_hold(r))
                store_get(caller_app(r)->store, get);
}

/* ---- GET orders/{id} ---- */

static void seen(struct letter *letter)
{
        struct store_read *read = (struct store_read *)letter;
        struct request *r = back(&read->job);
        CLEAN(json_put_at) struct json_object *data = NULL;

        if (!r)
                return;
        if (!read->stored) {
                request_fail(r, ERR_NO_ORDER, NULL);
                return;
        }
        data = answer_object();
        if (data && json_add_id(data, "orderId", &read->order) &&
            json_add_text(data, "status", status_word(read->stored->status)) &&
            json_add_time(data, "updatedAt", order_last_move(read->stored)->at_ms))
                answer_one(r, 200, TAKE(data));
        else
                request_fail(r, ERR_NO_MEMORY, NULL);
}

static void done_read(void *read)
{
        store_read_done(read);
}

void courier_webhook_order(struct request *r)
{
        struct store_read *read = caller_job(r, sizeof *read, done_read, NULL, seen);

        if (!read)
                return;
        if (!id_read(request_arg(r, 0), &read->order))
                request_fail(r, ERR_BAD_ORDER_ID, NULL);
        else if (request_credential(r) != CREDENTIAL_KEY)
                refuse_key(r);
        else if (request_hold(r))
                store_read(caller_app(r)->store, read);
}
