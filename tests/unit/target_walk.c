/* SPDX-License-Identifier: Apache-2.0 */
/* target_walk.c - random walks with model/target.c: whatever is lost on the way, the platform hears of everything, in
 * order, and of nothing twice that it was not asked about first. */
#include "model/clean.h"
#include "model/text.h"
#include "tests/unit/story.h"

#define WALKS 3000
#define ROUNDS_MAX 400

/* A platform that keeps its rules and counts who breaks them. */
struct pretend {
        enum status state;
        int broken;   /* calls out of turn */
        int repeated; /* calls of a step that was done, while we were in doubt */
};

/* What becomes of one request. */
enum fate { FINE, LOST_BEFORE, LOST_AFTER, NEVER_SENT, BROKEN, BUSY, DIED, FATE_COUNT };

static unsigned draw(uint64_t *seed, unsigned n)
{
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)(*seed >> 33) % n;
}

/* The state from which a step may be taken. */
static bool may_apply(const struct story *s, enum status from, int number)
{
        bool strict = s->order.platform != PLATFORM_DUKKANGO;

        switch (number) {
        case STEP_OF(STATUS_ACCEPTED): return from == STATUS_NEW;
        case STEP_OF(STATUS_READY): return from == STATUS_ACCEPTED;
        case STEP_OF(STATUS_ON_THE_WAY): return from == (strict ? STATUS_READY : STATUS_ACCEPTED);
        case STEP_OF(STATUS_DELIVERED): return from == STATUS_ON_THE_WAY;
        default: return from < (strict ? STATUS_ON_THE_WAY : STATUS_DELIVERED);
        }
}

/* Only such orders does Migros list, and it has two cancels: an approved order is not rejected. */
static bool is_active(enum status state)
{
        return state >= STATUS_ACCEPTED && state <= STATUS_ON_THE_WAY;
}

/* Takes a step as the platform would. */
static struct answer apply(struct story *s, struct pretend *platform, const struct step *step)
{
        static const char ok[] = "{\"status\":true,\"success\":true}",
                          no[] = "{\"status\":false,\"error\":\"wrong state\",\"success\":false}";
        bool refusable = step->number == STEP_OF(STATUS_CANCELLED);
        bool migros = s->order.platform == PLATFORM_MIGROSYEMEK;
        bool there = STEP_OF((int)platform->state) == step->number;

        if (may_apply(s, platform->state, step->number)) {
                if (migros && refusable)
                        platform->broken += is_active(platform->state) != (s->target->told >= STEP_OF(1));
                platform->state = (enum status)(step->number / STEP_OF(1));
                return (struct answer){.http = 200, .body = ok, .length = sizeof ok - 1};
        }
        if (s->target->unsure && STEP_OF((int)platform->state) >= step->number &&
            !(migros && is_active(platform->state)))
                platform->repeated++;
        else if (!refusable)
                platform->broken++;
        return (struct answer){.http = migros && !there    ? 200
                                       : s->dialect->check ? 409
                                                           : 400,
                               .body = no,
                               .length = sizeof no - 1};
}

static struct answer show(const struct story *s, const struct pretend *platform, char *to, size_t size)
{
        static const int numbers[STATUS_COUNT] = {0, 1, 2, 3, 5, 7, 10};
        static const char *const words[STATUS_COUNT] = {"Created", "Picking",   "?",         "Invoiced",
                                                        "Shipped", "Delivered", "UnSupplied"};
        int n;

        if (s->order.platform == PLATFORM_TRENDYOLYEMEK)
                n = snprintf(to, size, "{\"packageStatus\":\"%s\"}", words[platform->state]);
        else if (is_active(platform->state))
                n = snprintf(to, size, "{\"success\":true,\"data\":[{\"id\":1,\"status\":%d}]}",
                             numbers[platform->state]);
        else
                n = snprintf(to, size, "{\"success\":true,\"data\":[]}");

        return (struct answer){.http = 200, .body = to, .length = (size_t)n};
}

static struct answer serve(struct story *s, struct pretend *platform, const struct next *n, enum fate fate,
                           char *buffer, size_t size)
{
        struct answer answer = {.body = "", .trouble = ""};

        if (fate == FINE || fate == LOST_AFTER || fate == DIED)
                answer =
                        n->kind == NEXT_CHECK ? show(s, platform, buffer, size) : apply(s, platform, n->step);
        answer.trouble = "";
        if (fate == BROKEN || fate == BUSY)
                answer.http = fate == BROKEN ? 500 : 429;
        if (fate == LOST_BEFORE || fate == LOST_AFTER || fate == NEVER_SENT)
                answer = (struct answer){.carried = fate == NEVER_SENT ? CARRIED_NEVER : CARRIED_UNSURE,
                                         .body = "",
                                         .trouble = "timeout"};
        return answer;
}

/* One request and its settlement. A server that dies forgets all but that something was owed. */
static void step_once(struct story *s, struct pretend *platform, enum fate fate)
{
        struct next n = next(s);
        struct judgement j = {.verdict = VERDICT_NOTHING, .definite = true};
        struct settlement change;
        char buffer[64];

        s->now = s->now > s->target->at_ms ? s->now : s->target->at_ms;
        if (n.kind != NEXT_NOTHING) {
                struct answer answer = serve(s, platform, &n, fate, buffer, sizeof buffer);

                if (fate == DIED) {
                        s->target->unsure = true;
                        s->target->looked = false;
                        return;
                }
                if (n.kind == NEXT_CHECK)
                        dialect_judge_check(s->dialect, &s->order, &answer, &j);
                else
                        dialect_judge(s->dialect, &s->order, n.step, s->target->unsure, &answer, &j);
        }
        change = settle(s, n.kind == NEXT_CALL ? n.step : NULL, &j);
        target_apply(s->target, &change);
}

static void walk(enum platform where, uint64_t seed, int *ret_repeated)
{
        struct pretend platform = {.state = STATUS_NEW};
        static char id[] = "1";
        bool refused_cancel;
        struct story s;

        begin(&s, where, STATUS_NEW);
        s.order.platform_order_id = id;
        for (int round = 0; round < ROUNDS_MAX; round++) {
                enum fate fate = draw(&seed, 3) ? FINE : (enum fate)draw(&seed, FATE_COUNT);

                if (!status_is_final(s.order.status) && draw(&seed, 3) == 0)
                        fact(&s, (enum status)(s.order.status + 1 +
                                               (int)draw(&seed, STATUS_COUNT - 1 - s.order.status)));
                else if (s.target->dead[0])
                        replay(&s);
                if (s.target->at_ms != TARGET_NOT_DUE)
                        step_once(&s, &platform, fate);
                assert_int_equal(platform.broken, 0);
                assert_true(s.target->told <= s.target->want);
        }
        for (int round = 0; round < 16 && s.target->at_ms != TARGET_NOT_DUE; round++)
                step_once(&s, &platform, FINE);
        assert_int_equal(s.target->at_ms, TARGET_NOT_DUE);
        assert_true(status_is_final(s.order.status));
        refused_cancel = s.order.status == STATUS_CANCELLED && where != PLATFORM_DUKKANGO &&
                         platform.state == STATUS_ON_THE_WAY;
        assert_int_equal(s.target->dead[0] != '\0', refused_cancel);
        assert_true(refused_cancel || platform.state == s.order.status);
        *ret_repeated += platform.repeated;
}

static void with_a_check_nothing_is_lost_or_out_of_order_or_repeated(void **state)
{
        int repeated = 0;

        (void)state;
        for (uint64_t seed = 1; seed <= WALKS; seed++)
                walk(PLATFORM_TRENDYOLYEMEK, seed, &repeated);
        assert_int_equal(repeated, 0);
}

static void with_a_check_that_shows_some_orders_nothing_is_lost_or_out_of_order(void **state)
{
        int repeated = 0;

        (void)state;
        for (uint64_t seed = 1; seed <= WALKS; seed++)
                walk(PLATFORM_MIGROSYEMEK, seed, &repeated);
        assert_true(repeated > 0); /* of steps that end an order */
}

static void without_a_check_nothing_is_lost_or_out_of_order(void **state)
{
        int repeated = 0;

        (void)state;
        for (uint64_t seed = 1; seed <= WALKS; seed++)
                walk(PLATFORM_DUKKANGO, seed, &repeated);
        assert_true(repeated > 0); /* else the walks did not meet what they are for */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(with_a_check_nothing_is_lost_or_out_of_order_or_repeated),
                cmocka_unit_test(with_a_check_that_shows_some_orders_nothing_is_lost_or_out_of_order),
                cmocka_unit_test(without_a_check_nothing_is_lost_or_out_of_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
