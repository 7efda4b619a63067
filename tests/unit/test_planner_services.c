/* SPDX-License-Identifier: Apache-2.0 */
/* Openings by a name of the policy's: the ports that it gives are planned, and no other. */
#include "planner_world.h"

#include <stdio.h>

#define ADDRESS "203.0.113.7/32"

static void
ask_capabilities(struct chan *front)
{
	W.out.id = MSG_ASK_CAPABILITIES;
	W.out.ask_capabilities.request = 99;
	world_say(front);
	world_expect(front, MSG_CAPABILITIES);
}

/* Until the planner goes by it: it hears its broker and its clients in no order. */
static void
tell_policy(struct chan *front, unsigned services)
{
	static const struct rec_named_service named[] = {{"game", {PROTO_UDP, 27015, 27030}},
	    {"grafana", {PROTO_TCP, 3000, 3000}}, {"ping", {PROTO_ICMP, -1, -1}}};
	struct rec_policy *p = &W.out.policy.policy;
	char why[POLICY_PROBLEM_MAX];

	W.out.id = MSG_POLICY;
	W.out.policy.origin = POLICY_LOADED;
	policy_builtin(p);
	p->allow_documentation = true;
	p->n_services = (uint16_t)services;
	memcpy(p->services, named, services * sizeof(named[0]));
	assert_false(policy_problem(p, why));
	world_say(&W.broker);
	for (int tries = 0; tries < 1000; tries++) {
		ask_capabilities(front);
		if (W.m.capabilities.n_services == services)
			return;
	}
	fail_msg("the policy never came into force");
}

static void
ask(struct chan *front, uint32_t request, const char *service, uint8_t given)
{
	ask_open(request, true, 1, ADDRESS);
	W.out.ask_change.wanted[0].given = (uint8_t)(given | WANTED_SOURCE);
	W.out.ask_change.wanted[0].from_port = W.out.ask_change.wanted[0].to_port = 0;
	FIELD_SET(W.out.ask_change.wanted[0].service, service);
	world_say(front);
}

static void
expect_refused(struct chan *front, uint32_t request, const char *field, const char *words)
{
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.request, request);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_ARGUMENT);
	assert_string_equal(W.m.failed.field, field);
	if (strstr(W.m.failed.detail, words) == NULL)
		fail_msg("%s", W.m.failed.detail);
}

static void
test_named(void **state)
{
	static const struct {
		const char *name;
		int16_t protocol;
		int32_t from, to;
	} rows[] = {{"grafana", PROTO_TCP, 3000, 3000}, {"game", PROTO_UDP, 27015, 27030},
	    {"ping", PROTO_ICMP, -1, -1}};

	struct chan front = world_client(1, false, 1000);

	tell_policy(&front, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct rec_op *op = &W.m.plan.plan.ops[0];

		ask(&front, 1 + i, rows[i].name, 0);
		world_expect(&front, MSG_PLAN);
		assert_null(plan_problem(&W.m.plan.plan));
		assert_int_equal(op->protocol, rows[i].protocol);
		assert_int_equal(op->from_port, rows[i].from);
		assert_int_equal(op->to_port, rows[i].to);
	}
	chan_close(&front);
}

/* By the name or by its port: the same request. */
static void
test_same_plan(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char first[SGW_RECEIPT_LEN + 1];

	tell_policy(&front, 3);
	ask(&front, 1, "grafana", 0);
	world_expect(&front, MSG_PLAN);
	ask_open(2, true, 3000, ADDRESS);
	W.out.ask_change.wait = 0;
	world_say(&front);
	world_expect(&front, MSG_CHANGE);
	if (W.m.change.request == 1)
		world_expect(&front, MSG_CHANGE);
	assert_int_equal(W.m.change.request, 2);
	assert_int_equal(W.m.change.status, STATUS_PENDING_CONSENT);
	memcpy(first, W.m.change.plan_id, sizeof(first));
	assert_true(receipt_id_ok(first));
	world_quiet(&front); /* no second plan */
	chan_close(&front);
}

static void
test_refused(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask(&front, 1, "grafana", 0);
	expect_refused(&front, 1, "service", "wireguard; the policy names none");
	tell_policy(&front, 2);
	ask(&front, 2, "loki", 0);
	expect_refused(&front, 2, "service", "the policy names game, grafana");
	ask(&front, 3, "game", WANTED_PROTOCOL); /* tcp */
	expect_refused(&front, 3, "protocol", "does not use that protocol");
	ask_close_match(4, true, ADDRESS);
	FIELD_SET(W.out.ask_change.wanted[0].service, "game");
	world_say(&front);
	expect_refused(&front, 4, "service", "only openings");
	tell_policy(&front, 3);
	ask_open(5, true, 1, "2001:db8::7/128");
	FIELD_SET(W.out.ask_change.wanted[0].service, "ping");
	W.out.ask_change.wanted[0].given = WANTED_SOURCE;
	world_say(&front);
	expect_refused(&front, 5, "service", "IPv4");
	chan_close(&front);
}

/* They are listed for whoever wants to ask. */
static void
test_listed(void **state)
{
	struct chan front = world_client(1, false, 1000);

	tell_policy(&front, 3);
	assert_int_equal(W.m.capabilities.n_services, 3);
	assert_string_equal(W.m.capabilities.services[1].name, "grafana");
	assert_int_equal(W.m.capabilities.services[1].ports.to_port, 3000);
	chan_close(&front);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_named, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_same_plan, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_refused, world_start, world_end),
	    cmocka_unit_test_setup_teardown(test_listed, world_start, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
