/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.c - the thread that looks what is due and gives it to errands, as the lanes have room. */
#include "server/errand.h"

#include "server/log.h"
#include "server/metrics.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOOK_MS 1000      /* at least so often; docs/design.md 5: what others left is found */
#define LOOK_PLAY_MS 250  /* up to so much sooner, so that servers do not keep in step; a guess */
#define LOOK_AGAIN_MS 5   /* between two looks where one found more than there was room for; a guess */
#define GRACE_PARTS 20    /* up to one of them longer, so that others see what the last one left; a guess */
#define SWEEP_MS 60000    /* how often idle logins are forgotten; a guess */
#define DRAIN_STEP_MS 100 /* how often the end of draining is looked at, at the least */

/* --- what is due --- */

bool *outbound_missed(struct outbound *o, const struct due *due)
{
        return due->party == PARTY_PLATFORM ? &o->lanes[due->platform].missed : &o->missed;
}

bool outbound_begin(struct outbound *o, const struct due *due)
{
        const int64_t now_ms = time_boot_ms();
        struct session *session;

        if (atomic_load(&o->draining) ||
            (due->party == PARTY_PLATFORM ? lane_room(&o->lanes[due->platform], now_ms) == 0
                                          : o->n_firms >= FIRM_CALLS_MAX))
                return false;
        session = session_need(o, due);
        if (!session)
                return false;
        if (session->active < SESSION_CALLS_MAX && errand_begin(o, due, session)) {
                reminder_drop(o, due);
                return true;
        }
        session_leave(session, now_ms);
        return false;
}

void outbound_consider(struct outbound *o, const struct due *due)
{
        struct errand *errand = errand_find(o, due);

        if (errand)
                errand->hinted = true;
        else if (!atomic_load(&o->draining) && !outbound_begin(o, due))
                reminder_put(o, due, store_now(o->store));
}

void outbound_look_by(struct outbound *o, int64_t at_ms)
{
        if (at_ms < o->look_at_ms)
                o->look_at_ms = at_ms;
}

int64_t answer_hold_ms(const struct answer *answer, int64_t floor_ms)
{
        const int64_t least_ms = answer->http == 429 ? floor_ms : 0;

        return answer->retry_after_ms > least_ms ? answer->retry_after_ms : least_ms;
}

static int callee_of(const struct outbound *o, const struct lane *lane)
{
        for (int platform = 0; platform < PLATFORM_COUNT; platform++)
                if (lane == &o->lanes[platform])
                        return platform;
        return CALLEE_COURIER;
}

static void tell_breaker(const struct lane *lane, int callee)
{
        const char *name = callee == CALLEE_COURIER ? host_name(lane) : platform_word((enum platform)callee);

        if (lane_is_open(lane))
                log_limited(LOG_WARN, "breaker_opened", LOG_CAUSE("lane", name));
        else
                log_limited(LOG_INFO, "breaker_closed", LOG_CAUSE("lane", name));
}

void outbound_heard(struct outbound *o, struct lane *lane, int64_t floor_ms, const struct answer *answer,
                    bool waits)
{
        const int64_t hold_ms = answer_hold_ms(answer, floor_ms);
        const int64_t now_ms = time_boot_ms();
        const bool was_open = lane_is_open(lane);

        lane_heard(lane, answer->carried == CARRIED_ANSWERED && answer->http < 500);
        if (lane_is_open(lane) != was_open) {
                metrics_breakers(callee_of(o, lane), lane_is_open(lane) ? 1 : -1);
                tell_breaker(lane, callee_of(o, lane));
        }
        if (!waits || hold_ms <= 0)
                return;
        lane_hold(lane, now_ms, hold_ms);
        outbound_look_by(o, now_ms + hold_ms);
        reminders_by(o, now_ms + hold_ms);
}

/* --- what is noted of a record --- */

struct note_edit {
        struct store_edit edit;
        max_align_t arg[];
};

static void noted(struct letter *letter)
{
        struct store_edit *edit = (struct store_edit *)letter;

        store_edit_done(edit);
        free(edit);
}

void outbound_note(struct outbound *o, const struct record *record, record_editor *edit, const void *arg,
                   size_t size)
{
        struct note_edit *e = calloc(1, sizeof *e + size);

        if (!e)
                return;
        memcpy(e->arg, arg, size);
        e->edit.job.letter.run = noted;
        e->edit.job.reply = &o->in;
        e->edit.kind = record->kind;
        e->edit.edit = edit;
        e->edit.arg = e->arg;
        text_copy(e->edit.id, sizeof e->edit.id, record->id);
        store_edit(o->store, &e->edit);
}

/* --- looking --- */

/* Those that come first would always be the same ones, were they not mixed. */
static void shuffle(struct outbound *o)
{
        struct due *found = o->due.found;

        for (int i = o->due.n - 1; i > 0; i--) {
                const int j = rand_r(&o->seed) % (i + 1);
                const struct due held = found[i];

                found[i] = found[j];
                found[j] = held;
        }
}

static void looked(struct letter *letter)
{
        struct outbound *o = ((struct job *)letter)->arg;
        const int64_t now_ms = time_boot_ms();

        o->looking = false;
        if (o->due.job.err != ERR_OK) {
                log_limited(LOG_WARN, "look_failed", LOG_CAUSE("of", "orders"),
                            LOG_TEXT("reason", o->due.job.why.text));
                return;
        }
        if (o->due.next_ms > 0 && o->options.grace_ms == 0)
                outbound_look_by(o, now_ms + o->due.next_ms - store_now(o->store));
        shuffle(o);
        for (int i = 0; i < o->due.n; i++)
                if (!errand_find(o, &o->due.found[i]) && !outbound_begin(o, &o->due.found[i]))
                        *outbound_missed(o, &o->due.found[i]) = true;
}

/* Which lanes have no room, and how much the others have together. No platform's room is another's, or the firms', whose
 * hosts are not known before the claim: what hangs leaves the rest theirs. */
static int survey(struct outbound *o, int64_t now_ms)
{
        int room = FIRM_CALLS_MAX - o->n_firms;

        o->missed = room == 0;
        o->due.skip = room == 0 ? DUE_SKIP_FIRMS : 0;
        for (int i = 0; i < PLATFORM_COUNT; i++) {
                const int free_slots = lane_room(&o->lanes[i], now_ms);

                room += free_slots;
                o->lanes[i].missed = free_slots == 0;
                if (free_slots == 0)
                        o->due.skip |= 1U << i;
        }
        return room;
}

static void look(struct outbound *o, int64_t now_ms)
{
        int room;

        if (o->looking || now_ms < o->look_at_ms || atomic_load(&o->draining))
                return;
        o->look_at_ms = now_ms + LOOK_MS - rand_r(&o->seed) % LOOK_PLAY_MS;
        room = survey(o, now_ms);
        if (room <= 0)
                return;
        o->look_again_ms =
                now_ms + LOOK_AGAIN_MS + rand_r(&o->seed) % (o->options.grace_ms / GRACE_PARTS + 1);
        o->due.grace_ms = o->eager ? 0 : o->options.grace_ms;
        o->eager = false;
        /* More than there is room for: others may be quicker, and some are their account's fifth. */
        o->due.max = 2 * room > DUE_MAX ? DUE_MAX : 2 * room;
        o->due.job.letter.run = looked;
        o->due.job.reply = &o->in;
        o->due.job.arg = o;
        o->looking = true;
        store_due(o->store, &o->due);
}

/* --- hints --- */

struct hint {
        struct letter letter;
        struct outbound *outbound;
        struct change change;
};

static void hinted(struct letter *letter)
{
        struct hint *hint = (struct hint *)letter;
        struct due due = {.order = hint->change.order,
                          .restaurant = hint->change.restaurant,
                          .platform = hint->change.platform};

        if (id_is_zero(&due.order)) { /* several at once: they stand in the store as due */
                hint->outbound->eager = true;
                outbound_look_by(hint->outbound, time_boot_ms());
        }
        for (int party = 0; party < PARTY_COUNT && !id_is_zero(&due.order); party++) {
                due.party = (enum party)party;
                if (hint->change.due[party])
                        outbound_consider(hint->outbound, &due);
        }
        free(hint);
}

void outbound_hint(struct outbound *o, const struct change *change)
{
        bool due = false;
        struct hint *hint;

        for (int party = 0; party < PARTY_COUNT; party++)
                due |= change->due[party];
        if (!due || !atomic_load(&o->takes_hints))
                return;
        hint = calloc(1, sizeof *hint);
        if (!hint)
                return;
        hint->letter.run = hinted;
        hint->outbound = o;
        hint->change = *change;
        inbox_post(&o->in, &hint->letter);
}

void outbound_ring(struct outbound *o)
{
        inbox_ring(&o->in);
}

/* --- the thread --- */

static int wait_ms(const struct outbound *o, int64_t now_ms)
{
        const bool draining = atomic_load(&o->draining);
        int64_t until = o->looking || draining ? now_ms + LOOK_MS : o->look_at_ms;

        if (o->remind_at_ms < until)
                until = o->remind_at_ms;
        until = queries_until(o, errands_until(o, until));
        if (draining && until > now_ms + DRAIN_STEP_MS)
                until = now_ms + DRAIN_STEP_MS;
        return until > now_ms ? (int)(until - now_ms) : 0;
}

static void go_round(struct outbound *o)
{
        struct pollfd wait = {.fd = o->in.fd, .events = POLLIN};
        int64_t now_ms;

        store_kick(o->store);
        poll(&wait, 1, wait_ms(o, time_boot_ms()));
        inbox_run(&o->in);
        now_ms = time_boot_ms();
        atomic_store(&o->pulse_ms, now_ms);
        errands_again(o, now_ms);
        queries_expire(o, now_ms);
        if (now_ms >= o->sweep_at_ms) {
                o->sweep_at_ms = now_ms + SWEEP_MS;
                sessions_sweep(o, now_ms);
                hosts_sweep(o, now_ms);
        }
        reminders_go(o, now_ms);
        look(o, now_ms);
}

static bool is_busy(const struct outbound *o)
{
        return o->errands || atomic_load(&o->n_queries) > 0;
}

static void *loop(void *arg)
{
        struct outbound *o = arg;

        while (!atomic_load(&o->stopping) || is_busy(o) || o->looking) {
                go_round(o);
                if (atomic_load(&o->draining) && !is_busy(o))
                        eventfd_write(o->drained_fd, 1);
        }
        return NULL;
}

enum err outbound_new(const struct outbound_options *options, struct outbound **ret, struct why *why)
{
        struct outbound *o = calloc(1, sizeof *o);
        enum err e;

        if (!o)
                return FAIL(why, ERR_NO_MEMORY, "no memory for outbound");
        if (!crypto_random(&o->seed, sizeof o->seed)) {
                free(o);
                return FAIL(why, ERR_INTERNAL, "no randomness");
        }
        o->options = *options;
        o->drained_fd = eventfd(0, EFD_CLOEXEC);
        if (o->drained_fd < 0) {
                free(o);
                return FAIL(why, ERR_INTERNAL, "eventfd: %s", strerror(errno));
        }
        e = inbox_init(&o->in, why);
        if (e == ERR_OK) {
                *ret = o;
                return ERR_OK;
        }
        close(o->drained_fd);
        free(o);
        return e;
}

enum err outbound_start(struct outbound *o, struct store *store, struct client *client, struct why *why)
{
        o->store = store;
        o->client = client;
        atomic_store(&o->pulse_ms, time_boot_ms());
        o->started = pthread_create(&o->thread, NULL, loop, o) == 0;
        if (!o->started)
                return FAIL(why, ERR_NO_MEMORY, "cannot start outbound's thread");
        pthread_setname_np(o->thread, "outbound");
        atomic_store(&o->takes_hints, true);
        return ERR_OK;
}

bool outbound_breaker_is_open(const struct outbound *o, enum platform platform)
{
        return lane_is_open(&o->lanes[platform]);
}

int64_t outbound_pulse_ms(const struct outbound *o)
{
        return atomic_load(&o->pulse_ms);
}

void outbound_drain(struct outbound *o, int64_t ms)
{
        struct pollfd wait = {.fd = o->drained_fd, .events = POLLIN};

        if (!o->started)
                return;
        atomic_store(&o->draining, true);
        o->in.wake(o->in.arg);
        poll(&wait, 1, (int)ms);
}

void outbound_stop(struct outbound *o)
{
        if (!o->started)
                return;
        atomic_store(&o->draining, true);
        atomic_store(&o->stopping, true);
        o->in.wake(o->in.arg);
        pthread_join(o->thread, NULL);
        o->started = false;
}

void outbound_free(struct outbound *o)
{
        if (!o)
                return;
        inbox_run(&o->in); /* hints that came too late */
        sessions_free(o);
        hosts_free(o);
        reminders_free(o);
        inbox_done(&o->in);
        close(o->drained_fd);
        free(o);
}
