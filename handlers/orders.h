/* SPDX-License-Identifier: Apache-2.0 */
/* orders.h - orders in and out, and the restaurant's own changes of status (docs/api.md 4). */
#pragma once

struct request;

/* POST /api/v1/orders */
void orders_create(struct request *r);
/* GET /api/v1/orders */
void orders_list(struct request *r);
/* GET /api/v1/orders/{id} */
void orders_show(struct request *r);
/* PUT /api/v1/orders/{id}/status */
void orders_move(struct request *r);
