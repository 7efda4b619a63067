/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judgement: the plan against the broker's own read of its groups, one after the other, by the compiled policy.
 * The verdict is the strictest of all.
 */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

_Static_assert(RULES_READ_MAX <= POLICY_RULES_MAX, "what is read can be judged");

const struct rec_grant *
grants_list(const struct broker *b, size_t *ret_n)
{
	static struct rec_grant list[SGW_GRANTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b->grants_top; i++)
		if (grant_is_live(&b->grants[i]))
			list[n++] = b->grants[i].g;
	*ret_n = n;
	return list;
}

/* The ingress rules alone, in place: policy and digest speak of nothing else. */
void
ingress_only(struct collected *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_rules; i++)
		if (!c->rules[i].egress)
			c->rules[n++] = c->rules[i];
	c->n_rules = n;
}

static bool
is_there(const struct rec_op *op, const struct collected *c)
{
	for (size_t i = 0; i < c->n_rules; i++)
		if (op_equals_rule(op, &c->rules[i]) &&
		    (!op->rule_id[0] || strcmp(op->rule_id, c->rules[i].rule_id) == 0))
			return true;
	return false;
}

/*
 * What ends a plan before the policy is asked, operation by operation.  A close must name what is there, or the person
 * would read of one rule and lose another; what it calls ours must be.  EC2 takes a request whole or not at all, so an
 * opening of which one rule is there already cannot be carried out; and "it is there" is net's word, which must not
 * take an operation out of the judgement.
 */
static enum sgw_error
op_problem(struct broker *b, const struct job *j, const struct rec_op *op, const char **ret_detail)
{
	const struct collected *c = &b->collected[CALL_JOB];
	const struct grant *g = op->receipt[0] ? grant_of(b, op->receipt, op) : NULL;

	*ret_detail = "a rule of the plan is there already";
	if (op->action == ACTION_OPEN)
		return is_there(op, c) && !MUTATE(OPENS_WHAT_IS_THERE) ? SGW_ERR_DUPLICATE
								       : SGW_ERR_NONE;
	*ret_detail = "a rule of the plan is not in the group";
	if (!is_there(op, c) && !MUTATE(CLOSES_WHAT_IS_THERE))
		return SGW_ERR_NO_SUCH_RULE;
	*ret_detail = "a rule of the plan is not open with the receipt that it names";
	if (op->receipt[0] && !MUTATE(RECEIPT_NAMED) &&
	    (!g || strcmp(g->g.account, j->plan.account) != 0 ||
		strcmp(g->g.region, j->plan.region) != 0 ||
		strcmp(g->g.profile, j->plan.profile) != 0))
		return SGW_ERR_NO_SUCH_RULE;
	*ret_detail = "it is to close later than that already";
	return op->action == ACTION_EXTEND && g && grant_end(g) >= clock_now() + j->plan.lifetime
		   ? SGW_ERR_BAD_ARGUMENT
		   : SGW_ERR_NONE;
}

/* Where more is done than what is ours is closed, which goes on by whatever clock. */
static bool
needs_clock(const struct rec_plan *plan)
{
	bool needs = false;

	for (size_t i = 0; i < plan->n_ops; i++)
		needs |= plan->ops[i].action != ACTION_CLOSE || !plan->ops[i].receipt[0];
	return needs;
}

static enum sgw_error
state_problem(struct broker *b, const struct job *j, const char **ret_detail)
{
	const struct rec_plan_group *group = &j->plan.groups[j->group];
	const struct collected *c = &b->collected[CALL_JOB];
	enum sgw_error error = SGW_ERR_NONE;
	uint8_t digest[HASH_LEN];

	state_digest(c->rules, c->n_rules, b->order_scratch, digest);
	*ret_detail = "the group is not as the plan found it";
	if (memcmp(digest, group->state_digest, sizeof(digest)) != 0 && !MUTATE(STATE_FIRST))
		return SGW_ERR_STATE_CHANGED;
	for (size_t i = 0; i < j->plan.n_ops && error == SGW_ERR_NONE; i++)
		if (strcmp(j->plan.ops[i].group_id, group->group_id) == 0)
			error = op_problem(b, j, &j->plan.ops[i], ret_detail);
	if (error != SGW_ERR_NONE)
		return error;
	*ret_detail = extend_problem(b, j);
	if (*ret_detail)
		return SGW_ERR_NO_SUCH_RULE;
	*ret_detail = "";
	if (plan_opens(&j->plan) && b->config.use == USE_READ_ONLY)
		return SGW_ERR_READ_ONLY;
	return needs_clock(&j->plan) && b->clock_skew > SKEW_OPEN_MAX && !MUTATE(CLOCK_SKEW)
		   ? SGW_ERR_CLOCK
		   : SGW_ERR_NONE;
}

/* The group's part of the verdict. */
static void
judge_group(struct broker *b, struct job *j)
{
	static struct rec_plan part;
	const char *group_id = j->plan.groups[j->group].group_id;
	const struct collected *c = &b->collected[CALL_JOB];
	struct policy_facts facts = {.group = c->has_group ? &c->group : NULL,
	    .rules = c->rules,
	    .n_rules = c->n_rules,
	    .display = b->screen,
	    .uid = j->uid,
	    .now = clock_now(),
	    .lockdowns = b->lockdowns.on,
	    .n_lockdowns = b->lockdowns.n};
	bool first = true;

	facts.opens_in_all = MUTATE(WHOLE_PLAN) ? 0 : plan_openings(&j->plan);
	facts.grants = grants_list(b, &facts.n_grants);
	for (unsigned action = 0; action < ACTION_MAX; action++) {
		struct verdict v;

		if (!plan_part(&j->plan, group_id, (enum action)action, &part))
			continue;
		policy_evaluate(&b->config.policy, &part, &facts, &v);
		if (first) {
			b->found[j->group].quota_used = v.quota_used;
			b->found[j->group].quota_lists = v.quota_lists;
		}
		if (j->group == 0 && first)
			j->verdict = v;
		else
			verdict_merge(&j->verdict, &v);
		first = false;
	}
}

/* What AWS says of the group, for the record. */
static void
note_group(struct broker *b, const struct job *j)
{
	const struct rec_group *group = &b->collected[CALL_JOB].group;
	struct record_group *found = &b->found[j->group];

	found->iac = group->iac;
	(void)FIELD_SET(found->vpc_id, vpc_id_ok(group->vpc_id) ? group->vpc_id : "");
	(void)vis(found->name, sizeof(found->name), group->name, strlen(group->name));
}

/* All groups are judged: a person is asked, or what is ours is closed. */
static void
decide(struct broker *b, struct job *j)
{
	char detail[SGW_DETAIL_MAX + 1] = "";
	bool recorded = ledger_request(b, j);

	if (!j->verdict.needs_consent) { /* a closing goes on even where the ledger is full */
		b->active = NULL;
		close_own_begin(b, j);
		job_next(b);
		return;
	}
	if (!recorded) {
		job_fail(b, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	if (quota_problem(b, job_whose(j), detail) != SGW_ERR_NONE) {
		job_fail(b, quota_problem(b, job_whose(j), detail), detail);
		return;
	}
	ceremony_begin(b);
}

void
job_judge(struct broker *b)
{
	struct job *j = b->active;
	const char *problem;
	enum sgw_error error = state_problem(b, j, &problem);

	if (error != SGW_ERR_NONE) {
		job_fail(b, error, problem);
		return;
	}
	note_group(b, j);
	judge_group(b, j);
	if (MUTATE(FORBIDDEN))
		j->verdict = (struct verdict){.effect = CLASS_OPEN, .needs_consent = true};
	if (j->verdict.error != SGW_ERR_NONE || j->verdict.effect == CLASS_FORBIDDEN) {
		job_fail(b, j->verdict.error != SGW_ERR_NONE ? j->verdict.error : SGW_ERR_FORBIDDEN,
		    j->verdict.text);
		return;
	}
	if (!seen_keep(b, j->plan.groups[j->group].group_id, &b->collected[CALL_JOB])) {
		job_fail(b, SGW_ERR_BUSY,
		    "the plan's groups have more rules in all than can be watched");
		return;
	}
	if (++j->group < j->plan.n_groups)
		job_read_group(b);
	else
		decide(b, j);
}
