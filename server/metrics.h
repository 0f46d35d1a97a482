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

/* One claim of something that is due, and what came of it. */
void metrics_claim(enum claim result);

/* One round trip to a store of other processes. */
void metrics_command(const struct command *command);

/* All of it in Prometheus' text format 0.0.4; the caller frees. NULL without memory. */
char *metrics_write(void) MUST_USE;
