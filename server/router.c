/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - walks the table from the top; the first route that fits is meant. */
#include "server/router.h"

#include "model/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Takes what stands for {…} out of `path`; what an earlier, unfit pattern left in `args` is overwritten. */
static bool path_fits(const char *pattern, const char *path, char args[][ROUTE_ARG_MAX + 1])
{
        int n = 0;

        while (*pattern) {
                size_t length;

                if (*pattern != '{') {
                        if (*pattern++ != *path++)
                                return false;
                        continue;
                }
                length = strcspn(path, "/");
                if (length == 0 || length > ROUTE_ARG_MAX)
                        return false;
                assert(n < ROUTE_ARGS_MAX);
                memcpy(args[n], path, length);
                args[n++][length] = '\0';
                path += length;
                pattern = strchr(pattern, '}') + 1;
        }
        for (; n < ROUTE_ARGS_MAX; n++)
                args[n][0] = '\0';
        return *path == '\0';
}

enum err router_find(const struct route *routes, const char *method, const char *path, struct match *ret)
{
        const char *wanted = streq(method, "HEAD") ? "GET" : method;
        size_t n = 0;

        ret->route = NULL;
        ret->complaint = COMPLAINT_OURS;
        ret->allow[0] = '\0';
        for (const struct route *route = routes; route->method; route++) {
                if (!path_fits(route->path, path, ret->args))
                        continue;
                ret->complaint = route->complaint;
                if (streq(route->method, wanted)) {
                        ret->route = route;
                        return ERR_OK;
                }
                if (strstr(ret->allow, route->method)) /* no method's name stands within another's */
                        continue;
                n += (size_t)snprintf(ret->allow + n, sizeof ret->allow - n, "%s%s", n ? ", " : "",
                                      route->method);
                assert(n < sizeof ret->allow);
        }
        return ret->allow[0] ? ERR_BAD_METHOD : ERR_NO_ROUTE;
}
