/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what is counted: one table of counters, gauges and histograms, told as Prometheus' text (docs/metrics.md).
 *
 * Labels have words from lists that stand in the code, so that there are no others: never a restaurant, never an order.
 * Threads: any, everywhere, but for metrics_routes() and metrics_write(), which are the loop's. */
#pragma once

#include "model/platform.h"
#include "model/store.h"
#include "server/census.h"
#include "server/process.h"
#include "server/router.h"

/* --- requests --- */

/* The routes of both ports, borrowed: their methods and paths are the words of a label. Before any request. */
void metrics_routes(const struct route *routes, const struct route *ops_routes);

#define CODE_GONE 499 /* as nginx has it: the client left, or was cut, before its answer */

/* One request is over: its route (NULL: none was found), what was answered, and how long that took from its last byte;
 * below 0: it was refused before that. */
void metrics_request(const struct route *route, int code, int64_t took_us);

#define REFUSAL_TABLE(X)                                                   \
        X(HELD, "held")         /* too many are unanswered */              \
        X(BODIES, "bodies")     /* too much is promised to their bodies */ \
        X(DRAINING, "draining") /* the server stops */
#define REFUSAL_ENUM(name, word) REFUSAL_##name,
enum refusal { REFUSAL_TABLE(REFUSAL_ENUM) REFUSAL_COUNT };
#undef REFUSAL_ENUM

/* One request was told 503 because of this. */
void metrics_refused(enum refusal why);

#define WEBHOOK_TABLE(X)                                                     \
        X(MOVED, "moved")                                                    \
        X(SAME, "same")                                                      \
        X(FINAL, "final") /* delivered or cancelled before */                \
        X(UNKNOWN_ORDER, "unknown_order")                                    \
        X(NO_INTEGRATION, "no_integration")                                  \
        X(KEY_REUSED, "key_reused")                                          \
        X(NO_KEY, "no_key")                                                  \
        X(MALFORMED, "malformed")                                            \
        X(THROTTLED, "throttled") /* too many wrong keys from its address */ \
        X(BUSY, "busy")           /* nothing was changed */                  \
        X(FAILED, "failed")       /* 500 */
#define WEBHOOK_ENUM(name, word) WEBHOOK_##name,
enum webhook { WEBHOOK_TABLE(WEBHOOK_ENUM) WEBHOOK_COUNT };
#undef WEBHOOK_ENUM

/* One webhook, and what came of it. */
void metrics_webhook(enum webhook outcome);
/* The same, by the error that is told. */
void metrics_webhook_refused(enum err e);

/* --- the store --- */

/* One job of a store: from its submission until it is handed back. */
void metrics_job(enum verb verb, int64_t took_us, bool failed);
/* One commit of an embedded store: of how many jobs, and how long the commit itself took. */
void metrics_commit(int jobs, int64_t took_us);
/* An order or a record was met that does not read. */
void metrics_damaged(void);
/* One round trip to a store of other processes. */
void metrics_command(const struct command *command);

#define SWEEP_TABLE(X) X(OK, "ok") X(FAILED, "failed")
#define SWEEP_ENUM(name, word) SWEEP_##name,
enum sweep { SWEEP_TABLE(SWEEP_ENUM) SWEEP_COUNT };
#undef SWEEP_ENUM

/* A round; how many orders were taken away; from how many personal data was erased, by themselves or on demand. */
void metrics_sweep(enum sweep result);
void metrics_swept(int orders);
void metrics_erased(int orders);

/* --- what is owed --- */

/* Whom an order is told to: its platform, or a courier firm, all of which count as one. */
#define CALLEE_COURIER PLATFORM_COUNT
#define CALLEE_COUNT (PLATFORM_COUNT + 1)
int metrics_callee(enum platform platform, enum party party);

#define CLAIM_TABLE(X)                                                                      \
        X(WON, "won")                                                                       \
        X(LOST, "lost") /* not to be had any more: another server has it, or has done it */ \
        X(FAILED, "failed")
#define CLAIM_ENUM(name, word) CLAIM_##name,
enum claim { CLAIM_TABLE(CLAIM_ENUM) CLAIM_COUNT };
#undef CLAIM_ENUM

/* One claim of something that is due, and what came of it. */
void metrics_claim(enum claim result);

/* One look at what is owed, and how it was judged. */
void metrics_delivery(int callee, enum verdict verdict);
/* Its call took so long. */
void metrics_try(int callee, int64_t took_ms);
/* A fact reached the platform, so long after it came to be. */
void metrics_lag(enum platform platform, int64_t lag_ms);
/* It was given up, and is kept as failed. */
void metrics_dead(int callee);
/* A login, and how it was judged. */
void metrics_login(enum platform platform, enum verdict verdict);
/* `change` more breakers are open, or calls of whatever kind under way. */
void metrics_breakers(int callee, int change);
void metrics_calls(int change);

/* --- polls --- */

#define POLL_TABLE(X)                                                    \
        X(OK, "ok")                                                      \
        X(BUSY, "busy")       /* not asked: what is owed had the lane */ \
        X(LIMITED, "limited") /* 429 */                                  \
        X(FAILED, "failed")
#define POLL_ENUM(name, word) POLL_##name,
enum poll_result { POLL_TABLE(POLL_ENUM) POLL_COUNT };
#undef POLL_ENUM

/* One poll of an account, and what came of it. */
void metrics_poll(enum poll_result result);

#define POLLED_TABLE(X)         \
        X(IMPORTED, "imported") \
        X(KNOWN, "known")       \
        X(MOVED, "moved")       \
        X(BROKEN, "broken")
#define POLLED_ENUM(name, word) POLLED_##name,
enum polled_order { POLLED_TABLE(POLLED_ENUM) POLLED_COUNT };
#undef POLLED_ENUM

/* One order that a poll showed, and what it was to us. */
void metrics_polled(enum polled_order result);

/* --- watchers --- */

/* What watchers are told, and why one is let go before it wants to. */
#define EVENT_TABLE(X)            \
        X(ORDER, "order.updated") \
        X(FAILURE, "delivery.failed")
#define EVENT_ENUM(name, word) EVENT_##name,
enum event { EVENT_TABLE(EVENT_ENUM) EVENT_COUNT };
#undef EVENT_ENUM
#define LOST_TABLE(X)                                               \
        X(SLOW, "slow")   /* it reads less than there is to tell */ \
        X(DEAD, "dead")   /* no pong */                             \
        X(STORE, "store") /* what it is to be told cannot be read */
#define LOST_ENUM(name, word) LOST_##name,
enum lost { LOST_TABLE(LOST_ENUM) LOST_COUNT };
#undef LOST_ENUM

/* `n` watchers were told; one was let go; `change` more watch. */
void metrics_events(enum event event, int n);
void metrics_watcher_lost(enum lost why);
void metrics_watchers(int change);
/* A line of the log was lost. */
void metrics_dropped(void);

/* --- the text --- */

/* What is not counted but looked at when somebody asks. */
struct sampled {
        bool store_ready, loops_ready, draining;
        int connections, connections_max; /* of the main port */
        int held;                         /* requests that wait for something */
        int store_jobs;                   /* submitted, not handed back yet */
        int64_t clock_offset_ms;          /* the store's clock minus this machine's */
        bool has_counted;                 /* what follows is known */
        struct counted counted;
        struct process process;
};

/* All of it in Prometheus' text format 0.0.4; the caller frees. NULL without memory. */
char *metrics_write(const struct sampled *sampled) MUST_USE;
