/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c - letters arrive once, in order, with one wake-up a round. */
#include "model/inbox.h"

#include "model/text.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>

struct note {
        struct letter letter; /* first, so that a letter is its note */
        int number;
        int sender;
};

static int heard[64];
static int n_heard;

static void hear(struct letter *letter)
{
        const struct note *note = (const struct note *)letter;

        heard[n_heard++] = note->number;
}

static int start_afresh(__attribute__((unused)) void **state)
{
        n_heard = 0;
        return 0;
}

static void write_notes(struct note *notes, int n)
{
        for (int i = 0; i < n; i++)
                notes[i] = (struct note){.letter = {.next = NULL, .run = hear}, .number = i};
}

static bool is_readable(const struct inbox *in)
{
        struct pollfd fd = {.fd = in->fd, .events = POLLIN};

        return poll(&fd, 1, 0) == 1;
}

static void count_wakes(void *arg)
{
        ++*(int *)arg;
}

TEST(letters_are_run_oldest_first)
{
        struct inbox in;
        struct note notes[5];

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        write_notes(notes, 5);
        for (int i = 0; i < 5; i++)
                inbox_post(&in, &notes[i].letter);
        assert_int_equal(inbox_run(&in), 5);
        assert_int_equal(n_heard, 5);
        for (int i = 0; i < 5; i++)
                assert_int_equal(heard[i], i);
        assert_int_equal(inbox_run(&in), 0);
        inbox_done(&in);
}

TEST(a_letter_that_was_in_a_list_before_goes_in_alone)
{
        struct inbox in;
        struct note notes[2];

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        write_notes(notes, 2);
        notes[0].letter.next = &notes[1].letter;
        inbox_post(&in, &notes[0].letter);
        assert_int_equal(inbox_run(&in), 1);
        inbox_done(&in);
}

TEST(taking_hands_over_the_list_and_leaves_nothing)
{
        struct inbox in;
        struct note notes[2];
        struct letter *first;

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        assert_null(inbox_take(&in));
        write_notes(notes, 2);
        inbox_post(&in, &notes[0].letter);
        inbox_post(&in, &notes[1].letter);
        first = inbox_take(&in);
        assert_ptr_equal(first, &notes[0].letter);
        assert_ptr_equal(first->next, &notes[1].letter);
        assert_null(first->next->next);
        assert_null(inbox_take(&in));
        inbox_post(&in, &notes[1].letter);
        assert_ptr_equal(inbox_take(&in), &notes[1].letter);
        inbox_done(&in);
}

TEST(posting_wakes_nobody_and_ringing_wakes_by_the_descriptor)
{
        struct inbox in;
        struct note notes[2];

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        assert_true(in.fd >= 0);
        write_notes(notes, 2);
        inbox_post(&in, &notes[0].letter);
        inbox_post(&in, &notes[1].letter);
        assert_false(is_readable(&in));
        inbox_ring(&in);
        assert_true(is_readable(&in));
        assert_int_equal(inbox_run(&in), 2);
        assert_false(is_readable(&in));
        inbox_push(&in, &notes[0].letter);
        assert_true(is_readable(&in));
        assert_non_null(inbox_take(&in));
        assert_false(is_readable(&in));
        inbox_done(&in);
}

TEST(a_round_of_letters_is_one_wake_up)
{
        struct inbox in;
        struct note notes[3];
        int wakes = 0;

        inbox_init_wake(&in, count_wakes, &wakes);
        assert_true(in.fd < 0);
        write_notes(notes, 3);
        inbox_ring(&in);
        assert_int_equal(wakes, 0);
        for (int i = 0; i < 3; i++)
                inbox_post(&in, &notes[i].letter);
        assert_int_equal(wakes, 0);
        inbox_ring(&in);
        inbox_ring(&in);
        assert_int_equal(wakes, 1);
        assert_int_equal(inbox_run(&in), 3);
        inbox_push(&in, &notes[0].letter);
        assert_int_equal(wakes, 2);
        assert_int_equal(inbox_run(&in), 1);
        inbox_done(&in);
}

TEST(what_was_taken_already_wakes_nobody)
{
        struct inbox in;
        struct note note;
        int wakes = 0;

        inbox_init_wake(&in, count_wakes, &wakes);
        write_notes(&note, 1);
        inbox_post(&in, &note.letter);
        assert_int_equal(inbox_run(&in), 1);
        inbox_ring(&in);
        assert_int_equal(wakes, 0);
        inbox_done(&in);
}

static void hear_and_free(struct letter *letter)
{
        hear(letter);
        free(letter);
}

TEST(a_letter_may_free_what_it_stands_in)
{
        struct inbox in;

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        for (int i = 0; i < 3; i++) {
                struct note *note = calloc(1, sizeof *note);

                assert_non_null(note);
                note->letter.run = hear_and_free;
                note->number = i;
                inbox_post(&in, &note->letter);
        }
        assert_int_equal(inbox_run(&in), 3);
        assert_int_equal(heard[2], 2);
        inbox_done(&in);
}

static struct inbox *answers;

static void answer(struct letter *letter)
{
        letter->run = hear;
        inbox_push(answers, letter);
}

TEST(a_letter_posted_while_others_run_waits_for_the_next_round)
{
        struct inbox in;
        struct note notes[2];

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        answers = &in;
        write_notes(notes, 2);
        notes[0].letter.run = answer;
        inbox_push(&in, &notes[0].letter);
        inbox_push(&in, &notes[1].letter);
        assert_int_equal(inbox_run(&in), 2);
        assert_int_equal(n_heard, 1);
        assert_true(is_readable(&in));
        assert_int_equal(inbox_run(&in), 1);
        assert_int_equal(heard[1], 0);
        inbox_done(&in);
}

TEST(at_the_end_the_descriptor_is_given_back)
{
        struct inbox in;
        int fd;

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        fd = in.fd;
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        inbox_done(&in);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void hear_loudly(struct letter *letter)
{
        heard[n_heard++] = 100 + ((const struct note *)letter)->number;
}

TEST(some_letters_are_run_and_the_others_stay)
{
        struct note notes[5];
        struct inbox in;

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        write_notes(notes, 5);
        notes[1].letter.run = notes[4].letter.run = hear_loudly;
        for (int i = 0; i < 5; i++)
                inbox_push(&in, &notes[i].letter);
        inbox_run_only(&in, hear_loudly);
        assert_int_equal(n_heard, 2);
        assert_int_equal(inbox_run(&in), 3);
        for (int i = 0; i < 5; i++)
                assert_int_equal(heard[i], ((const int[]){101, 104, 0, 2, 3})[i]);
        inbox_done(&in);
}

TEST(letters_still_inside_at_the_end_are_their_senders)
{
        struct inbox in;
        struct note *note = calloc(1, sizeof *note);

        assert_non_null(note);
        note->letter.run = hear;
        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        inbox_push(&in, &note->letter);
        inbox_done(&in);
        assert_int_equal(n_heard, 0);
        free(note);
}

TEST(without_a_descriptor_left_there_is_no_inbox)
{
        struct inbox in;
        struct why why = {0};
        struct rlimit before, none;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_int_equal(inbox_init(&in, &why), ERR_INTERNAL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(why.text[0] != '\0');
}

/* ---- many senders, one receiver that sleeps between rounds ---- */

#define SENDERS 4
#define LETTERS 2000

struct sender {
        struct inbox *in;
        struct note *notes;
};

static int next_of[SENDERS];
static bool out_of_order;

static void check_order(struct letter *letter)
{
        const struct note *note = (const struct note *)letter;

        if (note->number != next_of[note->sender]++)
                out_of_order = true;
}

static void *send_all(void *arg)
{
        const struct sender *sender = arg;

        /* Rounds of one to three letters. */
        for (int i = 0, n = 1; i < LETTERS; n = n % 3 + 1) {
                for (int end = i + n; i < end && i < LETTERS; i++)
                        inbox_post(sender->in, &sender->notes[i].letter);
                inbox_ring(sender->in);
        }
        return NULL;
}

TEST(no_letter_of_many_senders_is_lost_or_overtakes_another)
{
        static struct note notes[SENDERS][LETTERS];
        struct sender senders[SENDERS];
        pthread_t threads[SENDERS];
        struct inbox in;
        int arrived = 0;

        assert_int_equal(inbox_init(&in, NULL), ERR_OK);
        for (int s = 0; s < SENDERS; s++) {
                for (int i = 0; i < LETTERS; i++)
                        notes[s][i] = (struct note){.letter = {.run = check_order}, .number = i, .sender = s};
                senders[s] = (struct sender){.in = &in, .notes = notes[s]};
                assert_int_equal(pthread_create(&threads[s], NULL, send_all, &senders[s]), 0);
        }
        while (arrived < SENDERS * LETTERS) {
                struct pollfd fd = {.fd = in.fd, .events = POLLIN};

                /* A wake-up that never comes fails here instead of hanging. */
                assert_int_equal(poll(&fd, 1, 30000), 1);
                arrived += inbox_run(&in);
        }
        for (int s = 0; s < SENDERS; s++)
                assert_int_equal(pthread_join(threads[s], NULL), 0);
        assert_false(out_of_order);
        assert_null(inbox_take(&in));
        inbox_done(&in);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(letters_are_run_oldest_first, start_afresh),
                cmocka_unit_test_setup(a_letter_that_was_in_a_list_before_goes_in_alone, start_afresh),
                cmocka_unit_test_setup(taking_hands_over_the_list_and_leaves_nothing, start_afresh),
                cmocka_unit_test_setup(posting_wakes_nobody_and_ringing_wakes_by_the_descriptor,
                                       start_afresh),
                cmocka_unit_test_setup(a_round_of_letters_is_one_wake_up, start_afresh),
                cmocka_unit_test_setup(what_was_taken_already_wakes_nobody, start_afresh),
                cmocka_unit_test_setup(a_letter_may_free_what_it_stands_in, start_afresh),
                cmocka_unit_test_setup(a_letter_posted_while_others_run_waits_for_the_next_round,
                                       start_afresh),
                cmocka_unit_test_setup(at_the_end_the_descriptor_is_given_back, start_afresh),
                cmocka_unit_test_setup(some_letters_are_run_and_the_others_stay, start_afresh),
                cmocka_unit_test_setup(letters_still_inside_at_the_end_are_their_senders, start_afresh),
                cmocka_unit_test_setup(without_a_descriptor_left_there_is_no_inbox, start_afresh),
                cmocka_unit_test_setup(no_letter_of_many_senders_is_lost_or_overtakes_another, start_afresh),
        };

        return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
