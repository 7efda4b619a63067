/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in policy, line by line, and the traps that each line is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

struct opening {
	int16_t protocol;
	int32_t from, to;
	const char *source, *line;
	enum effect_class effect;
};

static const struct opening OPENINGS[] = {
    {PROTO_TCP, 443, 443, "8.8.8.8", "open.default", CLASS_OPEN},
    {PROTO_TCP, 80, 80, "8.8.8.0/24", "open.default", CLASS_OPEN},
    {PROTO_TCP, 443, 443, "2a00:1::/64", "open.default", CLASS_OPEN},
    {PROTO_ICMP, 8, -1, "8.8.8.8", "open.default", CLASS_OPEN},
    {PROTO_ICMPV6, -1, -1, "2a00:1::/64", "open.default", CLASS_OPEN},
    {PROTO_TCP, 22, 22, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_UDP, 3389, 3389, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_TCP, 20, 30, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_TCP, 1, 65535, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_TCP, 5950, 5950, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_TCP, 5899, 5899, "8.8.8.8", "open.default", CLASS_OPEN},
    {PROTO_TCP, 6000, 6000, "8.8.8.8", "open.default", CLASS_OPEN},
    {PROTO_TCP, 24, 134, "8.8.8.8", "open.default", CLASS_OPEN},
    {PROTO_TCP, 24, 135, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_ALL, -1, -1, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {47, -1, -1, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {0, -1, -1, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {132, -1, -1, "8.8.8.8", "sensitive.port", CLASS_OPEN_SENSITIVE},
    {PROTO_TCP, 443, 443, "8.8.8.0/23", "wide.prefix", CLASS_OPEN_WIDE},
    {PROTO_TCP, 22, 22, "8.8.0.0/16", "wide.prefix", CLASS_OPEN_WIDE},
    {PROTO_TCP, 443, 443, "2a00:1::/63", "wide.prefix", CLASS_OPEN_WIDE},
    {PROTO_TCP, 443, 443, "8.8.0.0/15", "deny.prefix-too-wide", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "2a00:1::/47", "deny.prefix-too-wide", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "0.0.0.0/0", "deny.world-open", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "8.8.8.8/0", "deny.world-open", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "::/0", "deny.world-open", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "0.0.0.0/1", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "128.0.0.0/1", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "64.0.0.0/3", "deny.prefix-too-wide", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "2000::/3", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "10.0.0.1", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "100.64.0.1", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "203.0.113.7", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "169.254.169.254", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "fd00::1", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "64:ff9b::808:808", "deny.special-range", CLASS_FORBIDDEN},
    {PROTO_TCP, 443, 443, "2002:808:808::1", "deny.special-range", CLASS_FORBIDDEN},
};

static void
test_openings(void **state)
{
	for (size_t i = 0; i < sizeof(OPENINGS) / sizeof(OPENINGS[0]); i++) {
		const struct opening *o = &OPENINGS[i];
		struct rec_plan plan =
		    fixture_plan(fixture_op(ACTION_OPEN, o->protocol, o->from, o->to, o->source));
		struct verdict v = judge_builtin(&plan);

		expect(o->source, &v, o->line, o->effect);
	}
}

/* ::ffff:0:0/96 does not parse; as typed bytes it is refused too, at every length. */
static void
test_mapped(void **state)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "::/96"));

	for (unsigned prefix = 96; prefix <= 128; prefix++) {
		struct verdict v;

		plan.ops[0].source.prefix = (uint8_t)prefix;
		plan.ops[0].source.addr[10] = plan.ops[0].source.addr[11] = 0xff;
		v = judge_builtin(&plan);
		expect("mapped", &v, "deny.special-range", CLASS_FORBIDDEN);
		assert_non_null(strstr(v.text, "IPv4-mapped"));
	}
}

/* Every prefix length of both families, over public space. */
static void
test_every_prefix(void **state)
{
	for (unsigned prefix = 0; prefix <= 32; prefix++) {
		struct rec_op op = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8");
		struct rec_plan plan;
		struct verdict v;

		op.source.prefix = (uint8_t)prefix;
		for (unsigned i = prefix; i < 32; i++)
			op.source.addr[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
		plan = fixture_plan(op);
		v = judge_builtin(&plan);
		assert_int_equal(v.effect, prefix < 16   ? CLASS_FORBIDDEN
					   : prefix < 24 ? CLASS_OPEN_WIDE
							 : CLASS_OPEN);
	}
	for (unsigned prefix = 0; prefix <= 128; prefix++) {
		struct rec_op op =
		    fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "2a00:8:8:8:8:8:8:8");
		struct rec_plan plan;
		struct verdict v;

		op.source.prefix = (uint8_t)prefix;
		for (unsigned i = prefix; i < 128; i++)
			op.source.addr[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
		plan = fixture_plan(op);
		v = judge_builtin(&plan);
		assert_int_equal(v.effect, prefix < 48   ? CLASS_FORBIDDEN
					   : prefix < 64 ? CLASS_OPEN_WIDE
							 : CLASS_OPEN);
	}
}

static void
test_relaxations(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7"));
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	policy.allow_documentation = true;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("documentation", &v, "open.default", CLASS_OPEN);
	plan.ops[0].source = fixture_cidr("10.1.2.3");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("private", &v, "deny.special-range", CLASS_FORBIDDEN);
	policy.allow_private = true;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("private", &v, "open.default", CLASS_OPEN);
	plan.ops[0].source = fixture_cidr("100.64.1.1");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("carrier NAT", &v, "open.default", CLASS_OPEN);
	/* What no configuration allows stays forbidden. */
	plan.ops[0].source = fixture_cidr("127.0.0.1");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("loopback", &v, "deny.special-range", CLASS_FORBIDDEN);
	plan.ops[0].source = fixture_cidr("0.0.0.0/0");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("world", &v, "deny.world-open", CLASS_FORBIDDEN);
}

static void
test_lifetime(void **state)
{
	static const struct {
		uint32_t lifetime;
		bool ok;
	} cases[] = {{1, false}, {1199, false}, {1200, true}, {43200, true}, {43201, false},
	    {SGW_LIFETIME_PERMANENT - 1, false}};
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict v;

		plan.lifetime = cases[i].lifetime;
		v = judge_builtin(&plan);
		expect("lifetime", &v, cases[i].ok ? "open.default" : "deny.lifetime",
		    cases[i].ok ? CLASS_OPEN : CLASS_FORBIDDEN);
	}
	plan.lifetime = 0;
	assert_string_equal(judge_builtin(&plan).line, "deny.malformed");
}

static void
test_existing(void **state)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.8"));
	struct rec_rule rules[] = {
	    fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 22, 22, "8.8.8.8")};
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	v = judge_rules(&policy, &plan, rules, 1);
	expect("there already", &v, "none.exists", CLASS_READ);
	assert_int_equal(v.quota_used, 1);
	plan.n_ops = 2;
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("only the other counts", &v, "open.default", CLASS_OPEN);
	rules[0].egress = true;
	v = judge_rules(&policy, &plan, rules, 1);
	expect("outbound is another rule", &v, "sensitive.port", CLASS_OPEN_SENSITIVE);
	/* The gravest operation gives the class, wherever it stands. */
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 8080, 8080, "8.8.0.0/16");
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.8");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("wide and sensitive", &v, "wide.prefix", CLASS_OPEN_WIDE);
	plan.ops[0].source = fixture_cidr("0.0.0.0/0");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("world and sensitive", &v, "deny.world-open", CLASS_FORBIDDEN);
}

static void
test_bulk_and_quota(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 1000, 1000, "8.8.8.8"));
	static struct rec_rule rules[60];
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	for (size_t i = 1; i < 6; i++)
		plan.ops[i] = fixture_op(
		    ACTION_OPEN, PROTO_TCP, 1000 + (int32_t)i, 1000 + (int32_t)i, "8.8.8.8");
	plan.n_ops = 5;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("five", &v, "open.default", CLASS_OPEN);
	plan.n_ops = 6;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("six", &v, "wide.bulk", CLASS_OPEN_WIDE);
	for (size_t i = 0; i < 60; i++)
		rules[i] = fixture_rule(
		    "sgr-0123456789abcdef0", PROTO_TCP, (int32_t)i, (int32_t)i, "9.9.9.9");
	plan.n_ops = 1;
	v = judge_rules(&policy, &plan, rules, 59);
	expect("room for one", &v, "open.default", CLASS_OPEN);
	assert_int_equal(v.quota_used, 59);
	v = judge_rules(&policy, &plan, rules, 60);
	expect("full", &v, "deny.quota", CLASS_FORBIDDEN);
	assert_int_equal(v.error, SGW_ERR_QUOTA);
	plan.n_ops = 2;
	v = judge_rules(&policy, &plan, rules, 59);
	expect("two do not fit", &v, "deny.quota", CLASS_FORBIDDEN);
	/* The other family has its own quota; a group as source counts in both. */
	plan.n_ops = 1;
	plan.ops[0].source = fixture_cidr("2a00::1");
	v = judge_rules(&policy, &plan, rules, 60);
	expect("IPv6", &v, "open.default", CLASS_OPEN);
	assert_int_equal(v.quota_used, 0);
	for (size_t i = 0; i < 60; i++)
		rules[i].source_kind = SOURCE_GROUP;
	v = judge_rules(&policy, &plan, rules, 60);
	expect("groups count", &v, "deny.quota", CLASS_FORBIDDEN);
}

static void
test_union(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.9.0.0/24"));
	struct rec_rule rules[2] = {
	    fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, "8.8.0.0/16")};
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	v = judge_rules(&policy, &plan, rules, 1);
	expect("a /16 is open, a /24 would come to it", &v, "deny.union", CLASS_FORBIDDEN);
	assert_string_equal(
	    v.text, "tcp/443 would be open to 65792 IPv4 addresses, more than 65536");
	plan.ops[0].source = fixture_cidr("8.9.1.1");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("one address too many", &v, "deny.union", CLASS_FORBIDDEN);
	plan.ops[0].source = fixture_cidr("8.8.1.1");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("inside: adds nothing", &v, "open.default", CLASS_OPEN);
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 444, 444, "8.9.0.0/24");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("another port", &v, "open.default", CLASS_OPEN);
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 440, 450, "8.9.0.0/24");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("a range around it", &v, "deny.union", CLASS_FORBIDDEN);
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_ALL, -1, -1, "8.9.0.0/24");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("every protocol contains it", &v, "deny.union", CLASS_FORBIDDEN);
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_UDP, 443, 443, "8.9.0.0/24");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("another protocol", &v, "open.default", CLASS_OPEN);
	rules[0] = fixture_rule("sgr-0123456789abcdef0", PROTO_ALL, -1, -1, "8.8.0.0/16");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("every protocol is open", &v, "deny.union", CLASS_FORBIDDEN);
	/* The world is open by somebody else's rule: one address more adds nothing. */
	rules[0] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, "0.0.0.0/0");
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("open to the world", &v, "open.default", CLASS_OPEN);
	/* … and in two halves as well. */
	rules[0] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, "0.0.0.0/1");
	rules[1] = fixture_rule("sgr-0123456789abcdef1", PROTO_TCP, 443, 443, "128.0.0.0/1");
	v = judge_rules(&policy, &plan, rules, 2);
	expect("open in halves", &v, "open.default", CLASS_OPEN);
	v = judge_rules(&policy, &plan, rules + 1, 1);
	expect("the other half", &v, "deny.union", CLASS_FORBIDDEN);
	/* IPv6 by /64 networks: a /48 is full. */
	rules[0] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, "2a00:1::/48");
	plan.ops[0].source = fixture_cidr("2a00:2::1");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("IPv6", &v, "deny.union", CLASS_FORBIDDEN);
	plan.ops[0].source = fixture_cidr("2a00:1::1");
	v = judge_rules(&policy, &plan, rules, 1);
	expect("IPv6 inside", &v, "open.default", CLASS_OPEN);
}

/* Four /17 beside each other, each of them askable. */
static void
test_union_of_pieces(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.0.0/17"));

	plan.n_ops = 4;
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.0.0/17");
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.128.0/17");
	plan.ops[2] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.9.0.0/17");
	plan.ops[3] = fixture_op(ACTION_OPEN, PROTO_TCP, 400, 500, "8.9.128.0/17");
	assert_string_equal(judge_builtin(&plan).line, "deny.union");
	plan.n_ops = 2;
	assert_string_equal(judge_builtin(&plan).line, "wide.prefix");
}

static void
test_malformed(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct verdict v;

	plan.n_ops = 0;
	v = judge_builtin(&plan);
	expect("empty", &v, "deny.malformed", CLASS_FORBIDDEN);
	assert_int_equal(v.error, SGW_ERR_BAD_ARGUMENT);
}

static void
test_digest(void **state)
{
	struct rec_policy policy;
	uint8_t a[HASH_LEN], b[HASH_LEN];

	policy_builtin(&policy);
	policy_digest(&policy, a);
	policy.allow_private = true;
	policy_digest(&policy, b);
	assert_memory_not_equal(a, b, HASH_LEN);
	policy_builtin(&policy);
	policy_digest(&policy, b);
	assert_memory_equal(a, b, HASH_LEN);
	/* decisions.md, "sensitive ports", at their edges */
	assert_true(policy_sensitive(&policy, PROTO_TCP, 27018, 27018));
	assert_true(policy_sensitive(&policy, PROTO_TCP, 2376, 2376));
	assert_false(policy_sensitive(&policy, PROTO_TCP, 443, 443));
	assert_false(policy_sensitive(&policy, PROTO_TCP, 80, 80));
	assert_false(policy_sensitive(&policy, PROTO_TCP, 2377, 2378));
	assert_false(policy_sensitive(&policy, PROTO_TCP, 27020, 65535));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_openings),
	    cmocka_unit_test(test_mapped),
	    cmocka_unit_test(test_every_prefix),
	    cmocka_unit_test(test_relaxations),
	    cmocka_unit_test(test_lifetime),
	    cmocka_unit_test(test_existing),
	    cmocka_unit_test(test_bulk_and_quota),
	    cmocka_unit_test(test_union),
	    cmocka_unit_test(test_union_of_pieces),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
