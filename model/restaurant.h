/* SPDX-License-Identifier: Apache-2.0 */
/* restaurant.h - the record of a restaurant: {name, active, dispatchIntegration}.
 *
 * Which integration new orders are dispatched to stands here and nowhere else, so that turning it on for one turns it
 * off for all others in one write. All pure but for restaurant_make's id. */
#pragma once

#include "model/record.h"

/* From a client's body: {"name","restaurantId"?}. Ownership: *ret's content is the caller's, record_done().
 * Errors: BAD_FIELD, NO_MEMORY, INTERNAL (no randomness). */
enum err restaurant_make(const struct view *body, int64_t now_ms, struct record *ret, struct why *why)
        MUST_USE;

/* What a client asks to be changed: {"name"?,"active"?}. */
struct restaurant_patch {
        char *members; /* owned: a JSON object */
};
/* Errors: BAD_FIELD, NO_MEMORY. Neither can be cleared by null. End it with restaurant_patch_done(). */
enum err restaurant_patch_read(const struct view *body, struct restaurant_patch *ret, struct why *why)
        MUST_USE;
void restaurant_patch_done(struct restaurant_patch *patch);
record_editor restaurant_edit; /* `arg`: a struct restaurant_patch */

/* Whether `integration` is to be the one that orders are dispatched to. `on` false leaves another's place alone. */
struct dispatch_choice {
        struct id integration;
        bool on;
};
record_editor restaurant_choose_dispatch; /* `arg`: a struct dispatch_choice */
/* The integration that orders are dispatched to by themselves; false: there is none. A damaged or absent document: false. */
bool restaurant_dispatch(const struct record *record, struct id *ret);
/* Whether it is the one with this id. */
bool restaurant_dispatches_to(const struct record *record, const char *integration_id);

/* Whether its tokens and keys count. A damaged document: false. Threads: any. */
bool restaurant_is_active(const struct record *record);

/* As docs/api.md 3 shows it; NULL without memory, or when damaged. */
struct json_object *restaurant_write(const struct record *record) MUST_USE;
