/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement: the plan against the broker's own read of the group, by the compiled policy. */
#include "broker.h"

static size_t
grants_list(const struct broker *b, struct rec_grant *list)
{
	size_t n = 0;

	for (size_t i = 0; i < SGW_GRANTS_MAX; i++)
		if (b->grants[i].used && b->grants[i].g.state != GRANT_CLOSED)
			list[n++] = b->grants[i].g;
	return n;
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

void
job_judge(struct broker *b)
{
	static struct rec_grant grants[SGW_GRANTS_MAX];
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	const struct policy_facts facts = {.group = c->has_group ? &c->group : NULL,
	    .rules = c->rules,
	    .n_rules = c->n_rules,
	    .grants = grants,
	    .n_grants = grants_list(b, grants),
	    .display = b->screen};
	uint8_t digest[HASH_LEN];
	char detail[SGW_DETAIL_MAX + 1] = "";
	const char *problem;
	bool recorded;

	state_digest(c->rules, c->n_rules, b->order_scratch, digest);
	if (memcmp(digest, j->plan.state_digest, sizeof(digest)) != 0) {
		job_fail(b, SGW_ERR_STATE_CHANGED, "the group is not as the plan found it");
		return;
	}
	problem = closes_problem(&j->plan, c);
	if (problem) {
		job_fail(b, SGW_ERR_NO_SUCH_RULE, problem);
		return;
	}
	policy_evaluate(&b->config.policy, &j->plan, &facts, &j->verdict);
	if (j->verdict.error != SGW_ERR_NONE || j->verdict.effect == CLASS_FORBIDDEN) {
		job_fail(b, j->verdict.error != SGW_ERR_NONE ? j->verdict.error : SGW_ERR_FORBIDDEN,
		    j->verdict.text);
		return;
	}
	recorded = ledger_request(b, j);
	if (!j->verdict.needs_consent) { /* a closing goes on even where the ledger is full */
		execute_close_own(b);
		return;
	}
	if (!recorded) {
		job_fail(b, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	if (quota_problem(b, j->uid, detail) != SGW_ERR_NONE) {
		job_fail(b, quota_problem(b, j->uid, detail), detail);
		return;
	}
	ceremony_begin(b);
}
