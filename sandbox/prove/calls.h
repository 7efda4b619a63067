/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that a probe tries, and who may make them. */
#ifndef SANDBOX_PROVE_CALLS_H
#define SANDBOX_PROVE_CALLS_H

#include <stdint.h>

#include <sgwarden/topology.h>

#define TIGHT_BIT (1u << ROLE_MAX) /* front's second filter counts as a role of its own here */

enum call_way {
	WAY_SYSCALL,
	WAY_X32,   /* the same number with the x32 bit */
	WAY_INT80, /* i386's entry */
};

struct call {
	const char *name;
	long nr;
	uint64_t args[6];
	uint32_t may;   /* ROLE_BITs and TIGHT_BIT: who is not killed for it */
	int errno_want; /* what who may then gets; 0: whatever the kernel says */
	enum call_way way;
};

extern const struct call CALLS[];
extern const unsigned CALLS_LEN;

/* Makes it; returns what the kernel says, errors negated. */
long call_make(const struct call *call);

#endif
