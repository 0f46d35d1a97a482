/* SPDX-License-Identifier: Apache-2.0 */
/* yandex_account.h - a restaurant's connection to Yandex Eats, which calls us: {enabled, placeId, secret, state, lastError}.
 *
 * The client's id is the restaurant's; of its secret only the SHA-256 is kept. All pure but for a new secret. */
#pragma once

#include "model/record.h"

#define YANDEX_PLACE_SIZE 65

/* What a client asks for: {"enabled","placeId"?,"newSecret"?}. */
struct yandex_patch {
        bool enabled;
        bool has_place;
        char place[YANDEX_PLACE_SIZE];
        bool renews;                   /* the secret */
        char secret[APIKEY_TEXT_SIZE]; /* a new one, in case */
        bool is_renewed; /* out: of the record as it is now: `secret` is its own, to be shown once */
};
/* Errors: BAD_FIELD, NO_MEMORY, INTERNAL (no randomness). */
enum err yandex_patch_read(const struct view *body, struct yandex_patch *ret, struct why *why) MUST_USE;

/* A new one. Ownership: *ret's content is the caller's, record_done(). Errors: NO_MEMORY. */
enum err yandex_account_make(const struct id *restaurant, struct yandex_patch *patch, struct record *ret,
                             struct why *why) MUST_USE;
record_editor yandex_account_edit; /* `arg`: a struct yandex_patch: the place is kept where it was left out */

/* As docs/api.md 3 shows it, without the secret; `base_url` may be NULL. NULL without memory, or when damaged. */
struct json_object *yandex_account_write(const struct record *record, const char *base_url) MUST_USE;

struct yandex_account {
        bool enabled;
        char place[YANDEX_PLACE_SIZE]; /* how Yandex Eats names the restaurant; "": by our id alone */
        struct digest secret;
        bool came; /* they have come in by this secret */
};
/* Errors: NO_MEMORY, INTERNAL (damaged). */
enum err yandex_account_read(const struct record *record, struct yandex_account *ret, struct why *why)
        MUST_USE;
/* Takes the same time wherever the difference stands. */
bool yandex_account_knows(const struct yandex_account *account, const char *secret);
/* By which a ticket tells for which secret it was given. */
uint64_t yandex_account_mark(const struct yandex_account *account);

/* They have come in. `arg`: the mark, of type uint64_t, of the secret. Errors also: BAD_CLIENT, it is another now. */
record_editor yandex_account_came;
