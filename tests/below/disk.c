/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - preloaded below a program, a disk that fails as a test says, and knows what a power cut would leave.
 *
 * BELOW_DISK names a file of switches that test and program share (tests/e2e/below.py), BELOW_DISK_FOLDER the folder whose
 * files it is about; of those of SQLite's shared memory it leaves the writing alone, for no disk is behind that.
 *
 * What is on the disk stands in BELOW_DISK_PLATTER, if that is given: a file's pages come there when a sync of it worked, and
 * from nowhere else. A sync that fails leaves what was to be written where it is, and calls it written, as Linux does: the
 * next sync says that all is well, and writes none of it. Who was told that a sync failed has to write it all once more. */
/* Both names of each call are wanted: open(2) and open64(2). */
#undef _FILE_OFFSET_BITS

#include "tests/below/below.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PAGE 4096
#define PAGES_MAX (64 << 10) /* of a file that is followed */

enum trouble {
        FULL = 1,      /* no file can grow, and none be made */
        BAD_WRITE = 2, /* EIO */
        BAD_SYNC = 4,  /* EIO */
        READ_ONLY = 8,
        STALL = 16, /* syncs wait until it is over */
        BAD_READ = 32,
        NO_OPEN = 64, /* EIO */
        DIE = 128     /* the process is killed, before what changes a file */
};

struct switches {
        struct below_fault fault; /* its kinds are those above, together */
        _Atomic int64_t stalled;  /* how many wait now */
};

static struct switches *switches;

static const char *folder, *platter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the platter */

static int (*real_open)(const char *, int, ...);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

__attribute__((constructor)) static void begin(void)
{
        *(void **)&real_open = below_next("open");
        *(void **)&real_fsync = below_next("fsync");
        *(void **)&real_fdatasync = below_next("fdatasync");
        *(void **)&real_ftruncate = below_next("ftruncate");
        *(void **)&real_unlink = below_next("unlink");
        *(void **)&real_read = below_next("read");
        *(void **)&real_write = below_next("write");
        *(void **)&real_pread = below_next("pread");
        *(void **)&real_pwrite = below_next("pwrite");
        folder = getenv("BELOW_DISK_FOLDER");
        platter = getenv("BELOW_DISK_PLATTER");
        if (folder)
                switches = below_share("BELOW_DISK", sizeof *switches);
}

/* --- whom it is about --- */

static bool is_ours(const char *path)
{
        const size_t n = strlen(folder), length = strlen(path);

        return strncmp(path, folder, n) == 0 && path[n] == '/' &&
               (length < 4 || strncmp(path + length - 4, "-shm", 4) != 0);
}

static bool is_open_ours(int fd, char path[PATH_MAX])
{
        char name[64];
        ssize_t n;

        if (!switches || fd < 0)
                return false;
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        n = readlink(name, path, PATH_MAX - 1);
        if (n < 0)
                return false;
        path[n] = '\0';
        return is_ours(path);
}

/* Whether this call, about one of ours, meets one of these. */
static bool meets(int64_t troubles)
{
        return below_meets(&switches->fault, troubles);
}

static bool has_trouble(int64_t troubles)
{
        return switches && atomic_load(&switches->fault.kinds) & troubles;
}

static void die_in_time(void)
{
        if (meets(DIE))
                raise(SIGKILL);
}

static int fail(int number)
{
        errno = number;
        return -1;
}

/* 0, or what a write of so many bytes to there comes to. */
static int trouble_of_write(int fd, int64_t end)
{
        struct stat status;

        die_in_time();
        if (has_trouble(FULL) && fstat(fd, &status) == 0 && end > status.st_size && meets(FULL))
                return ENOSPC;
        if (meets(READ_ONLY))
                return EROFS;
        return meets(BAD_WRITE) ? EIO : 0;
}

/* --- what is on the disk: for each file its copy, and a map of its pages --- */

enum page {
        ON_DISK,
        TO_BE_WRITTEN,
        LOST /* called written, and was not */
};

static bool on_platter(char to[PATH_MAX], const char *path, const char *ending)
{
        return platter &&
               (size_t)snprintf(to, PATH_MAX, "%s%s%s", platter, strrchr(path, '/'), ending) < PATH_MAX;
}

static int open_on_platter(const char *path, const char *ending)
{
        char name[PATH_MAX];

        return on_platter(name, path, ending) ? real_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
}

/* NULL: it is not followed. */
static uint8_t *pages_of(const char *path)
{
        int fd = open_on_platter(path, ".pages");
        void *pages = MAP_FAILED;

        if (fd >= 0 && real_ftruncate(fd, PAGES_MAX) == 0)
                pages = mmap(NULL, PAGES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd >= 0)
                close(fd);
        return pages == MAP_FAILED ? NULL : pages;
}

static void written(const char *path, int64_t at, int64_t n)
{
        uint8_t *pages;

        pthread_mutex_lock(&lock);
        pages = n > 0 ? pages_of(path) : NULL;
        if (pages) {
                for (int64_t page = at / PAGE; page <= (at + n - 1) / PAGE && page < PAGES_MAX; page++)
                        pages[page] = TO_BE_WRITTEN;
                munmap(pages, PAGES_MAX);
        }
        pthread_mutex_unlock(&lock);
}

static void synced(int fd, const char *path, bool fine)
{
        int copy = -1;
        uint8_t *pages;
        struct stat status;

        pthread_mutex_lock(&lock);
        pages = pages_of(path);
        if (pages && fine)
                copy = open_on_platter(path, "");
        for (int64_t page = 0; pages && page < PAGES_MAX; page++) {
                char bytes[PAGE];
                ssize_t n;

                if (pages[page] != TO_BE_WRITTEN)
                        continue;
                pages[page] = fine ? ON_DISK : LOST;
                n = copy >= 0 ? real_pread(fd, bytes, PAGE, page * PAGE) : 0;
                if (n > 0 && real_pwrite(copy, bytes, (size_t)n, page * PAGE) != n)
                        abort();
        }
        if (copy >= 0) {
                if (fstat(fd, &status) == 0 && real_ftruncate(copy, status.st_size) != 0)
                        abort();
                close(copy);
        }
        if (pages)
                munmap(pages, PAGES_MAX);
        pthread_mutex_unlock(&lock);
}

static void gone(const char *path)
{
        char name[PATH_MAX];

        if (on_platter(name, path, ""))
                real_unlink(name);
        if (on_platter(name, path, ".pages"))
                real_unlink(name);
}

/* --- what the program calls --- */

static int open_it(const char *path, int flags, mode_t mode)
{
        if (switches && is_ours(path)) {
                const bool writes = (flags & O_ACCMODE) != O_RDONLY;

                if (flags & O_CREAT)
                        die_in_time();
                if (writes && meets(READ_ONLY))
                        return fail(EROFS);
                if (flags & O_CREAT && has_trouble(FULL) && access(path, F_OK) != 0 && meets(FULL))
                        return fail(ENOSPC);
                if (meets(NO_OPEN))
                        return fail(EIO);
        }
        return real_open(path, flags, mode);
}

static mode_t mode_of(int flags, va_list more)
{
        return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
        va_list more;
        mode_t mode;

        va_start(more, flags);
        mode = mode_of(flags, more);
        va_end(more);
        return open_it(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static int sync_it(int fd, int (*real)(int))
{
        char path[PATH_MAX];
        bool fine;
        int r;

        if (!is_open_ours(fd, path))
                return real(fd);
        die_in_time();
        if (meets(STALL)) {
                atomic_fetch_add(&switches->stalled, 1);
                while (has_trouble(STALL))
                        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                atomic_fetch_sub(&switches->stalled, 1);
        }
        fine = !meets(BAD_SYNC);
        r = fine ? real(fd) : fail(EIO);
        synced(fd, path, fine && r == 0);
        if (!fine)
                errno = EIO;
        return r;
}

EXPORT int fsync(int fd)
{
        return sync_it(fd, real_fsync);
}

EXPORT int fdatasync(int fd)
{
        return sync_it(fd, real_fdatasync);
}

EXPORT int ftruncate(int fd, off_t size)
{
        char path[PATH_MAX];
        int number = is_open_ours(fd, path) ? trouble_of_write(fd, size) : 0;

        return number ? fail(number) : real_ftruncate(fd, size);
}

EXPORT int ftruncate64(int fd, off_t size)
{
        return ftruncate(fd, size);
}

EXPORT int unlink(const char *path)
{
        if (switches && is_ours(path)) {
                die_in_time();
                if (meets(READ_ONLY))
                        return fail(EROFS);
                gone(path);
        }
        return real_unlink(path);
}

EXPORT ssize_t read(int fd, void *to, size_t n)
{
        char path[PATH_MAX];

        if (has_trouble(BAD_READ) && is_open_ours(fd, path) && meets(BAD_READ))
                return fail(EIO);
        return real_read(fd, to, n);
}

EXPORT ssize_t write(int fd, const void *from, size_t n)
{
        char path[PATH_MAX];
        const bool ours = is_open_ours(fd, path);
        const off_t at = ours ? lseek(fd, 0, SEEK_CUR) : 0;
        int number = ours ? trouble_of_write(fd, at + (int64_t)n) : 0;
        ssize_t done;

        if (number)
                return fail(number);
        done = real_write(fd, from, n);
        if (ours)
                written(path, at, done);
        return done;
}

EXPORT ssize_t pread(int fd, void *to, size_t n, off_t at)
{
        char path[PATH_MAX];

        if (has_trouble(BAD_READ) && is_open_ours(fd, path) && meets(BAD_READ))
                return fail(EIO);
        return real_pread(fd, to, n, at);
}

EXPORT ssize_t pread64(int fd, void *to, size_t n, off_t at) __attribute__((alias("pread")));

EXPORT ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
        char path[PATH_MAX];
        const bool ours = is_open_ours(fd, path);
        int number = ours ? trouble_of_write(fd, at + (int64_t)n) : 0;
        ssize_t done;

        if (number)
                return fail(number);
        done = real_pwrite(fd, from, n, at);
        if (ours)
                written(path, at, done);
        return done;
}

EXPORT ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) __attribute__((alias("pwrite")));
