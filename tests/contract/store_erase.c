/* SPDX-License-Identifier: Apache-2.0 */
/* store_erase.c - personal data goes out of the orders that are meant, whole, and nothing else goes. */
#include "model/clean.h"
#include "model/order.h"
#include "tests/contract/world.h"

#include <stdio.h>
#include <string.h>

#define KEEP (30 * 24 * 60 * MINUTE)
#define YEAR (366 * 24 * 60 * MINUTE)
#define NAME         \
        "Ay\xc5\x9f" \
        "e Kanarya"
#define BEGIN                                                                                                  \
        "{\"displayId\":\"4711\",\"platformRef\":{\"verifiedAt\":\"2024-11-05T14:30:00.000Z\",\"who\":\"" NAME \
        "\"},"

/* What is left of document_of()'s. */
#define LEFT                                                                                                              \
        "{\"displayId\":\"4711\",\"platformRef\":{\"verifiedAt\":\"2024-11-05T14:30:00.000Z\"},\"price\":125.5,\"items\"" \
        ":[{\"name\":\"Ayran\",\"note\":null}],\"customer\":null,\"orderNote\":null,\"courierNote\":null}"

static char *document_of(const char *phone)
{
        char *text = NULL;

        assert_true(asprintf(&text,
                             BEGIN "\"price\":125.5,\"items\":[{\"name\":\"Ayran\",\"note\":\"" NAME
                                   "\"}],\"customer\":{\"details\":{\"name\":\"" NAME
                                   "\",\"phone\":\"%s\"},\"address\":{\"detailedAddress\":\"" NAME
                                   "\"}},\"orderNote\":\"" NAME "\",\"courierNote\":\"" NAME "\"}",
                             phone) > 0);
        return text;
}

/* An order for somebody with this phone. */
static struct id order_in(struct id restaurant, const char *phone, int64_t scheduled_ms)
{
        CLEAN(store_create_done)
        struct store_create create = {.job.access = trusted(restaurant),
                                      .order = order_draft(PLATFORM_GETIRYEMEK, STATUS_NEW),
                                      .by = ACTOR_RESTAURANT};

        free(create.order->document);
        create.order->document = document_of(phone);
        phone_key(phone, create.order->phone);
        create.order->scheduled_ms = scheduled_ms;
        DO(create, &create);
        return create.order->id;
}

static struct id order_of(const char *phone)
{
        return order_in(world.restaurant, phone, 0);
}

static struct store_erase erase_old(void)
{
        struct store_erase erase = {.keep_ms = KEEP};

        DO(erase, &erase);
        return erase;
}

static struct store_erase erase_phone(const char *phone)
{
        struct store_erase erase = {0};

        assert_true(phone_key(phone, erase.phone));
        DO(erase, &erase);
        return erase;
}

static int erase_order(struct id order)
{
        struct store_erase erase = {.order = order};

        DO(erase, &erase);
        assert_false(erase.more);
        return erase.erased;
}

static bool same_json(const char *a, const char *b)
{
        CLEAN(json_put_at) struct json_object *left = NULL;
        CLEAN(json_put_at) struct json_object *right = NULL;

        return json_read(a, strlen(a), &left, NULL) == ERR_OK &&
               json_read(b, strlen(b), &right, NULL) == ERR_OK && json_object_equal(left, right);
}

static bool is_erased(struct id id)
{
        CLEAN(store_read_done) struct store_read read = {.order = id};
        bool erased;

        DO(read, &read);
        assert_non_null(read.stored);
        erased = read.stored->erased_ms != 0;
        assert_int_equal(order_is_erased(read.stored), erased);
        assert_int_equal(strstr(read.stored->document, NAME) == NULL, erased);
        return erased;
}

static void move_with_note(struct id id, enum status to)
{
        struct store_move move = moving(id, to);

        move.note = NAME;
        text_copy(move.reason, sizeof move.reason, "4");
        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
        store_move_done(&move);
}

TEST(what_is_personal_goes_and_all_else_stays)
{
        struct id id = order_of("0532 123 45 67");
        CLEAN(order_free_at) struct order *before = NULL;
        CLEAN(order_free_at) struct order *after = NULL;

        move_to(id, STATUS_ACCEPTED);
        clock_pass(MINUTE);
        move_with_note(id, STATUS_CANCELLED);
        give_up(id, PLATFORM_GETIRYEMEK, /* unsure= */ true);
        before = order_load(id);
        clock_pass(MINUTE);
        assert_int_equal(erase_order(id), 1);
        after = order_load(id);
        assert_true(same_json(after->document, LEFT));
        assert_int_equal(after->erased_ms, clock_now());
        assert_int_equal(after->updated_ms, clock_now());
        assert_int_equal(after->rev, before->rev + 1);
        assert_int_equal(after->status, before->status);
        assert_int_equal(after->created_ms, before->created_ms);
        assert_string_equal(after->platform_order_id, before->platform_order_id);
        assert_int_equal(after->n_moves, 3);
        for (int i = 0; i < 3; i++) {
                assert_null(after->moves[i].note);
                assert_int_equal(after->moves[i].to, before->moves[i].to);
                assert_int_equal(after->moves[i].at_ms, before->moves[i].at_ms);
                assert_string_equal(after->moves[i].op, before->moves[i].op);
                assert_string_equal(after->moves[i].reason, before->moves[i].reason);
        }
        for (int party = 0; party < PARTY_COUNT; party++) {
                assert_int_equal(after->targets[party].want, before->targets[party].want);
                assert_int_equal(after->targets[party].told, before->targets[party].told);
                assert_int_equal(after->targets[party].at_ms, before->targets[party].at_ms);
                assert_string_equal(after->targets[party].dead, before->targets[party].dead);
        }
        assert_int_equal(erase_order(id), 0);
        assert_int_equal(erase_phone("05321234567").erased, 0);
}

TEST(what_is_not_there_is_not_erased)
{
        struct id nobody;

        assert_true(id_make(BEGAN, &nobody));
        assert_int_equal(erase_order(nobody), 0);
        assert_int_equal(erase_phone("05321234567").erased, 0);
        assert_int_equal(erase_old().erased, 0);
}

TEST(what_is_over_counts_from_its_end)
{
        struct id delivered = order_of("1"), cancelled = order_of("2"),
                  early = order_in(world.restaurant, "3", 2 * YEAR);

        clock_pass(MINUTE);
        move_to(delivered, STATUS_DELIVERED);
        move_to(early, STATUS_DELIVERED);
        clock_pass(MINUTE);
        move_with_note(cancelled, STATUS_CANCELLED);
        clock_pass(KEEP - MINUTE - 1);
        give_up(delivered, PLATFORM_GETIRYEMEK, false); /* which touches it */
        assert_int_equal(erase_old().erased, 0);
        clock_pass(1);
        assert_int_equal(erase_old().erased, 2);
        assert_true(is_erased(delivered) && is_erased(early) && !is_erased(cancelled));
        clock_pass(MINUTE);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(cancelled));
        clock_pass(YEAR);
        assert_int_equal(erase_old().erased, 0);
}

TEST(what_is_left_alone_counts_from_when_it_was_touched)
{
        struct id alone = order_of("1"), touched = order_of("2");

        clock_pass(MINUTE);
        move_to(touched, STATUS_ON_THE_WAY);
        clock_pass(KEEP - MINUTE - 1);
        assert_int_equal(erase_old().erased, 0);
        clock_pass(1);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(alone) && !is_erased(touched));
        clock_pass(MINUTE);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(touched));
}

TEST(what_is_ordered_for_later_counts_from_then_but_not_for_ever)
{
        struct id later = order_in(world.restaurant, "1", BEGAN + 2 * KEEP);
        struct id never = order_in(world.restaurant, "2", INT64_C(253402300799999));

        clock_pass(3 * KEEP - 1);
        assert_int_equal(erase_old().erased, 0);
        clock_pass(1);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(later) && !is_erased(never));
        clock_pass(YEAR - 2 * KEEP - 1);
        assert_int_equal(erase_old().erased, 0);
        clock_pass(1);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(never));
}

TEST(a_handful_is_taken_at_once)
{
        const int n = 2 * ERASE_MAX + 3;
        struct change last;
        struct store_erase erase;

        for (int i = 0; i < n; i++)
                order_of("0850 111 22 33 dahili 4567");
        clock_pass(KEEP);
        changes_heard(NULL);
        for (int left = n; left > 0; left -= erase.erased) {
                erase = left > ERASE_MAX + 3 ? erase_old() : erase_phone("+908501112233,4567");
                assert_int_equal(erase.erased, left < ERASE_MAX ? left : ERASE_MAX);
                assert_int_equal(erase.more, left >= ERASE_MAX);
                assert_true(round_await());
                assert_int_equal(changes_heard(&last), erase.erased);
                assert_int_equal(last.rev, 2);
                assert_int_equal(last.before, last.after);
        }
        assert_int_equal(erase_old().erased, 0);
}

TEST(a_phone_is_found_in_all_restaurants_however_it_is_written)
{
        struct id other = restaurant_new();
        struct id ids[] = {
                order_of("0532 123 45 67"), order_in(other, "+90 (532) 123-45-67", 0), order_of("5321234567"),
                order_of("0532 123 45 68"), order_of("0532 123 45 67 dahili 8"),       order_of("yok")};

        move_to(ids[0], STATUS_DELIVERED);
        assert_int_equal(erase_phone("90 532 123 45 67").erased, 3);
        for (size_t i = 0; i < COUNT(ids); i++)
                assert_int_equal(is_erased(ids[i]), i < 3);
        assert_int_equal(erase_phone("0532 123 45 67").erased, 0);
        order_of("0532 123 45 67");
        assert_int_equal(erase_phone("0532 123 45 67").erased, 1);
        assert_int_equal(erase_phone("05321234567x8").erased, 1);
}

TEST(what_comes_in_anew_is_found_anew)
{
        struct id id = order_of("0532 123 45 67");
        CLEAN(free_at) char *document = document_of("0533 765 43 21");
        struct order content = {.document = document};
        struct store_rewrite rewrite = {
                .job.access = trusted(world.restaurant), .order = id, .content = &content};

        assert_true(phone_key("0533 765 43 21", content.phone));
        assert_int_equal(erase_order(id), 1);
        DO(rewrite, &rewrite);
        assert_int_equal(rewrite.outcome, REWRITE_DONE);
        assert_false(is_erased(id));
        assert_int_equal(erase_phone("0532 123 45 67").erased, 0);
        assert_int_equal(erase_phone("0533 765 43 21").erased, 1);
        rewrite.job.changed = false;
        DO(rewrite, &rewrite);
        clock_pass(KEEP);
        assert_int_equal(erase_old().erased, 1);
        assert_true(is_erased(id));
}

/* Its dispatch waits for a time that is far away. */
TEST(a_dispatch_that_is_owed_is_due_at_once)
{
        CLEAN(store_create_done)
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(PLATFORM_PHONE, STATUS_ACCEPTED)};
        struct store_erase erase = {0};
        struct store_claim claim = {0};
        struct change change;
        struct courier courier = courier_hire(world.restaurant);

        courier_at(&courier, "\"https://firm.example/orders\"");
        courier_prefer(world.restaurant, &courier);
        create.order->pickup = false;
        DO(create, &create);
        claim = (struct store_claim){
                .due = {create.order->id, world.restaurant, PLATFORM_PHONE, PARTY_COURIER},
                .lease_ms = LEASE_MS};
        DO(claim, &claim);
        assert_true(claim.claimed);
        {
                CLEAN(store_settle_done)
                struct store_settle settle = settling(
                        &claim, (struct settlement){.kind = SETTLE_WAIT, .at_ms = clock_now() + YEAR});

                DO(settle, &settle);
        }
        store_claim_done(&claim);
        assert_int_equal(count_due(), 0);
        erase.order = create.order->id;
        DO(erase, &erase);
        assert_int_equal(erase.erased, 1);
        assert_true(round_await());
        changes_heard(&change);
        assert_true(change.due[PARTY_COURIER]);
        assert_int_equal(count_due(), 1);
}

/* While others move them. */
TEST(what_is_moved_meanwhile_is_moved_and_erased)
{
        enum { N = 12 };
        struct id ids[N];
        struct store_move moves[N][2] = {0};
        struct store_erase erase = {0};

        for (int i = 0; i < N; i++)
                ids[i] = order_of("0532 123 45 67");
        assert_true(phone_key("0532 123 45 67", erase.phone));
        for (int i = 0; i < N; i++) {
                moves[i][0] = moving(ids[i], STATUS_READY);
                SUBMIT(&world.desk, move, &moves[i][0]);
        }
        SUBMIT(&world.desk, erase, &erase);
        for (int i = 0; i < N; i++) {
                moves[i][1] = moving(ids[i], STATUS_ON_THE_WAY);
                SUBMIT(&world.desk, move, &moves[i][1]);
        }
        assert_true(desk_wait(&world.desk));
        job_check(&erase.job, ERR_OK, __FILE__, __LINE__);
        assert_int_equal(erase.erased, N);
        for (int i = 0; i < N; i++) {
                CLEAN(order_free_at) struct order *order = order_load(ids[i]);

                assert_true(order_is_erased(order));
                assert_int_equal(order->status, STATUS_ON_THE_WAY);
                assert_int_equal(order->rev, order->n_moves + 1);
        }
}

TEST(only_ourselves_erase)
{
        struct courier courier = courier_hire(world.restaurant);
        struct id id = order_of("0532 123 45 67");
        struct store_erase erase = {.job.access = by_key(courier.key), .order = id};
        char token[APIKEY_TEXT_SIZE], token_id[RECORD_ID_SIZE];

        ASK(ERR_FORBIDDEN, erase, &erase);
        token_new(world.restaurant, token, token_id);
        erase = (struct store_erase){.job.access = by_token(token), .order = id};
        ASK(ERR_FORBIDDEN, erase, &erase);
        assert_false(is_erased(id));
}

static const struct CMUnitTest tests[] = {
        STORY(what_is_personal_goes_and_all_else_stays),
        STORY(what_is_not_there_is_not_erased),
        STORY(what_is_over_counts_from_its_end),
        STORY(what_is_left_alone_counts_from_when_it_was_touched),
        STORY(what_is_ordered_for_later_counts_from_then_but_not_for_ever),
        STORY(a_handful_is_taken_at_once),
        STORY(a_phone_is_found_in_all_restaurants_however_it_is_written),
        STORY(what_comes_in_anew_is_found_anew),
        STORY(a_dispatch_that_is_owed_is_due_at_once),
        STORY(what_is_moved_meanwhile_is_moved_and_erased),
        STORY(only_ourselves_erase),
};

extern const struct chapter erase_chapter;
const struct chapter erase_chapter = CHAPTER(tests);
