/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - cmocka with the headers that it forgets to include, and the shape of a test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* TEST(a_sentence_that_holds) { … } */
#define TEST(name) static void name(__attribute__((unused)) void **state)

/* How many elements an array has. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails naming the case, for checks that run over a table. */
#define assert_case(condition, case_text)                                              \
        do {                                                                           \
                if (!(condition))                                                      \
                        fail_msg("%s does not hold for: %s", #condition, (case_text)); \
        } while (0)
