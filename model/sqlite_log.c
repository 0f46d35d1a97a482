/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_log.c - what lies in SQLite's log and was perhaps never made safe, made safe before anybody believes it.
 *
 * SQLite believes each whole transaction that it finds in a log. But one may stand there in the system's memory alone: its
 * process was killed before the flush, or the flush failed, after which Linux counts as written what never was, and the next
 * flush says that all is well (docs/facts.md 4). Whoever is told of it before a power cut would find it gone after. */
#include "model/store_sqlite.h"

#include "model/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

/* Writes the same over it, piece by piece: a page that was called written is one to be written again. */
static bool write_again(int fd, char *piece)
{
        off_t at = 0;
        ssize_t n;

        while ((n = pread(fd, piece, PIECE, at)) > 0) {
                if (pwrite(fd, piece, (size_t)n, at) != n)
                        return false;
                at += n;
        }
        return n == 0 && fsync(fd) == 0;
}

enum err log_make_safe(const char *path, struct why *why)
{
        CLEAN(free_at) char *log = NULL;
        CLEAN(free_at) char *piece = malloc(PIECE);
        int fd;
        bool fine;

        if (!piece || asprintf(&log, "%s-wal", path) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for the log of %s", path);
        fd = open(log, O_RDWR | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return ERR_OK;
        fine = fd >= 0 && write_again(fd, piece);
        if (!fine)
                FAIL(why, ERR_INTERNAL, "cannot make %s safe: %s", log, strerror(errno));
        if (fd >= 0)
                close(fd);
        return fine ? ERR_OK : ERR_INTERNAL;
}
