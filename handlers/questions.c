/* SPDX-License-Identifier: Apache-2.0 */
/* questions.c - what a platform is asked while a request waits: whether it takes the credentials, why an order may be
 * cancelled (docs/api.md 3 and 4). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "server/config.h"
#include "server/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REASONS_MS (INT64_C(60) * 60 * 1000) /* how long a platform's list is believed; a guess */

struct question {
        struct query query;
        struct request *request;
        const struct order *order; /* NULL: it is about none */
        enum err (*answer)(struct request *r, struct question *question);
};

static void forget(void *memory)
{
        query_done(&((struct question *)memory)->query);
}

static void come_back(struct query *query)
{
        struct question *question = (struct question *)query;
        enum err e;

        request_release(question->request);
        e = question->answer(question->request, question);
        if (e)
                request_fail(question->request, e, NULL);
}

/* What is borrowed lives as long as the request. A quarter of its time is left for what comes before and behind. */
static enum err ask(struct request *r, const struct question *asked)
{
        struct question *question = request_alloc(r, sizeof *question, forget);

        if (!question)
                return ERR_NO_MEMORY;
        *question = *asked;
        question->request = r;
        question->query.timeout_ms = caller_app(r)->config->request_deadline_ms * 3 / 4;
        question->query.reply = http_inbox(caller_app(r)->http);
        question->query.done = come_back;
        if (request_hold(r))
                query_submit(caller_app(r)->outbound, &question->query);
        return ERR_OK;
}

/* ---- POST /api/v1/restaurants/{id}/platforms/{platform}/test ---- */

/* As platforms.md words it, but for the reasons of who is no programmer. */
static const char *reason_of(const struct judgement *judgement)
{
        const bool unsent = judgement->verdict == VERDICT_RETRY && judgement->http == 0;

        if (unsent && !streq(judgement->reason, "timeout"))
                return "unreachable";
        if (judgement->verdict == VERDICT_WAIT && streq(judgement->reason, "stopping"))
                return "busy";
        return judgement->reason;
}

static enum err tested(struct request *r, struct question *question)
{
        const struct judgement *judgement = &question->query.judgement;
        const bool ok = judgement->verdict == VERDICT_DONE;
        struct json_object *data = answer_object();

        return answer_filled(r, 200, data,
                             data && json_add_bool(data, "ok", ok) &&
                                     json_add_text(data, "reason", ok ? NULL : reason_of(judgement)));
}

static enum err found(struct request *r, void *verb)
{
        const struct store_get *get = verb;

        if (!get->record.document)
                return ERR_NOT_FOUND;
        return ask(r, &(struct question){.query.connection = &get->record, .answer = tested});
}

static enum err read_connection(struct request *r, void *verb, struct why *why)
{
        struct store_get *get = verb;

        get->kind = RECORD_CONNECTION;
        return records_id(r, RECORD_CONNECTION, get->id, why);
}

HANDLER(platforms_test, VERB_GET, NAMED, read_connection, found)

/* ---- GET /api/v1/orders/{id}/cancel-reasons ---- */

static struct reasons *cached(struct request *r, enum platform platform)
{
        return &((struct app *)request_app(r))->reasons[platform];
}

static enum err answer_known(struct request *r, const struct order *order)
{
        return answer_list(r, reasons_known(dialect_of(order->platform), order), "");
}

/* The platform's list, or what stands in for it; where nothing does, it can be asked for again later. */
static enum err listed(struct request *r, struct question *question)
{
        const struct dialect *dialect = dialect_of(question->order->platform);
        const struct judgement *judgement = &question->query.judgement;
        struct reasons *reasons = cached(r, dialect->platform);
        struct json_object *list = NULL;
        char seconds[24];

        if (judgement->verdict == VERDICT_DONE)
                list = reasons_read(dialect, &question->query.call.answer);
        if (list && !dialect->reasons_of_order) {
                free(reasons->text);
                reasons->text = json_text(list);
                reasons->until_ms = time_boot_ms() + REASONS_MS;
        }
        if (list)
                return answer_list(r, list, "");
        if (dialect->reasons)
                return answer_known(r, question->order);
        if (judgement->wait_ms > 0) {
                snprintf(seconds, sizeof seconds, "%" PRId64, (judgement->wait_ms + 999) / 1000);
                request_reply_header(r, "Retry-After", seconds);
        }
        return ERR_BUSY;
}

static enum err build(struct query *query, const struct account *account, struct message *ret,
                      struct why *why)
{
        const struct order *order = ((struct question *)query)->order;

        return dialect_of(order->platform)->ask_reasons(order, account, ret, why);
}

static enum err account_read(struct request *r, void *verb)
{
        const struct store_get *get = verb;
        const struct question question = {.query.connection = &get->record,
                                          .query.build = build,
                                          .order = *(struct order **)caller_state(verb),
                                          .answer = listed};

        return ask(r, &question);
}

static enum err order_read_too(struct request *r, void *verb)
{
        const struct order *order = ((struct store_read *)verb)->stored;
        const struct dialect *dialect = order ? dialect_of(order->platform) : NULL;
        const struct reasons *reasons = dialect ? cached(r, order->platform) : NULL;
        const struct order **kept;
        struct store_get *get;

        if (!order)
                return ERR_NOT_FOUND;
        if (!dialect)
                return answer_list(r, answer_array(), "");
        if (!dialect->ask_reasons)
                return answer_known(r, order);
        if (reasons->text && time_boot_ms() < reasons->until_ms) {
                struct json_object *list = NULL;

                return json_read_any(reasons->text, strlen(reasons->text), &list, NULL)
                               ? ERR_NO_MEMORY
                               : answer_list(r, list, "");
        }
        kept = caller_keep(verb, sizeof *kept, NULL);
        get = kept ? caller_next(verb, VERB_GET, account_read) : NULL;
        if (!get)
                return ERR_NO_MEMORY;
        *kept = order;
        get->kind = RECORD_CONNECTION;
        connection_id(&order->restaurant, order->platform, get->id);
        return caller_submit(get);
}

static enum err read_order(struct request *r, void *verb, struct why *why)
{
        return caller_id(r, 0, &((struct store_read *)verb)->order, why);
}

HANDLER(orders_cancel_reasons, VERB_READ, OWN, read_order, order_read_too)
