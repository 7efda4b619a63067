/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement: the plan against the broker's own read of the group, by the compiled policy. */
#include "broker.h"

#include <sgwarden/mutate.h>

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

/* A close must name what is there, or the person would read of one rule and lose another. */
static const char *
closes_problem(const struct rec_plan *plan, const struct collected *c)
{
	for (size_t i = 0; i < plan->n_ops; i++) {
		bool found = plan->ops[i].action != ACTION_CLOSE;

		for (size_t k = 0; k < c->n_rules && !found; k++)
			found = op_equals_rule(&plan->ops[i], &c->rules[k]) &&
				(!plan->ops[i].rule_id[0] ||
				    strcmp(plan->ops[i].rule_id, c->rules[k].rule_id) == 0);
		if (!found)
			return "a rule of the plan is not in the group";
	}
	return NULL;
}

/*
 * EC2 takes a request whole or not at all: an opening of which one rule is there already cannot be carried out.  And
 * "it is there" is net's word, which must not take an operation out of the judgement.
 */
static bool
opens_what_is_there(const struct rec_plan *plan, const struct collected *c)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		for (size_t k = 0; k < c->n_rules; k++)
			if (plan->ops[i].action == ACTION_OPEN &&
			    op_equals_rule(&plan->ops[i], &c->rules[k]))
				return true;
	return false;
}

/* What ends a plan before the policy is asked; SGW_ERR_NONE: nothing. */
static enum sgw_error
state_problem(struct broker *b, const struct job *j, const char **ret_detail)
{
	const struct collected *c = &b->collected[CALL_JOB];
	uint8_t digest[HASH_LEN];

	state_digest(c->rules, c->n_rules, b->order_scratch, digest);
	*ret_detail = "the group is not as the plan found it";
	if (memcmp(digest, j->plan.state_digest, sizeof(digest)) != 0 && !MUTATE(STATE_FIRST))
		return SGW_ERR_STATE_CHANGED;
	*ret_detail = closes_problem(&j->plan, c);
	if (*ret_detail && !MUTATE(CLOSES_WHAT_IS_THERE))
		return SGW_ERR_NO_SUCH_RULE;
	*ret_detail = "a rule of the plan is there already";
	if (opens_what_is_there(&j->plan, c) && !MUTATE(OPENS_WHAT_IS_THERE))
		return SGW_ERR_DUPLICATE;
	*ret_detail = "";
	if (j->plan.ops[0].action == ACTION_OPEN && b->config.use == USE_READ_ONLY)
		return SGW_ERR_READ_ONLY;
	return j->plan.ops[0].action == ACTION_OPEN && b->clock_skew > SKEW_OPEN_MAX ? SGW_ERR_CLOCK
										     : SGW_ERR_NONE;
}

void
job_judge(struct broker *b)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	struct policy_facts facts = {.group = c->has_group ? &c->group : NULL,
	    .rules = c->rules,
	    .n_rules = c->n_rules,
	    .display = b->screen,
	    .uid = j->uid};
	char detail[SGW_DETAIL_MAX + 1] = "";
	const char *problem;
	enum sgw_error error = state_problem(b, j, &problem);
	bool recorded;

	if (error != SGW_ERR_NONE) {
		job_fail(b, error, problem);
		return;
	}
	facts.grants = grants_list(b, &facts.n_grants);
	policy_evaluate(&b->config.policy, &j->plan, &facts, &j->verdict);
	if ((j->verdict.error != SGW_ERR_NONE || j->verdict.effect == CLASS_FORBIDDEN) &&
	    !MUTATE(FORBIDDEN)) {
		job_fail(b, j->verdict.error != SGW_ERR_NONE ? j->verdict.error : SGW_ERR_FORBIDDEN,
		    j->verdict.text);
		return;
	}
	recorded = ledger_request(b, j);
	if (!j->verdict.needs_consent &&
	    !MUTATE(FORBIDDEN)) { /* a closing goes on even where the ledger is full */
		b->active = NULL;
		close_own_begin(b, j);
		job_next(b);
		return;
	}
	if (!recorded) {
		job_fail(b, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	if (quota_problem(b, quota_whose(j->uid, j->kind), detail) != SGW_ERR_NONE) {
		job_fail(b, quota_problem(b, quota_whose(j->uid, j->kind), detail), detail);
		return;
	}
	ceremony_begin(b);
}
