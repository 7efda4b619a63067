/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a security key says: assertions, signatures, new credentials, and the byte string that libfido2
 * wraps authenticator data in.  What is accepted is held against the standards' layout, written down here a second
 * time; what is accepted once is refused with any bit of it changed and with any byte behind it.
 *
 * The input: a byte that says what it is, a byte of options, then the bytes themselves.
 */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/assertion.h>
#include <sgwarden/es256.h>

#include "../../src/fido/byte_string.h"
#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

enum {
	WHAT_ASSERTION, /* its signature is made here: the judge comes to the end of every road */
	WHAT_SIGNATURE, /* the bytes are the DER */
	WHAT_CREDENTIAL,
	WHAT_BYTE_STRING,
	WHAT_PUBLIC_KEY,
	WHAT_MAX,
};

enum {
	OPTION_UV = 0x01,
	OPTION_HMAC = 0x02,
	OPTION_ZERO = 0x04,
	OPTION_RP = 0x08, /* the relying party's hash is put in front */
};

/* SHA-256 is not what is tested: any 32 bytes may be the hashes. */
static const uint8_t RP[32] = "the hash of the relying party id";
static const uint8_t RECORD[32] = "the hash of the record on screen";

/* The base point of P-256 (SEC 2, section 2.4.2): the public key of the private key 1. */
static const uint8_t BASE[64] = {0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
    0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
    0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
    0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40,
    0x68, 0x37, 0xbf, 0x51, 0xf5};

static EVP_PKEY *
private_key(void)
{
	static EVP_PKEY *key;
	uint8_t point[65] = {4};
	unsigned char one[] = {1};
	char group[] = "P-256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
	    OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, one, sizeof(one)),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx;

	if (key)
		return key;
	memcpy(point + 1, BASE, sizeof(BASE));
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	MUST(ctx && EVP_PKEY_fromdata_init(ctx) == 1);
	MUST(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static size_t
sign(const uint8_t *data, size_t len, uint8_t signature[SGW_SIGNATURE_MAX])
{
	EVP_MD_CTX *ctx;
	size_t n = SGW_SIGNATURE_MAX;

	fuzz_pause(true);
	ctx = EVP_MD_CTX_new();
	MUST(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, private_key()) == 1);
	MUST(EVP_DigestSignUpdate(ctx, data, len) == 1);
	MUST(EVP_DigestSignUpdate(ctx, RECORD, sizeof(RECORD)) == 1);
	MUST(EVP_DigestSignFinal(ctx, signature, &n) == 1);
	EVP_MD_CTX_free(ctx);
	fuzz_pause(false);
	return n;
}

static uint32_t
counter_in(const uint8_t *data)
{
	return (uint32_t)data[33] << 24 | (uint32_t)data[34] << 16 | (uint32_t)data[35] << 8 |
	       data[36];
}

/* {"hmac-secret": value}, CTAP 2.1, section 12.5; asked for two salts at once. */
static bool
is_hmac_entry(const uint8_t *p, size_t len)
{
	static const char name[] = "\xa1\x6bhmac-secret";

	return len >= sizeof(name) - 1 && memcmp(p, name, sizeof(name) - 1) == 0;
}

/* May these bytes be an accepted assertion?  WebAuthn, section 6.1, once more. */
static bool
may_stand(const struct verify_expect *e, const uint8_t *p, size_t len)
{
	uint32_t counter;

	if (len < 37 || memcmp(p, RP, 32) != 0 || (p[32] & 0x7b) != 0x01)
		return false;
	if (e->want_uv && !(p[32] & 0x04))
		return false;
	counter = counter_in(p);
	if (e->zero_counter ? counter != 0 : counter <= e->last_counter)
		return false;
	if (!e->hmac_secret_asked)
		return !(p[32] & 0x80) && len == 37;
	return (p[32] & 0x80) && (len == 37 + 15 + 64 || len == 37 + 15 + 80) &&
	       is_hmac_entry(p + 37, len - 37) && p[50] == 0x58 && p[51] == len - 52;
}

/* With one bit changed, or a byte more, the same signature holds no longer. */
static void
check_changed(const struct verify_expect *e, const uint8_t *data, size_t len,
    const uint8_t *signature, size_t signature_len)
{
	static uint8_t copy[SGW_AUTHDATA_MAX + 1];
	uint8_t other[SGW_SIGNATURE_MAX + 1];
	size_t bit = (size_t)(signature[8] << 8 | signature[9]) % (8 * len);
	uint32_t counter = 0xdead;

	memcpy(copy, data, len);
	copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	MUST(assertion_verify(e, copy, len, signature, signature_len, &counter) < 0);
	copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	copy[len] = 0;
	MUST(assertion_verify(e, copy, len + 1, signature, signature_len, &counter) < 0);
	memcpy(other, signature, signature_len);
	bit %= 8 * signature_len;
	other[bit / 8] ^= (uint8_t)(1u << bit % 8);
	MUST(assertion_verify(e, data, len, other, signature_len, &counter) < 0);
	MUST(counter == 0xdead);
}

static void
check_assertion(uint8_t options, const uint8_t *data, size_t len)
{
	const struct verify_expect e = {.rp_id_hash = RP,
	    .client_data_hash = RECORD,
	    .pubkey = BASE,
	    .want_uv = options & OPTION_UV,
	    .hmac_secret_asked = options & OPTION_HMAC,
	    .zero_counter = options & OPTION_ZERO,
	    .last_counter = 7};
	uint8_t signature[SGW_SIGNATURE_MAX];
	size_t n = sign(data, len, signature);
	uint32_t counter = 0xdead;
	int r = assertion_verify(&e, data, len, signature, n, &counter);

	MUST(r == 0 ? may_stand(&e, data, len) : !may_stand(&e, data, len) || fuzz_failing());
	MUST(r == 0 ? counter == counter_in(data) : counter == 0xdead);
	MUST(strcmp(verify_strerror(r), "unknown verification error") != 0);
	if (r == 0)
		check_changed(&e, data, len, signature, n);
}

/* One number of an ES256 signature in DER (X.690, 8.3 and 10): shortest, positive, below the order, not 0. */
static size_t
der_number(const uint8_t *p, size_t len)
{
	uint8_t value[32] = {0};
	size_t n, zero;

	if (len < 3 || p[0] != 0x02 || p[1] == 0 || p[1] > 33 || (size_t)p[1] + 2 > len)
		return 0;
	n = p[1];
	zero = p[2] == 0;
	if ((p[2] & 0x80) || (zero && (n == 1 || !(p[3] & 0x80))) || n - zero > 32)
		return 0;
	memcpy(value + 32 - (n - zero), p + 2 + zero, n - zero);
	return memcmp(value, ES256_ORDER, 32) < 0 ? n + 2 : 0;
}

static void
check_signature(const uint8_t *data, size_t len)
{
	int r = es256_verify(BASE, RP, sizeof(RP), RECORD, data, len);
	size_t first = 0, second = 0;

	if (len >= 2 && data[0] == 0x30 && data[1] == len - 2 && data[1] < 0x80) {
		first = der_number(data + 2, len - 2);
		if (first)
			second = der_number(data + 2 + first, len - 2 - first);
	}
	if (fuzz_failing()) {
		MUST(r < 0);
		return;
	}
	MUST((first && second && first + second == len - 2) == (r != VERIFY_DER));
	MUST(r == 0 || r == VERIFY_DER || r == VERIFY_SIGNATURE);
}

static void
check_credential(const uint8_t *data, size_t len)
{
	static const uint8_t x[] = {0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const uint8_t y[] = {0x22, 0x58, 0x20};
	struct credential c = {.id_len = 0xdead};
	int r = credential_parse(data, len, RP, &c);
	const uint8_t *key;
	size_t end;

	MUST(strcmp(verify_strerror(r), "unknown verification error") != 0);
	if (r < 0) {
		MUST(c.id_len == 0xdead);
		return;
	}
	end = 55 + c.id_len + 77;
	MUST(c.id_len >= 16 && c.id_len <= sizeof(c.id) &&
	     (size_t)(data[53] << 8 | data[54]) == c.id_len);
	MUST(len == end + (c.hmac_secret ? 14 : 0));
	MUST(memcmp(data, RP, 32) == 0 && (data[32] & 0x7b) == 0x41);
	MUST(c.uv == !!(data[32] & 0x04) && c.hmac_secret == !!(data[32] & 0x80));
	MUST(c.counter == counter_in(data) && memcmp(c.aaguid, data + 37, 16) == 0);
	MUST(memcmp(c.id, data + 55, c.id_len) == 0);
	key = data + 55 + c.id_len;
	MUST(memcmp(key, x, sizeof(x)) == 0 && memcmp(key + 42, y, sizeof(y)) == 0);
	MUST(memcmp(c.pubkey, key + 10, 32) == 0 && memcmp(c.pubkey + 32, key + 45, 32) == 0);
	MUST(es256_key_ok(c.pubkey) || fuzz_failing());
	if (c.hmac_secret)
		MUST(is_hmac_entry(data + end, 14) && data[end + 13] == 0xf5);
}

static void
check_byte_string(const uint8_t *data, size_t len)
{
	const uint8_t *body = NULL;
	size_t n = 0xdead;

	if (byte_string_body(data, len, &body, &n))
		MUST(body > data && body + n == data + len);
	else
		MUST(body == NULL && n == 0xdead);
}

/* No bytes as a public key do harm; what is no point of the curve verifies nothing. */
static void
check_public_key(const uint8_t *data, size_t len)
{
	uint8_t key[64] = {0}, signature[SGW_SIGNATURE_MAX];
	size_t n = sign(RP, sizeof(RP), signature);
	int r;

	memcpy(key, data, len < sizeof(key) ? len : sizeof(key));
	r = es256_verify(key, RP, sizeof(RP), RECORD, signature, n);
	if (fuzz_failing()) {
		MUST(r != 0 || memcmp(key, BASE, sizeof(BASE)) == 0);
		return;
	}
	MUST((r == 0) == (memcmp(key, BASE, sizeof(BASE)) == 0));
	MUST(r == 0 || r == VERIFY_SIGNATURE || r == VERIFY_PUBLIC_KEY);
	fuzz_pause(true);
	MUST((r == VERIFY_PUBLIC_KEY) == !es256_key_ok(key));
	fuzz_pause(false);
}

/* The bytes behind the options, with the relying party's hash in front where that is asked for. */
static size_t
authdata(uint8_t options, const uint8_t *data, size_t len, uint8_t **ret_copy)
{
	size_t head = options & OPTION_RP ? sizeof(RP) : 0;
	uint8_t *copy =
	    malloc(head + len > 0 ? head + len : 1); /* exact: a sanitizer sees one byte too many */

	MUST(copy);
	memcpy(copy, RP, head);
	memcpy(copy + head, data, len);
	*ret_copy = copy;
	return head + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy;
	size_t n;

	if (len < 2 || len > SGW_AUTHDATA_MAX)
		return 0;
	n = authdata(data[1], data + 2, len - 2, &copy);
	switch (data[0] % WHAT_MAX) {
	case WHAT_ASSERTION:
		check_assertion(data[1], copy, n);
		break;
	case WHAT_SIGNATURE:
		check_signature(data + 2, len - 2);
		break;
	case WHAT_CREDENTIAL:
		check_credential(copy, n);
		break;
	case WHAT_BYTE_STRING:
		check_byte_string(data + 2, len - 2);
		break;
	default:
		check_public_key(data + 2, len - 2);
		break;
	}
	free(copy);
	return 0;
}
