/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: every file right that the kernel knows is taken away, and only reading beneath the row's paths is given
 * back; descriptors that are open already stay what they are.
 *
 * TCP (ABI 4): nobody binds, and nobody connects but net, to the ports that its command line names.  Two ways past
 * these rules are the filter's to close: MPTCP and other streams, and MSG_FASTOPEN, which connects without connect(2).
 * UDP has no such rules: net can send it anywhere.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sgwarden/mutate.h>

#include "kernel.h"

#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL_DEV 5
#define ABI_SCOPE 6

/* ABI 1: execute to make_sym; ABI 2: refer. */
#define FS_ABI1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static long
abi_offered(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t
fs_rights(long abi)
{
	uint64_t rights = FS_ABI1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= ABI_IOCTL_DEV)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static int
ruleset_create(const struct topology_row *row, long abi)
{
	struct landlock_ruleset_abi6 attr = {.handled_access_fs = fs_rights(abi)};
	size_t size = sizeof(attr.handled_access_fs);

	if (abi >= ABI_NET) {
		attr.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
		if (row->tcp_ports[0] == 0 || !MUTATE(NET_PORTS))
			attr.handled_access_net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
		size += sizeof(attr.handled_access_net);
	}
	if (abi >= ABI_SCOPE) {
		attr.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
		size += sizeof(attr.scoped);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

/* Reading at and beneath path; a path that this machine does not have needs no rule. */
static int
path_allow(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	struct stat st;
	int r = -1, saved;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	if (fstat(rule.parent_fd, &st) < 0)
		goto out;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
out:
	saved = errno;
	close(rule.parent_fd);
	errno = saved;
	return r;
}

static int
port_allow(int ruleset, uint16_t port)
{
	struct landlock_net_port_attr_abi4 rule = {
	    .allowed_access = LANDLOCK_ACCESS_NET_CONNECT_TCP, .port = port};

	return MUTATE(NET_PORTS)
		   ? 0
		   : (int)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0);
}

/* Its command line's; where that names none, its row's. */
static int
ports_allow(const struct lockdown *l, int ruleset)
{
	const struct ports *named = &l->args->ports;

	if (named->n > 0 && l->row->tcp_ports[0] == 0) {
		errno = EINVAL;
		return -1;
	}
	for (unsigned i = 0; i < named->n; i++) {
		if (port_allow(ruleset, named->port[i]) < 0)
			return -1;
	}
	for (size_t i = 0; named->n == 0 && i < TOPOLOGY_PORTS_MAX && l->row->tcp_ports[i] != 0;
	     i++) {
		if (port_allow(ruleset, l->row->tcp_ports[i]) < 0)
			return -1;
	}
	return 0;
}

static int
ruleset_enforce(const struct lockdown *l, int ruleset, long abi)
{
	const struct topology_row *row = l->row;

	for (size_t i = 0; i < TOPOLOGY_PATHS_MAX && row->read_paths[i] != NULL; i++) {
		if (path_allow(ruleset, row->read_paths[i]) < 0)
			return -1;
	}
	if (abi >= ABI_NET && ports_allow(l, ruleset) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

int
lockdown_landlock(struct lockdown *l)
{
	long abi = abi_offered();
	int ruleset, r, saved;

	if (abi < 0) {
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			return -1;
		l->degraded |= DEGRADED_LANDLOCK_NONE;
		return 0;
	}
	if (abi < ABI_NET)
		l->degraded |= DEGRADED_LANDLOCK_OLD;
	ruleset = ruleset_create(l->row, abi);
	if (ruleset < 0)
		return -1;
	r = ruleset_enforce(l, ruleset, abi);
	saved = errno;
	close(ruleset);
	errno = saved;
	return r;
}
