/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_database.c - a new name for each test, and its end. */
#include "tests/contract/mongo_database.h"

#include "model/crypto.h"
#include "model/text.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char name[48];

bool mongo_database_given(void)
{
        return getenv("KURYE_TEST_MONGODB_URI") != NULL;
}

bool mongo_database_make(char *where, size_t size)
{
        const char *uri = getenv("KURYE_TEST_MONGODB_URI");
        const int hosts = (int)(strcspn(uri + strlen("mongodb://"), "/?") + strlen("mongodb://"));
        const char *options = strchr(uri, '?');
        uint8_t chance[8];
        char hex[2 * sizeof chance + 1];

        if (!crypto_random(chance, sizeof chance))
                return false;
        hex_write(chance, sizeof chance, hex);
        snprintf(name, sizeof name, "kuryed_contract_%s", hex);
        return snprintf(where, size, "%.*s/%s%s", hosts, uri, name, options ? options : "") < (int)size;
}

void mongo_database_unmake(void)
{
        mongoc_client_t *client = mongoc_client_new(getenv("KURYE_TEST_MONGODB_URI"));
        mongoc_database_t *database = mongoc_client_get_database(client, name);

        mongoc_database_drop(database, NULL);
        mongoc_database_destroy(database);
        mongoc_client_destroy(client);
}
