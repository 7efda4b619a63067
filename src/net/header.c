/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an HTTP answer's head: names, values, and the date in its one form. */
#include "header.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sgwarden/clock.h>

#define HTTP_DATE_LEN 29

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
header_is(const char *line, size_t len, const char *name, const char **ret_value, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && is_blank(line[0])) {
		line++;
		len--;
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	*ret_value = line;
	*ret_len = len;
	return true;
}

/* 1-12, or 0. */
static unsigned
month_number(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; i < 12; i++) {
		if (memcmp(names + 3 * (size_t)i, name, 3) == 0)
			return i + 1;
	}
	return 0;
}

/* Rewritten into the form that clock_parse() judges; the name of the day is not. */
bool
http_date_parse(const char *text, size_t len, int64_t *ret_when)
{
	char again[64];
	int n;

	if (len != HTTP_DATE_LEN || memcmp(text + 3, ", ", 2) != 0 ||
	    memcmp(text + 25, " GMT", 4) != 0)
		return false;
	n = snprintf(again, sizeof(again), "%.4s-%02u-%.2sT%.8sZ", text + 12,
	    month_number(text + 8), text + 5, text + 17);
	return n > 0 && clock_parse(again, (size_t)n, ret_when) == 0;
}
