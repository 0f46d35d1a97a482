/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - a DNS for tests: our getaddrinfo takes the C library's place in the program that includes this, once.
 *
 * libcurl would find it too, so `asked` also proves that nobody but the resolver asks. Known are platform.test
 * (127.0.0.1), two.test (127.0.0.2, then 127.0.0.1), n<number>.test and turn.test (127.0.0.1 when it is asked for the
 * first time, then 127.0.0.2; with the dot at its end it is another name to who remembers it); hang*.test hangs while names are held,
 * and is not there; everything else does not exist, or is not answered for while DNS is away. */
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool held;
        int hanging; /* threads that hang now */
        int asked;   /* questions so far */
        bool turned;
        bool away;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* From now on hang*.test hangs. */
static inline void names_hold(void)
{
        pthread_mutex_lock(&names.lock);
        names.held = true;
        pthread_mutex_unlock(&names.lock);
}

/* Waits until `n` threads hang. */
static inline void names_await_hanging(int n)
{
        pthread_mutex_lock(&names.lock);
        while (names.hanging < n)
                pthread_cond_wait(&names.changed, &names.lock);
        pthread_mutex_unlock(&names.lock);
}

/* Lets go of all that hang and waits until they are gone. */
static inline void names_release(void)
{
        pthread_mutex_lock(&names.lock);
        names.held = false;
        pthread_cond_broadcast(&names.changed);
        while (names.hanging > 0)
                pthread_cond_wait(&names.changed, &names.lock);
        pthread_mutex_unlock(&names.lock);
}

/* turn.test is asked for the first time again. */
static inline void names_turn_back(void)
{
        pthread_mutex_lock(&names.lock);
        names.turned = false;
        pthread_mutex_unlock(&names.lock);
}

/* From now on DNS does, or does not answer. */
static inline void names_away(bool away)
{
        pthread_mutex_lock(&names.lock);
        names.away = away;
        pthread_mutex_unlock(&names.lock);
}

/* How many questions were asked so far. */
static inline int names_asked(void)
{
        int asked;

        pthread_mutex_lock(&names.lock);
        asked = names.asked;
        pthread_mutex_unlock(&names.lock);
        return asked;
}

/* One more address in front of `next`. */
static inline struct addrinfo *names_entry(const char *address, struct addrinfo *next)
{
        struct addrinfo *entry = calloc(1, sizeof *entry);
        struct sockaddr_in *in = calloc(1, sizeof *in);

        if (!entry || !in)
                abort();
        in->sin_family = AF_INET;
        inet_pton(AF_INET, address, &in->sin_addr);
        *entry = (struct addrinfo){.ai_family = AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_addrlen = sizeof *in,
                                   .ai_addr = (struct sockaddr *)(void *)in,
                                   .ai_next = next};
        return entry;
}

/* As the C library does it, for the names above. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
        bool numbered = name[0] == 'n' && name[1] >= '0' && name[1] <= '9', turned, away;

        (void)service, (void)hints;
        pthread_mutex_lock(&names.lock);
        names.asked++;
        if (strncmp(name, "hang", 4) == 0) {
                names.hanging++;
                pthread_cond_broadcast(&names.changed);
                while (names.held)
                        pthread_cond_wait(&names.changed, &names.lock);
                names.hanging--;
                pthread_cond_broadcast(&names.changed);
        }
        turned = names.turned;
        away = names.away;
        names.turned |= !away && strncmp(name, "turn.", 5) == 0;
        pthread_mutex_unlock(&names.lock);
        if (away)
                return EAI_AGAIN;
        if (strncmp(name, "turn.", 5) == 0)
                *ret = names_entry(turned ? "127.0.0.2" : "127.0.0.1", NULL);
        else if (strncmp(name, "two.", 4) == 0)
                *ret = names_entry("127.0.0.2", names_entry("127.0.0.1", NULL));
        else if (numbered || strncmp(name, "platform.", 9) == 0)
                *ret = names_entry("127.0.0.1", NULL);
        else
                return EAI_NONAME;
        return 0;
}

/* For what the above made. */
void freeaddrinfo(struct addrinfo *list)
{
        struct addrinfo *next;

        for (; list; list = next) {
                next = list->ai_next;
                free(list->ai_addr);
                free(list);
        }
}
