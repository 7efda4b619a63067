/* SPDX-License-Identifier: Apache-2.0 */
/* Every process tries every call of the table: killed for it, or, where its job is to make it, answered. */
#include "probe.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "calls.h"

static int
act_call(const void *arg)
{
	long r = call_make(arg);

	return r < 0 ? (int)-r : 0;
}

static uint32_t
which_bit(unsigned which)
{
	return which == PROBE_TIGHT ? TIGHT_BIT : ROLE_BIT(which);
}

static bool
call_behaves(const struct setting *s, unsigned which, const struct call *call)
{
	struct probe p = probe_for(s, which);
	bool may = (call->may & which_bit(which)) != 0;
	int status;

	p.act = act_call;
	p.act_arg = call;
	status = probe_run(&p, NULL);
	if (may && WIFEXITED(status)) {
		int got = WEXITSTATUS(status);

		return got != LOCKDOWN_EXIT && got != 99 &&
		       (call->errno_want == 0 || call->errno_want == got);
	}
	return !may && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

void
suite_matrix(const struct setting *s)
{
	for (unsigned which = ROLE_FRONT; which < PROBES; which++) {
		unsigned killed = 0, answered = 0, wrong = 0;

		for (unsigned i = 0; i < CALLS_LEN; i++) {
			bool may = (CALLS[i].may & which_bit(which)) != 0;

			if (call_behaves(s, which, &CALLS[i])) {
				killed += !may;
				answered += may;
				continue;
			}
			wrong++;
			report("seccomp", false, "%s %s %s", probe_name(which),
			    may ? "is not answered:" : "is not killed for", CALLS[i].name);
		}
		report("seccomp", wrong == 0 && killed > 100,
		    "%s: SIGSYS for %u calls, answered for %u", probe_name(which), killed,
		    answered);
	}
}
