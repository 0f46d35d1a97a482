/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c - what parties say to calls. The first line is `<what> <status> <doubt>`: the number of a step, 0 for a check, -1
 * for a login, -2 for cancel reasons, -3 for another question; the answer's status; 1 in doubt. The rest is its body. */
#include "tests/fuzz/fuzz.h"

#include "model/clean.h"
#include "model/dialect.h"
#include "model/poll.h"

#include <stdio.h>

static struct judgement judge_one(const struct dialect *dialect, const struct order *order, int what,
                                  bool unsure, const struct answer *answer)
{
        const struct step *step = dialect_step(dialect, what);
        struct judgement j = {.verdict = VERDICT_RETRY, .definite = true};
        char token[TOKEN_SIZE] = "";
        int64_t life_ms = 0;

        if (what == 0 && dialect->check) {
                dialect_judge_check(dialect, order, answer, &j);
        } else if (what == -1 && dialect->login) {
                dialect_judge_login(dialect, answer, &j, token, &life_ms);
                assert((j.verdict == VERDICT_DONE) == (life_ms > 0 && token[0]));
        } else if (what == -2 && dialect->ask_reasons) {
                json_object_put(reasons_read(dialect, answer));
        } else if (what == -3) {
                dialect_judge_question(dialect, answer, &j);
        } else {
                dialect_judge(dialect, order, step ? step : dialect->steps, unsure, answer, &j);
        }
        return j;
}

/* What is written down about it is sound, whatever it was. */
static void settle(const struct order *order, enum party party, const struct dialect *dialect, int what,
                   const struct judgement *j)
{
        static const int64_t delays[] = {1000};
        const struct retry retry = {.delays_ms = delays, .n = 1};
        const struct step *step = dialect_step(dialect, what);
        CLEAN(json_put_at) struct json_object *row = NULL;
        CLEAN(free_at) char *text = called_write(step, j, 1);
        struct settlement s;

        assert(j->verdict < VERDICT_COUNT && j->told >= 0 && j->told <= STEP_OF(STATUS_CANCELLED));
        assert(text && json_read(text, strlen(text), &row, NULL) == ERR_OK);
        if (j->verdict == VERDICT_LOGIN)
                return;
        s = target_settle(order, party, dialect, step, j, &retry, 1);
        assert(s.told >= order->targets[party].told);
        assert((s.kind == SETTLE_DEAD) == (s.dead[0] != '\0'));
}

static void answer(const struct dialect *dialect, const uint8_t *bytes, size_t n)
{
        const uint8_t *end = n ? memchr(bytes, '\n', n) : NULL;
        const size_t head = end ? (size_t)(end - bytes) + 1 : n;
        CLEAN(free_at) char *first = fuzz_text(bytes, head), *body = fuzz_text(bytes + head, n - head);
        char id[] = "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e", document[] = "{\"platformRef\":{\"storeId\":7}}";
        struct order order = {.platform = dialect->platform,
                              .platform_order_id = id,
                              .document = document,
                              .status = STATUS_DELIVERED,
                              .moves = {{.to = STATUS_DELIVERED}},
                              .n_moves = 1};
        const enum party party = dialect == &dialect_courier ? PARTY_COURIER : PARTY_PLATFORM;
        struct answer said = {
                .http = 200, .retry_after_ms = -1, .body = body, .length = n - head, .trouble = ""};
        int what = 0, doubt = 0;
        struct judgement j;

        if (sscanf(first, "%4d %3d %1d", &what, &said.http, &doubt) >= 2 && said.http < 100)
                said.http = 200;
        order.targets[party].want = STEP_OF(STATUS_DELIVERED);
        order.targets[party].unsure = doubt;
        j = judge_one(dialect, &order, what, doubt, &said);
        settle(&order, party, dialect, what, &j);
}

#define FUZZ_ANSWER(name, dialect)                              \
        void fuzz_answer_##name(const uint8_t *bytes, size_t n) \
        {                                                       \
                answer(&(dialect), bytes, n);                   \
        }
FUZZ_ANSWER(courier, dialect_courier)
FUZZ_ANSWER(dukkango, dialect_dukkango)
FUZZ_ANSWER(getir, dialect_getiryemek)
FUZZ_ANSWER(migros, dialect_migrosyemek)
FUZZ_ANSWER(trendyol, dialect_trendyolyemek)
FUZZ_ANSWER(yemek, dialect_yemeksepeti)

void fuzz_poll_dukkango(const uint8_t *bytes, size_t n)
{
        CLEAN(free_at) char *body = fuzz_text(bytes, n);
        const struct answer said = {
                .http = 200, .retry_after_ms = -1, .body = body, .length = n, .trouble = ""};
        CLEAN(polled_done) struct polled polled = {0};

        if (polls_dukkango.read(&said, &polled, NULL) != ERR_OK)
                return;
        assert(polled.n <= POLLED_MAX);
        for (int i = 0; i < polled.n; i++) {
                assert(polled.orders[i]->platform == PLATFORM_DUKKANGO);
                assert(polled.orders[i]->platform_order_id[0] && polled.orders[i]->document);
        }
}
