/* SPDX-License-Identifier: Apache-2.0 */
/* story.h - a delivery's story for the tests of model/target.c: one order, and by hand what a store would do to it. */
#pragma once

#include "model/dialect.h"
#include "model/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define BEGAN (INT64_C(1730816000) * SECOND)

static const int64_t delays[] = {1 * SECOND, 5 * SECOND, 25 * SECOND};

/* One order, its platform's dialect, and what a store would do to them. */
struct story {
        struct order order;
        struct target *target;
        const struct dialect *dialect;
        struct retry retry;
        int64_t now;
        char calls[256]; /* what was asked for so far, with spaces */
};

/* As an order is created: whoever sent it knows its status. */
static inline void begin(struct story *s, enum platform platform, enum status status)
{
        *s = (struct story){.now = BEGAN, .retry = {.delays_ms = delays, .n = 3}};
        s->order.platform = platform;
        s->order.status = status;
        s->order.moves[s->order.n_moves++] = (struct move){.to = status, .at_ms = BEGAN};
        s->target = &s->order.targets[PARTY_PLATFORM];
        s->target->want = s->target->told = STEP_OF((int)status);
        s->target->at_ms = TARGET_NOT_DUE;
        s->dialect = dialect_of(platform);
}

/* What every fact changes. */
static inline void move(struct story *s, enum status to)
{
        s->order.status = to;
        s->order.moves[s->order.n_moves++] = (struct move){.to = to, .at_ms = s->now};
        s->target->want = STEP_OF((int)to);
        s->target->tries = 0;
        s->target->dead[0] = '\0';
}

/* A fact that the platform must hear of. */
static inline void fact(struct story *s, enum status to)
{
        move(s, to);
        if (s->target->at_ms == TARGET_NOT_DUE || s->target->at_ms > s->now)
                s->target->at_ms = s->now;
}

/* A fact that the platform knows already. */
static inline void fact_from_platform(struct story *s, enum status to)
{
        move(s, to);
        s->target->told = s->target->want > s->target->told ? s->target->want : s->target->told;
}

/* A person has it tried anew. */
static inline void replay(struct story *s)
{
        s->target->dead[0] = '\0';
        s->target->tries = 0;
        s->target->at_ms = s->now;
}

/* What the order owes its platform now. */
static inline struct next next(const struct story *s)
{
        return target_next(&s->order, PARTY_PLATFORM, s->dialect, s->retry.step_wait_ms, s->now);
}

/* The same in a word. */
static inline const char *next_name(const struct story *s)
{
        struct next n = next(s);

        return n.kind == NEXT_CALL ? n.step->name : n.kind == NEXT_CHECK ? "check" : "nothing";
}

/* What this judgement would change. */
static inline struct settlement settle(const struct story *s, const struct step *step,
                                       const struct judgement *j)
{
        return target_settle(&s->order, PARTY_PLATFORM, s->dialect, step, j, &s->retry, s->now);
}

/* Does what is next and takes this for its answer. */
static inline enum settle_kind answer(struct story *s, struct judgement j)
{
        struct next n = next(s);
        struct settlement change;
        size_t length = strlen(s->calls);

        assert_true(n.kind == NEXT_CALL || n.kind == NEXT_CHECK);
        snprintf(s->calls + length, sizeof s->calls - length, "%s%s", length ? " " : "", next_name(s));
        change = settle(s, n.kind == NEXT_CALL ? n.step : NULL, &j);
        target_apply(s->target, &change);
        return change.kind;
}

/* Answers. */
static const struct judgement done = {.verdict = VERDICT_DONE, .definite = true, .http = 200};
static const struct judgement refused = {.verdict = VERDICT_RETRY,
                                         .definite = true,
                                         .http = 400,
                                         .reason = "refused"};
static const struct judgement broken = {.verdict = VERDICT_RETRY, .http = 500, .reason = "server_error"};
static const struct judgement lost = {.verdict = VERDICT_RETRY, .reason = "timeout"};
static const struct judgement never_sent = {.verdict = VERDICT_RETRY,
                                            .definite = true,
                                            .reason = "connection_refused"};
static const struct judgement hopeless = {.verdict = VERDICT_GIVE_UP,
                                          .definite = true,
                                          .http = 404,
                                          .reason = "not_found"};
static const struct judgement too_early = {.verdict = VERDICT_WAIT, .definite = true, .http = 429};

/* A check's answer. */
static inline struct judgement found(int told)
{
        return (struct judgement){.verdict = VERDICT_DONE, .definite = true, .http = 200, .told = told};
}

/* Everything is answered with success, in one claim. */
static inline void all_goes_well(struct story *s)
{
        while (answer(s, done) == SETTLE_MORE)
                continue;
        assert_int_equal(s->target->at_ms, TARGET_NOT_DUE);
        assert_string_equal(next_name(s), "nothing");
}

/* How the API shows it. */
static inline void is_shown(const struct story *s, enum delivery state, const char *step)
{
        const struct step *shown = NULL;
        enum delivery got = DELIVERY_COUNT;

        assert_true(target_state(&s->order, PARTY_PLATFORM, s->now, &got, &shown));
        assert_string_equal(delivery_word(got), delivery_word(state));
        assert_string_equal(shown ? shown->name : "none", step);
}
