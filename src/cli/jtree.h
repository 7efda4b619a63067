/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with comments (two slashes to the end of the line, or slash-star to star-slash) for files that a person
 * edits: otherwise exactly RFC 8259, with the line and column of everything, no key twice in one object.
 */
#ifndef CLI_JTREE_H
#define CLI_JTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JTREE_NODES_MAX 4096
#define JTREE_DEPTH_MAX 8
#define JTREE_ERROR_MAX 640

enum jt_type {
	JT_NULL,
	JT_BOOL,
	JT_NUMBER,
	JT_STRING,
	JT_ARRAY,
	JT_OBJECT,
};

struct jt_place {
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in characters */
};

struct jt_node {
	enum jt_type type;
	struct jt_place at;
	bool truth;       /* JT_BOOL */
	bool whole;       /* JT_NUMBER: written as a whole number that an int64_t holds */
	int64_t number;   /* JT_NUMBER, whole */
	const char *text; /* JT_STRING: UTF-8, NUL behind it, none in it */
	const char *key;  /* member of an object: likewise */
	struct jt_place key_at;
	struct jt_node *first; /* JT_ARRAY, JT_OBJECT: in the order of the file; NULL: empty */
	struct jt_node *next;  /* behind it in the same array or object */
};

struct jtree {
	struct jt_node node[JTREE_NODES_MAX];
	size_t n;
	struct jt_place error_at;
	char error[JTREE_ERROR_MAX]; /* printable */
};

/*
 * Parses `text`, which is changed: strings are decoded in place and belong to it.  `text` ends in a NUL at [len].
 * The root, or NULL with error and error_at set.
 */
struct jt_node *jtree_parse(struct jtree *tree, char *text, size_t len);

const char *jt_type_name(enum jt_type type); /* "a string", "true or false" … */
struct jt_node *jt_member(const struct jt_node *object, const char *key); /* NULL: none */

#endif
