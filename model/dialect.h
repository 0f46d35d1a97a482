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

struct dispatch;
struct polls;

/* A restaurant's account on a platform, or at a courier firm, opened for one call. All borrowed. */
struct account {
        const char *url; /* of the platform, without a slash at the end; or the firm's dispatchUrl */
        const char *values
                [CREDENTIALS_MAX]; /* in the order of the dialect's `credentials`; NULL once logged in */
        const char *token;         /* of the login; NULL where the platform has none */
        const struct dispatch *dispatch; /* a courier firm's (model/integration.h); NULL: a platform's */
};

/* What a status means to a platform. */
struct meaning {
        int http; /* 0 ends a table */
        enum verdict verdict;
        const char *reason;
        bool is_open; /* it does not tell whether the step was done */
};

/* Why an order is cancelled. */
struct reason {
        const char *id; /* NULL ends a table */
        const char *text;
        bool own_courier; /* for orders that the restaurant's courier delivers */
};

struct dialect {
        enum platform platform;
        const char *const *credentials; /* names of the credential fields, ended by NULL */
        const struct step *steps;       /* by number, ended by number 0 */
        const char *other_reason;       /* the cancel reason "other"; NULL: one must be given */
        const struct reason *
                reasons; /* all there are, or those that stand in for what cannot be asked for just now; NULL:
                                           none are known */

        /* Whether a credential, printable ASCII as it is, can be used at all; NULL: any. */
        bool (*fits)(const char *name, const char *value);

        /* Whether the platform has this step for this order at all; NULL: any step for any order. */
        bool (*asks)(const struct order *order, const struct step *step);
        /* Since when the platform's wait before this step counts, by the store's clock; 0: not before this step. NULL: before
         * none. */
        int64_t (*waits_since)(const struct order *order, const struct step *step);
        /* Before when this step is not called for this order, by the store's clock; 0: any time. NULL: any step. */
        int64_t (*not_before)(const struct order *order, const struct step *step);

        /* Of answers to steps and checks, where it is not the usual; NULL: all is. The usual: 200 DONE, 401 LOGIN where there
         * is one, else GIVE_UP as for 403 and 404, all else RETRY. */
        const struct meaning *meanings;

        /* Whether the platform can be called about this order at all: the form of platformOrderId and of platformRef.
         * Errors: BAD_FIELD. NULL: any will do. */
        enum err (*accepts)(const char *platform_order_id, const struct view *ref, struct why *why);

        const char *
                keeps; /* the member of platformRef that its calls need; all else goes with an erasure; NULL: all */

        const struct polls *polls; /* how it is asked for its orders (model/poll.h); NULL: it is not */

        /* The request that renews the token; NULL where there is no login. Errors: NO_MEMORY, BAD_FIELD (a credential
         * that cannot be sent). Ownership: the message is the caller's also after an error. */
        enum err (*login)(const struct account *account, struct message *ret, struct why *why);
        /* Of a login's 200: DONE fills token and life; *ret is RETRY so far. */
        void (*judge_login)(const struct view *answer, struct judgement *ret, char token[TOKEN_SIZE],
                            int64_t *ret_life_ms);

        /* Where there is no login: a read that harms nothing and shows whether the credentials are taken. */
        enum err (*probe)(const struct account *account, struct message *ret, struct why *why);

        /* The request for the cancel reasons, whose 200 reasons_read() reads; NULL: there is none. Errors as login's. */
        enum err (*ask_reasons)(const struct order *order, const struct account *account, struct message *ret,
                                struct why *why);
        bool reasons_of_order; /* they are the order's own, as it stands now; false: the same for all */

        /* The request of a step. Errors as login's. */
        enum err (*build)(const struct order *order, const struct step *step, const struct account *account,
                          struct message *ret, struct why *why);
        /* Where more than the status tells what the answer means, which stands in *ret; NULL: nowhere. `unsure`: the step
         * may have got through before. Only for answers below 500 that are not 429. */
        void (*judge)(const struct order *order, const struct step *step, bool unsure,
                      const struct answer *answer, struct judgement *ret);

        /* The read that tells how far the platform is; NULL where it has none. */
        enum err (*check)(const struct order *order, const struct account *account, struct message *ret,
                          struct why *why);
        /* Of its 200: dialect_stands() where it is understood; *ret is RETRY so far. */
        void (*judge_check)(const struct order *order, const struct view *answer, struct judgement *ret);
};

extern const struct dialect dialect_courier; /* of PARTY_COURIER */
extern const struct dialect dialect_dukkango;
extern const struct dialect dialect_getiryemek;
extern const struct dialect dialect_migrosyemek;
extern const struct dialect dialect_trendyolyemek;
extern const struct dialect dialect_yemeksepeti;

/* The platform's dialect, or NULL. */
const struct dialect *dialect_of(enum platform platform);

/* Whom `party` of this order speaks as, or NULL where it has nobody to tell. */
const struct dialect *dialect_for(const struct order *order, enum party party);

/* The step with this number, or NULL. */
const struct step *dialect_step(const struct dialect *dialect, int number);

/* Fills a judgement: definite, until the caller says otherwise; reason is copied, cut where it is too long; http and
 * told stay. */
void judge(struct judgement *ret, enum verdict verdict, const char *reason);

/* Of a request that could not be built, for `e`: it was certainly not sent. */
void judge_unbuilt(struct judgement *ret, enum err e, const struct why *why);

/* The whole judgement of an answer to a step, a check, a login, or to a question (what 200 says is the asker's to read); a
 * login's is always definite: the step itself was not sent. */
void dialect_judge(const struct dialect *dialect, const struct order *order, const struct step *step,
                   bool unsure, const struct answer *answer, struct judgement *ret);
void dialect_judge_check(const struct dialect *dialect, const struct order *order,
                         const struct answer *answer, struct judgement *ret);
void dialect_judge_login(const struct dialect *dialect, const struct answer *answer, struct judgement *ret,
                         char token[TOKEN_SIZE], int64_t *ret_life_ms);
void dialect_judge_question(const struct dialect *dialect, const struct answer *answer,
                            struct judgement *ret);

/* reason.c: [{id,reason}] of those in the dialect's table that are for this order, and of those in the answer to
 * ask_reasons. Ownership: the caller's. NULL without memory, or where the answer is not understood: none at all, too, but
 * of an order. */
struct json_object *reasons_known(const struct dialect *dialect, const struct order *order) MUST_USE;
struct json_object *reasons_read(const struct dialect *dialect, const struct answer *answer) MUST_USE;

/* --- what dialects are made of --- */

/* The method (a literal) and the URL: the account's, then `path`, in which each * stands for the next of the texts that
 * follow, percent-encoded to a segment ("." and ".." are the dialect's to refuse). Errors: NO_MEMORY. */
enum err dialect_url(struct message *m, const char *method, const struct account *account, struct why *why,
                     const char *path, ...) MUST_USE;

/* Sets the body and its Content-Type; `body` is borrowed. Errors: NO_MEMORY. */
enum err dialect_body(struct message *m, struct json_object *body, struct why *why) MUST_USE;

/* Sets a form body: `form`, in which each * stands for the next of the texts that follow, as for dialect_url(). Errors:
 * NO_MEMORY. */
enum err dialect_form(struct message *m, struct why *why, const char *form, ...) MUST_USE;

/* reason.c: adds the reason of the order's cancel, or the dialect's "other", to the body, a number where it is one. Any
 * number will do where the platform is asked for its list. Errors: BAD_FIELD `reasonId`, NO_MEMORY. */
enum err dialect_reason(const struct dialect *dialect, const struct order *order, struct json_object *body,
                        const char *key, struct why *why) MUST_USE;

/* reason.c: a whole number in decimal digits, without leading zeros, so that there is one way to write it. */
bool dialect_number(const char *text, int64_t *ret);

/* What the order brought as platformRef, as a view; of what it did not bring the readers find nothing. *ret_document is
 * what the view stands in: the caller's, to be put after it. Errors: NO_MEMORY, BAD_JSON, BAD_FIELD. */
enum err dialect_ref(const struct order *order, struct json_object **ret_document, struct view *ret,
                     struct why *why) MUST_USE;

/* Takes the token that stands under `key`, good for so long: DONE; where none does, *ret stays as it is. */
void dialect_take_token(const struct view *from, const char *key, int64_t life_ms, struct judgement *ret,
                        char token[TOKEN_SIZE], int64_t *ret_life_ms);

/* The answer's JSON object; NULL where it is none. The caller puts it. */
struct json_object *dialect_document(const struct answer *answer) MUST_USE;

/* What it means that the platform has the order at `rank`: DONE and `told`, or GIVE_UP where it ended otherwise than we
 * want. */
void dialect_stands(const struct order *order, enum status rank, struct judgement *ret);
