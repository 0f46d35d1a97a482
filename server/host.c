/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the lanes of courier firms, by host: one that hangs or fails must not keep the others from being called. */
#include "server/errand.h"

#include "server/metrics.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_KEPT_MS \
        (60 * 60 * 1000) /* a guess: longer than the tries of one order, so that they count together */

/* Host and port, between the scheme and whatever follows; false: longer than there can be one. */
static bool name_of(const char *url, char to[HOST_NAME_SIZE])
{
        const char *colon = strstr(url, "://");
        const char *from = colon ? colon + 3 : url;
        const size_t n = strcspn(from, "/?#");

        if (n >= HOST_NAME_SIZE)
                return false;
        for (size_t i = 0; i < n; i++)
                to[i] = (char)tolower((unsigned char)from[i]);
        to[n] = '\0';
        return true;
}

static struct host *host_need(struct outbound *outbound, const char *url)
{
        char name[HOST_NAME_SIZE] = "";
        struct host *host = NULL;

        if (!name_of(url, name))
                return NULL;
        HASH_FIND_STR(outbound->hosts, name, host);
        if (host)
                return host;
        host = calloc(1, sizeof *host);
        if (!host)
                return NULL;
        text_copy(host->name, sizeof host->name, name);
        HASH_ADD_STR(outbound->hosts, name, host);
        if (host->hh.tbl)
                return host;
        free(host);
        return NULL;
}

struct lane *host_lane(struct outbound *outbound, const char *url)
{
        struct host *host = host_need(outbound, url);

        if (!host)
                return NULL;
        host->called_ms = time_boot_ms();
        return &host->lane;
}

const char *host_name(const struct lane *lane)
{
        const char *host = (const char *)lane - offsetof(struct host, lane);

        return host + offsetof(struct host, name);
}

void hosts_sweep(struct outbound *outbound, int64_t now_ms)
{
        struct host *host;
        struct host *next;

        HASH_ITER(hh, outbound->hosts, host, next) {
                const bool is_old = host->lane.active == 0 && host->called_ms + FAILED_KEPT_MS < now_ms;

                if (!is_old && !lane_is_idle(&host->lane, now_ms))
                        continue;
                if (lane_is_open(&host->lane))
                        metrics_breakers(CALLEE_COURIER, -1);
                HASH_DEL(outbound->hosts, host);
                free(host);
        }
}

void hosts_free(struct outbound *outbound)
{
        struct host *host;
        struct host *next;

        HASH_ITER(hh, outbound->hosts, host, next) {
                HASH_DEL(outbound->hosts, host);
                free(host);
        }
}
