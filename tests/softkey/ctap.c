/* SPDX-License-Identifier: Apache-2.0 */
/* The CTAP2 commands: see ctap.h. The lies of misbehave.h are told here, where honest answers are made. */
#include "ctap.h"

#include "cred.h"
#include "misbehave.h"
#include "request.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define FLAG_UP 0x01
#define FLAG_UV 0x04
#define FLAG_AT 0x40
#define FLAG_ED 0x80

static const uint8_t aaguid[16] = {0x73, 0x67, 0x77, 0x61, 0x72, 0x64, 0x65, 0x6e, 0x2d, 0x73, 0x6f,
    0x66, 0x74, 0x6b, 0x65, 0x79}; /* "sgwarden-softkey" */

static uint8_t
get_info(struct authenticator *a, struct cbor_in msg, struct cbor_out *out)
{
	bool one = a->pin_protocols & 1U << 1, two = a->pin_protocols & 1U << 2;
	bool old = a->misbehave & MIS_NO_HMAC;

	cbor_put_map(out, old ? 7 : 8);
	cbor_put_int(out, 1);
	cbor_put_array(out, 1);
	cbor_put_text(out, "FIDO_2_0");
	if (!old) {
		cbor_put_int(out, 2);
		cbor_put_array(out, 1);
		cbor_put_text(out, "hmac-secret");
	}
	cbor_put_int(out, 3);
	cbor_put_bytes(out, aaguid, sizeof aaguid);
	cbor_put_int(out, 4);
	cbor_put_map(out, 3);
	cbor_put_text(out, "rk");
	cbor_put_bool(out, false);
	cbor_put_text(out, "up");
	cbor_put_bool(out, true);
	cbor_put_text(out, "clientPin");
	cbor_put_bool(out, a->state.pin_set);
	cbor_put_int(out, 5);
	cbor_put_int(out, 2048);
	cbor_put_int(out, 6);
	cbor_put_array(out, (size_t)one + (size_t)two);
	if (two)
		cbor_put_int(out, 2);
	if (one)
		cbor_put_int(out, 1);
	cbor_put_int(out, 7);
	cbor_put_int(out, 8); /* credential ids in a list */
	cbor_put_int(out, 8);
	cbor_put_int(out, CRED_ID_LEN);
	return CTAP_OK;
}

static bool
rp_hash(const struct request *r, uint8_t ret[32])
{
	return EVP_Digest(r->rp_id.p, r->rp_id.len, ret, NULL, EVP_sha256(), NULL) == 1;
}

/* UV by pinUvAuthParam; there is no built-in one. */
static uint8_t
check_uv(struct authenticator *a, const struct request *r, bool *ret_uv)
{
	const struct cbor_span none = {NULL, 0};

	*ret_uv = false;
	if (r->pin_tag.p == NULL)
		return r->uv ? CTAP_INVALID_OPTION : CTAP_OK;
	if (!a->state.pin_set)
		return CTAP_PIN_NOT_SET;
	if (!pin_protocol_known(a, r->pin_protocol) ||
	    !pin_tag_ok(
		(unsigned)r->pin_protocol, a->pin.token, &r->client_data_hash, &none, &r->pin_tag))
		return CTAP_PIN_AUTH_INVALID;
	*ret_uv = true;
	return CTAP_OK;
}

/* The first credential of the list that is ours. */
static bool
find_credential(struct authenticator *a, struct request *r, const uint8_t hash[32],
    struct cbor_span *ret_id, struct credential *ret)
{
	while (request_list_next(r, ret_id))
		if (cred_unwrap(a->state.master, hash, ret_id->p, ret_id->len, ret))
			return true;
	return false;
}

/* The counter that goes into the answer; it is on disk before anybody sees it. */
static bool
next_counter(struct authenticator *a, uint32_t *ret)
{
	if (a->misbehave & MIS_ZERO_COUNTER) {
		*ret = 0;
		return true;
	}
	if (!(a->misbehave & MIS_STALE_COUNTER)) {
		a->state.counter++;
		if (state_save(a->state_path, &a->state) < 0)
			return false;
	}
	*ret = a->state.counter;
	return true;
}

static size_t
authdata_head(uint8_t *p, const uint8_t hash[32], uint8_t flags, uint32_t counter)
{
	memcpy(p, hash, 32);
	p[32] = flags;
	for (unsigned i = 0; i < 4; i++)
		p[33 + i] = (uint8_t)(counter >> (24 - 8 * i));
	return 37;
}

static bool
sign(const struct authenticator *a, const struct p256_key *key, const struct cbor_out *authdata,
    const struct cbor_span *cdh, uint8_t *ret_sig, size_t *ret_len)
{
	struct p256_key other;

	if (a->misbehave & MIS_WRONG_KEY) {
		if (!p256_generate(&other))
			return false;
		key = &other;
	}
	return p256_sign(key, authdata->buf, authdata->len, cdh->p, cdh->len, ret_sig, ret_len);
}

static uint8_t
make_answer(struct authenticator *a, const struct request *r, const struct credential *c, bool uv,
    struct cbor_out *out)
{
	uint8_t buf[CTAP_AUTHDATA_MAX], sig[P256_SIG_MAX], id[CRED_ID_LEN];
	struct cbor_out ad = {.buf = buf, .cap = sizeof buf};
	uint32_t counter;
	size_t sig_len;

	if (!cred_wrap(a->state.master, c, id) || !next_counter(a, &counter))
		return CTAP_OTHER;
	ad.len = authdata_head(buf, c->rp_id_hash,
	    (uint8_t)(FLAG_UP | FLAG_AT | (uv ? FLAG_UV : 0) | (r->hmac_make ? FLAG_ED : 0)),
	    counter);
	memcpy(buf + ad.len, aaguid, sizeof aaguid);
	ad.len += sizeof aaguid;
	buf[ad.len++] = CRED_ID_LEN >> 8;
	buf[ad.len++] = CRED_ID_LEN & 0xff;
	memcpy(buf + ad.len, id, sizeof id);
	ad.len += sizeof id;
	cose_put_point(&ad, -7, c->key.pub);
	if (r->hmac_make) {
		cbor_put_map(&ad, 1);
		cbor_put_text(&ad, "hmac-secret");
		cbor_put_bool(&ad, true);
	}
	if (!sign(a, &c->key, &ad, &r->client_data_hash, sig, &sig_len))
		return CTAP_OTHER;
	cbor_put_map(out, 3);
	cbor_put_int(out, 1);
	cbor_put_text(out, "packed");
	cbor_put_int(out, 2);
	cbor_put_bytes(out, ad.buf, ad.len);
	cbor_put_int(out, 3);
	cbor_put_map(out, 2); /* self attestation: no certificate */
	cbor_put_text(out, "alg");
	cbor_put_int(out, -7);
	cbor_put_text(out, "sig");
	cbor_put_bytes(out, sig, sig_len);
	return CTAP_OK;
}

static uint8_t
make_credential(struct authenticator *a, struct cbor_in msg, struct cbor_out *out)
{
	struct credential c;
	struct cbor_span id;
	struct request r;
	uint8_t hash[32];
	bool uv, excluded;
	uint8_t status = request_make_parse(msg, &r);

	if (status != CTAP_OK)
		return status;
	r.hmac_make = r.hmac_make && !(a->misbehave & MIS_NO_HMAC);
	if (!r.es256)
		return CTAP_UNSUPPORTED_ALGORITHM;
	if (r.rk)
		return CTAP_UNSUPPORTED_OPTION;
	if (!r.up)
		return CTAP_INVALID_OPTION;
	status = check_uv(a, &r, &uv);
	if (status != CTAP_OK)
		return status;
	if (a->state.pin_set && !uv)
		return CTAP_PIN_REQUIRED;
	if (!rp_hash(&r, hash))
		return CTAP_OTHER;
	excluded = find_credential(a, &r, hash, &id, &c);
	status = a->wait_touch(a->wait_arg);
	if (status != CTAP_OK)
		return status;
	if (excluded)
		return CTAP_CREDENTIAL_EXCLUDED;
	if (!cred_make(hash, &c))
		return CTAP_OTHER;
	return make_answer(a, &r, &c, uv, out);
}

/* The encrypted hmac-secret output; ret has room for 64 + 16 bytes. */
static uint8_t
hmac_output(struct authenticator *a, const struct request *r, const struct credential *c, bool uv,
    uint8_t *ret, size_t *ret_len)
{
	const struct cbor_span none = {NULL, 0};
	uint8_t salts[64], plain[64];
	struct pin_shared shared;
	size_t len;

	if (!pin_protocol_known(a, r->hmac_protocol) ||
	    !pin_shared_derive(&a->pin, (unsigned)r->hmac_protocol, r->hmac_peer, &shared))
		return CTAP_INVALID_PARAMETER;
	if (!pin_tag_ok(
		shared.protocol, shared.hmac_key, &r->hmac_salt_enc, &none, &r->hmac_salt_tag))
		return CTAP_PIN_AUTH_INVALID;
	if (!pin_decrypt(&shared, &r->hmac_salt_enc, salts, sizeof salts, &len) ||
	    !cred_hmac_secret(c, uv, salts, len, plain))
		return CTAP_INVALID_PARAMETER;
	if (a->misbehave & MIS_HMAC_HALF)
		len = 32;
	return pin_encrypt(&shared, plain, len, ret, ret_len) ? CTAP_OK : CTAP_OTHER;
}

static void
put_extensions(
    const struct authenticator *a, struct cbor_out *ad, const uint8_t *hmac, size_t hmac_len)
{
	bool bad = a->misbehave & MIS_BAD_EXT;

	if (hmac_len == 0 && !bad)
		return;
	cbor_put_map(ad, (size_t)(hmac_len > 0) + (size_t)bad);
	if (bad) {
		cbor_put_text(ad, "x-extra");
		cbor_put_bool(ad, true);
	}
	if (hmac_len > 0) {
		cbor_put_text(ad, "hmac-secret");
		cbor_put_bytes(ad, hmac, hmac_len);
	}
}

static uint8_t
assertion_flags(const struct authenticator *a, bool up, bool uv, bool ext)
{
	up = up && !(a->misbehave & MIS_UP0);
	uv = uv && !(a->misbehave & MIS_UV0);
	ext = ext || (a->misbehave & MIS_BAD_EXT);
	return (uint8_t)((up ? FLAG_UP : 0) | (uv ? FLAG_UV : 0) | (ext ? FLAG_ED : 0));
}

static uint8_t
assertion_answer(struct authenticator *a, const struct request *r, const struct credential *c,
    const struct cbor_span *id, bool uv, struct cbor_out *out)
{
	uint8_t buf[CTAP_AUTHDATA_MAX], sig[P256_SIG_MAX], hmac[80], hash[32];
	struct cbor_out ad = {.buf = buf, .cap = sizeof buf};
	size_t hmac_len = 0, sig_len;
	uint32_t counter;
	uint8_t status;

	if (r->hmac_asked) {
		status = hmac_output(a, r, c, uv, hmac, &hmac_len);
		if (status != CTAP_OK)
			return status;
	}
	if (!next_counter(a, &counter))
		return CTAP_OTHER;
	memcpy(hash, c->rp_id_hash, sizeof hash);
	if ((a->misbehave & MIS_WRONG_RP) &&
	    EVP_Digest("sgwarden:another", 16, hash, NULL, EVP_sha256(), NULL) != 1)
		return CTAP_OTHER;
	ad.len = authdata_head(buf, hash, assertion_flags(a, r->up, uv, hmac_len > 0), counter);
	put_extensions(a, &ad, hmac, hmac_len);
	if (a->misbehave & MIS_SHORT_AUTHDATA)
		ad.len--;
	if (!sign(a, &c->key, &ad, &r->client_data_hash, sig, &sig_len))
		return CTAP_OTHER;
	cbor_put_map(out, 3);
	cbor_put_int(out, 1);
	cbor_put_map(out, 2);
	cbor_put_text(out, "id");
	cbor_put_bytes(out, id->p, id->len);
	cbor_put_text(out, "type");
	cbor_put_text(out, "public-key");
	cbor_put_int(out, 2);
	cbor_put_bytes(out, ad.buf, ad.len);
	cbor_put_int(out, 3);
	cbor_put_bytes(out, sig, sig_len);
	return CTAP_OK;
}

static uint8_t
replay(const struct authenticator *a, struct cbor_out *out)
{
	memcpy(out->buf + out->len, a->last, a->last_len);
	out->len += a->last_len;
	return CTAP_OK;
}

static uint8_t
get_assertion(struct authenticator *a, struct cbor_in msg, struct cbor_out *out)
{
	struct credential c;
	struct cbor_span id;
	struct request r;
	uint8_t hash[32];
	bool uv, free_hmac;
	uint8_t status = request_assert_parse(msg, &r);

	if (status != CTAP_OK)
		return status;
	status = check_uv(a, &r, &uv);
	if (status != CTAP_OK)
		return status;
	r.hmac_asked = r.hmac_asked && !(a->misbehave & MIS_NO_HMAC);
	free_hmac = r.hmac_asked && (a->misbehave & MIS_HMAC_NO_UP);
	if (r.rk || (r.hmac_asked && !r.up && !free_hmac))
		return CTAP_UNSUPPORTED_OPTION;
	if (!rp_hash(&r, hash) || !find_credential(a, &r, hash, &id, &c))
		return CTAP_NO_CREDENTIALS;
	if (r.up && !free_hmac && !(a->misbehave & MIS_UP0)) {
		status = a->wait_touch(a->wait_arg);
		if (status != CTAP_OK)
			return status;
	}
	if ((a->misbehave & MIS_REPLAY) && a->last_len > 0 && a->last_len <= out->cap - out->len)
		return replay(a, out);
	status = assertion_answer(a, &r, &c, &id, uv, out);
	if (status == CTAP_OK && out->len - 1 <= sizeof a->last) {
		a->last_len = out->len - 1;
		memcpy(a->last, out->buf + 1, a->last_len);
	}
	return status;
}

static const struct {
	uint8_t code;
	bool lies; /* hang and garbage concern this command */
	uint8_t (*run)(struct authenticator *, struct cbor_in, struct cbor_out *);
} commands[] = {
    {0x01, true, make_credential},
    {0x02, true, get_assertion},
    {0x04, false, get_info},
    {0x06, false, pin_command},
};

size_t
ctap_handle(struct authenticator *a, const uint8_t *msg, size_t len, uint8_t *resp, size_t cap)
{
	struct cbor_out out = {.buf = resp, .len = 1, .cap = cap};

	resp[0] = CTAP_INVALID_COMMAND;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0] && len > 0; i++) {
		if (commands[i].code != msg[0])
			continue;
		if (commands[i].lies && (a->misbehave & MIS_HANG))
			return 0;
		if (commands[i].lies && (a->misbehave & MIS_GARBAGE)) {
			resp[0] = CTAP_OK;
			if (RAND_bytes(resp + 1, 200) != 1)
				return 0;
			if (resp[1] >> 5 == 5) /* now and then noise is a map, and an answer */
				resp[1] ^= 0x80;
			return 201;
		}
		resp[0] = commands[i].run(a, (struct cbor_in){msg + 1, len - 1}, &out);
		if (out.full)
			resp[0] = CTAP_OTHER;
		return resp[0] == CTAP_OK ? out.len : 1;
	}
	return 1;
}
