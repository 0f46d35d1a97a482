/* SPDX-License-Identifier: Apache-2.0 */
/* below.h - what the libraries here share: each stands before one of the system's calls, and a test tells it what to do. */
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The system's own call of this name. */
static inline void *below_next(const char *name)
{
        return dlsym(RTLD_NEXT, name);
}

/* The first `size` bytes of the file that the variable names, shared with a test (tests/e2e/below.py); NULL: there is none. By
 * the bare system call, because open(2) may be what a library stands before. */
static inline void *below_share(const char *variable, size_t size)
{
        const char *path = getenv(variable);
        int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
        void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (fd >= 0)
                syscall(SYS_close, fd);
        return shared == MAP_FAILED ? NULL : shared;
}

/* Which kinds of calls fail, once so many went well, so often (0: until it is over), and how often they did. */
struct below_fault {
        _Atomic int64_t kinds;
        _Atomic int64_t after;
        _Atomic int64_t times;
        _Atomic int64_t met;
};

/* Whether this call, of one of these kinds, fails. */
static inline bool below_meets(struct below_fault *fault, int64_t kinds)
{
        if (!(atomic_load(&fault->kinds) & kinds))
                return false;
        if (atomic_load(&fault->after) > 0) {
                atomic_fetch_sub(&fault->after, 1);
                return false;
        }
        if (atomic_load(&fault->times) > 0 && atomic_fetch_sub(&fault->times, 1) == 1)
                atomic_store(&fault->kinds, 0);
        atomic_fetch_add(&fault->met, 1);
        return true;
}
