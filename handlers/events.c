/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - a restaurant's screen: its ticket, and the way onto the WebSocket (docs/api.md 5). */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/caller.h"
#include "model/restaurant.h"
#include "server/config.h"
#include "server/handshake.h"
#include "server/hub.h"
#include "server/spent.h"

#include <string.h>

/* ---- POST /api/v1/events/ticket: a browser cannot show a token when it opens a WebSocket ---- */

static enum err issued(struct request *r, void *verb)
{
        const struct app *app = caller_app(r);
        const struct job *job = verb;
        struct ticket ticket = {.restaurant = job->restaurant,
                                .holder = job->token,
                                .until_ms = time_now_ms() + app->config->ticket_life_ms};
        char text[TICKET_TEXT_SIZE];
        struct json_object *data;

        if (!crypto_random(&ticket.mark, sizeof ticket.mark))
                return ERR_INTERNAL;
        if (!ticket_write(app->keyring, TICKET_EVENTS, &ticket, text))
                return ERR_NO_MEMORY;
        data = answer_object();
        return answer_filled(r, 200, data,
                             data && json_add_text(data, "ticket", text) &&
                                     json_add_time(data, "expiresAt", ticket.until_ms));
}

static enum err read_own(__attribute__((unused)) struct request *r, void *verb,
                         __attribute__((unused)) struct why *why)
{
        ((struct store_get *)verb)->kind = RECORD_TOKEN; /* the caller's own */
        return ERR_OK;
}

HANDLER(events_ticket, VERB_GET, OWN, read_own, issued)

/* ---- GET /api/v1/events ---- */

struct watch {
        struct hub *hub;
        struct admittance admittance;
        char accept[HANDSHAKE_ACCEPT_SIZE];
};

static void taken(void *arg, struct lent *lent)
{
        const struct watch *watch = arg;

        hub_admit(watch->hub, &watch->admittance, lent);
}

static enum err admitted(struct request *r, void *verb)
{
        const struct store_get *get = verb;
        struct watch *watch = caller_state(verb);

        if (!get->record.document || !restaurant_is_active(&get->owner) ||
            !id_read(get->record.id, &watch->admittance.token))
                return ERR_UNAUTHORIZED;
        watch->hub = caller_app(r)->hub;
        watch->admittance.restaurant = get->record.restaurant;
        if (hub_is_crowded(watch->hub, &watch->admittance.restaurant))
                return ERR_BUSY;
        request_reply_header(r, "Upgrade", "websocket");
        request_reply_header(r, "Sec-WebSocket-Accept", watch->accept);
        request_upgrade(r, taken, watch);
        return ERR_OK;
}

/* One ticket is good for one socket, opened by a page of ours or by no page. */
static enum err check_ticket(struct request *r, struct store_get *get, struct why *why)
{
        const struct app *app = caller_app(r);
        const struct ticket *ticket = request_ticket(r);

        if (!handshake_is_ours(request_header(r, "Origin"), app->config->public_url,
                               request_header(r, "Host")))
                return FAIL(why, ERR_FORBIDDEN, "a page of another origin");
        id_write(&ticket->holder, get->id);
        return spent_take(app->spent, ticket->mark, ticket->until_ms, time_now_ms(), why);
}

static enum err read_watch(struct request *r, void *verb, struct why *why)
{
        const struct handshake asked = {.upgrade = request_header(r, "Upgrade"),
                                        .connection = request_header(r, "Connection"),
                                        .version = request_header(r, "Sec-WebSocket-Version"),
                                        .key = request_header(r, "Sec-WebSocket-Key")};
        const char *since = request_query(r, "since");
        struct store_get *get = verb;
        struct watch *watch = caller_keep(verb, sizeof *watch, NULL);
        enum err e;

        if (!watch)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a watcher");
        e = handshake_check(&asked, watch->accept, why);
        if (e == ERR_UPGRADE) {
                request_reply_header(r, "Upgrade", "websocket");
                request_reply_header(r, "Sec-WebSocket-Version", HANDSHAKE_VERSION);
        }
        watch->admittance.has_since = since;
        if (!e && since && !time_read(since, &watch->admittance.since_ms))
                e = FAIL_FIELD(why, "since", "not a time");
        if (!e && request_credential(r) == CREDENTIAL_TICKET)
                e = check_ticket(r, get, why);
        get->kind = RECORD_TOKEN;
        return e;
}

HANDLER(events_watch, VERB_GET, OWN, read_watch, admitted)
