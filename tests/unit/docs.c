/* SPDX-License-Identifier: Apache-2.0 */
/* docs.c - what is put into the guide's pages stays text, and an address is only taken from who may name it. */
#include "handlers/docs.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <string.h>

static const struct hole holes[] = {{"url", "https://kurye.example"}, {"who", "<b>\"'&"}, {NULL, NULL}};

static void fills(const char *text, const char *wanted)
{
        CLEAN(free_at) char *filled = NULL;

        assert_int_equal(docs_fill(text, strlen(text), holes, 200, &filled, NULL), ERR_OK);
        assert_string_equal(filled, wanted);
}

TEST(holes_are_filled_and_escaped)
{
        fills("", "");
        fills("no hole", "no hole");
        fills("{{url}}", "https://kurye.example");
        fills("a {{url}}/b {{who}}.", "a https://kurye.example/b &lt;b&gt;&quot;&#39;&amp;.");
        fills("{{url}}{{url}}", "https://kurye.examplehttps://kurye.example");
}

TEST(what_is_no_hole_stays)
{
        fills("{{other}} {{ur}} {url} {{url} {{{who}}",
              "{{other}} {{ur}} {url} {{url} {&lt;b&gt;&quot;&#39;&amp;");
        fills("f'{{'{", "f'{{'{");
        fills("{{url", "{{url");
        fills("{{url}", "{{url}");
        fills("{{", "{{");
}

TEST(what_stands_behind_the_template_is_not_read)
{
        CLEAN(free_at) char *filled = NULL;

        assert_int_equal(docs_fill("{{url}}", 6, holes, 200, &filled, NULL), ERR_OK);
        assert_string_equal(filled, "{{url}");
}

TEST(a_page_is_bounded)
{
        CLEAN(free_at) char *filled = NULL;

        assert_int_equal(docs_fill("{{url}}.", 8, holes, 22, &filled, NULL), ERR_OK);
        assert_int_equal(strlen(filled), 22);
        for (size_t max = 0; max < 22; max++) {
                CLEAN(free_at) char *none = NULL;

                assert_int_equal(docs_fill("{{url}}.", 8, holes, max, &none, NULL), ERR_INTERNAL);
                assert_null(none);
        }
}

TEST(the_address_is_ours_or_a_plain_host)
{
        static const struct {
                const char *url, *host, *address;
        } cases[] = {{"https://kurye.firma.example/api", "evil.example", "https://kurye.firma.example/api"},
                     {NULL, "127.0.0.1:8080", "http://127.0.0.1:8080"},
                     {NULL, "kurye.firma-1.example", "https://kurye.firma-1.example"},
                     {NULL, "[::1]:8080", "http://[::1]:8080"},
                     {NULL, "[2001:db8::1]", "https://[2001:db8::1]"},
                     {NULL, NULL, "https://kurye.example"},
                     {NULL, "", "https://kurye.example"},
                     {NULL, ":8080", "https://kurye.example"},
                     {NULL, "a:", "https://kurye.example"},
                     {NULL, "a:8o", "https://kurye.example"},
                     {NULL, "a:1:2", "https://kurye.example"},
                     {NULL, "[::1", "https://kurye.example"},
                     {NULL, "[]:1", "https://kurye.example"},
                     {NULL, "[::1]x", "https://kurye.example"},
                     {NULL, "a/b", "https://kurye.example"},
                     {NULL, "a b", "https://kurye.example"},
                     {NULL, "a@b", "https://kurye.example"},
                     {NULL, "'$(id)'", "https://kurye.example"},
                     {NULL, "<script>alert(1)</script>", "https://kurye.example"},
                     {NULL, "m\xc3\xbc.example", "https://kurye.example"}};
        char address[DOCS_ADDRESS_SIZE], longest[600];

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_string_equal(docs_address(cases[i].url, cases[i].host, address), cases[i].address);
        memset(longest, 'a', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        assert_string_equal(docs_address(NULL, longest, address), "https://kurye.example");
        longest[261] = '\0';
        assert_int_equal(strlen(docs_address(NULL, longest, address)), 8 + 261);
}

TEST(english_is_for_whoever_reads_no_turkish)
{
        static const struct {
                const char *languages;
                bool english;
        } cases[] = {{NULL, false},
                     {"", false},
                     {"tr", false},
                     {"tr-TR,tr;q=0.9,en;q=0.8", false},
                     {"en-US, TR;q=0.5", false},
                     {"*", false},
                     {"en", true},
                     {"de-DE,en;q=0.7", true},
                     {"tru, en-tr", true}};

        for (size_t i = 0; i < COUNT(cases); i++)
                assert_int_equal(docs_in_english(cases[i].languages), cases[i].english);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(holes_are_filled_and_escaped),
                cmocka_unit_test(what_is_no_hole_stays),
                cmocka_unit_test(what_stands_behind_the_template_is_not_read),
                cmocka_unit_test(a_page_is_bounded),
                cmocka_unit_test(the_address_is_ours_or_a_plain_host),
                cmocka_unit_test(english_is_for_whoever_reads_no_turkish),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
