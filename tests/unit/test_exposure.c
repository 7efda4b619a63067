/* SPDX-License-Identifier: Apache-2.0 */
/* The union of sources per port: pieces that add up, and random groups against a bitmap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <exposure.h>

#include "plan_fixture.h"

/* The same maximum for both families. */
#define BOTH(most) ((const uint64_t[2]){(most), (most)})

/* A policy that forgets its prefix lines is still held by the union: pieces that add up to the Internet. */
static void
test_pieces(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "0.0.0.0/1"));
	struct rec_policy policy;
	struct policy_facts facts = {0};
	struct exposure where;

	policy_builtin(&policy);
	plan.n_ops = 2;
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "128.0.0.0/1");
	assert_true(exposure_exceeds(&plan, &facts, BOTH(policy.v4_union_max), &where));
	assert_true(where.after == UINT64_C(1) << 32 && where.before == 0);
	assert_false(exposure_exceeds(&plan, &facts, BOTH(UINT64_C(1) << 32), &where));
	/* The whole of IPv6 saturates instead of wrapping round to nothing. */
	plan.n_ops = 2;
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "::/1");
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8000::/1");
	assert_true(exposure_exceeds(&plan, &facts, BOTH(65536), &where));
	assert_true(where.after == UINT64_MAX);
}

#define SPACE 256 /* the last octet of 8.8.8.0/24 */
#define PORTS 12
#define PROTO_OF_OTHERS 47 /* GRE, which has no ports */
#define DOORS 8

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
random_door(uint32_t *seed, int16_t *protocol, int32_t *from, int32_t *to, struct rec_cidr *source)
{
	static const int16_t protocols[] = {PROTO_TCP, PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_UDP,
	    PROTO_ALL, PROTO_ALL, PROTO_OF_OTHERS};
	unsigned prefix = 24 + next_random(seed) % 9;

	bool ports;

	*protocol = protocols[next_random(seed) % 8];
	ports = *protocol == PROTO_TCP || *protocol == PROTO_UDP;
	*from = !ports ? -1 : (int32_t)(1 + next_random(seed) % PORTS);
	*to = !ports ? -1 : *from + (int32_t)(next_random(seed) % 3);
	*source = fixture_cidr("8.8.8.0/24");
	source->prefix = (uint8_t)prefix;
	source->addr[3] = (uint8_t)(next_random(seed) & ~((1u << (32 - prefix)) - 1));
}

static void
paint(bool seen[SPACE], const struct rec_cidr *source)
{
	for (unsigned i = 0; i < 1u << (32 - source->prefix); i++)
		seen[source->addr[3] + i] = true;
}

static bool
door_hits(int16_t protocol, int32_t from, int32_t to, int16_t at, int32_t port)
{
	return protocol == PROTO_ALL ||
	       (protocol == at && (from < 0 || (from <= port && port <= to)));
}

/* By bitmap: does any (tcp, udp, one that a rule may name or another, port) that the plan reaches have more than `most` and more than before? */
static bool
slow_exceeds(const struct rec_plan *plan, const struct rec_rule *rules, size_t n, unsigned most)
{
	static const int16_t protocols[] = {PROTO_TCP, PROTO_UDP, PROTO_OF_OTHERS, 50};

	for (size_t p = 0; p < 4; p++) {
		int16_t at = protocols[p];

		for (int32_t port = 0; port <= PORTS + 4; port++) {
			bool before[SPACE] = {0}, after[SPACE];
			unsigned n_before = 0, n_after = 0;

			for (size_t i = 0; i < n; i++)
				if (door_hits(rules[i].protocol, rules[i].from_port,
					rules[i].to_port, at, port))
					paint(before, &rules[i].source);
			memcpy(after, before, sizeof(after));
			for (size_t i = 0; i < plan->n_ops; i++)
				if (door_hits(plan->ops[i].protocol, plan->ops[i].from_port,
					plan->ops[i].to_port, at, port))
					paint(after, &plan->ops[i].source);
			for (size_t i = 0; i < SPACE; i++) {
				n_before += before[i];
				n_after += after[i];
			}
			if (n_after > most && n_after > n_before)
				return true;
		}
	}
	return false;
}

static void
test_against_bitmap(void **state)
{
	uint32_t seed = 4711;
	unsigned yes = 0;

	for (unsigned round = 0; round < 20000; round++) {
		struct rec_rule rules[DOORS] = {0};
		struct rec_plan plan = {0};
		size_t n = next_random(&seed) % DOORS;
		struct policy_facts facts = {.rules = rules, .n_rules = n};
		unsigned most = next_random(&seed) % 300;
		struct exposure where;
		bool want;

		for (size_t i = 0; i < n; i++)
			random_door(&seed, &rules[i].protocol, &rules[i].from_port,
			    &rules[i].to_port, &rules[i].source);
		plan.n_ops = (uint16_t)(1 + next_random(&seed) % 4);
		for (size_t i = 0; i < plan.n_ops; i++)
			random_door(&seed, &plan.ops[i].protocol, &plan.ops[i].from_port,
			    &plan.ops[i].to_port, &plan.ops[i].source);
		want = slow_exceeds(&plan, rules, n, most);
		yes += want;
		assert_int_equal(exposure_exceeds(&plan, &facts, BOTH(most), &where), want);
	}
	assert_true(yes > 2000 && yes < 18000);
}

/* ---- how much is looked at ---- */

bool __real_cidr_contains(const struct rec_cidr *outer, const struct rec_cidr *inner);
bool __wrap_cidr_contains(const struct rec_cidr *outer, const struct rec_cidr *inner);

static size_t pairs; /* of sources that were compared */

bool
__wrap_cidr_contains(const struct rec_cidr *outer, const struct rec_cidr *inner)
{
	pairs++;
	return __real_cidr_contains(outer, inner);
}

#define GROUP_RULES 1000

/* Fifty openings of all ports, in a group of n rules: each place has to be looked at, as nowhere is too much open. */
static size_t
pairs_of(size_t n, int32_t step, int32_t width)
{
	static struct rec_rule rules[GROUP_RULES];
	const struct policy_facts facts = {.rules = rules, .n_rules = n};
	static struct rec_plan plan;
	struct exposure where;

	for (size_t i = 0; i < n; i++) {
		int32_t port = 443 + (int32_t)i * step;

		rules[i] = fixture_rule("sgr-1", PROTO_TCP, port, port + width, "8.0.0.0/24");
		rules[i].source.addr[1] = (uint8_t)(i / 256);
		rules[i].source.addr[2] = (uint8_t)i;
	}
	plan.n_ops = SGW_OPS_MAX;
	for (size_t i = 0; i < plan.n_ops; i++) {
		plan.ops[i] = fixture_op(ACTION_OPEN, PROTO_TCP, 1, 65535, "8.0.0.1/32");
		plan.ops[i].source.addr[3] = (uint8_t)i;
	}
	pairs = 0;
	assert_false(exposure_exceeds(&plan, &facts, BOTH(UINT64_MAX), &where));
	return pairs;
}

/*
 * The same place was looked at for each rule that begins or ends there, and anew for each opening, and each look was at
 * each pair of sources: minutes of it.  Now there is one pass over them for each place.
 */
static void
regress_222_each_place_once(void **state)
{
	static const size_t sizes[] = {20, GROUP_RULES};

	for (size_t i = 0; i < 2; i++) {
		size_t n = sizes[i], pass = n + SGW_OPS_MAX;

		/* where the openings begin, 443, and 444 behind it */
		assert_in_range(pairs_of(n, 0, 0), 1, 3 * pass);
		/* each rule with ends of its own */
		assert_in_range(pairs_of(n, 1, 2000), 1, (2 * n + 1) * pass);
	}
}

/* More than is ever read of a group: nobody can say what is open there. */
static void
test_more_than_is_read(void **state)
{
	const struct policy_facts facts = {.n_rules = POLICY_RULES_MAX + 1};
	const struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8/32"));
	struct exposure where;

	assert_true(exposure_exceeds(&plan, &facts, BOTH(UINT64_MAX), &where));
	assert_true(where.after == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_against_bitmap),
	    cmocka_unit_test(regress_222_each_place_once),
	    cmocka_unit_test(test_more_than_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
