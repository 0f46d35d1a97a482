/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - what watchers are told: what this server changed, what others did, and what a watcher missed.
 *
 * A hint names an order; the order is read, as it is by then, and told to its room. On a store that other servers write to,
 * the same comes of asking what changed since a little before the latest change that was seen: a write may become visible
 * after one that carries a later time. Whatever cannot be read or encoded closes the room, whose watchers come back with
 * `since`: so what is told never has a hole that nobody knows of. */
#include "server/hub_private.h"

#include "model/clean.h"
#include "model/event.h"
#include "server/log.h"
#include "server/metrics.h"

#include <string.h>
#include <sys/param.h>

#define POLL_MS 400     /* with a round trip well under the second that design.md 5 promises */
#define OVERLAP_MS 5000 /* docs/design.md 5 */
#define SET_BACK_MS (INT64_C(24) * 60 * 60 * 1000) /* an order is over within a day; a guess */
#define KNOWN_MS (2 * OVERLAP_MS)                  /* what no poll can find any more */
#define PAGE_POLL 1000
#define PAGE_CATCHUP 100
#define QUEUE_MAX ((size_t)262144)    /* waiting for one watcher, beside what its socket holds; a guess */
#define QUEUES_MAX ((size_t)64 << 20) /* and for all */

/* --- telling --- */

/* Whether it was sent. */
static bool deliver(struct watcher *w, struct frame *frame, int64_t at_ms)
{
        struct catchup *c = w->catchup;

        if (c) {
                c->back_ms = c->is_overtaken ? MIN(c->back_ms, at_ms) : at_ms;
                c->is_overtaken = true;
                return false;
        }
        if (wire_is_full(&w->wire) &&
            (w->wire.queued_bytes + frame->n > QUEUE_MAX || w->hub->queued_bytes + frame->n > QUEUES_MAX)) {
                metrics_watcher_lost(LOST_SLOW);
                watcher_close(w, WIRE_TRY_AGAIN, "too slow", /* drops= */ true);
                return false;
        }
        wire_send(&w->wire, frame);
        watcher_settle(w);
        return true;
}

/* Takes the text over; false without memory. */
static bool tell_one(struct watcher *only, struct room *room, char *text, enum event event, int64_t at_ms)
{
        struct frame *frame = text ? frame_new(text) : NULL;
        struct watcher *w, *next;
        int n = 0;

        free(text);
        if (!frame)
                return false;
        if (only) {
                wire_send(&only->wire, frame);
                n = 1;
        }
        for (w = only ? NULL : LIST_FIRST(&room->watchers); w; w = next) {
                next = LIST_NEXT(w, in_room);
                n += deliver(w, frame, at_ms);
        }
        frame_drop(frame);
        metrics_events(event, n);
        return true;
}

/* To one watcher, or to all of the room. */
static bool tell(struct watcher *only, struct room *room, const struct order *order, int64_t at_ms)
{
        const int64_t now_ms = time_now_ms();
        bool good = tell_one(only, room, event_order(order, at_ms, now_ms), EVENT_ORDER, at_ms);

        for (int party = 0; party < PARTY_COUNT && good; party++)
                if (event_is_failure(order, (enum party)party))
                        good = tell_one(only, room, event_failure(order, (enum party)party, at_ms, now_ms),
                                        EVENT_FAILURE, at_ms);
        return good;
}

/* --- orders that were told --- */

static struct known *known_find(struct hub *hub, const struct id *order)
{
        struct known *known;

        HASH_FIND(hh, hub->known, order, sizeof *order, known);
        return known;
}

static struct known *known_add(struct hub *hub, const struct id *order, const struct id *restaurant)
{
        struct known *known = calloc(1, sizeof *known);

        if (!known)
                return NULL;
        known->hub = hub;
        known->order = *order;
        known->restaurant = *restaurant;
        known->at_ms = hub->seen_ms;
        HASH_ADD(hh, hub->known, order, sizeof known->order, known);
        if (!known->hh.tbl) {
                free(known);
                return NULL;
        }
        TAILQ_INSERT_TAIL(&hub->age, known, link);
        return known;
}

static void known_free(struct known *known)
{
        TAILQ_REMOVE(&known->hub->age, known, link);
        HASH_DEL(known->hub->known, known);
        free(known);
}

void feed_forget(struct hub *hub, bool all)
{
        struct known *known, *next;

        for (known = TAILQ_FIRST(&hub->age); known; known = next) {
                next = TAILQ_NEXT(known, link);
                if (!all && known->at_ms >= hub->seen_ms - KNOWN_MS)
                        break;
                if (!known->is_reading)
                        known_free(known);
        }
}

static void was_read(struct letter *letter);

static void read_known(struct known *known)
{
        known->is_reading = true;
        known->again = false;
        known->read = (struct store_read){.job.letter.run = was_read,
                                          .job.reply = &known->hub->in,
                                          .job.arg = known,
                                          .job.access = {.restaurant = known->restaurant},
                                          .order = known->order};
        store_read(known->hub->store, &known->read);
}

static void was_read(struct letter *letter)
{
        struct known *known = ((struct job *)letter)->arg;
        struct hub *hub = known->hub;
        struct room *room = room_find(hub, &known->restaurant);
        CLEAN(order_free_at) struct order *order = TAKE(known->read.stored);
        const enum err e = known->read.job.err;

        known->is_reading = false;
        if (!room || e || !order) {
                if (room && e && e != ERR_DAMAGED) {
                        log_limited(LOG_WARN, "watchers_closed",
                                    LOG_TEXT("reason", known->read.job.why.text));
                        room_close(room, "the store does not answer");
                }
                known_free(known);
                return;
        }
        if (order->rev > known->rev && !tell(NULL, room, order, order->seen_ms)) {
                room_close(room, "out of memory");
                known_free(known);
                return;
        }
        known->rev = order->rev;
        known->at_ms = order->seen_ms;
        if (!hub->options.is_shared) /* else the poll does, which must not miss what others wrote before */
                hub->seen_ms = MAX(hub->seen_ms, order->seen_ms);
        TAILQ_REMOVE(&hub->age, known, link);
        TAILQ_INSERT_TAIL(&hub->age, known, link);
        if (known->again)
                read_known(known);
}

static void order_changed(struct hub *hub, const struct id *order, const struct id *restaurant, int64_t rev)
{
        struct room *room = room_find(hub, restaurant);
        struct known *known = room ? known_find(hub, order) : NULL;

        if (!room || (known && known->rev >= rev))
                return;
        if (!known)
                known = known_add(hub, order, restaurant);
        if (!known)
                room_close(room, "out of memory");
        else if (known->is_reading)
                known->again = true;
        else
                read_known(known);
}

void feed_changed(struct hub *hub, const struct change *change)
{
        if (id_is_zero(&change->order))
                hub->has_to_poll = true;
        else
                order_changed(hub, &change->order, &change->restaurant, change->rev);
}

/* --- what other servers changed --- */

void feed_room(struct hub *hub)
{
        if (HASH_COUNT(hub->rooms) == 1)
                hub->seen_ms = store_now(hub->store);
        if (!hub->has_grown)
                hub->grown_ms = store_now(hub->store);
        hub->has_grown = true;
}

static void was_polled(struct letter *letter);

static void submit_poll(struct hub *hub)
{
        struct store_changes *poll = &hub->poll;

        poll->job = (struct job){.letter.run = was_polled, .reply = &hub->in, .arg = hub};
        hub->is_polling = true;
        store_changes(hub->store, poll);
}

static void was_polled(struct letter *letter)
{
        struct hub *hub = ((struct job *)letter)->arg;
        struct store_changes *poll = &hub->poll;
        const bool is_full = poll->n == poll->max;

        hub->is_polling = false;
        hub->poll_at_ms = hub->now_ms + POLL_MS;
        for (int i = 0; i < poll->n; i++)
                order_changed(hub, &poll->found[i].order, &poll->found[i].restaurant, poll->found[i].rev);
        if (poll->job.err == ERR_OK && poll->n > 0) {
                poll->after_ms = poll->found[poll->n - 1].at_ms;
                poll->after = poll->found[poll->n - 1].order;
                /* Not beyond the coming of a room that this poll did not ask about. */
                hub->seen_ms = MAX(hub->seen_ms,
                                   hub->has_grown ? MIN(hub->grown_ms, poll->after_ms) : poll->after_ms);
        }
        if (poll->job.err)
                hub->has_to_poll = true;
        store_changes_done(poll);
        if (poll->job.err == ERR_OK && is_full && !hub->is_stopping)
                submit_poll(hub);
        else
                free(TAKE(hub->polled));
}

/* Everybody's who is watched now. */
static bool list_rooms(struct hub *hub)
{
        struct room *room, *next;
        int n = 0;

        hub->polled = calloc(HASH_COUNT(hub->rooms), sizeof *hub->polled);
        if (!hub->polled)
                return false;
        hub->seen_ms = MIN(hub->seen_ms, store_now(hub->store)); /* the store's clock was set back */
        HASH_ITER(hh, hub->rooms, room, next)
                hub->polled[n++] = room->restaurant;
        hub->poll = (struct store_changes){.restaurants = hub->polled,
                                           .n_restaurants = n,
                                           .after_ms = hub->seen_ms - OVERLAP_MS,
                                           .max = PAGE_POLL};
        return true;
}

int64_t feed_poll(struct hub *hub)
{
        const bool wants = (hub->options.is_shared || hub->has_to_poll) && hub->rooms && !hub->is_stopping;

        if (!wants || hub->is_polling)
                return INT64_MAX;
        if (hub->now_ms < hub->poll_at_ms)
                return hub->poll_at_ms;
        hub->poll_at_ms = hub->now_ms + POLL_MS;
        if (!list_rooms(hub))
                return hub->poll_at_ms;
        hub->has_to_poll = hub->has_grown = false;
        submit_poll(hub);
        return INT64_MAX;
}

/* --- what a watcher missed --- */

bool catchup_begin(struct watcher *w, int64_t since_ms)
{
        const int64_t now_ms = store_now(w->hub->store);

        w->catchup = calloc(1, sizeof *w->catchup);
        if (!w->catchup)
                return false;
        /* Who has seen the time to come saw it before the clock was set back, and what changed since bears a time before
         * that: how long before, nobody knows. */
        if (since_ms > now_ms + OVERLAP_MS)
                since_ms = now_ms - SET_BACK_MS;
        w->catchup->after_ms = MAX(since_ms - OVERLAP_MS, 0);
        catchup_step(w);
        return true;
}

void catchup_end(struct watcher *w)
{
        if (w->is_waiting)
                TAILQ_REMOVE(&w->hub->catching, w, waiting);
        w->is_waiting = false;
        if (w->catchup)
                free(w->catchup->page);
        free(TAKE(w->catchup));
}

static bool has_turn(const struct hub *hub)
{
        return hub->n_catching < CATCHING_MAX && hub->queued_bytes < QUEUES_MAX;
}

void catchup_next(struct hub *hub)
{
        struct watcher *next;

        while (has_turn(hub) && (next = TAILQ_FIRST(&hub->catching))) {
                TAILQ_REMOVE(&hub->catching, next, waiting);
                next->is_waiting = false;
                catchup_step(next);
        }
}

/* A job is done: the turn goes to who has waited longest. False: the watcher has gone meanwhile. */
static bool turn_over(struct watcher *w)
{
        w->hub->n_catching--;
        catchup_next(w->hub);
        return watcher_resume(w);
}

static void fail(struct watcher *w, const struct job *job)
{
        log_limited(LOG_WARN, "watchers_closed", LOG_TEXT("reason", job->why.text));
        metrics_watcher_lost(LOST_STORE);
        watcher_close(w, WIRE_TRY_AGAIN, "the store does not answer", /* drops= */ false);
}

static void missed_read(struct letter *letter)
{
        struct watcher *w = ((struct job *)letter)->arg;
        struct catchup *c = w->catchup;
        CLEAN(order_free_at) struct order *order = TAKE(c->read.stored);

        if (!turn_over(w))
                return;
        if (c->read.job.err && c->read.job.err != ERR_DAMAGED) {
                fail(w, &c->read.job);
                return;
        }
        /* Where it has changed since the page was read its new time must not be shown: others come before that. */
        if (order && !tell(w, NULL, order, c->page[c->i].at_ms)) {
                watcher_close(w, WIRE_TRY_AGAIN, "out of memory", /* drops= */ false);
                return;
        }
        c->i++;
        catchup_step(w);
        watcher_settle(w);
}

static void missed_found(struct letter *letter)
{
        struct watcher *w = ((struct job *)letter)->arg;
        struct catchup *c = w->catchup;

        free(c->page);
        c->page = TAKE(c->changes.found);
        c->n = c->changes.n;
        c->i = 0;
        if (!turn_over(w))
                return;
        if (c->changes.job.err) {
                fail(w, &c->changes.job);
                return;
        }
        c->is_last = c->n < PAGE_CATCHUP;
        if (c->n > 0) {
                c->after_ms = c->page[c->n - 1].at_ms;
                c->after = c->page[c->n - 1].order;
        }
        catchup_step(w);
        watcher_settle(w);
}

static void submit_page(struct watcher *w)
{
        struct catchup *c = w->catchup;

        if (c->is_overtaken && (c->is_last || c->back_ms <= c->after_ms)) {
                c->after_ms = MIN(c->after_ms, c->back_ms - 1);
                c->after = (struct id){0};
        }
        c->is_overtaken = c->is_last = false;
        c->changes =
                (struct store_changes){.job = {.letter.run = missed_found, .reply = &w->hub->in, .arg = w},
                                       .restaurants = &w->admittance.restaurant,
                                       .n_restaurants = 1,
                                       .after_ms = c->after_ms,
                                       .after = c->after,
                                       .max = PAGE_CATCHUP};
        store_changes(w->hub->store, &c->changes);
}

static void submit_read(struct watcher *w)
{
        struct catchup *c = w->catchup;

        c->read = (struct store_read){.job = {.letter.run = missed_read,
                                              .reply = &w->hub->in,
                                              .arg = w,
                                              .access = {.restaurant = w->admittance.restaurant}},
                                      .order = c->page[c->i].order};
        store_read(w->hub->store, &c->read);
}

void catchup_step(struct watcher *w)
{
        struct catchup *c = w->catchup;
        struct hub *hub = w->hub;

        if (!c || w->jobs > 0 || w->is_waiting || w->is_closing || wire_is_full(&w->wire))
                return;
        if (c->i == c->n && c->is_last && !c->is_overtaken) {
                catchup_end(w);
                return;
        }
        if (!has_turn(hub)) {
                TAILQ_INSERT_TAIL(&hub->catching, w, waiting);
                w->is_waiting = true;
                return;
        }
        hub->n_catching++;
        w->jobs++;
        if (c->i < c->n)
                submit_read(w);
        else
                submit_page(w);
}

void feed_free(struct hub *hub)
{
        feed_forget(hub, /* all= */ true);
        free(hub->polled);
}
