/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of several steps that end otherwise: no answer, no record, no room, and what is ours that does not close. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"
#define OLD "sgw-bbbbbbbbbbbbbbbbbbbb"
#define SOURCE "203.0.113.7/32"
#define LOST 0 /* no answer at all */

static const struct msg_result *
result(void)
{
	const struct msg *m = world_said(MSG_RESULT);

	return m ? &m->result : NULL;
}

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
	(void)FIELD_SET(g.receipt, OLD);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

static struct rec_op
close_own(int32_t port)
{
	struct rec_op op = fixture_op(ACTION_CLOSE, PROTO_TCP, port, port, SOURCE);

	(void)FIELD_SET(op.receipt, OLD);
	return op;
}

/* Touched for; `there`: the ports of the group's rules. */
static struct job *
begin(size_t n, const struct rec_op *ops, const int32_t *there)
{
	struct job *j = world_active(ops[0], JOB_KEYS);
	struct collected *c = &W.b.collected[CALL_JOB];

	memcpy(j->plan.ops, ops, n * sizeof(ops[0]));
	j->plan.n_ops = (uint16_t)n;
	j->plan.lifetime = plan_opens(&j->plan) ? 3600 : 0;
	assert_null(plan_problem(&j->plan));
	c->n_rules = 0;
	for (size_t i = 0; there[i]; i++)
		world_rule(fixture_rule("sgr-1", PROTO_TCP, there[i], there[i], SOURCE));
	(void)FIELD_SET(j->receipt, RECEIPT);
	W.b.ceremony.record.plan = j->plan;
	W.b.ceremony.record.closes = clock_now() + 3600;
	(void)FIELD_SET(W.b.ceremony.record.description, "uid 1000 #{receipt}");
	execute_begin(&W.b);
	return j;
}

/* Opens tcp/8443 and closes a foreign rule (tcp/80), in this order or the other. */
static struct job *
opens_and_closes(bool opens_first)
{
	static const int32_t there[] = {80, 0};
	struct rec_op ops[2];

	ops[!opens_first] = fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE);
	ops[opens_first] = fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE);
	return begin(2, ops, there);
}

/* Opens tcp/8443 and closes two of ours (tcp/81, tcp/82), which are open. */
static struct job *
open_then_own(struct grant *ours[2])
{
	static const int32_t there[] = {81, 82, 0};
	const struct rec_op ops[] = {
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE),
	    close_own(81),
	    close_own(82),
	};

	ours[0] = grant_make(81);
	ours[1] = grant_make(82);
	return begin(3, ops, there);
}

static const struct msg_send *
sent(enum aws_op op)
{
	const struct msg_send *m = world_sent();

	assert_non_null(m);
	assert_int_equal(m->op, op);
	return m;
}

static void
answer(enum aws_op op, unsigned status, const char *code)
{
	struct msg_done done = {.request = sent(op)->request,
	    .outcome = status == LOST ? NET_NO_ANSWER : NET_ANSWERED,
	    .http_status = (uint16_t)status};

	(void)FIELD_SET(done.code, code);
	aws_done(&W.b, &done);
}

/* A page of the group: its ports; `more`: it is not the last one. */
static void
answer_rules(const int32_t *ports, bool more)
{
	static struct msg_aws_rules page;
	struct msg_done done = {.outcome = NET_ANSWERED, .http_status = 200};

	done.request = page.request = sent(AWS_DESCRIBE_RULES)->request;
	(void)FIELD_SET(done.next_token, more ? "more" : "");
	for (page.n_rules = 0; ports[page.n_rules]; page.n_rules++)
		page.rules[page.n_rules] = fixture_rule(
		    "sgr-1", PROTO_TCP, ports[page.n_rules], ports[page.n_rules], SOURCE);
	aws_page_rules(&W.b, &page);
	aws_done(&W.b, &done);
}

#define RULES(...) answer_rules((const int32_t[]){__VA_ARGS__, 0}, false)

static void
trial_runs(enum aws_op first, enum aws_op second)
{
	answer(first, 412, "DryRunOperation");
	answer(second, 412, "DryRunOperation");
}

static void
expect_end(enum status status, enum sgw_error error, enum op_state first, enum op_state second)
{
	assert_non_null(result());
	assert_int_equal(result()->status, status);
	assert_int_equal(result()->error, error);
	assert_int_equal(result()->done[0].state, first);
	assert_int_equal(result()->done[1].state, second);
	assert_null(W.b.active);
}

/* Opens, to the read-back. */
static struct job *
opened(void)
{
	struct job *j = opens_and_closes(true);

	trial_runs(AWS_AUTHORIZE_INGRESS, AWS_REVOKE_INGRESS);
	RULES(80);
	answer(AWS_AUTHORIZE_INGRESS, 200, "");
	return j;
}

/* ---- no answer ---- */

/* What was closed without an answer may be closed: nothing more is tried, and nothing was opened. */
static void
test_foreign_unanswered(void **state)
{
	(void)opens_and_closes(false);
	trial_runs(AWS_REVOKE_INGRESS, AWS_AUTHORIZE_INGRESS);
	RULES(80);
	answer(AWS_REVOKE_INGRESS, LOST, "");
	expect_end(STATUS_AMBIGUOUS, SGW_ERR_AMBIGUOUS, OP_AMBIGUOUS, OP_UNTRIED);
	assert_string_equal(result()->detail, "1 unanswered, 1 not tried");
	assert_null(world_sent());
}

static void
test_best_effort_unanswered(void **state)
{
	struct job *j = opens_and_closes(false);

	j->plan.best_effort = true;
	trial_runs(AWS_REVOKE_INGRESS, AWS_AUTHORIZE_INGRESS);
	RULES(80);
	answer(AWS_REVOKE_INGRESS, LOST, "");
	RULES(80);
	answer(AWS_AUTHORIZE_INGRESS, 403, "UnauthorizedOperation");
	/* the first reason is the result's, and a failure is one whatever else is open */
	expect_end(STATUS_FAILED, SGW_ERR_AMBIGUOUS, OP_AMBIGUOUS, OP_FAILED);
	assert_string_equal(result()->detail, "1 failed, 1 unanswered");
}

static void
test_failed_and_then_unanswered(void **state)
{
	struct job *j = opens_and_closes(false);

	j->plan.best_effort = true;
	trial_runs(AWS_REVOKE_INGRESS, AWS_AUTHORIZE_INGRESS);
	RULES(80);
	answer(AWS_REVOKE_INGRESS, 403, "UnauthorizedOperation");
	RULES(80);
	answer(AWS_AUTHORIZE_INGRESS, LOST, "");
	expect_end(STATUS_FAILED, SGW_ERR_AWS_REFUSED, OP_FAILED, OP_AMBIGUOUS);
}

/* ---- no record ---- */

/* A step that cannot be recorded is the last one; what it opened is closed again. */
static void
test_ledger_fails_between(void **state)
{
	struct job *j = opened();
	int real = W.b.ledger_fd;

	W.b.ledger_fd = -1;
	RULES(80, 8443);
	assert_int_equal(j->state, JOB_TAKE_BACK);
	assert_int_equal(j->error, SGW_ERR_LEDGER_FAILED);
	assert_null(world_sent());
	W.b.ledger_fd = real;
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 200, "");
	RULES(80);
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED, OP_TAKEN_BACK, OP_UNTRIED);
	assert_non_null(strstr(result()->detail, "the ledger cannot be written"));
}

/* ---- reads that fail ---- */

/* Done, and only the look at it failed: the next step goes on, and both are said. */
static void
test_not_read_back(void **state)
{
	(void)opened();
	answer(AWS_DESCRIBE_RULES, 503, "Unavailable");
	RULES(80, 8443);
	answer(AWS_REVOKE_INGRESS, 200, "");
	answer(AWS_DESCRIBE_RULES, 503, "Unavailable");
	expect_end(STATUS_OK, SGW_ERR_NONE, OP_OPEN, OP_CLOSED);
	assert_string_equal(
	    result()->detail, "1 opened, 1 closed: AWS accepted the call; reading it back failed");
}

/* The next page cannot be asked for: before the call that ends the step, after it only the look at it. */
static void
test_page_cannot_be_asked(void **state)
{
	struct job *j = opens_and_closes(true);

	j->plan.best_effort = true;
	trial_runs(AWS_AUTHORIZE_INGRESS, AWS_REVOKE_INGRESS);
	W.b.collected[CALL_JOB].pages = 10000;
	answer_rules((const int32_t[]){80, 0}, true);
	assert_int_equal(j->done[0].state, OP_FAILED);
	RULES(80);
	answer(AWS_REVOKE_INGRESS, 200, "");
	W.b.collected[CALL_JOB].pages = 10000;
	answer_rules((const int32_t[]){0}, true);
	expect_end(STATUS_FAILED, j->error, OP_FAILED, OP_CLOSED);
}

/* ---- what is ours ---- */

static void
opened_first(void)
{
	answer(AWS_AUTHORIZE_INGRESS, 412, "DryRunOperation"); /* closing ours needs none */
	RULES(81, 82);
	answer(AWS_AUTHORIZE_INGRESS, 200, "");
	RULES(81, 82, 8443);
}

static void
test_own_closed(void **state)
{
	struct grant *ours[2];
	struct job *j = open_then_own(ours);

	opened_first();
	assert_int_equal(j->state, JOB_OWN_STEP);
	assert_int_equal(j->n_waiting, 2);
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 200, "");
	RULES(82, 8443);
	assert_int_equal(j->n_waiting, 1);
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 200, "");
	RULES(8443);
	expect_end(STATUS_OK, SGW_ERR_NONE, OP_OPEN, OP_CLOSED);
	assert_int_equal(result()->done[2].state, OP_CLOSED);
	assert_string_equal(result()->detail, "1 opened, 2 closed");
}

/* What has closed by itself meanwhile is closed; of what another request closes just now nobody knows yet (129). */
static void
test_own_closed_meanwhile(void **state)
{
	struct grant *ours[2];
	struct job other = {.state = JOB_CLOSE_OWN}, *j = open_then_own(ours);

	ours[0]->used = false;
	ours[1]->waiter = &other;
	opened_first();
	assert_int_equal(j->n_waiting, 0);
	assert_null(result()); /* steps do not nest: the main loop goes on with it */
	job_timeouts(&W.b);
	expect_end(STATUS_FAILED, SGW_ERR_BUSY, OP_OPEN, OP_CLOSED);
	assert_int_equal(result()->done[2].state, OP_FAILED);
	assert_ptr_equal(ours[1]->waiter, &other);
}

static void
own_refused(const char *code, enum sgw_error error)
{
	struct grant *ours[2];
	struct job *j = open_then_own(ours);

	opened_first();
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 400, code);
	assert_int_equal(j->error, error);
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 400, code);
	expect_end(STATUS_FAILED, error, OP_OPEN, OP_FAILED);
	assert_int_equal(result()->done[2].state, OP_FAILED);
	assert_non_null(
	    strstr(result()->detail, "what was opened here is closed as soon as that can be"));
	for (size_t i = 0; i < 2; i++) { /* tried again until it is closed, waited for or not */
		assert_true(grant_is_live(ours[i]));
		assert_null(ours[i]->waiter);
		assert_true(ours[i]->g.closes <= clock_now());
	}
}

static void
test_own_refused(void **state)
{
	own_refused("UnauthorizedOperation", SGW_ERR_NOT_CLOSED);
	assert_int_equal(world_close(state), 0);
	assert_int_equal(world_open(state), 0);
	own_refused("ExpiredToken", SGW_ERR_CREDENTIALS_EXPIRED);
}

/* Nothing of it needs a trial run where all of it is ours. */
static void
test_own_alone(void **state)
{
	static const int32_t there[] = {81, 0};
	const struct rec_op op = close_own(81);
	struct job *j;

	(void)grant_make(81);
	j = begin(1, &op, there);
	assert_null(world_sent());
	assert_int_equal(j->state, JOB_OWN_STEP);
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 200, "");
	RULES(0);
	assert_int_equal(result()->status, STATUS_OK);
	assert_int_equal(result()->done[0].state, OP_CLOSED);
	assert_string_equal(result()->detail, "");
}

/* ---- taken back ---- */

/* It cannot be closed again either: it stays ours, is still to be closed, and its state is not made prettier. */
static void
test_not_taken_back(void **state)
{
	struct job *j = opened();

	RULES(80, 8443);
	RULES(80, 8443);
	answer(AWS_REVOKE_INGRESS, 403, "UnauthorizedOperation");
	assert_int_equal(j->state, JOB_TAKE_BACK);
	closing_run(&W.b);
	answer(AWS_REVOKE_INGRESS, 403, "UnauthorizedOperation");
	expect_end(STATUS_FAILED, SGW_ERR_AWS_REFUSED, OP_OPEN, OP_FAILED);
	assert_true(grant_is_live(&W.b.grants[0]));
	assert_string_equal(W.b.grants[0].why, "compensation");
	assert_true(closing_next(&W.b) > clock_monotonic());
}

/* Somebody has closed it on request while the next step failed: then it is that one's to wait for. */
static void
test_taken_back_by_another(void **state)
{
	struct job other = {.state = JOB_CLOSE_OWN};

	(void)opened();
	RULES(80, 8443);
	W.b.grants[0].waiter = &other;
	RULES(80, 8443);
	answer(AWS_REVOKE_INGRESS, 403, "UnauthorizedOperation");
	expect_end(STATUS_FAILED, SGW_ERR_AWS_REFUSED, OP_OPEN, OP_FAILED);
	W.b.grants[0].waiter = NULL;
}

/* A detail that leaves no room for the count is told alone, and whole. */
static void
test_long_detail(void **state)
{
	struct job *j = opened();

	memset(j->detail, 'x', SGW_DETAIL_MAX);
	RULES(80, 8443);
	RULES(80, 8443);
	answer(AWS_REVOKE_INGRESS, 200, "");
	RULES(8443);
	expect_end(STATUS_OK, SGW_ERR_NONE, OP_OPEN, OP_CLOSED);
	assert_int_equal(strlen(result()->detail), SGW_DETAIL_MAX);
	assert_int_equal(strspn(result()->detail, "x"), SGW_DETAIL_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_foreign_unanswered),
	    TEST(test_best_effort_unanswered),
	    TEST(test_failed_and_then_unanswered),
	    TEST(test_ledger_fails_between),
	    TEST(test_not_read_back),
	    TEST(test_page_cannot_be_asked),
	    TEST(test_own_closed),
	    TEST(test_own_closed_meanwhile),
	    TEST(test_own_refused),
	    TEST(test_own_alone),
	    TEST(test_not_taken_back),
	    TEST(test_taken_back_by_another),
	    TEST(test_long_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
