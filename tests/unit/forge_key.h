/* SPDX-License-Identifier: Apache-2.0 */
/* What a security key would say, signed by a key made here.  Nothing fails quietly: it aborts. */
#ifndef FORGE_KEY_H
#define FORGE_KEY_H

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include <sgwarden/limits.h>

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct authenticator {
	EVP_PKEY *pkey;
	uint8_t id[32];
	uint8_t pub[64];
	uint32_t counter;
};

struct authenticator authenticator_new(uint8_t mark); /* its id is 32 of `mark` */

/* rpIdHash, flags, counter (WebAuthn, 6.1): 37 bytes. */
size_t head_put(uint8_t *authdata, const char *rp_id, uint8_t flags, uint32_t counter);
/* The same and its new credential; authdata has room for SGW_AUTHDATA_MAX. */
size_t credential_put(uint8_t *authdata, const char *rp_id, const struct authenticator *a);
/* Over authdata and the hash of the text. */
size_t sign(const struct authenticator *a, const uint8_t *authdata, size_t len, const char *text,
    size_t text_len, uint8_t signature[SGW_SIGNATURE_MAX]);

#endif
