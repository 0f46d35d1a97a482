/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - the keys that seal what a store holds: a record for each of them, so that a wrong one is noticed at the start
 * and not by the first platform that is called. */
#pragma once

#include "model/backend.h"

/* The record of the ring's key at `place`, the first being 0: its id is the key's, {"mark"} knows the key again, and nothing in
 * it says when or where it was made, so that one key has one record in every store. Ownership: *ret's content is the
 * caller's, record_done(). Errors: NO_MEMORY. */
enum err keys_make(const struct keyring *ring, size_t place, struct record *ret, struct why *why) MUST_USE;

/* Whether the record is that of a key of the ring. */
bool keys_knows(const struct keyring *ring, const struct record *record);

/* Seals by the ring's first key whatever other keys sealed in a record, of whichever kind: `arg` is a struct reseal, which
 * begins anew with each run. */
record_editor keys_reseal;

/* A store was opened, on a backend's thread: the ring must have every key that may have sealed something in it. Then the first
 * one is noted before it seals anything. Of a store from before there were such records some sealed value must open, if
 * there is one, and all keys of the ring are noted. Errors: INTERNAL (a key is missing or is another one), and the
 * backend's. */
enum err keys_admit(const struct backend *ops, void *conn, const struct keyring *ring, struct why *why)
        MUST_USE;
