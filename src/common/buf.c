/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded buffer and cursor: fixed memory, big-endian integers, sticky failure. */
#include <sgwarden/buf.h>

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static inline bool
put(struct buf *b, const void *data, size_t len)
{
	uint8_t *to = buf_room(b, len);

	if (to == NULL)
		return false;
	if (len > 0)
		memcpy(to, data, len);
	b->len += len;
	return true;
}

bool
buf_put(struct buf *b, const void *data, size_t len)
{
	return put(b, data, len);
}

/* Big endian; the copies are of a fixed length, so they become one store. */
bool
buf_put_u16(struct buf *b, uint16_t v)
{
	uint16_t be = htobe16(v);

	return put(b, &be, sizeof(be));
}

bool
buf_put_u32(struct buf *b, uint32_t v)
{
	uint32_t be = htobe32(v);

	return put(b, &be, sizeof(be));
}

bool
buf_put_u64(struct buf *b, uint64_t v)
{
	uint64_t be = htobe64(v);

	return put(b, &be, sizeof(be));
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
buf_put_decimal(struct buf *b, int64_t v)
{
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	size_t n = v < 0 ? 2 : 1;
	uint8_t *to;

	for (uint64_t x = left; x >= 10; x /= 10)
		n++;
	to = buf_room(b, n);
	if (to == NULL)
		return false;
	b->len += n;
	if (v < 0)
		to[0] = '-';
	do {
		to[--n] = (uint8_t)('0' + left % 10);
		left /= 10;
	} while (left > 0);
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

static inline bool
get(struct cur *c, void *ret_data, size_t len)
{
	const uint8_t *from = cur_take(c, len);

	if (!c->failed && len > 0)
		memcpy(ret_data, from, len);
	return !c->failed;
}

bool
cur_get(struct cur *c, void *ret_data, size_t len)
{
	return get(c, ret_data, len);
}

bool
cur_get_u8(struct cur *c, uint8_t *ret_v)
{
	return get(c, ret_v, 1);
}

bool
cur_get_u16(struct cur *c, uint16_t *ret_v)
{
	uint16_t be;

	if (!get(c, &be, sizeof(be)))
		return false;
	*ret_v = be16toh(be);
	return true;
}

bool
cur_get_u32(struct cur *c, uint32_t *ret_v)
{
	uint32_t be;

	if (!get(c, &be, sizeof(be)))
		return false;
	*ret_v = be32toh(be);
	return true;
}

bool
cur_get_u64(struct cur *c, uint64_t *ret_v)
{
	uint64_t be;

	if (!get(c, &be, sizeof(be)))
		return false;
	*ret_v = be64toh(be);
	return true;
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
