/* SPDX-License-Identifier: Apache-2.0 */
/* authenticatorClientPIN and the PIN/UV auth protocols one and two (CTAP 2.1, sections 6.5.5 to 6.5.7). */
#pragma once

#include "cbor.h"
#include "p256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct authenticator;

/* Lives from plugging in to pulling out. */
struct pin_session {
	struct p256_key agree; /* the key-agreement key; new after each wrong PIN */
	uint8_t token[32];     /* pinUvAuthToken */
	unsigned strikes;      /* wrong PINs in a row; three block until the next start */
};

/* What ECDH with a platform yields under one protocol. */
struct pin_shared {
	unsigned protocol; /* 1 or 2 */
	uint8_t hmac_key[32];
	uint8_t aes_key[32];
};

bool pin_session_start(struct pin_session *s);
bool pin_protocol_known(const struct authenticator *a, uint64_t protocol);

/* False when the peer's point is not on the curve. */
bool pin_shared_derive(
    const struct pin_session *s, unsigned protocol, const uint8_t peer[64], struct pin_shared *ret);

/* Compares an authentication tag over the two parts (b may be empty) in constant time. */
bool pin_tag_ok(unsigned protocol, const uint8_t key[32], const struct cbor_span *a,
    const struct cbor_span *b, const struct cbor_span *tag);

/* AES-256-CBC without padding; ret has room for len + 16 bytes. Protocol two carries its IV in front. */
bool pin_encrypt(
    const struct pin_shared *s, const uint8_t *in, size_t len, uint8_t *ret, size_t *ret_len);
bool pin_decrypt(const struct pin_shared *s, const struct cbor_span *in, uint8_t *ret, size_t cap,
    size_t *ret_len);

/* The platform's COSE key for ECDH: kty EC2, curve P-256; ret is x, then y. */
bool cose_get_point(struct cbor_in *in, uint8_t ret[64]);
void cose_put_point(struct cbor_out *out, int alg, const uint8_t pub[64]);

/* The command itself: msg is the parameter map. Returns a CTAP status; the answer's map goes to out. */
uint8_t pin_command(struct authenticator *a, struct cbor_in msg, struct cbor_out *out);
