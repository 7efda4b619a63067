/* SPDX-License-Identifier: Apache-2.0 */
/* The policy's lines about a plan; see explain.h.  The broker asks the same code; this answers a client's question. */
#include "explain.h"

#include <string.h>

#include "calls.h"
#include "clients.h"
#include "plan_make.h"
#include "plans.h"

static void
put_trace(struct msg_explained *out, const struct policy_trace *trace)
{
	out->n_trace = 0;
	for (size_t i = 0; i < trace->n; i++) {
		struct rec_policy_line *line = &out->trace[out->n_trace++];

		FIELD_SET(line->id, trace->rows[i].id);
		FIELD_SET(line->about, trace->rows[i].about);
		line->decided = trace->rows[i].decided;
	}
}

/* Every rule of a draft is there already: no plan is left to ask the policy about. */
static void
nothing_to_do(struct verdict *v, struct policy_trace *trace)
{
	*v = (struct verdict){.effect = CLASS_READ, .error = SGW_ERR_NONE};
	FIELD_SET(v->line, "none.exists");
	FIELD_SET(v->text, "every rule of the plan is there already");
	*trace = (struct policy_trace){
	    .n = 1, .rows = {{"none.exists", "every rule is there already", true}}};
}

static bool
answer(struct planner *p, struct call *call, const struct plan *plan)
{
	struct msg_explained *out = &p->out.explained;
	struct policy_trace trace;
	struct verdict v;

	if (plan->plan.n_ops == 0)
		nothing_to_do(&v, &trace);
	else
		(void)plan_judge(p, call, &plan->plan, &v, &trace);
	p->out.id = MSG_EXPLAINED;
	*out = (struct msg_explained){.request = call->request,
	    .n_ops = plan->n_ops,
	    .lifetime = plan->plan.lifetime,
	    .effect = v.effect,
	    .error = (uint16_t)v.error,
	    .pin = v.needs_pin,
	    .trusted_display = v.needs_trusted_display};
	FIELD_SET(out->plan_id, call->ask.change.plan_id);
	FIELD_SET(out->profile, plan->plan.profile);
	FIELD_SET(out->account, plan->plan.account);
	FIELD_SET(out->region, plan->plan.region);
	FIELD_SET(out->policy_text, v.text);
	memcpy(out->ops, plan->ops, plan->n_ops * sizeof(plan->ops[0]));
	put_trace(out, &trace);
	return client_send(p, call->client) != SENT_BLOCKED;
}

/* A draft needs a slot while it is looked at, and leaves it free. */
static bool
explain_draft(struct planner *p, struct call *call)
{
	struct plan *plan = plan_new(p, call->client);
	bool sent;

	if (plan == NULL) {
		call_fail(call, SGW_ERR_BUSY, "", "too many plans are pending");
		return false;
	}
	sent = plan_fill(p, call, plan) && answer(p, call, plan);
	plan->state = PLAN_FREE;
	return sent;
}

bool
explain_plan(struct planner *p, struct call *call)
{
	const struct plan *plan;

	if (call->ask.change.plan_id[0] == 0)
		return explain_draft(p, call);
	plan = plan_by_id(p, call->client, call->ask.change.plan_id);
	if (plan == NULL || plan->enroll) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return false;
	}
	return answer(p, call, plan);
}
