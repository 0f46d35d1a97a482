/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - one more VFS before SQLite's own, which lends each file methods that lead through a test's hands. */
#include "tests/contract/disk.h"

#include <pthread.h>
#include <stddef.h>

#define KINDS_MAX 8 /* of files, told by the methods that they have */

/* SQLite's methods of one kind of file, and the same with a test's in between. */
static struct methods {
        sqlite3_io_methods ours; /* first, so that a file's methods lead here */
        const sqlite3_io_methods *real;
} methods[KINDS_MAX];
static pthread_mutex_t methods_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct disk_hands *disk_hands;
static sqlite3_vfs disk;
sqlite3_vfs *disk_below;

const sqlite3_io_methods *disk_real(const sqlite3_file *file)
{
        return ((const struct methods *)file->pMethods)->real;
}

/* Ours in place of these, made once for each kind. */
static const sqlite3_io_methods *intercept(const sqlite3_io_methods *real)
{
        size_t i = 0;

        pthread_mutex_lock(&methods_lock);
        while (methods[i].real && methods[i].real != real && i < KINDS_MAX - 1)
                i++;
        if (!methods[i].real) {
                methods[i].ours = *real;
                disk_hands->replace(&methods[i].ours);
                methods[i].real = real;
        }
        pthread_mutex_unlock(&methods_lock);
        return &methods[i].ours;
}

static int open_file(__attribute__((unused)) sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                     int flags, int *ret_flags)
{
        int r;

        if (!disk_hands->may_open(flags))
                return SQLITE_CANTOPEN;
        r = disk_below->xOpen(disk_below, name, file, flags, ret_flags);
        if (r == SQLITE_OK && file->pMethods)
                file->pMethods = intercept(file->pMethods);
        return r;
}

sqlite3_vfs *disk_put_between(const struct disk_hands *hands)
{
        disk_hands = hands;
        disk_below = sqlite3_vfs_find(NULL);
        disk = *disk_below;
        disk.zName = "between";
        disk.xOpen = open_file;
        sqlite3_vfs_register(&disk, /* makeDflt= */ 1);
        return &disk;
}
