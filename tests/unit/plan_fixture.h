/* SPDX-License-Identifier: Apache-2.0 */
/* Plans, rules and prefixes for the tests of src/plan. */
#ifndef PLAN_FIXTURE_H
#define PLAN_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <sgwarden/plan.h>

#define GROUP "sg-0123456789abcdef0"

static inline struct rec_cidr
fixture_cidr(const char *text)
{
	struct rec_cidr c = {0};

	if (cidr_parse(text, strlen(text), &c) < 0)
		abort();
	return c;
}

static inline struct rec_op
fixture_op(enum action action, int16_t protocol, int32_t from, int32_t to, const char *source)
{
	struct rec_op op = {
	    .action = action, .protocol = protocol, .from_port = from, .to_port = to};

	FIELD_SET(op.group_id, GROUP);
	if (action == ACTION_CLOSE)
		FIELD_SET(op.rule_id, "sgr-0123456789abcdef0");
	op.source = fixture_cidr(source);
	return op;
}

/* One operation in the group; more are appended by hand. */
static inline struct rec_plan
fixture_plan(struct rec_op op)
{
	struct rec_plan plan = {.n_ops = 1};

	FIELD_SET(plan.profile, "prod");
	FIELD_SET(plan.account, "111122223333");
	FIELD_SET(plan.region, "eu-west-1");
	plan.ops[0] = op;
	plan.n_groups = 1;
	FIELD_SET(plan.groups[0].group_id, op.group_id);
	plan.lifetime = op.action == ACTION_CLOSE ? 0 : 3600;
	FIELD_SET(plan.reason, "debug deploy");
	FIELD_SET(plan.claimed, "a-client 1.0");
	return plan;
}

static inline struct rec_rule
fixture_rule(const char *id, int16_t protocol, int32_t from, int32_t to, const char *source)
{
	struct rec_rule rule = {.protocol = protocol, .from_port = from, .to_port = to};

	FIELD_SET(rule.rule_id, id);
	FIELD_SET(rule.group_id, GROUP);
	rule.source_kind = SOURCE_CIDR;
	rule.source = fixture_cidr(source);
	return rule;
}

#endif
