/* SPDX-License-Identifier: Apache-2.0 */
/* Untrusted text to printable ASCII, one to one; well-formed UTF-8 after Unicode 15, table 3-7. */
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

#include <stdint.h>
#include <string.h>

#define VIS_ONE_MAX 11 /* "\u{10ffff}" and a NUL */

struct utf8_row {
	uint8_t first_low, first_high;   /* the lead byte */
	uint8_t second_low, second_high; /* its first follower; all later ones are 80..bf */
	uint8_t len;
	uint8_t mask; /* the lead byte's payload */
};

/* Table 3-7 of the Unicode Standard without its ASCII row. */
static const struct utf8_row UTF8[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f},
    {0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f},
    {0xe1, 0xec, 0x80, 0xbf, 3, 0x0f},
    {0xed, 0xed, 0x80, 0x9f, 3, 0x0f},
    {0xee, 0xef, 0x80, 0xbf, 3, 0x0f},
    {0xf0, 0xf0, 0x90, 0xbf, 4, 0x07},
    {0xf1, 0xf3, 0x80, 0xbf, 4, 0x07},
    {0xf4, 0xf4, 0x80, 0x8f, 4, 0x07},
};

/* The length of the well-formed sequence beyond ASCII that text begins with, or 0. */
static size_t
utf8_sequence(const uint8_t *text, size_t len, uint32_t *ret_point)
{
	for (size_t r = 0; r < sizeof(UTF8) / sizeof(UTF8[0]); r++) {
		const struct utf8_row *row = &UTF8[r];
		uint32_t point;

		if (text[0] < row->first_low || text[0] > row->first_high)
			continue;
		if (len < row->len || text[1] < row->second_low || text[1] > row->second_high)
			return 0;
		point = text[0] & row->mask;
		for (size_t i = 1; i < row->len; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (text[i] & 0x3fu);
		}
		*ret_point = point;
		return row->len;
	}
	return 0;
}

static size_t
put_hex(char *out, uint32_t v, unsigned least)
{
	static const char digits[] = "0123456789abcdef";
	unsigned n = least;

	while (n < 8 && v >> (4 * n) != 0)
		n++;
	for (unsigned i = 0; i < n; i++)
		out[i] = digits[v >> (4 * (n - 1 - i)) & 15];
	return n;
}

/* One character or byte of text as its escape in out; how many bytes of text it covers. */
static size_t
vis_one(char out[VIS_ONE_MAX], size_t *ret_out_len, const uint8_t *text, size_t len)
{
	uint32_t point;
	size_t used, n;

	if (text[0] >= 0x20 && text[0] <= 0x7e) {
		out[0] = out[1] = (char)text[0];
		*ret_out_len = text[0] == '\\' ? 2 : 1;
		return 1;
	}
	used = utf8_sequence(text, len, &point);
	if (used > 0) {
		memcpy(out, "\\u{", 3);
		n = 3 + put_hex(out + 3, point, 1);
		out[n] = '}';
		*ret_out_len = n + 1;
		return used;
	}
	memcpy(out, "\\x", 2);
	*ret_out_len = 2 + put_hex(out + 2, text[0], 2);
	return 1;
}

bool
vis(char *ret_out, size_t cap, const char *text, size_t len)
{
	const uint8_t *from = (const uint8_t *)text;
	size_t at = 0, out = 0;

	if (cap == 0)
		return false;
	if (MUTATE(VIS) && len < cap) {
		memcpy(ret_out, text, len);
		ret_out[len] = 0;
		return true;
	}
	while (at < len) {
		char one[VIS_ONE_MAX];
		size_t one_len, used = vis_one(one, &one_len, from + at, len - at);

		if (one_len > cap - 1 - out)
			break;
		memcpy(ret_out + out, one, one_len);
		out += one_len;
		at += used;
	}
	ret_out[out] = 0;
	return at == len;
}

/*
 * Eight bytes at once, as most texts are plain.  The sums are exact: a byte that could carry into its neighbour has
 * its top bit set, and then the word is not taken anyway.
 */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOPS EACH(0x80)

static uint64_t
word_at(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/* 0x20-0x7e, all eight? */
static bool
word_is_printable(uint64_t w)
{
	return ((w | (w + EACH(0x01))) & TOPS) == 0 && ((w + EACH(0x60)) & TOPS) == TOPS;
}

/* 0x01-0x7f, all eight? */
static bool
word_is_ascii(uint64_t w)
{
	return (w & TOPS) == 0 && ((w + EACH(0x7f)) & TOPS) == TOPS;
}

bool
text_is_ascii(const char *text, size_t len)
{
	size_t at = 0;

	for (; len - at >= 8; at += 8) {
		if (!word_is_printable(word_at(text + at)))
			return false;
	}
	if (len >= 8) /* what is left, with some of what was seen already */
		return word_is_printable(word_at(text + len - 8));
	for (; at < len; at++) {
		if (text[at] < 0x20 || text[at] > 0x7e)
			return false;
	}
	return true;
}

bool
text_is_utf8(const char *text, size_t len)
{
	const uint8_t *from = (const uint8_t *)text;
	size_t at = 0;

	while (at < len) {
		uint32_t point;
		size_t used = 1;

		if (len - at >= 8 && word_is_ascii(word_at(text + at))) {
			at += 8;
			continue;
		}
		if (at >= 8 && len - at < 8 && word_is_ascii(word_at(text + len - 8)))
			return true; /* what is left, with some of what was seen already */
		if (from[at] == 0)
			return false;
		if (from[at] >= 0x80)
			used = utf8_sequence(from + at, len - at, &point);
		if (used == 0)
			return false;
		at += used;
	}
	return true;
}
