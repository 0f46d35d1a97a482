/* SPDX-License-Identifier: Apache-2.0 */
/* polling.c - the life of one poll.
 *
 * It takes the lease, asks, and ends the lease as soon as the answer is there; then each order is put into the store, one
 * after the other, and what is durable is acknowledged. So an order may be shown again though we have it (a crash, an
 * acknowledgement that failed, a change of ours), and is then known and acknowledged again; it cannot be acknowledged
 * without being kept. */
#include "server/polling.h"

#include "model/clean.h"
#include "model/restaurant.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define CLOCK_PARTS \
        100 /* one of them later than it might be, for servers' clocks differ by some milliseconds; a guess */
#define JITTER_PARTS 10 /* up to one of them later than it might be, so that accounts do not keep in step */
#define BUSY_PARTS 10   /* one of them after a poll for which there was no room; a guess */
#define REST_PARTS 2    /* so many of them at most before the lease is looked at again; a guess */
#define LOSER_PARTS 4   /* up to one of them later comes who found that another server polls; a guess */

/* Its place is not freed before it. */
struct poll {
        struct poller *poller;
        struct place *place;
        const struct polls *polls;
        struct poll_lease lease;
        struct store_edit edit; /* of the lease, and last of the connection */
        struct store_put put;
        struct store_get get; /* the connection */
        struct query query;
        bool read;        /* the answer was understood */
        int64_t stale_ms; /* CLOCK_BOOTTIME: from then on the next poll knows better */
        struct polled polled;
        int at;            /* of polled.orders: taken in, then acknowledged */
        bool acknowledged; /* one at least */
        enum status shown; /* the order's, by the platform */
        struct store_create create;
        struct store_move move;
        struct connection_trouble trouble;
};

static void take_in(struct poll *poll);
static void acknowledge(struct poll *poll);

static int64_t wait_of(const struct place *place, const struct poller *poller)
{
        return poller->options.wait_ms[place->platform];
}

/* ---- a poll's end ---- */

static void tell(const struct poll *poll, const char *reason)
{
        log_limited(LOG_WARN, "poll_failed", LOG_ID("restaurantId", &poll->place->restaurant),
                    LOG_CAUSE("platform", platform_word(poll->place->platform)), LOG_CAUSE("reason", reason));
}

/* The next one is at this time of the store's clock. */
static void end_until(struct poll *poll, int64_t until_ms)
{
        struct poller *poller = poll->poller;
        /* Not for long: where the clock was set back meanwhile, the lease ends sooner than it says. */
        const int64_t left_ms =
                MIN(MAX(until_ms - store_now(poller->store), 0), REST_PARTS * wait_of(poll->place, poller));

        store_edit_done(&poll->edit);
        store_put_done(&poll->put);
        store_get_done(&poll->get);
        store_create_done(&poll->create);
        store_move_done(&poll->move);
        query_done(&poll->query);
        polled_done(&poll->polled);
        poller_rest(poller, poll->place, time_boot_ms() + left_ms + 1);
        free(poll);
}

/* The store failed: whoever comes next finds the lease as it is. */
static void end_failed(struct poll *poll, const struct job *job)
{
        tell(poll, job->why.text);
        end_until(poll, store_now(poll->poller->store) + wait_of(poll->place, poll->poller));
}

static void noted(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        end_until(poll, poll->lease.until_ms);
}

/* What could not be taken stands with the connection, until a poll shows nothing of the kind. */
static void end(struct poll *poll)
{
        struct poller *poller = poll->poller;
        struct connection_trouble *trouble = &poll->trouble;

        if (poll->polled.broken > 0)
                snprintf(trouble->error, sizeof trouble->error, "order_not_imported: %s",
                         poll->polled.why.field);
        if (!poll->read || !connection_needs_trouble(&poll->get.record, trouble)) {
                end_until(poll, poll->lease.until_ms);
                return;
        }
        store_edit_done(&poll->edit);
        memset(&poll->edit, 0, sizeof poll->edit);
        poll->edit.kind = RECORD_CONNECTION;
        poll->edit.edit = connection_note_trouble;
        poll->edit.arg = trouble;
        text_copy(poll->edit.id, sizeof poll->edit.id, poll->place->id);
        poller_submit(poller, &poll->edit.job, poll, noted);
        store_edit(poller->store, &poll->edit);
}

/* ---- to the platform ---- */

static void ask(struct poll *poll,
                enum err (*build)(struct query *query, const struct account *account, struct message *ret,
                                  struct why *why),
                void (*done)(struct query *query))
{
        query_done(&poll->query);
        memset(&poll->query, 0, sizeof poll->query);
        poll->query.connection = &poll->get.record;
        poll->query.build = build;
        poll->query.patient = true;
        poll->query.timeout_ms = poll->poller->options.timeout_ms;
        poll->query.reply = &poll->poller->in;
        poll->query.done = done;
        query_submit(poll->poller->outbound, &poll->query);
}

static struct poll *poll_of(struct query *query)
{
        return (struct poll *)((char *)query - offsetof(struct poll, query));
}

static enum err build_acknowledgement(struct query *query, const struct account *account, struct message *ret,
                                      struct why *why)
{
        const struct poll *poll = poll_of(query);

        return poll->polls->acknowledge(poll->polled.orders[poll->at]->platform_order_id, account, ret, why);
}

/* Where the platform does not want this one, it may want the next; where it does not answer, the next poll shows them all
 * again. */
static void acknowledged(struct query *query)
{
        struct poll *poll = poll_of(query);

        if (query->judgement.verdict == VERDICT_DONE || query->judgement.verdict == VERDICT_GIVE_UP) {
                poll->acknowledged = true;
                poll->at++;
                acknowledge(poll);
        } else {
                end(poll);
        }
}

/* The next one that is kept. It is acknowledged whatever has become of it since, even if nobody has seen that: so not long
 * after it was seen; but one in any case, else a list that is too long for the store's haste would never get shorter. */
static void acknowledge(struct poll *poll)
{
        while (poll->at < poll->polled.n && !poll->polled.orders[poll->at])
                poll->at++;
        if (poll->at < poll->polled.n && (!poll->acknowledged || time_boot_ms() < poll->stale_ms) &&
            !atomic_load(&poll->poller->draining))
                ask(poll, build_acknowledgement, acknowledged);
        else
                end(poll);
}

/* ---- into the store ---- */

static struct access access_of(const struct poll *poll)
{
        return (struct access){.kind = ACCESS_TRUSTED, .restaurant = poll->place->restaurant};
}

/* It is kept, and may be acknowledged. */
static void keep(struct poll *poll, enum polled_order result)
{
        metrics_polled(result);
        poll->polled.orders[poll->at++] = TAKE(poll->create.order);
        take_in(poll);
}

static void moved(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        if (poll->move.job.err != ERR_OK) {
                log_limited(LOG_WARN, "order_not_moved", LOG_ID("orderId", &poll->move.order),
                            LOG_TEXT("reason", poll->move.job.why.text));
                store_create_done(&poll->create);
                poll->at++;
                take_in(poll);
                return;
        }
        keep(poll, poll->move.outcome == MOVE_MOVED ? POLLED_MOVED : POLLED_KNOWN);
}

/* What the platform says of an order is never told to it. */
static void move(struct poll *poll)
{
        store_move_done(&poll->move);
        memset(&poll->move, 0, sizeof poll->move);
        poll->move.job.access = access_of(poll);
        poll->move.order = poll->create.order->id;
        poll->move.to = poll->shown;
        poll->move.by = ACTOR_PLATFORM;
        poll->move.told = true;
        poller_submit(poll->poller, &poll->move.job, poll, moved);
        store_move(poll->poller->store, &poll->move);
}

static void created(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;
        const struct store_create *create = &poll->create;

        if (create->job.err != ERR_OK || create->outcome == CREATE_TAKEN) {
                log_limited(LOG_WARN, "order_not_kept", LOG_ID("restaurantId", &poll->place->restaurant),
                            LOG_TEXT("reason", create->job.why.text));
                store_create_done(&poll->create);
                poll->at++;
                take_in(poll);
        } else if (create->outcome == CREATE_NEW) {
                keep(poll, POLLED_IMPORTED);
        } else if (create->order->targets[PARTY_PLATFORM].told < STEP_OF((int)poll->shown)) {
                move(poll);
        } else {
                keep(poll, POLLED_KNOWN);
        }
}

/* The next order; after the last one they are acknowledged. */
static void take_in(struct poll *poll)
{
        if (poll->at == poll->polled.n || atomic_load(&poll->poller->draining)) {
                for (; poll->at < poll->polled.n; poll->at++)
                        order_free(TAKE(poll->polled.orders[poll->at]));
                poll->at = 0;
                acknowledge(poll);
                return;
        }
        memset(&poll->create, 0, sizeof poll->create);
        poll->create.job.access = access_of(poll);
        poll->create.order = TAKE(poll->polled.orders[poll->at]);
        poll->create.by = ACTOR_PLATFORM;
        poll->shown = poll->create.order->status;
        poller_submit(poll->poller, &poll->create.job, poll, created);
        store_create(poll->poller->store, &poll->create);
}

/* ---- the lease, and the question ---- */

static void edit_lease(struct poll *poll, record_editor *edit, void (*run)(struct letter *letter))
{
        store_edit_done(&poll->edit);
        memset(&poll->edit, 0, sizeof poll->edit);
        poll->edit.kind = RECORD_POLL;
        poll->edit.edit = edit;
        poll->edit.arg = &poll->lease;
        text_copy(poll->edit.id, sizeof poll->edit.id, poll->place->id);
        poller_submit(poll->poller, &poll->edit.job, poll, run);
        store_edit(poll->poller->store, &poll->edit);
}

static void lease_ended(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        if (poll->edit.job.err != ERR_OK && poll->edit.job.err != ERR_BUSY)
                log_limited(LOG_WARN, "lease_not_ended", LOG_TEXT("reason", poll->edit.job.why.text));
        take_in(poll);
}

/* The next poll may come so much later. */
static void end_lease(struct poll *poll, int64_t wait_ms)
{
        poll->lease.wait_ms =
                wait_ms + wait_ms / CLOCK_PARTS + poller_up_to(poll->poller, wait_ms / JITTER_PARTS);
        edit_lease(poll, poll_end, lease_ended);
}

static void read_list(struct poll *poll)
{
        struct why why = {0};
        const enum err e = poll->polls->read(&poll->query.call.answer, &poll->polled, &why);

        poll->stale_ms = time_boot_ms() + wait_of(poll->place, poll->poller);
        poll->read = e == ERR_OK;
        metrics_poll(poll->read ? POLL_OK : POLL_FAILED);
        if (!poll->read)
                tell(poll, "unexpected_answer");
        for (int i = 0; i < poll->polled.broken; i++)
                metrics_polled(POLLED_BROKEN);
        if (poll->polled.broken > 0)
                log_limited(LOG_WARN, "order_not_imported", LOG_ID("restaurantId", &poll->place->restaurant),
                            LOG_CAUSE("platform", platform_word(poll->place->platform)),
                            LOG_TEXT("field", poll->polled.why.field),
                            LOG_INT("orders", poll->polled.broken));
}

static void answered(struct query *query)
{
        struct poll *poll = poll_of(query);
        const struct judgement *judgement = &query->judgement;
        int64_t wait_ms = wait_of(poll->place, poll->poller);

        poll->lease.limited = judgement->verdict == VERDICT_WAIT && judgement->http == 429;
        poll->lease.at_least_ms = judgement->verdict == VERDICT_WAIT ? judgement->wait_ms : 0;
        if (judgement->verdict == VERDICT_DONE) {
                read_list(poll);
        } else if (poll->lease.limited) {
                metrics_poll(POLL_LIMITED);
                tell(poll, judgement->reason);
        } else if (judgement->verdict == VERDICT_WAIT && judgement->http == 0) {
                metrics_poll(POLL_BUSY); /* it was not asked */
                if (!outbound_breaker_is_open(poll->poller->outbound, poll->place->platform))
                        wait_ms = wait_ms / BUSY_PARTS + 1;
        } else {
                metrics_poll(POLL_FAILED);
                tell(poll, judgement->reason);
        }
        end_lease(poll, wait_ms);
}

static enum err build_list(struct query *query, const struct account *account, struct message *ret,
                           struct why *why)
{
        return poll_of(query)->polls->list(account, ret, why);
}

static void opened(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        if (poll->get.job.err != ERR_OK && poll->get.job.err != ERR_NOT_FOUND) {
                end_failed(poll, &poll->get.job);
        } else if (connection_is_enabled(&poll->get.record) && restaurant_is_active(&poll->get.owner) &&
                   !atomic_load(&poll->poller->draining)) {
                ask(poll, build_list, answered);
        } else {
                end_lease(poll, wait_of(poll->place, poll->poller));
        }
}

static void open_connection(struct poll *poll, int64_t lease_rev)
{
        poll->lease.rev = lease_rev;
        poll->get.job.access = access_of(poll);
        poll->get.kind = RECORD_CONNECTION;
        text_copy(poll->get.id, sizeof poll->get.id, poll->place->id);
        poller_submit(poll->poller, &poll->get.job, poll, opened);
        store_get(poll->poller->store, &poll->get);
}

/* Who just took it will come again when it ends; who did not comes a little later, in case that nobody does. */
static void lost(struct poll *poll)
{
        const int64_t wait_ms = wait_of(poll->place, poll->poller);
        const int64_t left_ms = poll->lease.until_ms - store_now(poll->poller->store);

        end_until(poll,
                  poll->lease.until_ms +
                          (left_ms > wait_ms / 2 ? poller_up_to(poll->poller, wait_ms / LOSER_PARTS) : 0));
}

static void put(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        if (poll->put.job.err != ERR_OK)
                end_failed(poll, &poll->put.job);
        else if (poll->put.outcome == PUT_TAKEN)
                lost(poll);
        else
                open_connection(poll, poll->put.record.rev);
}

/* The account's first poll. */
static void make_lease(struct poll *poll)
{
        struct store_put *in = &poll->put;

        if (poll_make(poll->place->id, &poll->place->restaurant, &poll->lease, store_now(poll->poller->store),
                      &in->record, &in->job.why) != ERR_OK) {
                end_failed(poll, &in->job);
                return;
        }
        poller_submit(poll->poller, &in->job, poll, put);
        store_put(poll->poller->store, in);
}

static void taken(struct letter *letter)
{
        struct poll *poll = ((struct job *)letter)->arg;

        if (poll->edit.job.err == ERR_BUSY)
                lost(poll);
        else if (poll->edit.job.err != ERR_OK)
                end_failed(poll, &poll->edit.job);
        else if (!poll->edit.record.document)
                make_lease(poll);
        else
                open_connection(poll, poll->edit.record.rev);
}

bool poll_begin(struct poller *poller, struct place *place)
{
        struct poll *poll = calloc(1, sizeof *poll);

        if (!poll)
                return false;
        poll->poller = poller;
        poll->place = place;
        poll->polls = dialect_of(place->platform)->polls;
        poll->lease.hold_ms = poller->options.timeout_ms + poller->options.slack_ms;
        edit_lease(poll, poll_take, taken);
        return true;
}
