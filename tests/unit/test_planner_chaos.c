/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everybody at once, in an order drawn from a fixed seed: fronts that ask, forget, vanish and come back, a broker that
 * moves plans on or refuses, a net that answers late or never, writes, and a clock that jumps.  Whatever the order,
 * each call gets one answer or none if its front is gone, the planner lives, and its queues are empty at the end.
 */
#include "planner_world.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define FRONTS 5
#define ROUNDS 3000

static struct {
	uint64_t seed;
	struct chan front[FRONTS];
	uint32_t number[FRONTS], next_number, next_request;
	unsigned asked, answered;
	bool open[FRONTS][64]; /* by request % 64 */
	char plan[8][SGW_RECEIPT_LEN + 1];
	unsigned plans;
} C;

/* xorshift64: the same draw on every machine. */
static unsigned
draw(unsigned below)
{
	C.seed ^= C.seed << 13;
	C.seed ^= C.seed >> 7;
	C.seed ^= C.seed << 17;
	return (unsigned)(C.seed >> 33) % below;
}

static uint32_t
answered_request(void)
{
	switch (W.m.id) {
	case MSG_CAPABILITIES:
		return W.m.capabilities.request;
	case MSG_HEALTH:
		return W.m.health.request;
	case MSG_GROUPS:
		return W.m.groups.more ? 0 : W.m.groups.request;
	case MSG_RULES:
		return W.m.rules.more ? 0 : W.m.rules.request;
	case MSG_CHANGE:
		return W.m.change.request;
	case MSG_PLAN_STATUS:
		return W.m.plan_status.request;
	case MSG_FAILED:
		return W.m.failed.request;
	default:
		assert_int_equal(W.m.id, MSG_PROGRESS);
		return 0;
	}
}

static void
drain(unsigned i, int ms)
{
	struct pollfd p = {.fd = C.front[i].fd, .events = POLLIN};

	while (poll(&p, 1, ms) > 0) {
		uint32_t request;

		assert_int_equal(chan_recv(&C.front[i], W.scratch, &W.m, NULL), CHAN_GOT);
		request = answered_request();
		if (request == 0)
			continue;
		assert_true(C.open[i][request % 64]);
		C.open[i][request % 64] = false;
		C.answered++;
	}
}

static void
broker_moves(void)
{
	struct pollfd p = {.fd = W.broker.fd, .events = POLLIN};

	while (poll(&p, 1, 0) > 0) {
		uint8_t digest[HASH_LEN];

		assert_int_equal(chan_recv(&W.broker, W.scratch, &W.m, NULL), CHAN_GOT);
		if (world_answer() || W.m.id != MSG_PLAN)
			continue;
		assert_null(plan_problem(&W.m.plan.plan));
		assert_true(plan_digest(&W.m.plan.plan, digest));
		receipt_id(digest, C.plan[C.plans++ % 8]);
	}
	if (C.plans == 0 || draw(3) != 0)
		return;
	if (draw(2)) {
		W.out.id = MSG_STAGE;
		W.out.stage = (struct msg_stage){.stage = draw(STAGE_DONE), .seconds_left = 30};
		FIELD_SET(W.out.stage.plan_id, C.plan[draw(8)]);
	} else {
		W.out.id = MSG_RESULT;
		W.out.result = (struct msg_result){.status = draw(STATUS_MAX)};
		FIELD_SET(W.out.result.plan_id, C.plan[draw(8)]);
	}
	world_say(&W.broker);
}

static void
front_asks(unsigned i)
{
	uint32_t request = ++C.next_request;
	unsigned kind = draw(8);

	if (C.open[i][request % 64])
		return; /* that number is still in use */
	switch (kind) {
	case 0:
		W.out.id = MSG_ASK_HEALTH;
		W.out.ask_health.request = request;
		break;
	case 1:
		ask_groups(request, (uint16_t)(1 + draw(200)), "");
		break;
	case 2:
	case 3:
		ask_rules(request, (uint16_t)(1 + draw(200)), "");
		break;
	case 4:
		W.out.id = MSG_ASK_STATUS;
		W.out.ask_status = (struct msg_ask_status){.request = request};
		FIELD_SET(W.out.ask_status.plan_id, C.plan[draw(8)]);
		break;
	case 5:
		ask_close_match(request, draw(2), "203.0.113.7/32");
		break;
	default:
		ask_open(request, draw(2), (int32_t)(8000 + draw(4)), "203.0.113.7/32");
		break;
	}
	if (W.out.id == MSG_ASK_CHANGE) {
		W.out.ask_change.wait = (uint8_t)draw(51);
		W.out.ask_change.progress = draw(2);
		if (draw(4) == 0)
			FIELD_SET(W.out.ask_change.plan_id, C.plan[draw(8)]);
	}
	C.open[i][request % 64] = true;
	C.asked++;
	world_say(&C.front[i]);
}

static void
front_comes(unsigned i)
{
	C.number[i] = ++C.next_number;
	C.front[i] = world_client(C.number[i], false, 1000 + draw(2));
	memset(C.open[i], 0, sizeof(C.open[i]));
}

static void
front_goes(unsigned i)
{
	chan_close(&C.front[i]);
	if (draw(2)) {
		W.out.id = MSG_CLIENT_GONE;
		W.out.client_gone.client = C.number[i];
		world_say(&W.control);
	}
	front_comes(i);
}

static void
one_round(void)
{
	unsigned i = draw(FRONTS), what = draw(100);

	W.silent = draw(60) == 0;
	W.mute = draw(100) == 0;
	W.n_bad = draw(20) == 0 ? 1 : 0;
	if (what == 0)
		front_goes(i);
	else if (what == 1) {
		W.out.id = MSG_WROTE;
		FIELD_SET(W.out.wrote.profile, "prod");
		FIELD_SET(W.out.wrote.region, "eu-west-1");
		FIELD_SET(W.out.wrote.group_id, GROUP);
		world_say(&W.broker);
	} else if (what == 2)
		world_sleep(draw(40));
	else if (what < 12)
		broker_moves();
	else
		front_asks(i);
	usleep(200);
	broker_moves();
	usleep(200);
	drain(i, 0);
}

static bool
any_open(void)
{
	for (unsigned i = 0; i < FRONTS; i++)
		for (unsigned k = 0; k < 64; k++)
			if (C.open[i][k])
				return true;
	return false;
}

static void
drain_all(void)
{
	for (unsigned i = 0; i < FRONTS; i++) {
		broker_moves();
		drain(i, 50);
	}
}

static void
test_chaos(void **state)
{
	char id[SGW_RULE_ID_MAX + 1];

	C.seed = UINT64_C(0x9e3779b97f4a7c15);
	W.bad = (struct msg_done){.outcome = NET_NO_ANSWER};
	for (unsigned i = 0; i < 100; i++) { /* two parts of an answer, and room for openings */
		snprintf(id, sizeof(id), "sgr-%017x", i);
		world_add_rule(
		    id, PROTO_TCP, 1, 1 + (int32_t)i, i % 2 ? "198.51.100.0/24" : "2001:db8::/64");
	}
	for (unsigned i = 0; i < FRONTS; i++)
		front_comes(i);
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round();
	/* what is open is answered in the end, or told that it takes too long */
	W.silent = W.mute = false;
	W.n_bad = 0;
	for (unsigned n = 0; n < 8; n++) {
		world_sleep(20);
		drain_all();
	}
	for (unsigned n = 0; n < 200 && any_open(); n++) /* a busy machine's planner comes late */
		drain_all();
	assert_false(any_open());
	assert_true(world_alive());
	print_message("%u asked, %u answered, %u plans\n", C.asked, C.answered, C.plans);
	assert_true(C.asked > ROUNDS / 2 && C.answered > C.asked / 2 && C.plans > 8);
	for (unsigned i = 0; i < FRONTS; i++)
		chan_close(&C.front[i]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_chaos, world_start, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
