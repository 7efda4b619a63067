/* SPDX-License-Identifier: Apache-2.0 */
/* Undo: from what the broker tells of a receipt to the plan that is its opposite, and each reason why there is none. */
#include "planner_world.h"

#include <time.h>

#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"
#define OLD "sgw-bbbbbbbbbbbbbbbbbbbb"
#define CLOSING "sgw-cccccccccccccccccccc"
#define SOURCE "203.0.113.7/32"
#define RULE "sgr-0000000000000000a"

static uint32_t request;

/* Asked for, as the front would; until the broker is asked what the receipt was. */
static void
ask_undo(struct chan *front, const char *receipt, const char *reason)
{
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change = (struct msg_ask_change){
	    .request = ++request, .apply = true, .kind = CHANGE_UNDO, .wait = 50};
	FIELD_SET(W.out.ask_change.receipt, receipt);
	FIELD_SET(W.out.ask_change.reason, reason);
	world_say(front);
	world_expect(front, MSG_ASK_RECEIPT_OF);
	assert_string_equal(W.m.ask_receipt_of.receipt, receipt);
	assert_int_equal(W.m.ask_receipt_of.client, 5);
	/* the broker's answer to come, as yet of nothing */
	W.out.id = MSG_RECEIPT_OF;
	W.out.receipt_of = (struct msg_receipt_of){.request = W.m.ask_receipt_of.request};
	FIELD_SET(W.out.receipt_of.head.receipt, RECEIPT);
	FIELD_SET(W.out.receipt_of.head.profile, "prod");
	FIELD_SET(W.out.receipt_of.head.region, "eu-west-1");
	W.out.receipt_of.head.result = RECEIPT_EXECUTED;
}

/* One more operation in that answer. */
static struct rec_receipt_op *
told(enum action action, enum op_state state, int32_t port)
{
	struct msg_receipt_of *m = &W.out.receipt_of;
	struct rec_receipt_op *op = &m->ops[m->n_ops++];

	m->head.n_ops = m->n_ops;
	*op = (struct rec_receipt_op){.state = state,
	    .op = {.action = action, .protocol = PROTO_TCP, .from_port = port, .to_port = port}};
	op->op.source = world_cidr(SOURCE);
	FIELD_SET(op->op.group_id, GROUP);
	return op;
}

static void
grant(int32_t port)
{
	struct rec_grant *g = &W.grants[W.n_grants++];

	*g = (struct rec_grant){.protocol = PROTO_TCP, .from_port = port, .to_port = port};
	g->source = world_cidr(SOURCE);
	g->closes = time(NULL) + 3000;
	FIELD_SET(g->receipt, RECEIPT);
	FIELD_SET(g->profile, "prod");
	FIELD_SET(g->account, "111122223333");
	FIELD_SET(g->region, "eu-west-1");
	FIELD_SET(g->group_id, GROUP);
}

static const struct rec_plan *
expect_plan(struct chan *front)
{
	world_say(&W.broker);
	world_expect(front, MSG_PLAN);
	assert_null(plan_problem(&W.m.plan.plan));
	return &W.m.plan.plan;
}

static void
expect_failed(struct chan *front, enum sgw_error error, const char *why)
{
	world_say(&W.broker);
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, error);
	assert_string_equal(W.m.failed.field, "receipt_id");
	if (!strstr(W.m.failed.detail, why))
		fail_msg("%s", W.m.failed.detail);
}

static void
test_what_was_opened(void **state)
{
	struct chan front = world_client(5, false, 1000);
	const struct rec_plan *plan;

	world_add_rule(RULE, PROTO_TCP, 443, 443, SOURCE);
	grant(443);
	ask_undo(&front, RECEIPT, "");
	(void)told(ACTION_OPEN, OP_OPEN, 443);
	(void)told(ACTION_OPEN, OP_FAILED, 8443);
	plan = expect_plan(&front);
	assert_int_equal(plan->n_ops, 1);
	assert_int_equal(plan->ops[0].action, ACTION_CLOSE);
	assert_string_equal(plan->ops[0].rule_id, RULE);
	assert_string_equal(plan->ops[0].receipt, RECEIPT);
	assert_string_equal(plan->reason, "undo of " RECEIPT);
	assert_int_equal(plan->lifetime, 0);
	chan_close(&front);
}

/* Open as the receipt has it, and not through us any more; open through us, and AWS shows no such rule. */
static void
test_not_open_any_more(void **state)
{
	struct chan front = world_client(5, false, 1000);

	world_add_rule(RULE, PROTO_TCP, 443, 443, SOURCE);
	ask_undo(&front, RECEIPT, "");
	(void)told(ACTION_OPEN, OP_OPEN, 443);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "not open any more");
	grant(8443);
	world_sleep(10);
	ask_undo(&front, RECEIPT, "again");
	(void)told(ACTION_OPEN, OP_AMBIGUOUS, 8443);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "not open any more");
	chan_close(&front);
}

/* A closing of ours by its own receipt: its rule alone, for the time that it had left. */
static void
test_what_was_closed(void **state)
{
	struct chan front = world_client(5, false, 1000);
	const struct rec_plan *plan;
	struct rec_receipt_op *op;

	ask_undo(&front, CLOSING, "it was right");
	op = told(ACTION_OPEN, OP_CLOSED, 443);
	op->closes = time(NULL) + 7200;
	FIELD_SET(op->closing, CLOSING);
	(void)told(ACTION_OPEN, OP_OPEN, 8443);
	plan = expect_plan(&front);
	assert_int_equal(plan->n_ops, 1);
	assert_int_equal(plan->ops[0].action, ACTION_OPEN);
	assert_int_equal(plan->ops[0].to_port, 443);
	assert_in_range(plan->lifetime, 7100, 7200);
	assert_string_equal(plan->reason, "undo of " CLOSING ": it was right");
	ask_undo(&front, CLOSING, "little was left");
	op = told(ACTION_OPEN, OP_CLOSED, 443);
	op->closes = time(NULL) + 100;
	FIELD_SET(op->closing, CLOSING);
	assert_int_equal(expect_plan(&front)->lifetime, SGW_LIFETIME_MIN);
	ask_undo(&front, CLOSING, "nothing was left");
	op = told(ACTION_OPEN, OP_CLOSED, 443);
	op->closes = time(NULL) - 1;
	FIELD_SET(op->closing, CLOSING);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "would have closed by itself");
	ask_undo(&front, CLOSING, "it was there for good");
	op = told(ACTION_OPEN, OP_CLOSED, 443);
	op->closes = time(NULL) + SGW_LIFETIME_PERMANENT - INT64_C(86400);
	FIELD_SET(op->closing, CLOSING);
	world_say(&W.broker);
	world_expect(&front, MSG_CHANGE); /* which this policy does not have */
	assert_int_equal(W.m.change.error, SGW_ERR_FORBIDDEN);
	assert_int_equal(W.m.change.lifetime, SGW_LIFETIME_PERMANENT);
	chan_close(&front);
}

/* Others' rule: for the policy's time, and that is said. */
static void
test_what_others_had(void **state)
{
	struct chan front = world_client(5, false, 1000);
	char plan_id[SGW_RECEIPT_LEN + 1];
	uint8_t digest[HASH_LEN];

	ask_undo(&front, RECEIPT, "");
	(void)told(ACTION_CLOSE, OP_CLOSED, 443);
	(void)told(ACTION_CLOSE, OP_FAILED, 8443);
	assert_int_equal(expect_plan(&front)->lifetime, SGW_LIFETIME_DEFAULT);
	assert_int_equal(W.m.plan.plan.n_ops, 1);
	assert_true(plan_digest(&W.m.plan.plan, digest));
	receipt_id(digest, plan_id);
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = STATUS_OK, .effect = CLASS_OPEN};
	FIELD_SET(W.out.result.plan_id, plan_id);
	FIELD_SET(W.out.result.detail, "1 opened");
	world_say(&W.broker);
	world_expect(&front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_OK);
	assert_string_equal(W.m.change.detail,
	    "1 opened; what was closed is opened for a while only: see closes_at");
	/* for good, as it was, where the policy has that */
	W.out.id = MSG_POLICY;
	W.out.policy = (struct msg_policy){.origin = POLICY_LOADED};
	policy_builtin(&W.out.policy.policy);
	W.out.policy.policy.allow_documentation = W.out.policy.policy.allow_permanent = true;
	world_say(&W.broker);
	ask_undo(&front, RECEIPT, "for good");
	(void)told(ACTION_CLOSE, OP_CLOSED, 443);
	assert_int_equal(expect_plan(&front)->lifetime, SGW_LIFETIME_PERMANENT);
	chan_close(&front);
}

/* Somebody was quicker: nothing is opened, for a while or otherwise. */
static void
regress_191_there_again(void **state)
{
	struct chan front = world_client(5, false, 1000);

	world_add_rule(RULE, PROTO_TCP, 443, 443, SOURCE);
	ask_undo(&front, RECEIPT, "");
	(void)told(ACTION_CLOSE, OP_CLOSED, 443);
	world_say(&W.broker);
	world_expect(&front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_OK);
	assert_string_equal(W.m.change.detail,
	    "open already, by others: nothing was done, and it will not close by itself");
	chan_close(&front);
}

/* A refresh: the old one again, with its time, and then the new one closed. */
static void
test_the_last_first(void **state)
{
	struct chan front = world_client(5, false, 1000);
	const struct rec_plan *plan;
	struct rec_receipt_op *op;

	world_add_rule(RULE, PROTO_TCP, 443, 443, SOURCE);
	grant(443);
	ask_undo(&front, RECEIPT, "");
	(void)told(ACTION_OPEN, OP_OPEN, 443);
	op = told(ACTION_CLOSE, OP_CLOSED, 8443);
	op->closes = time(NULL) + 5000;
	FIELD_SET(op->op.receipt, OLD);
	FIELD_SET(op->closing, CLOSING);
	plan = expect_plan(&front);
	assert_int_equal(plan->n_ops, 2);
	assert_int_equal(plan->ops[0].action, ACTION_OPEN);
	assert_int_equal(plan->ops[0].to_port, 8443);
	assert_int_equal(plan->ops[1].action, ACTION_CLOSE);
	assert_in_range(plan->lifetime, 4900, 5000);
	chan_close(&front);
}

static void
test_nothing_to_undo(void **state)
{
	struct chan front = world_client(5, false, 1000);

	ask_undo(&front, RECEIPT, "1");
	W.out.receipt_of.error = SGW_ERR_NO_SUCH_RECEIPT;
	expect_failed(&front, SGW_ERR_NO_SUCH_RECEIPT, "");
	ask_undo(&front, RECEIPT, "2");
	W.out.receipt_of.head.result = RECEIPT_UNDER_WAY;
	(void)told(ACTION_OPEN, OP_OPEN, 443);
	expect_failed(&front, SGW_ERR_BUSY, "being carried out");
	ask_undo(&front, RECEIPT, "3");
	W.out.receipt_of.head.kind = RECEIPT_ADMIN;
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "administrative act");
	ask_undo(&front, RECEIPT, "4");
	W.out.receipt_of.head.kind = RECEIPT_EXTENSION;
	(void)told(ACTION_EXTEND, OP_EXTENDED, 443);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "extension");
	ask_undo(&front, RECEIPT, "5");
	(void)told(ACTION_OPEN, OP_CLOSED, 443);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "closed already");
	ask_undo(&front, RECEIPT, "6");
	(void)told(ACTION_OPEN, OP_TAKEN_BACK, 443);
	(void)told(ACTION_CLOSE, OP_UNTRIED, 80);
	expect_failed(&front, SGW_ERR_NOTHING_TO_UNDO, "nothing came of it");
	W.out.id = MSG_ASK_CHANGE;
	W.out.ask_change =
	    (struct msg_ask_change){.request = 99, .apply = true, .kind = CHANGE_UNDO};
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_string_equal(W.m.failed.field, "receipt_id");
	world_quiet(&front);
	chan_close(&front);
}

/* A reason that has no room for more stays as it is; a broker that does not answer is no receipt. */
static void
test_ends(void **state)
{
	struct chan front = world_client(5, false, 1000);
	char reason[SGW_REASON_CHARS_MAX + 1];

	memset(reason, 'r', SGW_REASON_CHARS_MAX);
	reason[SGW_REASON_CHARS_MAX] = 0;
	ask_undo(&front, RECEIPT, reason);
	(void)told(ACTION_CLOSE, OP_CLOSED, 443);
	assert_string_equal(expect_plan(&front)->reason, reason);
	ask_undo(&front, RECEIPT, "");
	world_sleep(6);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_INTERNAL);
	chan_close(&front);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_end)
	const struct CMUnitTest tests[] = {
	    TEST(test_what_was_opened),
	    TEST(test_not_open_any_more),
	    TEST(test_what_was_closed),
	    TEST(test_what_others_had),
	    TEST(regress_191_there_again),
	    TEST(test_the_last_first),
	    TEST(test_nothing_to_undo),
	    TEST(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
