/* SPDX-License-Identifier: Apache-2.0 */
/* The primitives of the wire format: each writes the one form of a value, each reader accepts only that. */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include <sgwarden/buf.h>

enum text_kind {
	TEXT_ASCII, /* 0x20-0x7e */
	TEXT_UTF8,  /* well-formed, no NUL */
	TEXT_LINES, /* 0x20-0x7e and line feed */
};

bool field_put_enum(struct buf *b, unsigned v, unsigned max);
bool field_put_text(struct buf *b, const char *text, size_t most, enum text_kind kind);
bool field_put_bytes(struct buf *b, const uint8_t *data, size_t len, size_t most);
bool field_put_count(struct buf *b, size_t n, size_t most);

void field_get_i16(struct cur *c, int16_t *ret_v);
void field_get_i32(struct cur *c, int32_t *ret_v);
void field_get_i64(struct cur *c, int64_t *ret_v);
unsigned field_get_below(struct cur *c, unsigned max);
void field_get_text(struct cur *c, char *ret_text, size_t most, enum text_kind kind);
void field_get_bytes(struct cur *c, uint8_t *ret_data, uint16_t *ret_len, size_t most);
uint16_t field_get_count(struct cur *c, size_t most);

#endif
