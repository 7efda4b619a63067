/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdown: who may ask for it, what it closes, that it stays, and what lifts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "lockdown_world.h"
#include "admin.h"

/* ---- that it is on ---- */

static void
test_takes_effect(void **state)
{
	struct grant *ours = open_grant(GROUP, 8443);
	const struct msg_lockdown_set *m = lockdown(1, LOCKDOWN_ALL, "");

	assert_int_equal(m->error, SGW_ERR_NONE);
	assert_false(m->was_on);
	assert_true(receipt_id_ok(m->receipt));
	assert_int_equal(m->still_open, 1);
	assert_int_equal(W.b.chain.number, 1);
	assert_non_null(strstr(W.b.ledger_text, "ledger lockdown 1\n"));
	assert_non_null(strstr(W.b.ledger_text, "scope all\nuid 1000\nby administrator\n"));
	assert_int_equal(world_said(MSG_LOCKDOWNS)->lockdowns.n_lockdowns, 1);
	assert_true(is_due(ours));
	assert_string_equal(ours->why, "lockdown");
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
}

/* Again: nothing is recorded anew, and a closing that AWS did not answer keeps its own time for the next try. */
static void
test_again(void **state)
{
	struct grant *ours = open_grant(GROUP, 8443);
	const struct msg_lockdown_set *m;
	int64_t since;

	(void)lockdown(1, LOCKDOWN_ALL, "");
	since = W.b.lockdowns.on[0].since;
	ours->next_try = clock_monotonic() + 5000;
	m = lockdown(1, LOCKDOWN_ALL, "");
	assert_int_equal(m->error, SGW_ERR_NONE);
	assert_true(m->was_on);
	assert_string_equal(m->receipt, "");
	assert_int_equal(m->still_open, 1);
	assert_int_equal(W.b.chain.number, 1);
	assert_int_equal(W.b.lockdowns.n, 1);
	assert_int_equal(W.b.lockdowns.on[0].since, since);
	closing_run(&W.b);
	assert_null(world_sent());
	ours->used = false;
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->still_open, 0);
}

static void
test_scopes(void **state)
{
	struct grant *here = open_grant(GROUP, 8443), *there = open_grant(OTHER, 8443);

	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, OTHER)->still_open, 1);
	assert_false(is_due(here));
	assert_true(is_due(there));
	assert_int_equal(lockdown(1, LOCKDOWN_PROFILE, "prod")->still_open, 2);
	assert_true(is_due(here));
	assert_int_equal(W.b.lockdowns.n, 2);
}

/* What is somebody else's, or closed, or being closed for another's request, is left as it is. */
static void
test_not_ours(void **state)
{
	struct grant *foreign = open_grant(GROUP, 80), *closed = open_grant(GROUP, 81),
		     *asked = open_grant(GROUP, 82);
	struct job waiter = {0};

	foreign->g.state = GRANT_FOREIGN;
	closed->g.state = GRANT_CLOSED;
	asked->waiter = &waiter;
	asked->why = "request";
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->still_open, 1);
	assert_false(is_due(foreign));
	assert_false(is_due(closed));
	assert_string_equal(asked->why, "request");
}

/* ---- who may ask, and for what ---- */

static void
test_who(void **state)
{
	const struct msg_lockdown_set *m = lockdown(MACHINE, LOCKDOWN_ALL, "");

	assert_int_equal(m->error, SGW_ERR_FORBIDDEN);
	assert_non_null(strstr(m->detail, "deny.client-lockdown"));
	assert_int_equal(W.b.lockdowns.n, 0);
	assert_int_equal(W.b.chain.number, 0);
	assert_int_equal(lockdown(9, LOCKDOWN_ALL, "")->error, SGW_ERR_BAD_ARGUMENT);
	W.b.config.policy.client_lockdown = true;
	m = lockdown(MACHINE, LOCKDOWN_ALL, "");
	assert_int_equal(m->error, SGW_ERR_NONE);
	assert_non_null(strstr(W.b.ledger_text, "uid 1001\nby client\n"));
	assert_true(W.b.lockdowns.on[0].client);
}

static void
test_what(void **state)
{
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "prod")->error, SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(lockdown(1, LOCKDOWN_PROFILE, "")->error, SGW_ERR_UNKNOWN_PROFILE);
	assert_int_equal(lockdown(1, LOCKDOWN_PROFILE, "test")->error, SGW_ERR_UNKNOWN_PROFILE);
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, "sg-1")->error, SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, "")->error, SGW_ERR_BAD_ARGUMENT);
	assert_int_equal(W.b.lockdowns.n, 0);
}

/* Whoever fills the list, a machine's client where the policy lets it, keeps nobody from locking down everything. */
static void
regress_125_all_has_its_place(void **state)
{
	W.b.config.policy.client_lockdown = true;
	for (unsigned i = 0; i < SGW_LOCKDOWNS_MAX - 1; i++) {
		char group[SGW_GROUP_ID_MAX + 1];

		(void)snprintf(group, sizeof(group), "sg-%08x", i);
		W.n_planner = 0;
		assert_int_equal(lockdown(MACHINE, LOCKDOWN_GROUP, group)->error, SGW_ERR_NONE);
	}
	W.n_planner = 0;
	assert_int_equal(lockdown(1, LOCKDOWN_PROFILE, "prod")->error, SGW_ERR_QUOTA);
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, "sg-00000003")->error, SGW_ERR_NONE);
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->error, SGW_ERR_NONE);
	assert_int_equal(W.b.lockdowns.n, SGW_LOCKDOWNS_MAX);
	assert_true(lockdown(1, LOCKDOWN_ALL, "")->was_on);
	expect_assert_failure(lockdown_loaded(&W.b, &W.b.lockdowns.on[0]));
}

/* ---- a disk that is full, a restart ---- */

static void
test_unrecorded(void **state)
{
	struct grant *ours = open_grant(GROUP, 8443);
	const struct msg_lockdown_set *m;
	int good = W.b.ledger_fd;

	W.b.ledger_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(lockdowns_next(&W.b), INT64_MAX);
	m = lockdown(1, LOCKDOWN_ALL, "");
	assert_int_equal(m->error, SGW_ERR_LEDGER_FAILED);
	assert_string_equal(m->receipt, "");
	assert_true(is_due(ours)); /* it is on all the same */
	assert_int_equal(W.b.lockdowns.n, 1);
	assert_true(lockdowns_next(&W.b) > clock_monotonic());
	lockdowns_run(&W.b); /* not yet */
	W.b.lockdowns.next_try = 0;
	lockdowns_run(&W.b); /* still full */
	assert_true(lockdowns_next(&W.b) < INT64_MAX);
	close(W.b.ledger_fd);
	W.b.ledger_fd = good;
	W.b.lockdowns.next_try = 0;
	lockdowns_run(&W.b);
	assert_int_equal(lockdowns_next(&W.b), INT64_MAX);
	assert_non_null(strstr(W.b.ledger_text, "scope all\n"));
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->error, SGW_ERR_NONE);
}

/* Of two of which the disk took one, the other alone is said again. */
static void
test_one_unrecorded(void **state)
{
	int good = W.b.ledger_fd;

	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, GROUP)->error, SGW_ERR_NONE);
	W.n_planner = 0;
	W.b.ledger_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(lockdown(1, LOCKDOWN_GROUP, OTHER)->error, SGW_ERR_LEDGER_FAILED);
	close(W.b.ledger_fd);
	W.b.ledger_fd = good;
	W.b.lockdowns.next_try = 0;
	lockdowns_run(&W.b);
	assert_int_equal(W.b.chain.number, 2);
	assert_int_equal(lockdowns_next(&W.b), INT64_MAX);
}

static void
test_after_a_restart(void **state)
{
	struct grant *here = open_grant(GROUP, 8443), *there = open_grant(OTHER, 8443);

	lockdowns_start(&W.b);
	assert_null(world_said(MSG_LOCKDOWNS));
	is_on(LOCKDOWN_GROUP, GROUP);
	lockdowns_start(&W.b);
	assert_int_equal(world_said(MSG_LOCKDOWNS)->lockdowns.n_lockdowns, 1);
	assert_true(is_due(here));
	assert_string_equal(here->why, "lockdown");
	assert_false(is_due(there));
}

/* ---- unlock ---- */

static void
unlock(const char *subject)
{
	struct msg_admin m = {.client = 1, .act = ACT_ENABLE};

	(void)FIELD_SET(m.plan_id, PLAN_A);
	(void)FIELD_SET(m.subject, subject);
	admin_ask(&W.b, &m);
}

static void
shown(void)
{
	int ends[2];

	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_SPAWNING);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&screen);
	screen = chan_open(ends[1], ROLE_CONSENT, ROLE_BROKER);
	ceremony_spawned(&W.b, W.b.ceremony.number, ends[0]);
	assert_int_equal(W.b.active->state, JOB_READING);
}

static void
test_unlock(void **state)
{
	(void)lockdown(1, LOCKDOWN_ALL, "");
	(void)lockdown(1, LOCKDOWN_GROUP, GROUP);
	unlock("");
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "act enable-openings\nsubject everything\n"));
	assert_non_null(strstr(W.b.ceremony.text, "say all\n"));
	assert_non_null(strstr(W.b.ceremony.text, "say group " GROUP "\n"));
	assert_int_equal(W.b.lockdowns.n, 2);
	touched();
	assert_int_equal(result()->status, STATUS_OK);
	assert_string_equal(result()->detail, "openings can be asked for again");
	assert_int_equal(W.b.lockdowns.n, 0);
	assert_int_equal(world_said(MSG_LOCKDOWNS)->lockdowns.n_lockdowns, 0);
	assert_non_null(strstr(W.b.ledger_text, "ledger enable "));
	assert_non_null(strstr(W.b.ledger_text, "subject everything\n"));
}

static void
test_unlock_one(void **state)
{
	char longest[SGW_PROFILE_MAX + 1];

	memset(longest, 'p', SGW_PROFILE_MAX);
	longest[SGW_PROFILE_MAX] = 0;
	is_on(LOCKDOWN_PROFILE, longest);
	(void)lockdown(1, LOCKDOWN_GROUP, GROUP);
	unlock("group " GROUP);
	shown();
	assert_null(strstr(W.b.ceremony.text, longest));
	assert_non_null(strstr(W.b.ceremony.text, "say 1 other lockdowns stay on.\n"));
	touched();
	assert_int_equal(result()->status, STATUS_OK);
	assert_non_null(strstr(result()->detail, "1 other lockdowns stay on"));
	assert_int_equal(W.b.lockdowns.n, 1);
	assert_int_equal(W.b.lockdowns.on[0].scope, LOCKDOWN_PROFILE);
	W.n_planner = W.n_control = 0;
	unlock("");
	shown(); /* the longest name there is has its lines */
	assert_non_null(strstr(W.b.ceremony.text, longest));
}

static void
test_nothing_to_unlock(void **state)
{
	unlock("");
	assert_int_equal(result()->error, SGW_ERR_BAD_ARGUMENT);
	assert_string_equal(result()->detail, "no lockdown is on");
	is_on(LOCKDOWN_GROUP, GROUP);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const none[] = {"all", ("group " OTHER), "whatever"};

		W.n_planner = W.n_control = 0;
		unlock(none[i]);
		assert_int_equal(result()->error, SGW_ERR_BAD_ARGUMENT);
		assert_non_null(strstr(result()->detail, "no such lockdown is on"));
	}
	assert_int_equal(W.b.lockdowns.n, 1);
}

/* What the person reads of is what is lifted: another lockdown in between ends it, the same one again does not. */
static void
test_unlock_and_another(void **state)
{
	(void)lockdown(1, LOCKDOWN_GROUP, GROUP);
	unlock("");
	shown();
	(void)lockdown(1, LOCKDOWN_GROUP, GROUP);
	assert_non_null(W.b.active);
	assert_int_equal(lockdown(1, LOCKDOWN_ALL, "")->ended, 0);
	assert_null(W.b.active);
	assert_int_equal(result()->error, SGW_ERR_STATE_CHANGED);
	assert_int_equal(W.b.lockdowns.n, 2);
	/* one that waits for its turn likewise */
	(void)opening(JOB_READING);
	W.b.jobs[0].plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 80, 80, SOURCE));
	(void)FIELD_SET(W.b.jobs[0].plan_id, PLAN_B);
	unlock("");
	W.n_planner = W.n_control = 0;
	(void)lockdown(1, LOCKDOWN_GROUP, OTHER);
	assert_string_equal(result()->plan_id, PLAN_A);
	assert_int_equal(result()->error, SGW_ERR_STATE_CHANGED);
	assert_ptr_equal(W.b.active, &W.b.jobs[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_takes_effect),
	    TEST(test_again),
	    TEST(test_scopes),
	    TEST(test_not_ours),
	    TEST(test_who),
	    TEST(test_what),
	    TEST(regress_125_all_has_its_place),
	    TEST(test_unrecorded),
	    TEST(test_one_unrecorded),
	    TEST(test_after_a_restart),
	    TEST(test_unlock),
	    TEST(test_unlock_one),
	    TEST(test_nothing_to_unlock),
	    TEST(test_unlock_and_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
