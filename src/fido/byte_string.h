/* SPDX-License-Identifier: Apache-2.0 */
/* libfido2 gives authenticator data inside its CBOR byte string; broker wants what was signed. */
#ifndef FIDO_BYTE_STRING_H
#define FIDO_BYTE_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The body of a byte string (RFC 8949, section 3.1) that fills p[0..len) exactly, as a slice of it; p may be NULL.
 * False for every other item, and for lengths that authenticator data cannot have: below 24 or above 65535 bytes.
 */
bool byte_string_body(const uint8_t *p, size_t len, const uint8_t **ret_body, size_t *ret_len);

#endif
