/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded byte buffer over memory that the caller owns.  It never grows and never writes part of a value: the
 * first put that does not fit sets `failed`, and everything after it is refused too, so one check at the end is
 * enough.
 */
#ifndef SGWARDEN_BUF_H
#define SGWARDEN_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t cap;
	size_t len;
	bool failed;
};

static inline struct buf
buf_over(void *memory, size_t cap)
{
	return (struct buf){.data = memory, .cap = cap};
}

/* Where `len` more bytes may be written, or NULL: the buffer has failed for good.  The caller then moves b->len. */
static inline uint8_t *
buf_room(struct buf *b, size_t len)
{
	if (b->failed || b->len > b->cap || len > b->cap - b->len) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

static inline bool
buf_put_u8(struct buf *b, uint8_t v)
{
	uint8_t *to = buf_room(b, 1);

	if (to == NULL)
		return false;
	*to = v;
	b->len++;
	return true;
}

bool buf_put(struct buf *b, const void *data, size_t len);
bool buf_put_u16(struct buf *b, uint16_t v); /* big endian, as all integers here */
bool buf_put_u32(struct buf *b, uint32_t v);
bool buf_put_u64(struct buf *b, uint64_t v);
bool buf_puts(struct buf *b, const char *text); /* without the NUL */
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_put_decimal(struct buf *b, int64_t v);
bool buf_put_hex(struct buf *b, const uint8_t *data, size_t len); /* lower case */
bool buf_put_c(struct buf *b); /* a NUL behind the text, not counted in len */

/* A cursor over received bytes; the same rule: after the first short read everything fails. */
struct cur {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;
};

static inline struct cur
cur_over(const void *data, size_t len)
{
	return (struct cur){.data = data, .len = len};
}

/* The next `len` bytes where they lie, behind which the cursor then stands; NULL: there are fewer. */
static inline const uint8_t *
cur_take(struct cur *c, size_t len)
{
	if (c->failed || c->pos > c->len || len > c->len - c->pos) {
		c->failed = true;
		return NULL;
	}
	c->pos += len;
	return c->data + c->pos - len;
}

bool cur_get(struct cur *c, void *ret_data, size_t len);
bool cur_get_u8(struct cur *c, uint8_t *ret_v);
bool cur_get_u16(struct cur *c, uint16_t *ret_v);
bool cur_get_u32(struct cur *c, uint32_t *ret_v);
bool cur_get_u64(struct cur *c, uint64_t *ret_v);
bool cur_done(const struct cur *c); /* all consumed, nothing failed */

/* Lower-case hex only, exactly 2 * len digits; false otherwise. */
bool hex_decode(const char *hex, size_t hex_len, uint8_t *ret_data, size_t len);

#endif
