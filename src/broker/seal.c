/* SPDX-License-Identifier: Apache-2.0 */
/* See seal.h. */
#include "seal.h"

#include <string.h>
#include <sys/random.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <sgwarden/hash.h>
#include <sgwarden/mutate.h>
#include <sgwarden/secret.h>

#define AAD_MAX 512
#define SECRET_PADDED SGW_SECRET_KEY_MAX
#define INFO "sgwarden 1 wrapping key"

_Static_assert(sizeof(((struct rec_sealed_entry *)0)->secret) == SECRET_PADDED + GCM_TAG_LEN,
    "the secret's field holds it and its tag");
_Static_assert(sizeof(((struct rec_sealed_wrap *)0)->data_key) == SEAL_KEY_LEN + GCM_TAG_LEN,
    "and so does the wrap's");

bool
seal_random(void *ret_data, size_t len)
{
	return getrandom(ret_data, len, 0) == (ssize_t)len;
}

void
seal_key_id(const uint8_t *cred_id, size_t len, uint8_t ret_id[32])
{
	hash_sha256(cred_id, len, ret_id);
}

/* ---- the place of what is sealed ---- */

static void
put_text(struct buf *b, const char *text)
{
	(void)buf_put_u16(b, (uint16_t)strlen(text));
	(void)buf_puts(b, text);
}

static struct buf
aad_of(void *memory, const char *label, const char *appliance, const struct rec_sealed_entry *e)
{
	struct buf b = buf_over(memory, AAD_MAX);

	put_text(&b, label);
	if (MUTATE(SEAL_BINDING))
		return b;
	put_text(&b, appliance);
	put_text(&b, e->profile);
	(void)buf_put_u8(&b, (uint8_t)e->tier);
	(void)buf_put_u64(&b, e->generation);
	put_text(&b, e->access_key_id);
	return b;
}

static struct buf
aad_secret(void *memory, const char *appliance, const struct rec_sealed_entry *e)
{
	return aad_of(memory, "sgwarden 1 secret access key", appliance, e);
}

static struct buf
aad_wrap(void *memory, const char *appliance, const struct rec_sealed_entry *e,
    const struct rec_sealed_wrap *w)
{
	struct buf b = aad_of(memory, "sgwarden 1 data key", appliance, e);

	(void)buf_put(&b, w->key, sizeof(w->key));
	(void)buf_put_u32(&b, w->renewals);
	(void)buf_put(&b, w->salt, sizeof(w->salt));
	return b;
}

/* ---- AES-256-GCM and HKDF ---- */

/* Out: len bytes and the tag. */
static bool
gcm_seal(const uint8_t key[32], const uint8_t nonce[GCM_NONCE_LEN], const struct buf *aad,
    const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, end = 0;
	bool ok;

	ok = !aad->failed && ctx &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, aad->data, (int)aad->len) == 1 &&
	     EVP_EncryptUpdate(ctx, out, &n, in, (int)len) == 1 && (size_t)n == len &&
	     EVP_EncryptFinal_ex(ctx, out + n, &end) == 1 && end == 0 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, out + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* In: len bytes and the tag.  Nothing is left in `out` of what does not hold. */
static bool
gcm_open(const uint8_t key[32], const uint8_t nonce[GCM_NONCE_LEN], const struct buf *aad,
    const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[GCM_TAG_LEN];
	int n = 0, end = 0;
	bool ok;

	memcpy(tag, in + len, sizeof(tag));
	ok = !aad->failed && ctx &&
	     EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, aad->data, (int)aad->len) == 1 &&
	     EVP_DecryptUpdate(ctx, out, &n, in, (int)len) == 1 && (size_t)n == len &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	     ((EVP_DecryptFinal_ex(ctx, out + n, &end) == 1 && end == 0) || MUTATE(SEAL_TAG));
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		memory_erase(out, len);
	return ok;
}

static bool
wrapping_key(const uint8_t answer[32], uint8_t ret_key[SEAL_KEY_LEN])
{
	char digest[] = "SHA256", info[] = INFO;
	uint8_t ikm[32];
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm, sizeof(ikm)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(INFO) - 1),
	    OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok;

	memcpy(ikm, answer, sizeof(ikm));
	ok = ctx && EVP_KDF_derive(ctx, ret_key, SEAL_KEY_LEN, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	memory_erase(ikm, sizeof(ikm));
	if (!ok)
		memory_erase(ret_key, SEAL_KEY_LEN);
	return ok;
}

/* ---- the secret and the wraps ---- */

bool
seal_secret(const char *appliance, struct rec_sealed_entry *e, const uint8_t data_key[SEAL_KEY_LEN],
    const char *secret_key)
{
	uint8_t padded[SECRET_PADDED] = {0}, memory[AAD_MAX];
	size_t len = strnlen(secret_key, SECRET_PADDED + 1);
	struct buf aad = aad_secret(memory, appliance, e);
	bool ok;

	if (len == 0 || len > sizeof(padded))
		return false;
	memcpy(padded, secret_key, len);
	ok = seal_random(e->nonce, sizeof(e->nonce)) &&
	     gcm_seal(data_key, e->nonce, &aad, padded, sizeof(padded), e->secret);
	memory_erase(padded, sizeof(padded));
	return ok;
}

bool
unseal_secret(const char *appliance, const struct rec_sealed_entry *e,
    const uint8_t data_key[SEAL_KEY_LEN], char ret_secret_key[SGW_SECRET_KEY_MAX + 1])
{
	uint8_t memory[AAD_MAX];
	struct buf aad = aad_secret(memory, appliance, e);

	ret_secret_key[SGW_SECRET_KEY_MAX] = 0;
	return gcm_open(
	    data_key, e->nonce, &aad, e->secret, SECRET_PADDED, (uint8_t *)ret_secret_key);
}

bool
seal_wrap(const char *appliance, const struct rec_sealed_entry *e, struct rec_sealed_wrap *w,
    const uint8_t answer[32], const uint8_t data_key[SEAL_KEY_LEN])
{
	uint8_t key[SEAL_KEY_LEN], memory[AAD_MAX];
	struct buf aad = aad_wrap(memory, appliance, e, w);
	bool ok;

	ok = seal_random(w->nonce, sizeof(w->nonce)) && wrapping_key(answer, key) &&
	     gcm_seal(key, w->nonce, &aad, data_key, SEAL_KEY_LEN, w->data_key);
	memory_erase(key, sizeof(key));
	return ok;
}

bool
seal_unwrap(const char *appliance, const struct rec_sealed_entry *e,
    const struct rec_sealed_wrap *w, const uint8_t answer[32], uint8_t ret_data_key[SEAL_KEY_LEN])
{
	uint8_t key[SEAL_KEY_LEN], memory[AAD_MAX];
	struct buf aad = aad_wrap(memory, appliance, e, w);
	bool ok;

	ok = wrapping_key(answer, key) &&
	     gcm_open(key, w->nonce, &aad, w->data_key, SEAL_KEY_LEN, ret_data_key);
	memory_erase(key, sizeof(key));
	if (!ok)
		memory_erase(ret_data_key, SEAL_KEY_LEN);
	return ok;
}

/* ---- the list ---- */

struct rec_sealed_entry *
sealed_find(struct rec_sealed_list *list, const char *profile, enum tier tier)
{
	for (size_t i = 0; i < list->n_entries; i++)
		if (list->entries[i].tier == tier && strcmp(list->entries[i].profile, profile) == 0)
			return &list->entries[i];
	return NULL;
}

struct rec_sealed_wrap *
sealed_wrap_find(struct rec_sealed_entry *e, const uint8_t key[32])
{
	for (size_t i = 0; i < e->n_wraps; i++)
		if (memcmp(e->wraps[i].key, key, 32) == 0)
			return &e->wraps[i];
	return NULL;
}

bool
sealed_forget_key(struct rec_sealed_list *list, const uint8_t key[32])
{
	bool found = false;

	for (size_t i = list->n_entries; i > 0; i--) {
		struct rec_sealed_entry *e = &list->entries[i - 1];
		struct rec_sealed_wrap *w = sealed_wrap_find(e, key);

		if (!w)
			continue;
		found = true;
		*w = e->wraps[--e->n_wraps];
		if (e->n_wraps == 0)
			*e = list->entries[--list->n_entries];
	}
	return found;
}

static const char *
list_problem(struct rec_sealed_list *list, const char *appliance)
{
	if (strcmp(list->appliance, appliance) != 0)
		return "it belongs to another appliance";
	for (size_t i = 0; i < list->n_entries; i++) {
		struct rec_sealed_entry *e = &list->entries[i];

		if (sealed_find(list, e->profile, e->tier) != e)
			return "a profile stands in it twice";
		if (e->generation == 0 || e->generation > list->generation)
			return "a generation in it was never given";
		for (size_t k = 0; k < e->n_wraps; k++)
			if (sealed_wrap_find(e, e->wraps[k].key) != &e->wraps[k])
				return "a security key stands in it twice";
	}
	return NULL;
}

const char *
sealed_decode(const void *data, size_t len, const char *appliance, struct rec_sealed_list *ret_list)
{
	struct cur c = cur_over(data, len);

	if (!rec_sealed_list_decode(&c, ret_list) || !cur_done(&c))
		return "it is damaged";
	return list_problem(ret_list, appliance);
}
