/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h - one party's language as pure functions: which calls there are, how one is written, what an answer means.
 *
 * A dialect knows nothing of tries, leases, lanes or clocks. A platform without one (phone) is told nothing. */
#pragma once

#include "model/json.h"
#include "model/message.h"
#include "model/order.h"

#define CREDENTIALS_MAX 5
#define TOKEN_SIZE 2048 /* of a login; a JWT fits */

/* A restaurant's account on a platform, opened for one call. All borrowed. */
struct account {
        const char *url;                     /* of the platform, without a slash at the end */
        const char *values[CREDENTIALS_MAX]; /* in the order of the dialect's `credentials` */
        const char *token;                   /* of the login; NULL where the platform has none */
};

struct dialect {
        enum platform platform;
        const char *const *credentials; /* names of the credential fields, ended by NULL */
        const struct step *steps;       /* by number, ended by number 0 */
        const char *other_reason;       /* the cancel reason "other"; NULL: one must be given */

        /* Whether the platform can be called about this order at all: the form of platformOrderId and of platformRef.
         * Errors: BAD_FIELD. NULL: any will do. */
        enum err (*accepts)(const char *platform_order_id, const struct view *ref, struct why *why);

        /* The request that renews the token; NULL where there is no login. Errors: NO_MEMORY, BAD_FIELD (a credential
         * that cannot be sent). Ownership: the message is the caller's also after an error. */
        enum err (*login)(const struct account *account, struct message *ret, struct why *why);
        /* DONE fills token and life; RETRY; GIVE_UP: the credentials are wrong. Only for answers. */
        void (*judge_login)(const struct answer *answer, struct judgement *ret, char token[TOKEN_SIZE],
                            int64_t *ret_life_ms);

        /* The request of a step. Errors as login's. */
        enum err (*build)(const struct order *order, const struct step *step, const struct account *account,
                          struct message *ret, struct why *why);
        /* What the answer to it means; `unsure`: the step may have got through before. Only for answers below 500 that
         * are not 429: dialect_judge() has dealt with the rest. */
        void (*judge)(const struct order *order, const struct step *step, bool unsure,
                      const struct answer *answer, struct judgement *ret);

        /* The read that tells how far the platform is; NULL where it has none. */
        enum err (*check)(const struct order *order, const struct account *account, struct message *ret,
                          struct why *why);
        /* DONE: `told` says how far (0 too); GIVE_UP: it ended otherwise than we want. */
        void (*judge_check)(const struct order *order, const struct answer *answer, struct judgement *ret);
};

extern const struct dialect dialect_dukkango;
extern const struct dialect dialect_trendyolyemek;

/* The platform's dialect, or NULL. */
const struct dialect *dialect_of(enum platform platform);

/* Whom `party` of this order speaks as, or NULL where it has nobody to tell. */
const struct dialect *dialect_for(const struct order *order, enum party party);

/* The step with this number, or NULL. */
const struct step *dialect_step(const struct dialect *dialect, int number);

/* Fills a judgement: definite, until the caller says otherwise; reason is copied, cut where it is too long; http and
 * told stay. */
void judge(struct judgement *ret, enum verdict verdict, const char *reason);

/* The whole judgement of an answer to a step: what is the same for all (no answer, 429, 5xx, Retry-After) here, the
 * rest by the dialect. */
void dialect_judge(const struct dialect *dialect, const struct order *order, const struct step *step,
                   bool unsure, const struct answer *answer, struct judgement *ret);
/* Likewise of a check and of a login; a login's is always definite: the step itself was not sent. */
void dialect_judge_check(const struct dialect *dialect, const struct order *order,
                         const struct answer *answer, struct judgement *ret);
void dialect_judge_login(const struct dialect *dialect, const struct answer *answer, struct judgement *ret,
                         char token[TOKEN_SIZE], int64_t *ret_life_ms);

/* --- what dialects are made of --- */

/* The answer's JSON object; NULL where it is none. The caller puts it. */
struct json_object *dialect_document(const struct answer *answer) MUST_USE;

/* Sets the body and its Content-Type; `body` is borrowed. Errors: NO_MEMORY. */
enum err dialect_body(struct message *m, struct json_object *body, struct why *why) MUST_USE;

/* The reason of the order's cancel, or the dialect's "other", as one of `known` (ended by 0). Errors: BAD_FIELD
 * `reasonId`. */
enum err dialect_reason(const struct dialect *dialect, const struct order *order, const int *known, int *ret,
                        struct why *why) MUST_USE;
