/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a security key said, judged on libcrypto alone: no I/O, no libfido2, no state.  The broker asks this before it
 * acts, `sgwarden ledger verify` afterwards: the same code.
 *
 * Everything is refused that is not exactly what was asked for: WebAuthn leaves relying parties latitude (section
 * 7.2, "Verifying an Authentication Assertion"), this one takes none.  Authenticator data: WebAuthn, section 6.1;
 * hmac-secret: CTAP 2.1, section 12.5; ES256: RFC 9053, section 2.1; COSE keys: RFC 9052, section 7.
 */
#ifndef SGWARDEN_ASSERTION_H
#define SGWARDEN_ASSERTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/limits.h>

/*
 * VERIFY_ERROR(NAME, "for the log and the ledger").  Reserved flags include BE and BS (bits 3 and 4): a credential
 * that may be copied to other devices is no security key, so backup eligibility is refused like the bits that no
 * standard defines.
 */
#define SGW_VERIFY_ERRORS(X)                                                                       \
	X(LENGTH, "authenticator data of a wrong length")                                          \
	X(RP_ID, "answered for another relying party")                                             \
	X(NO_TOUCH, "the user-presence flag is not set: nobody touched the key")                   \
	X(NO_UV, "the user-verified flag is not set: no PIN was checked")                          \
	X(FLAGS, "a reserved or unexpected flag is set")                                           \
	X(EXTENSIONS, "extension data other than what was asked for, in its one form")             \
	X(COUNTER, "the signature counter did not advance: a replay, or a copy of the key")        \
	X(DER, "the signature is not ES256 in canonical DER")                                      \
	X(PUBLIC_KEY, "the public key is not a point of P-256")                                    \
	X(SIGNATURE, "the signature does not verify")                                              \
	X(CREDENTIAL_ID, "credential id of a wrong length")                                        \
	X(COSE_KEY, "the credential's key is not a canonical ES256 COSE key")                      \
	X(LIBCRYPTO, "libcrypto failed")

enum verify_index {
#define X(name, text) VERIFY_INDEX_##name,
	SGW_VERIFY_ERRORS(X)
#undef X
};

enum verify_error {
#define X(name, text) VERIFY_##name = -1 - VERIFY_INDEX_##name,
	SGW_VERIFY_ERRORS(X)
#undef X
};

/* Static text for a negative result; "verified" for 0. */
const char *verify_strerror(int error);

/* What the broker asked for.  All pointers are borrowed. */
struct verify_expect {
	const uint8_t *rp_id_hash;       /* 32 bytes: SHA-256 of the rpId */
	const uint8_t *client_data_hash; /* 32 bytes: SHA-256 of the record */
	const uint8_t *pubkey;           /* 64 bytes: x, then y */
	bool want_uv;
	bool hmac_secret_asked; /* then the answer must carry it, else it must not */
	uint32_t last_counter;  /* the answer's must be greater … */
	bool zero_counter; /* … or, of a key whose enrolment saw only 0, be 0: no clone detection */
};

/*
 * Judges an assertion.  0 and its counter, or a negative enum verify_error.  `sig` is DER.  s may lie in either half
 * of the range: keys do not normalise it, and a nonce that is used once leaves nothing to gain from the other half.
 */
int assertion_verify(const struct verify_expect *e, const uint8_t *authdata, size_t authdata_len,
    const uint8_t *sig, size_t sig_len, uint32_t *ret_counter);

/* The signature alone, over SHA-256(authdata || client_data_hash): for "packed" self attestation. */
int es256_verify(const uint8_t pubkey[64], const uint8_t *authdata, size_t authdata_len,
    const uint8_t client_data_hash[32], const uint8_t *sig, size_t sig_len);

/* What authenticatorMakeCredential made. */
struct credential {
	uint8_t aaguid[16]; /* the key's model; zero where it does not say */
	uint8_t id[SGW_CRED_ID_MAX];
	size_t id_len;      /* at least 16 */
	uint8_t pubkey[64]; /* x, then y; a point of P-256 */
	uint32_t counter;
	bool uv;
	bool hmac_secret; /* the key will answer hmac-secret for it */
};

/*
 * Parses the authenticator data of a new credential.  0, or a negative enum verify_error.  Nothing is proved by it
 * but the form: the signature is es256_verify()'s.
 */
int credential_parse(
    const uint8_t *authdata, size_t len, const uint8_t rp_id_hash[32], struct credential *ret);

#endif
