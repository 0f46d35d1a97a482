/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - calls become transfers of one curl multi handle; whatever happens to one, it ends in one completion.
 *
 * A call is queued, then begun (its deadline runs from there), resolved, carried and sent home. Only the client's
 * thread touches any of that.
 *
 * curl says which sockets it waits for, and until when; the epoll set is ours. So a round costs what happens in it.
 * curl_multi_perform() would go through all transfers each time, with a system call for each that hangs.
 *
 * What curl is told of a transfer, and what it must ask, is in transfer.c.
 *
 * HTTP/1.1 only: with one request at a time on a connection, one that stalls harms one call. */
#include "server/transfer.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <unistd.h>

#define CONNECTIONS_KEPT 256 /* beside those in use; a guess */
#define RESOLVER_THREADS 16  /* a guess: names that may hang before others wait for their address */
#define RETRY_AFTER_MAX_S 3600
#define ROUND_MAX_MS 1000 /* client_pulse_ms() promises it */
#define EVENTS_MAX 64

TAILQ_HEAD(transfers, client_transfer);

struct client {
        struct inbox inbox;
        CURLM *multi;
        int epoll;
        struct outlet outlet;
        struct resolver *resolver;
        pthread_t thread;
        atomic_bool stopping;
        _Atomic int64_t pulse_ms;
        /* the thread's own */
        int64_t curl_ms; /* CLOCK_BOOTTIME: when curl wants to go on without an event; INT64_MAX: never */
        struct transfers queued; /* for a slot */
        struct transfers resolving;
        struct transfers carried;
        int calls_max;
        int n_calls; /* begun and not yet home */
        int n_idle;
        CURL *idle[]; /* owned; up to calls_max, for setting one up costs more than a call */
};

/* curl says what it waits for on a socket. `watched`: it is in the set already. One that cannot be watched costs its call the
 * deadline. */
static int on_watch(CURL *handle, curl_socket_t fd, int what, void *arg, void *watched)
{
        struct client *client = arg;
        struct epoll_event event = {.data.fd = fd};

        (void)handle;
        if (what & CURL_POLL_IN)
                event.events |= EPOLLIN;
        if (what & CURL_POLL_OUT)
                event.events |= EPOLLOUT;
        if (what == CURL_POLL_REMOVE)
                epoll_ctl(client->epoll, EPOLL_CTL_DEL, fd, &event);
        else if (epoll_ctl(client->epoll, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
                curl_multi_assign(client->multi, fd, client);
        return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
        struct client *client = arg;

        (void)multi;
        client->curl_ms = ms < 0 ? INT64_MAX : time_boot_ms() + ms;
        return 0;
}

static void move(struct client_transfer *t, struct transfers *to)
{
        if (t->in)
                TAILQ_REMOVE(t->in, t, entry);
        if (to)
                TAILQ_INSERT_TAIL(to, t, entry);
        t->in = to;
}

/* Fills the answer of a call that has none; `reason` may be NULL. */
static void fail(struct call *call, enum carried carried, const char *trouble, const char *reason)
{
        snprintf(call->trouble, sizeof call->trouble, "%s%s%s", trouble, reason ? ": " : "",
                 reason ? reason : "");
        call->answer = (struct answer){
                .carried = carried, .retry_after_ms = -1, .body = "", .trouble = call->trouble};
}

static void deliver(struct letter *letter)
{
        struct call *call = (struct call *)(void *)letter;

        call->done(call);
}

static void push_home(struct call *call)
{
        call->transfer = NULL;
        call->letter.run = deliver;
        inbox_push(call->reply, &call->letter);
}

/* What curl was lent for it. */
static void take_back(struct client_transfer *t)
{
        struct client *client = t->client;

        if (t->handle) {
                curl_multi_remove_handle(client->multi, t->handle);
                curl_easy_reset(t->handle);
                client->idle[client->n_idle++] = TAKE(t->handle);
        }
        curl_slist_free_all(TAKE(t->headers));
        curl_slist_free_all(TAKE(t->pin));
}

/* Ends the transfer of a call whose answer is filled. One that the resolver still holds is freed when it lets go. */
static void send_home(struct client_transfer *t)
{
        struct client *client = t->client;
        struct call *call = TAKE(t->call);
        bool held = t->in == &client->resolving;

        move(t, NULL);
        if (t->begun_ms) {
                call->took_ms = time_boot_ms() - t->begun_ms;
                client->n_calls--;
                metrics_calls(-1);
        }
        take_back(t);
        url_done(&t->url);
        if (!held)
                free(t);
        push_home(call);
}

/* For what has not been carried. */
static void end_never(struct client_transfer *t, const char *trouble)
{
        fail(t->call, CARRIED_NEVER, trouble, NULL);
        send_home(t);
}

static bool set_out(struct client_transfer *t, int64_t left_ms)
{
        struct client *client = t->client;

        t->handle = client->n_idle ? client->idle[--client->n_idle] : curl_easy_init();
        return t->handle && transfer_set(t, left_ms) &&
               curl_multi_add_handle(client->multi, t->handle) == CURLM_OK;
}

static int64_t left_ms(const struct client_transfer *t)
{
        return t->begun_ms + t->call->timeout_ms - time_boot_ms();
}

/* Resolved: on the way, if there is where to go and time to do it. */
static void carry(struct client_transfer *t)
{
        int64_t left = left_ms(t);

        if (t->resolution.n == 0)
                end_never(t, t->resolution.trouble);
        else if (!transfer_vet(t))
                end_never(t, transfer_refusal(t));
        else if (left <= 0)
                end_never(t, "no time left to connect");
        else if (!set_out(t, left))
                end_never(t, "no memory for a request");
        else
                move(t, &t->client->carried);
}

static void resolved(struct letter *letter)
{
        struct client_transfer *t = (struct client_transfer *)(void *)letter;

        if (!t->call) {
                free(t);
                return;
        }
        move(t, NULL);
        carry(t);
}

static void begin(struct client_transfer *t)
{
        struct client *client = t->client;

        move(t, NULL);
        t->begun_ms = time_boot_ms();
        client->n_calls++;
        metrics_calls(1);
        if (!url_read(&t->url, t->call->message.url, t->resolution.host)) {
                end_never(t, "not a URL that can be called");
                return;
        }
        t->resolution.guarded = t->call->message.guarded;
        t->resolution.reply = &client->inbox;
        t->resolution.letter.run = resolved;
        if (resolver_ask(client->resolver, &t->resolution))
                carry(t);
        else
                move(t, &client->resolving);
}

/* Where nothing was sent, because the kept connection could not be used: the same on a new one, once. */
static bool set_out_again(struct client_transfer *t)
{
        int64_t left = left_ms(t);

        if (!t->stale || t->fresh || t->sent || left <= 0)
                return false;
        t->fresh = true;
        t->trouble = NULL;
        take_back(t);
        return set_out(t, left);
}

/* Ends a transfer that was carried. Why curl gave up is told in words that neither vary from call to call nor quote the
 * other side. */
static void finish(struct client_transfer *t, CURLcode result)
{
        struct call *call = t->call;
        curl_off_t wait_s = 0; /* of seconds or a date */
        long http = 0, number = 0;

        if (result == CURLE_OK) {
                curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &http);
                curl_easy_getinfo(t->handle, CURLINFO_RETRY_AFTER, &wait_s);
                if (wait_s > RETRY_AFTER_MAX_S)
                        wait_s = RETRY_AFTER_MAX_S;
                call->answer = (struct answer){.carried = CARRIED_ANSWERED,
                                               .http = (int)http,
                                               .retry_after_ms = wait_s > 0 ? wait_s * 1000 : -1,
                                               .body = call->received ? call->received : "",
                                               .length = call->received_n,
                                               .trouble = ""};
        } else {
                if (result == CURLE_COULDNT_CONNECT)
                        curl_easy_getinfo(t->handle, CURLINFO_OS_ERRNO, &number);
                fail(call, t->sent ? CARRIED_UNSURE : CARRIED_NEVER,
                     t->trouble                           ? t->trouble
                     : result == CURLE_OPERATION_TIMEDOUT ? "timeout"
                                                          : curl_easy_strerror(result),
                     number ? strerrordesc_np((int)number) : NULL);
        }
        send_home(t);
}

static void finish_ready(struct client *client)
{
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(client->multi, &left))) {
                CURLcode result = message->data.result;
                char *t = NULL;

                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
                if (!set_out_again((struct client_transfer *)(void *)t))
                        finish((struct client_transfer *)(void *)t, result);
        }
}

/* Gives up the calls whose deadline passed while they were resolved; for how long there is nothing to do. */
static int give_up_late(struct client *client)
{
        int64_t wait = MIN(ROUND_MAX_MS, MAX(client->curl_ms - time_boot_ms(), 0));

        for (struct client_transfer *t = TAILQ_FIRST(&client->resolving), *next; t; t = next) {
                int64_t left = left_ms(t);

                next = TAILQ_NEXT(t, entry);
                if (left <= 0)
                        end_never(t, "the name was not resolved in time");
                else if (left < wait)
                        wait = left;
        }
        return (int)wait;
}

static void take_in(struct letter *letter)
{
        struct client_transfer *t = ((struct call *)(void *)letter)->transfer;

        move(t, &t->client->queued);
}

static void begin_queued(struct client *client)
{
        struct client_transfer *t;

        while (client->n_calls < client->calls_max && (t = TAILQ_FIRST(&client->queued)))
                begin(t);
}

static void end_all(struct client *client)
{
        struct client_transfer *t;

        inbox_run(&client->inbox);
        while ((t = TAILQ_FIRST(&client->queued)) || (t = TAILQ_FIRST(&client->resolving)))
                end_never(t, "stopping");
        while ((t = TAILQ_FIRST(&client->carried))) {
                t->trouble = "stopping";
                finish(t, CURLE_ABORTED_BY_CALLBACK);
        }
}

/* An error shows when it is read. */
static void go_on(struct client *client, curl_socket_t fd, uint32_t events)
{
        int running;

        curl_multi_socket_action(client->multi, fd,
                                 (events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                                         (events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
                                 &running);
}

static void go_round(struct client *client)
{
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(client->epoll, events, EVENTS_MAX, give_up_late(client));

        atomic_store(&client->pulse_ms, time_boot_ms());
        for (int i = 0; i < n; i++)
                if (events[i].data.fd == client->inbox.fd)
                        inbox_run(&client->inbox);
                else
                        go_on(client, events[i].data.fd, events[i].events);
        begin_queued(client);
        if (client->curl_ms <= time_boot_ms()) {
                client->curl_ms = INT64_MAX;
                go_on(client, CURL_SOCKET_TIMEOUT, 0);
        }
        finish_ready(client);
        begin_queued(client); /* into the slots that just became free */
}

static void *client_run(void *arg)
{
        struct client *client = arg;

        pthread_setname_np(pthread_self(), "client");
        while (!atomic_load(&client->stopping))
                go_round(client);
        end_all(client);
        return NULL;
}

static void client_free_at(struct client **at)
{
        struct client *client = *at;

        if (!client)
                return;
        resolver_stop(client->resolver);
        inbox_run(&client->inbox); /* frees the transfers that the resolver just let go of */
        for (int i = 0; i < client->n_idle; i++)
                curl_easy_cleanup(client->idle[i]);
        curl_multi_cleanup(client->multi);
        curl_global_cleanup();
        if (client->epoll >= 0)
                close(client->epoll);
        inbox_done(&client->inbox);
        free(client);
}

/* Our epoll set under curl's sockets and our inbox. */
static enum err watch_all(struct client *client, struct why *why)
{
        struct epoll_event letters = {.events = EPOLLIN, .data.fd = client->inbox.fd};

        client->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (client->epoll < 0 || epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->inbox.fd, &letters) != 0)
                return FAIL(why, ERR_INTERNAL, "epoll: %s", strerror(errno));
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
        return ERR_OK;
}

enum err client_start(int calls_max, const struct guard *guard, struct client **ret, struct why *why)
{
        CLEAN(client_free_at) struct client *client = NULL;
        struct client *made = calloc(1, sizeof *made + (size_t)calls_max * sizeof(CURL *));
        enum err e =
                made ? inbox_init(&made->inbox, why) : FAIL(why, ERR_NO_MEMORY, "no memory for the client");
        int r;

        if (e) {
                free(made);
                return e;
        }
        client = made;
        TAILQ_INIT(&client->queued);
        TAILQ_INIT(&client->resolving);
        TAILQ_INIT(&client->carried);
        client->epoll = -1;
        client->curl_ms = INT64_MAX;
        client->calls_max = calls_max;
        client->outlet.guard = guard;
        atomic_store(&client->pulse_ms, time_boot_ms());
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(client->multi = curl_multi_init()))
                return FAIL(why, ERR_NO_MEMORY, "no memory for curl");
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)calls_max + CONNECTIONS_KEPT);
        e = watch_all(client, why);
        if (!e)
                e = resolver_start(RESOLVER_THREADS, &client->resolver, why);
        if (e)
                return e;
        r = pthread_create(&client->thread, NULL, client_run, client);
        if (r)
                return FAIL(why, ERR_INTERNAL, "the client's thread: %s", strerror(r));
        *ret = TAKE(client);
        return ERR_OK;
}

void client_submit(struct client *client, struct call *call)
{
        struct client_transfer *t = calloc(1, sizeof *t);

        call->received = NULL;
        call->received_n = 0;
        call->took_ms = 0;
        call->transfer = t;
        if (!t) {
                fail(call, CARRIED_NEVER, "no memory for a call", NULL);
                push_home(call);
                return;
        }
        t->client = client;
        t->outlet = &client->outlet;
        t->call = call;
        call->letter.run = take_in;
        inbox_push(&client->inbox, &call->letter);
}

void client_stop(struct client *client)
{
        if (!client)
                return;
        atomic_store(&client->stopping, true);
        client->inbox.wake(client->inbox.arg);
        pthread_join(client->thread, NULL);
        client_free_at(&client);
}

void call_done(struct call *call)
{
        message_done(&call->message);
        free(call->received);
        call->received = NULL;
        call->answer = (struct answer){.retry_after_ms = -1, .body = "", .trouble = ""};
}

int64_t client_pulse_ms(const struct client *client)
{
        return atomic_load(&client->pulse_ms);
}
