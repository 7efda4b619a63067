/* SPDX-License-Identifier: Apache-2.0 */
/* The characters of a JSON text (RFC 8259); see jtree_text.h. */
#include "jtree_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

bool
jt_fail(struct jt_text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->error, JTREE_ERROR_MAX, format, args);
	va_end(args);
	*t->error_at = t->at;
	return false;
}

const char *
jt_found(struct jt_text *t)
{
	const char *p = t->text + t->pos;
	size_t n = strcspn(p, " \t\r\n,:[]{}\"");

	if (t->pos == t->len)
		return "the end of the file";
	if (*p == '\n' || *p == '\r')
		return "the end of the line";
	if (*p == '"')
		return "a string";
	if (n == 0)
		n = 1;
	t->found[0] = '\'';
	vis(t->found + 1, sizeof(t->found) - 2, p, n < 24 ? n : 24);
	memcpy(t->found + strlen(t->found), "'", 2);
	return t->found;
}

void
jt_skip(struct jt_text *t)
{
	unsigned char c = (unsigned char)t->text[t->pos++];

	if (c == '\n') {
		t->at.line++;
		t->at.column = 1;
	} else if ((c & 0xc0) != 0x80) {
		t->at.column++; /* the bytes behind a character's first are no columns */
	}
}

void
jt_skip_n(struct jt_text *t, size_t n)
{
	while (n-- > 0)
		jt_skip(t);
}

bool
jt_check(struct jt_text *t)
{
	if (t->len >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0)
		return jt_fail(t, "the file starts with a byte order mark: save it as plain UTF-8");
	while (t->pos < t->len) {
		size_t n = 1;

		while (n <= 4 && !(n <= t->len - t->pos && text_is_utf8(t->text + t->pos, n)))
			n++;
		if (n > 4)
			return jt_fail(
			    t, "this byte is not UTF-8 text: save the file as plain UTF-8");
		jt_skip_n(t, n);
	}
	t->pos = 0;
	t->at = (struct jt_place){1, 1};
	return true;
}

static bool
comment_skip(struct jt_text *t)
{
	struct jt_place from = t->at;
	bool block = t->text[t->pos + 1] == '*';

	jt_skip_n(t, 2);
	while (t->pos < t->len) {
		if (!block && jt_peek(t) == '\n')
			return true;
		if (block && jt_peek(t) == '*' && t->text[t->pos + 1] == '/') {
			jt_skip_n(t, 2);
			return true;
		}
		jt_skip(t);
	}
	if (!block)
		return true;
	t->at = from;
	return jt_fail(t, "this comment has no end");
}

bool
jt_space(struct jt_text *t)
{
	for (;;) {
		char c = jt_peek(t);

		if (c != 0 && strchr(" \t\r\n", c))
			jt_skip(t);
		else if (c == '/' && (t->text[t->pos + 1] == '/' || t->text[t->pos + 1] == '*')) {
			if (!comment_skip(t))
				return false;
		} else
			return true;
	}
}

/* ---- strings ---- */

static bool
hex4(const char *p, uint32_t *ret_v)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret_v = v;
	return true;
}

/* Behind \u: four digits, and for a surrogate its other half.  Returns bytes taken; 0: not well-formed, or NUL. */
static size_t
unicode_take(const char *p, uint32_t *ret_c)
{
	uint32_t low;

	if (!hex4(p, ret_c) || *ret_c == 0)
		return 0;
	if (*ret_c < 0xd800 || *ret_c > 0xdfff)
		return 4;
	if (*ret_c > 0xdbff || p[4] != '\\' || p[5] != 'u' || !hex4(p + 6, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return 0;
	*ret_c = 0x10000 + ((*ret_c - 0xd800) << 10) + (low - 0xdc00);
	return 10;
}

static char *
utf8_put(char *out, uint32_t c)
{
	static const uint8_t LEAD[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i > 1; i--) {
		out[i - 1] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(LEAD[n] | c);
	return out + n;
}

/* The escape at the present place (a backslash); the decoded form is never longer. */
static bool
escape_take(struct jt_text *t, char **out)
{
	static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
	char c = t->text[t->pos + 1];
	const char *simple = c ? strchr(FROM, c) : NULL;
	uint32_t code;
	size_t n;

	if (simple) {
		jt_skip_n(t, 2); /* first: the decoded character lands where the escape stands */
		*(*out)++ = TO[simple - FROM];
		return true;
	}
	if (c != 'u')
		return jt_fail(t, "no such escape in JSON; a backslash itself is written \\\\");
	n = unicode_take(t->text + t->pos + 2, &code);
	if (n == 0)
		return jt_fail(
		    t, "expected \\u and four hexadecimal digits of a character other than NUL");
	jt_skip_n(t, 2 + n);
	*out = utf8_put(*out, code);
	return true;
}

bool
jt_string(struct jt_text *t, char **ret_text)
{
	struct jt_place from = t->at;
	char *out;

	jt_skip(t);
	*ret_text = out = t->text + t->pos;
	while (jt_peek(t) != '"') {
		unsigned char c = (unsigned char)jt_peek(t);

		if (t->pos == t->len || c == '\n') {
			t->at = from;
			return jt_fail(t, "this string has no end on its line");
		}
		if (c < 0x20)
			return jt_fail(t, "a control character stands in this string");
		if (c == '\\') {
			if (!escape_take(t, &out))
				return false;
			continue;
		}
		*out++ = (char)c;
		jt_skip(t);
	}
	jt_skip(t);
	*out = 0;
	return true;
}

/* ---- numbers ---- */

static size_t
digits(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* RFC 8259, section 6: [-] int [frac] [exp]. */
bool
jt_number(const char *word, size_t len, bool *ret_whole, int64_t *ret_number)
{
	size_t at = len > 0 && word[0] == '-', n = digits(word + at, len - at);
	char copy[24];

	if (n == 0 || (n > 1 && word[at] == '0'))
		return false;
	at += n;
	*ret_whole = at == len && len < sizeof(copy);
	if (*ret_whole) {
		memcpy(copy, word, len);
		copy[len] = 0;
		errno = 0;
		*ret_number = strtoll(copy, NULL, 10);
		*ret_whole = errno == 0;
	}
	if (at < len && word[at] == '.') {
		n = digits(word + at + 1, len - at - 1);
		if (n == 0)
			return false;
		at += 1 + n;
	}
	if (at < len && (word[at] | 0x20) == 'e') {
		at++;
		at += at < len && (word[at] == '+' || word[at] == '-');
		n = digits(word + at, len - at);
		if (n == 0)
			return false;
		at += n;
	}
	return at == len;
}
