/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what this process uses of its machine, as Linux says it in /proc (proc(5)). */
#include "server/process.h"

#include "model/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A limit of 0 would not do: where core_pattern is a pipe its handler runs all the same (core(5)). */
void process_allow_looks(bool allow)
{
        prctl(PR_SET_DUMPABLE, allow ? 1 : 0, 0, 0, 0);
}

/* Each place of the table is asked: a tenth of what it takes to read the folder, which with 12,000 sockets is 40 ms. */
int64_t process_count_fds(void)
{
        FILE *from = fopen("/proc/self/status", "re");
        int64_t size = 0, n = 0;
        char line[256];

        if (!from)
                return PROCESS_UNKNOWN;
        while (size == 0 && fgets(line, sizeof line, from))
                sscanf(line, "FDSize: %" SCNd64, &size);
        fclose(from);
        for (int fd = 0; fd < size; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Since Linux 6.2 the folder's size says it. */
static int64_t open_fds(void)
{
        struct stat folder;

        return stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0 ? folder.st_size
                                                                         : process_count_fds();
}

/* What stands behind the process' name in /proc/self/stat: from field 3 on. False: it cannot be read. */
static bool read_stat(char text[1024])
{
        FILE *from = fopen("/proc/self/stat", "re");
        size_t n = from ? fread(text, 1, 1023, from) : 0;
        char *name_end;

        if (from)
                fclose(from);
        text[n] = '\0';
        name_end = strrchr(text, ')'); /* a name may hold anything */
        if (name_end)
                memmove(text, name_end + 1, strlen(name_end));
        return name_end;
}

static int64_t started_ms(uint64_t ticks)
{
        /* Ticks since the machine's start, by a clock that counts its sleep. Kept: a step of the wall clock must not look
         * like a new process. */
        static int64_t kept;

        if (kept == 0)
                kept = time_now_ms() - time_boot_ms() +
                       (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
        return kept;
}

void process_look(struct process *ret)
{
        char text[1024];
        struct rusage used;
        struct rlimit fds;
        uint64_t started;

        *ret = (struct process){.cpu_us = PROCESS_UNKNOWN,
                                .started_ms = PROCESS_UNKNOWN,
                                .resident_bytes = PROCESS_UNKNOWN,
                                .virtual_bytes = PROCESS_UNKNOWN,
                                .max_fds = PROCESS_UNKNOWN,
                                .threads = PROCESS_UNKNOWN,
                                .open_fds = open_fds()};
        if (getrusage(RUSAGE_SELF, &used) == 0)
                ret->cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000000) +
                              used.ru_utime.tv_usec + used.ru_stime.tv_usec;
        if (getrlimit(RLIMIT_NOFILE, &fds) == 0)
                ret->max_fds = (int64_t)fds.rlim_cur;
        /* Fields 20, 22, 23 and 24: threads, start, virtual bytes, resident pages. */
        if (read_stat(text) &&
            sscanf(text,
                   " %*c%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s %" SCNd64 " %*s %" SCNu64 " %" SCNd64
                   " %" SCNd64,
                   &ret->threads, &started, &ret->virtual_bytes, &ret->resident_bytes) == 4) {
                ret->resident_bytes *= sysconf(_SC_PAGESIZE);
                ret->started_ms = started_ms(started);
        }
}
