/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs, started and waited for; see run.h. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_PATH_MAX 128

static bool
program_find(const char *name, char ret_path[PROGRAM_PATH_MAX])
{
	static const char *const FOLDERS[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};

	for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++) {
		int n = snprintf(ret_path, PROGRAM_PATH_MAX, "%s/%s", FOLDERS[i], name);

		if (n > 0 && n < PROGRAM_PATH_MAX && access(ret_path, X_OK) == 0)
			return true;
	}
	errno = ENOENT;
	return false;
}

pid_t
run_start(const char *const argv[], int in, int out, int err)
{
	char path[PROGRAM_PATH_MAX];
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	if (!program_find(argv[0], path))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	/* exec's own type: it changes none of the words */
	r = posix_spawn(&pid, path, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	errno = r;
	return r == 0 ? pid : -1;
}

int
run_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* All of it is taken, so that the program can end; what is beyond the room is forgotten. */
void
run_said(int fd, char ret_said[RUN_SAID_MAX])
{
	char block[512];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR)) {
		size_t room = RUN_SAID_MAX - 1 - len, more = n > 0 ? (size_t)n : 0;

		more = more < room ? more : room;
		memcpy(ret_said + len, block, more);
		len += more;
	}
	ret_said[len] = 0;
}

int
run_program(const char *const argv[], char ret_said[RUN_SAID_MAX])
{
	int ends[2], nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = -1;

	ret_said[0] = 0;
	if (nothing >= 0 && pipe2(ends, O_CLOEXEC) == 0) {
		pid = run_start(argv, nothing, ends[1], ends[1]);
		close(ends[1]);
		if (pid >= 0)
			run_said(ends[0], ret_said);
		else
			snprintf(ret_said, RUN_SAID_MAX, "%s: %s", argv[0], strerror(errno));
		close(ends[0]);
	}
	if (nothing >= 0)
		close(nothing);
	return pid >= 0 ? run_end(pid) : -1;
}
