/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - tests of model/order.c: how an order begins, what is kept of it, what is shown. */
#include "tests/unit/bodies.h"

#define NOW_TEXT "2024-11-05T14:30:00.000Z"

static const struct id restaurant = {
        {0x50, 0x7f, 0x1f, 0x77, 0xbc, 0xf8, 0x6c, 0xd7, 0x99, 0x43, 0x90, 0x11}};
static const struct id firm = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};

static struct order *begun(const char *body, const char *at, const char *value)
{
        struct order *order = read_order(body, at, value);

        assert_int_equal(order_begin(order, &restaurant, ACTOR_RESTAURANT, NOW_MS, NULL), ERR_OK);
        return order;
}

static void assert_shown(struct json_object *shown, const char *expected)
{
        CLEAN(free_at) char *text = json_text(shown);

        assert_string_equal(text, expected);
}

/* ---- a beginning ---- */

static void an_order_begins_with_a_row_and_owes_its_platform_nothing(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        const struct move *move = order_last_move(order);

        (void)state;
        assert_true(id_equal(&order->restaurant, &restaurant));
        assert_int_equal(order->rev, 1);
        assert_int_equal(order->created_ms, NOW_MS);
        assert_int_equal(order->updated_ms, NOW_MS);
        assert_int_equal(order->n_moves, 1);
        assert_int_equal(move->to, STATUS_ACCEPTED);
        assert_int_equal(move->at_ms, NOW_MS);
        assert_int_equal(move->by, ACTOR_RESTAURANT);
        assert_string_equal(move->op, "");
        assert_null(move->note);
        assert_ptr_equal(order_find_move(order, STATUS_ACCEPTED), move);
        assert_null(order_find_move(order, STATUS_DELIVERED));
        assert_int_equal(order->targets[PARTY_PLATFORM].want, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].told, STEP_OF(STATUS_ACCEPTED));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NOT_DUE);
}

static void a_courier_firm_is_owed_from_accepted_to_ready_and_by_its_own_alone(void **state)
{
        static const char *const others[][2] = {{"/courierType", "\"platform\""},
                                                {"/orderType", "\"gel_al\""}};

        (void)state;
        for (enum status status = 0; status < STATUS_COUNT; status++) {
                const bool owed = status >= STATUS_ACCEPTED && status <= STATUS_READY;
                CLEAN(order_free_at) struct order *order = NULL;
                CLEAN(free_at) char *word = NULL;

                assert_true(asprintf(&word, "\"%s\"", status_word(status)) > 0);
                order = begun(sample, "/status", word);
                assert_int_equal(order->targets[PARTY_COURIER].want, STEP_OF((int)status));
                assert_int_equal(order->targets[PARTY_COURIER].told, 0);
                assert_int_equal(order->targets[PARTY_COURIER].at_ms, owed ? NOW_MS : TARGET_NOT_DUE);
                assert_int_equal(order_awaits_firm(order), owed);
                order->targets[PARTY_COURIER].firm = firm;
                assert_false(order_awaits_firm(order));
        }
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                CLEAN(order_free_at) struct order *order = begun(sample, others[i][0], others[i][1]);

                assert_int_equal(order->targets[PARTY_COURIER].at_ms, TARGET_NEVER);
                assert_false(order_awaits_firm(order));
        }
}

static void a_phone_order_gets_its_id_and_number_and_never_owes(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);
        char id[ID_TEXT_SIZE];

        (void)state;
        assert_false(id_is_zero(&order->id));
        assert_string_equal(order->platform_order_id, id_write(&order->id, id));
        assert_int_equal(order->targets[PARTY_PLATFORM].at_ms, TARGET_NEVER);
}

static void a_number_and_an_id_that_were_brought_stay(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, "/platformOrderId", "\"defter 7\"");
        CLEAN(order_free_at) struct order *own = begun(sample, NULL, NULL);
        char id[ID_TEXT_SIZE];

        (void)state;
        assert_string_equal(order->platform_order_id, "defter 7");
        assert_string_equal(id_write(&own->id, id), "507f1f77bcf86cd799439012");
}

/* ---- history ---- */

static char note_text[] = "müşteri \"vazgeçti\"\n";

static const struct move moves[] = {{.to = STATUS_NEW, .at_ms = NOW_MS, .by = ACTOR_PLATFORM},
                                    {.to = STATUS_ON_THE_WAY,
                                     .at_ms = NOW_MS + 1,
                                     .by = ACTOR_COURIER,
                                     .op = "00112233445566778899aabbccddeeff",
                                     .integration = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}},
                                    {.to = STATUS_CANCELLED,
                                     .at_ms = NOW_MS + 2,
                                     .by = ACTOR_RESTAURANT,
                                     .reason = "a\"b",
                                     .note = note_text}};

static const char moves_text[] =
        "[{\"s\":0,\"at\":1730817000000,\"by\":2},"
        "{\"s\":4,\"at\":1730817000001,\"by\":0,\"op\":\"00112233445566778899aabbccddeeff\","
        "\"i\":\"0102030405060708090a0b0c\"},"
        "{\"s\":6,\"at\":1730817000002,\"by\":1,\"r\":\"a\\\"b\",\"n\":\"müşteri \\\"vazgeçti\\\"\\n\"}]";

static void a_history_survives_its_keeping(void **state)
{
        CLEAN(free_at) char *text = moves_write(moves, 3);
        CLEAN(free_at) char *first = moves_write(moves, 1);
        CLEAN(free_at) char *second = moves_append(first, &moves[1]);
        CLEAN(free_at) char *third = moves_append(second, &moves[2]);
        CLEAN(free_at) char *again = NULL;
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);

        (void)state;
        assert_string_equal(text, moves_text);
        assert_string_equal(first, "[{\"s\":0,\"at\":1730817000000,\"by\":2}]");
        assert_string_equal(third, moves_text);
        assert_null(moves_append("", &moves[0]));
        assert_int_equal(moves_read(order, text, NULL), ERR_OK);
        assert_int_equal(order->n_moves, 3);
        assert_true(id_equal(&order->moves[1].integration, &firm));
        assert_string_equal(order_last_move(order)->note, note_text);
        again = moves_write(order->moves, order->n_moves);
        assert_string_equal(again, moves_text);
        /* Reading once more frees what was read before. */
        assert_int_equal(moves_read(order, text, NULL), ERR_OK);
}

/* By hand or by json-c, which reads what has a space. */
static void a_history_is_the_same_whoever_reads_it(void **state)
{
        static const char *const rows[] = {
                "{\"s\":0,\"at\":0,\"by\":2}",
                "{\"s\":6,\"at\":999999999999999,\"by\":0}",
                "{\"s\":1,\"at\":1,\"by\":1,\"op\":\"00112233445566778899aabbccddeeff\"}",
                "{\"s\":1,\"at\":1,\"by\":1,\"op\":\"\",\"i\":\"0102030405060708090a0b0c\"}",
                "{\"s\":1,\"at\":1,\"by\":1,\"i\":\"0102030405060708090a0b0c\"}",
                "{\"s\":1,\"at\":1000000000000000,\"by\":1}",
                "{\"s\":1,\"at\":01,\"by\":1}",
                "{\"s\":7,\"at\":1,\"by\":0}",
                "{\"s\":1,\"at\":1,\"by\":3}",
                "{\"s\":1,\"at\":-1,\"by\":0}",
                "{\"s\":1,\"at\":1,\"by\":0,\"i\":\"\"}",
                "{\"s\":1,\"at\":1,\"by\":0,\"i\":\"0102\"}",
                "{\"s\":1,\"at\":1,\"by\":0,\"op\":\"00112233445566778899aabbccddeeff0\"}",
                "{\"s\":1,\"at\":1,\"by\":0,\"op\":\"0\\u0030\"}",
                "{\"s\":1,\"at\":1,\"by\":0}}",
                "{\"s\":1,\"at\":1,\"by\":0},",
                "{\"s\":1,\"at\":1,\"by\":0",
                "{\"at\":1,\"s\":1,\"by\":0}"};

        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                CLEAN(order_free_at)
                struct order *one = begun(least, NULL, NULL), *other = begun(least, NULL, NULL);
                CLEAN(free_at) char *text = NULL, *spaced = NULL, *of_one = NULL, *of_other = NULL;

                assert_true(asprintf(&text, "[%s]", rows[i]) > 0 && asprintf(&spaced, "[%s] ", rows[i]) > 0);
                if (moves_read(one, text, NULL) != moves_read(other, spaced, NULL))
                        fail_msg("%s is read by one only", rows[i]);
                of_one = moves_write(one->moves, one->n_moves);
                of_other = moves_write(other->moves, other->n_moves);
                assert_string_equal(of_one, of_other);
        }
}

#define ROW "{\"s\":1,\"at\":1,\"by\":0}"
#define SEVEN_ROWS "[" ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "]"

static void what_is_no_history_changes_nothing(void **state)
{
        static const char *const broken[] = {
                "",
                "{}",
                "[]",
                "[1]",
                "[{}]",
                "[{\"s\":7,\"at\":1,\"by\":0}]",
                "[{\"s\":-1,\"at\":1,\"by\":0}]",
                "[{\"s\":1,\"at\":\"1\",\"by\":0}]",
                "[{\"s\":1,\"at\":1,\"by\":3}]",
                "[{\"s\":1,\"at\":1,\"by\":0,\"n\":\"x\"},{\"s\":1,\"at\":1,\"by\":0,\"i\":\"12\"}]",
                "[{\"s\":1,\"at\":1,\"by\":0,\"op\":\"00112233445566778899aabbccddeeff0\"}]",
                SEVEN_ROWS};
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);

        (void)state;
        for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
                if (moves_read(order, broken[i], NULL) != ERR_DAMAGED)
                        fail_msg("%s was read", broken[i]);
                assert_int_equal(order->n_moves, 1);
                assert_int_equal(order->moves[0].at_ms, NOW_MS);
        }
}

/* ---- order out ---- */

static void a_row_of_a_list_has_no_history_and_no_deliveries(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, NULL, NULL);
        CLEAN(json_put_at) struct json_object *shown = order_write(order, false, NOW_MS);
        CLEAN(free_at) char *expected = NULL;

        (void)state;
        assert_true(
                asprintf(
                        &expected,
                        "{\"orderId\":\"507f1f77bcf86cd799439012\",\"restaurantId\":\"507f1f77bcf86cd799439011\","
                        "\"platform\":\"dukkango\",\"platformOrderId\":\"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e\","
                        "\"status\":\"hazirlanacak\",\"courierType\":\"restaurant\",\"orderType\":\"paket_servis\","
                        "\"hazirlanmaSuresiDk\":15,\"scheduledDate\":\"2024-11-05T16:00:00.000Z\",\"rev\":1,"
                        "\"createdAt\":\"" NOW_TEXT "\",\"updatedAt\":\"" NOW_TEXT "\",\"erasedAt\":null,%s",
                        order->document + 1) > 0);
        assert_shown(shown, expected);
}

static void a_whole_order_has_its_history_and_deliveries(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(sample, "/courierType", "\"platform\"");
        CLEAN(json_put_at) struct json_object *shown = NULL;

        (void)state;
        assert_int_equal(moves_read(order, moves_text, NULL), ERR_OK);
        shown = show(order, NOW_MS);
        assert_member(shown, "/courierType", "\"platform\"");
        assert_member(shown, "/history/0",
                      "{\"status\":\"yeni\",\"at\":\"" NOW_TEXT
                      "\",\"by\":\"platform\",\"integrationId\":null,\"reasonId\":null,\"note\":null}");
        assert_member(
                shown, "/history/1",
                "{\"status\":\"teslim-edilecek\",\"at\":\"2024-11-05T14:30:00.001Z\",\"by\":\"courier\","
                "\"integrationId\":\"0102030405060708090a0b0c\",\"reasonId\":null,\"note\":null}");
        assert_member(shown, "/history/2/by", "\"restaurant\"");
        assert_member(shown, "/history/2/reasonId", "\"a\\\"b\"");
        assert_member(shown, "/history/2/note", "\"müşteri \\\"vazgeçti\\\"\\n\"");
        assert_member(shown, "/deliveries/0/deliveryId", "\"507f1f77bcf86cd799439012-platform\"");
}

static void a_phone_order_shows_no_deliveries_and_no_document_is_no_harm(void **state)
{
        CLEAN(order_free_at) struct order *order = begun(least, NULL, NULL);
        CLEAN(json_put_at) struct json_object *shown = NULL;

        (void)state;
        free(TAKE(order->document));
        shown = show(order, NOW_MS);
        assert_member(shown, "/deliveries", "[]");
        assert_member(shown, "/scheduledDate", "null");
        assert_member(shown, "/orderType", "\"gel_al\"");
        assert_false(json_object_object_get_ex(shown, "price", NULL));
}

/* ---- deliveries ---- */

#define LOG_ROW                                                                                                 \
        "{\"step\":\"on-the-way\",\"at\":\"2024-11-05T14:30:05.000Z\",\"httpStatus\":500,\"result\":\"retry\"," \
        "\"reason\":\"server_error\"}"

/* The sample, on its way, with what it owes Dükkango. */
static struct order *owing(struct target target)
{
        struct order *order = begun(sample, NULL, NULL);

        order->status = STATUS_ON_THE_WAY;
        order->moves[order->n_moves++] = (struct move){.to = STATUS_ON_THE_WAY, .at_ms = NOW_MS};
        target.want = STEP_OF(STATUS_ON_THE_WAY);
        order->targets[PARTY_PLATFORM] = target;
        return order;
}

static void assert_delivery(const struct order *order, const char *expected)
{
        CLEAN(json_put_at) struct json_object *shown = delivery_write(order, PARTY_PLATFORM, NOW_MS);
        CLEAN(free_at) char *whole = NULL;

        assert_true(asprintf(&whole,
                             "{\"deliveryId\":\"507f1f77bcf86cd799439012-platform\","
                             "\"orderId\":\"507f1f77bcf86cd799439012\",\"platform\":\"dukkango\",%s}",
                             expected) > 0);
        assert_shown(shown, whole);
}

static void a_delivery_that_waits_tells_when_and_why(void **state)
{
        CLEAN(order_free_at)
        struct order *fresh = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED), .at_ms = NOW_MS});
        CLEAN(order_free_at)
        struct order *tried = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED),
                                                    .at_ms = NOW_MS + 6000,
                                                    .tries = 1,
                                                    .log = strdup("[" LOG_ROW "]")});

        (void)state;
        assert_delivery(fresh,
                        "\"state\":\"pending\",\"step\":\"on-the-way\",\"tries\":0,\"nextTryAt\":\"" NOW_TEXT
                        "\",\"reason\":null,\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
        assert_delivery(tried, "\"state\":\"pending\",\"step\":\"on-the-way\",\"tries\":1,"
                               "\"nextTryAt\":\"2024-11-05T14:30:06.000Z\",\"reason\":\"server_error\","
                               "\"updatedAt\":\"2024-11-05T14:30:05.000Z\",\"log\":[" LOG_ROW "]");
}

static void a_delivery_that_failed_tells_what_killed_it(void **state)
{
        CLEAN(order_free_at)
        struct order *order = owing((struct target){.told = STEP_OF(STATUS_ACCEPTED),
                                                    .at_ms = TARGET_NOT_DUE,
                                                    .tries = 4,
                                                    .dead = "not_connected"});

        (void)state;
        assert_delivery(order, "\"state\":\"failed\",\"step\":\"on-the-way\",\"tries\":4,\"nextTryAt\":null,"
                               "\"reason\":\"not_connected\",\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
}

static void a_delivery_that_is_done_names_the_last_step(void **state)
{
        CLEAN(order_free_at)
        struct order *order = owing((struct target){
                .told = STEP_OF(STATUS_ON_THE_WAY), .at_ms = TARGET_NOT_DUE, .log = strdup("no array")});

        (void)state;
        assert_delivery(order, "\"state\":\"done\",\"step\":\"on-the-way\",\"tries\":0,\"nextTryAt\":null,"
                               "\"reason\":null,\"updatedAt\":\"" NOW_TEXT "\",\"log\":[]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_order_begins_with_a_row_and_owes_its_platform_nothing),
                cmocka_unit_test(a_courier_firm_is_owed_from_accepted_to_ready_and_by_its_own_alone),
                cmocka_unit_test(a_phone_order_gets_its_id_and_number_and_never_owes),
                cmocka_unit_test(a_number_and_an_id_that_were_brought_stay),
                cmocka_unit_test(a_history_survives_its_keeping),
                cmocka_unit_test(a_history_is_the_same_whoever_reads_it),
                cmocka_unit_test(what_is_no_history_changes_nothing),
                cmocka_unit_test(a_row_of_a_list_has_no_history_and_no_deliveries),
                cmocka_unit_test(a_whole_order_has_its_history_and_deliveries),
                cmocka_unit_test(a_phone_order_shows_no_deliveries_and_no_document_is_no_harm),
                cmocka_unit_test(a_delivery_that_waits_tells_when_and_why),
                cmocka_unit_test(a_delivery_that_failed_tells_what_killed_it),
                cmocka_unit_test(a_delivery_that_is_done_names_the_last_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
