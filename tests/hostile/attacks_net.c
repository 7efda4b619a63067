/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks that go over a socket: ours, the network's, somebody else's. */
#include "attacks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
connects(int family, int kind, const void *address, socklen_t len)
{
	int fd = socket(family, kind | SOCK_CLOEXEC, 0), r = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address, len) < 0)
		r = errno;
	close(fd);
	return r;
}

int
connects_path(const char *path, int kind)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	memcpy(to.sun_path, path, strlen(path) + 1);
	return connects(AF_UNIX, kind, &to, sizeof(to));
}

int
reach_our_sockets(void)
{
	static const char *const PATHS[] = {
	    "/run/sgwarden/admin.sock", "/run/sgwarden/consent.sock", "/run/sgwarden/net.sock"};
	int last = ENOENT;

	for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
		int r = connects_path(PATHS[i], SOCK_SEQPACKET);

		if (r == 0)
			return 0;
		if (r != ENOENT)
			last = r;
	}
	return last;
}

int
reach_network(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)board->port)};
	struct sockaddr_vm vm = {
	    .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 22};
	int r;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = connects(AF_INET, SOCK_STREAM, &to, sizeof(to));
	if (r == 0)
		return 0;
	to.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1: is there any way out? */
	if (connects(AF_INET, SOCK_DGRAM, &to, sizeof(to)) == 0 ||
	    connects(AF_VSOCK, SOCK_STREAM, &vm, sizeof(vm)) == 0)
		return 0;
	return r;
}

/* Where somebody else listens: as anybody would, then by a send that connects by itself. */
int
reach_another_port(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)board->other_port)};
	int r, fd;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = connects(AF_INET, SOCK_STREAM, &to, sizeof(to));
	if (r == 0)
		return 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (const struct sockaddr *)&to,
			   sizeof(to)) == 1)
		r = 0;
	if (fd >= 0)
		close(fd);
	return r;
}

/* An abstract name belongs to a network namespace: the test listens in the machine's. */
int
reach_abstract(void)
{
	static const char NAME[] = "\0sgw-hostile";
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	memcpy(to.sun_path, NAME, sizeof(NAME) - 1);
	return connects(AF_UNIX, SOCK_STREAM, &to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NAME) - 1));
}
