/* SPDX-License-Identifier: Apache-2.0 */
/* A lockdown that comes at each point of a plan's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lockdown_world.h"
#include "execute.h"

/* ---- plans on their way ---- */

static void
test_on_the_screen(void **state)
{
	struct job *j = opening(JOB_READING);

	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 1);
	expect_locked_down();
	assert_int_equal(result()->status, STATUS_REFUSED);
	assert_string_equal(result()->policy_line, "deny.lockdown");
	assert_non_null(strstr(W.b.ledger_text, "reason lockdown\n"));
	assert_int_equal(j->state, JOB_FREE);
	assert_int_equal(W.b.chain.number, 2);
}

/* Whatever waits ends, in its scope, but for what closes. */
static void
test_in_the_queue(void **state)
{
	struct job *j = opening(JOB_READ_RULES), *jobs = W.b.jobs;

	for (unsigned i = 1; i < 4; i++) {
		jobs[i] = *j;
		jobs[i].state = JOB_QUEUED;
		jobs[i].order = i;
		(void)FIELD_SET(jobs[i].plan.ops[0].group_id, i == 1 ? GROUP : OTHER);
	}
	jobs[3].plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE));
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, GROUP)->ended, 2);
	assert_int_equal(result()->error, SGW_ERR_LOCKED_DOWN);
	assert_int_equal(jobs[0].state, JOB_FREE);
	assert_int_equal(jobs[1].state, JOB_FREE);
	assert_ptr_equal(W.b.active, &jobs[2]); /* its turn has come */
	assert_int_equal(jobs[3].state, JOB_QUEUED);
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 1);
	assert_ptr_equal(W.b.active, &jobs[3]);
}

/* What is no opening goes on: an enrolment, another act of the administrator, what has been touched for. */
static void
test_nothing_else(void **state)
{
	struct job *j = opening(JOB_READING);

	j->kind = JOB_ENROLL;
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, GROUP)->ended, 0);
	assert_ptr_equal(W.b.active, j);
	j->kind = JOB_ADMIN;
	j->act = ACT_TEST_KEY;
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, OTHER)->ended, 0);
	assert_ptr_equal(W.b.active, j);
	j->act = ACT_ENABLE;
	j->state = JOB_COMMIT; /* the touch has been made */
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 0);
	assert_ptr_equal(W.b.active, j);
	assert_null(world_said(MSG_RESULT));
}

/* Active, and its profile's account is still asked for. */
static void
test_before_its_first_read(void **state)
{
	struct job *j = opening(JOB_QUEUED);

	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 1);
	expect_locked_down();
	assert_int_equal(j->state, JOB_FREE);
	assert_int_equal(W.n_planner, 3); /* its end once, the lockdown, the answer */
}

static void
test_comes_too_late(void **state)
{
	struct msg_plan m = {.client = MACHINE};

	is_on(LOCKDOWN_GROUP, GROUP);
	m.plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE));
	job_plan(&W.b, &m);
	expect_locked_down();
	assert_string_equal(result()->policy_line, "deny.lockdown");
	assert_null(world_sent());
	assert_int_equal(W.b.chain.number, 1); /* the refusal */
	m.plan.ops[0] = fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE);
	m.plan.lifetime = 0;
	job_plan(&W.b, &m);
	assert_non_null(W.b.active); /* closing others' is asked for as always */
}

/* The policy's own line: for a plan that was queued before. */
static void
test_judged(void **state)
{
	(void)opening(JOB_READ_RULES);
	is_on(LOCKDOWN_PROFILE, "prod");
	job_judge(&W.b);
	expect_locked_down();
	assert_string_equal(result()->policy_line, "deny.lockdown");
}

static void
test_before_the_ceremony(void **state)
{
	(void)opening(JOB_READ_RULES);
	is_on(LOCKDOWN_ALL, "");
	ceremony_begin(&W.b);
	expect_locked_down();
	assert_null(world_said(MSG_START_CEREMONY));
}

static void
test_after_the_touch(void **state)
{
	struct ceremony *c = &W.b.ceremony;

	(void)opening(JOB_READING);
	c->number = 5;
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	(void)touch_ask(&W.b, &c->ask, false);
	is_on(LOCKDOWN_ALL, "");
	touched();
	expect_locked_down();
	assert_null(world_sent());
	assert_int_equal(W.b.chain.number, 1); /* the denial, and no consent */
	assert_null(strstr(W.b.ledger_text, "ledger consent"));
}

/* ---- after the touch ---- */

static const struct msg_send *
sent(enum aws_op op)
{
	const struct msg_send *m = world_sent();

	assert_non_null(m);
	assert_int_equal(m->op, op);
	return m;
}

static void
answer(const struct msg_send *m, unsigned status, const char *code)
{
	struct msg_done done = {
	    .request = m->request, .outcome = NET_ANSWERED, .http_status = (uint16_t)status};

	(void)FIELD_SET(done.code, code);
	aws_done(&W.b, &done);
}

static void
answer_rules_of(struct msg_send m, int32_t port)
{
	static struct msg_aws_rules page;

	page = (struct msg_aws_rules){.request = m.request};
	if (port)
		page.rules[page.n_rules++] = fixture_rule("sgr-1", PROTO_TCP, port, port, SOURCE);
	aws_page_rules(&W.b, &page);
	answer(&m, 200, "");
}

static void
answer_rules(int32_t port)
{
	answer_rules_of(*sent(AWS_DESCRIBE_RULES), port);
}

static void
test_before_the_trial_run(void **state)
{
	(void)opening(JOB_KEYS);
	is_on(LOCKDOWN_ALL, "");
	execute_begin(&W.b);
	expect_locked_down();
	assert_null(world_sent());
	assert_int_equal(result()->status, STATUS_FAILED);
	assert_int_equal(result()->done[0].state, OP_FAILED);
	assert_non_null(strstr(W.b.ledger_text, "error locked_down\n"));
}

static void
test_before_the_call(void **state)
{
	(void)opening(JOB_KEYS);
	execute_begin(&W.b);
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation");
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 0); /* it has been touched for */
	answer_rules(0);
	expect_locked_down();
	assert_null(world_sent());
	assert_null(strstr(W.b.ledger_text, "ledger intent"));
}

/* While AWS opens it: it ends as an opening, and is closed at once. */
static void
test_during_the_call(void **state)
{
	const struct msg_send *call;
	struct job *j = opening(JOB_KEYS);

	execute_begin(&W.b);
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation");
	answer_rules(0);
	call = sent(AWS_AUTHORIZE_INGRESS);
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->still_open, 1);
	closing_run(&W.b);
	assert_null(world_sent()); /* first its outcome */
	answer(call, 200, "");
	answer_rules(8443);
	assert_int_equal(j->state, JOB_TAKE_BACK);
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0);
	expect_locked_down();
	assert_int_equal(result()->status, STATUS_FAILED);
	assert_int_equal(result()->done[0].state, OP_TAKEN_BACK);
}

/* Between two steps, and the next one is no request to AWS: it closes what is ours. */
static void
test_between_steps(void **state)
{
	struct grant *old = open_grant(GROUP, 8444);
	struct job *j = opening(JOB_KEYS);

	j->plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 8444, 8444, SOURCE);
	(void)FIELD_SET(j->plan.ops[1].receipt, PLAN_B);
	j->plan.n_ops = 2;
	assert_null(plan_problem(&j->plan));
	execute_begin(&W.b);
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation");
	answer_rules(0);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->still_open, 2);
	answer_rules(8443);
	assert_int_equal(j->state, JOB_TAKE_BACK);
	for (unsigned i = 0; i < 2; i++) {
		closing_run(&W.b);
		answer(sent(AWS_REVOKE_INGRESS), 200, "");
		answer_rules(0);
	}
	expect_locked_down();
	assert_int_equal(result()->done[0].state, OP_TAKEN_BACK);
	assert_int_equal(old->g.state, GRANT_CLOSED);
}

/* What the lockdown has closed already when the plan hears of it was opened and closed again, too. */
static void
regress_128_closed_before(void **state)
{
	struct job *j = opening(JOB_KEYS);
	struct msg_send reread;

	j->plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE);
	j->plan.n_ops = 2;
	assert_null(plan_problem(&j->plan));
	W.b.collected[CALL_JOB].n_rules = 0;
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 80, 80, SOURCE));
	execute_begin(&W.b);
	answer(sent(AWS_AUTHORIZE_INGRESS), 412, "DryRunOperation");
	answer(sent(AWS_REVOKE_INGRESS), 412, "DryRunOperation");
	answer_rules(80);
	answer(sent(AWS_AUTHORIZE_INGRESS), 200, "");
	answer_rules(8443);
	assert_int_equal(j->state, JOB_REREAD);
	reread = *sent(AWS_DESCRIBE_RULES);
	(void)lockdown(1, LOCKDOWN_ALL, "");
	closing_run(&W.b);
	answer(sent(AWS_REVOKE_INGRESS), 200, "");
	answer_rules(0);
	answer_rules_of(reread, 80);
	expect_locked_down();
	assert_int_equal(result()->done[0].state, OP_TAKEN_BACK);
	assert_int_equal(result()->done[1].state, OP_FAILED);
	assert_non_null(strstr(result()->detail, "1 opened and closed again, 1 failed: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_on_the_screen),
	    TEST(test_in_the_queue),
	    TEST(test_nothing_else),
	    TEST(test_before_its_first_read),
	    TEST(test_comes_too_late),
	    TEST(test_judged),
	    TEST(test_before_the_ceremony),
	    TEST(test_after_the_touch),
	    TEST(test_before_the_trial_run),
	    TEST(test_before_the_call),
	    TEST(test_during_the_call),
	    TEST(test_between_steps),
	    TEST(regress_128_closed_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
