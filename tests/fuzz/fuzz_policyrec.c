/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a compiled policy, as an owned planner may send them: decoded canonically or refused; what holds can be
 * told apart from the built-in policy, in lines that fit a screen, and judges a plan. */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/policy_diff.h>
#include <sgwarden/vis.h>

#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_diff(const struct rec_policy *policy, bool same)
{
	static struct policy_diff diff;
	static struct rec_policy builtin;
	char line[POLICY_LINE_MAX + 1];

	policy_builtin(&builtin);
	policy_diff(&builtin, policy, &diff);
	MUST((diff.n == 0) == same && diff.n < POLICY_CHANGES_MAX);
	for (size_t i = 0; i < diff.n; i++)
		for (size_t at = 0; policy_change_line(&diff.change[i], &at, line);)
			MUST(line[0] && strlen(line) <= POLICY_LINE_MAX &&
			     text_is_ascii(line, strlen(line)));
}

static void
check_judgement(const struct rec_policy *policy)
{
	struct rec_plan plan = {.n_ops = 1, .lifetime = 3600};
	struct policy_facts facts = {0};
	struct policy_trace trace;
	struct verdict v;

	(void)FIELD_SET(plan.profile, "prod");
	(void)FIELD_SET(plan.account, "111122223333");
	(void)FIELD_SET(plan.region, "eu-west-1");
	plan.ops[0] = (struct rec_op){.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .source = {4, 32, {8, 8, 8, 8}}};
	(void)FIELD_SET(plan.ops[0].group_id, "sg-0123456789abcdef0");
	policy_explain(policy, &plan, &facts, &v, &trace);
	MUST(v.text[0] && text_is_ascii(v.text, strlen(v.text)));
	MUST(trace.n > 0 && trace.rows[trace.n - 1].decided);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rec_policy policy, builtin;
	static uint8_t bytes[SGW_POLICY_MAX], other[SGW_POLICY_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes)), a = buf_over(other, sizeof(other));
	char why[POLICY_PROBLEM_MAX] = "";
	struct cur c = cur_over(data, len);

	if (!rec_policy_decode(&c, &policy) || !cur_done(&c))
		return 0;
	MUST(rec_policy_encode(&b, &policy) && b.len == len && memcmp(bytes, data, len) == 0);
	if (policy_problem(&policy, why)) {
		MUST(why[0] && text_is_ascii(why, strlen(why)));
		return 0;
	}
	policy_builtin(&builtin);
	MUST(rec_policy_encode(&a, &builtin));
	check_diff(&policy, a.len == b.len && memcmp(bytes, other, a.len) == 0);
	check_judgement(&policy);
	return 0;
}
