/* SPDX-License-Identifier: Apache-2.0 */
/* store_access.c - who may: keys and tokens, whose they are, and when they end. */
#include "model/clean.h"
#include "model/token.h"
#include "tests/contract/world.h"

#include <string.h>

/* A read with this access: its error. */
static enum err try(struct access access)
{
        struct store_read read = {.job.access = access, .order = world.restaurant};

        SUBMIT(&world.desk, read, &read);
        assert_true(desk_wait(&world.desk));
        return read.job.err;
}

/* The same of a write: both ways in ask alike. */
static enum err try_write(struct access access)
{
        struct store_move move = {.job.access = access, .order = world.restaurant, .to = STATUS_READY};

        SUBMIT(&world.desk, move, &move);
        assert_true(desk_wait(&world.desk));
        return move.job.err;
}

static void assert_key(const char *key, enum err expected)
{
        assert_int_equal(try(by_key(key)), expected);
        assert_int_equal(try_write(by_key(key)), expected);
}

static void assert_token(const char *token, enum err expected)
{
        assert_int_equal(try(by_token(token)), expected);
        assert_int_equal(try_write(by_token(token)), expected);
}

TEST(a_key_names_its_restaurant_and_integration)
{
        struct courier courier = courier_hire(world.restaurant);
        struct store_read read = {.job.access = by_key(courier.key), .order = world.restaurant};

        for (int i = 0; i < 2; i++) { /* looked up, then remembered */
                DO(read, &read);
                assert_true(id_equal(&read.job.restaurant, &world.restaurant));
                assert_true(id_equal(&read.job.integration, &courier.integration));
        }
}

TEST(a_token_names_its_restaurant)
{
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];
        struct store_read read = {.order = world.restaurant};

        token_new(world.restaurant, token, id);
        read.job.access = by_token(token);
        for (int i = 0; i < 2; i++) {
                DO(read, &read);
                assert_true(id_equal(&read.job.restaurant, &world.restaurant));
                assert_true(id_is_zero(&read.job.integration));
        }
}

TEST(an_unknown_secret_is_refused)
{
        char key[APIKEY_TEXT_SIZE], token[APIKEY_TEXT_SIZE];

        assert_int_equal(apikey_make(KEY_PREFIX, key, NULL), ERR_OK);
        assert_int_equal(apikey_make(TOKEN_PREFIX, token, NULL), ERR_OK);
        assert_key(key, ERR_NO_INTEGRATION);
        assert_token(token, ERR_UNAUTHORIZED);
}

TEST(a_key_is_no_token_and_a_token_is_no_key)
{
        struct courier courier = courier_hire(world.restaurant);
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];
        struct access key = by_key(courier.key), as_key;

        token_new(world.restaurant, token, id);
        as_key = by_token(token);
        for (int i = 0; i < 2; i++) { /* nor once they are remembered as what they are */
                assert_key(courier.key, ERR_OK);
                key.kind = ACCESS_TOKEN;
                assert_int_equal(try(key), ERR_UNAUTHORIZED);
                assert_token(token, ERR_OK);
                as_key.kind = ACCESS_KEY;
                assert_int_equal(try(as_key), ERR_NO_INTEGRATION);
        }
}

TEST(another_restaurant_is_out_of_reach)
{
        struct courier courier = courier_hire(world.restaurant);
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];
        struct id other = restaurant_new();
        struct access access;

        token_new(world.restaurant, token, id);
        for (int i = 0; i < 2; i++) {
                access = by_key(courier.key);
                access.restaurant = other;
                assert_int_equal(try(access), ERR_NO_INTEGRATION);
                assert_int_equal(try_write(access), ERR_NO_INTEGRATION);
                access.restaurant = world.restaurant;
                assert_int_equal(try(access), ERR_OK);
                access = by_token(token);
                access.restaurant = other;
                assert_int_equal(try(access), ERR_NOT_FOUND);
                assert_int_equal(try_write(access), ERR_NOT_FOUND);
                access.restaurant = world.restaurant;
                assert_int_equal(try(access), ERR_OK);
        }
}

TEST(a_token_sees_its_own_restaurant_only)
{
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];
        struct id other = restaurant_new();
        struct store_read read = {.order = order_new(PLATFORM_PHONE, STATUS_NEW)};

        token_new(other, token, id);
        read.job.access = by_token(token);
        DO(read, &read);
        assert_null(read.stored);
}

TEST(a_restaurant_that_is_not_there_is_not_found)
{
        struct id nobody = world.restaurant;

        nobody.bytes[11] ^= 1;
        assert_int_equal(try(trusted(nobody)), ERR_NOT_FOUND);
        assert_int_equal(try_write(trusted(nobody)), ERR_NOT_FOUND);
        assert_int_equal(try(trusted(world.restaurant)), ERR_OK);
}

static void switch_courier(const struct courier *courier, bool active)
{
        char on[] = "{\"active\":true}", off[] = "{\"active\":false}";
        struct integration_patch patch = {.members = active ? on : off};
        struct store_edit edit = {.kind = RECORD_INTEGRATION, .edit = integration_edit, .arg = &patch};

        assert_true(text_copy(edit.id, sizeof edit.id, courier->id));
        DO(edit, &edit);
        assert_non_null(edit.record.document);
        store_edit_done(&edit);
}

TEST(a_partner_calls_for_an_active_restaurant)
{
        struct access partner = trusted(world.restaurant);

        partner.kind = ACCESS_PARTNER;
        assert_int_equal(try(partner), ERR_OK);
        assert_int_equal(try_write(partner), ERR_OK);
        restaurant_switch(world.restaurant, false);
        assert_int_equal(try(partner), ERR_UNAUTHORIZED);
        assert_int_equal(try_write(partner), ERR_UNAUTHORIZED);
        restaurant_switch(world.restaurant, true);
        assert_int_equal(try(partner), ERR_OK);
        memset(&partner.restaurant, 0x77, sizeof partner.restaurant);
        assert_int_equal(try(partner), ERR_UNAUTHORIZED);
        partner.restaurant = (struct id){0};
        assert_int_equal(try(partner), ERR_UNAUTHORIZED);
}

TEST(an_inactive_integration_is_refused_at_once_and_comes_back)
{
        struct courier courier = courier_hire(world.restaurant);

        assert_key(courier.key, ERR_OK);
        switch_courier(&courier, false);
        assert_key(courier.key, ERR_NO_INTEGRATION);
        switch_courier(&courier, true);
        assert_key(courier.key, ERR_OK);
}

static void drop(enum record_kind kind, const char *id)
{
        struct store_drop drop = {.job.access = trusted(world.restaurant), .kind = kind};

        assert_true(text_copy(drop.id, sizeof drop.id, id));
        DO(drop, &drop);
        assert_true(drop.dropped);
}

TEST(what_is_deleted_is_refused_at_once)
{
        struct courier courier = courier_hire(world.restaurant);
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];

        token_new(world.restaurant, token, id);
        assert_key(courier.key, ERR_OK);
        assert_token(token, ERR_OK);
        drop(RECORD_INTEGRATION, courier.id);
        assert_key(courier.key, ERR_NO_INTEGRATION);
        assert_token(token, ERR_OK);
        drop(RECORD_TOKEN, id);
        assert_token(token, ERR_UNAUTHORIZED);
}

TEST(a_deactivated_restaurant_shuts_out_all_of_its_own_at_once)
{
        struct courier courier = courier_hire(world.restaurant), other = courier_hire(restaurant_new());
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];

        token_new(world.restaurant, token, id);
        assert_key(courier.key, ERR_OK);
        assert_token(token, ERR_OK);
        restaurant_switch(world.restaurant, false);
        assert_key(courier.key, ERR_NO_INTEGRATION);
        assert_token(token, ERR_UNAUTHORIZED);
        assert_key(other.key, ERR_OK);
        assert_int_equal(try(trusted(world.restaurant)), ERR_OK);
        restaurant_switch(world.restaurant, true);
        assert_key(courier.key, ERR_OK);
        assert_token(token, ERR_OK);
}

TEST(a_rotated_key_is_good_to_the_edge_of_its_grace)
{
        struct courier courier = courier_hire(world.restaurant);
        char old[SECRET_TEXT_SIZE];

        assert_true(text_copy(old, sizeof old, courier.key));
        assert_key(old, ERR_OK);
        courier_rotate(&courier, MINUTE);
        assert_key(old, ERR_OK);
        assert_key(courier.key, ERR_OK);
        clock_pass(MINUTE - 1);
        assert_key(old, ERR_OK); /* remembered now, but not past its end */
        clock_pass(1);
        assert_key(old, ERR_NO_INTEGRATION);
        assert_key(courier.key, ERR_OK);
}

TEST(a_key_rotated_without_grace_ends_at_once)
{
        struct courier courier = courier_hire(world.restaurant);
        char old[SECRET_TEXT_SIZE];

        assert_true(text_copy(old, sizeof old, courier.key));
        assert_key(old, ERR_OK);
        courier_rotate(&courier, 0);
        assert_key(old, ERR_NO_INTEGRATION);
        assert_key(courier.key, ERR_OK);
}

TEST(two_keys_are_live_at_most)
{
        struct courier courier = courier_hire(world.restaurant);
        char first[SECRET_TEXT_SIZE], second[SECRET_TEXT_SIZE];

        assert_true(text_copy(first, sizeof first, courier.key));
        courier_rotate(&courier, MINUTE);
        assert_true(text_copy(second, sizeof second, courier.key));
        courier_rotate(&courier, MINUTE);
        assert_key(first, ERR_NO_INTEGRATION);
        assert_key(second, ERR_OK);
        assert_key(courier.key, ERR_OK);
}

/* --- a token's last use --- */

static int64_t last_use(const char *id)
{
        struct store_get get = {.job.access = trusted(world.restaurant), .kind = RECORD_TOKEN};
        CLEAN(json_put_at) struct json_object *document = NULL;
        int64_t used_ms;

        assert_true(text_copy(get.id, sizeof get.id, id));
        DO(get, &get);
        assert_int_equal(record_read(&get.record, &document, NULL), ERR_OK);
        used_ms = json_get_int(document, "lastUsedAt", 0);
        store_get_done(&get);
        return used_ms;
}

/* Nobody is told when it is written: what is asked meanwhile goes the same way and is behind it in the end. */
static void await_use(const char *id, int64_t used_ms)
{
        const int64_t until_ms = time_boot_ms() + 30 * SECOND;

        while (last_use(id) != used_ms)
                assert_true(time_boot_ms() < until_ms);
}

TEST(a_tokens_last_use_is_written_down_every_ten_minutes)
{
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];

        token_new(world.restaurant, token, id);
        clock_pass(SECOND);
        assert_token(token, ERR_OK);
        await_use(id, BEGAN + SECOND);
        clock_pass(10 * MINUTE - 1);
        assert_token(token, ERR_OK);
        order_new(PLATFORM_PHONE, STATUS_NEW);
        assert_int_equal(last_use(id), BEGAN + SECOND);
        clock_pass(10 * SECOND);
        assert_token(token, ERR_OK);
        await_use(id, BEGAN + 10 * MINUTE + 11 * SECOND - 1);
}

TEST(a_use_that_is_written_down_shuts_nobody_out)
{
        struct courier courier = courier_hire(world.restaurant);
        char token[APIKEY_TEXT_SIZE], id[RECORD_ID_SIZE];

        token_new(world.restaurant, token, id);
        assert_key(courier.key, ERR_OK);
        assert_token(token, ERR_OK);
        await_use(id, BEGAN);
        assert_token(token, ERR_OK);
        assert_key(courier.key, ERR_OK);
}

static const struct CMUnitTest tests[] = {
        STORY(a_key_names_its_restaurant_and_integration),
        STORY(a_token_names_its_restaurant),
        STORY(an_unknown_secret_is_refused),
        STORY(a_key_is_no_token_and_a_token_is_no_key),
        STORY(another_restaurant_is_out_of_reach),
        STORY(a_token_sees_its_own_restaurant_only),
        STORY(a_restaurant_that_is_not_there_is_not_found),
        STORY(a_partner_calls_for_an_active_restaurant),
        STORY(an_inactive_integration_is_refused_at_once_and_comes_back),
        STORY(what_is_deleted_is_refused_at_once),
        STORY(a_deactivated_restaurant_shuts_out_all_of_its_own_at_once),
        STORY(a_rotated_key_is_good_to_the_edge_of_its_grace),
        STORY(a_key_rotated_without_grace_ends_at_once),
        STORY(two_keys_are_live_at_most),
        STORY(a_tokens_last_use_is_written_down_every_ten_minutes),
        STORY(a_use_that_is_written_down_shuts_nobody_out),
};

extern const struct chapter access_chapter;
const struct chapter access_chapter = CHAPTER(tests);
