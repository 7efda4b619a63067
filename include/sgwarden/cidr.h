/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 and IPv6 prefixes in one canonical form: host bits zero, IPv4 in the first four bytes.  Text is RFC 5952.
 */
#ifndef SGWARDEN_CIDR_H
#define SGWARDEN_CIDR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CIDR_TEXT_LEN 50 /* "ffff:…:ffff/128" and a NUL */

/* The address ranges that mean something other than "somebody on the Internet" (IANA special-purpose registries). */
enum cidr_special {
	CIDR_PUBLIC = 0,
	CIDR_UNSPECIFIED, /* 0.0.0.0/8, ::/128 */
	CIDR_PRIVATE,     /* RFC 1918, fc00::/7 */
	CIDR_LOOPBACK,    /* 127.0.0.0/8, ::1 */
	CIDR_LINK_LOCAL,  /* 169.254.0.0/16, fe80::/10 */
	CIDR_CGNAT,       /* 100.64.0.0/10 */
	CIDR_MULTICAST,   /* 224.0.0.0/4, ff00::/8 */
	CIDR_DOCUMENTATION, /* 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20 */
	CIDR_RESERVED,      /* 240.0.0.0/4, 192.0.0.0/24, 198.18.0.0/15, broadcast … */
	CIDR_TUNNEL,        /* 6to4 2002::/16, Teredo 2001::/32, NAT64 64:ff9b::/96 */
	CIDR_MAPPED,        /* ::ffff:0:0/96 */
	CIDR_SPECIAL_MAX,
};

/* Eight bytes of an address as a number. */
static inline uint64_t
cidr_word(const uint8_t *addr)
{
	uint64_t be;

	memcpy(&be, addr, sizeof(be));
	return be64toh(be);
}

/* Which of the 64 bits from bit `first` on lie behind the prefix. */
static inline uint64_t
cidr_host_mask(unsigned prefix, unsigned first)
{
	return prefix <= first        ? UINT64_MAX
	       : prefix >= first + 64 ? 0
				      : UINT64_MAX >> (prefix - first);
}

/* Is (family, prefix, address) the one canonical form of a prefix?  The wire's decoder asks this too. */
static inline bool
cidr_is_canonical(uint8_t family, uint8_t prefix, const uint8_t addr[16])
{
	unsigned bits = family == 4 ? 32 : 128;

	if ((family != 4 && family != 6) || prefix > bits)
		return false;
	return ((cidr_word(addr) & cidr_host_mask(prefix, 0)) |
		   (cidr_word(addr + 8) & cidr_host_mask(prefix, 64))) == 0;
}

struct rec_cidr; /* generated from messages.def: family (4 or 6), prefix, addr[16] */

enum cidr_parse {
	CIDR_OK = 0,
	CIDR_OK_HOST_BITS =
	    1, /* host bits were set; ret_cidr holds the prefix without them: say so to the person */
	CIDR_BAD =
	    -1, /* not an address or prefix: leading zeros, missing octets, zone ids, spaces … */
	CIDR_BAD_PREFIX = -2, /* prefix length out of range or not in plain decimal */
	CIDR_BAD_MAPPED = -3, /* ::ffff:0:0/96 is refused whatever it maps to */
};

/* `text` is an address or a prefix; an address means /32 or /128. */
enum cidr_parse cidr_parse(const char *text, size_t len, struct rec_cidr *ret_cidr);
void cidr_format(
    const struct rec_cidr *cidr, char ret_text[CIDR_TEXT_LEN]); /* always with the /length */
bool cidr_equal(const struct rec_cidr *a, const struct rec_cidr *b);
bool cidr_contains(const struct rec_cidr *outer, const struct rec_cidr *inner);
/* The first special range that the prefix touches (overlap, not containment), or CIDR_PUBLIC. */
enum cidr_special cidr_special(const struct rec_cidr *cidr);
const char *cidr_special_name(enum cidr_special special);

#endif
