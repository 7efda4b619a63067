/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps that have caught other tools: openings that are harmless one by one and the Internet together, numbers that
 * mean more than they seem to.  The built-in policy, and the laxest that policy_problem() lets anybody load.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

static struct rec_policy
laxest(void)
{
	struct rec_policy policy;
	char text[POLICY_PROBLEM_MAX];

	policy_builtin(&policy);
	policy.v4_forbidden = policy.v4_wide = POLICY_V4_FORBIDDEN_LEAST;
	policy.v6_forbidden = policy.v6_wide = POLICY_V6_FORBIDDEN_LEAST;
	policy.v4_union_max = policy.v6_union_max = POLICY_UNION_MOST;
	policy.rules_per_group = POLICY_RULES_MOST;
	policy.bulk_ops = SGW_OPS_MAX;
	policy.allow_documentation = policy.allow_private = true;
	if (policy_problem(&policy, text))
		fail_msg("%s", text);
	return policy;
}

/* Two halves in one plan, of either family, and one half beside the other that is there already. */
static void
test_halves(void **state)
{
	static const char *const halves[][2] = {{"0.0.0.0/1", "128.0.0.0/1"}, {"::/1", "8000::/1"}};
	const struct rec_policy lax = laxest();

	for (size_t f = 0; f < 2; f++) {
		struct rec_plan plan =
		    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, halves[f][0]));
		struct rec_rule there =
		    fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, halves[f][1]);

		assert_int_equal(judge_rules(&lax, &plan, &there, 1).effect, CLASS_FORBIDDEN);
		plan.n_ops = 2;
		plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, halves[f][1]);
		assert_int_equal(judge_builtin(&plan).effect, CLASS_FORBIDDEN);
		assert_int_equal(judge_rules(&lax, &plan, NULL, 0).effect, CLASS_FORBIDDEN);
	}
}

/* A hundred times a /8: the first is all that the laxest policy can allow, in the group or in the plan. */
static void
test_a_hundred_eighths(void **state)
{
	const struct rec_policy lax = laxest();
	static struct rec_rule there[99];
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.0.0.0/8"));
	struct verdict v = judge_builtin(&plan);

	expect("a /8", &v, "deny.prefix-too-wide", CLASS_FORBIDDEN);
	assert_int_not_equal(judge_rules(&lax, &plan, NULL, 0).effect, CLASS_FORBIDDEN);
	for (size_t i = 0; i < 99; i++) {
		char source[16];

		snprintf(source, sizeof(source), "%zu.0.0.0/8", i + 11);
		there[i] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 443, 443, source);
		v = judge_rules(&lax, &plan, there, i + 1);
		expect(source, &v, "deny.union", CLASS_FORBIDDEN);
	}
	plan.n_ops = 2;
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 440, 450, "9.0.0.0/8");
	v = judge_rules(&lax, &plan, NULL, 0);
	expect("two in one plan", &v, "deny.union", CLASS_FORBIDDEN);
	plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "2a00::/40");
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "2a00:100::/40");
	v = judge_rules(&lax, &plan, NULL, 0);
	expect("IPv6", &v, "deny.union", CLASS_FORBIDDEN);
}

/* Every range that has port 22 in it, by its ends. */
static void
test_22_in_ranges(void **state)
{
	static const int32_t below[] = {1, 2, 20, 21, 22}, above[] = {22, 23, 30, 1024, 65535};

	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 5; k++) {
			struct rec_plan plan = fixture_plan(
			    fixture_op(ACTION_OPEN, PROTO_TCP, below[i], above[k], "8.8.8.8"));
			struct verdict v = judge_builtin(&plan);

			expect("a range", &v, "sensitive.port", CLASS_OPEN_SENSITIVE);
		}
	}
}

/* A protocol without ports is all of it, whatever ports somebody writes beside its number. */
static void
test_protocol_numbers(void **state)
{
	for (int16_t protocol = -2; protocol <= 256; protocol++) {
		struct rec_plan plan =
		    fixture_plan(fixture_op(ACTION_OPEN, protocol, 443, 443, "8.8.8.8"));
		struct verdict v = judge_builtin(&plan);

		if (protocol == PROTO_TCP || protocol == PROTO_UDP)
			expect("its ports count", &v, "open.default", CLASS_OPEN);
		else
			expect("with ports", &v, "deny.malformed", CLASS_FORBIDDEN);
		plan.ops[0].from_port = plan.ops[0].to_port = -1;
		v = judge_builtin(&plan);
		if (protocol < PROTO_ALL || protocol > 255 || protocol == PROTO_TCP ||
		    protocol == PROTO_UDP)
			expect("no such", &v, "deny.malformed", CLASS_FORBIDDEN);
		else if (protocol == PROTO_ICMP || protocol == PROTO_ICMPV6)
			expect("ICMP", &v, "open.default", CLASS_OPEN);
		else /* -1, 47 (GRE), 50 (ESP), 51 (AH) and every other */
			expect("without ports", &v, "sensitive.port", CLASS_OPEN_SENSITIVE);
	}
}

/* Types and codes are bytes or all of them; a code without a type is neither. */
static void
test_icmp_types(void **state)
{
	static const struct {
		int32_t type, code;
		bool ok;
	} cases[] = {{8, 0, true}, {8, -1, true}, {-1, -1, true}, {255, 255, true}, {0, 0, true},
	    {-1, 0, false}, {256, -1, false}, {8, 256, false}, {-2, -1, false}, {8, -2, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_plan plan = fixture_plan(
		    fixture_op(ACTION_OPEN, PROTO_ICMP, cases[i].type, cases[i].code, "8.8.8.8"));
		struct verdict v = judge_builtin(&plan);

		expect("ICMP", &v, cases[i].ok ? "open.default" : "deny.malformed",
		    cases[i].ok ? CLASS_OPEN : CLASS_FORBIDDEN);
	}
}

/* The quota counts each family and the inbound direction alone; a prefix list is in both, with one at the least. */
static void
test_quota_by_family_and_direction(void **state)
{
	static struct rec_rule there[60];
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	for (int32_t i = 0; i < 60; i++)
		there[i] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, i, i, "9.9.9.9");
	v = judge_rules(&policy, &plan, there, 60);
	expect("sixty", &v, "deny.quota", CLASS_FORBIDDEN);
	there[7].source_kind = SOURCE_PREFIX_LIST;
	v = judge_rules(&policy, &plan, there, 60);
	expect("a prefix list among them", &v, "deny.quota", CLASS_FORBIDDEN);
	there[7].egress = true;
	v = judge_rules(&policy, &plan, there, 60);
	expect("outbound has its own", &v, "open.default", CLASS_OPEN);
	assert_int_equal(v.quota_used, 59);
	there[7] = fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 7, 7, "2a00::1");
	v = judge_rules(&policy, &plan, there, 60);
	expect("the other family has its own", &v, "open.default", CLASS_OPEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_halves),
	    cmocka_unit_test(test_a_hundred_eighths),
	    cmocka_unit_test(test_22_in_ranges),
	    cmocka_unit_test(test_protocol_numbers),
	    cmocka_unit_test(test_icmp_types),
	    cmocka_unit_test(test_quota_by_family_and_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
