/* SPDX-License-Identifier: Apache-2.0 */
/* Closings and settlings whose record cannot be written, which of several comes first, and what ours may be closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"

static const struct aws_result ANSWERED = {.http_status = 200};

static struct grant *
grant_make(int32_t port, enum grant_state state, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .closes = closes,
	    .sent = clock_now() - 5000,
	    .state = state};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

static void
answer(const struct aws_result *r)
{
	assert_non_null(world_sent());
	W.b.calls[CALL_CLOSING].number = 0;
	closing_answer(&W.b, r);
}

static void
rule_is_there(int32_t port)
{
	struct collected *c = &W.b.collected[CALL_CLOSING];

	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, port, port, SOURCE);
	(void)FIELD_SET(c->rules[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	c->n_rules = 1;
}

/* Closed, and the disk does not take it: said again until it does, and nothing is sent for it any more. */
static void
test_unrecorded(void **state)
{
	struct grant *g = grant_make(443, GRANT_OPEN, clock_now() - 5);
	int disk = W.b.ledger_fd;

	g->settle_at = 0;
	closing_run(&W.b);
	W.b.ledger_fd = -1;
	answer(&ANSWERED);
	answer(&ANSWERED); /* the read: it is gone */
	assert_true(g->used && g->unrecorded);
	assert_true(closing_next(&W.b) == g->next_try);
	g->next_try = 0;
	closing_run(&W.b);
	assert_true(g->unrecorded);
	g->next_try = 0;
	W.b.ledger_fd = disk;
	closing_run(&W.b);
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 1);
	assert_null(world_sent());
}

/* Closed before its time while the disk was full; the time for the second look has come. */
static struct grant *
unrecorded_until_the_look(void)
{
	struct grant *g = grant_make(443, GRANT_OPEN, clock_now() - 5);

	g->settle_at = clock_monotonic() + 500000;
	closing_run(&W.b);
	W.b.ledger_fd = -1;
	answer(&ANSWERED);
	answer(&ANSWERED);
	assert_true(g->used && g->unrecorded);
	g->settle_at = clock_monotonic() - 1;
	g->next_try = 0;
	return g;
}

/*
 * A closing that could be recorded only after AWS's window lost its second look: what a repeated opening had made stayed
 * open for good.  The look comes first; in the ledger the closing would be too late for any start to look once more.
 */
static void
regress_213_looked_at_all_the_same(void **state)
{
	int disk = W.b.ledger_fd;
	struct grant *g = unrecorded_until_the_look();

	W.b.ledger_fd = disk;
	closing_run(&W.b);
	rule_is_there(443);
	assert_int_equal(W.b.closing.state, CLOSING_READ);
	answer(&ANSWERED);
	assert_int_equal(g->g.state, GRANT_CLOSING);
	closing_run(&W.b);
	assert_int_equal(W.b.closing.state, CLOSING_REVOKE);
	answer(&ANSWERED);
	answer(&ANSWERED);
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 1); /* one closing, one record */
}

/* Nothing is there: recorded as soon as that can be, and looked at no more. */
static void
regress_213_recorded_after_the_look(void **state)
{
	int disk = W.b.ledger_fd;
	struct grant *g = unrecorded_until_the_look();

	closing_run(&W.b);
	answer(&ANSWERED);
	assert_true(g->used && g->unrecorded);
	assert_true(g->next_try > clock_monotonic());
	W.b.ledger_fd = disk;
	g->next_try = 0;
	closing_run(&W.b);
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 1);
	assert_null(world_sent());
}

/* Opened anew meanwhile: that one's rule is left alone, and the closing is recorded all the same. */
static void
regress_213_opened_anew(void **state)
{
	int disk = W.b.ledger_fd;
	struct grant *g = unrecorded_until_the_look();

	(void)grant_make(443, GRANT_OPEN, clock_now() + 3600);
	W.b.ledger_fd = disk;
	closing_run(&W.b);
	rule_is_there(443);
	answer(&ANSWERED);
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 1);
}

/* The disk has room again before the window is over: recorded at once, and looked at when it is. */
static void
test_recorded_before_the_look(void **state)
{
	int disk = W.b.ledger_fd;
	struct grant *g = unrecorded_until_the_look();

	g->settle_at = clock_monotonic() + 500000;
	W.b.ledger_fd = disk;
	closing_run(&W.b);
	assert_true(g->used && !g->unrecorded);
	assert_int_equal(W.b.chain.number, 1);
	assert_null(world_sent());
	g->settle_at = 0;
	closing_run(&W.b);
	answer(&ANSWERED);
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 2);
}

static struct grant *
settled(enum grant_state state)
{
	struct grant *g = grant_make(443, state, clock_now() + 3600);

	g->settle_at = 0;
	g->closes_by = clock_monotonic() + 3600000;
	closing_run(&W.b);
	return g;
}

/* An opening that AWS never answered for: open, or not there, or not to be recorded yet. */
static void
test_settled(void **state)
{
	struct grant *g = settled(GRANT_AMBIGUOUS);
	int disk = W.b.ledger_fd;

	rule_is_there(443);
	answer(&ANSWERED);
	assert_int_equal(g->g.state, GRANT_OPEN);
	assert_non_null(world_said(MSG_WROTE));
	g->used = false;
	g = settled(GRANT_AMBIGUOUS);
	answer(&ANSWERED);
	assert_false(g->used);
	g = settled(GRANT_AMBIGUOUS);
	W.b.ledger_fd = -1;
	answer(&ANSWERED);
	assert_true(g->used);
	assert_int_equal(g->tries, 1);
	W.b.ledger_fd = disk;
}

/* While AWS may still take the request nothing is read, whatever the wall clock says of when it was sent. */
static void
test_not_before_the_window(void **state)
{
	static const int64_t AGO[] = {0, 600, -86400};

	for (size_t i = 0; i < sizeof(AGO) / sizeof(AGO[0]); i++) {
		struct rec_grant sent = grant_make(443, GRANT_AMBIGUOUS, clock_now() + 3600)->g;
		int64_t left = SGW_SIGNATURE_WINDOW + SETTLE_MARGIN - (AGO[i] > 0 ? AGO[i] : 0);
		struct grant *g;

		W.b.grants[0].used = false;
		sent.sent = clock_now() - AGO[i];
		g = grant_add(&W.b, &sent, 0);
		assert_in_range(g->settle_at, clock_monotonic() + (left - 60) * 1000,
		    clock_monotonic() + (left + 5) * 1000);
		assert_true(closing_next(&W.b) == g->settle_at);
		closing_run(&W.b);
		assert_null(world_sent());
		g->used = false;
	}
}

static void
test_foreign_not_recorded(void **state)
{
	struct grant *g = settled(GRANT_FOREIGN);

	W.b.ledger_fd = -1;
	answer(&ANSWERED);
	assert_true(g->used);
	assert_int_equal(g->tries, 1);
}

/* What is due longest comes first. */
static void
test_the_longest_due(void **state)
{
	(void)grant_make(443, GRANT_OPEN, clock_now() - 5);
	(void)grant_make(444, GRANT_OPEN, clock_now() - 500);
	(void)grant_make(445, GRANT_OPEN, clock_now() - 50);
	closing_run(&W.b);
	assert_int_equal(W.b.closing.index, 1);
}

/* ---- what is asked for before its time ---- */

static struct job *
asked(size_t n)
{
	static struct msg_plan m;

	m = (struct msg_plan){.client = 1};
	m.plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE));
	for (size_t i = 1; i < n; i++) {
		m.plan.ops[i] = m.plan.ops[0];
		m.plan.ops[i].from_port = m.plan.ops[i].to_port = 443 + (int32_t)i;
		m.plan.ops[i].rule_id[5] = (char)('0' + i);
	}
	m.plan.n_ops = (uint16_t)n;
	W.n_planner = 0;
	job_plan(&W.b, &m);
	return &W.b.jobs[0];
}

/* Two of ours in one plan: it ends with the last, and each is told. */
static void
test_two_of_ours(void **state)
{
	struct job *j;

	grant_make(443, GRANT_OPEN, clock_now() + 3600)->settle_at = 0;
	grant_make(444, GRANT_OPEN, clock_now() + 3600)->settle_at = 0;
	j = asked(2);
	assert_int_equal(j->n_waiting, 2);
	for (int i = 0; i < 2; i++) {
		assert_null(world_said(MSG_RESULT));
		closing_run(&W.b);
		answer(&ANSWERED);
		answer(&ANSWERED);
	}
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_OK);
	assert_int_equal(world_said(MSG_RESULT)->result.done[0].state, OP_CLOSED);
	assert_int_equal(world_said(MSG_RESULT)->result.done[1].state, OP_CLOSED);
}

/* The first that cannot be closed now ends the waiting for all. */
static void
test_two_of_which_one_fails(void **state)
{
	struct grant *a = grant_make(443, GRANT_OPEN, clock_now() + 3600),
		     *b = grant_make(444, GRANT_OPEN, clock_now() + 3600);

	(void)asked(2);
	closing_run(&W.b);
	answer(&(struct aws_result){.http_status = 403, .code = "UnauthorizedOperation"});
	assert_int_equal(world_said(MSG_RESULT)->result.error, SGW_ERR_NOT_CLOSED);
	assert_null(a->waiter);
	assert_null(b->waiter);
	assert_true(a->used && b->used);
}

/* The same rule opened anew while a closing of the old opening is waited for: that one has ended. */
static void
test_waited_for_and_superseded(void **state)
{
	struct grant *old = grant_make(443, GRANT_OPEN, clock_now() + 600);
	struct grant *foreign = grant_make(443, GRANT_FOREIGN, 0), *new;

	(void)asked(1);
	assert_non_null(old->waiter);
	new = grant_make(443, GRANT_OPEN, clock_now() + 3600);
	closing_superseded(&W.b, new);
	assert_false(old->used);
	assert_true(new->used && foreign->used);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_OK);
}

/* Another account's or another region's opening of the same words is not it. */
static void
test_not_ours_to_close(void **state)
{
	struct grant *g = grant_make(443, GRANT_OPEN, clock_now() + 3600);
	const struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE));

	assert_true(close_own_is(&W.b, &plan));
	(void)FIELD_SET(g->g.account, "999999999999");
	assert_false(close_own_is(&W.b, &plan));
	(void)FIELD_SET(g->g.account, "111122223333");
	(void)FIELD_SET(g->g.region, "us-east-1");
	assert_false(close_own_is(&W.b, &plan));
}

static void
test_no_slot_for_it(void **state)
{
	struct grant *g = grant_make(443, GRANT_OPEN, clock_now() + 3600);

	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		W.b.jobs[i].state = JOB_QUEUED;
		W.b.jobs[i].uid = 77;
	}
	(void)asked(1);
	assert_int_equal(world_said(MSG_RESULT)->result.error, SGW_ERR_QUEUE_FULL);
	assert_null(g->waiter);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_unrecorded),
	    TEST(regress_213_looked_at_all_the_same),
	    TEST(regress_213_recorded_after_the_look),
	    TEST(regress_213_opened_anew),
	    TEST(test_recorded_before_the_look),
	    TEST(test_settled),
	    TEST(test_not_before_the_window),
	    TEST(test_foreign_not_recorded),
	    TEST(test_the_longest_due),
	    TEST(test_two_of_ours),
	    TEST(test_two_of_which_one_fails),
	    TEST(test_waited_for_and_superseded),
	    TEST(test_not_ours_to_close),
	    TEST(test_no_slot_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
