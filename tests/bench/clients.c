/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once, each with a front of its own: all are answered. */
#include "bench.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct one {
	struct pipes pipes;
	int connection;
};

static int
connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0)
		die("socket");
	/* the daemon's queue may be full for a moment: connect(2) waits */
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connect");
	return fd;
}

/* As `sgwarden mcp` does it: one byte and the two ends. */
static void
hand_over(int connection, const int fds[2])
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 'm';
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
	if (sendmsg(connection, &m, MSG_NOSIGNAL) != 1)
		die("handing over the pipes");
}

static void
one_start(struct one *o, const char *path)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0)
		die("pipe");
	o->connection = connect_to(path);
	hand_over(o->connection, (int[]){in[0], out[1]});
	(void)close(in[0]);
	(void)close(out[1]);
	o->pipes = (struct pipes){.to = in[1], .from = out[0], .size = 4096, .line = malloc(4096)};
	if (o->pipes.line == NULL)
		die("memory");
}

int
bench_clients(unsigned n, const char *path)
{
	static const char LINE[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
	    "\"consent_status\",\"arguments\":{\"plan_id\":\"sgw-aaaaaaaaaaaaaaaaaaaa\"}}}\n";
	struct rlimit files = {.rlim_cur = 8192, .rlim_max = 8192};
	struct one *all = calloc(n, sizeof(*all));
	char name[64];
	double start;

	if (all == NULL || setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("no room for so many");
	start = now();
	for (unsigned i = 0; i < n; i++)
		one_start(&all[i], path);
	for (unsigned i = 0; i < n; i++)
		(void)handshake(&all[i].pipes);
	(void)snprintf(name, sizeof(name), "%u clients have their first answer", n);
	value_row(name, (now() - start) * 1000 / n, "ms each", "");
	start = now();
	for (unsigned i = 0; i < n; i++)
		write_all(all[i].pipes.to, LINE, sizeof(LINE) - 1);
	for (unsigned i = 0; i < n; i++)
		(void)read_line(&all[i].pipes);
	(void)snprintf(name, sizeof(name), "%u clients ask at once, all answered", n);
	value_row(name, (now() - start) * 1000, "ms", "");
	(void)printf("measure\n");
	(void)fflush(stdout);
	(void)getchar();
	for (unsigned i = 0; i < n; i++) {
		end(&all[i].pipes);
		(void)close(all[i].connection);
	}
	free(all);
	return 0;
}
