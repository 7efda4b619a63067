/* SPDX-License-Identifier: Apache-2.0 */
/* A security key in a few lines: see forge_key.h. */
#include "forge_key.h"

#include <openssl/core_names.h>
#include <string.h>

#include <sgwarden/buf.h>
#include <sgwarden/hash.h>

struct authenticator
authenticator_new(uint8_t mark)
{
	struct authenticator a = {.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")};
	uint8_t point[65];
	size_t len = 0;

	MUST(a.pkey && EVP_PKEY_get_octet_string_param(
			   a.pkey, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &len) == 1);
	memcpy(a.pub, point + 1, sizeof(a.pub));
	memset(a.id, mark, sizeof(a.id));
	return a;
}

size_t
head_put(uint8_t *authdata, const char *rp_id, uint8_t flags, uint32_t counter)
{
	hash_sha256(rp_id, strlen(rp_id), authdata);
	authdata[32] = flags;
	for (unsigned i = 0; i < 4; i++)
		authdata[33 + i] = (uint8_t)(counter >> (24 - 8 * i));
	return 37;
}

/* Attested credential data: aaguid of zeros, id, COSE key (WebAuthn, 6.5.1). */
size_t
credential_put(uint8_t *authdata, const char *rp_id, const struct authenticator *a)
{
	static const uint8_t BEFORE_X[] = {
	    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const uint8_t BEFORE_Y[] = {0x22, 0x58, 0x20};
	struct buf b = buf_over(authdata, SGW_AUTHDATA_MAX);

	b.len = head_put(authdata, rp_id, 0x41, a->counter);
	buf_put(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	buf_put_u16(&b, sizeof(a->id));
	buf_put(&b, a->id, sizeof(a->id));
	buf_put(&b, BEFORE_X, sizeof(BEFORE_X));
	buf_put(&b, a->pub, 32);
	buf_put(&b, BEFORE_Y, sizeof(BEFORE_Y));
	MUST(buf_put(&b, a->pub + 32, 32));
	return b.len;
}

size_t
sign(const struct authenticator *a, const uint8_t *authdata, size_t len, const char *text,
    size_t text_len, uint8_t signature[SGW_SIGNATURE_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[HASH_LEN];
	size_t n = SGW_SIGNATURE_MAX;

	hash_sha256(text, text_len, hash);
	MUST(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, a->pkey) == 1);
	MUST(EVP_DigestSignUpdate(ctx, authdata, len) == 1);
	MUST(EVP_DigestSignUpdate(ctx, hash, sizeof(hash)) == 1);
	MUST(EVP_DigestSignFinal(ctx, signature, &n) == 1);
	EVP_MD_CTX_free(ctx);
	return n;
}
