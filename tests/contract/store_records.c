/* SPDX-License-Identifier: Apache-2.0 */
/* store_records.c - records are put once, found by page, edited in one step, and dropped. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct digest digest_of(const char *text)
{
        struct digest digest;

        assert_true(crypto_sha256(text, strlen(text), &digest));
        return digest;
}

/* A record of the world's restaurant with this id, to be put; one look where `look` is given. */
static struct store_put putting(enum record_kind kind, const char *id, const char *look)
{
        struct store_put put = {.job.access = trusted(world.restaurant),
                                .record = {.kind = kind,
                                           .restaurant = world.restaurant,
                                           .n_looks = look != NULL,
                                           .document = strdup("{\"name\":\"first\"}")}};

        assert_true(text_copy(put.record.id, sizeof put.record.id, id));
        if (look)
                put.record.looks[0] = digest_of(look);
        return put;
}

/* Puts it; the outcome. */
static int put(enum record_kind kind, const char *id, const char *look)
{
        CLEAN(store_put_done) struct store_put put = putting(kind, id, look);

        DO(put, &put);
        return (int)put.outcome;
}

static struct store_get get(enum record_kind kind, const char *id)
{
        struct store_get get = {.job.access = trusted(world.restaurant), .kind = kind};

        assert_true(text_copy(get.id, sizeof get.id, id));
        DO(get, &get);
        return get;
}

/* Nothing more than that it is there. */
static bool is_there(enum record_kind kind, const char *id)
{
        struct store_get found = get(kind, id);
        const bool there = found.record.document != NULL;

        store_get_done(&found);
        return there;
}

TEST(a_record_stands_as_it_was_put)
{
        CLEAN(store_put_done) struct store_put put = putting(RECORD_TOKEN, "t1", "secret");
        CLEAN(store_get_done) struct store_get got = {0};

        DO(put, &put);
        assert_int_equal(put.outcome, PUT_NEW);
        assert_int_equal(put.record.rev, 1);
        got = get(RECORD_TOKEN, "t1");
        assert_int_equal(got.record.kind, RECORD_TOKEN);
        assert_string_equal(got.record.id, "t1");
        assert_true(id_equal(&got.record.restaurant, &world.restaurant));
        assert_string_equal(got.record.document, "{\"name\":\"first\"}");
        assert_int_equal(got.record.rev, 1);
        assert_int_equal(got.record.created_ms, BEGAN);
        assert_int_equal(got.record.updated_ms, BEGAN);
        assert_int_equal(got.record.n_looks, 1);
        assert_memory_equal(&got.record.looks[0], &put.record.looks[0], sizeof(struct digest));
}

TEST(an_id_that_is_there_is_taken_within_its_kind)
{
        CLEAN(store_put_done) struct store_put again = putting(RECORD_TOKEN, "r1", NULL);
        CLEAN(store_get_done) struct store_get got = {0};

        assert_int_equal(put(RECORD_TOKEN, "r1", NULL), PUT_NEW);
        assert_int_equal(put(RECORD_INTEGRATION, "r1", NULL), PUT_NEW);
        free(again.record.document);
        again.record.document = strdup("{\"name\":\"second\"}");
        DO(put, &again);
        assert_int_equal(again.outcome, PUT_TAKEN);
        got = get(RECORD_TOKEN, "r1");
        assert_string_equal(got.record.document, "{\"name\":\"first\"}");
}

TEST(a_secret_belongs_to_one_record)
{
        assert_int_equal(put(RECORD_TOKEN, "t1", "secret"), PUT_NEW);
        assert_int_equal(put(RECORD_TOKEN, "t2", "secret"), PUT_TAKEN);
        assert_false(is_there(RECORD_TOKEN, "t2"));
        assert_int_equal(put(RECORD_TOKEN, "t2", "another"), PUT_NEW);
}

TEST(a_record_is_read_in_its_restaurant_only)
{
        struct store_get foreign = {
                .job.access = trusted(restaurant_new()), .kind = RECORD_TOKEN, .id = "t1"};
        struct store_get ours = {.kind = RECORD_TOKEN, .id = "t1"};

        put(RECORD_TOKEN, "t1", NULL);
        DO(get, &foreign);
        assert_null(foreign.record.document);
        DO(get, &ours);
        assert_non_null(ours.record.document);
        assert_null(ours.owner.document); /* nobody was named */
        store_get_done(&foreign);
        store_get_done(&ours);
}

TEST(its_restaurants_own_record_comes_along)
{
        CLEAN(store_get_done) struct store_get absent = get(RECORD_TOKEN, "nobody");
        CLEAN(store_find_done)
        struct store_find find = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .limit = 1};
        char id[ID_TEXT_SIZE];

        assert_null(absent.record.document);
        assert_string_equal(absent.owner.id, id_write(&world.restaurant, id));
        DO(find, &find);
        assert_int_equal(find.n, 0);
        assert_string_equal(find.owner.id, id);
}

TEST(a_courier_gets_its_own_record_by_no_id)
{
        struct courier courier = courier_hire(world.restaurant);
        CLEAN(store_get_done)
        struct store_get get = {.job.access = by_key(courier.key), .kind = RECORD_INTEGRATION};

        courier_hire(world.restaurant);
        DO(get, &get);
        assert_non_null(get.record.document);
        assert_string_equal(get.record.id, courier.id);
}

/* --- pages --- */

TEST(records_are_found_by_kind_newest_first_and_page_by_page)
{
        struct store_find find = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .limit = 2};
        char id[16];
        int n = 0;

        for (int i = 0; i < 5; i++) {
                snprintf(id, sizeof id, "t%d", i);
                put(RECORD_TOKEN, id, NULL);
                put(RECORD_INTEGRATION, id, NULL);
                clock_pass(SECOND);
        }
        do {
                assert_true(text_copy(find.after, sizeof find.after, find.next));
                DO(find, &find);
                for (int i = 0; i < find.n; i++, n++) {
                        snprintf(id, sizeof id, "t%d", 4 - n);
                        assert_string_equal(find.records[i].id, id);
                        assert_int_equal(find.records[i].kind, RECORD_TOKEN);
                        assert_string_equal(find.records[i].document, "{\"name\":\"first\"}");
                }
                put(RECORD_TOKEN, n == 2 ? "newer" : "newest", NULL); /* does not move the cursor */
        } while (find.next[0]);
        assert_int_equal(n, 5);
        store_find_done(&find);
}

TEST(a_full_last_page_says_that_it_is_the_last)
{
        CLEAN(store_find_done)
        struct store_find find = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .limit = 2};

        put(RECORD_TOKEN, "t1", NULL);
        put(RECORD_TOKEN, "t2", NULL);
        DO(find, &find);
        assert_int_equal(find.n, 2);
        assert_string_equal(find.next, "");
        assert_true(text_copy(find.after, sizeof find.after, "no-cursor"));
        ASK(ERR_BAD_FIELD, find, &find);
        assert_string_equal(find.job.why.field, "after");
}

TEST(records_are_found_in_their_restaurant_and_by_us_in_all)
{
        struct store_find find = {.job.access = trusted(restaurant_new()), .kind = RECORD_TOKEN, .limit = 9};

        put(RECORD_TOKEN, "t1", NULL);
        DO(find, &find);
        assert_int_equal(find.n, 0);
        find.job.access = (struct access){.kind = ACCESS_TRUSTED};
        DO(find, &find);
        assert_int_equal(find.n, 1);
        assert_null(find.owner.document);
        find.kind = RECORD_RESTAURANT;
        DO(find, &find);
        assert_int_equal(find.n, 2);
        store_find_done(&find);
}

/* --- edits --- */

static enum err count_up(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        enum err e = record_read(record, &document, why);

        (void)arg;
        if (e != ERR_OK)
                return e;
        if (!json_add_int(document, "count", json_get_int(document, "count", 0) + 1) ||
            !json_add_int(document, "at", now_ms))
                return FAIL(why, ERR_NO_MEMORY, "no memory for an edit");
        return record_write(record, document, why);
}

static struct store_edit editing(const char *id)
{
        struct store_edit edit = {
                .job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .edit = count_up};

        assert_true(text_copy(edit.id, sizeof edit.id, id));
        return edit;
}

TEST(an_edit_is_written_with_a_new_revision)
{
        CLEAN(store_edit_done) struct store_edit edit = editing("t1");
        CLEAN(store_get_done) struct store_get got = {0};

        put(RECORD_TOKEN, "t1", "secret");
        clock_pass(SECOND);
        DO(edit, &edit);
        got = get(RECORD_TOKEN, "t1");
        assert_string_equal(got.record.document, edit.record.document);
        assert_non_null(strstr(got.record.document, "\"count\":1"));
        assert_non_null(strstr(got.record.document, "\"at\":1730817001000"));
        assert_int_equal(got.record.rev, 2);
        assert_int_equal(edit.record.rev, 2);
        assert_int_equal(got.record.created_ms, BEGAN);
        assert_int_equal(got.record.updated_ms, BEGAN + SECOND);
        assert_int_equal(got.record.n_looks, 1);
}

TEST(no_edit_is_lost_among_many_at_once)
{
        struct store_edit edits[16];
        CLEAN(store_get_done) struct store_get got = {0};

        put(RECORD_TOKEN, "t1", NULL);
        for (size_t i = 0; i < COUNT(edits); i++) {
                edits[i] = editing("t1");
                SUBMIT(&world.desk, edit, &edits[i]);
        }
        assert_true(desk_wait(&world.desk));
        for (size_t i = 0; i < COUNT(edits); i++) {
                assert_int_equal(edits[i].job.err, ERR_OK);
                store_edit_done(&edits[i]);
        }
        got = get(RECORD_TOKEN, "t1");
        assert_non_null(strstr(got.record.document, "\"count\":16"));
        assert_int_equal(got.record.rev, 17);
}

static enum err refuse(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        enum err e = count_up(record, arg, now_ms, why);

        return e == ERR_OK ? FAIL_FIELD(why, "name", "not like this") : e;
}

TEST(an_edit_that_refuses_writes_nothing)
{
        CLEAN(store_edit_done) struct store_edit edit = editing("t1");
        CLEAN(store_get_done) struct store_get got = {0};

        put(RECORD_TOKEN, "t1", NULL);
        edit.edit = refuse;
        ASK(ERR_BAD_FIELD, edit, &edit);
        assert_string_equal(edit.job.why.field, "name");
        got = get(RECORD_TOKEN, "t1");
        assert_string_equal(got.record.document, "{\"name\":\"first\"}");
        assert_int_equal(got.record.rev, 1);
}

TEST(what_is_not_there_is_not_edited)
{
        CLEAN(store_edit_done) struct store_edit absent = editing("nobody");
        CLEAN(store_edit_done) struct store_edit foreign = editing("t1");
        CLEAN(store_get_done) struct store_get got = {0};

        put(RECORD_TOKEN, "t1", NULL);
        DO(edit, &absent);
        assert_null(absent.record.document);
        foreign.job.access = trusted(restaurant_new());
        DO(edit, &foreign);
        assert_null(foreign.record.document);
        got = get(RECORD_TOKEN, "t1");
        assert_int_equal(got.record.rev, 1);
}

/* Sets the looks that `arg` names, ended by NULL. */
static enum err set_looks(struct record *record, void *arg, int64_t now_ms, struct why *why)
{
        const char *const *looks = arg;

        (void)now_ms;
        for (record->n_looks = 0; looks[record->n_looks]; record->n_looks++)
                if (!crypto_sha256(looks[record->n_looks], strlen(looks[record->n_looks]),
                                   &record->looks[record->n_looks]))
                        return FAIL(why, ERR_NO_MEMORY, "no memory for a digest");
        return ERR_OK;
}

TEST(secrets_follow_their_records_edits)
{
        CLEAN(store_edit_done) struct store_edit edit = editing("t1");
        CLEAN(store_get_done) struct store_get got = {0};
        const char *looks[] = {"new", "old", NULL};

        put(RECORD_TOKEN, "t1", "old");
        edit.edit = set_looks;
        edit.arg = looks;
        DO(edit, &edit);
        got = get(RECORD_TOKEN, "t1");
        assert_int_equal(got.record.n_looks, 2);
        assert_int_equal(put(RECORD_TOKEN, "t2", "old"), PUT_TAKEN);
        looks[1] = NULL;
        DO(edit, &edit);
        assert_int_equal(put(RECORD_TOKEN, "t2", "old"), PUT_NEW); /* nobody's any more */
        assert_int_equal(put(RECORD_TOKEN, "t3", "new"), PUT_TAKEN);
}

TEST(an_edit_cannot_take_anothers_secret)
{
        CLEAN(store_edit_done) struct store_edit edit = editing("t1");
        CLEAN(store_get_done) struct store_get got = {0};
        const char *looks[] = {"theirs", NULL};

        put(RECORD_TOKEN, "t1", "own");
        put(RECORD_TOKEN, "t2", "theirs");
        edit.edit = set_looks;
        edit.arg = looks;
        ASK(ERR_INTERNAL, edit, &edit);
        got = get(RECORD_TOKEN, "t1");
        assert_int_equal(got.record.rev, 1);
        assert_int_equal(put(RECORD_TOKEN, "t3", "own"), PUT_TAKEN);
}

/* --- drops --- */

TEST(what_is_dropped_is_gone_with_its_secrets)
{
        struct store_drop drop = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .id = "t1"};

        put(RECORD_TOKEN, "t1", "secret");
        put(RECORD_TOKEN, "t2", "another");
        put(RECORD_INTEGRATION, "t1", NULL);
        DO(drop, &drop);
        assert_true(drop.dropped);
        assert_false(is_there(RECORD_TOKEN, "t1"));
        assert_true(is_there(RECORD_TOKEN, "t2"));
        assert_true(is_there(RECORD_INTEGRATION, "t1"));
        DO(drop, &drop);
        assert_false(drop.dropped);
        assert_int_equal(put(RECORD_TOKEN, "t1", "secret"), PUT_NEW);
}

TEST(another_restaurants_record_is_not_dropped)
{
        struct store_drop drop = {.job.access = trusted(restaurant_new()), .kind = RECORD_TOKEN, .id = "t1"};

        put(RECORD_TOKEN, "t1", NULL);
        DO(drop, &drop);
        assert_false(drop.dropped);
        assert_true(is_there(RECORD_TOKEN, "t1"));
}

TEST(records_are_no_news_of_an_order)
{
        CLEAN(store_edit_done) struct store_edit edit = editing("t1");
        struct store_drop drop = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN, .id = "t1"};

        changes_heard(NULL);
        put(RECORD_TOKEN, "t1", NULL);
        DO(edit, &edit);
        DO(drop, &drop);
        assert_int_equal(changes_heard(NULL), 0);
}

static const struct CMUnitTest tests[] = {
        STORY(a_record_stands_as_it_was_put),
        STORY(an_id_that_is_there_is_taken_within_its_kind),
        STORY(a_secret_belongs_to_one_record),
        STORY(a_record_is_read_in_its_restaurant_only),
        STORY(its_restaurants_own_record_comes_along),
        STORY(a_courier_gets_its_own_record_by_no_id),
        STORY(records_are_found_by_kind_newest_first_and_page_by_page),
        STORY(a_full_last_page_says_that_it_is_the_last),
        STORY(records_are_found_in_their_restaurant_and_by_us_in_all),
        STORY(an_edit_is_written_with_a_new_revision),
        STORY(no_edit_is_lost_among_many_at_once),
        STORY(an_edit_that_refuses_writes_nothing),
        STORY(what_is_not_there_is_not_edited),
        STORY(secrets_follow_their_records_edits),
        STORY(an_edit_cannot_take_anothers_secret),
        STORY(what_is_dropped_is_gone_with_its_secrets),
        STORY(another_restaurants_record_is_not_dropped),
        STORY(records_are_no_news_of_an_order),
};

extern const struct chapter records_chapter;
const struct chapter records_chapter = CHAPTER(tests);
