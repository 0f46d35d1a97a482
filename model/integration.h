/* SPDX-License-Identifier: Apache-2.0 */
/* integration.h - the record of a courier firm at a restaurant: {name, active, keys, dispatchUrl, dispatchGoneAt,
 * dispatchHeaders, dispatchHeaderNames, notifyCancel, signingSecrets}; looks are the digests of its keys.
 *
 * Keys are kept as digest, prefix and last four; signing secrets and dispatch headers are sealed under the record's id.
 * Newest first, two live at most: a rotation ends what an earlier one had left a grace. All pure but for what makes
 * secrets. */
#pragma once

#include "model/message.h"
#include "model/record.h"

#define KEY_PREFIX "krk_"
#define SIGNING_PREFIX "whsec_" /* Standard Webhooks 1.0 */
#define ROTATIONS_LIVE 2        /* docs/api.md 3 */
#define SECRET_TEXT_SIZE 64     /* holds a key, or a signing secret: whsec_ and the base64 of 32 bytes */

/* What a client asks for: {"name","dispatchUrl"?,"dispatchHeaders"?,"notifyCancel"?,"autoDispatch"?,"active"?}. */
struct integration_patch {
        char *members;  /* owned: a JSON object, its headers sealed */
        bool gives_url; /* there is a dispatchUrl among them */
        bool has_auto;  /* the restaurant's record takes it: struct dispatch_choice */
        bool auto_dispatch;
};
/* `id` is the integration's, under which the headers are sealed; `whole`: a new one, whose name must be there and whose
 * `active` is not looked at; `plain`: a dispatchUrl may be http, too. In a change null clears URL and headers and turns
 * the two switches off. Errors: BAD_FIELD, NO_MEMORY, INTERNAL. End it with integration_patch_done(). */
enum err integration_patch_read(const struct view *body, bool whole, const struct id *id,
                                const struct keyring *ring, bool plain, struct integration_patch *ret,
                                struct why *why) MUST_USE;
void integration_patch_done(struct integration_patch *patch);

/* A key or signing secret that takes the place of the one before. */
struct rotation {
        char text[SECRET_TEXT_SIZE]; /* shown once */
        char *sealed;                /* owned; a signing secret's; NULL: a key */
        int64_t grace_ms;            /* how long the one before stays good */
        int64_t old_until_ms;        /* out: until when that is */
};
/* Errors: NO_MEMORY, INTERNAL (no randomness). End it with rotation_done(), which wipes the text. */
enum err rotation_key(struct rotation *ret, struct why *why) MUST_USE;
enum err rotation_secret(const struct id *id, const struct keyring *ring, struct rotation *ret,
                         struct why *why) MUST_USE;
/* {"graceSeconds"?}: 0 to 604800, 86400 when left out. Errors: BAD_FIELD. */
enum err rotation_read_grace(const struct view *body, int64_t *ret_ms, struct why *why) MUST_USE;
void rotation_done(struct rotation *rotation);

/* A new one, with its first key and signing secret. Ownership: *ret's content is the caller's, record_done(). Errors:
 * BAD_FIELD autoDispatch (without a dispatchUrl), NO_MEMORY, INTERNAL. */
enum err integration_make(const struct id *restaurant, const struct id *id, struct integration_patch *patch,
                          struct rotation *key, struct rotation *secret, struct record *ret, struct why *why)
        MUST_USE;

record_editor integration_edit;   /* `arg`: a struct integration_patch. Errors: BAD_FIELD autoDispatch */
record_editor integration_rotate; /* `arg`: a struct rotation; key or secret by its `sealed` */
record_editor integration_reseal; /* `arg`: a struct reseal */

/* Whether the holder of the key may come in: active, and the key is live. *ret_until_ms says how long the key is,
 * INT64_MAX when without end. Threads: any. */
bool integration_admits(const struct record *record, const struct digest *key, int64_t now_ms,
                        int64_t *ret_until_ms);

/* Whether it has a dispatchUrl. */
bool integration_has_url(const struct record *record);
/* Whether orders can be dispatched to it: active, with a dispatchUrl that has not answered 410 since it was given. */
bool integration_can_dispatch(const struct record *record);

/* What it takes to call the firm. */
struct dispatch {
        char *url;     /* owned */
        char *headers; /* owned: a JSON object of texts, NULL: none */
        char *secrets
                [ROTATIONS_LIVE]; /* owned: `whsec_…`, the newest first, those that are live; NULL ends them */
        bool notify_cancel;
        int64_t now_ms; /* the caller's to set for each call: what the signature's timestamp says */
};
/* Ownership: the caller's, dispatch_done(), which wipes. Errors: NO_MEMORY, INTERNAL (damaged, or sealed by a key that is
 * not there any more). */
enum err integration_open(const struct record *record, const struct keyring *ring, int64_t now_ms,
                          struct dispatch *ret, struct why *why) MUST_USE;
void dispatch_done(struct dispatch *dispatch);

/* Adds to a message with a body what makes it one of Standard Webhooks 1.0: webhook-id, webhook-timestamp, and a
 * signature by each secret. Errors: NO_MEMORY, BAD_FIELD (a secret that cannot be one). */
enum err dispatch_sign(const struct dispatch *dispatch, const char *id, struct message *m, struct why *why)
        MUST_USE;

/* `arg`: the rev (int64_t) of the record whose dispatchUrl answered 410: from now on it cannot be dispatched to, until it
 * is given a dispatchUrl anew. Errors also: BUSY, the record has changed. */
record_editor integration_gone;

/* As docs/api.md 3 shows it; `auto_dispatch` is the restaurant's to know. NULL without memory, or when damaged. */
struct json_object *integration_write(const struct record *record, bool auto_dispatch) MUST_USE;
