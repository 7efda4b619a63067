/* SPDX-License-Identifier: Apache-2.0 */
/* Closing later what is ours: what may be extended, how it is judged, and that AWS is asked for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"
#define OTHER "sg-0fedcba9876543210"
#define OLD "sgw-bbbbbbbbbbbbbbbbbbbb"
#define NONE "sgw-cccccccccccccccccccc"

static struct grant *ours;

static struct grant *
grant_make(int32_t port, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .closes = closes,
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

/* Open for ten more minutes, in its group; wanted: an hour from now. */
static struct job *
extending(enum job_state state)
{
	struct job *j;
	struct rec_op op = fixture_op(ACTION_EXTEND, PROTO_TCP, 8443, 8443, SOURCE);

	W.b.config.policy.allow_documentation = true;
	W.b.keys.n_keys = 1;
	memset(W.b.grants, 0, sizeof(W.b.grants));
	W.b.grants_top = 0;
	W.b.collected[CALL_JOB].n_rules = 0;
	ours = grant_make(8443, clock_now() + 600);
	(void)FIELD_SET(op.receipt, OLD);
	j = world_active(op, state);
	assert_null(plan_problem(&j->plan));
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE));
	W.n_planner = W.n_control = 0;
	return j;
}

static void
expect_refused(enum sgw_error error, const char *why)
{
	job_judge(&W.b);
	assert_int_equal(world_result()->error, error);
	assert_string_equal(world_result()->detail, why);
	assert_null(W.b.active);
	assert_null(world_sent());
}

static void
test_may_be(void **state)
{
	struct job *j = extending(JOB_READ_RULES);

	assert_null(extend_problem(&W.b, j));
	ours->waiter = j;
	assert_non_null(strstr(extend_problem(&W.b, j), "being closed"));
	ours->waiter = NULL;
	ours->g.closes = clock_now(); /* by the wall clock */
	assert_non_null(strstr(extend_problem(&W.b, j), "being closed"));
	ours->g.closes += 600;
	ours->closes_by = clock_monotonic(); /* and by the other one */
	assert_non_null(strstr(extend_problem(&W.b, j), "being closed"));
	(void)extending(JOB_READ_RULES);
	ours->g.state = GRANT_AMBIGUOUS;
	assert_non_null(strstr(extend_problem(&W.b, j), "not open"));
	ours->used = false;
	assert_non_null(strstr(extend_problem(&W.b, j), "not open"));
	j->plan.ops[0].action = ACTION_OPEN; /* nothing of it is extended */
	assert_null(extend_problem(&W.b, j));
}

/* An opening is not kept for ever by one extension after the other. */
static void
test_open_for_long_enough(void **state)
{
	int64_t most = (int64_t)W.b.config.policy.on_open.lifetime_max * SGW_LIFETIMES_IN_ALL;
	struct job *j = extending(JOB_READ_RULES);

	ours->g.sent = clock_now() - (most - (int64_t)j->plan.lifetime - 60);
	job_judge(&W.b);
	assert_ptr_equal(W.b.active, j); /* the twin: a minute is left */
	j = extending(JOB_READ_RULES);
	ours->g.sent = clock_now() - (most - (int64_t)j->plan.lifetime + 60);
	job_judge(&W.b);
	assert_int_equal(world_result()->status, STATUS_REFUSED);
	assert_string_equal(world_result()->policy_line, "deny.lifetime-in-all");
	assert_null(W.b.active);
}

static void
test_asked(void **state)
{
	struct job *j = extending(JOB_READ_RULES);

	job_judge(&W.b);
	assert_ptr_equal(W.b.active, j);
	assert_int_equal(j->state, JOB_WAIT_SCREEN);
	assert_true(j->verdict.needs_consent);
}

/* All that a record wants beside the plan. */
static void
screen_comes(void)
{
	W.b.screen = DISPLAY_SHARED;
	W.b.keys.n_keys = 1;
	W.b.keys.keys[0].cred_id_len = 16;
	W.b.active->verdict.effect = CLASS_OPEN;
	(void)FIELD_SET(W.b.tty, "pts/3");
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
}

/* The record says when all of it would have closed: the latest of them. */
static void
test_shown(void **state)
{
	struct job *j = extending(JOB_SPAWNING);
	struct ceremony *c = &W.b.ceremony;
	struct rec_plan *p = &j->plan;

	screen_comes();
	p->ops[1] = p->ops[2] = p->ops[0];
	p->ops[1].from_port = p->ops[1].to_port = 8444;
	p->ops[2].from_port = p->ops[2].to_port = 8445;
	p->n_ops = 3;
	(void)grant_make(8444, clock_now() + 1200);
	(void)grant_make(8445, clock_now() + 900);
	assert_true(record_make(&W.b, c, j));
	assert_in_range(c->record.closes_now, clock_now() + 1190, clock_now() + 1200);
	assert_int_equal(c->record.closes, c->record.created + 3600);
	assert_int_equal(c->record.expires, c->record.created + SGW_RECORD_SECONDS);
	assert_string_equal(c->record.description, ""); /* nothing is written to AWS */
	j->client = 99;                                 /* whoever asked has gone */
	assert_false(record_make(&W.b, c, j));
}

/* Ten seconds more to read for each operation beyond five. */
static void
test_time_to_read(void **state)
{
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 1000, 1000, SOURCE), JOB_SPAWNING);
	struct ceremony *c = &W.b.ceremony;

	screen_comes();
	for (uint16_t i = 0; i < SGW_OPS_MAX; i++) {
		j->plan.ops[i] = j->plan.ops[0];
		j->plan.ops[i].from_port = j->plan.ops[i].to_port = 1000 + i;
		j->plan.n_ops = (uint16_t)(i + 1);
		assert_true(record_make(&W.b, c, j));
		assert_int_equal(c->record.expires - c->record.created,
		    SGW_RECORD_SECONDS + (i < 5 ? 0 : 10 * (i - 4)));
	}
	j->plan.n_ops = 0; /* a record of nothing has no form */
	assert_false(record_make(&W.b, c, j));
}

static void
test_judged(void **state)
{
	static const char none[] = "a rule of the plan is not open with the receipt that it names";
	struct job *j = extending(JOB_READ_RULES);

	(void)FIELD_SET(j->plan.ops[0].receipt, NONE);
	expect_refused(SGW_ERR_NO_SUCH_RULE, none);
	(void)extending(JOB_READ_RULES);
	(void)FIELD_SET(ours->g.account, "444455556666");
	expect_refused(SGW_ERR_NO_SUCH_RULE, none);
	(void)extending(JOB_READ_RULES);
	(void)FIELD_SET(ours->g.region, "us-east-1");
	expect_refused(SGW_ERR_NO_SUCH_RULE, none);
	(void)extending(JOB_READ_RULES);
	(void)FIELD_SET(ours->g.profile, "test");
	expect_refused(SGW_ERR_NO_SUCH_RULE, none);
	(void)extending(JOB_READ_RULES);
	ours->g.closes = clock_now() + 7200;
	ours->closes_by = clock_monotonic() + 7200000;
	expect_refused(SGW_ERR_BAD_ARGUMENT, "it is to close later than that already");
	(void)extending(JOB_READ_RULES);
	ours->g.state = GRANT_AMBIGUOUS;
	expect_refused(
	    SGW_ERR_NO_SUCH_RULE, "a rule of it is not open through this appliance any more");
	(void)extending(JOB_READ_RULES);
	W.b.collected[CALL_JOB].rules[0].to_port = 8444; /* somebody has changed it */
	world_rule(fixture_rule("sgr-2", PROTO_TCP, 22, 22, SOURCE));
	expect_refused(SGW_ERR_NO_SUCH_RULE, "a rule of the plan is not in the group");
	(void)extending(JOB_READ_RULES);
	W.b.n_seen = SEEN_MAX;
	expect_refused(
	    SGW_ERR_BUSY, "the plan's groups have more rules in all than can be watched");
}

/* Six in two groups are as much to read as six in one. */
static void
regress_082_many_over_two_groups(void **state)
{
	struct job *j = extending(JOB_READ_RULES);

	W.b.screen = DISPLAY_TRUSTED;
	for (uint16_t i = 1; i < 6; i++) {
		struct grant *g = grant_make(8443 + i, clock_now() + 600);

		j->plan.ops[i] = j->plan.ops[0];
		j->plan.ops[i].from_port = j->plan.ops[i].to_port = 8443 + i;
		(void)FIELD_SET(j->plan.ops[i].group_id, i < 3 ? GROUP : OTHER);
		(void)FIELD_SET(g->g.group_id, i < 3 ? GROUP : OTHER);
	}
	j->plan.n_ops = 6;
	(void)FIELD_SET(j->plan.groups[1].group_id, OTHER);
	j->plan.n_groups = 2;
	assert_null(plan_problem(&j->plan));
	world_rule(fixture_rule("sgr-2", PROTO_TCP, 8444, 8444, SOURCE));
	world_rule(fixture_rule("sgr-3", PROTO_TCP, 8445, 8445, SOURCE));
	job_judge(&W.b);
	assert_ptr_equal(W.b.active, j);
	assert_int_equal(j->verdict.effect, CLASS_OPEN_WIDE);
	assert_string_equal(j->verdict.line, "wide.bulk");
}

/* It opens for longer: what stops an opening stops it. */
static void
test_counts_as_an_opening(void **state)
{
	(void)extending(JOB_READ_RULES);
	W.b.config.use = USE_READ_ONLY;
	expect_refused(SGW_ERR_READ_ONLY, "");
	W.b.config.use = USE_FULL;
	(void)extending(JOB_READ_RULES);
	W.b.clock_skew = SKEW_OPEN_MAX + 1;
	expect_refused(SGW_ERR_CLOCK, "");
}

static void
test_carried_out(void **state)
{
	struct job *j = extending(JOB_KEYS);
	int64_t closes = clock_now() + 3600;

	j->plan.ops[1] = j->plan.ops[0];
	j->plan.ops[1].from_port = j->plan.ops[1].to_port = 8444;
	j->plan.n_ops = 2; /* the second one is not there any more */
	(void)FIELD_SET(j->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	W.b.ceremony.record.closes = closes;
	execute_begin(&W.b);
	assert_int_equal(ours->g.closes, closes);
	assert_true(ours->closes_by > clock_monotonic() + 3590000);
	assert_string_equal(ours->g.receipt, OLD); /* it stays what it was opened with */
	assert_int_equal(world_result()->status, STATUS_OK);
	assert_int_equal(world_result()->closes, closes);
	assert_int_equal(world_result()->done[0].state, OP_EXTENDED);
	assert_int_equal(world_result()->done[1].state, OP_UNTRIED);
	assert_string_equal(world_said(MSG_WROTE)->wrote.group_id, GROUP);
	assert_null(W.b.active);
	assert_null(world_sent());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

/*
 * The wall clock was two hours ahead when the record was made, and has been put right since: an hour is an hour from the
 * record on, for what is opened as for what is extended.  Nor does a clock that has gone on add to it.
 */
static void
regress_151_clock_put_right(void **state)
{
	struct ceremony c = {.made = clock_monotonic() - 60000};
	int64_t by = c.made + 3600000;

	(void)extending(JOB_KEYS);
	c.record.created = clock_now() + 7200;
	c.record.closes = c.record.created + 3600;
	grant_closes(&c, ours);
	assert_int_equal(ours->g.closes, c.record.closes);
	assert_int_equal(ours->closes_by, by);
	c.record.created = clock_now() - 60;
	c.record.closes = c.record.created + 1800;
	grant_closes(&c, ours);
	assert_in_range(ours->closes_by, by - 1802000, by - 1798000);
	c.record.closes = c.record.created + UINT32_MAX; /* for good */
	grant_closes(&c, ours);
	assert_true(ours->closes_by > clock_monotonic() + (INT64_C(1) << 40));
}

/*
 * Touched for under a wall clock that was two hours ahead and is right now: it is to close in ten minutes, whatever its
 * record says, and so it is told, and may be extended.
 */
static void
regress_160_end_as_it_is(void **state)
{
	struct job *j = extending(JOB_READ_RULES);
	const struct record *r = &W.b.ceremony.record;
	int64_t now = clock_now();

	assert_int_equal(grant_end(ours), ours->g.closes); /* no rounding is told */
	ours->g.closes = now + 7800;
	assert_in_range(grant_end(ours), now + 598, now + 601);
	grants_tell(&W.b, 4, "");
	assert_in_range(world_said(MSG_GRANTS)->grants.grants[0].closes, now + 598, now + 601);
	job_judge(&W.b);
	assert_ptr_equal(W.b.active, j);
	j = extending(JOB_SPAWNING);
	ours->g.closes = now + 7800;
	screen_comes();
	assert_true(record_make(&W.b, &W.b.ceremony, j));
	assert_in_range(r->closes_now, now + 598, now + 601);
	assert_true(r->closes > r->closes_now);
	ours->closes_by = clock_monotonic() + 9000000; /* nor later than it says */
	assert_int_equal(grant_end(ours), now + 7800);
	ours->closes_by = clock_monotonic() - 1; /* asked to be closed */
	assert_int_equal(grant_end(ours), now + 7800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_may_be),
	    TEST(test_open_for_long_enough),
	    TEST(test_asked),
	    TEST(test_shown),
	    TEST(test_time_to_read),
	    TEST(test_judged),
	    TEST(regress_082_many_over_two_groups),
	    TEST(test_counts_as_an_opening),
	    TEST(test_carried_out),
	    TEST(regress_151_clock_put_right),
	    TEST(regress_160_end_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
