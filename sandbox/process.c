/* SPDX-License-Identifier: Apache-2.0 */
/* What the process gives up by itself: descriptors, life beyond its parent, core dumps, limits, privileges, W+X. */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"

/* What a client hands over comes later: it is not among the descriptors that a process starts with. */
bool
lockdown_keeps(const struct topology_row *row, int fd)
{
	if (fd < LOCKDOWN_FDS_COMMON)
		return true;
#if SGW_TESTCLOCK
	if (fd == FD_TESTCLOCK)
		return true;
#endif
	for (size_t i = 0; i < TOPOLOGY_FDS_MAX; i++) {
		if (row->fds[i].what != NULL && row->fds[i].fd == fd)
			return row->fds[i].kind != FDK_STREAM;
	}
	return false;
}

#define KEPT_MAX 16 /* above every FD_* of the topology */

int
lockdown_descriptors(struct lockdown *l)
{
	for (int fd = LOCKDOWN_FDS_COMMON; fd < KEPT_MAX; fd++) {
		if (!lockdown_keeps(l->row, fd) && close_range((unsigned)fd, (unsigned)fd, 0) < 0)
			return -1;
	}
	return close_range(KEPT_MAX, UINT_MAX, 0);
}

/* A change of credentials clears the death signal, so it is set after the last one; see PR_SET_PDEATHSIG(2const). */
int
lockdown_parent(struct lockdown *l)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	if (getppid() != l->args->parent) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

static int
limit_set(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit now, want = {.rlim_cur = value, .rlim_max = value};

	if (getrlimit(resource, &now) < 0)
		return -1;
	/* A hard limit that is lower already stays: raising it takes a capability, and lower is safer. */
	if (now.rlim_max < value)
		want.rlim_cur = want.rlim_max = now.rlim_max;
	return setrlimit(resource, &want);
}

int
lockdown_dumpable(struct lockdown *l)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	return limit_set(RLIMIT_CORE, 0);
}

int
lockdown_limits(struct lockdown *l)
{
	const struct topology_row *row = l->row;
	/* Outside a namespace of its own a user's other processes would count against the row's number. */
	bool counts_alone = l->own_userns || l->args->mode != MODE_USER;

	if (limit_set(RLIMIT_NOFILE, row->limit_nofile) < 0 ||
	    limit_set(RLIMIT_AS, row->limit_as) < 0 ||
	    limit_set(RLIMIT_MEMLOCK, row->limit_memlock) < 0)
		return -1;
	if (row->limit_nproc > 0 && counts_alone)
		return limit_set(RLIMIT_NPROC, row->limit_nproc);
	return 0;
}

/*
 * glibc draws without the kernel since 2.41 (a vDSO of 6.11 or later): a thread's first byte blocks signals and maps the
 * state that it keeps from then on (MAP_DROPPABLE).  No filter but net's allows the one, none the other.  It is done
 * before the memory is locked, as such pages never are: the kernel drops them and does not swap them out.
 */
int
lockdown_random(struct lockdown *l)
{
	uint8_t byte;
	ssize_t n;

	if (!l->row->draws_random)
		return 0;
	n = getrandom(&byte, sizeof(byte), 0);
	if (n == 0) /* a kernel that gives none, and says nothing */
		errno = EIO;
	return n == (ssize_t)sizeof(byte) ? 0 : -1;
}

int
lockdown_no_new_privs(struct lockdown *l)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int
lock_range(uintptr_t from, uintptr_t to)
{
	return from < to ? mlock2((const void *)from, to - from, MLOCK_ONFAULT) : 0;
}

/* A mapping but for the whole pages of the process's plain table. */
static int
lock_mapping(const struct sandbox_args *args, uintptr_t from, uintptr_t to)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), table = (uintptr_t)args->plain;
	uintptr_t begin = (table + page - 1) / page * page;
	uintptr_t end = (table + args->plain_len) / page * page;

	if (begin >= end || begin < from || end > to)
		return lock_range(from, to);
	return lock_range(from, begin) < 0 ? -1 : lock_range(end, to);
}

/* Locks, page by page as they are touched, the writable mappings that exist. */
static int
lock_writable(const struct sandbox_args *args)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	int r = 0, saved;

	if (maps == NULL)
		return -1;
	while (r == 0 && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;
		char perms[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, perms) != 3 || perms[1] != 'w')
			continue;
		r = lock_mapping(args, from, to);
	}
	saved = errno;
	fclose(maps);
	errno = saved;
	return r;
}

/*
 * A row with memory to lock holds secrets: whatever it can write to stays out of the swap, now and later.  Code is
 * left alone: it is no secret, and with it the ordinary limit of 8 MiB would not do.
 */
int
lockdown_memory(struct lockdown *l)
{
	if (l->row->limit_memlock == 0)
		return 0;
	if (lock_writable(l->args) == 0 && mlockall(MCL_FUTURE | MCL_ONFAULT) == 0)
		return 0;
	if (errno != ENOMEM && errno != EPERM && errno != EAGAIN)
		return -1;
	munlockall();
	l->degraded |= DEGRADED_NO_MEMLOCK;
	return 0;
}

int
lockdown_mdwe(struct lockdown *l)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	l->degraded |= DEGRADED_NO_MDWE;
	return 0;
}
