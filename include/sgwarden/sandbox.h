/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lockdown of a child, in one fixed order, before it reads one byte from a peer:
 *
 *   namespaces where offered; close_range; groups, gid, uid; capability sets empty; PDEATHSIG and a getppid
 *   recheck; not dumpable; core 0; a first random byte, where more will be drawn; no_new_privs; Landlock; MDWE where
 *   the kernel has it; seccomp; self-check.
 *
 * A step that fails ends the process; a step the kernel does not offer is a named degradation, and the supervisor
 * ends the cell unless the configuration allows that name.
 */
#ifndef SGWARDEN_SANDBOX_H
#define SGWARDEN_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sgwarden/ports.h>
#include <sgwarden/topology.h>

/* DEGRADED(bit, NAME, "name in the configuration", "what it means for the person") */
#define SGW_DEGRADATIONS(X)                                                                        \
	X(0, NO_USERNS, "no-userns", "no user namespace: bounding set and groups stay as they were")   \
	X(1, NO_NETNS, "no-netns", "no network namespace: only seccomp keeps this process off the net") \
	X(2, LANDLOCK_NONE, "no-landlock", "kernel without Landlock: only seccomp guards the files")    \
	X(3, LANDLOCK_OLD, "landlock-abi-old", "Landlock before ABI 4: TCP ports are not restricted")   \
	X(4, NO_MDWE, "no-mdwe", "kernel before 6.3: only seccomp refuses writable code")               \
	X(5, NO_MEMLOCK, "no-memlock", "memory cannot be locked: secrets could reach the swap")         \
	X(6, SHARED_UID, "shared-uid", "user mode: every process has the caller's uid")

enum degraded {
#define X(bit, NAME, name, why) DEGRADED_##NAME = 1u << (bit),
	SGW_DEGRADATIONS(X)
#undef X
};

enum run_mode {
	MODE_USER,
	MODE_SYSTEM,
	MODE_UNIT, /* system mode, started by a unit of its own: what that gave is found, not made */
};

/*
 * What the supervisor tells a child on its command line: `--mode=user --parent=PID [--uid=N --gid=N]`; and a unit what
 * it starts: `--mode=unit --parent=1`.  net hears besides which TCP ports it may connect to: `--ports=53,443`.
 */
struct sandbox_args {
	enum run_mode mode;
	pid_t parent; /* whose death ends the child */
	uid_t uid;    /* system mode: to become; user mode: ignored */
	gid_t gid;
	struct ports ports; /* none: those of its row; a row without any takes none */
	/* Set by the process itself: a large table that no secret ever passes, which therefore need not be locked. */
	const void *plain;
	size_t plain_len;
};

/* 0, or -1 with a line in the log: unknown, missing or ill-formed argument. */
int sandbox_args_parse(int argc, char **argv, struct sandbox_args *ret_args);

/*
 * Before it, a process that links libcrypto calls OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) and uses once
 * what it will need: later no configuration and no provider can be opened.  After it there is no stdio on files, no
 * qsort(3) of more than a page (it asks for the machine's memory), no abort() that says why: each of them ends with
 * SIGSYS.  What a process may call stands in sandbox/policy/.
 *
 * The whole lockdown for `role`.  Returns 0 and the degradations (DEGRADED_* bits), or does not return: a failed
 * step is logged and the process exits with status 70.
 */
int sandbox_enter(enum role role, const struct sandbox_args *args, uint32_t *ret_degraded);

/* Front's second stage, once the client's descriptors are in: recvmsg for the planner's socket alone. */
int sandbox_tighten_front(void);

/* The name used in the configuration, or NULL for an unknown bit; and back: 0 for an unknown name. */
const char *degraded_name(uint32_t bit);
const char *degraded_why(uint32_t bit);
uint32_t degraded_bit(const char *name);

#endif
