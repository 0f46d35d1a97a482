/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - members of a form are read as they were written, or not at all. */
#include "model/form.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <string.h>

TEST(a_member_is_decoded)
{
        static const struct {
                const char *form, *value; /* of `name`; NULL: none */
        } cases[] = {{"name=a", "a"},
                     {"x=1&name=read+write&y=2", "read write"},
                     {"name=%C5%9F%26%3d%2B", "ş&=+"},
                     {"name=", ""},
                     {"name=a&name=b", "a"},
                     {"name=a=b", "a=b"},
                     {"&&name=a&", "a"},
                     {"", NULL},
                     {"name", NULL},
                     {"names=a", NULL},
                     {"xname=a", NULL},
                     {"name=%", NULL},
                     {"name=%4", NULL},
                     {"name=%4&y=1", NULL},
                     {"name=%zz", NULL},
                     {"name=%00", NULL},
                     {"name=12345678901", NULL},
                     {"name=1234567890", "1234567890"},
                     {"name=%31%32%33%34%35%36%37", "1234567"}};

        for (size_t i = 0; i < COUNT(cases); i++) {
                char value[11];
                const bool found = form_read(cases[i].form, "name", value, sizeof value);

                assert_case(found == (cases[i].value != NULL), cases[i].form);
                assert_case(!found || streq(value, cases[i].value), cases[i].form);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_member_is_decoded),
        };

        return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
