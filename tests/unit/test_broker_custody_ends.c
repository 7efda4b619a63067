/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing an opener: every way in which it ends before the last touch, or behind it; then nothing is sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "custody_world.h"

static void
nothing_sealed(void)
{
	static const uint8_t zero[sizeof(W.b.vault->answers)];

	assert_int_equal(W.b.sealed.n_entries, 0);
	if (!W.b.active)
		assert_false(custody_collecting(&W.b));
	assert_true(W.b.profiles[0].keys[TIER_OPENER].there);
	assert_memory_equal(W.b.vault->answers, zero, sizeof(zero));
}

/* The ledger takes nothing any more, from the record `full_at` on. */
static void
story_with_the_ledger_full(int full_at)
{
	int real = W.b.ledger_fd;

	for (int at = 0; at < 5; at++) {
		W.b.ledger_fd = at < full_at ? real : -1;
		if (at == 0)
			act(ACT_SEAL, PROD, "");
		else if (at == 4)
			admin_committed(&W.b, true);
		else {
			if (at == 1)
				shown();
			agrees();
			touched(at == 3 ? RED : BLUE);
		}
		if (!W.b.active)
			break;
		assert_true(at < full_at);
	}
	W.b.ledger_fd = real;
}

static void
test_ledger_full_at_each_record(void **state)
{
	for (int full_at = 0; full_at < 5; full_at++) {
		uint64_t before = W.b.chain.number;

		story_with_the_ledger_full(full_at);
		assert_int_equal(W.b.chain.number, before + (uint64_t)full_at);
		ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		nothing_sealed();
	}
	collected(ACT_SEAL, PROD); /* with room again it goes its way */
	admin_committed(&W.b, true);
	assert_non_null(sealed_entry(TIER_OPENER));
}

/* What is written and cannot be synced counts or not: the next start reads which. */
static void
test_not_synced(void **state)
{
	int real = W.b.ledger_fd, ends[2];

	collected(ACT_SEAL, PROD);
	assert_int_equal(pipe(ends), 0);
	W.b.ledger_fd = ends[1];
	expect_assert_failure(admin_committed(&W.b, true));
	W.b.ledger_fd = real;
	close(ends[0]);
	close(ends[1]);
	nothing_sealed();
}

static void
test_not_committed(void **state)
{
	collected(ACT_SEAL, PROD);
	admin_committed(&W.b, false); /* the disk is full */
	ended(STATUS_FAILED, SGW_ERR_INTERNAL, "could not be written");
	nothing_sealed();
}

/* A word about a file that nobody has written changes nothing. */
static void
test_committed_out_of_turn(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	admin_committed(&W.b, true);
	admin_committed(&W.b, false);
	assert_int_equal(W.b.active->state, JOB_READING);
	assert_null(world_said(MSG_RESULT));
	nothing_sealed();
}

/* An owned fido has the same key answer twice, once for each name. */
static void
test_one_key_for_two(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	agrees();
	assert_false(plugged(BLUE)); /* it is not asked again */
	(void)answers(BLUE);
	says();
	ended(STATUS_FAILED, SGW_ERR_BAD_ASSERTION, "this key has answered already");
	nothing_sealed();
}

static void
test_answers_without_a_secret(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	agrees();
	assert_true(plugged(BLUE));
	answers(BLUE)->hmac_secret_len = 0;
	custody_collected(&W.b, &C.said.assertion, BLUE, C.counter);
	ended(STATUS_FAILED, SGW_ERR_BAD_ASSERTION, "");
	nothing_sealed();
}

/* A signature over another text, an old counter, no touch: as with any assertion. */
static void
test_wrong_touches(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	agrees();
	assert_true(plugged(BLUE));
	answers(BLUE)->signature[20] ^= 1;
	says();
	ended(STATUS_FAILED, SGW_ERR_BAD_ASSERTION, "");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	assert_true(plugged(BLUE));
	C.counter--;
	(void)answers(BLUE);
	says();
	ended(STATUS_FAILED, SGW_ERR_CLONED_KEY, "");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	assert_true(plugged(BLUE));
	C.ask.hmac_secret = false; /* fido asks for the touch alone */
	(void)answers(BLUE);
	says();
	ended(STATUS_FAILED, SGW_ERR_KEY_REFUSED, "");
	nothing_sealed();
}

/* The keys answer, and with other secrets than those that sealed it. */
static void
test_nobody_opens_the_old_seal(void **state)
{
	struct rec_sealed_entry old = *sealed_by_hand(TIER_OPENER);

	C.wrong = true;
	collected(ACT_ROTATE, PROD);
	ended(STATUS_FAILED, SGW_ERR_SEALED, "none of the touched keys opens");
	assert_memory_equal(sealed_entry(TIER_OPENER), &old, sizeof(old));
}

static void
test_nothing_worth_sealing(void **state)
{
	W.b.profiles[0].keys[TIER_OPENER].secret_key[0] = 0; /* the loader takes none of these */
	collected(ACT_SEAL, PROD);
	ended(STATUS_FAILED, SGW_ERR_SEALED, "the secret key is empty or too long");
	nothing_sealed();
}

/* ---- between the touches ---- */

static void
time_is_up(void)
{
	W.b.active->deadline = clock_monotonic() - 1;
	job_timeouts(&W.b);
}

static void
test_time_is_up(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	time_is_up(); /* the word was not typed again */
	ended(STATUS_EXPIRED, SGW_ERR_EXPIRED, "");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	time_is_up(); /* nobody touched */
	ended(STATUS_EXPIRED, SGW_ERR_EXPIRED, "");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	agrees();
	assert_true(plugged(RED));
	(void)answers(RED);
	W.b.active->deadline = clock_monotonic() - 1;
	says(); /* too late by a moment */
	ended(STATUS_EXPIRED, SGW_ERR_EXPIRED, "");
	nothing_sealed();
}

/* The wall clock was two hours ahead when the record was made, and is put right while it is on the screen. */
static void
regress_223_clock_put_right(void **state)
{
	struct ceremony *c = &W.b.ceremony;
	int64_t seconds;

	agreed_to(ACT_SEAL, PROD);
	seconds = c->record.expires - c->record.created;
	assert_int_equal(W.b.active->deadline, c->made + seconds * 1000);
	c->record.created += 7200;
	c->record.expires += 7200;
	agrees();
	touched(BLUE);
	assert_int_equal(W.b.active->state, JOB_READING); /* the red one is wanted */
	assert_int_equal(W.b.active->deadline, c->made + seconds * 1000);
}

/* The plugged key has answered already, or is none of ours: another is waited for until the record expires. */
static void
test_keys_are_changed(void **state)
{
	static const enum key_state lost[] = {KEY_NOT_ENROLLED, KEY_PULLED};

	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	agrees();
	for (size_t i = 0; i < 2; i++) {
		assert_false(plugged(BLUE));
		C.said = (struct msg){.id = MSG_KEY_ERROR, .key_error.state = lost[i]};
		says();
		assert_int_equal(W.b.active->state, JOB_KEYS);
		assert_true(W.b.ceremony.waiting_for_key);
	}
	touched(RED);
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	admin_committed(&W.b, true);
	assert_int_equal(sealed_entry(TIER_OPENER)->n_wraps, 2);
}

static void
test_no_other_key_comes(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	agrees();
	assert_false(plugged(BLUE));
	C.said = (struct msg){.id = MSG_KEY_ERROR, .key_error.state = KEY_NOT_ENROLLED};
	says();
	time_is_up();
	ended(STATUS_EXPIRED, SGW_ERR_NO_KEY, "no key was plugged in");
	nothing_sealed();
}

static void
test_key_fails(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	agrees();
	assert_true(plugged(BLUE));
	C.said = (struct msg){.id = MSG_KEY_ERROR, .key_error.state = KEY_PIN_BLOCKED};
	says();
	ended(STATUS_FAILED, SGW_ERR_PIN_BLOCKED, "");
	nothing_sealed();
}

/* Whoever asked for it leaves before the word, before a touch and between two; afterwards it is too late for that. */
static void
test_client_goes(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	job_client_gone(&W.b, 1);
	ended(STATUS_DENIED, SGW_ERR_CANCELLED, "the client went away");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	agrees();
	job_client_gone(&W.b, 1);
	ended(STATUS_DENIED, SGW_ERR_CANCELLED, "the client went away");
	nothing_sealed();
	collected(ACT_SEAL, PROD);
	job_client_gone(&W.b, 1);
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	admin_committed(&W.b, true);
	assert_non_null(sealed_entry(TIER_OPENER));
}

static void
test_person_goes(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	refuses();
	ended(STATUS_DENIED, SGW_ERR_DENIED, "");
	agreed_to(ACT_SEAL, PROD);
	agrees();
	touched(BLUE);
	chan_close(&C.screen);
	ceremony_consent(&W.b);
	ended(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED, "");
	nothing_sealed();
}

/* A word about the key that was asked before, and comes late, ends nothing. */
static void
test_late_word_of_the_key(void **state)
{
	agreed_to(ACT_SEAL, PROD);
	screen_says((struct msg){.id = MSG_KEY_STAGE, .key_stage.state = KEY_WAITING_TOUCH});
	assert_int_equal(W.b.active->state, JOB_READING);
	assert_true(custody_collecting(&W.b));
}

static void
test_names_that_do_not_fit(void **state)
{
	char names[SGW_WANTED_MAX + 1];

	memset(W.b.keys.keys[BLUE].name, 'b', SGW_KEY_NAME_MAX);
	memset(W.b.keys.keys[RED].name, 'r', SGW_KEY_NAME_MAX);
	agreed_to(ACT_SEAL, PROD);
	(void)snprintf(names, sizeof(names), "%s, ...", W.b.keys.keys[BLUE].name);
	assert_string_equal(heard(MSG_WANT_KEY)->want_key.names, names);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, custody_open, custody_close)
	static const struct CMUnitTest tests[] = {
	    TEST(test_ledger_full_at_each_record),
	    TEST(test_not_synced),
	    TEST(test_not_committed),
	    TEST(test_committed_out_of_turn),
	    TEST(test_one_key_for_two),
	    TEST(test_answers_without_a_secret),
	    TEST(test_wrong_touches),
	    TEST(test_nobody_opens_the_old_seal),
	    TEST(test_nothing_worth_sealing),
	    TEST(test_time_is_up),
	    TEST(regress_223_clock_put_right),
	    TEST(test_keys_are_changed),
	    TEST(test_no_other_key_comes),
	    TEST(test_key_fails),
	    TEST(test_client_goes),
	    TEST(test_person_goes),
	    TEST(test_late_word_of_the_key),
	    TEST(test_names_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
