/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears of which receipts: a user of their own alone, an administrator of all; filters and pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "broker_world.h"
#include "receipts.h"

#define OTHER "sg-0fedcba9876543210"
#define THEIRS "sgw-ccccccccccccccccccca"

enum {
	ADMIN = 1, /* the world's own client, of uid 1000 */
	SAME,      /* another of that uid, over mcp.sock */
	STRANGER,  /* of uid 1001 */
};

static void
receipt_add(const char *id, uint32_t uid, uint64_t number, const char *group, enum op_state state)
{
	struct rec_receipt head = {
	    .time = (int64_t)(1000 + number), .number = number, .uid = uid, .n_ops = 1};
	struct rec_receipt_op op = {
	    .op = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7/32"), .state = state};

	(void)FIELD_SET(head.receipt, id);
	(void)FIELD_SET(op.op.group_id, group);
	(void)snprintf(
	    op.closing, sizeof(op.closing), "sgw-ddddddddddddddddddd%c", 'a' + (int)number / 4);
	head.result = state == OP_FAILED ? RECEIPT_FAILED : RECEIPT_EXECUTED;
	receipts_add(&W.b.receipts, &head, &op);
}

/* Five, of two users; the third and the fifth are the stranger's. */
static int
receipts_open(void **state)
{
	const struct msg_client same = {.client = SAME, .uid = 1000},
				stranger = {.client = STRANGER, .uid = 1001};

	if (world_open(state) < 0)
		return -1;
	client_add(&W.b, &same);
	client_add(&W.b, &stranger);
	receipt_add("sgw-aaaaaaaaaaaaaaaaaaaa", 1000, 5, GROUP, OP_OPEN);
	receipt_add("sgw-aaaaaaaaaaaaaaaaaaab", 1000, 9, GROUP, OP_FAILED);
	receipt_add(THEIRS, 1001, 13, GROUP, OP_OPEN);
	receipt_add("sgw-aaaaaaaaaaaaaaaaaaad", 1000, 17, OTHER, OP_OPEN);
	receipt_add("sgw-cccccccccccccccccccb", 1001, 21, OTHER, OP_OPEN);
	return 0;
}

static int
receipts_close(void **state)
{
	W.b.receipts = (struct receipts){0}; /* the world's ledger has none of them */
	return world_close(state);
}

static struct msg_receipt_list *
list(struct msg_ask_receipt_list ask)
{
	ask.request = 7;
	if (ask.limit == 0)
		ask.limit = 50;
	receipts_tell(&W.b, &ask);
	assert_int_equal(W.b.out.id, MSG_RECEIPT_LIST);
	assert_int_equal(W.b.out.receipt_list.request, 7);
	return &W.b.out.receipt_list;
}

static struct msg_receipt_of *
one(uint32_t client, const char *id)
{
	struct msg_ask_receipt_of ask = {.request = 8, .client = client};

	(void)FIELD_SET(ask.receipt, id);
	receipt_tell(&W.b, &ask);
	assert_int_equal(W.b.out.id, MSG_RECEIPT_OF);
	assert_int_equal(W.b.out.receipt_of.request, 8);
	return &W.b.out.receipt_of;
}

static void
test_whose(void **state)
{
	const struct msg_receipt_list *m;

	(void)state;
	m = list((struct msg_ask_receipt_list){.client = SAME});
	assert_int_equal(m->n_receipts, 3);
	assert_int_equal(m->receipts[0].number, 17);
	assert_int_equal(m->receipts[1].number, 9);
	assert_int_equal(m->receipts[2].number, 5);
	assert_false(m->more);
	m = list((struct msg_ask_receipt_list){.client = STRANGER});
	assert_int_equal(m->n_receipts, 2);
	assert_int_equal(m->receipts[0].number, 21);
	assert_int_equal(m->receipts[1].number, 13);
	assert_int_equal(list((struct msg_ask_receipt_list){.client = ADMIN})->n_receipts, 5);
	/* nobody of that number: a planner that makes one up hears nothing */
	assert_int_equal(list((struct msg_ask_receipt_list){.client = 99})->n_receipts, 0);
}

/* Another user's is answered as one that was never there: by its own id, by its closing's. */
static void
test_anothers(void **state)
{
	const struct msg_receipt_of *m;
	struct msg_receipt_of unknown;

	(void)state;
	unknown = *one(SAME, "sgw-eeeeeeeeeeeeeeeeeeee");
	assert_int_equal(unknown.error, SGW_ERR_NO_SUCH_RECEIPT);
	m = one(SAME, THEIRS);
	assert_memory_equal(m, &unknown, sizeof(unknown));
	m = one(SAME, "sgw-dddddddddddddddddddd"); /* its closing */
	assert_memory_equal(m, &unknown, sizeof(unknown));
	assert_string_equal(one(STRANGER, "sgw-dddddddddddddddddddd")->head.receipt, THEIRS);
	m = one(STRANGER, THEIRS);
	assert_int_equal(m->error, SGW_ERR_NONE);
	assert_string_equal(m->head.receipt, THEIRS);
	assert_int_equal(m->n_ops, 1);
	assert_int_equal(one(ADMIN, THEIRS)->error, SGW_ERR_NONE);
	assert_int_equal(one(99, THEIRS)->error, SGW_ERR_NO_SUCH_RECEIPT);
	assert_int_equal(one(SAME, "")->error, SGW_ERR_NO_SUCH_RECEIPT);
}

static void
test_filters_and_pages(void **state)
{
	struct msg_ask_receipt_list ask = {.client = SAME, .limit = 2};
	const struct msg_receipt_list *m;

	(void)state;
	m = list(ask);
	assert_int_equal(m->n_receipts, 2);
	assert_true(m->more);
	ask.before = m->receipts[1].number;
	m = list(ask);
	assert_int_equal(m->n_receipts, 1);
	assert_int_equal(m->receipts[0].number, 5);
	assert_false(m->more);
	ask = (struct msg_ask_receipt_list){.client = SAME};
	(void)FIELD_SET(ask.group_id, OTHER);
	assert_int_equal(list(ask)->n_receipts, 1);
	ask = (struct msg_ask_receipt_list){.client = SAME, .results = 1u << RECEIPT_FAILED};
	m = list(ask);
	assert_int_equal(m->n_receipts, 1);
	assert_int_equal(m->receipts[0].number, 9);
	ask = (struct msg_ask_receipt_list){.client = SAME, .since = 1009};
	assert_int_equal(list(ask)->n_receipts, 2);
	assert_false(m->older);
	W.b.receipts.older = 1;
	assert_true(list(ask)->older);
	assert_int_equal(list((struct msg_ask_receipt_list){.client = ADMIN, .limit = 5})->more, 0);
}

/* No more than a page, however many are asked for. */
static void
test_a_full_page(void **state)
{
	struct msg_ask_receipt_list ask = {.client = ADMIN, .limit = UINT16_MAX};
	const struct msg_receipt_list *m;

	(void)state;
	for (unsigned i = 5; i < SGW_RECEIPTS_PAGE; i++) {
		char id[SGW_RECEIPT_LEN + 1];

		(void)snprintf(id, sizeof(id), "sgw-bbbbbbbbbbbbbbbbb%c%c%c", 'a' + (int)i / 100,
		    'a' + (int)i / 10 % 10, 'a' + (int)i % 10);
		receipt_add(id, 1000, 21 + i, GROUP, OP_FAILED);
	}
	m = list(ask);
	assert_int_equal(m->n_receipts, SGW_RECEIPTS_PAGE);
	assert_false(m->more);
	receipt_add("sgw-bbbbbbbbbbbbbbbbbbzz", 1000, 500, GROUP, OP_FAILED);
	m = list(ask);
	assert_int_equal(m->n_receipts, SGW_RECEIPTS_PAGE);
	assert_int_equal(m->receipts[0].number, 500);
	assert_true(m->more);
}

/* What the broker is still at is neither done nor void. */
static void
test_under_way(void **state)
{
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7/32"), JOB_CALL);
	struct msg_ask_receipt_list ask = {.client = SAME, .results = 1u << RECEIPT_UNDER_WAY};

	(void)state;
	assert_int_equal(list(ask)->n_receipts, 0);
	(void)FIELD_SET(j->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(list(ask)->n_receipts, 1);
	assert_int_equal(W.b.out.receipt_list.receipts[0].result, RECEIPT_UNDER_WAY);
	assert_int_equal(one(SAME, "sgw-aaaaaaaaaaaaaaaaaaaa")->head.result, RECEIPT_UNDER_WAY);
	W.b.active = NULL;
	assert_int_equal(one(SAME, "sgw-aaaaaaaaaaaaaaaaaaaa")->head.result, RECEIPT_EXECUTED);
}

/* Removed at AWS by somebody else before its time: the ledger said so, the receipt did not. */
static void
regress_150_gone_already(void **state)
{
	static const struct {
		const char *receipt, *why;
		bool was_there;
		enum op_state state;
		enum sgw_error error;
	} rows[] = {
	    {"sgw-aaaaaaaaaaaaaaaaaaaa", "expiry", false, OP_CLOSED, SGW_ERR_NO_SUCH_RULE},
	    {"sgw-aaaaaaaaaaaaaaaaaaad", "expiry", true, OP_CLOSED, SGW_ERR_NONE},
	    {THEIRS, "compensation", false, OP_TAKEN_BACK, SGW_ERR_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grant g = {.why = rows[i].why};
		const struct rec_receipt_op *op;

		(void)FIELD_SET(g.g.receipt, rows[i].receipt);
		assert_true(ledger_close(&W.b, &g, rows[i].was_there, ""));
		op = receipt_op(&W.b, receipt_find(&W.b, rows[i].receipt), 0);
		assert_int_equal(op->state, rows[i].state);
		assert_int_equal(op->error, rows[i].error);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, receipts_open, receipts_close)
	const struct CMUnitTest tests[] = {
	    TEST(test_whose),
	    TEST(test_anothers),
	    TEST(test_filters_and_pages),
	    TEST(test_a_full_page),
	    TEST(test_under_way),
	    TEST(regress_150_gone_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
