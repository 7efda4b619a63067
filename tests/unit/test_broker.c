/* SPDX-License-Identifier: Apache-2.0 */
/* What an owned net, planner or client's timing could once make the broker do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "198.51.100.7/32"

static const struct rec_op *
open_op(void)
{
	static struct rec_op op;

	W.b.config.policy.allow_documentation = true;
	op = fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE);
	return &op;
}

/* ---- judgement ---- */

/* The grant of an opening that stands. */
static struct grant *
standing(void)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 8443,
	    .to_port = 8443,
	    .closes = clock_now() + 3600,
	    .sent = clock_now(),
	    .state = GRANT_OPEN};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

/* A plan that opens what is open already was taken for one that closes it. */
static void
test_open_never_closes(void **state)
{
	struct grant *g = standing();

	world_active(*open_op(), JOB_READ_RULES);
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE));
	job_judge(&W.b);
	assert_int_equal(world_result()->status, STATUS_FAILED);
	assert_int_equal(world_result()->error, SGW_ERR_DUPLICATE);
	assert_null(g->waiter);
	assert_true(g->g.closes > clock_now());
	closing_run(&W.b);
	assert_null(world_sent());
}

/* An owned net that says "it is there already" took an operation out of the judgement, and AWS got it all the same. */
static void
test_net_hides_no_operation(void **state)
{
	struct job *j = world_active(*open_op(), JOB_READ_RULES);

	j->plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "0.0.0.0/0");
	j->plan.n_ops = 2;
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 22, 22, "0.0.0.0/0"));
	job_judge(&W.b);
	assert_int_equal(world_result()->error, SGW_ERR_DUPLICATE);
	assert_null(W.b.active);
	/* The twin: the harmless one alone comes to a person. */
	W.n_planner = 0;
	W.b.collected[CALL_JOB].n_rules = 0;
	W.b.keys.n_keys = 1;
	world_active(*open_op(), JOB_READ_RULES);
	job_judge(&W.b);
	assert_null(world_said(MSG_RESULT));
	assert_int_equal(W.b.active->state, JOB_WAIT_SCREEN);
}

/* ---- time ---- */

static int64_t
signed_at(const struct msg_send *m)
{
	char text[CLOCK_TEXT_LEN];
	int64_t when = 0;

	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", m->amz_date,
	    m->amz_date + 4, m->amz_date + 6, m->amz_date + 9, m->amz_date + 11, m->amz_date + 13);
	assert_int_equal(clock_parse(text, strlen(text), &when), 0);
	return when;
}

/*
 * The Date header is net's word.  An opening signed for tomorrow could be kept back and sent long after its closing
 * and every check, a closing of somebody else's rule (220) long after it was told as failed.  Closings of what is ours and
 * reads follow AWS's clock: no clock that is wrong keeps a rule open.
 */
static void
test_touched_is_signed_for_now(void **state)
{
	uint8_t memory[64];
	struct buf body = buf_over(memory, sizeof(memory));
	const struct msg_done done = {
	    .request = 99, .outcome = NET_ANSWERED, .server_date = clock_now() + 80000};
	const struct msg_send *m;

	(void)buf_puts(&body, "Action=x");
	W.b.calls[CALL_JOB] =
	    (struct call){.number = done.request, .deadline = clock_monotonic() + CALL_TIMEOUT};
	aws_done(&W.b, &done);
	(void)world_active(*open_op(), JOB_CALL);
	assert_int_equal(
	    aws_change(&W.b, CALL_JOB, AWS_AUTHORIZE_INGRESS, &W.b.profiles[0], "eu-west-1", &body),
	    SGW_ERR_NONE);
	m = world_sent();
	assert_non_null(m);
	assert_true(signed_at(m) <= clock_now());
	assert_int_equal(
	    aws_change(&W.b, CALL_JOB, AWS_REVOKE_INGRESS, &W.b.profiles[0], "eu-west-1", &body),
	    SGW_ERR_NONE);
	m = world_sent();
	assert_non_null(m);
	assert_true(signed_at(m) <= clock_now());
	assert_int_equal(aws_change(&W.b, CALL_CLOSING, AWS_REVOKE_INGRESS, &W.b.profiles[0],
			     "eu-west-1", &body),
	    SGW_ERR_NONE);
	m = world_sent();
	assert_non_null(m);
	assert_true(signed_at(m) > clock_now() + 79000);
}

/*
 * After a restart an opening counts as sent when its intent was written.  A net that drags the trial run and the read
 * out must not have it signed later than that: the intent is written when both are over, right before the call.
 */
static void
test_call_follows_intent(void **state)
{
	const struct aws_result r = {.outcome = NET_ANSWERED, .http_status = 200};

	W.b.keys.n_keys = 1;
	world_active(*open_op(), JOB_REREAD);
	W.b.ceremony.record.closes = clock_now() + 3600;
	(void)FIELD_SET(W.b.active->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(W.b.ceremony.record.description, "uid 1000 #{receipt}");
	assert_int_equal(W.b.chain.number, 0);
	job_answer(&W.b, &r);
	assert_int_equal(W.b.active->state, JOB_CALL);
	assert_int_equal(W.b.chain.number, 1);
	assert_non_null(world_sent());
}

/* Without an answer nothing is known, and what the planner remembers of the group may be wrong. */
static void
test_ambiguous_is_told(void **state)
{
	struct job *j = world_active(*open_op(), JOB_CALL);

	(void)FIELD_SET(j->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	job_answer(&W.b, &(struct aws_result){.outcome = NET_NO_ANSWER});
	assert_int_equal(world_result()->status, STATUS_AMBIGUOUS);
	assert_non_null(world_said(MSG_WROTE));
	assert_null(world_sent());
}

/* Nobody is asked for what AWS will not take. */
static void
test_clock_behind(void **state)
{
	W.b.clock_skew = 400;
	W.b.keys.n_keys = 1;
	world_active(*open_op(), JOB_READ_RULES);
	job_judge(&W.b);
	assert_int_equal(world_result()->error, SGW_ERR_CLOCK);
	/* the other way round is no trouble */
	W.n_planner = 0;
	W.b.clock_skew = -4000;
	world_active(*open_op(), JOB_READ_RULES);
	job_judge(&W.b);
	assert_null(world_said(MSG_RESULT));
}

static void
judge_closing(const struct rec_op *op, int32_t skew)
{
	W.n_planner = 0;
	W.b.clock_skew = skew;
	W.b.collected[CALL_JOB].n_rules = 0;
	world_active(*op, JOB_READ_RULES);
	world_rule(fixture_rule(op->rule_id, PROTO_TCP, 8443, 8443, SOURCE));
	job_judge(&W.b);
}

/* Nor for a closing of somebody else's rule.  What is ours alone is closed by any clock. */
static void
regress_220_clock_of_a_closing(void **state)
{
	struct rec_op op = fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE);
	struct grant *g;

	W.b.keys.n_keys = 1;
	judge_closing(&op, SKEW_OPEN_MAX + 1);
	assert_int_equal(world_result()->error, SGW_ERR_CLOCK);
	judge_closing(&op, SKEW_OPEN_MAX);
	assert_null(world_said(MSG_RESULT));
	g = standing();
	(void)FIELD_SET(op.receipt, g->g.receipt);
	judge_closing(&op, 80000);
	assert_null(world_said(MSG_RESULT));
	assert_ptr_equal(g->waiter, &W.b.jobs[0]);
}

/* A clock that is put right after having been far ahead took years of tokens away. */
static void
test_quota_clock_back(void **state)
{
	struct quota *q = quota_of(&W.b, 1000);

	assert_true(quota_plan(&W.b, 1000));
	q->refilled = clock_now() + 10 * 86400;
	assert_true(quota_plan(&W.b, 1000));
	assert_true(quota_plan(&W.b, 1000));
}

/* ---- keys ---- */

static struct job *
enrolling(const char *name)
{
	struct job *j = &W.b.jobs[0];

	*j = (struct job){.kind = JOB_ENROLL, .state = JOB_QUEUED, .client = 1, .uid = 1000};
	(void)FIELD_SET(j->plan_id, "sgw-cccccccccccccccccccc");
	(void)FIELD_SET(j->key_name, name);
	W.b.active = j;
	return j;
}

/* Two enrolments may wait at once; what was true when they came is looked at again when their turn comes. */
static void
test_enroll_list_full(void **state)
{
	for (size_t i = 0; i < SGW_KEYS_MAX; i++) {
		W.b.keys.keys[i].cred_id_len = 1;
		(void)snprintf(W.b.keys.keys[i].name, SGW_KEY_NAME_MAX, "key%zu", i);
	}
	W.b.keys.n_keys = SGW_KEYS_MAX;
	enrolling("ninth");
	job_restart(&W.b);
	assert_int_equal(world_result()->error, SGW_ERR_QUOTA);
	W.b.keys.n_keys = 2;
	W.n_planner = 0;
	enrolling("key1");
	job_restart(&W.b);
	assert_int_equal(world_result()->error, SGW_ERR_KEY_EXISTS);
	W.n_planner = 0;
	enrolling("third");
	job_restart(&W.b);
	assert_null(world_said(MSG_RESULT));
	assert_int_equal(W.b.active->state, JOB_WAIT_SCREEN);
}

/* "block" is for what is queued too. */
static void
test_enroll_blocked(void **state)
{
	quota_of(&W.b, quota_whose(1000, true))->blocked_until = clock_now() + 60;
	enrolling("third");
	job_restart(&W.b);
	assert_int_equal(world_result()->error, SGW_ERR_BLOCKED);
}

/* ---- the screen ---- */

static void
test_screen_becomes_shared(void **state)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	W.b.ceremony.consent = chan_open(ends[0], ROLE_BROKER, ROLE_CONSENT);
	W.b.ceremony.number = 5;
	W.b.ceremony.record.display = DISPLAY_TRUSTED;
	world_active(*open_op(), JOB_READING);
	W.b.screen = DISPLAY_TRUSTED;
	ceremony_screen(&W.b);
	assert_non_null(W.b.active);
	W.b.screen = DISPLAY_SHARED;
	ceremony_screen(&W.b);
	assert_null(W.b.active);
	assert_int_equal(world_result()->error, SGW_ERR_DISPLAY_NOT_TRUSTED);
	close(ends[1]);
}

/* A refusal of somebody's next plan wiped the outcome of this one off the screen. */
static void
test_outcome_stays(void **state)
{
	W.b.ceremony.number = 5;
	W.b.ceremony.record.closes = 12345;
	world_active(*open_op(), JOB_READ_GROUP);
	job_fail(&W.b, SGW_ERR_FORBIDDEN, "no");
	assert_null(world_said(MSG_END_CEREMONY));
	assert_int_equal(world_result()->closes, 0); /* nor is another record's time its own */
	/* The twin: one whose consent is being started, or has gone, is ended. */
	world_active(*open_op(), JOB_SPAWNING);
	ceremony_voided(&W.b);
	assert_non_null(world_said(MSG_END_CEREMONY));
}

static int
fido_end(uint8_t index)
{
	const struct msg_key_end m = {.ceremony = 5, .index = index, .count = 2};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	touch_end(&W.b, &m, ends[0]);
	return ends[1];
}

/* Of two plugged keys the first may say that it is not enrolled before the second has even started. */
static void
test_second_key_is_waited_for(void **state)
{
	W.b.ceremony.number = 5;
	world_active(*open_op(), JOB_READING)->deadline = clock_monotonic() + 60000;
	touch_begin(&W.b);
	W.b.ceremony.ask.id = MSG_ASK_ASSERTION;
	close(fido_end(0));
	touch_fido(&W.b, 0);
	assert_non_null(W.b.active);
	close(fido_end(1));
	touch_fido(&W.b, 1);
	assert_null(W.b.active);
	assert_int_equal(world_result()->error, SGW_ERR_KEY_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_open_never_closes, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_net_hides_no_operation, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		test_touched_is_signed_for_now, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_clock_behind, world_open, world_close),
	    cmocka_unit_test_setup_teardown(
		regress_220_clock_of_a_closing, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_call_follows_intent, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_second_key_is_waited_for, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_ambiguous_is_told, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_quota_clock_back, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_enroll_list_full, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_enroll_blocked, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_screen_becomes_shared, world_open, world_close),
	    cmocka_unit_test_setup_teardown(test_outcome_stays, world_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
