/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated codec: messages.def is read once for the encoders, once for the decoders, once for the table.  The
 * primitives stand in fields.c; nothing here knows a message by name.
 */
#include <sgwarden/mutate.h>
#include <sgwarden/wire.h>

#include "fields.h"

/* ---- encoders ---- */

#define REC(name, comment)                                                                         \
	bool rec_##name##_encode(struct buf *b, const struct rec_##name *r)                        \
	{
#define REC_END(name, check)                                                                       \
	return !b->failed && (check);                                                              \
	}
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	static bool msg_##name##_encode(struct buf *b, const struct msg_##name *r)                 \
	{                                                                                          \
		(void)r;
#define MSG_END(name)                                                                              \
	return !b->failed;                                                                         \
	}
#define U8(name, comment) buf_put_u8(b, r->name);
#define U16(name, comment) buf_put_u16(b, r->name);
#define U32(name, comment) buf_put_u32(b, r->name);
#define U64(name, comment) buf_put_u64(b, r->name);
#define I16(name, comment) buf_put_u16(b, (uint16_t)r->name);
#define I32(name, comment) buf_put_u32(b, (uint32_t)r->name);
#define I64(name, comment) buf_put_u64(b, (uint64_t)r->name);
#define BOOL(name, comment) buf_put_u8(b, r->name ? 1 : 0);
#define ENUM(type, name, max, comment) field_put_enum(b, (unsigned)r->name, (max));
#define ASCII(name, most, comment) field_put_text(b, r->name, (most), TEXT_ASCII);
#define UTF8(name, most, comment) field_put_text(b, r->name, (most), TEXT_UTF8);
#define LINES(name, most, comment) field_put_text(b, r->name, (most), TEXT_LINES);
#define FIXED(name, n, comment) buf_put(b, r->name, (n));
#define BYTES(name, most, comment) field_put_bytes(b, r->name, r->name##_len, (most));
#define SUB(rec, name, comment)                                                                    \
	if (!rec_##rec##_encode(b, &r->name))                                                      \
		b->failed = true;
#define LIST(rec, name, most, comment)                                                             \
	if (!field_put_count(b, r->n_##name, (most)))                                              \
		return false;                                                                      \
	for (size_t i = 0; i < r->n_##name; i++)                                                   \
		if (!rec_##rec##_encode(b, &r->name[i]))                                           \
			b->failed = true;
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

/* ---- decoders ---- */

#define REC(name, comment)                                                                         \
	bool rec_##name##_decode(struct cur *c, struct rec_##name *r)                              \
	{
#define REC_END(name, check)                                                                       \
	return !c->failed && (check);                                                              \
	}
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	static bool msg_##name##_decode(struct cur *c, struct msg_##name *r)                       \
	{                                                                                          \
		r->msg_no_padding = 0;
#define MSG_END(name)                                                                              \
	return cur_done(c) || (MUTATE(TRAILING_BYTE) && !c->failed);                               \
	}
#define U8(name, comment) cur_get_u8(c, &r->name);
#define U16(name, comment) cur_get_u16(c, &r->name);
#define U32(name, comment) cur_get_u32(c, &r->name);
#define U64(name, comment) cur_get_u64(c, &r->name);
#define I16(name, comment) field_get_i16(c, &r->name);
#define I32(name, comment) field_get_i32(c, &r->name);
#define I64(name, comment) field_get_i64(c, &r->name);
#define BOOL(name, comment) r->name = field_get_below(c, 2) != 0;
#define ENUM(type, name, max, comment) r->name = (enum type)field_get_below(c, (max));
#define ASCII(name, most, comment) field_get_text(c, r->name, (most), TEXT_ASCII);
#define UTF8(name, most, comment) field_get_text(c, r->name, (most), TEXT_UTF8);
#define LINES(name, most, comment) field_get_text(c, r->name, (most), TEXT_LINES);
#define FIXED(name, n, comment) cur_get(c, r->name, (n));
#define BYTES(name, most, comment) field_get_bytes(c, r->name, &r->name##_len, (most));
#define SUB(rec, name, comment)                                                                    \
	if (!rec_##rec##_decode(c, &r->name))                                                      \
		c->failed = true;
#define LIST(rec, name, most, comment)                                                             \
	r->n_##name = field_get_count(c, (most));                                                  \
	for (size_t i = 0; i < r->n_##name && !c->failed; i++)                                     \
		if (!rec_##rec##_decode(c, &r->name[i]))                                           \
			c->failed = true;
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

/* ---- the table ---- */

#define SUPERVISOR ROLE_BIT(ROLE_SUPERVISOR)
#define FRONT ROLE_BIT(ROLE_FRONT)
#define PLANNER ROLE_BIT(ROLE_PLANNER)
#define BROKER ROLE_BIT(ROLE_BROKER)
#define NET ROLE_BIT(ROLE_NET)
#define CONSENT ROLE_BIT(ROLE_CONSENT)
#define FIDO ROLE_BIT(ROLE_FIDO)
#define LOADER ROLE_BIT(ROLE_LOADER)
#define CHILDREN (FRONT | PLANNER | BROKER | NET | CONSENT | FIDO | LOADER)
#define ANY_FDS MSG_ANY_FDS
#define ON(state) (1u << CHAN_##state)
#define MESSAGES_NO_FIELDS
#define REC(name, comment)
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment) {id, #NAME, from, to, fds, states},
#define MSG_END(name)
#include <sgwarden/messages_fields.h>
const struct msg_row MESSAGES[] = {
#include <sgwarden/messages.def>
};
#include <sgwarden/messages_undef.h>
const size_t MESSAGES_LEN = sizeof(MESSAGES) / sizeof(MESSAGES[0]);

const struct msg_row *
msg_row(uint16_t id)
{
	for (size_t i = 0; i < MESSAGES_LEN; i++)
		if (MESSAGES[i].id == id)
			return &MESSAGES[i];
	return NULL;
}

/* ---- one message ---- */

#define MESSAGES_NO_FIELDS
#define REC(name, comment)
#define REC_END(name, check)
#define MSG_END(name)

static bool
body_encode(struct buf *b, const struct msg *m)
{
	switch (m->id) {
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	case MSG_##NAME:                                                                           \
		return msg_##name##_encode(b, &m->name);
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
	}
	return false;
}
#include <sgwarden/messages_undef.h>

#define MESSAGES_NO_FIELDS
#define REC(name, comment)
#define REC_END(name, check)
#define MSG_END(name)

static bool
body_decode(struct cur *c, struct msg *m)
{
	switch (m->id) {
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	case MSG_##NAME:                                                                           \
		return msg_##name##_decode(c, &m->name);
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
	}
	return false;
}
#include <sgwarden/messages_undef.h>

bool
msg_encode(struct buf *b, const struct msg *m)
{
	buf_put_u8(b, 'S');
	buf_put_u8(b, 'G');
	buf_put_u16(b, (uint16_t)m->id);
	return body_encode(b, m) && !b->failed;
}

bool
msg_decode(const void *data, size_t len, struct msg *ret_m)
{
	struct cur c = cur_over(data, len);
	uint8_t magic[2] = {0};
	uint16_t id = 0;

	if (!cur_get(&c, magic, sizeof(magic)) || magic[0] != 'S' || magic[1] != 'G')
		return false;
	if (!cur_get_u16(&c, &id) || !msg_row(id))
		return false;
	ret_m->id = (enum msg_id)id;
	return body_decode(&c, ret_m);
}
