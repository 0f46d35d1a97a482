/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - what a request says: who asks, for what, and the way of its verb to the store and back. */
#include "handlers/caller.h"

#include "server/log.h"
#include "server/throttle.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define LIMIT_DEFAULT 50 /* docs/api.md 1 */

const struct app *caller_app(struct request *r)
{
        return request_app(r);
}

/* ---- to the store and back ---- */

/* What stands before each verb's struct. */
struct asked {
        struct request *request;
        enum verb verb;
        caller_answer *answer;
        void *state;
        _Alignas(max_align_t) char struct_of_verb[];
};

/* The verbs that handlers use: with results that they own, and without. */
/* clang-format off */ /* its versions differ about braces in macros */
#define OWNING(X) \
        X(CREATE, create) X(MOVE, move) X(READ, read) X(LIST, list) X(REPLAY, replay) \
        X(PUT, put) X(GET, get) X(FIND, find) X(EDIT, edit)
#define BARE(X) X(REPLAY_ALL, replay_all) X(DROP, drop) X(CALL, call) X(REWRITE, rewrite) X(ERASE, erase)

#define SUBMIT(NAME, name) \
        static void submit_##name(struct store *store, void *verb) { store_##name(store, verb); }
#define DONE(NAME, name) static void done_##name(void *verb) { store_##name##_done(verb); }
#define OWNING_ROW(NAME, name) [VERB_##NAME] = {sizeof(struct store_##name), submit_##name, done_##name},
#define BARE_ROW(NAME, name) [VERB_##NAME] = {sizeof(struct store_##name), submit_##name, NULL},

OWNING(SUBMIT) BARE(SUBMIT) OWNING(DONE)

static const struct {
        size_t size;
        void (*submit)(struct store *store, void *verb);
        void (*done)(void *verb);
} verbs[] = {OWNING(OWNING_ROW) BARE(BARE_ROW)};
/* clang-format on */

static void done(void *memory)
{
        struct asked *asked = memory;

        if (verbs[asked->verb].done)
                verbs[asked->verb].done(asked->struct_of_verb);
}

/* A wrong key is answered by row 6 (a wrong client's secret by its own), or 429 in its place for an address that tries too many. */
static void fail(struct request *r, enum err e, const struct why *why)
{
        int64_t closed_ms = 0;
        char seconds[24];

        if (err_row(e)->http < 500 && err_starved())
                e = ERR_NO_MEMORY;
        if (e == ERR_NO_INTEGRATION || e == ERR_BAD_CLIENT)
                closed_ms = throttle_wrong(caller_app(r)->throttle, request_address(r), time_boot_ms());
        if (closed_ms > 0) {
                log_limited(LOG_WARN, "keys_throttled", LOG_TEXT("address", request_address(r)),
                            LOG_TEXT("requestId", request_id(r)));
                snprintf(seconds, sizeof seconds, "%" PRId64, (closed_ms + 999) / 1000);
                request_reply_header(r, "Retry-After", seconds);
                e = ERR_TOO_MANY_KEYS;
        }
        request_fail(r, e, why);
}

static bool reads(enum verb verb)
{
        return verb == VERB_READ || verb == VERB_LIST || verb == VERB_GET || verb == VERB_FIND;
}

static void come_back(struct letter *letter)
{
        struct job *job = (struct job *)letter;
        const struct asked *asked = job->arg;
        enum err e = job->err;

        request_release(asked->request);
        err_starved();
        if (!e || e == ERR_NO_INTEGRATION || e == ERR_UNAUTHORIZED)
                request_judge(asked->request, !e);
        if (!e) {
                if (!reads(asked->verb))
                        request_acted(asked->request);
                job->why = (struct why){0};
                e = asked->answer(asked->request, job);
        }
        if (e)
                fail(asked->request, e, &job->why);
}

static struct job *make_job(struct request *r, enum verb verb, caller_answer *answer)
{
        struct asked *asked = request_alloc(r, sizeof *asked + verbs[verb].size, done);
        struct job *job;

        if (!asked)
                return NULL;
        *asked = (struct asked){.request = r, .verb = verb, .answer = answer};
        job = (struct job *)asked->struct_of_verb;
        job->letter.run = come_back;
        job->reply = http_inbox(caller_app(r)->http);
        job->arg = asked;
        return job;
}

/* A credential that is none is given as a key that nobody has: all zeros, the digest of nothing. */
static enum err read_access(struct request *r, enum whose whose, struct access *ret, struct why *why)
{
        const enum credential credential = request_credential(r);

        ret->kind = credential == CREDENTIAL_ADMIN    ? ACCESS_TRUSTED
                    : credential == CREDENTIAL_TOKEN  ? ACCESS_TOKEN
                    : credential == CREDENTIAL_TICKET ? ACCESS_PARTNER
                                                      : ACCESS_KEY;
        if (credential == CREDENTIAL_TICKET)
                ret->restaurant = request_ticket(r)->restaurant;
        if (credential == CREDENTIAL_TOKEN || credential == CREDENTIAL_KEY)
                ret->digest = *request_digest(r);
        return whose == NAMED ? caller_id(r, 0, &ret->restaurant, why) : ERR_OK;
}

void *caller_job(struct request *r, enum verb verb, enum whose whose, caller_answer *answer)
{
        struct job *job = make_job(r, verb, answer);
        enum err e = job ? read_access(r, whose, &job->access, &job->why) : ERR_NO_MEMORY;

        if (!e)
                return job;
        request_fail(r, e, job ? &job->why : NULL);
        return NULL;
}

void caller_end(void *verb, enum err e)
{
        struct job *job = verb;

        if (e)
                fail(((struct asked *)job->arg)->request, e, &job->why);
        else
                caller_submit(job);
}

void caller_ask(struct request *r, enum verb verb, enum whose whose, caller_read *read, caller_answer *answer)
{
        struct job *job = caller_job(r, verb, whose, answer);

        if (job)
                caller_end(job, read(r, job, &job->why));
}

void *caller_next(void *before, enum verb verb, caller_answer *answer)
{
        const struct job *old = before;
        const struct asked *asked = old->arg;
        struct job *job = make_job(asked->request, verb, answer);

        if (!job)
                return NULL;
        job->access = old->access;
        ((struct asked *)job->arg)->state = asked->state;
        return job;
}

enum err caller_submit(void *verb)
{
        const struct asked *asked = ((struct job *)verb)->arg;

        if (request_hold(asked->request))
                verbs[asked->verb].submit(caller_app(asked->request)->store, verb);
        return ERR_OK;
}

void *caller_keep(void *verb, size_t size, void (*done_state)(void *state))
{
        struct asked *asked = ((struct job *)verb)->arg;

        return asked->state = request_alloc(asked->request, size, done_state);
}

void *caller_state(void *verb)
{
        return ((struct asked *)((struct job *)verb)->arg)->state;
}

/* ---- what a request says ---- */

enum err caller_body(struct request *r, struct view *ret, struct why *why)
{
        size_t length;
        const char *body = request_body(r, &length);

        return json_read_foreign(body, length, &ret->object, why);
}

void view_put(struct view *body)
{
        json_put_at(&body->object);
}

enum err caller_id(struct request *r, int i, struct id *ret, struct why *why)
{
        if (!id_read(request_arg(r, i), ret))
                return FAIL(why, ERR_NOT_FOUND, "argument %d is not an id", i);
        return ERR_OK;
}

enum err caller_page(struct request *r, int *ret_limit, char ret_after[CURSOR_SIZE], struct why *why)
{
        const char *limit = request_query(r, "limit"), *after = request_query(r, "after");
        int n = LIMIT_DEFAULT;

        if (limit) {
                n = 0;
                for (const char *c = limit; *c && n <= LIST_MAX; c++)
                        n = *c >= '0' && *c <= '9' ? n * 10 + (*c - '0') : LIST_MAX + 1;
                if (n < 1 || n > LIST_MAX)
                        return FAIL_FIELD(why, "limit", "not 1 to %d", LIST_MAX);
        }
        if (after && (!after[0] || !text_copy(ret_after, CURSOR_SIZE, after)))
                return FAIL_FIELD(why, "after", "no cursor is empty or so long");
        *ret_limit = n;
        return ERR_OK;
}

enum err caller_list(struct request *r, struct store_list *ret, struct why *why)
{
        const char *since = request_query(r, "since");
        enum err e = caller_page(r, &ret->limit, ret->after, why);

        if (!e && since && !time_read(since, &ret->since_ms))
                e = FAIL_FIELD(why, "since", "not a time");
        return e;
}
