/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to AWS: what is not signed, for whom it is signed, whose answer counts, and what is learnt from none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define REGION "eu-west-1"

static struct rec_profile_conf *
conf(void)
{
	return &W.b.config.profiles[0];
}

static enum sgw_error
read_groups(const char *region)
{
	return aws_read(&W.b, CALL_CLOSING, AWS_DESCRIBE_GROUPS, &W.b.profiles[0], region, GROUP);
}

/* ---- what AWS's answer means ---- */

static void
test_meaning(void **state)
{
	static const struct {
		struct aws_result r;
		enum sgw_error error;
		bool unknown;
	} rows[] = {
	    {{.outcome = NET_NOT_SENT}, SGW_ERR_AWS_UNREACHABLE, false},
	    {{.outcome = NET_NO_ANSWER}, SGW_ERR_AWS_UNREACHABLE, true},
	    {{.outcome = NET_BAD_ANSWER, .http_status = 200}, SGW_ERR_AWS_BAD_ANSWER, true},
	    {{.http_status = 200}, SGW_ERR_NONE, false},
	    {{.http_status = 200, .code = "Odd"}, SGW_ERR_AWS_REFUSED, false},
	    {{.http_status = 199}, SGW_ERR_AWS_REFUSED, false},
	    {{.http_status = 302}, SGW_ERR_AWS_REFUSED, false},
	    {{.http_status = 400, .code = "ExpiredToken"}, SGW_ERR_CREDENTIALS_EXPIRED, false},
	    {{.http_status = 400, .code = "RequestExpired"}, SGW_ERR_REQUEST_EXPIRED, false},
	    {{.http_status = 200, .code = "UnknownIpPermissions"}, SGW_ERR_NO_SUCH_RULE, false},
	    {{.http_status = 400, .code = "NobodyKnows"}, SGW_ERR_AWS_REFUSED, false},
	    {{.http_status = 503, .code = "Throttling"}, SGW_ERR_THROTTLED, false},
	    {{.http_status = 500, .code = "InternalError"}, SGW_ERR_AWS_UNREACHABLE, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(aws_error(&rows[i].r), rows[i].error);
		assert_int_equal(aws_unknown(&rows[i].r), rows[i].unknown);
	}
}

/* ---- where it goes ---- */

static void
test_endpoints(void **state)
{
	const struct msg_send *m;

	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	m = world_sent();
	assert_non_null(m);
	assert_string_equal(m->host, "ec2.eu-west-1.amazonaws.com");
	assert_true(m->tls);
	assert_int_equal(read_groups("atlantis-1"), SGW_ERR_REGION_NOT_ALLOWED);
	assert_null(world_sent());
	(void)FIELD_SET(conf()->ec2_endpoint, "http://127.0.0.1:8443/behind");
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	m = world_sent();
	assert_string_equal(m->host, "127.0.0.1:8443");
	assert_false(m->tls);
	(void)FIELD_SET(conf()->sts_endpoint, "https://sts.example");
	assert_int_equal(
	    aws_read(&W.b, CALL_IDENTITY, AWS_CALLER_IDENTITY, &W.b.profiles[0], REGION, ""),
	    SGW_ERR_NONE);
	m = world_sent();
	assert_string_equal(m->host, "sts.example");
	assert_true(m->tls);
}

static void
test_nothing_is_signed(void **state)
{
	uint8_t memory[64];
	struct buf body = buf_over(memory, sizeof(memory));

	W.b.profiles[0].keys[TIER_READER].there = false;
	assert_int_equal(read_groups(REGION), SGW_ERR_NO_CREDENTIALS);
	W.b.profiles[0].keys[TIER_READER].there = true;
	body.failed = true;
	assert_int_equal(
	    aws_change(&W.b, CALL_JOB, AWS_REVOKE_INGRESS, &W.b.profiles[0], REGION, &body),
	    SGW_ERR_INTERNAL);
	body = (struct buf){.data = memory, .len = SGW_BODY_MAX + 1};
	assert_int_equal(
	    aws_change(&W.b, CALL_JOB, AWS_REVOKE_INGRESS, &W.b.profiles[0], REGION, &body),
	    SGW_ERR_INTERNAL);
	/* an access key id that makes the header longer than it may be */
	body = buf_over(memory, sizeof(memory));
	memset(W.b.profiles[0].keys->access_key_id, 'A', SGW_ACCESS_KEY_ID_MAX);
	memset(W.b.profiles[0].keys->token, 'T', SGW_SESSION_TOKEN_MAX);
	(void)FIELD_SET(W.b.profiles[0].keys->secret_key, "short");
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE); /* the longest that may be, fits */
	assert_non_null(world_sent());
	/* what is no read has no body here */
	assert_int_equal(
	    aws_read(&W.b, CALL_JOB, AWS_AUTHORIZE_INGRESS, &W.b.profiles[0], REGION, GROUP),
	    SGW_ERR_INTERNAL);
	assert_null(world_sent());
}

/* The number of a call is never 0, which says "none". */
static void
test_numbers_wrap(void **state)
{
	W.b.last_call = UINT32_MAX;
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_int_equal(W.b.calls[CALL_CLOSING].number, 1);
	assert_int_equal(world_sent()->request, 1);
}

static void
test_pages_end(void **state)
{
	struct profile *p = &W.b.profiles[0];

	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	for (int i = 1; i < PAGES_MAX; i++)
		assert_int_equal(
		    aws_next_page(&W.b, CALL_CLOSING, AWS_DESCRIBE_RULES, p, REGION, GROUP, "more"),
		    SGW_ERR_NONE);
	assert_int_equal(
	    aws_next_page(&W.b, CALL_CLOSING, AWS_DESCRIBE_RULES, p, REGION, GROUP, "more"),
	    SGW_ERR_AWS_BAD_ANSWER);
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE); /* each read counts anew */
	W.b.collected[CALL_CLOSING].overflow = true;
	assert_int_equal(
	    aws_next_page(&W.b, CALL_CLOSING, AWS_DESCRIBE_RULES, p, REGION, GROUP, "more"),
	    SGW_ERR_AWS_BAD_ANSWER);
}

static void
test_net_is_gone(void **state)
{
	chan_close(&W.net);
	expect_assert_failure((void)read_groups(REGION));
}

/* ---- for the planner ---- */

static enum sgw_error
planner_reads(const char *profile, const char *region, enum aws_op what, const char *group)
{
	struct msg_read m = {.request = 77, .what = what};

	(void)FIELD_SET(m.profile, profile);
	(void)FIELD_SET(m.region, region);
	(void)FIELD_SET(m.group_id, group);
	W.n_planner = 0;
	aws_for_planner(&W.b, &m);
	if (W.n_planner == 0)
		return SGW_ERR_NONE;
	assert_int_equal(world_said(MSG_READ_REFUSED)->read_refused.request, 77);
	return world_said(MSG_READ_REFUSED)->read_refused.error;
}

static void
test_for_planner(void **state)
{
	const struct msg_send *m;

	assert_int_equal(
	    planner_reads("other", REGION, AWS_DESCRIBE_GROUPS, ""), SGW_ERR_UNKNOWN_PROFILE);
	assert_int_equal(planner_reads("prod", "us-east-1", AWS_DESCRIBE_GROUPS, ""),
	    SGW_ERR_REGION_NOT_ALLOWED);
	assert_int_equal(
	    planner_reads("prod", REGION, AWS_DESCRIBE_GROUPS, "sg-x"), SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(
	    planner_reads("prod", REGION, AWS_DESCRIBE_RULES, ""), SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(
	    planner_reads("prod", REGION, AWS_REVOKE_INGRESS, GROUP), SGW_ERR_BAD_ARGUMENT);
	assert_null(world_sent());
	assert_int_equal(planner_reads("prod", REGION, AWS_DESCRIBE_RULES, GROUP), SGW_ERR_NONE);
	m = world_sent();
	assert_true(m->to_planner);
	assert_int_equal(m->request, 77);
	assert_int_equal(planner_reads("prod", REGION, AWS_DESCRIBE_GROUPS, ""), SGW_ERR_NONE);
	assert_true(world_sent()->to_planner);
	assert_null(world_sent()); /* the account is known: nobody is asked whose it is */
	W.b.profiles[0].account[0] = 0;
	assert_int_equal(planner_reads("prod", REGION, AWS_CALLER_IDENTITY, ""), SGW_ERR_NONE);
	assert_true(world_sent()->to_planner);
	m = world_sent();
	assert_int_equal(m->op, AWS_CALLER_IDENTITY);
	assert_false(m->to_planner);
}

static void
test_reads_run_out(void **state)
{
	unsigned n = 0;

	while (quota_read(&W.b))
		assert_true(++n < 10 * READS_BURST);
	assert_true(n >= READS_BURST);
	assert_int_equal(planner_reads("prod", REGION, AWS_DESCRIBE_GROUPS, ""), SGW_ERR_BUSY);
	assert_null(world_sent());
	W.b.reads_refilled -= 1000; /* a second later */
	assert_int_equal(planner_reads("prod", REGION, AWS_DESCRIBE_GROUPS, ""), SGW_ERR_NONE);
}

/* ---- whose answer counts ---- */

static void
test_answers_nobody_asked_for(void **state)
{
	static struct msg_aws_rules rules = {.n_rules = 1};
	static struct msg_aws_groups groups = {.n_groups = 1};
	const struct collected *c = &W.b.collected[CALL_CLOSING];
	const struct msg_aws_identity who = {.request = 9, .account = "999999999999"};

	rules.rules[0] = fixture_rule("sgr-1", PROTO_TCP, 443, 443, "198.51.100.7/32");
	aws_page_rules(&W.b, &rules); /* request 0 is nobody's */
	rules.request = groups.request = 9;
	aws_page_rules(&W.b, &rules);
	aws_page_groups(&W.b, &groups);
	aws_identity(&W.b, &who);
	aws_done(&W.b, &(struct msg_done){.request = 9, .server_date = 12345});
	aws_done(&W.b, &(struct msg_done){.server_date = 12345});
	assert_int_equal(c->n_rules, 0);
	assert_false(c->has_group);
	assert_int_equal(W.b.aws_answered, 0);
	assert_int_equal(W.b.clock_skew, 0);
}

static void
test_pages(void **state)
{
	static struct msg_aws_rules rules = {.request = 9, .n_rules = SGW_RULES_PAGE};
	static struct msg_aws_groups groups = {.request = 9, .n_groups = 1};
	struct collected *c = &W.b.collected[CALL_CLOSING];

	W.b.calls[CALL_CLOSING].number = 9;
	for (size_t i = 0; i < RULES_READ_MAX / SGW_RULES_PAGE; i++)
		aws_page_rules(&W.b, &rules);
	assert_int_equal(c->n_rules, RULES_READ_MAX);
	assert_false(c->overflow);
	aws_page_rules(&W.b, &rules);
	assert_true(c->overflow);
	assert_int_equal(c->n_rules, RULES_READ_MAX);
	aws_page_groups(&W.b, &groups);
	assert_false(c->overflow);
	assert_true(c->has_group);
	aws_page_groups(&W.b, &groups); /* one was asked for */
	assert_true(c->overflow);
	groups.n_groups = 0;
	c->has_group = false;
	aws_page_groups(&W.b, &groups);
	assert_true(c->overflow);
	assert_false(c->has_group);
}

/* ---- time ---- */

static void
learn(enum net_outcome outcome, int64_t server_date)
{
	W.b.calls[CALL_CLOSING] =
	    (struct call){.number = 9, .deadline = clock_monotonic() + CALL_TIMEOUT + CALL_GRACE};
	aws_done(
	    &W.b, &(struct msg_done){.request = 9, .outcome = outcome, .server_date = server_date});
}

/* Asked before a suspend of ten minutes, read after it: AWS's clock was not ten minutes behind. */
static void
regress_090_answer_from_before_a_suspend(void **state)
{
	W.b.calls[CALL_CLOSING] = (struct call){
	    .number = 9, .deadline = clock_monotonic() - 600000 + CALL_TIMEOUT + CALL_GRACE};
	aws_done(
	    &W.b, &(struct msg_done){
		      .request = 9, .outcome = NET_ANSWERED, .server_date = clock_now() - 600});
	assert_int_equal(W.b.clock_skew, 0);
	assert_true(W.b.aws_answered > 0);
}

static void
test_learns_the_clock(void **state)
{
	learn(NET_NO_ANSWER, clock_now() + 1000);
	assert_int_equal(W.b.aws_answered, 0);
	learn(NET_ANSWERED, 0);
	assert_int_equal(W.b.clock_skew, 0);
	assert_true(W.b.aws_answered > 0);
	learn(NET_ANSWERED, clock_now() + 90000); /* nobody's clock */
	assert_int_equal(W.b.clock_skew, 0);
	learn(NET_ANSWERED, clock_now() - 90000);
	assert_int_equal(W.b.clock_skew, 0);
	learn(NET_ANSWERED, clock_now() + 20); /* the rounding of two clocks */
	assert_int_equal(W.b.clock_skew, 0);
	learn(NET_ANSWERED, clock_now() + 100);
	assert_in_range(W.b.clock_skew, 98, 100);
	learn(NET_ANSWERED, clock_now() - 500);
	assert_true(W.b.clock_skew <= -500 && W.b.clock_skew >= -502);
}

/* Whoever sets the wall clock moves the skew, not what AWS is told. */
static void
test_follows_the_clock(void **state)
{
	learn(NET_ANSWERED, clock_now()); /* hears AWS for the first time */
	W.b.clock_skew = 100;
	W.b.clock_base -= 3600; /* the wall clock goes an hour ahead */
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_in_range(W.b.clock_skew + 3502, 0, 4);
	W.b.clock_base += 3600;
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_in_range(W.b.clock_skew, 96, 104);
	W.b.clock_base += INT64_C(1) << 40;
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_int_equal(W.b.clock_skew, 0);
	W.b.clock_base -= INT64_C(1) << 40;
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_int_equal(W.b.clock_skew, 0);
}

static void
date_heard(int64_t ago)
{
	assert_int_equal(planner_reads("prod", REGION, AWS_DESCRIBE_RULES, GROUP), SGW_ERR_NONE);
	assert_true(W.b.date_wanted);
	aws_date(&W.b, &(struct msg_aws_date){.server_date = clock_now() - ago});
}

/* Who has never heard AWS's time has no difference to move: the clock may just have been put right. */
static void
regress_146_nothing_learnt(void **state)
{
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	learn(NET_NO_ANSWER, clock_now());
	learn(NET_ANSWERED, 0);
	learn(NET_ANSWERED, clock_now() - 90000);
	assert_int_equal(W.b.clock_base, 0);
	aws_date(&W.b, &(struct msg_aws_date){.server_date = clock_now()});
	assert_int_equal(W.b.clock_base, 0); /* it is of no read */
	date_heard(90000);
	assert_int_equal(W.b.clock_base, 0);
	date_heard(7200);
	assert_in_range(W.b.clock_skew + 7202, 0, 4);
	aws_date(&W.b, &(struct msg_aws_date){.server_date = clock_now()});
	assert_in_range(W.b.clock_skew + 7202, 0, 4);
	W.b.clock_base -= 7200; /* the wall clock goes two hours ahead */
	assert_int_equal(read_groups(REGION), SGW_ERR_NONE);
	assert_in_range(W.b.clock_skew + 14402, 0, 4);
}

/* An owned net keeps silent: that is no answer, and the broker goes on. */
static void
test_net_keeps_silent(void **state)
{
	int64_t now = clock_monotonic();

	assert_true(aws_next_deadline(&W.b) == INT64_MAX);
	world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_READ_GROUP);
	W.b.calls[CALL_JOB] = (struct call){.number = 3, .deadline = now + 2000};
	W.b.calls[CALL_CLOSING] = (struct call){.number = 4, .deadline = now + 3000};
	assert_true(aws_next_deadline(&W.b) == now + 2000);
	aws_timeouts(&W.b);
	assert_int_equal(W.b.calls[CALL_JOB].number, 3);
	W.b.calls[CALL_JOB].deadline = now - 1;
	aws_timeouts(&W.b);
	assert_int_equal(W.b.calls[CALL_JOB].number, 0);
	assert_int_equal(W.b.calls[CALL_CLOSING].number, 4);
	assert_int_equal(world_said(MSG_RESULT)->result.error, SGW_ERR_AWS_UNREACHABLE);
}

/* A call that began at `sent` has had its time. */
static void
unanswered(int64_t sent)
{
	W.b.calls[CALL_IDENTITY] =
	    (struct call){.number = 9, .deadline = sent + CALL_TIMEOUT + CALL_GRACE};
	aws_timeouts(&W.b);
}

/* Two silences, one after the other: net is stuck.  At once, or with a word between them, they are one. */
static void
test_net_is_stuck(void **state)
{
	int64_t now = clock_monotonic(), past = now - CALL_TIMEOUT - CALL_GRACE - 5000;

	W.b.net_heard = past + 100;
	unanswered(past); /* net has spoken since that one began */
	assert_int_equal(W.b.net_silence, 0);
	W.b.net_heard = past - 1;
	unanswered(past);
	assert_in_range(W.b.net_silence, now, now + 60000);
	unanswered(past + 1); /* it was under way when that one was given up */
	aws_net_spoke(&W.b);
	assert_int_equal(W.b.net_silence, 0);
	assert_true(W.b.net_heard >= now);
	W.b.net_heard = W.b.net_silence =
	    past; /* … and the same once more, with the first some time ago */
	W.b.calls[CALL_IDENTITY] =
	    (struct call){.number = 9, .deadline = past + 1 + CALL_TIMEOUT + CALL_GRACE};
	world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "198.51.100.7/32"), JOB_READ_GROUP);
	W.b.calls[CALL_JOB] =
	    (struct call){.number = 10, .deadline = past + 1 + CALL_TIMEOUT + CALL_GRACE};
	expect_assert_failure(aws_timeouts(&W.b));
	assert_int_equal(
	    world_said(MSG_RESULT)->result.error, SGW_ERR_AWS_UNREACHABLE); /* before */
	assert_int_equal(W.b.calls[CALL_IDENTITY].number, 0); /* each of them was given up first */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_meaning),
	    TEST(test_endpoints),
	    TEST(test_nothing_is_signed),
	    TEST(test_numbers_wrap),
	    TEST(test_pages_end),
	    TEST(test_net_is_gone),
	    TEST(test_for_planner),
	    TEST(test_reads_run_out),
	    TEST(test_answers_nobody_asked_for),
	    TEST(test_pages),
	    TEST(test_learns_the_clock),
	    TEST(regress_090_answer_from_before_a_suspend),
	    TEST(test_follows_the_clock),
	    TEST(regress_146_nothing_learnt),
	    TEST(test_net_keeps_silent),
	    TEST(test_net_is_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
