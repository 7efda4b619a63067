/* SPDX-License-Identifier: Apache-2.0 */
/* Closing what is ours on request: what of it is there, who else waits for it, and who may not ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"

static struct grant *
grant_make(int32_t port)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .closes = clock_now() + 3600,
	    .sent = clock_now() - 5000,
	    .state = GRANT_OPEN};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

static struct rec_plan
closing_both(void)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE));

	plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 444, 444, SOURCE);
	plan.n_ops = 2;
	return plan;
}

/* As a plan stands whose rules were ours when it came. */
static struct job *
begin(void)
{
	struct job *j =
	    world_active(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE), JOB_READ_RULES);

	j->plan = closing_both();
	W.b.active = NULL;
	W.n_planner = 0;
	close_own_begin(&W.b, j);
	return j;
}

static const struct msg_result *
result(void)
{
	const struct msg *m = world_said(MSG_RESULT);

	return m ? &m->result : NULL;
}

static void
test_closed_meanwhile(void **state)
{
	struct job *j = begin();

	assert_int_equal(result()->error, SGW_ERR_NO_SUCH_RULE);
	assert_string_equal(result()->detail, "it is closed already");
	assert_int_equal(j->state, JOB_FREE);
}

static void
test_being_closed(void **state)
{
	struct job other = {.state = JOB_CLOSE_OWN};
	struct grant *g = grant_make(443), *h = grant_make(444);

	g->waiter = h->waiter = &other;
	(void)begin();
	assert_int_equal(result()->error, SGW_ERR_BUSY);
	h->used = false; /* one of them is closed, the other is about to be */
	(void)begin();
	assert_int_equal(result()->error, SGW_ERR_BUSY);
	assert_ptr_equal(g->waiter, &other);
	g->used = false;
	h->used = true;
	(void)begin();
	assert_string_equal(result()->detail, "it is being closed already");
}

/* One that is open still is closed, whatever has become of the other. */
static void
test_what_is_left(void **state)
{
	struct grant *g = grant_make(444);
	struct job *j = begin();

	assert_null(result());
	assert_int_equal(j->n_waiting, 1);
	assert_ptr_equal(g->waiter, j);
	assert_true(g->g.closes <= clock_now());
	assert_string_equal(g->why, "request");
	close_own_ended(&W.b, g, SGW_ERR_NONE);
	assert_int_equal(result()->status, STATUS_OK);
	assert_int_equal(result()->done[0].state, OP_CLOSED); /* it is, by itself */
	assert_int_equal(result()->done[1].state, OP_CLOSED);
}

/* Of what another request is closing nobody knows yet: it is not called closed because the rest is. */
static void
regress_130_another_closes_one(void **state)
{
	struct job other = {.state = JOB_CLOSE_OWN};
	struct grant *g = grant_make(443), *h = grant_make(444);
	struct job *j;

	g->waiter = &other;
	j = begin();
	assert_int_equal(j->n_waiting, 1);
	close_own_ended(&W.b, h, SGW_ERR_NONE);
	assert_int_equal(result()->status, STATUS_FAILED);
	assert_int_equal(result()->error, SGW_ERR_BUSY);
	assert_string_equal(result()->detail, "1 of 2 is being closed by another request");
	assert_int_equal(result()->done[0].state, OP_FAILED);
	assert_int_equal(result()->done[0].error, SGW_ERR_BUSY);
	assert_int_equal(result()->done[1].state, OP_CLOSED);
	assert_ptr_equal(g->waiter, &other);
}

/* Both are waited for; the first that cannot be closed now ends the waiting, and nothing points at the job any more. */
static void
test_one_of_two(void **state)
{
	struct grant *g = grant_make(443), *h = grant_make(444);
	struct job *j = begin();

	close_own_ended(&W.b, g, SGW_ERR_NONE);
	assert_null(result());
	assert_int_equal(j->n_waiting, 1);
	close_own_ended(&W.b, h, SGW_ERR_AWS_UNREACHABLE);
	assert_int_equal(result()->error, SGW_ERR_NOT_CLOSED);
	assert_string_equal(
	    result()->detail, "1 of 2 not closed yet: it is tried again until it is");
	j = begin();
	close_own_ended(&W.b, h, SGW_ERR_CREDENTIALS_EXPIRED);
	assert_int_equal(result()->error, SGW_ERR_CREDENTIALS_EXPIRED);
	assert_string_equal(
	    result()->detail, "2 of 2 not closed yet: it is tried again until it is");
	assert_null(g->waiter);
	assert_true(g->used && h->used);
	j = begin();
	close_own_ended(&W.b, h, SGW_ERR_REQUEST_EXPIRED);
	assert_int_equal(result()->error, SGW_ERR_REQUEST_EXPIRED);
}

/* What is not plainly ours goes the way of every plan, to be judged. */
static void
test_not_taken(void **state)
{
	static struct job wanted;

	(void)grant_make(443);
	wanted = (struct job){.client = 1, .uid = 1000, .plan = closing_both()};
	assert_false(close_own_take(&W.b, &wanted)); /* the second one is somebody else's */
	(void)grant_make(444);
	wanted.plan.ops[1].rule_id[0] = 0; /* of no form: the policy forbids it */
	assert_false(close_own_take(&W.b, &wanted));
	wanted.plan.n_ops = 0;
	assert_false(close_own_take(&W.b, &wanted));
	wanted.plan = closing_both();
	wanted.plan.ops[1].action = ACTION_OPEN;
	assert_false(close_own_take(&W.b, &wanted));
	assert_null(result());
	wanted.plan = closing_both();
	W.b.config.policy.n_askers = 1; /* closing what is ours needs no leave to ask */
	W.b.config.policy.askers[0].uid = 2000;
	assert_true(close_own_take(&W.b, &wanted));
}

static void
test_no_place(void **state)
{
	static struct job wanted;
	struct grant *g = grant_make(443);

	(void)grant_make(444);
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		W.b.jobs[i].state = JOB_CLOSE_OWN;
	wanted = (struct job){.client = 1, .uid = 1000, .plan = closing_both()};
	assert_true(close_own_take(&W.b, &wanted));
	assert_int_equal(result()->error, SGW_ERR_QUEUE_FULL);
	assert_null(g->waiter);
	assert_int_equal(W.b.chain.number, 0);
}

/* A request of its own for each round: another reason makes another plan. */
static void
ask(void)
{
	static struct msg_plan m;
	static char reason[] = "reason a";

	m.client = 1;
	m.plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE));
	reason[7]++;
	(void)FIELD_SET(m.plan.reason, reason);
	W.n_planner = 0;
	job_plan(&W.b, &m);
}

/* What is sent now, if anything, AWS throttles. */
static unsigned
sent_and_refused(void)
{
	unsigned n = 0;

	closing_run(&W.b);
	while (world_sent()) {
		struct msg_done done = {.request = W.sent.send.request,
		    .outcome = NET_ANSWERED,
		    .http_status = 503,
		    .code = "Throttling"};

		n++;
		aws_done(&W.b, &done);
		closing_run(&W.b);
	}
	return n;
}

/*
 * AWS refuses the closing, and a client asks for it again and again: nobody counted that, every request was two records
 * and a revoke at once.  Now it is one request, one `due`, and no try sooner than ten seconds behind a failed one.
 */
static void
regress_212_in_a_loop(void **state)
{
	struct grant *g = grant_make(443);

	ask();
	assert_int_equal(sent_and_refused(), 1);
	assert_int_equal(result()->error, SGW_ERR_NOT_CLOSED);
	assert_int_equal(W.b.chain.number, 2); /* the request, and that it is due */
	for (unsigned i = 0; i < 5; i++) {
		int64_t now = clock_monotonic();

		g->tries = 6;
		g->failed = now;
		g->next_try = now + 300000;
		ask();
		assert_null(result());
		assert_int_equal(sent_and_refused(), 0);
		assert_true(g->next_try == now + 10000);
		ask(); /* beside it: turned away */
		assert_int_equal(result()->error, SGW_ERR_BUSY);
		g->next_try = 0;
		assert_int_equal(sent_and_refused(), 1);
		assert_int_equal(result()->error, SGW_ERR_NOT_CLOSED);
		assert_false(g->early);
		assert_int_equal(W.b.chain.number, 2);
	}
}

/* Hurried twice, it was tried at once: the pause was taken off each time. */
static void
regress_212_hurried_twice(void **state)
{
	struct grant *g = grant_make(443);
	int64_t now = clock_monotonic();

	g->tries = 6;
	g->failed = now;
	g->next_try = now + 300000;
	closing_hurry(g);
	closing_hurry(g);
	assert_true(g->next_try == now + 10000);
}

/* What is due by its time is asked for: in the ledger once, and no `due` on top of it. */
static void
regress_212_due_already(void **state)
{
	struct grant *g = grant_make(443);

	closing_due(g);
	g->tries = 1;
	g->failed = clock_monotonic();
	g->next_try = g->failed + 10000;
	ask();
	assert_int_equal(sent_and_refused(), 0);
	assert_int_equal(W.b.chain.number, 1);
	g->next_try = 0;
	assert_int_equal(sent_and_refused(), 1);
	assert_int_equal(W.b.chain.number, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_closed_meanwhile),
	    TEST(test_being_closed),
	    TEST(test_what_is_left),
	    TEST(regress_130_another_closes_one),
	    TEST(test_one_of_two),
	    TEST(test_not_taken),
	    TEST(test_no_place),
	    TEST(regress_212_in_a_loop),
	    TEST(regress_212_hurried_twice),
	    TEST(regress_212_due_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
