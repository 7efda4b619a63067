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
	aws_page_rules(&W.b, &page);
	aws_done(&W.b, &done);
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

/* The clock is put back between the request and its turn: the person's closing does not wait for it to catch up. */
static void
test_close_own_clock_back(void **state)
{
	struct grant *g =
	    grant_make("sgw-aaaaaaaaaaaaaaaaaaaa", GRANT_AMBIGUOUS, clock_now() + 3600);
	const struct msg_send *sent;

	world_active(
	    fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_READ_RULES);
	execute_close_own(&W.b);
	g->g.closes = clock_now() + 3000; /* as a clock that went back sees it */
	assert_true(closing_next(&W.b) <= clock_now());
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_check_leaves_a_new_opening, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		test_check_closes_what_came_back, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_new_opening_takes_over, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_close_own_clock_back, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
