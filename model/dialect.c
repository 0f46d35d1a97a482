/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - the list of dialects, and what all of them have in common. */
#include "model/dialect.h"

#include "model/clean.h"

#include <stdio.h>
#include <string.h>

static const struct dialect *const dialects[PLATFORM_COUNT] = {
        [PLATFORM_DUKKANGO] = &dialect_dukkango,
        [PLATFORM_TRENDYOLYEMEK] = &dialect_trendyolyemek,
};

const struct dialect *dialect_of(enum platform platform)
{
        return dialects[platform];
}

const struct dialect *dialect_for(const struct order *order, enum party party)
{
        return party == PARTY_PLATFORM ? dialect_of(order->platform) : NULL;
}

const struct step *dialect_step(const struct dialect *dialect, int number)
{
        for (const struct step *s = dialect->steps; s->number; s++)
                if (s->number == number)
                        return s;
        return NULL;
}

void judge(struct judgement *ret, enum verdict verdict, const char *reason)
{
        ret->verdict = verdict;
        ret->definite = true;
        ret->wait_ms = 0;
        snprintf(ret->reason, sizeof ret->reason, "%s", reason);
}

/* What means the same from everybody; false where the dialect must look itself. */
static bool judge_alike(const struct answer *answer, struct judgement *ret)
{
        *ret = (struct judgement){.http = answer->http};
        if (answer->carried != CARRIED_ANSWERED) {
                judge(ret, VERDICT_RETRY, answer->trouble[0] ? answer->trouble : "no_answer");
                ret->definite = answer->carried == CARRIED_NEVER;
                return true;
        }
        if (answer->http == 429) {
                judge(ret, VERDICT_WAIT, "too_many_requests");
                return true;
        }
        if (answer->http >= 500) {
                /* "Retry-After: 0" names no time to wait for: without using tries it would be asked without end. */
                bool told_when = answer->http == 503 && answer->retry_after_ms > 0;

                judge(ret, told_when ? VERDICT_WAIT : VERDICT_RETRY, "server_error");
                ret->definite = false;
                return true;
        }
        return false;
}

void dialect_judge(const struct dialect *dialect, const struct order *order, const struct step *step,
                   bool unsure, const struct answer *answer, struct judgement *ret)
{
        if (!judge_alike(answer, ret))
                dialect->judge(order, step, unsure, answer, ret);
}

void dialect_judge_check(const struct dialect *dialect, const struct order *order,
                         const struct answer *answer, struct judgement *ret)
{
        if (!judge_alike(answer, ret))
                dialect->judge_check(order, answer, ret);
}

void dialect_judge_login(const struct dialect *dialect, const struct answer *answer, struct judgement *ret,
                         char token[TOKEN_SIZE], int64_t *ret_life_ms)
{
        if (!judge_alike(answer, ret))
                dialect->judge_login(answer, ret, token, ret_life_ms);
        ret->definite = true; /* whatever became of the login: the step itself has not been sent */
}

struct json_object *dialect_document(const struct answer *answer)
{
        struct json_object *document = NULL;

        /* Without memory it is not understood either: both are asked again. */
        return json_read(answer->body, answer->length, &document, NULL) ? NULL : document;
}

enum err dialect_body(struct message *m, struct json_object *body, struct why *why)
{
        m->body = json_text(body);
        if (!m->body)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return message_header(m, "Content-Type", "application/json", why);
}

enum err dialect_reason(const struct dialect *dialect, const struct order *order, const int *known, int *ret,
                        struct why *why)
{
        const struct move *cancel = order_find_move(order, STATUS_CANCELLED);
        const char *given = cancel && cancel->reason[0] ? cancel->reason : dialect->other_reason;

        for (; *known; known++) {
                char word[12];

                snprintf(word, sizeof word, "%d", *known);
                if (!streq(word, given))
                        continue;
                *ret = *known;
                return ERR_OK;
        }
        return FAIL_FIELD(why, "reasonId", "none of the platform's reasons");
}
