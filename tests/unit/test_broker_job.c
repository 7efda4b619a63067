/* SPDX-License-Identifier: Apache-2.0 */
/* A plan's way to the screen: what is not queued, what ends it on the way, and who may take it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "admin.h"
#include "recovery.h"

#define SOURCE "203.0.113.7/32"

static const struct aws_result ANSWERED = {.http_status = 200};

static struct job *
active(enum job_state state)
{
	return world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE), state);
}

/* ---- the group ---- */

static void
test_group_as_read(void **state)
{
	struct collected *c = &W.b.collected[CALL_JOB];

	(void)active(JOB_READ_GROUP);
	c->has_group = false;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_GROUP);
	(void)active(JOB_READ_GROUP);
	c->overflow = true; /* two, where one was asked for */
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_GROUP);
	c->overflow = false;
	(void)active(JOB_READ_GROUP);
	(void)FIELD_SET(c->group.group_id, "sg-00000000000000000");
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_GROUP);
	(void)active(JOB_READ_RULES);
	c->overflow = true;
	job_answer(&W.b, &(struct aws_result){.http_status = 200, .next_token = "more"});
	world_ended(STATUS_FAILED, SGW_ERR_AWS_BAD_ANSWER);
}

/* What is not awaited in that state moves nothing. */
static void
test_answer_out_of_turn(void **state)
{
	struct job *j = active(JOB_WAIT_SCREEN);

	job_answer(&W.b, &ANSWERED);
	assert_int_equal(j->state, JOB_WAIT_SCREEN);
	W.b.active = NULL;
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(W.n_planner, 0);
}

/* AWS's clock is learnt from its refusal: once more from the start, and once only. */
static void
test_request_expired(void **state)
{
	const struct aws_result r = {.http_status = 400, .code = "RequestExpired"};
	struct job *j = active(JOB_READ_RULES);

	job_answer(&W.b, &r);
	assert_int_equal(j->state, JOB_READ_GROUP);
	job_answer(&W.b, &r);
	world_ended(STATUS_FAILED, SGW_ERR_REQUEST_EXPIRED);
}

static void
identity_answered(const char *code, const char *message, const char *account)
{
	const struct msg_send *sent = world_sent();
	struct msg_done done = {.outcome = NET_ANSWERED, .http_status = code[0] ? 403 : 200};

	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_CALLER_IDENTITY);
	done.request = sent->request;
	(void)FIELD_SET(done.code, code);
	(void)FIELD_SET(done.message, message);
	(void)FIELD_SET(W.b.collected[CALL_IDENTITY].account, account);
	aws_done(&W.b, &done);
}

/*
 * STS calls what is signed for another time a wrong signature: AWS's clock is known by then, and it is asked once more,
 * for whoever waits and where nobody does.
 */
static void
regress_147_sts_says_expired(void **state)
{
	static const char wrong[] = "SignatureDoesNotMatch",
			  when[] = "Signature expired: 2026 is now";
	const struct aws_result other = {.http_status = 403,
	    .code = "SignatureDoesNotMatch",
	    .message = "The request signature we calculated"};
	struct job *j = active(JOB_QUEUED);

	assert_int_equal(aws_error(&other), SGW_ERR_AWS_REFUSED);
	W.b.profiles[0].account[0] = 0;
	job_restart(&W.b);
	assert_int_equal(j->state, JOB_IDENTITY);
	identity_answered(wrong, when, "");
	assert_int_equal(j->state, JOB_IDENTITY);
	identity_answered("", "", "111122223333");
	assert_int_equal(j->state, JOB_READ_GROUP);
	job_withdraw(&W.b, j->plan_id);
	(void)world_sent();
	W.b.profiles[0].account[0] = 0;
	W.b.profiles[0].asking = W.b.profiles[0].asked_again = false;
	identity_next(&W.b);
	identity_answered(wrong, when, "");
	identity_answered(wrong, when, "");
	assert_null(world_sent()); /* no oftener: net's word it is */
}

/* The time that was for STS's answer alone ran on over the reads behind it: a slow AWS was nobody's typed word. */
static void
regress_148_time_for_the_account(void **state)
{
	struct job *j = active(JOB_QUEUED);

	W.b.profiles[0].account[0] = 0;
	job_restart(&W.b);
	assert_int_not_equal(job_next_deadline(&W.b), INT64_MAX);
	identity_answered("", "", "111122223333");
	assert_int_equal(j->state, JOB_READ_GROUP);
	assert_int_equal(job_next_deadline(&W.b), INT64_MAX);
	j->state = JOB_IDENTITY;
	j->deadline = 1;
	job_timeouts(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
}

/* ---- the judgement ---- */

static void
test_close_names_what_is_there(void **state)
{
	struct job *j =
	    world_active(fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE), JOB_READ_RULES);

	world_rule(fixture_rule("sgr-00000000000000000", PROTO_TCP, 8443, 8443, SOURCE));
	job_judge(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_RULE); /* the rule is there under another id */
	W.b.collected[CALL_JOB].n_rules = 0;
	j = world_active(fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE), JOB_READ_RULES);
	j->plan.ops[0].rule_id[0] = 0; /* it is there, but a person must be able to point at it */
	world_rule(fixture_rule("sgr-00000000000000000", PROTO_TCP, 8443, 8443, SOURCE));
	job_judge(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
}

/* What goes out of a group is none of the policy's business, and no change of the state that the plan saw. */
static void
test_only_what_comes_in(void **state)
{
	struct collected *c = &W.b.collected[CALL_JOB];

	(void)active(JOB_READ_RULES);
	c->rules[0] = fixture_rule("sgr-00000000000000000", PROTO_ALL, -1, -1, "0.0.0.0/0");
	c->rules[0].egress = true;
	c->n_rules = 1;
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(c->n_rules, 0);
	world_ended(STATUS_REFUSED, SGW_ERR_FORBIDDEN); /* its source, and no changed state */
}

/* Opened by a plan before it while it waited: then it is ours, and to close it needs nobody. */
static void
test_ours_by_now(void **state)
{
	const struct rec_op op = fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE);
	struct job *j = world_active(op, JOB_READ_RULES);
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 8443,
	    .to_port = 8443,
	    .source = op.source,
	    .closes = clock_now() + 3600,
	    .sent = clock_now(),
	    .state = GRANT_OPEN};

	(void)FIELD_SET(g.receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	(void)grant_add(&W.b, &g, 0);
	world_rule(fixture_rule(op.rule_id, PROTO_TCP, 8443, 8443, SOURCE));
	W.b.ledger_fd = -1; /* nor does it wait for a disk */
	job_judge(&W.b);
	assert_null(W.b.active);
	assert_null(world_said(MSG_START_CEREMONY));
	assert_null(world_said(MSG_RESULT));
	assert_int_equal(j->state, JOB_CLOSE_OWN);
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
}

static void
test_group_unknown_to_the_judge(void **state)
{
	(void)active(JOB_READ_RULES);
	W.b.config.policy.allow_documentation = true;
	W.b.collected[CALL_JOB].has_group = false;
	job_judge(&W.b);
	world_ended(STATUS_REFUSED, SGW_ERR_NOT_OPTED_IN);
}

static void
test_cooled_down_meanwhile(void **state)
{
	(void)active(JOB_READ_RULES);
	W.b.config.policy.allow_documentation = true;
	W.b.keys.n_keys = 1;
	quota_of(&W.b, 1000)->cool_until = quota_now() + 60;
	job_judge(&W.b);
	world_ended(STATUS_REFUSED, SGW_ERR_COOLING_DOWN);
}

/* No record, no question; the plan of an enrolment too. */
static void
test_ledger_cannot_be_written(void **state)
{
	struct job *j = active(JOB_READ_RULES);

	W.b.config.policy.allow_documentation = true;
	W.b.ledger_fd = -1;
	job_judge(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	assert_false(W.b.ledger_ok);
	*j = (struct job){.kind = JOB_ENROLL, .state = JOB_QUEUED, .client = 1, .uid = 1000};
	(void)FIELD_SET(j->plan_id, "sgw-cccccccccccccccccccc");
	(void)FIELD_SET(j->key_name, "blue");
	W.b.active = j;
	job_restart(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
}

/* ---- leaving ---- */

static void
test_withdraw(void **state)
{
	struct job *j = active(JOB_WAIT_SCREEN);

	job_withdraw(&W.b, "sgw-zzzzzzzzzzzzzzzzzzzz"); /* no such plan */
	assert_int_equal(W.n_planner, 0);
	j->state = JOB_COMMIT; /* the touch has been made */
	job_withdraw(&W.b, j->plan_id);
	assert_int_equal(W.n_planner, 0);
	assert_ptr_equal(W.b.active, j);
	j->state = JOB_WAIT_SCREEN;
	job_withdraw(&W.b, j->plan_id);
	world_ended(STATUS_DENIED, SGW_ERR_CANCELLED);
}

static void
test_client_leaves(void **state)
{
	struct job *j = active(JOB_WAIT_SCREEN);

	W.b.jobs[1] = *j;
	W.b.jobs[1].state = JOB_QUEUED;
	(void)FIELD_SET(W.b.jobs[1].plan_id, "sgw-cccccccccccccccccccc");
	W.b.jobs[2] = W.b.jobs[1];
	W.b.jobs[2].client = 2;
	(void)FIELD_SET(W.b.jobs[2].plan_id, "sgw-dddddddddddddddddddd");
	job_client_gone(&W.b, 1);
	assert_int_equal(W.b.jobs[0].state, JOB_FREE);
	assert_int_equal(W.b.jobs[1].state, JOB_FREE);
	assert_ptr_equal(W.b.active, &W.b.jobs[2]); /* whose turn it is now */
}

/* ---- time ---- */

static void
test_times(void **state)
{
	struct job *j;

	assert_true(job_next_deadline(&W.b) == INT64_MAX);
	job_timeouts(&W.b);
	j = active(JOB_KEYS);
	assert_true(job_next_deadline(&W.b) == INT64_MAX);
	j->deadline = clock_monotonic() + 50000;
	W.b.ceremony.waiting_for_key = true;
	W.b.ceremony.next_look = j->deadline + 1;
	assert_true(job_next_deadline(&W.b) == j->deadline);
	job_timeouts(&W.b);
	assert_int_equal(W.n_control, 0);
	W.b.ceremony.next_look = clock_monotonic() - 1;
	assert_true(job_next_deadline(&W.b) == W.b.ceremony.next_look);
	job_timeouts(&W.b); /* is a key plugged in by now? */
	assert_non_null(world_said(MSG_START_KEYS));
	assert_ptr_equal(W.b.active, j);
	j->deadline = clock_monotonic() - 1;
	job_timeouts(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_NO_KEY);
	/* after the touch no time-out takes it back */
	j = active(JOB_COMMIT);
	j->deadline = clock_monotonic() - 1;
	job_timeouts(&W.b);
	assert_ptr_equal(W.b.active, j);
}

static void
test_seconds_left(void **state)
{
	struct job *j = active(JOB_READING);

	job_stage(&W.b, j, STAGE_ON_SCREEN, -5);
	assert_int_equal(world_said(MSG_STAGE)->stage.seconds_left, 0);
	job_stage(&W.b, j, STAGE_ON_SCREEN, 70000);
	assert_int_equal(world_said(MSG_STAGE)->stage.seconds_left, 65535);
	job_stage(&W.b, j, STAGE_ON_SCREEN, 119);
	assert_int_equal(world_said(MSG_STAGE)->stage.seconds_left, 119);
}

/* A code is shown, or asked for, until its record expires, though the wall clock is set back by two hours meanwhile. */
static void
regress_223_time_for_a_code(void **state)
{
	struct ceremony *c = &W.b.ceremony;
	struct job *j = active(JOB_READING);

	c->made = clock_monotonic() - 100000;
	c->record.created = clock_now() - 100 + 7200;
	c->record.expires = c->record.created + 300;
	code_show(&W.b);
	assert_int_equal(j->state, JOB_CODE);
	assert_int_equal(j->deadline, c->made + 300000);
	assert_in_range(world_said(MSG_STAGE)->stage.seconds_left, 198, 200);
	recovery_ask(&W.b);
	assert_int_equal(j->deadline, c->made + 300000);
	c->made -= 300000; /* its time is up */
	recovery_ask(&W.b);
	job_timeouts(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_EXPIRED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_group_as_read),
	    TEST(test_answer_out_of_turn),
	    TEST(test_request_expired),
	    TEST(regress_147_sts_says_expired),
	    TEST(regress_148_time_for_the_account),
	    TEST(test_close_names_what_is_there),
	    TEST(test_only_what_comes_in),
	    TEST(test_ours_by_now),
	    TEST(test_group_unknown_to_the_judge),
	    TEST(test_cooled_down_meanwhile),
	    TEST(test_ledger_cannot_be_written),
	    TEST(test_withdraw),
	    TEST(test_client_leaves),
	    TEST(test_times),
	    TEST(test_seconds_left),
	    TEST(regress_223_time_for_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
