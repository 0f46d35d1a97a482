/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - calls become transfers of one curl multi handle; whatever happens to one, it ends in one completion.
 *
 * A call is queued, then begun (its deadline runs from there), resolved, carried and sent home. Only the client's
 * thread touches any of that; curl_multi_wakeup() is the one thing that others do to curl.
 *
 * NEVER and UNSURE are told apart by `sent`: curl asks us (CURLOPT_PREREQFUNCTION) when a connection, TLS included, is
 * ready and the request is about to be written. Whatever fails after that may have been acted on.
 *
 * A kept connection may be closed by the other side at the very moment we write to it; curl then repeats the request,
 * whatever its method (Curl_retry_request in its lib/transfer.c), and a PUT would be told twice. The repeat asks again
 * before it is written, and is refused: the call is UNSURE. Only GET, which changes nothing, may be repeated.
 *
 * A guarded call leads only where the guard lets it: the addresses of its name are judged before curl is given them, each
 * one that curl opens a socket for once more, and the one at the other end, of a kept connection too, before it is written
 * to. An unguarded call to the same host may have opened that connection.
 *
 * HTTP/1.1 only: with one request at a time on a connection, one that stalls harms one call. */
#include "server/client.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/resolver.h"
#include "server/url.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define RESOLVER_THREADS 16 /* a guess: names that may hang before others wait for their address */
#define CONNECT_MAX_MS 3000
#define HEADERS_MAX 32768      /* bytes; a guess, far above what any platform sends */
#define CONNECTION_LIFE_S 600L /* a guess: so long a host that moved is still called where it was */
#define RETRY_AFTER_MAX_S 3600
#define ROUND_MAX_MS 1000 /* client_pulse_ms() promises it */

/* A call from its submission on. */
struct client_transfer {
        struct resolution resolution; /* first: its letter is the transfer's */
        struct client *client;
        struct call *call;    /* borrowed; NULL once it went home while its name was still being asked for */
        struct transfers *in; /* the list that holds it, which is its state; NULL: none */
        int64_t begun_ms;     /* 0: still queued */
        struct url url;       /* owned */
        CURL *handle;         /* owned while it is carried */
        struct curl_slist *headers; /* owned */
        struct curl_slist *pin;     /* owned */
        size_t header_bytes;
        int sent;            /* how often the request set out */
        const char *trouble; /* a literal: why we ended it ourselves */
        TAILQ_ENTRY(client_transfer) entry;
};

TAILQ_HEAD(transfers, client_transfer);

struct client {
        struct inbox inbox;
        CURLM *multi;
        const struct guard *guard; /* borrowed */
        struct resolver *resolver;
        pthread_t thread;
        atomic_bool stopping;
        _Atomic int64_t pulse_ms;
        /* the thread's own */
        struct transfers queued; /* for a slot */
        struct transfers resolving;
        struct transfers carried;
        int calls_max;
        int n_calls; /* begun and not yet home */
        int n_idle;
        CURL *idle[]; /* owned; up to calls_max, for setting one up costs more than a call */
};

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
        if (t->handle) {
                curl_multi_remove_handle(client->multi, t->handle);
                curl_easy_reset(t->handle);
                client->idle[client->n_idle++] = TAKE(t->handle);
        }
        curl_slist_free_all(t->headers);
        curl_slist_free_all(t->pin);
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

static bool may_call(const struct client_transfer *t, const char *address)
{
        return !t->call->message.guarded ||
               guard_allows(t->client->guard, address, t->url.port, t->url.plain);
}

static const char *refusal(const struct client_transfer *t)
{
        return t->url.plain ? "the address may not be called by plain http" : "the address may not be called";
}

/* Leaves of the addresses those that may be called; false: there are none. */
static bool vet(struct client_transfer *t)
{
        struct resolution *r = &t->resolution;
        int n = 0;

        for (int i = 0; i < r->n; i++)
                if (may_call(t, r->addresses[i]))
                        memmove(r->addresses[n++], r->addresses[i], sizeof r->addresses[i]);
        r->n = n;
        return n > 0;
}

/* Of guarded calls: the last word, whatever curl makes of a host. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
        struct client_transfer *t = arg;
        char address[NI_MAXHOST];

        (void)purpose;
        if (getnameinfo(&to->addr, to->addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0 &&
            may_call(t, address))
                return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
        t->trouble = refusal(t);
        return CURL_SOCKET_BAD;
}

static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
        struct client_transfer *t = arg;

        (void)from, (void)to_port, (void)from_port;
        if (!may_call(t, to)) {
                t->trouble = refusal(t);
                return CURL_PREREQFUNC_ABORT;
        }
        if (t->sent && !streq(t->call->message.method, "GET")) {
                t->trouble = "the kept connection broke before an answer came";
                return CURL_PREREQFUNC_ABORT;
        }
        t->sent++;
        return CURL_PREREQFUNC_OK;
}

/* A pinned host must never make curl look up a name; an IPv6 address cannot be pinned, and is no look-up. */
static int on_resolve(void *state, void *reserved, void *arg)
{
        const struct client_transfer *t = arg;

        (void)state, (void)reserved;
        return t->pin != NULL;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
        struct client_transfer *t = arg;

        (void)bytes;
        t->header_bytes += size * n;
        if (t->header_bytes <= HEADERS_MAX)
                return size * n;
        t->trouble = "the answer's headers are too long";
        return 0;
}

/* The pieces are curl's, of up to 16 KiB: to grow by each is cheap enough for what is ever asked for. */
static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
        struct client_transfer *t = arg;
        struct call *call = t->call;
        size_t total = call->received_n + size * n;
        bool fits = total <= (call->message.reply_max ? call->message.reply_max : MESSAGE_REPLY_MAX);
        char *larger = fits ? realloc(call->received, total + 1) : NULL;

        if (!larger) {
                t->trouble = fits ? "no memory for the answer" : "the answer is too long";
                return 0;
        }
        memcpy(larger + call->received_n, bytes, size * n);
        larger[total] = '\0';
        call->received = larger;
        call->received_n = total;
        return size * n;
}

#define SET(t, option, value) (curl_easy_setopt((t)->handle, (option), (value)) == CURLE_OK)

static bool set_rules(struct client_transfer *t)
{
        return SET(t, CURLOPT_NOSIGNAL, 1L) && SET(t, CURLOPT_PROTOCOLS_STR, "http,https") &&
               SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
               SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
               SET(t, CURLOPT_FOLLOWLOCATION, 0L) && SET(t, CURLOPT_PROXY, "") &&
               SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
               SET(t, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S) && SET(t, CURLOPT_PRIVATE, t) &&
               SET(t, CURLOPT_PREREQFUNCTION, on_request) && SET(t, CURLOPT_PREREQDATA, t) &&
               SET(t, CURLOPT_RESOLVER_START_FUNCTION, on_resolve) &&
               SET(t, CURLOPT_RESOLVER_START_DATA, t) && SET(t, CURLOPT_HEADERFUNCTION, on_header) &&
               SET(t, CURLOPT_HEADERDATA, t) && SET(t, CURLOPT_WRITEFUNCTION, on_body) &&
               SET(t, CURLOPT_WRITEDATA, t) &&
               (!t->call->message.guarded ||
                (SET(t, CURLOPT_OPENSOCKETFUNCTION, on_socket) && SET(t, CURLOPT_OPENSOCKETDATA, t)));
}

static bool append(struct curl_slist **list, const char *text)
{
        struct curl_slist *longer = curl_slist_append(*list, text);

        if (longer)
                *list = longer;
        return longer != NULL;
}

/* The message's headers, and none of those that curl would add by itself: a bare name keeps it from that. */
static bool set_headers(struct client_transfer *t)
{
        static const char *const unasked[] = {"Accept:", "Content-Type:", "Expect:"};
        const struct message *m = &t->call->message;
        bool fine = true;

        for (int i = 0; i < m->n_headers; i++)
                fine = fine && append(&t->headers, m->headers[i]);
        for (size_t i = 0; i < sizeof unasked / sizeof *unasked; i++) {
                int at = 0;

                while (at < m->n_headers && strncasecmp(m->headers[at], unasked[i], strlen(unasked[i])) != 0)
                        at++;
                fine = fine && (at < m->n_headers || append(&t->headers, unasked[i]));
        }
        return fine && SET(t, CURLOPT_HTTPHEADER, t->headers);
}

/* What is no bare GET goes as curl's POST by its own name, which gives an empty body its Content-Length: 0. */
static bool set_request(struct client_transfer *t)
{
        const struct message *m = &t->call->message;
        const char *body = m->body ? m->body : "";

        if (!set_headers(t) || !SET(t, CURLOPT_CURLU, t->url.handle))
                return false;
        if (!m->body && streq(m->method, "GET"))
                return SET(t, CURLOPT_HTTPGET, 1L);
        return SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body)) &&
               SET(t, CURLOPT_POSTFIELDS, body) && SET(t, CURLOPT_CUSTOMREQUEST, m->method);
}

/* Gives curl the addresses for this host and port, in place of those that an earlier call gave it. `+`: they leave
 * curl's memory after a minute; a later call brings its own anyway. */
static bool set_pin(struct client_transfer *t)
{
        const struct resolution *r = &t->resolution;
        char text[sizeof r->host + RESOLVER_ADDRESSES_MAX * (sizeof r->addresses[0] + 3) + 16];
        int n;

        if (strchr(r->host, ':'))
                return true;
        n = snprintf(text, sizeof text, "+%s:%d:", r->host, t->url.port);
        for (int i = 0; i < r->n; i++)
                n += snprintf(text + n, sizeof text - (size_t)n,
                              strchr(r->addresses[i], ':') ? "%s[%s]" : "%s%s", i ? "," : "",
                              r->addresses[i]);
        return append(&t->pin, text) && SET(t, CURLOPT_RESOLVE, t->pin);
}

static bool set_out(struct client_transfer *t, int64_t left_ms)
{
        struct client *client = t->client;
        int64_t connect_ms = left_ms < CONNECT_MAX_MS ? left_ms : CONNECT_MAX_MS;

        t->handle = client->n_idle ? client->idle[--client->n_idle] : curl_easy_init();
        return t->handle && set_rules(t) && set_request(t) && set_pin(t) &&
               SET(t, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
               SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms) &&
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
        else if (!vet(t))
                end_never(t, refusal(t));
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
        t->resolution.reply = &client->inbox;
        t->resolution.letter.run = resolved;
        if (resolver_ask(client->resolver, &t->resolution))
                carry(t);
        else
                move(t, &client->resolving);
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
                finish((struct client_transfer *)(void *)t, result);
        }
}

/* Gives up the calls whose deadline passed while they were resolved; how long until the next one does. */
static int give_up_late(struct client *client)
{
        int64_t wait = ROUND_MAX_MS;

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

static void *client_run(void *arg)
{
        struct client *client = arg;
        int running;

        pthread_setname_np(pthread_self(), "client");
        while (!atomic_load(&client->stopping)) {
                atomic_store(&client->pulse_ms, time_boot_ms());
                inbox_run(&client->inbox);
                begin_queued(client);
                curl_multi_perform(client->multi, &running);
                finish_ready(client);
                begin_queued(client); /* into the slots that just became free */
                curl_multi_poll(client->multi, NULL, 0, give_up_late(client), NULL);
        }
        end_all(client);
        return NULL;
}

static void wake(void *arg)
{
        curl_multi_wakeup(((struct client *)arg)->multi);
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
        inbox_done(&client->inbox);
        free(client);
}

enum err client_start(int calls_max, const struct guard *guard, struct client **ret, struct why *why)
{
        CLEAN(client_free_at)
        struct client *client = calloc(1, sizeof *client + (size_t)calls_max * sizeof(CURL *));
        enum err e;
        int r;

        if (!client)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the client");
        inbox_init_wake(&client->inbox, wake, client);
        TAILQ_INIT(&client->queued);
        TAILQ_INIT(&client->resolving);
        TAILQ_INIT(&client->carried);
        client->calls_max = calls_max;
        client->guard = guard;
        atomic_store(&client->pulse_ms, time_boot_ms());
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(client->multi = curl_multi_init()))
                return FAIL(why, ERR_NO_MEMORY, "no memory for curl");
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)calls_max);
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
        t->call = call;
        call->letter.run = take_in;
        inbox_push(&client->inbox, &call->letter);
}

void client_stop(struct client *client)
{
        if (!client)
                return;
        atomic_store(&client->stopping, true);
        wake(client);
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
