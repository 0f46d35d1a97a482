/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what this process uses of its machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct process {
        int64_t cpu_us;
        int64_t started_ms; /* since 1970 */
        int64_t resident_bytes, virtual_bytes;
        int64_t open_fds, max_fds, threads;
};

/* What cannot be found out is PROCESS_UNKNOWN. Threads: one. */
#define PROCESS_UNKNOWN INT64_MIN
void process_look(struct process *ret);
/* Whether what is in its memory, secrets and customers, may leave it: into a core file when it crashes, whatever limits and
 * handlers the machine has for that, or to a debugger of the same user, who else could read its environment, too. */
void process_allow_looks(bool allow);
/* How many descriptors are open, where the kernel does not say so by itself. Threads: any. */
int64_t process_count_fds(void);
