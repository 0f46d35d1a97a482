/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_backup.c - the embedded store as one whole file somewhere else, while a server goes on writing to it.
 *
 * VACUUM INTO reads in one transaction, so what it writes is the store as it was at one instant, log included, and needs
 * no other file. It only reads the store, by a read-only connection, as the store's own readers do; the log cannot be
 * emptied meanwhile, and grows. Nothing is written to by name before it is whole: a backup that was killed leaves a file
 * with six letters more, never half of one that looks like a backup. */
#include "model/clean.h"
#include "model/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A log that lies there would be taken for the new file's, which SQLite would then read wrongly. */
static enum err check_free(const char *to, struct why *why)
{
        CLEAN(free_at) char *log = NULL;
        const char *taken;

        if (asprintf(&log, "%s-wal", to) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a path");
        taken = access(to, F_OK) == 0 ? to : access(log, F_OK) == 0 ? log : NULL;
        return taken ? FAIL(why, ERR_INTERNAL, "%s is there already", taken) : ERR_OK;
}

static enum err check_source(struct conn *conn, const char *from, struct why *why)
{
        int64_t version = 0;
        const enum err e = conn_check(conn, from, &version, why);

        if (e != ERR_OK)
                return e;
        return version > 0 ? ERR_OK : FAIL(why, ERR_INTERNAL, "%s holds nothing", from);
}

static enum err write_whole(const char *from, const char *to, struct why *why)
{
        CLEAN(conn_close) struct conn conn = {0};
        char *text;
        enum err e = conn_open(&conn, from, /* writes= */ false, why);

        if (e == ERR_OK)
                e = check_source(&conn, from, why);
        if (e != ERR_OK)
                return e;
        text = sqlite3_mprintf("VACUUM INTO %Q", to);
        if (!text)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a path");
        if (sqlite3_exec(conn.db, text, NULL, NULL, NULL) != SQLITE_OK)
                e = FAIL(why, ERR_INTERNAL, "cannot copy %s to %s: %s", from, to, sqlite3_errmsg(conn.db));
        sqlite3_free(text);
        return e;
}

/* The name of what is in the folder of `path`, too, is on disk then. */
static bool sync_folder(const char *path)
{
        CLEAN(free_at) char *folder = strdup(path);
        char *end = folder ? strrchr(folder, '/') : NULL;
        int fd;
        bool ok;

        if (!folder)
                return false;
        if (end)
                end[end == folder] = '\0';
        fd = open(end ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0)
                close(fd);
        return ok;
}

enum err store_backup(const char *from, const char *to, struct why *why)
{
        CLEAN(free_at) char *part = NULL;
        int fd;
        enum err e = check_free(to, why);

        if (e != ERR_OK)
                return e;
        if (asprintf(&part, "%s.XXXXXX", to) < 0)
                return FAIL(why, ERR_NO_MEMORY, "no memory for a path");
        fd = mkostemp(part, O_CLOEXEC); /* ours alone, and empty, which VACUUM INTO takes */
        if (fd < 0)
                return FAIL(why, ERR_INTERNAL, "cannot make %s: %s", part, strerror(errno));
        e = write_whole(from, part, why);
        /* A link, not a rename: it replaces nothing that came there meanwhile. */
        if (e == ERR_OK && (fsync(fd) != 0 || link(part, to) != 0))
                e = FAIL(why, ERR_INTERNAL, "cannot write %s: %s", to, strerror(errno));
        close(fd);
        unlink(part);
        if (e == ERR_OK && !sync_folder(to)) {
                e = FAIL(why, ERR_INTERNAL, "cannot write the folder of %s: %s", to, strerror(errno));
                unlink(to);
        }
        return e;
}
