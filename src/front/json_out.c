/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text into a bounded buffer. */
#include "json_out.h"

#include <inttypes.h>
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

/* The escape of one byte, or NULL where it stands for itself. */
static const char *
escape_of(uint8_t byte, char space[7])
{
	static const char hex[] = "0123456789abcdef";

	if (byte == '"')
		return "\\\"";
	if (byte == '\\')
		return "\\\\";
	if (byte == '\n')
		return "\\n";
	if (byte >= 0x20 && byte != 0x7f)
		return NULL;
	memcpy(space, "\\u00", 4);
	space[4] = hex[byte >> 4];
	space[5] = hex[byte & 15];
	space[6] = 0;
	return space;
}

static void
put_escaped(struct buf *b, const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		char space[7];
		const char *escape = escape_of((uint8_t)text[i], space);

		if (escape == NULL)
			continue;
		buf_put(b, text + from, i - from);
		buf_puts(b, escape);
		from = i + 1;
	}
	buf_put(b, text + from, len - from);
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
jw_vis(struct jw *w, const char *text)
{
	char out[VIS_MAX(SGW_REASON_MAX)];

	vis(out, sizeof(out), text, strlen(text));
	jw_text(w, out);
}

void
jw_int(struct jw *w, int64_t v)
{
	before_value(w);
	buf_printf(w->b, "%" PRId64, v);
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

size_t
jw_cost_twice(const uint8_t *json, size_t len)
{
	size_t cost = 2 * len;

	/* Inside JSON there is no control character: what needs an escape is a quote or a backslash. */
	for (size_t i = 0; i < len; i++)
		cost += json[i] == '"' || json[i] == '\\';
	return cost;
}
