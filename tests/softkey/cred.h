/* SPDX-License-Identifier: Apache-2.0 */
/* Non-resident credentials: everything that belongs to one is wrapped into its id. */
#pragma once

#include "p256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* version 1 | nonce 12 | AES-256-GCM(d 32, rpIdHash 32, CredRandomWithUV 32, CredRandomWithoutUV 32) | tag 16 */
#define CRED_ID_LEN (1 + 12 + 128 + 16)

struct credential {
	struct p256_key key;
	uint8_t rp_id_hash[32];
	uint8_t random_uv[32];
	uint8_t random_plain[32];
};

bool cred_make(const uint8_t rp_id_hash[32], struct credential *ret);
bool cred_wrap(const uint8_t master[32], const struct credential *c, uint8_t ret_id[CRED_ID_LEN]);

/* False for every id that this key did not make for this relying party. */
bool cred_unwrap(const uint8_t master[32], const uint8_t rp_id_hash[32], const uint8_t *id,
    size_t len, struct credential *ret);

/* HMAC-SHA-256 of each 32-byte salt under the CredRandom that belongs to uv; salts is 32 or 64 bytes. */
bool cred_hmac_secret(
    const struct credential *c, bool uv, const uint8_t *salts, size_t len, uint8_t *ret);
