/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The union of sources per port.  Prefixes nest or are disjoint, so the size of a union is the sum over those that
 * no other contains: no memory and no sorting is needed.  The set of rules that reach a port grows only where a
 * range begins, so it is enough to look where the plan's own ranges begin and, inside these, where a rule's does.
 */
#include "exposure.h"

#include <sgwarden/mutate.h>

#define PROTO_OTHER 256 /* stands for every protocol that no rule names by its number */

/* Rules and operations in one row, as what they let in where. */
struct door {
	int16_t protocol;
	int32_t from;
	int32_t to;
	const struct rec_cidr *source;
};

struct doors {
	const struct rec_plan *plan;
	const struct policy_facts *facts;
};

struct point {
	int16_t protocol;
	int32_t port;
};

static bool
has_ports(int16_t protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP;
}

static bool
is_icmp(int16_t protocol)
{
	return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

/* A door's range in its protocol.  ICMP is counted by type: a single code counts as its type. */
static struct door
door_over(int16_t protocol, int32_t from, int32_t to, const struct rec_cidr *source)
{
	struct door d = {.protocol = protocol, .from = -1, .to = -1, .source = source};

	if (has_ports(protocol)) {
		d.from = from;
		d.to = to;
	} else if (is_icmp(protocol)) {
		d.from = from < 0 ? 0 : from;
		d.to = from < 0 ? 255 : from;
	}
	return d;
}

static size_t
doors_count(const struct doors *doors)
{
	return doors->facts->n_rules + doors->plan->n_ops;
}

/* The present rules come first, then the plan.  False: this one lets nobody in by address. */
static bool
door_at(const struct doors *doors, size_t i, struct door *ret_door)
{
	size_t n = doors->facts->n_rules;

	if (i < n) {
		const struct rec_rule *r = &doors->facts->rules[i];

		*ret_door = door_over(r->protocol, r->from_port, r->to_port, &r->source);
		return !r->egress && r->source_kind == SOURCE_CIDR && !MUTATE(UNION_WITH_OPEN);
	}
	*ret_door = door_over(doors->plan->ops[i - n].protocol, doors->plan->ops[i - n].from_port,
	    doors->plan->ops[i - n].to_port, &doors->plan->ops[i - n].source);
	return doors->plan->ops[i - n].action == ACTION_OPEN;
}

static bool
door_reaches(const struct door *door, const struct point *at)
{
	if (door->protocol == PROTO_ALL)
		return true;
	return door->protocol == at->protocol && door->from <= at->port && at->port <= door->to;
}

/* The prefix in units of its family: /64 networks for IPv6. */
static struct rec_cidr
in_units(const struct rec_cidr *cidr)
{
	struct rec_cidr c = *cidr;

	if (c.family == 6 && c.prefix > 64) {
		c.prefix = 64;
		for (size_t i = 8; i < 16; i++)
			c.addr[i] = 0;
	}
	return c;
}

static uint64_t
units(const struct rec_cidr *c)
{
	unsigned bits = (c->family == 6 ? 64u : 32u) - c->prefix;

	return bits > 63 ? UINT64_MAX : UINT64_C(1) << bits;
}

/* Is source i inside another of the first n (or equal to an earlier one), so that it adds nothing? */
static bool
is_covered(const struct doors *doors, size_t n, size_t i, const struct rec_cidr *mine,
    const struct point *at)
{
	for (size_t k = 0; k < n; k++) {
		struct rec_cidr other;
		struct door door;

		if (k == i || !door_at(doors, k, &door) || !door_reaches(&door, at))
			continue;
		other = in_units(door.source);
		if (cidr_contains(&other, mine) && (k < i || !cidr_equal(&other, mine)))
			return true;
	}
	return false;
}

/* The union of the first n doors at a point. */
static uint64_t
union_at(const struct doors *doors, size_t n, uint8_t family, const struct point *at)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		struct rec_cidr mine;
		struct door door;

		if (!door_at(doors, i, &door) || door.source->family != family ||
		    !door_reaches(&door, at))
			continue;
		mine = in_units(door.source);
		if (is_covered(doors, n, i, &mine, at))
			continue;
		sum = sum > UINT64_MAX - units(&mine) ? UINT64_MAX : sum + units(&mine);
	}
	return sum;
}

struct search {
	struct doors doors;
	const uint64_t *most; /* by family: IPv4, IPv6 */
	struct exposure *ret_where;
};

static bool
exceeds_at(const struct search *s, const struct point *at)
{
	static const uint8_t families[] = {4, 6};

	for (size_t f = 0; f < 2; f++) {
		uint64_t after = union_at(&s->doors, doors_count(&s->doors), families[f], at);
		uint64_t before;

		if (after <= s->most[f])
			continue;
		before = union_at(&s->doors, s->doors.facts->n_rules, families[f], at);
		if (after == before)
			continue;
		*s->ret_where = (struct exposure){.family = families[f],
		    .protocol = at->protocol,
		    .port = at->port,
		    .before = before,
		    .after = after};
		return true;
	}
	return false;
}

/* An opening seen in one protocol: at its start, and wherever inside it another door begins or has just ended. */
static bool
exceeds_in(const struct search *s, int16_t protocol, int32_t from, int32_t to)
{
	struct point at = {protocol, from};

	if (exceeds_at(s, &at))
		return true;
	for (size_t i = 0; i < doors_count(&s->doors); i++) {
		struct door door;

		if (!door_at(&s->doors, i, &door) || door.protocol != protocol)
			continue;
		at.port = door.from;
		if (at.port > from && at.port <= to && exceeds_at(s, &at))
			return true;
		at.port = door.to + 1;
		if (at.port > from && at.port <= to && exceeds_at(s, &at))
			return true;
	}
	return false;
}

/* Protocol -1 is every protocol: those with ports in full, each number that a rule names, and all the rest. */
static bool
exceeds_everywhere(const struct search *s)
{
	if (exceeds_in(s, PROTO_TCP, 0, 65535) || exceeds_in(s, PROTO_UDP, 0, 65535) ||
	    exceeds_in(s, PROTO_ICMP, 0, 255) || exceeds_in(s, PROTO_ICMPV6, 0, 255) ||
	    exceeds_in(s, PROTO_OTHER, -1, -1))
		return true;
	for (size_t i = 0; i < doors_count(&s->doors); i++) {
		struct door door;

		if (door_at(&s->doors, i, &door) && door.protocol != PROTO_ALL &&
		    !has_ports(door.protocol) && !is_icmp(door.protocol) &&
		    exceeds_in(s, door.protocol, -1, -1))
			return true;
	}
	return false;
}

bool
exposure_exceeds(const struct rec_plan *plan, const struct policy_facts *facts,
    const uint64_t most[2], struct exposure *ret_where)
{
	struct search s = {{plan, facts}, most, ret_where};

	for (size_t i = facts->n_rules; i < doors_count(&s.doors); i++) {
		struct door door;

		if (!door_at(&s.doors, i, &door))
			continue;
		if (door.protocol == PROTO_ALL ? exceeds_everywhere(&s)
					       : exceeds_in(&s, door.protocol, door.from, door.to))
			return true;
	}
	return false;
}
