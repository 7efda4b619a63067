/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan needs: a group that is opted in, somebody's consent for what is not ours, a display of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy_fixture.h"

static void
test_opt_in(void **state)
{
	struct rec_plan opening =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct rec_plan closing =
	    fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct rec_group other = {.managed = false};
	struct policy_facts facts = {.group = &other};
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	policy_evaluate(&policy, &opening, &facts, &v);
	expect("opening", &v, "deny.not-opted-in", CLASS_FORBIDDEN);
	assert_int_equal(v.error, SGW_ERR_NOT_OPTED_IN);
	policy_evaluate(&policy, &closing, &facts, &v);
	expect("closing", &v, "deny.not-opted-in", CLASS_FORBIDDEN);
	facts.group = NULL;
	policy_evaluate(&policy, &opening, &facts, &v);
	expect("group not read", &v, "deny.not-opted-in", CLASS_FORBIDDEN);
	policy.require_opt_in = false;
	policy_evaluate(&policy, &opening, &facts, &v);
	expect("not wanted", &v, "open.default", CLASS_OPEN);
}

static void
test_closings(void **state)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 22, 22, "8.8.8.8"));
	struct rec_grant grant = {.protocol = PROTO_TCP, .from_port = 22, .to_port = 22};
	struct policy_facts facts = {.group = &MANAGED, .grants = &grant, .n_grants = 1};
	struct rec_group other = {0};
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	FIELD_SET(grant.group_id, GROUP);
	FIELD_SET(grant.account, plan.account);
	FIELD_SET(grant.region, plan.region);
	grant.source = plan.ops[0].source;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("ours", &v, "close.own", CLASS_CLOSE_OWN);
	assert_false(v.needs_consent || v.needs_trusted_display);
	facts.group = &other;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("ours, tag gone", &v, "close.own", CLASS_CLOSE_OWN);
	facts.group = &MANAGED;
#define FOREIGN(change)                                                                            \
	do {                                                                                       \
		struct rec_grant saved = grant;                                                    \
		change;                                                                            \
		policy_evaluate(&policy, &plan, &facts, &v);                                       \
		expect(#change, &v, "close.foreign", CLASS_CLOSE_FOREIGN);                         \
		assert_true(v.needs_consent &&v.needs_trusted_display);                            \
		grant = saved;                                                                     \
	} while (0)
	FOREIGN(grant.group_id[5] ^= 1);
	FOREIGN(grant.account[0] ^= 1);
	FOREIGN(FIELD_SET(grant.region, "eu-west-2"));
	FOREIGN(grant.protocol = PROTO_UDP);
	FOREIGN(grant.from_port = 21);
	FOREIGN(grant.to_port = 23);
	FOREIGN(grant.source.addr[3] = 9);
	FOREIGN(grant.state = GRANT_CLOSED);
#undef FOREIGN
	/* One foreign rule among ours makes the whole plan foreign. */
	plan.n_ops = 2;
	plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8");
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("mixed", &v, "close.foreign", CLASS_CLOSE_FOREIGN);
	/* Closing what is world-open, or special, is never refused for its prefix. */
	plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_ALL, -1, -1, "0.0.0.0/0"));
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("world", &v, "close.foreign", CLASS_CLOSE_FOREIGN);
}

static void
test_display(void **state)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.8"));
	struct policy_facts facts = {.group = &MANAGED, .display = DISPLAY_SHARED};
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	policy_evaluate(&policy, &plan, &facts, &v);
	assert_string_equal(v.line, "deny.display");
	assert_int_equal(v.error, SGW_ERR_DISPLAY_NOT_TRUSTED);
	assert_int_equal(v.effect, CLASS_OPEN_SENSITIVE);
	facts.display = DISPLAY_TRUSTED;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("trusted", &v, "sensitive.port", CLASS_OPEN_SENSITIVE);
	assert_true(v.needs_trusted_display);
	policy.allow_shared_display = true;
	facts.display = DISPLAY_SHARED;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("shared is allowed", &v, "sensitive.port", CLASS_OPEN_SENSITIVE);
	assert_false(v.needs_trusted_display);
	/* Wide needs a trusted one whatever the configuration says. */
	plan.ops[0].source = fixture_cidr("8.8.0.0/16");
	policy_evaluate(&policy, &plan, &facts, &v);
	assert_string_equal(v.line, "deny.display");
	assert_int_equal(v.effect, CLASS_OPEN_WIDE);
	facts.display = DISPLAY_NONE;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("not judged yet", &v, "wide.prefix", CLASS_OPEN_WIDE);
	assert_true(v.needs_trusted_display);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opt_in),
	    cmocka_unit_test(test_closings),
	    cmocka_unit_test(test_display),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
