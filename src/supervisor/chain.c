/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes above a client, for the person to read: "sgwarden(71) <- claude(70) <- zsh(12)".  Names are chosen
 * by the processes themselves; only the pids and uids are the kernel's word.
 */
#include "supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sgwarden/buf.h>
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

#define CHAIN_DEPTH 5
#define SO_PEERPIDFD_SINCE_6_5 77 /* asm-generic/socket.h, Linux 6.5 */

/* /proc/PID/stat: "pid (comm) state ppid …"; comm may hold anything, so its end is the last parenthesis. */
static bool
stat_read(pid_t pid, char ret_comm[17], pid_t *ret_parent)
{
	char path[32], text[512] = {0};
	char *open_at, *close_at;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	open_at = n > 0 ? strchr(text, '(') : NULL;
	close_at = open_at ? strrchr(text, ')') : NULL;
	if (!close_at || close_at - open_at > 17 || strlen(close_at) < 5)
		return false;
	memcpy(ret_comm, open_at + 1, (size_t)(close_at - open_at - 1));
	ret_comm[close_at - open_at - 1] = 0;
	*ret_parent = (pid_t)strtol(close_at + 4, NULL, 10);
	return true;
}

int
peer_pidfd(int connection, pid_t pid)
{
	int fd = -1;
	socklen_t len = sizeof(fd);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD_SINCE_6_5, &fd, &len) == 0)
		return fd;
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Does the connection's own process still live?  Only then did its pid mean it all along. */
static bool
identity_held(int connection)
{
	struct pollfd p = {.events = POLLIN};
	socklen_t len = sizeof(p.fd);
	bool lives;

	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD_SINCE_6_5, &p.fd, &len) < 0)
		return false;
	lives = poll(&p, 1, 0) == 0;
	close(p.fd);
	return lives;
}

bool
chain_read(int connection, pid_t pid, char ret_chain[SGW_CHAIN_MAX + 1])
{
	struct buf b = buf_over(ret_chain, SGW_CHAIN_MAX + 1);
	size_t whole = 0;

	for (int depth = 0; depth < CHAIN_DEPTH && pid > 1; depth++) {
		char comm[17], shown[VIS_MAX(16)];
		pid_t parent = 0;

		if (!stat_read(pid, comm, &parent))
			break;
		(void)vis(shown, sizeof(shown), comm, strlen(comm));
		if (!buf_printf(&b, "%s%s(%ld)", depth ? " <- " : "", shown, (long)pid) ||
		    b.len > SGW_CHAIN_MAX)
			break;
		whole = b.len;
		pid = parent;
	}
	ret_chain[whole] = 0;
	if (whole == 0)
		(void)snprintf(ret_chain, SGW_CHAIN_MAX + 1, "unknown");
	return whole > 0 && (identity_held(connection) || MUTATE(CHAIN_HELD));
}
