/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACK_SECONDS 60 /* then it has come to nothing */
#define SHELL_STATUS 7    /* what the shell says that the attack starts */

struct board *board;

/* How many filters the service manager, or whatever is around it, has put on. */
static uint32_t
filters_on(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	unsigned n = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp_filters: %u", &n) == 1)
			break;
	if (status)
		(void)fclose(status);
	return n;
}

static void
attack_in_child(
    const struct attack *a, enum held held, void (*prepare)(enum held), struct result *result)
{
	int r;

	(void)alarm(ATTACK_SECONDS);
	if (prepare)
		prepare(held);
	r = a->run();
	result->detail = r == 0 ? attack_target : (uint32_t)r;
	result->outcome = r == 0 ? OUTCOME_MANAGED : OUTCOME_REFUSED;
	_exit(0);
}

void
battery(unsigned who, enum held held, uid_t uid, void (*prepare)(enum held))
{
	board->filters[who] = filters_on();
	for (size_t i = 0; ATTACKS[i].name; i++) {
		struct result *result = &board->results[who][held][i];
		int status = 0;
		pid_t pid;

		*result = (struct result){0};
		pid = fork();
		if (pid == 0) {
			attacker = (struct attacker){getpid(), getppid(), uid};
			attack_in_child(&ATTACKS[i], held, prepare, result);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || result->outcome != OUTCOME_NONE)
			continue;
		if (WIFSIGNALED(status))
			*result = (struct result){OUTCOME_KILLED, (uint32_t)WTERMSIG(status)};
		else if (WEXITSTATUS(status) == SHELL_STATUS)
			*result = (struct result){.outcome = OUTCOME_MANAGED};
		else
			*result = (struct result){OUTCOME_FAILED, (uint32_t)WEXITSTATUS(status)};
	}
}
