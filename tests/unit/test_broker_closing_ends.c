/* SPDX-License-Identifier: Apache-2.0 */
/* Closings that do not go as hoped: unsigned, refused, in pages, without a group; and whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"
#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"

static const struct aws_result ANSWERED = {.http_status = 200};

static struct grant *
grant_make(enum grant_state state, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 8443,
	    .to_port = 8443,
	    .closes = closes,
	    .sent = clock_now() - 5000,
	    .state = state};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, RECEIPT);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

/* ---- closings ---- */

static void
answer_closing(const struct aws_result *r)
{
	W.b.calls[CALL_CLOSING].number = 0;
	closing_answer(&W.b, r);
}

static void
test_closing_cannot_be_asked(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	(void)FIELD_SET(g->g.profile, "nobody");
	closing_run(&W.b);
	assert_int_equal(g->tries, 1);
	assert_int_equal(W.b.closing.state, CLOSING_IDLE);
	assert_true(g->used && closing_next(&W.b) > clock_monotonic());
	g->next_try = 0;
	(void)FIELD_SET(g->g.profile, "prod");
	g->g.to_port = -5; /* what has no form is not sent, and not forgotten */
	closing_run(&W.b);
	assert_int_equal(g->tries, 2);
	assert_null(world_sent());
	/* settling, with a profile that has gone */
	g->g.state = GRANT_AMBIGUOUS;
	g->g.closes = clock_now() + 3600;
	g->closes_by = clock_monotonic() + 3600000;
	g->settle_at = g->next_try = 0;
	(void)FIELD_SET(g->g.profile, "nobody");
	closing_run(&W.b);
	assert_int_equal(g->tries, 3);
	assert_null(world_sent());
}

/* Retries wait longer and longer, and never longer than five minutes. */
static void
test_closing_retries(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	int64_t last = 0;

	(void)FIELD_SET(g->g.profile, "nobody");
	for (int i = 0; i < 8; i++) {
		int64_t wait;

		g->next_try = 0;
		closing_run(&W.b);
		wait = g->next_try - clock_monotonic();
		assert_true(wait >= last - 1000 && wait <= 300000);
		last = wait;
	}
	assert_true(last > 290000);
}

/* The group has gone, and the rule with it. */
static void
test_closing_without_a_group(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	g->settle_at = 0;
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
	answer_closing(&(struct aws_result){.http_status = 400, .code = "InvalidGroup.NotFound"});
	assert_false(g->used);
	assert_int_equal(W.b.closing.state, CLOSING_IDLE);
	assert_non_null(world_said(MSG_WROTE));
}

/* AWS may still take the opening: what was closed early is kept, and looked at when it can take it no more. */
static void
test_closed_and_looked_at_once_more(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	g->settle_at = clock_monotonic() + 500000;
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
	answer_closing(&(struct aws_result){.http_status = 400, .code = "InvalidGroup.NotFound"});
	assert_true(g->used);
	assert_int_equal(g->g.state, GRANT_CLOSED);
	assert_true(closing_next(&W.b) > clock_monotonic() + 400000);
	g->settle_at = clock_monotonic();
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
}

static void
test_closing_refused(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	closing_run(&W.b);
	answer_closing(&(struct aws_result){.http_status = 403, .code = "UnauthorizedOperation"});
	assert_true(g->used);
	assert_int_equal(g->tries, 1);
}

/* The read behind a revoke: in pages, cut short, without end. */
static void
test_closing_pages(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	const struct aws_result more = {.http_status = 200, .next_token = "more"};

	closing_run(&W.b);
	(void)world_sent();
	answer_closing(&ANSWERED);
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
	answer_closing(&more);
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
	(void)FIELD_SET(g->g.profile, "nobody");
	answer_closing(&more);
	assert_int_equal(g->tries, 1);
	(void)FIELD_SET(g->g.profile, "prod");
	g->next_try = 0;
	closing_run(&W.b);
	(void)world_sent();
	answer_closing(&ANSWERED);
	(void)world_sent();
	W.b.collected[CALL_CLOSING].overflow = true;
	answer_closing(&more); /* no more of that */
	assert_int_equal(g->tries, 2);
	g->next_try = 0;
	closing_run(&W.b);
	(void)world_sent();
	answer_closing(&ANSWERED);
	W.b.collected[CALL_CLOSING].overflow = true;
	answer_closing(&ANSWERED); /* not among those that were read, but not all were */
	assert_int_equal(g->tries, 3);
	assert_true(g->used);
}

/* Not all were read, but the rule is among those that were: it is still there. */
static void
test_closing_overflow_still_there(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	struct collected *c = &W.b.collected[CALL_CLOSING];

	closing_run(&W.b);
	answer_closing(&ANSWERED);
	c->overflow = true;
	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	c->rules[0].egress = true;
	c->rules[1] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	c->n_rules = 2;
	answer_closing(&ANSWERED);
	assert_int_equal(g->tries, 1);
	assert_true(g->used);
}

/* The monotonic end counts even where the wall clock was set back; and what is settled first comes first. */
static void
test_when(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct grant *later = grant_make(GRANT_AMBIGUOUS, clock_now() + 3600);

	later->settle_at = clock_monotonic() + 9000000; /* behind its own closing */
	assert_true(closing_next(&W.b) > clock_monotonic() + 3500000);
	g->closes_by = clock_monotonic() - 1;
	assert_true(closing_next(&W.b) <= clock_monotonic());
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
	assert_true(closing_next(&W.b) == INT64_MAX); /* one at a time */
	closing_run(&W.b);
	assert_null(world_sent());
}

/* An opening of the same rule takes over from what is closed, open, or just being closed. */
static void
test_superseded(void **state)
{
	struct grant *closed = grant_make(GRANT_CLOSED, clock_now() + 600);
	struct grant *busy = grant_make(GRANT_CLOSING, clock_now() - 5);
	struct grant *new = grant_make(GRANT_OPEN, clock_now() + 3600);

	closed->settle_at = clock_monotonic() + 900000;
	W.b.closing = (struct closing){.state = CLOSING_REVOKE, .index = 1};
	closing_superseded(&W.b, new);
	assert_false(closed->used || busy->used);
	assert_true(new->used);
	assert_string_equal(busy->why, "superseded");
	assert_int_equal(
	    W.b.chain.number, 1); /* a closing of what was closed is not recorded again */
}

/* Open again after its closing, beside another rule's opening: that one does not answer for it. */
static void
test_another_opening_is_no_excuse(void **state)
{
	struct grant *g = grant_make(GRANT_CLOSED, 0);
	struct grant *other = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct collected *c = &W.b.collected[CALL_CLOSING];

	other->g.from_port = other->g.to_port = 9999;
	g->settle_at = 0;
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	(void)FIELD_SET(c->rules[0].receipt, RECEIPT);
	c->n_rules = 1;
	answer_closing(&ANSWERED);
	assert_int_equal(g->g.state, GRANT_CLOSING);
	assert_true(g->g.closes <= clock_now());
}

/* The host that the next request goes to, and net's word on it. */
static void
next_is(const char *host, enum net_outcome outcome)
{
	const struct msg_send *sent = world_sent();

	assert_non_null(sent);
	assert_string_equal(sent->host, host);
	aws_done(&W.b, &(struct msg_done){.request = sent->request,
			   .outcome = outcome,
			   .http_status = outcome == NET_ANSWERED ? 200 : 0});
}

/*
 * A region that does not answer takes a minute for each rule that is due there.  Those of the others waited behind all of
 * them; now behind one, and what has come back is no longer last.
 */
static void
regress_152_a_region_that_does_not_answer(void **state)
{
	static const char here[] = "ec2.eu-west-1.amazonaws.com",
			  there[] = "ec2.us-east-1.amazonaws.com";
	struct grant *far;

	for (int i = 0; i < 5; i++)
		(void)grant_make(GRANT_OPEN, clock_now() - 50 + i);
	far = grant_make(GRANT_OPEN, clock_now() - 10);
	(void)FIELD_SET(far->g.region, "us-east-1");
	for (int i = 0; i < 2;
	     i++) { /* the revoke, then the read that is to tell what became of it */
		closing_run(&W.b);
		next_is(here, NET_NO_ANSWER);
	}
	assert_int_equal(W.b.closing.state, CLOSING_IDLE);
	for (int i = 0; i < 2; i++) {
		closing_run(&W.b);
		next_is(there, NET_ANSWERED);
	}
	assert_false(grant_is_live(far));
	closing_run(&W.b);
	next_is(here, NET_ANSWERED);
	for (size_t i = 0; i < W.b.grants_top; i++)
		assert_false(W.b.grants[i].behind);
}

/*
 * Asked for before its time, and AWS cannot be reached: "it is tried again until it is" held until the next start alone.
 * The ledger knows, once; what is due by its time needs no such record.
 */
static void
regress_159_due_before_its_time(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct job *j = &W.b.jobs[0];

	*j = (struct job){.client = 1,
	    .plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE))};
	(void)FIELD_SET(g->g.account, j->plan.account);
	close_own_begin(&W.b, j);
	for (int i = 0; i < 2; i++) {
		g->next_try = 0;
		closing_run(&W.b);
		assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
		answer_closing(&(struct aws_result){.http_status = 400, .code = "Throttling"});
		assert_int_equal(W.b.chain.number, 1);
	}
	assert_int_equal(world_result()->error, SGW_ERR_NOT_CLOSED);
	g->used = false;
	(void)grant_make(GRANT_OPEN, clock_now() - 5);
	closing_run(&W.b);
	answer_closing(&(struct aws_result){.http_status = 400, .code = "Throttling"});
	assert_int_equal(W.b.chain.number, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_closing_cannot_be_asked),
	    TEST(test_closing_retries),
	    TEST(test_closing_without_a_group),
	    TEST(test_closed_and_looked_at_once_more),
	    TEST(test_closing_refused),
	    TEST(test_closing_pages),
	    TEST(test_closing_overflow_still_there),
	    TEST(test_when),
	    TEST(test_superseded),
	    TEST(test_another_opening_is_no_excuse),
	    TEST(regress_159_due_before_its_time),
	    TEST(regress_152_a_region_that_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
