/* SPDX-License-Identifier: Apache-2.0 */
/* flushes.c - preloaded into the server under test, counts its flushes of the disk: how many moves shared one is what the
 * raw counterpart must be given. Says so on stderr at each SIGUSR2. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_long flushes;

int fdatasync(int fd);

int fdatasync(int fd)
{
        static int (*real)(int fd);

        if (!real)
                *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
        atomic_fetch_add(&flushes, 1);
        return real(fd);
}

static void say(int signal)
{
        (void)signal;
        dprintf(STDERR_FILENO, "flushes %ld\n", atomic_load(&flushes));
}

__attribute__((constructor)) static void listen_to_signal(void)
{
        signal(SIGUSR2, say);
}
