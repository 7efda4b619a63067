/* SPDX-License-Identifier: Apache-2.0 */
/* sgw-fido itself, in its sandbox, with a softkey as its key; its answers are judged as the broker judges them. */
#include "fido_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct run run;

static void
test_good(void **state)
{
	struct credential cred;
	uint8_t secret[64];

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	assert_int_equal(assertion(&run, &cred, "", false, true), 0);
	memcpy(secret, run.m.assertion.hmac_secret, 64);
	assert_memory_not_equal(secret, secret + 32, 32);
	assert_int_equal(assertion(&run, &cred, "", false, true), 0);
	assert_memory_equal(secret, run.m.assertion.hmac_secret, 64);
	/* A PIN that nobody wanted is not used: the same secret comes. */
	assert_int_equal(assertion(&run, &cred, "123456", false, true), 0);
	assert_memory_equal(secret, run.m.assertion.hmac_secret, 64);
	assert_int_equal(assertion(&run, &cred, "", false, false), 0);
	platform_stop(&run.p);
}

static void
test_pin(void **state)
{
	struct credential cred;
	uint8_t with_pin[64];

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	fido_start(&run);
	ask_assertion(&run, &cred, true, true);
	sign(&run, "123456");
	expect_error(&run, KEY_PIN_NOT_SET);
	set_pin(&run, "123456");
	cred = enroll(&run, "123456");
	assert_true(cred.uv);
	assert_int_equal(assertion(&run, &cred, "123456", true, true), 0);
	memcpy(with_pin, run.m.assertion.hmac_secret, 64);
	assert_int_equal(assertion(&run, &cred, "123456", false, true), 0);
	assert_memory_not_equal(with_pin, run.m.assertion.hmac_secret, 32);
	assert_memory_not_equal(with_pin + 32, run.m.assertion.hmac_secret + 32, 32);
	assert_int_equal(assertion(&run, &cred, "123456", true, true), 0);
	assert_memory_equal(with_pin, run.m.assertion.hmac_secret, 64);
	platform_misbehave(&run.p, "uv0");
	assert_int_equal(assertion(&run, &cred, "123456", true, true), VERIFY_NO_UV);
	platform_misbehave(&run.p, "none");
	fido_start(&run);
	ask_assertion(&run, &cred, true, true);
	sign(&run, "");
	expect_error(&run, KEY_PIN_REQUIRED);
	fido_start(&run);
	ask_credential(&run);
	sign(&run, "");
	expect_error(&run, KEY_PIN_REQUIRED);
	fido_start(&run); /* wrong, then right: one ceremony */
	ask_assertion(&run, &cred, true, true);
	sign(&run, "000000");
	consent_hears(&run, KEY_PIN_WRONG);
	assert_int_equal(run.retries, 7);
	sign(&run, "123456");
	consent_hears(&run, KEY_TOUCHED);
	broker_hears(&run, MSG_ASSERTION);
	assert_int_equal(judge(&run, &cred, true, true), 0);
	assert_int_equal(fido_end(&run), 0);
	fido_start(&run);
	ask_assertion(&run, &cred, true, true);
	for (int left = 7; left > 5; left--) {
		sign(&run, "000000");
		consent_hears(&run, KEY_PIN_WRONG);
		assert_int_equal(run.retries, left);
	}
	sign(&run, "000000");
	expect_error(&run, KEY_PIN_BLOCKED);
	platform_stop(&run.p);
}

/* The PIN is gone from fido's memory before the key blinks. */
static void
test_pin_is_erased(void **state)
{
	static const char pin[] = "zq7-canary-pin-91";
	int has;

	key_start(&run, "--touch-seconds", "30");
	set_pin(&run, pin);
	fido_start(&run);
	sign(&run, pin);
	while ((has = fido_memory_has(&run, pin)) == 0)
		usleep(
		    1000); /* it has not read it yet: the twin that shows that the search finds */
	if (has < 0) {
		ask_credential(&run);
		chan_close(&run.control);
		fido_end(&run);
		platform_stop(&run.p);
		skip();
	}
	ask_credential(&run);
	consent_hears(&run, KEY_WAITING_TOUCH);
	assert_int_equal(fido_memory_has(&run, pin), 0);
	platform_command(&run.p, "t");
	consent_hears(&run, KEY_TOUCHED);
	broker_hears(&run, MSG_CREDENTIAL);
	assert_int_equal(fido_end(&run), 0);
	platform_stop(&run.p);
}

/* No report before both have spoken; the blinking is told; the touch of a hand, not of a clock. */
static void
test_touch(void **state)
{
	struct credential cred;

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	platform_stop(&run.p);
	key_start(&run, "--touch-seconds", "30");
	fido_start(&run);
	ask_credential(&run);
	assert_false(run_next(&run, &run.consent, 200));
	assert_int_equal(platform_count(&run.p, "frame "), 0);
	sign(&run, "");
	consent_hears(&run, KEY_WAITING_TOUCH);
	assert_true(platform_await(&run.p, "up-wait\n"));
	assert_false(run_next(&run, &run.broker, 200));
	platform_command(&run.p, "t");
	consent_hears(&run, KEY_TOUCHED);
	broker_hears(&run, MSG_CREDENTIAL);
	assert_int_equal(fido_end(&run), 0);
	fido_start(&run); /* a stranger's credentials: no blinking at all */
	platform_forget(&run.p);
	ask_assertion(&run, &cred, false, true);
	sign(&run, "");
	expect_error(&run, KEY_NOT_ENROLLED);
	assert_int_equal(platform_count(&run.p, "up-wait"), 0);
	platform_stop(&run.p);
}

/* 145: the person gives up at the question for the PIN, and fido's end came to the broker as that of a key that failed. */
static void
test_given_up(void **state)
{
	struct pollfd broker;
	struct credential cred;

	key_start(&run, "--auto-touch", "1");
	set_pin(&run, "123456");
	cred = enroll(&run, "123456");
	for (int again = 0; again < 2; again++) {
		fido_start(&run);
		ask_assertion(&run, &cred, true, true);
		if (again) {
			sign(&run, "000000");
			consent_hears(&run, KEY_PIN_WRONG);
		}
		chan_close(&run.consent);
		broker = (struct pollfd){.fd = run.broker.fd, .events = POLLIN};
		assert_int_equal(poll(&broker, 1, 200), 0);
		chan_close(&run.broker);
		assert_int_equal(fido_end(&run), 1);
	}
	platform_stop(&run.p);
}

static void
key_blinks(void)
{
	key_start(&run, "--touch-seconds", "30");
	fido_start(&run);
	ask_credential(&run);
	sign(&run, "");
	consent_hears(&run, KEY_WAITING_TOUCH);
}

static void
test_ends(void **state)
{
	struct chan *const peers[] = {&run.control, &run.broker, &run.consent};
	struct pollfd broker;

	for (size_t i = 0; i < 3; i++) {
		key_blinks();
		chan_close(peers[i]); /* whoever goes: the key stops blinking */
		assert_true(platform_await(&run.p, "cancelled\n"));
		broker = (struct pollfd){.fd = run.broker.fd, .events = POLLIN};
		if (peers[i] == &run.consent) /* 185: broker may have no turn for some seconds */
			assert_int_equal(poll(&broker, 1, 3000), 0);
		chan_close(&run.broker); /* where consent went first, it has waited for this */
		assert_int_equal(fido_end(&run), 1);
		platform_stop(&run.p);
	}
	key_start(&run, "--misbehave", "hang");
	fido_start(&run);
	ask_credential(&run);
	sign(&run, "");
	assert_true(platform_await(&run.p, "hang\n"));
	assert_false(run_next(&run, &run.broker, 200));
	chan_close(&run.broker);
	assert_int_equal(fido_end(&run), 1);
	platform_stop(&run.p);
	key_blinks();
	platform_command(&run.p, "x");
	expect_error(&run, KEY_PULLED);
	assert_int_equal(waitpid(run.p.pid, NULL, 0), run.p.pid);
	close(run.p.fd);
	close(run.p.control);
	key_start(&run, "--touch-seconds", "1");
	fido_start(&run);
	ask_credential(&run);
	sign(&run, "");
	expect_error(&run, KEY_TIMED_OUT);
	platform_stop(&run.p);
}

/* What is unsealed under one salt and sealed under the next is unsealed under that one afterwards. */
static void
test_the_next_salt(void **state)
{
	struct credential cred;
	uint8_t next[32];

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	assert_int_equal(assertion(&run, &cred, "", false, true), 0);
	memcpy(next, run.m.assertion.hmac_secret + 32, 32);
	fido_start(&run);
	ask_assertion_salted(&run, &cred, 8, 9);
	sign(&run, "");
	consent_hears(&run, KEY_TOUCHED);
	broker_hears(&run, MSG_ASSERTION);
	assert_int_equal(fido_end(&run), 0);
	assert_int_equal(judge(&run, &cred, false, true), 0);
	assert_memory_equal(next, run.m.assertion.hmac_secret, 32);
	platform_stop(&run.p);
}

/* What broker refuses, all the way through a fido that believes its key. */
static void
test_lies(void **state)
{
	static const struct {
		const char *word;
		int want;
	} lies[] = {
	    {"up0", VERIFY_NO_TOUCH},
	    {"wrong-rp", VERIFY_RP_ID},
	    {"wrong-key", VERIFY_SIGNATURE},
	    {"stale-counter", VERIFY_COUNTER},
	    {"zero-counter", VERIFY_COUNTER},
	    {"bad-ext", VERIFY_EXTENSIONS},
	    {"replay", VERIFY_COUNTER},
	};
	struct credential cred;

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		if (i > 0)
			assert_int_equal(assertion(&run, &cred, "", false, true), 0);
		platform_misbehave(&run.p, lies[i].word);
		assert_int_equal(assertion(&run, &cred, "", false, true), lies[i].want);
		platform_misbehave(&run.p, "none");
	}
	platform_stop(&run.p);
}

static void
test_lies_that_fido_sees(void **state)
{
	static const char *const words[] = {"garbage", "short-authdata", "hmac-half", "no-hmac"};
	struct credential cred;

	key_start(&run, "--auto-touch", "1");
	cred = enroll(&run, "");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		platform_misbehave(&run.p, words[i]);
		fido_start(&run);
		ask_assertion(&run, &cred, false, true);
		sign(&run, "");
		expect_error(&run, KEY_FAILED);
		platform_misbehave(&run.p, "none");
	}
	platform_misbehave(&run.p, "hmac-no-up"); /* is not enrolled */
	fido_start(&run);
	ask_credential(&run);
	sign(&run, "");
	expect_error(&run, KEY_FAILED);
	platform_stop(&run.p);
}

/* A peer that breaks the protocol is ended: here by fido's own end. */
static void
test_protocol(void **state)
{
	key_start(&run, "--auto-touch", "1");
	fido_start(&run);
	assert_int_equal(send(run.consent.fd, "SG", 2, 0), 2);
	assert_int_equal(fido_end(&run), 1);
	fido_start(&run);
	ask_credential(&run);
	ask_credential(&run);
	assert_int_equal(fido_end(&run), 1);
	fido_start(&run);
	run.out = (struct msg){.id = MSG_SIGN}; /* a PIN with a NUL in it */
	run.out.sign.pin_len = 4;
	assert_int_equal(chan_send(&run.consent, run.scratch, &run.out, -1, true), 0);
	assert_int_equal(fido_end(&run), 1);
	assert_int_equal(platform_count(&run.p, "frame "), 0);
	platform_stop(&run.p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_pin),
	    cmocka_unit_test(test_pin_is_erased),
	    cmocka_unit_test(test_touch),
	    cmocka_unit_test(test_given_up),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_the_next_salt),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_lies_that_fido_sees),
	    cmocka_unit_test(test_protocol),
	};

	if (argc != 3)
		return 2;
	run.softkey_exe = argv[1];
	run.fido_exe = argv[2];
	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
