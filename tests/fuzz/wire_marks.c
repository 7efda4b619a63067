/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a datagram each field stands: a pass over messages.def that counts what the encoder writes. */
#include "wire_gen.h"

#include <stdlib.h>

static void
mark(struct marks *k, enum mark_kind kind, size_t len, unsigned most)
{
	if (k->n == MARKS_MAX)
		abort();
	k->mark[k->n++] = (struct mark){.kind = kind, .at = k->at, .len = len, .most = most};
}

static void
mark_text(struct marks *k, enum mark_kind kind, size_t len, unsigned most)
{
	mark(k, kind, len, most);
	k->at += 2 + len;
}

static void
mark_cidr(struct marks *k)
{
	mark(k, MARK_CIDR, 18, 0);
}

static void
mark_nothing(struct marks *k)
{
	(void)k;
}

#define MARK_START(k, r)                                                                           \
	_Generic((r), const struct rec_cidr * : mark_cidr, default : mark_nothing)((k))

#define REC(name, comment)                                                                         \
	__attribute__((unused)) static void mark_rec_##name(                                       \
	    struct marks *k, const struct rec_##name *r)                                           \
	{                                                                                          \
		MARK_START(k, r);
#define REC_END(name, check) }
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	static void mark_body_##name(struct marks *k, const struct msg_##name *r)                  \
	{                                                                                          \
		k->at = 4;                                                                         \
		(void)r;
#define MSG_END(name) }
#define U8(name, comment) k->at += 1;
#define U16(name, comment) k->at += 2;
#define U32(name, comment) k->at += 4;
#define U64(name, comment) k->at += 8;
#define I16(name, comment) k->at += 2;
#define I32(name, comment) k->at += 4;
#define I64(name, comment) k->at += 8;
#define BOOL(name, comment)                                                                        \
	mark(k, MARK_BOOL, 1, 2);                                                                  \
	k->at += 1;
#define ENUM(type, name, max, comment)                                                             \
	mark(k, MARK_ENUM, 1, (max));                                                              \
	k->at += 1;
#define ASCII(name, most, comment) mark_text(k, MARK_ASCII, strlen(r->name), (most));
#define UTF8(name, most, comment) mark_text(k, MARK_UTF8, strlen(r->name), (most));
#define LINES(name, most, comment) mark_text(k, MARK_LINES, strlen(r->name), (most));
#define FIXED(name, n, comment) k->at += (n);
#define BYTES(name, most, comment) mark_text(k, MARK_BYTES, r->name##_len, (most));
#define SUB(rec, name, comment) mark_rec_##rec(k, &r->name);
#define LIST(rec, name, most, comment)                                                             \
	mark(k, MARK_LIST, r->n_##name, (most));                                                   \
	k->at += 2;                                                                                \
	for (size_t i = 0; i < r->n_##name; i++)                                                   \
		mark_rec_##rec(k, &r->name[i]);
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

#define MESSAGES_NO_FIELDS
#define REC(name, comment)
#define REC_END(name, check)
#define MSG_END(name)

void
mark_msg(const struct msg *m, struct marks *ret_marks)
{
	ret_marks->n = 0;
	switch (m->id) {
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	case MSG_##NAME:                                                                           \
		mark_body_##name(ret_marks, &m->name);                                             \
		break;
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
	}
}
#include <sgwarden/messages_undef.h>
