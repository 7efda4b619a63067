/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts on their way through the planner, and grants by their state. */
#include "planner_world.h"

#include <stdio.h>
#include <time.h>

#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"

/* ---- receipts ---- */

static void
ask_list(struct chan *front, uint32_t request, uint16_t limit, const char *cursor)
{
	W.out.id = MSG_ASK_RECEIPTS;
	W.out.ask_receipts = (struct msg_ask_receipts){.request = request, .limit = limit};
	FIELD_SET(W.out.ask_receipts.group_id, GROUP);
	W.out.ask_receipts.since = 77;
	W.out.ask_receipts.results = 1u << RECEIPT_FAILED;
	FIELD_SET(W.out.ask_receipts.cursor, cursor);
	world_say(front);
}

/* The broker's answer to the question that lies in W.m: `n` receipts, numbered downwards from `from`. */
static void
tell_list(uint32_t request, uint64_t from, uint16_t n, bool more)
{
	struct msg_receipt_list *m = &W.out.receipt_list;

	W.out.id = MSG_RECEIPT_LIST;
	*m = (struct msg_receipt_list){
	    .request = request, .more = more, .older = true, .n_receipts = n};
	for (unsigned i = 0; i < n; i++) {
		FIELD_SET(m->receipts[i].receipt, RECEIPT);
		m->receipts[i].number = from - i;
	}
	world_say(&W.broker);
}

static void
test_list(void **state)
{
	struct chan front = world_client(5, false, 1000);
	char cursor[SGW_CURSOR_MAX + 1];

	(void)state;
	ask_list(&front, 1, 2, "");
	world_expect(&front, MSG_ASK_RECEIPT_LIST);
	assert_int_equal(W.m.ask_receipt_list.client, 5); /* who asks, by the supervisor's number */
	assert_string_equal(W.m.ask_receipt_list.group_id, GROUP);
	assert_int_equal(W.m.ask_receipt_list.since, 77);
	assert_int_equal(W.m.ask_receipt_list.results, 1u << RECEIPT_FAILED);
	assert_int_equal(W.m.ask_receipt_list.before, 0);
	assert_int_equal(W.m.ask_receipt_list.limit, 2);
	tell_list(W.m.ask_receipt_list.request, 40, 2, true);
	world_expect(&front, MSG_RECEIPTS);
	assert_int_equal(W.m.receipts.request, 1);
	assert_int_equal(W.m.receipts.n_receipts, 2);
	assert_true(W.m.receipts.older);
	FIELD_SET(cursor, W.m.receipts.next_cursor);
	ask_list(&front, 2, 2, cursor);
	world_expect(&front, MSG_ASK_RECEIPT_LIST);
	assert_int_equal(W.m.ask_receipt_list.before, 39);
	tell_list(W.m.ask_receipt_list.request, 38, 1, false);
	world_expect(&front, MSG_RECEIPTS);
	assert_string_equal(W.m.receipts.next_cursor, "");
	/* the cursor of another list, one that was changed, none of ours: the broker is not asked */
	W.out.id = MSG_ASK_RECEIPTS;
	W.out.ask_receipts = (struct msg_ask_receipts){.request = 3, .limit = 2};
	FIELD_SET(W.out.ask_receipts.cursor, cursor);
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_CURSOR);
	cursor[strlen(cursor) - 1] ^= 1;
	ask_list(&front, 4, 2, cursor);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_CURSOR);
	ask_list(&front, 5, 0, "");
	world_expect(&front, MSG_FAILED);
	assert_string_equal(W.m.failed.field, "limit");
	chan_close(&front);
}

static uint32_t
ask_one(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_RECEIPT;
	W.out.ask_receipt = (struct msg_ask_receipt){.request = request};
	FIELD_SET(W.out.ask_receipt.receipt, RECEIPT);
	world_say(front);
	world_expect(front, MSG_ASK_RECEIPT_OF);
	assert_string_equal(W.m.ask_receipt_of.receipt, RECEIPT);
	assert_int_equal(W.m.ask_receipt_of.client, 5);
	return W.m.ask_receipt_of.request;
}

static void
tell_one(uint32_t request, uint16_t error)
{
	struct msg_receipt_of *m = &W.out.receipt_of;

	W.out.id = MSG_RECEIPT_OF;
	*m = (struct msg_receipt_of){.request = request, .error = error};
	if (error == SGW_ERR_NONE) {
		FIELD_SET(m->head.receipt, RECEIPT);
		m->n_ops = m->head.n_ops = 1;
		m->ops[0].op.source = world_cidr("203.0.113.7/32");
		m->ops[0].op.protocol = PROTO_TCP;
		m->ops[0].op.from_port = m->ops[0].op.to_port = 443;
	}
	world_say(&W.broker);
}

static void
test_one(void **state)
{
	struct chan front = world_client(5, false, 1000);
	uint32_t request, other;

	(void)state;
	request = ask_one(&front, 1);
	other = ask_one(&front, 2);
	assert_int_not_equal(request, other);
	tell_one(other, SGW_ERR_NO_SUCH_RECEIPT);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.request, 2);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_RECEIPT);
	assert_string_equal(W.m.failed.field, "receipt_id");
	tell_one(other, SGW_ERR_NONE);   /* said twice */
	tell_list(request, 9, 1, false); /* an answer to what was not asked */
	tell_one(0, SGW_ERR_NONE);       /* and to nothing */
	tell_one(request, SGW_ERR_NONE);
	world_expect(&front, MSG_RECEIPT);
	assert_int_equal(W.m.receipt.request, 1);
	assert_string_equal(W.m.receipt.head.receipt, RECEIPT);
	assert_int_equal(W.m.receipt.ops[0].op.from_port, 443);
	world_quiet(&front);
	chan_close(&front);
}

/* The front's call ends all the same, and what comes late is nobody's. */
static void
test_a_broker_that_is_silent(void **state)
{
	struct chan front = world_client(5, false, 1000);
	uint32_t request;

	(void)state;
	request = ask_one(&front, 1);
	world_sleep(6);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_INTERNAL);
	tell_one(request, SGW_ERR_NONE);
	world_quiet(&front);
	request = ask_one(&front, 2);
	W.out.id = MSG_ASK_FORGET;
	W.out.ask_forget.request = 2;
	world_say(&front);
	world_sync(&front);
	tell_one(request, SGW_ERR_NONE);
	world_quiet(&front);
	assert_true(world_alive());
	chan_close(&front);
}

/* ---- grants ---- */

static size_t
grants_in(struct chan *front, enum grant_filter filter)
{
	static uint32_t request = 100;

	W.out.id = MSG_ASK_OPENED;
	W.out.ask_opened =
	    (struct msg_ask_opened){.request = ++request, .limit = 50, .filter = filter};
	world_say(front);
	world_expect(front, MSG_OPENED);
	return W.m.opened.n_grants;
}

static void
test_grants_by_state(void **state)
{
	static const enum grant_state states[] = {GRANT_CLOSED, GRANT_OPEN, GRANT_FOREIGN,
	    GRANT_CLOSING, GRANT_AMBIGUOUS, GRANT_OPEN, GRANT_CLOSED};
	struct chan front = world_client(1, false, 1000);
	int64_t now = time(NULL);

	(void)state;
	W.n_grants = sizeof(states) / sizeof(states[0]);
	for (unsigned i = 0; i < W.n_grants; i++) {
		W.grants[i] = (struct rec_grant){.protocol = PROTO_TCP,
		    .from_port = 1,
		    .to_port = 1,
		    .source.family = 4,
		    .state = states[i],
		    .closes = i == 1 || i == 0 ? now - 5 : now + 1000};
		FIELD_SET(W.grants[i].group_id, GROUP);
	}
	assert_int_equal(grants_in(&front, GRANTS_LIVE), 4);
	assert_int_equal(grants_in(&front, GRANTS_OPEN), 2);
	assert_int_equal(grants_in(&front, GRANTS_CLOSING), 1);
	assert_int_equal(grants_in(&front, GRANTS_OVERDUE), 1);
	assert_int_equal(W.m.opened.grants[0].grant.state, GRANT_OPEN);
	assert_int_equal(grants_in(&front, GRANTS_CLOSED), 2);
	assert_int_equal(grants_in(&front, GRANTS_AMBIGUOUS), 2);
	chan_close(&front);
}

/* What is closed, or only to be settled, is no rule of ours to anybody. */
static void
test_what_is_not_live_is_not_ours(void **state)
{
	static const enum grant_state states[] = {GRANT_CLOSED, GRANT_FOREIGN};
	struct chan front = world_client(1, false, 1000);

	(void)state;
	world_add_rule("sgr-0000000000000000a", PROTO_TCP, 443, 443, "203.0.113.7/32");
	for (unsigned i = 0; i < 2; i++) {
		W.n_grants = 1;
		W.grants[0] = (struct rec_grant){
		    .protocol = PROTO_TCP, .from_port = 443, .to_port = 443, .state = states[i]};
		W.grants[0].source = world_cidr("203.0.113.7/32");
		FIELD_SET(W.grants[0].group_id, GROUP);
		world_sleep(61);
		ask_rules(1 + i, 50, "");
		world_say(&front);
		world_expect(&front, MSG_RULES);
		assert_int_equal(W.m.rules.n_rules, 1);
		assert_false(W.m.rules.rules[0].own);
	}
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_list),
	    TEST(test_one),
	    TEST(test_a_broker_that_is_silent),
	    TEST(test_grants_by_state),
	    TEST(test_what_is_not_live_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
