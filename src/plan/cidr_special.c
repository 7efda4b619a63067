/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ranges that are not "somebody on the Internet": IANA's IPv4 and IPv6 special-purpose address registries, and
 * of the IPv6 address space registry everything outside 2000::/3.
 */
#include <sgwarden/cidr.h>

#include <sgwarden/wire.h>

struct special_row {
	enum cidr_special special;
	struct rec_cidr range;
};

#define V4(special, prefix, ...)                                                                   \
	{                                                                                          \
		(special),                                                                         \
		{                                                                                  \
			4, (prefix),                                                               \
			{                                                                          \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	}
#define V6(special, prefix, ...)                                                                   \
	{                                                                                          \
		(special),                                                                         \
		{                                                                                  \
			6, (prefix),                                                               \
			{                                                                          \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	}

/*
 * The first row that a prefix touches gives the answer.  Hence what a policy can never allow stands above what it may
 * (private, shared, documentation), and a prefix that touches two of the latter is so wide that it touches one of
 * the former as well; a unit test holds that.
 */
static const struct special_row SPECIAL[] = {
    V4(CIDR_UNSPECIFIED, 8, 0),
    V4(CIDR_LOOPBACK, 8, 127),
    V4(CIDR_LINK_LOCAL, 16, 169, 254),
    V4(CIDR_TUNNEL, 24, 192, 88, 99), /* 6to4 relays, RFC 7526 */
    V4(CIDR_RESERVED, 24, 192, 0, 0),
    V4(CIDR_RESERVED, 24, 192, 31, 196), /* AS112, RFC 7535 */
    V4(CIDR_RESERVED, 24, 192, 52, 193), /* AMT, RFC 7450 */
    V4(CIDR_RESERVED, 24, 192, 175, 48), /* AS112, RFC 7534 */
    V4(CIDR_RESERVED, 15, 198, 18),      /* benchmarks, RFC 2544 */
    V4(CIDR_MULTICAST, 4, 224),
    V4(CIDR_RESERVED, 4, 240),

    V6(CIDR_MAPPED, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
    V6(CIDR_UNSPECIFIED, 128, 0),
    V6(CIDR_LOOPBACK, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    V6(CIDR_TUNNEL, 96, 0x00, 0x64, 0xff, 0x9b),             /* NAT64, RFC 6052 */
    V6(CIDR_TUNNEL, 48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), /* NAT64, RFC 8215 */
    V6(CIDR_TUNNEL, 32, 0x20, 0x01, 0x00, 0x00),             /* Teredo, RFC 4380 */
    V6(CIDR_TUNNEL, 16, 0x20, 0x02),                         /* 6to4, RFC 3056 */
    V6(CIDR_RESERVED, 23, 0x20, 0x01, 0x00),                 /* IETF protocols, RFC 2928 */
    V6(CIDR_RESERVED, 48, 0x26, 0x20, 0x00, 0x4f, 0x80),     /* AS112, RFC 7534 */
    V6(CIDR_RESERVED, 8, 0x00),
    V6(CIDR_RESERVED, 8, 0x01),
    V6(CIDR_RESERVED, 7, 0x02),
    V6(CIDR_RESERVED, 6, 0x04),
    V6(CIDR_RESERVED, 5, 0x08),
    V6(CIDR_RESERVED, 4, 0x10),
    V6(CIDR_RESERVED, 2, 0x40),
    V6(CIDR_RESERVED, 2, 0x80),
    V6(CIDR_RESERVED, 3, 0xc0),
    V6(CIDR_RESERVED, 4, 0xe0),
    V6(CIDR_RESERVED, 5, 0xf0),
    V6(CIDR_RESERVED, 6, 0xf8),
    V6(CIDR_RESERVED, 9, 0xfe),
    V6(CIDR_LINK_LOCAL, 10, 0xfe, 0x80),
    V6(CIDR_RESERVED, 10, 0xfe, 0xc0), /* site-local, RFC 3879 */
    V6(CIDR_MULTICAST, 8, 0xff),

    V4(CIDR_PRIVATE, 8, 10),
    V4(CIDR_PRIVATE, 12, 172, 16),
    V4(CIDR_PRIVATE, 16, 192, 168),
    V4(CIDR_CGNAT, 10, 100, 64),
    V6(CIDR_PRIVATE, 7, 0xfc),

    V4(CIDR_DOCUMENTATION, 24, 192, 0, 2),
    V4(CIDR_DOCUMENTATION, 24, 198, 51, 100),
    V4(CIDR_DOCUMENTATION, 24, 203, 0, 113),
    V6(CIDR_DOCUMENTATION, 32, 0x20, 0x01, 0x0d, 0xb8),
    V6(CIDR_DOCUMENTATION, 20, 0x3f, 0xff, 0x00),
};

static const char *const NAMES[CIDR_SPECIAL_MAX] = {
    [CIDR_PUBLIC] = "public",
    [CIDR_UNSPECIFIED] = "unspecified",
    [CIDR_PRIVATE] = "private",
    [CIDR_LOOPBACK] = "loopback",
    [CIDR_LINK_LOCAL] = "link-local",
    [CIDR_CGNAT] = "carrier NAT",
    [CIDR_MULTICAST] = "multicast",
    [CIDR_DOCUMENTATION] = "documentation",
    [CIDR_RESERVED] = "reserved",
    [CIDR_TUNNEL] = "tunnel",
    [CIDR_MAPPED] = "IPv4-mapped",
};

enum cidr_special
cidr_special(const struct rec_cidr *cidr)
{
	for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++) {
		const struct rec_cidr *range = &SPECIAL[i].range;

		if (cidr_contains(range, cidr) || cidr_contains(cidr, range))
			return SPECIAL[i].special;
	}
	return CIDR_PUBLIC;
}

const char *
cidr_special_name(enum cidr_special special)
{
	return special < CIDR_SPECIAL_MAX ? NAMES[special] : "?";
}
