/* SPDX-License-Identifier: Apache-2.0 */
/* errand.h - outbound's own: one claimed target on its way through login, check, call and settlement; the session, an
 * account's login that its errands share; and the reminder of a target that must wait. Everything here runs on outbound's
 * thread. */
#pragma once

#include "model/connection.h"
#include "model/integration.h"
#include "server/lane.h"
#include "server/outbound.h"
#include "server/query.h"

#include <sys/queue.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define FIRM_CALLS_MAX 128  /* at once to all courier firms; docs/design.md 5 */
#define SESSION_CALLS_MAX 4 /* at once with one credential; docs/design.md 5 */
#define HOST_NAME_SIZE 264  /* 253 characters, a port, and NUL */

struct outbound {
        struct outbound_options options;
        struct store *store;
        struct client *client;
        struct inbox in;
        pthread_t thread;
        bool started;
        struct lane lanes[PLATFORM_COUNT];
        struct host *hosts; /* the courier firms' */
        bool missed;        /* as struct lane's, of what is owed to firms */
        struct session *sessions;
        struct errand *errands;     /* all under way */
        int n_firms;                /* of them, those to courier firms */
        LIST_HEAD(, errand) failed; /* of them, those whose settlement the store did not take */
        LIST_HEAD(, query) queries; /* those that hold a session */
        atomic_int n_queries;       /* submitted and not handed back */
        struct reminder *reminders;
        int64_t remind_at_ms; /* CLOCK_BOOTTIME: when to go through them */
        struct store_due due;
        bool looking;          /* `due` is at the store */
        bool eager;            /* the next look is for what we made due: without grace */
        int64_t look_at_ms;    /* CLOCK_BOOTTIME: when to ask again */
        int64_t look_again_ms; /* CLOCK_BOOTTIME: when, where more was found than there was room for */
        unsigned seed;         /* of rand_r() */
        atomic_llong pulse_ms;
        int64_t sweep_at_ms; /* CLOCK_BOOTTIME: when idle logins are forgotten */
        atomic_bool takes_hints;
        atomic_bool draining;
        atomic_bool stopping;
        int drained_fd; /* eventfd: draining, and nothing is under way */
};

/* An account's login. Kept while it is used or its token is good. */
struct session {
        char id[RECORD_ID_SIZE]; /* the connection's */
        struct outbound *outbound;
        struct id restaurant;
        enum platform platform;
        int active; /* errands and queries that hold it */
        struct digest credentials;
        char *known;         /* owned: a connection's document that is enabled and has these; NULL: none */
        bool is_noted;       /* it says that the platform takes them */
        struct digest asked; /* the credentials of the login under way */
        char token[TOKEN_SIZE];
        int64_t token_until_ms;         /* CLOCK_BOOTTIME; 0: no token */
        int64_t refused_until_ms;       /* the same credentials were refused: not asked again until then */
        int64_t logins_ms[LOGINS_KEPT]; /* CLOCK_BOOTTIME: when the last ones began, by n_logins */
        int64_t n_logins;
        bool logging_in;
        bool owes; /* of those who wait for the login, one does */
        struct call login;
        struct login_waiter *waiting; /* for the login */
        UT_hash_handle hh;
};

/* Where courier firms are called: firms of many restaurants are one host. Kept while it is called or held back, and where it
 * fails until nobody has called it for a while. */
struct host {
        char name[HOST_NAME_SIZE]; /* and port, as the URL has them, in lower case: the key */
        struct lane lane;
        int64_t called_ms; /* CLOCK_BOOTTIME: the last time */
        UT_hash_handle hh;
};

/* A target that this server knows to be due, or soon, and has no claim on: its own retry, a hint that found no room. It is
 * claimed by id, so that nobody need look for it and no other server is raced for it. */
struct reminder {
        struct due due; /* the key */
        int64_t at_ms;  /* by the store's clock: not before */
        UT_hash_handle hh;
};

struct errand {
        struct outbound *outbound;
        struct login_waiter waiter;
        struct session *session;
        struct lane *lane; /* in which it counts; NULL: a firm's whose host is not known yet */
        const struct dialect *dialect;
        const struct step *step; /* of the call under way; NULL: a check */
        struct connection_secrets secrets;
        struct dispatch dispatch; /* a courier firm's */
        bool hinted;              /* since the claim: look again at the end */
        bool renewed;             /* the login was renewed in this try */
        int64_t lease_until_ms;   /* CLOCK_BOOTTIME */
        LIST_ENTRY(errand) entry; /* of outbound->failed */
        int64_t again_ms; /* CLOCK_BOOTTIME: when, as one of them, the store is asked again to write */
        bool releasing;   /* what it is asked is store_release, not store_settle */
        struct store_claim claim; /* its `due` is the key */
        struct store_settle settle;
        struct store_release release;
        struct call call;
        UT_hash_handle hh;
};

/* outbound.c: a target that is due is claimed where there is room; false: it was not. */
bool outbound_begin(struct outbound *outbound, const struct due *due);
/* The same, and with a reminder where there was no room; an errand that is at it already goes on with it. */
void outbound_consider(struct outbound *outbound, const struct due *due);
/* outbound.c: where it is noted that a look found more of its like than there was room for. */
bool *outbound_missed(struct outbound *outbound, const struct due *due);
/* outbound.c: asks what is due at or before `at_ms` (CLOCK_BOOTTIME). */
void outbound_look_by(struct outbound *outbound, int64_t at_ms);

/* outbound.c: for how long the answer asks for quiet: at least for `floor_ms` where it is 429; 0: it does not. */
int64_t answer_hold_ms(const struct answer *answer, int64_t floor_ms);
/* outbound.c: what an answer says of the other side; a 429 asks for quiet of at least `floor_ms`, which is heeded where
 * it `waits`. */
void outbound_heard(struct outbound *outbound, struct lane *lane, int64_t floor_ms,
                    const struct answer *answer, bool waits);

/* outbound.c: writes in passing what a call showed of a record; `arg`, of `size`, is copied for the editor. Nobody waits for
 * it; without memory it is left to the next call that shows the same. */
void outbound_note(struct outbound *outbound, const struct record *record, record_editor *edit,
                   const void *arg, size_t size);

/* host.c: the lane of the URL's host, made where there is none; NULL without memory. */
struct lane *host_lane(struct outbound *outbound, const char *url);
/* host.c: of such a lane, host and port. */
const char *host_name(const struct lane *lane);
/* host.c: forgets those that are not worth keeping. */
void hosts_sweep(struct outbound *outbound, int64_t now_ms);
void hosts_free(struct outbound *outbound);

/* dispatch.c: what a courier firm's errand needs before its call: the firm opened, a lane with room. False: *ret says how
 * the errand is settled instead. */
bool dispatch_open(struct errand *errand, struct judgement *ret);
/* dispatch.c: the firm's answer was 410: nothing is dispatched there any more. */
void dispatch_gone(struct errand *errand);

/* reminder.c: what is due at `at_ms` of the store's clock. Where that fails, or there are too many, a look finds it. */
void reminder_put(struct outbound *outbound, const struct due *due, int64_t at_ms);
void reminder_drop(struct outbound *outbound, const struct due *due);
/* reminder.c: begins with those whose time has come, as there is room. */
void reminders_go(struct outbound *outbound, int64_t now_ms);
/* reminder.c: at the latest then there may be room, or a time has come. */
void reminders_by(struct outbound *outbound, int64_t at_ms);
void reminders_free(struct outbound *outbound);

/* errand.c: the one that is at it, or NULL. */
struct errand *errand_find(const struct outbound *outbound, const struct due *due);
/* errand.c: begins with the claim; the lane and the session have room. False without memory. */
bool errand_begin(struct outbound *outbound, const struct due *due, struct session *session);
/* errand.c: asks the store once more to write what it refused, where that is due. */
void errands_again(struct outbound *outbound, int64_t now_ms);
/* errand.c: at the latest then there is one. */
int64_t errands_until(const struct outbound *outbound, int64_t until_ms);
/* errand.c: counts it in the lane from now on. */
void errand_enter(struct errand *errand, struct lane *lane);

/* query.c: hands back those that have waited too long for a login. */
void queries_expire(struct outbound *outbound, int64_t now_ms);
/* query.c: at the latest then there may be one. */
int64_t queries_until(const struct outbound *outbound, int64_t until_ms);

/* session.c */
/* The account's session, made where there is none; NULL without memory. */
struct session *session_need(struct outbound *outbound, const struct due *due);
/* Whether there is a token for these credentials; a change of them forgets the old one. */
bool session_has_token(struct session *session, const struct connection_secrets *secrets, int64_t now_ms);
/* The connection is enabled, and session_has_token() was just told its credentials, where it has a login. */
void session_know(struct session *session, const struct record *connection);
/* Whether it is still that connection, to the letter, and there is a token: then it need not be opened. */
bool session_may_call(const struct session *session, const struct record *connection, int64_t now_ms);
/* Logs in with these credentials, or joins the login under way: the waiter is run, perhaps before this returns. Where
 * session_has_token() was asked about others since, it is told to come again, and their token is not kept. */
void session_login(struct session *session, const struct connection_secrets *secrets,
                   struct login_waiter *waiter);
/* It waits no longer. */
void session_abandon(struct session *session, const struct login_waiter *waiter);
/* The platform did not take the token. */
void session_forget_token(struct session *session);
/* Frees it where nobody uses it and it knows nothing worth keeping. */
void session_leave(struct session *session, int64_t now_ms);
void sessions_sweep(struct outbound *outbound, int64_t now_ms);
void sessions_free(struct outbound *outbound);

/* The account as a dialect sees it; borrowed. */
struct account session_account(const struct session *session, const struct connection_secrets *secrets);
/* What the platform said to the credentials of this record is shown with it; written only where it is news. */
void session_note(struct session *session, const struct record *connection,
                  const struct judgement *judgement);
