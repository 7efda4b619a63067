/* SPDX-License-Identifier: Apache-2.0 */
/* A record that is whole in the file and that the disk does not say it has: it may count at the next start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "lockdown_world.h"

static int real, ends[2];

/* A pipe takes what is written and cannot be synced. */
static void
sync_fails(void)
{
	real = W.b.ledger_fd;
	assert_int_equal(pipe(ends), 0);
	W.b.ledger_fd = ends[1];
}

static void
sync_works(void)
{
	W.b.ledger_fd = real;
	close(ends[0]);
	close(ends[1]);
}

/*
 * The touch is all that an extension takes, and a start would count it: nobody is told that it failed.  An opening's
 * leads to nothing without its intent.
 */
static void
regress_126_extension(void **state)
{
	struct grant *ours = open_grant(GROUP, 8443);
	int64_t closes = ours->g.closes;
	struct ceremony *c = &W.b.ceremony;
	struct job *j = opening(JOB_READING);

	j->plan.ops[0].action = ACTION_EXTEND;
	(void)FIELD_SET(j->plan.ops[0].receipt, ours->g.receipt);
	assert_null(plan_problem(&j->plan));
	c->number = 5;
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	(void)touch_ask(&W.b, &c->ask, false);
	sync_fails();
	expect_assert_failure(touched());
	assert_null(world_said(MSG_RESULT));
	assert_int_equal(ours->g.closes, closes);
	sync_works();
	/* nothing of it was written: then it failed, and for good */
	W.n_planner = W.n_control = 0;
	(void)touch_ask(&W.b, &c->ask, false);
	W.b.ledger_fd = -1;
	touched();
	W.b.ledger_fd = real;
	assert_int_equal(result()->error, SGW_ERR_LEDGER_FAILED);
	assert_int_equal(ours->g.closes, closes);
}

static void
test_opening(void **state)
{
	struct ceremony *c = &W.b.ceremony;

	(void)opening(JOB_READING);
	c->number = 5;
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	(void)touch_ask(&W.b, &c->ask, false);
	sync_fails();
	touched();
	sync_works();
	assert_int_equal(result()->error, SGW_ERR_LEDGER_FAILED);
	assert_null(world_sent());
}

/* It is on, and recorded once more: `ledger verify` and the loader take the second one for the first. */
static void
test_lockdown(void **state)
{
	sync_fails();
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->error, SGW_ERR_LEDGER_FAILED);
	sync_works();
	assert_int_equal(W.b.chain.number, 1);
	W.b.lockdowns.next_try = 0;
	lockdowns_run(&W.b);
	assert_int_equal(W.b.chain.number, 2);
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->error, SGW_ERR_NONE);
	assert_int_equal(W.b.lockdowns.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(regress_126_extension),
	    TEST(test_opening),
	    TEST(test_lockdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
