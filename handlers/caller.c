/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - what a request says: who asks, for what, and the way of its job to the store and back. */
#include "handlers/caller.h"

#include <string.h>

#define LIMIT_DEFAULT 50 /* docs/api.md 1 */

struct app *caller_app(struct request *r)
{
        return request_app(r);
}

void caller_access(struct request *r, const struct id *restaurant, struct access *ret)
{
        *ret = (struct access){.kind = ACCESS_KEY};
        if (restaurant)
                ret->restaurant = *restaurant;
        switch (request_credential(r)) {
        case CREDENTIAL_ADMIN: ret->kind = ACCESS_TRUSTED; break;
        case CREDENTIAL_TOKEN:
                ret->kind = ACCESS_TOKEN;
                ret->digest = *request_digest(r);
                break;
        case CREDENTIAL_KEY: ret->digest = *request_digest(r); break;
        case CREDENTIAL_NONE:
        case CREDENTIAL_MALFORMED: break; /* All zeros: the digest of nothing that can be found. */
        }
}

void *caller_job(struct request *r, size_t size, void (*done)(void *job), const struct id *restaurant,
                 void (*run)(struct letter *letter))
{
        struct job *job = request_alloc(r, size, done);

        if (!job) {
                request_fail(r, ERR_NO_MEMORY, NULL);
                return NULL;
        }
        caller_access(r, restaurant, &job->access);
        job->letter.run = run;
        job->reply = http_inbox(caller_app(r)->http);
        job->arg = r;
        return job;
}

void *caller_restaurant_job(struct request *r, size_t size, void (*done)(void *job),
                            void (*run)(struct letter *letter))
{
        struct id restaurant;
        struct why why;
        enum err e = caller_id(r, 0, &restaurant, &why);

        if (!e)
                return caller_job(r, size, done, &restaurant, run);
        request_fail(r, e, &why);
        return NULL;
}

void caller_next(struct job *job, const struct job *before, void (*run)(struct letter *letter))
{
        *job = (struct job){
                .letter.run = run, .reply = before->reply, .arg = before->arg, .access = before->access};
}

struct request *caller_back(struct job *job)
{
        struct request *r = job->arg;

        request_release(r);
        if (job->err == ERR_OK)
                return r;
        request_fail(r, job->err, &job->why);
        return NULL;
}

enum err caller_body(struct request *r, struct json_object **ret, struct why *why)
{
        size_t length;
        const char *body = request_body(r, &length);

        return json_read(body, length, ret, why);
}

enum err caller_id(struct request *r, int i, struct id *ret, struct why *why)
{
        if (!id_read(request_arg(r, i), ret))
                return FAIL(why, ERR_NOT_FOUND, "argument %d is not an id", i);
        return ERR_OK;
}

enum err caller_record_id(struct request *r, int i, char ret[RECORD_ID_SIZE], struct why *why)
{
        struct id id;
        enum err e = caller_id(r, i, &id, why);

        if (!e)
                id_write(&id, ret);
        return e;
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
        if (after && (!after[0] || strlen(after) >= CURSOR_SIZE))
                return FAIL_FIELD(why, "after", "no cursor is empty or so long");
        *ret_limit = n;
        text_copy(ret_after, CURSOR_SIZE, after ? after : "");
        return ERR_OK;
}

enum err caller_since(struct request *r, int64_t *ret_ms, struct why *why)
{
        const char *since = request_query(r, "since");

        if (since && !time_read(since, ret_ms))
                return FAIL_FIELD(why, "since", "not a time");
        return ERR_OK;
}
