/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - everything that is remembered and is no order: one shape for all kinds, so that a store needs four verbs for
 * them. What a document means is known to the kind's own file (restaurant.h, token.h, integration.h, connection.h, poll.h,
 * erasure.h, keys.h). */
#pragma once

#include "model/crypto.h"
#include "model/json.h"
#include "model/text.h"

/* Kept in stores: append only. */
#define RECORD_KIND_TABLE(X)          \
        X(RESTAURANT, "restaurant")   \
        X(TOKEN, "token")             \
        X(INTEGRATION, "integration") \
        X(CONNECTION, "connection")   \
        X(POLL, "poll")               \
        X(ERASURE, "erasure")         \
        X(KEY, "key")
#define RECORD_KIND_ENUM(name, word) RECORD_##name,
enum record_kind { RECORD_KIND_TABLE(RECORD_KIND_ENUM) RECORD_KIND_COUNT };
#undef RECORD_KIND_ENUM

#define RECORD_ID_SIZE 48 /* 24 hex, or `<restaurant>-<platform>`, and NUL */
#define RECORD_LOOKS_MAX 2

struct record {
        enum record_kind kind;
        char id[RECORD_ID_SIZE];
        struct id restaurant;                  /* whose it is; its own id for a restaurant */
        int64_t rev;                           /* the store's: 1 when put, one more with each edit */
        int64_t created_ms;                    /* the store's */
        int64_t updated_ms;                    /* the store's */
        struct digest looks[RECORD_LOOKS_MAX]; /* secrets' digests by which it is found, unique in a store */
        int n_looks;
        char *document; /* owned: a JSON object */
};

/* Frees what it owns; zeroed afterwards. */
void record_done(struct record *record);

/* Its document, and a changed one in place of it, for the kinds' own files. Ownership: *ret is the caller's.
 * Errors: NO_MEMORY; INTERNAL: what the store gave back is no object. */
enum err record_read(const struct record *record, struct json_object **ret, struct why *why) MUST_USE;
enum err record_write(struct record *record, struct json_object *document, struct why *why) MUST_USE;

/* What a struct store_edit does to a record: pure but for `arg`. Errors: NO_MEMORY, INTERNAL (damaged), and its own. */
typedef enum err record_editor(struct record *record, void *arg, int64_t now_ms, struct why *why);

/* What the keys make of the sealed values of one record. */
struct reseal {
        const struct keyring *ring; /* in; borrowed */
        int kept;                   /* the first key seals them */
        int anew;                   /* another one did, and now the first does */
        int lost;                   /* no key opens them: they stay as they are */
};
/* Does it with one member of an object of the document; where there is none, or null: nothing. Errors: NO_MEMORY, INTERNAL
 * (no randomness). */
enum err record_reseal(const struct record *record, struct json_object *object, const char *name,
                       struct reseal *reseal, struct why *why) MUST_USE;

#define NAME_MAX_CHARACTERS 200

/* Adds to `members` the `name` of what a client makes (`whole`: it must be there), or the name and `active` of what it
 * changes: either may be left out then, but not cleared by null. Errors: BAD_FIELD, NO_MEMORY. */
enum err record_read_members(const struct view *body, bool whole, struct json_object *members,
                             struct why *why) MUST_USE;
/* Puts members, a JSON object's text (NULL: none), in place of the document's. Errors: NO_MEMORY. */
enum err record_merge(struct json_object *document, const char *members, struct why *why) MUST_USE;
/* The same to the record's document. Errors: NO_MEMORY, INTERNAL. */
enum err record_change(struct record *record, const char *members, struct why *why) MUST_USE;

/* What is shown of a record: its id as `id_name` (NULL: not), then, by names that end with NULL, its createdAt and updatedAt,
 * or else what stands in its document. Ownership: the caller's; *ret_document (may be NULL: not wanted) too. NULL without
 * memory, or when damaged. */
struct json_object *record_show(const struct record *record, struct json_object **ret_document,
                                const char *id_name, ...) __attribute__((sentinel)) MUST_USE;

/* What is kept of a key's or token's text so that a person knows it again: prefix and last four. False without memory. */
bool record_add_marks(struct json_object *to, const char *secret) MUST_USE;
