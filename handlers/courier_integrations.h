/* SPDX-License-Identifier: Apache-2.0 */
/* courier_integrations.h - a restaurant's courier firms and their keys (docs/api.md 3). */
#pragma once

struct request;

/* All under /api/v1/restaurants/{id}/courier-integrations. */
void courier_integrations_create(struct request *r);        /* POST */
void courier_integrations_list(struct request *r);          /* GET */
void courier_integrations_show(struct request *r);          /* GET …/{integrationId} */
void courier_integrations_change(struct request *r);        /* PATCH …/{integrationId} */
void courier_integrations_remove(struct request *r);        /* DELETE …/{integrationId} */
void courier_integrations_rotate_key(struct request *r);    /* POST …/{integrationId}/rotate-key */
void courier_integrations_rotate_secret(struct request *r); /* POST …/{integrationId}/rotate-signing-secret */
