/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4: string to sign, derived key, signature, Authorization header. */
#include "sigv4.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include <sgwarden/clock.h>
#include <sgwarden/hash.h>
#include <sgwarden/secret.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define SCOPE_DATE_LEN 8 /* YYYYMMDD */
#define NAMES_MAX 512

static bool
hmac(const void *key, size_t key_len, const void *data, size_t len, uint8_t ret_mac[HASH_LEN])
{
	size_t out = 0;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, data, len, ret_mac,
		   HASH_LEN, &out) != NULL &&
	       out == HASH_LEN;
}

/* kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request") */
static bool
derive_key(const struct sigv4_request *rq, const char *secret_key, uint8_t ret_key[HASH_LEN])
{
	const struct {
		const char *text;
		size_t len;
	} steps[] = {
	    {rq->amz_date, SCOPE_DATE_LEN},
	    {rq->region, strlen(rq->region)},
	    {rq->service, strlen(rq->service)},
	    {TERMINATOR, sizeof(TERMINATOR) - 1},
	};
	uint8_t seed[4 + SGW_SECRET_KEY_MAX], key[HASH_LEN], next[HASH_LEN];
	size_t secret_len = strnlen(secret_key, SGW_SECRET_KEY_MAX + 1);
	bool ok = false;

	if (secret_len > SGW_SECRET_KEY_MAX)
		return false;
	memcpy(seed, "AWS4", 4);
	memcpy(seed + 4, secret_key, secret_len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ok = hmac(i == 0 ? seed : key, i == 0 ? 4 + secret_len : sizeof(key), steps[i].text,
		    steps[i].len, next);
		if (!ok)
			break;
		memcpy(key, next, sizeof(key));
	}
	if (ok)
		memcpy(ret_key, key, sizeof(key));
	memory_erase(seed, sizeof(seed));
	memory_erase(key, sizeof(key));
	memory_erase(next, sizeof(next));
	return ok;
}

static void
put_scope(struct buf *b, const struct sigv4_request *rq)
{
	buf_put(b, rq->amz_date, SCOPE_DATE_LEN);
	buf_printf(b, "/%s/%s/" TERMINATOR, rq->region, rq->service);
}

bool
sigv4_string_to_sign(
    const struct sigv4_request *rq, const struct buf *canonical, struct buf *to_sign)
{
	uint8_t digest[HASH_LEN];

	if (strlen(rq->amz_date) != SIGV4_DATE_LEN - 1 || canonical->failed)
		return false;
	hash_sha256(canonical->data, canonical->len, digest);
	buf_printf(to_sign, ALGORITHM "\n%s\n", rq->amz_date);
	put_scope(to_sign, rq);
	buf_puts(to_sign, "\n");
	buf_put_hex(to_sign, digest, sizeof(digest));
	return !to_sign->failed;
}

bool
sigv4_sign(const struct sigv4_request *rq, const struct sigv4_keys *keys, char *ret_authorization,
    size_t size)
{
	uint8_t canonical_text[SIGV4_CANONICAL_MAX], names_text[NAMES_MAX], to_sign_text[256];
	struct buf canonical = buf_over(canonical_text, sizeof(canonical_text));
	struct buf names = buf_over(names_text, sizeof(names_text));
	struct buf to_sign = buf_over(to_sign_text, sizeof(to_sign_text));
	char line[SGW_AUTHORIZATION_MAX + 1];
	struct buf header = buf_over(line, sizeof(line));
	uint8_t key[HASH_LEN], signature[HASH_LEN];
	bool ok;

	if (!sigv4_canonical(rq, &canonical, &names) ||
	    !sigv4_string_to_sign(rq, &canonical, &to_sign) ||
	    !derive_key(rq, keys->secret_key, key))
		return false;
	ok = hmac(key, sizeof(key), to_sign.data, to_sign.len, signature);
	memory_erase(key, sizeof(key));
	if (!ok)
		return false;
	buf_printf(&header, ALGORITHM " Credential=%s/", keys->access_key_id);
	put_scope(&header, rq);
	buf_puts(&header, ", SignedHeaders=");
	buf_put(&header, names.data, names.len);
	buf_puts(&header, ", Signature=");
	buf_put_hex(&header, signature, sizeof(signature));
	buf_put_c(&header);
	if (header.failed || header.len >= size)
		return false;
	memcpy(ret_authorization, line, header.len + 1);
	return true;
}

bool
sigv4_sign_post(const struct sigv4_post *post, const struct sigv4_keys *keys,
    char *ret_authorization, size_t size)
{
	struct sigv4_request rq = {
	    .method = "POST",
	    .path = "/",
	    .query = "",
	    .normalize = true,
	    .headers = {{"content-type", SIGV4_CONTENT_TYPE}, {"host", post->host},
		{"x-amz-date", post->amz_date}},
	    .n_headers = 3,
	    .body = post->body,
	    .body_len = post->body_len,
	    .region = post->region,
	    .service = post->service,
	    .amz_date = post->amz_date,
	};

	if (keys->token[0] != 0) {
		rq.headers[rq.n_headers].name = "x-amz-security-token";
		rq.headers[rq.n_headers++].value = keys->token;
	}
	return sigv4_sign(&rq, keys, ret_authorization, size);
}

void
sigv4_date(int64_t when, char ret_date[SIGV4_DATE_LEN])
{
	char text[CLOCK_TEXT_LEN];
	size_t n = 0;

	clock_format(when, text);
	for (const char *c = text; *c != 0; c++) {
		if (*c != '-' && *c != ':')
			ret_date[n++] = *c;
	}
	ret_date[n] = 0;
}
