/* SPDX-License-Identifier: Apache-2.0 */
/* The cryptography of PIN/UV auth protocols one and two, and the COSE keys they exchange: see pin.h. */
#include "pin.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

/* HKDF-SHA-256 with a salt of 32 zero bytes. */
static bool
hkdf(const uint8_t ikm[32], const char *info, uint8_t ret[32])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	uint8_t key[32], salt[32] = {0};
	char digest[] = "SHA256", label[32];
	size_t label_len = strlen(info);
	bool ok;

	memcpy(key, ikm, sizeof key);
	memcpy(label, info, label_len);
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label, label_len),
	    OSSL_PARAM_construct_end(),
	};
	ok = ctx != NULL && EVP_KDF_derive(ctx, ret, 32, params) == 1;
	OPENSSL_cleanse(key, sizeof key);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

bool
pin_shared_derive(
    const struct pin_session *s, unsigned protocol, const uint8_t peer[64], struct pin_shared *ret)
{
	uint8_t z[32];
	bool ok;

	if (!p256_ecdh(&s->agree, peer, z))
		return false;
	ret->protocol = protocol;
	if (protocol == 1) {
		ok = EVP_Digest(z, sizeof z, ret->hmac_key, NULL, EVP_sha256(), NULL) == 1;
		memcpy(ret->aes_key, ret->hmac_key, sizeof ret->aes_key);
	} else {
		ok = hkdf(z, "CTAP2 HMAC key", ret->hmac_key) &&
		     hkdf(z, "CTAP2 AES key", ret->aes_key);
	}
	OPENSSL_cleanse(z, sizeof z);
	return ok;
}

bool
pin_tag_ok(unsigned protocol, const uint8_t key[32], const struct cbor_span *a,
    const struct cbor_span *b, const struct cbor_span *tag)
{
	size_t want = protocol == 1 ? 16 : 32;
	uint8_t mac[32], all[256];
	unsigned n = 0;

	if (tag->len != want || a->len + b->len > sizeof all)
		return false;
	if (a->len > 0)
		memcpy(all, a->p, a->len);
	if (b->len > 0)
		memcpy(all + a->len, b->p, b->len);
	return HMAC(EVP_sha256(), key, 32, all, a->len + b->len, mac, &n) != NULL &&
	       CRYPTO_memcmp(mac, tag->p, want) == 0;
}

static bool
cbc(const uint8_t key[32], const uint8_t iv[16], int encrypt, const uint8_t *in, size_t len,
    uint8_t *ret)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	bool ok;

	ok = ctx != NULL && len > 0 && len % 16 == 0 && len <= 4096 &&
	     EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1 &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	     EVP_CipherUpdate(ctx, ret, &n, in, (int)len) == 1 &&
	     EVP_CipherFinal_ex(ctx, ret + n, &rest) == 1 && (size_t)n + (size_t)rest == len;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
pin_encrypt(
    const struct pin_shared *s, const uint8_t *in, size_t len, uint8_t *ret, size_t *ret_len)
{
	uint8_t iv[16] = {0};
	size_t front = s->protocol == 1 ? 0 : sizeof iv;

	if (front > 0) {
		if (RAND_bytes(iv, sizeof iv) != 1)
			return false;
		memcpy(ret, iv, sizeof iv);
	}
	if (!cbc(s->aes_key, iv, 1, in, len, ret + front))
		return false;
	*ret_len = front + len;
	return true;
}

bool
pin_decrypt(const struct pin_shared *s, const struct cbor_span *in, uint8_t *ret, size_t cap,
    size_t *ret_len)
{
	uint8_t iv[16] = {0};
	size_t front = s->protocol == 1 ? 0 : sizeof iv;

	if (in->p == NULL || in->len < front || in->len - front > cap)
		return false;
	if (front > 0)
		memcpy(iv, in->p, sizeof iv);
	if (!cbc(s->aes_key, iv, 0, in->p + front, in->len - front, ret))
		return false;
	*ret_len = in->len - front;
	return true;
}

bool
cose_get_point(struct cbor_in *in, uint8_t ret[64])
{
	int64_t kty = 0, crv = 0, label;
	struct cbor_span x = {NULL, 0}, y = {NULL, 0};
	size_t pairs;
	bool ok;

	if (!cbor_get_map(in, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++) {
		if (!cbor_get_int(in, &label))
			return false;
		if (label == 1)
			ok = cbor_get_int(in, &kty);
		else if (label == -1)
			ok = cbor_get_int(in, &crv);
		else if (label == -2)
			ok = cbor_get_bytes(in, &x);
		else if (label == -3)
			ok = cbor_get_bytes(in, &y);
		else
			ok = cbor_skip(in);
		if (!ok)
			return false;
	}
	if (kty != 2 || crv != 1 || x.len != 32 || y.len != 32)
		return false;
	memcpy(ret, x.p, 32);
	memcpy(ret + 32, y.p, 32);
	return true;
}

void
cose_put_point(struct cbor_out *out, int alg, const uint8_t pub[64])
{
	cbor_put_map(out, 5);
	cbor_put_int(out, 1);
	cbor_put_int(out, 2);
	cbor_put_int(out, 3);
	cbor_put_int(out, alg);
	cbor_put_int(out, -1);
	cbor_put_int(out, 1);
	cbor_put_int(out, -2);
	cbor_put_bytes(out, pub, 32);
	cbor_put_int(out, -3);
	cbor_put_bytes(out, pub + 32, 32);
}
