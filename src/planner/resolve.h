/* SPDX-License-Identifier: Apache-2.0 */
/* From what a client wants to the operations of a plan, in the light of what is there now. */
#ifndef PLANNER_RESOLVE_H
#define PLANNER_RESOLVE_H

#include "planner.h"

struct refusal {
	uint16_t error;    /* SGW_ERR_NONE: there is none */
	const char *field; /* static, or `space` */
	char space[SGW_FIELD_MAX + 1];
	char detail[SGW_DETAIL_MAX + 1];
};

/* Said where the grant that is meant, or each of them, is closed by now. */
#define NONE_OPEN "nothing of it is open through sgwarden; list_grants shows what is"

/* What can be said of a request before anything is read. */
void resolve_check(const struct msg_ask_change *ask, int64_t now, struct refusal *ret);

/* Which groups a request names that says a receipt, or which rule to replace; and its profile and region. */
void resolve_targets(struct planner *p, struct call *call, struct refusal *ret);
void target_add(struct call *call, const char *group_id, struct refusal *ret);

/*
 * Fills plan->ops (all of them) and plan->plan.ops (those that still have to be done: an opening that is there
 * already is left out; a match becomes one closing per rule it names).
 */
void resolve_ops(struct planner *p, struct call *call, struct plan *plan, struct refusal *ret);

/* Parts of it, for undo.c. */
void refuse(struct refusal *r, uint16_t error, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An opening as it is wanted; what is there already is noted and not planned. */
void resolve_open(
    const struct rec_wanted *w, const struct snap *rules, struct plan *plan, struct refusal *ret);
/* The closing of what the grant opened; false: AWS shows no such rule. */
bool resolve_close_grant(
    const struct rec_grant *g, const struct snap *rules, struct plan *plan, struct refusal *ret);

#endif
