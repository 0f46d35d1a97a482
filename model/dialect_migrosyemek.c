/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_migrosyemek.c - Migros Yemek's Gourmet API, version 2.
 *
 * Sources: what public clients agree on; integrators get the pages themselves on paper. Bodies go out encrypted; answers
 * are read as plain JSON (one client would also decrypt a `data` that is a text: UNSURE). How a repeat of a finished
 * step is answered is UNSURE, so a step in doubt is looked for among the active orders first. */
#include "model/clean.h"
#include "model/crypto.h"
#include "model/dialect.h"

#include <ctype.h>
#include <string.h>

enum { API_KEY, INTEGRATOR_SECRET };
static const char *const credentials[] = {"apiKey", "integratorSecret", NULL};

#define SECRET_LENGTH 32 /* its characters are the key of AES-256 */

/* Clients send the missing middle steps before Delivery and Completed. */
#define UPDATE "/Order/v2/UpdateOrderStatus"
static const struct step steps[] = {{STEP_OF(STATUS_ACCEPTED), "accept", UPDATE},
                                    {STEP_OF(STATUS_READY), "ready", UPDATE},
                                    {STEP_OF(STATUS_ON_THE_WAY), "on-the-way", UPDATE},
                                    {STEP_OF(STATUS_DELIVERED), "delivered", UPDATE},
                                    {STEP_OF(STATUS_CANCELLED), "cancel", "/Order/v2/CancelOrder"},
                                    {0, NULL, NULL}};

static const char *const words[STATUS_COUNT] = {
        [STATUS_ACCEPTED] = "Approved",   [STATUS_READY] = "Prepared",     [STATUS_ON_THE_WAY] = "Delivery",
        [STATUS_DELIVERED] = "Completed", [STATUS_CANCELLED] = "Rejected",
};

/* UNSURE: one client has 409 for "already in that state". */
static const struct meaning meanings[] = {{409, VERDICT_RETRY, "transition_refused", true},
                                          {0, VERDICT_COUNT, NULL, false}};

/* ---- what goes out ---- */

static bool fits(const char *name, const char *value)
{
        return !streq(name, credentials[INTEGRATOR_SECRET]) || strlen(value) == SECRET_LENGTH;
}

static enum err read_store(const struct view *ref, int64_t *ret, struct why *why)
{
        int64_t store = -1;
        enum err e = view_opt_int(ref, "storeId", 0, INT64_MAX, &store, why);

        if (!e && store < 0)
                e = view_fail(ref, "storeId", "missing: every call names it", why);
        if (!e)
                *ret = store;
        return e;
}

static enum err accepts(const char *platform_order_id, const struct view *ref, struct why *why)
{
        int64_t number;

        if (!dialect_number(platform_order_id, &number))
                return FAIL_FIELD(why, "platformOrderId", "not a whole number of 64 bits");
        return read_store(ref, &number, why);
}

/* The order's number and its store's. */
static enum err identify(const struct order *order, int64_t *ret_order, int64_t *ret_store, struct why *why)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        struct view ref;
        enum err e = dialect_ref(order, &document, &ref, why);

        if (!e)
                e = read_store(&ref, ret_store, why);
        if (!e && !dialect_number(order->platform_order_id, ret_order))
                e = FAIL_FIELD(why, "platformOrderId", "not a whole number of 64 bits");
        return e;
}

static enum err add_key(const struct account *account, struct message *ret, struct why *why)
{
        if (!text_is_printable(account->values[API_KEY], 1, 512))
                return FAIL_FIELD(why, "credentials.apiKey", "not ASCII");
        return message_header(ret, "XApiKey", account->values[API_KEY], why);
}

static enum err seal(const struct account *account, const char *path, struct json_object *clear,
                     struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        CLEAN(free_at) char *text = json_text(clear);
        CLEAN(free_at) char *sealed = NULL;
        enum err e;

        if (!fits(credentials[INTEGRATOR_SECRET], account->values[INTEGRATOR_SECRET]))
                return FAIL_FIELD(why, "credentials.integratorSecret", "not of 32 characters");
        sealed = text ? aes256_ecb_write(account->values[INTEGRATOR_SECRET], text) : NULL;
        if (!body || !sealed || !json_add_text(body, "value", sealed))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        e = dialect_url(ret, "POST", account, why, path);
        if (!e)
                e = add_key(account, ret, why);
        return e ? e : dialect_body(ret, body, why);
}

/* An order that was approved is cancelled by a call of its own. UNSURE: its fields; one client sends the customer's
 * number in place of the store's. */
static enum err build(const struct order *order, const struct step *step, const struct account *account,
                      struct message *ret, struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        bool cancels = step->number == STEP_OF(STATUS_CANCELLED);
        bool rejects = cancels && order->targets[PARTY_PLATFORM].told < STEP_OF(STATUS_ACCEPTED);
        const char *word = words[step->number / STEP_OF(1)];
        int64_t id = 0, store = 0;
        enum err e = identify(order, &id, &store, why);

        if (!e && (!body || !json_add_int(body, "orderId", id) || !json_add_int(body, "storeId", store) ||
                   ((!cancels || rejects) && !json_add_text(body, "orderStatus", word))))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        if (!e && cancels)
                e = dialect_reason(&dialect_migrosyemek, order, body, "cancelReasonId", why);
        if (!e && cancels && !rejects && !json_add_bool(body, "notifyUser", true))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return e ? e : seal(account, rejects ? UPDATE : step->path, body, ret, why);
}

/* The reasons are Migros's to list; no client writes them down. It is a read, and so shows whether the key is taken. */
static enum err probe(const struct account *account, struct message *ret, struct why *why)
{
        enum err e = dialect_url(ret, "GET", account, why, "/Mapping/v2/GetCancelReasons");

        return e ? e : add_key(account, ret, why);
}

static enum err ask_reasons(const struct order *order, const struct account *account, struct message *ret,
                            struct why *why)
{
        (void)order;
        return probe(account, ret, why);
}

/* ---- what is said to it ---- */

/* 200 alone is no success; why not stands in a foreign text, which is not kept. What was refused may be there already. */
static bool is_success(const struct view *answer, struct judgement *ret)
{
        bool success = false;
        bool told = !view_need_bool(answer, "success", &success, NULL);

        if (!success)
                judge(ret, VERDICT_RETRY, told ? "refused" : "unexpected_answer");
        ret->definite = success;
        return success;
}

static void judge_step(const struct order *order, const struct step *step, bool unsure,
                       const struct answer *answer, struct judgement *ret)
{
        CLEAN(json_put_at) struct json_object *document = dialect_document(answer);
        const struct view v = view_of(document);

        (void)order;
        (void)step;
        if (answer->http == 200)
                (void)is_success(&v, ret);
        else if (answer->http == 409 && unsure)
                judge(ret, VERDICT_DONE, "already_there");
}

/* ---- the check: the store's active orders ---- */

/* Asked for; whether more may be is UNSURE. Of an answer beyond 64 KiB nothing is read. */
#define ACTIVE_MAX 50

static enum err check(const struct order *order, const struct account *account, struct message *ret,
                      struct why *why)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        CLEAN(json_put_at) struct json_object *stores = json_object_new_array();
        int64_t id = 0, store = 0;
        enum err e = identify(order, &id, &store, why);

        if (!e && (!body || !json_append(stores, json_object_new_int64(store)) ||
                   !json_add(body, "storeIds", TAKE(stores)) || !json_add_int(body, "limit", ACTIVE_MAX) ||
                   !json_add_int(body, "offset", 0)))
                e = FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return e ? e : seal(account, "/Order/ActiveOrdersWithStores", body, ret, why);
}

/* UNSURE: the numbers are one client's; others have words in their place. */
static void judge_active(const struct order *order, struct json_object *active, struct judgement *ret)
{
        static const struct {
                const char *word;
                enum status rank;
        } states[] = {{"NEW_PENDING", STATUS_NEW},           {"APPROVED", STATUS_ACCEPTED},
                      {"COLLECTING", STATUS_COOKING},        {"PREPARED", STATUS_READY},
                      {"COLLECTION_APPROVED", STATUS_READY}, {"DELIVERY", STATUS_ON_THE_WAY},
                      {"IN_DELIVERY", STATUS_ON_THE_WAY},    {"COMPLETED", STATUS_DELIVERED},
                      {"DELIVERED", STATUS_DELIVERED},       {"REJECTED", STATUS_CANCELLED},
                      {"CANCELLED", STATUS_CANCELLED}};
        const struct view v = view_of(active);
        int64_t number = json_get_int(active, "status", -1);
        const char *word = NULL;

        if (number < 0 && view_need_text(&v, "status", 1, 32, &word, NULL))
                return;
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
                if (word ? streq(states[i].word, word) : number == (int64_t)i)
                        dialect_stands(order, states[i].rank, ret);
}

/* The order with this number, or NULL. What has a status is an order; what has none is a store, and orders stand in an
 * array of it (UNSURE: which). */
static struct json_object *find_order(struct json_object *list, int64_t id, bool in_store)
{
        struct json_object *found = NULL;
        size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

        for (size_t i = 0; !found && i < n; i++) {
                struct json_object *one = json_object_array_get_idx(list, i);

                if (json_find(one, "status")) {
                        found = json_get_int(one, "id", -1) == id ? one : NULL;
                } else if (json_object_is_type(one, json_type_object) && !in_store) {
                        struct json_object_iterator at = json_object_iter_begin(one);
                        const struct json_object_iterator end = json_object_iter_end(one);

                        for (; !found && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                                found = find_order(json_object_iter_peek_value(&at), id, true);
                }
        }
        return found;
}

/* UNSURE: what it means that an order is not in the list. It may wait for its approval, it may be over, there may be more
 * than was asked for, or the list has another form than is known here; so nothing is learnt: the step is called in doubt,
 * and its answer decides. To take absence for success would lose what was never said. */
static void judge_check(const struct order *order, const struct view *answer, struct judgement *ret)
{
        struct json_object *active = NULL;
        int64_t id = -1;

        if (!is_success(answer, ret))
                return;
        judge(ret, VERDICT_DONE, "nothing_learnt");
        ret->definite = false;
        if (dialect_number(order->platform_order_id, &id))
                active = find_order(json_find(answer->object, "data"), id, false);
        if (active)
                judge_active(order, active, ret);
}

const struct dialect dialect_migrosyemek = {
        .platform = PLATFORM_MIGROSYEMEK,
        .credentials = credentials,
        .keeps = "storeId",
        .steps = steps,
        .meanings = meanings,
        .fits = fits,
        .accepts = accepts,
        .probe = probe,
        .ask_reasons = ask_reasons,
        .build = build,
        .judge = judge_step,
        .check = check,
        .judge_check = judge_check,
};
