/* SPDX-License-Identifier: Apache-2.0 */
/* erasure.h - an erasure that was asked for, and the record of it: {by, orderId, orders, more}.
 *
 * The record tells what was erased and when, not from whom: neither the phone nor anything made of it is kept. Of an order
 * its id is: after it nothing here leads from that to a person, and after a restore it says what to erase again. */
#pragma once

#include "model/phone.h"
#include "model/record.h"

struct erasure {
        struct id order;            /* zero: by phone */
        char phone[PHONE_KEY_SIZE]; /* its key */
};
/* From a client's body: one of {"phone"} and {"orderId"}. Errors: BAD_FIELD. */
enum err erasure_read(const struct view *body, struct erasure *ret, struct why *why) MUST_USE;

/* Before anything is erased, so that nothing is without a record. Ownership: *ret's content is the caller's, record_done().
 * Errors: NO_MEMORY, INTERNAL (no randomness). */
enum err erasure_make(const struct erasure *erasure, int64_t now_ms, struct record *ret, struct why *why)
        MUST_USE;

/* What came of it. */
struct erased {
        int orders;
        bool more; /* some may be left */
};
record_editor erasure_count; /* `arg`: a struct erased */

/* As docs/api.md 4 shows it; NULL without memory, or when damaged. */
struct json_object *erasure_write(const struct record *record) MUST_USE;
