/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: where changes may be made, and what may be opened there. */
#include "policy_lines.h"

#include <string.h>

#include "policy_scope.h"

bool
service_contains(const struct rec_service *outer, const struct rec_service *inner)
{
	if (outer->protocol == PROTO_ALL)
		return true;
	if (outer->protocol != inner->protocol)
		return false;
	if (outer->protocol == PROTO_TCP || outer->protocol == PROTO_UDP)
		return outer->from_port <= inner->from_port && inner->to_port <= outer->to_port;
	if (outer->protocol == PROTO_ICMP || outer->protocol == PROTO_ICMPV6)
		return outer->from_port == -1 ||
		       (outer->from_port == inner->from_port &&
			   (outer->to_port == -1 || outer->to_port == inner->to_port));
	return true;
}

static bool
ports_hold(const struct rec_scope *scope, const struct rec_op *op)
{
	const struct rec_service wanted = {op->protocol, op->from_port, op->to_port};

	for (size_t i = 0; i < scope->n_ports; i++)
		if (service_contains(&scope->ports[i], &wanted))
			return true;
	return scope->n_ports == 0;
}

/* Only the tags that travel are known: where AWS has more than that, a tag may be there and not be found. */
static bool
tag_holds(const struct rec_scope *scope, const struct rec_group *group)
{
	if (scope->tag_key[0] == 0)
		return true;
	for (size_t i = 0; group != NULL && i < group->n_tags; i++)
		if (strcmp(group->tags[i].key, scope->tag_key) == 0)
			return strcmp(group->tags[i].value, scope->tag_value) == 0;
	return false;
}

static bool
part_holds(const char *wanted, const char *given)
{
	return wanted[0] == 0 || strcmp(wanted, given) == 0;
}

static bool
place_holds(const struct rec_scope *scope, const struct judge *j, const struct rec_op *op)
{
	return part_holds(scope->profile, j->plan->profile) &&
	       part_holds(scope->account, j->plan->account) &&
	       part_holds(scope->region, j->plan->region) &&
	       part_holds(scope->group_id, op->group_id) && tag_holds(scope, j->facts->group);
}

bool
scopes_hold(const struct judge *j, const struct rec_op *op)
{
	for (size_t i = 0; i < j->policy->n_scopes; i++)
		if (place_holds(&j->policy->scopes[i], j, op) &&
		    (!j->opens || ports_hold(&j->policy->scopes[i], op)))
			return true;
	return j->policy->n_scopes == 0;
}

/* ---- one scope inside another ---- */

static bool
part_contains(const char *outer, const char *inner)
{
	return outer[0] == 0 || strcmp(outer, inner) == 0;
}

static bool
ports_contain(const struct rec_scope *outer, const struct rec_scope *inner)
{
	if (outer->n_ports == 0)
		return true;
	for (size_t i = 0; i < inner->n_ports; i++) {
		size_t k = 0;

		while (k < outer->n_ports && !service_contains(&outer->ports[k], &inner->ports[i]))
			k++;
		if (k == outer->n_ports)
			return false;
	}
	return inner->n_ports > 0;
}

bool
scope_contains(const struct rec_scope *outer, const struct rec_scope *inner)
{
	return part_contains(outer->profile, inner->profile) &&
	       part_contains(outer->account, inner->account) &&
	       part_contains(outer->region, inner->region) &&
	       part_contains(outer->group_id, inner->group_id) &&
	       (outer->tag_key[0] == 0 || (strcmp(outer->tag_key, inner->tag_key) == 0 &&
					      strcmp(outer->tag_value, inner->tag_value) == 0)) &&
	       ports_contain(outer, inner);
}

/* ---- order ---- */

int
policy_service_order(const struct rec_service *a, const struct rec_service *b)
{
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->from_port != b->from_port)
		return a->from_port < b->from_port ? -1 : 1;
	return (a->to_port > b->to_port) - (a->to_port < b->to_port);
}

int
policy_scope_order(const struct rec_scope *a, const struct rec_scope *b)
{
	const char *const parts[][2] = {{a->profile, b->profile}, {a->account, b->account},
	    {a->region, b->region}, {a->group_id, b->group_id}, {a->tag_key, b->tag_key},
	    {a->tag_value, b->tag_value}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int order = strcmp(parts[i][0], parts[i][1]);

		if (order != 0)
			return order;
	}
	for (size_t i = 0; i < a->n_ports && i < b->n_ports; i++) {
		int order = policy_service_order(&a->ports[i], &b->ports[i]);

		if (order != 0)
			return order;
	}
	return (a->n_ports > b->n_ports) - (a->n_ports < b->n_ports);
}
