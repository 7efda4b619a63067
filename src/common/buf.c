/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded buffer and cursor: fixed memory, big-endian integers, sticky failure. */
#include <sgwarden/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for `len` more bytes, or the buffer has failed for good. */
static uint8_t *
buf_room(struct buf *b, size_t len)
{
	if (b->failed || b->len > b->cap || len > b->cap - b->len) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

bool
buf_put(struct buf *b, const void *data, size_t len)
{
	uint8_t *to = buf_room(b, len);

	if (to == NULL)
		return false;
	if (len > 0)
		memcpy(to, data, len);
	b->len += len;
	return true;
}

static bool
buf_put_be(struct buf *b, uint64_t v, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(v >> (8 * (len - 1 - i)));
	return buf_put(b, bytes, len);
}

bool
buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_put_be(b, v, 1);
}

bool
buf_put_u16(struct buf *b, uint16_t v)
{
	return buf_put_be(b, v, 2);
}

bool
buf_put_u32(struct buf *b, uint32_t v)
{
	return buf_put_be(b, v, 4);
}

bool
buf_put_u64(struct buf *b, uint64_t v)
{
	return buf_put_be(b, v, 8);
}

bool
buf_puts(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

bool
buf_printf(struct buf *b, const char *format, ...)
{
	uint8_t *to = buf_room(b, 1);
	va_list args;
	int need;

	if (to == NULL)
		return false;
	va_start(args, format);
	need = vsnprintf((char *)to, b->cap - b->len, format, args);
	va_end(args);
	/* vsnprintf() wants room for its NUL too; what does not fit is taken back. */
	if (need < 0 || (size_t)need >= b->cap - b->len) {
		*to = 0;
		b->failed = true;
		return false;
	}
	b->len += (size_t)need;
	return true;
}

bool
buf_put_hex(struct buf *b, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *to;

	if (len > SIZE_MAX / 2) {
		b->failed = true;
		return false;
	}
	to = buf_room(b, 2 * len);
	if (to == NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		to[2 * i] = (uint8_t)digits[data[i] >> 4];
		to[2 * i + 1] = (uint8_t)digits[data[i] & 15];
	}
	b->len += 2 * len;
	return true;
}

bool
buf_put_c(struct buf *b)
{
	uint8_t *to = buf_room(b, 1);

	if (to == NULL)
		return false;
	*to = 0;
	return true;
}

bool
cur_get(struct cur *c, void *ret_data, size_t len)
{
	if (c->failed || c->pos > c->len || len > c->len - c->pos) {
		c->failed = true;
		return false;
	}
	if (len > 0)
		memcpy(ret_data, c->data + c->pos, len);
	c->pos += len;
	return true;
}

static bool
cur_get_be(struct cur *c, uint64_t *ret_v, size_t len)
{
	uint8_t bytes[8];
	uint64_t v = 0;

	if (!cur_get(c, bytes, len))
		return false;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | bytes[i];
	*ret_v = v;
	return true;
}

bool
cur_get_u8(struct cur *c, uint8_t *ret_v)
{
	return cur_get(c, ret_v, 1);
}

bool
cur_get_u16(struct cur *c, uint16_t *ret_v)
{
	uint64_t v;

	if (!cur_get_be(c, &v, 2))
		return false;
	*ret_v = (uint16_t)v;
	return true;
}

bool
cur_get_u32(struct cur *c, uint32_t *ret_v)
{
	uint64_t v;

	if (!cur_get_be(c, &v, 4))
		return false;
	*ret_v = (uint32_t)v;
	return true;
}

bool
cur_get_u64(struct cur *c, uint64_t *ret_v)
{
	return cur_get_be(c, ret_v, 8);
}

bool
cur_done(const struct cur *c)
{
	return !c->failed && c->pos == c->len;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
hex_decode(const char *hex, size_t hex_len, uint8_t *ret_data, size_t len)
{
	if (hex_len % 2 != 0 || hex_len / 2 != len)
		return false;
	for (size_t i = 0; i < hex_len; i++) {
		if (hex_digit(hex[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < len; i++)
		ret_data[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	return true;
}
