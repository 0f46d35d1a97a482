/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - a restaurant's tokens: one per tablet or POS, each revocable (docs/api.md 3). */
#include "handlers/tokens.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/token.h"

#include <string.h>

/* ---- POST …/tokens ---- */

/* The verb, and the text that is shown once. */
struct issue {
        struct store_put put;
        char text[APIKEY_TEXT_SIZE];
};

static void done_issue(void *memory)
{
        struct issue *issue = memory;

        store_put_done(&issue->put);
        explicit_bzero(issue->text, sizeof issue->text);
}

static void issued(struct letter *letter)
{
        struct issue *issue = (struct issue *)letter;
        struct request *r = caller_back(&issue->put.job);

        if (!r)
                return;
        if (issue->put.outcome == PUT_TAKEN)
                request_fail(r, ERR_INTERNAL, NULL);
        else
                answer_one(r, 201, token_write(&issue->put.record, issue->text));
}

static enum err read_issue(struct request *r, struct issue *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = NULL;
        CLEAN(free_at) char *name = NULL;
        struct view view;
        enum err e = caller_body(r, &body, why);

        if (e)
                return e;
        view = view_of(body);
        e = record_read_name(&view, true, &name, why);
        if (e)
                return e;
        return token_make(&ret->put.job.access.restaurant, name, time_now_ms(), &ret->put.record, ret->text,
                          why);
}

void tokens_create(struct request *r)
{
        struct issue *issue = caller_restaurant_job(r, sizeof *issue, done_issue, issued);
        struct why why;
        enum err e;

        if (!issue)
                return;
        e = read_issue(r, issue, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_put(caller_app(r)->store, &issue->put);
}

/* ---- GET …/tokens ---- */

static struct json_object *row(const struct store_find *find, int i)
{
        return token_write(&find->records[i], NULL);
}

static void listed(struct letter *letter)
{
        records_listed(letter, row);
}

void tokens_list(struct request *r)
{
        records_list(r, RECORD_TOKEN, listed);
}

/* ---- DELETE …/tokens/{tokenId} ---- */

void tokens_revoke(struct request *r)
{
        struct store_drop *drop = caller_restaurant_job(r, sizeof *drop, NULL, records_dropped);
        struct why why;
        enum err e;

        if (!drop)
                return;
        drop->kind = RECORD_TOKEN;
        e = caller_record_id(r, 1, drop->id, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_drop(caller_app(r)->store, drop);
}
