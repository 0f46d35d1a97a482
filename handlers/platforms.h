/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.h - a restaurant's accounts on platforms (docs/api.md 3). */
#pragma once

struct request;

void platforms_list(struct request *r);       /* GET /api/v1/restaurants/{id}/platforms */
void platforms_show(struct request *r);       /* GET /api/v1/restaurants/{id}/platforms/{platform} */
void platforms_connect(struct request *r);    /* PUT /api/v1/restaurants/{id}/platforms/{platform} */
void platforms_disconnect(struct request *r); /* DELETE /api/v1/restaurants/{id}/platforms/{platform} */
