/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text into a bounded buffer. */
#include "json_out.h"

#include <endian.h>
#include <string.h>

#include <sgwarden/limits.h>
#include <sgwarden/vis.h>

/* Where the next bytes go, if there is room for so many; NULL: for fewer, or for none. */
static uint8_t *
room(const struct buf *b, size_t most)
{
	return !b->failed && most <= b->cap - b->len ? b->data + b->len : NULL;
}

static void
advance(struct buf *b, const uint8_t *end)
{
	b->len = (size_t)(end - b->data);
}

static void
before_value(struct jw *w)
{
	if (w->comma)
		buf_put_u8(w->b, ',');
	w->comma = true;
}

void
jw_open(struct jw *w, char bracket)
{
	before_value(w);
	buf_put_u8(w->b, (uint8_t)bracket);
	w->comma = false;
}

void
jw_close(struct jw *w, char bracket)
{
	buf_put_u8(w->b, (uint8_t)bracket);
	w->comma = true;
}

#define ESCAPE_MAX 6 /* "\u007f" */

/* How long a byte's escape is; 0: it stands for itself. */
static const uint8_t ESCAPES[256] = {
    [0x00 ... '\n' - 1] = ESCAPE_MAX,
    ['\n'] = 2,
    ['\n' + 1 ... 0x1f] = ESCAPE_MAX,
    ['"'] = 2,
    ['\\'] = 2,
    [0x7f] = ESCAPE_MAX,
};

/* A byte as itself or as its escape; the end of what was written. */
static inline uint8_t *
put_byte(uint8_t *to, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	if (ESCAPES[byte] == 0) {
		*to++ = byte;
		return to;
	}
	*to++ = '\\';
	if (ESCAPES[byte] == 2) {
		*to++ = byte == '\n' ? 'n' : byte;
		return to;
	}
	memcpy(to, "u00", 3);
	to[3] = (uint8_t)hex[byte >> 4];
	to[4] = (uint8_t)hex[byte & 15];
	return to + 5;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is each of the eight bytes `byte`?  A 1 where it is, exactly. */
static uint64_t
word_matches(uint64_t w, uint64_t byte)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t x = w ^ EACH(byte);

	return ~(((x & low) + low) | x | low) >> 7;
}

/* The top bit of each byte below `byte`; behind the first such byte, also of others. */
static uint64_t
word_below(uint64_t w, uint64_t byte)
{
	return (w - EACH(byte)) & ~w & EACH(0x80);
}

/* How many of the word's first bytes stand for themselves. */
static size_t
word_plain(uint64_t w)
{
	uint64_t special = word_below(w, 0x20) | word_below(w ^ EACH('"'), 1) |
			   word_below(w ^ EACH('\\'), 1) | word_below(w ^ EACH(0x7f), 1);

	return special == 0 ? sizeof(w) : (size_t)__builtin_ctzll(special) / 8;
}

/* `to` has room for the worst case; the end of what was written. */
static uint8_t *
escape_into(uint8_t *to, const uint8_t *text, size_t len)
{
	const uint8_t *end = text + len;

	while (end - text >= 8) {
		uint64_t w;
		size_t n;

		memcpy(&w, text, sizeof(w));
		memcpy(to, &w, sizeof(w)); /* all eight: what is not plain is written over */
		n = word_plain(le64toh(w));
		to += n;
		text += n;
		if (n < sizeof(w))
			to = put_byte(to, *text++);
	}
	while (text < end)
		to = put_byte(to, *text++);
	return to;
}

/* Where the worst case does not fit: as much of it as surely does, in turns. */
static void
put_escaped(struct buf *b, const char *text, size_t len)
{
	const uint8_t *from = (const uint8_t *)text;

	while (len > 0 && !b->failed) {
		size_t sure = (b->cap - b->len) / ESCAPE_MAX, n = len < sure ? len : sure;
		uint8_t last[ESCAPE_MAX];

		if (n > 0) {
			advance(b, escape_into(b->data + b->len, from, n));
		} else { /* the buffer's last bytes, one character at a time */
			n = 1;
			buf_put(b, last, (size_t)(put_byte(last, *from) - last));
		}
		from += n;
		len -= n;
	}
}

void
jw_chars(struct jw *w, const char *text, size_t len)
{
	uint8_t *to = room(w->b, 3 + ESCAPE_MAX * len);

	if (to == NULL) {
		before_value(w);
		buf_put_u8(w->b, '"');
		put_escaped(w->b, text, len);
		buf_put_u8(w->b, '"');
		return;
	}
	if (w->comma)
		*to++ = ',';
	*to++ = '"';
	to = escape_into(to, (const uint8_t *)text, len);
	*to++ = '"';
	advance(w->b, to);
	w->comma = true;
}

/*
 * Quotes and backslashes alone: control characters are escaped in it already.  `to` has room for twice as much and a
 * word; the end of what was written.  Where the next word is read does not hang on what stood in this one, so that the
 * machine works on several side by side.
 */
static uint8_t *
escape_json_into(uint8_t *to, const uint8_t *json, size_t len)
{
	size_t at = 0;

	for (; len - at >= 8; at += 8) {
		uint64_t w, special;

		memcpy(&w, json + at, sizeof(w));
		memcpy(to, &w, sizeof(w));
		w = le64toh(w);
		special = word_matches(w, '"') | word_matches(w, '\\');
		for (; special != 0; special &= special - 1) {
			unsigned before = (unsigned)__builtin_ctzll(special) / 8;
			uint64_t rest = htole64(w >> 8 * before);

			to[before] = '\\';
			to++;
			memcpy(to + before, &rest, sizeof(rest));
		}
		to += 8;
	}
	for (; at < len; at++) {
		if (json[at] == '"' || json[at] == '\\')
			*to++ = '\\';
		*to++ = json[at];
	}
	return to;
}

void
jw_json(struct jw *w, const char *json, size_t len)
{
	uint8_t *to = room(w->b, 3 + 2 * len + sizeof(uint64_t));

	if (to == NULL) {
		jw_chars(w, json, len);
		return;
	}
	if (w->comma)
		*to++ = ',';
	*to++ = '"';
	to = escape_json_into(to, (const uint8_t *)json, len);
	*to++ = '"';
	advance(w->b, to);
	w->comma = true;
}

void
jw_text(struct jw *w, const char *text)
{
	jw_chars(w, text, strlen(text));
}

void
jw_key(struct jw *w, const char *key)
{
	jw_text(w, key);
	buf_put_u8(w->b, ':');
	w->comma = false;
}

static void __attribute__((noinline)) put_vis(struct jw *w, const char *text, size_t len)
{
	char out[VIS_MAX(SGW_REASON_MAX)];

	vis(out, sizeof(out), text, len);
	jw_text(w, out);
}

void
jw_vis(struct jw *w, const char *text)
{
	size_t len = strlen(text);

	/* what vis() would leave as it is, which is nearly everything */
	if (len < VIS_MAX(SGW_REASON_MAX) && text_is_ascii(text, len) && !memchr(text, '\\', len))
		jw_chars(w, text, len);
	else
		put_vis(w, text, len);
}

void
jw_int(struct jw *w, int64_t v)
{
	before_value(w);
	buf_put_decimal(w->b, v);
}

void
jw_bool(struct jw *w, bool v)
{
	jw_raw(w, v ? "true" : "false", v ? 4 : 5);
}

void
jw_hex(struct jw *w, const uint8_t *bytes, size_t len)
{
	before_value(w);
	buf_put_u8(w->b, '"');
	buf_put_hex(w->b, bytes, len);
	buf_put_u8(w->b, '"');
}

void
jw_raw(struct jw *w, const char *json, size_t len)
{
	before_value(w);
	buf_put(w->b, json, len);
}

void
jw_key_text(struct jw *w, const char *key, const char *text)
{
	jw_key(w, key);
	jw_text(w, text);
}

void
jw_key_int(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void
jw_key_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

size_t
jw_cost_twice(const uint8_t *json, size_t len)
{
	size_t cost = 2 * len, i = 0;

	/* Inside JSON there is no control character: what needs an escape is a quote or a backslash. */
	for (; len - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, json + i, sizeof(w));
		w = word_matches(w, '"') + word_matches(w, '\\');
		cost += EACH(w) >> 56; /* the eight of them in sum */
	}
	for (; i < len; i++)
		cost += json[i] == '"' || json[i] == '\\';
	return cost;
}

bool
jw_fits_twice(const uint8_t *json, size_t len, size_t most)
{
	/* a byte costs three at most */
	return len <= most / 3 || jw_cost_twice(json, len) <= most;
}
