/* SPDX-License-Identifier: Apache-2.0 */
/* stored.c - what a store gives back, as a person with a shell, another version or a bad disk may have left it: damaged
 * it is told of as damaged, and whatever reads can be shown, told, and erased. */
#include "tests/fuzz/fuzz.h"

#include "model/clean.h"
#include "model/connection.h"
#include "model/erasure.h"
#include "model/event.h"
#include "model/integration.h"
#include "model/keys.h"
#include "model/poll.h"
#include "model/restaurant.h"
#include "model/store_mongo.h"
#include "model/token.h"
#include "model/verbs.h"
#include "model/yandex_account.h"
#include "model/yandex_order.h"

#include <stdio.h>

#define NOW_MS INT64_C(1730817000000)

static const char ring_text[] = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static const struct keyring *ring(void)
{
        static struct keyring *made;

        if (!made)
                assert(keyring_read(ring_text, &made, NULL) == ERR_OK);
        return made;
}

/* ---- orders ---- */

/* Each request that there is about it. */
static void call(const struct order *order, const struct dialect *dialect)
{
        static char secret[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    url[] = "https://kurye.example";
        const struct dispatch dispatch = {.url = url, .secrets = {secret}, .now_ms = NOW_MS};
        const struct account account = {.url = "https://p.example",
                                        .values = {"12345678901234567890123456789012", "b", "c", "d", "e"},
                                        .token = "t",
                                        .dispatch = &dispatch};

        for (const struct step *step = dialect->steps; step->number; step++) {
                CLEAN(message_done) struct message message = {0};

                if (dialect->asks)
                        dialect->asks(order, step);
                if (dialect->build(order, step, &account, &message, NULL) == ERR_OK)
                        assert(message.method && message.url);
        }
        if (dialect->check) {
                CLEAN(message_done) struct message message = {0};

                if (dialect->check(order, &account, &message, NULL) == ERR_OK)
                        assert(message.url);
        }
}

static void owe(const struct order *order, enum party party)
{
        const struct dialect *dialect = dialect_for(order, party);
        const struct step *step = NULL;
        enum delivery state;
        struct next next;

        if (!dialect)
                return;
        next = target_next(order, party, dialect, 1000, NOW_MS);
        assert(next.kind != NEXT_CALL || next.step);
        if (target_state(order, party, NOW_MS, &state, &step)) {
                assert(state < DELIVERY_COUNT);
                json_object_put(delivery_write(order, party, NOW_MS));
        }
        call(order, dialect);
}

static void live(struct order *order)
{
        CLEAN(free_at) char *history = moves_write(order->moves, order->n_moves);
        CLEAN(free_at) char *shown = NULL;

        json_object_put(order_write(order, true, NOW_MS));
        json_object_put(order_write(order, false, NOW_MS));
        free(event_order(order, 0, NOW_MS));
        assert(history && order->n_moves > 0 && order_last_move(order));
        for (int party = 0; party < PARTY_COUNT; party++)
                owe(order, (enum party)party);
        order_awaits_firm(order);
        if (order->platform == PLATFORM_YANDEX && order->document) {
                (void)!yandex_order_write(order, &shown, NULL);
                free(yandex_status_write(order));
        }
        if (!order->document)
                return;
        assert(order_erase(order, NOW_MS, NULL) == ERR_OK && order_is_erased(order));
        json_object_put(order_write(order, true, NOW_MS));
}

/* A document of MongoDB, as extended JSON. */
void fuzz_stored_document(const uint8_t *bytes, size_t n)
{
        CLEAN(order_free_at) struct order *order = NULL;
        struct store store = {0};
        struct mongo_conn conn = {.store = &store};
        bson_error_t ignored;
        struct why why;
        CLEAN(bson_free_at)
        bson_t *document = n > 0 ? bson_new_from_json(bytes, (ssize_t)n, &ignored) : NULL;

        if (document && mongo_order_read(&conn, document, /* whole= */ true, &order, &why) == ERR_OK)
                live(order);
}

/* An embedded store's row: its numbers, the history, both logs, the document. */
void fuzz_stored_row(const uint8_t *bytes, size_t n)
{
        CLEAN(fuzz_lines_done) struct lines lines = fuzz_lines(bytes, n);
        CLEAN(order_free_at) struct order *order = calloc(1, sizeof *order);
        CLEAN(json_put_at) struct json_object *document = NULL;
        int platform = 0, status = 0, kind = 0;

        assert(order);
        if (!lines.at[0] || !lines.at[1])
                return;
        for (int party = 0; party < PARTY_COUNT; party++)
                order->targets[party].at_ms = TARGET_NOT_DUE;
        sscanf(lines.at[0], "%2d %2d %2d %9d %9d %9d %9d %9d", &platform, &status, &kind,
               &order->targets[PARTY_PLATFORM].want, &order->targets[PARTY_PLATFORM].told,
               &order->targets[PARTY_COURIER].want, &order->targets[PARTY_COURIER].told,
               &order->targets[PARTY_COURIER].calls);
        if (platform < 0 || platform >= PLATFORM_COUNT || status < 0 || status >= STATUS_COUNT)
                return; /* the store's reader sees to it */
        order->platform = (enum platform)platform;
        order->status = (enum status)status;
        order->platform_courier = kind & 1;
        order->pickup = kind & 2;
        order->targets[PARTY_PLATFORM].unsure = kind & 4;
        order->platform_order_id = fuzz_text((const uint8_t *)"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e", 36);
        order->targets[PARTY_PLATFORM].log = lines.at[2] ? TAKE(lines.at[2]) : NULL;
        order->targets[PARTY_COURIER].log = lines.at[3] ? TAKE(lines.at[3]) : NULL;
        order->document = lines.at[4] ? TAKE(lines.at[4]) : NULL;
        if (!order->document ||
            json_read(order->document, strlen(order->document), &document, NULL) != ERR_OK)
                return; /* likewise */
        if (moves_read(order, lines.at[1], NULL) == ERR_OK)
                live(order);
}

/* ---- records ---- */

static void live_connection(struct record *record)
{
        CLEAN(connection_secrets_done) struct connection_secrets secrets = {0};
        const struct connection_verdict verdict = {.rev = record->rev, .ok = true};
        struct yandex_account account;
        enum platform platform;

        json_object_put(connection_write(record, false));
        json_object_put(yandex_account_write(record, NULL));
        connection_is_enabled(record);
        connection_needs_verdict(record, &verdict);
        (void)!yandex_account_read(record, &account, NULL);
        if (connection_platform(record, &platform) && dialect_of(platform))
                (void)!connection_open(record, dialect_of(platform), ring(), &secrets, NULL);
}

static void live_integration(struct record *record)
{
        CLEAN(dispatch_done) struct dispatch dispatch = {0};
        CLEAN(rotation_done) struct rotation key = {.grace_ms = 1};
        const struct digest digest = {{0}};
        int64_t until_ms;

        json_object_put(integration_write(record, true));
        integration_admits(record, &digest, NOW_MS, &until_ms);
        integration_has_url(record);
        integration_can_dispatch(record);
        if (integration_open(record, ring(), NOW_MS, &dispatch, NULL) == ERR_OK)
                assert(dispatch.url && dispatch.secrets[0]);
        assert(rotation_key(&key, NULL) == ERR_OK);
        (void)!integration_rotate(record, &key, NOW_MS, NULL);
}

static void live_rest(struct record *record)
{
        struct poll_lease lease = {.hold_ms = 1000, .wait_ms = 1000, .rev = record->rev};
        struct reseal reseal = {.ring = ring()};
        struct id id;

        json_object_put(restaurant_write(record));
        json_object_put(token_write(record, NULL));
        json_object_put(erasure_write(record));
        restaurant_is_active(record);
        restaurant_dispatch(record, &id);
        token_needs_touch(record, NOW_MS);
        keys_knows(ring(), record);
        (void)!keys_reseal(record, &reseal, NOW_MS, NULL);
        assert(reseal.kept >= 0 && reseal.anew == 0); /* the only key is the first */
        (void)!poll_take(record, &lease, NOW_MS, NULL);
        (void)!poll_end(record, &lease, NOW_MS, NULL);
        (void)!token_touch(record, NULL, NOW_MS, NULL);
}

/* Its kind as a letter and its id; then its document, which any kind must bear. */
void fuzz_stored_record(const uint8_t *bytes, size_t n)
{
        const uint8_t *end = n ? memchr(bytes, '\n', n) : NULL;
        const size_t head = end ? (size_t)(end - bytes) + 1 : n;
        CLEAN(free_at) char *id = fuzz_text(bytes, end ? head - 1 : head);
        CLEAN(record_done) struct record record = {.rev = 7, .document = fuzz_text(bytes + head, n - head)};

        if (!*id)
                return;
        record.kind = *id == 'i' ? RECORD_INTEGRATION : RECORD_CONNECTION;
        text_copy(record.id, sizeof record.id, id + 1);
        live_connection(&record);
        live_integration(&record);
        live_rest(&record);
}
