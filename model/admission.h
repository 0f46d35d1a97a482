/* SPDX-License-Identifier: Apache-2.0 */
/* admission.h - who a secret's digest belongs to, remembered for 5 s, so that a webhook asks the store once and not
 * twice. Threads: any. */
#pragma once

#include "model/store.h"

struct admission;

struct caller {
        bool known; /* the secret is live */
        struct id restaurant;
        struct id integration; /* of a courier's key */
        struct id token;       /* of a restaurant's */
        int64_t until_ms;      /* when the secret dies by itself; INT64_MAX: never */
};

/* Errors: NO_MEMORY. Freeing NULL is fine. */
enum err admission_new(struct admission **ret, struct why *why) MUST_USE;
void admission_free(struct admission *admission);

/* True when it is remembered. *ret_generation belongs into admission_keep() of what is looked up instead: a record that
 * changed meanwhile must not be remembered as it was. */
bool admission_find(struct admission *admission, const struct access *access, int64_t now_ms,
                    struct caller *ret, uint64_t *ret_generation);
void admission_keep(struct admission *admission, const struct access *access, int64_t now_ms,
                    const struct caller *caller, uint64_t generation);

/* Something changed that may end somebody's admission: all is forgotten. */
void admission_forget(struct admission *admission);
