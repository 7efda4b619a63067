/* SPDX-License-Identifier: Apache-2.0 */
/* The lockdown's parts: for sandbox/ itself and for the probes of sandbox/prove. */
#ifndef SANDBOX_INTERNAL_H
#define SANDBOX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/securebits.h>

#include <sgwarden/sandbox.h>

#define LOCKDOWN_EXIT 70 /* the status of a process whose lockdown failed */

struct lockdown {
	const struct topology_row *row;
	const struct sandbox_args *args;
	bool own_userns;   /* this process made its user namespace */
	bool groups_kept;  /* user mode, where they cannot be dropped */
	uint32_t degraded; /* DEGRADED_* so far */
};

/* 0, or -1 with errno: the process must end. */
typedef int (*lockdown_fn)(struct lockdown *l);

struct lockdown_step {
	const char *name;
	lockdown_fn run;
};

/* In the order of <sgwarden/sandbox.h>; a row with a NULL name ends it. */
extern const struct lockdown_step LOCKDOWN[];

int lockdown_namespaces(struct lockdown *l);
int lockdown_descriptors(struct lockdown *l);
int lockdown_identity(struct lockdown *l);
int lockdown_capabilities(struct lockdown *l);
int lockdown_parent(struct lockdown *l);
int lockdown_dumpable(struct lockdown *l);
int lockdown_limits(struct lockdown *l);
int lockdown_random(struct lockdown *l);
int lockdown_no_new_privs(struct lockdown *l);
int lockdown_landlock(struct lockdown *l);
int lockdown_memory(struct lockdown *l);
int lockdown_mdwe(struct lockdown *l);
int lockdown_check(struct lockdown *l);
int lockdown_seccomp(struct lockdown *l);

/* Whether this process holds a capability (CAP_*) that the lockdown itself needs. */
bool lockdown_may(unsigned capability);

/* uid 0 means nothing at an execve, a change of uid moves no capability, ambient ones cannot be raised; for good. */
#define LOCKDOWN_SECUREBITS                                                                        \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |                              \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Whether this network namespace has no device but the loopback. */
bool network_is_empty(void);

/* Whether `fd` is one that the row starts with. */
bool lockdown_keeps(const struct topology_row *row, int fd);

/* The descriptors that every child has. */
#define LOCKDOWN_FDS_COMMON 4

/* The compiled filter of a role as classic BPF, for the simulator.  0, or -1 with errno. */
int sandbox_export_bpf(enum role role, bool tight, int fd);

#endif
