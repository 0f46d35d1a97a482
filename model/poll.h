/* SPDX-License-Identifier: Apache-2.0 */
/* poll.h - how a platform that calls nobody is asked for its orders, and the lease that keeps servers from asking twice.
 *
 * A lease is a record {until, misses} with its connection's id. Who polls takes it for as long as that may last, and sets
 * it to the time of the next poll when the answer is there: between two polls of an account lies the platform's wait,
 * however many servers there are. All pure. */
#pragma once

#include "model/dialect.h"
#include "model/record.h"

/* What a poll showed. */
struct polled {
        struct order **orders; /* owned, each and the array: as order_read() gives them */
        int n;
        int broken;     /* how many cannot be taken */
        struct why why; /* of the first of those, by the platform's names */
};
/* Frees what it owns. */
void polled_done(struct polled *polled);

#define POLLED_MAX \
        1000 /* orders of one poll; the rest is shown again, because nobody acknowledged it. A guess */
#define POLL_REPLY_MAX (2 << 20) /* bytes; likewise */

struct polls {
        /* The question what is new, or has changed since it was acknowledged. Errors as a dialect's login. */
        enum err (*list)(const struct account *account, struct message *ret, struct why *why);
        /* Of its 200. One order that cannot be taken does not touch the others. Ownership: *ret is the caller's,
         * polled_done(). Errors: BAD_JSON, BAD_FIELD (not understood at all), NO_MEMORY. */
        enum err (*read)(const struct answer *answer, struct polled *ret, struct why *why);
        /* That we have the order, as it is now. Errors as a dialect's build. */
        enum err (*acknowledge)(const char *platform_order_id, const struct account *account,
                                struct message *ret, struct why *why);
};

extern const struct polls polls_dukkango;

/* --- the lease --- */

struct poll_lease {
        /* in */
        int64_t hold_ms;     /* to take it: nobody else polls for so long */
        int64_t rev;         /* to end it: of the record as it was taken */
        int64_t wait_ms;     /* to end it: before the next poll */
        int64_t at_least_ms; /* to end it: as Retry-After said */
        bool limited;        /* to end it: it was refused: the wait doubles with each refusal in a row */
        /* out */
        int64_t until_ms; /* by the store's clock: no poll before */
};

/* A new lease, taken by who puts it; there is none yet for the account of this connection id. Ownership: *ret's content
 * is the caller's, record_done(). Errors: NO_MEMORY. */
enum err poll_make(const char *connection_id, const struct id *restaurant, struct poll_lease *lease,
                   int64_t now_ms, struct record *ret, struct why *why) MUST_USE;
record_editor poll_take; /* `arg`: a struct poll_lease. Errors also: BUSY, it is too early, or another's */
record_editor poll_end;  /* likewise. Errors also: BUSY, another has taken it since */
