/* SPDX-License-Identifier: Apache-2.0 */
/* The key that a recovery code is the seed of; see recovery.h. */
#include <sgwarden/recovery.h>

#include <string.h>

#include <sgwarden/hash.h>
#include <sgwarden/mutate.h>
#include <sgwarden/secret.h>

static const char DOMAIN[] = "sgwarden recovery code 1";

/* NULL: libcrypto failed.  Its own copy of the seed it erases with the key. */
static EVP_PKEY *
pair(const uint8_t code[SGW_CODE_LEN], const char *appliance)
{
	uint8_t text[sizeof(DOMAIN) + SGW_APPLIANCE_LEN + 1 + SGW_CODE_LEN] = {0}, seed[HASH_LEN];
	EVP_PKEY *key;

	memcpy(text, DOMAIN, sizeof(DOMAIN));
	if (!MUTATE(CODE_APPLIANCE))
		memcpy(text + sizeof(DOMAIN), appliance, strnlen(appliance, SGW_APPLIANCE_LEN));
	memcpy(text + sizeof(text) - SGW_CODE_LEN, code, SGW_CODE_LEN);
	hash_sha256(text, sizeof(text), seed);
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	memory_erase(text, sizeof(text));
	memory_erase(seed, sizeof(seed));
	return key;
}

bool
recovery_key(
    const uint8_t code[SGW_CODE_LEN], const char *appliance, uint8_t ret_key[RECOVERY_KEY_LEN])
{
	EVP_PKEY *key = pair(code, appliance);
	size_t len = RECOVERY_KEY_LEN;
	bool ok = key && EVP_PKEY_get_raw_public_key(key, ret_key, &len) == 1;

	EVP_PKEY_free(key);
	return ok && len == RECOVERY_KEY_LEN;
}

bool
recovery_sign(const uint8_t code[SGW_CODE_LEN], const char *appliance, const void *text, size_t len,
    uint8_t ret_signature[RECOVERY_SIGNATURE_LEN])
{
	EVP_PKEY *key = pair(code, appliance);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = RECOVERY_SIGNATURE_LEN;
	bool ok = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestSign(ctx, ret_signature, &n, text, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok && n == RECOVERY_SIGNATURE_LEN;
}

bool
recovery_verify(const uint8_t key[RECOVERY_KEY_LEN], const void *text, size_t len,
    const uint8_t signature[RECOVERY_SIGNATURE_LEN])
{
	EVP_PKEY *of = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, RECOVERY_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = of && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, of) == 1 &&
		  EVP_DigestVerify(ctx, signature, RECOVERY_SIGNATURE_LEN, text, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(of);
	return ok;
}
