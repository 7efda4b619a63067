/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that arrive: who asks, how many, and what is not even queued. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"

static const struct aws_result ANSWERED = {.http_status = 200};

static void
plan_of(uint32_t client, int32_t port)
{
	struct msg_plan m = {.client = client};

	m.plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, port, port, SOURCE));
	job_plan(&W.b, &m);
}

static struct job *
active(enum job_state state)
{
	return world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE), state);
}

/* ---- arrival ---- */

static void
test_who_asks(void **state)
{
	struct msg_plan m = {.client = 1};

	plan_of(9, 8443); /* nobody */
	world_ended(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(W.b.chain.number, 0);
	m.plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE));
	(void)FIELD_SET(m.plan.region, "no region");
	job_plan(&W.b, &m);
	world_ended(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	m.plan.n_ops = 0; /* has no form at all, so no name either */
	job_plan(&W.b, &m);
	assert_int_equal(W.n_planner, 0);
}

static void
test_the_same_again(void **state)
{
	plan_of(1, 8443);
	assert_int_equal(W.b.active->state, JOB_READ_GROUP);
	W.n_planner = 0;
	plan_of(1, 8443);
	assert_int_equal(W.n_planner, 0); /* it is on its way */
}

static void
test_queue(void **state)
{
	const struct msg_client others[] = {{.client = 2, .admin = true, .uid = 1000},
	    {.client = 3, .admin = true, .uid = 1000}, {.client = 4, .admin = true, .uid = 1000},
	    {.client = 5, .admin = true, .uid = 1000}};

	for (size_t i = 0; i < 4; i++)
		client_add(&W.b, &others[i]);
	plan_of(1, 1);
	plan_of(1, 2);
	assert_int_equal(world_said(MSG_STAGE)->stage.stage, STAGE_QUEUED);
	W.n_planner = 0;
	plan_of(1, 3); /* one on the screen and one queued: enough */
	assert_int_equal(world_result()->error, SGW_ERR_QUEUE_FULL);
	for (uint32_t client = 2; client <= 4; client++)
		for (int k = 0; k < 2; k++) {
			W.n_planner = 0;
			plan_of(client, (int32_t)client * 10 + k);
			assert_null(world_said(MSG_RESULT));
		}
	W.n_planner = 0;
	plan_of(5, 77); /* a new connection of the same uid is no new place */
	assert_int_equal(world_result()->error, SGW_ERR_QUEUE_FULL);
}

/*
 * The machine has filled its queue and used up its prompts: the person at the terminal, the same user over admin.sock,
 * has a place, is served as soon as the screen is free, and the machine's block is not theirs.
 */
static void
test_the_person_goes_first(void **state)
{
	const struct msg_client machine[] = {{.client = 2, .uid = 1000}, {.client = 3, .uid = 1000},
	    {.client = 4, .uid = 1000}, {.client = 5, .uid = 1000}};

	for (uint32_t i = 0; i < 4; i++) {
		client_add(&W.b, &machine[i]);
		plan_of(i + 2, (int32_t)i * 2 + 1);
		plan_of(i + 2, (int32_t)i * 2 + 2);
	}
	W.n_planner = 0;
	plan_of(2, 100);
	assert_int_equal(world_result()->error, SGW_ERR_QUEUE_FULL);
	quota_of(&W.b, quota_whose(1000, false))->blocked_until = quota_now() + 600;
	W.n_planner = 0;
	plan_of(1, 443);
	assert_null(world_said(MSG_RESULT)); /* it waits: one of the machine's is being read */
	assert_int_equal(W.b.active->client, 2);
	job_end(&W.b, STATUS_DENIED, SGW_ERR_DENIED, "");
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->client, 1);
	assert_int_equal(W.b.active->plan.ops[0].from_port, 443);
}

static void
test_no_room_at_all(void **state)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		W.b.jobs[i].state = JOB_QUEUED;
		(void)snprintf(W.b.jobs[i].plan_id, SGW_RECEIPT_LEN, "plan %zu", i);
	}
	plan_of(1, 1);
	assert_int_equal(world_result()->error, SGW_ERR_QUEUE_FULL);
}

static void
test_too_many_plans(void **state)
{
	uint64_t before;

	W.b.config.policy.prompts_per_hour = 1;
	for (int i = 0; i < PLANS_PER_PROMPT; i++)
		assert_true(quota_plan(&W.b, quota_whose(1000, true)));
	before = W.b.chain.number;
	plan_of(1, 1);
	world_ended(STATUS_REFUSED, SGW_ERR_RATE_LIMITED);
	assert_int_equal(
	    W.b.chain.number, before); /* not even recorded: the disk is the honest's */
}

static void
test_blocked(void **state)
{
	quota_of(&W.b, quota_whose(1000, true))->blocked_until = quota_now() + 60;
	plan_of(1, 1);
	world_ended(STATUS_REFUSED, SGW_ERR_BLOCKED);
	assert_int_equal(W.b.chain.number, 1);
}

static void
test_enroll_arrives(void **state)
{
	struct msg_enroll m = {.client = 1, .plan_id = "no id", .name = "blue"};
	const struct msg_client plain = {.client = 2, .uid = 1000};

	client_add(&W.b, &plain);
	job_enroll(&W.b, &m); /* nobody to answer to */
	assert_int_equal(W.n_planner, 0);
	(void)FIELD_SET(m.plan_id, "sgw-cccccccccccccccccccc");
	m.client = 7;
	job_enroll(&W.b, &m);
	world_ended(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	m.client = 2; /* not over the admin's socket */
	job_enroll(&W.b, &m);
	world_ended(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	m.client = 1;
	m.name[0] = 0;
	job_enroll(&W.b, &m);
	world_ended(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	(void)FIELD_SET(m.name, "blue");
	job_enroll(&W.b, &m);
	assert_int_equal(W.b.active->state, JOB_WAIT_SCREEN);
	W.n_planner = 0;
	job_enroll(&W.b, &m); /* the same once more */
	assert_int_equal(W.n_planner, 0);
}

/* ---- before the reads ---- */

static void
test_profile_has_gone(void **state)
{
	struct job *j = active(JOB_QUEUED);

	(void)FIELD_SET(j->plan.profile, "nobody");
	job_restart(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_UNKNOWN_PROFILE);
	(void)FIELD_SET(active(JOB_QUEUED)->plan.region, "us-east-1");
	job_restart(&W.b);
	world_ended(STATUS_REFUSED, SGW_ERR_REGION_NOT_ALLOWED);
	W.b.profiles[0].has_keys = false;
	(void)active(JOB_QUEUED);
	job_restart(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS);
	W.b.profiles[0].has_keys = true;
	(void)FIELD_SET(active(JOB_QUEUED)->plan.account, "222222222222");
	job_restart(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_STATE_CHANGED);
	assert_null(world_sent());
}

static void
test_account_first(void **state)
{
	struct job *j = active(JOB_QUEUED);

	W.b.profiles[0].account[0] = 0;
	job_restart(&W.b);
	assert_int_equal(j->state, JOB_IDENTITY);
	assert_int_equal(world_sent()->op, AWS_CALLER_IDENTITY);
	(void)FIELD_SET(W.b.profiles[0].account, "111122223333");
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(j->state, JOB_READ_GROUP);
}

/* Reads that cannot be signed end the plan, at each of the three. */
static void
test_unsigned_reads(void **state)
{
	struct collected *c = &W.b.collected[CALL_JOB];
	struct aws_result more = {.http_status = 200, .next_token = "more"};

	(void)FIELD_SET(W.b.config.profiles[0].regions[0].name, "atlantis-1");
	(void)FIELD_SET(active(JOB_QUEUED)->plan.region, "atlantis-1");
	job_restart(&W.b);
	world_ended(STATUS_REFUSED, SGW_ERR_REGION_NOT_ALLOWED);
	(void)FIELD_SET(active(JOB_READ_GROUP)->plan.region, "atlantis-1");
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_REFUSED, SGW_ERR_REGION_NOT_ALLOWED);
	(void)FIELD_SET(active(JOB_READ_RULES)->plan.region, "atlantis-1");
	job_answer(&W.b, &more);
	world_ended(STATUS_REFUSED, SGW_ERR_REGION_NOT_ALLOWED);
	c->overflow = false;
}

static void
test_queue_waits_for_the_start(void **state)
{
	W.b.serving = false;
	plan_of(1, 1);
	assert_null(W.b.active);
	W.b.serving = true;
	job_next(&W.b);
	assert_non_null(W.b.active);
}

/* First come, first asked, whatever slot it lies in. */
static void
test_order(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		struct job *j = &W.b.jobs[i];

		*j = (struct job){.kind = JOB_CHANGE, .state = JOB_QUEUED, .order = 10 - i};
		j->plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 1, 1, SOURCE));
	}
	W.b.jobs[3] = W.b.jobs[2];
	W.b.jobs[3].order = 99;
	job_next(&W.b);
	assert_ptr_equal(W.b.active, &W.b.jobs[2]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_who_asks),
	    TEST(test_the_same_again),
	    TEST(test_queue),
	    TEST(test_the_person_goes_first),
	    TEST(test_no_room_at_all),
	    TEST(test_too_many_plans),
	    TEST(test_blocked),
	    TEST(test_enroll_arrives),
	    TEST(test_profile_has_gone),
	    TEST(test_account_first),
	    TEST(test_unsigned_reads),
	    TEST(test_queue_waits_for_the_start),
	    TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
