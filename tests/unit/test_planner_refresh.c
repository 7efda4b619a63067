/* SPDX-License-Identifier: Apache-2.0 */
/* What changes while it is asked for: refreshing and extending what a receipt opened, and an outcome that is told again. */
#include "planner_world.h"

#include <sgwarden/clock.h>

#define OTHER "sg-0fedcba9876543210"
#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"

static void
opened_in(const char *group)
{
	struct rec_grant *g = &W.grants[W.n_grants++];

	*g = (struct rec_grant){.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .source = world_cidr("203.0.113.7/32"),
	    .closes = clock_now() + 600,
	    .sent = clock_now() - 60,
	    .state = GRANT_OPEN};
	FIELD_SET(g->receipt, RECEIPT);
	FIELD_SET(g->profile, "prod");
	FIELD_SET(g->account, "111122223333");
	FIELD_SET(g->region, "eu-west-1");
	FIELD_SET(g->group_id, group);
}

static void
ask(uint32_t request, enum change_kind kind)
{
	ask_open(request, true, 443, "203.0.113.8/32");
	W.out.ask_change.kind = kind;
	FIELD_SET(W.out.ask_change.receipt, RECEIPT);
	W.out.ask_change.n_wanted = kind == CHANGE_REFRESH;
	W.out.ask_change.profile[0] = W.out.ask_change.region[0] = 0;
}

/* What is open changes to this while the group is read; the answer must be a failure. */
static void
meanwhile(struct chan *front, size_t n_grants, enum sgw_error error, const char *detail)
{
	unsigned reads = world_reads();

	W.silent = true;
	world_say(front);
	world_await_reads(front, reads + 1);
	world_quiet(front);
	W.silent = false;
	W.n_grants = n_grants;
	W.out.id = MSG_WROTE;
	FIELD_SET(W.out.wrote.profile, "prod");
	FIELD_SET(W.out.wrote.region, "eu-west-1");
	FIELD_SET(W.out.wrote.group_id, GROUP);
	world_say(&W.broker);
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, error);
	assert_string_equal(W.m.failed.field, "grant_id");
	assert_string_equal(W.m.failed.detail, detail);
	assert_true(world_alive());
}

static struct chan
begin(void)
{
	struct chan front = world_client(1, false, 1000);

	world_add_rule("sgr-0000000000000000a", PROTO_TCP, 443, 443, "203.0.113.7/32");
	world_add_group(OTHER, "vpc-0123456789abcdef0", true);
	ask_rules(9, 10, ""); /* the account is known from here on */
	world_say(&front);
	world_expect(&front, MSG_RULES);
	opened_in(GROUP);
	opened_in(OTHER);
	return front;
}

static const enum change_kind kinds[] = {CHANGE_REFRESH, CHANGE_EXTEND};

/*
 * A plan over several groups opens one after the other, and each is shown in list_grants as soon as it is open: whoever
 * asks in between has the next group opened behind the question which groups it is about.
 */
static void
regress_131_opened_in_between(void **state)
{
	struct chan front = begin();

	for (uint32_t i = 0; i < 2; i++) {
		W.n_grants = 1;
		ask(i + 1, kinds[i]);
		meanwhile(&front, 2, SGW_ERR_BUSY, "what is open of it changed while it was read");
	}
	ask(3, CHANGE_EXTEND); /* the twin: asked again it is a plan over both */
	world_say(&front);
	world_expect(&front, MSG_PLAN);
	assert_int_equal(W.m.plan.plan.n_groups, 2);
	chan_close(&front);
}

/* Or its time comes first: then there is nothing that could be open already either. */
static void
regress_131_closed_in_between(void **state)
{
	struct chan front = begin();

	for (uint32_t i = 0; i < 2; i++) {
		W.n_grants = 1;
		ask(i + 1, kinds[i]);
		meanwhile(&front, 0, SGW_ERR_NO_SUCH_RULE,
		    "nothing of it is open through sgwarden; list_grants shows what is");
	}
	chan_close(&front);
}

static void
ask_443(struct chan *front, uint32_t request, bool opens)
{
	if (opens)
		ask_open(request, true, 443, "203.0.113.7/32");
	else
		ask_close_match(request, true, "203.0.113.7/32");
	world_say(front);
}

/* A request that opens a port, or closes what matches, to its end as the broker tells it. */
static void
done_once(struct chan *front, uint32_t request, bool opens)
{
	uint8_t digest[HASH_LEN];
	char id[SGW_RECEIPT_LEN + 1];

	ask_443(front, request, opens);
	world_expect(front, MSG_PLAN);
	assert_true(plan_digest(&W.m.plan.plan, digest));
	receipt_id(digest, id);
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = STATUS_OK, .effect = CLASS_OPEN, .n_done = 1};
	FIELD_SET(W.out.result.plan_id, id);
	world_say(&W.broker);
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_OK);
}

/* And is heard before anything else: the answer of the broker's that the client waits for comes behind it. */
static void
wrote(struct chan *front, const char *region, const char *group)
{
	W.out.id = MSG_WROTE;
	FIELD_SET(W.out.wrote.profile, "prod");
	FIELD_SET(W.out.wrote.region, region);
	FIELD_SET(W.out.wrote.group_id, group);
	world_say(&W.broker);
	W.out.id = MSG_ASK_CAPABILITIES;
	W.out.ask_capabilities.request = 99;
	world_say(front);
	world_expect(front, MSG_CAPABILITIES);
}

/*
 * An equal request hears the outcome of the one before, for a minute.  It heard "opened" where the rule had been closed
 * since, and "closed" where it had been opened since.
 */
static void
regress_153_outcome_that_is_over(void **state)
{
	struct chan front = world_client(1, false, 1000);

	for (unsigned opens = 2; opens-- > 0;) {
		uint32_t request = 10 * (opens + 1);

		done_once(&front, request, opens);
		if (opens)
			world_add_rule(
			    "sgr-0000000000000000a", PROTO_TCP, 443, 443, "203.0.113.7/32");
		wrote(&front, "eu-west-1", OTHER);
		wrote(&front, "us-east-1", GROUP);
		ask_443(&front, request + 1, opens);
		world_expect(&front, MSG_CHANGE); /* the twin: nothing of it was changed */
		assert_int_equal(W.m.change.request, request + 1);
		assert_int_equal(W.m.change.status, STATUS_OK);
		W.n_rules = opens ? 0 : W.n_rules;
		wrote(&front, "eu-west-1", GROUP);
		done_once(&front, request + 2, opens);
		if (opens)
			world_add_rule(
			    "sgr-0000000000000000a", PROTO_TCP, 443, 443, "203.0.113.7/32");
	}
	chan_close(&front);
}

/* The broker is asked for the own address over this family: all three sources say the same. */
static void
own_address(struct chan *front, enum ip_family family, const char *address)
{
	struct msg_own *m = &W.out.own;

	world_expect(front, MSG_ASK_OWN);
	assert_int_equal(W.m.ask_own.family, family);
	W.out.id = MSG_OWN;
	*m = (struct msg_own){.request = W.m.ask_own.request, .family = family, .n_seen = 3};
	for (size_t i = 0; i < 3; i++) {
		m->seen[i].state = SEEN_OK;
		m->seen[i].address = world_cidr(address);
	}
	world_say(&W.broker);
}

/*
 * What a receipt opened for icmpv6 was opened anew for the IPv4 address, which lets nobody in, and closed for the one
 * that it was for.  The twin names the group: there the protocol is in the request.
 */
static void
regress_193_icmpv6(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_cidr own = world_cidr("2001:db8::7/128");
	const struct rec_op *op = W.m.plan.plan.ops;

	world_add_rule("sgr-0000000000000000a", PROTO_ICMPV6, -1, -1, "2001:db8::6/128");
	opened_in(GROUP);
	W.grants[0].protocol = PROTO_ICMPV6;
	W.grants[0].from_port = W.grants[0].to_port = -1;
	W.grants[0].source = W.rules[0].source;
	for (uint32_t i = 0; i < 2; i++) {
		struct rec_wanted *w = &W.out.ask_change.wanted[0];

		ask(i + 1, CHANGE_REFRESH);
		*w = (struct rec_wanted){.given = WANTED_CURRENT, .source = {.family = 4}};
		if (i == 1) {
			W.out.ask_change.receipt[0] = 0;
			FIELD_SET(w->group_id, GROUP);
			w->given |= WANTED_PROTOCOL | WANTED_PORTS;
			w->protocol = PROTO_ICMPV6;
			w->from_port = w->to_port = -1;
		}
		world_say(&front);
		if (i == 0)
			own_address(&front, IP_V4, "203.0.113.7/32");
		own_address(&front, IP_V6, "2001:db8::7/128");
		world_expect(&front, MSG_PLAN);
		assert_int_equal(W.m.plan.plan.n_ops, 2);
		assert_true(op[0].action == ACTION_OPEN && cidr_equal(&op[0].source, &own));
		assert_int_equal(op[0].protocol, PROTO_ICMPV6);
		assert_string_equal(op[1].rule_id, "sgr-0000000000000000a");
	}
	chan_close(&front);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(regress_131_opened_in_between, world_start, world_end),
	    cmocka_unit_test_setup_teardown(regress_131_closed_in_between, world_start, world_end),
	    cmocka_unit_test_setup_teardown(
		regress_153_outcome_that_is_over, world_start, world_end),
	    cmocka_unit_test_setup_teardown(regress_193_icmpv6, world_start, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
