/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The union of sources per port.  Prefixes nest or are disjoint, so the size of a union is the sum over those that no
 * other contains, and in the order of their addresses that other is the last one counted.  The set of rules that reach
 * a port grows only where a range begins, so it is enough to look where the plan's own ranges begin and, inside these,
 * where a rule's does.
 *
 * Each such place is looked at once, however many rules begin there and openings reach it, and each look is one pass over
 * the sources: a group and a plan as large as can be take no time that anybody notices.
 */
#include "exposure.h"

#include <sgwarden/mutate.h>

#define PROTO_OTHER 256 /* stands for every protocol that no rule names by its number */

/* Rules and openings in one row, as what they let in where. */
struct door {
	int16_t protocol;
	int32_t from;
	int32_t to;
	struct rec_cidr source; /* in units of its family: /64 networks for IPv6 */
};

#define DOORS_MAX (POLICY_RULES_MAX + SGW_OPS_MAX)

struct doors {
	size_t n_rules; /* the present rules come first, then the plan */
	size_t n;
	struct door at[DOORS_MAX];
	uint16_t
	    by_source[DOORS_MAX]; /* their places, in the order of family, address and prefix */
};

_Static_assert(DOORS_MAX <= UINT16_MAX, "by_source");

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

/* A door's range in its protocol.  ICMP is counted by type: a single code counts as its type. */
static struct door
door_over(int16_t protocol, int32_t from, int32_t to, const struct rec_cidr *source)
{
	struct door d = {.protocol = protocol, .from = -1, .to = -1, .source = in_units(source)};

	if (has_ports(protocol)) {
		d.from = from;
		d.to = to;
	} else if (is_icmp(protocol)) {
		d.from = from < 0 ? 0 : from;
		d.to = from < 0 ? 255 : from;
	}
	return d;
}

static bool
comes_behind(const struct rec_cidr *a, const struct rec_cidr *b)
{
	int addr = memcmp(a->addr, b->addr, sizeof(a->addr));

	if (a->family != b->family)
		return a->family > b->family;
	return addr != 0 ? addr > 0 : a->prefix > b->prefix;
}

/* By Shell's method: nothing here allocates. */
static void
sort_by_source(struct doors *d)
{
	for (size_t i = 0; i < d->n; i++)
		d->by_source[i] = (uint16_t)i;
	for (size_t gap = d->n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (size_t i = gap; i < d->n; i++) {
			uint16_t moved = d->by_source[i];
			size_t k = i;

			for (; k >= gap && comes_behind(&d->at[d->by_source[k - gap]].source,
					       &d->at[moved].source);
			     k -= gap)
				d->by_source[k] = d->by_source[k - gap];
			d->by_source[k] = moved;
		}
}

/* Those that let somebody in by address.  False: more rules than any group that is read has. */
static bool
doors_fill(struct doors *d, const struct rec_plan *plan, const struct policy_facts *facts)
{
	d->n = 0;
	if (facts->n_rules > POLICY_RULES_MAX)
		return false;
	for (size_t i = 0; i < facts->n_rules && !MUTATE(UNION_WITH_OPEN); i++) {
		const struct rec_rule *r = &facts->rules[i];

		if (!r->egress && r->source_kind == SOURCE_CIDR)
			d->at[d->n++] =
			    door_over(r->protocol, r->from_port, r->to_port, &r->source);
	}
	d->n_rules = d->n;
	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];

		if (op->action == ACTION_OPEN)
			d->at[d->n++] =
			    door_over(op->protocol, op->from_port, op->to_port, &op->source);
	}
	sort_by_source(d);
	return true;
}

static bool
door_reaches(const struct door *door, const struct point *at)
{
	if (door->protocol == PROTO_ALL)
		return true;
	return door->protocol == at->protocol && door->from <= at->port && at->port <= door->to;
}

/* The union of the first n doors at a point. */
static uint64_t
union_at(const struct doors *d, size_t n, uint8_t family, const struct point *at)
{
	const struct rec_cidr *counted = NULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct door *door = &d->at[d->by_source[i]];

		if (d->by_source[i] >= n || door->source.family != family ||
		    !door_reaches(door, at) || (counted && cidr_contains(counted, &door->source)))
			continue;
		counted = &door->source;
		sum = sum > UINT64_MAX - units(counted) ? UINT64_MAX : sum + units(counted);
	}
	return sum;
}

struct search {
	const struct doors *doors;
	const uint64_t *most; /* by family: IPv4, IPv6 */
	size_t opening;       /* the door whose places are looked at */
	struct exposure *ret_where;
};

/* An earlier opening that reaches the place was searched for the same ones, this among them. */
static bool
was_searched(const struct search *s, const struct point *at)
{
	for (size_t i = s->doors->n_rules; i < s->opening; i++)
		if (door_reaches(&s->doors->at[i], at))
			return true;
	return false;
}

/* Does one of the first n doors begin there, or has just ended? */
static bool
was_given(const struct search *s, size_t n, const struct point *at)
{
	for (size_t i = 0; i < n; i++) {
		const struct door *door = &s->doors->at[i];

		if (door->protocol == at->protocol &&
		    (door->from == at->port || door->to + 1 == at->port))
			return true;
	}
	return false;
}

/* At a place that door i gives; 0: the opening itself. */
static bool
exceeds_at(const struct search *s, size_t i, const struct point *at)
{
	static const uint8_t families[] = {4, 6};

	if (was_searched(s, at) || was_given(s, i, at))
		return false;
	for (size_t f = 0; f < 2; f++) {
		uint64_t after = union_at(s->doors, s->doors->n, families[f], at);
		uint64_t before;

		if (after <= s->most[f])
			continue;
		before = union_at(s->doors, s->doors->n_rules, families[f], at);
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

	if (exceeds_at(s, 0, &at))
		return true;
	for (size_t i = 0; i < s->doors->n; i++) {
		const struct door *door = &s->doors->at[i];

		if (door->protocol != protocol)
			continue;
		at.port = door->from;
		if (at.port > from && at.port <= to && exceeds_at(s, i, &at))
			return true;
		at.port = door->to + 1;
		if (at.port > from && at.port <= to && exceeds_at(s, i, &at))
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
	for (size_t i = 0; i < s->doors->n; i++) {
		const struct door *door = &s->doors->at[i];

		if (door->protocol != PROTO_ALL && !has_ports(door->protocol) &&
		    !is_icmp(door->protocol) &&
		    !was_given(s, i, &(struct point){door->protocol, -1}) &&
		    exceeds_in(s, door->protocol, -1, -1))
			return true;
	}
	return false;
}

bool
exposure_exceeds(const struct rec_plan *plan, const struct policy_facts *facts,
    const uint64_t most[2], struct exposure *ret_where)
{
	static struct doors doors;
	struct search s = {.doors = &doors, .most = most, .ret_where = ret_where};

	if (!doors_fill(&doors, plan, facts)) {
		*ret_where = (struct exposure){
		    .family = 4, .protocol = PROTO_OTHER, .port = -1, .after = UINT64_MAX};
		return true;
	}
	for (size_t i = doors.n_rules; i < doors.n; i++) {
		const struct door *door = &doors.at[i];

		s.opening = i;
		if (door->protocol == PROTO_ALL
			? exceeds_everywhere(&s)
			: exceeds_in(&s, door->protocol, door->from, door->to))
			return true;
	}
	return false;
}
