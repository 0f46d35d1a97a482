/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.c - restaurant, holder, end and mark in network order, and the signature of these. */
#include "model/ticket.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

struct form {
        struct id restaurant;
        struct id holder;
        uint8_t until[sizeof(uint64_t)];
        uint8_t mark[sizeof(uint64_t)];
        struct digest signature;
};
#define SIGNED_BYTES offsetof(struct form, signature)
_Static_assert(TICKET_TEXT_SIZE == 2 * sizeof(struct form) + 1, "a ticket's form has no gaps");

bool ticket_write(const struct keyring *ring, const char *use, const struct ticket *ticket,
                  char to[TICKET_TEXT_SIZE])
{
        const uint64_t until = htobe64((uint64_t)ticket->until_ms), mark = htobe64(ticket->mark);
        struct form form = {.restaurant = ticket->restaurant, .holder = ticket->holder};

        memcpy(form.until, &until, sizeof until);
        memcpy(form.mark, &mark, sizeof mark);
        if (!keyring_sign(ring, use, &form, SIGNED_BYTES, &form.signature))
                return false;
        hex_write((const uint8_t *)&form, sizeof form, to);
        return true;
}

bool ticket_read(const struct keyring *ring, const char *use, const char *text, int64_t now_ms,
                 struct ticket *ret)
{
        struct form form;
        uint64_t until, mark;

        if (!hex_read(text, (uint8_t *)&form, sizeof form) ||
            !keyring_verify(ring, use, &form, SIGNED_BYTES, &form.signature))
                return false;
        memcpy(&until, form.until, sizeof until);
        memcpy(&mark, form.mark, sizeof mark);
        if ((int64_t)be64toh(until) <= now_ms)
                return false;
        *ret = (struct ticket){form.restaurant, form.holder, (int64_t)be64toh(until), be64toh(mark)};
        return true;
}
