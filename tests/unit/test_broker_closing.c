/* SPDX-License-Identifier: Apache-2.0 */
/* Closings: what is closed is what was touched for, and no closing hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

static struct grant *
grant_make(const char *receipt, enum grant_state state, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .closes = closes,
	    .sent = clock_now() - 1000,
	    .state = state};

	g.source = fixture_cidr("198.51.100.7/32");
	(void)FIELD_SET(g.receipt, receipt);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

/* Net's answer to the closing's request: one page with that rule, or none. */
static void
read_answered(bool there)
{
	const struct msg_send *sent = world_sent();
	struct msg_done done = {.outcome = NET_ANSWERED, .http_status = 200};
	static struct msg_aws_rules page;

	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_DESCRIBE_RULES);
	page.request = done.request = sent->request;
	page.n_rules = there;
	page.rules[0] = fixture_rule("sgr-1", PROTO_TCP, 443, 443, "198.51.100.7/32");
	(void)FIELD_SET(page.rules[0].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	aws_page_rules(&W.b, &page);
	aws_done(&W.b, &done);
}

static const struct msg_send *
revoke_sent(void)
{
	const struct msg_send *sent = world_sent();

	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_REVOKE_INGRESS);
	return sent;
}

/* Closed before its time and opened anew with another touch: the look back must not close the new one. */
static void
test_check_leaves_a_new_opening(void **state)
{
	struct grant *old = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_CLOSED, 0);
	struct grant *new = grant_make("sgw-bbbbbbbbbbbbbbbbbbbb", GRANT_OPEN, clock_now() + 3600);

	closing_run(&W.b);
	read_answered(true);
	closing_run(&W.b);
	assert_null(world_sent());
	assert_false(old->used);
	assert_true(new->used);
}

/* The twin: with no such opening, somebody repeated the request, and it is closed again. */
static void
test_check_closes_what_came_back(void **state)
{
	const struct msg_send *sent;

	(void)grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_CLOSED, 0);
	closing_run(&W.b);
	read_answered(true);
	closing_run(&W.b);
	sent = world_sent();
	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_REVOKE_INGRESS);
}

/*
 * A rule that somebody else had taken away is opened again: the first touch's time must not cut the second one's
 * short.  Nothing that differs in any property is let go.
 */
static void
test_new_opening_takes_over(void **state)
{
	struct grant *old = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 600);
	struct grant *new =
	    grant_make("sgw-bbbbbbbbbbbbbbbbbbbb", GRANT_AMBIGUOUS, clock_now() + 3600);
	struct grant *other = grant_make("sgw-dddddddddddddddddddd", GRANT_OPEN, clock_now() + 600);
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_CALL);

	other->g.to_port = 444;
	(void)FIELD_SET(j->receipt, new->g.receipt);
	job_answer(&W.b, &(struct aws_result){.outcome = NET_ANSWERED, .http_status = 200});
	assert_int_equal(j->state, JOB_READ_BACK);
	assert_int_equal(new->g.state, GRANT_OPEN);
	assert_true(new->used && other->used);
	assert_false(old->used);
	assert_int_equal(W.b.chain.number, 1); /* its close is recorded */
}

/*
 * The same, while the first one is being closed: the revoke has taken the rule away, and what its read-back finds is
 * the new one's.  That was taken for a closing that had failed, and the new one was closed ten seconds later.
 */
static void
regress_149_opened_anew_while_closing(void **state)
{
	const struct aws_result opened = {.outcome = NET_ANSWERED, .http_status = 200};
	struct grant *old = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now());
	struct grant *new;
	struct job *j;

	closing_run(&W.b);
	aws_done(&W.b,
	    &(struct msg_done){
		.request = revoke_sent()->request, .outcome = NET_ANSWERED, .http_status = 200});
	new = grant_make("sgw-bbbbbbbbbbbbbbbbbbbb", GRANT_AMBIGUOUS, clock_now() + 3600);
	j = world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_CALL);
	(void)FIELD_SET(j->receipt, new->g.receipt);
	job_answer(&W.b, &opened);
	read_answered(true);
	assert_false(old->used);
	assert_true(new->used);
	assert_int_equal(W.b.closing.state, CLOSING_IDLE);
	assert_int_equal(W.b.chain.number, 1); /* its close is recorded */
	W.b.active = NULL;
	closing_run(&W.b);
	while (world_sent())
		assert_int_not_equal(W.sent.send.op, AWS_REVOKE_INGRESS);
}

/* Nor is a revoke sent while AWS may be making the same rule anew: should it refuse, the closing follows. */
static void
regress_149_no_revoke_beside_an_opening(void **state)
{
	const struct aws_result there = {
	    .outcome = NET_ANSWERED, .http_status = 400, .code = "InvalidPermission.Duplicate"};
	struct job *j;

	(void)grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now());
	j = world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_CALL);
	(void)FIELD_SET(j->receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	closing_run(&W.b);
	assert_null(world_sent());
	assert_int_equal(closing_next(&W.b), INT64_MAX);
	j->plan.ops[0].to_port = 444; /* another rule's opening keeps nothing open */
	assert_true(closing_next(&W.b) <= clock_monotonic());
	j->plan.ops[0].to_port = 443;
	job_answer(&W.b, &there);
	closing_run(&W.b);
	(void)revoke_sent();
}

/* What was closed while the ledger could not be written is told to it all the same. */
static void
regress_149_unrecorded_and_opened_anew(void **state)
{
	struct grant *old = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_CLOSED, 0);
	struct grant *new = grant_make("sgw-bbbbbbbbbbbbbbbbbbbb", GRANT_OPEN, clock_now() + 3600);

	old->unrecorded = true;
	closing_superseded(&W.b, new);
	assert_false(old->used);
	assert_int_equal(W.b.chain.number, 1);
}

/* The clock is put back between the request and its turn: the person's closing does not wait for it to catch up. */
static void
test_close_own_clock_back(void **state)
{
	struct grant *g =
	    grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_AMBIGUOUS, clock_now() + 3600);
	const struct msg_send *sent;

	world_active(
	    fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_READ_RULES);
	close_own_begin(&W.b, W.b.active);
	W.b.active = NULL;
	g->g.closes = clock_now() + 3000; /* as a clock that went back sees it */
	assert_true(closing_next(&W.b) <= clock_monotonic());
	closing_run(&W.b);
	sent = world_sent();
	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_REVOKE_INGRESS);
	aws_done(&W.b, &(struct msg_done){
			   .request = sent->request, .outcome = NET_ANSWERED, .http_status = 200});
	read_answered(false);
	assert_null(W.b.active);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_OK);
}

/* Whichever clock says first that the time is up: one that is set back, or one that stood still, keeps nothing open. */
static void
test_either_clock(void **state)
{
	struct grant *g = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 3600);

	closing_run(&W.b);
	assert_null(world_sent());
	g->closes_by = clock_monotonic();
	assert_true(closing_next(&W.b) <= clock_monotonic());
	closing_run(&W.b);
	(void)revoke_sent();
	W.b.closing.state = CLOSING_IDLE;
	W.b.calls[CALL_CLOSING].number = 0;
	g->closes_by = clock_monotonic() + 3600000;
	g->g.closes = clock_now();
	assert_true(closing_next(&W.b) <= clock_monotonic());
	closing_run(&W.b);
	(void)revoke_sent();
}

/* A plan to close what is ours, from its arrival on. */
static void
ask_to_close(void)
{
	static struct msg_plan m;

	m.client = 1;
	m.plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "198.51.100.7/32"));
	job_plan(&W.b, &m);
}

/* Somebody reads another plan on the screen: what is ours is closed all the same, and its receipt is told. */
static void
test_close_own_beside_a_plan(void **state)
{
	struct job *shown;

	(void)grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 3600);
	shown = world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, "198.51.100.9/32"), JOB_READING);
	ask_to_close();
	closing_run(&W.b);
	aws_done(&W.b,
	    &(struct msg_done){
		.request = revoke_sent()->request, .outcome = NET_ANSWERED, .http_status = 200});
	read_answered(false);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_OK);
	assert_int_equal(world_said(MSG_RESULT)->result.done[0].state, OP_CLOSED);
	assert_true(receipt_id_ok(world_said(MSG_RESULT)->result.done[0].closing));
	assert_ptr_equal(W.b.active, shown);
	assert_int_equal(shown->state, JOB_READING);
}

/* Asked twice: the second hears that it is under way, and nothing is sent twice. */
static void
test_close_own_twice(void **state)
{
	(void)grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 3600);
	ask_to_close();
	assert_null(world_said(MSG_RESULT));
	closing_run(&W.b);
	(void)revoke_sent();
	W.b.jobs[0].plan_id[5]++; /* another plan, or it would be the same one */
	ask_to_close();
	assert_int_equal(world_said(MSG_RESULT)->result.error, SGW_ERR_BUSY);
	closing_run(&W.b);
	assert_null(world_sent());
}

/*
 * The answer to a first try was lost, and AWS names in a success what it did not find any more.  That was taken for a
 * refusal, and the rule was to be closed for ever.
 */
static void
test_gone_already(void **state)
{
	struct grant *g = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now());

	closing_run(&W.b);
	aws_done(&W.b, &(struct msg_done){.request = revoke_sent()->request,
			   .outcome = NET_ANSWERED,
			   .http_status = 200,
			   .code = "UnknownIpPermissions"});
	read_answered(false);
	assert_false(grant_is_live(g));
	assert_int_equal(W.b.closing.error, SGW_ERR_NONE);
}

/* The closing that was asked for, to its end: the revoke is answered so, and a read finds nothing. */
static const struct rec_op_done *
closed_after(enum net_outcome outcome, const char *code)
{
	struct msg_done done = {
	    .outcome = outcome, .http_status = outcome == NET_ANSWERED ? (code[0] ? 400 : 200) : 0};

	(void)FIELD_SET(done.code, code);
	closing_run(&W.b);
	done.request = revoke_sent()->request;
	aws_done(&W.b, &done);
	read_answered(false);
	assert_int_equal(world_result()->status, STATUS_OK);
	return &world_result()->done[0];
}

/*
 * What somebody else had removed at AWS was closed by nobody here, and is told so; what AWS may have taken away for a
 * revoke of ours, however its answers came, was.
 */
static void
regress_150_gone_already(void **state)
{
	const struct rec_op_done *done;
	struct grant *g = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 3600);

	ask_to_close();
	done = closed_after(NET_ANSWERED, "InvalidPermission.NotFound");
	assert_int_equal(done->state, OP_CLOSED);
	assert_int_equal(done->error, SGW_ERR_NO_SUCH_RULE);
	assert_false(g->was_there);
	g = grant_make("sgw-bbbbbbbbbbbbbbbbbbbb", GRANT_OPEN, clock_now() + 3600);
	ask_to_close();
	done = closed_after(NET_NO_ANSWER, "");
	assert_int_equal(done->error, SGW_ERR_NONE);
	/* the read-back fails, and by the next try AWS knows it no more */
	g = grant_make("sgw-cccccccccccccccccccc", GRANT_OPEN, clock_now());
	closing_run(&W.b);
	aws_done(&W.b,
	    &(struct msg_done){
		.request = revoke_sent()->request, .outcome = NET_ANSWERED, .http_status = 200});
	aws_done(
	    &W.b, &(struct msg_done){.request = world_sent()->request, .outcome = NET_NO_ANSWER});
	assert_true(grant_is_live(g));
	ask_to_close();
	g->next_try = 0; /* no sooner than its pause allows */
	done = closed_after(NET_ANSWERED, "InvalidPermission.NotFound");
	assert_int_equal(done->error, SGW_ERR_NONE);
	assert_true(g->was_there);
}

/* The reader's session has ended early: the alarm names it and whose it is, and the closing is tried again. */
static void
test_expired_credentials(void **state)
{
	struct grant *g = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_OPEN, clock_now() + 3600);
	struct msg_done done = {
	    .outcome = NET_ANSWERED, .http_status = 400, .code = "ExpiredToken"};

	ask_to_close();
	closing_run(&W.b);
	done.request = revoke_sent()->request;
	aws_done(&W.b, &done);
	assert_int_equal(world_said(MSG_RESULT)->result.error, SGW_ERR_CREDENTIALS_EXPIRED);
	assert_int_equal(W.b.closing.error, SGW_ERR_CREDENTIALS_EXPIRED);
	assert_string_equal(W.b.closing.profile, "prod");
	assert_null(g->waiter);
	assert_true(grant_is_live(g));
	g->next_try = 0;
	closing_run(&W.b);
	done.code[0] = 0;
	done.http_status = 200;
	done.request = revoke_sent()->request;
	aws_done(&W.b, &done);
	read_answered(false);
	assert_int_equal(W.b.closing.error, SGW_ERR_NONE);
}

/* A closing of somebody else's rule without an answer: settled by a read, never sent again, never taken for ours. */
static void
test_foreign_is_settled_by_a_read(void **state)
{
	struct grant *g = grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_FOREIGN, 0);

	assert_false(grant_is_live(g));
	ask_to_close();
	assert_int_not_equal(W.b.jobs[0].state, JOB_CLOSE_OWN);
	W.b.active = NULL;
	(void)world_sent();
	closing_run(&W.b);
	read_answered(true);
	assert_false(g->used);
	closing_run(&W.b);
	assert_null(world_sent());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_check_leaves_a_new_opening, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		test_check_closes_what_came_back, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_new_opening_takes_over, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		regress_149_opened_anew_while_closing, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		regress_149_no_revoke_beside_an_opening, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		regress_149_unrecorded_and_opened_anew, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_either_clock, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_close_own_clock_back, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_close_own_beside_a_plan, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_close_own_twice, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_gone_already, world_open, world_close),
	    cmocka_unit_test_setup_teardown(regress_150_gone_already, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_expired_credentials, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		test_foreign_is_settled_by_a_read, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
