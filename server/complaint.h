/* SPDX-License-Identifier: Apache-2.0 */
/* complaint.h - an error as its route tells it. */
#pragma once

#include "model/err.h"
#include "server/router.h"

/* The document for `e`, told as the row says; `field` is the path of what is wrong, or "". NULL without memory; the caller
 * frees. Pure. */
char *complaint_write(enum complaint complaint, enum err e, const struct err_row *told, const char *field);
