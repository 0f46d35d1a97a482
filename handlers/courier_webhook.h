/* SPDX-License-Identifier: Apache-2.0 */
/* courier_webhook.h - what a courier firm calls (docs/design.md 2, docs/api.md 2). */
#pragma once

struct request;

void courier_webhook_update(struct request *r); /* POST /api/v1/webhook/courier/status-update */
void courier_webhook_ping(struct request *r);   /* GET /api/v1/webhook/courier/ping */
void courier_webhook_order(struct request *r);  /* GET /api/v1/webhook/courier/orders/{id} */
