/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Withdrawing a plan.  The broker alone knows whether the key has signed already, so its word is waited for: a result
 * that says "withdrawn", any other result, or that the change is being made.
 */
#include "cancel.h"

#include "broker.h"
#include "calls.h"
#include "clients.h"
#include "plans.h"

static bool
tell_withdrawn(struct planner *p, const struct call *call, const struct plan *plan)
{
	p->out.id = MSG_WITHDRAWN;
	p->out.withdrawn.request = call->request;
	FIELD_SET(p->out.withdrawn.plan_id, plan->id);
	return client_send(p, call->client) != SENT_BLOCKED;
}

static bool
cancel_settled(struct planner *p, struct call *call, const struct plan *plan)
{
	if (plan->result.error == SGW_ERR_CANCELLED)
		return tell_withdrawn(p, call, plan);
	call_fail(call, SGW_ERR_TOO_LATE, "plan_id", "it has ended");
	return false;
}

static bool
cancel_pending(struct planner *p, struct call *call, struct plan *plan)
{
	if (plan->stage == STAGE_EXECUTING) {
		call_fail(call, SGW_ERR_TOO_LATE, "plan_id",
		    "a key was touched for it: the change is being made");
		return false;
	}
	if (call->plan == NULL) {
		call->plan = plan;
		plan->withdrawn = true;
		p->out.id = MSG_WITHDRAW;
		FIELD_SET(p->out.withdraw.plan_id, plan->id);
		broker_send(p);
	}
	call->held = true; /* its next stage is news */
	call->until = call->came + QUESTION_TIMEOUT;
	if (call->until <= p->now)
		call_fail(call, SGW_ERR_BUSY, "", "the broker has not answered yet");
	return false;
}

bool
run_cancel(struct planner *p, struct call *call)
{
	struct plan *plan = call->plan;

	if (plan == NULL)
		plan = plan_by_id(p, call->client, call->ask.cancel.plan_id);
	if (plan == NULL || plan->state == PLAN_FREE) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return false;
	}
	if (plan->state == PLAN_SETTLED)
		return cancel_settled(p, call, plan);
	if (plan->state == PLAN_PENDING)
		return cancel_pending(p, call, plan);
	if (!tell_withdrawn(p, call, plan))
		return false;
	plan->state = PLAN_FREE; /* it was only shown: the broker does not know of it */
	return true;
}
