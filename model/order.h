/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - an order: what came in, how it moved, what it owes; built, checked, written out. */
#pragma once

#include "model/json.h"
#include "model/phone.h"
#include "model/platform.h"
#include "model/status.h"
#include "model/target.h"
#include "model/text.h"

#define ACTOR_TABLE(X)              \
        X(COURIER, "courier")       \
        X(RESTAURANT, "restaurant") \
        X(PLATFORM, "platform")
#define ACTOR_ENUM(name, word) ACTOR_##name,
enum actor { ACTOR_TABLE(ACTOR_ENUM) ACTOR_COUNT };
#undef ACTOR_ENUM
/* The word that stands for it, and back; false: there is none like it. */
const char *actor_word(enum actor actor);
bool actor_find(const char *word, enum actor *ret);

#define MOVES_MAX 6     /* NEW to DELIVERED; docs/design.md 3 */
#define OP_TEXT_SIZE 33 /* 32 hex digits and NUL, fixed so that it can be searched in the row */
#define CANCEL_REASON_SIZE 41
#define NOTE_MAX 500 /* bytes; Yandex takes no longer comment (docs/facts.md 11), ours follows */
#define PLATFORM_ORDER_ID_MAX 128
#define DISPLAY_ID_MAX 32 /* characters; docs/api.md 4 */
#define PHONE_MAX 64      /* characters; docs/api.md 1 */
#define ORDER_LINE_MAX \
        200 /* characters of a name or an address' part; a guess far above what platforms send */
#define ORDER_PROSE_MAX 2000 /* characters of a note or a whole address; likewise */
#define PREP_MINUTES_MAX 240 /* docs/api.md 4 */

/* A row of the history. */
struct move {
        enum status to;
        int64_t at_ms;
        enum actor by;
        char op[OP_TEXT_SIZE];           /* the operation's token; "": the creation */
        struct id integration;           /* zero: not a courier's */
        char reason[CANCEL_REASON_SIZE]; /* reasonId of a cancel; "": none */
        char *note;                      /* owned; NULL: none */
};

struct order {
        struct id id;
        struct id restaurant;
        enum platform platform;
        char *platform_order_id; /* owned */
        enum status status;
        int64_t rev;
        int64_t created_ms;
        int64_t updated_ms; /* of whatever raised `rev` last */
        int64_t seen_ms; /* the same by the clock of the one store that all servers share; of what a store gave only */
        bool platform_courier; /* the platform's own courier delivers */
        bool pickup;           /* gel_al */
        int prep_minutes;      /* hazirlanmaSuresiDk */
        int64_t scheduled_ms;  /* 0: now */
        int64_t expires_ms;    /* a test order goes then, with all that is kept of it; 0: it stays */
        int64_t erased_ms;     /* when its customer's personal data went; 0: it is as it came */
        struct move moves[MOVES_MAX];
        int n_moves;
        struct target targets[PARTY_COUNT];
        char *document; /* owned: a JSON object, the rest as it is shown; NULL where a list left it out */
        char phone
                [PHONE_KEY_SIZE]; /* the key of its customer's, for a store to write; "": none, or a store gave the order */
};

/* From a client's body (docs/api.md 4, "Order in"). Ids brought are set, others stay zero, as does the restaurant;
 * times but scheduledDate are the store's to set. Errors: BAD_FIELD, NO_MEMORY. Ownership: *ret is the caller's. */
enum err order_read(const struct view *body, struct order **ret, struct why *why) MUST_USE;

/* For stores: gives a new order its id (where it brought none), its restaurant, its first history row and its targets.
 * `by` says who sent it. Errors: NO_MEMORY, INTERNAL (no randomness). */
enum err order_begin(struct order *order, const struct id *restaurant, enum actor by, int64_t now_ms,
                     struct why *why) MUST_USE;

/* "Order out", to be written as it is (json_as_is()); `whole` false leaves out history and deliveries. NULL without memory. */
struct json_object *order_write(const struct order *order, bool whole, int64_t now_ms) MUST_USE;

/* A delivery as docs/api.md 4 shows it; NULL without memory. Only where target_state() says there is one. */
struct json_object *delivery_write(const struct order *order, enum party party, int64_t now_ms) MUST_USE;

/* History to and from the JSON array that a store keeps. Text: the caller frees; NULL without memory. */
char *moves_write(const struct move *moves, int n) MUST_USE;
/* One row more behind those that moves_write made. NULL too where `history` is shorter than any of those. */
char *moves_append(const char *history, const struct move *move) MUST_USE;
/* Errors: NO_MEMORY, DAMAGED (not what moves_write makes). Fills order->moves. */
enum err moves_read(struct order *order, const char *text, struct why *why) MUST_USE;

/* Whether a courier firm is to be chosen for it: it is delivered, by the restaurant's courier, accepted and not on the way
 * yet, and none was called so far. */
bool order_awaits_firm(const struct order *order);

/* Takes the customer's personal data out of it: customer, notes, and of platformRef what its platform's calls do not need.
 * A dispatch that is owed is due at once, and fails by it. For stores: raises `rev` too. Errors: NO_MEMORY. */
enum err order_erase(struct order *order, int64_t now_ms, struct why *why) MUST_USE;

/* Whether there is nothing to take out. */
bool order_is_erased(const struct order *order);

/* The key of the customer's phone in a document (model/phone.h); false, and "": there is none. */
bool order_phone(const char *document, char to[PHONE_KEY_SIZE]);

/* The newest row, never NULL for an order that has begun. */
const struct move *order_last_move(const struct order *order);
/* The row that moved it to `status`, or NULL. */
const struct move *order_find_move(const struct order *order, enum status status);

/* NULL is fine. */
void order_free(struct order *order);
void order_free_at(struct order **at);
