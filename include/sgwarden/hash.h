/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4).  Whoever calls this links libcrypto; nobody else sees it. */
#ifndef SGWARDEN_HASH_H
#define SGWARDEN_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/evp.h>

#define HASH_LEN 32

/* Cannot fail on a libcrypto that has SHA-256; without it nothing here may go on, so it aborts. */
static inline void
hash_sha256(const void *data, size_t len, uint8_t ret_digest[HASH_LEN])
{
	size_t out = HASH_LEN;

	if (EVP_Q_digest(NULL, "SHA256", NULL, data, len, ret_digest, &out) != 1 || out != HASH_LEN)
		abort();
}

#endif
