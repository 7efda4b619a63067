/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes undone one code unit at a time; ids and the words for what is wrong with a line. */
#include "json_text.h"

#include <string.h>

#include "json_check.h"

bool
json_hex4(const char *text, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	for (size_t i = 0; i < 4; i++) {
		char ch = text[i];
		uint32_t digit;

		if (ch >= '0' && ch <= '9')
			digit = (uint32_t)(ch - '0');
		else if (ch >= 'a' && ch <= 'f')
			digit = (uint32_t)(ch - 'a') + 10;
		else if (ch >= 'A' && ch <= 'F')
			digit = (uint32_t)(ch - 'A') + 10;
		else
			return false;
		unit = unit << 4 | digit;
	}
	*ret_unit = unit;
	return true;
}

/* A reader of UTF-8 bytes; an escape beyond ASCII yields up to four. */
struct reader {
	const char *text;
	size_t len;
	size_t at;
	uint8_t pending[4];
	unsigned n_pending;
	unsigned pending_at;
};

static uint8_t
simple_escape(char what)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found = strchr(from, what);

	return found ? (uint8_t)to[found - from] : (uint8_t)what;
}

static void
pend(struct reader *r, uint32_t point)
{
	r->pending_at = 0;
	if (point < 0x80) {
		r->pending[0] = (uint8_t)point;
		r->n_pending = 1;
	} else if (point < 0x800) {
		r->pending[0] = (uint8_t)(0xc0 | point >> 6);
		r->n_pending = 2;
	} else if (point < 0x10000) {
		r->pending[0] = (uint8_t)(0xe0 | point >> 12);
		r->n_pending = 3;
	} else {
		r->pending[0] = (uint8_t)(0xf0 | point >> 18);
		r->n_pending = 4;
	}
	for (unsigned i = 1; i < r->n_pending; i++)
		r->pending[i] = (uint8_t)(0x80 | (point >> 6 * (r->n_pending - 1 - i) & 0x3f));
}

static void
pend_unicode(struct reader *r)
{
	uint32_t unit = 0, low = 0;

	json_hex4(r->text + r->at + 2, &unit);
	r->at += 6;
	if (unit >= 0xd800 && unit <= 0xdbff && r->len - r->at >= 6) {
		json_hex4(r->text + r->at + 2, &low);
		r->at += 6;
		unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
	}
	pend(r, unit);
}

/* The next byte, or -1 at the end. */
static int
next(struct reader *r)
{
	if (r->pending_at < r->n_pending)
		return r->pending[r->pending_at++];
	if (r->at >= r->len)
		return -1;
	if (r->text[r->at] != '\\' || r->len - r->at < 2)
		return (uint8_t)r->text[r->at++];
	if (r->text[r->at + 1] == 'u' && r->len - r->at >= 6) {
		pend_unicode(r);
		return r->pending[r->pending_at++];
	}
	r->at += 2;
	return simple_escape(r->text[r->at - 1]);
}

/* Without an escape, which is nearly always, the bytes are the text. */
static bool
is_plain(const char *text, size_t len)
{
	return memchr(text, '\\', len) == NULL;
}

bool
json_text_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct reader x = {.text = a, .len = a_len}, y = {.text = b, .len = b_len};

	if (is_plain(a, a_len) && is_plain(b, b_len))
		return a_len == b_len && memcmp(a, b, a_len) == 0;
	for (;;) {
		int p = next(&x), q = next(&y);

		if (p != q)
			return false;
		if (p < 0)
			return true;
	}
}

uint32_t
json_text_hash(const char *text, size_t len)
{
	struct reader r = {.text = text, .len = len};
	uint32_t hash = 2166136261u; /* FNV-1a; collisions cost a comparison, no more */

	if (is_plain(text, len)) {
		for (size_t i = 0; i < len; i++)
			hash = (hash ^ (uint8_t)text[i]) * 16777619u;
		return hash;
	}
	for (int b = next(&r); b >= 0; b = next(&r))
		hash = (hash ^ (uint32_t)b) * 16777619u;
	return hash;
}

bool
json_slice_is_id(struct json_slice slice)
{
	size_t i = 0;

	if (slice.at == NULL || slice.len == 0)
		return false;
	if (slice.at[0] == '"')
		return true;
	if (slice.at[0] == '-')
		i++;
	for (; i < slice.len; i++) {
		if (slice.at[i] < '0' || slice.at[i] > '9')
			return false;
	}
	return true;
}

bool
json_slice_equal(struct json_slice a, struct json_slice b)
{
	if (!json_slice_is_id(a) || !json_slice_is_id(b) || (a.at[0] == '"') != (b.at[0] == '"'))
		return false;
	return json_text_equal(a.at, a.len, b.at, b.len);
}

struct problem_row {
	int code;
	const char *text;
};

static const struct problem_row PROBLEMS[JSON_PROBLEM_MAX] = {
    [JSON_OK] = {0, "no problem"},
    [JSON_EMPTY] = {-32700, "Parse error: an empty line is no message"},
    [JSON_UTF8] = {-32700, "Parse error: the line is not well-formed UTF-8"},
    [JSON_SYNTAX] = {-32700, "Parse error: the line is not one JSON value"},
    [JSON_CONTROL] = {-32700, "Parse error: a control character in a string must be escaped"},
    [JSON_NUL] = {-32600, "Invalid request: \\u0000 is not accepted in any text"},
    [JSON_SURROGATE] = {-32600, "Invalid request: half of a surrogate pair in a text"},
    [JSON_DUPLICATE] = {-32600, "Invalid request: an object has the same member twice"},
    [JSON_DEPTH] = {-32600, "Invalid request: nested too deeply"},
    [JSON_MEMBERS] = {-32600, "Invalid request: too many values"},
    [JSON_NUMBER] = {-32600, "Invalid request: a number of more than 63 characters"},
    [JSON_LINE] = {-32600, "Invalid request: the line is too long"},
};

int
json_problem_code(enum json_problem problem)
{
	return PROBLEMS[problem].code;
}

const char *
json_problem_text(enum json_problem problem)
{
	return PROBLEMS[problem].text;
}
