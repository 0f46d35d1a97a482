/* SPDX-License-Identifier: Apache-2.0 */
/* yandex.c - how Yandex Eats comes in: its access token, and what each of its calls begins with. */
#include "handlers/yandex.h"

#include "handlers/handlers.h"
#include "handlers/records.h"
#include "model/clean.h"
#include "model/connection.h"
#include "model/form.h"
#include "model/restaurant.h"

#include <stdio.h>
#include <string.h>

#define TICKET_LIFE_S 3600 /* docs/api.md 6 */

/* ---- what each call begins with ---- */

struct visit {
        struct access access; /* to what is the restaurant's */
        struct yandex_account account;
        caller_answer *then; /* with the order */
        caller_answer *next; /* with the account */
};

static enum err visited(struct request *r, void *verb)
{
        struct store_get *get = verb;
        struct visit *visit = caller_state(verb);
        enum err e;

        if (!get->record.document)
                return ERR_UNAUTHORIZED;
        e = yandex_account_read(&get->record, &visit->account, &get->job.why);
        if (e)
                return e;
        if (!visit->account.enabled || yandex_account_mark(&visit->account) != request_ticket(r)->mark)
                return ERR_UNAUTHORIZED;
        get->job.access = visit->access; /* the verbs to come see to it that the restaurant is active */
        return visit->next(r, verb);
}

static void begin(struct request *r, caller_answer *next, caller_answer *then)
{
        struct store_get *get = caller_job(r, VERB_GET, OWN, visited);
        struct visit *visit = get ? caller_keep(get, sizeof *visit, NULL) : NULL;

        if (!get)
                return;
        if (visit) {
                *visit = (struct visit){.access = get->job.access, .next = next, .then = then};
                get->job.access = (struct access){.kind = ACCESS_TRUSTED}; /* one record, one round trip */
                get->kind = RECORD_CONNECTION;
                connection_id(&visit->access.restaurant, PLATFORM_YANDEX, get->id);
        }
        caller_end(get, visit ? ERR_OK : ERR_NO_MEMORY);
}

void yandex_visit(struct request *r, caller_answer *next)
{
        begin(r, next, NULL);
}

static enum err found(struct request *r, void *verb)
{
        const struct order *order = ((struct store_read *)verb)->stored;
        const struct visit *visit = caller_state(verb);

        return order && order->platform == PLATFORM_YANDEX ? visit->then(r, verb) : ERR_NOT_FOUND;
}

static enum err find(struct request *r, void *verb)
{
        struct store_read *read = caller_next(verb, VERB_READ, found);
        enum err e = read ? caller_id(r, 0, &read->order, &((struct job *)verb)->why) : ERR_NO_MEMORY;

        return e ? e : caller_submit(read);
}

void yandex_visit_order(struct request *r, caller_answer *next)
{
        begin(r, find, next);
}

const struct yandex_account *yandex_visited(void *verb)
{
        return &((const struct visit *)caller_state(verb))->account;
}

enum err yandex_check_place(void *verb, const struct view *body, struct why *why)
{
        const struct job *job = verb;
        const struct yandex_account *account = yandex_visited(verb);
        const char *text = NULL;
        struct id id;
        enum err e = view_need_text(body, "restaurantId", 1, SIZE_MAX, &text, why);

        if (e || (account->place[0] && streq(text, account->place)) ||
            (id_read(text, &id) && id_equal(&id, &job->access.restaurant)))
                return e;
        return FAIL_FIELD(why, "restaurantId", "neither our id nor the connection's placeId");
}

/* ---- POST /security/oauth/token ---- */

/* As it came, to be wiped. */
struct asked {
        char secret[APIKEY_TEXT_SIZE];
};

static void wipe_asked(void *asked)
{
        explicit_bzero(asked, sizeof(struct asked));
}

static enum err give_token(struct request *r, const struct record *record,
                           const struct yandex_account *account)
{
        const struct ticket ticket = {.restaurant = record->restaurant,
                                      .until_ms = time_now_ms() + TICKET_LIFE_S * INT64_C(1000),
                                      .mark = yandex_account_mark(account)};
        char text[TICKET_TEXT_SIZE], body[TICKET_TEXT_SIZE + 64];
        int n;

        if (!ticket_write(caller_app(r)->keyring, TICKET_YANDEX, &ticket, text))
                return ERR_NO_MEMORY;
        n = snprintf(body, sizeof body, "{\"access_token\":\"%s\",\"expires_in\":%d}", text, TICKET_LIFE_S);
        request_reply_header(r, "Cache-Control", "no-store"); /* RFC 6749 section 5.1 */
        request_reply(r, 200, body, (size_t)n);
        return ERR_OK;
}

static enum err told(struct request *r, void *verb)
{
        struct store_edit *edit = verb;
        struct yandex_account account;
        enum err e;

        if (!edit->record.document)
                return ERR_BAD_CLIENT;
        e = yandex_account_read(&edit->record, &account, &edit->job.why);
        return e ? e : give_token(r, &edit->record, &account);
}

/* With the restaurant's own record at hand. That they have come in is written down once for each secret. */
static enum err admitted(struct request *r, void *verb)
{
        struct store_get *get = verb;
        const struct asked *asked = caller_state(verb);
        struct yandex_account account;
        uint64_t *mark;
        enum err e;

        if (!get->record.document || !get->owner.document)
                return ERR_BAD_CLIENT;
        e = yandex_account_read(&get->record, &account, &get->job.why);
        if (e)
                return e;
        /* The secret again: it may be another by now. */
        if (!account.enabled || !restaurant_is_active(&get->owner) ||
            !yandex_account_knows(&account, asked->secret))
                return ERR_BAD_CLIENT;
        if (account.came)
                return give_token(r, &get->record, &account);
        mark = request_alloc(r, sizeof *mark, NULL);
        if (!mark)
                return ERR_NO_MEMORY;
        *mark = yandex_account_mark(&account);
        return records_edit(verb, RECORD_CONNECTION, get->id, yandex_account_came, mark, told);
}

static enum err known(struct request *r, void *verb)
{
        struct store_get *get = verb, *next;
        const struct asked *asked = caller_state(verb);
        struct yandex_account account;
        enum err e;

        (void)r;
        if (!get->record.document)
                return ERR_BAD_CLIENT;
        e = yandex_account_read(&get->record, &account, &get->job.why);
        if (e)
                return e;
        if (!yandex_account_knows(&account, asked->secret))
                return ERR_BAD_CLIENT;
        next = caller_next(verb, VERB_GET, admitted);
        if (!next)
                return ERR_NO_MEMORY;
        next->job.access.restaurant = get->record.restaurant;
        next->kind = RECORD_CONNECTION;
        text_copy(next->id, sizeof next->id, get->id);
        return caller_submit(next);
}

/* A member of the form; "" where it is absent, or too long to be what is asked for. */
static void read_member(const char *form, const char *name, char *to, size_t size)
{
        if (!form_read(form, name, to, size))
                to[0] = '\0';
}

void yandex_token(struct request *r)
{
        struct store_get *get = caller_job(r, VERB_GET, OWN, known);
        struct asked *asked = get ? caller_keep(get, sizeof *asked, wipe_asked) : NULL;
        char client[ID_TEXT_SIZE], grant[32];
        size_t length;
        const char *form = request_body(r, &length);
        struct id id;
        enum err e = asked ? ERR_OK : ERR_NO_MEMORY;

        if (!get)
                return;
        if (!e) {
                read_member(form, "client_id", client, sizeof client);
                read_member(form, "client_secret", asked->secret, sizeof asked->secret);
                read_member(form, "grant_type", grant, sizeof grant);
                if (!streq(grant, "client_credentials"))
                        e = FAIL_FIELD(&get->job.why, "grant_type", "not client_credentials");
                else if (!id_read(client, &id))
                        e = FAIL(&get->job.why, ERR_BAD_CLIENT, "no id of a client");
        }
        if (!e) {
                /* Nobody in particular asks: that there is no such restaurant must not show. */
                get->job.access = (struct access){.kind = ACCESS_TRUSTED};
                get->kind = RECORD_CONNECTION;
                connection_id(&id, PLATFORM_YANDEX, get->id);
        }
        caller_end(get, e);
}
