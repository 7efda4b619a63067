/* SPDX-License-Identifier: Apache-2.0 */
/* Changes: from a request to a plan, its stages and its end; equal requests. */
#include "planner_world.h"

#include <stdio.h>

#define SSH_RULE "sgr-0000000000000000a"
#define HTTPS_RULE "sgr-0000000000000000b"
#define HELD 1000 /* ms beyond its own time that a call is held, where news is due */

static char plan_id[SGW_RECEIPT_LEN + 1];

static void
tell_stage(enum stage stage, uint16_t seconds)
{
	W.out.id = MSG_STAGE;
	FIELD_SET(W.out.stage.plan_id, plan_id);
	W.out.stage.stage = stage;
	W.out.stage.seconds_left = seconds;
	world_say(&W.broker);
}

static void
tell_result(enum status status, uint16_t error)
{
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = status, .error = error, .effect = CLASS_OPEN};
	FIELD_SET(W.out.result.plan_id, plan_id);
	if (status == STATUS_OK) {
		FIELD_SET(W.out.result.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
		W.out.result.closes = 4000000000;
		W.out.result.n_done = 1;
		FIELD_SET(W.out.result.done[0].rule_id, "sgr-0000000000000000f");
	}
	world_say(&W.broker);
}

/* The plan that the broker got; its id is that of its bytes. */
static void
expect_plan(struct chan *front)
{
	uint8_t digest[HASH_LEN];

	world_expect(front, MSG_PLAN);
	assert_null(plan_problem(&W.m.plan.plan));
	assert_true(plan_digest(&W.m.plan.plan, digest));
	receipt_id(digest, plan_id);
}

static void
open_443(struct chan *front, uint32_t request, uint8_t wait)
{
	ask_open(request, true, 443, "203.0.113.7/32");
	W.out.ask_change.wait = wait;
	W.out.ask_change.progress = true;
	world_say(front);
}

static void
expect_change(struct chan *front, uint32_t request, enum status status)
{
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.request, request);
	assert_int_equal(W.m.change.status, status);
}

static void
test_add_to_its_end(void **state)
{
	struct chan front = world_client(1, false, 1000);
	uint8_t digest[HASH_LEN];
	uint32_t order[1];

	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "198.51.100.0/24");
	open_443(&front, 3, 50);
	expect_plan(&front);
	assert_int_equal(W.m.plan.client, 1);
	assert_string_equal(W.m.plan.plan.profile, "prod");
	assert_string_equal(W.m.plan.plan.account, "111122223333");
	assert_string_equal(W.m.plan.plan.region, "eu-west-1");
	assert_int_equal(W.m.plan.plan.n_ops, 1);
	assert_int_equal(W.m.plan.plan.ops[0].to_port, 443);
	assert_int_equal(W.m.plan.plan.lifetime, SGW_LIFETIME_DEFAULT);
	assert_string_equal(W.m.plan.plan.reason, "debug deploy");
	state_digest(W.rules, W.n_rules, order, digest);
	assert_memory_equal(W.m.plan.plan.groups[0].state_digest, digest, HASH_LEN);
	tell_stage(STAGE_ON_SCREEN, 120);
	world_expect(&front, MSG_PROGRESS);
	assert_int_equal(W.m.progress.request, 3);
	assert_int_equal(W.m.progress.stage, STAGE_ON_SCREEN);
	assert_int_equal(W.m.progress.seconds_left, 120);
	tell_stage(STAGE_TOUCH, 30);
	world_expect(&front, MSG_PROGRESS);
	tell_result(STATUS_OK, SGW_ERR_NONE);
	expect_change(&front, 3, STATUS_OK);
	assert_string_equal(W.m.change.plan_id, plan_id);
	assert_string_equal(W.m.change.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(W.m.change.closes, 4000000000);
	assert_string_equal(W.m.change.ops[0].done.rule_id, "sgr-0000000000000000f");
	assert_int_equal(W.m.change.effect, CLASS_OPEN);
	assert_int_equal(W.m.change.n_ops, 1);
	assert_false(W.m.change.ops[0].existed);
	chan_close(&front);
}

static void
test_pending_and_again(void **state)
{
	struct chan front = world_client(1, false, 1000), other = world_client(2, false, 1001);
	char first[SGW_RECEIPT_LEN + 1];

	open_443(&front, 1, 0);
	expect_plan(&front);
	memcpy(first, plan_id, sizeof(first));
	expect_change(&front, 1, STATUS_PENDING_CONSENT);
	assert_string_equal(W.m.change.plan_id, first);
	tell_stage(STAGE_WAITING_FOR_SCREEN, 60);
	/* the same request attaches, and so does the plan's id; neither makes another plan */
	open_443(&front, 2, 1);
	world_sleep(2);
	expect_change(&front, 2, STATUS_PENDING_CONSENT);
	assert_int_equal(W.m.change.stage, STAGE_WAITING_FOR_SCREEN);
	assert_in_range(W.m.change.seconds_left, 1, 60);
	assert_string_equal(W.m.change.plan_id, first);
	W.out.id = MSG_ASK_STATUS;
	W.out.ask_status.request = 3;
	FIELD_SET(W.out.ask_status.plan_id, first);
	world_say(&front);
	world_expect(&front, MSG_PLAN_STATUS);
	assert_int_equal(W.m.plan_status.status, STATUS_PENDING_CONSENT);
	/* another user's plan does not exist for this one */
	W.out.id = MSG_ASK_STATUS;
	world_say(&other);
	world_expect(&other, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_PLAN);
	/* other arguments with its id are a mistake */
	ask_open(4, true, 8443, "203.0.113.7/32");
	FIELD_SET(W.out.ask_change.plan_id, first);
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_string_equal(W.m.failed.field, "plan_id");
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change = (struct msg_ask_change){.request = 5, .apply = true, .wait = 50};
	FIELD_SET(W.out.ask_change.plan_id, first);
	world_say(&front);
	tell_result(STATUS_DENIED, SGW_ERR_DENIED);
	expect_change(&front, 5, STATUS_DENIED);
	assert_int_equal(W.m.change.error, SGW_ERR_DENIED);
	/* asked again at once: the outcome; a while later: a new plan */
	open_443(&front, 6, 50);
	expect_change(&front, 6, STATUS_DENIED);
	world_sleep(11);
	open_443(&front, 7, 0);
	expect_plan(&front);
	assert_string_not_equal(plan_id, first);
	expect_change(&front, 7, STATUS_PENDING_CONSENT);
	chan_close(&front);
	chan_close(&other);
}

/* The time of a stage and of the call are over together: the broker's last word is worth a moment more. */
static void
test_news_that_is_due(void **state)
{
	struct chan front = world_client(1, false, 1000);
	int64_t due;

	open_443(&front, 1, 25);
	expect_plan(&front);
	tell_stage(STAGE_ON_SCREEN, 120);
	world_expect(&front, MSG_PROGRESS);
	due = clock_machine();
	world_sleep(121);
	if (!world_came(&front, due, HELD)) {
		tell_result(STATUS_EXPIRED, SGW_ERR_EXPIRED);
		world_expect(&front, MSG_CHANGE);
	}
	assert_int_equal(W.m.change.request, 1);
	if (clock_machine() - due < HELD) /* on a machine without a turn for us it may be over */
		assert_int_equal(W.m.change.status, STATUS_EXPIRED);
	/* and who does not want to wait still hears of the first stage, not of none */
	ask_open(2, true, 8443, "203.0.113.7/32");
	W.out.ask_change.wait = 0;
	world_say(&front);
	expect_plan(&front);
	tell_stage(STAGE_WAITING_FOR_SCREEN, 120);
	expect_change(&front, 2, STATUS_PENDING_CONSENT);
	assert_int_equal(W.m.change.stage, STAGE_WAITING_FOR_SCREEN);
	chan_close(&front);
}

static void
test_reads_anew(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask_rules(1, 50, "");
	world_say(&front);
	world_expect(&front, MSG_RULES);
	open_443(&front, 2, 50);
	expect_plan(&front);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 2);
	/* two at once make one plan */
	ask_open(3, true, 8443, "203.0.113.7/32");
	world_say(&front);
	W.out.ask_change.request = 4;
	world_say(&front);
	expect_plan(&front);
	world_quiet(&front);
	tell_result(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	for (unsigned sum = 0, i = 0; i < 2; i++) { /* in whatever order */
		world_expect(&front, MSG_CHANGE);
		assert_int_equal(W.m.change.status, STATUS_EXPIRED);
		sum += W.m.change.request;
		assert_int_equal(sum, i == 0 ? W.m.change.request : 3 + 4);
	}
	chan_close(&front);
}

static void
test_exists_already(void **state)
{
	struct chan front = world_client(1, false, 1000);

	world_add_rule(HTTPS_RULE, PROTO_TCP, 443, 443, "203.0.113.7/32");
	open_443(&front, 1, 50);
	expect_change(&front, 1, STATUS_OK);
	assert_true(W.m.change.ops[0].existed);
	assert_string_equal(W.m.change.ops[0].done.rule_id, HTTPS_RULE);
	assert_int_equal(W.m.change.closes, 0);
	W.grants[0] = (struct rec_grant){.protocol = PROTO_TCP, .from_port = 443, .to_port = 443};
	FIELD_SET(W.grants[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	FIELD_SET(W.grants[0].group_id, GROUP);
	W.grants[0].source = world_cidr("203.0.113.7/32");
	W.grants[0].closes = 4000000000;
	W.n_grants = 1;
	open_443(&front, 2, 50);
	expect_change(&front, 2, STATUS_OK);
	assert_string_equal(W.m.change.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(W.m.change.closes, 4000000000);
	world_quiet(&front);
	chan_close(&front);
}

static void
test_remove_by_match(void **state)
{
	struct chan front = world_client(1, false, 1000);

	world_add_rule(HTTPS_RULE, PROTO_TCP, 443, 443, "203.0.113.7/32");
	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "203.0.113.7/32");
	world_add_rule("sgr-0000000000000000c", PROTO_TCP, 443, 443, "203.0.113.0/24");
	world_add_rule("sgr-0000000000000000d", PROTO_TCP, 443, 443, "203.0.113.7/32");
	W.rules[3].egress = true;
	ask_close_match(1, true, "203.0.113.7/32");
	world_say(&front);
	expect_plan(&front);
	assert_int_equal(W.m.plan.plan.n_ops, 2);
	assert_int_equal(W.m.plan.plan.ops[0].action, ACTION_CLOSE);
	assert_string_equal(W.m.plan.plan.ops[0].rule_id, SSH_RULE);
	assert_string_equal(W.m.plan.plan.ops[1].rule_id, HTTPS_RULE);
	assert_int_equal(W.m.plan.plan.lifetime, 0);
	tell_result(STATUS_OK, SGW_ERR_NONE);
	expect_change(&front, 1, STATUS_OK);
	ask_close_match(2, true, "198.51.100.1/32");
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_RULE);
	assert_string_equal(W.m.failed.field, "match");
	chan_close(&front);
}

/* What the broker says of a removal of all on port 22, asked for with this reason, and what the client hears. */
static void
remove_22(
    struct chan *front, const char *reason, enum status status, const char *said, const char *heard)
{
	struct rec_wanted *w = &W.out.ask_change.wanted[0];

	ask_close_match(1, true, "203.0.113.7/32");
	FIELD_SET(W.out.ask_change.reason, reason);
	w->given = WANTED_PORTS;
	w->from_port = w->to_port = 22;
	world_say(front);
	expect_plan(front);
	assert_int_equal(W.m.plan.plan.n_ops, 1);
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = status, .effect = CLASS_OPEN, .n_done = 1};
	W.out.result.error = status == STATUS_OK ? SGW_ERR_NONE : SGW_ERR_DENIED;
	FIELD_SET(W.out.result.plan_id, plan_id);
	FIELD_SET(W.out.result.detail, said);
	world_say(&W.broker);
	expect_change(front, 1, status);
	assert_string_equal(W.m.change.detail, heard);
	W.out.id = MSG_ASK_STATUS;
	W.out.ask_status.request = 2;
	FIELD_SET(W.out.ask_status.plan_id, plan_id);
	world_say(front);
	world_expect(front, MSG_PLAN_STATUS);
	assert_string_equal(W.m.plan_status.detail, heard);
}

#define STAYS                                                                                      \
	"1 more rules match, with a prefix list or a security group as their source: they stay"

/*
 * It was said of the plan and while the plan was pending, and not of its success: the client believed that nothing was
 * open on that port any more.
 */
static void
regress_191_what_stays(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char longest[SGW_DETAIL_MAX + 1];

	memset(longest, 'x', SGW_DETAIL_MAX);
	longest[SGW_DETAIL_MAX] = 0;
	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "203.0.113.7/32");
	world_add_rule("sgr-0000000000000000c", PROTO_TCP, 22, 22, "0.0.0.0/0");
	W.rules[1].source_kind = SOURCE_GROUP;
	FIELD_SET(W.rules[1].source_id, "sg-00000001");
	remove_22(&front, "a", STATUS_OK, "", STAYS);
	remove_22(&front, "b", STATUS_OK, "1 closed", "1 closed; " STAYS);
	remove_22(&front, "c", STATUS_OK, longest, longest);
	remove_22(&front, "d", STATUS_DENIED, "", ""); /* the twin: all of it stays */
	chan_close(&front);
}

static void
test_remove_by_id(void **state)
{
	struct chan front = world_client(1, false, 1000);
	static const struct {
		const char *id;
		uint16_t error;
	} rows[] = {
	    {"sgr-0000000000000000e", SGW_ERR_NO_SUCH_RULE},
	    {"sgr-0000000000000000d", SGW_ERR_NOT_OFFERED}, /* outbound */
	    {"sgr-0000000000000000c", SGW_ERR_NOT_OFFERED}, /* from another group */
	    {"sgr-1", SGW_ERR_BAD_ARGUMENT},
	    {SSH_RULE, SGW_ERR_NONE},
	};

	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "203.0.113.7/32");
	world_add_rule("sgr-0000000000000000c", PROTO_TCP, 443, 443, "0.0.0.0/0");
	W.rules[1].source_kind = SOURCE_GROUP;
	FIELD_SET(W.rules[1].source_id, "sg-00000001");
	world_add_rule("sgr-0000000000000000d", PROTO_TCP, 443, 443, "203.0.113.7/32");
	W.rules[2].egress = true;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask_close_match(i, true, "203.0.113.7/32");
		W.out.ask_change.wanted[0].given = WANTED_RULE_ID;
		FIELD_SET(W.out.ask_change.wanted[0].rule_id, rows[i].id);
		world_say(&front);
		if (rows[i].error == SGW_ERR_NONE) {
			expect_plan(&front);
			assert_string_equal(W.m.plan.plan.ops[0].rule_id, SSH_RULE);
			assert_int_equal(W.m.plan.plan.ops[0].from_port, 22);
			continue;
		}
		world_expect(&front, MSG_FAILED);
		assert_int_equal(W.m.failed.error, rows[i].error);
		assert_string_equal(W.m.failed.field, "rule_ids");
	}
	chan_close(&front);
}

static void
plan_443(struct chan *front, uint32_t request)
{
	ask_open(request, false, 443, "203.0.113.7/32");
	world_say(front);
	expect_change(front, request, STATUS_PLANNED);
	FIELD_SET(plan_id, W.m.change.plan_id);
}

static void
apply_shown(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change = (struct msg_ask_change){.request = request, .apply = true, .wait = 50};
	FIELD_SET(W.out.ask_change.plan_id, plan_id);
	world_say(front);
}

static void
test_plan_then_apply(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char shown[SGW_RECEIPT_LEN + 1];

	plan_443(&front, 1);
	memcpy(shown, plan_id, sizeof(shown));
	assert_non_null(strstr(W.m.change.preview, "203.0.113.7/32"));
	assert_non_null(strstr(W.m.change.preview, "443"));
	assert_int_equal(W.m.change.quota_limit, 60);
	world_quiet(&front); /* the broker hears nothing of it */
	apply_shown(&front, 2);
	expect_plan(&front);
	assert_string_equal(plan_id, shown);
	tell_result(STATUS_OK, SGW_ERR_NONE);
	expect_change(&front, 2, STATUS_OK);
	/* shown, and then the group changed */
	ask_open(3, false, 8443, "203.0.113.7/32");
	world_say(&front);
	expect_change(&front, 3, STATUS_PLANNED);
	FIELD_SET(plan_id, W.m.change.plan_id);
	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "198.51.100.0/24");
	apply_shown(&front, 4);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_STATE_CHANGED);
	/* shown, and left for too long */
	plan_443(&front, 5);
	world_sleep(901);
	apply_shown(&front, 6);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_PLAN);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_add_to_its_end),
	    TEST(test_pending_and_again),
	    TEST(test_news_that_is_due),
	    TEST(test_reads_anew),
	    TEST(test_exists_already),
	    TEST(test_remove_by_match),
	    TEST(regress_191_what_stays),
	    TEST(test_remove_by_id),
	    TEST(test_plan_then_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
