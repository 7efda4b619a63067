/* SPDX-License-Identifier: Apache-2.0 */
/* The planner and its neighbours: who ends, who goes on, who may ask what, and what a flood costs the others. */
#include "planner_world.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char plan_id[SGW_RECEIPT_LEN + 1];

static void
pending_plan(struct chan *front, uint32_t request, uint8_t wait)
{
	uint8_t digest[HASH_LEN];

	ask_open(request, true, 443, "203.0.113.7/32");
	W.out.ask_change.wait = wait;
	world_say(front);
	world_expect(front, MSG_PLAN);
	assert_true(plan_digest(&W.m.plan.plan, digest));
	receipt_id(digest, plan_id);
	if (wait == 0)
		world_expect(front, MSG_CHANGE);
}

static void
ask_health(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_HEALTH;
	W.out.ask_health.request = request;
	world_say(front);
	world_expect(front, MSG_HEALTH);
	assert_int_equal(W.m.health.request, request);
}

static void
assert_component(const char *name, enum component_state state, const char *word)
{
	for (size_t i = 0; i < W.m.health.n_components; i++) {
		const struct rec_component *c = &W.m.health.components[i];

		if (strcmp(c->name, name) != 0)
			continue;
		assert_int_equal(c->state, state);
		if (strstr(c->detail, word) == NULL)
			fail_msg("%s: %s", name, c->detail);
		return;
	}
	fail_msg("no component %s", name);
}

static void
test_health(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask_health(&front, 1);
	assert_component("front", COMPONENT_OK, "1 connected");
	assert_component("planner", COMPONENT_OK, "");
	assert_component("broker", COMPONENT_OK, "");
	assert_component("ledger", COMPONENT_OK, "0 records");
	assert_component("consent screen", COMPONENT_OK, "tty3");
	assert_component("key", COMPONENT_OK, "2 enrolled");
	assert_component("aws", COMPONENT_OK, "not asked yet");
	assert_component("expiry", COMPONENT_OK, "0 open");
	assert_component("sandbox", COMPONENT_DEGRADED, "shared-uid");
	assert_component("clock", COMPONENT_OK, "");
	W.status = (struct msg_broker_status){.overdue = 2, .clock_skew = -400};
	FIELD_SET(W.status.problem, "config, line 3: a value without a key");
	ask_health(&front, 2);
	assert_component("broker", COMPONENT_DEGRADED, "line 3");
	assert_component("ledger", COMPONENT_DOWN, "not durable");
	assert_component("consent screen", COMPONENT_DOWN, "sgwarden consent");
	assert_component("key", COMPONENT_DOWN, "key enroll");
	assert_component("expiry", COMPONENT_DOWN, "2 past");
	assert_component("clock", COMPONENT_DOWN, "-400");
	/* a broker that does not answer: health says so, everything else fails */
	W.mute = true;
	W.out.id = MSG_ASK_HEALTH;
	W.out.ask_health.request = 3;
	world_say(&front);
	world_quiet(&front);
	world_sleep(6);
	world_expect(&front, MSG_HEALTH);
	assert_component("broker", COMPONENT_DOWN, "does not answer");
	chan_close(&front);
}

static void
tell_profile(bool has_reader)
{
	W.out.id = MSG_PROFILES;
	W.out.profiles.n_profiles = 1;
	W.out.profiles.profiles[0] = (struct rec_profile_info){.has_credentials = has_reader};
	FIELD_SET(W.out.profiles.profiles[0].name, "other");
	world_say(&W.broker);
}

/* 143: a trusted screen without its phrase, and a profile in which nothing can be closed, were both fine. */
static void
test_health_of_what_lacks(void **state)
{
	struct chan front = world_client(1, false, 1000);

	W.status.phrase = false;
	tell_profile(false);
	ask_health(&front, 1);
	assert_component("consent screen", COMPONENT_DEGRADED, "key phrase");
	assert_component("credentials", COMPONENT_DOWN, "other: no reader");
	W.status.keys = 0;
	tell_profile(true);
	world_sleep(1);
	ask_health(&front, 2);
	assert_component("consent screen", COMPONENT_OK, "tty3");
	assert_component("credentials", COMPONENT_OK, "no opener in plaintext");
	chan_close(&front);
}

static void
test_capabilities(void **state)
{
	struct chan front = world_client(1, false, 1000);

	W.out.id = MSG_PROFILES;
	W.out.profiles.n_profiles = 1;
	W.out.profiles.profiles[0] =
	    (struct rec_profile_info){.has_credentials = true, .n_regions = 0};
	FIELD_SET(W.out.profiles.profiles[0].name, "other");
	FIELD_SET(W.out.profiles.profiles[0].account, "444455556666");
	world_say(&W.broker);
	W.status.policy_digest[0] = 0xab;
	W.out.id = MSG_ASK_CAPABILITIES;
	W.out.ask_capabilities.request = 9;
	world_say(&front);
	world_expect(&front, MSG_CAPABILITIES);
	assert_int_equal(W.m.capabilities.request, 9);
	assert_int_equal(W.m.capabilities.keys, 2);
	assert_int_equal(W.m.capabilities.screen, DISPLAY_TRUSTED);
	assert_int_equal(W.m.capabilities.policy_digest[0], 0xab);
	assert_int_equal(W.m.capabilities.n_profiles, 2);
	assert_true(W.m.capabilities.profiles[0].is_default);
	assert_false(W.m.capabilities.profiles[0].has_credentials);
	assert_true(W.m.capabilities.profiles[1].has_credentials);
	assert_string_equal(W.m.capabilities.profiles[1].account, "444455556666");
	assert_int_equal(W.m.capabilities.lifetime_max, SGW_LIFETIME_MAX);
	chan_close(&front);
}

static void
test_front_ends(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);

	pending_plan(&front, 1, 50);
	chan_close(&front);
	world_expect(&other, MSG_WITHDRAW);
	assert_string_equal(W.m.withdraw.plan_id, plan_id);
	/* told of it by the supervisor too: nothing more happens */
	W.out.id = MSG_CLIENT_GONE;
	W.out.client_gone.client = 1;
	world_say(&W.control);
	world_quiet(&other);
	ask_health(&other, 2);
	chan_close(&other);
}

static void
test_plan_that_is_executed_is_not_withdrawn(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);

	pending_plan(&front, 1, 50);
	W.out.id = MSG_STAGE;
	FIELD_SET(W.out.stage.plan_id, plan_id);
	W.out.stage.stage = STAGE_EXECUTING;
	W.out.stage.seconds_left = 0;
	world_say(&W.broker);
	ask_health(&other, 3); /* two sockets: the broker's answer comes behind the stage */
	W.out.id = MSG_CLIENT_GONE;
	W.out.client_gone.client = 1;
	world_say(&W.control);
	world_quiet(&other);
	chan_close(&front);
	chan_close(&other);
}

static void
test_plan_that_another_waits_for_stays(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);

	pending_plan(&front, 1, 0);
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change = (struct msg_ask_change){.request = 2, .apply = true, .wait = 50};
	FIELD_SET(W.out.ask_change.plan_id, plan_id);
	world_say(&other);
	world_sync(&other);
	chan_close(&front);
	world_quiet(&other);
	chan_close(&other); /* now nobody does */
	front = world_client(3, false, 1000);
	world_expect(&front, MSG_WITHDRAW);
	chan_close(&front);
}

static void
test_a_front_that_breaks_protocol_ends_alone(void **state)
{
	struct chan good = world_client(1, false, 1000);

	for (uint32_t i = 0; i < 4; i++) {
		struct chan bad = world_client(10 + i, false, 1000);

		switch (i) {
		case 0: /* no message */
			assert_int_equal(send(bad.fd, "hello", 5, 0), 5);
			break;
		case 1: /* the broker's word in a front's mouth */
			W.out.id = MSG_WROTE;
			W.out.wrote = (struct msg_wrote){0};
			world_say(&bad);
			break;
		case 2: /* admin's question without admin's socket */
			W.out.id = MSG_ASK_KEYS;
			W.out.ask_keys.request = 1;
			world_say(&bad);
			break;
		default: /* a descriptor nobody asked for */
			W.out.id = MSG_ASK_HEALTH;
			assert_int_equal(chan_send(&bad, W.scratch, &W.out, 0, false), 0);
			break;
		}
		world_wait_closed(&bad);
		ask_health(&good, i);
	}
	assert_true(world_alive());
	chan_close(&good);
}

static void
test_cell_ends_with_its_peers(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct chan *peers[] = {&W.control, &W.broker, &W.net};
		int status;

		if (i > 0)
			world_restart(60);
		if (i < 3)
			chan_close(peers[i]);
		else { /* an answer that was never asked for */
			W.out.id = MSG_AWS_RULES;
			W.out.aws_rules = (struct msg_aws_rules){.request = 77};
			world_say(&W.net);
		}
		status = world_wait_exit();
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}

static void
test_too_many_calls(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);
	unsigned busy = 0;

	W.silent = true;
	for (uint32_t i = 0; i < 12; i++) {
		ask_rules(i, 50, "");
		world_say(&front);
	}
	for (; busy < 4; busy++) {
		world_expect(&front, MSG_FAILED);
		assert_int_equal(W.m.failed.error, SGW_ERR_BUSY);
	}
	world_quiet(&front);
	ask_health(&other, 1); /* the other does not notice */
	/* what is forgotten makes room, and is not answered */
	W.out.id = MSG_ASK_FORGET;
	W.out.ask_forget.request = 0;
	world_say(&front);
	ask_health(&front, 50);
	chan_close(&front);
	chan_close(&other);
}

/* A front that does not read fills its own queue, then is left alone, then ended; the others go on. */
static void
test_stuck_front(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);
	struct pollfd hup = {.fd = front.fd, .events = 0};
	char id[SGW_RULE_ID_MAX + 1];

	for (unsigned i = 0; i < 250; i++) {
		snprintf(id, sizeof(id), "sgr-%017x", i);
		world_add_rule(id, PROTO_TCP, 1, 1 + (int32_t)i, "203.0.113.7/32");
		memset(W.rules[i].description, 'x', SGW_DESCRIPTION_MAX);
	}
	for (uint32_t i = 0; i < 40; i++) {
		ask_rules(i, 200, "");
		if (chan_send(&front, W.scratch, &W.out, -1, false) < 0)
			break;
	}
	ask_rules(1, 1, "");
	world_say(&other);
	world_expect(&other, MSG_RULES);
	ask_health(&other, 2);
	world_sleep(31);
	ask_health(&other, 3);
	for (int i = 0; i < 600 && !(hup.revents & POLLHUP); i++)
		poll(&hup, 1, 100);
	assert_true(hup.revents & POLLHUP);
	chan_close(&front);
	chan_close(&other);
}

/* The same load on a front that reads late: every part comes, in order, none twice. */
static void
test_slow_front(void **state)
{
	struct chan front = world_client(1, false, 1000);
	unsigned parts[6] = {0}, rules[6] = {0};
	char id[SGW_RULE_ID_MAX + 1];

	for (unsigned i = 0; i < 250; i++) {
		snprintf(id, sizeof(id), "sgr-%017x", i);
		world_add_rule(id, PROTO_TCP, 1, 1 + (int32_t)i, "203.0.113.7/32");
		memset(W.rules[i].description, 'x', SGW_DESCRIPTION_MAX);
	}
	ask_rules(0, 200, "");
	world_say(&front);
	for (uint32_t i = 1; i < 6; i++) {
		ask_rules(i, 200, "");
		world_say(&front);
	}
	for (unsigned over = 0; over < 6;) {
		uint32_t request;

		world_expect(&front, MSG_RULES);
		request = W.m.rules.request;
		assert_in_range(request, 0, 5);
		snprintf(id, sizeof(id), "sgr-%017x", rules[request]);
		assert_string_equal(W.m.rules.rules[0].rule.rule_id, id);
		parts[request]++;
		rules[request] += W.m.rules.n_rules;
		over += !W.m.rules.more;
	}
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(parts[i], 4);
		assert_int_equal(rules[i], 200);
	}
	chan_close(&front);
}

static void
test_admin(void **state)
{
	struct chan admin = world_client(1, true, 0);

	W.keys.n_keys = 1;
	FIELD_SET(W.keys.keys[0].name, "blue");
	W.out.id = MSG_ASK_KEYS;
	W.out.ask_keys.request = 1;
	world_say(&admin);
	world_expect(&admin, MSG_KEYS);
	assert_string_equal(W.m.keys.keys[0].name, "blue");
	W.out.id = MSG_ASK_ENROLL;
	W.out.ask_enroll = (struct msg_ask_enroll){.request = 2, .progress = true};
	FIELD_SET(W.out.ask_enroll.name, "green");
	world_say(&admin);
	world_expect(&admin, MSG_ENROLL);
	assert_string_equal(W.m.enroll.name, "green");
	assert_int_equal(W.m.enroll.client, 1);
	assert_true(receipt_id_ok(W.m.enroll.plan_id));
	FIELD_SET(plan_id, W.m.enroll.plan_id);
	W.out.id = MSG_STAGE;
	W.out.stage = (struct msg_stage){.stage = STAGE_TOUCH, .seconds_left = 30};
	FIELD_SET(W.out.stage.plan_id, plan_id);
	world_say(&W.broker);
	world_expect(&admin, MSG_PROGRESS);
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = STATUS_FAILED, .error = SGW_ERR_KEY_EXISTS};
	FIELD_SET(W.out.result.plan_id, plan_id);
	world_say(&W.broker);
	world_expect(&admin, MSG_CHANGE);
	assert_int_equal(W.m.change.request, 2);
	assert_int_equal(W.m.change.status, STATUS_FAILED);
	assert_int_equal(W.m.change.error, SGW_ERR_KEY_EXISTS);
	chan_close(&admin);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_health),
	    TEST(test_health_of_what_lacks),
	    TEST(test_capabilities),
	    TEST(test_front_ends),
	    TEST(test_plan_that_is_executed_is_not_withdrawn),
	    TEST(test_plan_that_another_waits_for_stays),
	    TEST(test_a_front_that_breaks_protocol_ends_alone),
	    TEST(test_cell_ends_with_its_peers),
	    TEST(test_too_many_calls),
	    TEST(test_stuck_front),
	    TEST(test_slow_front),
	    TEST(test_admin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
