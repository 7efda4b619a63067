/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text into a bounded buffer. */
#include "json_out.h"

#include <string.h>

#include <sgwarden/limits.h>
#include <sgwarden/vis.h>

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

/* The escape of a byte that does not stand for itself; how long it is. */
static size_t
put_escape(uint8_t *to, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	to[0] = '\\';
	if (ESCAPES[byte] == 2) {
		to[1] = byte == '\n' ? 'n' : byte;
		return 2;
	}
	memcpy(to + 1, "u00", 3);
	to[4] = (uint8_t)hex[byte >> 4];
	to[5] = (uint8_t)hex[byte & 15];
	return ESCAPE_MAX;
}

/* `to` has room for the worst case; the end of what was written. */
static uint8_t *
escape_into(uint8_t *to, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (ESCAPES[text[i]] == 0)
			*to++ = text[i];
		else
			to += put_escape(to, text[i]);
	}
	return to;
}

static void
put_escaped(struct buf *b, const char *text, size_t len)
{
	const uint8_t *from = (const uint8_t *)text;

	while (len > 0 && !b->failed) {
		size_t sure = (b->cap - b->len) / ESCAPE_MAX, n = len < sure ? len : sure;
		uint8_t last[ESCAPE_MAX];

		if (n > 0) {
			b->len = (size_t)(escape_into(b->data + b->len, from, n) - b->data);
		} else { /* the buffer's last bytes, one character at a time */
			n = 1;
			buf_put(b, last, (size_t)(escape_into(last, from, 1) - last));
		}
		from += n;
		len -= n;
	}
}

void
jw_chars(struct jw *w, const char *text, size_t len)
{
	before_value(w);
	buf_put_u8(w->b, '"');
	put_escaped(w->b, text, len);
	buf_put_u8(w->b, '"');
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

void
jw_name(struct jw *w, const char *quoted, size_t len)
{
	size_t from = w->comma ? 0 : 1;

	buf_put(w->b, quoted + from, len - from);
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
	before_value(w);
	buf_puts(w->b, v ? "true" : "false");
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

/* Is each of the eight bytes `byte`?  A 1 where it is, exactly. */
static uint64_t
word_matches(uint64_t w, uint64_t byte)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t x = w ^ byte * UINT64_C(0x0101010101010101);

	return ~(((x & low) + low) | x | low) >> 7;
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
		cost += w * UINT64_C(0x0101010101010101) >> 56; /* the eight of them in sum */
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
