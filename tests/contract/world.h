/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - the store under test with a clock of our own, a restaurant in it, and short words for what tests ask of it.
 *
 * Every store is reached through the public verbs only: a test that needs to know which one it has belongs elsewhere. */
#pragma once

#include "model/integration.h"
#include "model/store.h"
#include "tests/unit/check.h"

#define BEGAN INT64_C(1730817000000) /* 2024-11-05T14:30:00.000Z */
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define LEASE_MS (30 * SECOND)

/* A thread's place at the store: where its jobs come back, and how many are out. */
struct desk {
        struct inbox in;
        int out;
};

struct world {
        char where[256]; /* as store_open takes it */
        struct store *store;
        struct desk desk; /* of the test's own thread */
        struct id restaurant;
};
extern struct world world;

/* Which kind of store, by its name; false: unknown, and the known ones are written to stderr. */
bool world_choose(const char *name);
/* Whether the one chosen is to be had here. */
bool world_is_there(void);

/* Setup and teardown of a test: a new store with one restaurant in it, and the end of it. */
int world_begin(void **state);
int world_end(void **state);
/* clang-format off */ /* its versions differ about braces in macros */
#define STORY(name) {#name, name, world_begin, world_end, NULL}
/* clang-format on */

/* The tests of one file. */
struct chapter {
        const struct CMUnitTest *tests;
        size_t n;
};
/* clang-format off */
#define CHAPTER(tests_) {tests_, COUNT(tests_)}
/* clang-format on */

/* Ends the store; opens it again on what is there. */
void world_close(void);
void world_open(void);
/* What a second store on the same data would be opened with. */
struct store_options world_options(void);

/* The store's clock stands still unless a test lets time pass. Threads: any. */
int64_t clock_now(void);
void clock_pass(int64_t ms);

/* --- what the hooks told --- */

/* How many changes since the last time this was asked; the last one into *ret_last (may be NULL). Threads: any. */
int changes_heard(struct change *ret_last);
/* Called with each change as it is told, on the store's thread; NULL: nobody. */
void changes_watch(void (*watch)(const struct change *change));
/* Waits until on_round has followed the last change that was told; false when it does not within half a minute. */
bool round_await(void);
/* How often this note came since the world began. Threads: any. */
int notes_heard(enum note note);
/* Waits until it has come `n` times; false when it does not within half a minute. */
bool note_await(enum note note, int n);

/* How many jobs of this verb are over since the world began, how many of them had failed, and how many shared an embedded
 * store's commits. Threads: any. */
int jobs_heard(enum verb verb);
int failures_heard(enum verb verb);
int committed_heard(void);

/* --- jobs --- */

void desk_open(struct desk *desk);
void desk_close(struct desk *desk);
/* Says that this job comes back to this desk. */
void desk_send(struct desk *desk, struct job *job);
/* Kicks and waits until nothing is out; false when that takes longer than half a minute. Threads: the desk's. */
bool desk_wait(struct desk *desk);

/* Fails the test with the job's reason if it did not end with `expected`. */
void job_check(const struct job *job, enum err expected, const char *file, int line);

#define SUBMIT(desk_, verb, in)                  \
        do {                                     \
                desk_send((desk_), &(in)->job);  \
                store_##verb(world.store, (in)); \
        } while (0)

/* One job there and back; it must end with `expected`. */
#define ASK(expected, verb, in)                                        \
        do {                                                           \
                SUBMIT(&world.desk, verb, (in));                       \
                assert_true(desk_wait(&world.desk));                   \
                job_check(&(in)->job, (expected), __FILE__, __LINE__); \
        } while (0)
#define DO(verb, in) ASK(ERR_OK, verb, in)

/* --- who asks --- */

/* Ourselves, about this restaurant. */
struct access trusted(struct id restaurant);
/* By the text of a key or a token; the caller's own restaurant. */
struct access by_key(const char *key);
struct access by_token(const char *token);

/* Puts another restaurant. */
struct id restaurant_new(void);
/* Deactivates it, or activates it again. */
void restaurant_switch(struct id restaurant, bool active);

struct courier {
        struct id integration;
        char id[RECORD_ID_SIZE];
        char key[SECRET_TEXT_SIZE];
};
/* Puts an integration with a key. */
struct courier courier_hire(struct id restaurant);
/* Gives it a dispatchUrl, of these texts as JSON: "null" takes it away. */
void courier_at(const struct courier *courier, const char *url);
/* Makes it the one that the restaurant's new orders go to. */
void courier_prefer(struct id restaurant, const struct courier *courier);
/* Gives it a new key; the old one stays good for so long. */
void courier_rotate(struct courier *courier, int64_t grace_ms);

/* Puts a token; its text. */
void token_new(struct id restaurant, char ret_text[APIKEY_TEXT_SIZE], char ret_id[RECORD_ID_SIZE]);

/* --- orders --- */

/* An order that no store has seen, with a number of its own, fetched by the customer; the caller frees. */
struct order *order_draft(enum platform platform, enum status status);
/* Puts one; its id. */
struct id order_new(enum platform platform, enum status status);
/* Whole, as it is kept; it must be there. The caller frees. */
struct order *order_load(struct id order);
/* A move by the restaurant, to be submitted. */
struct store_move moving(struct id order, enum status to);
/* Makes the move, which must be MOVED. */
void move_to(struct id order, enum status to);

/* --- what is owed to its platform --- */

struct due due_for(struct id order, enum platform platform);
/* Claims it for LEASE_MS, which must succeed; store_claim_done() is the caller's. */
struct store_claim claim_of(struct id order, enum platform platform);
/* Whether somebody could have it; nobody has it afterwards. *ret_unsure (may be NULL): as the claim showed it. */
bool is_claimable(struct id order, enum platform platform, bool *ret_unsure);
/* How many targets are due now, of all. */
int count_due(void);
/* The settlement of this claim, to be submitted; store_settle_done() is the caller's. */
struct store_settle settling(const struct store_claim *claim, struct settlement settlement);
/* Claims, and settles it as given up. */
void give_up(struct id order, enum platform platform, bool unsure);
