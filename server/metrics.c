/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - counters in one array, and the table that gives them names.
 *
 * A family is a counter for each combination of its labels' words, at most two labels. Counting is one relaxed addition:
 * counters order nothing. Those of seconds are kept in microseconds. */
#include "server/metrics.h"

#include "model/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LABELS_MAX 2
#define CELLS_MAX 16 /* of a family */
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- labels ---- */

struct label {
        const char *name;
        const char *const *words;
        size_t n;
};

#define WORD(name, word) word,
static const char *const claim_words[] = {CLAIM_TABLE(WORD)};
static const char *const poll_words[] = {POLL_TABLE(WORD)};
static const char *const polled_words[] = {POLLED_TABLE(WORD)};
#undef WORD

#define EVENT_WORD(name, word) word,
static const char *const event_words[] = {EVENT_TABLE(EVENT_WORD)};
#undef EVENT_WORD

#define LOST_WORD(name, word) word,
static const char *const lost_words[] = {LOST_TABLE(LOST_WORD)};
#undef LOST_WORD

/* What our store sends; all else, the driver's own greetings and pings, is the last. */
static const char *const command_words[] = {"find",   "findAndModify", "insert",  "update",
                                            "delete", "createIndexes", "getMore", "other"};
static const char *const result_words[] = {"ok", "failed"};

/* clang-format off */ /* its versions differ about braces in macros */
#define LABEL(name, words) {name, words, COUNT_OF(words)}
/* clang-format on */

/* ---- families ---- */

/* enum, name, how many are counted for one, help, labels */
#define FAMILY_TABLE(X)                                                                                   \
        X(CLAIMS, "kuryed_claims_total", 1, "Claims of what is due, by what came of them.",               \
          LABEL("result", claim_words))                                                                   \
        X(POLLS, "kuryed_polls_total", 1, "Polls of accounts, by what came of them.",                     \
          LABEL("result", poll_words))                                                                    \
        X(POLLED, "kuryed_polled_orders_total", 1, "Orders that polls showed, by what they were to us.",  \
          LABEL("result", polled_words))                                                                  \
        X(COMMANDS, "kuryed_store_commands_total", 1, "Round trips to the store, by command and result.", \
          LABEL("command", command_words), LABEL("result", result_words))                                 \
        X(COMMAND_SECONDS, "kuryed_store_command_seconds_total", 1000000,                                 \
          "How long round trips to the store took in all.", LABEL("command", command_words))              \
        X(EVENTS, "kuryed_events_total", 1, "Messages to watchers, by type.", LABEL("type", event_words)) \
        X(LOST, "kuryed_watchers_lost_total", 1, "Watchers that were let go, by why.",                    \
          LABEL("reason", lost_words))

#define FAMILY_ENUM(id, ...) id,
enum family { FAMILY_TABLE(FAMILY_ENUM) FAMILY_COUNT };
#undef FAMILY_ENUM

#define FAMILY_ROW(id, name, unit, help, ...) [id] = {name, help, unit, {__VA_ARGS__}},
static const struct {
        const char *name;
        const char *help;
        unsigned unit;
        struct label labels[LABELS_MAX];
} families[] = {FAMILY_TABLE(FAMILY_ROW)};
#undef FAMILY_ROW

static atomic_ullong counters[FAMILY_COUNT][CELLS_MAX];

static void add(enum family family, size_t cell, unsigned long long n)
{
        atomic_fetch_add_explicit(&counters[family][cell], n, memory_order_relaxed);
}

void metrics_claim(enum claim result)
{
        add(CLAIMS, result, 1);
}

void metrics_poll(enum poll_result result)
{
        add(POLLS, result, 1);
}

void metrics_polled(enum polled_order result)
{
        add(POLLED, result, 1);
}

void metrics_command(const struct command *command)
{
        size_t i = 0;

        while (i < COUNT_OF(command_words) - 1 && !streq(command_words[i], command->name))
                i++;
        add(COMMANDS, i * COUNT_OF(result_words) + command->failed, 1);
        add(COMMAND_SECONDS, i, command->took_us > 0 ? (unsigned long long)command->took_us : 0);
}

void metrics_events(enum event event, int n)
{
        add(EVENTS, event, (unsigned long long)n);
}

void metrics_watcher_lost(enum lost why)
{
        add(LOST, why, 1);
}

static atomic_int watchers;

void metrics_watchers(int change)
{
        atomic_fetch_add_explicit(&watchers, change, memory_order_relaxed);
}

/* ---- the text ---- */

/* {first="a",second="b"}: the last label's word changes fastest. */
static void write_counter(enum family family, size_t cell, FILE *to)
{
        const struct label *labels = families[family].labels;
        const unsigned unit = families[family].unit;
        const unsigned long long value = atomic_load_explicit(&counters[family][cell], memory_order_relaxed);
        const size_t inner = labels[1].name ? labels[1].n : 1;

        fprintf(to, "%s{%s=\"%s\"", families[family].name, labels[0].name, labels[0].words[cell / inner]);
        if (labels[1].name)
                fprintf(to, ",%s=\"%s\"", labels[1].name, labels[1].words[cell % inner]);
        if (unit == 1)
                fprintf(to, "} %llu\n", value);
        else
                fprintf(to, "} %llu.%06llu\n", value / unit, value % unit);
}

char *metrics_write(void)
{
        char *text = NULL;
        size_t size;
        FILE *to = open_memstream(&text, &size);
        bool failed;

        if (!to)
                return NULL;
        for (int i = 0; i < FAMILY_COUNT; i++) {
                const struct label *labels = families[i].labels;
                const size_t cells = labels[0].n * (labels[1].name ? labels[1].n : 1);

                fprintf(to, "# HELP %s %s\n# TYPE %s counter\n", families[i].name, families[i].help,
                        families[i].name);
                for (size_t cell = 0; cell < cells; cell++)
                        write_counter((enum family)i, cell, to);
        }
        fprintf(to,
                "# HELP kuryed_watchers Screens that are connected now.\n# TYPE kuryed_watchers gauge\n"
                "kuryed_watchers %d\n",
                atomic_load_explicit(&watchers, memory_order_relaxed));
        failed = ferror(to);
        if (fclose(to) == 0 && !failed)
                return text;
        free(text);
        return NULL;
}
