/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check: what the steps before it claim is read back from the kernel, by other calls than those that set it.
 * It runs just before the filter, so that no filter has to allow it; the filter itself is checked once it is on.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "kernel.h"

#define FDS_CHECKED 256

static bool
descriptors_hold(const struct lockdown *l)
{
	for (int fd = LOCKDOWN_FDS_COMMON; fd < FDS_CHECKED; fd++) {
		if (!lockdown_keeps(l->row, fd) && fcntl(fd, F_GETFD) >= 0)
			return false;
	}
	return true;
}

/* initgroups(3), which a service manager calls, puts the account's own group among its further ones. */
static bool
groups_are_own(gid_t own)
{
	gid_t further[2];
	int n = getgroups(2, further);

	return n == 0 || (n == 1 && further[0] == own);
}

static bool
identity_holds(const struct lockdown *l)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&gr, &ge, &gs) < 0)
		return false;
	if (r != e || e != s || gr != ge || ge != gs)
		return false;
	if (l->args->mode == MODE_UNIT)
		return r != 0 && gr != 0 && groups_are_own(gr);
	if (l->args->mode == MODE_SYSTEM)
		return r == l->args->uid && gr == l->args->gid && getgroups(0, NULL) == 0;
	return l->groups_kept || getgroups(0, NULL) == 0;
}

static bool
capabilities_hold(const struct lockdown *l)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	bool bounded = !(l->degraded & DEGRADED_NO_USERNS);

	if (syscall(SYS_capget, &head, sets) < 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (sets[i].effective != 0 || sets[i].permitted != 0 || sets[i].inheritable != 0)
			return false;
	}
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (bounded && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return false;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 0)
			return false;
	}
	return true;
}

static bool
parent_holds(const struct lockdown *l)
{
	int signal_number = 0;

	return prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0) == 0 && signal_number == SIGKILL &&
	       getppid() == l->args->parent;
}

static bool
dump_holds(const struct lockdown *l)
{
	struct rlimit core;

	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && getrlimit(RLIMIT_CORE, &core) == 0 &&
	       core.rlim_cur == 0 && core.rlim_max == 0;
}

static bool
limits_hold(const struct lockdown *l)
{
	struct rlimit files, space;

	return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max <= l->row->limit_nofile &&
	       getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_max <= l->row->limit_as;
}

static bool
privileges_hold(const struct lockdown *l)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/* No file can be opened that is not beneath the row's paths; the root directory is beneath none. */
static bool
landlock_holds(const struct lockdown *l)
{
	int fd;

	if (l->degraded & DEGRADED_LANDLOCK_NONE)
		return true;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES;
}

/* An inherited READ_IMPLIES_EXEC would turn every readable mapping into code behind the filter's back. */
static bool
code_holds(const struct lockdown *l)
{
	int persona = personality(0xffffffff);

	/* LockPersonality= of a unit lets no value pass but the one that is set: the answer is then the same */
	if (persona < 0 && errno == EPERM)
		persona = personality(PER_LINUX);
	if (persona < 0 || (persona & READ_IMPLIES_EXEC))
		return false;
	return (l->degraded & DEGRADED_NO_MDWE) ||
	       prctl(PR_GET_MDWE, 0, 0, 0, 0) == (int)PR_MDWE_REFUSE_EXEC_GAIN;
}

/* A kernel that only says that it unshared would leave the host's devices in sight. */
static bool
network_holds(const struct lockdown *l)
{
	return !(l->row->namespaces & NS_NET) || (l->degraded & DEGRADED_NO_NETNS) ||
	       network_is_empty();
}

static bool
securebits_hold(const struct lockdown *l)
{
	/* in a unit the bounding set is empty, whatever uid 0 would mean */
	return l->args->mode == MODE_UNIT || (l->degraded & DEGRADED_NO_USERNS) ||
	       prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == LOCKDOWN_SECUREBITS;
}

struct check {
	const char *what;
	bool (*holds)(const struct lockdown *l);
};

static const struct check CHECKS[] = {
    {"a descriptor beyond the row is open", descriptors_hold},
    {"uid, gid or groups are not the row's", identity_holds},
    {"a capability is left", capabilities_hold},
    {"uid 0 would bring capabilities back", securebits_hold},
    {"a network device other than the loopback is in sight", network_holds},
    {"the parent is gone or its death would go unnoticed", parent_holds},
    {"the process can be dumped", dump_holds},
    {"a limit is not set", limits_hold},
    {"no_new_privs is off", privileges_hold},
    {"Landlock lets a file be opened", landlock_holds},
    {"memory could become code", code_holds},
};

int
lockdown_check(struct lockdown *l)
{
	for (size_t i = 0; i < sizeof(CHECKS) / sizeof(CHECKS[0]); i++) {
		if (!CHECKS[i].holds(l)) {
			log_error("self-check of %s: %s", l->row->name, CHECKS[i].what);
			errno = EPERM;
			return -1;
		}
	}
	return 0;
}
