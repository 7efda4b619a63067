/* SPDX-License-Identifier: Apache-2.0 */
/* The typed change: what must hold of every plan, its digest, which rule or grant an operation is. */
#include <sgwarden/plan.h>

#include <string.h>

#define PLAN_BYTES_MAX 8192 /* 50 operations and all texts at their longest take less */

bool
plan_digest(const struct rec_plan *plan, uint8_t ret_digest[HASH_LEN])
{
	uint8_t bytes[PLAN_BYTES_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));

	if (!rec_plan_encode(&b, plan) || b.failed)
		return false;
	hash_sha256(b.data, b.len, ret_digest);
	return true;
}

/* The characters of a text that the wire has found to be UTF-8. */
static size_t
utf8_chars(const char *text)
{
	size_t n = 0;

	for (; *text != 0; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			n++;
	return n;
}

/* ---- what must hold ---- */

static const char *
op_problem(const struct rec_op *op)
{
	bool ports = op->protocol == PROTO_TCP || op->protocol == PROTO_UDP;

	if (!op_is_canonical(op->protocol, op->from_port, op->to_port))
		return "an operation's protocol and ports do not go together";
	if (!cidr_is_canonical(op->source.family, op->source.prefix, op->source.addr))
		return "an operation's source is not a prefix";
	if (op->action == ACTION_CLOSE)
		return rule_id_ok(op->rule_id) ? NULL : "a closing names no rule";
	if (op->rule_id[0] != 0)
		return "an opening names a rule";
	if (ports && op->from_port < 1)
		return "port 0 cannot be opened";
	return NULL;
}

static bool
op_same(const struct rec_op *a, const struct rec_op *b)
{
	return a->protocol == b->protocol && a->from_port == b->from_port &&
	       a->to_port == b->to_port && cidr_equal(&a->source, &b->source);
}

static const char *
ops_problem(const struct rec_plan *plan)
{
	const struct rec_op *first = &plan->ops[0];

	if (plan->n_ops < 1 || plan->n_ops > SGW_OPS_MAX)
		return "a plan has 1 to 50 operations";
	if (!group_id_ok(first->group_id))
		return "the security group's id has not the form sg- and 8 or 17 hex digits";
	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];
		const char *problem = op_problem(op);

		if (problem != NULL)
			return problem;
		if (op->action != first->action || strcmp(op->group_id, first->group_id) != 0)
			return "a plan is for one group and either opens or closes";
		for (size_t k = 0; k < i; k++)
			if (op_same(op, &plan->ops[k]))
				return "an operation stands twice in the plan";
	}
	return NULL;
}

const char *
plan_problem(const struct rec_plan *plan)
{
	const char *problem = ops_problem(plan);

	if (problem != NULL)
		return problem;
	if (plan->profile[0] == 0)
		return "the plan names no profile";
	if (!account_ok(plan->account))
		return "the account is not 12 digits";
	if (!region_ok(plan->region))
		return "the region has not the form of one";
	if (plan->ops[0].action == ACTION_OPEN && plan->lifetime == 0)
		return "an opening has no lifetime";
	if (plan->ops[0].action == ACTION_CLOSE && plan->lifetime != 0)
		return "a closing has a lifetime";
	if (utf8_chars(plan->reason) > SGW_REASON_CHARS_MAX)
		return "the reason is longer than 160 characters";
	return NULL;
}

/* ---- identity of a rule ---- */

bool
op_equals_rule(const struct rec_op *op, const struct rec_rule *rule)
{
	return !rule->egress && rule->source_kind == SOURCE_CIDR &&
	       op->protocol == rule->protocol && op->from_port == rule->from_port &&
	       op->to_port == rule->to_port && cidr_equal(&op->source, &rule->source);
}

bool
op_equals_grant(const struct rec_op *op, const char *group_id, const struct rec_grant *grant)
{
	return strcmp(group_id, grant->group_id) == 0 && op->protocol == grant->protocol &&
	       op->from_port == grant->from_port && op->to_port == grant->to_port &&
	       cidr_equal(&op->source, &grant->source);
}
