/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - what an orchestrator asks on the ops port (docs/api.md 7). */
#pragma once

struct request;

void health_live(struct request *r);  /* GET /livez: never asks the store */
void health_ready(struct request *r); /* GET /readyz */
