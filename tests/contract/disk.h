/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - a test's own hands between SQLite and the disk. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

struct disk_hands {
        bool (*may_open)(int flags); /* SQLite's; false: no file is opened */
        void (*replace)(
                sqlite3_io_methods *methods); /* those of a file that is open: which of them are the test's */
};

/* From now on, for every store that is opened. SQLite's way to the system itself is left in *disk_below. The result's calls may
 * be replaced, too, before the first store. */
sqlite3_vfs *disk_put_between(const struct disk_hands *hands);
extern sqlite3_vfs *disk_below;

/* The system's own methods of a file, for whoever replaced them. */
const sqlite3_io_methods *disk_real(const sqlite3_file *file);
