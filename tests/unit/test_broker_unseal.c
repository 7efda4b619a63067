/* SPDX-License-Identifier: Apache-2.0 */
/* The use of a sealed opener: what is asked, what opens it, what renews it, and each way in which it stays shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "custody_world.h"

#define PIN_TOO "seal opener-sensitive too"

/* A plan that opens, its record on the screen and the word typed. */
static struct job *
typed(void)
{
	struct job *j = world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, "203.0.113.7/32"), JOB_READING);
	struct ceremony *c = &W.b.ceremony;

	j->deadline = clock_monotonic() + 60000;
	(void)FIELD_SET(j->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	c->number = 5;
	c->record = (struct record){.plan = j->plan};
	c->record.expires = clock_now() + 60;
	c->record.closes = clock_now() + 3600;
	(void)FIELD_SET(c->record.description, "uid 1000 #{receipt}");
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	W.n_planner = W.n_control = 0;
	assert_true(touch_ask(&W.b, &c->ask, false));
	touch_begin(&W.b);
	return j;
}

static void
not_opened(struct rec_sealed_entry *e, const struct rec_sealed_entry *before)
{
	ended(STATUS_FAILED, SGW_ERR_SEALED, "the key's secret does not open what is sealed");
	assert_null(world_sent());
	assert_memory_equal(e, before, sizeof(*e));
}

/* ---- a plan's way ---- */

static void
test_used_and_renewed(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	struct job *j = typed();
	uint64_t before = W.b.chain.number;

	touched(RED);
	assert_int_equal(C.ask.n_creds, 2);
	assert_int_equal(j->state, JOB_RESEAL);
	assert_int_equal(world_said(MSG_COMMIT)->commit.file, STATE_FILE_SEALED);
	assert_int_equal(W.b.chain.number, before); /* the file first */
	assert_null(world_sent());
	assert_memory_equal(e, &old, sizeof(old));
	custody_committed(&W.b, true);
	assert_int_equal(j->state, JOB_RESEALED);
	assert_int_equal(W.b.chain.number, before + 1);
	assert_null(world_sent());
	assert_ptr_equal(custody_keys(&W.b, &W.b.profiles[0]), &W.b.vault->opener);
	assert_string_equal(W.b.vault->opener.secret_key, OPENER_SECRET);
	custody_committed(&W.b, false); /* it stands there twice: the next start tidies */
	assert_int_equal(j->state, JOB_DRY_RUN);
	assert_non_null(world_sent());
	e = sealed_entry(TIER_OPENER);
	assert_memory_equal(&e->wraps[BLUE], &old.wraps[BLUE], sizeof(old.wraps[0]));
	assert_int_equal(e->wraps[RED].renewals, 1);
	assert_memory_equal(e->wraps[RED].salt, C.ask.next_salt, 32);
	assert_memory_not_equal(e->wraps[RED].data_key, old.wraps[RED].data_key, 48);
	job_end(&W.b, STATUS_FAILED, SGW_ERR_INTERNAL, "");
	ended(STATUS_FAILED, SGW_ERR_INTERNAL, "");
	for (unsigned n = 2; n < 5; n++) { /* and so each time */
		(void)typed();
		touched(RED);
		custody_committed(&W.b, true);
		assert_int_equal(sealed_entry(TIER_OPENER)->wraps[RED].renewals, n);
		job_end(&W.b, STATUS_FAILED, SGW_ERR_INTERNAL, "");
	}
}

/* What needs the PIN is unsealed with what the PIN's own seal was made with, and nothing else is. */
static void
test_each_class_its_seal(void **state)
{
	static const enum tier TIERS[] = {TIER_OPENER, TIER_OPENER_SENSITIVE};
	struct msg ask;

	(void)sealed_by_hand(TIER_OPENER);
	(void)sealed_by_hand(TIER_OPENER_SENSITIVE);
	for (size_t pin = 0; pin < 2; pin++) {
		typed()->verdict.needs_pin = pin;
		assert_true(touch_ask(&W.b, &ask, false));
		assert_int_equal(ask.ask_assertion.n_creds, 2);
		assert_memory_equal(ask.ask_assertion.creds[BLUE].salt,
		    sealed_entry(TIERS[pin])->wraps[BLUE].salt, 32);
	}
	assert_memory_not_equal(sealed_entry(TIER_OPENER)->wraps[BLUE].salt,
	    sealed_entry(TIER_OPENER_SENSITIVE)->wraps[BLUE].salt, 32);
}

/* With what an earlier touch's answer opened nothing opens any more. */
static void
test_an_old_answer(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), now;
	uint8_t old[64];

	(void)typed();
	assert_true(plugged(BLUE));
	memcpy(old, answers(BLUE)->hmac_secret, 64);
	says();
	custody_committed(&W.b, true);
	job_end(&W.b, STATUS_FAILED, SGW_ERR_INTERNAL, "");
	(void)typed();
	assert_true(plugged(BLUE));
	memcpy(answers(BLUE)->hmac_secret, old, 64);
	now = *e;
	says();
	not_opened(e, &now);
}

static void
test_wrong_secret(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	uint64_t before = W.b.chain.number;

	(void)typed();
	C.wrong = true;
	touched(BLUE);
	not_opened(e, &old);
	assert_int_equal(W.b.chain.number, before + 1); /* a denial */
	assert_null(world_said(MSG_COMMIT));
}

/* The data key is the right one, and what it sealed was changed in the file. */
static void
test_damaged(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old;

	e->secret[7] ^= 1;
	old = *e;
	(void)typed();
	touched(BLUE);
	not_opened(e, &old);
}

/* A key without a wrap is not asked, and an answer of it, which an owned fido may have made, opens nothing. */
static void
test_key_without_a_wrap(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old;

	e->n_wraps = 1;
	old = *e;
	(void)typed();
	assert_false(plugged(RED));
	assert_int_equal(C.ask.n_creds, 1);
	assert_memory_equal(C.ask.creds[0].salt, e->wraps[BLUE].salt, 32);
	(void)answers(RED);
	says();
	not_opened(e, &old);
}

static void
test_answer_without_a_secret(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	bool failed = false;

	(void)typed();
	assert_true(plugged(BLUE));
	answers(BLUE)->hmac_secret_len = 32;
	assert_true(custody_unseal(&W.b, &C.said.assertion, 1, &failed));
	assert_true(failed);
	assert_false(W.b.vault->opener.there);
	assert_int_equal(C.said.assertion.hmac_secret_len, 0);
	assert_memory_equal(e, &old, sizeof(old));
	assert_null(world_said(MSG_COMMIT));
}

/* What cannot be renewed is not used: the same answer would open it again.  What it has opened is gone at once. */
static void
test_not_to_be_renewed(void **state)
{
	static const struct profile_keys nobody;
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	bool failed = false;

	W.b.sealed.n_entries = 2; /* the second is empty: such a list has no form */
	(void)typed();
	assert_true(plugged(BLUE));
	assert_true(custody_unseal(&W.b, answers(BLUE), 1, &failed));
	assert_true(failed);
	assert_memory_equal(&W.b.vault->opener, &nobody, sizeof(nobody));
	(void)answers(BLUE);
	says();
	not_opened(e, &old);
}

static void
test_not_committed(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	uint64_t before = W.b.chain.number;

	(void)typed();
	touched(BLUE);
	custody_committed(&W.b, false);
	ended(STATUS_FAILED, SGW_ERR_INTERNAL, "the sealed file could not be written");
	assert_int_equal(W.b.chain.number, before);
	assert_null(world_sent());
	assert_memory_equal(e, &old, sizeof(old));
	(void)typed(); /* and it opens again */
	touched(BLUE);
	assert_int_equal(W.b.active->state, JOB_RESEAL);
}

static void
test_not_in_the_ledger(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER), old = *e;
	int real = W.b.ledger_fd, ends[2];

	(void)typed();
	touched(BLUE);
	W.b.ledger_fd = -1;
	custody_committed(&W.b, true);
	ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
	assert_null(world_sent());
	assert_memory_equal(e, &old, sizeof(old));
	W.b.ledger_fd = real;
	(void)typed();
	touched(BLUE);
	assert_int_equal(pipe(ends), 0);
	W.b.ledger_fd = ends[1]; /* written, and not synced */
	expect_assert_failure(custody_committed(&W.b, true));
	W.b.ledger_fd = real;
	close(ends[0]);
	close(ends[1]);
	assert_null(world_sent());
	assert_memory_equal(e, &old, sizeof(old));
}

/* ---- before anybody is asked ---- */

static void
expect_problem(const struct job *j, enum sgw_error error, const char *words)
{
	const char *why = "";

	assert_int_equal(custody_problem(&W.b, j, &why), error);
	if (error != SGW_ERR_NONE)
		assert_non_null(strstr(why, words));
}

static void
test_problems(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct job *j = typed();
	struct rec_sealed_entry *e;

	expect_problem(j, SGW_ERR_NONE, "");
	j->plan.ops[1] = j->plan.ops[0]; /* of several one is enough */
	j->plan.ops[1].action = ACTION_CLOSE;
	j->plan.n_ops = 2;
	p->keys[TIER_OPENER].there = false;
	expect_problem(j, SGW_ERR_NO_CREDENTIALS, "neither sealed nor in the AWS files");
	j->verdict.needs_pin = true;
	expect_problem(j, SGW_ERR_NONE, "");
	p->keys[TIER_OPENER_SENSITIVE].there = false;
	expect_problem(j, SGW_ERR_NO_CREDENTIALS, PIN_TOO);
	(void)FIELD_SET(j->plan.profile, "test"); /* whose refusal is the plan's own */
	expect_problem(j, SGW_ERR_NONE, "");
	(void)FIELD_SET(j->plan.profile, "prod");
	j->plan.ops[0].action = ACTION_CLOSE; /* a closer's key is not sealed */
	expect_problem(j, SGW_ERR_NONE, "");
	j->plan.ops[0].action = ACTION_OPEN;
	j->verdict.needs_pin = false;
	e = sealed_by_hand(TIER_OPENER);
	expect_problem(j, SGW_ERR_NONE, "");
	e->wraps[BLUE].key[0] ^= 1;
	expect_problem(j, SGW_ERR_NONE, "");
	e->wraps[RED].key[0] ^= 1;
	expect_problem(j, SGW_ERR_SEALED, "none of the enrolled security keys");
}

/* Nobody signs with an opener but the active plan, for its own profile, if it opens. */
static void
test_whose_keys(void **state)
{
	const struct profile *p = &W.b.profiles[0];
	struct profile other = *p;
	struct job *j;

	assert_false(custody_keys(&W.b, p)->there);
	j = typed();
	assert_ptr_equal(custody_keys(&W.b, p), &p->keys[TIER_OPENER]);
	j->verdict.needs_pin = true;
	assert_ptr_equal(custody_keys(&W.b, p), &p->keys[TIER_OPENER_SENSITIVE]);
	assert_false(custody_keys(&W.b, &other)->there);
	j->plan.ops[0].action = ACTION_CLOSE;
	assert_false(custody_keys(&W.b, p)->there);
	j->plan.ops[0].action = ACTION_OPEN;
	j->kind = JOB_ADMIN;
	j->act = ACT_TEST_KEY;
	assert_false(custody_keys(&W.b, p)->there);
}

/* ---- an opener is tried ---- */

static void
tried(const char *subject)
{
	act(ACT_TEST_OPENER, subject, GROUP);
	shown();
	agrees();
	touched(BLUE);
}

static void
test_tried(void **state)
{
	static const struct aws_result yes = {
	    .outcome = NET_ANSWERED, .http_status = 412, .code = "DryRunOperation"};
	static const struct aws_result no = {
	    .outcome = NET_ANSWERED, .http_status = 403, .code = "UnauthorizedOperation"};
	uint64_t before;

	tried(PROD); /* from the AWS files */
	assert_int_equal(W.b.active->state, JOB_TRIAL);
	assert_non_null(world_sent());
	execute_answer(&W.b, &no);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_FAILED);
	(void)sealed_by_hand(TIER_OPENER);
	before = W.b.chain.number;
	tried(PROD);
	assert_int_equal(W.b.active->state, JOB_RESEAL);
	custody_committed(&W.b, true);
	assert_int_equal(W.b.active->state, JOB_RESEALED);
	assert_int_equal(W.b.chain.number, before + 2); /* request, test */
	custody_committed(&W.b, true);
	assert_int_equal(W.b.active->state, JOB_TRIAL);
	assert_non_null(memmem(world_sent()->body, W.sent.send.body_len, "DryRun=true", 11));
	execute_answer(&W.b, &yes);
	ended(STATUS_OK, SGW_ERR_NONE, "AWS would let it open ports in " GROUP);
	assert_int_equal(sealed_entry(TIER_OPENER)->wraps[BLUE].renewals, 1);
}

/* With the PIN, where that is what the tier wants; and an answer that AWS never gives to a trial run is none. */
static void
test_tried_with_the_pin(void **state)
{
	static const struct aws_result done = {.outcome = NET_ANSWERED, .http_status = 200};
	static const struct aws_result cut = {.outcome = NET_NO_ANSWER, .code = "DryRunOperation"};

	(void)sealed_by_hand(TIER_OPENER_SENSITIVE);
	tried(SENSITIVE);
	assert_true(C.ask.uv && C.ask.hmac_secret);
	custody_committed(&W.b, true);
	assert_string_equal(W.b.vault->opener.access_key_id, SENSITIVE_ID);
	custody_committed(&W.b, true);
	assert_int_equal(W.b.active->state, JOB_TRIAL);
	execute_answer(&W.b, &done);
	ended(STATUS_FAILED, SGW_ERR_AWS_BAD_ANSWER, "");
	tried(SENSITIVE);
	custody_committed(&W.b, true);
	custody_committed(&W.b, true);
	execute_answer(&W.b, &cut);
	assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_FAILED);
}

/* What net cannot be asked ends it. */
static void
test_tried_without_net(void **state)
{
	(void)sealed_by_hand(TIER_OPENER);
	tried(PROD);
	custody_committed(&W.b, true);
	W.b.vault->opener.there = false;
	custody_committed(&W.b, true);
	ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS, "");
	assert_null(world_sent());
}

static void
test_tried_in_vain(void **state)
{
	static const char *const subjects[] = {
	    "a-profile-of-this-name-is-longer-than-any-that-config-json-can-name-at-all opener", "",
	    "prod", "test opener", "prod reader", "prod Opener", "prod  opener"};
	int real = W.b.ledger_fd;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		act(ACT_TEST_OPENER, subjects[i], GROUP);
		ended(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT, "it takes a configured profile");
	}
	act(ACT_TEST_OPENER, PROD, "sg-?");
	ended(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT, "and a group's id");
	act(ACT_TEST_OPENER, PROD, GROUP "0123456789012345678901234567890");
	ended(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT, "and a group's id");
	act(ACT_TEST_OPENER, PROD, GROUP);
	shown();
	agrees();
	W.b.ledger_fd = -1;
	touched(BLUE);
	ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
	W.b.ledger_fd = real;
	assert_null(world_sent());
	W.b.profiles[0].keys[TIER_OPENER].there = false;
	act(ACT_TEST_OPENER, PROD, GROUP);
	ended(STATUS_FAILED, SGW_ERR_NO_CREDENTIALS, "neither sealed nor in the AWS files");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, custody_open, custody_close)
	static const struct CMUnitTest tests[] = {
	    TEST(test_used_and_renewed),
	    TEST(test_each_class_its_seal),
	    TEST(test_an_old_answer),
	    TEST(test_wrong_secret),
	    TEST(test_damaged),
	    TEST(test_key_without_a_wrap),
	    TEST(test_answer_without_a_secret),
	    TEST(test_not_to_be_renewed),
	    TEST(test_not_committed),
	    TEST(test_not_in_the_ledger),
	    TEST(test_problems),
	    TEST(test_whose_keys),
	    TEST(test_tried),
	    TEST(test_tried_with_the_pin),
	    TEST(test_tried_without_net),
	    TEST(test_tried_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
