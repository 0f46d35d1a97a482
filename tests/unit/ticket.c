/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.c - a ticket is good for its use, until its end, on every server that has one of the keys. */
#include "model/ticket.h"

#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

/* 32 times A, 32 times B. */
#define KEY_A "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define KEY_B "b:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define NOW_MS INT64_C(1730817000000)
#define LIFE_MS INT64_C(3600000)

static struct keyring *read_ring(const char *text)
{
        struct keyring *ring = NULL;

        assert_int_equal(keyring_read(text, &ring, NULL), ERR_OK);
        assert_non_null(ring);
        return ring;
}

static struct ticket given(void)
{
        struct ticket ticket = {.until_ms = NOW_MS + LIFE_MS, .mark = UINT64_C(0xfedcba9876543210)};

        assert_true(id_read("507f1f77bcf86cd799439011", &ticket.restaurant));
        return ticket;
}

/* Signs by the one ring, reads by the other. */
static bool passes(const char *signing, const char *reading, const char *use, int64_t now_ms)
{
        struct keyring *ring = read_ring(signing), *other = read_ring(reading);
        struct ticket ticket = given(), read = {.until_ms = -1};
        char text[TICKET_TEXT_SIZE];
        bool ok;

        assert_true(ticket_write(ring, TICKET_YANDEX, &ticket, text));
        ok = ticket_read(other, use, text, now_ms, &read);
        if (ok) {
                assert_true(id_equal(&read.restaurant, &ticket.restaurant));
                assert_int_equal(read.until_ms, ticket.until_ms);
                assert_true(read.mark == ticket.mark);
        } else {
                assert_int_equal(read.until_ms, -1);
        }
        keyring_free(ring);
        keyring_free(other);
        return ok;
}

TEST(what_was_written_is_read)
{
        assert_true(passes(KEY_A, KEY_A, TICKET_YANDEX, NOW_MS));
}

TEST(it_is_good_until_its_end)
{
        assert_true(passes(KEY_A, KEY_A, TICKET_YANDEX, NOW_MS + LIFE_MS - 1));
        assert_false(passes(KEY_A, KEY_A, TICKET_YANDEX, NOW_MS + LIFE_MS));
}

TEST(every_key_of_the_ring_is_taken_and_the_first_signs)
{
        assert_true(passes(KEY_A, KEY_B "," KEY_A, TICKET_YANDEX, NOW_MS));
        assert_true(passes(KEY_A "," KEY_B, KEY_A, TICKET_YANDEX, NOW_MS));
        assert_false(passes(KEY_A "," KEY_B, KEY_B, TICKET_YANDEX, NOW_MS));
}

TEST(it_is_good_for_no_other_use)
{
        assert_false(passes(KEY_A, KEY_A, "ticket events", NOW_MS));
        assert_false(passes(KEY_A, KEY_A, "", NOW_MS));
}

TEST(one_digit_changed_anywhere_spoils_it)
{
        struct keyring *ring = read_ring(KEY_A);
        struct ticket ticket = given(), read;
        char text[TICKET_TEXT_SIZE];

        assert_true(ticket_write(ring, TICKET_YANDEX, &ticket, text));
        for (size_t i = 0; i < sizeof text - 1; i++) {
                const char digit = text[i];

                text[i] = digit == '0' ? '1' : '0';
                assert_false(ticket_read(ring, TICKET_YANDEX, text, NOW_MS, &read));
                text[i] = digit;
        }
        assert_true(ticket_read(ring, TICKET_YANDEX, text, NOW_MS, &read));
        text[sizeof text - 2] = '\0';
        assert_false(ticket_read(ring, TICKET_YANDEX, text, NOW_MS, &read));
        assert_false(ticket_read(ring, TICKET_YANDEX, "", NOW_MS, &read));
        keyring_free(ring);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_written_is_read),
                cmocka_unit_test(it_is_good_until_its_end),
                cmocka_unit_test(every_key_of_the_ring_is_taken_and_the_first_signs),
                cmocka_unit_test(it_is_good_for_no_other_use),
                cmocka_unit_test(one_digit_changed_anywhere_spoils_it),
        };

        return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
