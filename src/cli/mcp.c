/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sgwarden mcp`: hands stdin and stdout to the daemon's front and waits.  No byte is relayed, so nothing here can
 * delay, reorder or read what client and front say to each other.
 */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_stream(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Has whoever writes to our stdin closed it? */
static bool
client_ended(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLRDHUP};

	return poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL));
}

/* Until the front is done: it says nothing on this connection, it only ends it. */
static void
wait_for_end(int connection)
{
	char byte;
	ssize_t n;

	do
		n = recv(connection, &byte, 1, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
}

int
mcp_run(const struct args *args)
{
	static const int FDS[2] = {STDIN_FILENO, STDOUT_FILENO};
	int status = 0, connection;

	for (size_t i = 0; i < 2; i++)
		if (!is_stream(FDS[i])) {
			fprintf(stderr,
			    "sgwarden: %s is neither a pipe nor a socket\n"
			    "next:     let an MCP client start `sgwarden mcp`; to look at the "
			    "daemon from a\n"
			    "          terminal use `sgwarden health`\n",
			    FDS[i] == STDIN_FILENO ? "stdin" : "stdout");
			return 2;
		}
	connection = daemon_connect(args, "mcp", &status);
	if (connection < 0)
		return status;
	if (daemon_hand_over(connection, 'm', FDS, 2) < 0) {
		close(connection);
		return out_error(args, SGW_ERR_RESTARTED, NULL, "the daemon closed the connection");
	}
	/* Only the front holds the way to the client now: when it ends, the client sees the end. */
	close(STDOUT_FILENO);
	wait_for_end(connection);
	close(connection);
	if (!client_ended())
		return out_error(args, SGW_ERR_RESTARTED, NULL,
		    "the daemon ended the connection before the client did; it may still be "
		    "starting");
	return 0;
}
