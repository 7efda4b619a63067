/* SPDX-License-Identifier: Apache-2.0 */
/* What a security key said, judged on libcrypto alone: see verify.h. */
#include "verify.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

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

/* The order of P-256 (SEC 2, section 2.4.2). */
static const uint8_t ORDER[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc,
    0x63, 0x25, 0x51};

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

/* Encrypted outputs: 32 or 64 bytes, with PIN protocol two an IV of 16 in front. */
static bool
hmac_output_ok(const uint8_t *p, size_t len)
{
	static const uint8_t lengths[] = {32, 48, 64, 80};

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
	if (CRYPTO_memcmp(authdata, e->rp_id_hash, 32) != 0)
		return VERIFY_RP_ID;
	if (!(flags & FLAG_UP))
		return VERIFY_NO_TOUCH;
	if (e->want_uv && !(flags & FLAG_UV))
		return VERIFY_NO_UV;
	if (flags & (FLAG_AT | FLAGS_REFUSED))
		return VERIFY_FLAGS;
	if (!(flags & FLAG_ED) && len != AUTHDATA_HEAD)
		return VERIFY_LENGTH;
	if (!(flags & FLAG_ED) != !e->hmac_secret_asked)
		return VERIFY_EXTENSIONS;
	if ((flags & FLAG_ED) && !hmac_output_ok(authdata + AUTHDATA_HEAD, len - AUTHDATA_HEAD))
		return VERIFY_EXTENSIONS;
	counter = counter_of(authdata);
	if (e->zero_counter ? counter != 0 : counter <= e->last_counter)
		return VERIFY_COUNTER;
	return 0;
}

/* NULL where the bytes are no point of the curve. */
static EVP_PKEY *
pubkey_new(const uint8_t pubkey[64])
{
	uint8_t point[65] = {4};
	char group[] = "P-256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	memcpy(point + 1, pubkey, 64);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static bool
pubkey_on_curve(const uint8_t pubkey[64])
{
	EVP_PKEY *pkey = pubkey_new(pubkey);
	EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	bool ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

static bool
scalar_in_range(const BIGNUM *v, const BIGNUM *order)
{
	return !BN_is_negative(v) && !BN_is_zero(v) && BN_cmp(v, order) < 0;
}

/* libcrypto's parser is lenient about BER; whatever does not encode to the same bytes again is refused. */
static bool
signature_is_canonical(const uint8_t *sig, size_t sig_len)
{
	const uint8_t *p = sig;
	ECDSA_SIG *parsed =
	    sig_len <= SGW_SIGNATURE_MAX ? d2i_ECDSA_SIG(NULL, &p, (long)sig_len) : NULL;
	BIGNUM *order = BN_bin2bn(ORDER, sizeof ORDER, NULL);
	uint8_t *again = NULL;
	int again_len = parsed != NULL ? i2d_ECDSA_SIG(parsed, &again) : -1;
	bool ok;

	ok = again_len > 0 && order != NULL && (size_t)again_len == sig_len &&
	     memcmp(again, sig, sig_len) == 0 && scalar_in_range(ECDSA_SIG_get0_r(parsed), order) &&
	     scalar_in_range(ECDSA_SIG_get0_s(parsed), order);
	OPENSSL_free(again);
	BN_free(order);
	ECDSA_SIG_free(parsed);
	return ok;
}

int
es256_verify(const uint8_t pubkey[64], const uint8_t *authdata, size_t authdata_len,
    const uint8_t client_data_hash[32], const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
	int error = VERIFY_LIBCRYPTO;

	if (!signature_is_canonical(sig, sig_len))
		return VERIFY_DER;
	if (!pubkey_on_curve(pubkey))
		return VERIFY_PUBLIC_KEY;
	pkey = pubkey_new(pubkey);
	ctx = EVP_MD_CTX_new();
	if (pkey != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, authdata, authdata_len) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, client_data_hash, 32) == 1)
		error = EVP_DigestVerifyFinal(ctx, sig, sig_len) == 1 ? 0 : VERIFY_SIGNATURE;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return error;
}

int
assertion_verify(const struct verify_expect *e, const uint8_t *authdata, size_t authdata_len,
    const uint8_t *sig, size_t sig_len, uint32_t *ret_counter)
{
	int error = authdata_check(e, authdata, authdata_len);

	if (error == 0)
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
	if (!(flags & FLAG_UP))
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
	if (CRYPTO_memcmp(authdata, rp_id_hash, 32) != 0)
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
	if (!pubkey_on_curve(c.pubkey))
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
