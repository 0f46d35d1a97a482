/* SPDX-License-Identifier: Apache-2.0 */
/* restaurants.h - restaurants, as the admin makes them and as they see themselves (docs/api.md 3). */
#pragma once

struct request;

void restaurants_create(struct request *r); /* POST /api/v1/restaurants */
void restaurants_list(struct request *r);   /* GET /api/v1/restaurants */
void restaurants_show(struct request *r);   /* GET /api/v1/restaurants/{id} */
void restaurants_change(struct request *r); /* PATCH /api/v1/restaurants/{id} */
