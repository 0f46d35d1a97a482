/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - the record of a restaurant's account on one platform: {enabled, credentials, state, lastError, pollError}.
 *
 * Credentials are one JSON object, sealed under the record's id. All pure. */
#pragma once

#include "model/dialect.h"
#include "model/record.h"

/* `<restaurantId>-<platform>`, so that there is one at most. */
void connection_id(const struct id *restaurant, enum platform platform, char to[RECORD_ID_SIZE]);
/* The platform that the record's id names; false when damaged. */
bool connection_platform(const struct record *record, enum platform *ret);

/* What a client asks for: {"enabled","credentials"?}. */
struct connection_patch {
        const struct dialect *dialect; /* in */
        const struct keyring *ring;    /* in; borrowed */
        bool enabled;
        char *credentials; /* owned: a JSON object with those that were given; NULL: none */
};
/* Names and values are checked against `ret->dialect`; a value is printable ASCII, because some go into headers.
 * Errors: BAD_FIELD `credentials.<name>`, NO_MEMORY. End it with connection_patch_done(), which wipes. */
enum err connection_patch_read(const struct view *body, struct connection_patch *ret, struct why *why)
        MUST_USE;
void connection_patch_done(struct connection_patch *patch);

/* A new one. Ownership: *ret's content is the caller's, record_done(). Errors: BAD_FIELD (a credential is missing),
 * NO_MEMORY, INTERNAL. */
enum err connection_make(const struct id *restaurant, struct connection_patch *patch, struct record *ret,
                         struct why *why) MUST_USE;
record_editor
        connection_edit; /* `arg`: a struct connection_patch: what was left out is kept. Errors: BAD_FIELD */

record_editor connection_reseal; /* `arg`: a struct reseal */

/* False also where there is no record or it is damaged. Threads: any. */
bool connection_is_enabled(const struct record *record);

/* The credentials, in the order of the dialect's table. */
struct connection_secrets {
        char *values[CREDENTIALS_MAX]; /* owned */
};
/* Ownership: the caller's, connection_secrets_done(). Errors: NO_MEMORY, INTERNAL (damaged, or sealed by a key that is
 * not there any more). */
enum err connection_open(const struct record *record, const struct dialect *dialect,
                         const struct keyring *ring, struct connection_secrets *ret, struct why *why)
        MUST_USE;
/* Wipes and frees. */
void connection_secrets_done(struct connection_secrets *secrets);

/* What the platform said to the credentials. */
struct connection_verdict {
        int64_t rev; /* of the record whose credentials they were: others since then are not judged */
        bool ok;
        char error[REASON_SIZE]; /* where not ok */
};
/* Whether the record does not say so yet. A damaged one: false. */
bool connection_needs_verdict(const struct record *record, const struct connection_verdict *verdict);
record_editor
        connection_judge; /* `arg`: a struct connection_verdict. Errors also: BUSY, the record has changed */

/* What the last poll showed beside good orders: `order_not_imported: <field>`; "": nothing. Shown as lastError, where a login
 * does not have one. */
struct connection_trouble {
        char error[128];
};
/* Whether the record does not say so yet. A damaged one: false. */
bool connection_needs_trouble(const struct record *record, const struct connection_trouble *trouble);
record_editor connection_note_trouble; /* `arg`: a struct connection_trouble */

/* As docs/api.md 3 shows it; `breaker_open` is outbound's to know. NULL without memory, or when damaged. */
struct json_object *connection_write(const struct record *record, bool breaker_open) MUST_USE;
