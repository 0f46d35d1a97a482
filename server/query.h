/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - one question to a platform in a restaurant's name, which no order owes: what is new, which reasons there are,
 * whether the credentials are taken.
 *
 * It runs on outbound's thread, which has the logins and knows what a platform bears: a login where there is no token, and
 * anew where the token is refused (once), then the call. A login is never asked for twice at once, nor again within a
 * minute where the same credentials were refused. A 429 holds nobody back but the asker. */
#pragma once

#include "model/connection.h"
#include "server/client.h"

#include <sys/queue.h>

struct outbound;
struct session;

/* Outbound's own: who waits for an account's login, embedded in an errand or a query. */
struct login_waiter {
        struct login_waiter *next;
        bool owes; /* an errand: a login that is told to wait holds the platform's lane back */
        void (*run)(struct login_waiter *waiter,
                    const struct judgement *judgement); /* the login went like this */
};

/* The asker owns it, zeroed but for what goes in, and keeps it alive until `done` has run on its thread. */
struct query {
        struct letter letter; /* outbound's own */
        /* in */
        const struct record *connection; /* borrowed; whose account it is, and of which platform */
        /* Writes the call, on outbound's thread; NULL: a login and nothing else, though there be a token, or the dialect's
         * probe where there is no login. Errors as of struct dialect's build. */
        enum err (*build)(struct query *query, const struct account *account, struct message *ret,
                          struct why *why);
        bool patient;        /* what is owed goes first: WAIT `busy` where the platform's lane has no room */
        int64_t timeout_ms;  /* of all of it, the login too, RETRY `timeout`; 0: as long as its calls take */
        struct inbox *reply; /* where the completion goes */
        void (*done)(struct query *query);
        /* out */
        struct judgement judgement; /* DONE: 200, and what it says stands in call.answer; `not_connected`,
                                       `login_failed` … else, in the dialect's words for a status. Where it is WAIT,
                                       wait_ms is what the platform asked for; 0: nothing */
        struct call call;           /* its answer; end it with query_done() */
        /* outbound's own */
        LIST_ENTRY(query) entry;
        struct outbound *outbound;
        struct session *session;
        const struct dialect *dialect;
        struct connection_secrets secrets;
        struct login_waiter waiter;
        bool waiting; /* for the login */
        bool renewed;
        int64_t until_ms; /* CLOCK_BOOTTIME */
};

/* Hands it over. Every query is completed exactly once: WAIT `stopping` where outbound stops or has stopped. What it
 * shows of the credentials is written to the connection where that is news. Threads: any, until `reply` is done with. */
void query_submit(struct outbound *outbound, struct query *query);

/* Frees what it holds but the struct. */
void query_done(struct query *query);
