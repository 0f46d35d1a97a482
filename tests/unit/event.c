/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - what a screen is told of an order, and what it was before. */
#include "model/event.h"

#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(1730817000000) /* 2024-11-05T14:30:00.000Z */

static struct order order;
static char document[] = "{}", number[] = "A1";

static int begin(__attribute__((unused)) void **state)
{
        order = (struct order){.platform = PLATFORM_DUKKANGO,
                               .platform_order_id = number,
                               .document = document,
                               .rev = 1,
                               .created_ms = NOW_MS,
                               .updated_ms = NOW_MS,
                               .n_moves = 1,
                               .moves = {{.to = STATUS_NEW, .at_ms = NOW_MS}}};
        order.targets[PARTY_PLATFORM].at_ms = order.targets[PARTY_COURIER].at_ms = TARGET_NOT_DUE;
        return 0;
}

static void move(enum status to)
{
        order.status = to;
        order.updated_ms++;
        order.rev++;
        order.moves[order.n_moves++] = (struct move){.to = to, .at_ms = order.updated_ms};
}

static void fail_delivery(enum party party)
{
        text_copy(order.targets[party].dead, REASON_SIZE, "refused");
        order.updated_ms++;
        order.rev++;
}

static void assert_says(char *text, const char *part)
{
        assert_non_null(text);
        assert_case(strstr(text, part), text);
        free(text);
}
#define ASSERT_ORDER(part) assert_says(event_order(&order, NOW_MS, NOW_MS), part)

TEST(hello_says_what_time_it_is)
{
        assert_says(event_hello(NOW_MS), "{\"type\":\"hello\",\"now\":\"2024-11-05T14:30:00.000Z\"}");
}

TEST(what_it_was_before_is_told)
{
        ASSERT_ORDER("\"previousStatus\":null");
        ASSERT_ORDER("\"rev\":1");
        ASSERT_ORDER("{\"type\":\"order.updated\",\"at\":\"2024-11-05T14:30:00.000Z\",\"order\":{");
        move(STATUS_READY);
        ASSERT_ORDER("\"previousStatus\":\"yeni\"");
        move(STATUS_ON_THE_WAY);
        ASSERT_ORDER("\"previousStatus\":\"hazir\"");
        ASSERT_ORDER("\"rev\":3");
}

TEST(where_only_a_delivery_changed_it_was_the_same)
{
        fail_delivery(PARTY_PLATFORM);
        ASSERT_ORDER("\"previousStatus\":\"yeni\"");
        move(STATUS_READY);
        fail_delivery(PARTY_COURIER);
        ASSERT_ORDER("\"previousStatus\":\"hazir\"");
}

TEST(a_failure_is_told_when_it_is_the_last_that_happened)
{
        move(STATUS_READY);
        assert_false(event_is_failure(&order, PARTY_PLATFORM));
        fail_delivery(PARTY_COURIER);
        assert_false(event_is_failure(&order, PARTY_PLATFORM));
        assert_true(event_is_failure(&order, PARTY_COURIER));
        move(STATUS_ON_THE_WAY);
        assert_false(event_is_failure(&order, PARTY_COURIER));
        fail_delivery(PARTY_PLATFORM);
        order.updated_ms--; /* both within one millisecond */
        assert_true(event_is_failure(&order, PARTY_PLATFORM));
        assert_says(
                event_failure(&order, PARTY_PLATFORM, NOW_MS, NOW_MS),
                "{\"type\":\"delivery.failed\",\"at\":\"2024-11-05T14:30:00.000Z\",\"delivery\":{\"deliveryId\":"
                "\"000000000000000000000000-platform\"");
}

#define STORY(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(hello_says_what_time_it_is),
                STORY(what_it_was_before_is_told),
                STORY(where_only_a_delivery_changed_it_was_the_same),
                STORY(a_failure_is_told_when_it_is_the_last_that_happened),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
