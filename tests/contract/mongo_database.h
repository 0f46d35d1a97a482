/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_database.h - a database of a test's own on the MongoDB that KURYE_TEST_MONGODB_URI names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether there is a MongoDB for tests at all. */
bool mongo_database_given(void);

/* Its URI with a database that nobody has used. */
bool mongo_database_make(char *where, size_t size);
/* Drops it. */
void mongo_database_unmake(void);
