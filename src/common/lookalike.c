/* SPDX-License-Identifier: Apache-2.0 */
/* See lookalike.h. */
#include <sgwarden/lookalike.h>
#include <sgwarden/mutate.h>

#include <stddef.h>
#include <string.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define ID_LEN 20
#define SECRET_LEN 40
#define SECRET_SLASHES 3 /* more are a path: of random ones not one in two hundred has as many */
#define TOKEN_LEN 120

/* How many of the first len characters are among these. */
static size_t
count(const char *text, size_t len, const char *of)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += strchr(of, text[i]) != NULL;
	return n;
}

static bool
is_access_key_id(const char *run, size_t len)
{
	return len == ID_LEN && (strncmp(run, "AKIA", 4) == 0 || strncmp(run, "ASIA", 4) == 0) &&
	       count(run, len, CAPITALS DIGITS) == len;
}

/* A commit's hash has no capitals, a word no digits, a path more slashes or one in front. */
static bool
is_secret(const char *run, size_t len)
{
	bool mixed = count(run, len, CAPITALS) && count(run, len, SMALL) && count(run, len, DIGITS);

	if (len >= TOKEN_LEN)
		return mixed;
	return len == SECRET_LEN && mixed && run[0] != '/' &&
	       count(run, len, "/") <= SECRET_SLASHES;
}

bool
looks_like_credential(const char *text)
{
	if (MUTATE(LOOKALIKE))
		return false;
	if (strstr(text, "-----BEGIN ") != NULL)
		return true;
	while (*text != 0) {
		size_t len = strspn(text, CAPITALS SMALL DIGITS "/+");

		if (len > 0 && (is_access_key_id(text, len) || is_secret(text, len)))
			return true;
		text += len > 0 ? len : 1;
	}
	return false;
}
