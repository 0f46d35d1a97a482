/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - a request from its first header to its answer: refused or read, run, held, answered.
 *
 * What headers alone refuse is decided before the body is read. Where that is long, of unknown length, or not yet sent
 * (Expect), the answer goes out at once and the connection is closed, as libmicrohttpd always does then; a short body is
 * swallowed first: a client with a wrong key shall not pay with its connection. */
#include "server/http_private.h"

#include "model/text.h"
#include "server/complaint.h"
#include "server/forwarded.h"
#include "server/log.h"
#include "server/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/param.h>

#define SMALL_MAX 1024                        /* a body up to here lives in the request itself */
#define GROW_MIN ((size_t)4096)               /* and beyond in a buffer from here */
#define SWALLOW_MAX ((size_t)64 << 10)        /* of a declared length */
#define SWALLOW_CHUNKED_MAX ((size_t)4 << 20) /* of chunks, after which the connection is cut */
#define BODIES_MAX ((size_t)64 << 20)         /* promised to all requests together */

/* ---- birth and death ---- */

/* As given where it is fit to be shown, else made: a random start, then counting. */
static void identify(struct request *r, const char *given)
{
        static const char fit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t n = given ? strspn(given, fit) : 0;

        if (n > 0 && n <= REQUEST_ID_MAX && !given[n]) {
                memcpy(r->id, given, n + 1);
        } else {
                r->http->next_id++;
                hex_write((const uint8_t *)&r->http->next_id, sizeof r->http->next_id, r->id);
        }
}

struct request *request_new(struct peer *peer, const struct head *head)
{
        bool is_chunked = head->n[HEAD_TRANSFER_ENCODING] > 0;
        const char *given = head->value[HEAD_CONTENT_LENGTH];
        /* A number, as libmicrohttpd has seen to; SIZE_MAX where it is larger. */
        size_t length = given ? strtoull(given, NULL, 10) : 0;
        size_t small = is_chunked || length > SMALL_MAX ? SMALL_MAX : length;
        struct request *r = malloc(sizeof *r + small + 1);

        if (!r)
                return NULL;
        *r = (struct request){
                .http = peer->port->http, .peer = peer, .is_ops = peer->port->is_ops, .began_us = -1};
        identify(r, head->value[HEAD_REQUEST_ID]);
        forwarded_client(r->http->options.trusted, peer->address, head->forwarded, head->n_forwarded,
                         r->address);
        r->is_chunked = is_chunked;
        r->content_length = length;
        r->body = r->small;
        r->small[0] = '\0';
        r->body_size = small + 1;
        return r;
}

struct kept {
        struct kept *next;
        void (*done)(void *memory);
        max_align_t memory[];
};

static void receiving_end(struct request *r)
{
        if (r->is_receiving)
                TAILQ_REMOVE(&r->http->receiving, r, receiving);
        r->is_receiving = false;
}

void request_unload(struct request *r)
{
        receiving_end(r);
        r->http->body_bytes -= r->body_bytes;
        r->body_bytes = 0;
        r->http->answer_bytes -= r->reply.counted;
        r->reply.counted = 0;
}

static void request_free(struct request *r)
{
        struct kept *kept;

        while ((kept = r->kept)) {
                r->kept = kept->next;
                if (kept->done)
                        kept->done(kept->memory);
                free(kept);
        }
        if (r->is_released)
                LIST_REMOVE(r, released);
        request_unload(r);
        if (r->body != r->small)
                free(r->body);
        if (!r->reply.is_static)
                free(r->reply.body);
        free(r);
}

/* What the client wrote stands nowhere in it. */
static void count(const struct request *r, int code)
{
        const struct route *route = r->match.route;
        const int64_t took_us = r->began_us < 0 ? -1 : r->http->now_us - r->began_us;

        metrics_request(route, code, took_us);
        log_event(LOG_DEBUG, "request",
                  LOG_TEXT("method", !route       ? ""
                                     : r->is_head ? "HEAD"
                                                  : route->method),
                  LOG_TEXT("route", route ? route->path : ""), LOG_INT("status", code),
                  LOG_INT("ms", took_us < 0 ? 0 : took_us / 1000), LOG_TEXT("requestId", r->id));
}

void request_end(struct request *r)
{
        if (!r->is_answered)
                count(r, CODE_GONE);
        r->peer = NULL;
        if (!r->is_held)
                request_free(r);
}

void requests_bury(struct http *http)
{
        struct request *r;

        while ((r = LIST_FIRST(&http->released))) {
                LIST_REMOVE(r, released);
                r->is_released = false;
                assert(r->is_held || r->is_answered || !r->peer);
                if (!r->is_held && !r->peer)
                        request_free(r);
        }
}

/* ---- refusals before the body, in their order ---- */

static enum err admit_courier(struct request *r, const struct head *head)
{
        const char *key = head->value[HEAD_API_KEY];

        if (head->n[HEAD_API_KEY] != 1 || !*key)
                return ERR_NO_API_KEY;
        /* A malformed key is told as an unknown one is, and that comes later: docs/design.md 2, row 6. */
        r->credential = apikey_digest("krk_", key, &r->digest) ? CREDENTIAL_KEY : CREDENTIAL_MALFORMED;
        return err_starved() ? ERR_NO_MEMORY : ERR_OK;
}

static enum err admit_bearer(struct request *r, const struct head *head)
{
        const char *token = head->value[HEAD_AUTHORIZATION];
        unsigned who = r->match.route->who;
        struct digest digest;

        if (head->n[HEAD_AUTHORIZATION] != 1 || strncasecmp(token, "Bearer ", 7) != 0)
                return ERR_UNAUTHORIZED;
        token += strspn(token + 6, " ") + 6;
        if (r->http->options.admin_token) {
                if (!crypto_sha256(token, strlen(token), &digest))
                        return ERR_NO_MEMORY;
                if (crypto_equal(&digest, &r->http->admin, sizeof digest)) {
                        r->credential = CREDENTIAL_ADMIN;
                        return who & WHO_ADMIN ? ERR_OK : ERR_FORBIDDEN;
                }
        }
        if (!apikey_digest("krt_", token, &r->digest))
                return ERR_UNAUTHORIZED;
        r->credential = CREDENTIAL_TOKEN;
        return who & WHO_RESTAURANT ? ERR_OK : ERR_FORBIDDEN;
}

static enum err admit_ticket(struct request *r, const char *use, const char *text)
{
        const struct keyring *keyring = r->http->options.keyring;

        if (!keyring || !ticket_read(keyring, use, text, time_now_ms(), &r->ticket))
                return ERR_UNAUTHORIZED;
        r->credential = CREDENTIAL_TICKET;
        return ERR_OK;
}

static enum err admit_yandex(struct request *r, const struct head *head)
{
        const char *text = head->value[HEAD_AUTHORIZATION];

        if (head->n[HEAD_AUTHORIZATION] != 1 || strncasecmp(text, "Bearer ", 7) != 0)
                return ERR_UNAUTHORIZED;
        return admit_ticket(r, TICKET_YANDEX, text + strspn(text + 6, " ") + 6);
}

static enum err admit_watcher(struct request *r, const struct head *head)
{
        const char *text = request_query(r, "ticket");

        return text && head->n[HEAD_AUTHORIZATION] == 0 ? admit_ticket(r, TICKET_EVENTS, text)
                                                        : admit_bearer(r, head);
}

static bool is_type(const char *type, const struct route *route)
{
        static const char *const json[] = {"application/json", NULL};

        for (const char *const *known = route->types ? route->types : json; type && *known; known++) {
                const size_t n = strlen(*known);

                if (strncasecmp(type, *known, n) == 0 && (!type[n] || strchr("; \t", type[n])))
                        return true;
        }
        return false;
}

static bool is_crowded(const struct request *r)
{
        const int max = r->http->options.held_max;

        return r->http->held >= max || (r->is_stranger && r->http->strangers >= max / 2);
}

static enum err too_many_held(const struct request *r, struct why *why)
{
        metrics_refused(REFUSAL_HELD);
        return FAIL(why, ERR_BUSY, "%d requests are unanswered", r->http->held);
}

static enum err admit_body(struct request *r, const struct head *head, struct why *why)
{
        const struct route *route = r->match.route;
        size_t promised = r->is_chunked ? route->body_max : r->content_length;
        bool has_body = r->is_chunked || r->content_length > 0;
        const struct request *oldest;

        if (!head_is_sound(head))
                return ERR_BAD_JSON;
        if (r->content_length > route->body_max)
                return ERR_TOO_LARGE;
        if (route->body_max > 0 && (has_body || !route->body_optional) &&
            !is_type(head->value[HEAD_CONTENT_TYPE], route))
                return ERR_NOT_JSON;
        if (r->is_ops)
                return ERR_OK;
        if (http_is_stopping(r->http)) {
                metrics_refused(REFUSAL_DRAINING);
                return FAIL(why, ERR_BUSY, "the server is stopping");
        }
        if (is_crowded(r))
                return too_many_held(r, why);
        /* Half a request must not keep whole ones out. */
        while (promised > BODIES_MAX - r->http->body_bytes && (oldest = TAILQ_FIRST(&r->http->receiving)))
                peer_cut(oldest->peer);
        if (promised > BODIES_MAX - r->http->body_bytes) {
                metrics_refused(REFUSAL_BODIES);
                return FAIL(why, ERR_BUSY, "%zu bytes are promised to bodies", r->http->body_bytes);
        }
        r->body_bytes = promised;
        r->http->body_bytes += promised;
        if (promised > 0) {
                r->is_receiving = true;
                TAILQ_INSERT_TAIL(&r->http->receiving, r, receiving);
        }
        return ERR_OK;
}

void request_admit(struct request *r, const struct head *head, const char *method, const char *path)
{
        const char *expect = head->value[HEAD_EXPECT];
        struct why why = {0};
        enum err e;
        unsigned who;

        err_starved();
        e = router_find(r->peer->port->routes, method, path, &r->match);
        who = e ? 0 : r->match.route->who;
        r->is_head = streq(method, "HEAD");
        if (who)
                e = who & WHO_COURIER  ? admit_courier(r, head)
                    : who & WHO_YANDEX ? admit_yandex(r, head)
                    : who & WHO_TICKET ? admit_watcher(r, head)
                                       : admit_bearer(r, head);
        r->is_stranger = !r->is_ops && r->credential != CREDENTIAL_ADMIN &&
                         r->credential != CREDENTIAL_TICKET && !known_has(&r->http->known, &r->digest);
        if (!e)
                e = admit_body(r, head, &why);
        if (!e)
                return;
        r->is_cut = !head_is_sound(head) || r->is_chunked || r->content_length > SWALLOW_MAX ||
                    (r->content_length > 0 && expect && strcasecmp(expect, "100-continue") == 0);
        request_fail(r, e, &why);
}

/* ---- the body ---- */

/* Makes room for `n` bytes more and a NUL. */
static bool body_grow(struct request *r, size_t n)
{
        size_t needed = r->body_n + n + 1, size = MAX(MAX(2 * r->body_size, GROW_MIN), needed);
        char *body;

        if (needed <= r->body_size)
                return true;
        body = realloc(r->body == r->small ? NULL : r->body, size);
        if (!body)
                return false;
        if (r->body == r->small)
                memcpy(body, r->small, r->body_n);
        r->body = body;
        r->body_size = size;
        return true;
}

bool request_take(struct request *r, const char *bytes, size_t n)
{
        if (!r->is_answered && r->body_n + n > r->match.route->body_max)
                request_fail(r, ERR_TOO_LARGE, NULL);
        if (!r->is_answered && !body_grow(r, n))
                request_fail(r, ERR_NO_MEMORY, NULL);
        if (!r->is_answered) {
                memcpy(r->body + r->body_n, bytes, n);
                r->body[r->body_n + n] = '\0';
        }
        r->body_n += n;
        return !r->is_answered || r->body_n <= SWALLOW_CHUNKED_MAX;
}

void request_run(struct request *r)
{
        receiving_end(r);
        r->began_us = r->http->now_us;
        err_starved();
        r->match.route->handler(r);
        assert(r->is_held || r->is_answered);
}

void request_expire(struct request *r)
{
        struct why why;

        if (r->is_answered)
                return;
        if (r->late) {
                r->late(r);
                r->is_late = true;
                return;
        }
        FAIL(&why, ERR_STORE_BROKEN, "no answer within %lld ms",
             (long long)r->http->options.request_deadline_ms);
        request_fail(r, ERR_STORE_BROKEN, &why);
        r->is_late = true;
}

/* ---- what a handler asks ---- */

void *request_app(struct request *r)
{
        return r->http->options.app;
}

const char *request_id(const struct request *r)
{
        return r->id;
}

const struct route *request_route(const struct request *r)
{
        return r->match.route;
}

const char *request_arg(const struct request *r, int i)
{
        assert(i >= 0 && i < ROUTE_ARGS_MAX);
        return r->match.args[i];
}

const char *request_body(const struct request *r, size_t *ret_length)
{
        *ret_length = r->body_n;
        return r->body;
}

const char *request_address(const struct request *r)
{
        return r->address;
}

enum credential request_credential(const struct request *r)
{
        return r->credential;
}

const struct digest *request_digest(const struct request *r)
{
        return &r->digest;
}

const struct ticket *request_ticket(const struct request *r)
{
        return &r->ticket;
}

void *request_alloc(struct request *r, size_t size, void (*done)(void *memory))
{
        struct kept *kept = calloc(1, sizeof *kept + size);

        if (!kept)
                return NULL;
        kept->done = done;
        kept->next = r->kept;
        r->kept = kept;
        return kept->memory;
}

/* ---- holding ---- */

int http_connections(const struct http *http)
{
        return http->main.n_peers;
}

int http_held(const struct http *http)
{
        return http->held;
}

bool request_hold(struct request *r)
{
        struct why why;

        assert(!r->is_held);
        if (!r->peer || r->is_answered)
                return false;
        if (!r->is_ops && is_crowded(r)) {
                request_fail(r, too_many_held(r, &why), &why);
                return false;
        }
        r->is_held = true;
        r->http->held++;
        r->http->strangers += r->is_stranger;
        return true;
}

void request_judge(struct request *r, bool is_good)
{
        assert(!r->is_held);
        if (r->credential != CREDENTIAL_KEY && r->credential != CREDENTIAL_TOKEN)
                return;
        known_note(&r->http->known, &r->digest, is_good);
        r->is_stranger = !is_good;
}

void request_on_late(struct request *r, void (*late)(struct request *r))
{
        r->late = late;
}

void request_release(struct request *r)
{
        assert(r->is_held);
        r->is_held = false;
        r->http->held--;
        r->http->strangers -= r->is_stranger;
        if (!r->is_released)
                LIST_INSERT_HEAD(&r->http->released, r, released);
        r->is_released = true;
}

/* ---- answers ---- */

/* Takes `body` over. What comes after the deadline's answer, or after the client left, is dropped. */
static void reply(struct request *r, int http_status, char *body, size_t length)
{
        assert(!r->is_answered || r->is_late);
        if (r->is_late || !r->peer) {
                free(body);
                return;
        }
        r->is_answered = true;
        count(r, http_status);
        r->reply.http_status = http_status;
        r->reply.body = body;
        r->reply.length = length;
}

void request_reply(struct request *r, int http_status, const char *body, size_t length)
{
        char *copy = body ? malloc(length + 1) : NULL;

        if (copy)
                memcpy(copy, body, length);
        if (copy || !body)
                reply(r, http_status, copy, body ? length : 0);
        else
                request_fail(r, ERR_NO_MEMORY, NULL);
}

void request_reply_static(struct request *r, int http_status, const char *body, size_t length)
{
        if (r->is_late || !r->peer)
                return;
        r->reply.is_static = true;
        reply(r, http_status, (char *)(uintptr_t)body, length);
}

void request_reply_text(struct request *r, int http_status, char *body)
{
        if (body)
                reply(r, http_status, body, strlen(body));
        else
                request_fail(r, ERR_NO_MEMORY, NULL);
}

void request_reply_header(struct request *r, const char *name, const char *value)
{
        const size_t size = strlen(value) + 1;
        int i = r->reply.n_headers;
        char *copy;

        if (r->is_late || !r->peer)
                return;
        assert(i < REPLY_HEADERS_MAX);
        copy = request_alloc(r, size, NULL);
        if (!copy)
                return; /* without memory an answer with a header less is better than none */
        memcpy(copy, value, size);
        r->reply.headers[i].name = name;
        r->reply.headers[i].value = copy;
        r->reply.n_headers++;
}

void request_upgrade(struct request *r, void (*take)(void *arg, struct lent *lent), void *arg)
{
        if (r->is_head) {
                text_copy(r->match.allow, sizeof r->match.allow, r->match.route->method);
                request_fail(r, ERR_BAD_METHOD, NULL);
                return;
        }
        r->take = take;
        r->take_arg = arg;
        reply(r, 101, NULL, 0);
}

void request_acted(struct request *r)
{
        r->has_acted = true;
}

bool request_is_late(const struct request *r)
{
        return r->is_late;
}

bool request_has_header(const struct request *r, const char *name)
{
        for (int i = 0; i < r->reply.n_headers; i++)
                if (strcasecmp(r->reply.headers[i].name, name) == 0)
                        return true;
        return false;
}

void request_fail(struct request *r, enum err e, const struct why *why)
{
        const struct route *route = r->match.route;
        const struct err_row *row = err_row(e), *told = row;
        char *document;

        if (row->http < 500 && err_starved())
                e = ERR_NO_MEMORY;
        if (e == ERR_NO_MEMORY && r->has_acted)
                e = ERR_STORE_BROKEN;
        row = told = err_row(e);
        if (e == ERR_STORE_BROKEN || e == ERR_DAMAGED)
                told = err_row(route && route->broken ? route->broken : ERR_INTERNAL);
        if (told->http >= 500)
                log_limited(told->http == 503 ? LOG_WARN : LOG_ERROR, "request_failed",
                            LOG_CAUSE("error", row->name), LOG_TEXT("reason", why ? why->text : ""),
                            LOG_TEXT("requestId", r->id), LOG_CAUSE("route", route ? route->path : ""),
                            LOG_INT("status", told->http));
        if (route && route->refused && !r->is_late)
                route->refused(e);
        if ((row->retry || told->retry) && !request_has_header(r, "Retry-After"))
                request_reply_header(r, "Retry-After", "1");
        if (e == ERR_BAD_METHOD)
                request_reply_header(r, "Allow", r->match.allow);
        document = complaint_write(r->match.complaint, e, told, why ? why->field : "");
        reply(r, told->http, document, document ? strlen(document) : 0);
}
