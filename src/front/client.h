/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end: its stdin as lines, its stdout as a bounded queue.  Both descriptors are hostile: they are pipes
 * or sockets, shared with whoever the client likes, and their flags are left as they are.  So nothing is read that
 * poll() did not announce, and each write says for itself that it does not wait.
 */
#ifndef FRONT_CLIENT_H
#define FRONT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/buf.h>
#include <sgwarden/limits.h>

#define CLIENT_QUEUE_MAX (6u << 20)  /* bytes of answers that wait for a client to read */
#define CLIENT_QUEUE_STOP (1u << 20) /* from here on no further line is taken */
#define CLIENT_READ_MAX 65536        /* bytes a read */
#define CLIENT_LINE_OUT_MAX 100000   /* one message to the client, its line feed included */

struct client {
	char in[SGW_JSON_LINE_MAX + CLIENT_READ_MAX];
	size_t in_len;
	size_t in_at;   /* lines before this are done */
	size_t in_seen; /* no line feed between in_at and here */
	bool in_long;   /* inside a line that was refused for its length */
	bool in_eof;
	uint8_t out[CLIENT_QUEUE_MAX];
	size_t out_len;
	size_t out_at;
	bool out_gone;   /* nobody reads any more */
	bool out_polled; /* this kernel cannot write there without waiting */
};

enum client_line {
	CLIENT_NONE,
	CLIENT_LINE,
	CLIENT_LINE_LONG, /* said once for each such line */
};

/*
 * Takes the two descriptors from the connection: one datagram, the byte 'm', two descriptors.  They arrive as
 * FD_FRONT_IN and FD_FRONT_OUT, the lowest free numbers.  0, or -1 with a line in the log.
 */
int client_take(int connection);

/* Once poll() has announced something: one read.  0, or -1: the descriptor is of no use. */
int client_read(struct client *c);

/* The next whole line, without its line feed; points into the client until the next client_read(). */
enum client_line client_line(struct client *c, const char **ret_line, size_t *ret_len);

/* Room for one message; commit adds the line feed.  A buffer that failed is dropped: false, and nothing is sent. */
struct buf client_begin(struct client *c);
bool client_commit(struct client *c, struct buf *b);

static inline bool
client_has_output(const struct client *c)
{
	return c->out_at < c->out_len;
}

/* Room for one more answer: while there is none, no answer is fetched. */
static inline bool
client_has_room(const struct client *c)
{
	return CLIENT_QUEUE_MAX - (c->out_len - c->out_at) > 2 * CLIENT_LINE_OUT_MAX;
}

/* As much of the queue as goes without waiting. */
void client_push(struct client *c);

#endif
