/* SPDX-License-Identifier: Apache-2.0 */
/* The characters of a JSON text: position, space and comments, strings, numbers. */
#ifndef CLI_JTREE_TEXT_H
#define CLI_JTREE_TEXT_H

#include "jtree.h"

struct jt_text {
	char *text; /* a NUL at [len] */
	size_t len;
	size_t pos;
	struct jt_place at; /* of pos */
	char *error;
	struct jt_place *error_at;
	char found[64];
};

/* Notes the error at the present place; false, so that callers can return it. */
bool jt_fail(struct jt_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What stands at the present place, in words, for an error. */
const char *jt_found(struct jt_text *t);

/* Is all of it well-formed UTF-8 without NUL and without a byte order mark? */
bool jt_check(struct jt_text *t);

static inline char
jt_peek(const struct jt_text *t)
{
	return t->text[t->pos];
}

void jt_skip(struct jt_text *t);
void jt_skip_n(struct jt_text *t, size_t n);
bool jt_space(struct jt_text *t); /* space and comments; false: a comment without end */
bool jt_string(struct jt_text *t, char **ret_text);
bool jt_number(const char *word, size_t len, bool *ret_whole, int64_t *ret_number);

#endif
