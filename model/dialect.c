/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - the list of dialects, and what all of them have in common. */
#include "model/dialect.h"

#include "model/clean.h"
#include "model/crypto.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dialect *const dialects[PLATFORM_COUNT] = {
        [PLATFORM_DUKKANGO] = &dialect_dukkango,       [PLATFORM_GETIRYEMEK] = &dialect_getiryemek,
        [PLATFORM_MIGROSYEMEK] = &dialect_migrosyemek, [PLATFORM_TRENDYOLYEMEK] = &dialect_trendyolyemek,
        [PLATFORM_YEMEKSEPETI] = &dialect_yemeksepeti,
};

const struct dialect *dialect_of(enum platform platform)
{
        return dialects[platform];
}

const struct dialect *dialect_for(const struct order *order, enum party party)
{
        return party == PARTY_PLATFORM ? dialect_of(order->platform) : &dialect_courier;
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

void judge_unbuilt(struct judgement *ret, enum err e, const struct why *why)
{
        char reason[sizeof why->field + sizeof "cannot be sent: "];

        snprintf(reason, sizeof reason, "cannot be sent: %s", why->field);
        if (e == ERR_BAD_FIELD)
                judge(ret, VERDICT_GIVE_UP, reason);
        else
                judge(ret, VERDICT_RETRY, "no_memory");
}

static const struct meaning *find_meaning(const struct meaning *table, int http)
{
        for (const struct meaning *m = table; m && m->http; m++)
                if (m->http == http)
                        return m;
        return NULL;
}

/* What the status alone means; true where that is all, whatever the dialect. */
static bool judge_status(const struct dialect *dialect, const struct answer *answer, struct judgement *ret)
{
        static const struct meaning usual[] = {{200, VERDICT_DONE, "", false},
                                               {401, VERDICT_GIVE_UP, "login_failed", false},
                                               {403, VERDICT_GIVE_UP, "forbidden", false},
                                               {404, VERDICT_GIVE_UP, "not_found", false},
                                               {0, VERDICT_COUNT, NULL, false}};
        const struct meaning *m = find_meaning(dialect->meanings, answer->http);

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
        if (!m)
                m = find_meaning(usual, answer->http);
        judge(ret, m ? m->verdict : VERDICT_RETRY, m ? m->reason : "unexpected_answer");
        ret->definite = m ? !m->is_open : answer->http >= 300;
        if (answer->http == 401 && dialect->login)
                judge(ret, VERDICT_LOGIN, "token_refused");
        return false;
}

void dialect_judge(const struct dialect *dialect, const struct order *order, const struct step *step,
                   bool unsure, const struct answer *answer, struct judgement *ret)
{
        if (!judge_status(dialect, answer, ret) && dialect->judge)
                dialect->judge(order, step, unsure, answer, ret);
}

void dialect_judge_check(const struct dialect *dialect, const struct order *order,
                         const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view v;

        if (judge_status(dialect, answer, ret) || answer->http != 200)
                return;
        document = dialect_document(answer);
        v = view_of(document);
        judge(ret, VERDICT_RETRY, "unexpected_answer");
        dialect->judge_check(order, &v, ret);
}

void dialect_judge_login(const struct dialect *dialect, const struct answer *answer, struct judgement *ret,
                         char token[TOKEN_SIZE], int64_t *ret_life_ms)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view v;

        if (!judge_status(dialect, answer, ret)) {
                document = answer->http == 200 ? dialect_document(answer) : NULL;
                v = view_of(document);
                judge(ret, VERDICT_RETRY, "unexpected_answer");
                if (answer->http >= 400 && answer->http <= 404)
                        judge(ret, VERDICT_GIVE_UP, "login_failed");
                else if (document)
                        dialect->judge_login(&v, ret, token, ret_life_ms);
        }
        ret->definite = true;
}

void dialect_judge_question(const struct dialect *dialect, const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = NULL;

        if (judge_status(dialect, answer, ret) || answer->http != 200)
                return;
        document = dialect_document(answer);
        /* Migros's word, and Dükkango's. */
        if (document &&
            !(json_get_bool(document, "success", true) && json_get_bool(document, "status", true)))
                judge(ret, VERDICT_RETRY, "refused");
}

enum err dialect_ref(const struct order *order, struct json_object **ret_document, struct view *ret,
                     struct why *why)
{
        enum err e = json_read(order->document, strlen(order->document), ret_document, why);
        struct view whole;

        *ret = (struct view){0};
        if (e)
                return e;
        whole = view_of(*ret_document);
        return view_opt_object(&whole, "platformRef", ret, why);
}

void dialect_take_token(const struct view *from, const char *key, int64_t life_ms, struct judgement *ret,
                        char token[TOKEN_SIZE], int64_t *ret_life_ms)
{
        const char *text = NULL;

        if (view_need_text(from, key, 1, TOKEN_SIZE - 1, &text, NULL) ||
            !text_is_printable(text, 1, TOKEN_SIZE - 1))
                return;
        snprintf(token, TOKEN_SIZE, "%s", text);
        *ret_life_ms = life_ms;
        judge(ret, VERDICT_DONE, "");
}

struct json_object *dialect_document(const struct answer *answer)
{
        struct json_object *document = NULL;

        /* Without memory it is not understood either: both are asked again. */
        return json_read_foreign(answer->body, answer->length, &document, NULL) ? NULL : document;
}

#define ESCAPED_SIZE 3 /* %2F */

/* Percent-encodes all but RFC 3986's unreserved; where it ends. */
static char *write_segment(const char *text, char *to)
{
        for (; *text; text++)
                if (isalnum((unsigned char)*text) || strchr("-._~", *text))
                        *to++ = *text;
                else
                        to += snprintf(to, ESCAPED_SIZE + 1, "%%%02X", (unsigned)(unsigned char)*text);
        return to;
}

/* `head`, then `pattern` with its gaps filled; NULL without memory. */
static char *fill(const char *head, const char *pattern, va_list segments)
{
        size_t size = strlen(head) + strlen(pattern) + 1;
        va_list measured;
        char *text, *to;

        va_copy(measured, segments);
        for (const char *gap = pattern; (gap = strchr(gap, '*')); gap++)
                size += ESCAPED_SIZE * strlen(va_arg(measured, const char *));
        va_end(measured);
        text = malloc(size);
        if (!text)
                return NULL;
        to = stpcpy(text, head);
        for (; *pattern; pattern++)
                if (*pattern == '*')
                        to = write_segment(va_arg(segments, const char *), to);
                else
                        *to++ = *pattern;
        *to = '\0';
        return text;
}

enum err dialect_url(struct message *m, const char *method, const struct account *account, struct why *why,
                     const char *path, ...)
{
        va_list segments;

        va_start(segments, path);
        m->url = fill(account->url, path, segments);
        va_end(segments);
        m->method = method;
        return m->url ? ERR_OK : FAIL(why, ERR_NO_MEMORY, "no memory for a URL");
}

enum err dialect_form(struct message *m, struct why *why, const char *form, ...)
{
        va_list values;

        va_start(values, form);
        m->body = fill("", form, values);
        va_end(values);
        if (!m->body)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a form");
        return message_header(m, "Content-Type", "application/x-www-form-urlencoded", why);
}

enum err dialect_body(struct message *m, struct json_object *body, struct why *why)
{
        m->body = json_text(body);
        if (!m->body)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return message_header(m, "Content-Type", "application/json", why);
}

void dialect_stands(const struct order *order, enum status rank, struct judgement *ret)
{
        bool cancelled = rank == STATUS_CANCELLED;
        bool wanted = order->targets[PARTY_PLATFORM].want == STEP_OF(STATUS_CANCELLED);

        if (status_is_final(rank) && cancelled != wanted) {
                judge(ret, VERDICT_GIVE_UP, cancelled ? "cancelled_by_platform" : "already_delivered");
                return;
        }
        judge(ret, VERDICT_DONE, "");
        ret->told = STEP_OF((int)rank);
}
