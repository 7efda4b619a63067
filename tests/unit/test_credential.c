/* SPDX-License-Identifier: Apache-2.0 */
/* What makeCredential made, parsed in its one form; each deviation from it is refused. */
#include "forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A good credential: id of 32 bytes, hmac-secret. */
static struct forge
forge_credential(void)
{
	static const uint8_t cose_head[] = {
	    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const uint8_t ext[] = {
	    0xa1, 0x6b, 'h', 'm', 'a', 'c', '-', 's', 'e', 'c', 'r', 'e', 't', 0xf5};
	static const uint8_t aaguid_len_id[16 + 2 + 32] = {1, [17] = 32, [18] = 9};
	struct forge f = forge_new();

	f.ad[32] = 0xc1;
	forge_append(&f, aaguid_len_id, sizeof aaguid_len_id);
	forge_append(&f, cose_head, sizeof cose_head);
	forge_append(&f, f.pub, 32);
	forge_append(&f, "\x22\x58\x20", 3);
	forge_append(&f, f.pub + 32, 32);
	forge_append(&f, ext, sizeof ext);
	return f;
}

enum { AT_ID_LEN = 53, AT_COSE = 37 + 18 + 32, AT_EXT = AT_COSE + 77 };

static void
expect_parsed(struct forge *f, int want)
{
	struct credential c;

	assert_int_equal(credential_parse(f->ad, f->ad_len, f->rp, &c), want);
	EVP_PKEY_free(f->key);
}

static void
test_credential_good(void **state)
{
	struct forge f = forge_credential();
	struct credential c;

	assert_int_equal(credential_parse(f.ad, f.ad_len, f.rp, &c), 0);
	assert_int_equal(c.aaguid[0], 1);
	assert_int_equal(c.id_len, 32);
	assert_int_equal(c.id[0], 9);
	assert_memory_equal(c.pubkey, f.pub, 64);
	assert_int_equal(c.counter, 8);
	assert_true(c.hmac_secret);
	assert_false(c.uv);
	forge_sign(&f);
	assert_int_equal(es256_verify(c.pubkey, f.ad, f.ad_len, f.cdh, f.sig, f.sig_len), 0);
	f.ad[32] = 0x45;
	f.ad_len = AT_EXT;
	assert_int_equal(credential_parse(f.ad, f.ad_len, f.rp, &c), 0);
	assert_false(c.hmac_secret);
	assert_true(c.uv);
	EVP_PKEY_free(f.key);
}

struct spoil {
	size_t at;
	uint8_t value;
	int want;
};

/* One byte each: what a credential must not look like. */
static const struct spoil spoils[] = {
    {0, 0, VERIFY_RP_ID},
    {32, 0xc0, VERIFY_NO_TOUCH},
    {32, 0x81, VERIFY_FLAGS},
    {32, 0xc9, VERIFY_FLAGS},
    {32, 0x41, VERIFY_LENGTH},
    {AT_ID_LEN, 1, VERIFY_CREDENTIAL_ID},
    {AT_ID_LEN + 1, 15, VERIFY_CREDENTIAL_ID},
    {AT_ID_LEN + 1, 0, VERIFY_CREDENTIAL_ID},
    {AT_ID_LEN + 1, 250, VERIFY_LENGTH},
    {AT_ID_LEN + 1, 31, VERIFY_COSE_KEY},
    {AT_COSE, 0xa6, VERIFY_COSE_KEY},
    {AT_COSE + 2, 1, VERIFY_COSE_KEY},
    {AT_COSE + 4, 0x27, VERIFY_COSE_KEY},
    {AT_COSE + 6, 2, VERIFY_COSE_KEY},
    {AT_COSE + 42, 0x23, VERIFY_COSE_KEY},
    {AT_EXT, 0xa2, VERIFY_EXTENSIONS},
    {AT_EXT + 13, 0xf4, VERIFY_EXTENSIONS},
};

static void
test_credential_bad(void **state)
{
	struct forge f;

	for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
		f = forge_credential();
		f.ad[spoils[i].at] = spoils[i].value;
		expect_parsed(&f, spoils[i].want);
	}
	for (size_t len = 0; len < AT_EXT + 14; len++) {
		struct credential c;

		f = forge_credential();
		f.ad_len = len;
		assert_true(credential_parse(f.ad, f.ad_len, f.rp, &c) < 0);
		EVP_PKEY_free(f.key);
	}
	f = forge_credential();
	f.ad[AT_COSE + 45 + 31] ^= 1; /* off the curve */
	expect_parsed(&f, VERIFY_PUBLIC_KEY);
	f = forge_credential();
	forge_append(&f, "", 1);
	expect_parsed(&f, VERIFY_EXTENSIONS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_credential_good),
	    cmocka_unit_test(test_credential_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
