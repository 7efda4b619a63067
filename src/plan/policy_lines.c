/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the policy, each a question about the plan and a sentence with the answer. */
#include "policy_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/lockdown.h>

#include "exposure.h"

#define SAY(j, ...) snprintf((j)->text, SGW_DETAIL_MAX + 1, __VA_ARGS__)

bool
op_exists(const struct judge *j, const struct rec_op *op)
{
	for (size_t i = 0; op->action == ACTION_OPEN && i < j->facts->n_rules; i++)
		if (op_equals_rule(op, &j->facts->rules[i]))
			return true;
	return false;
}

bool
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

uint16_t
rules_of_family(const struct policy_facts *facts, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->n_rules; i++)
		if (!facts->rules[i].egress && (facts->rules[i].source_kind != SOURCE_CIDR ||
						   facts->rules[i].source.family == family))
			n++;
	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

uint16_t
rules_of_lists(const struct policy_facts *facts)
{
	size_t n = 0;

	for (size_t i = 0; i < facts->n_rules; i++)
		n += !facts->rules[i].egress && facts->rules[i].source_kind == SOURCE_PREFIX_LIST;
	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/* ---- lines about the whole plan ---- */

bool
line_malformed(struct judge *j)
{
	const char *problem = plan_problem(j->plan);

	if (problem == NULL)
		return false;
	SAY(j, "%s", problem);
	return true;
}

bool
line_nothing_new(struct judge *j)
{
	for (size_t i = 0; i < j->plan->n_ops; i++)
		if (!op_exists(j, &j->plan->ops[i]))
			return false;
	SAY(j, "every rule of the plan is there already");
	return true;
}

bool
line_permanent(struct judge *j)
{
	if (j->plan->lifetime != SGW_LIFETIME_PERMANENT)
		return false;
	SAY(j, "it never closes by itself");
	return true;
}

bool
line_permanent_not_allowed(struct judge *j)
{
	if (!line_permanent(j))
		return false;
	for (size_t i = 0; i < j->plan->n_ops; i++)
		if (j->plan->ops[i].action == ACTION_EXTEND) {
			SAY(j, "what was opened for a time cannot be made permanent: close it, "
			       "open it anew");
			return true;
		}
	if (j->policy->allow_permanent)
		return false;
	SAY(j, "the policy allows no permanent opening (allow_permanent)");
	return true;
}

bool
line_bad_lifetime(struct judge *j)
{
	enum effect_class effect = opening_class(j);
	const struct rec_class_rule *rule = policy_class_rule(j->policy, effect);

	if (j->plan->lifetime == SGW_LIFETIME_PERMANENT)
		return false;
	if (j->plan->lifetime >= rule->lifetime_min && j->plan->lifetime <= rule->lifetime_max)
		return false;
	SAY(j,
	    "a lifetime of %" PRIu32 " s is not between %" PRIu32 " and %" PRIu32
	    " s, as class %s has it",
	    j->plan->lifetime, rule->lifetime_min, rule->lifetime_max, class_name(effect));
	return true;
}

/* When the grant that an extension names was opened; 0: no such one. */
static int64_t
opened_at(const struct judge *j, const struct rec_op *op)
{
	for (size_t i = 0; i < j->facts->n_grants; i++) {
		const struct rec_grant *g = &j->facts->grants[i];

		if (strcmp(g->receipt, op->receipt) == 0 && op_equals_grant(op, op->group_id, g))
			return g->sent;
	}
	return 0;
}

bool
line_too_long_in_all(struct judge *j)
{
	const struct rec_class_rule *rule = policy_class_rule(j->policy, opening_class(j));
	int64_t most = (int64_t)rule->lifetime_max * SGW_LIFETIMES_IN_ALL;

	for (size_t i = 0; i < j->plan->n_ops; i++) {
		const struct rec_op *op = &j->plan->ops[i];

		if (op->action != ACTION_EXTEND ||
		    j->facts->now + j->plan->lifetime - opened_at(j, op) <= most)
			continue;
		SAY(j,
		    "it would be open for more than %" PRId64
		    " s in all, %d times its class's most",
		    most, SGW_LIFETIMES_IN_ALL);
		return true;
	}
	return false;
}

bool
line_not_opted_in(struct judge *j)
{
	const struct rec_group *group = j->facts->group;

	if (!j->policy->require_opt_in || (group != NULL && group->managed))
		return false;
	SAY(j, "%s does not carry the tag sgwarden:managed=true", j->plan->ops[0].group_id);
	return true;
}

bool
line_locked_down(struct judge *j)
{
	const struct rec_lockdown *l =
	    lockdown_of(j->facts->lockdowns, j->facts->n_lockdowns, j->plan);

	if (l == NULL)
		return false;
	lockdown_sentence(l, j->text);
	return true;
}

bool
line_not_an_asker(struct judge *j)
{
	for (size_t i = 0; i < j->policy->n_askers; i++)
		if (j->policy->askers[i].uid == j->facts->uid)
			return false;
	if (j->policy->n_askers == 0)
		return false;
	SAY(j, "uid %" PRIu32 " is not among those who may ask", j->facts->uid);
	return true;
}

bool
line_no_reason(struct judge *j)
{
	if (!j->policy->require_reason || j->plan->reason[strspn(j->plan->reason, " ")] != 0)
		return false;
	SAY(j, "a reason must be given");
	return true;
}

bool
line_no_ticket(struct judge *j)
{
	const char *prefix = j->policy->ticket_prefix, *at = j->plan->reason;

	if (prefix[0] == 0)
		return false;
	while ((at = strstr(at, prefix)) != NULL) {
		at += strlen(prefix);
		if (*at >= '0' && *at <= '9')
			return false;
	}
	SAY(j, "the reason must name a ticket: %s and a number", prefix);
	return true;
}

bool
line_union_too_large(struct judge *j)
{
	struct exposure where;
	char ports[48] = "other protocols";

	const uint64_t most[2] = {j->policy->v4_union_max, j->policy->v6_union_max};

	if (!exposure_exceeds(j->plan, j->facts, most, &where))
		return false;
	if (where.protocol <= 255)
		op_ports_text(where.protocol, where.port,
		    where.protocol == PROTO_TCP || where.protocol == PROTO_UDP ? where.port : -1,
		    ports, sizeof(ports));
	SAY(j, "%s would be open to %" PRIu64 " %s, more than %" PRIu64, ports, where.after,
	    where.family == 6 ? "IPv6 /64 networks" : "IPv4 addresses", most[where.family == 6]);
	return true;
}

bool
line_no_room(struct judge *j)
{
	static const uint8_t families[] = {4, 6};

	for (size_t f = 0; f < 2; f++) {
		size_t used = rules_of_family(j->facts, families[f]), more = 0;

		for (size_t i = 0; i < j->plan->n_ops; i++)
			if (j->plan->ops[i].action == ACTION_OPEN &&
			    j->plan->ops[i].source.family == families[f] &&
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

bool
line_too_many_open(struct judge *j)
{
	size_t all = 0, client = 0, more = 0;

	for (size_t i = 0; i < j->facts->n_grants; i++) {
		all += j->facts->grants[i].state != GRANT_CLOSED;
		client += j->facts->grants[i].state != GRANT_CLOSED &&
			  j->facts->grants[i].uid == j->facts->uid;
	}
	if (j->plan->ops[0].action != ACTION_OPEN)
		return false;
	for (size_t i = 0; i < j->plan->n_ops; i++)
		more += !op_exists(j, &j->plan->ops[i]);
	if (j->facts->opens_in_all > more)
		more = j->facts->opens_in_all;
	if (all + more > j->policy->open_most)
		SAY(j, "%zu rules are open through this appliance, the plan adds %zu: at most %u",
		    all, more, (unsigned)j->policy->open_most);
	else if (client + more > j->policy->open_most_client)
		SAY(j,
		    "%zu rules that uid %" PRIu32
		    " asked for are open, the plan adds %zu: at most %u",
		    client, j->facts->uid, more, (unsigned)j->policy->open_most_client);
	else
		return false;
	return true;
}

bool
line_bulk(struct judge *j)
{
	size_t n = j->facts->opens_in_all ? j->facts->opens_in_all : j->plan->n_ops;

	if (n <= j->policy->bulk_ops)
		return false;
	SAY(j, "%zu openings in one plan", n);
	return true;
}

/* ---- lines about one operation ---- */

bool
line_world_open(struct judge *j)
{
	if (j->op->source.prefix != 0)
		return false;
	SAY(j, "%s is the whole Internet", j->source);
	return true;
}

bool
line_special_range(struct judge *j)
{
	enum cidr_special special = cidr_special(&j->op->source);

	if (special == CIDR_PUBLIC ||
	    (special == CIDR_DOCUMENTATION && j->policy->allow_documentation) ||
	    ((special == CIDR_PRIVATE || special == CIDR_CGNAT) && j->policy->allow_private))
		return false;
	SAY(j, "%s touches a special-purpose range: %s", j->source, cidr_special_name(special));
	return true;
}

bool
line_out_of_scope(struct judge *j)
{
	char ports[48];

	if (scopes_hold(j, j->op))
		return false;
	op_ports_text(j->op->protocol, j->op->from_port, j->op->to_port, ports, sizeof(ports));
	if (j->opens)
		SAY(j, "no scope of the policy takes in %s of %s in %s, profile %s", ports,
		    j->op->group_id, j->plan->region, j->plan->profile);
	else
		SAY(j, "no scope of the policy takes in %s in %s, profile %s", j->op->group_id,
		    j->plan->region, j->plan->profile);
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

bool
line_prefix_too_wide(struct judge *j)
{
	return shorter_than(j, j->policy->v4_forbidden, j->policy->v6_forbidden);
}

bool
line_wide_prefix(struct judge *j)
{
	return shorter_than(j, j->policy->v4_wide, j->policy->v6_wide);
}

bool
line_sensitive_port(struct judge *j)
{
	char ports[48];

	if (!policy_sensitive(j->policy, j->op->protocol, j->op->from_port, j->op->to_port))
		return false;
	op_ports_text(j->op->protocol, j->op->from_port, j->op->to_port, ports, sizeof(ports));
	SAY(j, "%s is or contains an administration or database port", ports);
	return true;
}

bool
line_opens(struct judge *j)
{
	SAY(j, "a temporary opening within the policy");
	return true;
}

bool
line_foreign(struct judge *j)
{
	SAY(j, "%s was not opened by this appliance: closing it can be an outage", j->op->rule_id);
	return true;
}

bool
line_own(struct judge *j)
{
	SAY(j, "closes what was opened here: the touch that opened it covers this");
	return true;
}
