/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of a row, made as the supervisor makes them. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define HIGH 100 /* where the child's ends wait until their numbers are free */

void
must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "probe: cannot set up: %s: %s\n", what, strerror(errno));
		_exit(99);
	}
}

static int
high(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	must(up >= 0, "fcntl");
	close(fd);
	return up;
}

static void
pair_make(int type, int *ret_here, int *ret_there)
{
	int ends[2];

	must(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
	*ret_here = high(ends[0]);
	*ret_there = high(ends[1]);
	/* Something to read is there already, so that no probe waits. */
	must(send(*ret_there, "hello\n", 6, 0) == 6, "send");
}

/* An unlinked file of six bytes; appending where the row says so. */
static void
file_make(int flags, int *ret_here, int *ret_there)
{
	char path[] = "/tmp/sgw-probe-XXXXXX";
	int fd = mkstemp(path);

	must(fd >= 0 && write(fd, "hello\n", 6) == 6, path);
	*ret_here = open(path, flags | O_CLOEXEC);
	must(*ret_here >= 0, path);
	*ret_here = high(*ret_here);
	*ret_there = high(fd);
	unlink(path);
}

static void
tty_make(int *ret_here, int *ret_there)
{
	must(openpty(ret_there, ret_here, NULL, NULL, NULL) == 0, "openpty");
	*ret_here = high(*ret_here);
	*ret_there = high(*ret_there);
	must(write(*ret_there, "hello\n", 6) == 6, "write to the pty");
}

static void
fd_make(enum fd_kind kind, int *ret_here, int *ret_there)
{
	switch (kind) {
	case FDK_REGULAR_RO:
		file_make(O_RDONLY, ret_here, ret_there);
		break;
	case FDK_REGULAR_APPEND:
		file_make(O_WRONLY | O_APPEND, ret_here, ret_there);
		break;
	case FDK_TTY:
		tty_make(ret_here, ret_there);
		break;
	case FDK_TIMER:
		*ret_here = high(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
		must(*ret_here >= 0, "timerfd_create");
		*ret_there = -1;
		break;
	case FDK_STREAM:
		pair_make(SOCK_STREAM, ret_here, ret_there);
		break;
	default:
		pair_make(SOCK_SEQPACKET, ret_here, ret_there);
		break;
	}
}

/* The client's two descriptors, as one SCM_RIGHTS message on the connection. */
static void
client_send(struct world *w)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	int fds[2] = {w->here[FD_FRONT_IN], w->here[FD_FRONT_OUT]};
	struct iovec iov = {.iov_base = (char[]){"fds"}, .iov_len = 3};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
	char greeting[8];

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	must(recv(w->here[FD_FRONT_CONNECTION], greeting, sizeof(greeting), 0) == 6, "recv");
	must(sendmsg(w->there[FD_FRONT_CONNECTION], &hdr, 0) == 3, "sendmsg");
}

void
world_make(struct world *w, enum role role, bool tight)
{
	const struct topology_row *row = &TOPOLOGY[role];

	*w = (struct world){.role = role, .tight = tight};
	for (int i = 0; i < WORLD_FDS; i++)
		w->here[i] = w->there[i] = -1;
	pair_make(SOCK_SEQPACKET, &w->here[FD_CONTROL], &w->there[FD_CONTROL]);
	for (size_t i = 0; i < TOPOLOGY_FDS_MAX; i++) {
		const struct fd_row *fd = &row->fds[i];

		if (fd->what != NULL)
			fd_make(fd->kind, &w->here[fd->fd], &w->there[fd->fd]);
	}
	if (role == ROLE_FRONT)
		client_send(w);
}

void
world_free(struct world *w)
{
	for (int i = 0; i < WORLD_FDS; i++) {
		if (w->here[i] >= 0)
			close(w->here[i]);
		if (w->there[i] >= 0)
			close(w->there[i]);
	}
}

void
world_enter(const struct world *w)
{
	for (int i = FD_CONTROL; i < WORLD_FDS; i++) {
		if (w->here[i] >= 0)
			must(dup2(w->here[i], i) == i, "dup2");
	}
	must(dup2(FD_CONTROL, WORLD_STRAY) == WORLD_STRAY, "dup2");
}

void
world_take_client(void)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char text[8];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	int fds[2];

	must(recvmsg(FD_FRONT_CONNECTION, &hdr, MSG_CMSG_CLOEXEC) == 3, "recvmsg");
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(fds));
	/* The kernel hands out the lowest free numbers: these are the row's own already. */
	must(fds[0] == FD_FRONT_IN && fds[1] == FD_FRONT_OUT, "the client's descriptors");
	close(FD_FRONT_CONNECTION);
	must(sandbox_tighten_front() == 0, "sandbox_tighten_front");
}
