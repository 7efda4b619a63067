/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of every policy.  No class needs less than it needs by the built-in policy, and a graver class needs
 * no less and allows no longer lifetimes than a lighter one: whatever makes a plan's class graver makes it harder.
 */
#include <sgwarden/mutate.h>
#include <sgwarden/policy.h>

#include <stdio.h>
#include <string.h>

#include "policy_scope.h"

struct check {
	const struct rec_policy *p;
	char *text;
	size_t size;
};

#define FAIL(c, ...) (snprintf((c)->text, (c)->size, __VA_ARGS__), false)

static bool
prefixes_ok(const struct check *c)
{
	const struct rec_policy *p = c->p;

	if (p->v4_forbidden < POLICY_V4_FORBIDDEN_LEAST || p->v4_forbidden > 32)
		return FAIL(
		    c, "the widest IPv4 prefix must be /%d to /32", POLICY_V4_FORBIDDEN_LEAST);
	if (p->v6_forbidden < POLICY_V6_FORBIDDEN_LEAST || p->v6_forbidden > 128)
		return FAIL(
		    c, "the widest IPv6 prefix must be /%d to /128", POLICY_V6_FORBIDDEN_LEAST);
	if (p->v4_wide < p->v4_forbidden || p->v4_wide > 32)
		return FAIL(c, "IPv4 prefixes that are wide must be asked for between /%d and /32",
		    p->v4_forbidden);
	if (p->v6_wide < p->v6_forbidden || p->v6_wide > 128)
		return FAIL(c, "IPv6 prefixes that are wide must be asked for between /%d and /128",
		    p->v6_forbidden);
	if (p->v4_union_max < 1 || p->v4_union_max > POLICY_UNION_MOST || p->v6_union_max < 1 ||
	    p->v6_union_max > POLICY_UNION_MOST)
		return FAIL(c, "a union's maximum must be 1 to %d", POLICY_UNION_MOST);
	return true;
}

static bool
lifetimes_ok(const struct check *c, const struct rec_class_rule *r, enum effect_class effect)
{
	if (r->lifetime_min < SGW_LIFETIME_MIN || r->lifetime_max > SGW_LIFETIME_POLICY_MAX)
		return FAIL(c, "lifetimes of class %s must lie between %d s and %d s",
		    class_name(effect), SGW_LIFETIME_MIN, SGW_LIFETIME_POLICY_MAX);
	if (r->lifetime_min > r->lifetime_default || r->lifetime_default > r->lifetime_max)
		return FAIL(c, "the lifetimes of class %s must be in order: min, default, max",
		    class_name(effect));
	return true;
}

/* The next graver class may only ask for more and allow less. */
static bool
graver_ok(const struct check *c, enum effect_class light, enum effect_class grave)
{
	const struct rec_class_rule *a = policy_class_rule(c->p, light),
				    *b = policy_class_rule(c->p, grave);

	if ((a->pin && !b->pin) || (a->trusted_display && !b->trusted_display))
		return FAIL(c, "class %s must need all that class %s needs", class_name(grave),
		    class_name(light));
	if (b->lifetime_min < a->lifetime_min || b->lifetime_max > a->lifetime_max)
		return FAIL(c, "the lifetimes of class %s must lie within those of class %s",
		    class_name(grave), class_name(light));
	return true;
}

static bool
classes_ok(const struct check *c)
{
	const struct rec_policy *p = c->p;

	if (!p->on_sensitive.pin || !p->on_wide.pin || !p->on_wide.trusted_display)
		return FAIL(c, "class open-sensitive needs the PIN, class open-wide the PIN and a "
			       "trusted display: no policy takes that away");
	if (p->on_foreign.lifetime_min || p->on_foreign.lifetime_default ||
	    p->on_foreign.lifetime_max)
		return FAIL(c, "a closing has no lifetime");
	for (enum effect_class e = CLASS_OPEN; e <= CLASS_OPEN_WIDE; e++)
		if (!lifetimes_ok(c, policy_class_rule(p, e), e) ||
		    (e > CLASS_OPEN && !graver_ok(c, e - 1, e) && !MUTATE(POLICY_GRAVER)))
			return false;
	return true;
}

static bool
numbers_ok(const struct check *c)
{
	const struct rec_policy *p = c->p;

	if (p->prompts_per_hour < 1 || p->prompts_per_hour > POLICY_PROMPTS_MOST)
		return FAIL(c, "prompts an hour must be 1 to %d", POLICY_PROMPTS_MOST);
	if (p->rules_per_group < 1 || p->rules_per_group > POLICY_RULES_MOST)
		return FAIL(c, "rules in a group must be 1 to %d", POLICY_RULES_MOST);
	if (p->open_most < 1 || p->open_most > SGW_GRANTS_MAX || p->open_most_client < 1 ||
	    p->open_most_client > p->open_most)
		return FAIL(c, "rules open at once must be 1 to %d, a client's no more than all",
		    SGW_GRANTS_MAX);
	if (p->bulk_ops < 1 || p->bulk_ops > SGW_OPS_MAX)
		return FAIL(
		    c, "operations of a plan that is not bulk must be 1 to %d", SGW_OPS_MAX);
	if (strspn(p->ticket_prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789#_-") != strlen(p->ticket_prefix))
		return FAIL(c, "a ticket's prefix has letters, digits and any of # _ -");
	return true;
}

static bool
lists_ok(const struct check *c)
{
	const struct rec_policy *p = c->p;

	for (size_t i = 1; i < p->n_sensitive; i++)
		if (p->sensitive[i].from <= p->sensitive[i - 1].to + 1)
			return FAIL(c, "the sensitive ports are not sorted and apart");
	for (size_t i = 1; i < p->n_services; i++)
		if (strcmp(p->services[i].name, p->services[i - 1].name) <= 0)
			return FAIL(c, "the services are not sorted");
	for (size_t i = 1; i < p->n_askers; i++)
		if (p->askers[i].uid <= p->askers[i - 1].uid)
			return FAIL(c, "the users who may ask are not sorted");
	for (size_t i = 1; i < p->n_scopes; i++)
		if (policy_scope_order(&p->scopes[i - 1], &p->scopes[i]) >= 0)
			return FAIL(c, "the scopes are not sorted");
	return true;
}

/* What policy.json can say: whole protocols, or ports. */
static bool
service_ok(const struct rec_service *s)
{
	if (s->protocol == PROTO_TCP || s->protocol == PROTO_UDP)
		return s->from_port >= 1;
	return (s->protocol == PROTO_ALL || s->protocol == PROTO_ICMP ||
		   s->protocol == PROTO_ICMPV6) &&
	       s->from_port == -1;
}

/* No policy gives a name that everybody knows another meaning. */
static bool
named_ok(const struct check *c, const struct rec_named_service *s)
{
	if (!service_name_ok(s->name) || !service_ok(&s->ports))
		return FAIL(c, "a service has no name, or neither ports nor a whole protocol");
	if (service_builtin(s->name))
		return FAIL(c, "a service has a name that is built in");
	return true;
}

static bool
scope_ok(const struct check *c, const struct rec_scope *s)
{
	if (s->account[0] && !account_ok(s->account))
		return FAIL(c, "a scope's account is not 12 digits");
	if (s->region[0] && !region_ok(s->region))
		return FAIL(c, "a scope's region is not of the form of one");
	if (s->group_id[0] && !group_id_ok(s->group_id))
		return FAIL(c, "a scope's group is no sg- and 8 or 17 hex digits");
	for (size_t i = 0; i < s->n_ports; i++)
		if (!service_ok(&s->ports[i]))
			return FAIL(c, "a scope's ports are neither ports nor a whole protocol");
	for (size_t i = 1; i < s->n_ports; i++)
		if (policy_service_order(&s->ports[i - 1], &s->ports[i]) >= 0)
			return FAIL(c, "a scope's ports are not sorted");
	return true;
}

bool
policy_problem(const struct rec_policy *policy, char ret_text[POLICY_PROBLEM_MAX])
{
	const struct check c = {policy, ret_text, POLICY_PROBLEM_MAX};
	bool ok = prefixes_ok(&c) && classes_ok(&c) && numbers_ok(&c) && lists_ok(&c);

	for (size_t i = 0; ok && i < policy->n_services; i++)
		ok = named_ok(&c, &policy->services[i]);
	for (size_t i = 0; ok && i < policy->n_scopes; i++)
		ok = scope_ok(&c, &policy->scopes[i]);
	return !ok;
}
