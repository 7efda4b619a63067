/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy's lines: one table, tried from the top, the first that applies decides.  What forbids stands above what
 * classes, and the classes fall from the gravest, so the first match is also the class of the gravest operation.
 */
#include <sgwarden/policy.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exposure.h"

/* An opening of more operations than this is read less well than it should be: bulk counts as wide. */
#define BULK_OPS 5

struct judge {
	const struct rec_policy *policy;
	const struct rec_plan *plan;
	const struct policy_facts *facts;
	bool opens;
	const struct rec_op *op; /* the operation looked at, for lines that look at each */
	char source[CIDR_TEXT_LEN];
	char *text; /* SGW_DETAIL_MAX + 1 */
};

#define SAY(j, ...) snprintf((j)->text, SGW_DETAIL_MAX + 1, __VA_ARGS__)

/* Is the rule of an opening there already, so that the operation changes nothing? */
static bool
op_exists(const struct judge *j, const struct rec_op *op)
{
	for (size_t i = 0; op->action == ACTION_OPEN && i < j->facts->n_rules; i++)
		if (op_equals_rule(op, &j->facts->rules[i]))
			return true;
	return false;
}

static bool
op_is_ours(const struct judge *j, const struct rec_op *op)
{
	for (size_t i = 0; i < j->facts->n_grants; i++) {
		const struct rec_grant *g = &j->facts->grants[i];

		if (g->state != GRANT_CLOSED && op_equals_grant(op, op->group_id, g) &&
		    strcmp(g->account, j->plan->account) == 0 &&
		    strcmp(g->region, j->plan->region) == 0)
			return true;
	}
	return false;
}

/* Ingress rules that EC2 counts against a family's quota; a source that is no prefix counts in both. */
static uint16_t
rules_of_family(const struct policy_facts *facts, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->n_rules; i++)
		if (!facts->rules[i].egress && (facts->rules[i].source_kind != SOURCE_CIDR ||
						   facts->rules[i].source.family == family))
			n++;
	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/* ---- lines about the whole plan ---- */

static bool
malformed(struct judge *j)
{
	const char *problem = plan_problem(j->plan);

	if (problem == NULL)
		return false;
	SAY(j, "%s", problem);
	return true;
}

static bool
nothing_new(struct judge *j)
{
	for (size_t i = 0; i < j->plan->n_ops; i++)
		if (!op_exists(j, &j->plan->ops[i]))
			return false;
	SAY(j, "every rule of the plan is there already");
	return true;
}

static bool
bad_lifetime(struct judge *j)
{
	if (j->plan->lifetime >= j->policy->lifetime_min &&
	    j->plan->lifetime <= j->policy->lifetime_max)
		return false;
	SAY(j, "a lifetime of %" PRIu32 " s is not between %" PRIu32 " and %" PRIu32 " s",
	    j->plan->lifetime, j->policy->lifetime_min, j->policy->lifetime_max);
	return true;
}

static bool
not_opted_in(struct judge *j)
{
	const struct rec_group *group = j->facts->group;

	if (!j->policy->require_opt_in || (group != NULL && group->managed))
		return false;
	SAY(j, "%s does not carry the tag sgwarden:managed=true", j->plan->ops[0].group_id);
	return true;
}

static bool
union_too_large(struct judge *j)
{
	struct exposure where;
	char ports[48] = "other protocols";

	if (!exposure_exceeds(j->plan, j->facts, j->policy->v4_union_max, &where))
		return false;
	if (where.protocol <= 255)
		op_ports_text(where.protocol, where.port,
		    where.protocol == PROTO_TCP || where.protocol == PROTO_UDP ? where.port : -1,
		    ports, sizeof(ports));
	SAY(j, "%s would be open to %" PRIu64 " %s, more than %" PRIu32, ports, where.after,
	    where.family == 6 ? "IPv6 /64 networks" : "IPv4 addresses", j->policy->v4_union_max);
	return true;
}

static bool
no_room(struct judge *j)
{
	static const uint8_t families[] = {4, 6};

	for (size_t f = 0; f < 2; f++) {
		size_t used = rules_of_family(j->facts, families[f]), more = 0;

		for (size_t i = 0; i < j->plan->n_ops; i++)
			if (j->plan->ops[i].source.family == families[f] &&
			    !op_exists(j, &j->plan->ops[i]))
				more++;
		if (more == 0 || used + more <= j->policy->rules_per_group)
			continue;
		SAY(j, "%zu of %u IPv%u rules are taken, the plan adds %zu", used,
		    (unsigned)j->policy->rules_per_group, (unsigned)families[f], more);
		return true;
	}
	return false;
}

static bool
bulk(struct judge *j)
{
	if (j->plan->n_ops <= BULK_OPS)
		return false;
	SAY(j, "%u operations in one plan", (unsigned)j->plan->n_ops);
	return true;
}

/* ---- lines about one operation ---- */

static bool
world_open(struct judge *j)
{
	if (j->op->source.prefix != 0)
		return false;
	SAY(j, "%s is the whole Internet", j->source);
	return true;
}

static bool
special_range(struct judge *j)
{
	enum cidr_special special = cidr_special(&j->op->source);

	if (special == CIDR_PUBLIC ||
	    (special == CIDR_DOCUMENTATION && j->policy->allow_documentation) ||
	    ((special == CIDR_PRIVATE || special == CIDR_CGNAT) && j->policy->allow_private))
		return false;
	SAY(j, "%s touches a special-purpose range: %s", j->source, cidr_special_name(special));
	return true;
}

static bool
shorter_than(struct judge *j, unsigned v4, unsigned v6)
{
	unsigned least = j->op->source.family == 6 ? v6 : v4;

	if (j->op->source.prefix >= least)
		return false;
	SAY(j, "%s is wider than /%u", j->source, least);
	return true;
}

static bool
prefix_too_wide(struct judge *j)
{
	return shorter_than(j, j->policy->v4_forbidden, j->policy->v6_forbidden);
}

static bool
wide_prefix(struct judge *j)
{
	return shorter_than(j, j->policy->v4_wide, j->policy->v6_wide);
}

static bool
sensitive_port(struct judge *j)
{
	char ports[48];

	if (!policy_sensitive(j->policy, j->op->protocol, j->op->from_port, j->op->to_port))
		return false;
	op_ports_text(j->op->protocol, j->op->from_port, j->op->to_port, ports, sizeof(ports));
	SAY(j, "%s is or contains an administration or database port", ports);
	return true;
}

static bool
opens(struct judge *j)
{
	SAY(j, "a temporary opening within the policy");
	return true;
}

/* Closing our own is never held up: the tag may have been taken away since. */
static bool
foreign_not_opted_in(struct judge *j)
{
	return !op_is_ours(j, j->op) && not_opted_in(j);
}

static bool
foreign(struct judge *j)
{
	if (op_is_ours(j, j->op))
		return false;
	SAY(j, "%s was not opened by this appliance: closing it can be an outage", j->op->rule_id);
	return true;
}

static bool
own(struct judge *j)
{
	SAY(j, "closes what was opened here: the touch that opened it covers this");
	return true;
}

/* ---- the table ---- */

enum scope {
	PLAN, /* asked once, of any plan */
	OPEN, /* once, of a plan that opens */
	EACH_OPEN,
	EACH_CLOSE,
};

struct line {
	const char *id;
	enum scope scope;
	enum effect_class effect;
	enum sgw_error error;
	bool (*applies)(struct judge *j);
};

static const struct line LINES[] = {
    {"deny.malformed", PLAN, CLASS_FORBIDDEN, SGW_ERR_BAD_ARGUMENT, malformed},
    {"none.exists", PLAN, CLASS_READ, SGW_ERR_NONE, nothing_new},
    {"deny.world-open", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, world_open},
    {"deny.special-range", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, special_range},
    {"deny.prefix-too-wide", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, prefix_too_wide},
    {"deny.lifetime", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, bad_lifetime},
    {"deny.not-opted-in", OPEN, CLASS_FORBIDDEN, SGW_ERR_NOT_OPTED_IN, not_opted_in},
    {"deny.union", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, union_too_large},
    {"deny.quota", OPEN, CLASS_FORBIDDEN, SGW_ERR_QUOTA, no_room},
    {"wide.prefix", EACH_OPEN, CLASS_OPEN_WIDE, SGW_ERR_NONE, wide_prefix},
    {"wide.bulk", OPEN, CLASS_OPEN_WIDE, SGW_ERR_NONE, bulk},
    {"sensitive.port", EACH_OPEN, CLASS_OPEN_SENSITIVE, SGW_ERR_NONE, sensitive_port},
    {"open.default", OPEN, CLASS_OPEN, SGW_ERR_NONE, opens},
    {"deny.not-opted-in", EACH_CLOSE, CLASS_FORBIDDEN, SGW_ERR_NOT_OPTED_IN, foreign_not_opted_in},
    {"close.foreign", EACH_CLOSE, CLASS_CLOSE_FOREIGN, SGW_ERR_NONE, foreign},
    {"close.own", PLAN, CLASS_CLOSE_OWN, SGW_ERR_NONE, own},
};

/* ---- evaluation ---- */

static bool
line_applies_to_each(const struct line *line, struct judge *j)
{
	for (size_t i = 0; i < j->plan->n_ops; i++) {
		j->op = &j->plan->ops[i];
		if (op_exists(j, j->op))
			continue;
		cidr_format(&j->op->source, j->source);
		if (line->applies(j))
			return true;
	}
	return false;
}

static bool
line_applies(const struct line *line, struct judge *j)
{
	switch (line->scope) {
	case PLAN:
		return line->applies(j);
	case OPEN:
		return j->opens && line->applies(j);
	case EACH_OPEN:
		return j->opens && line_applies_to_each(line, j);
	case EACH_CLOSE:
		return !j->opens && line_applies_to_each(line, j);
	}
	return false;
}

/* The last word: a class that needs a screen of its own user does not come onto a client's. */
static void
judge_display(const struct judge *j, struct verdict *v)
{
	v->needs_trusted_display =
	    v->needs_consent && (v->effect == CLASS_OPEN_WIDE || !j->policy->allow_shared_display);
	if (!v->needs_trusted_display || j->facts->display != DISPLAY_SHARED)
		return;
	v->error = SGW_ERR_DISPLAY_NOT_TRUSTED;
	FIELD_SET(v->line, "deny.display");
	snprintf(v->text, sizeof(v->text),
	    "class %s is not approved on a screen of the client's own user", class_name(v->effect));
}

void
policy_evaluate(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict)
{
	struct verdict v = {.effect = CLASS_FORBIDDEN, .error = SGW_ERR_FORBIDDEN};
	struct judge j = {.policy = policy, .plan = plan, .facts = facts, .text = v.text};

	j.opens = plan->ops[0].action == ACTION_OPEN;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		if (!line_applies(&LINES[i], &j))
			continue;
		v.effect = LINES[i].effect;
		v.error = LINES[i].error;
		FIELD_SET(v.line, LINES[i].id);
		break;
	}
	v.needs_consent = v.effect >= CLASS_CLOSE_FOREIGN && v.effect < CLASS_FORBIDDEN;
	v.needs_pin = v.effect == CLASS_OPEN_SENSITIVE || v.effect == CLASS_OPEN_WIDE;
	v.quota_used = rules_of_family(facts, plan->ops[0].source.family);
	judge_display(&j, &v);
	*ret_verdict = v;
}
