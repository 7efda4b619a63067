/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the Internet a group lets in at one port: the union of what is open there and what a plan would open.
 *
 * IPv4 counts addresses, IPv6 counts /64 networks (a part of one counts whole), each family by itself; 65,536 of
 * either is one forbidden-sized prefix (/16, /48) of the built-in policy.  Sources that are prefix lists or groups
 * are not counted: what they hold is not known here.
 */
#ifndef PLAN_EXPOSURE_H
#define PLAN_EXPOSURE_H

#include <sgwarden/policy.h>

struct exposure {
	uint8_t family;
	int16_t protocol;
	int32_t port;    /* tcp, udp: the port; ICMP: the type; else -1 */
	uint64_t before; /* what is open now */
	uint64_t after;  /* and with the plan */
};

/*
 * Looks at every protocol and port that the plan's openings reach.  True where after > most ([0] for IPv4,
 * [1] for IPv6) and after > before:
 * there the plan adds to what is too much.  A plan whose sources are open already adds nothing and passes.
 */
bool exposure_exceeds(const struct rec_plan *plan, const struct policy_facts *facts,
    const uint64_t most[2], struct exposure *ret_where);

#endif
