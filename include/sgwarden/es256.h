/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ES256: ECDSA over P-256 with SHA-256 (RFC 9053, section 2.1).  Whoever calls this links libcrypto; nobody else sees
 * it.
 */
#ifndef SGWARDEN_ES256_H
#define SGWARDEN_ES256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <sgwarden/limits.h>

enum es256_result {
	ES256_OK = 0,
	ES256_DER,       /* not canonical DER of two numbers in range */
	ES256_KEY,       /* not a point of the curve */
	ES256_SIGNATURE, /* does not verify */
	ES256_LIBCRYPTO, /* libcrypto failed */
	ES256_MAX,
};

/* The order of P-256 (SEC 2, section 2.4.2). */
static const uint8_t ES256_ORDER[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2,
    0xfc, 0x63, 0x25, 0x51};

/* NULL where the bytes are no point of the curve. */
static inline EVP_PKEY *
es256_key_new(const uint8_t pubkey[64])
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

static inline bool
es256_key_ok(const uint8_t pubkey[64])
{
	EVP_PKEY *pkey = es256_key_new(pubkey);
	EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	bool ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

static inline bool
es256_scalar_ok(const BIGNUM *v, const BIGNUM *order)
{
	return !BN_is_negative(v) && !BN_is_zero(v) && BN_cmp(v, order) < 0;
}

/* libcrypto's parser is lenient about BER; whatever does not encode to the same bytes again is refused. */
static inline bool
es256_is_canonical(const uint8_t *sig, size_t sig_len)
{
	const uint8_t *p = sig;
	ECDSA_SIG *parsed =
	    sig_len <= SGW_SIGNATURE_MAX ? d2i_ECDSA_SIG(NULL, &p, (long)sig_len) : NULL;
	BIGNUM *order = BN_bin2bn(ES256_ORDER, sizeof ES256_ORDER, NULL);
	uint8_t *again = NULL;
	int again_len = parsed != NULL ? i2d_ECDSA_SIG(parsed, &again) : -1;
	bool ok;

	ok = again_len > 0 && order != NULL && (size_t)again_len == sig_len &&
	     memcmp(again, sig, sig_len) == 0 && es256_scalar_ok(ECDSA_SIG_get0_r(parsed), order) &&
	     es256_scalar_ok(ECDSA_SIG_get0_s(parsed), order);
	OPENSSL_free(again);
	BN_free(order);
	ECDSA_SIG_free(parsed);
	return ok;
}

/* Is `sig` (DER) this key's (x, then y) over SHA-256(head || hash)? */
static inline enum es256_result
es256_check(const uint8_t pubkey[64], const uint8_t *head, size_t head_len, const uint8_t hash[32],
    const uint8_t *sig, size_t sig_len)
{
	enum es256_result result = ES256_LIBCRYPTO;
	EVP_MD_CTX *ctx;
	EVP_PKEY *pkey;

	if (!es256_is_canonical(sig, sig_len))
		return ES256_DER;
	if (!es256_key_ok(pubkey))
		return ES256_KEY;
	pkey = es256_key_new(pubkey);
	ctx = EVP_MD_CTX_new();
	if (pkey != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, head, head_len) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, hash, 32) == 1)
		result = EVP_DigestVerifyFinal(ctx, sig, sig_len) == 1 ? ES256_OK : ES256_SIGNATURE;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return result;
}

#endif
