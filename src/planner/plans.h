/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: shown only (PLANNED), with the broker (PENDING), or over (SETTLED, kept for a while).  Calls attach to a
 * pending plan and are answered when it moves; one that nobody waits for any more is withdrawn.
 */
#ifndef PLANNER_PLANS_H
#define PLANNER_PLANS_H

#include "planner.h"

/* A slot; the client's oldest that is not pending goes where it has too many.  NULL: all are pending. */
struct plan *plan_new(struct planner *p, const struct client *c);
struct plan *plan_by_id(
    struct planner *p, const struct client *c, const char *id); /* if c may know of it */
/* The pending plan that this client made with an equal request, or the one just settled that nothing has overtaken. */
struct plan *plan_by_key(struct planner *p, const struct client *c, const uint8_t key[HASH_LEN]);
void plan_ticket(struct planner *p, char ret_ticket[21]);

void plan_pending(struct planner *p, struct plan *plan); /* the broker has it now */
uint16_t plan_seconds_left(const struct planner *p, const struct plan *plan);

void plans_on_stage(struct planner *p, const struct msg_stage *m);
void plans_on_result(struct planner *p, const struct msg_result *m);
void plans_on_wrote(struct planner *p, const struct msg_wrote *m);
void plans_client_gone(struct planner *p, uint32_t client);

#endif
