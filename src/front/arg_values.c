/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of the arguments that say where to look and how much to list. */
#include "arg_kinds.h"

#include <string.h>

#include <sgwarden/vis.h>

/* ---- where ---- */

bool
arg_profile(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] =
	    "it must be a profile's name, 1 to 64 printable ASCII characters";

	if (!get_text(v, a->profile, 1, SGW_PROFILE_MAX, allowed, c))
		return false;
	return text_is_ascii(a->profile, strlen(a->profile)) || BAD(c, allowed);
}

bool
arg_tier(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {
	    {"opener", TIER_OPENER}, {"opener-sensitive", TIER_OPENER_SENSITIVE}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be opener or opener-sensitive", c))
		return false;
	a->tier = (enum tier)value;
	return true;
}

bool
arg_scope(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"all", LOCKDOWN_ALL}, {"profile", LOCKDOWN_PROFILE},
	    {"group", LOCKDOWN_GROUP}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be all, profile or group", c))
		return false;
	a->scope = (enum lockdown_scope)value;
	return true;
}

bool
arg_confirm(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"LOCKDOWN", 0}, {NULL, 0}};
	int value;

	return get_word(v, words, &value, "it must be LOCKDOWN", c);
}

bool
arg_region(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must be a region such as eu-west-1";

	if (!get_text(v, a->region, 4, SGW_REGION_MAX, allowed, c))
		return false;
	if (strspn(a->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(a->region))
		return BAD(c, allowed);
	return true;
}

bool
arg_group(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_id(v, a->group_id, SGW_GROUP_ID_MAX, "sg-", true,
	    "it must be sg- and 8 or 17 lower-case hex digits", c);
}

bool
arg_vpc(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_id(v, a->vpc_id, SGW_VPC_ID_MAX, "vpc-", true,
	    "it must be vpc- and 8 or 17 lower-case hex digits", c);
}

bool
arg_tag_key(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_text(v, a->tag_key, 1, SGW_TAG_KEY_MAX, "it must have 1 to 128 bytes", c);
}

bool
arg_tag_value(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_text(v, a->tag_value, 0, SGW_TAG_VALUE_MAX, "it must have at most 256 bytes", c);
}

bool
arg_query(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_text(v, a->query, 1, SGW_QUERY_MAX, "it must have 1 to 128 bytes", c);
}

bool
arg_managed_only(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_bool(v, &a->managed_only, c);
}

bool
arg_managed(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_bool(v, &a->managed, c);
}

bool
arg_direction(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"ingress", 0}, {"egress", 1}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be ingress or egress", c))
		return false;
	a->egress = value != 0;
	return true;
}

bool
arg_family(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"ipv4", 4}, {"ipv6", 6}, {"both", 0}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be ipv4, ipv6 or both", c))
		return false;
	a->no_v4 = value == 6;
	a->no_v6 = value == 4;
	return true;
}

/* ---- pages ---- */

bool
arg_limit(struct args *a, const cJSON *v, struct complaint *c)
{
	unsigned limit;

	if (!get_integer(
		v, 1, SGW_LIST_LIMIT_MAX, &limit, "it must be a whole number from 1 to 200", c))
		return false;
	a->limit = (uint16_t)limit;
	return true;
}

bool
arg_cursor(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must be a next_cursor, unchanged; or leave it out";

	if (!get_text(v, a->cursor, 1, ARGS_CURSOR_MAX, allowed, c))
		return false;
	return text_is_ascii(a->cursor, strlen(a->cursor)) || BAD(c, allowed);
}
