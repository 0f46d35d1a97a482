/* SPDX-License-Identifier: Apache-2.0 */
/* resolver.c - a few threads in getaddrinfo, and the memory of what they found.
 *
 * getaddrinfo cannot be interrupted, so nobody may wait for a thread that stands in it: a stop detaches such a thread,
 * and the last user of the struct frees it, minutes later if need be. All else is under one lock, the handing out of
 * answers too: when resolver_stop() has returned, no inbox is touched any more. */
#include "server/resolver.h"

#include "model/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define NAMES_MAX 1024 /* a guess: platforms and couriers of one server are a few hundred hosts */
#define ANSWER_LIFE_MS 30000
#define REFUSAL_LIFE_MS 1000

/* What getaddrinfo said. */
struct found {
        int n;
        char addresses[RESOLVER_ADDRESSES_MAX][46];
        char trouble[96];
};

/* A name that was asked for. The hash keeps the order in which they came. */
struct name {
        char host[256];             /* the key, in lower case */
        bool asking;                /* in the queue or with a worker; must not be forgotten */
        struct resolution *waiting; /* borrowed from their senders, linked by `waiting` */
        int64_t until_ms;           /* CLOCK_BOOTTIME, once `asking` is over */
        struct found found;
        STAILQ_ENTRY(name) queued;
        UT_hash_handle hh;
};

struct worker {
        struct resolver *resolver;
        pthread_t thread;
        bool asking; /* stands in getaddrinfo */
        bool behind; /* stood there at the stop */
};

struct resolver {
        pthread_mutex_t lock;
        pthread_cond_t more;
        struct name *names; /* owned */
        STAILQ_HEAD(, name) queue;
        bool stopping;
        int users; /* the workers and the owner; the last one frees */
        int n_workers;
        struct worker workers[];
};

static void found_nothing(struct found *found, const char *trouble)
{
        found->n = 0;
        snprintf(found->trouble, sizeof found->trouble, "%s", trouble);
}

static void tell(struct resolution *r, const struct found *found)
{
        r->n = found->n;
        memcpy(r->addresses, found->addresses, sizeof r->addresses);
        memcpy(r->trouble, found->trouble, sizeof r->trouble);
}

/* Hands the answer to all who wait. Each letter may be gone as soon as it is pushed. */
static void tell_all(struct name *name)
{
        struct resolution *next;

        for (struct resolution *r = name->waiting; r; r = next) {
                next = r->waiting;
                tell(r, &name->found);
                inbox_push(r->reply, &r->letter);
        }
        name->waiting = NULL;
}

static void name_forget(struct resolver *resolver, struct name *name)
{
        HASH_DEL(resolver->names, name);
        free(name);
}

/* Makes room for one name, the oldest first; false when all of them are being asked for. */
static bool make_room(struct resolver *resolver)
{
        struct name *name, *next;

        if (HASH_COUNT(resolver->names) < NAMES_MAX)
                return true;
        HASH_ITER(hh, resolver->names, name, next) {
                if (!name->asking) {
                        name_forget(resolver, name);
                        return true;
                }
        }
        return false;
}

/* A new name in the queue; NULL without memory or room. */
static struct name *name_add(struct resolver *resolver, const char *host)
{
        struct name *name;

        if (!make_room(resolver))
                return NULL;
        name = calloc(1, sizeof *name);
        if (!name)
                return NULL;
        text_copy(name->host, sizeof name->host, host);
        HASH_ADD_STR(resolver->names, host, name);
        if (!name->hh.tbl) {
                free(name);
                return NULL;
        }
        name->asking = true;
        STAILQ_INSERT_TAIL(&resolver->queue, name, queued);
        pthread_cond_signal(&resolver->more);
        return name;
}

/* Asks the system, without the lock: this is where a thread may hang. */
static void look_up(const char *host, struct found *found)
{
        const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        int r = getaddrinfo(host, NULL, &hints, &list);

        if (r) {
                found_nothing(found, gai_strerror(r));
                return;
        }
        found_nothing(found, "no address that we can use");
        for (struct addrinfo *a = list; a && found->n < RESOLVER_ADDRESSES_MAX; a = a->ai_next) {
                const void *bytes = NULL;

                if (a->ai_family == AF_INET)
                        bytes = &((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr;
                else if (a->ai_family == AF_INET6)
                        bytes = &((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_addr;
                if (bytes && inet_ntop(a->ai_family, bytes, found->addresses[found->n], 46))
                        found->n++;
        }
        if (found->n)
                found->trouble[0] = '\0';
        freeaddrinfo(list);
}

/* Takes the lock, gives it up while the system is asked, and holds it again at the end. */
static void work_on(struct worker *w, struct name *name)
{
        struct resolver *resolver = w->resolver;
        struct found found = {0};
        char host[sizeof name->host];

        memcpy(host, name->host, sizeof host);
        w->asking = true;
        pthread_mutex_unlock(&resolver->lock);
        look_up(host, &found);
        pthread_mutex_lock(&resolver->lock);
        w->asking = false;
        if (resolver->stopping)
                return; /* `name` is gone, and whoever waited has been answered */
        name->found = found;
        name->asking = false;
        name->until_ms = time_boot_ms() + (found.n ? ANSWER_LIFE_MS : REFUSAL_LIFE_MS);
        tell_all(name);
}

/* Ends the use of the struct by one; called with the lock held. */
static void let_go(struct resolver *resolver)
{
        bool last = --resolver->users == 0;

        pthread_mutex_unlock(&resolver->lock);
        if (!last)
                return;
        pthread_cond_destroy(&resolver->more);
        pthread_mutex_destroy(&resolver->lock);
        free(resolver);
}

static void *worker_run(void *arg)
{
        struct worker *w = arg;
        struct resolver *resolver = w->resolver;
        struct name *name;
        sigset_t all;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
        pthread_setname_np(pthread_self(), "resolver");
        pthread_mutex_lock(&resolver->lock);
        while (!resolver->stopping) {
                name = STAILQ_FIRST(&resolver->queue);
                if (!name) {
                        pthread_cond_wait(&resolver->more, &resolver->lock);
                        continue;
                }
                STAILQ_REMOVE_HEAD(&resolver->queue, queued);
                work_on(w, name);
        }
        let_go(resolver);
        return NULL;
}

enum err resolver_start(int threads, struct resolver **ret, struct why *why)
{
        struct resolver *resolver = calloc(1, sizeof *resolver + (size_t)threads * sizeof(struct worker));

        if (!resolver)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the resolver");
        pthread_mutex_init(&resolver->lock, NULL);
        pthread_cond_init(&resolver->more, NULL);
        STAILQ_INIT(&resolver->queue);
        resolver->users = 1;
        for (int i = 0; i < threads; i++) {
                struct worker *w = &resolver->workers[i];
                int r;

                w->resolver = resolver;
                pthread_mutex_lock(&resolver->lock);
                r = pthread_create(&w->thread, NULL, worker_run, w);
                if (r == 0) {
                        resolver->users++;
                        resolver->n_workers++;
                }
                pthread_mutex_unlock(&resolver->lock);
                if (r) {
                        resolver_stop(resolver);
                        return FAIL(why, ERR_INTERNAL, "a resolver thread: %s", strerror(r));
                }
        }
        *ret = resolver;
        return ERR_OK;
}

/* An address is its own answer. */
static bool is_literal(struct resolution *r)
{
        uint8_t bytes[sizeof(struct in6_addr)];
        int family = inet_pton(AF_INET, r->host, bytes) == 1 ? AF_INET : AF_INET6;

        if (family == AF_INET6 && inet_pton(AF_INET6, r->host, bytes) != 1)
                return false;
        r->n = 1;
        r->trouble[0] = '\0';
        return inet_ntop(family, bytes, r->addresses[0], sizeof r->addresses[0]) != NULL;
}

/* resolver_ask() under the lock; `host` is in lower case. */
static bool ask(struct resolver *resolver, struct resolution *r, const char *host)
{
        struct name *name;

        HASH_FIND_STR(resolver->names, host, name);
        if (name && !name->asking && name->until_ms > time_boot_ms()) {
                tell(r, &name->found);
                return true;
        }
        if (name && !name->asking) {
                name_forget(resolver, name);
                name = NULL;
        }
        if (!name)
                name = name_add(resolver, host);
        if (!name) {
                r->n = 0;
                snprintf(r->trouble, sizeof r->trouble, "no room for another name");
                return true;
        }
        r->waiting = name->waiting;
        name->waiting = r;
        return false;
}

bool resolver_ask(struct resolver *resolver, struct resolution *r)
{
        char host[sizeof r->host];
        bool known;

        if (is_literal(r))
                return true;
        for (size_t i = 0; i < sizeof host; i++)
                host[i] = (char)tolower((unsigned char)r->host[i]);
        pthread_mutex_lock(&resolver->lock);
        known = ask(resolver, r, host);
        pthread_mutex_unlock(&resolver->lock);
        return known;
}

void resolver_stop(struct resolver *resolver)
{
        struct name *name, *next;

        if (!resolver)
                return;
        pthread_mutex_lock(&resolver->lock);
        resolver->stopping = true;
        pthread_cond_broadcast(&resolver->more);
        HASH_ITER(hh, resolver->names, name, next) {
                found_nothing(&name->found, "stopping");
                tell_all(name);
                name_forget(resolver, name);
        }
        for (int i = 0; i < resolver->n_workers; i++) {
                resolver->workers[i].behind = resolver->workers[i].asking;
                if (resolver->workers[i].behind)
                        pthread_detach(resolver->workers[i].thread);
        }
        pthread_mutex_unlock(&resolver->lock);
        for (int i = 0; i < resolver->n_workers; i++)
                if (!resolver->workers[i].behind)
                        pthread_join(resolver->workers[i].thread, NULL);
        pthread_mutex_lock(&resolver->lock);
        let_go(resolver);
}
