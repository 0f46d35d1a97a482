/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - what the routes of restaurants, tokens, integrations and connections have in common. */
#include "handlers/records.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/clean.h"

static void done(void *find)
{
        store_find_done(find);
}

void records_list(struct request *r, enum record_kind kind, void (*listed)(struct letter *letter))
{
        struct store_find *find = kind == RECORD_RESTAURANT
                                          ? caller_job(r, sizeof *find, done, NULL, listed)
                                          : caller_restaurant_job(r, sizeof *find, done, listed);
        struct why why;
        enum err e;

        if (!find)
                return;
        find->kind = kind;
        e = caller_page(r, &find->limit, find->after, &why);
        if (e)
                request_fail(r, e, &why);
        else if (request_hold(r))
                store_find(caller_app(r)->store, find);
}

void records_listed(struct letter *letter, struct json_object *(*row)(const struct store_find *find, int i))
{
        const struct store_find *find = (struct store_find *)letter;
        struct request *r = caller_back((struct job *)letter);
        CLEAN(json_put_at) struct json_object *rows = NULL;

        if (!r)
                return;
        rows = answer_array();
        for (int i = 0; i < find->n; i++)
                if (!json_append(rows, row(find, i))) {
                        request_fail(r, ERR_NO_MEMORY, NULL);
                        return;
                }
        answer_list(r, TAKE(rows), find->next);
}

void records_dropped(struct letter *letter)
{
        const struct store_drop *drop = (struct store_drop *)letter;
        struct request *r = caller_back((struct job *)letter);

        if (!r)
                return;
        if (drop->dropped)
                answer_one(r, 200, answer_object());
        else
                request_fail(r, ERR_NOT_FOUND, NULL);
}
