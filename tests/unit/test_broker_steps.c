/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of several steps and groups: their order, and what happens where one of them fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "sigv4.h"

#define OTHER "sg-0fedcba9876543210"
#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"
#define OLD "sgw-bbbbbbbbbbbbbbbbbbbb"
#define SOURCE "203.0.113.7/32"
#define FOREIGN 80 /* the port of somebody else's rule in OTHER */

static int64_t ahead; /* s: what net says of AWS's clock; 0: nothing */

/* Touched for: opens a port in GROUP, closes a foreign rule in OTHER, opens one more in GROUP. */
static struct job *
three_steps(void)
{
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE), JOB_KEYS);
	struct rec_plan *p = &j->plan;
	struct record *r = &W.b.ceremony.record;

	p->ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, FOREIGN, FOREIGN, SOURCE);
	p->ops[2] = fixture_op(ACTION_OPEN, PROTO_TCP, 8444, 8444, SOURCE);
	(void)FIELD_SET(p->ops[1].group_id, OTHER);
	(void)FIELD_SET(p->groups[1].group_id, OTHER);
	p->n_ops = 3;
	p->n_groups = 2;
	assert_null(plan_problem(p));
	assert_int_equal(plan_steps(p), 3);
	W.b.collected[CALL_JOB].rules[0] =
	    fixture_rule("sgr-9", PROTO_TCP, FOREIGN, FOREIGN, SOURCE);
	W.b.collected[CALL_JOB].n_rules = 1;
	assert_true(seen_keep(&W.b, OTHER, &W.b.collected[CALL_JOB]));
	(void)FIELD_SET(j->receipt, RECEIPT);
	r->plan = *p;
	r->closes = clock_now() + 3600;
	(void)FIELD_SET(r->description, "uid 1000 #{receipt}");
	execute_begin(&W.b);
	return j;
}

static const struct msg_send *
sent(enum aws_op op)
{
	const struct msg_send *m = world_sent();

	assert_non_null(m);
	assert_int_equal(m->op, op);
	return m;
}

static bool
says(const struct msg_send *m, const char *what)
{
	return memmem(m->body, m->body_len, what, strlen(what)) != NULL;
}

static void
answer(const struct msg_send *m, unsigned status, const char *code)
{
	struct msg_done done = {
	    .request = m->request, .outcome = NET_ANSWERED, .http_status = (uint16_t)status};

	done.server_date = ahead ? clock_now() + ahead : 0;
	(void)FIELD_SET(done.code, code);
	aws_done(&W.b, &done);
}

/* AWS's page of the group, with a rule for each port that is not 0. */
static void
answer_rules(int32_t one, int32_t two)
{
	static struct msg_aws_rules page;
	const struct msg_send *m = sent(AWS_DESCRIBE_RULES);

	page.request = m->request;
	page.n_rules = 0;
	if (one)
		page.rules[page.n_rules++] =
		    fixture_rule(one == FOREIGN ? "sgr-9" : "sgr-1", PROTO_TCP, one, one, SOURCE);
	if (two)
		page.rules[page.n_rules++] = fixture_rule("sgr-2", PROTO_TCP, two, two, SOURCE);
	aws_page_rules(&W.b, &page);
	answer(m, 200, "");
}

static void
trial_runs(void)
{
	static const enum aws_op ops[] = {
	    AWS_AUTHORIZE_INGRESS, AWS_REVOKE_INGRESS, AWS_AUTHORIZE_INGRESS};

	for (size_t i = 0; i < 3; i++) {
		const struct msg_send *m = sent(ops[i]);

		assert_true(says(m, "DryRun=true"));
		assert_true(says(m, i == 1 ? OTHER : GROUP));
		answer(m, 412, "DryRunOperation");
	}
}

static void
first_step(void)
{
	trial_runs();
	answer_rules(0, 0);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8443, 0);
}

static void
test_all_steps(void **state)
{
	struct job *j = three_steps();

	first_step();
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	answer_rules(8443, 0); /* what the first step has opened is no change of somebody else's */
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8443, 8444);
	assert_int_equal(world_result()->status, STATUS_OK);
	assert_int_equal(world_result()->n_done, 3);
	assert_int_equal(world_result()->done[0].state, OP_OPEN);
	assert_int_equal(world_result()->done[1].state, OP_CLOSED);
	assert_int_equal(world_result()->done[2].state, OP_OPEN);
	assert_string_equal(world_result()->detail, "2 opened, 1 closed");
	assert_int_equal(j->state, JOB_FREE);
	assert_int_equal(W.b.chain.number, 6); /* an intent and an outcome for each */
}

/* A trial run that fails ends it before anything was changed. */
static void
test_a_trial_run_fails(void **state)
{
	(void)three_steps();
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation");
	answer(sent(AWS_REVOKE_INGRESS), 403, "UnauthorizedOperation");
	assert_int_equal(world_result()->status, STATUS_FAILED);
	assert_int_equal(world_result()->error, SGW_ERR_AWS_REFUSED);
	assert_int_equal(world_result()->done[0].state, OP_UNTRIED);
	assert_int_equal(world_result()->done[1].state, OP_FAILED);
	assert_null(world_sent());
}

/* What was opened is closed again; what was not tried is not. */
static void
test_taken_back(void **state)
{
	struct job *j = three_steps();

	first_step();
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 403, "UnauthorizedOperation");
	assert_int_equal(j->state, JOB_TAKE_BACK);
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	assert_int_equal(world_result()->status, STATUS_FAILED);
	assert_int_equal(world_result()->error, SGW_ERR_AWS_REFUSED);
	assert_int_equal(world_result()->done[0].state, OP_TAKEN_BACK);
	assert_true(receipt_id_ok(world_result()->done[0].closing));
	assert_int_equal(world_result()->done[1].state, OP_FAILED);
	assert_int_equal(world_result()->done[2].state, OP_UNTRIED);
	assert_non_null(
	    strstr(world_result()->detail, "1 opened and closed again, 1 failed, 1 not tried"));
	assert_null(W.b.active);
}

/* What was closed is not opened again, and that is said. */
static void
test_closed_stays_closed(void **state)
{
	(void)three_steps();
	first_step();
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	answer_rules(22, 8443); /* somebody opens 22 in the meantime */
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(22, 0);
	assert_int_equal(world_result()->error, SGW_ERR_STATE_CHANGED);
	assert_int_equal(world_result()->done[0].state, OP_TAKEN_BACK);
	assert_int_equal(world_result()->done[1].state, OP_CLOSED);
	assert_int_equal(world_result()->done[2].state, OP_FAILED);
	assert_non_null(strstr(world_result()->detail, "what was closed is NOT opened again"));
	assert_non_null(strstr(world_result()->detail, "added tcp/22 from " SOURCE));
}

static void
test_best_effort_goes_on(void **state)
{
	struct job *j = three_steps();

	j->plan.best_effort = true;
	first_step();
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 403, "UnauthorizedOperation");
	answer_rules(8443, 0);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8443, 8444);
	assert_int_equal(world_result()->status, STATUS_FAILED);
	assert_string_equal(world_result()->detail, "2 opened, 1 failed: UnauthorizedOperation");
}

/* In a plan of several steps no answer ends it too: what may be open is closed at once, not in a quarter of an hour. */
static void
test_unanswered_is_taken_back(void **state)
{
	const struct msg_send *m;
	struct job *j = three_steps();

	trial_runs();
	answer_rules(0, 0);
	m = sent(AWS_AUTHORIZE_INGRESS);
	aws_done(&W.b, &(struct msg_done){.request = m->request, .outcome = NET_NO_ANSWER});
	assert_int_equal(j->state, JOB_TAKE_BACK);
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	assert_int_equal(world_result()->done[0].state, OP_TAKEN_BACK);
	assert_int_equal(world_result()->error, SGW_ERR_AMBIGUOUS);
}

/* Whether an unanswered opening is there or not, that is no change by somebody else: the others go on. */
static void
unanswered_goes_on(int32_t made)
{
	const struct msg_send *m;
	struct job *j = three_steps();

	j->plan.best_effort = true;
	trial_runs();
	answer_rules(0, 0);
	m = sent(AWS_AUTHORIZE_INGRESS);
	aws_done(&W.b, &(struct msg_done){.request = m->request, .outcome = NET_NO_ANSWER});
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	answer_rules(made, 0);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8444, made);
	assert_int_equal(world_result()->status, STATUS_AMBIGUOUS);
	assert_int_equal(world_result()->done[0].state, OP_AMBIGUOUS);
	assert_int_equal(world_result()->done[2].state, OP_OPEN);
}

static void
regress_083_unanswered_and_made(void **state)
{
	unanswered_goes_on(8443);
}

static void
test_unanswered_and_not_made(void **state)
{
	unanswered_goes_on(0);
}

/* A refresh: the new one is opened, and then the closing machine closes the old one. */
static void
test_open_new_then_close_own(void **state)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 8443,
	    .to_port = 8443,
	    .closes = clock_now() + 3600,
	    .sent = clock_now() - 5000,
	    .state = GRANT_OPEN};
	struct job *j = world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, "203.0.113.9/32"), JOB_KEYS);

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, OLD);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	assert_non_null(grant_add(&W.b, &g, 0));
	j->plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE);
	(void)FIELD_SET(j->plan.ops[1].receipt, OLD);
	j->plan.n_ops = 2;
	assert_null(plan_problem(&j->plan));
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE));
	(void)FIELD_SET(j->receipt, RECEIPT);
	W.b.ceremony.record.closes = clock_now() + 3600;
	(void)FIELD_SET(W.b.ceremony.record.description, "uid 1000 #{receipt}");
	execute_begin(&W.b);
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation"); /* closing ours needs none */
	answer_rules(8443, 0);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8443, 0);
	j->deadline = clock_monotonic() - 1; /* the reads lag: three looks */
	job_timeouts(&W.b);
	answer_rules(8443, 0);
	j->deadline = clock_monotonic() - 1;
	job_timeouts(&W.b);
	answer_rules(8443, 0);
	assert_int_equal(j->state, JOB_OWN_STEP);
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	assert_int_equal(world_result()->done[0].state, OP_OPEN);
	assert_int_equal(world_result()->done[1].state, OP_CLOSED);
	assert_true(receipt_id_ok(world_result()->done[1].closing));
	assert_int_equal(world_result()->status, STATUS_OK);
}

/*
 * Net says with the second look that AWS's clock is a day ahead: it must not get a closing of somebody else's rule that
 * is good tomorrow, and can be said to have failed until then.  What changes nothing is signed for AWS's time.
 */
static void
regress_220_closing_signed_for_tomorrow(void **state)
{
	char now[SIGV4_DATE_LEN], later[SIGV4_DATE_LEN];
	const struct msg_send *m;

	(void)three_steps();
	first_step();
	ahead = 86000;
	answer_rules(FOREIGN, 0);
	ahead = 0;
	m = sent(AWS_REVOKE_INGRESS);
	sigv4_date(clock_now(), now);
	sigv4_date(clock_now() + 85000, later);
	assert_true(strcmp(m->amz_date, now) <= 0);
	answer(m, 200, "");
	m = sent(AWS_DESCRIBE_RULES);
	assert_true(strcmp(m->amz_date, later) > 0);
}

/* The steps of a plan have ten minutes from the touch on, and none opens what is to be closed by now. */
static void
late_is_taken_back(struct job *j, const char *why)
{
	answer_rules(FOREIGN, 0);
	assert_int_equal(j->state, JOB_TAKE_BACK);
	assert_non_null(strstr(j->detail, why));
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	assert_int_equal(world_result()->done[0].state, OP_TAKEN_BACK);
	assert_int_equal(world_result()->done[1].state, OP_FAILED);
	assert_int_equal(world_result()->done[2].state, OP_UNTRIED);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
}

static void
regress_221_long_after_the_touch(void **state)
{
	struct job *j = three_steps();

	first_step();
	j->touched -= SGW_RECORD_SECONDS_MAX * 1000 + 1000;
	late_is_taken_back(j, "ten minutes");
}

/* The wall clock was set forward: the foreign rule may still be closed, the third step opens nothing any more. */
static void
regress_221_behind_its_closing(void **state)
{
	struct job *j = three_steps();

	first_step();
	j->touched -= SGW_RECORD_SECONDS_MAX * 1000 - 30000;
	W.b.ceremony.record.closes = clock_now();
	answer_rules(FOREIGN, 0);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0, 0);
	answer_rules(8443, 0);
	assert_int_equal(j->state, JOB_TAKE_BACK);
	assert_int_equal(j->done[2].state, OP_FAILED);
	assert_non_null(strstr(j->detail, "closed again by now"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_all_steps),
	    TEST(test_a_trial_run_fails),
	    TEST(test_taken_back),
	    TEST(test_closed_stays_closed),
	    TEST(test_best_effort_goes_on),
	    TEST(test_unanswered_is_taken_back),
	    TEST(regress_083_unanswered_and_made),
	    TEST(test_unanswered_and_not_made),
	    TEST(test_open_new_then_close_own),
	    TEST(regress_220_closing_signed_for_tomorrow),
	    TEST(regress_221_long_after_the_touch),
	    TEST(regress_221_behind_its_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
