/* SPDX-License-Identifier: Apache-2.0 */
/* hub.c - the thread, and who watches: coming, pinged, closing, gone.
 *
 * A watcher stands in exactly one queue, oldest first, which makes every deadline a look at the queue's head: `watchers`
 * until its next ping, `closing` until nobody waits for its close any more, `ended` until the round is over, because its
 * socket may still stand among the events of this round, and until no job is under way for it. */
#include "server/hub_private.h"

#include "model/clean.h"
#include "model/event.h"
#include "model/restaurant.h"
#include "server/http.h"
#include "server/metrics.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define ROUND_MAX_MS 1000 /* hub_pulse_ms() promises it */
#define SCREENS_MAX 500   /* of a restaurant, and of who shares its hash; a guess */
#define CLOSE_MS 5000     /* for the other side's close; a guess */
#define DRAIN_MS 1500     /* the same when the server stops; within its own time for that */
#define SEND_BYTES \
        65536        /* in the kernel, for each watcher: the rest waits here, where it is counted; a guess */
#define BEATS_MAX 64 /* pings of one round, so that ten thousand do not stop the news; a guess */

/* --- rooms --- */

struct room *room_find(struct hub *hub, const struct id *restaurant)
{
        struct room *room;

        HASH_FIND(hh, hub->rooms, restaurant, sizeof *restaurant, room);
        return room;
}

/* Of an id's random bytes. */
static atomic_uint *watched_of(struct hub *hub, const struct id *restaurant)
{
        const uint8_t *last = restaurant->bytes + sizeof restaurant->bytes - 2;

        return &hub->watched[(size_t)(last[0] << 8 | last[1]) % WATCHED_SIZE];
}

static struct room *room_make(struct hub *hub, const struct id *restaurant)
{
        struct room *room = calloc(1, sizeof *room);

        if (!room)
                return NULL;
        room->restaurant = *restaurant;
        HASH_ADD(hh, hub->rooms, restaurant, sizeof room->restaurant, room);
        if (!room->hh.tbl) {
                free(room);
                return NULL;
        }
        feed_room(hub);
        return room;
}

static void room_leave(struct watcher *w)
{
        struct room *room = TAKE(w->room);

        if (!room)
                return;
        LIST_REMOVE(w, in_room);
        room->n--;
        atomic_fetch_sub(watched_of(w->hub, &room->restaurant), 1);
        metrics_watchers(-1);
}

void room_close(struct room *room, const char *reason)
{
        struct watcher *next;

        for (struct watcher *w = LIST_FIRST(&room->watchers); w; w = next) {
                next = LIST_NEXT(w, in_room);
                metrics_watcher_lost(LOST_STORE);
                watcher_close(w, WIRE_TRY_AGAIN, reason, /* drops= */ false);
        }
}

/* --- the end of a watcher --- */

static struct watcher_queue *queue_of(struct watcher *w)
{
        return w->has_ended ? &w->hub->ended : w->is_closing ? &w->hub->closing : &w->hub->watchers;
}

static void watcher_end(struct watcher *w)
{
        struct hub *hub = w->hub;

        TAILQ_REMOVE(queue_of(w), w, in_queue);
        w->has_ended = w->is_closing = true;
        TAILQ_INSERT_TAIL(&hub->ended, w, in_queue);
        room_leave(w);
        epoll_ctl(hub->epoll, EPOLL_CTL_DEL, w->wire.fd, NULL);
        wire_done(&w->wire);
        http_give_back(hub->http, w->lent);
}

static void watcher_free(struct watcher *w)
{
        TAILQ_REMOVE(&w->hub->ended, w, in_queue);
        catchup_end(w);
        free(w);
}

/* After the round's last event: those for whom nothing is under way, and the rooms that they left. */
static void bury(struct hub *hub)
{
        struct watcher *next;
        struct room *room;

        for (struct watcher *w = TAILQ_FIRST(&hub->ended); w; w = next) {
                next = TAILQ_NEXT(w, in_queue);
                room = room_find(hub, &w->admittance.restaurant);
                if (room && room->n == 0) {
                        HASH_DEL(hub->rooms, room);
                        free(room);
                }
                if (w->jobs == 0)
                        watcher_free(w);
        }
        if (!hub->rooms)
                feed_forget(hub, /* all= */ true);
}

void watcher_settle(struct watcher *w)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

        if (w->has_ended)
                return;
        if (wire_is_over(&w->wire)) {
                watcher_end(w);
                return;
        }
        if (!w->is_closing && wire_is_closing(&w->wire)) {
                TAILQ_REMOVE(queue_of(w), w, in_queue);
                w->is_closing = true;
                w->since_ms = w->hub->now_ms;
                TAILQ_INSERT_TAIL(queue_of(w), w, in_queue);
                room_leave(w);
        }
        if (wire_is_full(&w->wire) == w->wants_out)
                return;
        w->wants_out = !w->wants_out;
        event.events |= w->wants_out ? (uint32_t)EPOLLOUT : 0;
        if (epoll_ctl(w->hub->epoll, EPOLL_CTL_MOD, w->wire.fd, &event) != 0)
                watcher_end(w);
}

void watcher_close(struct watcher *w, enum wire_code code, const char *reason, bool drops)
{
        if (w->has_ended)
                return;
        wire_close(&w->wire, code, reason, drops);
        watcher_settle(w);
}

bool watcher_resume(struct watcher *w)
{
        w->jobs--;
        return !w->has_ended; /* else bury() finds it */
}

/* --- its coming --- */

static bool say_hello(struct watcher *w)
{
        CLEAN(free_at) char *text = event_hello(store_now(w->hub->store));
        struct frame *frame = text ? frame_new(text) : NULL;

        if (!frame)
                return false;
        wire_send(&w->wire, frame);
        frame_drop(frame);
        return true;
}

/* Into its room first, so that nothing passes between its hello and what it then hears. */
static bool welcome(struct watcher *w)
{
        struct hub *hub = w->hub;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};
        struct room *room = room_find(hub, &w->admittance.restaurant);

        if (!room)
                room = room_make(hub, &w->admittance.restaurant);
        if (!room || epoll_ctl(hub->epoll, EPOLL_CTL_ADD, w->wire.fd, &event) != 0)
                return false;
        w->room = room;
        LIST_INSERT_HEAD(&room->watchers, w, in_room);
        room->n++;
        atomic_fetch_add(watched_of(hub, &room->restaurant), 1);
        metrics_watchers(1);
        return say_hello(w) && (!w->admittance.has_since || catchup_begin(w, w->admittance.since_ms));
}

static void arrive(struct letter *letter)
{
        struct watcher *w = (struct watcher *)letter;
        struct hub *hub = w->hub;

        w->since_ms = hub->now_ms;
        TAILQ_INSERT_TAIL(&hub->watchers, w, in_queue);
        if (hub->is_stopping || !welcome(w)) {
                watcher_end(w);
                return;
        }
        wire_read(&w->wire); /* what came with the handshake */
        watcher_settle(w);
        if (hub->is_draining)
                watcher_close(w, WIRE_GOING_AWAY, "the server stops", /* drops= */ false);
}

bool hub_is_crowded(struct hub *hub, const struct id *restaurant)
{
        return atomic_load(watched_of(hub, restaurant)) >= SCREENS_MAX;
}

void hub_admit(struct hub *hub, const struct admittance *admittance, struct lent *lent)
{
        const int no_delay = 1, send_bytes = SEND_BYTES;
        struct watcher *w = calloc(1, sizeof *w);

        if (!w ||
            wire_init(&w->wire, lent->fd, lent->early, lent->n_early, &hub->queued_bytes, NULL) != ERR_OK) {
                free(w);
                http_give_back(hub->http, lent);
                return;
        }
        /* Without them it is slower, or holds more. */
        setsockopt(lent->fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
        setsockopt(lent->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
        w->letter.run = arrive;
        w->hub = hub;
        w->lent = lent;
        w->admittance = *admittance;
        inbox_push(&hub->in, &w->letter);
}

/* --- pings, and whether the token is still good --- */

struct recheck {
        struct store_get get;
        struct watcher *watcher;
};

static void rechecked(struct letter *letter)
{
        struct recheck *recheck = (struct recheck *)letter;
        struct store_get *get = &recheck->get;
        const bool is_gone =
                get->job.err == ERR_NOT_FOUND ||
                (get->job.err == ERR_OK && (!get->record.document || !restaurant_is_active(&get->owner)));

        if (watcher_resume(recheck->watcher) && is_gone)
                watcher_close(recheck->watcher, WIRE_POLICY, "the token is not good any more",
                              /* drops= */ true);
        store_get_done(get);
        free(recheck);
}

static void recheck(struct watcher *w)
{
        struct recheck *made = calloc(1, sizeof *made);

        if (!made)
                return;
        made->watcher = w;
        made->get = (struct store_get){.job = {.letter.run = rechecked,
                                               .reply = &w->hub->in,
                                               .access = {.restaurant = w->admittance.restaurant}},
                                       .kind = RECORD_TOKEN};
        id_write(&w->admittance.token, made->get.id);
        w->jobs++;
        store_get(w->hub->store, &made->get);
}

/* Who has said nothing since the last ping, no pong either, is not there any more. */
static void beat(struct watcher *w)
{
        struct hub *hub = w->hub;

        if (!w->wire.is_heard) {
                metrics_watcher_lost(LOST_DEAD);
                watcher_end(w);
                return;
        }
        TAILQ_REMOVE(&hub->watchers, w, in_queue);
        w->since_ms = hub->now_ms;
        TAILQ_INSERT_TAIL(&hub->watchers, w, in_queue);
        w->wire.is_heard = false;
        wire_ping(&w->wire);
        watcher_settle(w);
        if (!w->is_closing)
                recheck(w);
}

/* --- the thread --- */

static int64_t close_ms(const struct hub *hub)
{
        return hub->is_draining ? DRAIN_MS : CLOSE_MS;
}

static int wait_ms(struct hub *hub)
{
        const struct watcher *pinged = TAILQ_FIRST(&hub->watchers), *closing = TAILQ_FIRST(&hub->closing);
        int64_t until = MIN(hub->now_ms + ROUND_MAX_MS, feed_poll(hub));

        store_kick(hub->store);
        if (pinged)
                until = MIN(until, pinged->since_ms + hub->options.ping_ms);
        if (closing)
                until = MIN(until, closing->since_ms + close_ms(hub));
        return (int)MAX(until - hub->now_ms, 0);
}

static void on_event(struct watcher *w, uint32_t events)
{
        if (w->has_ended)
                return;
        if (events & EPOLLOUT)
                wire_write(&w->wire);
        if (events & ~(uint32_t)EPOLLOUT)
                wire_read(&w->wire);
        watcher_settle(w);
        if (!w->has_ended)
                catchup_step(w);
}

static void everybody(struct hub *hub, enum wire_code code, const char *reason)
{
        struct watcher *next;

        for (struct watcher *w = TAILQ_FIRST(&hub->watchers); w; w = next) {
                next = TAILQ_NEXT(w, in_queue);
                watcher_close(w, code, reason, /* drops= */ false);
        }
}

static void expire(struct hub *hub)
{
        struct watcher *w;

        for (int i = 0; i < BEATS_MAX && (w = TAILQ_FIRST(&hub->watchers)) &&
                        hub->now_ms - w->since_ms >= hub->options.ping_ms;
             i++)
                beat(w);
        while ((w = TAILQ_FIRST(&hub->closing)) && hub->now_ms - w->since_ms >= close_ms(hub))
                watcher_end(w);
        if (atomic_exchange(&hub->has_lost, false))
                everybody(hub, WIRE_TRY_AGAIN, "out of memory");
        catchup_next(hub);
        feed_forget(hub, /* all= */ false);
}

static void *go_round(void *arg)
{
        struct hub *hub = arg;
        struct epoll_event events[EVENTS_MAX];

        while (!hub->is_stopping) {
                int n = epoll_wait(hub->epoll, events, EVENTS_MAX, wait_ms(hub));

                hub->now_ms = time_boot_ms();
                atomic_store(&hub->pulse_ms, hub->now_ms);
                for (int i = 0; i < n; i++)
                        if (events[i].data.ptr)
                                on_event(events[i].data.ptr, events[i].events);
                inbox_run(&hub->in);
                expire(hub);
                bury(hub);
        }
        return NULL;
}

/* --- hints --- */

struct hint {
        struct letter letter;
        struct hub *hub;
        struct change change;
};

static void hinted(struct letter *letter)
{
        struct hint *hint = (struct hint *)letter;

        if (!hint->hub->is_stopping)
                feed_changed(hint->hub, &hint->change);
        free(hint);
}

void hub_hint(struct hub *hub, const struct change *change)
{
        struct hint *hint;

        if (!id_is_zero(&change->order) && atomic_load(watched_of(hub, &change->restaurant)) == 0)
                return;
        hint = calloc(1, sizeof *hint);
        if (!hint) { /* it is not known what for: everybody comes back */
                atomic_store(&hub->has_lost, true);
                return;
        }
        *hint = (struct hint){.letter.run = hinted, .hub = hub, .change = *change};
        inbox_post(&hub->in, &hint->letter);
}

void hub_ring(struct hub *hub)
{
        inbox_ring(&hub->in);
}

/* --- its life --- */

static void drain(struct letter *letter)
{
        struct hub *hub = (struct hub *)((char *)letter - offsetof(struct hub, drain));

        hub->is_draining = true;
        everybody(hub, WIRE_GOING_AWAY, "the server stops");
}

static void stop(struct letter *letter)
{
        struct hub *hub = (struct hub *)((char *)letter - offsetof(struct hub, stop));
        struct watcher *w;

        hub->is_stopping = true;
        while ((w = TAILQ_FIRST(&hub->watchers)) || (w = TAILQ_FIRST(&hub->closing)))
                watcher_end(w);
}

enum err hub_new(const struct hub_options *options, struct hub **ret, struct why *why)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        struct hub *hub = calloc(1, sizeof *hub);
        enum err e = hub ? inbox_init(&hub->in, why) : FAIL(why, ERR_NO_MEMORY, "no memory for a hub");

        if (e) {
                free(hub);
                return e;
        }
        hub->options = *options;
        hub->drain.run = drain;
        hub->stop.run = stop;
        TAILQ_INIT(&hub->watchers);
        TAILQ_INIT(&hub->closing);
        TAILQ_INIT(&hub->ended);
        TAILQ_INIT(&hub->catching);
        TAILQ_INIT(&hub->age);
        hub->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (hub->epoll < 0 || epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->in.fd, &event) != 0) {
                e = FAIL(why, ERR_INTERNAL, "epoll: %s", strerror(errno));
                hub_free(hub);
                return e;
        }
        *ret = hub;
        return ERR_OK;
}

enum err hub_start(struct hub *hub, struct store *store, struct http *http, struct why *why)
{
        int error;

        hub->store = store;
        hub->http = http;
        hub->now_ms = time_boot_ms();
        atomic_store(&hub->pulse_ms, hub->now_ms);
        error = pthread_create(&hub->thread, NULL, go_round, hub);
        if (error)
                return FAIL(why, ERR_INTERNAL, "no thread for watchers: %s", strerror(error));
        pthread_setname_np(hub->thread, "hub");
        hub->is_started = true;
        return ERR_OK;
}

int64_t hub_pulse_ms(const struct hub *hub)
{
        return atomic_load(&hub->pulse_ms);
}

void hub_drain(struct hub *hub)
{
        if (!atomic_exchange(&hub->drain_asked, true))
                inbox_push(&hub->in, &hub->drain);
}

void hub_stop(struct hub *hub)
{
        if (!hub || !hub->is_started)
                return;
        inbox_push(&hub->in, &hub->stop);
        pthread_join(hub->thread, NULL);
        hub->is_started = false;
}

void hub_free(struct hub *hub)
{
        if (!hub)
                return;
        inbox_run(&hub->in);
        bury(hub);
        feed_free(hub);
        if (hub->epoll >= 0)
                close(hub->epoll);
        inbox_done(&hub->in);
        free(hub);
}
