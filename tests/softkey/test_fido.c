/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgw-fido itself, in its sandbox, with a softkey as its key: this test is its supervisor, its broker and its consent.
 * What it answers is judged by the broker's own verification.
 */
#include "platform.h"
#include <sgwarden/assertion.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sgwarden/wire.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RP "sgwarden:testappliance234"
#define RECORD "sgwarden record 1\nnonce 00\n"

static const char *softkey_exe;
static const char *fido_exe;

struct run {
	struct platform p; /* the key */
	pid_t pid;
	struct chan control, broker, consent;
	struct msg m; /* the last message received */
	struct msg out;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	enum key_state told; /* the last state that consent heard of */
	uint8_t retries;
};

static struct run run;

/* Puts from[i] at 3 + i, whatever numbers they have now. */
static void
child_exec(const int from[4])
{
	char parent[32], mode[] = "--mode=user", name[] = "sgw-fido";
	char *argv[] = {name, mode, parent, NULL};
	int high[4];

	snprintf(parent, sizeof parent, "--parent=%d", (int)getppid());
	for (int i = 0; i < 4; i++)
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < 4; i++)
		dup2(high[i], 3 + i);
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(0, 1);
	execv(fido_exe, argv);
	_exit(127);
}

/* The next message on ch within ms; false where there is none or the end has come. */
static bool
next(struct chan *ch, int ms)
{
	struct pollfd pfd = {.fd = ch->fd, .events = POLLIN};

	return poll(&pfd, 1, ms) == 1 && chan_recv(ch, run.scratch, &run.m, NULL) == CHAN_GOT;
}

static void
fido_start(void)
{
	int ends[3][2], theirs[4];

	for (int i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends[i]), 0);
		theirs[i] = ends[i][1];
	}
	theirs[3] = run.p.fd;
	run.pid = fork();
	assert_true(run.pid >= 0);
	if (run.pid == 0)
		child_exec(theirs);
	for (int i = 0; i < 3; i++)
		close(ends[i][1]);
	run.control = chan_open(ends[0][0], ROLE_SUPERVISOR, ROLE_FIDO);
	run.control.state = CHAN_STARTING;
	run.broker = chan_open(ends[1][0], ROLE_BROKER, ROLE_FIDO);
	run.broker.state = CHAN_TOUCH;
	run.consent = chan_open(ends[2][0], ROLE_CONSENT, ROLE_FIDO);
	assert_true(next(&run.control, 5000));
	assert_int_equal(run.m.id, MSG_READY);
}

/* Its end: exit status, or 128 + signal. */
static int
fido_end(void)
{
	int status = 0;

	assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
	chan_close(&run.control);
	chan_close(&run.broker);
	chan_close(&run.consent);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
key_start(const char *a, const char *b)
{
	const char *args[] = {a, b, NULL};

	platform_start(&run.p, softkey_exe, args);
}

static void
sign(const char *pin)
{
	run.out = (struct msg){.id = MSG_SIGN};
	assert_true(FIELD_SET(run.out.sign.record, RECORD));
	run.out.sign.pin_len = (uint16_t)strlen(pin);
	memcpy(run.out.sign.pin, pin, strlen(pin));
	assert_int_equal(chan_send(&run.consent, run.scratch, &run.out, -1, true), 0);
}

static void
ask_credential(void)
{
	run.out = (struct msg){.id = MSG_ASK_CREDENTIAL};
	assert_true(FIELD_SET(run.out.ask_credential.rp_id, RP));
	assert_true(FIELD_SET(run.out.ask_credential.user_name, "blue"));
	run.out.ask_credential.user_id[0] = 1;
	assert_int_equal(chan_send(&run.broker, run.scratch, &run.out, -1, false), 0);
}

/* creds[0] is another key's. */
static void
ask_assertion(const struct credential *cred, bool uv, bool hmac)
{
	struct msg_ask_assertion *ask = &run.out.ask_assertion;

	run.out = (struct msg){.id = MSG_ASK_ASSERTION};
	assert_true(FIELD_SET(ask->rp_id, RP));
	ask->n_creds = cred != NULL ? 2 : 1;
	ask->creds[0].id_len = 64;
	if (cred != NULL) {
		ask->creds[1].id_len = (uint16_t)cred->id_len;
		memcpy(ask->creds[1].id, cred->id, cred->id_len);
		ask->creds[1].salt[0] = 7;
	}
	ask->uv = uv;
	ask->hmac_secret = hmac;
	assert_int_equal(chan_send(&run.broker, run.scratch, &run.out, -1, false), 0);
}

/* Reads everything that consent is told until the ceremony is over or want is told. */
static void
consent_hears(enum key_state want)
{
	run.told = KEY_STATE_MAX;
	while (run.told != want) {
		assert_true(next(&run.consent, 10000));
		assert_int_equal(run.m.id, MSG_KEY_STATE);
		run.told = run.m.key_state.state;
		run.retries = run.m.key_state.retries;
	}
}

static void
broker_hears(enum msg_id want)
{
	assert_true(next(&run.broker, 10000));
	assert_int_equal(run.m.id, want);
}

static void
rp_hash(uint8_t ret[32])
{
	assert_int_equal(EVP_Digest(RP, strlen(RP), ret, NULL, EVP_sha256(), NULL), 1);
}

/* The whole enrolment, verified as the broker does. */
static struct credential
enroll(const char *pin)
{
	const struct msg_credential *m = &run.m.credential;
	struct credential cred;
	uint8_t rp[32], cdh[32];

	rp_hash(rp);
	assert_int_equal(EVP_Digest(RECORD, strlen(RECORD), cdh, NULL, EVP_sha256(), NULL), 1);
	fido_start();
	ask_credential();
	sign(pin);
	consent_hears(KEY_TOUCHED);
	broker_hears(MSG_CREDENTIAL);
	assert_string_equal(m->format, "packed");
	assert_int_equal(credential_parse(m->authdata, m->authdata_len, rp, &cred), 0);
	assert_true(cred.hmac_secret);
	assert_int_equal(es256_verify(cred.pubkey, m->authdata, m->authdata_len, cdh, m->signature,
			     m->signature_len),
	    0);
	assert_int_equal(fido_end(), 0);
	return cred;
}

/* The verdict of the broker's verification on the ASSERTION that stands in run.m; the counter is taken over as there. */
static int
judge(struct credential *cred, bool uv, bool hmac)
{
	const struct msg_assertion *m = &run.m.assertion;
	uint8_t rp[32], cdh[32];
	struct verify_expect e = {.rp_id_hash = rp,
	    .client_data_hash = cdh,
	    .pubkey = cred->pubkey,
	    .want_uv = uv,
	    .hmac_secret_asked = hmac,
	    .last_counter = cred->counter};

	rp_hash(rp);
	assert_int_equal(EVP_Digest(RECORD, strlen(RECORD), cdh, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(m->cred_id_len, cred->id_len);
	assert_memory_equal(m->cred_id, cred->id, cred->id_len);
	assert_int_equal(m->hmac_secret_len, hmac ? 32 : 0);
	return assertion_verify(
	    &e, m->authdata, m->authdata_len, m->signature, m->signature_len, &cred->counter);
}

static int
assertion(struct credential *cred, const char *pin, bool uv, bool hmac)
{
	fido_start();
	ask_assertion(cred, uv, hmac);
	sign(pin);
	consent_hears(KEY_TOUCHED);
	broker_hears(MSG_ASSERTION);
	assert_int_equal(fido_end(), 0);
	return judge(cred, uv, hmac);
}

static void
test_good(void **state)
{
	struct credential cred;
	uint8_t secret[32];

	key_start("--auto-touch", "1");
	cred = enroll("");
	assert_int_equal(assertion(&cred, "", false, true), 0);
	memcpy(secret, run.m.assertion.hmac_secret, 32);
	assert_int_equal(assertion(&cred, "", false, true), 0);
	assert_memory_equal(secret, run.m.assertion.hmac_secret, 32);
	/* A PIN that nobody wanted is not used: the same secret comes. */
	assert_int_equal(assertion(&cred, "123456", false, true), 0);
	assert_memory_equal(secret, run.m.assertion.hmac_secret, 32);
	assert_int_equal(assertion(&cred, "", false, false), 0);
	platform_stop(&run.p);
}

static void
set_pin(const char *pin)
{
	fido_dev_t *dev = platform_open(&run.p, 5000);

	assert_int_equal(fido_dev_set_pin(dev, pin, NULL), FIDO_OK);
	platform_close(&dev);
}

static void
expect_error(enum key_state want)
{
	consent_hears(want);
	broker_hears(MSG_KEY_ERROR);
	assert_int_equal(run.m.key_error.state, want);
	assert_int_equal(fido_end(), 0);
}

static void
test_pin(void **state)
{
	struct credential cred;

	key_start("--auto-touch", "1");
	cred = enroll("");
	fido_start();
	ask_assertion(&cred, true, true);
	sign("123456");
	expect_error(KEY_PIN_NOT_SET);
	set_pin("123456");
	cred = enroll("123456");
	assert_true(cred.uv);
	assert_int_equal(assertion(&cred, "123456", true, true), 0);
	platform_misbehave(&run.p, "uv0");
	assert_int_equal(assertion(&cred, "123456", true, true), VERIFY_NO_UV);
	platform_misbehave(&run.p, "none");
	fido_start();
	ask_assertion(&cred, true, true);
	sign("");
	expect_error(KEY_PIN_REQUIRED);
	fido_start();
	ask_credential();
	sign("");
	expect_error(KEY_PIN_REQUIRED);
	fido_start(); /* wrong, then right: one ceremony */
	ask_assertion(&cred, true, true);
	sign("000000");
	consent_hears(KEY_PIN_WRONG);
	assert_int_equal(run.retries, 7);
	sign("123456");
	consent_hears(KEY_TOUCHED);
	broker_hears(MSG_ASSERTION);
	assert_int_equal(judge(&cred, true, true), 0);
	assert_int_equal(fido_end(), 0);
	fido_start();
	ask_assertion(&cred, true, true);
	for (int left = 7; left > 5; left--) {
		sign("000000");
		consent_hears(KEY_PIN_WRONG);
		assert_int_equal(run.retries, left);
	}
	sign("000000");
	expect_error(KEY_PIN_BLOCKED);
	platform_stop(&run.p);
}

/* Whether text stands in the readable memory of fido; -1 where this test may not look. */
static int
fido_memory_has(const char *text)
{
	char path[32], line[256];
	static char page[4096 * 2];
	unsigned long from, to;
	size_t len = strlen(text);
	bool found = false;
	FILE *maps;
	int mem;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)run.pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", (int)run.pid);
	maps = fopen(path, "re");
	while (mem >= 0 && maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		assert_int_equal(sscanf(line, "%lx-%lx", &from, &to), 2);
		for (; from < to; from += 4096) /* two pages, so that nothing hides on an edge */
			for (ssize_t n = pread(mem, page, sizeof page, (off_t)from), at = 0;
			     at + (ssize_t)len <= n; at++)
				found |= memcmp(page + at, text, len) == 0;
	}
	if (maps != NULL)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	return mem < 0 || maps == NULL ? -1 : found;
}

/* The PIN is gone from fido's memory before the key blinks. */
static void
test_pin_is_erased(void **state)
{
	static const char pin[] = "zq7-canary-pin-91";
	int has;

	key_start("--touch-seconds", "30");
	set_pin(pin);
	fido_start();
	sign(pin);
	while ((has = fido_memory_has(pin)) == 0)
		usleep(
		    1000); /* it has not read it yet: the twin that shows that the search finds */
	if (has < 0) {
		ask_credential();
		chan_close(&run.control);
		fido_end();
		platform_stop(&run.p);
		skip();
	}
	ask_credential();
	consent_hears(KEY_WAITING_TOUCH);
	assert_int_equal(fido_memory_has(pin), 0);
	platform_command(&run.p, "t");
	consent_hears(KEY_TOUCHED);
	broker_hears(MSG_CREDENTIAL);
	assert_int_equal(fido_end(), 0);
	platform_stop(&run.p);
}

/* No report before both have spoken; the blinking is told; the touch of a hand, not of a clock. */
static void
test_touch(void **state)
{
	struct credential cred;

	key_start("--auto-touch", "1");
	cred = enroll("");
	platform_stop(&run.p);
	key_start("--touch-seconds", "30");
	fido_start();
	ask_credential();
	assert_false(next(&run.consent, 200));
	assert_int_equal(platform_count(&run.p, "frame "), 0);
	sign("");
	consent_hears(KEY_WAITING_TOUCH);
	assert_true(platform_await(&run.p, "up-wait\n"));
	assert_false(next(&run.broker, 200));
	platform_command(&run.p, "t");
	consent_hears(KEY_TOUCHED);
	broker_hears(MSG_CREDENTIAL);
	assert_int_equal(fido_end(), 0);
	fido_start(); /* a stranger's credentials: no blinking at all */
	platform_forget(&run.p);
	ask_assertion(&cred, false, true);
	sign("");
	expect_error(KEY_NOT_ENROLLED);
	assert_int_equal(platform_count(&run.p, "up-wait"), 0);
	platform_stop(&run.p);
}

static void
key_blinks(void)
{
	key_start("--touch-seconds", "30");
	fido_start();
	ask_credential();
	sign("");
	consent_hears(KEY_WAITING_TOUCH);
}

static void
test_ends(void **state)
{
	struct chan *const peers[] = {&run.control, &run.broker, &run.consent};

	for (size_t i = 0; i < 3; i++) {
		key_blinks();
		chan_close(peers[i]); /* whoever goes: the key stops blinking */
		assert_true(platform_await(&run.p, "cancelled\n"));
		assert_int_equal(fido_end(), 1);
		platform_stop(&run.p);
	}
	key_start("--misbehave", "hang");
	fido_start();
	ask_credential();
	sign("");
	assert_true(platform_await(&run.p, "hang\n"));
	assert_false(next(&run.broker, 200));
	chan_close(&run.broker);
	assert_int_equal(fido_end(), 1);
	platform_stop(&run.p);
	key_blinks();
	platform_command(&run.p, "x");
	expect_error(KEY_PULLED);
	assert_int_equal(waitpid(run.p.pid, NULL, 0), run.p.pid);
	close(run.p.fd);
	close(run.p.control);
	key_start("--touch-seconds", "1");
	fido_start();
	ask_credential();
	sign("");
	expect_error(KEY_TIMED_OUT);
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

	key_start("--auto-touch", "1");
	cred = enroll("");
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		if (i > 0)
			assert_int_equal(assertion(&cred, "", false, true), 0);
		platform_misbehave(&run.p, lies[i].word);
		assert_int_equal(assertion(&cred, "", false, true), lies[i].want);
		platform_misbehave(&run.p, "none");
	}
	platform_stop(&run.p);
}

static void
test_lies_that_fido_sees(void **state)
{
	static const char *const words[] = {"garbage", "short-authdata"};
	struct credential cred;

	key_start("--auto-touch", "1");
	cred = enroll("");
	for (size_t i = 0; i < 2; i++) {
		platform_misbehave(&run.p, words[i]);
		fido_start();
		ask_assertion(&cred, false, true);
		sign("");
		expect_error(KEY_FAILED);
		platform_misbehave(&run.p, "none");
	}
	platform_misbehave(&run.p, "hmac-no-up"); /* is not enrolled */
	fido_start();
	ask_credential();
	sign("");
	expect_error(KEY_FAILED);
	platform_stop(&run.p);
}

/* A peer that breaks the protocol is ended: here by fido's own end. */
static void
test_protocol(void **state)
{
	key_start("--auto-touch", "1");
	fido_start();
	assert_int_equal(send(run.consent.fd, "SG", 2, 0), 2);
	assert_int_equal(fido_end(), 1);
	fido_start();
	ask_credential();
	ask_credential();
	assert_int_equal(fido_end(), 1);
	fido_start();
	run.out = (struct msg){.id = MSG_SIGN}; /* a PIN with a NUL in it */
	run.out.sign.pin_len = 4;
	assert_int_equal(chan_send(&run.consent, run.scratch, &run.out, -1, true), 0);
	assert_int_equal(fido_end(), 1);
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
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_lies_that_fido_sees),
	    cmocka_unit_test(test_protocol),
	};

	if (argc != 3)
		return 2;
	softkey_exe = argv[1];
	fido_exe = argv[2];
	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
