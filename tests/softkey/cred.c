/* SPDX-License-Identifier: Apache-2.0 */
/* Non-resident credentials: see cred.h. */
#include "cred.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#define CRED_VERSION 1
#define PLAIN_LEN 128

bool
cred_make(const uint8_t rp_id_hash[32], struct credential *ret)
{
	memcpy(ret->rp_id_hash, rp_id_hash, 32);
	return p256_generate(&ret->key) && RAND_bytes(ret->random_uv, 32) == 1 &&
	       RAND_bytes(ret->random_plain, 32) == 1;
}

bool
cred_wrap(const uint8_t master[32], const struct credential *c, uint8_t ret_id[CRED_ID_LEN])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t plain[PLAIN_LEN];
	uint8_t *nonce = ret_id + 1;
	int n = 0;
	bool ok;

	memcpy(plain, c->key.d, 32);
	memcpy(plain + 32, c->rp_id_hash, 32);
	memcpy(plain + 64, c->random_uv, 32);
	memcpy(plain + 96, c->random_plain, 32);
	ret_id[0] = CRED_VERSION;
	ok = ctx != NULL && RAND_bytes(nonce, 12) == 1 &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, nonce) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, ret_id, 1) == 1 &&
	     EVP_EncryptUpdate(ctx, ret_id + 13, &n, plain, PLAIN_LEN) == 1 && n == PLAIN_LEN &&
	     EVP_EncryptFinal_ex(ctx, ret_id + 13 + PLAIN_LEN, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, ret_id + 13 + PLAIN_LEN) == 1;
	OPENSSL_cleanse(plain, sizeof plain);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
cred_unwrap(const uint8_t master[32], const uint8_t rp_id_hash[32], const uint8_t *id, size_t len,
    struct credential *ret)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t plain[PLAIN_LEN];
	uint8_t tag[16];
	int n = 0;
	bool ok;

	ok = ctx != NULL && len == CRED_ID_LEN && id[0] == CRED_VERSION;
	if (ok)
		memcpy(tag, id + 13 + PLAIN_LEN, sizeof tag);
	ok = ok && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, id + 1) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, id, 1) == 1 &&
	     EVP_DecryptUpdate(ctx, plain, &n, id + 13, PLAIN_LEN) == 1 && n == PLAIN_LEN &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, plain + PLAIN_LEN - 16, &n) == 1 &&
	     memcmp(plain + 32, rp_id_hash, 32) == 0 && p256_from_scalar(plain, &ret->key);
	if (ok) {
		memcpy(ret->rp_id_hash, plain + 32, 32);
		memcpy(ret->random_uv, plain + 64, 32);
		memcpy(ret->random_plain, plain + 96, 32);
	}
	OPENSSL_cleanse(plain, sizeof plain);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
cred_hmac_secret(
    const struct credential *c, bool uv, const uint8_t *salts, size_t len, uint8_t *ret)
{
	const uint8_t *random = uv ? c->random_uv : c->random_plain;

	if (len != 32 && len != 64)
		return false;
	for (size_t at = 0; at < len; at += 32) {
		unsigned n = 0;

		if (HMAC(EVP_sha256(), random, 32, salts + at, 32, ret + at, &n) == NULL || n != 32)
			return false;
	}
	return true;
}
