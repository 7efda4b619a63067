/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions and credentials as a key would make them, each with one thing wrong and a signature that is right over
 * exactly these bytes: nothing but the check under test can refuse it.  The twin of them all is test_good.
 */
#include "forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fido.h>
#include <fido/es256.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <string.h>

static int
verdict(struct forge *f)
{
	f->e.rp_id_hash = f->rp;
	f->e.client_data_hash = f->cdh;
	f->e.pubkey = f->pub;
	f->counter = 0xdead;
	return assertion_verify(&f->e, f->ad, f->ad_len, f->sig, f->sig_len, &f->counter);
}

static uint32_t
counter_in(const struct forge *f)
{
	return (uint32_t)f->ad[33] << 24 | (uint32_t)f->ad[34] << 16 | (uint32_t)f->ad[35] << 8 |
	       f->ad[36];
}

/* Signs what stands there, judges it, frees it. */
static void
expect(struct forge *f, int want)
{
	forge_sign(f);
	assert_int_equal(verdict(f), want);
	assert_int_equal(f->counter, want == 0 ? counter_in(f) : 0xdead);
	EVP_PKEY_free(f->key);
}

static void
forge_hmac(struct forge *f, uint8_t len)
{
	static const uint8_t bytes[255];
	const uint8_t head[] = {
	    0xa1, 0x6b, 'h', 'm', 'a', 'c', '-', 's', 'e', 'c', 'r', 'e', 't', 0x58, len};

	f->ad[32] |= 0x80;
	f->e.hmac_secret_asked = true;
	forge_append(f, head, sizeof head);
	forge_append(f, bytes, len);
}

static void
test_good(void **state)
{
	static const uint8_t lengths[] = {64, 80};
	struct forge f = forge_new();

	expect(&f, 0);
	f = forge_new();
	f.ad[32] |= 0x04;
	f.e.want_uv = true;
	expect(&f, 0);
	f = forge_new();
	f.ad[32] |= 0x04; /* verified though nobody wanted it: some keys always do */
	expect(&f, 0);
	for (size_t i = 0; i < sizeof lengths; i++) {
		f = forge_new();
		forge_hmac(&f, lengths[i]);
		expect(&f, 0);
	}
	f = forge_new();
	f.e.zero_counter = true;
	forge_counter(&f, 0);
	expect(&f, 0);
}

static void
test_length(void **state)
{
	struct forge f = forge_new();

	f.ad_len = 36;
	expect(&f, VERIFY_LENGTH);
	f = forge_new();
	f.ad_len = 38;
	expect(&f, VERIFY_LENGTH);
	f = forge_new();
	f.ad_len = SGW_AUTHDATA_MAX + 1;
	expect(&f, VERIFY_LENGTH);
	f = forge_new();
	f.ad_len = 0;
	expect(&f, VERIFY_LENGTH);
}

static void
test_rp_id(void **state)
{
	struct forge f = forge_new();

	f.ad[31] ^= 1;
	expect(&f, VERIFY_RP_ID);
}

static void
test_flags(void **state)
{
	static const uint8_t refused[] = {0x02, 0x08, 0x10, 0x18, 0x20, 0x40};
	struct forge f;

	for (size_t i = 0; i < sizeof refused; i++) {
		f = forge_new();
		f.ad[32] |= refused[i];
		expect(&f, VERIFY_FLAGS);
	}
	f = forge_new();
	f.e.want_uv = true;
	expect(&f, VERIFY_NO_UV);
	f = forge_new();
	f.ad[32] = 0x00;
	expect(&f, VERIFY_NO_TOUCH);
	f = forge_new();
	f.ad[32] = 0x04; /* a PIN is no touch */
	f.e.want_uv = true;
	expect(&f, VERIFY_NO_TOUCH);
}

/* libfido2's view of the same assertion. */
static int
libfido2_verdict(struct forge *f, bool say_up)
{
	uint8_t cbor[2 + 37] = {0x58, 37};
	fido_assert_t *a = fido_assert_new();
	es256_pk_t *pk = es256_pk_new();
	int r;

	memcpy(cbor + 2, f->ad, 37);
	assert_int_equal(fido_assert_set_count(a, 1), FIDO_OK);
	assert_int_equal(fido_assert_set_rp(a, RP), FIDO_OK);
	assert_int_equal(fido_assert_set_clientdata_hash(a, f->cdh, 32), FIDO_OK);
	assert_int_equal(fido_assert_set_authdata(a, 0, cbor, sizeof cbor), FIDO_OK);
	assert_int_equal(fido_assert_set_sig(a, 0, f->sig, f->sig_len), FIDO_OK);
	if (say_up)
		assert_int_equal(fido_assert_set_up(a, FIDO_OPT_TRUE), FIDO_OK);
	assert_int_equal(es256_pk_from_ptr(pk, f->pub, 64), FIDO_OK);
	r = fido_assert_verify(a, 0, COSE_ES256, pk);
	es256_pk_free(&pk);
	fido_assert_free(&a);
	return r;
}

/* fido_assert_verify() takes an assertion without a touch unless told otherwise; ours has no such default. */
static void
regress_001_default_up(void **state)
{
	struct forge f = forge_new();

	f.ad[32] = 0x00;
	forge_sign(&f);
	assert_int_equal(libfido2_verdict(&f, false), FIDO_OK);
	assert_int_equal(libfido2_verdict(&f, true), FIDO_ERR_INVALID_PARAM);
	assert_int_equal(verdict(&f), VERIFY_NO_TOUCH);
	f.ad[32] = 0x01;
	forge_sign(&f);
	assert_int_equal(libfido2_verdict(&f, true), FIDO_OK);
	assert_int_equal(verdict(&f), 0);
	EVP_PKEY_free(f.key);
}

static void
test_extensions(void **state)
{
	static const uint8_t lengths[] = {0, 16, 32, 48, 63, 65, 79, 81, 96};
	struct forge f;

	for (size_t i = 0; i < sizeof lengths; i++) {
		f = forge_new();
		forge_hmac(&f, lengths[i]);
		expect(&f, VERIFY_EXTENSIONS);
	}
	f = forge_new(); /* not asked for */
	forge_hmac(&f, 64);
	f.e.hmac_secret_asked = false;
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* asked for and not answered */
	f.e.hmac_secret_asked = true;
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* the flag without data */
	f.e.hmac_secret_asked = true;
	f.ad[32] |= 0x80;
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* data without the flag */
	forge_hmac(&f, 64);
	f.ad[32] &= 0x7f;
	f.e.hmac_secret_asked = false;
	expect(&f, VERIFY_LENGTH);
	f = forge_new(); /* a byte behind it */
	forge_hmac(&f, 64);
	forge_append(&f, "", 1);
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* a byte short */
	forge_hmac(&f, 64);
	f.ad_len--;
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* a second entry */
	forge_hmac(&f, 64);
	f.ad[37] = 0xa2;
	forge_append(&f, "\x61x\xf5", 3);
	expect(&f, VERIFY_EXTENSIONS);
	f = forge_new(); /* the same map with its length in two bytes: valid CBOR, not canonical */
	forge_hmac(&f, 64);
	f.ad[50] = 0x59;
	f.ad[51] = 0x00;
	forge_append(&f, "", 1);
	f.ad[52] = 0x40;
	expect(&f, VERIFY_EXTENSIONS);
}

static void
test_counter(void **state)
{
	static const uint32_t stale[] = {0, 6, 7};
	struct forge f;

	for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++) {
		f = forge_new();
		forge_counter(&f, stale[i]);
		expect(&f, VERIFY_COUNTER);
	}
	f = forge_new(); /* never seen before, and says 0: only an enrolment may say that this is normal */
	f.e.last_counter = 0;
	forge_counter(&f, 0);
	expect(&f, VERIFY_COUNTER);
	f = forge_new(); /* a key that always said 0 and now counts */
	f.e.zero_counter = true;
	expect(&f, VERIFY_COUNTER);
	f = forge_new(); /* big endian, unsigned */
	f.e.last_counter = 0x7fffffff;
	forge_counter(&f, 0x80000001);
	expect(&f, 0);
}

static void
test_signature(void **state)
{
	struct forge f = forge_new(), other = forge_new();

	memcpy(f.pub, other.pub, 64); /* enrolled is another key */
	expect(&f, VERIFY_SIGNATURE);
	f = forge_new();
	forge_sign(&f);
	f.cdh[0] ^= 1; /* signed for another record */
	assert_int_equal(verdict(&f), VERIFY_SIGNATURE);
	f.cdh[0] ^= 1;
	f.ad[36]++; /* changed behind the signature */
	assert_int_equal(verdict(&f), VERIFY_SIGNATURE);
	f.ad[36]--;
	assert_int_equal(verdict(&f), 0);
	f.pub[63] ^= 1;
	assert_int_equal(verdict(&f), VERIFY_PUBLIC_KEY);
	memset(f.pub, 0, 64);
	assert_int_equal(verdict(&f), VERIFY_PUBLIC_KEY);
	EVP_PKEY_free(f.key);
	EVP_PKEY_free(other.key);
}

/* Puts r and s, changed by fn, into the signature. */
static void
resign(struct forge *f, void (*fn)(BIGNUM *r, BIGNUM *s, const BIGNUM *order))
{
	const uint8_t *p = f->sig;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)f->sig_len);
	BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(sig)), *s = BN_dup(ECDSA_SIG_get0_s(sig)),
	       *order = NULL;
	uint8_t *out = f->sig;

	assert_true(BN_hex2bn(&order,
			"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") > 0);
	fn(r, s, order);
	assert_int_equal(ECDSA_SIG_set0(sig, r, s), 1);
	assert_true(i2d_ECDSA_SIG(sig, NULL) <= (int)sizeof f->sig);
	f->sig_len = (size_t)i2d_ECDSA_SIG(sig, &out);
	ECDSA_SIG_free(sig);
	BN_free(order);
}

static void
s_plus_order(BIGNUM *r, BIGNUM *s, const BIGNUM *order)
{
	BN_add(s, s, order);
}

static void
s_zero(BIGNUM *r, BIGNUM *s, const BIGNUM *order)
{
	BN_zero(s);
}

static void
r_negative(BIGNUM *r, BIGNUM *s, const BIGNUM *order)
{
	BN_sub(r, r, order);
}

static void
s_mirrored(BIGNUM *r, BIGNUM *s, const BIGNUM *order)
{
	BN_sub(s, order, s);
}

static void
test_der(void **state)
{
	void (*const bad[])(BIGNUM *, BIGNUM *, const BIGNUM *) = {
	    s_plus_order, s_zero, r_negative};
	struct forge f = forge_new();

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		forge_sign(&f);
		resign(&f, bad[i]);
		assert_int_equal(verdict(&f), VERIFY_DER);
	}
	forge_sign(&f);
	resign(&f, s_mirrored); /* both halves are ES256: see assertion.h */
	assert_int_equal(verdict(&f), 0);
	forge_sign(&f);
	f.sig[f.sig_len++] = 0; /* a byte behind it */
	assert_int_equal(verdict(&f), VERIFY_DER);
	forge_sign(&f);
	memmove(f.sig + 3, f.sig + 2, f.sig_len - 2); /* the length in two bytes: BER, not DER */
	f.sig[2] = f.sig[1];
	f.sig[1] = 0x81;
	f.sig_len++;
	assert_int_equal(verdict(&f), VERIFY_DER);
	forge_sign(&f);
	memmove(
	    f.sig + 5, f.sig + 4, f.sig_len - 4); /* r with a zero in front that it does not need */
	f.sig[1]++;
	f.sig[3]++;
	f.sig[4] = 0;
	f.sig_len++;
	assert_int_equal(verdict(&f), VERIFY_DER);
	f.sig_len = 0;
	assert_int_equal(verdict(&f), VERIFY_DER);
	EVP_PKEY_free(f.key);
}

static void
test_texts(void **state)
{
	assert_string_equal(verify_strerror(0), "verified");
	assert_non_null(strstr(verify_strerror(VERIFY_NO_TOUCH), "touched"));
	assert_string_equal(verify_strerror(VERIFY_LIBCRYPTO), "libcrypto failed");
	assert_string_equal(verify_strerror(VERIFY_LIBCRYPTO - 1), "unknown verification error");
	assert_string_equal(verify_strerror(1), "unknown verification error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_length),
	    cmocka_unit_test(test_rp_id),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(regress_001_default_up),
	    cmocka_unit_test(test_extensions),
	    cmocka_unit_test(test_counter),
	    cmocka_unit_test(test_signature),
	    cmocka_unit_test(test_der),
	    cmocka_unit_test(test_texts),
	};

	fido_init(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
