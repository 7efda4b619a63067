/* SPDX-License-Identifier: Apache-2.0 */
/* Who the process is from here on: groups, gid, uid, and no capability in any set. */
#include "internal.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

bool
lockdown_may(unsigned capability)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

/* user_namespaces(7): whoever maps its gid without privilege, as some containers do, loses setgroups(2) for that. */
static bool
setgroups_given_up(void)
{
	char word[4] = {0};
	int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, word, sizeof(word)) < 0)
		word[0] = 0;
	close(fd);
	return memcmp(word, "deny", sizeof(word)) == 0;
}

static int
identity_change(uid_t uid, gid_t gid)
{
	if (setresgid(gid, gid, gid) < 0)
		return -1;
	return setresuid(uid, uid, uid);
}

int
lockdown_identity(struct lockdown *l)
{
	bool may_bits = lockdown_may(CAP_SETPCAP);

	if (l->args->mode == MODE_UNIT)
		return 0;
	if (may_bits && prctl(PR_SET_SECUREBITS, LOCKDOWN_SECUREBITS, 0, 0, 0) < 0)
		return -1;
	if (l->args->mode == MODE_SYSTEM) {
		if (!may_bits) {
			errno = EPERM;
			return -1;
		}
		if (setgroups(0, NULL) < 0)
			return -1;
		return identity_change(l->args->uid, l->args->gid);
	}
	l->degraded |= DEGRADED_SHARED_UID;
	l->groups_kept = l->own_userns || !lockdown_may(CAP_SETGID) || setgroups_given_up();
	if (!l->groups_kept && setgroups(0, NULL) < 0)
		return -1;
	return identity_change(getuid(), getgid());
}

int
lockdown_capabilities(struct lockdown *l)
{
	bool may_bound = lockdown_may(CAP_SETPCAP);

	if (l->args->mode == MODE_UNIT)
		return 0;
	if (!may_bound) {
		if (l->args->mode == MODE_SYSTEM) {
			errno = EPERM;
			return -1;
		}
		l->degraded |= DEGRADED_NO_USERNS;
	}
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) !=
	    0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
