/* SPDX-License-Identifier: Apache-2.0 */
/* The software key against libfido2, which knows nothing of it: honest answers verify, each lie is what it claims. */
#include "misbehave.h"
#include "platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <fido/es256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RP "sgwarden:test"

static const char *exe;

static const uint8_t client_data[] = "a record";
static const uint8_t salt_one[32] = {1};
static const uint8_t salt_two[64] = {1, [32] = 2};

struct enrolled {
	uint8_t id[256];
	size_t id_len;
	es256_pk_t *pk;
};

/* What one getAssertion said. */
struct answer {
	int r;
	int verify; /* fido_assert_verify with UP demanded, UV as asked */
	uint32_t counter;
	uint8_t flags;
	uint8_t sig[80];
	size_t sig_len;
	uint8_t hmac[64];
	size_t hmac_len;
};

static void
start(struct platform *p, const char *const *more)
{
	const char *args[10] = {"--auto-touch", "1"};

	for (size_t i = 0; more != NULL && more[i] != NULL; i++)
		args[2 + i] = more[i];
	platform_start(p, exe, args);
}

static fido_cred_t *
cred_new(void)
{
	static const uint8_t user[] = "u";
	fido_cred_t *c = fido_cred_new();

	assert_non_null(c);
	assert_int_equal(fido_cred_set_type(c, COSE_ES256), FIDO_OK);
	assert_int_equal(fido_cred_set_clientdata(c, client_data, sizeof client_data), FIDO_OK);
	assert_int_equal(fido_cred_set_rp(c, RP, NULL), FIDO_OK);
	assert_int_equal(fido_cred_set_user(c, user, 1, "u", NULL, NULL), FIDO_OK);
	assert_int_equal(fido_cred_set_extensions(c, FIDO_EXT_HMAC_SECRET), FIDO_OK);
	return c;
}

static void
enroll(struct platform *p, const char *pin, struct enrolled *ret)
{
	fido_dev_t *dev = platform_open(p, 20000);
	fido_cred_t *c = cred_new();

	assert_int_equal(fido_dev_make_cred(dev, c, pin), FIDO_OK);
	assert_string_equal(fido_cred_fmt(c), "packed");
	assert_int_equal(fido_cred_verify_self(c), FIDO_OK);
	assert_int_equal(fido_cred_flags(c) & 0xc1, 0xc1); /* ED, AT, UP */
	ret->id_len = fido_cred_id_len(c);
	assert_true(ret->id_len > 0 && ret->id_len <= sizeof ret->id);
	memcpy(ret->id, fido_cred_id_ptr(c), ret->id_len);
	ret->pk = es256_pk_new();
	assert_int_equal(
	    es256_pk_from_ptr(ret->pk, fido_cred_pubkey_ptr(c), fido_cred_pubkey_len(c)), FIDO_OK);
	fido_cred_free(&c);
	platform_close(&dev);
}

/* salts may be NULL; up false asks for none. */
static struct answer
ask(struct platform *p, const struct enrolled *e, const char *pin, const uint8_t *salts, size_t len,
    bool up)
{
	fido_dev_t *dev = platform_open(p, 5000);
	fido_assert_t *a = fido_assert_new();
	struct answer ans = {.verify = FIDO_ERR_INTERNAL};

	assert_int_equal(fido_assert_set_rp(a, RP), FIDO_OK);
	assert_int_equal(fido_assert_set_clientdata(a, client_data, sizeof client_data), FIDO_OK);
	assert_int_equal(fido_assert_allow_cred(a, e->id, e->id_len), FIDO_OK);
	if (!up)
		assert_int_equal(fido_assert_set_up(a, FIDO_OPT_FALSE), FIDO_OK);
	if (salts != NULL) {
		assert_int_equal(fido_assert_set_extensions(a, FIDO_EXT_HMAC_SECRET), FIDO_OK);
		assert_int_equal(fido_assert_set_hmac_salt(a, salts, len), FIDO_OK);
	}
	ans.r = fido_dev_get_assert(dev, a, pin);
	if (ans.r == FIDO_OK) {
		/* Left alone, UP is not looked at: the trap that broker's own verification does not have. */
		assert_int_equal(fido_assert_set_up(a, FIDO_OPT_TRUE), FIDO_OK);
		assert_int_equal(
		    fido_assert_set_uv(a, pin != NULL ? FIDO_OPT_TRUE : FIDO_OPT_OMIT), FIDO_OK);
		ans.verify = fido_assert_verify(a, 0, COSE_ES256, e->pk);
		ans.counter = fido_assert_sigcount(a, 0);
		ans.flags = fido_assert_flags(a, 0);
		ans.sig_len = fido_assert_sig_len(a, 0);
		assert_true(ans.sig_len <= sizeof ans.sig);
		memcpy(ans.sig, fido_assert_sig_ptr(a, 0), ans.sig_len);
		ans.hmac_len = fido_assert_hmac_secret_len(a, 0);
		assert_true(ans.hmac_len <= sizeof ans.hmac);
		if (ans.hmac_len > 0)
			memcpy(ans.hmac, fido_assert_hmac_secret_ptr(a, 0), ans.hmac_len);
	}
	fido_assert_free(&a);
	platform_close(&dev);
	return ans;
}

static struct answer
ask_good(
    struct platform *p, const struct enrolled *e, const char *pin, const uint8_t *salts, size_t len)
{
	struct answer a = ask(p, e, pin, salts, len, true);

	assert_int_equal(a.r, FIDO_OK);
	assert_int_equal(a.verify, FIDO_OK);
	assert_int_equal(a.hmac_len, len);
	return a;
}

static void
set_pin(struct platform *p, const char *pin, const char *old, int want)
{
	fido_dev_t *dev = platform_open(p, 20000);

	assert_int_equal(fido_dev_set_pin(dev, pin, old), want);
	platform_close(&dev);
}

static void
honest(const char *protocols)
{
	const char *args[] = {"--pin-protocols", protocols, NULL};
	struct answer first, second, both, uv;
	struct enrolled e;
	struct platform p;

	start(&p, args);
	enroll(&p, NULL, &e);
	first = ask_good(&p, &e, NULL, salt_one, 32);
	second = ask_good(&p, &e, NULL, salt_one, 32);
	both = ask_good(&p, &e, NULL, salt_two, 64);
	assert_true(second.counter > first.counter);
	assert_memory_equal(first.hmac, second.hmac, 32);
	assert_memory_equal(first.hmac, both.hmac, 32);
	assert_memory_not_equal(both.hmac, both.hmac + 32, 32);
	assert_int_equal(first.flags & 0x45, 0x01);
	set_pin(&p, "123456", NULL, FIDO_OK);
	uv = ask_good(&p, &e, "123456", salt_one, 32);
	assert_int_equal(uv.flags & 0x45, 0x05);
	assert_memory_not_equal(uv.hmac, first.hmac, 32);
	assert_memory_equal(ask_good(&p, &e, "123456", salt_two, 64).hmac, uv.hmac, 32);
	assert_memory_equal(ask_good(&p, &e, NULL, salt_one, 32).hmac, first.hmac, 32);
	ask_good(&p, &e, NULL, NULL, 0);
	es256_pk_free(&e.pk);
	platform_stop(&p);
}

static void
test_honest(void **state)
{
	honest("21");
	honest("1");
}

static void
retries_are(struct platform *p, int want)
{
	fido_dev_t *dev = platform_open(p, 20000);
	int n = -1;

	assert_int_equal(fido_dev_get_retry_count(dev, &n), FIDO_OK);
	assert_int_equal(n, want);
	platform_close(&dev);
}

/* Wrong PINs: three and the key wants to be replugged, eight and it is blocked for good, over restarts. */
static void
test_pin(void **state)
{
	char path[] = "softkey-state-XXXXXX";
	const char *args[] = {"--state", path, NULL};
	struct enrolled e;
	struct platform p;

	assert_true(mkdtemp(path) != NULL);
	assert_int_equal(rmdir(path), 0); /* the name is free: the key makes the file */
	start(&p, args);
	set_pin(&p, "123456", NULL, FIDO_OK);
	set_pin(&p, "1234", "999999", FIDO_ERR_PIN_INVALID);
	set_pin(&p, "234567", "123456", FIDO_OK);
	enroll(&p, "234567", &e);
	retries_are(&p, 8);
	for (int left = 7; left > 0; left--) {
		int r = ask(&p, &e, "000000", NULL, 0, true).r;

		assert_int_equal(
		    r, left % 3 == 2 ? FIDO_ERR_PIN_AUTH_BLOCKED : FIDO_ERR_PIN_INVALID);
		retries_are(&p, left);
		if (left % 3 == 2) {
			assert_int_equal(
			    ask(&p, &e, "234567", NULL, 0, true).r, FIDO_ERR_PIN_AUTH_BLOCKED);
			retries_are(&p, left);
			platform_stop(&p);
			start(&p, args);
		}
	}
	assert_int_equal(ask(&p, &e, "000000", NULL, 0, true).r, FIDO_ERR_PIN_BLOCKED);
	platform_stop(&p);
	start(&p, args);
	assert_int_equal(ask(&p, &e, "234567", NULL, 0, true).r, FIDO_ERR_PIN_BLOCKED);
	ask_good(&p, &e, NULL, salt_one, 32);
	es256_pk_free(&e.pk);
	platform_stop(&p);
	assert_int_equal(unlink(path), 0);
}

struct lie {
	const char *word;
	const char *pin;
	int r;
	int verify;
};

static const struct lie lies[] = {
    {"up0", NULL, FIDO_OK, FIDO_ERR_INVALID_PARAM},
    {"uv0", "123456", FIDO_OK, FIDO_ERR_INVALID_PARAM},
    {"wrong-rp", NULL, FIDO_OK, FIDO_ERR_INVALID_PARAM},
    {"wrong-key", NULL, FIDO_OK, FIDO_ERR_INVALID_SIG},
    {"garbage", NULL, -1, 0},
    {"short-authdata", NULL, FIDO_ERR_RX_INVALID_CBOR, 0},
    {"hang", NULL, FIDO_ERR_RX, 0},
};

static void
test_lies(void **state)
{
	struct enrolled e;
	struct platform p;

	start(&p, NULL);
	enroll(&p, NULL, &e);
	set_pin(&p, "123456", NULL, FIDO_OK);
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct answer a;

		platform_misbehave(&p, lies[i].word);
		/* No extension is asked for: a bad answer alone must make the difference. */
		a = ask(&p, &e, lies[i].pin, NULL, 0, true);
		if (lies[i].r == -1) {
			/* now and then noise can be read, as an answer without an assertion */
			assert_true(a.r != FIDO_OK || a.verify != FIDO_OK);
		} else {
			assert_int_equal(a.r, lies[i].r);
			if (a.r == FIDO_OK)
				assert_int_equal(a.verify, lies[i].verify);
		}
		platform_misbehave(&p, "none");
		ask_good(&p, &e, lies[i].pin, salt_one, 32);
	}
	es256_pk_free(&e.pk);
	platform_stop(&p);
}

/* The lies that libfido2 does not see: its verdict is OK, the data show them. */
static void
test_unseen_lies(void **state)
{
	struct answer a, b;
	struct enrolled e;
	struct platform p;

	start(&p, NULL);
	enroll(&p, NULL, &e);
	a = ask_good(&p, &e, NULL, NULL, 0);
	platform_misbehave(&p, "replay");
	b = ask_good(&p, &e, NULL, NULL, 0);
	assert_int_equal(a.sig_len, b.sig_len);
	assert_memory_equal(a.sig, b.sig, a.sig_len);
	platform_misbehave(&p, "none");
	a = ask_good(&p, &e, NULL, NULL, 0);
	platform_misbehave(&p, "stale-counter");
	assert_int_equal(ask_good(&p, &e, NULL, NULL, 0).counter, a.counter);
	platform_misbehave(&p, "none");
	platform_misbehave(&p, "zero-counter");
	assert_int_equal(ask_good(&p, &e, NULL, NULL, 0).counter, 0);
	platform_misbehave(&p, "none");
	platform_misbehave(&p, "bad-ext");
	assert_int_equal(ask_good(&p, &e, NULL, NULL, 0).flags & 0x80, 0x80);
	platform_misbehave(&p, "none");
	es256_pk_free(&e.pk);
	platform_stop(&p);
}

/* hmac-secret without a touch: refused by an honest key, even when up=false; the lie gives the same secret away. */
static void
test_hmac_needs_touch(void **state)
{
	struct answer a, b;
	struct enrolled e;
	struct platform p;

	start(&p, NULL);
	enroll(&p, NULL, &e);
	a = ask_good(&p, &e, NULL, salt_one, 32);
	assert_int_equal(ask(&p, &e, NULL, NULL, 0, false).flags, 0);
	assert_int_equal(ask(&p, &e, NULL, salt_one, 32, false).r, FIDO_ERR_UNSUPPORTED_OPTION);
	platform_misbehave(&p, "hmac-no-up");
	b = ask(&p, &e, NULL, salt_one, 32, false);
	assert_int_equal(b.r, FIDO_OK);
	assert_memory_equal(a.hmac, b.hmac, 32);
	assert_int_equal(platform_count(&p, "up-wait"), 0);
	es256_pk_free(&e.pk);
	platform_stop(&p);
}

static void
test_silent_pull(void **state)
{
	struct platform p;
	uint8_t report[64] = {0xff, 0xff, 0xff, 0xff, 0x86, 0, 8}, answer[64];

	start(&p, NULL);
	platform_misbehave(&p, "silent-pull");
	assert_int_equal(send(p.fd, report, 64, 0), 64);
	assert_true(platform_await(&p, "frame 1\n"));
	assert_int_equal(recv(p.fd, answer, sizeof answer, MSG_DONTWAIT), -1);
	platform_misbehave(&p, "none");
	assert_int_equal(send(p.fd, report, 64, 0), 64);
	assert_true(platform_await(&p, "frame 2\n"));
	assert_int_equal(recv(p.fd, answer, sizeof answer, 0), 64);
	assert_int_equal(answer[4], 0x86);
	platform_stop(&p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_honest),
	    cmocka_unit_test(test_pin),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_unseen_lies),
	    cmocka_unit_test(test_hmac_needs_touch),
	    cmocka_unit_test(test_silent_pull),
	};

	if (argc != 2)
		return 2;
	exe = argv[1];
	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
