/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what is counted: one table of counters, told as Prometheus' text. Threads: any, everywhere. */
#pragma once

#include "model/store.h"

/* The words of a label stand in a list, so that it has no others: never a restaurant, never an order. */
#define CLAIM_TABLE(X)                                                                      \
        X(WON, "won")                                                                       \
        X(LOST, "lost") /* not to be had any more: another server has it, or has done it */ \
        X(FAILED, "failed")
#define CLAIM_ENUM(name, word) CLAIM_##name,
enum claim { CLAIM_TABLE(CLAIM_ENUM) CLAIM_COUNT };
#undef CLAIM_ENUM

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

/* One claim of something that is due, and what came of it. */
void metrics_claim(enum claim result);

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

/* One round trip to a store of other processes. */
void metrics_command(const struct command *command);

/* All of it in Prometheus' text format 0.0.4; the caller frees. NULL without memory. */
char *metrics_write(void) MUST_USE;
