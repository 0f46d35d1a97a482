/* SPDX-License-Identifier: Apache-2.0 */
/* store_race.c - claimers that die, answers that are lost, facts that come meanwhile, and a platform that keeps its rules:
 * it hears of everything, in order, and of nothing twice that it was not asked about first.
 *
 * The protocol is the store's and target.h's together. Time leaps when there is nothing to do, so that leases run out and
 * retries come due without anybody waiting. */
#include "model/clean.h"
#include "model/dialect.h"
#include "tests/contract/world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 100
#define CLAIMERS 4
#define LEAP_MS (LEASE_MS / 8)

static const int64_t delays[] = {SECOND, 5 * SECOND, 25 * SECOND};

/* What becomes of one call. */
enum fate {
        FINE,
        LOST_BEFORE,
        LOST_AFTER,
        NEVER_SENT,
        BUSY,
        GIVEN_BACK,
        DIED_BEFORE,
        DIED_AFTER,
        FATE_COUNT
};

/* One order on the platform's side. */
struct side {
        enum status state;
        enum status own; /* how far the platform went by itself */
};

static struct {
        const struct dialect *dialect;
        struct id ids[ORDERS];
        pthread_mutex_t facts[ORDERS]; /* one at a time about an order */
        pthread_rwlock_t time;         /* a call happens within its lease: time does not leap while it does */
        pthread_mutex_t lock;          /* over what follows */
        struct side sides[ORDERS];
        int out_of_order;
        int repeated;
        int calls;
        atomic_int died;
        atomic_int overtaken;
        atomic_int lost;   /* leases */
        atomic_int broken; /* jobs */
        atomic_bool moving;
} race = {.time = PTHREAD_RWLOCK_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};

/* A thread of the race. */
struct racer {
        struct desk desk;
        pthread_t thread;
        uint64_t seed;
        bool calm;            /* nothing goes wrong any more */
        int moves;            /* the mover's: how many it makes at most */
        int64_t until_ms;     /* the mover's: and how long, once all has happened that should */
        int64_t lease_end_ms; /* the claimer's, of what it holds */
};

static unsigned draw(struct racer *racer, unsigned n)
{
        racer->seed = racer->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)(racer->seed >> 33) % n;
}

/* One job of this thread; false when it failed. */
#define TRY(racer, verb, in)                                                  \
        __extension__({                                                       \
                bool well_;                                                   \
                SUBMIT(&(racer)->desk, verb, (in));                           \
                well_ = desk_wait(&(racer)->desk) && (in)->job.err == ERR_OK; \
                atomic_fetch_add(&race.broken, !well_);                       \
                well_;                                                        \
        })

/* --- the platform --- */

static bool may_apply(enum status from, enum status to)
{
        switch (to) {
        case STATUS_ACCEPTED: return from == STATUS_NEW;
        case STATUS_READY: return from == STATUS_ACCEPTED || from == STATUS_COOKING;
        case STATUS_ON_THE_WAY: return from == STATUS_READY;
        case STATUS_DELIVERED: return from == STATUS_ON_THE_WAY;
        case STATUS_CANCELLED: return from < STATUS_DELIVERED;
        case STATUS_NEW:
        case STATUS_COOKING:
        case STATUS_COUNT: break;
        }
        return false;
}

/* Takes a step, or refuses it and counts who broke which rule. */
static struct judgement take_step(struct side *side, enum status to)
{
        race.calls++;
        if (may_apply(side->state, to)) {
                side->state = to;
                return (struct judgement){.verdict = VERDICT_DONE, .definite = true, .http = 200};
        }
        if (side->own < to && side->own != STATUS_CANCELLED) {
                race.repeated += side->state >= to;
                race.out_of_order += side->state < to;
        }
        return (struct judgement){
                .verdict = VERDICT_RETRY, .definite = true, .http = 409, .reason = "refused"};
}

static struct judgement tell_state(const struct side *side, int want)
{
        if (side->state == STATUS_CANCELLED && want != STEP_OF(STATUS_CANCELLED))
                return (struct judgement){.verdict = VERDICT_GIVE_UP, .definite = true, .http = 200};
        return (struct judgement){
                .verdict = VERDICT_DONE, .definite = true, .http = 200, .told = STEP_OF((int)side->state)};
}

static int index_of(const struct id *id)
{
        int i = 0;

        while (i < ORDERS - 1 && !id_equal(&race.ids[i], id))
                i++;
        return i;
}

/* What the caller hears of one call. */
static struct judgement call(const struct order *order, const struct next *next, enum fate fate)
{
        const int want = order->targets[PARTY_PLATFORM].want;
        struct judgement j = {.verdict = VERDICT_RETRY, .reason = "timeout"};

        if (fate == FINE || fate == LOST_AFTER || fate == DIED_AFTER) {
                struct side *side;

                pthread_mutex_lock(&race.lock);
                side = &race.sides[index_of(&order->id)];
                j = next->kind == NEXT_CHECK
                            ? tell_state(side, want)
                            : take_step(side, (enum status)(next->step->number / STEP_OF(1)));
                pthread_mutex_unlock(&race.lock);
        }
        if (fate == LOST_AFTER)
                j = (struct judgement){.verdict = VERDICT_RETRY, .reason = "timeout"};
        if (fate == NEVER_SENT || fate == BUSY)
                j = (struct judgement){.verdict = fate == BUSY ? VERDICT_WAIT : VERDICT_RETRY,
                                       .definite = true,
                                       .http = fate == BUSY ? 429 : 0,
                                       .wait_ms = fate == BUSY ? SECOND : 0,
                                       .reason = "busy"};
        return j;
}

/* --- facts --- */

/* A fact about this order, if it is not at its end; some come from the platform itself. */
static void move_one(struct racer *racer, int i)
{
        struct store_read read = {.job.access = trusted(world.restaurant), .order = race.ids[i]};
        struct store_move move;
        int to;

        if (!TRY(racer, read, &read) || !read.stored || status_is_final(read.stored->status)) {
                store_read_done(&read);
                return;
        }
        to = (int)read.stored->status + 1;
        if (draw(racer, 4) == 0) /* steps are skipped, orders cancelled */
                to += (int)draw(racer, STATUS_COUNT - (unsigned)to);
        move = moving(race.ids[i], (enum status)to);
        store_read_done(&read);
        pthread_mutex_lock(&race.lock);
        move.told = draw(racer, 5) == 0 && race.sides[i].state < move.to;
        if (move.told)
                race.sides[i].state = race.sides[i].own = move.to;
        pthread_mutex_unlock(&race.lock);
        if (TRY(racer, move, &move))
                atomic_fetch_add(&race.broken, move.outcome != MOVE_MOVED);
}

static void bring_fact(struct racer *racer, int i)
{
        pthread_mutex_lock(&race.facts[i]);
        move_one(racer, i);
        pthread_mutex_unlock(&race.facts[i]);
}

/* --- claimers --- */

static void leap(int64_t ms)
{
        pthread_rwlock_wrlock(&race.time);
        clock_pass(ms);
        pthread_rwlock_unlock(&race.time);
}

/* What may happen between a call and its settlement: a new fact, or so much time that the lease runs out. */
static void dawdle(struct racer *racer, const struct id *order)
{
        if (!racer->calm && draw(racer, 6) == 0)
                bring_fact(racer, index_of(order));
        if (!racer->calm && draw(racer, 16) == 0)
                leap(LEASE_MS);
}

/* The last call of a run is cut off, as by the end of the process. */
static enum fate pick_fate(struct racer *racer)
{
        if (racer->calm)
                return FINE;
        if (!atomic_load(&race.moving))
                return DIED_AFTER;
        return draw(racer, 3) ? FINE : (enum fate)draw(racer, FATE_COUNT);
}

/* One call and its settlement; true when there is more to do under this claim. */
static bool go_on(struct racer *racer, struct store_claim *claim)
{
        const enum fate fate = pick_fate(racer);
        struct target *target = &claim->order->targets[PARTY_PLATFORM];
        const struct next next = target_next(claim->order, PARTY_PLATFORM, race.dialect, 0, clock_now());
        const struct retry retry = {.delays_ms = delays, .n = COUNT(delays)};
        struct store_settle settle = {
                .due = claim->due, .lease = claim->lease, .lease_ms = LEASE_MS, .want = target->want};
        struct judgement j = {.verdict = VERDICT_NOTHING, .definite = true};
        bool in_time;

        if (fate == GIVEN_BACK) {
                struct store_release release = {
                        .due = claim->due, .lease = claim->lease, .unsure = target->unsure};

                TRY(racer, release, &release);
                return false;
        }
        pthread_rwlock_rdlock(&race.time);
        in_time = clock_now() < racer->lease_end_ms;
        if (in_time && next.kind != NEXT_NOTHING)
                j = call(claim->order, &next, fate);
        pthread_rwlock_unlock(&race.time);
        if (!in_time || fate == DIED_BEFORE || fate == DIED_AFTER) {
                atomic_fetch_add(&race.died, 1);
                return false;
        }
        dawdle(racer, &claim->due.order);
        settle.settlement = target_settle(claim->order, PARTY_PLATFORM, race.dialect,
                                          next.kind == NEXT_CALL ? next.step : NULL, &j, &retry, clock_now());
        racer->lease_end_ms = clock_now() + LEASE_MS;
        if (!TRY(racer, settle, &settle))
                return false;
        atomic_fetch_add(&race.overtaken, settle.outcome == SETTLE_OVERTAKEN);
        atomic_fetch_add(&race.lost, settle.outcome == SETTLE_LOST);
        target_apply(target, &settle.settlement);
        return settle.outcome == SETTLE_WRITTEN && settle.settlement.kind == SETTLE_MORE;
}

/* Claims one of what is due and works it off. */
static void work(struct racer *racer, const struct due *due)
{
        CLEAN(store_claim_done) struct store_claim claim = {.due = *due, .lease_ms = LEASE_MS};

        racer->lease_end_ms = clock_now() + LEASE_MS;
        if (!TRY(racer, claim, &claim) || !claim.claimed)
                return;
        while (go_on(racer, &claim))
                continue;
}

/* One look at what is due; false when it was nothing, and time has leapt. */
static bool look(struct racer *racer)
{
        struct store_due due = {.max = 8};

        if (TRY(racer, due, &due) && due.n > 0) {
                work(racer, &due.found[draw(racer, (unsigned)due.n)]);
                return true;
        }
        leap(LEAP_MS);
        return false;
}

/* A person who has everything tried anew that was given up. */
static void replay(struct racer *racer)
{
        struct store_replay_all replay = {.job.access = trusted(world.restaurant)};

        TRY(racer, replay_all, &replay);
}

static void *claim_on(void *arg)
{
        struct racer *racer = arg;

        while (atomic_load(&race.moving))
                if (!look(racer) && draw(racer, 8) == 0)
                        replay(racer);
        return NULL;
}

/* --- the mover --- */

/* On a slow disk little happens in a short time. */
static bool has_met_trouble(void)
{
        return atomic_load(&race.died) > 0 && atomic_load(&race.overtaken) > 0;
}

static void *move_on(void *arg)
{
        struct racer *racer = arg;

        for (int i = 0; i < racer->moves && (time_boot_ms() < racer->until_ms || !has_met_trouble()); i++)
                bring_fact(racer, (int)draw(racer, ORDERS));
        atomic_store(&race.moving, false);
        return NULL;
}

/* --- the race --- */

static uint64_t pick_seed(void)
{
        const char *given = getenv("KURYED_SEED");
        uint64_t seed = 1;

        if (given)
                seed = strtoull(given, NULL, 10);
        else
                assert_true(crypto_random(&seed, sizeof seed));
        printf("# seed %llu\n", (unsigned long long)seed);
        return seed;
}

/* Facts come and claimers work, fail and die, until the last of so many facts or the end of the time. */
static void run(uint64_t seed, int moves, int64_t ms)
{
        struct racer racers[CLAIMERS + 1] = {0};

        atomic_store(&race.moving, true);
        for (int i = 0; i <= CLAIMERS; i++) {
                racers[i].seed = seed + (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
                racers[i].moves = moves;
                racers[i].until_ms = time_boot_ms() + ms;
                desk_open(&racers[i].desk);
                assert_int_equal(pthread_create(&racers[i].thread, NULL, i ? claim_on : move_on, &racers[i]),
                                 0);
        }
        for (int i = 0; i <= CLAIMERS; i++) {
                pthread_join(racers[i].thread, NULL);
                desk_close(&racers[i].desk);
        }
}

/* From here on all goes well; ends when nothing comes due any more. */
static void calm_down(uint64_t seed)
{
        struct racer racer = {.seed = seed, .calm = true};
        int idle = 0;

        desk_open(&racer.desk);
        for (int i = 0; i < 100 * ORDERS && idle < 16; i++) {
                idle = look(&racer) ? 0 : idle + 1;
                replay(&racer);
        }
        desk_close(&racer.desk);
        assert_true(idle == 16);
}

static void begin(void)
{
        race.dialect = dialect_of(PLATFORM_TRENDYOLYEMEK);
        assert_true(race.dialect && race.dialect->check);
        race.out_of_order = race.repeated = race.calls = 0;
        atomic_store(&race.died, 0);
        atomic_store(&race.overtaken, 0);
        atomic_store(&race.lost, 0);
        atomic_store(&race.broken, 0);
        for (int i = 0; i < ORDERS; i++) {
                race.ids[i] = order_new(PLATFORM_TRENDYOLYEMEK, STATUS_NEW);
                race.sides[i] = (struct side){.state = STATUS_NEW, .own = STATUS_NEW};
                pthread_mutex_init(&race.facts[i], NULL);
        }
}

/* The platform knows what we know, as far as it has a word for it. */
static void finish(void)
{
        int lost = 0, never_due = 0;

        for (int i = 0; i < ORDERS; i++) {
                CLEAN(order_free_at) struct order *order = order_load(race.ids[i]);
                const struct target *target = &order->targets[PARTY_PLATFORM];
                const bool agree =
                        race.sides[i].state == order->status ||
                        (order->status == STATUS_COOKING && race.sides[i].state == STATUS_ACCEPTED);

                lost += !agree && target->dead[0];
                never_due += !agree && !target->dead[0];
                assert_int_equal(target->at_ms, TARGET_NOT_DUE);
        }
        printf("# %d calls, %d deaths, %d overtaken, %d leases lost\n", race.calls, atomic_load(&race.died),
               atomic_load(&race.overtaken), atomic_load(&race.lost));
        assert_int_equal(atomic_load(&race.broken), 0);
        assert_int_equal(lost, 0);
        assert_int_equal(never_due, 0);
        assert_int_equal(race.out_of_order, 0);
        assert_int_equal(race.repeated, 0);
        assert_true(has_met_trouble());
}

TEST(nothing_is_lost_or_repeated_while_claimers_die)
{
        const uint64_t seed = pick_seed();

        begin();
        run(seed, 16 * ORDERS, 1000);
        calm_down(seed);
        finish();
}

TEST(nothing_is_lost_or_repeated_over_restarts)
{
        const uint64_t seed = pick_seed();

        begin();
        for (uint64_t part = 0; part < 16; part++) {
                run(seed + part, ORDERS / 2, 60);
                world_close();
                world_open();
        }
        calm_down(seed);
        finish();
}

static const struct CMUnitTest tests[] = {
        STORY(nothing_is_lost_or_repeated_while_claimers_die),
        STORY(nothing_is_lost_or_repeated_over_restarts),
};

extern const struct chapter race_chapter;
const struct chapter race_chapter = CHAPTER(tests);
