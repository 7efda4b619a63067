/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of address sources; see <sgwarden/address.h>. */
#include <sgwarden/address.h>

#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Formatting the result again is what makes this exact: there is one text for one address. */
bool
address_parse(const char *text, size_t len, enum ip_family family, struct rec_cidr *ret_address)
{
	struct rec_cidr address;
	char again[CIDR_TEXT_LEN];

	while (len > 0 && is_space(text[0])) {
		text++;
		len--;
	}
	while (len > 0 && is_space(text[len - 1]))
		len--;
	if (len == 0 || len > SGW_ADDRESS_ANSWER_MAX || memchr(text, '/', len) != NULL ||
	    cidr_parse(text, len, &address) != CIDR_OK ||
	    address.family != (family == IP_V4 ? 4 : 6))
		return false;
	cidr_format(&address, again);
	if (strcspn(again, "/") != len || memcmp(again, text, len) != 0)
		return false;
	*ret_address = address;
	return true;
}

unsigned
address_votes(const struct rec_seen *seen, size_t n, const struct rec_cidr *address)
{
	unsigned votes = 0;

	for (size_t i = 0; i < n; i++)
		votes += seen[i].state == SEEN_OK && cidr_equal(&seen[i].address, address);
	return votes;
}

/* Two of three is more than half: no second address can have as many. */
_Static_assert(2 * SGW_ADDRESS_SOURCES_MIN > SGW_ADDRESS_SOURCES_MAX, "a majority");

bool
address_agreed(
    const struct rec_seen *seen, size_t n, struct rec_cidr *ret_address, unsigned *ret_votes)
{
	for (size_t i = 0; i < n; i++) {
		unsigned votes = address_votes(seen, n, &seen[i].address);

		if (seen[i].state != SEEN_OK || votes < SGW_ADDRESS_SOURCES_MIN)
			continue;
		*ret_address = seen[i].address;
		*ret_votes = votes;
		return true;
	}
	return false;
}

bool
address_usable(const struct rec_policy *policy, const struct rec_cidr *address)
{
	enum cidr_special special = cidr_special(address);

	return special == CIDR_PUBLIC ||
	       (special == CIDR_DOCUMENTATION && policy->allow_documentation);
}

const char *
address_source_name(const struct rec_address_source *source)
{
	const char *name = strstr(source->url, "://");

	return name != NULL ? name + 3 : source->url;
}

const char *
seen_state_name(enum seen_state state)
{
	static const char *const names[SEEN_STATE_MAX] = {
	    [SEEN_UNREACHABLE] = "no answer",
	    [SEEN_OK] = "an address",
	    [SEEN_STATUS] = "another HTTP status than 200",
	    [SEEN_NOT_AN_ADDRESS] = "no address of this family",
	};

	return state < SEEN_STATE_MAX ? names[state] : "?";
}
