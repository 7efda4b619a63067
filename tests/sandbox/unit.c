/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that a unit of its own has started: uid, gid and empty capability sets are what it finds, and it ends where
 * the unit gave it more. Each case makes what a unit with one directive wrong or missing would have left.
 */
#include "faults.h"

#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_UID 65534
#define OTHER_GROUP 12

struct unit_case {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t group;  /* the one further group */
	bool bounded; /* CapabilityBoundingSet= was empty */
	bool comes_up;
};

static const struct unit_case CASES[] = {
    {"as its unit has it", UNIT_UID, UNIT_UID, UNIT_UID, true, true},
    {"uid 0", 0, UNIT_UID, UNIT_UID, true, false},
    {"gid 0", UNIT_UID, 0, UNIT_UID, true, false},
    {"a group of others", UNIT_UID, UNIT_UID, OTHER_GROUP, true, false},
    {"a bounding set", UNIT_UID, UNIT_UID, UNIT_UID, false, false},
};

static void
before_unit(const void *arg)
{
	const struct unit_case *c = arg;

	for (unsigned long cap = 0; c->bounded && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0, "PR_CAPBSET_DROP");
	must(setgroups(1, &c->group) == 0, "setgroups");
	must(setresgid(c->gid, c->gid, c->gid) == 0, "setresgid");
	must(setresuid(c->uid, c->uid, c->uid) == 0, "setresuid");
}

void
suite_unit(const struct setting *s)
{
	if (getuid() != 0 || setgroups(0, NULL) != 0) {
		printf("skipped: this takes root\n");
		_exit(77);
	}
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct probe p = probe_for(s, ROLE_NET);
		int status;

		p.mode = MODE_UNIT;
		p.before = before_unit;
		p.before_arg = &CASES[i];
		status = probe_run(&p, NULL);
		report("unit",
		    CASES[i].comes_up ? status == 0
				      : WIFEXITED(status) && WEXITSTATUS(status) == LOCKDOWN_EXIT,
		    "%s: %s (status 0x%x)", CASES[i].name,
		    CASES[i].comes_up ? "it comes up" : "the process ends", (unsigned)status);
	}
}
