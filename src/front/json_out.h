/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a bounded buffer: commas are put where they belong, texts are escaped, and the buffer's `failed`
 * says at the end whether all of it fitted.
 */
#ifndef FRONT_JSON_OUT_H
#define FRONT_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sgwarden/buf.h>

#include "json_check.h"

struct jw {
	struct buf *b;
	bool comma; /* the next value or key stands behind another one */
};

static inline struct jw
jw_over(struct buf *b)
{
	return (struct jw){.b = b};
}

void jw_open(struct jw *w, char bracket); /* '{' or '[' */
void jw_close(struct jw *w, char bracket);
void jw_key(struct jw *w, const char *key);   /* our own plain names */
void jw_text(struct jw *w, const char *text); /* UTF-8 */
void jw_chars(struct jw *w, const char *text, size_t len);
void jw_json(struct jw *w, const char *json, size_t len); /* JSON of ours, as a text */
void jw_vis(struct jw *w, const char *text); /* anybody's words: printable ASCII first, then JSON */
void jw_int(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_hex(struct jw *w, const uint8_t *bytes, size_t len); /* as a text */
void jw_raw(struct jw *w, const char *json, size_t len);     /* one value, already JSON */

/* jw_key() from the literal `,"name":`, so that the copy is of a fixed length. */
static inline void
jw_name(struct jw *w, const char *quoted, size_t len)
{
	size_t skip = w->comma ? 0 : 1;
	struct buf *b = w->b;

	if (b->failed || len > b->cap - b->len)
		(void)buf_put(b, quoted + skip, len - skip);
	else {
		/* without the comma the literal's NUL comes along, and is written over */
		memcpy(b->data + b->len, quoted + skip, len);
		b->len += len - skip;
	}
	w->comma = false;
}

/* Key and value in one. */
void jw_key_text(struct jw *w, const char *key, const char *text);
void jw_key_int(struct jw *w, const char *key, int64_t v);
void jw_key_bool(struct jw *w, const char *key, bool v);

/* What `json` costs in a reply that carries it twice: as it is, and escaped inside a text. */
size_t jw_cost_twice(const uint8_t *json, size_t len);
bool jw_fits_twice(const uint8_t *json, size_t len, size_t most); /* is that at most `most`? */

#endif
