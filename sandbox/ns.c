/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces.  Who is privileged (root, a container's root) unshares them directly and keeps its uid.  An ordinary
 * uid makes a user namespace in which it is itself, and the others inside it.  In system mode the supervisor has no
 * CAP_SYS_ADMIN: the unit has given the cell its namespaces, and here the network is found empty already.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct ns_flag {
	uint32_t ns;
	int clone_flag;
};

static const struct ns_flag NS_FLAGS[] = {
    {NS_NET, CLONE_NEWNET},
    {NS_IPC, CLONE_NEWIPC},
    {NS_UTS, CLONE_NEWUTS},
};

static int
clone_flags(uint32_t namespaces)
{
	int flags = 0;

	for (size_t i = 0; i < sizeof(NS_FLAGS) / sizeof(NS_FLAGS[0]); i++) {
		if (namespaces & NS_FLAGS[i].ns)
			flags |= NS_FLAGS[i].clone_flag;
	}
	return flags;
}

static int
file_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The caller's ids as themselves.  gid_map is refused to an ordinary uid before setgroups is given up for ever. */
static int
map_own_ids(uid_t uid, gid_t gid)
{
	char line[64];

	if (file_put("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(line, sizeof(line), "%u %u 1\n", uid, uid);
	if (file_put("/proc/self/uid_map", line) < 0)
		return -1;
	snprintf(line, sizeof(line), "%u %u 1\n", gid, gid);
	return file_put("/proc/self/gid_map", line);
}

/* Nothing but the loopback device: what `PrivateNetwork=` leaves. */
bool
network_is_empty(void)
{
	struct if_nameindex *list = if_nameindex();
	bool empty = list != NULL;

	for (size_t i = 0; list != NULL && list[i].if_index != 0; i++) {
		if (strcmp(list[i].if_name, "lo") != 0)
			empty = false;
	}
	if (list != NULL)
		if_freenameindex(list);
	return empty;
}

/* What a kernel or container says that offers no user namespaces (unshare(2)). */
static bool
is_not_offered(int error)
{
	return error == EPERM || error == ENOSPC || error == EUSERS || error == EINVAL ||
	       error == ENOSYS;
}

/*
 * A user namespace with the others inside it.  0; 1 where it is not offered; -1.  Whoever is uid 0 without CAP_SETFCAP
 * (a trimmed container) could make one, but not map uid 0 into it (user_namespaces(7), since 5.12).
 */
static int
user_namespace_enter(int flags)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (uid == 0 && !lockdown_may(CAP_SETFCAP))
		return 1;
	if (unshare(CLONE_NEWUSER | flags) < 0)
		return is_not_offered(errno) ? 1 : -1;
	return map_own_ids(uid, gid);
}

int
lockdown_namespaces(struct lockdown *l)
{
	int flags = clone_flags(l->row->namespaces), r;

	if (unshare(flags) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
	if (l->args->mode == MODE_USER && (l->row->namespaces & NS_USER)) {
		r = user_namespace_enter(flags);
		l->own_userns = r == 0;
		if (r <= 0)
			return r;
		l->degraded |= DEGRADED_NO_USERNS;
	}
	if ((l->row->namespaces & NS_NET) && !network_is_empty())
		l->degraded |= DEGRADED_NO_NETNS;
	return 0;
}
