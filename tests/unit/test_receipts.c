/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last receipts.  Each entry goes into one table as it is written, as in the broker, and into another as it is
 * read back from its text, as in the loader: after every entry both must say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/errors.h>
#include <sgwarden/receipts.h>

#include "record_fixture.h"
#include "same_receipts.h"

#define SOURCE "203.0.113.7"

static struct receipts written, read_back;
static struct ledger_chain chain;
static struct ledger_entry e;
static struct record record, decoded;
static char text[SGW_RECORD_MAX + 1], receipt[SGW_RECEIPT_LEN + 1];

static int
begin(void **state)
{
	(void)state;
	memset(&written, 0, sizeof(written));
	memset(&read_back, 0, sizeof(read_back));
	chain = (struct ledger_chain){0};
	record = fixture_record();
	return 0;
}

static void
put(const char *key, const char *value)
{
	e.fields[e.n_fields++] = (struct ledger_field){key, value, strlen(value)};
}

static void
entry(enum ledger_kind kind)
{
	e = (struct ledger_entry){.kind = kind, .time = CREATED + (int64_t)chain.number};
}

static void
append(void)
{
	static uint8_t bytes[LEDGER_RECORD_MAX];
	static char unfold[LEDGER_RECORD_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));
	struct ledger_entry again;
	size_t used;

	ledger_next(&chain, &e);
	assert_true(ledger_encode(&e, &b));
	assert_int_equal(ledger_follow(&chain, &e), LEDGER_OK);
	receipts_entry(&written, &e, &record);
	assert_int_equal(
	    ledger_decode((const char *)bytes, b.len, unfold, &again, &used), LEDGER_OK);
	if (again.kind == LEDGER_CONSENT) {
		const struct ledger_field *f = ledger_field(&again, "text");

		assert_true(record_decode((const uint8_t *)f->value, f->len, &decoded));
	}
	receipts_entry(&read_back, &again, &decoded);
	assert_same_receipts(&written, &read_back);
}

/* Touched for: the plan of `record`. */
static void
consent(void)
{
	struct buf b = buf_over(text, SGW_RECORD_MAX);

	memcpy(record.nonce, &chain.number, sizeof(chain.number));
	assert_true(record_encode(&record, &b));
	text[b.len] = 0;
	record_receipt(b.data, b.len, receipt);
	entry(LEDGER_CONSENT);
	put("receipt", receipt);
	put("plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put("class", "open");
	put("display", "trusted");
	put("credential", "0a");
	put("counter", "1");
	put("authdata", "0a0b");
	put("signature", "0c0d");
	put("text", text);
	append();
}

static void
open_ports(unsigned n, int32_t from)
{
	record = fixture_record();
	record.plan.n_ops = (uint16_t)n;
	for (unsigned i = 0; i < n; i++)
		record.plan.ops[i] = fixture_op(
		    ACTION_OPEN, PROTO_TCP, from + (int32_t)i, from + (int32_t)i, SOURCE);
	consent();
}

static void
step(enum ledger_kind kind, const char *of, const char *action, const char *op, const char *ops)
{
	entry(kind);
	put("receipt", of);
	put("action", action);
	put("op", op);
	put("ops", ops);
}

static void
intent(const char *action, const char *op, const char *ops)
{
	step(LEDGER_INTENT, receipt, action, op, ops);
	put("host", "eu-west-1");
	put("date", "2026-11-21T16:30:00Z");
	put("body", "00");
	append();
}

static void
outcome(const char *action, const char *op, const char *ops, const char *error, const char *rules)
{
	step(LEDGER_OUTCOME, receipt, action, op, ops);
	put("status", strcmp(error, "none") == 0 ? "ok" : "failed");
	put("error", error);
	if (rules[0] != 0)
		put("rules", rules);
	append();
}

static void
ambiguous(const char *action, const char *op, const char *ops)
{
	step(LEDGER_AMBIGUOUS, receipt, action, op, ops);
	put("until", "2026-11-21T16:46:00Z");
	append();
}

static void
reconcile(const char *of, const char *action, const char *op, const char *found)
{
	entry(LEDGER_RECONCILE);
	put("receipt", of);
	put("action", action);
	put("op", op);
	put("found", found);
	append();
}

static void
close_of(const char *of, const char *op, const char *why)
{
	entry(LEDGER_CLOSE);
	put("receipt", of);
	put("op", op);
	put("why", why);
	put("status", "closed");
	append();
}

static const struct rec_receipt *
newest(void)
{
	assert_non_null(receipts_newest(&written, 0));
	return &receipts_newest(&written, 0)->head;
}

static const struct rec_receipt_op *
op_of(const char *of, size_t i)
{
	const struct rcpt *r = receipts_find(&written, of);

	assert_non_null(r);
	return receipts_op(&written, r, i);
}

#define assert_stands(of, i, wanted, result_wanted)                                                \
	(assert_int_equal(op_of(of, i)->state, wanted),                                            \
	    assert_int_equal(receipts_find(&written, of)->head.result, result_wanted))

/* ---- the tests ---- */

static void
test_empty(void **state)
{
	(void)state;
	assert_null(receipts_newest(&written, 0));
	assert_null(receipts_find(&written, "sgw-bbbbbbbbbbbbbbbbbbbb"));
	assert_null(receipts_find(&written, ""));
	close_of("sgw-bbbbbbbbbbbbbbbbbbbb", "0", "expiry"); /* one that only the ledger has */
	assert_null(receipts_newest(&written, 0));
}

static void
test_an_opening(void **state)
{
	char closing[SGW_RECEIPT_LEN + 1];

	(void)state;
	open_ports(2, 8000);
	assert_int_equal(newest()->kind, RECEIPT_OPENING);
	assert_int_equal(newest()->uid, 1000);
	assert_int_equal(newest()->number, 1);
	assert_int_equal(newest()->closes, CREATED + 3600);
	assert_string_equal(newest()->plan_id, "sgw-bbbbbbbbbbbbbbbbbbbb");
	assert_string_equal(newest()->receipt, receipt);
	assert_string_equal(newest()->profile, "prod");
	assert_stands(receipt, 0, OP_UNTRIED, RECEIPT_VOID);
	intent("open", "0", "2");
	assert_stands(receipt, 1, OP_AMBIGUOUS, RECEIPT_AMBIGUOUS);
	outcome("open", "0", "2", "none", "sgr-0123456789abcdef0 sgr-0123456789abcdef1");
	assert_stands(receipt, 0, OP_OPEN, RECEIPT_EXECUTED);
	assert_string_equal(op_of(receipt, 0)->op.rule_id, "sgr-0123456789abcdef0");
	assert_string_equal(op_of(receipt, 1)->op.rule_id, "sgr-0123456789abcdef1");
	assert_int_equal(op_of(receipt, 1)->op.from_port, 8001);
	assert_int_equal(op_of(receipt, 1)->closes, CREATED + 3600);
	close_of(receipt, "1", "expiry");
	receipt_id(e.self, closing);
	assert_stands(receipt, 0, OP_OPEN, RECEIPT_EXECUTED);
	assert_stands(receipt, 1, OP_CLOSED, RECEIPT_EXECUTED);
	assert_string_equal(op_of(receipt, 1)->why, "expiry");
	assert_string_equal(op_of(receipt, 1)->closing, closing);
	assert_int_equal(op_of(receipt, 1)->closed, e.time);
	assert_ptr_equal(receipts_find(&written, closing), receipts_find(&written, receipt));
	/* the second look says nothing new */
	reconcile(receipt, "close", "1", "absent");
	assert_stands(receipt, 1, OP_CLOSED, RECEIPT_EXECUTED);
}

/* AWS named fewer rules than it was asked for: whose they are cannot be said. */
static void
test_too_few_rules(void **state)
{
	(void)state;
	open_ports(2, 8000);
	intent("open", "0", "2");
	outcome("open", "0", "2", "none", "sgr-0123456789abcdef0");
	assert_stands(receipt, 0, OP_OPEN, RECEIPT_EXECUTED);
	assert_string_equal(op_of(receipt, 0)->op.rule_id, "");
	assert_string_equal(op_of(receipt, 1)->op.rule_id, "");
}

static void
test_failures(void **state)
{
	(void)state;
	open_ports(1, 8000);
	outcome("open", "0", "1", "state_changed", "");
	assert_stands(receipt, 0, OP_FAILED, RECEIPT_FAILED);
	assert_int_equal(op_of(receipt, 0)->error, SGW_ERR_STATE_CHANGED);
	open_ports(1, 8001);
	intent("open", "0", "1");
	ambiguous("open", "0", "1");
	assert_stands(receipt, 0, OP_AMBIGUOUS, RECEIPT_AMBIGUOUS);
	reconcile(receipt, "open", "0", "absent");
	assert_stands(receipt, 0, OP_FAILED, RECEIPT_FAILED);
	open_ports(1, 8002);
	intent("open", "0", "1");
	reconcile(receipt, "open", "0", "open");
	assert_stands(receipt, 0, OP_OPEN, RECEIPT_EXECUTED);
}

static void
test_closings_of_others(void **state)
{
	(void)state;
	record = fixture_close(2);
	consent();
	assert_int_equal(newest()->kind, RECEIPT_CLOSING);
	assert_int_equal(op_of(receipt, 0)->closes, 0);
	intent("close", "0", "2");
	outcome("close", "0", "2", "none", "");
	assert_stands(receipt, 1, OP_CLOSED, RECEIPT_EXECUTED);
	assert_string_equal(op_of(receipt, 1)->op.rule_id, "sgr-0123456789abc0001");
	record = fixture_close(2);
	consent();
	intent("close", "0", "2");
	ambiguous("close", "0", "2");
	reconcile(receipt, "close", "0", "absent");
	assert_stands(receipt, 0, OP_CLOSED, RECEIPT_AMBIGUOUS);
	reconcile(receipt, "close", "1", "open");
	assert_stands(receipt, 1, OP_FAILED, RECEIPT_PARTLY);
	assert_int_equal(op_of(receipt, 1)->error, SGW_ERR_NOT_CLOSED);
}

/* A refresh: an opening, then the closing of what was opened before; the closing is told of both. */
static void
test_refresh_and_extension(void **state)
{
	char old[SGW_RECEIPT_LEN + 1], refresh[SGW_RECEIPT_LEN + 1];

	(void)state;
	open_ports(1, 8000);
	intent("open", "0", "1");
	outcome("open", "0", "1", "none", "");
	memcpy(old, receipt, sizeof(old));
	record.plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 8000, 8000, SOURCE);
	(void)FIELD_SET(record.plan.ops[1].receipt, old);
	record.plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 8000, 8000, "198.51.100.9");
	record.plan.n_ops = 2;
	consent();
	memcpy(refresh, receipt, sizeof(refresh));
	assert_int_equal(newest()->kind, RECEIPT_REFRESH);
	assert_int_equal(op_of(refresh, 1)->closes, op_of(old, 0)->closes); /* was due then */
	intent("open", "0", "1");
	outcome("open", "0", "1", "none", "");
	assert_stands(refresh, 1, OP_UNTRIED, RECEIPT_PARTLY);
	close_of(old, "0", "plan");
	assert_stands(old, 0, OP_CLOSED, RECEIPT_EXECUTED);
	assert_stands(refresh, 1, OP_CLOSED, RECEIPT_EXECUTED);
	assert_string_equal(op_of(refresh, 1)->closing, op_of(old, 0)->closing);
	/* the closing's receipt leads to the opening */
	assert_string_equal(receipts_find(&written, op_of(old, 0)->closing)->head.receipt, old);

	/* touched for after it had closed by itself: nothing is left to do */
	consent();
	assert_stands(receipt, 1, OP_CLOSED, RECEIPT_PARTLY);

	/* extended: by another touch, and due later */
	record = fixture_record();
	record.plan.ops[0] = fixture_op(ACTION_EXTEND, PROTO_TCP, 8000, 8000, "198.51.100.9");
	(void)FIELD_SET(record.plan.ops[0].receipt, refresh);
	record.closes_now = record.closes;
	record.closes += 1800;
	memset(record.description, 0, sizeof(record.description));
	consent();
	assert_int_equal(newest()->kind, RECEIPT_EXTENSION);
	assert_stands(receipt, 0, OP_EXTENDED, RECEIPT_EXECUTED);
	assert_int_equal(op_of(refresh, 0)->closes, CREATED + 3600 + 1800);
	assert_int_equal(receipts_find(&written, refresh)->head.closes, CREATED + 3600);
}

static void
test_taken_back(void **state)
{
	(void)state;
	open_ports(2, 8000);
	record.plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE);
	consent();
	assert_int_equal(newest()->kind, RECEIPT_BULK);
	intent("open", "0", "1");
	outcome("open", "0", "1", "none", "");
	outcome("close", "1", "1", "no_such_rule", "");
	assert_stands(receipt, 1, OP_FAILED, RECEIPT_PARTLY);
	close_of(receipt, "0", "compensation");
	assert_stands(receipt, 0, OP_TAKEN_BACK, RECEIPT_COMPENSATED);
}

static void
test_administrative(void **state)
{
	(void)state;
	entry(LEDGER_REMOVE);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put("uid", "1001");
	put("act", "remove-key");
	put("subject", "blue");
	put("digest", "0a");
	put("credential", "0a");
	put("counter", "7");
	put("authdata", "00");
	put("signature", "00");
	put("text", "a record\n");
	append();
	assert_int_equal(newest()->kind, RECEIPT_ADMIN);
	assert_int_equal(newest()->act, ACT_REMOVE_KEY);
	assert_int_equal(newest()->uid, 1001);
	assert_int_equal(newest()->result, RECEIPT_EXECUTED);
	assert_int_equal(newest()->n_ops, 0);
}

/* The oldest fall out: for want of entries, or of operations. */
static void
test_the_oldest_fall_out(void **state)
{
	char first[SGW_RECEIPT_LEN + 1], second[SGW_RECEIPT_LEN + 1];

	(void)state;
	open_ports(1, 8000);
	memcpy(first, receipt, sizeof(first));
	open_ports(1, 8000);
	memcpy(second, receipt, sizeof(second));
	for (unsigned i = 2; i < SGW_RECEIPTS_MAX; i++)
		open_ports(1, 8000);
	assert_int_equal(written.n, SGW_RECEIPTS_MAX);
	assert_int_equal(written.older, 0);
	assert_non_null(receipts_find(&written, first));
	open_ports(1, 8000);
	assert_int_equal(written.older, 1);
	assert_null(receipts_find(&written, first));
	assert_non_null(receipts_find(&written, second));
	for (unsigned i = 0; i < 45; i++)
		open_ports(SGW_OPS_MAX, 8000);
	assert_int_equal(written.n, SGW_RECEIPT_OPS_MAX / SGW_OPS_MAX);
	assert_int_equal(written.n + written.older, SGW_RECEIPTS_MAX + 1 + 45);
	assert_int_equal(written.ops_used, written.n * SGW_OPS_MAX);
	for (size_t i = 0; i < written.n; i++)
		for (size_t k = 0; k < SGW_OPS_MAX; k++)
			assert_int_equal(
			    receipts_op(&written, receipts_newest(&written, i), k)->op.from_port,
			    8000 + (int32_t)k);
	assert_null(receipts_newest(&written, written.n));
}

/* A chain that holds, of entries that fit nothing: nothing is written where it does not belong. */
static void
test_contradictions(void **state)
{
	(void)state;
	open_ports(2, 8000);
	close_of(receipt, "2", "expiry");
	close_of(receipt, "x", "expiry");
	outcome("open", "1", "2", "none", "");
	outcome("open", "0", "51", "none", "");
	intent("open", "50", "1");
	assert_stands(receipt, 0, OP_UNTRIED, RECEIPT_VOID);
	assert_stands(receipt, 1, OP_UNTRIED, RECEIPT_VOID);
	outcome("open", "0", "2", "no_error_of_ours", "");
	assert_int_equal(op_of(receipt, 0)->error, SGW_ERR_INTERNAL);
	reconcile(receipt, "open", "0", "open");
	assert_stands(receipt, 0, OP_FAILED, RECEIPT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_empty, begin),
	    cmocka_unit_test_setup(test_an_opening, begin),
	    cmocka_unit_test_setup(test_too_few_rules, begin),
	    cmocka_unit_test_setup(test_failures, begin),
	    cmocka_unit_test_setup(test_closings_of_others, begin),
	    cmocka_unit_test_setup(test_refresh_and_extension, begin),
	    cmocka_unit_test_setup(test_taken_back, begin),
	    cmocka_unit_test_setup(test_administrative, begin),
	    cmocka_unit_test_setup(test_the_oldest_fall_out, begin),
	    cmocka_unit_test_setup(test_contradictions, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
