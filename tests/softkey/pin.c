/* SPDX-License-Identifier: Apache-2.0 */
/* authenticatorClientPIN: see pin.h; the cryptography of the two protocols is in pincrypt.c. */
#include "ctap.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define STRIKES_MAX 3
#define PIN_MIN 4
#define NEW_PIN_LEN 64

struct pin_request {
	uint64_t protocol;
	uint64_t sub;
	bool have_peer;
	uint8_t peer[64];
	struct cbor_span tag;
	struct cbor_span new_pin;
	struct cbor_span pin_hash;
};

bool
pin_session_start(struct pin_session *s)
{
	s->strikes = 0;
	return p256_generate(&s->agree) && RAND_bytes(s->token, sizeof s->token) == 1;
}

bool
pin_protocol_known(const struct authenticator *a, uint64_t protocol)
{
	return (protocol == 1 || protocol == 2) && (a->pin_protocols & 1U << protocol) != 0;
}

static bool
request_field(struct cbor_in *in, uint64_t key, struct pin_request *r)
{
	switch (key) {
	case 1:
		return cbor_get_uint(in, &r->protocol);
	case 2:
		return cbor_get_uint(in, &r->sub);
	case 3:
		r->have_peer = true;
		return cose_get_point(in, r->peer);
	case 4:
		return cbor_get_bytes(in, &r->tag);
	case 5:
		return cbor_get_bytes(in, &r->new_pin);
	case 6:
		return cbor_get_bytes(in, &r->pin_hash);
	default:
		return cbor_skip(in);
	}
}

static bool
request_parse(struct cbor_in *in, struct pin_request *ret)
{
	uint64_t key;
	size_t pairs;

	if (!cbor_get_map(in, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++)
		if (!cbor_get_uint(in, &key) || !request_field(in, key, ret))
			return false;
	return in->left == 0;
}

static uint8_t
get_retries(struct authenticator *a, const struct pin_request *r, struct cbor_out *out)
{
	cbor_put_map(out, 1);
	cbor_put_int(out, 3);
	cbor_put_int(out, a->state.pin_retries);
	return CTAP_OK;
}

static uint8_t
get_key_agreement(struct authenticator *a, const struct pin_request *r, struct cbor_out *out)
{
	cbor_put_map(out, 1);
	cbor_put_int(out, 1);
	cose_put_point(
	    out, -25, a->pin.agree.pub); /* ECDH-ES+HKDF-256, the id that CTAP prescribes */
	return CTAP_OK;
}

/* One try: the counter goes down, and is on disk, before the PIN is compared. */
static uint8_t
pin_try(struct authenticator *a, const struct pin_shared *shared, const struct cbor_span *enc)
{
	uint8_t hash[64];
	size_t len;

	if (!a->state.pin_set)
		return CTAP_PIN_NOT_SET;
	if (a->state.pin_retries == 0)
		return CTAP_PIN_BLOCKED;
	if (a->pin.strikes >= STRIKES_MAX)
		return CTAP_PIN_AUTH_BLOCKED;
	a->state.pin_retries--;
	if (state_save(a->state_path, &a->state) < 0)
		return CTAP_OTHER;
	if (pin_decrypt(shared, enc, hash, sizeof hash, &len) && len == 16 &&
	    CRYPTO_memcmp(hash, a->state.pin_hash, 16) == 0) {
		a->pin.strikes = 0;
		a->state.pin_retries = PIN_RETRIES_MAX;
		return state_save(a->state_path, &a->state) < 0 ? CTAP_OTHER : CTAP_OK;
	}
	a->pin.strikes++;
	if (!p256_generate(&a->pin.agree))
		return CTAP_OTHER;
	if (a->state.pin_retries == 0)
		return CTAP_PIN_BLOCKED;
	return a->pin.strikes >= STRIKES_MAX ? CTAP_PIN_AUTH_BLOCKED : CTAP_PIN_INVALID;
}

static uint8_t
pin_store(struct authenticator *a, const struct pin_shared *shared, const struct cbor_span *enc)
{
	uint8_t pin[NEW_PIN_LEN];
	uint8_t hash[32];
	size_t len;

	if (!pin_decrypt(shared, enc, pin, sizeof pin, &len) || len != sizeof pin)
		return CTAP_INVALID_PARAMETER;
	len = strnlen((const char *)pin, sizeof pin);
	if (len < PIN_MIN || len == sizeof pin)
		return CTAP_PIN_POLICY_VIOLATION;
	if (EVP_Digest(pin, len, hash, NULL, EVP_sha256(), NULL) != 1)
		return CTAP_OTHER;
	memcpy(a->state.pin_hash, hash, sizeof a->state.pin_hash);
	a->state.pin_set = 1;
	a->state.pin_retries = PIN_RETRIES_MAX;
	a->pin.strikes = 0;
	OPENSSL_cleanse(pin, sizeof pin);
	return state_save(a->state_path, &a->state) < 0 || RAND_bytes(a->pin.token, 32) != 1
		   ? CTAP_OTHER
		   : CTAP_OK;
}

static uint8_t
set_pin(struct authenticator *a, const struct pin_request *r, struct cbor_out *out)
{
	const struct cbor_span none = {NULL, 0};
	struct pin_shared shared;

	if (a->state.pin_set ||
	    !pin_shared_derive(&a->pin, (unsigned)r->protocol, r->peer, &shared) ||
	    !pin_tag_ok(shared.protocol, shared.hmac_key, &r->new_pin, &none, &r->tag))
		return CTAP_PIN_AUTH_INVALID;
	return pin_store(a, &shared, &r->new_pin);
}

static uint8_t
change_pin(struct authenticator *a, const struct pin_request *r, struct cbor_out *out)
{
	struct pin_shared shared;
	uint8_t status;

	if (!pin_shared_derive(&a->pin, (unsigned)r->protocol, r->peer, &shared) ||
	    !pin_tag_ok(shared.protocol, shared.hmac_key, &r->new_pin, &r->pin_hash, &r->tag))
		return CTAP_PIN_AUTH_INVALID;
	status = pin_try(a, &shared, &r->pin_hash);
	return status != CTAP_OK ? status : pin_store(a, &shared, &r->new_pin);
}

static uint8_t
get_pin_token(struct authenticator *a, const struct pin_request *r, struct cbor_out *out)
{
	uint8_t enc[32 + 16];
	struct pin_shared shared;
	size_t len;
	uint8_t status;

	if (!pin_shared_derive(&a->pin, (unsigned)r->protocol, r->peer, &shared))
		return CTAP_INVALID_PARAMETER;
	status = pin_try(a, &shared, &r->pin_hash);
	if (status != CTAP_OK)
		return status;
	if (RAND_bytes(a->pin.token, 32) != 1 || !pin_encrypt(&shared, a->pin.token, 32, enc, &len))
		return CTAP_OTHER;
	cbor_put_map(out, 1);
	cbor_put_int(out, 2);
	cbor_put_bytes(out, enc, len);
	return CTAP_OK;
}

enum { NEED_PEER = 1, NEED_TAG = 2, NEED_NEW = 4, NEED_HASH = 8, NEED_PROTOCOL = 16 };

static const struct {
	uint8_t (*run)(struct authenticator *, const struct pin_request *, struct cbor_out *);
	unsigned needs;
} subcommands[] = {
    [1] = {get_retries, 0},
    [2] = {get_key_agreement, NEED_PROTOCOL},
    [3] = {set_pin, NEED_PROTOCOL | NEED_PEER | NEED_TAG | NEED_NEW},
    [4] = {change_pin, NEED_PROTOCOL | NEED_PEER | NEED_TAG | NEED_NEW | NEED_HASH},
    [5] = {get_pin_token, NEED_PROTOCOL | NEED_PEER | NEED_HASH},
};

uint8_t
pin_command(struct authenticator *a, struct cbor_in msg, struct cbor_out *out)
{
	struct pin_request r = {0};
	unsigned needs;

	if (!request_parse(&msg, &r))
		return CTAP_INVALID_CBOR;
	if (r.sub == 0 || r.sub >= sizeof subcommands / sizeof subcommands[0])
		return CTAP_INVALID_PARAMETER;
	needs = subcommands[r.sub].needs;
	if (((needs & NEED_PEER) && !r.have_peer) || ((needs & NEED_TAG) && r.tag.p == NULL) ||
	    ((needs & NEED_NEW) && r.new_pin.p == NULL) ||
	    ((needs & NEED_HASH) && r.pin_hash.p == NULL))
		return CTAP_MISSING_PARAMETER;
	if ((needs & NEED_PROTOCOL) && !pin_protocol_known(a, r.protocol))
		return CTAP_INVALID_PARAMETER;
	return subcommands[r.sub].run(a, &r, out);
}
