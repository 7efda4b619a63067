/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs themselves, with a message of every peer waiting before they start.  The last step of the lockdown fails;
 * what ends there must have read none of it.  The twin, whose lockdown succeeds, reads.
 *
 *   first_byte FRONT PLANNER BROKER NET CONSENT FIDO LOADER
 */
#include "prove/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/log.h>

#define LATE 120 /* s, then a program that does not end is ended */

/* Whatever each filter would be: the kernel refuses it. */
static void
filters_refused(void)
{
	const struct scmp_arg_cmp set = {0, SCMP_CMP_EQ, 1, 0}; /* SECCOMP_SET_MODE_FILTER */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	must(filter != NULL &&
		 seccomp_rule_add_array(
		     filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 1, &set) == 0 &&
		 seccomp_load(filter) == 0,
	    "a filter that refuses filters");
}

static int
run(char *path, struct world *w, enum role role, bool refused)
{
	char mode[] = "--mode=user", parent[32], said[16];
	char *argv[] = {path, mode, parent, NULL}, *none[] = {NULL};
	int status;
	pid_t pid;

	(void)snprintf(parent, sizeof(parent), "--parent=%ld", (long)getpid());
	world_make(w, role, false);
	if (role == ROLE_FIDO && !refused) /* whatever the supervisor says ends it, unread */
		must(recv(w->here[FD_CONTROL], said, sizeof(said), MSG_DONTWAIT) > 0, "recv");
	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		world_enter(w);
		(void)alarm(LATE);
		if (refused)
			filters_refused();
		execve(path, argv, none);
		_exit(99);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

/* A file is read where its offset moved; a socket or a terminal where nothing waits any more. */
static bool
was_read(int fd)
{
	struct pollfd waits = {.fd = fd, .events = POLLIN};
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at >= 0)
		return at > 0;
	return poll(&waits, 1, 0) != 1 || !(waits.revents & POLLIN);
}

static unsigned
read_of(const struct world *w, int from)
{
	unsigned n = 0;

	for (int i = from; i < WORLD_FDS; i++) {
		if (w->here[i] >= 0 && w->there[i] >= 0) /* a timer has no other end */
			n += was_read(w->here[i]);
	}
	return n;
}

static void
role_check(enum role role, char *path)
{
	const char *name = role_name(role);
	struct world w;
	int status = run(path, &w, role, true);
	unsigned n = read_of(&w, FD_CONTROL);

	report("first byte", WIFEXITED(status) && WEXITSTATUS(status) == LOCKDOWN_EXIT,
	    "%s: ends where its filter is refused (status 0x%x)", name, (unsigned)status);
	report("first byte", n == 0, "%s: has read nothing by then (%u)", name, n);
	world_free(&w);
	status = run(path, &w, role, false);
	n = read_of(&w, role == ROLE_FIDO ? FD_FIRST : FD_CONTROL);
	report("first byte", WIFEXITED(status) && WEXITSTATUS(status) != LOCKDOWN_EXIT && n > 0,
	    "%s: twin: confined, it reads (%u, status 0x%x)", name, n, (unsigned)status);
	world_free(&w);
}

int
main(int argc, char **argv)
{
	log_open("first_byte", LOG_LEVEL_ALERT);
	must(argc == 1 + ROLE_MAX - ROLE_FRONT, "a program for each role");
	for (int role = ROLE_FRONT; role < ROLE_MAX; role++)
		role_check((enum role)role, argv[role - ROLE_FRONT + 1]);
	printf("%u checks, %u failed\n", report_run(), report_failed());
	return report_failed() == 0 ? 0 : 1;
}
