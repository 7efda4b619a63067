/* SPDX-License-Identifier: Apache-2.0 */
/* From the word to the touch: keys that fail in each way, counters, forged answers, and an enrolment's two steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "forge_key.h"

#define RP "sgwarden:abcdefghijklmnop"

static struct chan keys[FIDOS_MAX + 1]; /* the fidos' ends */
static struct authenticator key;
static uint8_t scratch[SGW_DATAGRAM_MAX];
static struct msg said;

static int
touch_open(void **state)
{
	struct rec_key_entry *k = &W.b.keys.keys[0];

	for (size_t i = 0; i < FIDOS_MAX + 1; i++)
		keys[i].fd = -1;
	if (world_open(state) < 0)
		return -1;
	key = authenticator_new(9);
	W.b.keys.n_keys = 1;
	k->cred_id_len = sizeof(key.id);
	memcpy(k->cred_id, key.id, sizeof(key.id));
	memcpy(k->public_key, key.pub, sizeof(key.pub));
	(void)FIELD_SET(k->name, "blue");
	W.b.counters[0] = 5;
	return 0;
}

static int
touch_close(void **state)
{
	for (size_t i = 0; i < FIDOS_MAX + 1; i++)
		chan_close(&keys[i]);
	for (size_t i = 0; i < FIDOS_MAX; i++)
		if (i < W.b.ceremony.n_fidos)
			chan_close(&W.b.ceremony.fido[i]);
	EVP_PKEY_free(key.pkey);
	return world_close(state);
}

/* The word was typed: ceremony 5 waits for a key. */
static struct job *
typed(enum job_kind kind)
{
	struct job *j = world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, "203.0.113.7/32"), JOB_READING);
	struct ceremony *c = &W.b.ceremony;

	j->kind = kind;
	j->deadline = clock_monotonic() + 60000;
	(void)FIELD_SET(j->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	c->number = 5;
	c->record.plan = j->plan;
	c->record.expires = clock_now() + 60;
	c->record.closes = clock_now() + 3600;
	(void)FIELD_SET(c->record.description, "uid 1000 #{receipt}");
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	c->n_fidos = 0;
	c->by_signature_len = 0;
	touch_ask(&W.b, &c->ask, false);
	touch_begin(&W.b);
	return j;
}

static int
plugged(uint8_t index, uint8_t count)
{
	const struct msg_key_end m = {.ceremony = 5, .index = index, .count = count};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&keys[index]);
	keys[index] = chan_open(ends[1], ROLE_FIDO, ROLE_BROKER);
	touch_end(&W.b, &m, ends[0]);
	return ends[0];
}

static void
fido_says(const struct msg *m)
{
	assert_int_equal(chan_send(&keys[0], scratch, m, -1, false), 0);
	touch_fido(&W.b, 0);
}

/* An answer that holds, for what is asked now. */
static struct msg_assertion *
assertion(uint8_t flags, uint32_t counter)
{
	struct msg_assertion *a = &said.assertion;

	said = (struct msg){.id = MSG_ASSERTION};
	a->cred_id_len = sizeof(key.id);
	memcpy(a->cred_id, key.id, sizeof(key.id));
	a->authdata_len = (uint16_t)head_put(a->authdata, RP, flags, counter);
	a->signature_len = (uint16_t)sign(&key, a->authdata, a->authdata_len, W.b.ceremony.text,
	    W.b.ceremony.text_len, a->signature);
	return a;
}

static void
say(void)
{
	fido_says(&said);
}

/* ---- plugged or not ---- */

static void
test_ends_not_awaited(void **state)
{
	const struct msg_key_end none = {.ceremony = 5};
	struct job *j = typed(JOB_CHANGE);

	W.b.ceremony.number = 6;
	assert_int_equal(fcntl(plugged(0, 1), F_GETFD), -1);
	W.b.ceremony.number = 5;
	j->state = JOB_READING;
	assert_int_equal(fcntl(plugged(0, 1), F_GETFD), -1);
	touch_end(&W.b, &none, -1);
	j->state = JOB_KEYS;
	for (uint8_t i = 0; i < FIDOS_MAX; i++)
		assert_true(fcntl(plugged(i, FIDOS_MAX + 1), F_GETFD) >= 0);
	assert_int_equal(fcntl(plugged(FIDOS_MAX, FIDOS_MAX + 1), F_GETFD), -1);
	W.b.active = NULL;
	assert_int_equal(fcntl(plugged(FIDOS_MAX, FIDOS_MAX + 1), F_GETFD), -1);
}

static void
test_no_key_is_plugged_in(void **state)
{
	const struct msg_key_end none = {.ceremony = 5};

	(void)typed(JOB_CHANGE);
	touch_end(&W.b, &none, -1);
	assert_true(W.b.ceremony.waiting_for_key);
	assert_int_equal(world_said(MSG_STAGE)->stage.stage, STAGE_WAITING_FOR_KEY);
	(void)plugged(0, 1);
	assert_false(W.b.ceremony.waiting_for_key);
	touch_end(&W.b, &none, -1); /* one is there */
	assert_false(W.b.ceremony.waiting_for_key);
}

/* A fido that has ended before it could be asked is one that will not answer. */
static void
test_ended_before_it_was_asked(void **state)
{
	const struct msg_key_end m = {.ceremony = 5, .index = 0, .count = 1};
	int ends[2];

	(void)typed(JOB_CHANGE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	touch_end(&W.b, &m, ends[0]);
	assert_int_equal(W.b.ceremony.fido[0].fd, -1);
	assert_int_equal(W.b.ceremony.n_fidos, 1);
}

static void
test_every_key_error(void **state)
{
	static const struct {
		enum key_state key;
		enum status status;
		enum sgw_error error;
	} rows[] = {
	    {KEY_WAITING_TOUCH, STATUS_FAILED, SGW_ERR_KEY_REFUSED},
	    {KEY_PIN_WRONG, STATUS_FAILED, SGW_ERR_PIN_WRONG},
	    {KEY_PIN_BLOCKED, STATUS_FAILED, SGW_ERR_PIN_BLOCKED},
	    {KEY_PIN_NOT_SET, STATUS_FAILED, SGW_ERR_KEY_REFUSED},
	    {KEY_PIN_REQUIRED, STATUS_FAILED, SGW_ERR_KEY_REFUSED},
	    {KEY_NOT_ENROLLED, STATUS_FAILED, SGW_ERR_NO_KEY},
	    {KEY_EXCLUDED, STATUS_FAILED, SGW_ERR_KEY_EXISTS},
	    {KEY_PULLED, STATUS_FAILED, SGW_ERR_KEY_GONE},
	    {KEY_TIMED_OUT, STATUS_EXPIRED, SGW_ERR_EXPIRED},
	    {KEY_FAILED, STATUS_FAILED, SGW_ERR_KEY_REFUSED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct msg m = {.id = MSG_KEY_ERROR, .key_error.state = rows[i].key};

		(void)typed(JOB_CHANGE);
		(void)plugged(0, 1);
		fido_says(&m);
		world_ended(rows[i].status, rows[i].error);
	}
	(void)typed(JOB_CHANGE);
	(void)plugged(0, 1);
	touch_fido(&W.b, 0); /* nothing there yet */
	assert_non_null(W.b.active);
	chan_close(&keys[0]);
	touch_fido(&W.b, 0);
	world_ended(STATUS_FAILED, SGW_ERR_KEY_REFUSED);
}

/* What comes when nobody asks is not looked at. */
static void
test_out_of_turn(void **state)
{
	struct job *j = typed(JOB_CHANGE);

	(void)plugged(0, 1);
	j->state = JOB_DRY_RUN;
	(void)assertion(0x01, 8);
	say();
	assert_int_equal(j->state, JOB_DRY_RUN);
	assert_int_equal(W.b.ceremony.fido[0].fd, -1);
	(void)plugged(1, 2);
	W.b.active = NULL;
	W.b.ceremony.n_fidos = 1;
	chan_close(&keys[1]);
}

/* ---- answers ---- */

static void
test_good(void **state)
{
	struct job *j = typed(JOB_CHANGE);

	(void)plugged(0, 1);
	(void)assertion(0x01, 6);
	say();
	assert_int_equal(j->state, JOB_DRY_RUN);
	assert_int_equal(W.b.counters[0], 6);
	assert_int_equal(W.b.chain.number, 1); /* consent; the intent comes with the call */
	assert_true(world_said(MSG_END_CEREMONY)->end_ceremony.keys_only);
	assert_non_null(world_sent());
}

static void
expect_refused(enum sgw_error error)
{
	say();
	world_ended(STATUS_FAILED, error);
	assert_null(world_sent());
}

static void
asked_again(void)
{
	(void)typed(JOB_CHANGE);
	(void)plugged(0, 1);
}

static void
test_bad_answers(void **state)
{
	asked_again();
	assertion(0x01, 6)->cred_id[0] ^= 1; /* a key that nobody enrolled */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	asked_again();
	(void)assertion(0x00, 6); /* nobody touched it */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	asked_again();
	(void)assertion(0x01, 5); /* a copy of the key, or a replay */
	expect_refused(SGW_ERR_CLONED_KEY);
	asked_again();
	assertion(0x01, 6)->authdata_len = 30;
	expect_refused(SGW_ERR_BAD_ASSERTION);
	asked_again();
	W.b.ceremony.ask.ask_assertion.uv = true;
	(void)assertion(0x01, 6); /* without the PIN */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	W.b.ceremony.ask.ask_assertion.uv = false;
	asked_again();
	W.b.ceremony.text[0] ^= 1;
	(void)assertion(0x01, 6);
	W.b.ceremony.text[0] ^= 1; /* signed for another text */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	assert_int_equal(W.b.counters[0], 5);
}

/* A secret that nobody asked for, a credential instead of an assertion, an assertion instead of a credential. */
static void
test_not_as_asked(void **state)
{
	struct msg_assertion *a;

	asked_again();
	a = assertion(0x01, 6);
	a->hmac_secret_len = 32;
	memset(a->hmac_secret, 0x5a, 32);
	expect_refused(SGW_ERR_KEY_REFUSED);
	for (size_t i = 0; i < sizeof(W.b.in.assertion.hmac_secret); i++)
		assert_int_not_equal(W.b.in.assertion.hmac_secret[i], 0x5a);
	assert_null(memmem(W.b.scratch, sizeof(W.b.scratch), "\x5a\x5a\x5a\x5a", 4));
	asked_again();
	said = (struct msg){.id = MSG_CREDENTIAL};
	(void)FIELD_SET(said.credential.format, "none");
	expect_refused(SGW_ERR_KEY_REFUSED);
	asked_again();
	touch_ask(&W.b, &W.b.ceremony.ask, true);
	(void)assertion(0x01, 6);
	expect_refused(SGW_ERR_KEY_REFUSED);
}

static void
test_too_late(void **state)
{
	asked_again();
	W.b.active->deadline = clock_monotonic() - 1;
	(void)assertion(0x01, 6);
	say();
	world_ended(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	asked_again();
	W.b.ceremony.record.expires = clock_now() - 1; /* by the other clock */
	(void)assertion(0x01, 6);
	say();
	world_ended(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	assert_null(world_sent());
}

/* Some keys say 0 for ever, some until their first assertion; once one has counted, 0 is a copy. */
static void
test_keys_that_say_zero(void **state)
{
	W.b.keys.keys[0].zero_counter = true;
	W.b.counters[0] = 0;
	asked_again();
	(void)assertion(0x01, 0);
	say();
	assert_int_equal(W.b.active->state, JOB_DRY_RUN);
	(void)world_sent();
	asked_again();
	(void)assertion(0x01, 3);
	say();
	assert_int_equal(W.b.counters[0], 3);
	(void)world_sent();
	asked_again();
	(void)assertion(0x01, 0);
	expect_refused(SGW_ERR_CLONED_KEY);
	W.b.counters[0] = 0;
	asked_again();
	assertion(0x01, 0)->authdata_len = 20; /* too short to hold a counter */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	asked_again();
	assertion(0x01, 0)->authdata_len = 35;
	expect_refused(SGW_ERR_BAD_ASSERTION);
}

static void
test_consent_cannot_be_recorded(void **state)
{
	asked_again();
	W.b.ledger_fd = -1;
	(void)assertion(0x01, 6);
	expect_refused(SGW_ERR_LEDGER_FAILED);
}

/* ---- an enrolment by an enrolled key ---- */

static void
test_second_step(void **state)
{
	struct job *j = typed(JOB_ENROLL);
	const struct ceremony *c = &W.b.ceremony;

	(void)plugged(0, 1);
	(void)assertion(0x01, 6);
	W.n_control = 0;
	say();
	assert_true(j->asserted);
	assert_int_equal(j->state, JOB_KEYS);
	assert_int_equal(c->ask.id, MSG_ASK_CREDENTIAL);
	assert_int_equal(c->ask.ask_credential.n_exclude, 1);
	assert_int_equal(c->by_cred_len, sizeof(key.id));
	assert_int_equal(c->n_fidos, 0);
	assert_non_null(world_said(MSG_START_KEYS));
	assert_null(world_sent());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, touch_open, touch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_ends_not_awaited),
	    TEST(test_no_key_is_plugged_in),
	    TEST(test_ended_before_it_was_asked),
	    TEST(test_every_key_error),
	    TEST(test_out_of_turn),
	    TEST(test_good),
	    TEST(test_bad_answers),
	    TEST(test_not_as_asked),
	    TEST(test_too_late),
	    TEST(test_keys_that_say_zero),
	    TEST(test_consent_cannot_be_recorded),
	    TEST(test_second_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
