/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer of AWS, from XML to typed records while it arrives.  Whatever is malformed, too large or does not fit
 * a record spoils the whole answer: nothing is cut silently but tags, which are counted, and the error message.
 *
 * DOCTYPE, encodings other than UTF-8, depth, text, items, single tags and bytes are bounded here
 * (<sgwarden/limits.h>); names are compared without their namespace prefix.
 */
#ifndef SGWARDEN_NET_ANSWER_H
#define SGWARDEN_NET_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <expat.h>

#include <sgwarden/wire.h>

#define XML_NAME_MAX 63 /* bytes of one element's local name; AWS's longest is half of that */
#define XML_NAMED 32
#define XML_TOKEN_MAX (1u << 20) /* bytes of one tag or comment, read anew with each piece of it */

struct answer;
struct xml_row;

/* Takes a page of records, or the identity.  False: its reader is gone, and the answer ends here. */
struct answer_sink {
	bool (*page)(void *context, const struct msg *m);
	void *context;
};

/* What the text of a leaf becomes; false: it does not fit. */
typedef bool (*xml_set)(struct answer *a, const struct xml_row *row, const char *text, size_t len);
typedef bool (*xml_edge)(struct answer *a);

/* One element that means something, by its path below the root.  All others are skipped. */
struct xml_row {
	const char *path;
	size_t path_len;
	xml_set set;         /* a leaf; at and size say where in struct answer its text belongs */
	xml_edge begin, end; /* an element that repeats and holds others; each may be NULL */
	size_t at, size;
	bool required; /* its parent row is not whole without it */
	bool cut;      /* text beyond SGW_XML_TEXT_MAX is dropped, not refused */
};

/* One form of answer: which root, to which calls, and what is in it. */
struct xml_shape {
	const char *root;
	uint32_t ops; /* bits of enum aws_op */
	bool error;   /* AWS says no */
	const struct xml_row *rows;
	size_t n_rows;   /* at most 64: one bit each */
	xml_edge finish; /* what must hold of the whole, or NULL */
};

extern const struct xml_shape XML_SHAPES[];
extern const size_t XML_SHAPES_LEN;

struct answer {
	/* what is being read */
	XML_Parser parser;
	const struct answer_sink *sink;
	enum aws_op op;
	uint32_t request;
	const struct xml_shape *shape; /* NULL until the root element */
	const char *why;               /* the first thing wrong, our words or expat's; NULL: none */
	const char *where;             /* the row's path, or NULL */

	/* where in it we are */
	unsigned depth; /* open elements */
	/* of each: what it is, or NULL; the rows whose path leads into it; where in these the next name stands */
	const struct xml_row *row[SGW_XML_DEPTH_MAX + 1];
	uint64_t under[SGW_XML_DEPTH_MAX + 1];
	size_t part_at[SGW_XML_DEPTH_MAX + 1];
	uint64_t named[XML_NAMED]; /* the rows by the names in their paths */
	uint64_t seen;             /* rows met in their parent so far */
	size_t bytes, text_run;
	uint32_t items;
	char text[SGW_XML_TEXT_MAX + 1]; /* of the open leaf */
	size_t text_len;

	/* what was read */
	char next_token[SGW_NEXT_TOKEN_MAX + 1];
	char code[SGW_AWS_CODE_MAX + 1];
	char message[SGW_AWS_MESSAGE_MAX + 1]; /* printable, cut */
	char request_id[SGW_AWS_CODE_MAX + 1];
	char account[SGW_ACCOUNT_MAX + 1];
	char arn[SGW_ARN_MAX + 1];
	bool returned;          /* <return>true</return> */
	uint32_t unknown;       /* permissions that AWS did not find */
	struct rec_rule rule;   /* the one being read */
	unsigned rule_sources;  /* how many it has so far: it must be one */
	struct rec_group group; /* the one being read */
	struct rec_tag tag;     /* the one being read */
	bool tag_too_long;
	struct msg page; /* MSG_AWS_RULES or MSG_AWS_GROUPS, sent when full */
};

/* salt: from getrandom(2), so that no answer can choose names whose hashes collide.  False: no memory. */
bool answer_open(struct answer *a, enum aws_op op, uint32_t request, unsigned long salt,
    const struct answer_sink *sink);
bool answer_feed(struct answer *a, const char *data, size_t len); /* false: see `why` */
/* The end of the answer: is it whole and what it must be?  Sends the last page. */
bool answer_finish(struct answer *a);
void answer_close(struct answer *a); /* frees the parser; the fields stay readable */

/* For the rows. */
void answer_fail(struct answer *a, const char *why, const char *where);
bool rule_begin(struct answer *a);
bool rule_end(struct answer *a);
bool rule_tag_end(struct answer *a);
bool group_begin(struct answer *a);
bool group_end(struct answer *a);
bool group_tag_end(struct answer *a);
bool group_rule_in(struct answer *a);
bool group_rule_out(struct answer *a);
bool tag_begin(struct answer *a);
bool unknown_permission(struct answer *a);
bool page_flush(struct answer *a);

bool set_ascii(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_utf8(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_bool(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_port(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_protocol(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_cidr4(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_cidr6(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_prefix_list(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_source_group(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_tag_text(struct answer *a, const struct xml_row *row, const char *text, size_t len);
bool set_message(struct answer *a, const struct xml_row *row, const char *text, size_t len);

#endif
