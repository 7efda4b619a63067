/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that refuses, and a kernel that lies.  A filter of the test's own, installed before the lockdown, answers
 * one system call with an error, or with success and does nothing.  The process must end with status 70, or go on with
 * the degradation that the fault means: never go on as if nothing had been.
 */
#include "faults.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "kernel.h"

#define LIE 0
#define ENDS UINT32_MAX
#define ANY_ARG                                                                                    \
	{                                                                                          \
		0, 0, 0, 0                                                                         \
	}
#define ARG(n, value)                                                                              \
	{                                                                                          \
		(n), SCMP_CMP_EQ, (value), 0                                                       \
	}
#define ARG_SET(n)                                                                                 \
	{                                                                                          \
		(n), SCMP_CMP_NE, 0, 0                                                             \
	}

enum who {
	ANYBODY,
	ROOT,   /* an administrator, who can do this without no_new_privs and has groups to drop */
	SYSTEM, /* system mode */
	ORDINARY, /* an ordinary uid */
	USER,     /* user mode */
	NET,      /* anybody, and the process that has a network */
};

struct fault {
	const char *name;
	int call;
	struct scmp_arg_cmp arg;
	int error;     /* what the call answers; LIE: success */
	uint32_t want; /* ENDS, or the degradation with which the process goes on */
	enum who who;
	uint32_t unless; /* where this machine lacks it anyway there is nothing to break */
};

static const struct fault FAULTS[] = {
    {"unshare fails", SCMP_SYS(unshare), ANY_ARG, EIO, ENDS, ANYBODY, DEGRADED_NO_USERNS},
    {"unshare is not offered", SCMP_SYS(unshare), ANY_ARG, EPERM,
	DEGRADED_NO_USERNS | DEGRADED_NO_NETNS, USER, DEGRADED_NO_USERNS},
    {"user namespaces are not offered", SCMP_SYS(unshare),
	{0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER}, ENOSPC,
	DEGRADED_NO_USERNS | DEGRADED_NO_NETNS, ORDINARY, DEGRADED_NO_USERNS},
    {"unshare lies", SCMP_SYS(unshare), ANY_ARG, LIE, ENDS, ANYBODY, DEGRADED_NO_USERNS},
    {"close_range fails", SCMP_SYS(close_range), ANY_ARG, ENOSYS, ENDS, ANYBODY, 0},
    {"close_range lies", SCMP_SYS(close_range), ANY_ARG, LIE, ENDS, ANYBODY, 0},
    {"securebits fail", SCMP_SYS(prctl), ARG(0, PR_SET_SECUREBITS), EPERM, ENDS, ANYBODY,
	DEGRADED_NO_USERNS},
    {"securebits lie", SCMP_SYS(prctl), ARG(0, PR_SET_SECUREBITS), LIE, ENDS, ANYBODY,
	DEGRADED_NO_USERNS},
    {"setgroups fails", SCMP_SYS(setgroups), ANY_ARG, EPERM, ENDS, ROOT, 0},
    {"setgroups lies", SCMP_SYS(setgroups), ANY_ARG, LIE, ENDS, ROOT, 0},
    {"setresgid fails", SCMP_SYS(setresgid), ANY_ARG, EAGAIN, ENDS, ANYBODY, 0},
    {"setresuid fails", SCMP_SYS(setresuid), ANY_ARG, EAGAIN, ENDS, ANYBODY, 0},
    {"setresgid lies", SCMP_SYS(setresgid), ANY_ARG, LIE, ENDS, SYSTEM, 0},
    {"setresuid lies", SCMP_SYS(setresuid), ANY_ARG, LIE, ENDS, SYSTEM, 0},
    {"bounding set fails", SCMP_SYS(prctl), ARG(0, PR_CAPBSET_DROP), EPERM, ENDS, ANYBODY,
	DEGRADED_NO_USERNS},
    {"bounding set lies", SCMP_SYS(prctl), ARG(0, PR_CAPBSET_DROP), LIE, ENDS, ANYBODY,
	DEGRADED_NO_USERNS},
    {"capset fails", SCMP_SYS(capset), ANY_ARG, EPERM, ENDS, ANYBODY, 0},
    {"capset lies", SCMP_SYS(capset), ANY_ARG, LIE, ENDS, ANYBODY, DEGRADED_NO_USERNS},
    {"death signal fails", SCMP_SYS(prctl), ARG(0, PR_SET_PDEATHSIG), EPERM, ENDS, ANYBODY, 0},
    {"death signal lies", SCMP_SYS(prctl), ARG(0, PR_SET_PDEATHSIG), LIE, ENDS, ANYBODY, 0},
    {"another parent", SCMP_SYS(getppid), ANY_ARG, LIE, ENDS, ANYBODY, 0},
    {"dumpable fails", SCMP_SYS(prctl), ARG(0, PR_SET_DUMPABLE), EPERM, ENDS, ANYBODY, 0},
    {"dumpable lies", SCMP_SYS(prctl), ARG(0, PR_SET_DUMPABLE), LIE, ENDS, USER, 0},
    {"limits fail", SCMP_SYS(prlimit64), ARG_SET(2), EPERM, ENDS, ANYBODY, 0},
    {"limits lie", SCMP_SYS(prlimit64), ARG_SET(2), LIE, ENDS, ANYBODY, 0},
    {"no random bytes", SCMP_SYS(getrandom), ANY_ARG, EIO, ENDS, ANYBODY, 0},
    {"random bytes lie", SCMP_SYS(getrandom), ANY_ARG, LIE, ENDS, ANYBODY, 0},
    {"locking is refused", SCMP_SYS(mlock2), ANY_ARG, ENOMEM, DEGRADED_NO_MEMLOCK, ANYBODY,
	DEGRADED_NO_MEMLOCK},
    {"locking the future is refused", SCMP_SYS(mlockall), ANY_ARG, ENOMEM, DEGRADED_NO_MEMLOCK,
	ANYBODY, DEGRADED_NO_MEMLOCK},
    {"locking breaks", SCMP_SYS(mlockall), ANY_ARG, EIO, ENDS, ANYBODY, DEGRADED_NO_MEMLOCK},
    {"no_new_privs fails", SCMP_SYS(prctl), ARG(0, PR_SET_NO_NEW_PRIVS), EPERM, ENDS, ANYBODY, 0},
    {"no_new_privs lies", SCMP_SYS(prctl), ARG(0, PR_SET_NO_NEW_PRIVS), LIE, ENDS, ROOT, 0},
    {"no Landlock", SCMP_SYS(landlock_create_ruleset), ANY_ARG, ENOSYS, DEGRADED_LANDLOCK_NONE,
	ANYBODY, DEGRADED_LANDLOCK_NONE},
    {"Landlock is switched off", SCMP_SYS(landlock_create_ruleset), ANY_ARG, EOPNOTSUPP,
	DEGRADED_LANDLOCK_NONE, ANYBODY, DEGRADED_LANDLOCK_NONE},
    {"Landlock fails", SCMP_SYS(landlock_create_ruleset), ANY_ARG, EMFILE, ENDS, ANYBODY,
	DEGRADED_LANDLOCK_NONE},
    {"Landlock does not restrict", SCMP_SYS(landlock_restrict_self), ANY_ARG, E2BIG, ENDS, ANYBODY,
	DEGRADED_LANDLOCK_NONE},
    {"Landlock lies", SCMP_SYS(landlock_restrict_self), ANY_ARG, LIE, ENDS, ANYBODY,
	DEGRADED_LANDLOCK_NONE},
    {"Landlock takes no port", SCMP_SYS(landlock_add_rule), ARG(1, RULE_NET_PORT), EINVAL, ENDS,
	NET, DEGRADED_LANDLOCK_NONE | DEGRADED_LANDLOCK_OLD},
    {"a unit locks the personality", SCMP_SYS(personality), ARG(0, 0xffffffff), EPERM, 0, ANYBODY,
	0},
    {"no MDWE", SCMP_SYS(prctl), ARG(0, PR_SET_MDWE), EINVAL, DEGRADED_NO_MDWE, ANYBODY,
	DEGRADED_NO_MDWE},
    {"MDWE fails", SCMP_SYS(prctl), ARG(0, PR_SET_MDWE), EPERM, ENDS, ANYBODY, DEGRADED_NO_MDWE},
    {"MDWE lies", SCMP_SYS(prctl), ARG(0, PR_SET_MDWE), LIE, ENDS, ANYBODY, DEGRADED_NO_MDWE},
    {"the filter fails", SCMP_SYS(seccomp), ARG(0, 1), EPERM, ENDS, ANYBODY, 0},
    {"the filter lies", SCMP_SYS(seccomp), ARG(0, 1), LIE, ENDS, ANYBODY, 0},
};

/* The test's own filter: all is allowed, one call answers wrongly. */
static void
before_fault(const void *arg)
{
	const struct fault *fault = arg;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	unsigned n = fault->arg.op == _SCMP_CMP_MIN ? 0 : 1;
	gid_t group = 12;

	must(filter != NULL, "seccomp_init");
	/* A group to be dropped, where it can be. */
	(void)setgroups(1, &group);
	/* Root needs no no_new_privs for it, and then that step has something to do. */
	if (lockdown_may(CAP_SYS_ADMIN))
		must(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0, "seccomp_attr_set");
	must(seccomp_rule_add_array(
		 filter, SCMP_ACT_ERRNO((unsigned)fault->error), fault->call, n, &fault->arg) == 0,
	    "seccomp_rule_add");
	must(seccomp_load(filter) == 0, "seccomp_load");
}

static bool
fault_applies(const struct setting *s, const struct fault *fault)
{
	/* Where the machine has no network at all, an unshare that does not happen takes nothing away. */
	if (fault->call == SCMP_SYS(unshare) && fault->error != EIO && network_is_empty())
		return false;
	switch (fault->who) {
	case ROOT:
		return lockdown_may(CAP_SYS_ADMIN) && setgroups(0, NULL) == 0;
	case SYSTEM:
		return s->mode == MODE_SYSTEM;
	case ORDINARY:
		return getuid() != 0;
	case USER:
		return s->mode == MODE_USER;
	default:
		return true;
	}
}

/* The roles differ in two steps: whether there is a network to lose and memory to lock. */
static void
fault_check(const struct setting *s, const struct fault *fault)
{
	struct probe p = probe_for(s, fault->who == NET ? ROLE_NET : ROLE_BROKER);
	uint32_t degraded = 0;
	int status;

	p.before = before_fault;
	p.before_arg = fault;
	status = probe_run(&p, &degraded);
	if (fault->want == ENDS)
		report("fault", WIFEXITED(status) && WEXITSTATUS(status) == LOCKDOWN_EXIT,
		    "%s: the process ends (status 0x%x)", fault->name, (unsigned)status);
	else
		report("fault", status == 0 && (degraded & fault->want) == fault->want,
		    "%s: goes on and says so (status 0x%x, degraded 0x%x)", fault->name,
		    (unsigned)status, degraded);
}

static void
before_persona(const void *arg)
{
	must(personality(READ_IMPLIES_EXEC) >= 0, "personality");
}

/* The twin: the same way in without a fault; what it says is what this machine does not offer. */
static uint32_t
twin_check(const struct setting *s)
{
	struct probe p = probe_for(s, ROLE_BROKER);
	uint32_t degraded = 0;
	int status = probe_run(&p, &degraded);

	report("fault", status == 0, "twin: without a fault it comes up (degraded 0x%x)", degraded);
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if (degraded & bit)
			printf(
			    "       this machine: %s: %s\n", degraded_name(bit), degraded_why(bit));
	}
	return degraded;
}

static void
faults_run(const struct setting *s)
{
	uint32_t degraded = twin_check(s);
	struct probe p = probe_for(s, ROLE_BROKER);
	int status;

	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		if (fault_applies(s, &FAULTS[i]) && !(degraded & FAULTS[i].unless))
			fault_check(s, &FAULTS[i]);
	}
	p.before = before_persona;
	status = probe_run(&p, NULL);
	report("fault", WIFEXITED(status) && WEXITSTATUS(status) == LOCKDOWN_EXIT,
	    "readable means executable (personality): the process ends");
}

int
main(int argc, char **argv)
{
	struct setting s;
	int r = setting_take(argc > 1 ? argv[1] : NULL, &s);

	if (r == SETTING_SKIPPED)
		return r;
	log_open("faults", LOG_LEVEL_ALERT);
	if (argc - r > 1 && strcmp(argv[1 + r], "unit") == 0)
		suite_unit(&s);
	else
		faults_run(&s);
	printf("%u checks, %u failed (uid %u, %s mode)\n", report_run(), report_failed(), getuid(),
	    s.mode == MODE_SYSTEM ? "system" : "user");
	return report_failed() == 0 && report_run() > 0 ? 0 : 1;
}
