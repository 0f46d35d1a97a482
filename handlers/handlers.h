/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - every handler; routes.c says what each is called for, docs/api.md what it takes and answers. */
#pragma once

struct request;

typedef void handler(struct request *r);

/* A customer's personal data taken out of orders on demand. */
handler erasures_create, erasures_list;

/* What a courier firm calls. */
handler courier_webhook_update, courier_webhook_ping, courier_webhook_order;

/* Orders in and out, the restaurant's own changes of status, and what orders owe to others. */
handler orders_create, orders_list, orders_show, orders_move, orders_cancel_reasons, orders_call_courier;
handler deliveries_list, deliveries_replay, deliveries_replay_all;

/* Restaurants, their tokens (one per tablet or POS), their accounts on platforms, their courier firms and those' keys;
 * what is the same for all of them stands in records.c. */
handler restaurants_create, restaurants_list, restaurants_show, restaurants_change;
handler tokens_create, tokens_list, tokens_revoke;
handler platforms_list, platforms_show, platforms_connect, platforms_disconnect, platforms_test;
handler courier_integrations_create, courier_integrations_list, courier_integrations_show;
handler courier_integrations_change, courier_integrations_remove;
handler courier_integrations_rotate_key, courier_integrations_rotate_secret, courier_integrations_test;

/* Yandex Eats, which calls us: how a restaurant is connected to it, its access tokens, its orders. */
handler yandex_connect, yandex_token;
handler yandex_order_create, yandex_order_show, yandex_order_change, yandex_order_cancel;
handler yandex_status_show, yandex_status_change, yandex_courier_change;

/* A restaurant's screen. */
handler events_ticket, events_watch;

/* The restaurant's page. */
handler panel_page, panel_part;

/* The guide for courier firms. */
handler docs_page, docs_turkish, docs_english, docs_style, docs_script;

/* docs/openapi.yaml. */
handler description_show;

/* What an orchestrator asks on the ops port; only ready asks the store. */
handler health_live, health_ready, health_metrics;
