/* SPDX-License-Identifier: Apache-2.0 */
/* One of ours closes later: a touch and a ledger record, which replay takes the new time from, and no call to AWS. */
#include "broker.h"

#include <sgwarden/clock.h>

const char *
extend_problem(struct broker *b, const struct job *j)
{
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		const struct grant *g;

		if (op->action != ACTION_EXTEND)
			continue;
		g = grant_of(b, op->receipt, op);
		if (!g || g->g.state != GRANT_OPEN)
			return "a rule of it is not open through this appliance any more";
		if (g->waiter || g->g.closes <= clock_now() || g->closes_by <= clock_monotonic())
			return "a rule of it is being closed";
	}
	return NULL;
}

void
extend_apply(struct broker *b)
{
	struct job *j = b->active;

	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct grant *g = grant_of(b, op->receipt, op);

		if (!g) /* between the look at it and the record of the touch nothing else runs */
			continue;
		grant_closes(&b->ceremony, g);
		j->done[i].state = OP_EXTENDED;
	}
	for (size_t i = 0; i < j->plan.n_groups; i++) {
		b->out.id = MSG_WROTE;
		(void)FIELD_SET(b->out.wrote.profile, j->plan.profile);
		(void)FIELD_SET(b->out.wrote.region, j->plan.region);
		(void)FIELD_SET(b->out.wrote.group_id, j->plan.groups[i].group_id);
		send_planner(b);
	}
	job_end(b, STATUS_OK, SGW_ERR_NONE, "");
}
