/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c - a locked list and an eventfd. */
#include "model/inbox.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void inbox_init_wake(struct inbox *in, void (*wake)(void *arg), void *arg)
{
        *in = (struct inbox){.wake = wake, .arg = arg, .fd = -1};
        in->last = &in->first;
        pthread_mutex_init(&in->lock, NULL);
}

static void wake_by_fd(void *arg)
{
        struct inbox *in = arg;

        /* Fails only when the counter is full, and then the owner is awake anyway. */
        (void)!eventfd_write(in->fd, 1);
}

enum err inbox_init(struct inbox *in, struct why *why)
{
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0)
                return FAIL(why, ERR_INTERNAL, "eventfd: %s", strerror(errno));
        inbox_init_wake(in, wake_by_fd, in);
        in->fd = fd;
        return ERR_OK;
}

void inbox_done(struct inbox *in)
{
        if (in->fd >= 0)
                close(in->fd);
        pthread_mutex_destroy(&in->lock);
}

void inbox_post(struct inbox *in, struct letter *letter)
{
        letter->next = NULL;
        pthread_mutex_lock(&in->lock);
        *in->last = letter;
        in->last = &letter->next;
        in->unheard = true;
        pthread_mutex_unlock(&in->lock);
}

void inbox_ring(struct inbox *in)
{
        bool wakes;

        pthread_mutex_lock(&in->lock);
        wakes = in->unheard && !in->rung;
        in->rung |= in->unheard;
        in->unheard = false;
        pthread_mutex_unlock(&in->lock);
        if (wakes)
                in->wake(in->arg);
}

void inbox_push(struct inbox *in, struct letter *letter)
{
        inbox_post(in, letter);
        inbox_ring(in);
}

struct letter *inbox_take(struct inbox *in)
{
        struct letter *first;
        eventfd_t count;

        if (in->fd >= 0)
                (void)!eventfd_read(in->fd, &count);
        pthread_mutex_lock(&in->lock);
        first = in->first;
        in->first = NULL;
        in->last = &in->first;
        in->unheard = in->rung = false;
        pthread_mutex_unlock(&in->lock);
        return first;
}

void inbox_run_only(struct inbox *in, void (*run)(struct letter *letter))
{
        for (struct letter *letter = inbox_take(in), *next; letter; letter = next) {
                next = letter->next;
                if (letter->run == run)
                        run(letter);
                else
                        inbox_push(in, letter);
        }
}

int inbox_run(struct inbox *in)
{
        int count = 0;

        for (struct letter *letter = inbox_take(in), *next; letter; letter = next, count++) {
                next = letter->next;
                letter->run(letter);
        }
        return count;
}
