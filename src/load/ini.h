/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the text of an AWS profile file, read as botocore reads it: `[section]`, `key = value` or
 * `key: value`, whole-line comments with '#' or ';', deeper indented lines continue the key above (its nested
 * settings).  A byte order mark and CRLF are taken.  Pure; slices point into the caller's text.
 */
#ifndef LOAD_INI_H
#define LOAD_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INI_LINE_MAX 8192 /* bytes; a session token is at most 4096 */

struct slice {
	const char *at;
	size_t len;
};

enum ini_event {
	INI_END,
	INI_SECTION,   /* name */
	INI_OPTION,    /* name, value; both trimmed */
	INI_CONTINUED, /* name: the key that a deeper indented line continues */
	INI_BAD,       /* problem: what is wrong with this line; never a byte of it */
};

struct ini_item {
	enum ini_event event;
	uint32_t line; /* from 1 */
	struct slice name;
	struct slice value;
	const char *problem;
	bool header; /* INI_BAD: the line was to be a section's header */
};

struct ini {
	const char *data;
	size_t len;
	size_t pos;
	uint32_t line;
	bool in_section;
	struct slice option; /* at == NULL: none in this section yet */
	size_t indent;       /* of that option */
};

struct ini ini_over(const char *data, size_t len);
void ini_next(struct ini *ini, struct ini_item *ret_item);

bool slice_is(struct slice s, const char *text);        /* equal, byte for byte */
bool slice_is_nocase(struct slice s, const char *text); /* ASCII case folded */
struct slice slice_trim(struct slice s);                /* blanks and tabs at both ends */

#endif
