/* SPDX-License-Identifier: Apache-2.0 */
/* store_crowd.c - sixty-four threads want the same at the same time. */
#include "model/clean.h"
#include "tests/contract/world.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 64

/* One of them: hands its job over when all are there. */
struct member {
        struct desk desk;
        pthread_t thread;
        pthread_barrier_t *start;
        void (*submit)(struct member *member);
        bool answered;
        union {
                struct job job;
                struct store_move move;
                struct store_create create;
                struct store_claim claim;
                struct store_call call;
        };
};

static void *take_part(void *arg)
{
        struct member *member = arg;

        pthread_barrier_wait(member->start);
        member->submit(member);
        member->answered = desk_wait(&member->desk);
        return NULL;
}

/* All at once; everybody must be answered without a failure. */
static void crowd_in(struct member *members, void (*submit)(struct member *member))
{
        pthread_barrier_t start;

        pthread_barrier_init(&start, NULL, CROWD);
        for (int i = 0; i < CROWD; i++) {
                members[i].start = &start;
                members[i].submit = submit;
                desk_open(&members[i].desk);
                assert_int_equal(pthread_create(&members[i].thread, NULL, take_part, &members[i]), 0);
        }
        for (int i = 0; i < CROWD; i++) {
                pthread_join(members[i].thread, NULL);
                assert_true(members[i].answered);
                job_check(&members[i].job, ERR_OK, __FILE__, __LINE__);
                desk_close(&members[i].desk);
        }
        pthread_barrier_destroy(&start);
}

static void submit_move(struct member *member)
{
        SUBMIT(&member->desk, move, &member->move);
}

static void submit_create(struct member *member)
{
        SUBMIT(&member->desk, create, &member->create);
}

static void submit_claim(struct member *member)
{
        SUBMIT(&member->desk, claim, &member->claim);
}

/* All report this status of one order, under one key or under none: how many got which answer, and what came of it. */
static void report(enum status to, const char *key, int ret_outcomes[MOVE_UNKNOWN + 1])
{
        struct courier courier = courier_hire(world.restaurant);
        CLEAN(free_at) struct member *members = calloc(CROWD, sizeof *members);
        CLEAN(order_free_at) struct order *order = NULL;
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);

        assert_non_null(members);
        for (int i = 0; i < CROWD; i++) {
                members[i].move = (struct store_move){
                        .job.access = by_key(courier.key), .order = id, .to = to, .by = ACTOR_COURIER};
                assert_true(text_copy(members[i].move.idempotency_key, sizeof members[i].move.idempotency_key,
                                      key));
        }
        changes_heard(NULL);
        crowd_in(members, submit_move);
        memset(ret_outcomes, 0, (MOVE_UNKNOWN + 1) * sizeof *ret_outcomes);
        for (int i = 0; i < CROWD; i++) {
                ret_outcomes[members[i].move.outcome]++;
                if (members[i].move.outcome == MOVE_MOVED || members[i].move.outcome == MOVE_SAME)
                        assert_int_equal(members[i].move.at_ms, BEGAN);
        }
        order = order_load(id);
        assert_int_equal(order->n_moves, 2);
        assert_int_equal(order->rev, 2);
        assert_int_equal(changes_heard(NULL), 1);
        assert_int_equal(count_due(), 1);
}

TEST(of_many_who_set_out_one_moves_the_order)
{
        int outcomes[MOVE_UNKNOWN + 1];

        report(STATUS_ON_THE_WAY, "", outcomes);
        assert_int_equal(outcomes[MOVE_MOVED], 1);
        assert_int_equal(outcomes[MOVE_SAME], CROWD - 1);
}

TEST(of_many_who_delivered_one_moves_the_order)
{
        int outcomes[MOVE_UNKNOWN + 1];

        report(STATUS_DELIVERED, "", outcomes);
        assert_int_equal(outcomes[MOVE_MOVED], 1);
        assert_int_equal(outcomes[MOVE_FINAL], CROWD - 1);
}

TEST(many_repeats_of_one_request_all_have_its_answer)
{
        int outcomes[MOVE_UNKNOWN + 1];

        report(STATUS_DELIVERED, "a-1", outcomes);
        assert_int_equal(outcomes[MOVE_MOVED], CROWD);
}

TEST(of_many_who_bring_an_order_one_makes_it)
{
        CLEAN(free_at) struct member *members = calloc(CROWD, sizeof *members);
        int made = 0;

        assert_non_null(members);
        for (int i = 0; i < CROWD; i++) {
                members[i].create =
                        (struct store_create){.job.access = trusted(world.restaurant),
                                              .order = order_draft(PLATFORM_DUKKANGO, STATUS_NEW)};
                free(members[i].create.order->platform_order_id);
                members[i].create.order->platform_order_id = strdup("the-same");
        }
        changes_heard(NULL);
        crowd_in(members, submit_create);
        for (int i = 0; i < CROWD; i++) {
                made += members[i].create.outcome == CREATE_NEW;
                assert_true(members[i].create.outcome == CREATE_NEW ||
                            members[i].create.outcome == CREATE_SAME);
                assert_true(id_equal(&members[i].create.order->id, &members[0].create.order->id));
        }
        assert_int_equal(made, 1);
        assert_int_equal(changes_heard(NULL), 1);
        for (int i = 0; i < CROWD; i++)
                store_create_done(&members[i].create);
}

TEST(of_many_who_want_a_target_one_has_it)
{
        CLEAN(free_at) struct member *members = calloc(CROWD, sizeof *members);
        struct id id = order_new(PLATFORM_DUKKANGO, STATUS_NEW);
        int claimed = 0;

        assert_non_null(members);
        move_to(id, STATUS_ACCEPTED);
        for (int i = 0; i < CROWD; i++)
                members[i].claim =
                        (struct store_claim){.due = due_for(id, PLATFORM_DUKKANGO), .lease_ms = LEASE_MS};
        crowd_in(members, submit_claim);
        for (int i = 0; i < CROWD; i++) {
                claimed += members[i].claim.claimed;
                store_claim_done(&members[i].claim);
        }
        assert_int_equal(claimed, 1);
}

static void submit_call(struct member *member)
{
        SUBMIT(&member->desk, call, &member->call);
}

TEST(of_two_firms_that_many_call_one_has_the_order)
{
        struct courier firms[2] = {courier_hire(world.restaurant), courier_hire(world.restaurant)};
        CLEAN(free_at) struct member *members = calloc(CROWD, sizeof *members);
        CLEAN(store_create_done)
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(PLATFORM_PHONE, STATUS_READY)};
        CLEAN(order_free_at) struct order *order = NULL;
        int outcomes[CALL_OTHER_FIRM + 1] = {0};

        assert_non_null(members);
        create.order->pickup = false;
        DO(create, &create);
        for (int i = 0; i < 2; i++)
                courier_at(&firms[i], "\"https://kurye.example/yeni\"");
        for (int i = 0; i < CROWD; i++)
                members[i].call = (struct store_call){.job.access = trusted(world.restaurant),
                                                      .order = create.order->id,
                                                      .firm = firms[i % 2].integration};
        changes_heard(NULL);
        crowd_in(members, submit_call);
        order = order_load(create.order->id);
        for (int i = 0; i < CROWD; i++) {
                const bool has_it = id_equal(&firms[i % 2].integration, &order->targets[PARTY_COURIER].firm);

                outcomes[members[i].call.outcome]++;
                assert_int_equal(members[i].call.outcome == CALL_OTHER_FIRM, !has_it);
        }
        assert_int_equal(outcomes[CALL_CALLED], 1);
        assert_int_equal(outcomes[CALL_SAME], CROWD / 2 - 1);
        assert_int_equal(outcomes[CALL_OTHER_FIRM], CROWD / 2);
        assert_int_equal(order->targets[PARTY_COURIER].calls, 1);
        assert_int_equal(changes_heard(NULL), 1);
}

/* --- answers --- */

struct heard {
        struct inbox in;
        atomic_int wakes, answers;
        sem_t all;
};

static void hear(void *arg)
{
        struct heard *heard = arg;
        int n = 0;

        atomic_fetch_add(&heard->wakes, 1);
        for (struct letter *letter = inbox_take(&heard->in); letter; letter = letter->next)
                n++;
        if (atomic_fetch_add(&heard->answers, n) + n == 8 * CROWD) /* they are gone from here on */
                sem_post(&heard->all);
}

/* A wake-up costs whoever asked a look at all of its connections; how many come together is the store's to say. */
TEST(where_many_wait_answers_come_together)
{
        static struct heard heard; /* who handed an answer over may still ring when another has taken it */
        struct store_move moves[8 * CROWD];
        const struct id id = order_new(PLATFORM_DUKKANGO, STATUS_ACCEPTED);

        inbox_init_wake(&heard.in, hear, &heard);
        sem_init(&heard.all, 0, 0);
        for (int i = 0; i < 8 * CROWD; i++) {
                moves[i] = (struct store_move){.job.access = trusted(world.restaurant),
                                               .job.reply = &heard.in,
                                               .order = id,
                                               .to = STATUS_READY,
                                               .by = ACTOR_RESTAURANT};
                store_move(world.store, &moves[i]);
        }
        store_kick(world.store);
        assert_int_equal(sem_wait(&heard.all), 0);
        assert_in_range(atomic_load(&heard.wakes), 1, 8 * CROWD / 3);
        sem_destroy(&heard.all);
}

static const struct CMUnitTest tests[] = {
        STORY(of_many_who_set_out_one_moves_the_order),
        STORY(of_many_who_delivered_one_moves_the_order),
        STORY(many_repeats_of_one_request_all_have_its_answer),
        STORY(of_many_who_bring_an_order_one_makes_it),
        STORY(of_many_who_want_a_target_one_has_it),
        STORY(of_two_firms_that_many_call_one_has_the_order),
        STORY(where_many_wait_answers_come_together),
};

extern const struct chapter crowd_chapter;
const struct chapter crowd_chapter = CHAPTER(tests);
