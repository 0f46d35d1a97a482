/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h - the API in one table. */
#pragma once

#include "server/router.h"

extern const struct route routes[];     /* of the main port; ends with a NULL method */
extern const struct route ops_routes[]; /* of the ops port */
