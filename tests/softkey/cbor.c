/* SPDX-License-Identifier: Apache-2.0 */
/* The CBOR that CTAP2 needs: see cbor.h. */
#include "cbor.h"

#include <string.h>

enum major { M_UINT, M_NEGINT, M_BYTES, M_TEXT, M_ARRAY, M_MAP, M_TAG, M_SIMPLE };

/* CTAP 2.1, section 8: at most four levels of nesting. */
#define DEPTH_MAX 4

static bool
get_head(struct cbor_in *in, unsigned *ret_major, uint64_t *ret_value)
{
	static const uint64_t least[4] = {24, 0x100, 0x10000, 0x100000000};
	uint64_t value = 0;
	unsigned info;
	size_t extra;

	if (in->left < 1)
		return false;
	info = in->p[0] & 0x1f;
	if (info > 27)
		return false;
	extra = info < 24 ? 0 : (size_t)1 << (info - 24);
	if (in->left < 1 + extra)
		return false;
	for (size_t i = 0; i < extra; i++)
		value = value << 8 | in->p[1 + i];
	if (extra == 0)
		value = info;
	else if (value < least[info - 24])
		return false;
	*ret_major = in->p[0] >> 5;
	*ret_value = value;
	in->p += 1 + extra;
	in->left -= 1 + extra;
	return true;
}

static bool
get_of(struct cbor_in *in, unsigned major, uint64_t *ret)
{
	unsigned m;

	return get_head(in, &m, ret) && m == major;
}

static bool
get_span(struct cbor_in *in, unsigned major, struct cbor_span *ret)
{
	uint64_t len;

	if (!get_of(in, major, &len) || len > in->left)
		return false;
	*ret = (struct cbor_span){in->p, (size_t)len};
	in->p += len;
	in->left -= (size_t)len;
	return true;
}

static bool
get_count(struct cbor_in *in, unsigned major, size_t *ret)
{
	uint64_t n;

	/* An item takes a byte at least, so a larger count cannot be honest. */
	if (!get_of(in, major, &n) || n > in->left)
		return false;
	*ret = (size_t)n;
	return true;
}

bool
cbor_get_uint(struct cbor_in *in, uint64_t *ret)
{
	return get_of(in, M_UINT, ret);
}

bool
cbor_get_int(struct cbor_in *in, int64_t *ret)
{
	unsigned m;
	uint64_t v;

	if (!get_head(in, &m, &v) || (m != M_UINT && m != M_NEGINT) || v > INT64_MAX)
		return false;
	*ret = m == M_UINT ? (int64_t)v : -1 - (int64_t)v;
	return true;
}

bool
cbor_get_bytes(struct cbor_in *in, struct cbor_span *ret)
{
	return get_span(in, M_BYTES, ret);
}

bool
cbor_get_text(struct cbor_in *in, struct cbor_span *ret)
{
	return get_span(in, M_TEXT, ret);
}

bool
cbor_get_array(struct cbor_in *in, size_t *ret_items)
{
	return get_count(in, M_ARRAY, ret_items);
}

bool
cbor_get_map(struct cbor_in *in, size_t *ret_pairs)
{
	return get_count(in, M_MAP, ret_pairs);
}

bool
cbor_get_bool(struct cbor_in *in, bool *ret)
{
	uint64_t v;

	if (!get_of(in, M_SIMPLE, &v) || (v != 20 && v != 21))
		return false;
	*ret = v == 21;
	return true;
}

static bool
skip_at(struct cbor_in *in, unsigned depth)
{
	unsigned m;
	uint64_t v;

	if (depth > DEPTH_MAX || !get_head(in, &m, &v))
		return false;
	if (m == M_BYTES || m == M_TEXT) {
		if (v > in->left)
			return false;
		in->p += v;
		in->left -= (size_t)v;
		return true;
	}
	if (m != M_ARRAY && m != M_MAP)
		return m != M_TAG;
	if (v > in->left)
		return false;
	for (uint64_t i = 0; i < (m == M_MAP ? 2 * v : v); i++)
		if (!skip_at(in, depth + 1))
			return false;
	return true;
}

bool
cbor_skip(struct cbor_in *in)
{
	return skip_at(in, 0);
}

bool
cbor_span_is(const struct cbor_span *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->p, text, s->len) == 0;
}

static void
put_raw(struct cbor_out *out, const uint8_t *p, size_t len)
{
	if (len > out->cap - out->len) {
		out->full = true;
		return;
	}
	if (len > 0)
		memcpy(out->buf + out->len, p, len);
	out->len += len;
}

static void
put_head(struct cbor_out *out, unsigned major, uint64_t v)
{
	unsigned extra = v < 24 ? 0 : v < 0x100 ? 1 : v < 0x10000 ? 2 : v < 0x100000000 ? 4 : 8;
	unsigned info = extra == 0 ? (unsigned)v
				   : 23 + (extra == 1      ? 1
					      : extra == 2 ? 2
					      : extra == 4 ? 3
							   : 4);
	uint8_t head[9] = {(uint8_t)(major << 5 | info)};

	for (unsigned i = 0; i < extra; i++)
		head[1 + i] = (uint8_t)(v >> (8 * (extra - 1 - i)));
	put_raw(out, head, 1 + extra);
}

void
cbor_put_int(struct cbor_out *out, int64_t v)
{
	if (v >= 0)
		put_head(out, M_UINT, (uint64_t)v);
	else
		put_head(out, M_NEGINT, (uint64_t)(-1 - v));
}

void
cbor_put_bytes(struct cbor_out *out, const uint8_t *p, size_t len)
{
	put_head(out, M_BYTES, len);
	put_raw(out, p, len);
}

void
cbor_put_text(struct cbor_out *out, const char *text)
{
	size_t len = strlen(text);

	put_head(out, M_TEXT, len);
	put_raw(out, (const uint8_t *)text, len);
}

void
cbor_put_array(struct cbor_out *out, size_t items)
{
	put_head(out, M_ARRAY, items);
}

void
cbor_put_map(struct cbor_out *out, size_t pairs)
{
	put_head(out, M_MAP, pairs);
}

void
cbor_put_bool(struct cbor_out *out, bool v)
{
	put_head(out, M_SIMPLE, v ? 21 : 20);
}
