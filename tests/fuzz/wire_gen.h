/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random valid messages, and where in their bytes each rule of the format applies; both made from messages.def, so
 * that a new message is tested and fuzzed by standing in the table.
 */
#ifndef FUZZ_WIRE_GEN_H
#define FUZZ_WIRE_GEN_H

#include <sgwarden/wire.h>

struct gen {
	uint64_t state; /* the seed; equal seeds give equal messages */
	bool
	    small; /* short texts and lists only: for seed corpora and for tests of every truncation */
};

uint32_t gen_below(struct gen *g, uint32_t n); /* 0 … n - 1; n > 0 */

/* Fills all of ret_m, padding included, so that two messages may be compared as memory. */
void gen_msg(struct gen *g, enum msg_id id, struct msg *ret_m);

/* The records that are files and in no message. */
void gen_key_list(struct gen *g, struct rec_key_list *ret_list);
void gen_sealed_list(struct gen *g, struct rec_sealed_list *ret_list);

enum mark_kind {
	MARK_BOOL,
	MARK_ENUM,
	MARK_ASCII,
	MARK_UTF8,
	MARK_LINES,
	MARK_BYTES,
	MARK_LIST,
	MARK_CIDR,
};

/* One place in a datagram; for texts, bytes and lists `at` is where their length stands. */
struct mark {
	enum mark_kind kind;
	size_t at;
	size_t len;    /* of the value now */
	unsigned most; /* the longest that is allowed; for ENUM its _MAX */
};

#define MARKS_MAX 8192

struct marks {
	size_t n;
	size_t at; /* once all is marked: the length of the datagram */
	struct mark mark[MARKS_MAX];
};

void mark_msg(const struct msg *m, struct marks *ret_marks);

#endif
