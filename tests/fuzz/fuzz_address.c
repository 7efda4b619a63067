/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a source's answer, over both families: refused, or one whole address whose text is in it. */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/address.h>

#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static bool
is_around(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Nothing but the address and white space around it: what is left out of the answer is looked at byte by byte. */
static void
check(const uint8_t *data, size_t len, const struct rec_cidr *address, enum ip_family family)
{
	char text[CIDR_TEXT_LEN];
	size_t n, at = 0;

	MUST(address->family == (family == IP_V4 ? 4 : 6));
	MUST(address->prefix == (family == IP_V4 ? 32 : 128));
	cidr_format(address, text);
	n = strcspn(text, "/");
	while (at < len && is_around(data[at]))
		at++;
	MUST(len - at >= n && memcmp(data + at, text, n) == 0);
	for (at += n; at < len; at++)
		MUST(is_around(data[at]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	for (unsigned family = IP_V4; family < IP_FAMILY_MAX; family++) {
		struct rec_cidr address;

		if (address_parse((const char *)data, len, (enum ip_family)family, &address))
			check(data, len, &address, (enum ip_family)family);
	}
	return 0;
}
