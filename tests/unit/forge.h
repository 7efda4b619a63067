/* SPDX-License-Identifier: Apache-2.0 */
/* Forges what a security key would say, with a signature that is right over exactly those bytes. */
#ifndef SGW_TEST_FORGE_H
#define SGW_TEST_FORGE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/assertion.h>

#define RP "sgwarden:test"

struct forge {
	EVP_PKEY *key;
	struct verify_expect e;
	uint8_t rp[32], cdh[32], pub[64];
	uint8_t ad[SGW_AUTHDATA_MAX + 8];
	size_t ad_len;
	uint8_t sig[SGW_SIGNATURE_MAX];
	size_t sig_len;
	uint32_t counter; /* what the verdict returned */
};

/* A good assertion: UP, counter 8 after 7, no extension.  Fails the test when libcrypto fails; key is the caller's. */
struct forge forge_new(void);

void forge_sign(struct forge *f);
void forge_counter(struct forge *f, uint32_t v);
void forge_append(struct forge *f, const void *p, size_t len);

#endif
