/* SPDX-License-Identifier: Apache-2.0 */
/* Judgements for the tests of the policy.  Include behind cmocka.h. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include <sgwarden/policy.h>

#include "plan_fixture.h"

static const struct rec_group MANAGED = {.managed = true};

static inline struct verdict
judge_rules(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct rec_rule *rules, size_t n)
{
	struct policy_facts facts = {.group = &MANAGED, .rules = rules, .n_rules = n};
	struct verdict v;

	policy_evaluate(policy, plan, &facts, &v);
	return v;
}

static inline struct verdict
judge_builtin(const struct rec_plan *plan)
{
	struct rec_policy policy;

	policy_builtin(&policy);
	return judge_rules(&policy, plan, NULL, 0);
}

static inline void
expect(const char *what, const struct verdict *v, const char *line, enum effect_class effect)
{
	if (strcmp(v->line, line) != 0 || v->effect != effect)
		fail_msg("%s: %s, %s (%s)", what, v->line, class_name(v->effect), v->text);
	assert_true(v->text[0] != 0);
	assert_int_equal(v->effect == CLASS_FORBIDDEN, v->error != SGW_ERR_NONE);
	assert_int_equal(
	    v->needs_consent, v->effect >= CLASS_CLOSE_FOREIGN && v->effect <= CLASS_OPEN_WIDE);
	assert_int_equal(
	    v->needs_pin, v->effect == CLASS_OPEN_SENSITIVE || v->effect == CLASS_OPEN_WIDE);
}

#endif
