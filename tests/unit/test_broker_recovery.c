/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery code in the broker: made, guessed at, used once, dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "admin.h"
#include "forge_key.h"
#include "recovery.h"

#define RP "sgwarden:abcdefghijklmnop"
#define PLAN "sgw-aaaaaaaaaaaaaaaaaaaa"

static struct authenticator key, other;
static struct chan screen; /* consent's end */
static struct msg heard;
static uint8_t scratch[SGW_DATAGRAM_MAX], code[SGW_CODE_LEN];

static void
expect_end(enum status status, enum sgw_error error)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	assert_int_equal(m->result.status, status);
	assert_int_equal(m->result.error, error);
	assert_null(W.b.active);
	assert_int_equal(W.b.vault->code[0] | W.b.vault->code[SGW_CODE_LEN - 1], 0);
	W.n_planner = W.n_control = 0;
	memset(W.b.quotas, 0, sizeof(W.b.quotas)); /* the prompts of an hour are another limit */
}

static int
recovery_open(void **state)
{
	struct rec_key_entry *k = &W.b.keys.keys[0];

	screen.fd = -1;
	if (world_open(state) < 0)
		return -1;
	key = authenticator_new(9);
	other = authenticator_new(10);
	(void)FIELD_SET(W.b.keys.appliance, "abcdefghijklmnop");
	k->cred_id_len = 32;
	memcpy(k->cred_id, key.id, 32);
	memcpy(k->public_key, key.pub, sizeof(key.pub));
	k->enrolled = 1700000000;
	(void)FIELD_SET(k->name, "blue");
	W.b.counters[0] = 5;
	W.b.keys.n_keys = 1;
	W.b.screen = DISPLAY_SHARED;
	W.b.config.policy.allow_shared_display = true;
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	memset(code, 'A', sizeof(code));
	return 0;
}

static int
recovery_close(void **state)
{
	chan_close(&screen);
	for (size_t i = 0; i < W.b.ceremony.n_fidos; i++)
		chan_close(&W.b.ceremony.fido[i]);
	EVP_PKEY_free(key.pkey);
	EVP_PKEY_free(other.pkey);
	return world_close(state);
}

/* ---- the person ---- */

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
says(struct msg m)
{
	assert_int_equal(chan_send(&screen, scratch, &m, -1, false), 0);
	ceremony_consent(&W.b);
}

static void
types(const uint8_t typed[SGW_CODE_LEN])
{
	struct msg m = {.id = MSG_CODE};

	memcpy(m.code.code, typed, SGW_CODE_LEN);
	says(m);
}

/* What the screen was told last of a code; false: nothing. */
static bool
hears_code(void)
{
	bool found = false;
	struct msg m;

	while (chan_recv(&screen, scratch, &m, NULL) == CHAN_GOT)
		if (m.id == MSG_WANT_CODE) {
			heard = m;
			found = true;
		}
	return found;
}

static void
fido_says(struct msg m)
{
	const struct msg_key_end end = {.ceremony = W.b.ceremony.number, .index = 0, .count = 1};
	struct chan fido;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	fido = chan_open(ends[1], ROLE_FIDO, ROLE_BROKER);
	touch_end(&W.b, &end, ends[0]);
	assert_int_equal(chan_send(&fido, scratch, &m, -1, false), 0);
	touch_fido(&W.b, W.b.ceremony.n_fidos - 1);
	chan_close(&fido);
}

static void
touched(void)
{
	struct msg m = {.id = MSG_ASSERTION, .assertion = {.cred_id_len = sizeof(key.id)}};
	struct msg_assertion *a = &m.assertion;

	says((struct msg){.id = MSG_AGREED});
	memcpy(a->cred_id, key.id, sizeof(key.id));
	a->authdata_len = (uint16_t)head_put(a->authdata, RP, 0x01, W.b.counters[0] + 1);
	a->signature_len = (uint16_t)sign(&key, a->authdata, a->authdata_len, W.b.ceremony.text,
	    W.b.ceremony.text_len, a->signature);
	fido_says(m);
}

static void
ask(enum admin_act act)
{
	struct msg_admin m = {.client = 1, .act = act};

	(void)FIELD_SET(m.plan_id, PLAN);
	admin_ask(&W.b, &m);
}

static void
ask_use(bool by_code)
{
	struct msg_enroll m = {.client = 1, .by_code = by_code};

	(void)FIELD_SET(m.plan_id, PLAN);
	(void)FIELD_SET(m.name, "green");
	job_enroll(&W.b, &m);
}

/* Made, shown, typed back; the code is in `code`. */
static void
make(void)
{
	ask(ACT_MAKE_CODE);
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "\nact make-recovery-code\nsubject "));
	touched();
	assert_int_equal(W.b.active->state, JOB_CODE);
	assert_true(hears_code());
	assert_int_equal(heard.want_code.code_len, SGW_CODE_LEN);
	memcpy(code, heard.want_code.code, sizeof(code));
	assert_null(world_said(MSG_COMMIT)); /* not before it is on paper */
	types(code);
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	admin_committed(&W.b, true);
	admin_committed(&W.b, true);
	expect_end(STATUS_OK, SGW_ERR_NONE);
	assert_true(W.b.keys.code_made > 0);
}

/* The word, and what is asked for behind it. */
static void
asked(void)
{
	ask_use(true);
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "\nby-code 1\n"));
	assert_int_equal(W.b.ceremony.ask.id, MSG_ASK_CREDENTIAL);
	says((struct msg){.id = MSG_AGREED});
	assert_int_equal(W.b.active->state, JOB_CODE);
	assert_null(world_said(MSG_START_KEYS));
	assert_true(hears_code());
	assert_int_equal(heard.want_code.code_len, 0); /* it is not shown again */
}

/* ---- making ---- */

static void
test_made(void **state)
{
	uint8_t first[SGW_CODE_LEN], public_key[RECOVERY_KEY_LEN];
	uint64_t before = W.b.chain.number;

	make();
	assert_int_equal(W.b.chain.number, before + 2); /* request, code */
	assert_true(recovery_key(code, "abcdefghijklmnop", public_key));
	assert_memory_equal(public_key, W.b.keys.code_key, sizeof(public_key));
	assert_null(memmem(W.b.ledger_text, sizeof(W.b.ledger_text), code, sizeof(code)));
	memcpy(first, code, sizeof(first));
	ask(ACT_MAKE_CODE);
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT); /* there is one */
	ask(ACT_DROP_CODE);
	shown();
	touched();
	admin_committed(&W.b, true);
	admin_committed(&W.b, true);
	expect_end(STATUS_OK, SGW_ERR_NONE);
	assert_int_equal(W.b.keys.code_made | W.b.keys.code_key[0] | W.b.keys.code_key[31], 0);
	ask(ACT_DROP_CODE);
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
	make();
	assert_memory_not_equal(first, code, sizeof(code));
}

static void
test_not_typed_back(void **state)
{
	ask(ACT_MAKE_CODE);
	shown();
	touched();
	assert_true(hears_code());
	types(code); /* another one */
	expect_end(STATUS_DENIED, SGW_ERR_CODE_WRONG);
	assert_null(world_said(MSG_COMMIT));
	assert_int_equal(W.b.keys.code_made, 0);
	ask(ACT_MAKE_CODE);
	shown();
	touched();
	says((struct msg){.id = MSG_REFUSED});
	expect_end(STATUS_DENIED, SGW_ERR_DENIED);
	ask(ACT_MAKE_CODE);
	shown();
	touched();
	job_withdraw(&W.b, PLAN);
	expect_end(STATUS_DENIED, SGW_ERR_CANCELLED);
	assert_int_equal(W.b.keys.code_made, 0);
}

/* A list that cannot be written, a ledger that cannot: no code. */
static void
test_not_kept(void **state)
{
	int real = W.b.ledger_fd;

	for (int i = 0; i < 2; i++) {
		ask(ACT_MAKE_CODE);
		shown();
		touched();
		assert_true(hears_code());
		types(heard.want_code.code);
		if (i)
			W.b.ledger_fd = -1;
		admin_committed(&W.b, i != 0);
		expect_end(STATUS_FAILED, i ? SGW_ERR_LEDGER_FAILED : SGW_ERR_INTERNAL);
		assert_int_equal(W.b.keys.code_made, 0);
	}
	W.b.ledger_fd = real;
}

/* ---- using ---- */

static struct msg
credential(void)
{
	struct msg m = {.id = MSG_CREDENTIAL};

	(void)FIELD_SET(m.credential.format, "none");
	m.credential.authdata_len = (uint16_t)credential_put(m.credential.authdata, RP, &other);
	return m;
}

static void
test_used_once(void **state)
{
	uint64_t before;

	make();
	before = W.b.chain.number;
	asked();
	types(code);
	assert_int_equal(W.b.active->state, JOB_KEYS);
	assert_int_equal(W.b.chain.number, before + 2); /* request, recovery */
	assert_non_null(world_said(MSG_START_KEYS));
	fido_says(credential());
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	assert_true(W.b.keys.code_made > 0); /* until the ledger has the enrolment */
	enroll_committed(&W.b, true);
	enroll_committed(&W.b, true);
	expect_end(STATUS_OK, SGW_ERR_NONE);
	assert_int_equal(W.b.keys.n_keys, 2); /* the lost one stays, for the new one to remove */
	assert_int_equal(W.b.keys.code_made | W.b.keys.code_key[0] | W.b.keys.code_key[31], 0);
	assert_true(W.b.keys.code_used > 0);
	(void)FIELD_SET(W.b.keys.keys[1].name, "red");
	ask_use(true);
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
}

/* Before the new key is touched nothing is used up. */
static void
test_not_touched(void **state)
{
	make();
	asked();
	types(code);
	job_withdraw(&W.b, PLAN);
	expect_end(STATUS_DENIED, SGW_ERR_CANCELLED);
	assert_true(W.b.keys.code_made > 0);
	asked();
	types(code);
	assert_int_equal(W.b.active->state, JOB_KEYS);
}

/* The word alone is none: another yes in the code's place ends it, and so does anything else. */
static void
test_nothing_in_its_place(void **state)
{
	make();
	asked();
	says((struct msg){.id = MSG_AGREED});
	expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	for (size_t i = 0; i < 2; i++) { /* a code where the word, or a touch, is awaited */
		ask_use(i == 1);
		shown();
		types(code);
		expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	}
	ask_use(false); /* an enrolment that an enrolled key is to agree to takes no code */
	shown();
	says((struct msg){.id = MSG_AGREED});
	assert_int_equal(W.b.active->state, JOB_KEYS);
	assert_false(hears_code());
	types(code);
	expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	asked();
	W.b.ceremony.record.expires = clock_now() - 1;
	types(code);
	expect_end(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	asked();
	W.b.ledger_fd = -1;
	types(code);
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
}

/* ---- guessing ---- */

static void
test_guesses(void **state)
{
	uint8_t wrong[SGW_CODE_LEN];
	struct msg_loaded_limit limit = {.event = LIMIT_CODE, .time = clock_now() - 60};

	make();
	memcpy(wrong, code, sizeof(wrong));
	for (unsigned i = 0; i < SGW_CODE_TRIES; i++) {
		wrong[i] = wrong[i] == 'Z' ? 'Y' : 'Z';
		asked();
		types(wrong);
		expect_end(STATUS_DENIED, SGW_ERR_CODE_WRONG);
	}
	ask_use(true); /* not even the right one, whoever asks */
	expect_end(STATUS_REFUSED, SGW_ERR_RATE_LIMITED);
	W.b.code_tried[0] = quota_now() - 3601; /* the first of them is an hour old */
	asked();
	types(code);
	assert_int_equal(W.b.active->state, JOB_KEYS);
	job_withdraw(&W.b, PLAN);
	expect_end(STATUS_DENIED, SGW_ERR_CANCELLED);
	/* and after a restart */
	memset(W.b.code_tried, 0, sizeof(W.b.code_tried));
	W.b.code_tries = 0;
	for (unsigned i = 0; i < SGW_CODE_TRIES; i++)
		quota_loaded(&W.b, &limit);
	ask_use(true);
	expect_end(STATUS_REFUSED, SGW_ERR_RATE_LIMITED);
}

/* The same code elsewhere is another key. */
static void
test_another_appliances(void **state)
{
	make();
	assert_true(recovery_key(code, "abcdefghijklmnoq", W.b.keys.code_key));
	asked();
	types(code);
	expect_end(STATUS_DENIED, SGW_ERR_CODE_WRONG);
}

/* ---- ever after ---- */

static void
test_told(void **state)
{
	char banner[SGW_BANNER_MAX + 1];

	recovery_banner(&W.b, banner);
	assert_string_equal(banner, "");
	W.b.keys.code_made = 1795278600;
	recovery_banner(&W.b, banner);
	assert_string_equal(banner, "RECOVERY CODE since 2026-11-21");
	W.b.keys.code_used = 1795278600 - 86400;
	recovery_banner(&W.b, banner);
	assert_string_equal(
	    banner, "RECOVERY CODE since 2026-11-21; A RECOVERY CODE enrolled a key 2026-11-20");
	keys_tell(&W.b, 4);
	assert_int_equal(world_said(MSG_KEY_LIST)->key_list.code_made, 1795278600);
	assert_int_equal(world_said(MSG_KEY_LIST)->key_list.code_used, 1795278600 - 86400);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, recovery_open, recovery_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_made),
	    TEST(test_not_typed_back),
	    TEST(test_not_kept),
	    TEST(test_used_once),
	    TEST(test_not_touched),
	    TEST(test_nothing_in_its_place),
	    TEST(test_guesses),
	    TEST(test_another_appliances),
	    TEST(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
