/* SPDX-License-Identifier: Apache-2.0 */
/* store_records.c - what the verbs of records mean: put, get, find, edit, drop. */
#include "model/verbs.h"

#include "model/clean.h"

#include <stdlib.h>

/* Whether what is stored is what an earlier run of this job wrote, though nobody heard that it did. */
static bool is_as_written(const struct record *stored, const struct record *written)
{
        return stored->document && written->document && stored->rev == written->rev &&
               stored->updated_ms == written->updated_ms && streq(stored->document, written->document);
}

enum err run_put(struct store *store, void *conn, struct job *job)
{
        struct store_put *put = (struct store_put *)job;
        CLEAN(record_done) struct record stored = {0};
        enum insert insert;
        enum err e;

        if (put->record.rev == 0) {
                put->record.rev = 1;
                put->record.created_ms = put->record.updated_ms = store_now(store);
        }
        e = store->ops->record_insert(conn, &put->record, &insert, &job->why);
        if (e == ERR_OK && insert != INSERT_NEW && job->repeated) {
                e = store->ops->record_get(conn, put->record.kind, put->record.id, &stored, &job->why);
                if (e == ERR_OK && is_as_written(&stored, &put->record))
                        insert = INSERT_NEW;
        }
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
        id_write(get->kind == RECORD_TOKEN ? &job->token : &job->integration, own);
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

#define EDIT_ROUNDS 100 /* somebody changed the record meanwhile; a guess that nobody reaches */

enum err run_edit(struct store *store, void *conn, struct job *job)
{
        struct store_edit *edit = (struct store_edit *)job;
        CLEAN(record_done) struct record before = edit->record;
        bool written = false;
        enum err e;

        edit->record = (struct record){0};
        for (int round = 0; round < EDIT_ROUNDS && !written; round++) {
                store_edit_done(edit);
                e = store->ops->record_get(conn, edit->kind, edit->id, &edit->record, &job->why);
                if (e != ERR_OK || !edit->record.document)
                        return e;
                if (job->repeated && is_as_written(&edit->record, &before))
                        return ERR_OK;
                if (!in_scope(job, &edit->record.restaurant)) {
                        store_edit_done(edit);
                        return ERR_OK;
                }
                e = edit->edit(&edit->record, edit->arg, store_now(store), &job->why);
                if (e != ERR_OK) {
                        store_edit_done(edit);
                        return e;
                }
                edit->record.rev++;
                edit->record.updated_ms = store_now(store);
                e = store->ops->record_update(conn, &edit->record, &written, &job->why);
                if (e != ERR_OK)
                        return e;
        }
        return written ? ERR_OK
                       : FAIL(&job->why, ERR_BUSY, "a record changed again and again while it was edited");
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
        if (e == ERR_OK && !record.document)
                drop->dropped =
                        job->repeated && drop->begun; /* nobody heard of the run before, but it did it */
        if (e != ERR_OK || !record.document || !in_scope(job, &record.restaurant))
                return e;
        drop->begun = true;
        return store->ops->record_delete(conn, drop->kind, drop->id, &drop->dropped, &job->why);
}

enum err run_import(struct store *store, void *conn, struct job *job)
{
        struct store_import *import = (struct store_import *)job;
        enum insert insert = INSERT_TAKEN;
        enum err e;

        if (import->order) {
                order_phone(import->order->document, import->order->phone);
                e = store->ops->order_insert(conn, import->order, &insert, &job->why);
        } else {
                e = store->ops->record_insert(conn, import->record, &insert, &job->why);
        }
        import->imported = insert == INSERT_NEW;
        return e;
}
