/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - release at the end of the scope, and the hand-over that prevents it. */
#pragma once

#include <stdlib.h>

/* CLEAN(order_free_at) struct order *o = NULL;  calls order_free_at(&o) when `o` goes out of scope. */
#define CLEAN(function) __attribute__((cleanup(function)))

/* Ownership moves on: yields the pointer and leaves NULL behind. */
#define TAKE(pointer)                                   \
        __extension__({                                 \
                __typeof__(pointer) taken_ = (pointer); \
                (pointer) = NULL;                       \
                taken_;                                 \
        })

/* For any block of malloc: CLEAN(free_at) char *text = NULL; */
static inline void free_at(void *at)
{
        free(*(void **)at);
}
