/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.c - preloaded below a program, memory that is not to be had when a test says so.
 *
 * BELOW_ALLOC names a file of switches that test and program share (tests/e2e/below.py); a program that is a test itself finds
 * them by below_alloc(). What a program frees is none of its
 * business, so that a sanitizer's allocator may stand behind it. */
#include "tests/below/below.h"

#include <errno.h>
#include <malloc.h>

struct switches {
        _Atomic uint64_t armed;
        _Atomic uint64_t after;  /* so many are given first */
        _Atomic uint64_t times;  /* and so many are not; 0: none from there on */
        _Atomic uint64_t others; /* only other threads than the first: that may be the test itself */
        _Atomic uint64_t asked;  /* since it was armed */
        _Atomic uint64_t met;    /* how many were not given */
};

static struct switches own, *switches = &own;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_reallocarray)(void *, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_memalign)(size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);

#define LOOK_UP(name) (*(void **)&real_##name = below_next(#name))

/* Whoever is first, long before main(): there is one thread then. */
static void look_up(void)
{
        LOOK_UP(malloc);
        LOOK_UP(calloc);
        LOOK_UP(realloc);
        LOOK_UP(reallocarray);
        LOOK_UP(aligned_alloc);
        LOOK_UP(memalign);
        LOOK_UP(posix_memalign);
}

__attribute__((constructor)) static void begin(void)
{
        void *shared = below_share("BELOW_ALLOC", sizeof *switches);

        if (shared)
                switches = shared;
}

static bool fails(void)
{
        uint64_t n, after;

        if (!real_malloc)
                look_up();
        if (!atomic_load(&switches->armed) || (atomic_load(&switches->others) && gettid() == getpid()))
                return false;
        n = atomic_fetch_add(&switches->asked, 1);
        after = atomic_load(&switches->after);
        if (n < after || (atomic_load(&switches->times) && n >= after + atomic_load(&switches->times)))
                return false;
        atomic_fetch_add(&switches->met, 1);
        errno = ENOMEM;
        return true;
}

EXPORT struct switches *below_alloc(void);
EXPORT struct switches *below_alloc(void)
{
        return switches;
}

EXPORT void *malloc(size_t n)
{
        return fails() ? NULL : real_malloc(n);
}

EXPORT void *calloc(size_t n, size_t size)
{
        return fails() ? NULL : real_calloc(n, size);
}

EXPORT void *realloc(void *block, size_t n)
{
        return n && fails() ? NULL : real_realloc(block, n);
}

EXPORT void *reallocarray(void *block, size_t n, size_t size)
{
        return n && size && fails() ? NULL : real_reallocarray(block, n, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t n)
{
        return fails() ? NULL : real_aligned_alloc(alignment, n);
}

EXPORT void *memalign(size_t alignment, size_t n)
{
        return fails() ? NULL : real_memalign(alignment, n);
}

EXPORT int posix_memalign(void **ret, size_t alignment, size_t n)
{
        return fails() ? ENOMEM : real_posix_memalign(ret, alignment, n);
}
