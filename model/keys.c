/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - the records of the keys that seal, and the check of them when a store is opened. */
#include "model/keys.h"

#include "model/clean.h"
#include "model/connection.h"
#include "model/integration.h"

#define PAGE 50 /* records looked at together; a guess */

/* ---- a record ---- */

enum err keys_make(const struct keyring *ring, size_t place, struct record *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct record record = {.kind = RECORD_KEY, .rev = 1};
        char hex[2 * sizeof(struct digest) + 1];
        struct digest mark;
        enum err e = json_read("{}", 2, &document, why);

        if (e)
                return e;
        if (!keyring_mark(ring, place, &mark))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a key's mark");
        hex_write(mark.bytes, sizeof mark.bytes, hex);
        text_copy(record.id, sizeof record.id, keyring_id(ring, place));
        if (!json_add_text(document, "mark", hex))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a key's record");
        e = record_write(&record, document, why);
        if (!e)
                *ret = record;
        return e;
}

/* Where the key of this id stands in the ring; its count: nowhere. */
static size_t place_of(const struct keyring *ring, const char *id)
{
        size_t place = 0;

        while (place < keyring_count(ring) && !streq(keyring_id(ring, place), id))
                place++;
        return place;
}

bool keys_knows(const struct keyring *ring, const struct record *record)
{
        CLEAN(record_done) struct record own = {0};
        const size_t place = place_of(ring, record->id);

        return place < keyring_count(ring) && keys_make(ring, place, &own, NULL) == ERR_OK &&
               streq(own.document, record->document);
}

enum err keys_reseal(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        struct reseal *reseal = arg;

        *reseal = (struct reseal){.ring = reseal->ring};
        return record->kind == RECORD_INTEGRATION ? integration_reseal(record, arg, now_ms, why)
                                                  : connection_reseal(record, arg, now_ms, why);
}

/* ---- at the start ---- */

struct page_of_records {
        struct record records[PAGE];
        int n;
};

static void page_done(struct page_of_records *page)
{
        for (int i = 0; i < page->n; i++)
                record_done(&page->records[i]);
        page->n = 0;
}

/* Whether each of the store's keys is in the ring; *ret_known says whether it knows the ring's first. */
static enum err check(const struct backend *ops, void *conn, const struct keyring *ring, int *ret_n,
                      bool *ret_known, struct why *why)
{
        CLEAN(page_done) struct page_of_records keys = {0};
        const struct page newest = {.before_ms = INT64_MAX};
        enum err e = ops->record_page(conn, RECORD_KEY, &newest, PAGE, keys.records, &keys.n, why);

        *ret_known = false;
        *ret_n = keys.n;
        for (int i = 0; !e && i < keys.n; i++) {
                const struct record *key = &keys.records[i];
                const size_t place = place_of(ring, key->id);

                if (place == keyring_count(ring))
                        e = FAIL(why, ERR_INTERNAL,
                                 "the store holds secrets of key %s, which KURYE_SECRET_KEY does not have",
                                 key->id);
                else if (!keys_knows(ring, key))
                        e = FAIL(
                                why, ERR_INTERNAL,
                                "key %s of KURYE_SECRET_KEY is not the one by which the store's secrets are sealed",
                                key->id);
                *ret_known |= place == 0;
        }
        return e;
}

/* Adds what the keys make of the records of a kind, until one opens. What is damaged is not their fault. */
static enum err try_kind(const struct backend *ops, void *conn, enum record_kind kind, struct reseal *sum,
                         struct why *why)
{
        CLEAN(page_done) struct page_of_records found = {0};
        struct page page = {.before_ms = INT64_MAX};
        enum err e;

        do {
                page_done(&found);
                e = ops->record_page(conn, kind, &page, PAGE, found.records, &found.n, why);
                for (int i = 0; !e && i < found.n && sum->kept + sum->anew == 0; i++) {
                        struct reseal one = {.ring = sum->ring};

                        if (keys_reseal(&found.records[i], &one, 0, NULL) == ERR_NO_MEMORY)
                                e = FAIL(why, ERR_NO_MEMORY, "no memory for a record");
                        sum->kept += one.kept;
                        sum->anew += one.anew;
                        sum->lost += one.lost;
                        page.before_ms = found.records[i].created_ms;
                        text_copy(page.before_id, sizeof page.before_id, found.records[i].id);
                }
        } while (!e && found.n == PAGE && sum->kept + sum->anew == 0);
        return e;
}

static enum err note(const struct backend *ops, void *conn, const struct keyring *ring, size_t place,
                     bool *ret_new, struct why *why)
{
        CLEAN(record_done) struct record record = {0};
        enum insert insert = INSERT_TAKEN;
        enum err e = keys_make(ring, place, &record, why);

        e = e ? e : ops->record_insert(conn, &record, &insert, why);
        *ret_new = !e && insert == INSERT_NEW;
        return e;
}

/* Of a store in which no key is noted: all of the ring are. */
static enum err adopt(const struct backend *ops, void *conn, const struct keyring *ring, struct why *why)
{
        struct reseal sum = {.ring = ring};
        bool is_new;
        enum err e = try_kind(ops, conn, RECORD_CONNECTION, &sum, why);

        e = e ? e : try_kind(ops, conn, RECORD_INTEGRATION, &sum, why);
        if (!e && sum.lost > 0 && sum.kept + sum.anew == 0)
                e = FAIL(why, ERR_INTERNAL, "no key of KURYE_SECRET_KEY opens any of the store's secrets");
        for (size_t i = 1; !e && i < keyring_count(ring); i++)
                e = note(ops, conn, ring, i, &is_new, why);
        return e;
}

/* Two servers with keys of their own may begin a new store at once: after it is noted at least one of them sees the other's,
 * and takes its own back. */
enum err keys_admit(const struct backend *ops, void *conn, const struct keyring *ring, struct why *why)
{
        bool known = false, is_new = false;
        int n = 0;
        enum err e = check(ops, conn, ring, &n, &known, why);

        if (!e && n == 0)
                e = adopt(ops, conn, ring, why);
        if (e || known)
                return e;
        e = note(ops, conn, ring, 0, &is_new, why);
        e = e ? e : check(ops, conn, ring, &n, &known, why);
        if (e == ERR_INTERNAL && is_new)
                (void)!ops->record_delete(conn, RECORD_KEY, keyring_id(ring, 0), &is_new, NULL);
        return e;
}
