/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.h - a restaurant's tokens: one per tablet or POS, each revocable (docs/api.md 3). */
#pragma once

struct request;

void tokens_create(struct request *r); /* POST /api/v1/restaurants/{id}/tokens */
void tokens_list(struct request *r);   /* GET /api/v1/restaurants/{id}/tokens */
void tokens_revoke(struct request *r); /* DELETE /api/v1/restaurants/{id}/tokens/{tokenId} */
