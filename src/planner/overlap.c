/* SPDX-License-Identifier: Apache-2.0 */
/* See overlap.h. */
#include "overlap.h"

#include <sgwarden/cidr.h>
#include <sgwarden/enums.h>

struct traffic {
	int protocol, from, to; /* as in EC2: -1 is all of them; ICMP: type and code */
};

/* ICMP has a type and a code, and a type can have all its codes. */
static bool
icmp_contains(const struct traffic *outer, const struct traffic *inner)
{
	return outer->from == -1 ||
	       (outer->from == inner->from && (outer->to == -1 || outer->to == inner->to));
}

static bool
traffic_contains(const struct traffic *outer, const struct traffic *inner)
{
	if (outer->protocol == PROTO_ALL)
		return true;
	if (outer->protocol != inner->protocol)
		return false;
	if (outer->protocol == PROTO_ICMP || outer->protocol == PROTO_ICMPV6)
		return icmp_contains(outer, inner);
	if (outer->protocol != PROTO_TCP && outer->protocol != PROTO_UDP)
		return true; /* no ports to tell apart */
	return outer->from <= inner->from && inner->to <= outer->to;
}

void
overlap_find(const struct snap *rules, struct rec_op_view *ret_view)
{
	const struct rec_op *op = &ret_view->op;
	const struct traffic wanted = {op->protocol, op->from_port, op->to_port};

	for (size_t i = 0; i < rules->n; i++) {
		const struct rec_rule *rule = &rules->rules[rules->order[i]];
		const struct traffic there = {rule->protocol, rule->from_port, rule->to_port};

		if (rule->egress || rule->source_kind != SOURCE_CIDR)
			continue;
		if (ret_view->covered_by[0] == 0 && traffic_contains(&there, &wanted) &&
		    cidr_contains(&rule->source, &op->source))
			FIELD_SET(ret_view->covered_by, rule->rule_id);
		else if (ret_view->encloses[0] == 0 && traffic_contains(&wanted, &there) &&
			 cidr_contains(&op->source, &rule->source))
			FIELD_SET(ret_view->encloses, rule->rule_id);
	}
}
