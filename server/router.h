/* SPDX-License-Identifier: Apache-2.0 */
/* router.h - which route a path and method mean. Pure.
 *
 * Paths are compared byte for byte: no percent-decoding, no trailing slash, no dot segments (docs/api.md 1). `{…}` in a
 * route stands for one non-empty segment of at most ROUTE_ARG_MAX bytes without `/`. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_ARGS_MAX 3
#define ROUTE_ARG_MAX 80

struct request;

/* Who may call. What each of them must show is checked before the body is read. */
#define WHO_ANYONE 0x0
#define WHO_COURIER 0x1    /* x-api-key; absent: NO_API_KEY */
#define WHO_RESTAURANT 0x2 /* Authorization: Bearer krt_…; absent: UNAUTHORIZED */
#define WHO_ADMIN 0x4      /* Authorization: Bearer KURYE_ADMIN_TOKEN */
#define WHO_TICKET 0x10 /* with RESTAURANT: or `?ticket=`, which the handler sees to that it is used once */
#define WHO_YANDEX 0x8  /* Authorization: Bearer, a ticket of ours; absent, spent: UNAUTHORIZED */

/* How a route tells an error. */
enum complaint {
        COMPLAINT_OURS,   /* {"statusCode","error","message"}, in Turkish; docs/api.md 1 */
        COMPLAINT_YANDEX, /* [{"code","description"}], in English; 401: {"reason"}; docs/api.md 6 */
};

struct route {
        const char *method;
        const char *path;
        unsigned who;
        size_t body_max; /* bytes; 0: no body is wanted, and one that comes is refused as TOO_LARGE */
        void (*handler)(struct request *r); /* on the event loop; must not block */
        enum err broken;                    /* what a failing store is told as: NOT_UPDATED; 0: INTERNAL */
        bool body_optional;                 /* none at all is fine, whatever its Content-Type says */
        const char *const *types;           /* what the body may be, ended by NULL; NULL: JSON */
        enum complaint complaint;
        void (*refused)(enum err e); /* counts an error that is told; NULL: nobody does */
};

struct match {
        const struct route *route;                    /* NULL: none */
        char args[ROUTE_ARGS_MAX][ROUTE_ARG_MAX + 1]; /* what stood for {…}, left to right */
        char allow[64];                               /* for BAD_METHOD: what the path takes, `GET, POST` */
        enum complaint complaint;                     /* of the path */
};

/* OK, NO_ROUTE or BAD_METHOD (then ret->allow is filled). HEAD finds GET's route. `routes` ends with a NULL method. */
enum err router_find(const struct route *routes, const char *method, const char *path, struct match *ret)
        MUST_USE;
