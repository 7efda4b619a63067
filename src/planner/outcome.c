/* SPDX-License-Identifier: Apache-2.0 */
/* How a plan stands, for its client; see outcome.h. */
#include "outcome.h"

#include <stdio.h>
#include <string.h>

#include "clients.h"
#include "plans.h"

/* Behind what is said already, where there is room for both. */
static void
say_too(char detail[SGW_DETAIL_MAX + 1], const char *more)
{
	const size_t len = strlen(detail), room = SGW_DETAIL_MAX + 1 - len;
	const char *between = len > 0 ? "; " : "";

	if (more[0] != 0 && strlen(between) + strlen(more) < room)
		snprintf(detail + len, room, "%s%s", between, more);
}

/* What failed says why it did, and no more; a success says too what it left out, as the plan did. */
void
outcome_detail(const struct plan *plan, char ret_detail[SGW_DETAIL_MAX + 1])
{
	char left_out[128];

	snprintf(ret_detail, SGW_DETAIL_MAX + 1, "%s",
	    plan->state == PLAN_SETTLED ? plan->result.detail : "");
	if (plan->state == PLAN_SETTLED && plan->result.status != STATUS_OK)
		return;
	say_too(ret_detail, plan->note);
	if (plan->left_out == 0)
		return;
	snprintf(left_out, sizeof(left_out),
	    "%u more rules match, with a prefix list or a security group as their source: they "
	    "stay",
	    (unsigned)plan->left_out);
	say_too(ret_detail, left_out);
}

static void
put_plan(struct planner *p, const struct plan *plan)
{
	struct msg_change *out = &p->out.change;

	FIELD_SET(out->plan_id, plan->id);
	memcpy(out->plan_digest, plan->digest, sizeof(out->plan_digest));
	out->effect = plan->verdict.effect;
	out->pin = plan->verdict.needs_pin;
	out->trusted_display = plan->verdict.needs_trusted_display;
	FIELD_SET(out->policy_line, plan->verdict.line);
	FIELD_SET(out->policy_text, plan->verdict.text);
	FIELD_SET(out->profile, plan->plan.profile);
	FIELD_SET(out->account, plan->plan.account);
	FIELD_SET(out->region, plan->plan.region);
	out->n_ops = plan->n_ops;
	memcpy(out->ops, plan->ops, plan->n_ops * sizeof(plan->ops[0]));
	out->lifetime = plan->plan.lifetime;
	out->closes = plan->closes;
	out->receipt[0] = 0;
	out->quota_used = plan->verdict.quota_used;
	out->quota_limit = p->config.policy.rules_per_group;
	out->iac = plan->iac;
	out->seen_by = plan->seen_by;
	out->seen_of = plan->seen_of;
	out->stage = plan->stage;
	out->seconds_left = plan_seconds_left(p, plan);
	out->error = SGW_ERR_NONE;
	out->field[0] = 0;
	out->preview[0] = 0;
	outcome_detail(plan, out->detail);
}

/* The plan's operations are those of the request without what was there already, in the same order. */
static void
put_done(const struct plan *plan, struct msg_change *out)
{
	const struct msg_result *result = &plan->result;
	size_t n = 0;

	for (size_t i = 0; i < out->n_ops && n < result->n_done; i++)
		if (!out->ops[i].existed)
			out->ops[i].done = result->done[n++];
}

static void
put_result(struct planner *p, const struct plan *plan)
{
	const struct msg_result *result = &plan->result;
	struct msg_change *out = &p->out.change;

	out->status = result->status;
	out->error = result->error;
	if (plan->blamed != 0)
		snprintf(out->field, sizeof(out->field), "entries[%u]", plan->blamed - 1u);
	FIELD_SET(out->receipt, result->receipt);
	out->closes = result->closes;
	if (plan->enroll)
		return;
	put_done(plan, out);
	out->effect = result->effect;
	/* Where the broker decided by another line than the planner foresaw, its own words say why. */
	if (result->policy_line[0] != 0 && strcmp(result->policy_line, plan->verdict.line) != 0) {
		FIELD_SET(out->policy_line, result->policy_line);
		FIELD_SET(out->policy_text, result->detail);
	}
}

void
outcome_make(struct planner *p, const struct call *call, const struct plan *plan)
{
	p->out.id = MSG_CHANGE;
	p->out.change.request = call->request;
	put_plan(p, plan);
	switch (plan->state) {
	case PLAN_PENDING:
		p->out.change.status = STATUS_PENDING_CONSENT;
		break;
	case PLAN_SETTLED:
		put_result(p, plan);
		break;
	default:
		p->out.change.status = STATUS_PLANNED;
		break;
	}
}

/* The broker has not said yet where the plan is, or the time of its stage is over: news is due at any moment. */
static bool
news_is_due(const struct planner *p, const struct plan *plan)
{
	return plan->stage == STAGE_PLANNING || plan->stage == STAGE_QUEUED ||
	       (plan->stage_ends != 0 && plan->stage_ends <= p->now);
}

bool
outcome_due(struct planner *p, struct call *call)
{
	const struct plan *plan = call->plan;

	if (plan->state == PLAN_PENDING && (call->until == 0 || call->until > p->now))
		return false;
	if (plan->state == PLAN_PENDING && !call->held && news_is_due(p, plan)) {
		call->held = true;
		call->until = p->now + OUTCOME_HELD;
		return false;
	}
	outcome_make(p, call, plan);
	return client_send(p, call->client) != SENT_BLOCKED;
}
