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
test_permanent(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	plan.lifetime = SGW_LIFETIME_PERMANENT;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("not allowed", &v, "deny.permanent", CLASS_FORBIDDEN);
	policy.allow_permanent = true;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("grave whatever the port", &v, "wide.permanent", CLASS_OPEN_WIDE);
	plan.lifetime = SGW_LIFETIME_PERMANENT - 1;
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("a long lifetime is none", &v, "deny.lifetime", CLASS_FORBIDDEN);
	plan.lifetime = SGW_LIFETIME_PERMANENT;
	plan.ops[0].source = fixture_cidr("0.0.0.0/0");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("it relaxes nothing else", &v, "deny.world-open", CLASS_FORBIDDEN);
	plan.ops[0] = fixture_op(ACTION_EXTEND, PROTO_TCP, 443, 443, "8.8.8.8");
	(void)FIELD_SET(plan.ops[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	v = judge_rules(&policy, &plan, NULL, 0);
	expect("nothing becomes it", &v, "deny.permanent", CLASS_FORBIDDEN);
}

/* It stands against what opens or stays open longer, in its scope, and against no closing. */
static void
test_lockdown(void **state)
{
	static struct rec_lockdown on[2];
	struct policy_facts facts = {.group = &MANAGED, .lockdowns = on, .n_lockdowns = 2};
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	const struct rec_plan close =
	    fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	struct rec_policy policy;
	struct verdict v;

	policy_builtin(&policy);
	on[0] = (struct rec_lockdown){.scope = LOCKDOWN_PROFILE, .name = "test"};
	on[1] = (struct rec_lockdown){.scope = LOCKDOWN_GROUP, .name = "sg-0fedcba9876543210"};
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("elsewhere", &v, "open.default", CLASS_OPEN);
	FIELD_SET(on[1].name, GROUP);
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("its group", &v, "deny.lockdown", CLASS_FORBIDDEN);
	assert_int_equal(v.error, SGW_ERR_LOCKED_DOWN);
	assert_non_null(strstr(v.text, "lockdown of group " GROUP));
	on[1].name[3] = 'f';
	FIELD_SET(on[0].name, "prod");
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("its profile", &v, "deny.lockdown", CLASS_FORBIDDEN);
	plan.ops[0].action = ACTION_EXTEND;
	FIELD_SET(plan.ops[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	on[0] = (struct rec_lockdown){.scope = LOCKDOWN_ALL};
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("for longer", &v, "deny.lockdown", CLASS_FORBIDDEN);
	policy_evaluate(&policy, &close, &facts, &v);
	expect("closing", &v, "close.foreign", CLASS_CLOSE_FOREIGN);
	facts.n_lockdowns = 0;
	plan.ops[0].action = ACTION_OPEN;
	plan.ops[0].receipt[0] = 0;
	policy_evaluate(&policy, &plan, &facts, &v);
	expect("lifted", &v, "open.default", CLASS_OPEN);
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

/* A policy's names for ports: sorted, of their form, and none that everybody knows means something else. */
static void
test_names(void **state)
{
	static const struct rec_named_service bad[] = {{"ssh", {PROTO_TCP, 2222, 2222}},
	    {"all", {PROTO_TCP, 443, 443}}, {"Grafana", {PROTO_TCP, 3000, 3000}},
	    {"7zip", {PROTO_TCP, 3000, 3000}}, {"a b", {PROTO_TCP, 3000, 3000}},
	    {"web", {PROTO_TCP, 0, 3000}}, {"web", {PROTO_ICMP, 8, -1}}, {"web", {47, -1, -1}}};
	static const struct rec_named_service good[] = {{"game", {PROTO_UDP, 27015, 27030}},
	    {"grafana", {PROTO_TCP, 3000, 3000}}, {"ping", {PROTO_ICMP, -1, -1}},
	    {"vpn-all", {PROTO_ALL, -1, -1}}};
	static struct rec_policy policy;
	char why[POLICY_PROBLEM_MAX];

	policy_builtin(&policy);
	policy.n_services = 4;
	memcpy(policy.services, good, sizeof(good));
	assert_false(policy_problem(&policy, why));
	assert_int_equal(policy_service(&policy, "game")->to_port, 27030);
	assert_null(policy_service(&policy, "ssh"));
	assert_int_equal(service_builtin("ssh")->to_port, 22);
	policy.services[0] = good[1];
	policy.services[1] = good[0];
	assert_true(policy_problem(&policy, why));
	policy.services[1] = good[1]; /* twice */
	assert_true(policy_problem(&policy, why));
	policy.n_services = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		policy.services[0] = bad[i];
		if (!policy_problem(&policy, why))
			fail_msg("%s was taken", bad[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_opt_in),
	    cmocka_unit_test(test_permanent),
	    cmocka_unit_test(test_closings),
	    cmocka_unit_test(test_lockdown),
	    cmocka_unit_test(test_display),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
