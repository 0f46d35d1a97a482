/* SPDX-License-Identifier: Apache-2.0 */
/* flushes.c - preloaded into the server under test, counts its flushes of the disk and the bytes that it writes for them, in
 * the file that BENCH_FLUSHES names, sixteen bytes long: how many moves shared one, and how large it was, is what the raw
 * counterpart must be given. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
        atomic_llong flushes;
        atomic_llong bytes;
};

static struct counts unwatched;
static struct counts *counts = &unwatched;

int fdatasync(int fd);
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at);

int fdatasync(int fd)
{
        static int (*real)(int fd);

        if (!real)
                *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
        atomic_fetch_add(&counts->flushes, 1);
        return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
        static ssize_t (*real)(int fd, const void *bytes, size_t n, off64_t at);

        if (!real)
                *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
        atomic_fetch_add(&counts->bytes, (long long)n);
        return real(fd, bytes, n, at);
}

__attribute__((constructor)) static void share(void)
{
        const char *path = getenv("BENCH_FLUSHES");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *shared = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (shared != MAP_FAILED)
                counts = shared;
}
