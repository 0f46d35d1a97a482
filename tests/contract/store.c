/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - every promise of model/store.h, on the store named on the command line.
 *
 * usage: store NAME [PATTERN]    PATTERN: only tests whose names match it, `*` for anything */
#include "tests/contract/world.h"

#include <stdio.h>
#include <string.h>

#define TESTS_MAX 256

extern const struct chapter orders_chapter, moves_chapter, keys_chapter, access_chapter, lists_chapter,
        due_chapter, settle_chapter, dispatch_chapter, records_chapter, durability_chapter, crowd_chapter,
        race_chapter, sweep_chapter, erase_chapter, changes_chapter, told_chapter;

static const struct chapter *const chapters[] = {
        &orders_chapter,  &moves_chapter,      &keys_chapter,    &access_chapter,
        &lists_chapter,   &due_chapter,        &settle_chapter,  &dispatch_chapter,
        &records_chapter, &durability_chapter, &crowd_chapter,   &race_chapter,
        &sweep_chapter,   &erase_chapter,      &changes_chapter, &told_chapter};

int main(int argc, char **argv)
{
        struct CMUnitTest tests[TESTS_MAX];
        size_t n = 0;

        if (argc < 2 || argc > 3 || !world_choose(argv[1])) {
                fprintf(stderr, "usage: store NAME [PATTERN]\n");
                return 64;
        }
        if (!world_is_there()) {
                puts("1..0 # SKIP KURYE_TEST_MONGODB_URI is not set: see tools/mongodb");
                return 0;
        }
        for (size_t i = 0; i < COUNT(chapters); i++) {
                if (n + chapters[i]->n > TESTS_MAX)
                        return 70;
                memcpy(&tests[n], chapters[i]->tests, chapters[i]->n * sizeof *tests);
                n += chapters[i]->n;
        }
        if (argc == 3)
                cmocka_set_test_filter(argv[2]);
        return _cmocka_run_group_tests("store", tests, n, NULL, NULL);
}
