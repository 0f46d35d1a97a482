/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - which call an order owes now, and what its answer changes.
 *
 * Both are functions of what is remembered, and nothing else: whoever claims a target after a crash comes to the same
 * call as the one who died would have. */
#include "model/target.h"

#include "model/clean.h"
#include "model/dialect.h"
#include "model/json.h"
#include "model/order.h"
#include "model/text.h"

#include <assert.h>
#include <stdio.h>
#include <sys/param.h>

#define JITTER_SHARE 0.2                       /* of a delay; docs/design.md 5 */
#define WAIT_FREE_MS (INT64_C(60) * 60 * 1000) /* after a fact, a wait uses no try for so long */

/* ---- words ---- */

static const char *const parties[PARTY_COUNT] = {[PARTY_PLATFORM] = "platform", [PARTY_COURIER] = "courier"};

#define VERDICT_WORD(name, word) word,
static const char *const verdicts[VERDICT_COUNT] = {VERDICT_TABLE(VERDICT_WORD)};
#undef VERDICT_WORD

#define DELIVERY_WORD(name, word) word,
static const char *const deliveries[DELIVERY_COUNT] = {DELIVERY_TABLE(DELIVERY_WORD)};
#undef DELIVERY_WORD

const char *party_word(enum party party)
{
        return parties[party];
}

const char *verdict_word(enum verdict verdict)
{
        return verdicts[verdict];
}

const char *delivery_word(enum delivery delivery)
{
        return deliveries[delivery];
}

bool delivery_find(const char *word, enum delivery *ret)
{
        const int i = word_find(word, deliveries, DELIVERY_COUNT);

        if (i >= 0)
                *ret = (enum delivery)i;
        return i >= 0;
}

/* ---- what is owed ---- */

/* Where the platform's own courier delivers, it reports ranks 4 and 5 itself, and what the restaurant did not do is not
 * filled in: only what stands in the history is told. */
static bool may_ask(const struct order *order, enum party party, const struct dialect *dialect,
                    const struct step *step)
{
        const enum status rank = (enum status)((step->number + STEP_OF(1) - 1) / STEP_OF(1));

        if (dialect->asks && !dialect->asks(order, step))
                return false;
        if (party != PARTY_PLATFORM || !order->platform_courier)
                return true;
        return rank != STATUS_ON_THE_WAY && rank != STATUS_DELIVERED && order_find_move(order, rank);
}

/* The lowest step between `told` and `want`, or NULL. A cancelled order owes its cancel and nothing before it. */
static const struct step *owed_step(const struct order *order, enum party party,
                                    const struct dialect *dialect)
{
        const struct target *t = &order->targets[party];
        int above = t->told;

        if (t->want == STEP_OF(STATUS_CANCELLED) && above < t->want)
                above = t->want - 1;
        for (const struct step *s = dialect->steps; s->number; s++)
                if (s->number > above && s->number <= t->want && may_ask(order, party, dialect, s))
                        return s;
        return NULL;
}

/* The highest step that `told` covers, whoever told it; or NULL. What a firm is asked depends on how far the order is, and
 * what it was asked stays so. */
static const struct step *last_step(const struct order *order, enum party party,
                                    const struct dialect *dialect)
{
        const struct step *last = NULL;

        for (const struct step *s = dialect->steps; s->number && s->number <= order->targets[party].told; s++)
                if (party == PARTY_COURIER || !dialect->asks || dialect->asks(order, s))
                        last = s;
        return last;
}

/* Before when the step is not taken; 0: it is now. */
static int64_t too_early(const struct order *order, const struct dialect *dialect, const struct step *step,
                         int64_t step_wait_ms, int64_t now_ms)
{
        int64_t since_ms = step_wait_ms && dialect->waits_since ? dialect->waits_since(order, step) : 0;
        const int64_t fixed_ms = dialect->not_before ? dialect->not_before(order, step) : 0;
        int64_t until_ms;

        /* In the time to come, so before the clock was set back: and before a fact that came after that. */
        if (since_ms > now_ms + step_wait_ms)
                since_ms = order_last_move(order)->at_ms;
        if (since_ms > now_ms + step_wait_ms)
                since_ms = 0;
        until_ms = MAX(fixed_ms, since_ms > 0 ? since_ms + step_wait_ms : 0);
        return until_ms > now_ms ? until_ms : 0;
}

/* model: next */
struct next target_next(const struct order *order, enum party party, const struct dialect *dialect,
                        int64_t step_wait_ms, int64_t now_ms)
{
        const struct target *t = &order->targets[party];
        struct next next = {.kind = NEXT_NOTHING};

        if (!dialect)
                return next;
        next.step = owed_step(order, party, dialect);
        if (t->unsure && !t->looked && t->told < t->want && dialect->check) /* model: a look */
                next.kind = NEXT_CHECK;
        else if (next.step)
                next.until_ms = too_early(order, dialect, next.step, step_wait_ms, now_ms);
        if (next.step && next.kind == NEXT_NOTHING)
                next.kind = next.until_ms ? NEXT_WAIT : NEXT_CALL;
        return next;
}

/* ---- what an answer changes ---- */

static void settle_done(const struct order *order, enum party party, const struct dialect *dialect,
                        const struct step *step, int64_t step_wait_ms, int64_t now_ms, struct settlement *s)
{
        struct order after = *order;
        struct target *t = &after.targets[party];
        struct next next;

        if (step)
                s->told = MAX(s->told, step->number);
        /* What a check finds was done at the latest now, and a platform's wait counts from then. */
        if (step || s->told > t->told)
                s->told_at_ms = now_ms;
        t->unsure = t->looked = s->unsure;
        /* A check that learns nothing new is no success: else check and failing call would take turns for ever. */
        if (step || s->told > t->told)
                s->tries = 0;
        t->told = s->told;
        if (s->told_at_ms)
                t->told_at_ms = s->told_at_ms;
        next = target_next(&after, party, dialect, step_wait_ms, now_ms);
        s->kind = next.kind == NEXT_CALL || next.kind == NEXT_CHECK ? SETTLE_MORE : SETTLE_DONE;
        if (next.kind == NEXT_WAIT)
                s->at_ms = next.until_ms;
        if (next.kind == NEXT_NOTHING) {
                s->at_ms = TARGET_NOT_DUE;
                s->tries = 0;
        }
}

static void settle_dead(const struct judgement *judgement, struct settlement *s)
{
        const char *reason = judgement->reason[0] ? judgement->reason : verdict_word(judgement->verdict);

        s->kind = SETTLE_DEAD;
        s->at_ms = TARGET_NOT_DUE;
        snprintf(s->dead, sizeof s->dead, "%s", reason);
}

/* model: judge */
struct settlement target_settle(const struct order *order, enum party party, const struct dialect *dialect,
                                const struct step *step, const struct judgement *judgement,
                                const struct retry *retry, int64_t now_ms)
{
        const struct target *t = &order->targets[party];
        /* Being refused, put off or never sent says nothing of the call before, so only success ends a doubt (model:
         * lasting doubt). */
        struct settlement s = {.told = MAX(t->told, judgement->told),
                               .at_ms = t->at_ms,
                               .tries = t->tries,
                               .unsure = t->unsure || !judgement->definite};
        bool late = now_ms > order_last_move(order)->at_ms + WAIT_FREE_MS;

        assert(judgement->verdict != VERDICT_LOGIN);
        if (judgement->verdict == VERDICT_DONE) {
                s.unsure = t->unsure && !step && !judgement->definite;
                settle_done(order, party, dialect, step, retry->step_wait_ms, now_ms, &s);
        } else if (judgement->verdict == VERDICT_NOTHING) {
                s.kind = judgement->wait_ms ? SETTLE_WAIT : SETTLE_DONE;
                s.at_ms = judgement->wait_ms ? now_ms + judgement->wait_ms : TARGET_NOT_DUE;
                s.unsure = t->unsure; /* a dispatch that may have got through may have to be cancelled yet */
                s.tries = judgement->wait_ms ? t->tries : 0;
        } else if (judgement->verdict == VERDICT_WAIT && !late) {
                s.kind = SETTLE_WAIT;
                if (judgement->wait_ms)
                        s.at_ms = now_ms + (judgement->wait_ms == WAIT_A_STEP ? retry->step_wait_ms
                                                                              : judgement->wait_ms);
        } else if (judgement->verdict == VERDICT_GIVE_UP || s.tries >= retry->n) {
                settle_dead(judgement, &s);
        } else {
                const int64_t delay_ms = retry->delays_ms[s.tries++];

                s.kind = SETTLE_RETRY;
                s.at_ms = now_ms + delay_ms + (int64_t)((double)delay_ms * JITTER_SHARE * retry->jitter);
        }
        return s;
}

void target_apply(struct target *target, const struct settlement *settlement)
{
        target->told = MAX(target->told, settlement->told);
        if (settlement->told_at_ms)
                target->told_at_ms = settlement->told_at_ms;
        target->at_ms = settlement->at_ms;
        target->tries = settlement->tries;
        target->unsure = settlement->unsure;
        target->looked = settlement->kind == SETTLE_MORE && settlement->unsure;
        snprintf(target->dead, sizeof target->dead, "%s", settlement->dead);
}

/* ---- how it is shown ---- */

bool target_state(const struct order *order, enum party party, int64_t now_ms, enum delivery *ret,
                  const struct step **ret_step)
{
        const struct target *t = &order->targets[party];
        const struct dialect *dialect = dialect_for(order, party);
        const struct step *present = dialect ? dialect_step(dialect, STEP_OF((int)order->status)) : NULL;
        struct next next;

        if (!dialect || (party == PARTY_COURIER && id_is_zero(&t->firm)))
                return false;
        next = target_next(order, party, dialect, 0, now_ms);
        if (t->dead[0])
                *ret = DELIVERY_FAILED;
        else if (t->at_ms > TARGET_NEVER && next.kind != NEXT_NOTHING)
                *ret = DELIVERY_PENDING;
        else if (party == PARTY_COURIER ? t->told > 0 : present && may_ask(order, party, dialect, present))
                *ret = DELIVERY_DONE;
        else
                *ret = DELIVERY_SKIPPED;
        *ret_step = next.step && *ret != DELIVERY_DONE ? next.step : last_step(order, party, dialect);
        return true;
}

char *called_write(const struct step *step, const struct judgement *judgement, int64_t at_ms)
{
        CLEAN(json_put_at) struct json_object *row = json_object_new_object();
        const char *reason = judgement->reason[0] ? judgement->reason : NULL;
        int http = judgement->http;
        bool fine = row && json_add_text(row, "step", step ? step->name : "check") &&
                    json_add_time(row, "at", at_ms) &&
                    (http ? json_add_int(row, "httpStatus", http) : json_add(row, "httpStatus", NULL)) &&
                    json_add_text(row, "result", verdict_word(judgement->verdict)) &&
                    json_add_text(row, "reason", reason);

        return fine ? json_text(row) : NULL;
}
