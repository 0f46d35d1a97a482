/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - what a restaurant's screen is told (docs/api.md 5): texts made of an order as it stands, by pure functions, so
 * that every server tells the same of the same revision. The caller frees; NULL without memory. */
#pragma once

#include "model/order.h"

/* The first message; from now_ms on nothing is missed. */
char *event_hello(int64_t now_ms) MUST_USE;

/* The order is new, has moved, or only a delivery of it has changed. `at_ms`: what the next `since` is to be. */
char *event_order(const struct order *order, int64_t at_ms, int64_t now_ms) MUST_USE;

/* Whether giving up on this delivery is what the order's last change was. */
bool event_is_failure(const struct order *order, enum party party);
char *event_failure(const struct order *order, enum party party, int64_t at_ms, int64_t now_ms) MUST_USE;
