/* SPDX-License-Identifier: Apache-2.0 */
/* The lockdown's order: one table, walked once; the first step that fails ends the process. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

const struct lockdown_step LOCKDOWN[] = {
    {"namespaces", lockdown_namespaces},
    {"descriptors", lockdown_descriptors},
    {"identity", lockdown_identity},
    {"capabilities", lockdown_capabilities},
    {"parent", lockdown_parent},
    {"dumpable", lockdown_dumpable},
    {"limits", lockdown_limits},
    {"random", lockdown_random},
    {"memory", lockdown_memory},
    {"no-new-privs", lockdown_no_new_privs},
    {"landlock", lockdown_landlock},
    {"mdwe", lockdown_mdwe},
    {"check", lockdown_check},
    {"seccomp", lockdown_seccomp},
    {NULL, NULL},
};

int
sandbox_enter(enum role role, const struct sandbox_args *args, uint32_t *ret_degraded)
{
	struct lockdown l = {.row = &TOPOLOGY[role], .args = args};
	bool skipped = false; /* a mutant: the check would notice, and the tests are to */

	for (const struct lockdown_step *step = LOCKDOWN; step->name != NULL; step++) {
		skipped = skipped || MUTATE_ROW("lockdown", step->name);
		if (MUTATE_ROW("lockdown", step->name) || (skipped && step->run == lockdown_check))
			continue;
		if (step->run(&l) < 0) {
			log_error("lockdown of %s failed at %s: %s", l.row->name, step->name,
			    strerror(errno));
			_exit(LOCKDOWN_EXIT);
		}
	}
	*ret_degraded = l.degraded;
	return 0;
}
