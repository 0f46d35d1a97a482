/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - who was good is known, until found bad, and no flood of others changes that. */
#include "server/known.h"

#include "tests/unit/check.h"

static struct known known;

/* The digest of the n-th secret. */
static struct digest digest_of(int n)
{
        struct digest digest;

        assert_true(crypto_sha256(&n, sizeof n, &digest));
        return digest;
}

TEST(who_was_good_is_known_until_found_bad)
{
        const struct digest good = digest_of(1), other = digest_of(2);

        assert_false(known_has(&known, &good));
        known_note(&known, &good, true);
        assert_true(known_has(&known, &good));
        assert_false(known_has(&known, &other));
        known_note(&known, &good, false);
        assert_false(known_has(&known, &good));
}

TEST(a_flood_of_wrong_ones_drives_nobody_out)
{
        const struct digest good = digest_of(1);

        known_note(&known, &good, true);
        for (int i = 2; i < 4 * KNOWN_SIZE; i++) {
                const struct digest wrong = digest_of(i);

                known_note(&known, &wrong, false);
                assert_false(known_has(&known, &wrong));
        }
        assert_true(known_has(&known, &good));
}

TEST(of_many_good_ones_most_are_known)
{
        int n = 0;

        for (int i = 0; i < KNOWN_SIZE / 8; i++) {
                const struct digest good = digest_of(i);

                known_note(&known, &good, true);
        }
        for (int i = 0; i < KNOWN_SIZE / 8; i++) {
                const struct digest good = digest_of(i);

                n += known_has(&known, &good);
        }
        assert_true(n > KNOWN_SIZE / 8 * 9 / 10);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_was_good_is_known_until_found_bad),
                cmocka_unit_test(a_flood_of_wrong_ones_drives_nobody_out),
                cmocka_unit_test(of_many_good_ones_most_are_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
