/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders for the kinds that several arguments have in common. */
#include "arg_kinds.h"

#include <string.h>

#include <sgwarden/lookalike.h>

/* A string of UTF-8 (the strict layer saw to that) of `least` to `most` bytes. */
bool
get_text(const cJSON *v, char *ret_text, size_t least, size_t most, const char *allowed,
    struct complaint *c)
{
	size_t len;

	if (!cJSON_IsString(v))
		return BAD(c, "it must be a string");
	len = strlen(v->valuestring);
	if (looks_like_credential(v->valuestring))
		return BAD(c,
		    "it looks like a credential: none is ever wanted here; if it is one, replace "
		    "it in AWS");
	if (len < least || len > most)
		return BAD(c, allowed);
	memcpy(ret_text, v->valuestring, len + 1);
	return true;
}

/* An id: a prefix and 8 or 17 lower-case hex digits. */
bool
get_id(const cJSON *v, char *ret_id, size_t most, const char *prefix, bool short_too,
    const char *allowed, struct complaint *c)
{
	size_t n = strlen(prefix), digits;

	if (!get_text(v, ret_id, n + 1, most, allowed, c))
		return false;
	digits = strspn(ret_id + n, "0123456789abcdef");
	if (strncmp(ret_id, prefix, n) != 0 || ret_id[n + digits] != 0 ||
	    (digits != 17 && !(short_too && digits == 8)))
		return BAD(c, allowed);
	return true;
}

bool
get_receipt(
    const cJSON *v, char ret_id[SGW_RECEIPT_LEN + 1], const char *allowed, struct complaint *c)
{
	if (!get_text(v, ret_id, SGW_RECEIPT_LEN, SGW_RECEIPT_LEN, allowed, c))
		return false;
	if (strncmp(ret_id, "sgw-", 4) != 0 ||
	    strspn(ret_id + 4, "abcdefghijklmnopqrstuvwxyz234567") != SGW_RECEIPT_LEN - 4)
		return BAD(c, allowed);
	return true;
}

/* JSON Schema's integer: 22.0 is one too. */
bool
get_integer(const cJSON *v, unsigned least, unsigned most, unsigned *ret_v, const char *allowed,
    struct complaint *c)
{
	double d;

	if (!cJSON_IsNumber(v))
		return BAD(c, allowed);
	d = v->valuedouble;
	if (!(d >= least && d <= most) || (double)(unsigned)d < d)
		return BAD(c, allowed);
	*ret_v = (unsigned)d;
	return true;
}

bool
get_bool(const cJSON *v, bool *ret_v, struct complaint *c)
{
	if (!cJSON_IsBool(v))
		return BAD(c, "it must be true or false");
	*ret_v = cJSON_IsTrue(v);
	return true;
}

bool
get_port(const cJSON *v, uint16_t *ret_port, struct complaint *c)
{
	unsigned port;

	if (!get_integer(v, 1, 65535, &port, "it must be a whole number from 1 to 65535", c))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* One word of a table that ends with NULL. */
bool
get_word(const cJSON *v, const struct word *words, int *ret_value, const char *allowed,
    struct complaint *c)
{
	if (!cJSON_IsString(v))
		return BAD(c, allowed);
	for (; words->text != NULL; words++) {
		if (strcmp(words->text, v->valuestring) == 0) {
			*ret_value = words->value;
			return true;
		}
	}
	return BAD(c, allowed);
}
