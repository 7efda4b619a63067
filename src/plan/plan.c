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

/* ---- its parts ---- */

/* Closings of what is ours are another matter than closings of what is not: the first need no call of their own. */
static bool
same_step(const struct rec_op *a, const struct rec_op *b)
{
	return a->action == b->action && strcmp(a->group_id, b->group_id) == 0 &&
	       (a->receipt[0] != 0) == (b->receipt[0] != 0);
}

size_t
plan_step(const struct rec_plan *plan, size_t first)
{
	size_t n = 1;

	while (first + n < plan->n_ops && same_step(&plan->ops[first], &plan->ops[first + n]))
		n++;
	return n;
}

size_t
plan_steps(const struct rec_plan *plan)
{
	size_t steps = 0;

	for (size_t i = 0; i < plan->n_ops; i += plan_step(plan, i))
		steps++;
	return steps;
}

size_t
plan_group_index(const struct rec_plan *plan, const char *group_id)
{
	size_t i = 0;

	while (i < plan->n_groups && strcmp(plan->groups[i].group_id, group_id) != 0)
		i++;
	return i;
}

/* Everything but the operations and their groups. */
static void
begin_part(const struct rec_plan *plan, const char *group_id, struct rec_plan *ret_plan)
{
	size_t group = plan_group_index(plan, group_id);

	*ret_plan = *plan;
	ret_plan->n_ops = 0;
	ret_plan->n_groups = 0;
	memset(ret_plan->ops, 0, sizeof(ret_plan->ops));
	memset(ret_plan->groups, 0, sizeof(ret_plan->groups));
	if (group < plan->n_groups)
		ret_plan->groups[ret_plan->n_groups++] = plan->groups[group];
}

/* A part that only closes has no lifetime of its own. */
static void
end_part(struct rec_plan *part)
{
	if (!plan_opens(part))
		part->lifetime = 0;
}

void
plan_slice(const struct rec_plan *plan, size_t first, size_t n, struct rec_plan *ret_plan)
{
	begin_part(plan, plan->ops[first].group_id, ret_plan);
	memcpy(ret_plan->ops, plan->ops + first, n * sizeof(ret_plan->ops[0]));
	ret_plan->n_ops = (uint16_t)n;
	end_part(ret_plan);
}

bool
plan_part(const struct rec_plan *plan, const char *group_id, enum action action,
    struct rec_plan *ret_plan)
{
	begin_part(plan, group_id, ret_plan);
	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].action == action && strcmp(plan->ops[i].group_id, group_id) == 0)
			ret_plan->ops[ret_plan->n_ops++] = plan->ops[i];
	end_part(ret_plan);
	return ret_plan->n_ops > 0;
}

size_t
plan_openings(const struct rec_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_ops; i++)
		n += plan->ops[i].action != ACTION_CLOSE;
	return n;
}

bool
plan_opens(const struct rec_plan *plan)
{
	return plan_openings(plan) > 0;
}

const struct rec_op *
plan_first_opening(const struct rec_plan *plan)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].action == ACTION_OPEN)
			return &plan->ops[i];
	return NULL;
}

/* ---- what must hold ---- */

static const char *
op_problem(const struct rec_op *op)
{
	bool ports = op->protocol == PROTO_TCP || op->protocol == PROTO_UDP;

	if (!group_id_ok(op->group_id))
		return "a security group's id has not the form sg- and 8 or 17 hex digits";
	if (!op_is_canonical(op->protocol, op->from_port, op->to_port))
		return "an operation's protocol and ports do not go together";
	if (!cidr_is_canonical(op->source.family, op->source.prefix, op->source.addr))
		return "an operation's source is not a prefix";
	if (op->receipt[0] != 0 ? !receipt_id_ok(op->receipt) : op->action == ACTION_EXTEND)
		return "an operation's receipt is none";
	if (op->action == ACTION_CLOSE)
		return rule_id_ok(op->rule_id) ? NULL : "a closing names no rule";
	if (op->rule_id[0] != 0)
		return "only a closing names a rule";
	if (op->action == ACTION_EXTEND)
		return NULL;
	if (op->receipt[0] != 0)
		return "an opening names a receipt";
	if (ports && op->from_port < 1)
		return "port 0 cannot be opened";
	return NULL;
}

static const char *
ops_problem(const struct rec_plan *plan)
{
	if (plan->n_ops < 1 || plan->n_ops > SGW_OPS_MAX)
		return "a plan has 1 to 50 operations";
	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];
		const char *problem = op_problem(op);

		if (problem != NULL)
			return problem;
		if ((op->action == ACTION_EXTEND) != (plan->ops[0].action == ACTION_EXTEND))
			return "what extends does nothing else";
		for (size_t k = 0; k < i; k++)
			if (op_same_rule(op, &plan->ops[k]))
				return "a rule stands twice in the plan";
	}
	return NULL;
}

static const char *
groups_problem(const struct rec_plan *plan)
{
	size_t named = 0;

	for (size_t i = 0; i < plan->n_ops; i++) {
		size_t group = plan_group_index(plan, plan->ops[i].group_id);

		if (group > named || group == plan->n_groups)
			return "the plan's groups are not those of its operations, in their order";
		named += group == named;
	}
	return named == plan->n_groups ? NULL : "the plan lists a group that nothing is done to";
}

const char *
plan_problem(const struct rec_plan *plan)
{
	const char *problem = ops_problem(plan);

	if (problem == NULL)
		problem = groups_problem(plan);
	if (problem != NULL)
		return problem;
	if (plan->profile[0] == 0)
		return "the plan names no profile";
	if (!account_ok(plan->account))
		return "the account is not 12 digits";
	if (!region_ok(plan->region))
		return "the region has not the form of one";
	if (plan_opens(plan) && plan->lifetime == 0)
		return "an opening has no lifetime";
	if (!plan_opens(plan) && plan->lifetime != 0)
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

bool
op_same_rule(const struct rec_op *a, const struct rec_op *b)
{
	return strcmp(a->group_id, b->group_id) == 0 && a->protocol == b->protocol &&
	       a->from_port == b->from_port && a->to_port == b->to_port &&
	       cidr_equal(&a->source, &b->source);
}
