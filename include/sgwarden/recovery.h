/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery code: SGW_CODE_LEN characters of 5 bits from the kernel's random numbers, 130 bits.  On paper two more
 * stand behind them, which find a slip of the pen; they are no part of the code.
 *
 * The code is the seed of an Ed25519 key (RFC 8032), which signs one kind of record: that of an enrolment by the code.
 * The public key is all that is kept.  130 bits cannot be guessed, so nothing slow stands between code and key, and
 * the appliance's name is all the salt: the same code would be another key elsewhere.
 *
 * The memory of every code here is the caller's, in a `secret` region.
 */
#ifndef SGWARDEN_RECOVERY_H
#define SGWARDEN_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/limits.h>

#define RECOVERY_CHECK 2
#define RECOVERY_TEXT_LEN 34 /* seven groups of four, a dash between two */
#define RECOVERY_KEY_LEN 32
#define RECOVERY_SIGNATURE_LEN 64

/* Of so many random bytes a code; each of them gives five bits. */
void recovery_make(const uint8_t random[SGW_CODE_LEN], uint8_t ret_code[SGW_CODE_LEN]);

/* As it stands on paper, with its check and a NUL. */
void recovery_text(const uint8_t code[SGW_CODE_LEN], char ret_text[RECOVERY_TEXT_LEN + 1]);

/*
 * As somebody typed it: small or capital letters, dashes and blanks wherever, o for 0, i and l for 1.  False where it
 * is none, or its check does not fit: every wrong character and every swap of two neighbours is found.
 */
bool recovery_parse(const char *typed, size_t len, uint8_t ret_code[SGW_CODE_LEN]);

/* ---- recovery_key.c: for whoever links libcrypto ---- */

/* False: libcrypto failed. */
bool recovery_key(
    const uint8_t code[SGW_CODE_LEN], const char *appliance, uint8_t ret_key[RECOVERY_KEY_LEN]);
bool recovery_sign(const uint8_t code[SGW_CODE_LEN], const char *appliance, const void *text,
    size_t len, uint8_t ret_signature[RECOVERY_SIGNATURE_LEN]);
bool recovery_verify(const uint8_t key[RECOVERY_KEY_LEN], const void *text, size_t len,
    const uint8_t signature[RECOVERY_SIGNATURE_LEN]);

#endif
