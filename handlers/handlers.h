/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - every handler; routes.c says what each is called for, docs/api.md what it takes and answers. */
#pragma once

struct request;

/* courier_webhook.c: what a courier firm calls. */
void courier_webhook_update(struct request *r);
void courier_webhook_ping(struct request *r);
void courier_webhook_order(struct request *r);

/* orders.c: orders in and out, and the restaurant's own changes of status. */
void orders_create(struct request *r);
void orders_list(struct request *r);
void orders_show(struct request *r);
void orders_move(struct request *r);

/* deliveries.c: what orders owe to others: what became of it, and trying again what failed. */
void deliveries_list(struct request *r);
void deliveries_replay(struct request *r);
void deliveries_replay_all(struct request *r);

/* restaurants.c: restaurants and their tokens, one per tablet or POS; lists, single looks, deletions: records.c. */
void restaurants_create(struct request *r);
void restaurants_list(struct request *r);
void restaurants_show(struct request *r);
void restaurants_change(struct request *r);
void tokens_create(struct request *r);
void tokens_list(struct request *r);
void tokens_revoke(struct request *r);

/* platforms.c, records.c: a restaurant's accounts on platforms. */
void platforms_list(struct request *r);
void platforms_show(struct request *r);
void platforms_connect(struct request *r);
void platforms_disconnect(struct request *r);

/* courier_integrations.c, records.c: a restaurant's courier firms and their keys. */
void courier_integrations_create(struct request *r);
void courier_integrations_list(struct request *r);
void courier_integrations_show(struct request *r);
void courier_integrations_change(struct request *r);
void courier_integrations_remove(struct request *r);
void courier_integrations_rotate_key(struct request *r);
void courier_integrations_rotate_secret(struct request *r);

/* health.c: what an orchestrator asks on the ops port; live never asks the store. */
void health_live(struct request *r);
void health_ready(struct request *r);
