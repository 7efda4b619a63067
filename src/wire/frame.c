/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram on one edge: receive, check direction, state and descriptors; or send. */
#include <sgwarden/wire.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/secret.h>

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * SGW_DATAGRAM_FDS_MAX)];
};

void
chan_close(struct chan *ch)
{
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
}

static void
fds_close(struct chan_fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		close(fds->fd[i]);
	fds->n = 0;
}

/* Takes every descriptor that came, so that none stays open unseen. */
static bool
fds_take(struct msghdr *hdr, struct chan_fds *fds)
{
	bool sane = true;

	fds->n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			sane = false;
			continue;
		}
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (fds->n < SGW_DATAGRAM_FDS_MAX)
				fds->fd[fds->n++] = fd;
			else {
				close(fd);
				sane = false;
			}
		}
	}
	return sane;
}

static bool
row_allows(const struct chan *ch, const struct msg_row *row, size_t n_fds)
{
	if ((!(row->from & ROLE_BIT(ch->peer)) || !(row->to & ROLE_BIT(ch->self))) &&
	    !MUTATE(DIRECTION))
		return false;
	if (!(row->states & (1u << ch->state)) && !MUTATE(STATE))
		return false;
	if (MUTATE(DESCRIPTOR_COUNT))
		return true;
	return row->fds == MSG_ANY_FDS ? n_fds <= 1 : n_fds == row->fds;
}

static enum chan_result
violation(const struct chan *ch, struct chan_fds *fds, const char *what)
{
	fds_close(fds);
	log_error("%s broke the protocol: %s", role_name(ch->peer), what);
	return CHAN_VIOLATION;
}

enum chan_result
chan_recv(struct chan *ch, void *scratch, struct msg *ret_m, struct chan_fds *ret_fds)
{
	union control control = {0};
	struct chan_fds fds = {0};
	struct iovec iov = {.iov_base = scratch, .iov_len = SGW_DATAGRAM_MAX};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	const struct msg_row *row;
	bool sane;
	ssize_t n;

	n = recvmsg(ch->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	/* A peer that closed with something of ours unread: that is said once, before its own last words. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(ch->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CHAN_AGAIN;
	if (n < 0 && errno != ECONNRESET)
		log_error("receiving from %s: errno %d", role_name(ch->peer), errno);
	if (n < 0)
		return CHAN_EOF;
	sane = fds_take(&hdr, &fds);
	if (n == 0) { /* the end, or an empty datagram, which may bring descriptors all the same */
		fds_close(&fds);
		return CHAN_EOF;
	}
	if (!sane || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return violation(ch, &fds, "a datagram that is cut or carries too much");
	if (!msg_decode(scratch, (size_t)n, ret_m))
		return violation(ch, &fds, "a datagram that is no message");
	row = msg_row((uint16_t)ret_m->id);
	if (!row_allows(ch, row, fds.n) || (fds.n > 0 && !ret_fds))
		return violation(ch, &fds, row->name);
	if (ret_fds)
		*ret_fds = fds;
	return CHAN_GOT;
}

/*
 * How long a sender waits for room in its peer's queue, ms.  Inside the cell a burst (a thousand clients that leave at
 * once, a long answer of AWS) may be ahead of a reader that is at work; towards a front, consent or fido a full queue
 * means one that is stuck or owned.
 */
#define SEND_WAIT_CELL 1000
#define SEND_WAIT_NET 5000

static int
send_wait(const struct chan *ch)
{
	const uint32_t cell = ROLE_BIT(ROLE_SUPERVISOR) | ROLE_BIT(ROLE_PLANNER) |
			      ROLE_BIT(ROLE_BROKER) | ROLE_BIT(ROLE_NET);

	if (ch->self == ROLE_NET)
		return SEND_WAIT_NET;
	return (cell & ROLE_BIT(ch->self)) && (cell & ROLE_BIT(ch->peer)) ? SEND_WAIT_CELL : 0;
}

static int
datagram_send(int to, const void *data, size_t len, int fd, int wait)
{
	union control control = {0};
	struct iovec iov = {.iov_len = len};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	memcpy(&iov.iov_base, &data, sizeof(data)); /* sendmsg(2) does not write to it */
	if (fd >= 0) {
		struct cmsghdr *c;

		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	for (;;) {
		struct pollfd room = {.fd = to, .events = POLLOUT};

		n = sendmsg(to, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && wait > 0 && poll(&room, 1, wait) > 0)
			continue;
		return n == (ssize_t)len ? 0 : -1;
	}
}

int
chan_send(struct chan *ch, void *scratch, const struct msg *m, int fd, bool secret)
{
	struct buf b = buf_over(scratch, SGW_DATAGRAM_MAX);
	int r = -1;

	if (ch->fd < 0)
		return -1;
	if (!msg_encode(&b, m))
		log_error(
		    "message 0x%04x to %s does not encode", (unsigned)m->id, role_name(ch->peer));
	else
		r = datagram_send(ch->fd, b.data, b.len, fd, send_wait(ch));
	if (secret)
		memory_erase(b.data, b.len);
	return r;
}
