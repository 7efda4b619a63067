/* SPDX-License-Identifier: Apache-2.0 */
/* Clients, quotas, profiles and grants: full tables, limits, and what each of them tells the planner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "status.h"

#define SOURCE "198.51.100.7/32"

/* ---- clients ---- */

static void
test_table_of_clients(void **state)
{
	struct msg_client m = {.uid = 5};

	for (uint32_t n = 2; n <= SGW_CLIENTS_MAX + 1; n++) {
		m.client = n;
		client_add(&W.b, &m);
	}
	assert_non_null(client_find(&W.b, SGW_CLIENTS_MAX));
	assert_null(client_find(&W.b, SGW_CLIENTS_MAX + 1)); /* no room: it is not known */
	assert_null(client_find(&W.b, 0));
	client_remove(&W.b, 700);
	assert_null(client_find(&W.b, 700));
	client_remove(&W.b, 7777777); /* nobody */
	m.client = SGW_CLIENTS_MAX + 1;
	client_add(&W.b, &m);
	assert_int_equal(client_find(&W.b, SGW_CLIENTS_MAX + 1)->uid, 5);
}

/* ---- quotas ---- */

static void
test_quota_problems(void **state)
{
	char detail[SGW_DETAIL_MAX + 1] = "";
	struct quota *q = quota_of(&W.b, 1000);

	W.b.config.policy.prompts_per_hour = 3;
	assert_int_equal(quota_problem(&W.b, 1000, detail), SGW_ERR_NONE);
	q->blocked_until = quota_now() + 100;
	assert_int_equal(quota_problem(&W.b, 1000, detail), SGW_ERR_BLOCKED);
	assert_non_null(strstr(detail, "blocked until 20"));
	q->blocked_until = 0;
	q->cool_until = quota_now() + 100;
	assert_int_equal(quota_problem(&W.b, 1000, detail), SGW_ERR_COOLING_DOWN);
	assert_non_null(strstr(detail, "not before 20"));
	q->cool_until = 0;
	for (int i = 0; i < 3; i++)
		assert_true(quota_prompt(&W.b, 1000));
	assert_false(quota_prompt(&W.b, 1000));
	assert_int_equal(quota_problem(&W.b, 1000, detail), SGW_ERR_RATE_LIMITED);
	assert_string_equal(detail, "policy line limit.prompts: 3 an hour");
	assert_int_equal(quota_problem(&W.b, 1001, detail), SGW_ERR_NONE); /* another's is whole */
	for (size_t i = 0; i < 3; i++)
		q->prompts[i] -= 3700; /* an hour later */
	assert_true(quota_prompt(&W.b, 1000));
}

/* However much the policy allows, no more than can be remembered. */
static void
test_quota_most(void **state)
{
	W.b.config.policy.prompts_per_hour = 1000;
	for (int i = 0; i < 64; i++)
		assert_true(quota_prompt(&W.b, 1000));
	assert_false(quota_prompt(&W.b, 1000));
}

static void
test_plans_run_out(void **state)
{
	W.b.config.policy.prompts_per_hour = 2;
	for (int i = 0; i < 2 * PLANS_PER_PROMPT; i++)
		assert_true(quota_plan(&W.b, 1000));
	assert_false(quota_plan(&W.b, 1000));
	quota_of(&W.b, 1000)->refilled -= 3600 / (2 * PLANS_PER_PROMPT);
	assert_true(quota_plan(&W.b, 1000));
	assert_false(quota_plan(&W.b, 1000));
}

/* A flood of uids frees nobody who is blocked. */
static void
test_quietest_makes_room(void **state)
{
	for (uint32_t uid = 0; uid < SGW_QUOTAS_MAX; uid++)
		quota_of(&W.b, uid)->blocked_until = quota_now() + 1000;
	quota_of(&W.b, 17)->blocked_until = 0;
	quota_of(&W.b, 18)->blocked_until = 0;
	quota_of(&W.b, 17)->prompts[5] = quota_now(); /* 18 is the quieter of the two */
	quota_of(&W.b, 40)->cool_until = quota_now() + 5000;
	(void)quota_of(&W.b, 5000);
	for (uint32_t uid = 0; uid < SGW_QUOTAS_MAX; uid++)
		if (uid != 17 && uid != 18)
			assert_true(quota_of(&W.b, uid)->blocked_until > 0);
	assert_true(quota_of(&W.b, 17)->prompts[5] > 0);
}

static void
limit_says(uint32_t uid, bool person, enum limit_event event, int64_t time)
{
	const struct msg_loaded_limit m = {
	    .uid = uid, .person = person, .event = event, .time = time};

	quota_loaded(&W.b, &m);
}

static enum sgw_error
limited(uint64_t whose)
{
	char detail[SGW_DETAIL_MAX + 1];

	return quota_problem(&W.b, whose, detail);
}

/* A no, a block and each prompt count from their own time on, whoever was started in between. */
static void
test_limits(void **state)
{
	const uint64_t person = quota_whose(1000, true);
	const int64_t now = clock_now();

	limit_says(1000, false, LIMIT_DENIAL, now - COOLDOWN_SECONDS + 30);
	assert_int_equal(limited(1000), SGW_ERR_COOLING_DOWN);
	assert_in_range(quota_of(&W.b, 1000)->cool_until - quota_now(), 20, 30);
	assert_int_equal(limited(1001), SGW_ERR_NONE);
	assert_int_equal(limited(person), SGW_ERR_NONE); /* the machine's no is not its person's */
	limit_says(1000, true, LIMIT_BLOCK, now - BLOCK_SECONDS + 30);
	assert_int_equal(limited(person), SGW_ERR_BLOCKED);
	limit_says(1001, false, LIMIT_DENIAL, now - COOLDOWN_SECONDS - 1); /* is over */
	limit_says(1001, false, LIMIT_BLOCK, now - BLOCK_SECONDS - 1);
	assert_int_equal(limited(1001), SGW_ERR_NONE);
	W.b.config.policy.prompts_per_hour = 3;
	limit_says(1001, false, LIMIT_PROMPT, now - 3601);
	limit_says(1001, false, LIMIT_PROMPT, now - 3500);
	limit_says(1001, false, LIMIT_PROMPT, now - 10);
	assert_int_equal(limited(1001), SGW_ERR_NONE);
	limit_says(1001, false, LIMIT_PROMPT, now);
	assert_int_equal(limited(1001), SGW_ERR_RATE_LIMITED);
	quota_of(&W.b, 1001)->prompts[0] -= 101; /* the oldest of them is an hour ago now */
	assert_int_equal(limited(1001), SGW_ERR_NONE);
}

/* A wall clock that was set back frees nobody, and limits nobody for longer than the limit itself. */
static void
test_limits_and_clocks(void **state)
{
	const int64_t now = clock_now();

	W.b.head.time = now + 7200;
	limit_says(1, false, LIMIT_DENIAL, now + 7200 - 30);
	assert_int_equal(limited(1), SGW_ERR_COOLING_DOWN);
	assert_in_range(quota_of(&W.b, 1)->cool_until - quota_now(), 20, COOLDOWN_SECONDS - 30);
	limit_says(2, false, LIMIT_DENIAL, now + 7200 - COOLDOWN_SECONDS);
	assert_int_equal(limited(2), SGW_ERR_NONE);
	limit_says(3, false, LIMIT_DENIAL, now + 90000); /* set back between two records */
	assert_in_range(quota_of(&W.b, 3)->cool_until - quota_now(), 50, COOLDOWN_SECONDS);
	limit_says(4, false, LIMIT_DENIAL, INT64_MIN);
	limit_says(4, false, LIMIT_BLOCK, INT64_MIN);
	assert_int_equal(limited(4), SGW_ERR_NONE);
	limit_says(5, false, LIMIT_BLOCK, INT64_MAX);
	assert_in_range(quota_of(&W.b, 5)->blocked_until - quota_now(), 590, BLOCK_SECONDS);
}

/* ---- profiles ---- */

static void
test_keys_of_profiles(void **state)
{
	static struct msg_loaded_profile m;
	struct profile *p = &W.b.profiles[0];
	struct msg_loaded_profile zero = {0};

	p->has_keys = p->keys[TIER_READER].there = false;
	(void)FIELD_SET(m.name, "prod");
	profile_loaded(&W.b, &m);
	assert_false(p->has_keys);
	(void)FIELD_SET(m.name, "prod");
	(void)FIELD_SET(m.access_key_id, "AKIA");
	profile_loaded(&W.b, &m);
	assert_false(p->has_keys);
	(void)FIELD_SET(m.name, "another");
	(void)FIELD_SET(m.access_key_id, "AKIA");
	(void)FIELD_SET(m.secret_key, "secret");
	profile_loaded(&W.b, &m);
	assert_false(p->has_keys);
	assert_memory_equal(&m, &zero, sizeof(m)); /* taken or not, it is erased */
	assert_null(profile_find(&W.b, "another"));
	assert_false(profile_allows(p, "us-east-1"));
	profiles_tell(&W.b);
	assert_false(world_said(MSG_PROFILES)->profiles.profiles[0].has_credentials);
}

static void
identity_says(enum net_outcome outcome, const char *account)
{
	const struct msg_send *sent = world_sent();
	struct msg_aws_identity m = {0};

	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_CALLER_IDENTITY);
	m.request = sent->request;
	(void)FIELD_SET(m.account, account);
	aws_identity(&W.b, &m);
	aws_done(
	    &W.b, &(struct msg_done){.request = m.request, .outcome = outcome, .http_status = 200});
}

static void
test_whose_account(void **state)
{
	struct profile *p = &W.b.profiles[0];

	identity_next(&W.b);
	assert_null(world_sent()); /* it is known */
	p->account[0] = 0;
	p->has_keys = false;
	identity_next(&W.b);
	assert_null(world_sent());
	p->has_keys = true;
	identity_next(&W.b);
	identity_next(&W.b); /* one at a time */
	identity_says(NET_NO_ANSWER, "111122223333");
	assert_null(world_sent()); /* nor again before somebody needs it */
	assert_string_equal(p->account, "");
	p->asking = false;
	identity_next(&W.b);
	identity_says(NET_ANSWERED, "11112222333X");
	assert_string_equal(p->account, "");
	p->asking = false;
	identity_next(&W.b);
	identity_says(NET_ANSWERED, "999988887777");
	assert_string_equal(p->account, "999988887777");
	assert_string_equal(world_said(MSG_PROFILES)->profiles.profiles[0].account, "999988887777");
}

/* A plan that waits for the account goes on with it, and only one of that profile. */
static void
test_plan_waits_for_account(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, SOURCE), JOB_IDENTITY);

	p->account[0] = 0;
	(void)FIELD_SET(j->plan.profile, "another");
	identity_next(&W.b);
	identity_says(NET_NO_ANSWER, "");
	assert_int_equal(j->state, JOB_IDENTITY);
	(void)FIELD_SET(j->plan.profile, "prod");
	p->asking = false;
	identity_next(&W.b);
	identity_says(NET_ANSWERED, "111122223333");
	assert_int_equal(j->state, JOB_READ_GROUP);
	/* and one that is past it is left alone */
	p->account[0] = 0;
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_GROUPS);
	identity_next(&W.b);
	identity_says(NET_NO_ANSWER, "");
	assert_int_equal(j->state, JOB_READ_GROUP);
}

/* ---- grants ---- */

static struct rec_grant
a_grant(enum grant_state state, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .closes = closes,
	    .sent = clock_now(),
	    .state = state};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return g;
}

static void
test_grants_told_in_parts(void **state)
{
	struct rec_grant g = a_grant(GRANT_OPEN, clock_now() + 3600);
	size_t told = 0;

	for (size_t i = 0; i < 2 * SGW_GRANTS_PAGE + 1; i++)
		(void)grant_add(&W.b, &g, 0);
	g.state = GRANT_CLOSED;
	(void)grant_add(&W.b, &g, 0);
	g.state = GRANT_OPEN;
	(void)FIELD_SET(g.group_id, "sg-00000000000000000");
	(void)grant_add(&W.b, &g, 0);
	grants_tell(&W.b, 5, GROUP);
	assert_int_equal(W.n_planner, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(W.planner[i].grants.request, 5);
		assert_int_equal(W.planner[i].grants.more, i < 2);
		told += W.planner[i].grants.n_grants;
	}
	assert_int_equal(told, 2 * SGW_GRANTS_PAGE + 2); /* one that is looked at once more, too */
	W.n_planner = 0;
	grants_tell(&W.b, 6, "");
	assert_int_equal(W.planner[2].grants.n_grants, 3);
}

static void
test_table_of_grants(void **state)
{
	struct rec_grant g = a_grant(GRANT_CLOSED, INT64_MAX / 2);
	const struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, SOURCE));
	struct grant *added = grant_add(&W.b, &g, 3);

	assert_non_null(added);
	assert_int_equal(added->op, 3);
	assert_true(added->closes_by > clock_monotonic());  /* however far */
	assert_null(grant_find(&W.b, &plan, &plan.ops[0])); /* a closed one is none */
	g.closes = INT64_MIN / 2;
	g.state = GRANT_AMBIGUOUS;
	added = grant_add(&W.b, &g, 0);
	assert_true(added->closes_by < clock_monotonic());
	assert_ptr_equal(grant_find(&W.b, &plan, &plan.ops[0]), added);
	while (grant_add(&W.b, &g, 0))
		;
	for (size_t i = 0; i < SGW_GRANTS_MAX; i++)
		assert_true(W.b.grants[i].used);
}

static void
test_status(void **state)
{
	struct rec_grant g = a_grant(GRANT_OPEN, clock_now() + 3600);
	const struct msg_broker_status *m;

	(void)grant_add(&W.b, &g, 0);
	g.state = GRANT_CLOSING;
	g.closes = clock_now() - 60;
	(void)grant_add(&W.b, &g, 0);
	g.state = GRANT_AMBIGUOUS;
	g.closes = clock_now() + 3600;
	grant_add(&W.b, &g, 0)->closes_by = clock_monotonic() - 1000; /* a clock was put back */
	g.state = GRANT_CLOSED;
	g.closes = 5;
	(void)grant_add(&W.b, &g, 0);
	status_tell(&W.b, 8);
	m = &world_said(MSG_BROKER_STATUS)->broker_status;
	assert_int_equal(m->request, 8);
	assert_int_equal(m->open_grants, 2);
	assert_int_equal(m->ambiguous, 1);
	assert_int_equal(m->overdue, 2);
	assert_false(m->phrase);
	FIELD_SET(W.b.keys.phrase, "nine owls");
	status_tell(&W.b, 9);
	assert_true(world_said(MSG_BROKER_STATUS)->broker_status.phrase);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_table_of_clients),
	    TEST(test_quota_problems),
	    TEST(test_quota_most),
	    TEST(test_plans_run_out),
	    TEST(test_quietest_makes_room),
	    TEST(test_limits),
	    TEST(test_limits_and_clocks),
	    TEST(test_keys_of_profiles),
	    TEST(test_whose_account),
	    TEST(test_plan_waits_for_account),
	    TEST(test_grants_told_in_parts),
	    TEST(test_table_of_grants),
	    TEST(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
