/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c - copies the embedded store to a file, or a file to where the store shall be.
 *
 * An image without a shell has no sqlite3 and no cp, so the server brings both. They are one act in two directions. */
#include "server/backup.h"

#include "model/clean.h"
#include "model/store.h"
#include "model/text.h"
#include "server/config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define SCHEME "sqlite:"

static int usage(FILE *to)
{
        fputs("usage: kuryed backup FILE      writes all of the embedded store to FILE; its server may be running\n"
              "       kuryed restore FILE     makes the embedded store out of FILE; there must be none yet\n\n"
              "The store is what KURYE_STORE says; no other setting is needed. Nothing that is there is overwritten.\n"
              "A MongoDB is saved by its own mongodump. Secrets stay sealed: keep KURYE_SECRET_KEY, but not beside FILE.\n",
              to);
        return to == stdout ? 0 : EX_USAGE;
}

int backup_main(int argc, char **argv)
{
        const bool restores = streq(argv[0], "restore");
        CLEAN(secret_free_at) char *where = NULL;
        struct why why = {0};
        const char *store, *wrong;

        if (argc != 2 || (argv[1][0] == '-' && !streq(argv[1], "--help")))
                return usage(stderr);
        if (streq(argv[1], "--help"))
                return usage(stdout);
        where = config_store(stderr);
        wrong = !where                                        ? "KURYE_STORE names no store"
                : strncmp(where, SCHEME, strlen(SCHEME)) != 0 ? "KURYE_STORE names a MongoDB"
                                                              : NULL;
        if (wrong) {
                fprintf(stderr, "kuryed %s: %s\n", argv[0], wrong);
                return EX_USAGE;
        }
        store = where + strlen(SCHEME);
        if (store_backup(restores ? argv[1] : store, restores ? store : argv[1], &why) != ERR_OK) {
                fprintf(stderr, "kuryed %s: %s\n", argv[0], why.text);
                return 1;
        }
        printf("wrote %s\n", restores ? store : argv[1]);
        return 0;
}
