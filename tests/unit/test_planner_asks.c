/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's smaller answers: profiles, finding groups, access, grants, withdrawing a plan. */
#include "planner_world.h"

#include <stdio.h>
#include <time.h>

static void
test_profiles(void **state)
{
	struct chan front = world_client(1, false, 1000);

	W.out.id = MSG_PROFILES;
	memset(&W.out.profiles, 0, sizeof(W.out.profiles));
	W.out.profiles.n_profiles = 1;
	FIELD_SET(W.out.profiles.profiles[0].name, "other");
	FIELD_SET(W.out.profiles.profiles[0].account, "444455556666");
	W.out.profiles.profiles[0].has_credentials = true;
	world_say(&W.broker);
	W.out.id = MSG_ASK_PROFILES;
	W.out.ask_profiles.request = 3;
	world_say(&front);
	world_expect(&front, MSG_PROFILE_VIEWS);
	assert_int_equal(W.m.profile_views.request, 3);
	assert_int_equal(W.m.profile_views.n_profiles, 2);
	assert_string_equal(W.m.profile_views.profiles[0].name, "prod");
	assert_true(W.m.profile_views.profiles[0].is_default);
	assert_false(W.m.profile_views.profiles[0].has_credentials);
	assert_int_equal(W.m.profile_views.profiles[0].n_regions, 2);
	assert_string_equal(W.m.profile_views.profiles[1].account, "444455556666");
	assert_true(W.m.profile_views.profiles[1].has_credentials);
	assert_int_equal(W.reads[AWS_CALLER_IDENTITY], 0);
	chan_close(&front);
}

static void
ask_credentials(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_CREDENTIALS;
	W.out.ask_credentials = (struct msg_ask_credentials){.request = request};
	world_say(front);
}

static void
test_credentials(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_permission *permission = W.m.credentials.permissions;

	for (unsigned i = 1; i <= 2; i++) { /* past the cache */
		ask_credentials(&front, i);
		world_expect(&front, MSG_CREDENTIALS);
		assert_int_equal(W.m.credentials.request, i);
		assert_string_equal(W.m.credentials.account, "111122223333");
		assert_string_equal(W.m.credentials.arn, "arn:aws:iam::111122223333:user/x");
		assert_int_equal(W.m.credentials.n_permissions, 3);
		for (unsigned k = 0; k < 3; k++)
			assert_true(permission[k].tried && permission[k].error == 0);
		assert_string_equal(permission[2].action, "ec2:DescribeSecurityGroupRules");
		assert_string_equal(W.last_read.group_id, GROUP);
		assert_int_equal(W.reads[AWS_CALLER_IDENTITY], i);
		assert_int_equal(W.reads[AWS_DESCRIBE_GROUPS], i);
		assert_int_equal(W.reads[AWS_DESCRIBE_RULES], i);
	}
	/* one refusal does not hide the others; without groups there are no rules to be listed */
	W.bad = (struct msg_done){.outcome = NET_ANSWERED, .http_status = 403};
	FIELD_SET(W.bad.code, "AccessDenied");
	W.n_bad = 1;
	W.n_groups = 0;
	ask_credentials(&front, 3);
	world_expect(&front, MSG_CREDENTIALS);
	assert_int_equal(permission[0].error, SGW_ERR_AWS_REFUSED);
	assert_non_null(strstr(permission[0].detail, "AccessDenied"));
	assert_string_equal(W.m.credentials.arn, "");
	assert_true(permission[1].tried && permission[1].error == 0);
	assert_false(permission[2].tried);
	W.out.id = MSG_ASK_CREDENTIALS;
	W.out.ask_credentials = (struct msg_ask_credentials){.request = 4};
	FIELD_SET(W.out.ask_credentials.profile, "nobody");
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_UNKNOWN_PROFILE);
	chan_close(&front);
}

/* ---- finding ---- */

static unsigned
count_found(struct chan *front, const char *query, const char *vpc)
{
	ask_groups(1, 200, "");
	FIELD_SET(W.out.ask_groups.query, query);
	FIELD_SET(W.out.ask_groups.vpc_id, vpc);
	world_say(front);
	world_expect(front, MSG_GROUPS);
	assert_false(W.m.groups.more);
	return W.m.groups.n_groups;
}

static void
test_finding(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char cursor[SGW_CURSOR_MAX + 1];

	world_add_group("sg-0000000a", "vpc-00000001", false);
	FIELD_SET(W.groups[1].name, "Web frontend");
	W.groups[1].n_tags = 1;
	FIELD_SET(W.groups[1].tags[0].key, "Team");
	FIELD_SET(W.groups[1].tags[0].value, "Pay\xc3\xa9");
	world_add_group("sg-0000000b", "vpc-00000002", false);
	FIELD_SET(W.groups[2].name, "web backend");
	assert_int_equal(count_found(&front, "", ""), 3);
	assert_int_equal(count_found(&front, "web", ""), 2);
	assert_int_equal(count_found(&front, "WEB", "vpc-00000002"), 1);
	assert_string_equal(W.m.groups.groups[0].group_id, "sg-0000000b");
	assert_int_equal(count_found(&front, "backend", ""), 1); /* the end of a text */
	assert_int_equal(count_found(&front, "backends", ""), 0);
	assert_int_equal(count_found(&front, "0000000A", ""), 1);
	assert_int_equal(count_found(&front, "team", ""), 1);
	assert_int_equal(count_found(&front, "pay\xc3\xa9", ""), 1);
	assert_int_equal(count_found(&front, "pay\xc3\x89", ""), 0); /* ASCII letters alone */
	assert_int_equal(count_found(&front, "nowhere", ""), 0);
	assert_int_equal(W.reads[AWS_DESCRIBE_GROUPS], 1);
	/* a cursor belongs to its query */
	ask_groups(2, 1, "");
	FIELD_SET(W.out.ask_groups.query, "web");
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	FIELD_SET(cursor, W.m.groups.next_cursor);
	ask_groups(3, 1, cursor);
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_CURSOR);
	ask_groups(4, 1, cursor);
	FIELD_SET(W.out.ask_groups.query, "web");
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	assert_string_equal(W.m.groups.groups[0].group_id, "sg-0000000b");
	chan_close(&front);
}

/* ---- access ---- */

static void
check(struct chan *front, const char *source, int16_t protocol, uint16_t port)
{
	W.out.id = MSG_ASK_ACCESS;
	W.out.ask_access = (struct msg_ask_access){
	    .request = 9, .source = world_cidr(source), .protocol = protocol, .port = port};
	FIELD_SET(W.out.ask_access.group_id, GROUP);
	world_say(front);
	world_expect(front, MSG_ACCESS);
	assert_int_equal(W.m.access.request, 9);
	assert_string_equal(W.m.access.account, "111122223333");
}

/* By one rule, whose id ends so; '-': by none. */
static void
assert_by(char last)
{
	assert_int_equal(W.m.access.n_by, last == '-' ? 0 : 1);
	if (last != '-')
		assert_int_equal(W.m.access.by[0].id[SGW_RULE_ID_MAX - 1], last);
}

static void
test_access(void **state)
{
	static const struct {
		const char *source;
		int16_t protocol;
		uint16_t port;
		char by;
	} rows[] = {
	    {"198.51.100.9/32", PROTO_TCP, 22, 'a'}, {"198.51.100.9/32", PROTO_TCP, 0, 'a'},
	    {"198.51.100.9/32", PROTO_TCP, 23, '-'}, {"198.51.100.9/32", PROTO_UDP, 22, '-'},
	    {"198.51.100.0/24", PROTO_TCP, 22, 'a'}, /* all of it */
	    {"198.51.100.0/23", PROTO_TCP, 22, '-'}, /* only half of it */
	    {"10.9.8.7/32", PROTO_UDP, 9, 'b'},      /* every protocol */
	    {"10.9.8.7/32", PROTO_ICMP, 0, 'b'}, {"2001:db8::7/128", PROTO_TCP, 8005, 'c'},
	    {"2001:db8::7/128", PROTO_TCP, 8011, '-'}, {"192.0.2.1/32", PROTO_ICMP, 0, 'd'},
	    {"192.0.2.1/32", PROTO_TCP, 0, '-'},
	    {"203.0.113.1/32", PROTO_TCP, 443, '-'}, /* egress lets nobody in */
	};
	struct chan front = world_client(1, false, 1000);

	world_add_rule("sgr-0000000000000000a", PROTO_TCP, 22, 22, "198.51.100.0/24");
	world_add_rule("sgr-0000000000000000b", PROTO_ALL, -1, -1, "10.0.0.0/8");
	world_add_rule("sgr-0000000000000000c", PROTO_TCP, 8000, 8010, "2001:db8::/32");
	world_add_rule("sgr-0000000000000000d", PROTO_ICMP, -1, -1, "192.0.2.0/24");
	world_add_rule("sgr-0000000000000000e", PROTO_TCP, 443, 443, "0.0.0.0/0");
	W.rules[4].egress = true;
	world_add_rule("sgr-0000000000000000f", PROTO_TCP, 53, 53, "0.0.0.0/0");
	W.rules[5].source_kind = SOURCE_PREFIX_LIST;
	FIELD_SET(W.rules[5].source_id, "pl-00000001");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(&front, rows[i].source, rows[i].protocol, rows[i].port);
		assert_by(rows[i].by);
		assert_int_equal(W.m.access.n_undecided,
		    rows[i].protocol == PROTO_TCP && rows[i].port == 0 ? 1 : 0);
	}
	check(&front, "192.0.2.1/32", PROTO_TCP, 53);
	assert_by('-');
	assert_int_equal(W.m.access.n_undecided, 1);
	assert_string_equal(W.m.access.undecided[0].id, "sgr-0000000000000000f");
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 1);
	W.out.id = MSG_ASK_ACCESS;
	W.out.ask_access = (struct msg_ask_access){.request = 9, .source.family = 4};
	FIELD_SET(W.out.ask_access.group_id, "sg-");
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_ARGUMENT);
	chan_close(&front);
}

static void
test_access_by_many(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char id[SGW_RULE_ID_MAX + 1];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "sgr-%017x", 60 - i);
		world_add_rule(id, PROTO_TCP, 1, 1 + (int32_t)i, "192.0.2.0/24");
	}
	check(&front, "192.0.2.1/32", PROTO_TCP, 1);
	assert_int_equal(W.m.access.n_by, SGW_OPS_MAX);
	assert_int_equal(W.m.access.by_left_out, 10);
	assert_string_equal(W.m.access.by[0].id, "sgr-00000000000000001");
	chan_close(&front);
}

/* ---- grants ---- */

static void
test_grants(void **state)
{
	struct chan front = world_client(1, false, 1000);
	int64_t now = time(NULL);

	for (unsigned i = 0; i < 5; i++) {
		W.grants[i] = (struct rec_grant){
		    .protocol = PROTO_TCP, .from_port = 1, .to_port = 1, .source.family = 4};
		FIELD_SET(W.grants[i].group_id, i == 3 ? "sg-0000000a" : GROUP);
		W.grants[i].closes = now + 1000 * (5 - (int64_t)i);
	}
	W.grants[4].closes = now - 5;
	W.grants[4].state = GRANT_AMBIGUOUS;
	W.grants[1].state = GRANT_CLOSED;
	W.n_grants = 5;
	W.out.id = MSG_ASK_OPENED;
	W.out.ask_opened = (struct msg_ask_opened){.request = 1, .limit = 50};
	world_say(&front);
	world_expect(&front, MSG_OPENED);
	assert_int_equal(W.m.opened.n_grants, 4);
	assert_false(W.m.opened.more);
	assert_int_equal(W.m.opened.left_out, 0);
	assert_int_equal(W.m.opened.grants[0].seconds_left, 0);
	assert_int_equal(W.m.opened.grants[0].grant.state, GRANT_AMBIGUOUS);
	assert_string_equal(W.m.opened.grants[1].grant.group_id, "sg-0000000a");
	assert_in_range(W.m.opened.grants[1].seconds_left, 1900, 2000);
	assert_in_range(W.m.opened.grants[3].seconds_left, 4900, 5000);
	W.out.id = MSG_ASK_OPENED;
	W.out.ask_opened = (struct msg_ask_opened){.request = 2, .limit = 2};
	FIELD_SET(W.out.ask_opened.group_id, GROUP);
	world_say(&front);
	world_expect(&front, MSG_OPENED);
	assert_int_equal(W.m.opened.n_grants, 2);
	assert_int_equal(W.m.opened.left_out, 1);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 0);
	W.out.id = MSG_ASK_OPENED;
	W.out.ask_opened = (struct msg_ask_opened){.request = 3, .limit = 0};
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_string_equal(W.m.failed.field, "limit");
	chan_close(&front);
}

/* ---- withdrawing ---- */

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
}

static void
say_stage(enum stage stage)
{
	W.out.id = MSG_STAGE;
	W.out.stage = (struct msg_stage){.stage = stage};
	FIELD_SET(W.out.stage.plan_id, plan_id);
	world_say(&W.broker);
}

static void
say_result(enum status status, uint16_t error)
{
	W.out.id = MSG_RESULT;
	memset(&W.out.result, 0, sizeof(W.out.result));
	W.out.result.status = status;
	W.out.result.error = error;
	FIELD_SET(W.out.result.plan_id, plan_id);
	world_say(&W.broker);
}

static void
cancel(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_CANCEL;
	W.out.ask_cancel = (struct msg_ask_cancel){.request = request};
	FIELD_SET(W.out.ask_cancel.plan_id, plan_id);
	world_say(front);
}

static void
assert_not_cancelled(struct chan *front, uint32_t request, uint16_t error)
{
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.request, request);
	assert_int_equal(W.m.failed.error, error);
	assert_string_equal(W.m.failed.field, error == SGW_ERR_BUSY ? "" : "plan_id");
}

static void
test_a_pending_plan_is_withdrawn(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1000);

	pending_plan(&front, 1, 50);
	say_stage(STAGE_ON_SCREEN);
	cancel(&other, 5); /* the same user's, by way of another client */
	world_expect(&other, MSG_WITHDRAW);
	assert_string_equal(W.m.withdraw.plan_id, plan_id);
	world_quiet(&other); /* not before the broker's word */
	say_result(STATUS_DENIED, SGW_ERR_CANCELLED);
	world_expect(&other, MSG_WITHDRAWN);
	assert_int_equal(W.m.withdrawn.request, 5);
	assert_string_equal(W.m.withdrawn.plan_id, plan_id);
	world_expect(&front, MSG_CHANGE); /* who waited for it is told */
	assert_int_equal(W.m.change.error, SGW_ERR_CANCELLED);
	cancel(&front, 6);
	world_expect(&front, MSG_WITHDRAWN);
	chan_close(&front);
	chan_close(&other);
}

static void
test_what_was_approved_is_not_withdrawn(void **state)
{
	struct chan front = world_client(1, false, 1000);

	pending_plan(&front, 1, 0);
	say_stage(STAGE_TOUCH);
	world_expect(&front, MSG_CHANGE);
	cancel(&front, 2);
	world_expect(&front, MSG_WITHDRAW);
	/* the touch was quicker than the withdrawal */
	say_stage(STAGE_EXECUTING);
	assert_not_cancelled(&front, 2, SGW_ERR_TOO_LATE);
	cancel(&front, 3);
	assert_not_cancelled(&front, 3, SGW_ERR_TOO_LATE);
	say_result(STATUS_OK, SGW_ERR_NONE);
	cancel(&front, 4);
	assert_not_cancelled(&front, 4, SGW_ERR_TOO_LATE);
	chan_close(&front);
}

static void
test_a_withdrawal_without_an_answer(void **state)
{
	struct chan front = world_client(1, false, 1000);

	pending_plan(&front, 1, 0);
	say_stage(STAGE_ON_SCREEN);
	world_expect(&front, MSG_CHANGE);
	cancel(&front, 2);
	world_expect(&front, MSG_WITHDRAW);
	say_stage(STAGE_TOUCH); /* news, but not the end of it */
	world_quiet(&front);
	world_sleep(6);
	assert_not_cancelled(&front, 2, SGW_ERR_BUSY);
	chan_close(&front);
}

static void
test_whose_plans_are_withdrawn(void **state)
{
	struct chan front = world_client(1, false, 1000), stranger = world_client(2, false, 1001);

	pending_plan(&front, 1, 50);
	say_stage(STAGE_ON_SCREEN);
	cancel(&stranger, 2);
	assert_not_cancelled(&stranger, 2, SGW_ERR_NO_SUCH_PLAN);
	world_quiet(&stranger); /* and the broker hears nothing of it */
	chan_close(&stranger);
	/* a plan that was only shown is forgotten */
	ask_open(3, false, 80, "203.0.113.7/32");
	world_say(&front);
	world_expect(&front, MSG_CHANGE);
	FIELD_SET(plan_id, W.m.change.plan_id);
	cancel(&front, 4);
	world_expect(&front, MSG_WITHDRAWN);
	cancel(&front, 5);
	assert_not_cancelled(&front, 5, SGW_ERR_NO_SUCH_PLAN);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_profiles),
	    TEST(test_credentials),
	    TEST(test_finding),
	    TEST(test_access),
	    TEST(test_access_by_many),
	    TEST(test_grants),
	    TEST(test_a_pending_plan_is_withdrawn),
	    TEST(test_what_was_approved_is_not_withdrawn),
	    TEST(test_a_withdrawal_without_an_answer),
	    TEST(test_whose_plans_are_withdrawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
