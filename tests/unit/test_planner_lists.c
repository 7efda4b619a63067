/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's reads: lists, pages, cache, sharing, trouble at AWS, health. */
#include "planner_world.h"

#include <stdio.h>
#include <sys/wait.h>

#define OUR_RULE "sgr-0000000000000000b"

static void
some_rules(void)
{
	world_add_rule("sgr-0000000000000000c", PROTO_TCP, 443, 443, "0.0.0.0/0");
	world_add_rule("sgr-0000000000000000a", PROTO_TCP, 22, 22, "198.51.100.0/24");
	world_add_rule(OUR_RULE, PROTO_TCP, 443, 443, "203.0.113.7/32");
	W.grants[0] = (struct rec_grant){.protocol = PROTO_TCP, .from_port = 443, .to_port = 443};
	FIELD_SET(W.grants[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	FIELD_SET(W.grants[0].profile, "prod");
	FIELD_SET(W.grants[0].account, "111122223333");
	FIELD_SET(W.grants[0].region, "eu-west-1");
	FIELD_SET(W.grants[0].group_id, GROUP);
	W.grants[0].source = world_cidr("203.0.113.7/32");
	W.grants[0].closes = 4000000000;
	W.n_grants = 1;
}

static void
test_rules_merged_and_cached(void **state)
{
	struct chan front = world_client(1, false, 1000);

	some_rules();
	for (uint32_t request = 7; request < 10; request++) {
		ask_rules(request, 50, "");
		world_say(&front);
		world_expect(&front, MSG_RULES);
		assert_int_equal(W.m.rules.request, request);
		assert_int_equal(W.m.rules.n_rules, 3);
		assert_string_equal(W.m.rules.account, "111122223333");
		assert_string_equal(W.m.rules.region, "eu-west-1");
		assert_string_equal(W.m.rules.rules[0].rule.rule_id, "sgr-0000000000000000a");
		assert_int_equal(W.m.rules.rules[0].flags, VIEW_SENSITIVE | VIEW_FOREIGN);
		assert_string_equal(W.m.rules.rules[1].rule.rule_id, OUR_RULE);
		assert_true(W.m.rules.rules[1].own);
		assert_string_equal(W.m.rules.rules[1].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
		assert_int_equal(W.m.rules.rules[1].expires, 4000000000);
		assert_int_equal(W.m.rules.rules[1].flags, 0);
		assert_int_equal(W.m.rules.rules[2].flags, VIEW_WORLD_OPEN | VIEW_FOREIGN);
		assert_string_equal(W.m.rules.next_cursor, "");
		assert_false(W.m.rules.more);
	}
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 1);
	assert_int_equal(W.reads[AWS_CALLER_IDENTITY], 1);
	chan_close(&front);
}

static void
test_cache_ends(void **state)
{
	struct chan front = world_client(1, false, 1000);

	some_rules();
	ask_rules(1, 50, "");
	world_say(&front);
	world_expect(&front, MSG_RULES);
	/* a write of ours to another group leaves it, one to this group drops it */
	for (unsigned i = 0; i < 2; i++) {
		W.out.id = MSG_WROTE;
		FIELD_SET(W.out.wrote.profile, "prod");
		FIELD_SET(W.out.wrote.region, "eu-west-1");
		FIELD_SET(W.out.wrote.group_id, i == 0 ? "sg-00000000" : GROUP);
		W.n_grants = 0;
		world_say(&W.broker);
		ask_rules(2 + i, 50, "");
		world_say(&front);
		world_expect(&front, MSG_RULES);
		assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 1 + i);
		assert_false(W.m.rules.rules[1].own); /* grants are asked for anew after either */
	}
	world_sleep(61);
	ask_rules(9, 50, "");
	world_say(&front);
	world_expect(&front, MSG_RULES);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 3);
	chan_close(&front);
	world_restart(0); /* without a cache every list reads */
	front = world_client(1, false, 1000);
	for (unsigned i = 1; i <= 2; i++) {
		ask_rules(i, 50, "");
		world_say(&front);
		world_expect(&front, MSG_RULES);
		assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 3 + i);
	}
	chan_close(&front);
}

static void
test_many_rules_in_pages(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char id[SGW_RULE_ID_MAX + 1], cursor[SGW_CURSOR_MAX + 1] = "";
	unsigned seen = 0;

	for (unsigned i = 0; i < 250; i++) {
		snprintf(id, sizeof(id), "sgr-%017x", i * 7919u % 250);
		world_add_rule(id, PROTO_TCP, 1 + (int32_t)i, 1 + (int32_t)i, "203.0.113.7/32");
	}
	W.page = 100; /* three pages at AWS */
	for (unsigned part = 0; part < 7; part++) {
		if (part == 0 || !W.m.rules.more) {
			ask_rules(part, part == 0 ? 200 : 49, cursor);
			world_say(&front);
		}
		world_expect(&front, MSG_RULES);
		for (unsigned i = 0; i < W.m.rules.n_rules; i++) {
			snprintf(id, sizeof(id), "sgr-%017x", seen++);
			assert_string_equal(W.m.rules.rules[i].rule.rule_id, id);
		}
		FIELD_SET(cursor, W.m.rules.next_cursor);
		if (!W.m.rules.more && cursor[0] == 0)
			break;
		assert_true(W.m.rules.more == (cursor[0] == 0));
	}
	assert_int_equal(seen, 250);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 3);
	assert_string_equal(W.last_read.next_token, "200");
	chan_close(&front);
}

static void
test_bad_lists(void **state)
{
	struct chan front = world_client(1, false, 1000);
	static const struct {
		const char *profile, *region, *group, *cursor;
		uint16_t limit, error;
		const char *field;
	} rows[] = {
	    {"", "", GROUP, "", 0, SGW_ERR_BAD_ARGUMENT, "limit"},
	    {"", "", GROUP, "", 201, SGW_ERR_BAD_ARGUMENT, "limit"},
	    {"nobody", "", GROUP, "", 50, SGW_ERR_UNKNOWN_PROFILE, "profile"},
	    {"", "us-east-1", GROUP, "", 50, SGW_ERR_REGION_NOT_ALLOWED, "region"},
	    {"", "", "sg-xyz", "", 50, SGW_ERR_BAD_ARGUMENT, "security_group_id"},
	    {"", "", GROUP, "sgr-0", 50, SGW_ERR_BAD_CURSOR, "cursor"},
	    {"", "", GROUP, "0011223344556677sgr-00000000000000000", 50, SGW_ERR_BAD_CURSOR,
		"cursor"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask_rules((uint32_t)i, rows[i].limit, rows[i].cursor);
		FIELD_SET(W.out.ask_rules.profile, rows[i].profile);
		FIELD_SET(W.out.ask_rules.region, rows[i].region);
		FIELD_SET(W.out.ask_rules.group_id, rows[i].group);
		world_say(&front);
		world_expect(&front, MSG_FAILED);
		assert_int_equal(W.m.failed.error, rows[i].error);
		assert_string_equal(W.m.failed.field, rows[i].field);
	}
	chan_close(&front);
}

static unsigned
count_rules(struct chan *front, uint8_t filter, const char *source, uint16_t port, bool egress)
{
	ask_rules(1, 50, "");
	W.out.ask_rules.filter = filter;
	W.out.ask_rules.source = world_cidr(source);
	W.out.ask_rules.port = port;
	W.out.ask_rules.egress = egress;
	world_say(front);
	world_expect(front, MSG_RULES);
	return W.m.rules.n_rules;
}

static void
test_rule_filters(void **state)
{
	struct chan front = world_client(1, false, 1000);

	some_rules();
	world_add_rule("sgr-0000000000000000d", PROTO_ALL, -1, -1, "10.0.0.0/8");
	world_add_rule("sgr-0000000000000000e", PROTO_ALL, -1, -1, "0.0.0.0/0");
	W.rules[4].egress = true;
	assert_int_equal(count_rules(&front, 0, "0.0.0.0/0", 0, false), 4);
	assert_int_equal(count_rules(&front, 0, "0.0.0.0/0", 0, true), 1);
	assert_int_equal(count_rules(&front, RULES_OWN_ONLY, "0.0.0.0/0", 0, false), 1);
	assert_int_equal(count_rules(&front, RULES_FOREIGN_ONLY, "0.0.0.0/0", 0, false), 3);
	assert_int_equal(count_rules(&front, RULES_BY_PORT, "0.0.0.0/0", 22, false), 2);
	/* what contains it, and what lies in it */
	assert_int_equal(count_rules(&front, RULES_BY_SOURCE, "203.0.113.0/24", 0, false), 2);
	assert_int_equal(
	    count_rules(&front, RULES_BY_SOURCE | RULES_BY_PORT, "10.1.2.3/32", 22, false), 1);
	chan_close(&front);
}

static void
test_groups_in_parts(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char id[SGW_GROUP_ID_MAX + 1], last[SGW_GROUP_ID_MAX + 1] = "";
	unsigned seen = 0;

	for (unsigned i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "sg-%08x", 1000 - i);
		world_add_group(id, i % 2 ? "vpc-1" : "vpc-2", i % 3 == 0);
	}
	ask_groups(1, 200, "");
	world_say(&front);
	do {
		world_expect(&front, MSG_GROUPS);
		for (unsigned i = 0; i < W.m.groups.n_groups; i++, seen++) {
			assert_true(strcmp(last, W.m.groups.groups[i].group_id) < 0);
			FIELD_SET(last, W.m.groups.groups[i].group_id);
		}
	} while (W.m.groups.more);
	assert_int_equal(seen, 31);
	assert_string_equal(W.m.groups.next_cursor, "");

	ask_groups(2, 4, "");
	W.out.ask_groups.managed_only = true;
	FIELD_SET(W.out.ask_groups.vpc_id, "vpc-2");
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	assert_int_equal(W.m.groups.n_groups, 4);
	ask_groups(3, 4, W.m.groups.next_cursor);
	W.out.ask_groups.managed_only = true;
	FIELD_SET(W.out.ask_groups.vpc_id, "vpc-2");
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	assert_int_equal(W.m.groups.n_groups, 1);
	assert_string_equal(W.m.groups.next_cursor, "");

	ask_groups(4, 200, "");
	FIELD_SET(W.out.ask_groups.tag_key, "sgwarden:managed");
	FIELD_SET(W.out.ask_groups.tag_value, "false");
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	assert_int_equal(W.m.groups.n_groups, 0);
	assert_int_equal(W.reads[AWS_DESCRIBE_GROUPS], 1);
	chan_close(&front);
}

static void
test_one_read_for_several(void **state)
{
	struct chan a = world_client(1, false, 1000), b = world_client(2, false, 1001);

	some_rules();
	W.silent = true;
	ask_rules(1, 50, "");
	world_say(&a);
	world_await_reads(&a, 1);
	ask_rules(5, 50, "");
	world_say(&b);
	world_sync(&b);
	world_quiet(&b);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 1);
	/* nobody answers: both are told after half a minute */
	world_sleep(31);
	world_expect(&a, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_AWS_UNREACHABLE);
	world_expect(&b, MSG_FAILED);
	assert_int_equal(W.m.failed.request, 5);
	/* the answer comes too late for anybody, and harms nobody */
	W.silent = false;
	W.out.id = MSG_AWS_RULES;
	W.out.aws_rules.request = W.last_read.request;
	W.out.aws_rules.n_rules = 0;
	world_say(&W.net);
	ask_rules(6, 50, "");
	world_say(&b);
	world_expect(&b, MSG_RULES);
	assert_int_equal(W.m.rules.n_rules, 3);
	chan_close(&a);
	chan_close(&b);
}

/* A read that net says nothing about until its time is up. */
static void
unanswered(struct chan *front, uint32_t request)
{
	unsigned reads = world_reads();

	W.silent = true;
	ask_rules(request, 50, "");
	world_say(front);
	world_await_reads(front, reads + 1);
	world_quiet(front);
	world_sleep(31);
}

/* Nobody said a word over two reads, one after the other: the planner ends, and the cell with it. */
static void
test_net_is_stuck(void **state)
{
	struct chan a = world_client(1, false, 1000);

	some_rules();
	unanswered(&a, 1);
	world_expect(&a, MSG_FAILED);
	W.silent = false; /* a word between two silences: they are not one after the other */
	ask_rules(2, 50, "");
	world_say(&a);
	world_expect(&a, MSG_RULES);
	world_sleep(3600); /* it is in the cache no more */
	unanswered(&a, 3);
	world_expect(&a, MSG_FAILED);
	assert_true(world_alive());
	unanswered(&a, 4);
	assert_int_equal(WEXITSTATUS(world_wait_exit()), 1);
	chan_close(&a);
}

/* The answer to W.out after so many that failed: behind each that is repeated is a pause, and it does not come before. */
static void
expect_after(struct chan *front, unsigned failed, enum msg_id id)
{
	static const int64_t PAUSES[] = {0, 500, 500 + 1000};
	int64_t from = clock_machine(), wait = PAUSES[id == MSG_RULES ? failed : failed - 1];

	world_say(front);
	for (; wait > 0; wait -= 1000) {
		if (world_came(front, from, wait)) {
			assert_int_equal(W.m.id, id);
			return;
		}
		world_sleep(1);
	}
	world_expect(front, id);
}

static void
test_trouble_at_aws(void **state)
{
	static const struct {
		enum net_outcome outcome;
		uint16_t http;
		const char *code;
		unsigned times; /* that it happens */
		uint16_t error; /* then */
	} rows[] = {
	    {NET_ANSWERED, 400, "InvalidGroup.NotFound", 1, SGW_ERR_NO_SUCH_GROUP},
	    {NET_ANSWERED, 403, "UnauthorizedOperation", 1, SGW_ERR_AWS_REFUSED},
	    {NET_ANSWERED, 400, "ExpiredToken", 1, SGW_ERR_CREDENTIALS_EXPIRED},
	    {NET_ANSWERED, 400, "RequestExpired", 1, SGW_ERR_NONE}, /* signed anew for AWS's time */
	    {NET_ANSWERED, 400, "RequestExpired", 3, SGW_ERR_REQUEST_EXPIRED},
	    {NET_ANSWERED, 400, "InvalidSecurity.RequestHasExpired", 2, SGW_ERR_NONE},
	    {NET_ANSWERED, 403, "SignatureDoesNotMatch", 1,
		SGW_ERR_AWS_REFUSED}, /* other words: 147 */
	    {NET_BAD_ANSWER, 200, "", 1, SGW_ERR_AWS_BAD_ANSWER},
	    {NET_ANSWERED, 503, "RequestLimitExceeded", 1, SGW_ERR_NONE},
	    {NET_NOT_SENT, 0, "", 2, SGW_ERR_NONE},
	    {NET_ANSWERED, 503, "RequestLimitExceeded", 3, SGW_ERR_THROTTLED},
	    {NET_ANSWERED, 500, "", 3, SGW_ERR_AWS_UNREACHABLE},
	};
	struct chan front = world_client(1, false, 1000);

	ask_groups(99, 1, ""); /* so that the account is known */
	world_say(&front);
	world_expect(&front, MSG_GROUPS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		W.bad = (struct msg_done){.outcome = rows[i].outcome, .http_status = rows[i].http};
		FIELD_SET(W.bad.code, rows[i].code);
		FIELD_SET(W.bad.message, "No. Encoded authorization failure message: 8sdf");
		W.n_bad = rows[i].times;
		ask_rules((uint32_t)i, 50, "");
		expect_after(&front, rows[i].times, rows[i].error ? MSG_FAILED : MSG_RULES);
		world_sleep(61); /* out of the cache */
		if (rows[i].error == SGW_ERR_NONE)
			continue;
		assert_int_equal(W.m.failed.error, rows[i].error);
		assert_null(strstr(W.m.failed.detail, "8sdf"));
	}
	chan_close(&front);
}

static void
test_read_refused(void **state)
{
	struct chan front = world_client(1, false, 1000);

	W.silent = true;
	ask_rules(3, 50, "");
	world_say(&front);
	world_await_reads(&front, 2);
	W.out.id = MSG_READ_REFUSED;
	W.out.read_refused.request =
	    W.last_read.request; /* of one of the two: either ends it well or not */
	W.out.read_refused.error = SGW_ERR_NO_CREDENTIALS;
	FIELD_SET(W.out.read_refused.detail, "");
	world_say(&W.broker);
	W.out.read_refused.request = W.last_read.request - 1;
	world_say(&W.broker);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_CREDENTIALS);
	chan_close(&front);
}

/* The broker signs so many reads a second: what is beyond waits, and is made once more; nobody is told of it. */
static void
test_read_waits(void **state)
{
	struct chan front = world_client(1, false, 1000);

	W.silent = true;
	ask_rules(3, 50, "");
	world_say(&front);
	world_await_reads(&front, 2);
	for (uint32_t n = 2; n > 0; n--) {
		W.out.id = MSG_READ_REFUSED;
		W.out.read_refused.request = W.last_read.request - n + 1;
		W.out.read_refused.error = SGW_ERR_BUSY;
		FIELD_SET(W.out.read_refused.detail, "");
		world_say(&W.broker);
	}
	W.silent = false;
	world_expect(&front, MSG_RULES);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_rules_merged_and_cached),
	    TEST(test_cache_ends),
	    TEST(test_many_rules_in_pages),
	    TEST(test_bad_lists),
	    TEST(test_rule_filters),
	    TEST(test_groups_in_parts),
	    TEST(test_one_read_for_several),
	    TEST(test_net_is_stuck),
	    TEST(test_trouble_at_aws),
	    TEST(test_read_refused),
	    TEST(test_read_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
