/* SPDX-License-Identifier: Apache-2.0 */
/* Trying an opener out: what may be tried, the one body that AWS is sent, and what its answer means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "admin.h"

static struct admin act;

static int
trial_open(void **state)
{
	if (world_open(state) < 0)
		return -1;
	memset(&act, 0, sizeof(act));
	W.b.admin = &act;
	W.b.config.use = USE_DEMO; /* the openers of this world stand in plaintext */
	return 0;
}

static struct job *
trying(const char *subject, const char *group)
{
	struct job *j = &W.b.jobs[0];

	*j = (struct job){
	    .kind = JOB_ADMIN, .act = ACT_TEST_OPENER, .state = JOB_KEYS, .client = 1, .uid = 1000};
	(void)FIELD_SET(j->plan_id, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(j->receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	(void)FIELD_SET(j->subject, subject);
	memset(&act, 0, sizeof(act));
	act.data_len = strlen(group);
	memcpy(act.data, group, act.data_len);
	(void)snprintf(W.b.ceremony.text, sizeof(W.b.ceremony.text), "what was shown\n");
	W.b.active = j;
	W.n_planner = 0;
	return j;
}

static struct job *
prepared(void)
{
	struct job *j = trying("prod opener", GROUP);
	const char *why;

	assert_int_equal(trial_prepare(&W.b, &why), SGW_ERR_NONE);
	return j;
}

static void
expect_end(enum status status, enum sgw_error error, const char *detail)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	assert_int_equal(m->result.status, status);
	assert_int_equal(m->result.error, error);
	assert_string_equal(m->result.detail, detail);
	assert_null(W.b.active);
}

static void
test_what_may_be_tried(void **state)
{
	static const struct {
		const char *subject, *group;
	} rows[] = {
	    {"", GROUP},
	    {"prod", GROUP},
	    {"prod-opener", GROUP},
	    {"nobody opener", GROUP},
	    {"prod reader", GROUP},
	    {"prod opener-", GROUP},
	    {"prod ", GROUP},
	    {"prod opener", ""},
	    {"prod opener", "sg-0123456789abcdeg0"},
	    {"prod opener", GROUP GROUP GROUP},
	    {"a-profile-whose-name-is-longer-than-any-profile-name-that-the-configuration-takes-"
	     "and-then-some-more opener",
		GROUP},
	};
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)trying(rows[i].subject, rows[i].group);
		assert_int_equal(trial_prepare(&W.b, &why), SGW_ERR_BAD_ARGUMENT);
		assert_non_null(strstr(why, "opener or opener-sensitive"));
		assert_int_equal(act.n_say, 0);
	}
	(void)prepared();
	assert_false(W.b.active->verdict.needs_pin);
	assert_int_equal(act.n_say, 3);
	assert_string_equal(act.say[1], "group       " GROUP ", eu-west-1");
	(void)trying("prod opener-sensitive", GROUP);
	assert_int_equal(trial_prepare(&W.b, &why), SGW_ERR_NONE);
	assert_true(W.b.active->verdict.needs_pin); /* by the touch that its tier wants */
}

static bool
says(const struct msg_send *m, const char *what)
{
	return memmem(m->body, m->body_len, what, strlen(what)) != NULL;
}

/* One body: a trial run, to an address of nobody's; and the test is in the ledger before it is sent. */
static void
test_sent(void **state)
{
	struct job *j = prepared();
	const struct msg_send *m;

	trial_agreed(&W.b);
	assert_int_equal(W.b.chain.number, 1);
	assert_int_equal(j->state, JOB_TRIAL);
	m = world_sent();
	assert_non_null(m);
	assert_int_equal(m->op, AWS_AUTHORIZE_INGRESS);
	assert_true(says(m, "DryRun=true"));
	assert_true(says(m, GROUP));
	assert_true(says(m, "192.0.2.1%2F32"));
	assert_null(world_sent());
}

static void
test_not_sent(void **state)
{
	struct job *j = prepared();
	int real = W.b.ledger_fd;

	W.b.ledger_fd = -1;
	trial_agreed(&W.b);
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
	W.b.ledger_fd = real;
	j = prepared();
	j->plan.ops[0].to_port = -5; /* of no form */
	trial_begin(&W.b);
	expect_end(STATUS_FAILED, SGW_ERR_INTERNAL, "");
	j = prepared();
	W.b.profiles[0].keys[TIER_OPENER].there = false;
	trial_begin(&W.b);
	assert_null(W.b.active);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_FAILED);
	assert_null(world_sent());
}

static void
answered(enum net_outcome outcome, unsigned status, const char *code)
{
	struct aws_result r = {.outcome = outcome, .http_status = (uint16_t)status};

	(void)FIELD_SET(r.code, code);
	prepared()->state = JOB_TRIAL;
	job_answer(&W.b, &r);
}

/* Only the one answer that EC2 gives to a trial run that would succeed is a yes. */
static void
test_answers(void **state)
{
	answered(NET_ANSWERED, 412, "DryRunOperation");
	expect_end(STATUS_OK, SGW_ERR_NONE, "AWS would let it open ports in " GROUP);
	answered(NET_ANSWERED, 403, "UnauthorizedOperation");
	expect_end(STATUS_FAILED, SGW_ERR_AWS_REFUSED, "UnauthorizedOperation");
	answered(NET_ANSWERED, 200, "");
	expect_end(STATUS_FAILED, SGW_ERR_AWS_BAD_ANSWER, "");
	answered(NET_NO_ANSWER, 0, "DryRunOperation");
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_FAILED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, trial_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_may_be_tried),
	    TEST(test_sent),
	    TEST(test_not_sent),
	    TEST(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
