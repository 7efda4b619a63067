/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the supervisor is in system mode: the account of its row, with the four capabilities that it needs to give each
 * child a uid, empty its bounding set and end it; no other capability, and no group.
 */
#include "supervisor.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sgwarden/log.h>

static const unsigned CAPABILITIES[] = {CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL};
#define CAPABILITIES_LEN (sizeof(CAPABILITIES) / sizeof(CAPABILITIES[0]))

static bool
is_needed(unsigned capability)
{
	for (size_t i = 0; i < CAPABILITIES_LEN; i++)
		if (CAPABILITIES[i] == capability)
			return true;
	return false;
}

/* The bounding set first: dropping from it takes CAP_SETPCAP, which is among those that stay. */
static int
bound(void)
{
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!is_needed(cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	return 0;
}

/* All of them are numbers below 32: the first word of each set. */
static int
capabilities_keep(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	uint32_t mask = 0;

	for (size_t i = 0; i < CAPABILITIES_LEN; i++)
		mask |= 1u << CAPABILITIES[i];
	sets[0] = (struct __user_cap_data_struct){mask, mask, mask};
	if (syscall(SYS_capset, &head, sets) < 0)
		return -1;
	for (size_t i = 0; i < CAPABILITIES_LEN; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITIES[i], 0, 0) < 0)
			return -1;
	return 0;
}

/* With NO_SETUID_FIXUP the change of uid takes no capability; with NOROOT uid 0 would mean nothing any more. */
static int
become(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT, 0, 0, 0) < 0 ||
	    bound() < 0)
		return -1;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -1;
	return capabilities_keep();
}

int
identity_take(struct supervisor *s)
{
	const struct topology_row *row = &TOPOLOGY[ROLE_SUPERVISOR];
	const struct passwd *pw;

	if (s->opt.mode != MODE_SYSTEM || getuid() != 0)
		return 0;
	pw = getpwnam(row->user);
	if (!pw || pw->pw_uid == 0) {
		s->mend = true;
		log_error(
		    "no account %s: install the sysusers file and run systemd-sysusers", row->user);
		return -1;
	}
	if (become(pw->pw_uid, pw->pw_gid) < 0) {
		log_error("cannot become %s with the capabilities to start processes of other "
			  "accounts: %s; in system mode sgwardend is started by its unit",
		    row->user, strerror(errno));
		return -1;
	}
	return 0;
}
