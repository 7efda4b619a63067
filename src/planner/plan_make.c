/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from a request and what was read for it, and what the policy says of it; see plan_make.h. */
#include "plan_make.h"

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/vis.h>

#include "calls.h"
#include "own.h"
#include "plans.h"
#include "resolve.h"
#include "snap.h"

/* As asked for; 0: the default of its class. */
static uint32_t
lifetime_asked(const struct msg_ask_change *ask)
{
	int64_t left = ask->until - clock_now();

	if (ask->until != 0)
		return left < 1                         ? 1
		       : left >= SGW_LIFETIME_PERMANENT ? SGW_LIFETIME_PERMANENT - 1
							: (uint32_t)left;
	return ask->lifetime;
}

/* The least of the defaults of its parts. */
static uint32_t
lifetime_default(struct planner *p, const struct call *call, const struct plan *plan)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < plan->plan.n_groups; i++) {
		const char *id = plan->plan.groups[i].group_id;
		const struct snap *rules = call_group_find(call, id)->rules;
		const struct policy_facts facts = {.rules = rules->rules, .n_rules = rules->n};

		for (unsigned action = 0; action < ACTION_MAX; action++) {
			uint32_t is;

			if (action == ACTION_CLOSE ||
			    !plan_part(&plan->plan, id, (enum action)action, &p->part))
				continue;
			is = policy_lifetime(&p->config.policy, &p->part, &facts);
			least = is < least ? is : least;
		}
	}
	return least;
}

/* A refresh keeps the old rule's time, where that is not too short. */
static uint32_t
lifetime_kept(const struct planner *p, const struct plan *plan)
{
	int64_t left = 0;

	for (size_t i = 0; i < p->n_grants; i++)
		for (size_t k = 0; k < plan->plan.n_ops; k++)
			if (strcmp(p->grants[i].receipt, plan->plan.ops[k].receipt) == 0 &&
			    p->grants[i].closes - clock_now() > left)
				left = p->grants[i].closes - clock_now();
	if (left > SGW_LIFETIME_PERMANENT / 4 * 3)
		return SGW_LIFETIME_PERMANENT;
	return left < SGW_LIFETIME_MIN ? SGW_LIFETIME_MIN : (uint32_t)left;
}

static void
plan_lifetime(struct planner *p, const struct call *call, struct plan *plan)
{
	const struct msg_ask_change *ask = &call->ask.change;

	if (!plan_opens(&plan->plan))
		return;
	plan->plan.lifetime = lifetime_asked(ask);
	if (plan->plan.lifetime == 0 && ask->kind == CHANGE_REFRESH)
		plan->plan.lifetime = lifetime_kept(p, plan);
	if (plan->plan.lifetime == 0)
		plan->plan.lifetime = lifetime_default(p, call, plan);
}

/* The groups that something is left to do in, in the order of the operations. */
static void
plan_groups(struct planner *p, const struct call *call, struct rec_plan *to)
{
	for (size_t i = 0; i < to->n_ops; i++) {
		const char *id = to->ops[i].group_id;
		struct rec_plan_group *group = &to->groups[to->n_groups];
		const struct snap *rules = call_group_find(call, id)->rules;

		if (plan_group_index(to, id) < to->n_groups)
			continue;
		to->n_groups++;
		FIELD_SET(group->group_id, id);
		state_digest(rules->rules, rules->n, p->order, group->state_digest);
	}
}

bool
plan_fill(struct planner *p, struct call *call, struct plan *plan)
{
	const struct msg_ask_change *ask = &call->ask.change;
	struct rec_plan *to = &plan->plan;
	struct refusal refusal;

	memcpy(plan->key, call->key, HASH_LEN);
	FIELD_SET(to->profile, call->profile->name);
	FIELD_SET(to->account, call_account(p, call));
	FIELD_SET(to->region, call->region);
	FIELD_SET(to->reason, ask->reason);
	FIELD_SET(to->claimed, ask->claimed);
	to->best_effort = ask->best_effort;
	plan_ticket(p, to->ticket);
	if (!own_resolve(p, call))
		return false;
	resolve_ops(p, call, plan, &refusal);
	if (refusal.error == SGW_ERR_NONE && plan->n_ops == 0) /* closed while its group was read */
		refuse(&refusal, SGW_ERR_NO_SUCH_RULE, "grant_id", NONE_OPEN);
	if (refusal.error != SGW_ERR_NONE) {
		call_fail(call, refusal.error, refusal.field, refusal.detail);
		return false;
	}
	plan_groups(p, call, to);
	plan_lifetime(p, call, plan);
	own_note(p, plan);
	return true;
}

static struct policy_facts
facts_of(const struct planner *p, const struct call *call, const struct call_group *read)
{
	return (struct policy_facts){
	    .group = &p->group,
	    .rules = read->rules->rules,
	    .n_rules = read->rules->n,
	    .grants = p->grants,
	    .n_grants = p->n_grants,
	    .display = p->status.screen,
	    .uid = call->client->uid,
	    .now = clock_now(),
	    .lockdowns = p->lockdowns,
	    .n_lockdowns = p->n_lockdowns,
	};
}

void
plan_judge_op(struct planner *p, const struct call *call, const struct rec_plan *plan, size_t op,
    struct verdict *ret_verdict)
{
	const struct call_group *read = call_group_find(call, plan->ops[op].group_id);
	struct policy_facts facts = facts_of(p, call, read);

	snap_group(read->group, read->at, &p->group);
	plan_slice(plan, op, 1, &p->part);
	policy_evaluate(&p->config.policy, &p->part, &facts, ret_verdict);
}

/* One group's parts: what opens, what closes, what stays longer. */
static void
judge_group(struct planner *p, const struct call *call, const struct rec_plan *plan, size_t i,
    struct verdict *verdict, struct policy_trace *trace)
{
	const struct call_group *read = call_group_find(call, plan->groups[i].group_id);
	struct policy_facts facts = facts_of(p, call, read);
	struct policy_trace of_part;
	bool first = true;

	facts.opens_in_all = plan_openings(plan);
	for (unsigned action = 0; action < ACTION_MAX; action++) {
		struct verdict v, before = *verdict;

		if (!plan_part(plan, read->id, (enum action)action, &p->part))
			continue;
		policy_explain(&p->config.policy, &p->part, &facts, &v, &of_part);
		if (first) {
			p->found[i].quota_used = v.quota_used;
			p->found[i].quota_lists = v.quota_lists;
		}
		if (i == 0 && first)
			*verdict = v;
		else
			verdict_merge(verdict, &v);
		/* the lines that are shown are those of the part that decided */
		if ((i == 0 && first) || strcmp(before.line, verdict->line) != 0)
			*trace = of_part;
		first = false;
	}
}

bool
plan_judge(struct planner *p, const struct call *call, const struct rec_plan *plan,
    struct verdict *ret_verdict, struct policy_trace *ret_trace)
{
	bool iac = false;

	for (size_t i = 0; i < plan->n_groups; i++) {
		const struct call_group *read = call_group_find(call, plan->groups[i].group_id);
		struct record_group *found = &p->found[i];

		snap_group(read->group, read->at, &p->group);
		judge_group(p, call, plan, i, ret_verdict, ret_trace);
		found->iac = p->group.iac;
		iac = iac || p->group.iac;
		FIELD_SET(found->vpc_id, vpc_id_ok(p->group.vpc_id) ? p->group.vpc_id : "");
		vis(found->name, sizeof(found->name), p->group.name, strlen(p->group.name));
	}
	return iac;
}
