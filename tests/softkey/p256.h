/* SPDX-License-Identifier: Apache-2.0 */
/* NIST P-256 on libcrypto: key pairs as raw bytes, ECDH and ES256 signatures. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P256_SIG_MAX 72 /* DER: 30 46, then two 33-byte INTEGERs with their heads */

struct p256_key {
	uint8_t d[32];
	uint8_t pub[64]; /* x, then y, big-endian */
};

/* All return false when libcrypto fails or a peer's point is not on the curve. */
bool p256_generate(struct p256_key *ret);
bool p256_from_scalar(const uint8_t d[32], struct p256_key *ret);
bool p256_ecdh(const struct p256_key *own, const uint8_t peer[64], uint8_t ret_x[32]);

/* Signs SHA-256(a || b); the signature is DER, at most P256_SIG_MAX bytes. */
bool p256_sign(const struct p256_key *key, const uint8_t *a, size_t a_len, const uint8_t *b,
    size_t b_len, uint8_t *ret_sig, size_t *ret_sig_len);
