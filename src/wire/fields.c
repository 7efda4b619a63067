/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <endian.h>
#include <string.h>

#include <sgwarden/vis.h>
#include <sgwarden/wire.h>

static bool
lines_ok(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			return false;
	return true;
}

static bool
text_ok(const char *text, size_t len, enum text_kind kind)
{
	if (kind == TEXT_UTF8)
		return text_is_utf8(text, len);
	return kind == TEXT_LINES ? lines_ok(text, len) : text_is_ascii(text, len);
}

bool
field_put_enum(struct buf *b, unsigned v, unsigned max)
{
	if (v >= max) {
		b->failed = true;
		return false;
	}
	return buf_put_u8(b, (uint8_t)v);
}

bool
field_put_text(struct buf *b, const char *text, size_t most, enum text_kind kind)
{
	size_t len;
	uint16_t be;
	uint8_t *to;

	if (text[0] == 0)
		return buf_put_u16(b, 0);
	len = strnlen(text, most + 1);
	if (len > most || !text_ok(text, len, kind)) {
		b->failed = true;
		return false;
	}
	to = buf_room(b, sizeof(be) + len);
	if (to == NULL)
		return false;
	be = htobe16((uint16_t)len);
	memcpy(to, &be, sizeof(be));
	memcpy(to + sizeof(be), text, len);
	b->len += sizeof(be) + len;
	return true;
}

bool
field_put_bytes(struct buf *b, const uint8_t *data, size_t len, size_t most)
{
	if (len > most) {
		b->failed = true;
		return false;
	}
	return buf_put_u16(b, (uint16_t)len) && buf_put(b, data, len);
}

bool
field_put_count(struct buf *b, size_t n, size_t most)
{
	if (n > most) {
		b->failed = true;
		return false;
	}
	return buf_put_u16(b, (uint16_t)n);
}

void
field_get_i16(struct cur *c, int16_t *ret_v)
{
	uint16_t v = 0;

	if (cur_get_u16(c, &v))
		*ret_v = (int16_t)v;
}

void
field_get_i32(struct cur *c, int32_t *ret_v)
{
	uint32_t v = 0;

	if (cur_get_u32(c, &v))
		*ret_v = (int32_t)v;
}

void
field_get_i64(struct cur *c, int64_t *ret_v)
{
	uint64_t v = 0;

	if (cur_get_u64(c, &v))
		*ret_v = (int64_t)v;
}

unsigned
field_get_below(struct cur *c, unsigned max)
{
	const uint8_t *v = cur_take(c, 1);

	if (v == NULL)
		return 0;
	if (*v >= max) {
		c->failed = true;
		return 0;
	}
	return *v;
}

void
field_get_text(struct cur *c, char *ret_text, size_t most, enum text_kind kind)
{
	const uint8_t *head = cur_take(c, 2);
	const char *text;
	size_t len;

	ret_text[0] = 0;
	if (head == NULL)
		return;
	len = (size_t)head[0] << 8 | head[1];
	if (len == 0)
		return;
	text = len <= most ? (const char *)cur_take(c, len) : NULL;
	if (text == NULL || !text_ok(text, len, kind)) {
		c->failed = true;
		return;
	}
	memcpy(ret_text, text, len);
	ret_text[len] = 0;
}

void
field_get_bytes(struct cur *c, uint8_t *ret_data, uint16_t *ret_len, size_t most)
{
	uint16_t len = 0;

	*ret_len = 0;
	if (!cur_get_u16(c, &len))
		return;
	if (len > most) {
		c->failed = true;
		return;
	}
	if (cur_get(c, ret_data, len))
		*ret_len = len;
}

uint16_t
field_get_count(struct cur *c, size_t most)
{
	uint16_t n = 0;

	if (!cur_get_u16(c, &n))
		return 0;
	if (n > most) {
		c->failed = true;
		return 0;
	}
	return n;
}

bool
field_copy(char *field, size_t size, const char *text, size_t len)
{
	if (len >= size) {
		field[0] = 0;
		return false;
	}
	memcpy(field, text, len);
	field[len] = 0;
	return true;
}
