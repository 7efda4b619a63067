/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the daemon: one of its sockets, and descriptors handed over it. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A connected socket, or -1 and errno. */
static int
connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Nobody there, as against somebody who does not let us in. */
static bool
is_absent(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

static int
refuse(const struct args *args, const char *path, int error)
{
	if (is_absent(error))
		return out_error(args, SGW_ERR_NOT_RUNNING, NULL, "nothing listens on %s", path);
	if (error == EACCES || error == EPERM)
		return out_error(args, SGW_ERR_NO_ACCESS, NULL, "%s: %s", path, strerror(error));
	return out_error(args, SGW_ERR_NOT_RUNNING, NULL, "%s: %s", path, strerror(error));
}

static void
socket_paths(const char *name, char user[CLI_PATH_MAX], char system[64])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime && runtime[0] == '/')
		snprintf(user, CLI_PATH_MAX, "%s/sgwarden/%s.sock", runtime, name);
	else
		snprintf(
		    user, CLI_PATH_MAX, "/run/user/%u/sgwarden/%s.sock", (unsigned)getuid(), name);
	snprintf(system, 64, "/run/sgwarden/%s.sock", name);
}

/* Whoever called listen(2): the daemon, or systemd, which starts it for the first who connects. */
static bool
is_held_by_systemd(int fd)
{
	char path[64], comm[16] = "";
	struct ucred peer;
	socklen_t len = sizeof(peer);
	ssize_t n = -1;
	int file;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)peer.pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		n = read(file, comm, sizeof(comm) - 1);
		close(file);
	}
	return n > 0 && strcmp(comm, "systemd\n") == 0;
}

enum listener
daemon_listens(struct timespec *ret_since)
{
	char user[CLI_PATH_MAX], system[64];
	const char *path = user;
	bool by_systemd;
	struct stat st;
	int fd;

	socket_paths("mcp", user, system);
	fd = connect_to(user);
	if (fd < 0) {
		path = system;
		fd = connect_to(system);
	}
	if (fd < 0)
		return LISTENER_NONE;
	by_systemd = is_held_by_systemd(fd);
	close(fd);
	if (stat(path, &st) < 0)
		return LISTENER_NONE;
	*ret_since = st.st_ctim;
	if (!by_systemd)
		return LISTENER_DAEMON;
	return path == system ? LISTENER_SYSTEM : LISTENER_USER;
}

int
daemon_connect(const struct args *args, const char *name, int *ret_status)
{
	char user[CLI_PATH_MAX], system[64];
	int fd, error;

	if (args->socket) {
		fd = connect_to(args->socket);
		if (fd < 0)
			*ret_status = refuse(args, args->socket, errno);
		return fd;
	}
	socket_paths(name, user, system);
	fd = connect_to(user);
	if (fd >= 0)
		return fd;
	error = errno;
	if (is_absent(error)) {
		fd = connect_to(system);
		if (fd >= 0)
			return fd;
		if (!is_absent(errno)) {
			*ret_status = refuse(args, system, errno);
			return -1;
		}
		*ret_status = out_error(
		    args, SGW_ERR_NOT_RUNNING, NULL, "nothing listens on %s or %s", user, system);
		return -1;
	}
	*ret_status = refuse(args, user, error);
	return -1;
}

int
daemon_connect_person(const struct args *args, int *ret_status)
{
	char user[CLI_PATH_MAX], system[64];
	int fd = -1;

	if (args->socket)
		return daemon_connect(args, "", ret_status);
	socket_paths("admin", user, system);
	fd = connect_to(user);
	if (fd <
	    0) { /* a daemon of the user's own comes before the system's, whichever of its sockets lets us in */
		socket_paths("mcp", user, system);
		fd = connect_to(user);
	}
	if (fd < 0) {
		socket_paths("admin", user, system);
		fd = connect_to(system);
	}
	return fd >= 0 ? fd : daemon_connect(args, "mcp", ret_status);
}

int
daemon_hand_over(int connection, char byte, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
	ssize_t sent;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	do
		sent = sendmsg(connection, &hdr, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == 1 ? 0 : -1;
}
