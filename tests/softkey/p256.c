/* SPDX-License-Identifier: Apache-2.0 */
/* NIST P-256 on libcrypto: see p256.h. */
#include "p256.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <string.h>

/* The key for libcrypto; d is NULL for a public key. The caller frees it. */
static EVP_PKEY *
pkey_new(const uint8_t *d, const uint8_t pub[64])
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	BIGNUM *priv = d != NULL ? BN_bin2bn(d, 32, NULL) : NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	uint8_t point[65] = {4};

	memcpy(point + 1, pub, 64);
	if (bld == NULL || ctx == NULL || (d != NULL && priv == NULL))
		goto out;
	if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) !=
		1 ||
	    (priv != NULL && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv) != 1))
		goto out;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(
		ctx, &pkey, d != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(priv);
	return pkey;
}

bool
p256_generate(struct p256_key *ret)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	BIGNUM *priv = NULL;
	uint8_t d[32];
	bool ok;

	ok = pkey != NULL && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &priv) == 1 &&
	     BN_bn2binpad(priv, d, sizeof d) == sizeof d && p256_from_scalar(d, ret);
	BN_clear_free(priv);
	EVP_PKEY_free(pkey);
	return ok;
}

bool
p256_from_scalar(const uint8_t d[32], struct p256_key *ret)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	BIGNUM *priv = BN_bin2bn(d, 32, NULL);
	uint8_t enc[65];
	bool ok;

	ok = point != NULL && priv != NULL &&
	     EC_POINT_mul(group, point, priv, NULL, NULL, NULL) == 1 &&
	     EC_POINT_point2oct(
		 group, point, POINT_CONVERSION_UNCOMPRESSED, enc, sizeof enc, NULL) == sizeof enc;
	if (ok) {
		memcpy(ret->d, d, 32);
		memcpy(ret->pub, enc + 1, 64);
	}
	BN_clear_free(priv);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return ok;
}

bool
p256_ecdh(const struct p256_key *own, const uint8_t peer[64], uint8_t ret_x[32])
{
	EVP_PKEY *sk = pkey_new(own->d, own->pub);
	EVP_PKEY *pk = pkey_new(NULL, peer);
	EVP_PKEY_CTX *ctx = sk != NULL ? EVP_PKEY_CTX_new(sk, NULL) : NULL;
	size_t len = 32;
	bool ok;

	/* set_peer validates the point, so an invalid-curve point ends here. */
	ok = ctx != NULL && pk != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer(ctx, pk) == 1 && EVP_PKEY_derive(ctx, ret_x, &len) == 1 &&
	     len == 32;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pk);
	EVP_PKEY_free(sk);
	return ok;
}

bool
p256_sign(const struct p256_key *key, const uint8_t *a, size_t a_len, const uint8_t *b,
    size_t b_len, uint8_t *ret_sig, size_t *ret_sig_len)
{
	EVP_PKEY *sk = pkey_new(key->d, key->pub);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = P256_SIG_MAX;
	bool ok;

	ok = sk != NULL && ctx != NULL &&
	     EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, sk) == 1 &&
	     EVP_DigestSignUpdate(ctx, a, a_len) == 1 && EVP_DigestSignUpdate(ctx, b, b_len) == 1 &&
	     EVP_DigestSignFinal(ctx, ret_sig, &len) == 1;
	if (ok)
		*ret_sig_len = len;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(sk);
	return ok;
}
