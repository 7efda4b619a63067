/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CBOR that CTAP2 needs (RFC 8949; CTAP 2.1, section 8): definite lengths, integers in their shortest
 * form, no floats, no tags. A reader over borrowed bytes and a writer into a caller's buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed: the bytes must outlive the reader and everything read out of it. */
struct cbor_in {
	const uint8_t *p;
	size_t left;
};

/* Borrowed bytes inside a reader's buffer; p is NULL where the item was absent. */
struct cbor_span {
	const uint8_t *p;
	size_t len;
};

/* Each returns false, and the reader is then of no further use, when the next item is not of that type. */
bool cbor_get_uint(struct cbor_in *in, uint64_t *ret);
bool cbor_get_int(struct cbor_in *in, int64_t *ret);
bool cbor_get_bytes(struct cbor_in *in, struct cbor_span *ret);
bool cbor_get_text(struct cbor_in *in, struct cbor_span *ret);
bool cbor_get_array(struct cbor_in *in, size_t *ret_items);
bool cbor_get_map(struct cbor_in *in, size_t *ret_pairs);
bool cbor_get_bool(struct cbor_in *in, bool *ret);
bool cbor_skip(struct cbor_in *in);
bool cbor_span_is(const struct cbor_span *s, const char *text);

/* full becomes true when something did not fit; what was written before stays. */
struct cbor_out {
	uint8_t *buf;
	size_t len;
	size_t cap;
	bool full;
};

void cbor_put_int(struct cbor_out *out, int64_t v);
void cbor_put_bytes(struct cbor_out *out, const uint8_t *p, size_t len);
void cbor_put_text(struct cbor_out *out, const char *text);
void cbor_put_array(struct cbor_out *out, size_t items);
void cbor_put_map(struct cbor_out *out, size_t pairs);
void cbor_put_bool(struct cbor_out *out, bool v);
