/* SPDX-License-Identifier: Apache-2.0 */
/* Durations (90m, 8h, 7d; ISO 8601 without years and months, which have no fixed length) and RFC 3339 times. */
#include "args.h"

#include <string.h>

#include <sgwarden/clock.h>

#define DURATION_MAX (366u * 86400u)

struct unit {
	char letter;
	uint32_t seconds;
};

/* In the order in which ISO 8601 has them; T stands before the hours. */
static const struct unit ISO_DATE[] = {{'W', 604800}, {'D', 86400}, {0, 0}};
static const struct unit ISO_TIME[] = {{'H', 3600}, {'M', 60}, {'S', 1}, {0, 0}};
static const struct unit SHORT[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {0, 0}};

/* Plain decimal without sign, at most seven digits. */
static bool
number(const char **text, uint32_t *ret_v)
{
	size_t n = strspn(*text, "0123456789");
	uint32_t v = 0;

	if (n == 0 || n > 7)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)((*text)[i] - '0');
	*text += n;
	*ret_v = v;
	return true;
}

/* Numbers with units of `from`, each at most once and in their order; counts them. */
static bool
parts(const char **text, const struct unit *from, uint64_t *sum, unsigned *count)
{
	while (**text >= '0' && **text <= '9') {
		uint32_t v = 0;

		if (!number(text, &v))
			return false;
		while (from->letter != 0 && from->letter != **text)
			from++;
		if (from->letter == 0)
			return false;
		*sum += (uint64_t)v * from->seconds;
		from++;
		(*text)++;
		(*count)++;
	}
	return true;
}

static bool
iso(const char *text, uint64_t *sum)
{
	unsigned days = 0, times = 0;

	if (!parts(&text, ISO_DATE, sum, &days))
		return false;
	if (*text == 'T') {
		text++;
		if (!parts(&text, ISO_TIME, sum, &times) || times == 0)
			return false;
	}
	return *text == 0 && days + times > 0;
}

bool
duration_parse(const char *text, uint32_t *ret_seconds)
{
	uint64_t sum = 0;
	unsigned count = 0;
	bool ok;

	if (*text == 'P')
		ok = iso(text + 1, &sum);
	else
		ok = parts(&text, SHORT, &sum, &count) && *text == 0 && count > 0;
	if (!ok || sum == 0 || sum > DURATION_MAX)
		return false;
	*ret_seconds = (uint32_t)sum;
	return true;
}

/* "Z" or "+hh:mm"; what local time is ahead of UTC, in seconds. */
static bool
offset(const char *text, int64_t *ret_ahead)
{
	static const char form[] = "dd:dd";
	int64_t hours, minutes;

	*ret_ahead = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6)
		return false;
	for (size_t i = 0; i < 5; i++)
		if (form[i] == 'd' ? text[1 + i] < '0' || text[1 + i] > '9' : text[1 + i] != ':')
			return false;
	hours = (text[1] - '0') * 10 + text[2] - '0';
	minutes = (text[4] - '0') * 10 + text[5] - '0';
	if (hours > 23 || minutes > 59)
		return false;
	*ret_ahead = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return true;
}

bool
time_parse(const char *text, int64_t *ret_when)
{
	char base[CLOCK_TEXT_LEN];
	const char *rest = text + CLOCK_TEXT_LEN - 2;
	int64_t when, ahead;

	if (strlen(text) < CLOCK_TEXT_LEN - 1)
		return false;
	memcpy(base, text, CLOCK_TEXT_LEN - 2);
	memcpy(base + CLOCK_TEXT_LEN - 2, "Z", 2);
	if (base[10] == 't')
		base[10] = 'T';
	if (*rest == '.') {
		size_t n = strspn(rest + 1, "0123456789");

		if (n == 0)
			return false;
		rest += 1 + n;
	}
	if (!offset(rest, &ahead) || clock_parse(base, CLOCK_TEXT_LEN - 1, &when) < 0)
		return false;
	*ret_when = when - ahead;
	return true;
}
