/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed openers (docs/TRUST.md, "Custody"): pure, on libcrypto alone, no I/O but the kernel's random numbers.
 *
 * A random data key encrypts the secret access key; each enrolled security key wraps that data key under
 * HKDF-SHA256 (RFC 5869) of its hmac-secret answer (CTAP 2.1, section 12.5) to the wrap's salt.  Both are AES-256-GCM
 * (NIST SP 800-38D) with the place of what they seal as additional data: appliance, profile, tier, generation and
 * access key id, and of a wrap the security key, its count of renewals and the salt.  A data key encrypts once and a
 * wrapping key wraps once: a nonce can meet no second message.
 *
 * After a false, ret_… holds zeros and what was to be sealed is worth nothing to anybody.
 */
#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/wire.h>

#define SEAL_KEY_LEN 32
#define GCM_NONCE_LEN 12
#define GCM_TAG_LEN 16

/* Random bytes of the kernel; false where there are none. */
bool seal_random(void *ret_data, size_t len);

/* Which key a wrap is for. */
void seal_key_id(const uint8_t *cred_id, size_t len, uint8_t ret_id[32]);

/*
 * Fills nonce and secret of an entry whose other fields stand.  A data key must not come here twice.  false: the
 * secret is empty or longer than SGW_SECRET_KEY_MAX, or libcrypto failed.
 */
bool seal_secret(const char *appliance, struct rec_sealed_entry *e,
    const uint8_t data_key[SEAL_KEY_LEN], const char *secret_key);

/* The secret again; false: this is not its data key, or any byte of it or of its place is another. */
bool unseal_secret(const char *appliance, const struct rec_sealed_entry *e,
    const uint8_t data_key[SEAL_KEY_LEN], char ret_secret_key[SGW_SECRET_KEY_MAX + 1]);

/* Fills nonce and data_key of a wrap whose key, renewals and salt stand; `answer` is hmac-secret's to that salt. */
bool seal_wrap(const char *appliance, const struct rec_sealed_entry *e, struct rec_sealed_wrap *w,
    const uint8_t answer[32], const uint8_t data_key[SEAL_KEY_LEN]);
bool seal_unwrap(const char *appliance, const struct rec_sealed_entry *e,
    const struct rec_sealed_wrap *w, const uint8_t answer[32], uint8_t ret_data_key[SEAL_KEY_LEN]);

/* NULL where there is none. */
struct rec_sealed_entry *sealed_find(
    struct rec_sealed_list *list, const char *profile, enum tier tier);
struct rec_sealed_wrap *sealed_wrap_find(struct rec_sealed_entry *e, const uint8_t key[32]);

/* Takes every wrap of one security key away, and with its last wrap an entry; true where there was one. */
bool sealed_forget_key(struct rec_sealed_list *list, const uint8_t key[32]);

/*
 * One list of the file, whole.  NULL, or what is wrong with it: not its one form, of another appliance, an entry or
 * a wrap twice, or a generation that was never given.
 */
const char *sealed_decode(
    const void *data, size_t len, const char *appliance, struct rec_sealed_list *ret_list);

#endif
