/* SPDX-License-Identifier: Apache-2.0 */
/* explain: the policy's lines about a draft or a plan, with the group as it is, and nothing handed to the broker. */
#include "planner_world.h"

static void
explain_open(struct chan *front, uint32_t request, int32_t port, const char *source)
{
	ask_open(request, false, port, source);
	W.out.ask_change.explain = true;
	world_say(front);
}

static const char *
decided(void)
{
	assert_true(W.m.explained.n_trace > 0);
	for (size_t i = 0; i + 1 < W.m.explained.n_trace; i++)
		assert_false(W.m.explained.trace[i].decided);
	assert_true(W.m.explained.trace[W.m.explained.n_trace - 1].decided);
	return W.m.explained.trace[W.m.explained.n_trace - 1].id;
}

static void
test_draft(void **state)
{
	struct chan front = world_client(1, false, 1000);

	explain_open(&front, 3, 443, "203.0.113.7/32");
	world_expect(&front, MSG_EXPLAINED);
	assert_int_equal(W.m.explained.request, 3);
	assert_string_equal(decided(), "open.default");
	assert_int_equal(W.m.explained.effect, CLASS_OPEN);
	assert_int_equal(W.m.explained.error, SGW_ERR_NONE);
	assert_int_equal(W.m.explained.lifetime, SGW_LIFETIME_DEFAULT);
	assert_int_equal(W.m.explained.n_ops, 1);
	assert_false(W.m.explained.pin);
	assert_string_equal(W.m.explained.account, "111122223333");
	explain_open(&front, 4, 22, "203.0.113.7/32");
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(decided(), "sensitive.port");
	assert_true(W.m.explained.pin);
	explain_open(&front, 5, 22, "0.0.0.0/0");
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(decided(), "deny.world-open");
	assert_int_equal(W.m.explained.error, SGW_ERR_FORBIDDEN);
	/* A draft leaves nothing behind: as many as one likes. */
	for (uint32_t i = 0; i < 2 * SGW_PLANS_MAX; i++) {
		explain_open(&front, 6 + i, 443, "203.0.113.7/32");
		world_expect(&front, MSG_EXPLAINED);
	}
	world_quiet(&front);
	chan_close(&front);
}

static void
test_what_is_there(void **state)
{
	struct chan front = world_client(1, false, 1000);

	world_add_rule("sgr-0000000000000000a", PROTO_TCP, 443, 443, "203.0.113.7/32");
	explain_open(&front, 3, 443, "203.0.113.7/32");
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(decided(), "none.exists");
	assert_int_equal(W.m.explained.effect, CLASS_READ);
	ask_close_match(4, false, "203.0.113.7/32");
	W.out.ask_change.explain = true;
	world_say(&front);
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(decided(), "close.foreign");
	world_quiet(&front);
	chan_close(&front);
}

static void
explain_id(struct chan *front, uint32_t request, const char *plan_id)
{
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change = (struct msg_ask_change){.request = request, .explain = true};
	FIELD_SET(W.out.ask_change.plan_id, plan_id);
	world_say(front);
}

static void
test_plan(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1001);
	char id[SGW_RECEIPT_LEN + 1];

	ask_open(3, false, 22, "203.0.113.7/32");
	world_say(&front);
	world_expect(&front, MSG_CHANGE);
	FIELD_SET(id, W.m.change.plan_id);
	assert_true(W.m.change.pin);
	explain_id(&front, 4, id);
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(W.m.explained.plan_id, id);
	assert_string_equal(decided(), "sensitive.port");
	assert_int_equal(W.m.explained.n_ops, 1);
	explain_id(&other, 5, id);
	world_expect(&other, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_PLAN);
	explain_id(&front, 6, "sgw-aaaaaaaaaaaaaaaaaaaa");
	world_expect(&front, MSG_FAILED);
	chan_close(&front);
	chan_close(&other);
}

/* What the broker says is in force counts from then on, and is what an administrator sees. */
static void
test_another_policy(void **state)
{
	struct chan front = world_client(1, false, 1000), admin = world_client(2, true, 1000);

	W.out.id = MSG_POLICY;
	memset(&W.out.policy, 0, sizeof(W.out.policy));
	policy_builtin(&W.out.policy.policy);
	W.out.policy.policy.allow_documentation = true;
	(void)FIELD_SET(W.out.policy.policy.ticket_prefix, "OPS-");
	W.out.policy.origin = POLICY_LOADED;
	world_say(&W.broker);
	explain_open(&front, 3, 443, "203.0.113.7/32");
	world_expect(&front, MSG_EXPLAINED);
	assert_string_equal(decided(), "deny.ticket");
	W.out.id = MSG_ASK_POLICY;
	W.out.ask_policy.request = 4;
	world_say(&admin);
	world_expect(&admin, MSG_POLICY_IN_FORCE);
	assert_int_equal(W.m.policy_in_force.origin, POLICY_LOADED);
	assert_string_equal(W.m.policy_in_force.policy.ticket_prefix, "OPS-");
	/* A front that did not come over admin.sock has no tool that asks for it. */
	W.out.id = MSG_ASK_POLICY;
	W.out.ask_policy.request = 5;
	world_say(&front);
	world_wait_closed(&front);
	chan_close(&front);
	chan_close(&admin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_another_policy, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_draft, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_what_is_there, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_plan, world_start, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
