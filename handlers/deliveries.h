/* SPDX-License-Identifier: Apache-2.0 */
/* deliveries.h - what orders owe to others: what became of it, and trying again what failed (docs/api.md 4). */
#pragma once

struct request;

/* GET /api/v1/deliveries */
void deliveries_list(struct request *r);
/* POST /api/v1/deliveries/{id}/replay */
void deliveries_replay(struct request *r);
/* POST /api/v1/deliveries/replay */
void deliveries_replay_all(struct request *r);
