/* SPDX-License-Identifier: Apache-2.0 */
/* erasures.c - a customer's personal data taken out of orders on demand (docs/api.md 4).
 *
 * First the record, then the orders, a handful at a time so that nobody who writes waits long, at last the record's count:
 * whatever ends in between leaves a record that says `more`, and the same asked again does the rest. */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/erasure.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"

struct task {
        struct erasure what;
        char id[RECORD_ID_SIZE];
        struct erased erased;
        int64_t until_ms; /* CLOCK_BOOTTIME: the rest is the next request's */
};

static caller_answer erased_some;

static enum err erase_some(void *before)
{
        const struct task *task = caller_state(before);
        struct store_erase *erase = caller_next(before, VERB_ERASE, erased_some);

        if (!erase)
                return ERR_NO_MEMORY;
        erase->order = task->what.order;
        text_copy(erase->phone, sizeof erase->phone, task->what.phone);
        return caller_submit(erase);
}

static enum err counted(struct request *r, void *verb)
{
        const struct store_edit *edit = verb;

        return edit->record.document ? answer_one(r, 201, erasure_write(&edit->record)) : ERR_INTERNAL;
}

static enum err erased_some(struct request *r, void *verb)
{
        const struct store_erase *erase = verb;
        struct task *task = caller_state(verb);

        task->erased.orders += erase->erased;
        task->erased.more = erase->more;
        metrics_erased(erase->erased);
        if (erase->more && time_boot_ms() < task->until_ms)
                return erase_some(verb);
        log_event(LOG_INFO, "erased", LOG_TEXT("erasureId", task->id), LOG_INT("orders", task->erased.orders),
                  LOG_TEXT("requestId", request_id(r)));
        return records_edit(verb, RECORD_ERASURE, task->id, erasure_count, &task->erased, counted);
}

static enum err begun(struct request *r, void *verb)
{
        (void)r;
        return ((const struct store_put *)verb)->outcome == PUT_TAKEN ? ERR_INTERNAL : erase_some(verb);
}

static enum err read_erasure(struct request *r, void *verb, struct why *why)
{
        struct store_put *put = verb;
        struct task *task = caller_keep(verb, sizeof *task, NULL);
        CLEAN(view_put) struct view body = {0};
        enum err e = task ? caller_body(r, &body, why) : ERR_NO_MEMORY;

        e = e ? e : erasure_read(&body, &task->what, why);
        e = e ? e : erasure_make(&task->what, time_now_ms(), &put->record, why);
        if (e)
                return e;
        text_copy(task->id, sizeof task->id, put->record.id);
        task->until_ms = time_boot_ms() + caller_app(r)->config->request_deadline_ms / 2;
        return ERR_OK;
}

HANDLER(erasures_create, VERB_PUT, OWN, read_erasure, begun)
