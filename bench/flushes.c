/* SPDX-License-Identifier: Apache-2.0 */
/* flushes.c - preloaded into the server under test, counts its flushes of the disk in the file that BENCH_FLUSHES names,
 * eight bytes long: how many moves shared one is what the raw counterpart must be given. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

static atomic_llong unwatched;
static atomic_llong *flushes = &unwatched;

int fdatasync(int fd);

int fdatasync(int fd)
{
        static int (*real)(int fd);

        if (!real)
                *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
        atomic_fetch_add(flushes, 1);
        return real(fd);
}

__attribute__((constructor)) static void share(void)
{
        const char *path = getenv("BENCH_FLUSHES");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *shared = mmap(NULL, sizeof *flushes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (shared != MAP_FAILED)
                flushes = shared;
}
