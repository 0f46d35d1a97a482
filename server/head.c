/* SPDX-License-Identifier: Apache-2.0 */
/* head.c - the headers that decide, and whether all who read them read the same. */
#include "server/http_private.h"

#include <string.h>
#include <strings.h>

static void forwarded_note(struct head *head, const char *value)
{
        if (head->n_forwarded == FORWARDED_MAX)
                memmove(head->forwarded, head->forwarded + 1, sizeof *head->forwarded * --head->n_forwarded);
        head->forwarded[head->n_forwarded++] = value;
}

void head_note(struct head *head, const char *name, const char *value)
{
        static const struct {
                const char *name;
                size_t length;
        } names[HEAD_COUNT] = {
                [HEAD_API_KEY] = {"x-api-key", 9},
                [HEAD_AUTHORIZATION] = {"Authorization", 13},
                [HEAD_CONTENT_TYPE] = {"Content-Type", 12},
                [HEAD_CONTENT_LENGTH] = {"Content-Length", 14},
                [HEAD_TRANSFER_ENCODING] = {"Transfer-Encoding", 17},
                [HEAD_REQUEST_ID] = {"X-Request-Id", 12},
                [HEAD_EXPECT] = {"Expect", 6},
                [HEAD_FORWARDED_FOR] = {"X-Forwarded-For", 15},
                [HEAD_HOST] = {"Host", 4},
        };
        size_t length = strlen(name);

        for (int i = 0; i < HEAD_COUNT; i++) {
                if (names[i].length != length || strcasecmp(names[i].name, name) != 0)
                        continue;
                if (head->n[i]++ == 0)
                        head->value[i] = value ? value : "";
                if (i == HEAD_FORWARDED_FOR)
                        forwarded_note(head, value ? value : "");
                return;
        }
}

/* Two lengths, a length beside chunks, or a line that is none to others are how requests are smuggled past a proxy
 * (RFC 9112 sections 2.2, 3.2, 5 and 6.3). */
bool head_is_sound(const struct head *head)
{
        int codings = head->n[HEAD_TRANSFER_ENCODING];

        if (head->is_odd || head->n[HEAD_HOST] > 1)
                return false;
        if (codings == 0)
                return head->n[HEAD_CONTENT_LENGTH] <= 1;
        return codings == 1 && head->n[HEAD_CONTENT_LENGTH] == 0 &&
               strcasecmp(head->value[HEAD_TRANSFER_ENCODING], "chunked") == 0;
}
