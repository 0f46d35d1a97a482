/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - numbers in one array, and the table that gives them names.
 *
 * A family has a series for each combination of its labels' words, at most two labels, and a series has one cell, a
 * histogram's one for each bucket and one for the sum. Counting is a relaxed addition to a cell, or to two of a histogram:
 * numbers order nothing, and buckets are added up by whoever asks. Times are kept in whole microseconds or milliseconds.
 *
 * Series that most servers never touch (every route with every code, every verb's histogram) are left out while they stand
 * at nought; all others are there from the start, so that their first step is a step and not a beginning. */
#include "server/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 2
#define ROUTES_MAX 96 /* of both ports; about half are used */
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- labels ---- */

struct label {
        const char *name;
        const char *const *words;
        size_t n;
};

#define WORD(name, word) word,
static const char *const refusal_words[] = {REFUSAL_TABLE(WORD)};
static const char *const webhook_words[] = {WEBHOOK_TABLE(WORD)};
static const char *const verb_words[] = {VERB_TABLE(WORD)};
static const char *const sweep_words[] = {SWEEP_TABLE(WORD)};
static const char *const platform_words[] = {PLATFORM_TABLE(WORD)};
static const char *const callee_words[] = {PLATFORM_TABLE(WORD) "courier"};
static const char *const verdict_words[] = {VERDICT_TABLE(WORD)};
static const char *const claim_words[] = {CLAIM_TABLE(WORD)};
static const char *const poll_words[] = {POLL_TABLE(WORD)};
static const char *const polled_words[] = {POLLED_TABLE(WORD)};
static const char *const event_words[] = {EVENT_TABLE(WORD)};
static const char *const lost_words[] = {LOST_TABLE(WORD)};
#undef WORD

/* What our store sends; all else, the driver's own greetings and pings, is the last. */
static const char *const command_words[] = {"find",          "findAndModify", "insert",    "update", "delete",
                                            "createIndexes", "getMore",       "aggregate", "other"};
static const char *const result_words[] = {"ok", "failed"};
static const char *const party_words[PARTY_COUNT] =
        {[PARTY_PLATFORM] = "platform", [PARTY_COURIER] = "courier"};
static const char *const part_words[] = {"store", "loops"};
static const char *const version_words[] = {KURYED_VERSION};

/* What is answered, the frequent first; all else is the last. */
/* clang-format off */ /* its versions differ about what stands in a row */
#define CODE_TABLE(X) \
        X(200) X(201) X(404) X(400) X(101) X(202) X(204) X(304) X(401) X(403) \
        X(405) X(409) X(413) X(415) X(422) X(426) X(429) X(499) X(500) X(503)
/* clang-format on */
#define CODE_NUMBER(code) code,
#define CODE_WORD(code) #code,
static const int codes[] = {CODE_TABLE(CODE_NUMBER)};
static const char *const code_words[] = {CODE_TABLE(CODE_WORD) "other"};

/* "GET /livez"; what no route was found for is the last. Filled by metrics_routes(). */
static char route_texts[ROUTES_MAX][96];
static const char *route_words[ROUTES_MAX + 1] = {[ROUTES_MAX] = "unknown"};
static struct {
        const struct route *first;
        size_t n;
} route_tables[2];

/* ---- shapes ---- */

/* Where the buckets of a histogram end, in its family's unit. FAST is for what should take milliseconds and is over after
 * KURYE_REQUEST_DEADLINE (5 s); CALL for calls of others, which end after KURYE_OUTBOUND_TIMEOUT (10 s: whatever is beyond
 * the last edge was cut); LAG from a call at once, by all retries of one fact (31 s and a little) and a platform's wait
 * (60 s), to an outage; JOBS for what shares a commit, at most the 512 requests that may be held and some more. */
static const uint32_t fast_edges[] = {500,    1000,   2500,   5000,    10000,   25000,  50000,
                                      100000, 250000, 500000, 1000000, 2500000, 5000000};
static const uint32_t call_edges[] = {10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000};
static const uint32_t lag_edges[] = {10,   25,    50,    100,   250,    500,     1000,   2500,
                                     5000, 10000, 30000, 60000, 300000, 1800000, 7200000};
static const uint32_t jobs_edges[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

/* A shape's number of cells; RARE is a counter that is left out while it stands at nought, and so is a histogram. */
enum width {
        COUNTER_WIDTH = 1,
        RARE_WIDTH = 1,
        GAUGE_WIDTH = 1,
        FAST_WIDTH = COUNT_OF(fast_edges) + 2,
        CALL_WIDTH = COUNT_OF(call_edges) + 2,
        LAG_WIDTH = COUNT_OF(lag_edges) + 2,
        JOBS_WIDTH = COUNT_OF(jobs_edges) + 2
};

enum shape { COUNTER, RARE, GAUGE, FAST, CALL, LAG, JOBS };
static const struct {
        const char *type;
        const uint32_t *edges;
        size_t n_edges;
} shapes[] = {[COUNTER] = {.type = "counter"},
              [RARE] = {.type = "counter"},
              [GAUGE] = {.type = "gauge"},
              [FAST] = {"histogram", fast_edges, COUNT_OF(fast_edges)},
              [CALL] = {"histogram", call_edges, COUNT_OF(call_edges)},
              [LAG] = {"histogram", lag_edges, COUNT_OF(lag_edges)},
              [JOBS] = {"histogram", jobs_edges, COUNT_OF(jobs_edges)}};

/* ---- families ---- */

#define ONE 1
#define MS 1000
#define US 1000000

/* clang-format off */ /* its versions differ about braces in macros */
#define LABEL(name, words) {name, words, COUNT_OF(words)}
#define NO_LABEL {.name = NULL}

/* enum, shape, how many series, how many are counted for one, name, help, labels */
#define FAMILY_TABLE(X) \
        X(REQUESTS, RARE, COUNT_OF(route_words) * COUNT_OF(code_words), ONE, "kuryed_http_requests_total", \
          "Requests, by route and by what was answered; 499: the client left before.", \
          LABEL("route", route_words), LABEL("code", code_words)) \
        X(REQUEST_TIME, FAST, COUNT_OF(route_words), US, "kuryed_http_request_duration_seconds", \
          "From a request's last byte to its answer, without those that their headers alone refused.", \
          LABEL("route", route_words)) \
        X(REFUSED, COUNTER, REFUSAL_COUNT, ONE, "kuryed_http_refused_total", \
          "Requests that were told 503 because of too much at once, or of a stop, by why.", \
          LABEL("reason", refusal_words)) \
        X(WEBHOOKS, COUNTER, WEBHOOK_COUNT, ONE, "kuryed_webhooks_total", \
          "Status webhooks of courier firms, by what came of them.", LABEL("outcome", webhook_words)) \
        X(CONNECTIONS, GAUGE, 1, ONE, "kuryed_http_connections", \
          "Connections to the main port, those of watchers included.", NO_LABEL) \
        X(CONNECTIONS_MAX, GAUGE, 1, ONE, "kuryed_http_connections_max", \
          "How many connections there may be: KURYE_MAX_CONNECTIONS.", NO_LABEL) \
        X(HELD, GAUGE, 1, ONE, "kuryed_http_held_requests", \
          "Requests that wait for the store or for a platform; beyond 512 the next one is told 503.", NO_LABEL) \
        X(DELIVERIES, COUNTER, CALLEE_COUNT * VERDICT_COUNT, ONE, "kuryed_deliveries_total", \
          "Looks at what is owed to a platform or a courier firm, by how they were judged.", \
          LABEL("platform", callee_words), LABEL("result", verdict_words)) \
        X(TRY_TIME, CALL, CALLEE_COUNT, MS, "kuryed_delivery_try_duration_seconds", \
          "How long a call of a platform or a courier firm took.", LABEL("platform", callee_words)) \
        X(DELIVERY_LAG, LAG, PLATFORM_COUNT, MS, "kuryed_delivery_lag_seconds", \
          "From a fact about an order until its platform was told.", LABEL("platform", platform_words)) \
        X(DEAD, COUNTER, CALLEE_COUNT, ONE, "kuryed_deliveries_failed_total", \
          "Deliveries that were given up and are kept as failed.", LABEL("platform", callee_words)) \
        X(LOGINS, COUNTER, PLATFORM_COUNT * VERDICT_COUNT, ONE, "kuryed_logins_total", \
          "Logins to platforms, by how they were judged.", \
          LABEL("platform", platform_words), LABEL("result", verdict_words)) \
        X(BREAKERS, GAUGE, CALLEE_COUNT, ONE, "kuryed_breakers_open", \
          "Platforms, and hosts of courier firms, that are called one at a time because they keep failing.", \
          LABEL("platform", callee_words)) \
        X(OWED, GAUGE, PARTY_COUNT, ONE, "kuryed_owed", \
          "What is owed and not told yet, by whom to; 10000: so much or more.", LABEL("party", party_words)) \
        X(OLDEST, GAUGE, 1, MS, "kuryed_owed_oldest_seconds", \
          "For how long the oldest of what is owed has been due.", NO_LABEL) \
        X(FAILED, GAUGE, PARTY_COUNT, ONE, "kuryed_failed", \
          "Deliveries that are kept as failed, by whom to; 10000: so much or more.", \
          LABEL("party", party_words)) \
        X(CALLS, GAUGE, 1, ONE, "kuryed_calls", \
          "Calls to platforms and courier firms that are under way; 256 at most.", NO_LABEL) \
        X(CLAIMS, COUNTER, CLAIM_COUNT, ONE, "kuryed_claims_total", \
          "Claims of what is due, by what came of them.", LABEL("result", claim_words)) \
        X(POLLS, COUNTER, POLL_COUNT, ONE, "kuryed_polls_total", \
          "Polls of accounts, by what came of them.", LABEL("result", poll_words)) \
        X(POLLED, COUNTER, POLLED_COUNT, ONE, "kuryed_polled_orders_total", \
          "Orders that polls showed, by what they were to us.", LABEL("result", polled_words)) \
        X(READY, GAUGE, COUNT_OF(part_words), ONE, "kuryed_ready", \
          "Whether the store takes writes, and whether all threads go round: 1 or 0.", LABEL("part", part_words)) \
        X(STOPPING, GAUGE, 1, ONE, "kuryed_draining", "Whether it was asked to stop: 1 or 0.", NO_LABEL) \
        X(JOBS_WAITING, GAUGE, 1, ONE, "kuryed_store_jobs", \
          "Jobs of the store that were submitted and are not done.", NO_LABEL) \
        X(JOB_TIME, FAST, VERB_COUNT, US, "kuryed_store_job_duration_seconds", \
          "From a job's submission until it is durable and handed back, by verb.", LABEL("verb", verb_words)) \
        X(JOBS_FAILED, COUNTER, VERB_COUNT, ONE, "kuryed_store_jobs_failed_total", \
          "Jobs that the store could not do, by verb.", LABEL("verb", verb_words)) \
        X(DAMAGED, COUNTER, 1, ONE, "kuryed_store_damaged_total", \
          "How often an order or a record was met that does not read.", NO_LABEL) \
        X(COMMIT_TIME, FAST, 1, US, "kuryed_store_commit_duration_seconds", \
          "How long a commit of the embedded store took, the disk's flush included.", NO_LABEL) \
        X(COMMIT_JOBS, JOBS, 1, ONE, "kuryed_store_commit_jobs", \
          "How many jobs shared a commit of the embedded store.", NO_LABEL) \
        X(COMMANDS, COUNTER, COUNT_OF(command_words) * COUNT_OF(result_words), ONE, "kuryed_store_commands_total", \
          "Round trips to MongoDB, by command and result.", \
          LABEL("command", command_words), LABEL("result", result_words)) \
        X(COMMAND_TIME, COUNTER, COUNT_OF(command_words), US, "kuryed_store_command_seconds_total", \
          "How long round trips to MongoDB took in all.", LABEL("command", command_words)) \
        X(CLOCK, GAUGE, 1, MS, "kuryed_store_clock_offset_seconds", \
          "The store's clock minus this machine's.", NO_LABEL) \
        X(SWEEPS, COUNTER, SWEEP_COUNT, ONE, "kuryed_sweeps_total", \
          "Rounds of taking away what has expired, and of erasing, by result.", LABEL("result", sweep_words)) \
        X(SWEPT, COUNTER, 1, ONE, "kuryed_swept_orders_total", "Orders that were taken away.", NO_LABEL) \
        X(ERASED, COUNTER, 1, ONE, "kuryed_erased_orders_total", \
          "Orders that personal data was erased from.", NO_LABEL) \
        X(WATCHERS, GAUGE, 1, ONE, "kuryed_watchers", "Screens that are connected now.", NO_LABEL) \
        X(LOST, COUNTER, LOST_COUNT, ONE, "kuryed_watchers_lost_total", \
          "Watchers that were let go, by why.", LABEL("reason", lost_words)) \
        X(EVENTS, COUNTER, EVENT_COUNT, ONE, "kuryed_events_total", \
          "Messages to watchers, by type.", LABEL("type", event_words)) \
        X(DROPPED, COUNTER, 1, ONE, "kuryed_log_dropped_lines_total", "Lines of the log that stderr did not take.", \
          NO_LABEL) \
        X(BUILD, GAUGE, 1, ONE, "kuryed_build_info", "Always 1; the label says which kuryed this is.", \
          LABEL("version", version_words)) \
        X(CPU, COUNTER, 1, US, "process_cpu_seconds_total", "Time on processors, of user and system.", NO_LABEL) \
        X(RESIDENT, GAUGE, 1, ONE, "process_resident_memory_bytes", "Memory that is in use.", NO_LABEL) \
        X(VIRTUAL, GAUGE, 1, ONE, "process_virtual_memory_bytes", "Address space that is in use.", NO_LABEL) \
        X(FDS, GAUGE, 1, ONE, "process_open_fds", "Open files and sockets.", NO_LABEL) \
        X(FDS_MAX, GAUGE, 1, ONE, "process_max_fds", "How many files and sockets may be open.", NO_LABEL) \
        X(THREADS, GAUGE, 1, ONE, "process_threads", "Threads.", NO_LABEL) \
        X(STARTED, GAUGE, 1, MS, "process_start_time_seconds", "When this process was started, since 1970.", NO_LABEL)

/* Where a family's cells begin in the array. */
#define FAMILY_PLACE(id, shape, n, ...) id, id##_END = id + (n) * shape##_WIDTH - 1,
enum cell { FAMILY_TABLE(FAMILY_PLACE) CELLS_ALL };

#define FAMILY_ROW(id, shape, n, unit, name, help, ...) {id, shape, n, unit, name, help, {__VA_ARGS__}},
static const struct family {
        size_t first;
        enum shape shape;
        size_t n;
        unsigned unit;
        const char *name;
        const char *help;
        struct label labels[LABELS_MAX];
} families[] = {FAMILY_TABLE(FAMILY_ROW)};
/* clang-format on */

#define ABSENT INT64_MIN /* of a gauge: not known, left out */

static atomic_llong cells[CELLS_ALL];

/* ---- counting ---- */

static void add(size_t cell, long long n)
{
        atomic_fetch_add_explicit(&cells[cell], n, memory_order_relaxed);
}

/* The sum stands behind the buckets. What took less than nothing took nothing. */
static void observe(size_t first, enum shape shape, size_t series, int64_t value)
{
        const size_t n = shapes[shape].n_edges;
        size_t bucket = 0;

        first += series * (n + 2);
        while (bucket < n && value > shapes[shape].edges[bucket])
                bucket++;
        add(first + bucket, 1);
        add(first + n + 1, value > 0 ? value : 0);
}

void metrics_routes(const struct route *routes, const struct route *ops_routes)
{
        const struct route *tables[] = {routes, ops_routes};
        size_t n = 0;

        for (size_t i = 0; i < COUNT_OF(tables); i++) {
                route_tables[i].first = tables[i];
                for (const struct route *route = tables[i]; route->method; route++, n++) {
                        assert(n < ROUTES_MAX);
                        snprintf(route_texts[n], sizeof route_texts[n], "%s %s", route->method, route->path);
                        route_words[n] = route_texts[n];
                        route_tables[i].n = (size_t)(route - tables[i]) + 1;
                }
        }
}

static size_t route_number(const struct route *route)
{
        size_t before = 0;

        for (size_t i = 0; i < COUNT_OF(route_tables) && route; i++) {
                const uintptr_t at = (uintptr_t)route - (uintptr_t)route_tables[i].first;

                if (at / sizeof *route < route_tables[i].n)
                        return before + at / sizeof *route;
                before += route_tables[i].n;
        }
        return ROUTES_MAX;
}

void metrics_request(const struct route *route, int code, int64_t took_us)
{
        const size_t number = route_number(route);
        size_t i = 0;

        while (i < COUNT_OF(codes) && codes[i] != code)
                i++;
        add(REQUESTS + number * COUNT_OF(code_words) + i, 1);
        if (took_us >= 0)
                observe(REQUEST_TIME, FAST, number, took_us);
}

void metrics_refused(enum refusal why)
{
        add(REFUSED + why, 1);
}

void metrics_webhook(enum webhook outcome)
{
        add(WEBHOOKS + outcome, 1);
}

void metrics_webhook_refused(enum err e)
{
        static const enum webhook outcomes[ERR_COUNT] = {[ERR_ORDER_FINAL] = WEBHOOK_FINAL,
                                                         [ERR_NO_ORDER] = WEBHOOK_UNKNOWN_ORDER,
                                                         [ERR_NO_INTEGRATION] = WEBHOOK_NO_INTEGRATION,
                                                         [ERR_KEY_REUSED] = WEBHOOK_KEY_REUSED,
                                                         [ERR_NO_API_KEY] = WEBHOOK_NO_KEY,
                                                         [ERR_TOO_MANY_KEYS] = WEBHOOK_THROTTLED};
        const int http = err_row(e)->http;

        metrics_webhook(outcomes[e]   ? outcomes[e]
                        : http == 503 ? WEBHOOK_BUSY
                        : http >= 500 ? WEBHOOK_FAILED
                                      : WEBHOOK_MALFORMED);
}

void metrics_job(enum verb verb, int64_t took_us, bool failed)
{
        observe(JOB_TIME, FAST, verb, took_us);
        if (failed)
                add(JOBS_FAILED + verb, 1);
}

void metrics_commit(int jobs, int64_t took_us)
{
        observe(COMMIT_JOBS, JOBS, 0, jobs);
        observe(COMMIT_TIME, FAST, 0, took_us);
}

void metrics_damaged(void)
{
        add(DAMAGED, 1);
}

void metrics_command(const struct command *command)
{
        size_t i = 0;

        while (i < COUNT_OF(command_words) - 1 && !streq(command_words[i], command->name))
                i++;
        add(COMMANDS + i * COUNT_OF(result_words) + command->failed, 1);
        add(COMMAND_TIME + i, command->took_us > 0 ? command->took_us : 0);
}

void metrics_sweep(enum sweep result)
{
        add(SWEEPS + result, 1);
}

void metrics_swept(int orders)
{
        add(SWEPT, orders);
}

void metrics_erased(int orders)
{
        add(ERASED, orders);
}

int metrics_callee(enum platform platform, enum party party)
{
        return party == PARTY_COURIER ? CALLEE_COURIER : (int)platform;
}

void metrics_claim(enum claim result)
{
        add(CLAIMS + result, 1);
}

void metrics_delivery(int callee, enum verdict verdict)
{
        add(DELIVERIES + (size_t)callee * VERDICT_COUNT + verdict, 1);
}

void metrics_try(int callee, int64_t took_ms)
{
        observe(TRY_TIME, CALL, (size_t)callee, took_ms);
}

void metrics_lag(enum platform platform, int64_t lag_ms)
{
        observe(DELIVERY_LAG, LAG, platform, lag_ms);
}

void metrics_dead(int callee)
{
        add(DEAD + (size_t)callee, 1);
}

void metrics_login(enum platform platform, enum verdict verdict)
{
        add(LOGINS + (size_t)platform * VERDICT_COUNT + verdict, 1);
}

void metrics_breakers(int callee, int change)
{
        add(BREAKERS + (size_t)callee, change);
}

void metrics_calls(int change)
{
        add(CALLS, change);
}

void metrics_poll(enum poll_result result)
{
        add(POLLS + result, 1);
}

void metrics_polled(enum polled_order result)
{
        add(POLLED + result, 1);
}

void metrics_events(enum event event, int n)
{
        add(EVENTS + event, n);
}

void metrics_watcher_lost(enum lost why)
{
        add(LOST + why, 1);
}

void metrics_watchers(int change)
{
        add(WATCHERS, change);
}

void metrics_dropped(void)
{
        add(DROPPED, 1);
}

/* ---- looking ---- */

static void put(size_t cell, int64_t value)
{
        atomic_store_explicit(&cells[cell], value, memory_order_relaxed);
}

static void put_process(const struct process *process)
{
        put(CPU, process->cpu_us);
        put(RESIDENT, process->resident_bytes);
        put(VIRTUAL, process->virtual_bytes);
        put(FDS, process->open_fds);
        put(FDS_MAX, process->max_fds);
        put(THREADS, process->threads);
        put(STARTED, process->started_ms);
}

static void put_sampled(const struct sampled *now)
{
        put(CONNECTIONS, now->connections);
        put(CONNECTIONS_MAX, now->connections_max);
        put(HELD, now->held);
        put(READY, now->store_ready);
        put(READY + 1, now->loops_ready);
        put(STOPPING, now->draining);
        put(JOBS_WAITING, now->store_jobs);
        put(CLOCK, now->clock_offset_ms);
        for (size_t party = 0; party < PARTY_COUNT; party++) {
                put(OWED + party, now->has_counted ? now->counted.owed[party] : ABSENT);
                put(FAILED + party, now->has_counted ? now->counted.failed[party] : ABSENT);
        }
        put(OLDEST, now->has_counted ? now->counted.oldest_ms : ABSENT);
        put(BUILD, 1);
        put_process(&now->process);
}

/* ---- the text ---- */

static long long value_of(size_t cell)
{
        return atomic_load_explicit(&cells[cell], memory_order_relaxed);
}

/* NAME{first="a",second="b",le="0.5"} VALUE: the last label's word changes fastest. */
static void write_sample(const struct family *family, const char *suffix, size_t series, const char *le,
                         long long value, unsigned unit, FILE *to)
{
        const struct label *labels = family->labels;
        const size_t inner = labels[1].name ? labels[1].n : 1;
        char open = '{';

        fprintf(to, "%s%s", family->name, suffix);
        if (labels[0].name) {
                fprintf(to, "{%s=\"%s\"", labels[0].name, labels[0].words[series / inner]);
                open = ',';
        }
        if (labels[1].name)
                fprintf(to, ",%s=\"%s\"", labels[1].name, labels[1].words[series % inner]);
        if (le)
                fprintf(to, "%cle=\"%s\"", open, le);
        fputs(labels[0].name || le ? "} " : " ", to);
        if (unit == 1)
                fprintf(to, "%lld\n", value);
        else
                fprintf(to, "%.*f\n", unit == MS ? 3 : 6, (double)value / unit);
}

static void write_histogram(const struct family *family, size_t series, FILE *to)
{
        const size_t n = shapes[family->shape].n_edges, first = family->first + series * (n + 2);
        const long long sum = value_of(first + n + 1);
        long long count = 0;
        char le[24];

        for (size_t i = 0; i <= n; i++)
                count += value_of(first + i);
        if (count == 0)
                return;
        count = 0;
        for (size_t i = 0; i <= n; i++) {
                count += value_of(first + i);
                snprintf(le, sizeof le, "%g",
                         i < n ? (double)shapes[family->shape].edges[i] / family->unit : 0);
                write_sample(family, "_bucket", series, i < n ? le : "+Inf", count, ONE, to);
        }
        write_sample(family, "_sum", series, NULL, sum, family->unit, to);
        write_sample(family, "_count", series, NULL, count, ONE, to);
}

static void write_family(const struct family *family, FILE *to)
{
        fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                shapes[family->shape].type);
        for (size_t series = 0; series < family->n; series++) {
                const long long value = value_of(family->first + series);

                if (shapes[family->shape].n_edges)
                        write_histogram(family, series, to);
                else if (value != ABSENT && (value != 0 || family->shape != RARE))
                        write_sample(family, "", series, NULL, value, family->unit, to);
        }
}

char *metrics_write(const struct sampled *sampled)
{
        char *text = NULL;
        size_t size;
        FILE *to = open_memstream(&text, &size);
        bool failed;

        if (!to)
                return NULL;
        put_sampled(sampled);
        for (size_t i = 0; i < COUNT_OF(families); i++)
                write_family(&families[i], to);
        failed = ferror(to);
        if (fclose(to) == 0 && !failed)
                return text;
        free(text);
        return NULL;
}
