/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net in a unit of its own, the only one with a network: one connection to its socket is one net. The connection is its
 * control channel; what it would have found open as our child comes over it, in one datagram.
 */
#include "supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sgwarden/log.h>

static int
unit_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The descriptors in the order of their numbers in the row: the kernel gives them the lowest that are free there. */
static int
hand_over(int connection, const struct spawn_fd fds[UNIT_FDS])
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(UNIT_FDS * sizeof(int))];
	} control = {0};
	char byte = UNIT_BYTE;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
	int all[UNIT_FDS];

	for (size_t i = 0; i < UNIT_FDS; i++)
		all[fds[i].to - FD_FIRST] = fds[i].from;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(all));
	memcpy(CMSG_DATA(c), all, sizeof(all));
	return sendmsg(connection, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

struct child *
unit_start(struct supervisor *s, enum role role, const struct spawn_fd fds[UNIT_FDS])
{
	int fd = unit_connect(s->opt.net_socket);

	if (fd < 0 || hand_over(fd, fds) < 0) {
		log_error("cannot reach the unit of %s over %s: %s; start sgwarden-net.socket",
		    role_name(role), s->opt.net_socket, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	return child_register(s, role, PID_ELSEWHERE, fd);
}
