/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in, lines out, over descriptors that belong to somebody hostile. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/topology.h>

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(2 * sizeof(int))];
};

/* Pipes and sockets only: a terminal, a file or a device could be read or written with an effect of its own. */
static bool
stream_ok(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

int
client_take(int connection)
{
	union control control = {0};
	char version = 0;
	struct iovec iov = {.iov_base = &version, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fds[2];

	if (recvmsg(connection, &hdr, MSG_CMSG_CLOEXEC) != 1 || version != 'm' ||
	    (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		log_error("the client did not hand over its stdin and stdout");
		return -1;
	}
	c = CMSG_FIRSTHDR(&hdr);
	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fds))) {
		log_error("the client did not hand over exactly two descriptors");
		return -1;
	}
	memcpy(fds, CMSG_DATA(c), sizeof(fds));
	if (fds[0] != FD_FRONT_IN || fds[1] != FD_FRONT_OUT) {
		log_error("descriptors %d and %d are not where they belong", fds[0], fds[1]);
		return -1;
	}
	if (!stream_ok(fds[0]) || !stream_ok(fds[1])) {
		log_error("the client's stdin or stdout is neither pipe nor socket");
		return -1;
	}
	return 0;
}

/* What is left of the input goes to the front of its memory. */
static void
in_compact(struct client *c)
{
	if (c->in_at == 0)
		return;
	memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
	c->in_len -= c->in_at;
	c->in_seen -= c->in_at;
	c->in_at = 0;
}

int
client_read(struct client *c)
{
	size_t room;
	ssize_t n;

	in_compact(c);
	room = sizeof(c->in) - c->in_len;
	if (room == 0)
		return 0; /* not the end of the input, which is what read() would say */
	n = read(FD_FRONT_IN, c->in + c->in_len, room < CLIENT_READ_MAX ? room : CLIENT_READ_MAX);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		c->in_eof = true;
	c->in_len += (size_t)n;
	return 0;
}

static enum client_line
line_without_end(struct client *c, const char **ret_line, size_t *ret_len)
{
	size_t len = c->in_len - c->in_at;

	c->in_seen = c->in_len;
	if (c->in_long || len > SGW_JSON_LINE_MAX) {
		bool said = c->in_long;

		c->in_long = !c->in_eof;
		c->in_at = c->in_len;
		return said ? CLIENT_NONE : CLIENT_LINE_LONG;
	}
	if (!c->in_eof || len == 0)
		return CLIENT_NONE;
	*ret_line = c->in + c->in_at;
	*ret_len = len;
	c->in_at = c->in_len;
	return CLIENT_LINE;
}

enum client_line
client_line(struct client *c, const char **ret_line, size_t *ret_len)
{
	for (;;) {
		const char *end = memchr(c->in + c->in_seen, '\n', c->in_len - c->in_seen);
		size_t from = c->in_at, len;

		if (end == NULL)
			return line_without_end(c, ret_line, ret_len);
		len = (size_t)(end - (c->in + from));
		c->in_at = c->in_seen = from + len + 1;
		if (c->in_long) {
			c->in_long = false;
			continue;
		}
		if (len > SGW_JSON_LINE_MAX)
			return CLIENT_LINE_LONG;
		*ret_line = c->in + from;
		*ret_len = len;
		return CLIENT_LINE;
	}
}

struct buf
client_begin(struct client *c)
{
	size_t room;

	if (c->out_at > 0 &&
	    (c->out_at == c->out_len || sizeof(c->out) - c->out_len < CLIENT_LINE_OUT_MAX)) {
		memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
		c->out_len -= c->out_at;
		c->out_at = 0;
	}
	room = sizeof(c->out) - c->out_len;
	return buf_over(
	    c->out + c->out_len, room < CLIENT_LINE_OUT_MAX ? room : CLIENT_LINE_OUT_MAX);
}

bool
client_commit(struct client *c, struct buf *b)
{
	if (!buf_put_u8(b, '\n'))
		return false;
	c->out_len += b->len;
	return true;
}

enum pushed {
	PUSHED_NONE, /* no more for now */
	PUSHED_SOME,
};

/* What write(2) and pwritev2(2) said. */
static enum pushed
pushed(struct client *c, ssize_t n)
{
	if (n > 0)
		c->out_at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->out_gone = true;
	return n > 0 || errno == EINTR ? PUSHED_SOME : PUSHED_NONE;
}

/* A kernel before 6.4 has no writing to a pipe without waiting; POLLOUT promises room for PIPE_BUF bytes. */
static enum pushed
push_as_polled(struct client *c)
{
	struct pollfd p = {.fd = FD_FRONT_OUT, .events = POLLOUT};
	size_t left = c->out_len - c->out_at;

	if (poll(&p, 1, 0) <= 0)
		return PUSHED_NONE;
	if (!(p.revents & POLLOUT)) {
		c->out_gone = true;
		return PUSHED_NONE;
	}
	return pushed(
	    c, write(FD_FRONT_OUT, c->out + c->out_at, left < PIPE_BUF ? left : PIPE_BUF));
}

/* All of it at once, or as much as there is room for: RWF_NOWAIT asks for this one call what O_NONBLOCK would. */
static enum pushed
push(struct client *c)
{
	struct iovec iov = {.iov_base = c->out + c->out_at, .iov_len = c->out_len - c->out_at};
	ssize_t n;

	if (c->out_polled)
		return push_as_polled(c);
	n = pwritev2(FD_FRONT_OUT, &iov, 1, -1, RWF_NOWAIT);
	c->out_polled = n < 0 && errno == EOPNOTSUPP;
	return c->out_polled ? PUSHED_SOME : pushed(c, n);
}

void
client_push(struct client *c)
{
	while (client_has_output(c) && !c->out_gone && push(c) == PUSHED_SOME)
		;
}
