/* SPDX-License-Identifier: Apache-2.0 */
/* store_records.c - what the verbs of records mean: put, get, find, edit, drop. */
#include "model/verbs.h"

#include "model/clean.h"

#include <stdlib.h>

enum err run_put(struct store *store, void *conn, struct job *job)
{
        struct store_put *put = (struct store_put *)job;
        enum insert insert;
        enum err e;

        put->record.rev = 1;
        put->record.created_ms = put->record.updated_ms = store->now();
        e = store->ops->record_insert(conn, &put->record, &insert, &job->why);
        if (e == ERR_OK)
                put->outcome = insert == INSERT_NEW ? PUT_NEW : PUT_TAKEN;
        return e;
}

void store_put_done(struct store_put *put)
{
        record_done(&put->record);
}

/* The restaurant's own record, where one is named. */
static enum err load_owner(struct store *store, void *conn, struct job *job, struct record *ret)
{
        char id[ID_TEXT_SIZE];

        if (id_is_zero(&job->restaurant))
                return ERR_OK;
        return store->ops->record_get(conn, RECORD_RESTAURANT, id_write(&job->restaurant, id), ret,
                                      &job->why);
}

enum err run_get(struct store *store, void *conn, struct job *job)
{
        struct store_get *get = (struct store_get *)job;
        char own[ID_TEXT_SIZE];
        enum err e;

        store_get_done(get);
        id_write(&job->integration, own);
        e = store->ops->record_get(conn, get->kind, get->id[0] ? get->id : own, &get->record, &job->why);
        if (e == ERR_OK && get->record.document && !in_scope(job, &get->record.restaurant))
                record_done(&get->record);
        if (e == ERR_OK)
                e = load_owner(store, conn, job, &get->owner);
        return e;
}

void store_get_done(struct store_get *get)
{
        record_done(&get->record);
        record_done(&get->owner);
}

enum err run_find(struct store *store, void *conn, struct job *job)
{
        struct store_find *find = (struct store_find *)job;
        struct page page;
        enum err e;

        store_find_done(find);
        e = page_of(job, find->after, &page, &job->why);
        if (e != ERR_OK)
                return e;
        /* One more than asked for tells whether there is a next page. */
        find->records = calloc((size_t)find->limit + 1, sizeof *find->records);
        if (!find->records)
                return FAIL(&job->why, ERR_NO_MEMORY, "no memory for a page");
        e = store->ops->record_page(conn, find->kind, &page, find->limit + 1, find->records, &find->n,
                                    &job->why);
        if (e != ERR_OK)
                return e;
        if (find->n > find->limit) {
                record_done(&find->records[--find->n]);
                cursor_write(find->next, find->records[find->n - 1].created_ms,
                             find->records[find->n - 1].id);
        }
        return load_owner(store, conn, job, &find->owner);
}

void store_find_done(struct store_find *find)
{
        for (int i = 0; i < find->n; i++)
                record_done(&find->records[i]);
        free(TAKE(find->records));
        find->n = 0;
        find->next[0] = '\0';
        record_done(&find->owner);
}

enum err run_edit(struct store *store, void *conn, struct job *job)
{
        struct store_edit *edit = (struct store_edit *)job;
        bool written = false;
        enum err e;

        while (!written) {
                store_edit_done(edit);
                e = store->ops->record_get(conn, edit->kind, edit->id, &edit->record, &job->why);
                if (e != ERR_OK || !edit->record.document)
                        return e;
                if (!in_scope(job, &edit->record.restaurant)) {
                        store_edit_done(edit);
                        return ERR_OK;
                }
                e = edit->edit(&edit->record, edit->arg, store->now(), &job->why);
                if (e != ERR_OK)
                        return e;
                edit->record.rev++;
                edit->record.updated_ms = store->now();
                e = store->ops->record_update(conn, &edit->record, &written, &job->why);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

void store_edit_done(struct store_edit *edit)
{
        record_done(&edit->record);
}

enum err run_drop(struct store *store, void *conn, struct job *job)
{
        struct store_drop *drop = (struct store_drop *)job;
        CLEAN(record_done) struct record record = {0};
        enum err e;

        drop->dropped = false;
        e = store->ops->record_get(conn, drop->kind, drop->id, &record, &job->why);
        if (e != ERR_OK || !record.document || !in_scope(job, &record.restaurant))
                return e;
        return store->ops->record_delete(conn, drop->kind, drop->id, &drop->dropped, &job->why);
}
