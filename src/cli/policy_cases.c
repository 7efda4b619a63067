/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of a policy file, run against the policy that it compiles to, by the code that the broker judges with. */
#include <stdio.h>
#include <string.h>

#include "policy_file.h"

static bool
is_allowed(const struct verdict *v)
{
	return v->error == SGW_ERR_NONE && v->effect != CLASS_FORBIDDEN;
}

void
policy_case_run(
    const struct policy_file *file, const struct policy_case *c, struct case_result *ret_result)
{
	const struct policy_facts facts = {.group = &c->group,
	    .rules = c->rules,
	    .n_rules = c->n_rules,
	    .display = c->display,
	    .uid = c->uid};
	static struct rec_plan plan;
	struct verdict *v = &ret_result->verdict;

	plan = c->plan;
	if (c->lifetime_default)
		plan.lifetime = policy_lifetime(&file->policy, &plan, &facts);
	policy_evaluate(&file->policy, &plan, &facts, v);
	ret_result->ok = false;
	if (is_allowed(v) != c->must_allow)
		(void)snprintf(ret_result->why, sizeof(ret_result->why),
		    "must be %s; the policy says %s (%s): %s", c->must_allow ? "allowed" : "denied",
		    v->line, class_name(v->effect), v->text);
	else if (c->effect >= 0 && v->effect != (enum effect_class)c->effect)
		(void)snprintf(ret_result->why, sizeof(ret_result->why),
		    "must be of class %s; the policy says %s (%s): %s",
		    class_name((enum effect_class)c->effect), v->line, class_name(v->effect),
		    v->text);
	else if (c->line[0] && strcmp(c->line, v->line) != 0)
		(void)snprintf(ret_result->why, sizeof(ret_result->why),
		    "must be decided by %s; the policy says %s (%s): %s", c->line, v->line,
		    class_name(v->effect), v->text);
	else {
		(void)snprintf(ret_result->why, sizeof(ret_result->why), "%s (%s)", v->line,
		    class_name(v->effect));
		ret_result->ok = true;
	}
}

bool
policy_cases_hold(const struct policy_file *file, struct config_error *ret_error)
{
	for (size_t i = 0; i < file->n_cases; i++) {
		const struct policy_case *c = &file->cases[i];
		struct case_result r;

		policy_case_run(file, c, &r);
		if (r.ok)
			continue;
		ret_error->at = c->at;
		(void)snprintf(ret_error->field, sizeof(ret_error->field), "%s[%u]",
		    c->must_allow ? "must_allow" : "must_deny", (unsigned)c->number);
		(void)snprintf(ret_error->text, sizeof(ret_error->text), "%s%s%.300s", c->name,
		    c->name[0] ? ": " : "", r.why);
		return false;
	}
	return true;
}
