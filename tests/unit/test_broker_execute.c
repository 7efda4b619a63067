/* SPDX-License-Identifier: Apache-2.0 */
/* After the touch: each answer of AWS that is not the hoped-for one, a ledger that fails, and closings' own ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "execute.h"

#define SOURCE "203.0.113.7/32"
#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"

static const struct aws_result ANSWERED = {.http_status = 200};

/* Of no tier: nothing can be signed any more. */
static void
keys_go(void)
{
	for (size_t i = 0; i < TIER_MAX; i++)
		W.b.profiles[0].keys[i].there = false;
}

/* A plan whose touch has been made. */
static struct job *
touched(enum action action, enum job_state state)
{
	struct job *j = world_active(fixture_op(action, PROTO_TCP, 8443, 8443, SOURCE), state);
	struct record *r = &W.b.ceremony.record;

	(void)FIELD_SET(j->receipt, RECEIPT);
	r->plan = j->plan;
	r->closes = clock_now() + 3600;
	(void)FIELD_SET(r->description, "uid 1000 #{receipt}");
	return j;
}

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
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

/* ---- intent and trial run ---- */

static void
test_begin_without_a_form(void **state)
{
	(void)touched(ACTION_OPEN, JOB_KEYS);
	(void)FIELD_SET(W.b.ceremony.record.description, "no place for the receipt");
	execute_begin(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	assert_null(world_sent());
}

static void
test_begin_without_a_ledger(void **state)
{
	(void)touched(ACTION_OPEN, JOB_REREAD);
	W.b.ledger_fd = -1;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	assert_null(world_sent());
}

static void
test_begin_unsigned(void **state)
{
	(void)touched(ACTION_OPEN, JOB_KEYS);
	keys_go();
	execute_begin(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS);
	assert_int_equal(W.b.chain.number, 1); /* the outcome: there was no intent yet */
	assert_null(world_sent());
}

static void
test_trial_run(void **state)
{
	static const struct aws_result no = {.http_status = 403, .code = "UnauthorizedOperation"};
	static const struct aws_result yes = {.http_status = 412, .code = "DryRunOperation"};

	(void)touched(ACTION_OPEN, JOB_DRY_RUN);
	job_answer(&W.b, &no);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_REFUSED);
	(void)touched(ACTION_OPEN, JOB_DRY_RUN);
	job_answer(&W.b, &ANSWERED); /* a trial run that succeeds was none */
	world_ended(STATUS_FAILED, SGW_ERR_AWS_BAD_ANSWER);
	(void)touched(ACTION_OPEN, JOB_DRY_RUN);
	job_answer(&W.b, &(struct aws_result){.outcome = NET_NO_ANSWER});
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
	(void)touched(ACTION_OPEN, JOB_DRY_RUN);
	keys_go();
	job_answer(&W.b, &yes); /* the group cannot be read again */
	world_ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS);
	assert_null(world_sent());
}

/* ---- the second look ---- */

static void
test_second_look(void **state)
{
	(void)touched(ACTION_OPEN, JOB_REREAD);
	job_answer(&W.b, &(struct aws_result){.http_status = 400, .code = "InvalidGroup.NotFound"});
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_GROUP);
	(void)touched(ACTION_OPEN, JOB_REREAD);
	W.b.collected[CALL_JOB].overflow = true; /* more than can be compared */
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_BAD_ANSWER);
	W.b.collected[CALL_JOB].overflow = false;
	(void)touched(ACTION_OPEN, JOB_REREAD);
	W.b.collected[CALL_JOB].rules[0] = fixture_rule("sgr-1", PROTO_TCP, 22, 22, SOURCE);
	W.b.collected[CALL_JOB].n_rules = 1;
	job_answer(&W.b, &ANSWERED);
	assert_string_equal(world_result()->detail, GROUP ": added tcp/22 from " SOURCE);
	world_ended(STATUS_FAILED, SGW_ERR_STATE_CHANGED);
	assert_null(world_sent());
}

/* A start that finds the intent alone takes its time for the call's: so the call does not come long after it. */
static void
test_second_look_too_late(void **state)
{
	struct job *j = touched(ACTION_OPEN, JOB_REREAD);

	j->began = clock_monotonic() - (SETTLE_MARGIN + 1) * 1000;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
	assert_null(world_sent());
}

/* A net that drags the trial run or the read out: a touch does not wait for ever. */
static void
test_a_touch_does_not_wait(void **state)
{
	static const struct aws_result yes = {.http_status = 412, .code = "DryRunOperation"};

	touched(ACTION_OPEN, JOB_REREAD)->began = clock_monotonic() - 61000;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
	touched(ACTION_OPEN, JOB_DRY_RUN)->began = clock_monotonic() - 61000;
	job_answer(&W.b, &yes);
	world_ended(STATUS_FAILED, SGW_ERR_AWS_UNREACHABLE);
	assert_null(world_sent());
}

static void
test_second_look_has_pages(void **state)
{
	struct job *j = touched(ACTION_OPEN, JOB_REREAD);

	job_answer(&W.b, &(struct aws_result){.http_status = 200, .next_token = "more"});
	assert_int_equal(j->state, JOB_REREAD);
	assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
}

static void
test_no_room_for_grants(void **state)
{
	(void)touched(ACTION_OPEN, JOB_REREAD);
	while (grant_make(GRANT_OPEN, clock_now() + 3600))
		;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_BUSY);
	assert_null(world_sent());
}

static void
test_call_unsigned(void **state)
{
	(void)touched(ACTION_OPEN, JOB_REREAD);
	keys_go();
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS);
	for (size_t i = 0; i < SGW_GRANTS_MAX; i++)
		assert_false(W.b.grants[i].used); /* nothing was sent: nothing is open */
	(void)touched(ACTION_OPEN, JOB_REREAD);
	(void)FIELD_SET(W.b.ceremony.record.description, "no place");
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	assert_null(world_sent());
}

/* ---- the call ---- */

static void
test_call_refused(void **state)
{
	(void)touched(ACTION_OPEN, JOB_CALL);
	(void)grant_make(GRANT_AMBIGUOUS, clock_now() + 3600);
	job_answer(&W.b,
	    &(struct aws_result){.http_status = 400, .code = "RulesPerSecurityGroupLimitExceeded"});
	world_ended(STATUS_FAILED, SGW_ERR_QUOTA);
	assert_false(W.b.grants[0].used);
}

static void
test_ambiguous_close(void **state)
{
	(void)touched(ACTION_CLOSE, JOB_CALL);
	job_answer(&W.b, &(struct aws_result){.outcome = NET_BAD_ANSWER, .http_status = 200});
	world_ended(STATUS_AMBIGUOUS, SGW_ERR_AMBIGUOUS);
}

static void
test_read_back_unsigned(void **state)
{
	(void)touched(ACTION_OPEN, JOB_CALL);
	keys_go();
	job_answer(&W.b, &ANSWERED);
	assert_non_null(strstr(world_result()->detail, "reading it back failed"));
	world_ended(STATUS_OK, SGW_ERR_NONE);
}

static void
test_names_of_the_new_rules(void **state)
{
	struct job *j = touched(ACTION_OPEN, JOB_CALL);
	struct collected *c = &W.b.collected[CALL_JOB];

	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, 9999, 9999, SOURCE);
	c->rules[1] = fixture_rule("sgr-2", PROTO_TCP, 8443, 8443, SOURCE);
	c->n_rules = 2; /* AWS promises no order, and net may say more */
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(j->done[0].state, OP_OPEN);
	assert_string_equal(j->done[0].rule_id, "sgr-2");
	assert_int_equal(j->state, JOB_READ_BACK);
}

/* ---- the read-back ---- */

static void
test_read_back_fails(void **state)
{
	(void)touched(ACTION_OPEN, JOB_READ_BACK);
	job_answer(&W.b, &(struct aws_result){.outcome = NET_NO_ANSWER});
	world_ended(STATUS_OK, SGW_ERR_NONE); /* AWS accepted it */
	(void)touched(ACTION_OPEN, JOB_READ_BACK);
	W.b.collected[CALL_JOB].overflow = true;
	job_answer(&W.b, &ANSWERED);
	world_ended(STATUS_OK, SGW_ERR_NONE);
	W.b.collected[CALL_JOB].overflow = false;
	(void)touched(ACTION_OPEN, JOB_READ_BACK);
	job_answer(&W.b, &(struct aws_result){.http_status = 200, .next_token = "more"});
	assert_int_equal(W.b.active->state, JOB_READ_BACK);
}

/* AWS's reads lag behind its writes: three looks, a second apart. */
static void
test_three_looks(void **state)
{
	static const enum action actions[] = {ACTION_OPEN, ACTION_CLOSE};

	for (size_t i = 0; i < 2; i++) {
		struct job *j = touched(actions[i], JOB_READ_BACK);
		struct collected *c = &W.b.collected[CALL_JOB];

		for (int look = 1; look <= 3; look++) {
			/* after an opening it is not there yet, after a closing it still is */
			c->n_rules = 0;
			if (actions[i] == ACTION_CLOSE)
				c->rules[c->n_rules++] =
				    fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
			job_answer(&W.b, &ANSWERED);
			if (look == 3)
				break;
			assert_true(j->deadline > clock_monotonic());
			assert_null(world_sent());
			j->deadline = clock_monotonic() - 1;
			job_timeouts(&W.b);
			assert_int_equal(world_sent()->op, AWS_DESCRIBE_RULES);
		}
		if (actions[i] == ACTION_OPEN)
			world_ended(STATUS_OK, SGW_ERR_NONE);
		else
			world_ended(STATUS_FAILED, SGW_ERR_NOT_CLOSED);
	}
}

/* Done, and the ledger cannot say so: it is told, and learnt later by reading. */
static void
test_outcome_without_a_ledger(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct grant *other = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct grant *closed = grant_make(GRANT_CLOSED, clock_now() + 3600);

	(void)FIELD_SET(other->g.receipt, "sgw-zzzzzzzzzzzzzzzzzzzz");
	(void)touched(ACTION_OPEN, JOB_READ_BACK);
	world_rule(fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE));
	W.b.ledger_fd = -1;
	job_answer(&W.b, &ANSWERED);
	assert_non_null(strstr(world_result()->detail, "the ledger cannot be written"));
	world_ended(STATUS_OK, SGW_ERR_NONE);
	assert_int_equal(g->g.state, GRANT_AMBIGUOUS);
	assert_int_equal(other->g.state, GRANT_OPEN);
	assert_int_equal(closed->g.state, GRANT_CLOSED);
	(void)touched(ACTION_OPEN, JOB_DRY_RUN); /* one that failed keeps its own words */
	job_answer(&W.b, &(struct aws_result){.http_status = 400, .code = "Strange"});
	assert_string_equal(world_result()->detail, "Strange");
	world_ended(STATUS_FAILED, SGW_ERR_AWS_REFUSED);
	/* and so does one that was done with something to say about it */
	(void)touched(ACTION_OPEN, JOB_READ_BACK);
	job_answer(&W.b, &(struct aws_result){.outcome = NET_NO_ANSWER});
	assert_non_null(strstr(world_result()->detail, "reading it back failed"));
	world_ended(STATUS_OK, SGW_ERR_NONE);
}

static void
test_answer_of_no_step(void **state)
{
	struct job *j = touched(ACTION_OPEN, JOB_CLOSE_OWN);

	execute_answer(&W.b, &ANSWERED);
	assert_int_equal(j->state, JOB_CLOSE_OWN);
	assert_int_equal(W.n_planner, 0);
}

/* AWS closes what it can, and says in the same answer what it no longer knows: each is told as it was. */
static void
regress_132_some_were_gone(void **state)
{
	static const struct aws_result partly = {
	    .http_status = 200, .code = "UnknownIpPermissions"};
	struct job *j = touched(ACTION_CLOSE, JOB_CALL);
	struct collected *c = &W.b.collected[CALL_JOB];

	j->plan.ops[1] = fixture_op(ACTION_CLOSE, PROTO_TCP, 8444, 8444, SOURCE);
	j->plan.n_ops = 2;
	j->n = 2;
	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	c->n_rules = 1; /* what it has revoked */
	job_answer(&W.b, &partly);
	assert_int_equal(j->state, JOB_READ_BACK);
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(world_result()->done[0].state, OP_CLOSED);
	assert_int_equal(world_result()->done[0].error, SGW_ERR_NONE);
	assert_string_equal(world_result()->done[0].rule_id, "sgr-1");
	assert_int_equal(world_result()->done[1].state, OP_CLOSED);
	assert_int_equal(world_result()->done[1].error, SGW_ERR_NO_SUCH_RULE);
	assert_string_equal(world_result()->detail, "1 of 2 rules was gone already");
	assert_non_null(
	    strstr(W.b.ledger_text, "rules sgr-1\ndetail 1 of 2 rules was gone already\n"));
	world_ended(STATUS_OK, SGW_ERR_NONE);
	/* what is there for all that is not closed */
	j = touched(ACTION_CLOSE, JOB_CALL);
	j->tries = READ_BACK_TRIES;
	c->n_rules = 0;
	job_answer(&W.b, &partly);
	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	c->n_rules = 1;
	job_answer(&W.b, &ANSWERED);
	assert_int_equal(world_result()->done[0].state, OP_FAILED);
	world_ended(STATUS_FAILED, SGW_ERR_NOT_CLOSED);
	/* where it refuses the whole request nothing of it was done */
	(void)touched(ACTION_CLOSE, JOB_CALL);
	job_answer(
	    &W.b, &(struct aws_result){.http_status = 400, .code = "InvalidPermission.NotFound"});
	assert_int_equal(world_result()->done[0].state, OP_FAILED);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SUCH_RULE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_begin_without_a_form),
	    TEST(test_begin_without_a_ledger),
	    TEST(test_begin_unsigned),
	    TEST(test_trial_run),
	    TEST(test_second_look),
	    TEST(test_second_look_too_late),
	    TEST(test_second_look_too_late),
	    TEST(test_a_touch_does_not_wait),
	    TEST(test_second_look_has_pages),
	    TEST(test_no_room_for_grants),
	    TEST(test_call_unsigned),
	    TEST(test_call_refused),
	    TEST(test_ambiguous_close),
	    TEST(test_read_back_unsigned),
	    TEST(test_names_of_the_new_rules),
	    TEST(test_read_back_fails),
	    TEST(test_three_looks),
	    TEST(test_outcome_without_a_ledger),
	    TEST(test_answer_of_no_step),
	    TEST(regress_132_some_were_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
