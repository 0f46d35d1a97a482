/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the only door to what is remembered.
 *
 * Every verb is a job: a struct that begins with `struct job`, filled by its submitter, who owns it and keeps it alive
 * until job.letter.run has run on the thread of `reply`. Results live in it; store_x_done() frees them. Nobody waits.
 * Jobs handed over before one store_kick() may travel together, and then share one commit.
 *
 * Orders and what they owe have verbs of the trade; all else are records. An outcome a caller must think about is the
 * verb's own enum; job.err is a failure, and then nothing but job.why is set and nothing was changed, but for
 * STORE_BROKEN, whose outcome is unknown: a repeat with the same operation token is safe. DAMAGED: what is kept of this one
 * order or record does not read. Pages leave it out, and what works on many goes on with the others; NOTE_DAMAGED tells.
 *
 * The clock: times that are kept come from the store (now of struct store_options here). Promises that hold on every
 * store are what tests/contract/ checks. */
#pragma once

#include "model/inbox.h"
#include "model/order.h"
#include "model/record.h"

struct store;

/* What was just made durable and somebody may want to hear of: a hint, not a promise. */
struct change {
        struct id order;
        struct id restaurant;
        enum platform platform;
        int64_t rev;
        enum status before; /* STATUS_COUNT: a new order */
        enum status after;
        bool due[PARTY_COUNT]; /* somebody must look at this target now */
};

enum note {
        NOTE_BROKEN,
        NOTE_RECOVERED,
        NOTE_DAMAGED, /* an order or a record does not read: which, and why */
        NOTE_DRIVER   /* a warning of the library that speaks to the store */
};

/* One round trip to a store of other processes. */
struct command {
        const char *name; /* findAndModify, find … */
        int64_t took_us;
        bool failed; /* no answer, or a refusal; a filter that matched nothing is no failure */
};

#define VERB_TABLE(X)               \
        X(CREATE, "create")         \
        X(MOVE, "move")             \
        X(READ, "read")             \
        X(LIST, "list")             \
        X(DUE, "due")               \
        X(CLAIM, "claim")           \
        X(SETTLE, "settle")         \
        X(RELEASE, "release")       \
        X(REPLAY, "replay")         \
        X(REPLAY_ALL, "replay-all") \
        X(PROBE, "probe")           \
        X(PUT, "put")               \
        X(GET, "get")               \
        X(FIND, "find")             \
        X(EDIT, "edit")             \
        X(DROP, "drop")             \
        X(TOUCH, "touch")           \
        X(IMPORT, "import")         \
        X(CALL, "call")             \
        X(SWEEP, "sweep")           \
        X(REWRITE, "rewrite")       \
        X(CHANGES, "changes")       \
        X(ERASE, "erase")
#define VERB_ENUM(name, word) VERB_##name,
enum verb { VERB_TABLE(VERB_ENUM) VERB_COUNT };
#undef VERB_ENUM

/* Called on the store's threads; they may only push to inboxes (or count, or write a log line). Any may be NULL. */
struct store_hooks {
        void (*on_change)(void *arg, const struct change *change);
        void (*on_round)(void *arg); /* those of one commit have been told */
        void (*on_note)(void *arg, enum note note, const char *text);
        void (*on_command)(void *arg, const struct command *command);
        /* One job is over: since it was submitted, waiting and the commit included; `failed`: the store could not do it */
        void (*on_verb)(void *arg, enum verb verb, int64_t took_us, bool failed);
        void (*on_commit)(void *arg, int jobs, int64_t took_us); /* of an embedded store: what shared it */
        void *arg;
};

struct store_options {
        const char *where; /* `sqlite:<path>`, or a `mongodb://` or `mongodb+srv://` URI with a database */
        struct store_hooks hooks;
        int64_t (*now)(void); /* NULL: the store's own clock. Tests bring their own */
        int64_t lease_ms;     /* no claim's is longer; 0: 15 minutes */
        int64_t deadline_ms;  /* a job is over by then, whatever a store of other processes does; 0: 5 s */
        const struct keyring *
                keyring; /* borrowed: what secrets are sealed by, held against the store (model/keys.h); NULL:
                                          whoever opens it seals and opens nothing */
        int64_t calls_ms; /* embedded: for so long after the opening, what the process before has sent may still arrive, and
                             nobody claims a target that is in doubt; 0: nothing was sent */
};

/* What is wrong with `where`; NULL: nothing, as far as it can be said without opening. A text for a person, without any
 * of `where` in it. */
const char *store_wrong(const char *where);

/* Opens, makes the schema where there is none, starts the store's threads. A MongoDB that does not answer is no error: the
 * store is not ready until it does. Errors, each with a text for a person: INTERNAL (what store_wrong() says, another
 * process has it open, a newer schema, an index in the way, not writable, a key that is not the store's), NO_MEMORY. A
 * MongoDB that answers later and has other keys does not become ready. */
enum err store_open(const struct store_options *options, struct store **ret, struct why *why) MUST_USE;

/* Writes the embedded store of the path `from` to the path `to`, as it is at one instant, in one file that needs no other.
 * A process may have it open and go on. On disk, and the owner's alone, when it returns; after a failure nothing is at `to`.
 * Errors, each with a text for a person: INTERNAL (no such file, not a store, something is at `to`, not writable),
 * NO_MEMORY. Threads: any. */
enum err store_backup(const char *from, const char *to, struct why *why) MUST_USE;

/* Finishes what was submitted, completes it, joins, frees. NULL is fine. */
void store_close(struct store *store);

/* Hands over all that this thread submitted since the last kick; the store may have begun with it. */
void store_kick(struct store *store);

/* Whether the last write worked, and none has been at it for 5 s. Threads: any. */
bool store_is_ready(const struct store *store);

/* How many jobs were submitted and are not handed back yet. Threads: any. */
int store_waiting(const struct store *store);

/* The store's clock, in milliseconds since 1970: the one that all its servers compare times by. Threads: any. */
int64_t store_now(const struct store *store);

/* --- jobs --- */

/* Who asks. Checked before the verb itself, by what is kept of the secret; a good one is remembered for 5 s, so that a
 * revoked one dies within 5 s on every server and at once on this one. */
struct access {
        enum access_kind {
                ACCESS_TRUSTED, /* ourselves, or the admin */
                ACCESS_KEY, /* a courier firm: NO_INTEGRATION when unknown, inactive, or of another restaurant */
                ACCESS_TOKEN, /* a restaurant: UNAUTHORIZED; another's data: NOT_FOUND */
                ACCESS_PARTNER /* one whom we know to call for this restaurant: UNAUTHORIZED where that is not active */
        } kind;
        struct digest digest; /* of the key or token */
        struct id
                restaurant; /* whose data is asked for; zero: the caller's own. TRUSTED with one that does not exist:
                                 NOT_FOUND */
};

struct job {
        struct letter letter; /* set letter.run; the rest of it is the store's */
        struct inbox *reply;  /* where the completion goes */
        void *arg;            /* the submitter's own */
        struct access access;
        /* out */
        struct id restaurant;  /* the caller's, or access.restaurant */
        struct id integration; /* ACCESS_KEY: which */
        struct id token;       /* ACCESS_TOKEN: whose secret it is, its record's id */
        enum err err;
        struct why why;
        /* the store's own */
        enum verb verb;
        struct change change;
        bool changed;
        const struct change *changes; /* what an erasure changed */
        int n_changes;
        bool repeated;        /* it ran before, and nobody knows what came of that */
        int64_t by_ms;        /* CLOCK_BOOTTIME: its deadline */
        int64_t submitted_us; /* CLOCK_BOOTTIME */
};

/* --- orders --- */

/* A new order, or the one that is there: idempotent by platform and platformOrderId in its restaurant. */
struct store_create {
        struct job job;
        struct order *order; /* in: owned, as order_read gave it; out: owned, as it is stored */
        enum actor by;       /* in */
        struct id firm;      /* in: called for it, whoever new orders go to; zero: those decide */
        int64_t life_ms;     /* in: it goes after so long; 0: it stays */
        enum { CREATE_NEW, CREATE_SAME, CREATE_TAKEN /* its own id is another order's */ } outcome;
};
void store_create(struct store *store, struct store_create *create);
void store_create_done(struct store_create *create);

#define IDEMPOTENCY_KEY_SIZE 256

/* Moves an order, appends its history and raises what it owes, in one atomic step. MOVED and SAME rest on durable facts.
 * The operation token is the hash of integration and Idempotency-Key, else random: our own repeat of a write whose
 * outcome was unknown recognises itself. */
struct store_move {
        struct job job;
        /* in */
        struct id order;
        enum status to;
        enum actor by;
        char idempotency_key[IDEMPOTENCY_KEY_SIZE]; /* "": none */
        bool told; /* the platform knows already: what is owed up to there counts as done, with SAME too, and by itself
                      also where the order is further here */
        int prep_minutes;                /* 0: leave */
        char reason[CANCEL_REASON_SIZE]; /* of a cancel; "": the platform's "other", or BAD_FIELD reasonId */
        const char *note;                /* borrowed; NULL: none */
        bool want_order;                 /* fill `stored` */
        /* out */
        enum move_outcome {
                MOVE_MOVED,      /* also for a repeat with the same token: the first answer again */
                MOVE_SAME,       /* it was there already, nothing new came of it */
                MOVE_FINAL,      /* delivered or cancelled */
                MOVE_PAST,       /* it is further already */
                MOVE_KEY_REUSED, /* same token, other status */
                MOVE_UNKNOWN     /* no such order in this restaurant */
        } outcome;
        enum status status;   /* MOVED, SAME: what the answer names */
        int64_t at_ms;        /* when it came to be so */
        struct order *stored; /* owned */
        /* the store's own: zero at first, and kept where this very job is handed over again */
        char op[OP_TEXT_SIZE];
};
void store_move(struct store *store, struct store_move *move);
void store_move_done(struct store_move *move);

/* Puts another content into an order that is NEW: its document and scheduledDate. All else stays, its history too. */
struct store_rewrite {
        struct job job;
        struct id order;             /* in */
        const struct order *content; /* in: borrowed */
        enum rewrite_outcome {
                REWRITE_DONE,
                REWRITE_LATE,   /* it is NEW no more */
                REWRITE_UNKNOWN /* no such order in this restaurant */
        } outcome;
};
void store_rewrite(struct store *store, struct store_rewrite *rewrite);

/* One order, whole. NULL `stored`: none in job.restaurant (or, TRUSTED without restaurant, none at all). */
struct store_read {
        struct job job;
        struct id order;      /* in */
        struct order *stored; /* out: owned or NULL */
};
void store_read(struct store *store, struct store_read *read);
void store_read_done(struct store_read *read);

#define LIST_MAX 200
#define CURSOR_SIZE 64

/* A page of orders, newest first. Stops early where documents grow past 4 MiB together. */
struct store_list {
        struct job job;
        /* in */
        bool has_status;
        enum status status;
        bool has_platform;
        enum platform platform;
        bool has_delivery; /* only orders with a target in this state */
        enum delivery delivery;
        int64_t since_ms;        /* updated after it; 0: all */
        int limit;               /* 1 to LIST_MAX */
        char after[CURSOR_SIZE]; /* "": from the newest; malformed: BAD_FIELD after */
        bool documents;          /* load them */
        /* out */
        struct order **orders; /* owned, each and the array */
        int n;
        char next[CURSOR_SIZE]; /* "": that was all */
};
void store_list(struct store *store, struct store_list *list);
void store_list_done(struct store_list *list);

struct seen {
        struct id order;
        struct id restaurant;
        int64_t rev;
        int64_t at_ms; /* order.seen_ms */
};

/* What has changed, in the order in which the store saw it; of several changes of an order only the last one counts. Two that
 * come at once may be seen in another order than that in which they can be found: whoever goes on from where a page ended
 * goes back a little first. */
struct store_changes {
        struct job job;
        /* in */
        const struct id *restaurants; /* borrowed: whose; TRUSTED alone may ask */
        int n_restaurants;            /* at least 1 */
        int64_t after_ms;             /* seen after it, or … */
        struct id after;              /* … at that time with a higher id */
        int max;                      /* at least 1 */
        /* out */
        struct seen *found; /* owned */
        int n;              /* `max`: there may be more */
};
void store_changes(struct store *store, struct store_changes *changes);
void store_changes_done(struct store_changes *changes);

/* --- what is owed: for outbound --- */

struct due {
        struct id order;
        struct id restaurant;
        enum platform platform;
        enum party party;
};

#define DUE_MAX 512
#define DUE_SKIP_FIRMS (1U << PLATFORM_COUNT)

/* Whose targets must be looked at now, oldest first, those under a lease left out. */
struct store_due {
        struct job job;
        unsigned skip; /* in: bit 1 << platform: leave out what is owed to it; courier firms have one too */
        int64_t grace_ms;          /* in: leave out what has been due for less: others are at it */
        int max;                   /* in: to DUE_MAX */
        struct due found[DUE_MAX]; /* out */
        int n;
        int64_t next_ms; /* out: when the next one becomes due that is not yet; 0: none known */
};
void store_due(struct store *store, struct store_due *due);

/* Takes one target for `lease_ms`: nobody else gets it until then. */
struct store_claim {
        struct job job;
        struct due due;   /* in */
        int64_t lease_ms; /* in */
        /* out */
        bool claimed;        /* false: not due any more, or somebody else has it */
        uint64_t lease;      /* unique for this claim */
        struct order *order; /* owned, whole, as it was at the claim: `unsure` as it was before it */
        struct record
                account; /* owned: the restaurant's connection; for PARTY_COURIER its firm's integration, which is
                                  chosen and written with the claim where order_awaits_firm() and the restaurant's new
                                  orders go to one that can be dispatched to. Document NULL: there is none */
};
void store_claim(struct store *store, struct store_claim *claim);
void store_claim_done(struct store_claim *claim);

/* Writes what became of a call. */
struct store_settle {
        struct job job;
        struct due due;               /* in */
        uint64_t lease;               /* in */
        int64_t lease_ms;             /* in: MORE renews it for so long */
        int want;                     /* in: read at the claim */
        struct settlement settlement; /* in */
        char *row;                    /* in: owned: called_write()'s; NULL: none */
        enum {
                SETTLE_WRITTEN,
                SETTLE_OVERTAKEN, /* `want` moved meanwhile: `told` is raised, the target stays due, the lease is over */
                SETTLE_LOST /* the lease is another's: nothing was written */
        } outcome;
};
void store_settle(struct store *store, struct store_settle *settle);
void store_settle_done(struct store_settle *settle);

/* Gives a claim back as it is. `unsure`: a call or check of it went without a definite answer, or it was so before. */
struct store_release {
        struct job job;
        struct due due;
        uint64_t lease;
        bool unsure;
};
void store_release(struct store *store, struct store_release *release);

/* A failed delivery is tried anew. */
struct store_replay {
        struct job job;
        struct id order; /* in */
        enum party party;
        enum { REPLAY_DONE, REPLAY_NOT_FAILED, REPLAY_UNKNOWN } outcome;
        struct order *stored; /* out: owned, where DONE */
        bool begun;           /* the store's own: an earlier run found it failed */
};
void store_replay(struct store *store, struct store_replay *replay);
void store_replay_done(struct store_replay *replay);

#define REPLAY_ALL_MAX 1000

struct store_replay_all {
        struct job job;
        bool has_platform; /* in: what is owed to this platform; else what is owed to courier firms, too */
        enum platform platform;
        int64_t since_ms; /* in: failed after it; 0: all */
        int replayed;     /* out */
        bool more;        /* out: call again */
};
void store_replay_all(struct store *store, struct store_replay_all *replay);

/* A courier firm is called by hand. Not sent yet, or failed: it is due at once; for another firm than before the count of
 * calls rises and nothing is known of it: whoever is at the former one loses the lease, and what that firm answers is
 * dropped. */
struct store_call {
        struct job job;
        struct id order; /* in */
        struct id firm;  /* in: zero: that which new orders go to; out: which it is */
        bool again;      /* in: though another firm was called before */
        enum call_outcome {
                CALL_CALLED,
                CALL_SAME,    /* sent or pending at this very firm: nothing new */
                CALL_UNKNOWN, /* no such order, or no such integration, in this restaurant */
                CALL_PICKUP,
                CALL_PLATFORM_COURIER,
                CALL_TOO_LATE,   /* on the way, or final */
                CALL_NO_ADDRESS, /* the firm cannot be dispatched to, or new orders go to none */
                CALL_OTHER_FIRM
        } outcome;
};
void store_call(struct store *store, struct store_call *call);

#define SWEEP_MAX 100

/* Takes away what has expired. */
struct store_sweep {
        struct job job;
        int max;        /* in: to SWEEP_MAX */
        int64_t now_ms; /* in: what time it is; 0: the store's clock tells */
        int swept;      /* out; `max`: there may be more */
};
void store_sweep(struct store *store, struct store_sweep *sweep);

#define ERASE_MAX 20 /* 6 ms at the embedded store, commit included, for which others wait */

/* Takes customers' personal data out of a handful of orders: of one, of those with a phone, or of those that are over, or
 * left alone in whatever state, since long. Each order in one atomic step that raises its `rev`; what is done is done. */
struct store_erase {
        struct job job; /* TRUSTED */
        /* in: one of the three */
        struct id order;
        char phone[PHONE_KEY_SIZE]; /* phone_key()'s */
        int64_t keep_ms; /* it is kept for so long; a time that an order is scheduled for counts as touching it */
        int64_t now_ms; /* what time it is; 0: the store's clock tells */
        /* out */
        int erased;
        bool more;                        /* ask again */
        struct change changes[ERASE_MAX]; /* of each, for the hooks */
        /* the store's own: zero at first; which they are, so that a repeat knows what it has done */
        struct due found[ERASE_MAX];
        int n;
        int64_t at_ms;
};
void store_erase(struct store *store, struct store_erase *erase);

#define PROBE_COUNT_MAX 10000 /* so that asking costs the same on the worst day */

/* Asks whether the store answers, and how long something has been owed. */
struct store_probe {
        struct job job;
        bool counts;           /* in: how much, too */
        int64_t oldest_due_ms; /* out: 0: nothing is due */
        int64_t now_ms;        /* out: by the store's clock */
        /* out, where it counts, each to PROBE_COUNT_MAX: what somebody must look at, now or later; what has failed */
        int owed[PARTY_COUNT];
        int failed[PARTY_COUNT];
};
void store_probe(struct store *store, struct store_probe *probe);

/* --- records --- */

/* A new one. */
struct store_put {
        struct job job;
        struct record record; /* in: owned; out: as stored */
        enum { PUT_NEW, PUT_TAKEN /* its id or a digest of its looks is another's */ } outcome;
};
void store_put(struct store *store, struct store_put *put);
void store_put_done(struct store_put *put);

/* One by kind and id, in job.restaurant. With an empty id: the caller's own integration, or token. */
struct store_get {
        struct job job;
        enum record_kind kind; /* in */
        char id[RECORD_ID_SIZE];
        struct record record; /* out: owned; document NULL: none */
        struct record owner; /* out: owned: the restaurant's own record; document NULL where none was named */
};
void store_get(struct store *store, struct store_get *get);
void store_get_done(struct store_get *get);

/* A page of a kind, newest first, in job.restaurant (TRUSTED without restaurant: in all). */
struct store_find {
        struct job job;
        enum record_kind kind; /* in */
        int limit;             /* in: 1 to LIST_MAX */
        char after[CURSOR_SIZE];
        struct record *records; /* out: owned */
        int n;
        struct record owner; /* as in store_get */
        char next[CURSOR_SIZE];
};
void store_find(struct store *store, struct store_find *find);
void store_find_done(struct store_find *find);

/* Reads, lets `edit` change document and looks, writes: atomic. `edit` runs on the store's thread, perhaps several times,
 * must be pure but for `arg`, and its error (job.err) means nothing is written. */
struct store_edit {
        struct job job;
        enum record_kind kind; /* in */
        char id[RECORD_ID_SIZE];
        enum err (*edit)(struct record *record, void *arg, int64_t now_ms, struct why *why);
        void *arg;
        struct record record; /* out: owned, as stored; document NULL: none such, nothing written */
};
void store_edit(struct store *store, struct store_edit *edit);
void store_edit_done(struct store_edit *edit);

struct store_drop {
        struct job job;
        enum record_kind kind; /* in */
        char id[RECORD_ID_SIZE];
        bool dropped; /* out: false: there was none */
        bool begun;   /* the store's own: an earlier run found it */
};
void store_drop(struct store *store, struct store_drop *drop);

/* --- moving house --- */

/* Puts an order or a record as it is, what it owes and all that was told included: only one of the two is given. Orders for
 * MongoDB alone: none moves into an embedded store, which keeps of an order what a new one has. */
struct store_import {
        struct job job;
        struct order *order;         /* in: borrowed, and its phone found again; or NULL */
        const struct record *record; /* in: borrowed; or NULL */
        bool imported;               /* out; false: something with its id, number or look is there already */
};
void store_import(struct store *store, struct store_import *import);
