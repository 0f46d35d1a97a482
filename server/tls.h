/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - how much TLS may cost us where the other side means harm. */
#pragma once

#include <stdbool.h>

/* Sets limits on all connections of this SSL_CTX. False without memory. Threads: any. */
bool tls_limit(void *context);
