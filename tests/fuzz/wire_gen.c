/* SPDX-License-Identifier: Apache-2.0 */
/* Random valid messages: one pass over messages.def; a record is drawn until its own check holds. */
#include "wire_gen.h"

static uint64_t
gen_u64(struct gen *g)
{
	uint64_t v = (g->state += 0x9e3779b97f4a7c15u); /* splitmix64 */

	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
	v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
	return v ^ (v >> 31);
}

uint32_t
gen_below(struct gen *g, uint32_t n)
{
	return (uint32_t)(gen_u64(g) % n);
}

static bool
gen_one_in(struct gen *g, uint32_t n)
{
	return gen_below(g, n) == 0;
}

/* Numbers near the limits that the checks of records look at, or any number. */
static int64_t
gen_number(struct gen *g)
{
	static const int64_t NEAR[] = {-1, -1, -1, 0, 1, 4, 6, 17, 22, 32, 58, 128, 443, 65535};

	if (gen_one_in(g, 4))
		return (int64_t)gen_u64(g);
	return NEAR[gen_below(g, sizeof(NEAR) / sizeof(NEAR[0]))];
}

/* Empty, short, at the maximum, or anything between. */
static size_t
gen_len(struct gen *g, size_t most)
{
	size_t short_most = most < 12 ? most : 12;

	switch (gen_below(g, g->small ? 4 : 8)) {
	case 0:
		return 0;
	case 4:
		return most;
	case 5:
		return gen_below(g, (uint32_t)most + 1);
	default:
		return gen_below(g, (uint32_t)short_most + 1);
	}
}

static size_t
gen_count(struct gen *g, size_t most)
{
	size_t few = most < 3 ? most : 3;

	if (g->small)
		return gen_below(g, 3);
	if (gen_one_in(g, 16))
		return most;
	return gen_below(g, (uint32_t)few + 1);
}

static void
gen_bytes(struct gen *g, uint8_t *ret_data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret_data[i] = (uint8_t)gen_u64(g);
}

static void
gen_text(struct gen *g, char *ret_text, size_t most, bool lines)
{
	size_t len = gen_len(g, most);

	for (size_t i = 0; i < len; i++)
		ret_text[i] = (char)(0x20 + gen_below(g, 0x5f));
	if (lines && len > 0)
		ret_text[gen_below(g, (uint32_t)len)] = '\n';
	ret_text[len] = 0;
}

static uint32_t
gen_code_point(struct gen *g)
{
	static const uint32_t EDGES[] = {
	    0x01, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0x202e, 0xffff, 0x10000, 0x10ffff};

	if (gen_one_in(g, 2))
		return 0x20 + gen_below(g, 0x5f);
	return EDGES[gen_below(g, sizeof(EDGES) / sizeof(EDGES[0]))];
}

/* RFC 3629; returns how many bytes it took. */
static size_t
utf8_put(uint8_t out[4], uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t LEAD[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i > 1; i--) {
		out[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (uint8_t)(LEAD[n] | c);
	return n;
}

static void
gen_utf8(struct gen *g, char *ret_text, size_t most)
{
	size_t want = gen_len(g, most), len = 0;

	while (len < want) {
		uint8_t bytes[4];
		size_t n = utf8_put(bytes, gen_code_point(g));

		if (len + n > most)
			break;
		memcpy(ret_text + len, bytes, n);
		len += n;
	}
	ret_text[len] = 0;
}

/* Drawing alone would seldom meet a canonical prefix: clear the host bits of what was drawn. */
static void
fix_cidr(struct gen *g, struct rec_cidr *r)
{
	r->family = gen_one_in(g, 2) ? 4 : 6;
	r->prefix = (uint8_t)gen_below(g, r->family == 4 ? 33 : 129);
	for (unsigned i = r->prefix; i < 128; i++)
		r->addr[i / 8] = (uint8_t)(r->addr[i / 8] & ~(0x80u >> (i % 8)));
}

static void
fix_nothing(struct gen *g, void *r)
{
	(void)g;
	(void)r;
}

#define FIX(g, r) _Generic((r), struct rec_cidr * : fix_cidr, default : fix_nothing)((g), (r))

#define REC(name, comment)                                                                         \
	static void gen_rec_##name(struct gen *g, struct rec_##name *r)                            \
	{                                                                                          \
		do {                                                                               \
			memset(r, 0, sizeof(*r));
#define REC_END(name, check)                                                                       \
	FIX(g, r);                                                                                 \
	}                                                                                          \
	while (!(check))                                                                           \
		;                                                                                  \
	}
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	static void gen_body_##name(struct gen *g, struct msg_##name *r)                           \
	{                                                                                          \
		r->msg_no_padding = 0;
#define MSG_END(name) }
#define U8(name, comment) r->name = (uint8_t)gen_number(g);
#define U16(name, comment) r->name = (uint16_t)gen_number(g);
#define U32(name, comment) r->name = (uint32_t)gen_number(g);
#define U64(name, comment) r->name = (uint64_t)gen_number(g);
#define I16(name, comment) r->name = (int16_t)gen_number(g);
#define I32(name, comment) r->name = (int32_t)gen_number(g);
#define I64(name, comment) r->name = gen_number(g);
#define BOOL(name, comment) r->name = gen_one_in(g, 2);
#define ENUM(type, name, max, comment) r->name = (enum type)gen_below(g, (uint32_t)(max));
#define ASCII(name, most, comment) gen_text(g, r->name, (most), false);
#define UTF8(name, most, comment) gen_utf8(g, r->name, (most));
#define LINES(name, most, comment) gen_text(g, r->name, (most), true);
#define FIXED(name, n, comment) gen_bytes(g, r->name, (n));
#define BYTES(name, most, comment)                                                                 \
	r->name##_len = (uint16_t)gen_len(g, (most));                                              \
	gen_bytes(g, r->name, r->name##_len);
#define SUB(rec, name, comment) gen_rec_##rec(g, &r->name);
#define LIST(rec, name, most, comment)                                                             \
	r->n_##name = (uint16_t)gen_count(g, (most));                                              \
	for (size_t i = 0; i < r->n_##name; i++)                                                   \
		gen_rec_##rec(g, &r->name[i]);
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

#define MESSAGES_NO_FIELDS
#define REC(name, comment)
#define REC_END(name, check)
#define MSG_END(name)

void
gen_msg(struct gen *g, enum msg_id which, struct msg *ret_m)
{
	memset(ret_m, 0, sizeof(*ret_m));
	ret_m->id = which;
	switch (which) {
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	case MSG_##NAME:                                                                           \
		gen_body_##name(g, &ret_m->name);                                                  \
		break;
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
	}
}
#include <sgwarden/messages_undef.h>

void
gen_key_list(struct gen *g, struct rec_key_list *ret_list)
{
	gen_rec_key_list(g, ret_list);
}

void
gen_sealed_list(struct gen *g, struct rec_sealed_list *ret_list)
{
	gen_rec_sealed_list(g, ret_list);
}
