/* SPDX-License-Identifier: Apache-2.0 */
/* target.h - what one order owes to one party, and the two pure functions that say what to do about it.
 *
 * What is owed is a state, not a queue of events: a fact only raises `want` (rank x 10), our calls and the platform's own
 * facts only raise `told`, and the next call is the lowest step above `told` that `want` asks for. Order of calls, missing
 * steps, replay and a cancel that overtakes a pending "on the way" follow from that. Stores only write the changes that
 * target_settle() gives; unit tests, both stores and the protocol model share this one truth. */
#pragma once

#include "model/err.h"
#include "model/status.h"
#include "model/text.h"

#include <stdint.h>

struct order;
struct dialect;

/* Whom an order can owe something; the word is that of a deliveryId, `<orderId>-<word>`. */
enum party { PARTY_PLATFORM, PARTY_COURIER, PARTY_COUNT };
const char *party_word(enum party party);

#define STEP_OF(status) (10 * (status)) /* the number of a rank's step, and what a fact raises `want` to */

#define WAIT_A_STEP (-1) /* `wait_ms`: as long as the platform's wait between two steps */

#define TARGET_NOT_DUE (-1) /* `at_ms` is absent: nothing owed */
#define TARGET_NEVER 0      /* `at_ms`: there never is anything to call */
#define REASON_SIZE 96

struct target {
        int want;
        int told;
        int64_t told_at_ms; /* when our last step was answered, or a check found it done; 0: never */
        bool unsure;        /* a call may have got through whose answer we never had */
        bool looked;        /* not kept: a check has just left the doubt, and the next call is made in it */
        int tries;          /* used up since the last fact */
        int64_t at_ms;      /* when somebody must look; TARGET_NOT_DUE, TARGET_NEVER */
        char dead[REASON_SIZE]; /* why it was given up; "": it was not */
        char *log; /* owned: JSON array of the last calls, as called_write() makes them; NULL: none */
        /* of PARTY_COURIER */
        struct id firm; /* the integration that is called; zero: none was chosen yet */
        int calls;      /* how many times one was called for this order, the present one included */
};

/* A call of a dialect's table. */
struct step {
        int number;       /* rank x 10, and unique in the table */
        const char *name; /* docs/api.md 4: accept, ready, on-the-way … */
        const char *path; /* for dialect_url() */
};

enum next_kind { NEXT_NOTHING, NEXT_CHECK, NEXT_CALL, NEXT_WAIT };
struct next {
        enum next_kind kind;
        const struct step *step; /* CALL and WAIT: which; CHECK: the one in doubt, or NULL */
        int64_t until_ms;        /* WAIT: not before */
};

/* What is to be done for a target that is looked at now. `dead` and `at_ms` are not asked: a caller who is not the
 * holder of a claim uses target_state(). CHECK comes before anything else where the target is unsure, something is
 * wanted and the dialect can check. WAIT where the dialect's platform wants `step_wait_ms` between two steps. Pure. */
struct next target_next(const struct order *order, enum party party, const struct dialect *dialect,
                        int64_t step_wait_ms, int64_t now_ms);

/* What an answer means. A check that does not show the order is DONE, but not definite: the doubt stays. */
#define VERDICT_TABLE(X)                                                                              \
        X(DONE, "done")       /* the other side is there, or beyond */                                \
        X(RETRY, "retry")     /* uses a try */                                                        \
        X(WAIT, "wait")       /* too early by its rules, or the lane is held back: uses no try */     \
        X(LOGIN, "login")     /* the token is not taken: once more with a new one, in the same try */ \
        X(GIVE_UP, "give-up") /* no repeat can help */                                                \
        X(NOTHING, "nothing") /* there was nothing to call, or, with `wait_ms`, not yet */
#define VERDICT_ENUM(name, word) VERDICT_##name,
enum verdict { VERDICT_TABLE(VERDICT_ENUM) VERDICT_COUNT };
#undef VERDICT_ENUM
const char *verdict_word(enum verdict verdict);

struct judgement {
        enum verdict verdict;
        bool definite; /* we know whether the other side acted: an answer, or certainly never sent */
        int told;      /* what it is known to have reached, from a check too; 0: nothing learnt */
        int64_t wait_ms; /* WAIT: how long from now; 0: as it was due; WAIT_A_STEP. NOTHING: the same, 0: nothing later */
        int http;                 /* the answer's status; 0: none */
        char reason[REASON_SIZE]; /* a short word or two for people and for `dead`; never foreign text */
};

/* When failed calls are repeated. */
struct retry {
        const int64_t *delays_ms; /* after the first try, the second, … */
        int n;
        double jitter;        /* 0 to 1, drawn for this settlement; up to 20 % is added */
        int64_t step_wait_ms; /* as in target_next() */
};

enum settle_kind {
        SETTLE_DONE, /* nothing more now */
        SETTLE_MORE, /* the next call starts at once, under the same lease */
        SETTLE_RETRY,
        SETTLE_WAIT,
        SETTLE_DEAD
};

/* The change to write. A store raises `told` whatever happened meanwhile; the rest only while `want` is what it was at
 * the claim (docs/design.md 5). */
struct settlement {
        enum settle_kind kind;
        int told;           /* raise to at least this */
        int64_t told_at_ms; /* 0: leave */
        int64_t at_ms;      /* TARGET_NOT_DUE: nothing owed any more */
        int tries;
        bool unsure;
        char dead[REASON_SIZE];
};

/* What the judgement of `step` (NULL: of a check, or NOTHING) changes. Pure: `order->targets[party]` is as claimed, with
 * what earlier settlements of this claim changed. A WAIT later than an hour after the fact counts as a try. */
struct settlement target_settle(const struct order *order, enum party party, const struct dialect *dialect,
                                const struct step *step, const struct judgement *judgement,
                                const struct retry *retry, int64_t now_ms);

/* Writes the settlement into the in-memory target, as a store would into its row. */
void target_apply(struct target *target, const struct settlement *settlement);

/* How a delivery is shown; computed, never stored (docs/api.md 4). */
#define DELIVERY_TABLE(X)     \
        X(PENDING, "pending") \
        X(DONE, "done")       \
        X(FAILED, "failed")   \
        X(SKIPPED, "skipped")
#define DELIVERY_ENUM(name, word) DELIVERY_##name,
enum delivery { DELIVERY_TABLE(DELIVERY_ENUM) DELIVERY_COUNT };
#undef DELIVERY_ENUM
const char *delivery_word(enum delivery delivery);
bool delivery_find(const char *word, enum delivery *ret);

/* False where the order has no such party, or no firm was called yet (then *ret is untouched). A firm's delivery is done once
 * it was told, whatever the order has become since. ret_step: the next one, or the last done, or
 * NULL. Pure. */
bool target_state(const struct order *order, enum party party, int64_t now_ms, enum delivery *ret,
                  const struct step **ret_step);

#define CALLED_KEPT 20 /* rows of the log; docs/api.md 4 */

/* One row of the log as a JSON object; the caller frees; NULL without memory. `step` NULL: `check`. */
char *called_write(const struct step *step, const struct judgement *judgement, int64_t at_ms) MUST_USE;
