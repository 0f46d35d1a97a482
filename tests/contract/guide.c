/* SPDX-License-Identifier: Apache-2.0 */
/* guide.c - what docs/platforms.md tells integrators, against the dialects; the document is argv[1].
 *
 * Its tables are read as what they are. Of "answer" the first row that fits decides, a platform's own table before that
 * of all: this is what the code must say to every status with strange bodies, to every body that a row names, and to the
 * numbers that may mean something. */
#include "model/dialect.h"

#include "model/clean.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 5
#define ROWS_MAX 400
#define ALL PLATFORM_COUNT /* the section of no single platform */

static struct row {
        int line;
        enum platform platform;
        const char *table; /* the first cell of its head */
        char *cells[CELLS];
        bool hit;
} rows[ROWS_MAX];
static int n_rows;
static bool has_section[PLATFORM_COUNT];

/* ---- reading it ---- */

static char *trimmed(char *text)
{
        char *end = text + strlen(text);

        while (*text == ' ')
                text++;
        while (end > text && (end[-1] == ' ' || end[-1] == '\n'))
                end--;
        *end = '\0';
        return text;
}

/* The next `code` of a cell, cut out of it; NULL: none. *at then stands behind it. */
static char *next_code(char **at)
{
        char *begin = strchr(*at, '`'), *end = begin ? strchr(begin + 1, '`') : NULL;

        if (!end)
                return NULL;
        *end = '\0';
        *at = end + 1;
        return begin + 1;
}

/* "## 2. GetirYemek: `getiryemek`" is of that platform, any other of all. */
static enum platform platform_of_heading(char *line)
{
        enum platform platform = ALL;
        char *at = line, *word = next_code(&at);

        if (word && platform_find(word, &platform))
                has_section[platform] = true;
        return platform;
}

static void split(char *line, struct row *row)
{
        char *save = NULL;
        int n = 0;

        for (char *cell = strtok_r(line, "|", &save); cell && n < CELLS; cell = strtok_r(NULL, "|", &save))
                row->cells[n++] = trimmed(cell);
        while (n < CELLS)
                row->cells[n++] = line + strlen(line);
}

static int read_guide(const char *path)
{
        static char lines[1000][1024];
        enum platform platform = ALL;
        const char *table = NULL;
        FILE *from = fopen(path, "r");
        int n = 0;

        if (!from)
                return -1;
        for (; n < (int)COUNT(lines) && n_rows < ROWS_MAX && fgets(lines[n], sizeof lines[n], from); n++) {
                char *line = lines[n];

                if (strncmp(line, "## ", 3) == 0)
                        platform = platform_of_heading(line);
                if (line[0] != '|' || strncmp(line, "| --", 4) == 0) {
                        table = line[0] == '|' ? table : NULL;
                        continue;
                }
                rows[n_rows] = (struct row){.line = n + 1, .platform = platform, .table = table};
                split(line + 1, &rows[n_rows]);
                if (table)
                        n_rows++;
                else
                        table = rows[n_rows].cells[0];
        }
        fclose(from);
        return n < (int)COUNT(lines) && n_rows < ROWS_MAX ? 0 : -1;
}

/* The table's next row behind `row` (NULL: its first) in this section; NULL: none. */
static struct row *next_row(enum platform platform, const char *table, struct row *row)
{
        for (row = row ? row + 1 : rows; row < rows + n_rows; row++)
                if (row->platform == platform && streq(row->table, table))
                        return row;
        return NULL;
}

/* The same where there must be one, for `what`. */
static struct row *need_row(enum platform platform, const char *table, struct row *row, const char *what)
{
        static char nothing[] = "";
        static struct row none = {.cells = {nothing, nothing, nothing, nothing, nothing}};
        struct row *next = next_row(platform, table, row);

        if (next)
                return next;
        fail_msg("no row \"%s\" of %s for %s", table, platform_word(platform), what);
        return &none;
}

/* Calls `one` for each platform that kuryed speaks with. */
static void for_every_dialect(void (*one)(const struct dialect *dialect))
{
        for (int p = 0; p < PLATFORM_COUNT; p++)
                if (dialect_of((enum platform)p))
                        one(dialect_of((enum platform)p));
}

/* ---- what to enter ---- */

static void tells_the_credentials(const struct dialect *dialect)
{
        struct row *row = NULL;

        assert_case(has_section[dialect->platform], platform_word(dialect->platform));
        for (int i = 0; dialect->credentials[i]; i++) {
                row = need_row(dialect->platform, "credential", row, dialect->credentials[i]);
                assert_non_null(strstr(row->cells[0], dialect->credentials[i]));
                assert_int_equal(strlen(row->cells[0]), strlen(dialect->credentials[i]) + strlen("``"));
        }
        assert_null(next_row(dialect->platform, "credential", row));
}

TEST(it_names_every_credential_and_no_other)
{
        for_every_dialect(tells_the_credentials);
}

/* The example that a platform's section gives for this member of an order; "": none. */
static const char *example(enum platform platform, const char *member)
{
        for (struct row *r = next_row(platform, "member", NULL); r; r = next_row(platform, "member", r)) {
                static char kept[8][1024];
                static int n;
                char *cell = kept[n++ % 8], *code;

                if (!strstr(r->cells[0], member) || !text_copy(cell, sizeof *kept, r->cells[1]))
                        continue;
                code = next_code(&cell);
                return code ? code : "";
        }
        return "";
}

static void tells_an_order_that_is_taken(const struct dialect *dialect)
{
        CLEAN(json_put_at) struct json_object *ref = NULL;
        const char *text = example(dialect->platform, "platformRef");
        struct view v;

        assert_true(!*text || json_read(text, strlen(text), &ref, NULL) == ERR_OK);
        v = view_of(ref);
        assert_case(dialect->accepts(example(dialect->platform, "platformOrderId"), &v, NULL) == ERR_OK,
                    platform_word(dialect->platform));
}

TEST(the_order_that_it_shows_is_taken)
{
        for_every_dialect(tells_an_order_that_is_taken);
}

/* ---- what is called ---- */

static void tells_the_calls(const struct dialect *dialect)
{
        struct row *row = NULL;

        for (const struct step *s = dialect->steps; s->number; s++) {
                char cell[512], *at = cell, *code, *call = NULL, *space;

                row = need_row(dialect->platform, "step", row, s->name);
                assert_non_null(strstr(row->cells[0], s->name));
                assert_true(text_copy(cell, sizeof cell, row->cells[1]));
                while ((code = next_code(&at)))
                        call = code;
                assert_case(call, s->path);
                /* The method stands before it; "…" for what all paths begin with. */
                space = strrchr(call, ' ');
                call = space ? space + 1 : call;
                if (strncmp(call, "…", strlen("…")) == 0)
                        call += strlen("…");
                assert_case(strlen(call) <= strlen(s->path) &&
                                    streq(s->path + strlen(s->path) - strlen(call), call),
                            call);
        }
        assert_null(next_row(dialect->platform, "step", row));
}

TEST(it_names_every_call)
{
        for_every_dialect(tells_the_calls);
}

/* The steps of an order that came as `yeni` and makes this one move, with commas. */
static void walk(const struct dialect *dialect, enum status to, bool platform_courier, char *text,
                 size_t size)
{
        struct order order = {.platform = dialect->platform,
                              .status = to,
                              .platform_courier = platform_courier,
                              .n_moves = 2,
                              .moves = {{.to = STATUS_NEW}, {.to = to}}};
        struct target *t = &order.targets[PARTY_PLATFORM];
        struct next next;
        size_t n = 0;

        t->want = STEP_OF((int)to);
        while ((next = target_next(&order, PARTY_PLATFORM, dialect, 0, 0)).kind == NEXT_CALL) {
                n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", next.step->name);
                assert_true(n < size);
                t->told = next.step->number;
        }
        if (!n)
                snprintf(text, size, "–");
}

static void tells_what_a_move_calls(const struct dialect *dialect)
{
        struct row *row = NULL;

        for (int to = STATUS_ACCEPTED; to < STATUS_COUNT; to++) {
                char own[128], others[128];

                row = need_row(dialect->platform, "move", row, status_word((enum status)to));
                assert_non_null(strstr(row->cells[0], status_word((enum status)to)));
                walk(dialect, (enum status)to, false, own, sizeof own);
                walk(dialect, (enum status)to, true, others, sizeof others);
                if (!streq(row->cells[1], own) || !streq(row->cells[2], others))
                        fail_msg("line %d: %s | %s", row->line, own, others);
        }
        assert_null(next_row(dialect->platform, "move", row));
}

TEST(it_tells_what_each_move_calls)
{
        for_every_dialect(tells_what_a_move_calls);
}

/* ---- why an order may be cancelled ---- */

static void tells_the_reasons(const struct dialect *dialect)
{
        struct row *row = NULL;

        for (const struct reason *r = dialect->reasons; r && r->id; r++) {
                row = need_row(dialect->platform, "reason", row, r->id);
                assert_non_null(strstr(row->cells[0], r->id));
                assert_int_equal(strlen(row->cells[0]), strlen(r->id) + strlen("``"));
                assert_string_equal(row->cells[1], r->text);
                assert_string_equal(row->cells[2], r->own_courier ? "own courier only" : "");
        }
        assert_null(next_row(dialect->platform, "reason", row));
}

TEST(it_names_every_reason_for_a_cancel)
{
        for_every_dialect(tells_the_reasons);
}

/* ---- what answers mean ---- */

enum call_kind { STEP, CHECK, CHECK_FOR_CANCEL, LOGIN };

struct asked {
        const struct dialect *dialect;
        enum call_kind kind;
        const struct step *step; /* STEP */
        bool unsure;
};

/* Whether the row is about this call: any, step, the step's name, check, check for cancel, login. */
static bool is_about(const struct row *row, const struct asked *asked)
{
        static const char *const kinds[] = {"step", "check", "check for cancel", "login"};
        const char *to = row->cells[1];

        return streq(to, "any") || streq(to, kinds[asked->kind]) ||
               (asked->kind == CHECK_FOR_CANCEL && streq(to, kinds[CHECK])) ||
               (asked->step && streq(to, asked->step->name));
}

/* The body that the row names, or NULL. */
static const char *body_of(const struct row *row, char to[1024])
{
        char *at = to;

        assert_true(text_copy(to, 1024, row->cells[0]));
        return next_code(&at);
}

static bool is_answer(const struct row *row, const struct answer *answer)
{
        const char *text = row->cells[0];
        char cell[1024], http[12];
        const char *body = body_of(row, cell);

        if (strncmp(text, "none", 4) == 0 || strncmp(text, "unsent", 6) == 0)
                return answer->carried == (text[0] == 'n' ? CARRIED_UNSURE : CARRIED_NEVER);
        if (answer->carried != CARRIED_ANSWERED || (body && !streq(body, answer->body)) ||
            (strstr(text, "Retry-After") && answer->retry_after_ms < 0))
                return false;
        snprintf(http, sizeof http, "%d", answer->http);
        for (int i = 0; i < 3; i++)
                if (text[i] != 'x' && text[i] != http[i])
                        return false;
        return true;
}

static struct row *find_meaning(const struct asked *asked, const struct answer *answer)
{
        const enum platform sections[] = {asked->dialect->platform, ALL};

        for (size_t i = 0; i < COUNT(sections); i++) {
                for (struct row *r = next_row(sections[i], "answer", NULL); r;
                     r = next_row(sections[i], "answer", r)) {
                        bool fits = !*r->cells[2] || (asked->unsure && streq(r->cells[2], "yes"));

                        if (fits && is_about(r, asked) && is_answer(r, answer))
                                return r;
                }
        }
        return NULL;
}

/* As the document writes it: "wait 10 s", "retry, in doubt", "done, at hazir". */
static void write_result(const struct asked *asked, const struct judgement *j, char *to, size_t size)
{
        const bool stands =
                asked->kind != STEP && asked->kind != LOGIN && j->verdict == VERDICT_DONE && j->definite;
        char wait[32] = "";

        if (j->wait_ms == WAIT_A_STEP)
                snprintf(wait, sizeof wait, " a step");
        else if (j->wait_ms)
                snprintf(wait, sizeof wait, " %d s", (int)(j->wait_ms / 1000));
        snprintf(to, size, "%s%s%s%s%s", verdict_word(j->verdict), wait, j->definite ? "" : ", in doubt",
                 stands ? ", at " : "", stands ? status_word((enum status)(j->told / STEP_OF(1))) : "");
}

static void judge_one(const struct asked *asked, const struct answer *answer)
{
        char id[PLATFORM_ORDER_ID_MAX + 1], token[TOKEN_SIZE], result[64];
        struct order order = {.platform = asked->dialect->platform, .platform_order_id = id};
        struct judgement j = {.reason = ""};
        struct row *row = find_meaning(asked, answer);
        int64_t life_ms;

        assert_true(text_copy(id, sizeof id, example(order.platform, "platformOrderId")));
        order.targets[PARTY_PLATFORM].want =
                STEP_OF(asked->kind == CHECK_FOR_CANCEL ? STATUS_CANCELLED : STATUS_DELIVERED);
        if (asked->kind == STEP)
                dialect_judge(asked->dialect, &order, asked->step, asked->unsure, answer, &j);
        else if (asked->kind == LOGIN)
                dialect_judge_login(asked->dialect, answer, &j, token, &life_ms);
        else
                dialect_judge_check(asked->dialect, &order, answer, &j);
        write_result(asked, &j, result, sizeof result);
        if (row)
                row->hit = true;
        if (!row || !streq(row->cells[3], result) ||
            strlen(row->cells[4]) != strlen(j.reason) + (j.reason[0] ? strlen("``") : 0) ||
            !strstr(row->cells[4], j.reason))
                fail_msg("line %d: %s of %s%s, %d %s: %s, %s", row ? row->line : 0,
                         asked->step            ? asked->step->name
                         : asked->kind == LOGIN ? "login"
                                                : "check",
                         platform_word(order.platform), asked->unsure ? " in doubt" : "", answer->http,
                         answer->body, result, j.reason);
}

/* Every status with this body; where a row names it, only those of the row. */
static void judge_body(const struct asked *asked, const char *body, const struct row *of)
{
        struct answer answer = {.body = body, .length = strlen(body), .trouble = "", .retry_after_ms = -1};

        for (answer.http = 200; answer.http < 600; answer.http++)
                if (!of || is_answer(of, &answer))
                        judge_one(asked, &answer);
        if (of)
                return;
        answer.http = 503;
        answer.retry_after_ms = 1000;
        judge_one(asked, &answer);
}

/* Error codes, and a check's states, which are numbers to one platform or another, whether a row names them or not. */
static void judge_numbers(const struct asked *asked)
{
        const bool checks = asked->kind == CHECK || asked->kind == CHECK_FOR_CANCEL;
        char body[32];
        struct answer answer = {
                .http = checks ? 200 : 400, .body = body, .trouble = "", .retry_after_ms = -1};

        for (int n = -20; n < 1700; n++) {
                const int length =
                        snprintf(body, sizeof body, checks ? "{\"status\":%d}" : "{\"code\":%d}", n);

                answer.length = (size_t)length;
                judge_one(asked, &answer);
        }
}

static void judge_all(const struct asked *asked)
{
        static const char *const strange[] = {"", "{}", "null", "<html>"};
        const enum platform platform = asked->dialect->platform;
        struct answer answer = {.body = "", .trouble = "", .retry_after_ms = -1};

        for (size_t i = 0; i < COUNT(strange); i++)
                judge_body(asked, strange[i], NULL);
        for (struct row *r = next_row(platform, "answer", NULL); r; r = next_row(platform, "answer", r)) {
                char cell[1024];
                const char *body = body_of(r, cell);

                if (body && is_about(r, asked))
                        judge_body(asked, body, r);
        }
        judge_numbers(asked);
        answer.carried = CARRIED_UNSURE;
        judge_one(asked, &answer);
        answer.carried = CARRIED_NEVER;
        judge_one(asked, &answer);
}

static void tells_what_answers_mean(const struct dialect *dialect)
{
        struct asked asked = {.dialect = dialect};

        for (int unsure = 0; unsure < 2; unsure++) {
                asked.unsure = unsure;
                asked.kind = STEP;
                for (asked.step = dialect->steps; asked.step->number; asked.step++)
                        judge_all(&asked);
                asked.step = NULL;
                for (asked.kind = CHECK; asked.kind <= LOGIN; asked.kind++)
                        if (asked.kind == LOGIN ? dialect->login != NULL : dialect->check != NULL)
                                judge_all(&asked);
        }
}

TEST(it_tells_what_every_answer_means)
{
        for_every_dialect(tells_what_answers_mean);
        for (int i = 0; i < n_rows; i++)
                if (streq(rows[i].table, "answer") && !rows[i].hit)
                        fail_msg("line %d: no answer is judged by it", rows[i].line);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_names_every_credential_and_no_other),
                cmocka_unit_test(the_order_that_it_shows_is_taken),
                cmocka_unit_test(it_names_every_call),
                cmocka_unit_test(it_tells_what_each_move_calls),
                cmocka_unit_test(it_names_every_reason_for_a_cancel),
                cmocka_unit_test(it_tells_what_every_answer_means),
        };

        if (argc != 2 || read_guide(argv[1]) != 0) {
                fprintf(stderr, "usage: %s docs/platforms.md\n", argv[0]);
                return 2;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
