/* SPDX-License-Identifier: Apache-2.0 */
/* resolver.c - a few threads in getaddrinfo, and the memory of what they found.
 *
 * getaddrinfo cannot be interrupted, so nobody waits for a thread that stands in it: threads begin where a name waits,
 * end where none does, and are never joined; the last user of the struct frees it, minutes after the stop if need be.
 * All else is under one lock, the handing out of answers too: when resolver_stop() has returned, no inbox is touched. */
#include "server/resolver.h"

#include "model/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define NAMES_MAX 512 /* of strangers, and of ours; a guess: couriers of one server are a few hundred hosts */
#define ANSWER_LIFE_MS 30000
#define REFUSAL_LIFE_MS 1000
#define EAGER_LIFE_MS 60000  /* beyond its life, told while a newer one is asked for; a guess */
#define STALE_LIFE_MS 600000 /* likewise, where DNS does not answer; as long as a connection is kept */

/* What getaddrinfo said. */
struct found {
        int n;
        char addresses[RESOLVER_ADDRESSES_MAX][46];
        char trouble[96];
};

/* A name that was asked for. */
struct name {
        char host[256]; /* in lower case */
        bool guarded;   /* nobody but strangers gave it */
        enum state { QUEUED, ASKED, KNOWN } state;
        struct resolution *waiting; /* borrowed from their senders, linked by `waiting` */
        int64_t until_ms;           /* CLOCK_BOOTTIME, once it is known: then it is asked for again */
        int64_t eager_ms; /* CLOCK_BOOTTIME: until then what was found is told while it is asked for */
        int64_t stale_ms; /* CLOCK_BOOTTIME: until then it stands where DNS does not answer */
        struct found found;
        TAILQ_ENTRY(name) entry;
};

struct resolver {
        pthread_mutex_t lock;
        TAILQ_HEAD(, name) names; /* owned; the oldest first */
        int n_names[2];           /* by `guarded` */
        int threads_max;
        int strangers; /* threads that ask for a guarded one */
        int users;     /* the threads and the owner; the last one frees */
        bool stopping;
};

static void found_nothing(struct found *found, const char *trouble)
{
        found->n = 0;
        text_copy(found->trouble, sizeof found->trouble, trouble);
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
        for (struct resolution *r = name->waiting, *next; r; r = next) {
                next = r->waiting;
                tell(r, &name->found);
                inbox_push(r->reply, &r->letter);
        }
        name->waiting = NULL;
}

static void name_forget(struct resolver *resolver, struct name *name)
{
        TAILQ_REMOVE(&resolver->names, name, entry);
        resolver->n_names[name->guarded]--;
        free(name);
}

/* The oldest name of its kind in that state; NULL: none. */
static struct name *find_state(const struct resolver *resolver, enum state state, bool guarded)
{
        struct name *name;

        TAILQ_FOREACH(name, &resolver->names, entry)
                if (name->state == state && name->guarded == guarded)
                        return name;
        return NULL;
}

/* Half of the threads, where there are more than one, stay free of names that strangers gave. */
static struct name *find_next(const struct resolver *resolver)
{
        struct name *name = find_state(resolver, QUEUED, false);

        if (name || (resolver->strangers > 0 && resolver->strangers >= resolver->threads_max / 2))
                return name;
        return find_state(resolver, QUEUED, true);
}

/* Asks the system, without the lock: this is where a thread may hang. True where the answer is definite. */
static bool look_up(const char *host, struct found *found)
{
        const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        int r = getaddrinfo(host, NULL, &hints, &list);

        found_nothing(found, r ? gai_strerror(r) : "no address that we can use");
        for (struct addrinfo *a = list; a && found->n < RESOLVER_ADDRESSES_MAX; a = a->ai_next)
                if (getnameinfo(a->ai_addr, a->ai_addrlen, found->addresses[found->n],
                                sizeof found->addresses[0], NULL, 0, NI_NUMERICHOST) == 0)
                        found->n++;
        if (list)
                freeaddrinfo(list);
        return r == 0 || r == EAI_NONAME || r == EAI_NODATA;
}

static void learn(struct name *name, const struct found *found, bool definite)
{
        const int64_t now_ms = time_boot_ms();

        name->until_ms = now_ms + (found->n ? ANSWER_LIFE_MS : REFUSAL_LIFE_MS);
        if (definite || name->stale_ms <= now_ms) {
                name->found = *found;
                name->stale_ms = found->n ? name->until_ms + STALE_LIFE_MS : 0;
                name->eager_ms = found->n ? name->until_ms + EAGER_LIFE_MS : 0;
        } else {
                name->eager_ms = name->stale_ms;
        }
        name->state = KNOWN;
}

/* Takes the lock, gives it up while the system is asked, and holds it again at the end. */
static void work_on(struct resolver *resolver, struct name *name)
{
        struct found found = {0};
        const bool guarded = name->guarded;
        char host[sizeof name->host];
        bool definite;

        memcpy(host, name->host, sizeof host);
        name->state = ASKED;
        resolver->strangers += guarded;
        pthread_mutex_unlock(&resolver->lock);
        definite = look_up(host, &found);
        pthread_mutex_lock(&resolver->lock);
        resolver->strangers -= guarded;
        if (resolver->stopping)
                return; /* `name` is gone, and whoever waited has been answered */
        learn(name, &found, definite);
        tell_all(name);
}

/* Ends the use of the struct by one, and with it the lock. */
static void let_go(struct resolver *resolver)
{
        bool last = --resolver->users == 0;

        pthread_mutex_unlock(&resolver->lock);
        if (!last)
                return;
        pthread_mutex_destroy(&resolver->lock);
        free(resolver);
}

static void *run(void *arg)
{
        struct resolver *resolver = arg;
        struct name *name;

        pthread_setname_np(pthread_self(), "resolver");
        pthread_mutex_lock(&resolver->lock);
        while ((name = find_next(resolver)))
                work_on(resolver, name);
        let_go(resolver);
        return NULL;
}

/* Sees to it that somebody works: those that run are all busy, or they would have ended. */
static bool need_thread(struct resolver *resolver)
{
        pthread_t thread;

        if (resolver->users <= resolver->threads_max && pthread_create(&thread, NULL, run, resolver) == 0) {
                pthread_detach(thread);
                resolver->users++;
        }
        return resolver->users > 1;
}

/* A new name in the queue; NULL without memory or room: all the others of its kind are being asked for. */
static struct name *name_add(struct resolver *resolver, const char *host, bool guarded)
{
        const bool full = resolver->n_names[guarded] >= NAMES_MAX;
        struct name *known = full ? find_state(resolver, KNOWN, guarded) : NULL;
        struct name *name;

        if (known)
                name_forget(resolver, known);
        if ((full && !known) || !need_thread(resolver))
                return NULL;
        name = calloc(1, sizeof *name);
        if (!name)
                return NULL;
        text_copy(name->host, sizeof name->host, host);
        name->guarded = guarded;
        TAILQ_INSERT_TAIL(&resolver->names, name, entry);
        resolver->n_names[guarded]++;
        return name;
}

enum err resolver_start(int threads, struct resolver **ret, struct why *why)
{
        struct resolver *resolver = calloc(1, sizeof *resolver);

        if (!resolver)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the resolver");
        pthread_mutex_init(&resolver->lock, NULL);
        TAILQ_INIT(&resolver->names);
        resolver->threads_max = threads;
        resolver->users = 1;
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

/* The name, queued where it must be asked for; NULL where there is no room. */
static struct name *name_need(struct resolver *resolver, const char *host, bool guarded)
{
        struct name *name;

        TAILQ_FOREACH(name, &resolver->names, entry)
                if (streq(name->host, host))
                        break;
        if (!name)
                return name_add(resolver, host, guarded);
        if (name->guarded && !guarded) {
                name->guarded = false;
                resolver->n_names[true]--;
                resolver->n_names[false]++;
        }
        if (name->state == KNOWN && name->until_ms <= time_boot_ms() && need_thread(resolver))
                name->state = QUEUED;
        return name;
}

/* resolver_ask() under the lock; `host` is in lower case. */
static bool ask(struct resolver *resolver, struct resolution *r, const char *host)
{
        struct name *name = name_need(resolver, host, r->guarded);

        if (!name) {
                tell(r, &(struct found){.trouble = "no room for another name"});
                return true;
        }
        if (name->state == KNOWN || name->eager_ms > time_boot_ms()) {
                tell(r, &name->found);
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
        struct name *name;

        if (!resolver)
                return;
        pthread_mutex_lock(&resolver->lock);
        resolver->stopping = true;
        while ((name = TAILQ_FIRST(&resolver->names))) {
                found_nothing(&name->found, "stopping");
                tell_all(name);
                name_forget(resolver, name);
        }
        let_go(resolver);
}
