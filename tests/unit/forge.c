/* SPDX-License-Identifier: Apache-2.0 */
/* Forges what a security key would say: see forge.h. */
#include "forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <string.h>

void
forge_sign(struct forge *f)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	f->sig_len = sizeof f->sig;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->key), 1);
	assert_int_equal(EVP_DigestSignUpdate(ctx, f->ad, f->ad_len), 1);
	assert_int_equal(EVP_DigestSignUpdate(ctx, f->cdh, sizeof f->cdh), 1);
	assert_int_equal(EVP_DigestSignFinal(ctx, f->sig, &f->sig_len), 1);
	EVP_MD_CTX_free(ctx);
}

void
forge_counter(struct forge *f, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		f->ad[33 + i] = (uint8_t)(v >> (24 - 8 * i));
}

void
forge_append(struct forge *f, const void *p, size_t len)
{
	assert_true(f->ad_len + len <= sizeof f->ad);
	memcpy(f->ad + f->ad_len, p, len);
	f->ad_len += len;
}

struct forge
forge_new(void)
{
	struct forge f = {.key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), .ad_len = 37};
	uint8_t point[65];
	size_t len = 0;

	assert_non_null(f.key);
	assert_int_equal(
	    EVP_PKEY_get_octet_string_param(f.key, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &len), 1);
	assert_int_equal(len, 65);
	memcpy(f.pub, point + 1, 64);
	assert_int_equal(EVP_Digest(RP, strlen(RP), f.rp, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_Digest("record", 6, f.cdh, NULL, EVP_sha256(), NULL), 1);
	memcpy(f.ad, f.rp, 32);
	f.ad[32] = 0x01;
	forge_counter(&f, 8);
	f.e.last_counter = 7;
	return f;
}
