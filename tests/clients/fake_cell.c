/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor and a planner for one real, confined front: the test's stand-in for the cell.
 *
 *   fake_cell [--admin] PATH/TO/sgw-front
 *
 * It hands its own stdin and stdout to the front, as `sgwarden mcp` and the supervisor do together, so it can serve as
 * an MCP client's server command.  Every question of the front is written to stderr as one line; the answers are
 * canned, and the first word of a change's reason (or the group's id) chooses among them: see answers.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>
#include <sgwarden/wire.h>

#include "fake_cell.h"

static struct cell CELL;

static void
fail(const char *what)
{
	fprintf(stderr, "fake_cell: %s: %s\n", what, strerror(errno));
	exit(70);
}

static void
pair(int ret_ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
		fail("socketpair");
}

/* In the child: the row's descriptors in their places, by way of numbers that are not in anybody's. */
static void
become_front(const char *path, const int ends[3], pid_t parent)
{
	static const int places[3] = {FD_CONTROL, FD_FRONT_PLANNER, FD_FRONT_CONNECTION};
	char parent_arg[32], path_arg[4096], mode_arg[] = "--mode=user";
	char *const argv[] = {path_arg, mode_arg, parent_arg, NULL};
	int high[3], null = open("/dev/null", O_RDWR);

	for (size_t i = 0; i < 3; i++)
		high[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < 3; i++)
		if (high[i] < 0 || dup2(high[i], places[i]) < 0)
			fail("dup2");
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		fail("/dev/null");
	snprintf(parent_arg, sizeof(parent_arg), "--parent=%d", (int)parent);
	snprintf(path_arg, sizeof(path_arg), "%s", path);
	execv(path, argv);
	fail(path);
}

static void
hand_over(int connection)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	int fds[2] = {STDIN_FILENO, STDOUT_FILENO};
	char version = 'm';
	struct iovec iov = {.iov_base = &version, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	if (sendmsg(connection, &hdr, MSG_NOSIGNAL) != 1)
		fail("handing over stdin and stdout");
	close(STDOUT_FILENO);
}

/* One message of the front, or its end. */
static bool
receive(struct chan *ch)
{
	struct pollfd p = {.fd = ch->fd, .events = POLLIN};
	enum chan_result r;

	do {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			fail("poll");
		r = chan_recv(ch, CELL.scratch, &CELL.msg, NULL);
	} while (r == CHAN_AGAIN);
	return r == CHAN_GOT;
}

static void
greet(struct chan *control, bool admin)
{
	control->state = CHAN_STARTING;
	if (!receive(control) || CELL.msg.id != MSG_READY)
		fail("no READY");
	control->state = CHAN_OPEN;
	CELL.msg.id = MSG_FRONT_START;
	CELL.msg.front_start = (struct msg_front_start){.client = 1, .admin = admin};
	if (chan_send(control, CELL.scratch, &CELL.msg, -1, false) < 0)
		fail("FRONT_START");
}

int
main(int argc, char **argv)
{
	bool admin = argc > 2 && strcmp(argv[1], "--admin") == 0;
	int control[2], planner[2], connection[2], status = 0;
	struct chan supervisor;
	pid_t parent = getpid(), child;

	log_open("fake_cell", LOG_LEVEL_INFO);
	pair(control);
	pair(planner);
	pair(connection);
	child = fork();
	if (child == 0)
		become_front(
		    argv[argc - 1], (int[3]){control[1], planner[1], connection[1]}, parent);
	close(control[1]);
	close(planner[1]);
	close(connection[1]);
	supervisor = chan_open(control[0], ROLE_SUPERVISOR, ROLE_FRONT);
	CELL.planner = chan_open(planner[0], ROLE_PLANNER, ROLE_FRONT);
	greet(&supervisor, admin);
	hand_over(connection[0]);
	while (CELL.planner.fd >= 0 && receive(&CELL.planner))
		answer(&CELL);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		fprintf(stderr, "front died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
