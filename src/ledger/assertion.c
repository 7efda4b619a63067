/* SPDX-License-Identifier: Apache-2.0 */
/* What a security key said: see assertion.h. */
#include <sgwarden/assertion.h>
#include <sgwarden/mutate.h>

#include <string.h>

#include <sgwarden/es256.h>

enum {
	FLAG_UP = 0x01,
	FLAG_UV = 0x04,
	FLAG_AT = 0x40,
	FLAG_ED = 0x80,
	FLAGS_REFUSED = 0x3a, /* bits 1 and 5: undefined; 3 and 4: backup */
};

#define AUTHDATA_HEAD 37 /* rpIdHash 32, flags 1, signCount 4 */
#define AAGUID_LEN 16
#define CRED_ID_MIN 16 /* WebAuthn, section 4, "Credential ID" */

/* {"hmac-secret": …}, up to the value. */
static const uint8_t EXT_HEAD[] = {
    0xa1, 0x6b, 'h', 'm', 'a', 'c', '-', 's', 'e', 'c', 'r', 'e', 't'};

const char *
verify_strerror(int error)
{
	static const char *const texts[] = {
#define X(name, text) text,
	    SGW_VERIFY_ERRORS(X)
#undef X
	};
	size_t i = (size_t)(-1 - error);

	if (error == 0)
		return "verified";
	return error < 0 && i < sizeof texts / sizeof texts[0] ? texts[i]
							       : "unknown verification error";
}

static uint32_t
counter_of(const uint8_t *authdata)
{
	return (uint32_t)authdata[33] << 24 | (uint32_t)authdata[34] << 16 |
	       (uint32_t)authdata[35] << 8 | authdata[36];
}

/* The encrypted outputs of two salts; with PIN protocol two (CTAP 2.1, section 6.5.7) an IV of 16 bytes in front. */
static bool
hmac_output_ok(const uint8_t *p, size_t len)
{
	static const uint8_t lengths[] = {64, 80};

	if (len < sizeof EXT_HEAD + 2 || memcmp(p, EXT_HEAD, sizeof EXT_HEAD) != 0 ||
	    p[sizeof EXT_HEAD] != 0x58)
		return false;
	p += sizeof EXT_HEAD + 1;
	len -= sizeof EXT_HEAD + 2;
	return memchr(lengths, *p, sizeof lengths) != NULL && len == *p;
}

static int
authdata_check(const struct verify_expect *e, const uint8_t *authdata, size_t len)
{
	uint32_t counter;
	uint8_t flags;

	if (len < AUTHDATA_HEAD || len > SGW_AUTHDATA_MAX)
		return VERIFY_LENGTH;
	flags = authdata[32];
	if (memcmp(authdata, e->rp_id_hash, 32) != 0 && !MUTATE(RP_ID))
		return VERIFY_RP_ID;
	if (!(flags & FLAG_UP) && !MUTATE(TOUCH))
		return VERIFY_NO_TOUCH;
	if (e->want_uv && !(flags & FLAG_UV) && !MUTATE(PIN))
		return VERIFY_NO_UV;
	if ((flags & (FLAG_AT | FLAGS_REFUSED)) && !MUTATE(FLAGS))
		return VERIFY_FLAGS;
	if (!(flags & FLAG_ED) && len != AUTHDATA_HEAD && !MUTATE(AUTHDATA_LENGTH))
		return VERIFY_LENGTH;
	if (!(flags & FLAG_ED) != !e->hmac_secret_asked && !MUTATE(EXTENSION_UNASKED))
		return VERIFY_EXTENSIONS;
	if ((flags & FLAG_ED) && !hmac_output_ok(authdata + AUTHDATA_HEAD, len - AUTHDATA_HEAD) &&
	    !MUTATE(EXTENSION_FORM))
		return VERIFY_EXTENSIONS;
	counter = counter_of(authdata);
	if ((e->zero_counter ? counter != 0 : counter <= e->last_counter) && !MUTATE(COUNTER))
		return VERIFY_COUNTER;
	return 0;
}

/* Every answer of the signature check has its name here too. */
static const int ES256_ERRORS[ES256_MAX] = {
    [ES256_OK] = 0,
    [ES256_DER] = VERIFY_DER,
    [ES256_KEY] = VERIFY_PUBLIC_KEY,
    [ES256_SIGNATURE] = VERIFY_SIGNATURE,
    [ES256_LIBCRYPTO] = VERIFY_LIBCRYPTO,
};

int
es256_verify(const uint8_t pubkey[64], const uint8_t *authdata, size_t authdata_len,
    const uint8_t client_data_hash[32], const uint8_t *sig, size_t sig_len)
{
	return ES256_ERRORS[es256_check(
	    pubkey, authdata, authdata_len, client_data_hash, sig, sig_len)];
}

int
assertion_verify(const struct verify_expect *e, const uint8_t *authdata, size_t authdata_len,
    const uint8_t *sig, size_t sig_len, uint32_t *ret_counter)
{
	int error = authdata_check(e, authdata, authdata_len);

	if (error == 0 && !MUTATE(SIGNATURE))
		error = es256_verify(
		    e->pubkey, authdata, authdata_len, e->client_data_hash, sig, sig_len);
	if (error == 0)
		*ret_counter = counter_of(authdata);
	return error;
}

/* {1: 2, 3: -7, -1: 1, -2: x, -3: y}: the one form that CTAP 2.1, section 8, leaves. */
static bool
cose_key_parse(const uint8_t p[77], uint8_t ret_pubkey[64])
{
	static const uint8_t before_x[] = {
	    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const uint8_t before_y[] = {0x22, 0x58, 0x20};

	if (memcmp(p, before_x, sizeof before_x) != 0 ||
	    memcmp(p + 42, before_y, sizeof before_y) != 0)
		return false;
	memcpy(ret_pubkey, p + 10, 32);
	memcpy(ret_pubkey + 32, p + 45, 32);
	return true;
}

static int
credential_flags(uint8_t flags)
{
	if (!(flags & FLAG_UP) && !MUTATE(NEW_KEY_TOUCH))
		return VERIFY_NO_TOUCH;
	return !(flags & FLAG_AT) || (flags & FLAGS_REFUSED) ? VERIFY_FLAGS : 0;
}

int
credential_parse(
    const uint8_t *authdata, size_t len, const uint8_t rp_id_hash[32], struct credential *ret)
{
	const uint8_t *p = authdata + AUTHDATA_HEAD;
	struct credential c = {0};
	size_t rest;
	int error;

	if (len < AUTHDATA_HEAD + AAGUID_LEN + 2 || len > SGW_AUTHDATA_MAX)
		return VERIFY_LENGTH;
	if (memcmp(authdata, rp_id_hash, 32) != 0)
		return VERIFY_RP_ID;
	error = credential_flags(authdata[32]);
	if (error < 0)
		return error;
	memcpy(c.aaguid, p, AAGUID_LEN);
	c.id_len = (size_t)(p[16] << 8 | p[17]);
	if (c.id_len < CRED_ID_MIN || c.id_len > sizeof c.id)
		return VERIFY_CREDENTIAL_ID;
	p += AAGUID_LEN + 2;
	rest = len - (AUTHDATA_HEAD + AAGUID_LEN + 2);
	if (rest < c.id_len + 77)
		return VERIFY_LENGTH;
	memcpy(c.id, p, c.id_len);
	if (!cose_key_parse(p + c.id_len, c.pubkey))
		return VERIFY_COSE_KEY;
	if (!es256_key_ok(c.pubkey))
		return VERIFY_PUBLIC_KEY;
	p += c.id_len + 77;
	rest -= c.id_len + 77;
	c.hmac_secret = authdata[32] & FLAG_ED;
	if (!c.hmac_secret && rest != 0)
		return VERIFY_LENGTH;
	if (c.hmac_secret &&
	    (rest != sizeof EXT_HEAD + 1 || memcmp(p, EXT_HEAD, sizeof EXT_HEAD) != 0 ||
		p[sizeof EXT_HEAD] != 0xf5))
		return VERIFY_EXTENSIONS;
	c.counter = counter_of(authdata);
	c.uv = authdata[32] & FLAG_UV;
	*ret = c;
	return 0;
}
