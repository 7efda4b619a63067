/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed messages over SOCK_SEQPACKET: one datagram is one message.
 *
 *   datagram = 'S' 'G' id(2, big endian) body
 *
 * Everything below is made from messages.def.  Decoders are total and canonical: they accept exactly the bytes that
 * the encoder writes for the value they return.  A datagram that is cut (MSG_TRUNC, MSG_CTRUNC), of a wrong
 * direction or state, with a wrong number of descriptors or a byte too many is a violation, and the receiver ends
 * that peer.
 */
#ifndef SGWARDEN_WIRE_H
#define SGWARDEN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sgwarden/buf.h>
#include <sgwarden/cidr.h>
#include <sgwarden/enums.h>
#include <sgwarden/limits.h>
#include <sgwarden/topology.h>

/* Which of rec_wanted were said. */
enum {
	WANTED_RULE_ID = 1u << 0,
	WANTED_PROTOCOL = 1u << 1,
	WANTED_PORTS = 1u << 2,
	WANTED_SOURCE = 1u << 3,
	WANTED_CURRENT = 1u << 4, /* instead of a source: this machine's own address */
};

/* Filters of ask_rules. */
enum {
	RULES_BY_SOURCE = 1u << 0,
	RULES_BY_PORT = 1u << 1,
	RULES_OWN_ONLY = 1u << 2,
	RULES_FOREIGN_ONLY = 1u << 3,
};

/* Flags of rec_rule_view. */
enum {
	VIEW_WORLD_OPEN = 1u << 0,
	VIEW_SENSITIVE = 1u << 1,
	VIEW_OVERDUE = 1u << 2,
	VIEW_FOREIGN = 1u << 3,
};

/*
 * Is this a protocol with the ports that EC2 keeps for it?  tcp and udp: 0 <= from <= to <= 65535.  ICMP: a type
 * (-1 = all) and a code (-1 = all).  Every other protocol: all ports, which is -1, -1.
 */
static inline bool
op_is_canonical(int16_t protocol, int32_t from, int32_t to)
{
	if (protocol < PROTO_ALL || protocol > 255)
		return false;
	if (protocol == PROTO_TCP || protocol == PROTO_UDP)
		return from >= 0 && from <= to && to <= 65535;
	if (protocol == PROTO_ICMP || protocol == PROTO_ICMPV6)
		return from >= -1 && from <= 255 && to >= -1 && to <= 255 &&
		       (from != -1 || to == -1);
	return from == -1 && to == -1;
}

/* ---- the structs: rec_NAME and msg_NAME ---- */

#define REC(name, comment) struct rec_##name {
#define REC_END(name, check)                                                                       \
	}                                                                                          \
	;
#define MSG(id, NAME, name, from, to, fds, states, comment) struct msg_##name {
#define MSG_END(name)                                                                              \
	uint8_t msg_no_padding;                                                                    \
	}                                                                                          \
	;
#define U8(name, comment) uint8_t name;
#define U16(name, comment) uint16_t name;
#define U32(name, comment) uint32_t name;
#define U64(name, comment) uint64_t name;
#define I16(name, comment) int16_t name;
#define I32(name, comment) int32_t name;
#define I64(name, comment) int64_t name;
#define BOOL(name, comment) bool name;
#define ENUM(type, name, max, comment) enum type name;
#define ASCII(name, most, comment) char name[(most) + 1];
#define UTF8(name, most, comment) char name[(most) + 1];
#define LINES(name, most, comment) char name[(most) + 1];
#define FIXED(name, n, comment) uint8_t name[n];
#define BYTES(name, most, comment)                                                                 \
	uint16_t name##_len;                                                                       \
	uint8_t name[most];
#define SUB(rec, name, comment) struct rec_##rec name;
#define LIST(rec, name, most, comment)                                                             \
	uint16_t n_##name;                                                                         \
	struct rec_##rec name[most];
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

enum msg_id {
#define REC(name, comment)
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment) MSG_##NAME = (id),
#define MSG_END(name)
#define MESSAGES_NO_FIELDS
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>
};

/* One decoded message. */
struct msg {
	enum msg_id id;
	union {
#define REC(name, comment)
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment) struct msg_##name name;
#define MSG_END(name)
#define MESSAGES_NO_FIELDS
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>
	};
};

/* Record codecs: the encoder writes the one form, the decoder accepts only that. */
#define REC(name, comment)                                                                         \
	bool rec_##name##_encode(struct buf *b, const struct rec_##name *r);                       \
	bool rec_##name##_decode(struct cur *c, struct rec_##name *ret_r);
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment)
#define MSG_END(name)
#define MESSAGES_NO_FIELDS
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

/* A message's state as the receiving end's channel has it; see `states` in messages.def. */
enum chan_state {
	CHAN_OPEN,
	CHAN_STARTING, /* supervisor: the child has not said READY */
	CHAN_PHRASE,   /* broker: the person chooses the phrase */
	CHAN_READING,  /* broker: the record is on the screen */
	CHAN_TOUCH,    /* broker: the word was typed */
	CHAN_DONE,     /* nothing more may come */
	CHAN_STATE_MAX,
};

#define MSG_ANY_FDS 255 /* zero or one descriptor; the handler looks */

struct msg_row {
	uint16_t id;
	const char *name;
	uint32_t from; /* ROLE_BIT()s */
	uint32_t to;
	uint8_t fds;
	uint32_t states; /* bits of enum chan_state */
};

extern const struct msg_row MESSAGES[];
extern const size_t MESSAGES_LEN;

const struct msg_row *msg_row(uint16_t id); /* NULL: no such message */

/* The whole datagram.  Encoding fails only where a text is not of its kind or a length is past its maximum. */
bool msg_encode(struct buf *b, const struct msg *m);
bool msg_decode(const void *data, size_t len, struct msg *ret_m);

/* One end of an edge. */
struct chan {
	int fd; /* -1: closed */
	enum role self;
	enum role peer;
	enum chan_state state;
};

enum chan_result {
	CHAN_GOT = 1,
	CHAN_AGAIN = 0,      /* nothing there now */
	CHAN_EOF = -1,       /* the peer has ended */
	CHAN_VIOLATION = -2, /* logged; end the peer */
};

struct chan_fds {
	size_t n;
	int fd[SGW_DATAGRAM_FDS_MAX];
};

static inline struct chan
chan_open(int fd, enum role self, enum role peer)
{
	return (struct chan){.fd = fd, .self = self, .peer = peer, .state = CHAN_OPEN};
}

void chan_close(struct chan *ch);

/*
 * Receives without waiting.  ret_fds: what came along, owned by the caller (close-on-exec set); NULL where this end
 * accepts none.  `scratch` holds SGW_DATAGRAM_MAX bytes.
 */
enum chan_result chan_recv(
    struct chan *ch, void *scratch, struct msg *ret_m, struct chan_fds *ret_fds);

/*
 * Sends; fd -1 sends no descriptor, and the caller keeps its own.  0, or -1: the peer has ended or its queue is
 * full (the reader is owned or stuck: end it).  Erases `scratch` behind it when `secret`.
 */
int chan_send(struct chan *ch, void *scratch, const struct msg *m, int fd, bool secret);

/* Copies text into a field of a message; false and an empty field where it does not fit whole. */
#define FIELD_SET(field, text) field_copy((field), sizeof(field), (text), strlen(text))
bool field_copy(char *field, size_t size, const char *text, size_t len);

#endif
