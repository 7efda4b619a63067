/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine's own address, as sources on the network report it.  A source is asked over one family and answers
 * with one line; one answer is nobody's proof, so at least two sources must say the same.  Pure: no I/O.
 */
#ifndef SGWARDEN_ADDRESS_H
#define SGWARDEN_ADDRESS_H

#include <sgwarden/policy.h>
#include <sgwarden/wire.h>

/*
 * A source's whole answer, white space around it left out: one address of this family in its one form (RFC 5952 for
 * IPv6), at most SGW_ADDRESS_ANSWER_MAX bytes, and nothing else.
 */
bool address_parse(
    const char *text, size_t len, enum ip_family family, struct rec_cidr *ret_address);

/* How many of the sources say exactly this address. */
unsigned address_votes(const struct rec_seen *seen, size_t n, const struct rec_cidr *address);
/* What at least SGW_ADDRESS_SOURCES_MIN of them say, and how many do; false: no such address. */
bool address_agreed(
    const struct rec_seen *seen, size_t n, struct rec_cidr *ret_address, unsigned *ret_votes);

/*
 * May "current" mean it?  Private and shared addresses (RFC 1918, fc00::/7, carrier NAT) are not what AWS sees, so
 * they are refused even where the policy opens them; documentation ranges go where the policy says so (demo).
 */
bool address_usable(const struct rec_policy *policy, const struct rec_cidr *address);

/* "https://host/path" without its scheme. */
const char *address_source_name(const struct rec_address_source *source);
/* "no answer", "no address" ... for people; of SEEN_OK "an address". */
const char *seen_state_name(enum seen_state state);

#endif
