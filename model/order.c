/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - an order's birth and death, its history as kept, and how it and what it owes are shown. */
#include "model/order.h"

#include "model/clean.h"
#include "model/dialect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR_WORD(name, word) word,
static const char *const actor_words[ACTOR_COUNT] = {ACTOR_TABLE(ACTOR_WORD)};
#undef ACTOR_WORD

const char *actor_word(enum actor actor)
{
        return actor_words[actor];
}

bool actor_find(const char *word, enum actor *ret)
{
        const int i = word_find(word, actor_words, ACTOR_COUNT);

        if (i >= 0)
                *ret = (enum actor)i;
        return i >= 0;
}

/* ---- birth and death ---- */

/* Whether an order that stands there is a courier firm's business. */
static bool is_dispatched(enum status status)
{
        return status >= STATUS_ACCEPTED && status < STATUS_ON_THE_WAY;
}

bool order_awaits_firm(const struct order *order)
{
        return !order->pickup && !order->platform_courier && is_dispatched(order->status) &&
               id_is_zero(&order->targets[PARTY_COURIER].firm);
}

enum err order_begin(struct order *order, const struct id *restaurant, enum actor by, int64_t now_ms,
                     struct why *why)
{
        struct target *targets = order->targets;
        char number[ID_TEXT_SIZE];

        if (id_is_zero(&order->id) && !id_make(now_ms, &order->id))
                return FAIL(why, ERR_INTERNAL, "no randomness for an id");
        if (!order->platform_order_id) {
                order->platform_order_id = strdup(id_write(&order->id, number));
                if (!order->platform_order_id)
                        return FAIL(why, ERR_NO_MEMORY, "no memory for an order");
        }
        order->restaurant = *restaurant;
        order->rev = 1;
        order->created_ms = order->updated_ms = now_ms;
        order->moves[0] = (struct move){.to = order->status, .at_ms = now_ms, .by = by};
        order->n_moves = 1;
        /* Whoever sent it knows its status; a courier firm knows nothing of it. */
        for (int party = 0; party < PARTY_COUNT; party++)
                targets[party] = (struct target){.want = STEP_OF(order->status), .at_ms = TARGET_NEVER};
        targets[PARTY_PLATFORM].told = targets[PARTY_PLATFORM].want;
        if (dialect_of(order->platform))
                targets[PARTY_PLATFORM].at_ms = TARGET_NOT_DUE;
        if (!order->pickup && !order->platform_courier)
                targets[PARTY_COURIER].at_ms = is_dispatched(order->status) ? now_ms : TARGET_NOT_DUE;
        return ERR_OK;
}

static void free_notes(struct move *moves, int n)
{
        for (int i = 0; i < n; i++)
                free(TAKE(moves[i].note));
}

void order_free(struct order *order)
{
        if (!order)
                return;
        free_notes(order->moves, order->n_moves);
        for (int party = 0; party < PARTY_COUNT; party++)
                free(order->targets[party].log);
        free(order->platform_order_id);
        free(order->document);
        free(order);
}

void order_free_at(struct order **at)
{
        order_free(*at);
}

const struct move *order_last_move(const struct order *order)
{
        assert(order->n_moves > 0);
        return &order->moves[order->n_moves - 1];
}

const struct move *order_find_move(const struct order *order, enum status status)
{
        for (int i = 0; i < order->n_moves; i++)
                if (order->moves[i].to == status)
                        return &order->moves[i];
        return NULL;
}

/* ---- history, as a store keeps it ---- */

static const char *text_or_null(const char *text)
{
        return text && text[0] ? text : NULL;
}

/* What people wrote, as the end of a row's text; "}" where they wrote nothing. NULL without memory. */
static char *words_write(const struct move *move)
{
        CLEAN(json_put_at) struct json_object *words = NULL;
        char *text;

        if (!move->reason[0] && !move->note)
                return strdup("}");
        words = json_object_new_object();
        if (!words || (move->reason[0] && !json_add_text(words, "r", move->reason)) ||
            (move->note && !json_add_text(words, "n", move->note)))
                return NULL;
        text = json_text(words);
        if (text)
                text[0] = ','; /* for its opening brace */
        return text;
}

char *moves_append(const char *history, const struct move *move)
{
        const size_t n = strlen(history);
        CLEAN(free_at) char *words = words_write(move);
        const size_t size = n + sizeof ",{'s':00,'at':-9223372036854775808,'by':0,'op':'','i':''" +
                            OP_TEXT_SIZE + ID_TEXT_SIZE + (words ? strlen(words) : 0) + sizeof "]";
        const bool has_op = move->op[0], has_firm = !id_is_zero(&move->integration);
        char *text = words && n >= 2 ? malloc(size) : NULL;
        char firm[ID_TEXT_SIZE] = "";

        if (!text)
                return NULL;
        /* Spliced in before the closing bracket, by hand and without what is empty: every move does this, and json-c
         * takes five times as long. */
        if (has_firm)
                id_write(&move->integration, firm);
        memcpy(text, history, n - 1);
        snprintf(text + n - 1, size - n, "%s{\"s\":%d,\"at\":%" PRId64 ",\"by\":%d%s%s%s%s%s%s%s]",
                 n > 2 ? "," : "", (int)move->to, move->at_ms, (int)move->by, has_op ? ",\"op\":\"" : "",
                 move->op, has_op ? "\"" : "", has_firm ? ",\"i\":\"" : "", firm, has_firm ? "\"" : "",
                 words);
        return text;
}

char *moves_write(const struct move *moves, int n)
{
        CLEAN(free_at) char *text = strdup("[]");

        for (int i = 0; text && i < n; i++) {
                char *longer = moves_append(text, &moves[i]);

                free(text);
                text = longer;
        }
        return TAKE(text);
}

/* A text that may be absent, into a bounded place. */
static bool read_text(struct json_object *row, const char *key, char *to, size_t size)
{
        const char *text = json_get_text(row, key);

        return text_copy(to, size, text ? text : "");
}

static enum err read_move(struct json_object *row, struct move *ret, struct why *why)
{
        int64_t to = json_get_int(row, "s", -1), by = json_get_int(row, "by", -1);
        const char *integration = json_get_text(row, "i"), *note = json_get_text(row, "n");
        struct move move = {
                .to = (enum status)to, .at_ms = json_get_int(row, "at", -1), .by = (enum actor)by};

        if (to < 0 || to >= STATUS_COUNT || by < 0 || by >= ACTOR_COUNT || move.at_ms < 0 ||
            !read_text(row, "op", move.op, sizeof move.op) ||
            !read_text(row, "r", move.reason, sizeof move.reason) ||
            (integration && !id_read(integration, &move.integration)))
                return FAIL(why, ERR_DAMAGED, "a row of a history is not what was written");
        move.note = note ? strdup(note) : NULL;
        if (note && !move.note)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a history");
        *ret = move;
        return ERR_OK;
}

static enum err read_rows(const char *text, struct move moves[MOVES_MAX], int *ret_n, struct why *why)
{
        CLEAN(json_put_at) struct json_object *rows = NULL;
        enum err e = json_read_any(text, strlen(text), &rows, NULL);
        const size_t n = json_object_is_type(rows, json_type_array) ? json_object_array_length(rows) : 0;

        if (e == ERR_NO_MEMORY)
                return FAIL(why, e, "no memory for a history");
        if (n < 1 || n > MOVES_MAX)
                return FAIL(why, ERR_DAMAGED, "a history is no array, or has %zu rows", n);
        for (size_t i = 0; i < n; i++) {
                e = read_move(json_object_array_get_idx(rows, i), &moves[i], why);
                if (e) {
                        free_notes(moves, (int)i);
                        return e;
                }
        }
        *ret_n = (int)n;
        return ERR_OK;
}

/* ---- the same by hand, as far as moves_append() wrote it and people wrote no words: json-c takes twenty times as long ---- */

static bool skip(const char **at, const char *word)
{
        const size_t n = strlen(word);

        if (strncmp(*at, word, n) != 0)
                return false;
        *at += n;
        return true;
}

static bool take_number(const char **at, int64_t max, int64_t *ret)
{
        const size_t n = strspn(*at, "0123456789");

        *ret = 0;
        if (n < 1 || n > 15 || (n > 1 && **at == '0'))
                return false;
        for (const char *end = *at + n; *at < end; ++*at)
                *ret = 10 * *ret + (**at - '0');
        return *ret <= max;
}

static bool take_hex(const char **at, char *to, size_t size)
{
        const size_t n = strspn(*at, "0123456789abcdef");

        if (n >= size)
                return false;
        memcpy(to, *at, n);
        to[n] = '\0';
        *at += n;
        return skip(at, "\"");
}

static bool take_row(const char **at, struct move *ret)
{
        char firm[ID_TEXT_SIZE];
        int64_t to, by;

        *ret = (struct move){0};
        if (!skip(at, "{\"s\":") || !take_number(at, STATUS_COUNT - 1, &to) || !skip(at, ",\"at\":") ||
            !take_number(at, INT64_MAX, &ret->at_ms) || !skip(at, ",\"by\":") ||
            !take_number(at, ACTOR_COUNT - 1, &by) ||
            (skip(at, ",\"op\":\"") && !take_hex(at, ret->op, sizeof ret->op)) ||
            (skip(at, ",\"i\":\"") && !(take_hex(at, firm, sizeof firm) && id_read(firm, &ret->integration))))
                return false;
        ret->to = (enum status)to;
        ret->by = (enum actor)by;
        return skip(at, "}");
}

/* 0: there is something else. */
static int take_rows(const char *text, struct move moves[MOVES_MAX])
{
        int n = 0;

        if (!skip(&text, "["))
                return 0;
        do
                if (n == MOVES_MAX || !take_row(&text, &moves[n++]))
                        return 0;
        while (skip(&text, ","));
        return streq(text, "]") ? n : 0;
}

enum err moves_read(struct order *order, const char *text, struct why *why)
{
        struct move moves[MOVES_MAX];
        int n = take_rows(text, moves);
        const enum err e = n > 0 ? ERR_OK : read_rows(text, moves, &n, why);

        if (e)
                return e;
        free_notes(order->moves, order->n_moves);
        memcpy(order->moves, moves, (size_t)n * sizeof *moves);
        order->n_moves = n;
        return ERR_OK;
}

/* ---- a delivery, as it is shown ---- */

/* 0: none. */
static bool add_time(struct json_object *to, const char *key, int64_t ms)
{
        return ms ? json_add_time(to, key, ms) : json_add(to, key, NULL);
}

/* The log's array, empty where there is none; NULL without memory. */
static struct json_object *read_log(const struct target *target)
{
        struct json_object *rows = NULL;
        enum err e = target->log ? json_read_any(target->log, strlen(target->log), &rows, NULL) : ERR_OK;

        if (e == ERR_NO_MEMORY || json_object_is_type(rows, json_type_array))
                return rows;
        json_object_put(rows);
        return json_object_new_array();
}

/* The log's newest row tells why it still waits, and since when it is so. */
struct json_object *delivery_write(const struct order *order, enum party party, int64_t now_ms)
{
        const struct target *target = &order->targets[party];
        CLEAN(json_put_at) struct json_object *to = json_object_new_object();
        CLEAN(json_put_at) struct json_object *log = read_log(target);
        struct json_object *last = NULL;
        enum delivery state = DELIVERY_SKIPPED;
        const struct step *step = NULL;
        char id[ID_TEXT_SIZE], name[ID_TEXT_SIZE + 16];
        const char *reason = text_or_null(target->dead), *at;
        bool waits, fine;

        if (!to || !log)
                return NULL;
        if (json_object_array_length(log) > 0)
                last = json_object_array_get_idx(log, json_object_array_length(log) - 1);
        target_state(order, party, now_ms, &state, &step);
        waits = state == DELIVERY_PENDING;
        if (waits && target->tries > 0)
                reason = json_get_text(last, "reason");
        at = json_get_text(last, "at");
        snprintf(name, sizeof name, "%s-%s", id_write(&order->id, id), party_word(party));
        fine = json_add_text(to, "deliveryId", name) && json_add_id(to, "orderId", &order->id) &&
               (party == PARTY_PLATFORM     ? json_add_text(to, "platform", platform_word(order->platform))
                : id_is_zero(&target->firm) ? json_add(to, "integrationId", NULL)
                                            : json_add_id(to, "integrationId", &target->firm)) &&
               json_add_text(to, "state", delivery_word(state)) &&
               json_add_text(to, "step", step ? step->name : NULL) &&
               json_add_int(to, "tries", target->tries) &&
               add_time(to, "nextTryAt", waits ? target->at_ms : 0) && json_add_text(to, "reason", reason) &&
               (at ? json_add_text(to, "updatedAt", at)
                   : json_add_time(to, "updatedAt", order->updated_ms)) &&
               json_add(to, "log", TAKE(log));
        return fine ? TAKE(to) : NULL;
}

/* ---- an order, as it is shown ---- */

static struct json_object *write_row(const struct move *move)
{
        CLEAN(json_put_at) struct json_object *row = json_object_new_object();
        bool fine =
                row && json_add_text(row, "status", status_word(move->to)) &&
                json_add_time(row, "at", move->at_ms) && json_add_text(row, "by", actor_words[move->by]) &&
                (id_is_zero(&move->integration) ? json_add(row, "integrationId", NULL)
                                                : json_add_id(row, "integrationId", &move->integration)) &&
                json_add_text(row, "reasonId", text_or_null(move->reason)) &&
                json_add_text(row, "note", move->note);

        return fine ? TAKE(row) : NULL;
}

static bool add_head(struct json_object *to, const struct order *order)
{
        return json_add_id(to, "orderId", &order->id) &&
               json_add_id(to, "restaurantId", &order->restaurant) &&
               json_add_text(to, "platform", platform_word(order->platform)) &&
               json_add_text(to, "platformOrderId", order->platform_order_id) &&
               json_add_text(to, "status", status_word(order->status)) &&
               json_add_text(to, "courierType", order->platform_courier ? "platform" : "restaurant") &&
               json_add_text(to, "orderType", order->pickup ? "gel_al" : "paket_servis") &&
               json_add_int(to, "hazirlanmaSuresiDk", order->prep_minutes) &&
               add_time(to, "scheduledDate", order->scheduled_ms) && json_add_int(to, "rev", order->rev) &&
               json_add_time(to, "createdAt", order->created_ms) &&
               json_add_time(to, "updatedAt", order->updated_ms) &&
               add_time(to, "erasedAt", order->erased_ms);
}

static bool add_tail(struct json_object *to, const struct order *order, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *history = json_object_new_array();
        CLEAN(json_put_at) struct json_object *deliveries = json_object_new_array();
        enum delivery state;
        const struct step *step;

        for (int i = 0; i < order->n_moves; i++)
                if (!json_append(history, write_row(&order->moves[i])))
                        return false;
        for (enum party party = 0; party < PARTY_COUNT; party++)
                if (target_state(order, party, now_ms, &state, &step) &&
                    !json_append(deliveries, delivery_write(order, party, now_ms)))
                        return false;
        return history && deliveries && json_add(to, "history", TAKE(history)) &&
               json_add(to, "deliveries", TAKE(deliveries));
}

/* What stands behind the document; the caller frees. */
static char *write_tail(const struct order *order, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *tail = json_object_new_object();

        return tail && add_tail(tail, order, now_ms) ? json_text(tail) : NULL;
}

/* The document, which is the most of it, stands in it as it is kept. */
struct json_object *order_write(const struct order *order, bool whole, int64_t now_ms)
{
        CLEAN(json_put_at) struct json_object *head = json_object_new_object();
        CLEAN(free_at) char *text = head && add_head(head, order) ? json_text(head) : NULL;
        CLEAN(free_at) char *tail = whole ? write_tail(order, now_ms) : NULL;

        if (!text || (whole && !tail) || (order->document && !json_extend(&text, order->document)) ||
            (whole && !json_extend(&text, tail)))
                return NULL;
        return json_as_is(text);
}
